//! The definition of a pipeline.

use crate::{
    DatabricksStep, ParameterName, PipelineError, PipelineParameter, Problem, Result, graph,
};

/// Steps, what connects them, and what a submission may choose.
///
/// A pipeline is data: it is built and checked without any service, and handed
/// to a [`PipelineBackend`](crate::PipelineBackend) to run.
///
/// ```
/// use azml_pipeline::{DatabricksStep, Pipeline, PipelineData};
///
/// let features = PipelineData::new("features");
/// let pipeline = Pipeline::new("train")
///     .with_default_compute("my-dbx-cluster")
///     .with_step(
///         DatabricksStep::new("extract")
///             .with_notebook_path("/Shared/extract")
///             .with_num_workers(1)
///             .with_output(&features),
///     )
///     .with_step(
///         DatabricksStep::new("fit")
///             .with_notebook_path("/Shared/fit")
///             .with_num_workers(1)
///             .with_input(&features),
///     );
/// assert_eq!(pipeline.problems(), []);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pipeline {
    /// Names the pipeline, and the experiment if a submission names none.
    pub name: String,
    /// Experiment to run under. `None` is the one named as the pipeline; a submission
    /// may name another.
    pub experiment: Option<String>,
    /// What it is for. `None` sends the experiment's name, as Python does.
    pub description: Option<String>,
    /// The steps, in any order.
    pub steps: Vec<DatabricksStep>,
    /// What a submission may choose.
    pub parameters: Vec<PipelineParameter>,
    /// The attached Databricks workspace of steps that name none.
    pub default_compute: Option<String>,
    /// The datastore of data that names none. `None` is the workspace's default.
    pub default_datastore: Option<String>,
    /// Whether steps that do not depend on a failed one still run.
    pub continue_on_step_failure: bool,
}

impl Pipeline {
    /// A pipeline without steps, that stops at the first failure.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            experiment: None,
            description: None,
            steps: Vec::new(),
            parameters: Vec::new(),
            default_compute: None,
            default_datastore: None,
            continue_on_step_failure: false,
        }
    }

    /// Runs under the experiment of this name.
    #[must_use]
    pub fn with_experiment(self, name: impl Into<String>) -> Self {
        Self { experiment: Some(name.into()), ..self }
    }

    /// Says what the pipeline is for.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Adds a step.
    #[must_use]
    pub fn with_step(mut self, step: DatabricksStep) -> Self {
        self.steps.push(step);
        self
    }

    /// Declares a parameter.
    #[must_use]
    pub fn with_parameter(mut self, parameter: impl Into<PipelineParameter>) -> Self {
        self.parameters.push(parameter.into());
        self
    }

    /// Runs steps that name no compute target on this one.
    #[must_use]
    pub fn with_default_compute(self, name: impl Into<String>) -> Self {
        Self { default_compute: Some(name.into()), ..self }
    }

    /// Keeps data that names no datastore in this one.
    #[must_use]
    pub fn with_default_datastore(self, name: impl Into<String>) -> Self {
        Self { default_datastore: Some(name.into()), ..self }
    }

    /// Lets independent steps run on after a failure.
    #[must_use]
    pub fn with_continue_on_step_failure(self, go_on: bool) -> Self {
        Self { continue_on_step_failure: go_on, ..self }
    }

    /// Finds a declared parameter.
    pub fn parameter(&self, name: &ParameterName) -> Option<&PipelineParameter> {
        self.parameters.iter().find(|it| it.name == *name)
    }

    /// Lists everything that is wrong with the definition. Looks at the folders
    /// of local scripts; sends nothing.
    pub fn problems(&self) -> Vec<Problem> {
        graph::problems(self)
    }

    /// Checks the definition.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`] with all problems at once.
    pub fn validate(&self) -> Result<()> {
        let problems = self.problems();
        if problems.is_empty() { Ok(()) } else { Err(PipelineError::Invalid(problems)) }
    }

    /// Name of the compute target that `step` runs on.
    pub(crate) fn compute_of<'a>(&'a self, step: &'a DatabricksStep) -> Option<&'a str> {
        step.compute_target.as_deref().or(self.default_compute.as_deref())
    }
}

impl From<&PipelineParameter> for PipelineParameter {
    fn from(parameter: &PipelineParameter) -> Self {
        parameter.clone()
    }
}
