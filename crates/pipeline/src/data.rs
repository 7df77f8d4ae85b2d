//! What flows between steps, and where it is kept.

use azml_core::string_id;

string_id! {
    /// Names a piece of data within a pipeline: letters, digits and underscores.
    DataName
}

/// What one step writes and others read.
///
/// The service picks the path. Exactly one step has it as its output.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineData {
    /// Names the data. The step's code gets its location under this name.
    pub name: DataName,
    /// Where it is kept. `None` is the pipeline's or the workspace's default.
    pub datastore: Option<String>,
    /// Whether it is a folder rather than one file, for the service's checks.
    pub is_directory: bool,
}

impl PipelineData {
    /// Data in the default datastore.
    pub fn new(name: impl Into<DataName>) -> Self {
        Self { name: name.into(), datastore: None, is_directory: false }
    }

    /// Keeps the data in the datastore of this name.
    #[must_use]
    pub fn with_datastore(self, datastore: impl Into<String>) -> Self {
        Self { datastore: Some(datastore.into()), ..self }
    }

    /// Declares the data a folder.
    #[must_use]
    pub fn with_directory(self) -> Self {
        Self { is_directory: true, ..self }
    }
}

/// Data that is already there: a path in a datastore.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataReference {
    /// Names the data. The step's code gets its location under this name.
    pub name: DataName,
    /// Where it is kept. `None` is the pipeline's or the workspace's default.
    pub datastore: Option<String>,
    /// Path below the datastore's root. Empty is the whole datastore.
    pub path: String,
}

impl DataReference {
    /// The data at `path` in the default datastore.
    pub fn new(name: impl Into<DataName>, path: impl Into<String>) -> Self {
        Self { name: name.into(), datastore: None, path: path.into() }
    }

    /// Reads from the datastore of this name.
    #[must_use]
    pub fn with_datastore(self, datastore: impl Into<String>) -> Self {
        Self { datastore: Some(datastore.into()), ..self }
    }
}

/// What a step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepInput {
    /// What another step writes.
    Data(PipelineData),
    /// What is already there.
    Reference(DataReference),
}

impl StepInput {
    /// The name under which the step's code gets the location.
    pub fn name(&self) -> &DataName {
        match self {
            Self::Data(data) => &data.name,
            Self::Reference(reference) => &reference.name,
        }
    }
}

impl From<PipelineData> for StepInput {
    fn from(data: PipelineData) -> Self {
        Self::Data(data)
    }
}

impl From<&PipelineData> for StepInput {
    fn from(data: &PipelineData) -> Self {
        Self::Data(data.clone())
    }
}

impl From<DataReference> for StepInput {
    fn from(reference: DataReference) -> Self {
        Self::Reference(reference)
    }
}

impl From<&DataReference> for StepInput {
    fn from(reference: &DataReference) -> Self {
        Self::Reference(reference.clone())
    }
}

impl From<&PipelineData> for PipelineData {
    fn from(data: &PipelineData) -> Self {
        data.clone()
    }
}
