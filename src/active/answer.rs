//! The network's answer to an image, and the nodes that are that answer.

use super::wiring::Wiring;
use crate::forward::States;
use crate::graph::NodeId;
use crate::net::Shape;

/// The network's answer to an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Index of the largest logit, channel-major; the first on a tie.
    pub class: usize,
    /// The logit.
    pub logit: f32,
}

impl Wiring<'_> {
    /// The largest logit of a lane.
    pub(super) fn answer(&self, states: &States, lane: usize) -> Answer {
        let shape = self.output_shape();
        let mut best = Answer { class: 0, logit: f32::NEG_INFINITY };
        for class in 0..shape.len() {
            let (pixels, channel) = (shape.h * shape.w, class / (shape.h * shape.w));
            let logit = states.logits()[class % pixels * shape.c + channel][lane];
            if logit > best.logit {
                best = Answer { class, logit };
            }
        }
        best
    }

    /// The nodes that the predicted classes are, each with the mask of its images.
    pub(super) fn roots(&self, answers: &[Answer]) -> Vec<(NodeId, u16)> {
        let shape = self.output_shape();
        let pixels = shape.h * shape.w;
        let elements: Vec<_> = answers.iter().map(|a| a.class % pixels * shape.c + a.class / pixels).collect();
        let mut roots = Vec::new();
        for (layer, route) in self.graph.output() {
            self.graph.for_each_element(*layer, &route.elements, |element, node| {
                let images = (0..answers.len()).filter(|&image| elements[image] == element);
                let mask = images.fold(0, |mask, image| mask | 1 << image);
                if mask != 0 {
                    roots.push((node, mask));
                }
            });
        }
        roots
    }

    /// The shape whose channels-last order the logits have.
    fn output_shape(&self) -> Shape {
        self.graph.output()[0].1.elements.shape()
    }
}
