//! How steps hang together, and everything that can be wrong about it.

use std::collections::{HashMap, HashSet};

use crate::{
    DataName, DatabricksStep, InputSource, Pipeline, PipelineData, Problem, ProblemKind, StepName,
    step,
};

/// Ports that the service uses for `run_after` begin so.
const RESERVED_PREFIX: &str = "_run_after_";

/// What the service knows data to be. The official SDK makes sure of these.
const DATA_TYPES: [&str; 11] = [
    "AnyFile",
    "AnyDirectory",
    "AzureBlobReference",
    "AzureDataLakeReference",
    "AzureFilesReference",
    "AzureSqlDatabaseReference",
    "AzurePostgresDatabaseReference",
    "AzureDataLakeGen2Reference",
    "AzureMLDataset",
    "AzureMySqlDatabaseReference",
    "DBFSReference",
];

/// Everything that is wrong with `pipeline`: its own problems, then each step's.
pub(crate) fn problems(pipeline: &Pipeline) -> Vec<Problem> {
    let mut problems = Vec::new();
    if pipeline.name.is_empty() {
        problems.push(Problem::new(
            "name",
            ProblemKind::Missing,
            "is empty",
            "give the pipeline a name",
        ));
    }
    if pipeline.steps.is_empty() {
        problems.push(Problem::new(
            "steps",
            ProblemKind::Missing,
            "the pipeline has no step",
            "add one",
        ));
    }
    let mut seen = HashSet::new();
    for parameter in &pipeline.parameters {
        let name = &parameter.name;
        if name.as_str().is_empty() {
            problems.push(Problem::new(
                "parameters",
                ProblemKind::Missing,
                "a parameter has no name",
                "name it",
            ));
        }
        if !seen.insert(name) {
            problems.push(Problem::new(
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
                problems.push(Problem::new(field, kind, message, remedy).of_step(&step.name));
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
            let mut waits = HashSet::new();
            for name in &step.run_after {
                if !waits.insert(name) {
                    push(
                        "run_after",
                        ProblemKind::Duplicate,
                        format!("`{name}` is listed twice"),
                        "list it once".to_owned(),
                    );
                }
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
        problems.extend(Self::pipeline_outputs(pipeline));
        problems.extend(Self::data_paths(pipeline));
        if let Some(cycle) = self.cycle(pipeline) {
            let names: Vec<_> = cycle.iter().map(StepName::as_str).collect();
            let problem = Problem::new(
                "inputs",
                ProblemKind::Cycle,
                format!("steps wait for each other: {}", names.join(" -> ")),
                "take out one of these inputs or run_after entries",
            );
            problems.push(problem.of_step(&cycle[0]));
        }
        problems
    }

    fn ports(
        &self,
        step: &DatabricksStep,
        push: &mut impl FnMut(&'static str, ProblemKind, String, String),
    ) {
        let inputs = step.inputs.iter().map(|it| ("inputs", it.name()));
        let outputs = step.outputs.iter().map(|it| ("outputs", it.output_name()));
        let mut seen = HashSet::new();
        for (field, name) in inputs.chain(outputs) {
            Self::name(field, name, push);
            if !seen.insert(name) {
                push(
                    field,
                    ProblemKind::Duplicate,
                    format!("the step has two inputs or outputs called `{name}`"),
                    "list each once; input_name and output_name give another name".to_owned(),
                );
            }
        }
        for (field, name) in Self::other_names(step) {
            Self::name(field, name, push);
        }
        for output in &step.outputs {
            Self::output(output, push);
        }
        for input in &step.inputs {
            let InputSource::Data(data) = &input.source else { continue };
            if !self.producers.contains_key(data.name.as_str()) {
                push(
                    "inputs",
                    ProblemKind::Dangling,
                    format!("no step has `{}` as its output", data.name),
                    "add it to the outputs of the step that writes it, or declare it as data \
                     that is there already"
                        .to_owned(),
                );
            }
        }
    }

    /// Names of data that the step has under another name.
    fn other_names(step: &DatabricksStep) -> impl Iterator<Item = (&'static str, &DataName)> {
        let inputs = step.inputs.iter().filter(|it| it.input_name.is_some());
        let outputs = step.outputs.iter().filter(|it| it.output_name.is_some());
        let inputs = inputs.map(|it| ("inputs", it.data_name()));
        inputs.chain(outputs.map(|it| ("outputs", &it.name)))
    }

    fn name(
        field: &'static str,
        name: &DataName,
        push: &mut impl FnMut(&'static str, ProblemKind, String, String),
    ) {
        if !is_word(name.as_str()) || name.as_str().starts_with(RESERVED_PREFIX) {
            push(
                field,
                ProblemKind::Value,
                format!("`{name}` is no name for data"),
                format!("use letters, digits and underscores, not beginning {RESERVED_PREFIX}"),
            );
        }
    }

    fn output(
        output: &PipelineData,
        push: &mut impl FnMut(&'static str, ProblemKind, String, String),
    ) {
        let known = output.data_type.as_deref().is_none_or(|it| DATA_TYPES.contains(&it));
        if !known {
            push(
                "outputs",
                ProblemKind::Value,
                format!("`{}`: the service has no data type {}", output.name, output.data_type()),
                format!("data_type is one of {}", DATA_TYPES.join(", ")),
            );
        }
        if output.is_directory && output.data_type.as_deref().is_some_and(|it| it != "AnyDirectory")
        {
            push(
                "outputs",
                ProblemKind::Conflict,
                format!("`{}` has is_directory and another data_type", output.name),
                "keep one of them".to_owned(),
            );
        }
    }

    /// Names that the pipeline gives to outputs of its own.
    fn pipeline_outputs(pipeline: &Pipeline) -> Vec<Problem> {
        let mut seen = HashSet::new();
        let mut problems = Vec::new();
        for step in &pipeline.steps {
            for name in step.outputs.iter().filter_map(|it| it.pipeline_output_name.as_deref()) {
                if name.is_empty() || !seen.insert(name) {
                    let problem = Problem::new(
                        "pipeline_output_name",
                        ProblemKind::Duplicate,
                        format!("`{name}` is empty, or an output of the pipeline already"),
                        "give each output of the pipeline a name of its own",
                    );
                    problems.push(problem.of_step(&step.name));
                }
            }
        }
        problems
    }

    /// Data paths of one name must have one default.
    fn data_paths(pipeline: &Pipeline) -> Vec<Problem> {
        let mut seen = HashMap::new();
        let mut problems = Vec::new();
        for step in &pipeline.steps {
            for input in &step.inputs {
                let InputSource::DataPath(it) = &input.source else { continue };
                let differs = seen.insert(&it.name, it).is_some_and(|known| known != it);
                if differs || pipeline.parameter(&it.name.as_str().into()).is_some() {
                    let problem = Problem::new(
                        "parameters",
                        ProblemKind::Duplicate,
                        format!("`{}` is a data path and another parameter too", it.name),
                        "give each parameter a name of its own",
                    );
                    problems.push(problem.of_step(&step.name));
                }
            }
        }
        problems
    }

    /// Indexes of the steps that `step` waits for.
    fn before<'b>(&'b self, step: &'b DatabricksStep) -> impl Iterator<Item = usize> + 'b {
        let data = step.inputs.iter().filter_map(|input| match &input.source {
            InputSource::Data(data) => self.producers.get(data.name.as_str()),
            _ => None,
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
