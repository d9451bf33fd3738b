//! Statistics of solved graphs: is the frustration of a network less than that of its null models?
//!
//! Plain numbers in, plain numbers out: the energies ε̂ of each [`Case`] become a [`Sample`], and [`compare`] sets each
//! case against its references by Welch's t-test ([`welch()`]) and Cohen's d ([`cohens_d`]).
//!
//! Every energy counts as one independent observation, as in the paper. Two runs on one null graph are not quite that:
//! where they agree more with each other than with those of other graphs, the test is too sure.
//! ```
//! use frustration::report::{Sample, welch};
//! let real = Sample::of(&[0.401, 0.402, 0.403])?;
//! let null = Sample::of(&[0.441, 0.442, 0.443])?;
//! let test = welch(&null, &real)?;
//! assert!(test.t > 48.0 && (test.degrees_of_freedom - 4.0).abs() < 1e-9 && test.log10_p < -5.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod case;
mod sample;
mod student;
mod welch;

pub use case::{Against, Case, Comparison, compare};
pub use sample::{Sample, SampleError};
pub use student::log10_two_sided;
pub use welch::{Undefined, Welch, cohens_d, welch};
