//! `cargo xtask ci`: all that a change has to pass.

use crate::{
    conformance,
    project::Project,
    report::{Report, Stopwatch, seconds},
    test,
};

pub(crate) fn run(project: &Project, report: &mut Report) -> anyhow::Result<()> {
    let watch = Stopwatch::start();
    let outcome = test::run(project, report)
        .and_then(|()| conformance::run(project, &conformance::Options::default(), report));
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    report.sum(format!("ci: {verdict}, {}", seconds(watch.elapsed())));
    outcome
}
