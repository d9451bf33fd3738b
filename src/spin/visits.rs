//! Portions of work: a visit is a frame, read once, for as many planes as have their fields in the cache at the same time.

/// Vectors of fields that one visit holds at once: 1 MiB, to stay in the second-level cache.
const VECTORS: usize = 1 << 14;

/// One frame, for some planes.
pub(super) struct Visit {
    pub frame: usize,
    pub planes: Vec<usize>,
}

/// Cuts planes of a frame into visits whose fields fit the cache.
pub(super) fn of_frame(frame: usize, n_rows: usize, planes: Vec<usize>) -> impl Iterator<Item = Visit> {
    let at_once = planes_at_once(n_rows);
    let n_visits = planes.len().div_ceil(at_once);
    (0..n_visits).map(move |k| {
        let end = planes.len().min((k + 1) * at_once);
        Visit { frame, planes: planes[k * at_once..end].to_vec() }
    })
}

/// Planes of a frame that one visit takes.
pub(super) fn planes_at_once(n_rows: usize) -> usize {
    (VECTORS / n_rows.max(1)).max(1)
}
