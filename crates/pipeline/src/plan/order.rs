//! In which order the official SDK makes the nodes of a graph.
//!
//! Depth first: a step is followed at once by the steps it reads from, in the order
//! of its inputs, and then by those it runs after, as far as they have not been seen.
//! Data that is there already gets its node on the way. The order shows in the
//! submission, so it is kept here.

use std::collections::HashMap;

use crate::{InputSource, Pipeline};

/// One node to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// A step, by its place in the pipeline.
    Step(usize),
    /// Data that a step reads, by their places in the pipeline and in the step.
    Source { step: usize, input: usize },
}

/// Which step writes what, and which step has which name.
#[derive(Debug)]
pub(super) struct Names<'a> {
    /// Step and output of each piece of data.
    pub(super) producers: HashMap<&'a str, (usize, usize)>,
    pub(super) steps: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub(super) fn new(pipeline: &'a Pipeline) -> Self {
        let (mut producers, mut steps) = (HashMap::new(), HashMap::new());
        for (index, step) in pipeline.steps.iter().enumerate() {
            steps.insert(step.name.as_str(), index);
            for (number, output) in step.outputs.iter().enumerate() {
                producers.insert(output.name.as_str(), (index, number));
            }
        }
        Self { producers, steps }
    }
}

/// All nodes, each once. Without recursion: chains may be long.
pub(super) fn visits(pipeline: &Pipeline, names: &Names<'_>) -> Vec<Visit> {
    let mut seen = vec![false; pipeline.steps.len()];
    let mut visits = Vec::with_capacity(seen.len());
    // A step, and how many of its inputs and predecessors have been looked at.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for start in 0..pipeline.steps.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        visits.push(Visit::Step(start));
        open.push((start, 0));
        while let Some((index, at)) = open.last_mut() {
            let (step, number) = (*index, *at);
            *at += 1;
            let definition = &pipeline.steps[step];
            let inputs = definition.inputs.len();
            let earlier = if let Some(input) = definition.inputs.get(number) {
                if let InputSource::Data(data) = &input.source {
                    names.producers.get(data.name.as_str()).map(|it| it.0)
                } else {
                    visits.push(Visit::Source { step, input: number });
                    None
                }
            } else if let Some(name) = definition.run_after.get(number - inputs) {
                names.steps.get(name.as_str()).copied()
            } else {
                open.pop();
                None
            };
            if let Some(earlier) = earlier.filter(|&it| !seen[it]) {
                seen[earlier] = true;
                visits.push(Visit::Step(earlier));
                open.push((earlier, 0));
            }
        }
    }
    visits
}
