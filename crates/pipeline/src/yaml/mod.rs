//! Pipelines as YAML files.
//!
//! Keys of a step are the names of the Python class `DatabricksStep`; unknown keys
//! are refused, and text is not taken for a number or the other way round.

mod convert;
mod form;
mod scalar;

use std::{fs, path::Path};

use serde::Deserialize;

use self::form::PipelineForm;
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
    /// Checks the form only; [`validate`](Self::validate) checks what it says.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`] for what is no YAML, for keys that are unknown and for
    /// values of another type; the problem names the place in the file.
    pub fn from_yaml(text: &str, folder: &Path) -> Result<Self> {
        let form = parse(text).map_err(|it| PipelineError::Invalid(vec![it]))?;
        convert::pipeline(form, folder).map_err(PipelineError::Invalid)
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

fn parse(text: &str) -> Result<PipelineForm, Problem> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    let mut track = serde_path_to_error::Track::new();
    let form = serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
        PipelineForm::deserialize(serde_path_to_error::Deserializer::new(yaml, &mut track))
    });
    form.map_err(|err| {
        let place = track.path().to_string();
        let field = if matches!(&*place, "." | "?") { "file".to_owned() } else { place };
        let remedy = "the JSON Schema of the form tells all keys and types";
        Problem::new(field, ProblemKind::Value, err.to_string(), remedy)
    })
}

#[cfg(test)]
mod tests;
