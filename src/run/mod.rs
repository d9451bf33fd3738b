//! RESUMABLE RUNS: hours of work that a full queue, a power cut or a Ctrl-C must not cost.
//!
//! # Problem
//! Eighty replicas of a large graph take a night, a thousand images a week, and machines do not always live so long. A
//! run that was stopped has to go on from where it was, and its table has to be the one that an unbroken run writes,
//! byte for byte.
//!
//! # Pieces
//! Null models, images and batches of images do not depend on each other. Such work is a [`Run`]: a set of *pieces*,
//! each with a key and, when it is finished, with the rows that the table gets from it. Whatever order they are
//! computed in, the table has them in the order of their keys.
//!
//! ```text
//! keys of the work             0   1   2   3   4   5
//! in the checkpoint file       ■   ■       ■              finished before somebody pulled the plug
//! computed by this run                 □       □   □      Run::missing, Run::add
//! the table                    ■   ■   □   ■   □   □      Run::close
//! ```
//!
//! The rows of everything that is finished are in memory (they are small), and at most once a second on disk, in
//! `FILE.checkpoint` beside the table. A killed run loses what was under way, and the last second.
//!
//! # One search
//! The replicas of one graph advance together, and no piece of such a search is finished before most others are. Its
//! state is saved whole, between two sweeps: [`Session`] is what [`spin::solve`](crate::spin::solve) asks for that.
//!
//! # The checkpoint file
//! [`CheckpointFile`] is what both have in common. It is claimed, so that two runs never write the same one. A new
//! state is written under another name and then takes the place of the old one in one step: whenever the process dies
//! there is one that is intact, and a checksum tells if not. It begins with the *identity* of the run: everything that
//! decides the rows, as a line of text. A run with another identity does not go on from it, and says what is different.
//! When the table is complete, the file is removed.
//!
//! # Stopping
//! Somebody else decides when to stop, and sets a [`StopFlag`]; the command line does so on SIGINT, SIGTERM and SIGHUP.
//! Work looks at it at least between two sweeps or batches of images.
//!
//! ```
//! use frustration::progress::Silent;
//! use frustration::run::{Earlier, Run, Workload};
//! # let folder = tempfile::tempdir()?;
//! let output = folder.path().join("squares.csv");
//! let begin = || {
//!     let workload = Workload { task: "square", unit: "number", total: 4, units: |_: &[u64]| 1 };
//!     Run::begin((&output, Earlier::Resume), "squares of 0 to 3".to_owned(), workload, &Silent)
//! };
//! let first = begin()?;
//! first.add(2, vec![4])?;
//! drop(first); // Its process is gone.
//!
//! let second = begin()?;
//! assert_eq!(second.missing(0..4), [0, 1, 3]);
//! second.complete(|| second.missing(0..4).into_iter().try_for_each(|n| second.add(n, vec![n * n])))?;
//! let (squares, checkpoint) = second.close();
//! assert_eq!(squares.into_values().flatten().collect::<Vec<_>>(), [0, 1, 4, 9]);
//! checkpoint.remove(); // As soon as the table has its name.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod file;
pub mod hex;
mod pieces;
mod session;
mod stop;

pub use error::Error;
pub use file::{CheckpointFile, Earlier, checkpoint_path};
pub use pieces::{Run, Workload};
pub use session::{Session, Setup};
pub use stop::StopFlag;
