use azml_core::Result;

use super::Run;
use crate::spool::KeyId;

/// One series of a run, for loops in which a microsecond counts. Cheap to clone.
///
/// ```no_run
/// # fn demo(run: azml_tracking::Run) -> azml_core::Result<()> {
/// let loss = run.metric("loss")?;
/// for step in 0..1_000_000 {
///     loss.log(1.0 / f64::from(step + 1))?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MetricHandle {
    run: Run,
    key: KeyId,
}

impl MetricHandle {
    pub(super) fn new(run: Run, key: KeyId) -> Self {
        Self { run, key }
    }

    /// Logs a number at the step after the last one of this series.
    ///
    /// # Errors
    ///
    /// As [`Run::log_metric`].
    pub fn log(&self, value: f64) -> Result<()> {
        self.run.0.writer.point(self.key, None, value)
    }

    /// Logs a number at a step.
    ///
    /// # Errors
    ///
    /// As [`Run::log_metric`].
    pub fn log_at(&self, value: f64, step: i64) -> Result<()> {
        self.run.0.writer.point(self.key, Some(step), value)
    }
}
