//! Pools of threads, and what to do when the system refuses them.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// The system starts no more threads.
#[derive(Debug, thiserror::Error)]
#[error(
    "the system refuses to start {threads} threads; raise the limit (ulimit -u, or of memory), or ask for fewer (--threads, RAYON_NUM_THREADS)"
)]
pub struct Refused {
    threads: usize,
    #[source]
    source: ThreadPoolBuildError,
}

/// A pool of that many threads, of one per core for 0; run the work inside its `install`.
///
/// # Errors
/// If the system refuses the threads.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, Refused> {
    started(threads, ThreadPoolBuilder::new().num_threads(threads).build())
}

fn started(wanted: usize, pool: Result<ThreadPool, ThreadPoolBuildError>) -> Result<ThreadPool, Refused> {
    let one_per_core = || std::thread::available_parallelism().map_or(1, usize::from);
    pool.map_err(|source| Refused { threads: if wanted == 0 { one_per_core() } else { wanted }, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_the_system_refuses_are_one_sentence() {
        let refusing = ThreadPoolBuilder::new()
            .num_threads(3)
            .spawn_handler(|_| Err(std::io::Error::from(std::io::ErrorKind::WouldBlock)));
        let error = started(3, refusing.build()).unwrap_err().to_string();
        assert!(error.starts_with("the system refuses to start 3 threads; raise the limit"), "{error}");
    }
}
