//! What a chore says at its end: the runners' own closing lines, the sums, the time.

use std::time::{Duration, Instant};

use anyhow::Context;

/// Collected while stages run, printed last, also after a failure.
#[derive(Default)]
pub(crate) struct Report {
    closing: Vec<String>,
    tests: Option<Counts>,
    sums: Vec<String>,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Report {
    /// Runs one stage under a header and says how long it took.
    pub(crate) fn stage<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        println!("\n== {name}");
        let watch = Stopwatch::start();
        let outcome = work(self);
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("== {name}: {verdict}, {}", seconds(watch.elapsed()));
        outcome.with_context(|| format!("stage \"{name}\" failed"))
    }

    /// Keeps what a test runner said at its end.
    pub(crate) fn tests(&mut self, counts: Counts, closing: Vec<String>) {
        let sum = self.tests.get_or_insert_default();
        sum.passed += counts.passed;
        sum.failed += counts.failed;
        sum.skipped += counts.skipped;
        self.closing.extend(closing);
    }

    /// Keeps one line for the very end.
    pub(crate) fn sum(&mut self, line: String) {
        self.sums.push(line);
    }

    pub(crate) fn print(&self) {
        if self.tests.is_some() || !self.sums.is_empty() {
            println!();
        }
        for line in &self.closing {
            println!("{line}");
        }
        if let Some(Counts { passed, failed, skipped }) = self.tests {
            println!("tests: {passed} passed, {failed} failed, {skipped} skipped");
        }
        for line in &self.sums {
            println!("{line}");
        }
    }
}

/// Measures real time, for people and for benchmarks.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "chores measure the real time they take")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A span for people: `4.2 s`, or `12 min 3 s`.
pub(crate) fn seconds(span: Duration) -> String {
    match span.as_secs() {
        0..60 => format!("{:.1} s", span.as_secs_f64()),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_stage_is_named_in_the_error() {
        let err = Report::default()
            .stage("clippy", |_| -> anyhow::Result<()> { anyhow::bail!("two warnings") })
            .unwrap_err();
        assert_eq!(format!("{err:#}"), "stage \"clippy\" failed: two warnings");
    }

    #[test]
    fn spans_are_said_in_minutes_from_one_minute_on() {
        assert_eq!(seconds(Duration::from_millis(59_940)), "59.9 s");
        assert_eq!(seconds(Duration::from_secs(723)), "12 min 3 s");
    }
}
