use std::{borrow::Cow, fmt};

use azml_core::{Error, ErrorKind};

use crate::StepName;

/// Shorthand for results of this crate.
pub type Result<T, E = PipelineError> = std::result::Result<T, E>;

/// Why a pipeline was not submitted, or could not be looked after.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The definition is wrong. Nothing was sent.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
    /// A call to a service failed.
    #[error(transparent)]
    Api(#[from] Error),
}

impl PipelineError {
    /// What went wrong, in the terms of every other call.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::InvalidArgument,
            Self::Api(err) => err.kind(),
        }
    }

    /// Everything that is wrong with the definition; empty for a failed call.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            Self::Api(_) => &[],
        }
    }
}

fn list(problems: &[Problem]) -> String {
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    match texts.as_slice() {
        [one] => format!("the pipeline is invalid: {one}"),
        _ => format!("the pipeline has {} problems: {}", texts.len(), texts.join("; ")),
    }
}

/// One thing that is wrong with a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The step that has it. `None` when it is the pipeline's own.
    pub step: Option<StepName>,
    /// The field, named as in the Python class: `notebook_path`, `num_workers`; or the
    /// place in a file: `steps[1].num_workers`.
    pub field: Cow<'static, str>,
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Problem {
    /// A problem of the pipeline itself.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        kind: ProblemKind,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (message, remedy) = (message.into(), remedy.into());
        Self { step: None, field: field.into(), kind, message, remedy }
    }

    /// Says which step has it.
    #[must_use]
    pub fn of_step(self, step: &StepName) -> Self {
        Self { step: Some(step.clone()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = &self.step {
            write!(f, "step `{step}`: ")?;
        }
        write!(f, "{}: {} ({})", self.field, self.message, self.remedy)
    }
}

/// Sorts of [`Problem`], for callers that treat some of them specially.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A required value is missing or empty.
    Missing,
    /// Values that exclude each other, or the same thing said twice.
    Conflict,
    /// A value outside its range or of the wrong type.
    Value,
    /// Two steps, outputs or parameters of one name.
    Duplicate,
    /// Something is named that the pipeline does not have.
    Dangling,
    /// Steps that wait for each other.
    Cycle,
    /// A file or folder that is not there.
    NoSuchFile,
    /// What a backend cannot do, although the definition is right.
    Unsupported,
}
