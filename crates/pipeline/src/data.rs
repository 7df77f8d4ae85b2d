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
    /// What it is, in the service's words. `None` follows `is_directory`.
    pub data_type: Option<String>,
    /// The name under which the writing step gets the location, if it is another.
    pub output_name: Option<DataName>,
    /// How what the step writes gets into the datastore.
    pub mode: OutputMode,
    /// Where the step writes it before it is uploaded.
    pub path_on_compute: Option<String>,
    /// Whether an upload may overwrite what is there. `None` leaves it to the service.
    pub overwrite: Option<bool>,
    /// The name under which the whole pipeline gives it away.
    pub pipeline_output_name: Option<String>,
}

/// How a step gets what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InputMode {
    /// The datastore is there like a folder.
    Mount,
    /// It is copied to the machine first.
    Download,
}

/// How what a step writes gets into the datastore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutputMode {
    /// The datastore is there like a folder.
    #[default]
    Mount,
    /// It is copied from the machine afterwards.
    Upload,
}

impl InputMode {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Mount => "mount",
            Self::Download => "download",
        }
    }
}

impl OutputMode {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Mount => "mount",
            Self::Upload => "upload",
        }
    }
}

impl PipelineData {
    /// Data in the default datastore.
    pub fn new(name: impl Into<DataName>) -> Self {
        Self {
            name: name.into(),
            datastore: None,
            is_directory: false,
            data_type: None,
            output_name: None,
            mode: OutputMode::Mount,
            path_on_compute: None,
            overwrite: None,
            pipeline_output_name: None,
        }
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

    /// Says what the data is, in the service's words: `AnyFile`, `AnyDirectory` ...
    #[must_use]
    pub fn with_data_type(self, data_type: impl Into<String>) -> Self {
        Self { data_type: Some(data_type.into()), ..self }
    }

    /// Gives the writing step the location under this name.
    #[must_use]
    pub fn with_output_name(self, name: impl Into<DataName>) -> Self {
        Self { output_name: Some(name.into()), ..self }
    }

    /// Has the step write to a path of its machine, which is uploaded afterwards.
    #[must_use]
    pub fn with_upload_from(self, path_on_compute: impl Into<String>) -> Self {
        Self { mode: OutputMode::Upload, path_on_compute: Some(path_on_compute.into()), ..self }
    }

    /// Says whether an upload may overwrite what is there.
    #[must_use]
    pub fn with_overwrite(self, overwrite: bool) -> Self {
        Self { overwrite: Some(overwrite), ..self }
    }

    /// Makes it an output of the whole pipeline, of this name.
    #[must_use]
    pub fn with_pipeline_output_name(self, name: impl Into<String>) -> Self {
        Self { pipeline_output_name: Some(name.into()), ..self }
    }

    /// The name under which the writing step gets the location.
    pub fn output_name(&self) -> &DataName {
        self.output_name.as_ref().unwrap_or(&self.name)
    }

    /// What the data is, in the service's words.
    pub(crate) fn data_type(&self) -> &str {
        match &self.data_type {
            Some(data_type) => data_type,
            None if self.is_directory => "AnyDirectory",
            None => "AnyFile",
        }
    }
}

impl From<&PipelineData> for PipelineData {
    fn from(data: &PipelineData) -> Self {
        data.clone()
    }
}

/// Declares a path in a datastore, which is there already.
macro_rules! stored_path {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $type {
            /// Names the data. The step's code gets its location under this name.
            pub name: DataName,
            /// Where it is kept. `None` is the pipeline's or the workspace's default.
            pub datastore: Option<String>,
            /// Path below the datastore's root. Empty is the whole datastore.
            pub path: String,
        }

        impl $type {
            /// What is at `path` in the default datastore.
            pub fn new(name: impl Into<DataName>, path: impl Into<String>) -> Self {
                Self { name: name.into(), datastore: None, path: path.into() }
            }

            /// Reads from the datastore of this name.
            #[must_use]
            pub fn with_datastore(self, datastore: impl Into<String>) -> Self {
                Self { datastore: Some(datastore.into()), ..self }
            }
        }

        impl From<&$type> for $type {
            fn from(it: &$type) -> Self {
                it.clone()
            }
        }
    };
}

stored_path! {
    /// Data that is already there: a path in a datastore.
    DataReference
}

stored_path! {
    /// The files below a path in a datastore as a dataset, which the workspace keeps
    /// a record of.
    FileDataset
}

stored_path! {
    /// A path that can be chosen anew at each submission, and what holds when it is not.
    DataPathParameter
}
