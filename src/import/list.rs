//! Edges as they are read: text labels numbered by first appearance, numbers in ascending order.

use std::collections::HashMap;

use super::error::Fault;
use super::shown::Shown;
use crate::graph::NodeId;

/// An edge as given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    pub source: NodeId,
    pub target: NodeId,
    pub weight: f64,
}

/// A list of edges between labelled nodes.
#[derive(Clone, Debug, Default)]
pub struct EdgeList {
    /// Labels by node.
    pub(super) labels: Vec<String>,
    numbers: HashMap<String, NodeId>,
    pub(super) edges: Vec<Edge>,
    pub(super) notes: Vec<String>,
}

impl EdgeList {
    /// Edges between numbers, which become the labels, in ascending order; says in the notes how many of `n_nodes` nodes
    /// are the end of no edge and so left out.
    pub(super) fn of_numbers(mut edges: Vec<Edge>, n_nodes: u64) -> Self {
        let mut numbers: Vec<NodeId> = edges.iter().flat_map(|edge| [edge.source, edge.target]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let place = |number: NodeId| numbers.binary_search(&number).expect("it was collected") as NodeId;
        for edge in &mut edges {
            (edge.source, edge.target) = (place(edge.source), place(edge.target));
        }
        let labels: Vec<_> = numbers.iter().map(NodeId::to_string).collect();
        let alone = n_nodes - labels.len() as u64;
        let notes = if alone > 0 { vec![format!("nodes without an entry, left out: {alone}")] } else { Vec::new() };
        Self { labels, edges, notes, ..Self::default() }
    }

    /// Appends an edge between two labels.
    ///
    /// # Errors
    /// If a label is empty, both are the same, the weight does not fit a finite f32, or there are too many nodes.
    pub fn push(&mut self, source: &str, target: &str, weight: f64) -> Result<(), Fault> {
        if source.is_empty() || target.is_empty() {
            return Err(Fault::EmptyLabel);
        }
        if source == target {
            return Err(Fault::Loop(source.to_owned()));
        }
        check_weight(weight)?;
        let (source, target) = (self.number(source)?, self.number(target)?);
        self.edges.push(Edge { source, target, weight });
        Ok(())
    }

    fn number(&mut self, label: &str) -> Result<NodeId, Fault> {
        if let Some(&number) = self.numbers.get(label) {
            return Ok(number);
        }
        let number = self.labels.len() as u64;
        if number >= u64::from(u32::MAX) - 1 {
            return Err(Fault::TooManyNodes);
        }
        self.labels.push(label.to_owned());
        self.numbers.insert(label.to_owned(), number as NodeId);
        Ok(number as NodeId)
    }
}

/// That a weight is finite in single precision.
pub(super) fn check_weight(weight: f64) -> Result<(), Fault> {
    if !weight.is_finite() {
        return Err(Fault::NotFinite(weight));
    }
    if !(weight as f32).is_finite() {
        return Err(Fault::TooLarge(weight));
    }
    Ok(())
}

/// A weight in a text file.
pub(super) fn weight(text: &str) -> Result<f64, Fault> {
    text.parse().map_err(|_| Fault::NotANumber(Shown::of(&[text])))
}
