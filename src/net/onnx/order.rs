//! Which nodes the output needs, and in which order they can be read.
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::node::Node;
use super::proto;

/// A graph that cannot be ordered: found, expected.
pub(super) type Disorder = (String, String);

type Nodes<'a> = &'a [proto::NodeProto<'a>];
type Names<'a> = HashSet<&'a str>;
/// The position of the node that makes a value.
type Producers<'a> = HashMap<&'a str, usize>;

/// The nodes that `output` depends on, each after its producers, otherwise in file order.
///
/// `known` are the values that no node makes: initializers and graph inputs.
/// Errors: a value that nothing makes, a value made twice, a cycle. Cost: linear, up to the log of a heap.
pub(super) fn needed<'a>(nodes: Nodes<'a>, known: &Names<'a>, output: &'a str) -> Result<Vec<Node<'a>>, Disorder> {
    let producers = producers(nodes, known)?;
    let found = reach(nodes, known, &producers, output)?;
    let order = sort(nodes, &producers, &found)?;
    Ok(order.into_iter().filter_map(|i| nodes.get(i).map(|proto| Node::new(proto, i))).collect())
}

fn producers<'a>(nodes: Nodes<'a>, known: &Names<'a>) -> Result<Producers<'a>, Disorder> {
    let mut producers = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for output in node.outputs.iter().copied().filter(|name| !name.is_empty()) {
            if known.contains(output) || producers.insert(output, i).is_some() {
                let found = format!("node `{}` makes `{output}` a second time", Node::new(node, i).name);
                return Err((found, "one producer for every value".into()));
            }
        }
    }
    Ok(producers)
}

/// Marks the nodes on a path to `output`.
fn reach(nodes: Nodes<'_>, known: &Names<'_>, producers: &Producers<'_>, output: &str) -> Result<Vec<bool>, Disorder> {
    let mut marked = vec![false; nodes.len()];
    let mut pending = vec![(output, None)];
    while let Some((name, reader)) = pending.pop() {
        let Some(&i) = producers.get(name) else {
            if known.contains(name) || name.is_empty() {
                continue;
            }
            let who =
                reader.map_or("the graph's output".into(), |(node, i)| format!("node `{}`", Node::new(node, i).name));
            let found = format!("{who} reads `{name}`, which is no input, no initializer and no node's output");
            return Err((found, "a complete graph".into()));
        };
        if let (Some(mark), Some(node)) = (marked.get_mut(i), nodes.get(i))
            && !*mark
        {
            *mark = true;
            pending.extend(node.inputs.iter().map(|input| (*input, Some((node, i)))));
        }
    }
    Ok(marked)
}

/// Kahn's algorithm over the marked nodes, lowest position first.
fn sort(nodes: Nodes<'_>, producers: &Producers<'_>, marked: &[bool]) -> Result<Vec<usize>, Disorder> {
    let mut waiting = vec![0usize; nodes.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut ready = BinaryHeap::new();
    for (i, node) in nodes.iter().enumerate().filter(|(i, _)| marked[*i]) {
        let sources: Vec<usize> = node.inputs.iter().filter_map(|input| producers.get(input).copied()).collect();
        waiting[i] = sources.len();
        sources.iter().for_each(|source| readers[*source].push(i));
        if sources.is_empty() {
            ready.push(Reverse(i));
        }
    }
    let mut order = Vec::new();
    while let Some(Reverse(i)) = ready.pop() {
        order.push(i);
        for &reader in &readers[i] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    match (0..nodes.len()).find(|i| waiting[*i] > 0) {
        None => Ok(order),
        Some(i) => Err((
            format!("node `{}` depends on its own output", Node::new(&nodes[i], i).name),
            "a graph without cycles".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node<'a>(name: &'a str, inputs: &[&'a str], output: &'a str) -> proto::NodeProto<'a> {
        proto::NodeProto { name, inputs: inputs.to_vec(), outputs: vec![output], ..Default::default() }
    }

    #[test]
    fn sorts_and_drops() {
        let nodes = [node("b", &["y"], "z"), node("a", &["x"], "y"), node("unused", &["missing"], "w")];
        let order = needed(&nodes, &HashSet::from(["x"]), "z").unwrap();
        assert_eq!(order.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn cycles_dangling_names_and_double_producers_are_errors() {
        let known = HashSet::from(["x"]);
        let cycle = [node("a", &["x", "z"], "y"), node("b", &["y"], "z")];
        assert!(needed(&cycle, &known, "z").unwrap_err().0.contains("its own output"));
        let dangling = [node("a", &["q"], "y")];
        assert!(needed(&dangling, &known, "y").unwrap_err().0.contains("`a` reads `q`"));
        assert!(needed(&dangling, &known, "nowhere").is_err());
        let twice = [node("a", &["x"], "y"), node("b", &["x"], "y")];
        assert!(needed(&twice, &known, "y").unwrap_err().0.contains("second time"));
    }
}
