//! Pipelines as YAML files.
//!
//! Keys of a step are the names of the Python class `DatabricksStep`; unknown keys
//! are refused, and text is not taken for a number or the other way round.

mod convert;
mod faults;
mod form;
mod node;
mod read;
mod scalar;

use std::{fs, path::Path};

use self::{form::PipelineForm, node::Node};
use crate::{Pipeline, PipelineError, Problem, ProblemKind, Result};

impl Pipeline {
    /// Reads a pipeline from YAML. Folders of local scripts are relative to `folder`.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use azml_pipeline::Pipeline;
    ///
    /// # fn main() -> Result<(), azml_pipeline::PipelineError> {
    /// let text = "
    /// name: train
    /// default_compute: my-dbx-cluster
    /// parameters: {depth: 3}
    /// steps:
    ///   - type: DatabricksStep
    ///     name: fit
    ///     num_workers: 1
    ///     notebook_path: /Shared/fit
    ///     notebook_params: {depth: {parameter: depth}}
    /// ";
    /// let pipeline = Pipeline::from_yaml(text, Path::new("."))?;
    /// pipeline.validate()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Checks the form; [`validate`](Self::validate) checks what it says.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`] for what is no YAML, for keys that are unknown and for
    /// values of another type; the problems name the places in the file. What else is
    /// wrong with the pipeline is told beside them.
    pub fn from_yaml(text: &str, folder: &Path) -> Result<Self> {
        let root = Node::parse(text).map_err(|words| {
            let remedy = "a pipeline is one YAML mapping with the keys name and steps";
            let message = format!("is no YAML: {words}");
            PipelineError::Invalid(vec![Problem::new("file", ProblemKind::Value, message, remedy)])
        })?;
        let reading = faults::read(root);
        let mut problems = reading.problems;
        let Some(form) = reading.form else { return Err(PipelineError::Invalid(problems)) };
        let is_whole = problems.is_empty();
        let (pipeline, wrong) = convert::pipeline(form, folder);
        problems.extend(wrong);
        if problems.is_empty() {
            return Ok(pipeline);
        }
        let told = pipeline.problems();
        problems.extend(told.into_iter().filter(|it| is_whole || !may_follow(it, &reading.faulty)));
        Err(PipelineError::Invalid(problems))
    }

    /// Reads a pipeline from a YAML file.
    ///
    /// # Errors
    ///
    /// As [`from_yaml`](Self::from_yaml), and when the file cannot be read.
    pub fn from_yaml_file(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(|err| {
            let message = format!("cannot read {}: {err}", file.display());
            let remedy = "give the path of a pipeline's YAML file";
            PipelineError::Invalid(vec![Problem::new(
                "file",
                ProblemKind::NoSuchFile,
                message,
                remedy,
            )])
        })?;
        Self::from_yaml(&text, file.parent().unwrap_or(Path::new("")))
    }

    /// The JSON Schema of the YAML form, with which editors complete it.
    pub fn yaml_schema() -> String {
        let schema = schemars::schema_for!(PipelineForm);
        let text = serde_json::to_string_pretty(&schema);
        text.map(|it| it + "\n").unwrap_or_default()
    }
}

/// Whether a problem may be there only because some of the file could not be read.
fn may_follow(problem: &Problem, faulty: &[String]) -> bool {
    let depends_on_others = matches!(
        problem.kind,
        ProblemKind::Dangling
            | ProblemKind::Duplicate
            | ProblemKind::Cycle
            | ProblemKind::Unsupported
    );
    let step = problem.step.as_ref();
    depends_on_others || step.is_none_or(|it| faulty.iter().any(|name| name == it.as_str()))
}

#[cfg(test)]
mod tests;
