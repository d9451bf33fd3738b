//! Which modules may use which others: the rooms of the crate in order, the lowest first, and no circles inside a room.
//!
//! What counts as a use, and what does not, is said in `source.rs`.

mod rules;
mod source;

use std::path::Path;
use std::sync::LazyLock;

use rules::{circles, wrong_directions};
use source::{Crate, Uses};

/// The rooms, which are the top-level modules, the lowest first. A room uses those on earlier lines only; those on one line
/// know nothing of one another.
const ROOMS: &[&[&str]] = &[
    &["byte_size", "contained", "guide", "kind", "npy", "pages", "progress", "random", "regular", "staging", "threads"],
    &["columnar", "graph", "net"],
    &["kernel", "unroll"],
    &["shard", "spin"],
    &["null", "image"],
    &["forward"],
    &["active", "perturb"],
    &["table"],
    &["import", "export"],
    &["report"],
    &["run"],
    &["cli"],
];

/// Uses that close a circle: who uses whom, and why it is better so.
const CIRCLES: &[(&str, &str, &str)] =
    &[("cli/provenance.rs", "cli/mod.rs", "tables state the command line as it is declared there")];

static SOURCES: LazyLock<Crate> = LazyLock::new(sources);

fn sources() -> Crate {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("the sources are there").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let below = path.strip_prefix(&src).expect("it is below").to_str().expect("it is text");
                files.push((below.replace('\\', "/"), std::fs::read_to_string(&path).expect("it can be read")));
            }
        }
    }
    // The binary is a crate of its own.
    files.retain(|(path, _)| path != "main.rs");
    assert!(files.len() > 100, "only {} files below {}", files.len(), src.display());
    Crate::read(&files)
}

/// What files use, without the uses in the list.
fn uses_but_listed() -> Uses {
    let mut uses = SOURCES.uses.clone();
    for (file, used, _) in CIRCLES {
        let is_needed = uses.get_mut(*file).is_some_and(|all| all.remove(*used));
        assert!(is_needed, "{file} does not use {used}: take that out of the list");
    }
    uses
}

#[test]
fn no_room_uses_a_higher_one() {
    let wrong = wrong_directions(&uses_but_listed(), ROOMS);
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn files_of_a_room_do_not_use_one_another_in_a_circle() {
    let found = circles(&uses_but_listed());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_solver_knows_no_files_and_no_network() {
    for (file, used) in SOURCES.uses.iter().filter(|(file, _)| file.starts_with("spin/")) {
        let wrong = used.iter().find(|used| used.starts_with("shard/") || used.starts_with("net/"));
        assert_eq!(wrong, None, "{file}");
    }
}

#[test]
fn only_the_command_line_prints() {
    for (file, words) in SOURCES.words.iter().filter(|(file, _)| !file.starts_with("cli/")) {
        let is_print = |pair: &&[String]| pair[0].trim_start_matches('e').starts_with("print") && pair[1] == "!";
        assert_eq!(words.windows(2).find(is_print), None, "{file}");
    }
}

#[test]
fn unsafe_code_is_where_files_are_mapped_and_in_vector_files() {
    let is_vector =
        |file: &str| file.starts_with("kernel/") && ["x86.rs", "neon.rs"].iter().any(|end| file.ends_with(end));
    for (file, words) in &SOURCES.words {
        let is_unsafe = words.iter().any(|word| word == "unsafe");
        assert!(!is_unsafe || file == "shard/map.rs" || is_vector(file), "{file} has unsafe code");
    }
}

/// A made-up crate: paths below `src`, with their text.
fn made_up(files: &[(&str, &str)]) -> Crate {
    Crate::read(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<Vec<_>>())
}

/// What `file` of that crate uses.
fn used(files: &[(&str, &str)], file: &str) -> Vec<String> {
    made_up(files).uses[file].iter().cloned().collect()
}

#[test]
fn a_use_is_found_however_it_is_written() {
    let graph =
        [("graph/mod.rs", "mod walk; pub use walk::Group; pub struct Block;"), ("graph/walk.rs", "pub struct Group;")];
    for (text, expected) in [
        ("use crate::graph::Block;", "graph/mod.rs"),
        ("use crate::graph::{Group as G};", "graph/walk.rs"),
        ("use crate::{graph::{self, Group}};", "graph/walk.rs"),
        ("use crate::graph; fn f(_: graph::Group) {}", "graph/walk.rs"),
        ("fn f(_: &crate::graph::walk::Group) {}", "graph/walk.rs"),
        ("use super::graph::*;", "graph/mod.rs"),
        ("fn f() { use super::graph as g; g::walk::start::<u8>() }", "graph/walk.rs"),
        ("mod inner { use super::super::graph::Group; }", "graph/walk.rs"),
        ("use crate::graph; mod inner { use super::*; fn f(_: graph::Block) {} }", "graph/mod.rs"),
        ("#[cfg(not(test))] use crate::graph::Block;", "graph/mod.rs"),
        ("const A: (char, &str, &str) = ('\"', \"\\\"//\", r#\"\"/*\"#); use crate::graph::Block;", "graph/mod.rs"),
        ("fn f<'a>(_: &'a str, _: crate::graph::Block) {}", "graph/mod.rs"),
    ] {
        let files = [&graph[..], &[("lib.rs", "mod graph; mod spin;"), ("spin.rs", text)]].concat();
        assert_eq!(used(&files, "spin.rs"), [expected], "{text}");
    }
}

#[test]
fn tests_comments_literals_and_tables_of_contents_are_no_use() {
    for text in [
        "//! [`graph`](crate::graph::Block)\n/* use crate::graph::Block; /* */ crate::graph::Block */",
        "const A: &str = \"crate::graph::Block\"; const B: &[u8] = br##\"crate::graph::Block\"# \"##;",
        "#[cfg(test)] mod tests { use crate::graph::Block; }",
        "#[cfg(all(test, unix))] #[expect(x)] fn f(_: [u8; 2]) -> crate::graph::Block { loop {} }",
        "#[cfg(test)] mod tests;",
        "use crate::graph; use std::{graph::Block, crate_graph::Block};",
        "mod below; pub(crate) use below::{A, B};",
    ] {
        let graph = ("graph/mod.rs", "pub struct Block;");
        let below = ("spin/below.rs", "pub struct A; pub struct B;");
        let tests = ("spin/tests.rs", "use crate::graph::Block;");
        let files = [("lib.rs", "mod graph; mod spin;"), graph, ("spin/mod.rs", text), below, tests];
        assert!(used(&files, "spin/mod.rs").is_empty(), "{text}");
        assert_eq!(made_up(&files).uses.contains_key("spin/tests.rs"), !text.contains("mod tests"), "{text}");
    }
}

#[test]
fn a_use_of_a_higher_room_is_told() {
    let rooms: &[&[&str]] = &[&["graph", "net"], &["spin"]];
    let files = |graph| {
        [("graph/mod.rs", graph), ("net.rs", "pub struct N;"), ("spin.rs", "use crate::graph::G; pub struct S;")]
    };
    assert!(wrong_directions(&made_up(&files("pub struct G;")).uses, rooms).is_empty());
    for (text, higher) in [("use crate::spin::S;", "spin.rs"), ("use crate::net::N;", "net.rs")] {
        let expected = format!("graph/mod.rs uses {higher}, which is not in a lower room");
        assert_eq!(wrong_directions(&made_up(&files(text)).uses, rooms), [expected]);
    }
    assert_eq!(wrong_directions(&made_up(&[("a.rs", "")]).uses, rooms), ["a.rs is in no room of the list"]);
}

#[test]
fn a_circle_is_told_and_only_inside_a_room() {
    let spin = |last| {
        let files = [
            ("spin/mod.rs", "mod a; mod b; mod c; pub use c::C; pub struct S;"),
            ("spin/a.rs", "use super::b::B; pub struct A;"),
            ("spin/b.rs", "use super::C; pub struct B;"),
            ("spin/c.rs", last),
        ];
        circles(&made_up(&files).uses)
    };
    assert!(spin("pub struct C;").is_empty());
    assert!(spin("pub struct C; #[cfg(test)] use super::a::A;").is_empty());
    assert_eq!(spin("use super::a; pub struct C(a::A);"), ["spin/a.rs -> spin/b.rs -> spin/c.rs -> spin/a.rs"]);
    let rooms = [("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "use crate::a::A; pub struct B;")];
    assert!(circles(&made_up(&rooms).uses).is_empty());
}
