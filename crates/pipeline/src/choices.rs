//! What a submission chooses, checked together with the definition.

use std::collections::{BTreeMap, HashSet};

use crate::{
    Argument, DataName, DataPathParameter, InputSource, ParameterName, ParameterValue, Pipeline,
    PipelineError, Problem, ProblemKind, Result, SubmitOptions,
};

/// What holds for one run: the definition's word, or the submission's.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) experiment: String,
    pub(crate) description: String,
    /// Only what the submission has chosen.
    pub(crate) parameters: BTreeMap<ParameterName, ParameterValue>,
    /// Paths that the submission has chosen, each with its datastore if it has one.
    pub(crate) data_paths: BTreeMap<DataName, DataPathParameter>,
}

impl Chosen {
    /// Checks definition and choices for Azure ML, so that one error tells everything.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`] with all problems.
    pub(crate) fn new(pipeline: &Pipeline, options: &SubmitOptions) -> Result<Self> {
        let mut problems = pipeline.problems();
        problems.extend(experiment_problem(experiment(pipeline, options)));
        Self::beside(problems, pipeline, options)
    }

    /// Checks the choices beside what was found in the definition. Which names an
    /// experiment may have is for those to say who keep it.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`] with all problems.
    pub(crate) fn beside(
        mut problems: Vec<Problem>,
        pipeline: &Pipeline,
        options: &SubmitOptions,
    ) -> Result<Self> {
        let experiment = experiment(pipeline, options).to_owned();
        let parameters = parameters(pipeline, options, &mut problems);
        let data_paths = data_paths(pipeline, options, &mut problems);
        if !problems.is_empty() {
            return Err(PipelineError::Invalid(problems));
        }
        let description = pipeline.description.clone().unwrap_or_else(|| experiment.clone());
        Ok(Self { experiment, description, parameters, data_paths })
    }

    /// The value of a parameter that `pipeline` declares.
    pub(crate) fn value(&self, pipeline: &Pipeline, name: &ParameterName) -> ParameterValue {
        let chosen = self.parameters.get(name);
        let default = || pipeline.parameter(name).map(|it| &it.default);
        chosen.or_else(default).cloned().unwrap_or_else(|| "".into())
    }

    /// Where data comes from, once the submission has had its say.
    pub(crate) fn source(&self, source: &InputSource) -> InputSource {
        let InputSource::DataPath(default) = source else { return source.clone() };
        match self.data_paths.get(&default.name) {
            Some(chosen) => InputSource::DataPath(chosen.clone()),
            None => source.clone(),
        }
    }

    /// The chosen values as the services take them.
    pub(crate) fn assignments(&self) -> BTreeMap<String, String> {
        let texts = self.parameters.iter().map(|(name, it)| (name.to_string(), it.to_string()));
        texts.collect()
    }
}

fn parameters(
    pipeline: &Pipeline,
    options: &SubmitOptions,
    problems: &mut Vec<Problem>,
) -> BTreeMap<ParameterName, ParameterValue> {
    let used = used_parameters(pipeline);
    let mut chosen = BTreeMap::new();
    for (name, value) in &options.parameters {
        let Some(parameter) = pipeline.parameter(name) else {
            problems.push(Problem::new(
                "parameters",
                ProblemKind::Dangling,
                format!("the pipeline has no parameter `{name}`"),
                "declare it with Pipeline::with_parameter, or correct the name",
            ));
            continue;
        };
        let (wanted, given) = (parameter.default.type_name(), value.type_name());
        if wanted != given {
            problems.push(Problem::new(
                "parameters",
                ProblemKind::Value,
                format!("`{name}` is of type {wanted}, not {given}"),
                "give a value of the default's type",
            ));
        } else if !used.contains(name) {
            problems.push(Problem::new(
                "parameters",
                ProblemKind::Dangling,
                format!("no step uses the parameter `{name}`"),
                "use it in a step, or leave the value out: it would have no effect",
            ));
        } else {
            chosen.insert(name.clone(), value.clone());
        }
    }
    chosen
}

fn data_paths(
    pipeline: &Pipeline,
    options: &SubmitOptions,
    problems: &mut Vec<Problem>,
) -> BTreeMap<DataName, DataPathParameter> {
    let inputs = pipeline.steps.iter().flat_map(|it| &it.inputs);
    let declared: BTreeMap<_, _> = inputs
        .filter_map(|it| match &it.source {
            InputSource::DataPath(it) => Some((&it.name, it)),
            _ => None,
        })
        .collect();
    let mut chosen = BTreeMap::new();
    for path in &options.data_paths {
        let Some(default) = declared.get(&path.name) else {
            problems.push(Problem::new(
                "parameters",
                ProblemKind::Dangling,
                format!("no step reads a data path `{}`", path.name),
                "let a step read it: with_input(DataPathParameter::new(..)), or correct the name",
            ));
            continue;
        };
        let datastore = path.datastore.clone().or_else(|| default.datastore.clone());
        chosen.insert(path.name.clone(), DataPathParameter { datastore, ..path.clone() });
    }
    chosen
}

/// Parameters that code of a step is given.
fn used_parameters(pipeline: &Pipeline) -> HashSet<&ParameterName> {
    let arguments = pipeline.steps.iter().flat_map(|step| {
        let code = &step.code;
        let notebook = code.notebook_params.iter().map(|it| &it.1);
        notebook.chain(&code.python_script_params).chain(&code.jar_params)
    });
    let names = arguments.filter_map(|it| match it {
        Argument::Parameter(name) => Some(name),
        Argument::Value(_) => None,
    });
    names.collect()
}

/// The experiment that a submission goes to.
fn experiment<'a>(pipeline: &'a Pipeline, options: &'a SubmitOptions) -> &'a str {
    let named = options.experiment.as_deref().or(pipeline.experiment.as_deref());
    named.unwrap_or(&pipeline.name)
}

/// What keeps `name` from being an experiment of Azure ML.
fn experiment_problem(name: &str) -> Option<Problem> {
    let problem = || {
        Problem::new(
            "experiment",
            ProblemKind::Value,
            format!("`{name}` is no experiment name"),
            "begin with a letter or digit, go on with letters, digits, `_` and `-`, up to 255; \
             SubmitOptions::with_experiment sets a name other than the pipeline's",
        )
    };
    (!is_experiment_name(name)).then(problem)
}

/// `[a-zA-Z0-9][\w-]{0,254}`
fn is_experiment_name(name: &str) -> bool {
    name.starts_with(|it: char| it.is_ascii_alphanumeric())
        && name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '-'))
        && name.chars().count() <= 255
}
