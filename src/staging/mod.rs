//! Outputs appear complete or not at all, several of them together, whenever the process is killed.
//!
//! ```text
//! .g.Xy12ab.tmp   written, synced          temporary    under a lock that ends with its process
//! .g.journal      lists all of them        journal      appears by one rename: from here on they count as named
//! g               renamed                  together     one after the other
//! ```
//!
//! A file or directory is written under the temporary name `.NAME.XXXXXX.tmp` beside the name that it is to have. Its owner
//! holds an advisory lock on it, which the system takes back when the process ends in whatever way: one that nobody holds is
//! a left-over, and the next process that writes an output of that name removes it. Where locks do not work (file systems
//! without them, other systems than Unix) nothing is removed.
//!
//! What belongs together gets its names together. A process that is killed before the journal has its name has changed
//! nothing; what one that is killed afterwards has not renamed yet, the next process that writes anything to that folder
//! renames first. A directory takes the place of another one in one step where the system can exchange names; what it
//! replaces then has the temporary name. Elsewhere what is replaced is set aside as `.NAME.XXXXXX.old`, and is not removed
//! before the new one has the name.

mod journal;
mod names;
mod rename;
pub(crate) mod temporary;
pub(crate) mod together;

pub(crate) use names::parent;
