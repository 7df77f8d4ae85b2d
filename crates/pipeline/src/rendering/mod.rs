//! A pipeline as a document: what Azure ML would be sent, and pictures for people.

mod picture;
mod wire;

use crate::{Pipeline, Result, SubmitOptions, choices::Chosen};

impl Pipeline {
    /// The JSON body of the submission to Azure ML, on one line, plus `Modules`: the bodies that
    /// would create the definitions of its steps, in the order of the graph's nodes.
    ///
    /// Ids that the service would make up are `node-1`, `module-1`, `data-1`,
    /// `dataset-1` and `snapshot-1` onward, in order of appearance. A pipeline without a
    /// default datastore shows `workspaceblobstore`, which every workspace begins with.
    /// Reads the folders of local scripts; sends nothing.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`](crate::PipelineError::Invalid) with all problems.
    pub fn to_wire(&self, options: &SubmitOptions) -> Result<String> {
        let chosen = Chosen::new(self, options)?;
        wire::document(self, options, &chosen)
    }

    /// The graph as a Mermaid flowchart. Draws a pipeline with problems, too.
    pub fn to_mermaid(&self) -> String {
        picture::mermaid(self)
    }

    /// The graph in the language of Graphviz. Draws a pipeline with problems, too.
    pub fn to_dot(&self) -> String {
        picture::dot(self)
    }
}

#[cfg(all(test, feature = "yaml"))]
pub(crate) use self::wire::Wire;

#[cfg(test)]
mod tests;
