//! `cargo xtask test`: every check and every test; the first failure ends it.

use std::{
    path::Path,
    process::{Command, ExitStatus},
};

use anyhow::{bail, ensure};

use crate::{
    coverage, layers, process,
    project::Project,
    python,
    report::{Counts, Report},
    tidy,
};

/// The Python that runs inside a task, with its own tests beside it.
const PYTHON_TESTS: &str = "mock-server/src/executor/local/python";

pub(crate) fn run(project: &Project, report: &mut Report) -> anyhow::Result<()> {
    report.stage("format", |_| process::run(&mut project.cargo(["fmt", "--all", "--check"])))?;
    report.stage("layers", |_| layers::run(project))?;
    report.stage("tidy", |_| tidy::run(project))?;
    report.stage("clippy", |_| {
        process::run(&mut project.cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "azml-tests/servers",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    report.stage("coverage", |_| coverage::run(project, &coverage::Options { check: true }))?;
    report.stage("tests", |report| {
        if project.has_subcommand("nextest") {
            let command = &mut project.cargo(["nextest", "run", "--workspace", "--no-fail-fast"]);
            runner(command, read_nextest, report)
        } else {
            println!("cargo-nextest is not installed: running cargo test");
            let command = &mut project.cargo([
                "test",
                "--workspace",
                "--lib",
                "--bins",
                "--tests",
                "--examples",
                "--no-fail-fast",
            ]);
            runner(command, read_cargo_test, report)
        }
    })?;
    report.stage("doc tests", |report| {
        let command = &mut project.cargo(["test", "--workspace", "--doc", "--no-fail-fast"]);
        runner(command, read_cargo_test, report)
    })?;
    if project.path(PYTHON_TESTS).is_dir() {
        report.stage("python tests", |report| {
            python_tests(project, Path::new(&python::find(&["python3"])?), report)
        })?;
    }
    Ok(())
}

/// Runs the tests of what runs inside a task. Those of Spark need an interpreter that has it.
pub(crate) fn python_tests(
    project: &Project,
    python: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let command = &mut Command::new(python);
    command.current_dir(project.path(PYTHON_TESTS)).args(["-B", "-m", "unittest"]);
    runner(command, read_unittest, report)
}

type Closing = (Counts, Vec<String>);

/// Runs a test runner and believes what it says at its end, not its exit status alone.
fn runner(
    command: &mut Command,
    read: fn(&str) -> Option<Closing>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (status, text) = process::tee(command)?;
    let closing = read(&text);
    if let Some((counts, lines)) = &closing {
        report.tests(*counts, lines.clone());
    }
    verdict(status, closing.map(|(counts, _)| counts), &process::line(command))
}

fn verdict(status: ExitStatus, counts: Option<Counts>, line: &str) -> anyhow::Result<()> {
    match counts {
        Some(counts) => {
            ensure!(counts.failed == 0, "{} tests failed in {line}", counts.failed);
            ensure!(status.success(), "{line} ended with {status}");
            ensure!(counts.passed > 0, "{line} ran no test at all");
            Ok(())
        }
        None if status.success() => bail!("{line} printed no summary, so nothing is known"),
        None => bail!("{line} ended with {status} before it had a summary"),
    }
}

/// `Summary [ 1.2s] 12 tests run: 11 passed (1 slow), 1 failed, 0 skipped`, and what follows.
fn read_nextest(text: &str) -> Option<Closing> {
    let lines: Vec<_> = text.lines().collect();
    let at = lines.iter().rposition(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, sums) = lines[at].split_once("run:")?;
    let mut counts = Counts::default();
    for part in sums.split(',') {
        // "11 passed (1 slow", " 2 flaky)" and the like: only the first two words count.
        let mut words = part.trim().split(' ');
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed") => counts.passed += number,
            Some("skipped") => counts.skipped += number,
            Some("failed" | "timed" | "exec") => counts.failed += number,
            _ => {}
        }
    }
    let closing = lines[at..].iter().filter(|line| !line.trim().is_empty());
    Some((counts, closing.take(40).map(ToString::to_string).collect()))
}

/// Sums `test result: ok. 3 passed; 0 failed; 0 ignored; ...` over all programs.
fn read_cargo_test(text: &str) -> Option<Closing> {
    let mut counts = Counts::default();
    let mut closing = Vec::new();
    let mut seen = false;
    for line in text.lines() {
        let Some((_, sums)) =
            line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            continue;
        };
        seen = true;
        let mut ran = false;
        for part in sums.split(';') {
            let mut words = part.trim().split(' ');
            let number = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
            match words.next() {
                Some("passed") => counts.passed += number,
                Some("failed") => counts.failed += number,
                Some("ignored") => counts.skipped += number,
                _ => continue,
            }
            ran |= number > 0;
        }
        if ran {
            closing.push(line.to_owned());
        }
    }
    seen.then_some((counts, closing))
}

/// `Ran 12 tests in 0.3s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=1)`.
fn read_unittest(text: &str) -> Option<Closing> {
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    let at = lines.iter().rposition(|line| line.starts_with("Ran ") && line.contains(" test"))?;
    let ran: u64 = lines[at].split(' ').nth(1)?.parse().ok()?;
    let verdict =
        lines[at..].iter().find(|line| line.starts_with("OK") || line.starts_with("FAILED"))?;
    let of = |key: &str| -> u64 {
        verdict
            .split(['(', ')', ',', ' '])
            .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
            .and_then(|number| number.parse().ok())
            .unwrap_or_default()
    };
    let failed = of("failures") + of("errors") + of("unexpectedSuccesses");
    let skipped = of("skipped");
    let passed = ran.saturating_sub(failed + skipped);
    let closing = vec![lines[at].to_owned(), (*verdict).to_owned()];
    Some((Counts { passed, failed, skipped }, closing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nextest_summary_is_read_with_its_failures_and_timeouts() {
        let text = "        PASS [   0.005s] xtask report::tests::a\n\
                    ------------\n     \
                    Summary [   3.172s] 17 tests run: 13 passed (1 slow, 2 flaky), 2 failed, \
                    1 timed out, 1 exec failed, 4 skipped\n        \
                    FAIL [   0.1s] azml-core it::b\nerror: test run failed\n";
        let (counts, closing) = read_nextest(text).unwrap();
        assert_eq!(counts, Counts { passed: 13, failed: 4, skipped: 4 });
        assert_eq!(closing.len(), 3);
    }

    #[test]
    fn the_results_of_cargo_test_are_summed_and_empty_ones_left_out() {
        let text = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
                    finished in 0.00s\n\
                    test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out\n\
                    test result: FAILED. 4 passed; 1 failed; 2 ignored; 0 measured\n";
        let (counts, closing) = read_cargo_test(text).unwrap();
        assert_eq!(counts, Counts { passed: 7, failed: 1, skipped: 2 });
        assert_eq!(closing.len(), 2);
    }

    #[test]
    fn a_unittest_verdict_is_read_with_errors_and_skips() {
        let text =
            "......\n-----\nRan 12 tests in 0.311s\n\nFAILED (failures=1, errors=2, skipped=3)\n";
        let (counts, closing) = read_unittest(text).unwrap();
        assert_eq!(counts, Counts { passed: 6, failed: 3, skipped: 3 });
        assert_eq!(closing, ["Ran 12 tests in 0.311s", "FAILED (failures=1, errors=2, skipped=3)"]);
        assert_eq!(read_unittest("Ran 2 tests in 0.1s\n\nOK\n").unwrap().0.passed, 2);
    }

    #[test]
    fn a_runner_that_found_no_test_has_not_succeeded() {
        let counts = Some(Counts { skipped: 3, ..Counts::default() });
        let err = verdict(ExitStatus::default(), counts, "python3 -m unittest").unwrap_err();
        assert_eq!(err.to_string(), "python3 -m unittest ran no test at all");
    }

    #[test]
    fn a_runner_without_a_summary_has_not_succeeded() {
        let err = verdict(ExitStatus::default(), None, "cargo nextest run").unwrap_err();
        assert_eq!(err.to_string(), "cargo nextest run printed no summary, so nothing is known");
    }
}
