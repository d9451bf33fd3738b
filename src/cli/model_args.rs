//! Which network: the flags of the subcommands that read one, `build-graph` and `forward`.

use std::path::PathBuf;

use anyhow::Context as _;

use super::flags::Seed;
use crate::net::arch::{self, Init, WeightSource};
use crate::net::{Network, onnx};

/// `--model`, or `--arch` with `--weights` or `--init` and `--seed`; `--input-size`
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("network").args(["model", "arch"]).required(true))]
#[command(group = clap::ArgGroup::new("parameters").args(["weights", "init"]))]
pub struct ModelArgs {
    /// Trained network as an ONNX file.
    #[arg(long, value_name = "FILE.onnx", conflicts_with = "parameters")]
    pub model: Option<PathBuf>,
    /// Named architecture, with --weights or --init; an unknown name lists them.
    #[arg(long, value_name = "NAME", requires = "parameters")]
    pub arch: Option<String>,
    /// Trained parameters of the architecture.
    #[arg(long, value_name = "FILE.safetensors")]
    pub weights: Option<PathBuf>,
    /// Random parameters of the architecture, drawn from --seed.
    #[arg(long, value_name = "SCHEME")]
    pub init: Option<Scheme>,
    /// Where they begin.
    #[command(flatten)]
    pub seed: Seed,
    /// Height and width of the input image, e.g. 227 or 224x320; by default the network's own.
    #[arg(long, value_name = "H[xW]", value_parser = input_size)]
    pub input_size: Option<[usize; 2]>,
}

/// How parameters are drawn.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Scheme {
    /// He normal.
    He,
    /// Xavier uniform.
    Xavier,
}

impl From<Scheme> for Init {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::He => Self::He,
            Scheme::Xavier => Self::Xavier,
        }
    }
}

impl ModelArgs {
    /// Reads the network.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn network(&self) -> anyhow::Result<Network> {
        if let Some(path) = &self.model {
            return onnx::read(path, self.input_size).with_context(|| format!("cannot read {}", path.display()));
        }
        let weights = match (&self.weights, self.init) {
            (Some(path), _) => WeightSource::Safetensors(path),
            (None, Some(scheme)) => WeightSource::Init { scheme: scheme.into(), seed: self.seed.seed },
            (None, None) => anyhow::bail!("--arch needs --weights or --init"),
        };
        let name = self.arch.as_deref().context("a network is needed: --model or --arch")?;
        Ok(arch::build(name, weights, self.input_size)?)
    }
}

/// `H` or `HxW`.
pub(super) fn input_size(text: &str) -> Result<[usize; 2], String> {
    let side = |side: &str| side.parse::<usize>().ok().filter(|&n| n > 0);
    let (h, w) = text.split_once('x').unwrap_or((text, text));
    side(h).zip(side(w)).map(|(h, w)| [h, w]).ok_or_else(|| "expected a size such as 227 or 224x320".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_square_or_two_sides() {
        assert_eq!(input_size("227"), Ok([227, 227]));
        assert_eq!(input_size("224x320"), Ok([224, 320]));
        for wrong in ["", "0", "x", "224x", "224x0", "-1", "1x2x3"] {
            assert!(input_size(wrong).is_err(), "{wrong}");
        }
    }
}
