//! `{{job.parameters.day}}` and its kin in the parameters of a task.
//!
//! What is no reference stays as it is, and so does a reference to a value
//! that a simulated task would have set.

use serde_json::Value;
use time::OffsetDateTime;

use super::{
    JobRun, TaskRun,
    spec::{CodeSpec, TaskSpec},
};
use crate::services::databricks::jobs::wire;

/// The task with its references resolved, nothing if it has none.
pub(super) fn resolve(
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    is_executed: bool,
) -> Result<Option<Box<TaskSpec>>, String> {
    let scope = Scope { workspace, run, task, is_executed };
    let spec = run.spec(task);
    let mut resolved = spec.clone();
    each(&mut resolved, &mut |text| {
        // The value of a parameter may be a reference itself.
        let once = replaced(text, |it| scope.value(it))?;
        *text = replaced(&once, |it| scope.value(it))?;
        Ok(())
    })?;
    Ok((resolved != *spec).then(|| Box::new(resolved)))
}

/// An iteration of a loop.
pub(super) fn with_input(inner: &TaskSpec, input: &Value) -> TaskSpec {
    let mut spec = inner.clone();
    let value = |path: &[String]| match path {
        [first] if first == "input" => Found::Value(wire::text(input.clone())),
        [first, rest @ ..] if first == "input" => {
            let mut it = Some(input);
            for key in rest {
                it = it.and_then(|it| it.get(key));
            }
            it.map_or(Found::Nothing, |it| Found::Value(wire::text(it.clone())))
        }
        _ => Found::Nothing,
    };
    let outcome = each(&mut spec, &mut |text| {
        *text = replaced(text, value)?;
        Ok(())
    });
    debug_assert!(outcome.is_ok(), "an input is either there or not");
    spec
}

enum Found {
    Value(String),
    /// No reference that anybody knows.
    Nothing,
    Missing,
}

struct Scope<'a> {
    workspace: u64,
    run: &'a JobRun,
    task: &'a TaskRun,
    is_executed: bool,
}

/// Lets `how` change every text of a task that may have references.
fn each(
    spec: &mut TaskSpec,
    how: &mut impl FnMut(&mut String) -> Result<(), String>,
) -> Result<(), String> {
    spec.widgets.values_mut().chain(&mut spec.parameters).try_for_each(&mut *how)?;
    match &mut spec.code {
        CodeSpec::Notebook { path }
        | CodeSpec::PythonFile { path }
        | CodeSpec::SqlFile { path, .. } => how(path),
        CodeSpec::Wheel { named_parameters, .. } => named_parameters.values_mut().try_for_each(how),
        CodeSpec::Condition { left, right, .. } => {
            how(left)?;
            how(right)
        }
        CodeSpec::ForEach { inputs, .. } => how(inputs),
        CodeSpec::RunJob { overrides, .. } => {
            let named = overrides.job_parameters.values_mut();
            named.chain(overrides.notebook_params.values_mut()).try_for_each(how)
        }
        CodeSpec::Jar { .. }
        | CodeSpec::LocalScript { .. }
        | CodeSpec::SparkSubmit
        | CodeSpec::Other { .. } => Ok(()),
    }
}

fn replaced(text: &str, value: impl Fn(&[String]) -> Found) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else { break };
        out.push_str(before);
        match value(&path(name.trim())) {
            Found::Value(it) => out.push_str(&it),
            Found::Nothing => out.extend(["{{", name, "}}"]),
            Found::Missing => {
                return Err(format!("The reference {{{{{name}}}}} cannot be resolved."));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Names are separated by dots; what is between backticks is one name.
fn path(text: &str) -> Vec<String> {
    let (mut names, mut name, mut is_quoted) = (Vec::new(), String::new(), false);
    for it in text.chars() {
        match it {
            '`' => is_quoted = !is_quoted,
            '.' if !is_quoted => names.push(std::mem::take(&mut name)),
            _ => name.push(it),
        }
    }
    names.push(name);
    names
}

impl Scope<'_> {
    fn value(&self, path: &[String]) -> Found {
        let (run, task) = (self.run, self.task);
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let began = run.admitted_at.unwrap_or(run.submitted_at);
        let tried = task.attempt - task.first_attempt;
        Found::Value(match names.as_slice() {
            ["job", "id"] | ["job_id"] => run.job_id.to_string(),
            ["job", "name"] => run.submission.run_name.clone(),
            ["job", "run_id"] | ["parent_run_id"] => run.run_id.to_string(),
            ["job", "repair_count"] => run.repairs.len().to_string(),
            ["job", "parameters", name] => {
                match run.terms.parameters.iter().find(|it| it.name == *name) {
                    Some(it) => it.value.clone(),
                    None => return Found::Missing,
                }
            }
            ["job", "start_time", part] | ["job", "trigger", "time", part] => {
                return moment(began, part);
            }
            ["job", "trigger", "type"] => {
                if run.terms.caller.is_some() { "run_job_task" } else { "one_time" }.to_owned()
            }
            ["start_date"] => return moment(began, "iso_date"),
            ["start_time"] => return moment(began, "timestamp_ms"),
            ["task", "name"] | ["task_key"] => run.spec(task).task_key.clone(),
            ["task", "run_id"] | ["run_id"] => task.run_id.to_string(),
            ["task", "execution_count"] => (tried + 1).to_string(),
            ["task_retry_count"] => tried.to_string(),
            ["workspace", "id"] => self.workspace.to_string(),
            ["workspace", "url"] => {
                format!(
                    "https://adb-{}.{}.azuredatabricks.net",
                    self.workspace,
                    self.workspace % 20
                )
            }
            ["tasks", key, rest @ ..] => return self.of_task(key, rest),
            _ => return Found::Nothing,
        })
    }

    fn of_task(&self, key: &str, rest: &[&str]) -> Found {
        let Some(task) = self.run.task(key) else { return Found::Missing };
        let end = task.end();
        Found::Value(match rest {
            ["run_id"] => task.run_id.to_string(),
            ["execution_count"] => (task.attempt - task.first_attempt + 1).to_string(),
            ["result_state"] => match end {
                Some(end) => wire::result(end.result).to_lowercase(),
                None => return Found::Missing,
            },
            ["outcome"] => match end.and_then(|it| it.outcome) {
                Some(it) => it.to_string(),
                None => return Found::Missing,
            },
            ["values", name] => match end.and_then(|it| it.task_values.get(*name)) {
                Some(it) => wire::text(it.clone()),
                None if self.is_executed => return Found::Missing,
                None => return Found::Nothing,
            },
            _ => return Found::Nothing,
        })
    }
}

fn moment(at: OffsetDateTime, part: &str) -> Found {
    let (date, time) = (at.date(), at.time());
    let (year, month, day) = date.to_calendar_date();
    let iso_date = format!("{year:04}-{:02}-{day:02}", u8::from(month));
    let weekday = date.weekday().number_from_monday();
    let (hour, minute, second) = time.as_hms();
    Found::Value(match part {
        "iso_datetime" => {
            format!("{iso_date}T{hour:02}:{minute:02}:{second:02}.{:06}", time.microsecond())
        }
        "iso_date" => iso_date,
        "year" => year.to_string(),
        "month" => u8::from(month).to_string(),
        "day" => day.to_string(),
        "hour" => hour.to_string(),
        "minute" => minute.to_string(),
        "second" => second.to_string(),
        "is_weekday" => (weekday <= 5).to_string(),
        "iso_weekday" => weekday.to_string(),
        "timestamp_ms" => crate::services::databricks::wire::millis(at).to_string(),
        _ => return Found::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_reference_stays_as_it_is() {
        let value = |path: &[String]| match path {
            [it] if it == "a.b" => Found::Value("1".into()),
            _ => Found::Nothing,
        };
        assert_eq!(replaced("x {{ `a.b` }} {{c}} {{d", value).unwrap(), "x 1 {{c}} {{d");
    }
}
