//! Independent classes: a greedy colouring, largest degree first.

use crate::graph::NodeId;

/// Nodes renumbered so that each class is consecutive.
pub(super) struct Classes {
    /// New number of each node.
    pub number: Vec<NodeId>,
    /// Nodes of each class.
    pub sizes: Vec<u32>,
}

/// Gives each node the first class that none of its neighbours has. Nodes of large degree choose first, ties by number,
/// so that the classes depend on the edges alone; there are at most (largest degree + 1). New numbers go class after
/// class, by old number inside a class.
///
/// Cost: O(nodes log nodes + edges).
pub(super) fn colour(n_nodes: u32, edges: &[(NodeId, NodeId, f32)]) -> Classes {
    let neighbours = Adjacency::of(n_nodes, edges);
    let mut order: Vec<NodeId> = (0..n_nodes).collect();
    order.sort_by_key(|&node| std::cmp::Reverse(neighbours.of_node(node).len()));
    let mut class_of = vec![u32::MAX; n_nodes as usize];
    // `taken[class] == node` while `node` chooses and a neighbour has the class.
    let mut taken: Vec<NodeId> = Vec::new();
    for node in order {
        for &neighbour in neighbours.of_node(node) {
            if let Some(by) = taken.get_mut(class_of[neighbour as usize] as usize) {
                *by = node;
            }
        }
        let class = taken.iter().position(|&by| by != node).unwrap_or(taken.len());
        if class == taken.len() {
            taken.push(node);
        }
        class_of[node as usize] = class as u32;
    }
    numbered(&class_of, taken.len())
}

fn numbered(class_of: &[u32], n_classes: usize) -> Classes {
    let mut sizes = vec![0; n_classes];
    for &class in class_of {
        sizes[class as usize] += 1;
    }
    let mut next: Vec<NodeId> = Vec::with_capacity(n_classes);
    let mut first = 0;
    for &size in &sizes {
        next.push(first);
        first += size;
    }
    let number = |&class: &u32| {
        let number = next[class as usize];
        next[class as usize] += 1;
        number
    };
    Classes { number: class_of.iter().map(number).collect(), sizes }
}

/// Adjacent nodes in either direction.
struct Adjacency {
    /// `list[ends[node - 1]..ends[node]]`.
    ends: Vec<usize>,
    list: Vec<NodeId>,
}

impl Adjacency {
    fn of(n_nodes: u32, edges: &[(NodeId, NodeId, f32)]) -> Self {
        let mut ends = vec![0; n_nodes as usize];
        for &(a, b, _) in edges {
            ends[a as usize] += 1;
            ends[b as usize] += 1;
        }
        let mut next = 0;
        for end in &mut ends {
            next += std::mem::replace(end, next);
        }
        let mut list = vec![0; next];
        for &(a, b, _) in edges {
            for (node, neighbour) in [(a, b), (b, a)] {
                list[ends[node as usize]] = neighbour;
                ends[node as usize] += 1;
            }
        }
        Self { ends, list }
    }

    fn of_node(&self, node: NodeId) -> &[NodeId] {
        let start = (node as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.list[start..self.ends[node as usize]]
    }
}
