//! The one boundary around readers that are not ours.
//!
//! A library that reads Parquet or PNG may panic on bytes that nobody has written on purpose. That is a fault of the file,
//! and becomes one here: [`run`] catches it, and keeps it from stderr. Needs a program that unwinds (Cargo's default).

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A reader gave up in the middle: the file is damaged in a way that its library does not expect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file is damaged in a way that its library does not expect ({0})")]
pub(crate) struct Panicked(String);

thread_local! {
    /// Whether this thread runs a reader, whose panics are not reported.
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a library's reader on a file. What `read` changes must not be used after an error.
///
/// # Errors
/// If it panics.
pub(crate) fn run<T>(read: impl FnOnce() -> T) -> Result<T, Panicked> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_READING.get() {
                report(panic);
            }
        }));
    });
    let before = IS_READING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    IS_READING.set(before);
    result.map_err(|payload| Panicked(message(&*payload)))
}

/// What a panic says, at most a line of it.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("no message").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(run(|| 7), Ok(7));
        let index = std::hint::black_box(3);
        let error = run(|| [1, 2, 3][index]).unwrap_err().to_string();
        assert!(error.ends_with("(index out of bounds: the len is 3 but the index is 3)"), "{error}");
        assert!(!IS_READING.get());
        assert_eq!(run(|| run(|| panic!("inner")).is_err() && IS_READING.get()), Ok(true));
    }
}
