use std::time::Duration;

use azml_core::ErrorKind;

use super::*;
use crate::{
    clusters::{ClusterId, NewCluster},
    jobs::{
        JobId, LifeCycleState, NotebookTask, PythonWheelTask, ResultState, SparkJarTask,
        SparkPythonTask, Task,
    },
    libraries::Library,
    testing::check,
};

const RUN: JobRunId = JobRunId::new(455_644_833);

#[test]
fn every_call_is_as_saved() {
    let prepare = NotebookTask::new("/Shared/prepare").with_parameter("day", "monday");
    let train =
        SparkPythonTask::new("dbfs:/scripts/train.py").with_parameters(["--rate", "0.1"]);
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

    let (run, next) = check("jobs/runs-get", &Get { run_id: RUN, token: None }).unwrap();
    assert_eq!(next, None);
    assert_eq!(run.job_id, Some(JobId::new(11_223_344)));
    assert!(run.state.is_success());
    assert_eq!(run.tasks[0].run_id, JobRunId::new(455_644_834));
    assert_eq!(run.tasks[0].cluster_id, Some(ClusterId::new("0101-000000-abcd1234")));

    let output = check("jobs/runs-get-output", &GetOutput(JobRunId::new(455_644_834)));
    let output = output.unwrap();
    assert_eq!(output.notebook_result.as_deref(), Some("42"));
    assert_eq!(output.run.unwrap().run_name, "nightly");

    check("jobs/runs-cancel", &Cancel(RUN)).unwrap();
    let filter =
        RunFilter::default().with_active_only(true).with_job_id(JobId::new(11_223_344));
    let page = check("jobs/runs-list", &List { filter: &filter, token: None }).unwrap();
    assert_eq!(page.items[0].run_id, RUN);
    assert_eq!(page.next, Some(PageToken("next".to_owned())));
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
    let err = check("jobs/runs-get-missing", &Get { run_id: RUN, token: None }).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[test]
fn jars_and_wheels_have_their_own_form() {
    let tasks = [
        Task::new("jar", SparkJarTask::new("com.example.Main").with_parameters(["a"])),
        Task::new("wheel", PythonWheelTask::new("tool", "main")),
    ];
    let run = SubmitRun::new("both", tasks);
    let request = Submit { run: &run, token: "t" }.encode("https://adb-1.test").unwrap();
    let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
    insta::assert_json_snapshot!(body["tasks"], @r#"
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

#[test]
fn tasks_that_do_not_fit_together_are_refused() {
    let task = |key: &str| Task::new(key, NotebookTask::new("/a"));
    for (tasks, reason) in [
        (vec![], "tasks: is empty; a run has at least one"),
        (vec![task("a"), task("a")], "task_key: two tasks are named a; rename one"),
        (
            vec![task("a").with_dependency("b")],
            "depends_on: task a waits for b, which is not in the run; add it",
        ),
    ] {
        let run = SubmitRun::new("run", tasks);
        let err = Submit { run: &run, token: "t" }.encode("https://adb-1.test").unwrap_err();
        assert_eq!(err.to_string(), format!("databricks.jobs.runs.submit failed: {reason}"));
    }
}
