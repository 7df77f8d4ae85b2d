//! Why an earlier output stood in for a step, or why it did not.

use std::fmt;

use crate::StepRunId;

/// Why an earlier output stood in for a step, or why it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReuseExplanation {
    /// It did: the definition, the values and the inputs are those of this run.
    Reused {
        /// The run whose output stands in.
        from: StepRunId,
    },
    /// The step has `allow_reuse=False`.
    NotAllowed,
    /// The submission asked to run all steps anew.
    Regenerated,
    /// The earlier run does not have this step, or nothing was named to compare with.
    NothingEarlier,
    /// The earlier run of the step did not end well.
    EarlierDidNotFinish,
    /// The step has been changed since.
    Changed {
        /// The parameters of the step that differ, as the service calls them. Empty: it
        /// is the files of the folder, the version, or the inputs and outputs.
        parameters: Vec<String>,
    },
    /// The run was given other values.
    OtherValues {
        /// Parameters of the pipeline.
        parameters: Vec<String>,
    },
    /// It reads other data.
    OtherInputs {
        /// Names of the inputs.
        inputs: Vec<String>,
    },
    /// What it reads was written anew.
    InputsWrittenAnew {
        /// Nodes of the steps that ran.
        nodes: Vec<String>,
    },
    /// Nothing that can be seen from outside: the service decided so.
    ServiceDecided,
}

impl fmt::Display for ReuseExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reused { from } => write!(f, "reused the output of {from}"),
            Self::NotAllowed => f.write_str("ran, because allow_reuse is false"),
            Self::Regenerated => f.write_str("ran, because all outputs were to be made anew"),
            Self::NothingEarlier => f.write_str("ran, because there is no earlier run to reuse"),
            Self::EarlierDidNotFinish => {
                f.write_str("ran, because the earlier run of the step did not end well")
            }
            Self::Changed { parameters } if parameters.is_empty() => f.write_str(
                "ran, because its files, its version, its inputs or its outputs have changed",
            ),
            Self::Changed { parameters } => {
                write!(f, "ran, because the step has changed: {}", parameters.join(", "))
            }
            Self::OtherValues { parameters } => {
                write!(f, "ran, because it was given other values: {}", parameters.join(", "))
            }
            Self::OtherInputs { inputs } => {
                write!(f, "ran, because it reads other data: {}", inputs.join(", "))
            }
            Self::InputsWrittenAnew { nodes } => {
                write!(f, "ran, because what it reads was written anew by {}", nodes.join(", "))
            }
            Self::ServiceDecided => f.write_str("ran, because the service decided so"),
        }
    }
}
