use std::time::Duration;

use azml_core::{ErrorKind, Operation, PageToken};
use serde_json::Value;

use super::*;
use crate::{
    clusters::{ClusterId, NewCluster},
    jobs::{
        self, CodeSource, CronSchedule, EmailNotifications, ExportedViews, JobFilter, JobId,
        JobRunId, JobSettings, JobUpdate, LifeCycleState, NotebookTask, NotificationSettings,
        PythonWheelTask, RepairId, RepairRun, ResultState, RunFilter, RunIf, RunParameters,
        SparkJarTask, SparkPythonTask, SubmitRun, Task, TaskCode, TaskCompute,
    },
    libraries::Library,
    testing::check,
};

const JOB: JobId = JobId::new(11_223_344);
const RUN: JobRunId = JobRunId::new(455_644_833);

fn nightly() -> JobSettings {
    let prepare = NotebookTask::new("/Shared/prepare")
        .with_parameter("day", "{{job.parameters.day}}")
        .with_source(CodeSource::Workspace);
    let score = SparkPythonTask::new("dbfs:/scripts/score.py").with_parameters(["--rate", "0.1"]);
    let prepare =
        Task::new("prepare", prepare).with_description("Reads the data").on_job_cluster("shared");
    let score = Task::new("score", score)
        .on_job_cluster("shared")
        .with_dependency("prepare")
        .with_library(Library::pypi("simplejson"))
        .with_max_retries(1)
        .with_min_retry_interval(Duration::from_secs(60))
        .with_retry_on_timeout(true)
        .with_run_if(RunIf::AllSuccess)
        .with_timeout(Duration::from_secs(600))
        .with_email_notifications(
            EmailNotifications::default().with_on_failure("someone@example.test"),
        )
        .with_notification_settings(NotificationSettings::default().on_last_attempt());
    JobSettings::new("nightly", [prepare, score])
        .with_job_cluster("shared", NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2"))
        .with_parameter("day", "monday")
        .with_max_concurrent_runs(2)
}

#[test]
fn every_call_on_jobs_is_as_saved() {
    let (job, next) = check("jobs/get", &Get { job_id: JOB, token: None }).unwrap();
    assert_eq!((job.job_id, next), (JOB, None));
    let settings = &job.settings;
    assert_eq!(settings.timeout, Some(Duration::from_secs(7200)));
    assert_eq!(settings.queue, Some(true));
    assert_eq!(settings.tasks[0].timeout, None, "0 stands for none");
    assert_eq!(settings.tasks[1].run_if, Some(RunIf::AllSuccess));
    assert_eq!(settings.tasks[1].compute, TaskCompute::JobCluster("shared".to_owned()));
    let extra: Vec<&str> = settings.extra.names().collect();
    assert_eq!(extra, ["edit_mode", "format", "health", "performance_target"]);

    let filter = JobFilter::default().with_name("nightly").with_expand_tasks(true);
    let page = check("jobs/list", &List { filter: &filter, token: None }).unwrap();
    assert_eq!(page.items[0].settings, job.settings);

    check("jobs/reset", &Reset(JOB, &nightly())).unwrap();
    let schedule = CronSchedule::new("0 0 4 * * ?", "UTC");
    let changes = JobSettings::default().with_max_concurrent_runs(3).with_schedule(schedule);
    let update = JobUpdate::new(changes).without("description").without_task(&"score".into());
    check("jobs/update", &Update(JOB, &update)).unwrap();
    let parameters = RunParameters::default().with_job_parameter("day", "tuesday");
    let run = jobs::RunNow::default()
        .with_parameters(parameters)
        .with_only(["prepare", "score"])
        .with_queue(true);
    let run_now = RunNow { job_id: JOB, run: &run, token: "token-2" };
    assert_eq!(check("jobs/run-now", &run_now).unwrap(), RUN);
    check("jobs/delete", &Delete(JOB)).unwrap();

    let err = check("jobs/get-missing", &Get { job_id: JobId::new(404), token: None });
    assert_eq!(err.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn every_call_on_runs_is_as_saved() {
    let prepare = NotebookTask::new("/Shared/prepare").with_parameter("day", "monday");
    let train = SparkPythonTask::new("dbfs:/scripts/train.py").with_parameters(["--rate", "0.1"]);
    let tasks = [
        Task::new("prepare", prepare)
            .on_new_cluster(NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2")),
        Task::new("train", train)
            .on_cluster(ClusterId::new("0101-000000-abcd1234"))
            .with_library(Library::pypi("simplejson"))
            .with_dependency("prepare")
            .with_timeout(Duration::from_secs(600))
            .with_max_retries(1),
    ];
    let run = SubmitRun::new("nightly", tasks).with_timeout(Duration::from_secs(3600));
    let submit = Submit { run: &run, token: "token-1" };
    assert_eq!(check("jobs/runs-submit", &submit).unwrap(), RUN);

    let (run, next) = check("jobs/runs-get", &get_run(RUN)).unwrap();
    assert_eq!(next, None);
    assert_eq!(run.job_id, Some(JOB));
    assert!(run.state.is_success());
    assert_eq!(run.status.as_ref().unwrap().termination.as_ref().unwrap().code, "SUCCESS");
    assert_eq!(run.durations.run, Duration::from_secs(60));
    let task = run.task("prepare").unwrap();
    assert_eq!(task.run_id, JobRunId::new(455_644_834));
    assert_eq!(task.cluster_id, Some(ClusterId::new("0101-000000-abcd1234")));
    assert_eq!(task.code, Some(NotebookTask::new("/Shared/prepare").into()));

    let output = check("jobs/runs-get-output", &GetOutput(JobRunId::new(455_644_834)));
    let output = output.unwrap();
    assert_eq!(output.notebook_result.as_deref(), Some("42"));
    assert_eq!(output.run.unwrap().run_name, "nightly");

    check("jobs/runs-cancel", &Cancel(RUN)).unwrap();
    check("jobs/runs-cancel-all", &CancelAll(JobId::new(11_223_348))).unwrap();
    check("jobs/runs-delete", &DeleteRun(JobRunId::new(455_644_890))).unwrap();
    let export = Export(JobRunId::new(455_644_834), &ExportedViews::All);
    assert_eq!(check("jobs/runs-export", &export).unwrap()[0].kind, "NOTEBOOK");
    let parameters = RunParameters::default().with_notebook_param("day", "tuesday");
    let repair = RepairRun::tasks(["broken"]).with_dependent_tasks().with_parameters(parameters);
    let id = check("jobs/runs-repair", &Repair(JobRunId::new(455_644_840), &repair)).unwrap();
    assert_eq!(id, RepairId::new(734_650_698));

    let filter = RunFilter::default().with_active_only(true).with_job_id(JOB);
    let page = check("jobs/runs-list", &ListRuns { filter: &filter, token: None }).unwrap();
    assert_eq!(page.items[0].run_id, RUN);
    assert_eq!(page.next, Some(PageToken("next".to_owned())));
}

fn get_run(run_id: JobRunId) -> GetRun {
    GetRun { run_id, with_history: false, token: None }
}

#[test]
fn a_failed_task_is_over_and_no_success() {
    let output = check("jobs/runs-get-output-failed", &GetOutput(RUN)).unwrap();
    assert_eq!(output.error.as_deref(), Some("ValueError: boom"));
    let state = output.run.unwrap().state;
    assert_eq!(state.life_cycle_state, LifeCycleState::InternalError);
    assert_eq!(state.result_state, Some(ResultState::Failed));
    assert!(state.is_terminal() && !state.is_success());
}

#[test]
fn a_missing_run_is_not_found_although_the_service_says_400() {
    let err = check("jobs/runs-get-missing", &get_run(RUN)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[test]
fn a_kind_that_is_not_known_is_kept_as_it_came() {
    let body = r#"{"job_id":1,"settings":{"tasks":[
        {"task_key":"a","dbt_task":{"commands":["dbt run"]},"compute":{"x":1}}]}}"#;
    let response = http::Response::builder().status(200).body(body.into()).unwrap();
    let (job, _) = Get { job_id: JOB, token: None }.decode(response).unwrap();
    let [task] = job.settings.tasks.as_slice() else { panic!("{job:?}") };
    let TaskCode::Other(other) = &task.code else { panic!("{task:?}") };
    assert_eq!((other.kind(), other.json().as_str()), ("dbt_task", r#"{"commands":["dbt run"]}"#));
    assert_eq!(sent(&Reset(JOB, &job.settings))["new_settings"]["tasks"][0]["compute"]["x"], 1);
}

#[test]
fn jars_and_wheels_have_their_own_form() {
    let tasks = [
        Task::new("jar", SparkJarTask::new("com.example.Main").with_parameters(["a"])),
        Task::new("wheel", PythonWheelTask::new("tool", "main")),
    ];
    let run = SubmitRun::new("both", tasks);
    insta::assert_json_snapshot!(sent(&Submit { run: &run, token: "t" })["tasks"], @r#"
    [
      {
        "spark_jar_task": {
          "main_class_name": "com.example.Main",
          "parameters": [
            "a"
          ]
        },
        "task_key": "jar"
      },
      {
        "python_wheel_task": {
          "entry_point": "main",
          "package_name": "tool"
        },
        "task_key": "wheel"
      }
    ]
    "#);
}

fn sent(operation: &impl Operation) -> Value {
    let request = operation.encode("https://adb-1.test").unwrap();
    serde_json::from_slice(request.body()).unwrap()
}
