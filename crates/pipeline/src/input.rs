//! What a step reads, and how.

use crate::{DataName, DataPathParameter, DataReference, FileDataset, InputMode, PipelineData};

/// What a step reads, and how it gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepInput {
    /// What it reads.
    pub source: InputSource,
    /// The name under which this step gets the location, if it is another than the
    /// data's.
    pub input_name: Option<DataName>,
    /// How it gets the data. `None` is what is usual for the kind of data.
    pub mode: Option<InputMode>,
    /// Where the data is put on the machine.
    pub path_on_compute: Option<String>,
    /// Whether a download may overwrite what is there. `None` leaves it to the service.
    pub overwrite: Option<bool>,
}

/// Where what a step reads comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputSource {
    /// What another step writes.
    Data(PipelineData),
    /// What is already there.
    Reference(DataReference),
    /// What is already there, recorded as a dataset.
    Dataset(FileDataset),
    /// A path that a submission may choose.
    DataPath(DataPathParameter),
}

impl StepInput {
    /// Reads `source` in the usual way.
    pub fn new(source: impl Into<InputSource>) -> Self {
        Self {
            source: source.into(),
            input_name: None,
            mode: None,
            path_on_compute: None,
            overwrite: None,
        }
    }

    /// Gives this step the location under another name.
    #[must_use]
    pub fn with_input_name(self, name: impl Into<DataName>) -> Self {
        Self { input_name: Some(name.into()), ..self }
    }

    /// Says how the step gets the data.
    #[must_use]
    pub fn with_mode(self, mode: InputMode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// Says where the data is put on the machine.
    #[must_use]
    pub fn with_path_on_compute(self, path: impl Into<String>) -> Self {
        Self { path_on_compute: Some(path.into()), ..self }
    }

    /// Says whether a download may overwrite what is there.
    #[must_use]
    pub fn with_overwrite(self, overwrite: bool) -> Self {
        Self { overwrite: Some(overwrite), ..self }
    }

    /// The name of the data.
    pub fn data_name(&self) -> &DataName {
        match &self.source {
            InputSource::Data(it) => &it.name,
            InputSource::Reference(it) => &it.name,
            InputSource::Dataset(it) => &it.name,
            InputSource::DataPath(it) => &it.name,
        }
    }

    /// The name under which the step's code gets the location.
    pub fn name(&self) -> &DataName {
        self.input_name.as_ref().unwrap_or_else(|| self.data_name())
    }

    /// How the step gets the data, in the service's words.
    pub(crate) fn mode_word(&self) -> &'static str {
        match (self.mode, &self.source) {
            (Some(mode), _) => mode.word(),
            (None, InputSource::Dataset(_)) => "direct",
            (None, _) => InputMode::Mount.word(),
        }
    }
}

/// Lets a step read `$type`, owned or borrowed.
macro_rules! source {
    ($variant:ident, $type:ty) => {
        impl From<$type> for InputSource {
            fn from(it: $type) -> Self {
                Self::$variant(it)
            }
        }

        impl From<&$type> for InputSource {
            fn from(it: &$type) -> Self {
                Self::$variant(it.clone())
            }
        }
    };
}

source!(Data, PipelineData);
source!(Reference, DataReference);
source!(Dataset, FileDataset);
source!(DataPath, DataPathParameter);

impl<T: Into<InputSource>> From<T> for StepInput {
    fn from(source: T) -> Self {
        Self::new(source)
    }
}
