//! Rows against the plain loop, and the archive's members byte by byte.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use super::*;
use crate::graph::csr::Csr;
use crate::graph::edges::for_each_edge;
use crate::graph::{Block, Blocks, Interval, PanelKind, Repeat};
use crate::progress::Silent;

/// Members of the archive, without the headers of the arrays.
fn members(npz: Vec<u8>) -> BTreeMap<String, (String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(npz)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let member = |name: String| {
        let mut bytes = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((&bytes[..8], start % 64), (&b"\x93NUMPY\x01\x00"[..], 0));
        let header = String::from_utf8(bytes[10..start].to_vec()).unwrap();
        (name, (header, bytes.split_off(start)))
    };
    names.into_iter().map(member).collect()
}

fn export(graph: &Csr, selection: &Selection) -> (Summary, BTreeMap<String, (String, Vec<u8>)>) {
    let scratch = tempfile::tempdir().unwrap();
    let mut out = Cursor::new(Vec::new());
    let summary = write_npz(graph, selection, &mut out, scratch.path(), &Silent).unwrap();
    (summary, members(out.into_inner()))
}

fn ints(bytes: &[u8]) -> Vec<i64> {
    bytes.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect()
}

fn narrow(bytes: &[u8]) -> Vec<i32> {
    bytes.chunks_exact(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

/// 0, 1 -> 2, 3, 4, with one edge given twice.
fn graph() -> Csr {
    let edges = [(0, 3, 1.0), (1, 2, -2.0), (0, 2, 3.0), (1, 4, 0.5), (0, 2, 0.25)];
    Csr::from_edges(5, &edges, &[2, 3]).with_frame_rows(2)
}

#[test]
fn members_are_those_of_scipy() {
    let (summary, npz) = export(&graph(), &Selection { direction: Direction::In, rows: None });
    assert_eq!(summary, Summary { n_rows: 5, n_columns: 5, n_entries: 4 });
    assert_eq!(npz.keys().collect::<Vec<_>>(), ["data.npy", "format.npy", "indices.npy", "indptr.npy", "shape.npy"]);
    assert_eq!(npz["format.npy"].1, b"csr");
    assert!(npz["format.npy"].0.contains("'descr': '|S3', 'fortran_order': False, 'shape': (), "));
    assert!(npz["data.npy"].0.contains("'descr': '<f4', 'fortran_order': False, 'shape': (4,), "));
    assert_eq!(ints(&npz["shape.npy"].1), [5, 5]);
    assert_eq!(ints(&npz["indptr.npy"].1), [0, 0, 0, 2, 3, 4]);
    assert_eq!(narrow(&npz["indices.npy"].1), [0, 1, 0, 1]);
    assert_eq!(floats(&npz["data.npy"].1), [3.25, -2.0, 1.0, 0.5]);
}

#[test]
fn rows_and_direction_select() {
    let (summary, npz) = export(&graph(), &Selection { direction: Direction::Out, rows: Some(1..4) });
    assert_eq!(summary, Summary { n_rows: 3, n_columns: 5, n_entries: 2 });
    assert_eq!(ints(&npz["indptr.npy"].1), [0, 2, 2, 2]);
    assert_eq!(narrow(&npz["indices.npy"].1), [2, 4]);
    let wrong = Selection { direction: Direction::In, rows: Some(4..6) };
    let done = write_npz(&graph(), &wrong, Cursor::new(Vec::new()), Path::new("."), &Silent);
    assert!(matches!(done, Err(Error::Rows { n_nodes: 5, .. })));
}

/// Strided dense and diagonal panels, as convolutions after a channel shuffle have them.
fn strided() -> (Blocks, Vec<f32>) {
    let repeats = [
        Repeat { count: 2, row_step: 12, col_step: 3, value_step: 0 },
        Repeat { count: 2, row_step: 6, col_step: 1, value_step: 4 },
    ];
    let dense = Block { n_rows: 3, row_step: 2, repeats, row_stride: 1, col_stride: 3, ..Block::single(100) };
    let diagonal = Block { row_step: 1, n_rows: 4, kind: PanelKind::Diagonal, col_stride: 0, ..dense };
    let mut blocks = Blocks::default();
    let interval = |first_col, len, values| Interval { first_col, len, values };
    blocks.push(dense, &[interval(10, 2, 0), interval(4, 3, 5)]);
    blocks.push(diagonal, &[interval(12, 4, 1), interval(30, 4, 2)]);
    (blocks, (0..40).map(|i| i as f32).collect())
}

#[test]
fn any_cut_of_the_rows_gives_the_edges_of_the_plain_loop() {
    let (blocks, values) = strided();
    let mut expected = BTreeMap::new();
    for_each_edge(&blocks, &values, |row, column, w| *expected.entry((row, column)).or_insert(0.0) += w);
    for (rows, max_edges) in [(100..125, 1), (100..125, 7), (100..125, u64::MAX), (103..117, 4)] {
        let mut found = BTreeMap::new();
        let mut buffer = RowBuffer::default();
        let mut row = rows.start;
        for part in rows::parts(&blocks, rows.clone(), max_edges) {
            assert_eq!(part.start, row);
            buffer.gather(&blocks, &values, &part);
            let each = |entries: &[(NodeId, f32)]| {
                found.extend(entries.iter().map(|&(column, w)| ((row, column), w)));
                row += 1;
                Ok::<(), std::convert::Infallible>(())
            };
            buffer.each_row(each).unwrap();
        }
        assert_eq!(row, rows.end);
        let mut expected = expected.clone();
        expected.retain(|&(row, _), _| rows.contains(&row));
        assert_eq!(found, expected);
    }
}
