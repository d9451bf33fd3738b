//! Statistics of solved graphs: is a trained network less frustrated than chance would have it?
//!
//! Chance is a [`Population`] of null models: graphs like the network's, with other weights. Solving the network many times
//! gives one list of energies, solving many null models another. Their means differ; the question is whether they differ by
//! more than lists that scatter as these do would differ by accident.
//!
//! ```text
//!   network      ··:·:··                      each dot one energy
//!   null models                ··:··::·:··
//!                   |<-------- difference of the means, m₁ − m₂
//!                |---|          |------|      scatter: the standard deviations sd₁, sd₂
//! ```
//!
//! 1. A [`Sample`] is a list of energies in four numbers: how many, mean, standard deviation, least.
//! 2. [`welch()`] divides the difference of the means by its own standard error. The result, t, says how many times greater
//!    it is than it would typically be if there were none; the p-value, how often such a t or a greater one would then occur.
//!    With hundreds of energies p falls below the smallest double (1e-308), so its logarithm is reported.
//! 3. [`cohens_d`] divides it by the scatter of single energies instead. t grows with the number of energies; d does not, and
//!    says whether a difference that is certain is also large.
//!
//! [`compare`] does this for each population against its references.
//!
//! Every energy counts as one independent observation, as in the paper. Two runs on one null graph are not quite that:
//! where they agree more with each other than with those of other graphs, the test is too sure.
//!
//! An example to check by hand: means 5 and 2, both standard deviations √2, hence t = 3 / √(2/2 + 2/2). There are 2 degrees
//! of freedom, for which p = 1 − t / √(2 + t²), here 1 − 3 / √13 = 0.168: with two values each, no reason to doubt chance.
//! ```
//! use frustration::report::{Sample, cohens_d, welch};
//! let (null, network) = (Sample::of(&[4.0, 6.0])?, Sample::of(&[1.0, 3.0])?);
//! let test = welch(&null, &network)?;
//! assert!((test.t - 3.0 / 2.0_f64.sqrt()).abs() < 1e-12);
//! assert!((test.degrees_of_freedom - 2.0).abs() < 1e-12);
//! assert!((test.log10_p - (1.0 - 3.0 / 13.0_f64.sqrt()).log10()).abs() < 1e-12);
//! assert!((cohens_d(&null, &network)? - 3.0 / 2.0_f64.sqrt()).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Plain numbers in, plain numbers out. Cost: O(n) to summarise, O(1) for everything after. What images say that were perturbed
//! is another statistic, of rows of tables: see [`Lambdas`].

mod lambda;
mod perturbed;
mod population;
mod sample;
mod student;
mod welch;

pub use lambda::{LambdaError, Lambdas};
pub use perturbed::{Perturbed, PerturbedError, RowPlace};
pub use population::{Against, Comparison, Population, compare};
pub use sample::{Sample, SampleError};
pub use student::log10_two_sided;
pub use welch::{Undefined, Welch, cohens_d, welch};
