//! Flags that several subcommands share, spelled the same everywhere: `#[command(flatten)] threads: flags::Threads`.

use std::fmt;
use std::str::FromStr;

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use rayon::ThreadPool;

pub use crate::byte_size::ByteSize;
use crate::threads;

/// `--threads`
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Threads {
    /// Threads to use; 0 means one per core. Results do not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads())]
    pub threads: usize,
}

/// More threads than any machine has cores spend minutes on starting and ending.
const MOST_THREADS: u64 = 1024;

fn threads() -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::<usize>::new().range(..=MOST_THREADS)
}

impl Threads {
    /// A thread pool of that size; run the work inside its `install`.
    ///
    /// # Errors
    /// If the system refuses the threads.
    pub fn pool(self) -> anyhow::Result<ThreadPool> {
        Ok(threads::pool(self.threads)?)
    }
}

/// `--seed`
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Seed {
    /// Seed of every random choice. The same seed gives the same result on any machine.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub seed: u64,
}

/// `--force`
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Force {
    /// Replace the output if it exists.
    #[arg(long)]
    pub force: bool,
}

/// `--timing`
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Timing {
    /// Fill in the column `secs`, which is null otherwise; tables of equal runs then differ.
    #[arg(long)]
    pub timing: bool,
}

/// `--quiet`
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Quiet {
    /// No progress and no notes on stderr; errors only.
    #[arg(long, short)]
    pub quiet: bool,
}

/// `--part i/n`: the share of the work that falls to one of n machines, every n-th thing from the i-th.
///
/// ```text
/// --part 2/4 of 10 things:  0 1 2 3 4 5 6 7 8 9
///                             ^       ^       ^
/// ```
///
/// `--shard`, as earlier versions called it, is a hidden alias of the flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    i: usize,
    n: usize,
}

impl Part {
    /// The whole.
    pub const ALL: Self = Self { i: 1, n: 1 };

    /// What falls to this part of a list of things.
    pub fn of<T>(self, things: impl IntoIterator<Item = T>) -> Vec<T> {
        things.into_iter().skip(self.i - 1).step_by(self.n).collect()
    }
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let part = numbers.map(|(i, n)| Self { i, n }).filter(|part| (1..=part.n).contains(&part.i));
        part.ok_or("expected i/n with i from 1 to n, e.g. 2/4")
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.i, self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_a_partition() {
        let mut parts: Vec<_> = (1..=4).flat_map(|i| Part { i, n: 4 }.of(0..7)).collect();
        assert_eq!(Part { i: 4, n: 4 }.of(0..7), [3]);
        parts.sort_unstable();
        assert_eq!(parts, Part::ALL.of(0..7));
    }

    #[test]
    fn parts_count_from_one() {
        assert_eq!("2/4".parse(), Ok(Part { i: 2, n: 4 }));
        for wrong in ["", "1", "0/4", "5/4", "1/0", "/4", "1/", "a/b", "-1/4", "1/4/8"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }
}
