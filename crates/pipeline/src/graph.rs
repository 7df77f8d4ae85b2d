//! How steps hang together, and everything that can be wrong about it.

use std::collections::{HashMap, HashSet};

use crate::{DatabricksStep, Pipeline, Problem, ProblemKind, StepInput, StepName, step};

/// Ports that the service uses for `run_after` begin so.
const RESERVED_PREFIX: &str = "_run_after_";

/// Everything that is wrong with `pipeline`: its own problems, then each step's.
pub(crate) fn problems(pipeline: &Pipeline) -> Vec<Problem> {
    let mut problems = Vec::new();
    let own = |field, kind, message: String, remedy: &str| Problem {
        step: None,
        field,
        kind,
        message,
        remedy: remedy.to_owned(),
    };
    if pipeline.name.is_empty() {
        problems.push(own(
            "name",
            ProblemKind::Missing,
            "is empty".to_owned(),
            "give the pipeline a name: Pipeline::new(\"train\")",
        ));
    }
    if pipeline.steps.is_empty() {
        problems.push(own(
            "steps",
            ProblemKind::Missing,
            "the pipeline has no step".to_owned(),
            "add one with with_step",
        ));
    }
    let mut seen = HashSet::new();
    for parameter in &pipeline.parameters {
        let name = &parameter.name;
        if !is_word(name.as_str()) {
            problems.push(own(
                "parameters",
                ProblemKind::Value,
                format!("`{name}` is no parameter name"),
                "use letters, digits and underscores",
            ));
        }
        if !seen.insert(name) {
            problems.push(own(
                "parameters",
                ProblemKind::Duplicate,
                format!("two parameters are called `{name}`"),
                "declare each parameter once",
            ));
        }
    }
    for step in &pipeline.steps {
        problems.extend(step::problems(step, pipeline));
    }
    let wiring = Wiring::new(pipeline);
    problems.extend(wiring.problems(pipeline));
    problems
}

/// Steps by name and data by producer.
struct Wiring<'a> {
    steps: HashMap<&'a str, Vec<usize>>,
    producers: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Wiring<'a> {
    fn new(pipeline: &'a Pipeline) -> Self {
        let mut steps: HashMap<_, Vec<_>> = HashMap::new();
        let mut producers: HashMap<_, Vec<_>> = HashMap::new();
        for (index, step) in pipeline.steps.iter().enumerate() {
            steps.entry(step.name.as_str()).or_default().push(index);
            for output in &step.outputs {
                producers.entry(output.name.as_str()).or_default().push(index);
            }
        }
        Self { steps, producers }
    }

    fn problems(&self, pipeline: &Pipeline) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (index, step) in pipeline.steps.iter().enumerate() {
            let mut push = |field, kind, message: String, remedy: String| {
                let step = Some(step.name.clone());
                problems.push(Problem { step, field, kind, message, remedy });
            };
            if self.steps[step.name.as_str()][0] != index {
                push(
                    "name",
                    ProblemKind::Duplicate,
                    format!("two steps are called `{}`", step.name),
                    "give each step a name of its own".to_owned(),
                );
            }
            self.ports(step, &mut push);
            for output in &step.outputs {
                let producers = &self.producers[output.name.as_str()];
                if producers[0] != index {
                    let first = &pipeline.steps[producers[0]].name;
                    push(
                        "outputs",
                        ProblemKind::Duplicate,
                        format!("`{}` is an output of step `{first}` too", output.name),
                        "give each output one producer: rename one of them".to_owned(),
                    );
                }
            }
            for name in &step.run_after {
                if !self.steps.contains_key(name.as_str()) {
                    push(
                        "run_after",
                        ProblemKind::Dangling,
                        format!("the pipeline has no step `{name}`"),
                        "add that step, or correct the name".to_owned(),
                    );
                }
            }
        }
        if let Some(cycle) = self.cycle(pipeline) {
            let names: Vec<_> = cycle.iter().map(StepName::as_str).collect();
            problems.push(Problem {
                step: Some(cycle[0].clone()),
                field: "inputs",
                kind: ProblemKind::Cycle,
                message: format!("steps wait for each other: {}", names.join(" -> ")),
                remedy: "take out one of these inputs or run_after entries".to_owned(),
            });
        }
        problems
    }

    fn ports(
        &self,
        step: &DatabricksStep,
        push: &mut impl FnMut(&'static str, ProblemKind, String, String),
    ) {
        let inputs = step.inputs.iter().map(|it| ("inputs", it.name()));
        let outputs = step.outputs.iter().map(|it| ("outputs", &it.name));
        let mut seen = HashSet::new();
        for (field, name) in inputs.chain(outputs) {
            if !is_word(name.as_str()) || name.as_str().starts_with(RESERVED_PREFIX) {
                push(
                    field,
                    ProblemKind::Value,
                    format!("`{name}` is no name for data"),
                    format!("use letters, digits and underscores, not beginning {RESERVED_PREFIX}"),
                );
            }
            if !seen.insert((field, name)) {
                push(
                    field,
                    ProblemKind::Duplicate,
                    format!("`{name}` is listed twice"),
                    "list it once".to_owned(),
                );
            }
        }
        for input in &step.inputs {
            let StepInput::Data(data) = input else { continue };
            if !self.producers.contains_key(data.name.as_str()) {
                push(
                    "inputs",
                    ProblemKind::Dangling,
                    format!("no step has `{}` as its output", data.name),
                    "add it to the outputs of the step that writes it, or use a DataReference \
                     for data that is there already"
                        .to_owned(),
                );
            }
        }
    }

    /// Indexes of the steps that `step` waits for.
    fn before<'b>(&'b self, step: &'b DatabricksStep) -> impl Iterator<Item = usize> + 'b {
        let data = step.inputs.iter().filter_map(|input| match input {
            StepInput::Data(data) => self.producers.get(data.name.as_str()),
            StepInput::Reference(_) => None,
        });
        let order = step.run_after.iter().filter_map(|name| self.steps.get(name.as_str()));
        data.chain(order).flatten().copied()
    }

    /// One cycle, first step repeated at the end, if there is any.
    fn cycle(&self, pipeline: &Pipeline) -> Option<Vec<StepName>> {
        let steps = &pipeline.steps;
        let before: Vec<Vec<usize>> = steps.iter().map(|it| self.before(it).collect()).collect();
        let mut open: Vec<usize> = before.iter().map(Vec::len).collect();
        let mut after = vec![Vec::new(); steps.len()];
        for (index, list) in before.iter().enumerate() {
            for &earlier in list {
                after[earlier].push(index);
            }
        }
        let mut ready: Vec<usize> = (0..steps.len()).filter(|&it| open[it] == 0).collect();
        while let Some(index) = ready.pop() {
            for &later in &after[index] {
                open[later] -= 1;
                if open[later] == 0 {
                    ready.push(later);
                }
            }
        }
        // Each step that is still open waits for another open one: walk back
        // until one comes a second time.
        let mut at = open.iter().position(|&it| it != 0)?;
        let mut path = Vec::new();
        while !path.contains(&at) {
            path.push(at);
            at = before[at].iter().copied().find(|&it| open[it] != 0)?;
        }
        let start = path.iter().position(|&it| it == at)?;
        let mut names: Vec<_> = path[start..].iter().map(|&it| steps[it].name.clone()).collect();
        names.push(steps[at].name.clone());
        names.reverse();
        Some(names)
    }
}

/// Whether `name` is made of letters, digits and underscores, as `\w+` is.
fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|it| it.is_alphanumeric() || it == '_')
}

#[cfg(test)]
mod tests;
