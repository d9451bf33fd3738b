//! Portions of work: a frame, for as many lane groups as their fields fit a cache.

/// Vectors of fields that one job holds at once: 1 MiB, to stay in the second-level cache.
const VECTORS: usize = 1 << 14;

/// One frame for some lane groups.
pub(super) struct Job {
    pub frame: usize,
    pub groups: Vec<usize>,
}

/// Cuts lane groups of a frame into jobs whose fields fit the cache.
pub(super) fn jobs(frame: usize, n_rows: usize, groups: Vec<usize>) -> impl Iterator<Item = Job> {
    let at_once = groups_at_once(n_rows);
    let n_jobs = groups.len().div_ceil(at_once);
    (0..n_jobs).map(move |k| {
        let end = groups.len().min((k + 1) * at_once);
        Job { frame, groups: groups[k * at_once..end].to_vec() }
    })
}

/// Lane groups of a frame that one job takes.
pub(super) fn groups_at_once(n_rows: usize) -> usize {
    (VECTORS / n_rows.max(1)).max(1)
}
