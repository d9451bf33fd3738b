//! What the files of a crate use of one another, read from their text.
//!
//! Only names decide: `use` and paths in code (`crate::graph::Block`, `super::walk`, `reader::open`), not what the compiler
//! infers. Comments, literals and everything under `#[cfg(test)]` are left out. A name that a module hands on (`pub use
//! walk::RowGroup` in `graph/mod.rs`) belongs to the file that defines it, and handing on what is below itself is no use.

use std::collections::{BTreeMap, BTreeSet};

/// Files by what they use: paths below `src`, `graph/mod.rs`.
pub type Uses = BTreeMap<String, BTreeSet<String>>;

/// A module's name from the crate down: `["graph", "walk"]`.
type Module = Vec<String>;

/// One name that `use` brings in.
struct Import {
    /// Under which name; `*` for everything.
    name: String,
    path: Vec<String>,
    /// Whether others see it here, too.
    is_public: bool,
}

/// What is written in a module.
#[derive(Default)]
struct Text {
    file: String,
    children: BTreeSet<String>,
    imports: Vec<Import>,
    paths: Vec<Vec<String>>,
}

/// What each file uses, and all its words outside comments, literals and tests.
pub struct Crate {
    pub uses: Uses,
    pub words: BTreeMap<String, Vec<String>>,
}

impl Crate {
    /// Reads the files of a crate: paths below `src`, with their text.
    pub fn read(files: &[(String, String)]) -> Self {
        let tokens: BTreeMap<_, _> = files.iter().map(|(path, text)| (path.clone(), tokens(text))).collect();
        let mut tests = BTreeSet::new();
        let mut words = BTreeMap::new();
        for (path, tokens) in &tokens {
            let (code, test_modules) = without_tests(tokens);
            tests.extend(test_modules.into_iter().map(|name| [module_of(path), vec![name]].concat()));
            words.insert(path.clone(), code);
        }
        words.retain(|path, _| (0..=module_of(path).len()).all(|n| !tests.contains(&module_of(path)[..n])));
        let mut modules = BTreeMap::new();
        for (path, code) in &words {
            read_module(code, path, module_of(path), &mut modules);
        }
        Self { uses: uses(&modules), words }
    }
}

/// `graph/walk.rs` is module `graph::walk`, `graph/mod.rs` is `graph`, `lib.rs` the crate.
fn module_of(path: &str) -> Module {
    let mut names: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

/// Identifiers, `::` and single signs; a literal is one `"`.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if let Some(length) = comment(rest) {
            length
        } else if let Some(length) = literal(rest) {
            found.push("\"".to_owned());
            length
        } else if first.is_alphanumeric() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(rest[..length].to_owned());
            length
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            found.extend((!first.is_whitespace()).then(|| rest[..length].to_owned()));
            length
        };
        rest = &rest[length..];
    }
    found
}

/// Length of the comment that begins here. Block comments nest.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let mut depth = 0;
    let mut at = 0;
    while text[at..].starts_with("/*") || depth > 0 {
        let step = text[at..].find(['/', '*'])?;
        at += step;
        match &text[at..] {
            rest if rest.starts_with("/*") => (depth, at) = (depth + 1, at + 2),
            rest if rest.starts_with("*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    (at > 0).then_some(at)
}

/// Length of the string or character that begins here. A lifetime is none.
fn literal(text: &str) -> Option<usize> {
    let body = text.trim_start_matches(['b', 'c', 'r']);
    let (prefix, hashes) = (text.len() - body.len(), body.len() - body.trim_start_matches('#').len());
    let is_raw = text[..prefix].contains('r');
    let quoted = &body[if is_raw { hashes } else { 0 }..];
    if prefix > 2 || !quoted.starts_with(['"', '\'']) || (is_raw && quoted.starts_with('\'')) {
        return None;
    }
    let start = text.len() - quoted.len();
    if is_raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return quoted[1..].find(&end).map(|at| start + 1 + at + end.len());
    }
    let quote = quoted.chars().next()?;
    let mut inner = quoted[1..].chars();
    if quote == '\'' && !quoted[1..].starts_with('\\') && inner.nth(1) != Some('\'') {
        return None;
    }
    let mut is_escaped = false;
    let end = quoted[1..].find(|c| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    end.map(|at| start + 1 + at + 1)
}

/// Leaves out what is compiled for tests only; the names of such modules, whose files are to be left out as well.
fn without_tests(tokens: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut code, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let is = |ahead: usize, sign: &str| tokens.get(at + ahead).is_some_and(|token| token == sign);
        let end = if is(0, "#") && is(1, "[") { group_end(tokens, at + 1) } else { at };
        let attribute = &tokens[at..end];
        let has = |word: &str| attribute.iter().any(|token| token == word);
        if has("cfg") && has("test") && !has("not") {
            let item = item_end(tokens, end);
            if let Some(name) = tokens[end..item].iter().position(|token| token == "mod") {
                modules.push(tokens[end + name + 1].clone());
            }
            at = item;
        } else {
            let end = end.max(at + 1);
            code.extend_from_slice(&tokens[at..end]);
            at = end;
        }
    }
    (code, modules)
}

/// One after the bracket that closes the one at `at`.
fn group_end(tokens: &[String], at: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

/// One after the item at `at`: its `;`, or the brace that closes its body.
fn item_end(tokens: &[String], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].as_str() {
            ";" => return at + 1,
            "{" => return group_end(tokens, at),
            "(" | "[" => at = group_end(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// Reads the text of a module, and that of the modules written inside it.
fn read_module(tokens: &[String], file: &str, module: Module, modules: &mut BTreeMap<Module, Text>) {
    let mut text = Text { file: file.to_owned(), ..Text::default() };
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    let mut at = 0;
    let mut is_public = false;
    while at < tokens.len() {
        match word(at) {
            "pub" => {
                is_public = true;
                at = if word(at + 1) == "(" { group_end(tokens, at + 1) } else { at + 1 };
                continue;
            }
            "mod" if matches!(word(at + 2), ";" | "{") => {
                let child = word(at + 1).to_owned();
                let end = if word(at + 2) == "{" { group_end(tokens, at + 2) } else { at + 3 };
                if word(at + 2) == "{" {
                    let child = [module.clone(), vec![child.clone()]].concat();
                    read_module(&tokens[at + 3..end - 1], file, child, modules);
                }
                text.children.insert(child);
                at = end;
            }
            "use" => {
                let end = item_end_of_use(tokens, at);
                read_tree(&tokens[at + 1..end], &[], is_public, &mut text.imports);
                at = end + 1;
            }
            name if is_name(name) && word(at + 1) == "::" && (at == 0 || word(at - 1) != "::") => {
                let mut path = vec![name.to_owned()];
                while word(at + 1) == "::" && is_name(word(at + 2)) {
                    path.push(word(at + 2).to_owned());
                    at += 2;
                }
                text.paths.push(path);
                at += 1;
            }
            _ => at += 1,
        }
        is_public = false;
    }
    modules.insert(module, text);
}

fn item_end_of_use(tokens: &[String], at: usize) -> usize {
    (at..tokens.len()).find(|&at| tokens[at] == ";").unwrap_or(tokens.len())
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The names in `a::{b, c::d as e}`, behind `path`.
fn read_tree(tokens: &[String], path: &[String], is_public: bool, imports: &mut Vec<Import>) {
    let mut path = path.to_vec();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                let end = group_end(tokens, at) - 1;
                let mut start = at + 1;
                while start < end {
                    let mut comma = start;
                    while comma < end && tokens[comma] != "," {
                        comma = if tokens[comma] == "{" { group_end(tokens, comma) } else { comma + 1 };
                    }
                    read_tree(&tokens[start..comma], &path, is_public, imports);
                    start = comma + 1;
                }
                return;
            }
            "as" => {
                imports.push(Import { name: tokens[at + 1].clone(), path, is_public });
                return;
            }
            "self" if !path.is_empty() => {}
            "::" => {}
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = path.last().cloned() {
        imports.push(Import { name, path, is_public });
    }
}

fn uses(modules: &BTreeMap<Module, Text>) -> Uses {
    let mut uses: Uses = modules.values().map(|text| (text.file.clone(), BTreeSet::new())).collect();
    for (module, text) in modules {
        // Handing on what is below is a table of contents.
        let is_contents = |import: &&Import| {
            import.is_public && text.children.contains(&import.path[usize::from(import.path[0] == "self")])
        };
        let imported = text.imports.iter().filter(|import| !is_contents(import)).map(|import| &import.path);
        for path in imported.chain(&text.paths) {
            let file = absolute(modules, module, path, 0).and_then(|path| defining_file(modules, &path, 0));
            let own = uses.get_mut(&text.file).expect("every file has an entry");
            own.extend(file.filter(|file| *file != text.file));
        }
    }
    uses
}

/// From how many names on a path is taken to lead in a circle.
const DEEPEST: usize = 16;

/// A path that is written in `module`, from the crate down; nothing if it leads to another crate.
fn absolute(modules: &BTreeMap<Module, Text>, module: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
    let (first, rest) = path.split_first().filter(|_| depth < DEEPEST)?;
    let mut from = module.to_vec();
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([from, rest.to_vec()].concat()),
        "super" => {
            from.pop()?;
            let rest = if rest.first().is_some_and(|next| next == "super") {
                rest
            } else {
                return Some([from, rest.to_vec()].concat());
            };
            absolute(modules, &from, rest, depth + 1)
        }
        name => {
            let text = modules.get(module)?;
            if text.children.contains(name) {
                return Some([from, path.to_vec()].concat());
            }
            let import = text.imports.iter().find(|import| import.name == *name && import.path[..] != path[..1]);
            if let Some(import) = import {
                let target = absolute(modules, module, &import.path, depth + 1)?;
                return Some([target, rest.to_vec()].concat());
            }
            // A module that is written inside a file sees what the file sees.
            let outer = module.split_last()?.1;
            let is_inside = modules.get(outer).is_some_and(|parent| parent.file == text.file);
            if is_inside { absolute(modules, outer, path, depth + 1) } else { None }
        }
    }
}

/// The file that defines what is at a path from the crate down; nothing for a module as such, whose name alone is no use.
fn defining_file(modules: &BTreeMap<Module, Text>, path: &[String], depth: usize) -> Option<String> {
    let n = (0..=path.len()).rev().find(|&n| modules.contains_key(&path[..n]))?;
    let (module, rest) = path.split_at(n);
    let (text, name) = (&modules[module], rest.first()?);
    let import = text.imports.iter().find(|import| import.name == *name);
    let handed_on = import.filter(|_| depth < DEEPEST).and_then(|import| absolute(modules, module, &import.path, 0));
    match handed_on {
        Some(target) if target != path => defining_file(modules, &[target, rest[1..].to_vec()].concat(), depth + 1),
        _ if module.is_empty() => None,
        _ => Some(text.file.clone()),
    }
}
