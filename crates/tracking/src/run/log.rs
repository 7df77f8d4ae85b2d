use std::{
    path::{Path, PathBuf},
    sync::PoisonError,
};

use azml_core::{Error, Result};
use uuid::Uuid;

use super::{MetricHandle, Run};
use crate::{
    ArtifactPath, MetricKey, NewRun, RunEnd, RunError,
    spool::{self, Record},
};

/// A larger file is sent from where it lies; a smaller one is copied first.
const MOST_COPIED: u64 = 16 * 1024 * 1024;
const ARTIFACT: &str = "run.log_artifact";

/// Logging: none of this waits for a network.
impl Run {
    /// Logs a number of a series, at the step after its last one, the first being 0.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a name that the server
    /// does not take, and after the end of the run;
    /// [`Throttled`](azml_core::ErrorKind::Throttled) when the spool is full and
    /// [`SpoolOptions::when_full`](crate::SpoolOptions::when_full) says so;
    /// [`Other`](azml_core::ErrorKind::Other) when the disk is full.
    pub fn log_metric(&self, key: &str, value: f64) -> Result<()> {
        self.point(key, None, value)
    }

    /// Logs a number of a series at a step. Most servers keep two points of one
    /// series once that are equal in step, millisecond and value.
    ///
    /// # Errors
    ///
    /// As [`log_metric`](Self::log_metric).
    pub fn log_metric_at(&self, key: &str, value: f64, step: i64) -> Result<()> {
        self.point(key, Some(step), value)
    }

    /// Logs a number of several series, all at one step.
    ///
    /// # Errors
    ///
    /// As [`log_metric`](Self::log_metric): those before the bad one are logged.
    pub fn log_metrics<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, f64)>,
        step: i64,
    ) -> Result<()> {
        values.into_iter().try_for_each(|(key, value)| self.log_metric_at(key, value, step))
    }

    /// A series by its name, for loops in which a microsecond counts: nothing has
    /// to be looked up any more.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a name that the server
    /// does not take.
    pub fn metric(&self, key: impl Into<MetricKey>) -> Result<MetricHandle> {
        let key = key.into();
        self.0.tracking.backend().metrics().check_key(&key)?;
        Ok(MetricHandle::new(self.clone(), self.0.writer.key(key.as_str())))
    }

    fn point(&self, key: &str, step: Option<i64>, value: f64) -> Result<()> {
        // A series that is known was checked.
        let metrics = self.0.tracking.backend();
        let check = || metrics.metrics().check_key(&key.into());
        self.0.writer.named_point(key, step, value, check)
    }

    /// Logs a param.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when this process has logged
    /// another value, or for a key or value that the server would refuse or cut.
    #[expect(clippy::needless_pass_by_value, reason = "so that a number can be given as it is")]
    pub fn log_param(&self, key: impl Into<String>, value: impl ToString) -> Result<()> {
        let (key, value) = (key.into(), value.to_string());
        self.0.tracking.backend().runs().check_param(&key, &value)?;
        let mut params = self.0.params.lock().unwrap_or_else(PoisonError::into_inner);
        match params.get(&key) {
            Some(before) if *before == value => return Ok(()),
            Some(before) => {
                let reason = format!(
                    "param \"{key}\" was logged with the value \"{before}\" and cannot become \
                     \"{value}\"; set a tag for what changes"
                );
                return Err(Error::invalid("run.log_params", reason));
            }
            None => (),
        }
        self.record(&Record::Param { key: (&*key).into(), value: (&*value).into() })?;
        params.insert(key, value);
        Ok(())
    }

    /// Logs params.
    ///
    /// # Errors
    ///
    /// As [`log_param`](Self::log_param): those before the bad one are logged.
    pub fn log_params<K: Into<String>, V: ToString>(
        &self,
        params: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        params.into_iter().try_for_each(|(key, value)| self.log_param(key, value))
    }

    /// Sets a tag. The last value counts.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a key or value that the
    /// server would refuse or cut.
    pub fn set_tag(&self, key: impl Into<String>, value: impl Into<String>) -> Result<()> {
        let (key, value) = (key.into(), value.into());
        self.0.tracking.backend().runs().check_tag(&key, &value)?;
        self.record(&Record::Tag { key: key.into(), value: value.into() })
    }

    /// Sets tags.
    ///
    /// # Errors
    ///
    /// As [`set_tag`](Self::set_tag): those before the bad one are set.
    pub fn set_tags<K: Into<String>, V: Into<String>>(
        &self,
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        tags.into_iter().try_for_each(|(key, value)| self.set_tag(key, value))
    }

    /// Logs a file of this machine as the artifact `path`. A file of up to 16 MiB is
    /// copied to the spool; a larger one must stay as it is until it was sent.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the file cannot be read
    /// or `path` leads out of the run.
    pub fn log_artifact(&self, path: &str, file: impl AsRef<Path>) -> Result<()> {
        let path = ArtifactPath::parse(path)?;
        let file = file.as_ref();
        let refuse =
            |err: std::io::Error| Error::invalid(ARTIFACT, format!("{}: {err}", file.display()));
        let metadata = std::fs::metadata(file).map_err(refuse)?;
        if !metadata.is_file() {
            let reason = format!("{} is not a file; log its files one by one", file.display());
            return Err(Error::invalid(ARTIFACT, reason));
        }
        let whole = if metadata.len() <= MOST_COPIED {
            self.copy(file).map_err(refuse)?
        } else {
            std::path::absolute(file).map_err(refuse)?
        };
        let Some(whole) = whole.to_str() else {
            let reason = format!("{}: the path is no text", whole.display());
            return Err(Error::invalid(ARTIFACT, reason));
        };
        self.record(&Record::Artifact { path: path.as_str().into(), file: whole.into() })
    }

    fn copy(&self, file: &Path) -> std::io::Result<PathBuf> {
        let folder = spool::copies(&self.0.folder);
        std::fs::create_dir_all(&folder)?;
        let copy = std::path::absolute(folder.join(Uuid::new_v4().to_string()))?;
        std::fs::copy(file, &copy)?;
        Ok(copy)
    }

    /// The present, by the clock that stamps what is logged.
    #[cfg(feature = "layer")]
    pub(crate) fn now(&self) -> time::OffsetDateTime {
        self.0.tracking.backend().clock().now()
    }

    pub(super) fn record(&self, record: &Record<'_>) -> Result<()> {
        self.0.writer.record(record)
    }

    /// Starts a run that is part of this one, in the same experiment.
    ///
    /// # Errors
    ///
    /// As [`Tracking::start`].
    pub fn start_child(&self, child: NewRun) -> Result<Self> {
        let experiment = self.0.header.experiment.as_str().into();
        Self::start(&self.0.tracking, &experiment, child, Some(self))
    }

    /// Ends the run well, once the server has everything that was logged before.
    /// Nothing more can be logged. [`sync`](Self::sync) waits until it is so.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when it has ended already.
    pub fn finish(&self) -> Result<()> {
        self.end(RunEnd::Finished)
    }

    /// Ends the run badly, for the reason `message`.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn fail(&self, message: impl Into<String>) -> Result<()> {
        self.end(RunEnd::failed(message))
    }

    /// Ends the run badly, with a reason that has a code.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn fail_with(&self, reason: RunError) -> Result<()> {
        self.end(RunEnd::Failed(reason))
    }

    /// Ends the run because somebody wants it to.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn cancel(&self) -> Result<()> {
        self.end(RunEnd::Canceled)
    }

    fn end(&self, end: RunEnd) -> Result<()> {
        self.record(&Record::End { end, at_ms: self.0.writer.now_ms() })
    }
}
