//! `cargo xtask conformance`: official, unmodified SDKs against the mock cloud.

mod control;
pub(crate) mod proof;

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Context, anyhow, bail, ensure};

use crate::{
    mock::{self, RunningMock},
    process,
    programs::Programs,
    project::Project,
    python,
    report::Report,
    test,
};

const FOLDER: &str = "tests/conformance";

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Suites to run; all that have an expected part when left out
    #[arg(value_name = "SUITE")]
    suites: Vec<String>,
    /// Runs the parts with this in their name, expected to pass or not
    #[arg(long, value_name = "PART")]
    only: Option<String>,
    /// Runs every part of the named suites, expected to pass or not
    #[arg(long, conflicts_with = "only", requires = "suites")]
    all: bool,
    /// Leaves out the runs without a mock cloud, in which each part has to fail
    #[arg(long)]
    no_control: bool,
    /// Writes down which operations the parts have shown, for the table of what is emulated
    #[arg(long)]
    record: bool,
}

/// One line of the table of what has to pass.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    suite: String,
    part: String,
}

/// What the official client made of one part.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    part: String,
    passed: bool,
    checks: u64,
}

pub(crate) fn run(project: &Project, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let table = project.path(FOLDER).join("expected.txt");
    let text =
        fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
    let plan = plan(&expected(&text)?, options)?;
    // The oldest of the SDKs has no wheels for Python 3.12 and later.
    let python = python::find(&["python3.11", "python3"])
        .context("the official SDKs are Python programs")?;
    let programs = report.stage("build the mock", |_| Programs::build(project))?;
    let spark = python::spark_environment(project, &python).context("tasks run on Spark")?;
    if plan.iter().any(|(suite, _)| suite == "spark") {
        report
            .stage("python tests on Spark", |report| test::python_tests(project, &spark, report))?;
    }
    let (ready_file, log) = mock::files(&project.target, "conformance");
    let mock = start(project, &programs.mock, &spark, &ready_file, &log)?;
    let proof = options.record.then(|| project.target.join("xtask/proof"));
    let setting = Setting {
        project,
        python: &python,
        spark: &spark,
        programs: &programs,
        ready_file: &ready_file,
        only: options.only.as_deref(),
        proof: proof.as_deref(),
    };
    if let Some(folder) = &proof {
        proof::begin(folder)?;
    }
    let mut outcome = suites(&setting, &plan, report);
    if let Some(folder) = proof.as_deref().filter(|_| outcome.is_ok()) {
        outcome = proof::keep(project, folder);
    }
    if !options.no_control {
        // The mock goes on for as long: its certificate has to be there, so that
        // nothing but the mock is missing.
        let controlled = control::run(&setting, &plan, report);
        outcome = outcome.and(controlled);
    }
    let stopped = mock.stop();
    outcome.map_err(|err| anyhow!("{err:#} (the mock's log: {})", log.display()))?;
    stopped?;
    for file in [&ready_file, &log] {
        fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(())
}

fn start(
    project: &Project,
    program: &Path,
    spark: &Path,
    ready_file: &Path,
    log: &Path,
) -> anyhow::Result<RunningMock> {
    fs::create_dir_all(project.target.join("xtask"))?;
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(program);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--executor", "local", "--python"])
        .arg(spark)
        .arg("--ready-file")
        .arg(ready_file)
        .stdout(output.try_clone()?)
        .stderr(output);
    RunningMock::start(&mut command, ready_file, Duration::from_millis(20))
        .with_context(|| format!("the mock's own log is {}", log.display()))
}

/// What every run of a suite needs.
#[derive(Clone, Copy)]
struct Setting<'a> {
    project: &'a Project,
    python: &'a str,
    /// The interpreter that has pyspark.
    spark: &'a Path,
    programs: &'a Programs,
    ready_file: &'a Path,
    only: Option<&'a str>,
    /// The folder for the operations that the parts have used, a file a suite.
    proof: Option<&'a Path>,
}

/// Runs one suite and says what became of its parts.
fn suite(
    setting: &Setting<'_>,
    name: &str,
    parts: &[String],
    flags: &[&str],
    outcomes: &mut Vec<Outcome>,
) -> anyhow::Result<()> {
    let project = setting.project;
    let mut command = Command::new(setting.python);
    command
        // The parts that have a Spark notebook run it.
        .env("FLOW_SPARK", "1")
        .env("AZML_MOCK", &setting.programs.mock)
        .env("AZML_SPARK_PYTHON", setting.spark)
        .arg(project.path(FOLDER).join("run.py"))
        .arg("--ready")
        .arg(setting.ready_file)
        .arg("--venvs")
        .arg(project.target.join("venv"))
        .args(flags)
        .arg(name);
    for (test, program) in &setting.programs.tests {
        command.env(format!("AZML_TEST_{}", test.to_uppercase()), program);
    }
    if let Some(only) = setting.only {
        command.args(["--only", only]);
    }
    if let Some(folder) = setting.proof {
        command.arg("--proof").arg(folder.join(name));
    }
    for part in parts {
        command.args(["--part", part]);
    }
    let (status, text) = process::tee(&mut command)?;
    *outcomes = self::outcomes(&text);
    let bad = outcomes.iter().filter(|outcome| !outcome.passed).count();
    ensure!(!outcomes.is_empty(), "nothing ran, and run.py ended with {status}");
    ensure!(bad == 0, "{bad} parts did not pass");
    ensure!(status.success(), "run.py ended with {status}");
    Ok(())
}

/// Runs all suites of the plan, also after a failure, so that one run tells all.
fn suites(
    setting: &Setting<'_>,
    plan: &[(String, Vec<String>)],
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut passed = 0;
    let mut checks = 0;
    let mut failed: Vec<String> = Vec::new();
    for (suite, parts) in plan {
        let mut outcomes = Vec::new();
        let verdict = report.stage(&format!("conformance {suite}"), |_| {
            self::suite(setting, suite, parts, &[], &mut outcomes)
        });
        if let Err(err) = verdict
            && outcomes.iter().all(|outcome| outcome.passed)
        {
            failed.push(format!("{suite} ({})", err.root_cause()));
        }
        for part in missing(parts, &outcomes) {
            failed.push(format!("{suite} {part} (no such part)"));
        }
        for outcome in outcomes {
            checks += outcome.checks;
            if outcome.passed {
                passed += 1;
            } else {
                failed.push(format!("{suite} {}", outcome.part));
            }
        }
    }
    report.sum(format!(
        "conformance: {passed} parts passed, {} failed ({checks} checks)",
        failed.len()
    ));
    ensure!(failed.is_empty(), "did not pass: {}", failed.join(", "));
    Ok(())
}

/// Reads the table: a suite and a part a line; `#` begins a remark.
fn expected(text: &str) -> anyhow::Result<Vec<Expected>> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let Some((suite, part)) = line.split_once(char::is_whitespace) else {
            bail!("expected.txt line {}: want a suite and a part, got {line:?}", number + 1);
        };
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        rows.push(Expected { suite: suite.to_owned(), part });
    }
    Ok(rows)
}

/// Which suites run, each with its parts; no parts means all that `--only` lets through.
fn plan(expected: &[Expected], options: &Options) -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let mut suites = options.suites.clone();
    if suites.is_empty() {
        for row in expected {
            if !suites.contains(&row.suite) {
                suites.push(row.suite.clone());
            }
        }
    }
    ensure!(!suites.is_empty(), "expected.txt has no row, so there is nothing to run");
    if options.all || options.only.is_some() {
        return Ok(suites.into_iter().map(|suite| (suite, Vec::new())).collect());
    }
    let mut plan = Vec::new();
    for suite in suites {
        let parts: Vec<_> =
            expected.iter().filter(|row| row.suite == suite).map(|row| row.part.clone()).collect();
        ensure!(
            !parts.is_empty(),
            "no part of {suite} is in expected.txt; run it with --all or --only PART"
        );
        plan.push((suite, parts));
    }
    Ok(plan)
}

/// `PASS flow_tracking (plain)   27 checks   6.1s`, a line a part.
fn outcomes(text: &str) -> Vec<Outcome> {
    text.lines().filter_map(outcome).collect()
}

fn outcome(line: &str) -> Option<Outcome> {
    let (verdict, rest) = line.split_once(' ')?;
    let passed = match verdict {
        "PASS" => true,
        "FAIL" => false,
        _ => return None,
    };
    let words: Vec<_> = rest.split_whitespace().collect();
    let [part @ .., checks, "checks", _] = words.as_slice() else { return None };
    Some(Outcome { part: part.join(" "), passed, checks: checks.parse().ok()? })
}

fn missing<'a>(parts: &'a [String], outcomes: &[Outcome]) -> Vec<&'a String> {
    parts.iter().filter(|part| outcomes.iter().all(|it| it.part != **part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# what has to pass\nazureml-v1  flow_part1\nazureml-v1  flow_part4 # why\n\n\
                         mlflow  flow_tracking   (plain)\n";

    fn options(suites: &[&str], only: Option<&str>) -> Options {
        Options {
            suites: suites.iter().map(ToString::to_string).collect(),
            only: only.map(ToOwned::to_owned),
            all: false,
            no_control: false,
            record: false,
        }
    }

    #[test]
    fn the_table_is_read_without_its_remarks() {
        let rows = expected(TABLE).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(
            rows[2],
            Expected { suite: "mlflow".to_owned(), part: "flow_tracking (plain)".to_owned() }
        );
    }

    #[test]
    fn a_row_without_a_part_is_told_with_its_line() {
        let err = expected("\nmlflow\n").unwrap_err();
        assert_eq!(err.to_string(), "expected.txt line 2: want a suite and a part, got \"mlflow\"");
    }

    #[test]
    fn without_a_choice_exactly_the_expected_parts_run() {
        let plan = plan(&expected(TABLE).unwrap(), &options(&[], None)).unwrap();
        assert_eq!(
            plan,
            [
                ("azureml-v1".to_owned(), vec!["flow_part1".to_owned(), "flow_part4".to_owned()]),
                ("mlflow".to_owned(), vec!["flow_tracking (plain)".to_owned()]),
            ]
        );
    }

    #[test]
    fn a_suite_nothing_is_expected_of_runs_only_when_parts_are_chosen() {
        let rows = expected(TABLE).unwrap();
        let err = plan(&rows, &options(&["databricks"], None)).unwrap_err();
        assert_eq!(
            err.to_string(),
            "no part of databricks is in expected.txt; run it with --all or --only PART"
        );
        let chosen = plan(&rows, &options(&["databricks"], Some("dbfs"))).unwrap();
        assert_eq!(chosen, [("databricks".to_owned(), vec![])]);
    }

    #[test]
    fn outcomes_are_read_from_the_lines_of_the_runner_and_absent_parts_noticed() {
        let text = "setting up x\nPASS flow_part1                          12 checks    3.4s\n\
                    FAIL flow_tracking (plain)                3 checks  120.0s\n     | PASS no\n\
                    azureml-v1: 1 passed, 1 failed (15 checks)\n";
        let seen = outcomes(text);
        assert_eq!(
            seen,
            [
                Outcome { part: "flow_part1".to_owned(), passed: true, checks: 12 },
                Outcome { part: "flow_tracking (plain)".to_owned(), passed: false, checks: 3 },
            ]
        );
        let parts = ["flow_part1".to_owned(), "flow_part9".to_owned()];
        assert_eq!(missing(&parts, &seen), ["flow_part9"]);
    }
}
