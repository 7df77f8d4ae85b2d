//! What is refused before it is sent. Limits: the documented ones of version 2.2.

use std::collections::{BTreeMap, BTreeSet};

use azml_core::{Error, Result};
use serde::Serialize;

use super::{
    CronSchedule, JobCluster, JobSettings, JobUpdate, RepairRun, RunFilter, RunNow, RunParameters,
    SubmitRun, Task, TaskCode, TaskCompute, WebhookNotifications,
};

const NAME_BYTES: usize = 4096;
const DESCRIPTION_BYTES: usize = 27_700;
const TASKS: usize = 1000;
const TASK_KEY_CHARS: usize = 100;
const TAGS: usize = 25;
const CONCURRENT_RUNS: u32 = 1000;
const TOKEN_CHARS: usize = 64;
const PARAMETER_BYTES: usize = 10_000;
const WEBHOOKS: usize = 3;

struct Check(&'static str);

pub(super) fn submit(operation: &'static str, run: &SubmitRun, token: &str) -> Result<()> {
    let check = Check(operation);
    if run.tasks.is_empty() {
        return check.refuse("tasks: is empty; a run has at least one");
    }
    check.token(token)?;
    check.tasks(&run.tasks)?;
    check.order(&run.tasks)?;
    check.keys(&run.tasks, &run.job_clusters)?;
    check.webhooks(&run.webhook_notifications)
}

/// A whole definition, as in a `create` or a `reset`.
pub(super) fn settings(operation: &'static str, settings: &JobSettings) -> Result<()> {
    let check = Check(operation);
    check.parts(settings)?;
    check.order(&settings.tasks)?;
    check.keys(&settings.tasks, &settings.job_clusters)
}

/// A part of a definition: what it refers to may be there already.
pub(super) fn update(operation: &'static str, update: &JobUpdate) -> Result<()> {
    let check = Check(operation);
    check.parts(&update.new_settings)?;
    for field in &update.fields_to_remove {
        let is_nested = field.contains('/');
        if field.is_empty()
            || is_nested && !["tasks/", "job_clusters/"].iter().any(|it| field.starts_with(it))
        {
            return check.refuse(format!(
                "fields_to_remove: {field:?} cannot be removed; name a field of the top, or tasks/KEY"
            ));
        }
    }
    Ok(())
}

pub(super) fn run_now(operation: &'static str, run: &RunNow, token: &str) -> Result<()> {
    let check = Check(operation);
    check.token(token)?;
    check.parameters(&run.parameters)
}

pub(super) fn repair(operation: &'static str, repair: &RepairRun) -> Result<()> {
    let check = Check(operation);
    match (repair.rerun_tasks.is_empty(), repair.rerun_all_failed_tasks) {
        (true, false) => check.refuse("rerun_tasks: is empty; name tasks, or use all_failed"),
        (false, true) => {
            check.refuse("rerun_tasks: goes not with rerun_all_failed_tasks; leave one out")
        }
        _ => check.parameters(&repair.parameters),
    }
}

pub(super) fn run_filter(operation: &'static str, filter: &RunFilter) -> Result<()> {
    if filter.active_only && filter.completed_only {
        return Check(operation).refuse("completed_only: goes not with active_only; leave one out");
    }
    Ok(())
}

impl Check {
    fn refuse<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(Error::invalid(self.0, reason))
    }

    fn token(&self, token: &str) -> Result<()> {
        match token.chars().count() {
            0 => self.refuse("idempotency_token: is empty; leave it out, and one is made"),
            1..=TOKEN_CHARS => Ok(()),
            _ => self.refuse("idempotency_token: is longer than 64 characters; shorten it"),
        }
    }

    fn parts(&self, settings: &JobSettings) -> Result<()> {
        let is_longer = |it: &Option<String>, most| it.as_ref().is_some_and(|it| most < it.len());
        if is_longer(&settings.name, NAME_BYTES) {
            return self.refuse("name: is longer than 4096 bytes; shorten it");
        }
        if is_longer(&settings.description, DESCRIPTION_BYTES) {
            return self.refuse("description: is longer than 27700 bytes; shorten it");
        }
        if TAGS < settings.tags.len() {
            return self.refuse("tags: are more than 25; leave some out");
        }
        if settings.max_concurrent_runs.is_some_and(|it| CONCURRENT_RUNS < it) {
            return self.refuse("max_concurrent_runs: is more than 1000; lower it");
        }
        let own = [settings.schedule.is_some(), settings.continuous.is_some()];
        let trigger = settings.extra.names().any(|it| it == "trigger");
        if 1 < own.into_iter().chain([trigger]).filter(|it| *it).count() {
            return self.refuse("schedule: goes not with continuous or trigger; leave one out");
        }
        if let Some(schedule) = &settings.schedule {
            self.schedule(schedule)?;
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = settings.parameters.iter().find(|it| !names.insert(&it.name)) {
            let name = &twice.name;
            return self.refuse(format!("parameters: two are named {name}; rename one"));
        }
        self.webhooks(&settings.webhook_notifications)?;
        self.tasks(&settings.tasks)
    }

    fn schedule(&self, schedule: &CronSchedule) -> Result<()> {
        let CronSchedule { quartz_cron_expression: cron, timezone_id, .. } = schedule;
        if timezone_id.is_empty() {
            return self.refuse("schedule.timezone_id: is empty; give one such as Europe/Berlin");
        }
        if !(6..=7).contains(&cron.split_whitespace().count()) {
            return self.refuse(format!(
                "schedule.quartz_cron_expression: {cron:?} has not 6 or 7 fields; it begins with \
                 the seconds, as in 0 30 7 * * ?"
            ));
        }
        Ok(())
    }

    fn webhooks(&self, webhooks: &WebhookNotifications) -> Result<()> {
        if WEBHOOKS < webhooks.longest() {
            return self.refuse("webhook_notifications: more than 3 for one event; leave some out");
        }
        Ok(())
    }

    fn tasks(&self, tasks: &[Task]) -> Result<()> {
        if TASKS < tasks.len() {
            return self.refuse("tasks: are more than 1000; split the job, or use a ForEachTask");
        }
        let mut keys = BTreeSet::new();
        for task in tasks {
            self.task(task)?;
            if !keys.insert(&task.task_key) {
                let key = &task.task_key;
                return self.refuse(format!("task_key: two tasks are named {key}; rename one"));
            }
        }
        Ok(())
    }

    fn task(&self, task: &Task) -> Result<()> {
        let key = task.task_key.as_str();
        let is_legal = |it: char| it.is_ascii_alphanumeric() || "_-".contains(it);
        if key.is_empty() || TASK_KEY_CHARS < key.len() || !key.chars().all(is_legal) {
            return self.refuse(format!(
                "task_key: {key:?} is no name; use 1 to 100 letters, digits, _ and -"
            ));
        }
        self.webhooks(&task.webhook_notifications)?;
        match &task.code {
            TaskCode::Notebook(it) => self.bytes("base_parameters", &it.base_parameters),
            TaskCode::SparkPython(it) => self.bytes("parameters", &it.parameters),
            TaskCode::SparkJar(it) => self.bytes("parameters", &it.parameters),
            TaskCode::SparkSubmit(it) => {
                if matches!(task.compute, TaskCompute::Existing(_)) {
                    return self.refuse(format!(
                        "compute: task {key} is spark-submit, which runs on a new cluster only; \
                         use on_new_cluster"
                    ));
                }
                self.bytes("parameters", &it.parameters)
            }
            TaskCode::PythonWheel(it) => {
                if !it.parameters.is_empty() && !it.named_parameters.is_empty() {
                    return self.refuse(format!(
                        "named_parameters: task {key} has parameters too; use one of them"
                    ));
                }
                self.bytes("parameters", &it.parameters)
            }
            TaskCode::RunJob(it) => self.parameters(&it.parameters),
            TaskCode::ForEach(it) => {
                if it.concurrency.is_some_and(|it| !(1..=100).contains(&it)) {
                    return self.refuse(format!(
                        "concurrency: of task {key} is not from 1 to 100; choose one that is"
                    ));
                }
                if matches!(it.task.code, TaskCode::ForEach(_)) {
                    return self.refuse(format!(
                        "for_each_task.task: task {key} is a loop in a loop; use a RunJobTask"
                    ));
                }
                self.task(&it.task)
            }
            _ => Ok(()),
        }
    }

    /// Each task waits for tasks that are there, and none for itself in the end.
    fn order(&self, tasks: &[Task]) -> Result<()> {
        let mut waits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for task in tasks {
            let its = task.depends_on.iter().map(|it| it.task_key.as_str()).collect();
            waits.insert(task.task_key.as_str(), its);
        }
        for (key, its) in &waits {
            if let Some(missing) = its.iter().find(|it| !waits.contains_key(**it)) {
                return self.refuse(format!(
                    "depends_on: task {key} waits for {missing}, which is not in the run; add it"
                ));
            }
        }
        // Whatever waits for nothing that is left can go, until nothing can.
        loop {
            let free: Vec<&str> =
                waits.iter().filter(|(_, its)| its.is_empty()).map(|(key, _)| *key).collect();
            if free.is_empty() {
                break;
            }
            waits.retain(|key, _| !free.contains(key));
            for its in waits.values_mut() {
                its.retain(|it| !free.contains(it));
            }
        }
        if waits.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = waits.into_keys().collect();
        let keys = keys.join(", ");
        self.refuse(format!(
            "depends_on: these tasks wait for each other: {keys}; break the circle"
        ))
    }

    /// Each task runs on a cluster that is there.
    fn keys(&self, tasks: &[Task], clusters: &[JobCluster]) -> Result<()> {
        for task in tasks {
            if let TaskCompute::JobCluster(key) = &task.compute
                && !clusters.iter().any(|it| it.job_cluster_key == *key)
            {
                let task = &task.task_key;
                return self.refuse(format!(
                    "job_cluster_key: task {task} runs on {key}, which is not there; add it with \
                     with_job_cluster"
                ));
            }
        }
        Ok(())
    }

    fn parameters(&self, parameters: &RunParameters) -> Result<()> {
        if !parameters.notebook_params.is_empty() && !parameters.jar_params.is_empty() {
            return self.refuse("notebook_params: go not with jar_params; leave one out");
        }
        self.bytes("job_parameters", &parameters.job_parameters)?;
        self.bytes("notebook_params", &parameters.notebook_params)?;
        self.bytes("python_params", &parameters.python_params)?;
        self.bytes("python_named_params", &parameters.python_named_params)?;
        self.bytes("jar_params", &parameters.jar_params)?;
        self.bytes("spark_submit_params", &parameters.spark_submit_params)?;
        self.bytes("sql_params", &parameters.sql_params)
    }

    fn bytes(&self, field: &str, value: &impl Serialize) -> Result<()> {
        let len = serde_json::to_vec(value).map_or(0, |it| it.len());
        if PARAMETER_BYTES < len {
            return self.refuse(format!(
                "{field}: has {len} bytes as JSON and at most {PARAMETER_BYTES} go; put the data \
                 into a file"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{settings as check_settings, *};
    use crate::jobs::{Dependency, ForEachTask, NotebookTask, PythonWheelTask, SparkSubmitTask};

    fn task(key: &str) -> Task {
        Task::new(key, NotebookTask::new("/a"))
    }

    #[test]
    fn tasks_that_do_not_fit_together_are_refused() {
        let existing = crate::clusters::ClusterId::new("c");
        let wheel = PythonWheelTask::new("a", "b").with_parameters(["c"]);
        for (tasks, reason) in [
            (vec![], "tasks: is empty; a run has at least one"),
            (vec![task("a"), task("a")], "task_key: two tasks are named a; rename one"),
            (
                vec![task("a b")],
                r#"task_key: "a b" is no name; use 1 to 100 letters, digits, _ and -"#,
            ),
            (
                vec![task("a").with_dependency("b")],
                "depends_on: task a waits for b, which is not in the run; add it",
            ),
            (
                vec![
                    task("a").with_dependency("b"),
                    task("b").with_dependency(Dependency::on_outcome("a", true)),
                    task("c").with_dependency("a"),
                    task("d"),
                ],
                "depends_on: these tasks wait for each other: a, b, c; break the circle",
            ),
            (
                vec![task("a").on_job_cluster("k")],
                "job_cluster_key: task a runs on k, which is not there; add it with with_job_cluster",
            ),
            (
                vec![Task::new("a", SparkSubmitTask::new(["x"])).on_cluster(existing)],
                "compute: task a is spark-submit, which runs on a new cluster only; use on_new_cluster",
            ),
            (
                vec![Task::new("a", wheel.with_named_parameter("d", "e"))],
                "named_parameters: task a has parameters too; use one of them",
            ),
            (
                vec![Task::new("a", ForEachTask::new("[1]", task("b")).with_concurrency(0))],
                "concurrency: of task a is not from 1 to 100; choose one that is",
            ),
        ] {
            let err = submit("op", &SubmitRun::new("run", tasks), "t").unwrap_err();
            assert_eq!(err.to_string(), format!("op failed: {reason}"));
        }
    }

    #[test]
    fn settings_beyond_the_limits_are_refused() {
        let base = || JobSettings::new("a", [task("a")]);
        let tagged = (0..26).fold(base(), |it, number| it.with_tag(number.to_string(), "x"));
        let long = NotebookTask::new("/a").with_parameter("p", "x".repeat(10_000));
        for (settings, reason) in [
            (base().with_name("x".repeat(4097)), "name: is longer than 4096 bytes; shorten it"),
            (tagged, "tags: are more than 25; leave some out"),
            (
                base().with_max_concurrent_runs(1001),
                "max_concurrent_runs: is more than 1000; lower it",
            ),
            (
                base().with_schedule(CronSchedule::new("* * * * *", "UTC")),
                "schedule.quartz_cron_expression: \"* * * * *\" has not 6 or 7 fields; it begins \
                 with the seconds, as in 0 30 7 * * ?",
            ),
            (
                base().with_parameter("p", "1").with_parameter("p", "2"),
                "parameters: two are named p; rename one",
            ),
            (
                JobSettings::new("a", [Task::new("a", long)]),
                "base_parameters: has 10008 bytes as JSON and at most 10000 go; put the data into \
                 a file",
            ),
            (
                JobSettings::new("a", (0..1001).map(|it| task(&it.to_string()))),
                "tasks: are more than 1000; split the job, or use a ForEachTask",
            ),
        ] {
            let err = check_settings("op", &settings).unwrap_err();
            assert_eq!(err.to_string(), format!("op failed: {reason}"));
        }
        check_settings("op", &base()).unwrap();
    }

    #[test]
    fn a_part_may_refer_to_what_is_there_already() {
        let part = JobSettings::default().with_task(task("a").with_dependency("b"));
        update("op", &JobUpdate::new(part)).unwrap();
        let nested = JobUpdate::default().without("schedule/timezone_id");
        assert!(update("op", &nested).is_err());
    }

    #[test]
    fn a_repair_says_what_to_run_in_one_way() {
        repair("op", &RepairRun::all_failed()).unwrap();
        let both = RepairRun { rerun_all_failed_tasks: true, ..RepairRun::tasks(["a"]) };
        assert!(repair("op", &both).is_err());
        assert!(repair("op", &RepairRun::default()).is_err());
    }
}
