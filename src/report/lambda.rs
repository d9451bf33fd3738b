//! What perturbed images say: λ of each case, of each image, and of each range of norms.
//!
//! Ω is the share of the logits that change as the order of the ground state says ([`perturb`]). λ sums
//! up many of them: 0.5 for a network that follows the order always, near 0 for one that does not care.
//!
//! ```text
//! omega (one row a perturbation)           lambda          one row a case, with an interval
//!   case real   image 0  norm 0.1  Ω ┐     lambda_images   one row an image: does it follow?
//!               image 0  norm 1.0  Ω ├──►  lambda_norms    one row a range of norms: how far does it?
//!               image 1  ...         ┘
//! ```

use std::collections::BTreeMap;

use super::perturbed::Perturbed;
use crate::perturb::{self, Bootstrap, Case};
use crate::table::{LambdaImageRow, LambdaNormRow, LambdaRow, OmegaRow};

/// λ could not be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LambdaError {
    /// Of a case.
    #[error("{graph}, {case}")]
    Case {
        /// Its graph.
        graph: String,
        /// Its name.
        case: &'static str,
        /// Why not.
        #[source]
        source: perturb::Error,
    },
    /// Of some of its rows.
    #[error(transparent)]
    Rows(#[from] perturb::Error),
}

/// The rows of the three tables.
#[derive(Clone, Debug, Default)]
pub struct Lambdas {
    /// One for each case of each graph.
    pub cases: Vec<LambdaRow>,
    /// One for each of their images.
    pub images: Vec<LambdaImageRow>,
    /// One for each of their ranges of norms in which there is a perturbation.
    pub norms: Vec<LambdaNormRow>,
}

impl Lambdas {
    /// Sums up perturbed images, with so many ranges of norms for each case. Works on the current rayon pool.
    ///
    /// # Errors
    /// If an Ω is no number from 0 to 1.
    pub fn of(perturbed: &Perturbed, bootstrap: Bootstrap, norm_bins: u32) -> Result<Self, LambdaError> {
        let mut lambdas = Self::default();
        for (graph, case, rows) in perturbed.cases() {
            let by_image = by_image(rows);
            lambdas.cases.push(case_row(graph, case, &by_image, bootstrap)?);
            lambdas.images.extend(by_image.values().map(|rows| image_row(rows)));
            lambdas.norms.extend(norm_rows(rows, norm_bins)?);
        }
        Ok(lambdas)
    }
}

fn by_image(rows: &[OmegaRow]) -> BTreeMap<i64, Vec<&OmegaRow>> {
    let mut images = BTreeMap::<i64, Vec<_>>::new();
    rows.iter().for_each(|row| images.entry(row.image_index).or_default().push(row));
    images
}

fn case_row(
    graph: &str,
    case: Case,
    images: &BTreeMap<i64, Vec<&OmegaRow>>,
    bootstrap: Bootstrap,
) -> Result<LambdaRow, LambdaError> {
    let omegas = |rows: &Vec<&OmegaRow>| rows.iter().map(|row| row.omega).collect::<Vec<_>>();
    let estimate = bootstrap.estimate(&images.values().map(omegas).collect::<Vec<_>>());
    let failed = |source| LambdaError::Case { graph: graph.to_owned(), case: case.name(), source };
    let estimate = estimate.map_err(failed)?;
    let all = || images.values().flatten().copied();
    let moved: Vec<_> = all().map(|row| perturb::omega_of_moved(row.omega, row.unmoved)).collect();
    let is_one_sided = |rows: &&Vec<&OmegaRow>| [0.0, 1.0].contains(&above_half(rows));
    Ok(LambdaRow {
        graph: graph.to_owned(),
        case: case.name().to_owned(),
        n_images: images.len() as i64,
        n: all().count() as i64,
        lambda: estimate.lambda,
        lambda_low: estimate.interval.map(|[low, _]| low),
        lambda_high: estimate.interval.map(|[_, high]| high),
        resamples: i64::from(bootstrap.resamples),
        seed: bootstrap.seed,
        mean_omega: mean(all().map(|row| row.omega)),
        mean_distance: mean(all().map(|row| (row.omega - 0.5).abs())),
        mean_unmoved: mean(all().map(|row| row.unmoved)),
        lambda_moved: perturb::lambda(&moved)?,
        same_class: same_class(all()),
        one_sided: images.values().filter(is_one_sided).count() as f64 / images.len() as f64,
    })
}

fn image_row(rows: &[&OmegaRow]) -> LambdaImageRow {
    let first = rows[0];
    LambdaImageRow {
        graph: first.graph.clone(),
        case: first.case.clone(),
        image_index: first.image_index,
        image: first.image.clone(),
        label: first.label,
        n: rows.len() as i64,
        above_half: above_half(rows),
        mean_omega: mean(rows.iter().map(|row| row.omega)),
        same_class: same_class(rows.iter().copied()),
    }
}

/// The rows of one case by norm: ranges between the least and the greatest, equally wide in the logarithm; empty ones
/// are left out.
fn norm_rows(rows: &[OmegaRow], n: u32) -> Result<Vec<LambdaNormRow>, LambdaError> {
    let norms = || rows.iter().map(|row| row.norm);
    let (least, greatest) = (norms().fold(f64::INFINITY, f64::min), norms().fold(0.0, f64::max));
    let width = (greatest / least).ln();
    // The greatest would begin a range of its own.
    let bin = |norm: f64| if norm > least { ((norm / least).ln() / width * f64::from(n)) as u32 } else { 0 }.min(n - 1);
    let mut bins = BTreeMap::<u32, Vec<&OmegaRow>>::new();
    rows.iter().for_each(|row| bins.entry(bin(row.norm)).or_default().push(row));
    bins.into_values().map(|rows| norm_row(&rows)).collect()
}

fn norm_row(rows: &[&OmegaRow]) -> Result<LambdaNormRow, LambdaError> {
    let norms = || rows.iter().map(|row| row.norm);
    Ok(LambdaNormRow {
        graph: rows[0].graph.clone(),
        case: rows[0].case.clone(),
        norm_least: norms().fold(f64::INFINITY, f64::min),
        norm_greatest: norms().fold(0.0, f64::max),
        n: rows.len() as i64,
        same_class: same_class(rows.iter().copied()),
        lambda: perturb::lambda(&rows.iter().map(|row| row.omega).collect::<Vec<_>>())?,
        mean_omega: mean(rows.iter().map(|row| row.omega)),
        mean_distance: mean(rows.iter().map(|row| (row.omega - 0.5).abs())),
        mean_change: mean(rows.iter().map(|row| row.mean_change)),
    })
}

fn above_half(rows: &[&OmegaRow]) -> f64 {
    share(rows.iter().map(|row| row.omega > 0.5))
}

fn same_class<'a>(rows: impl Iterator<Item = &'a OmegaRow>) -> f64 {
    share(rows.map(|row| row.same_class))
}

fn share(flags: impl Iterator<Item = bool>) -> f64 {
    mean(flags.map(|flag| f64::from(u8::from(flag))))
}

/// Of at least one number.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0_u64), |(sum, n), value| (sum + value, n + 1));
    sum / n as f64
}
