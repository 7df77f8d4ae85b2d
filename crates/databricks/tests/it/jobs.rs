use std::time::Duration;

use azml_core::{ErrorKind, Progress, WaitOptions};
use azml_databricks::{
    clusters::NewCluster,
    jobs::{
        Comparison, ConditionTask, CronSchedule, Dependency, ExportedViews, ForEachTask, JobFilter,
        JobId, JobRunId, JobSettings, JobUpdate, Jobs, JobsClient, LifeCycleState, NotebookTask,
        RepairRun, ResultState, RunFilter, RunIf, RunJobTask, RunNow, RunParameters, RunType,
        SparkPythonTask, SqlTask, SubmitRun, Task, TaskCode,
    },
};
use azml_mock::Fault;
use azml_testkit::TestContext;
use futures_util::{StreamExt, TryStreamExt};
use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::{databricks, stale};

fn notebook(key: &str) -> Task {
    Task::new(key, NotebookTask::new("/Shared/a"))
}

/// Jobs of a cloud where each task ends as the rules say.
fn jobs(ctx: &TestContext, rules: &serde_json::Value) -> JobsClient {
    ctx.cloud.set_outcomes(rules).unwrap();
    databricks(ctx).jobs()
}

/// What every implementation keeps.
async fn jobs_contract(jobs: &dyn Jobs) {
    let settings = JobSettings::new("nightly", [notebook("a"), notebook("b").with_dependency("a")])
        .with_parameter("day", "monday")
        .with_tag("team", "wine");
    let job_id = jobs.create(&settings).await.unwrap();
    let job = jobs.get(job_id).await.unwrap();
    assert_eq!(job.job_id, job_id);
    assert_eq!(job.settings.name.as_deref(), Some("nightly"));
    assert_eq!(job.settings.tasks.len(), 2);
    assert_eq!(job.settings.tags["team"], "wine");
    assert_ne!(jobs.create(&settings).await.unwrap(), job_id, "names need not be unique");

    jobs.reset(job_id, &JobSettings::new("weekly", [notebook("c")])).await.unwrap();
    let job = jobs.get(job_id).await.unwrap();
    assert_eq!((job.settings.tasks.len(), job.settings.parameters.len()), (1, 0));
    let found: Vec<_> =
        jobs.list(JobFilter::default().with_name("WEEKLY")).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|it| it.job_id).collect::<Vec<_>>(), [job_id]);

    let run_id = jobs.run_now(job_id, &RunNow::default()).await.unwrap();
    assert_eq!(jobs.get_run(run_id).await.unwrap().job_id, Some(job_id));
    jobs.cancel_all_runs(job_id).await.unwrap();
    let run = jobs.get_run(run_id).await.unwrap();
    assert_eq!(run.state.result_state, Some(ResultState::Canceled));
    jobs.delete_run(run_id).await.unwrap();
    let err = jobs.get_run(run_id).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);

    jobs.delete(job_id).await.unwrap();
    assert_eq!(jobs.get(job_id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(jobs.delete(JobId::new(404)).await.is_err());
    let err = jobs.get_run(JobRunId::new(404)).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    jobs_contract(&jobs(&ctx, &json!([{ "task": "*", "result": "RUNNING" }]))).await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_definition_comes_back_as_it_was_saved() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([]));
    let python = SparkPythonTask::new("dbfs:/a.py").with_parameters(["x"]);
    let tasks = [
        notebook("load").on_job_cluster("shared").with_timeout(Duration::from_secs(60)),
        Task::new(
            "big",
            ConditionTask::new("{{job.parameters.size}}", Comparison::GreaterThan, "10"),
        )
        .with_dependency("load"),
        Task::new("train", python)
            .on_new_cluster(NewCluster::single_node("15.4.x-scala2.12", "Standard_DS3_v2"))
            .with_dependency(Dependency::on_outcome("big", true))
            .with_max_retries(2)
            .with_min_retry_interval(Duration::from_millis(1500)),
        Task::new("each", ForEachTask::new("[1,2]", notebook("one")).with_concurrency(2)),
        Task::new("report", SqlTask::file("wh", "/Shared/r.sql").with_parameter("a", "b"))
            .with_dependency("train")
            .with_run_if(RunIf::AllDone),
    ];
    let settings = JobSettings::new("all", tasks)
        .with_job_cluster("shared", NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2"))
        .with_parameter("size", "5")
        .with_schedule(CronSchedule::new("0 0 3 * * ?", "UTC"))
        .with_queue(true)
        .with_extra("performance_target", "STANDARD")
        .unwrap();

    let id = jobs.create(&settings).await.unwrap();
    let read = jobs.get(id).await.unwrap().settings;

    for (read, sent) in read.tasks.iter().zip(&settings.tasks) {
        assert_eq!(read.code, sent.code);
        assert_eq!(read.compute, sent.compute);
        assert_eq!(read.depends_on, sent.depends_on);
        assert_eq!(read.max_retries, sent.max_retries);
        assert_eq!(read.min_retry_interval, sent.min_retry_interval);
        assert_eq!(read.timeout, sent.timeout);
    }
    assert_eq!(read.job_clusters, settings.job_clusters);
    assert_eq!(read.schedule, settings.schedule);
    // What is read can be saved as it is.
    jobs.reset(id, &read).await.unwrap();
    assert_eq!(jobs.get(id).await.unwrap().settings, read);
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_and_removes_what_it_names() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([]));
    let settings = JobSettings::new("a", [notebook("a"), notebook("b")]).with_description("old");
    let id = jobs.create(&settings).await.unwrap();

    let changed = notebook("a").with_timeout(Duration::from_secs(5));
    let update = JobUpdate::new(JobSettings::default().with_name("new").with_task(changed))
        .without("description")
        .without_task(&"b".into());
    jobs.update(id, &update).await.unwrap();

    let read = jobs.get(id).await.unwrap().settings;
    assert_eq!((read.name.as_deref(), read.description), (Some("new"), None));
    assert_eq!(read.tasks.len(), 1);
    assert_eq!(read.tasks[0].timeout, Some(Duration::from_secs(5)));
}

#[tokio::test(start_paused = true)]
async fn more_tasks_than_a_page_has_come_together() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1 }]));
    let tasks: Vec<Task> = (0..230).map(|it| notebook(&format!("t{it}"))).collect();
    let id = jobs.create(&JobSettings::new("wide", tasks)).await.unwrap();

    let job = jobs.get(id).await.unwrap();
    assert_eq!((job.settings.tasks.len(), job.has_more), (230, false));
    let filter = JobFilter::default().with_expand_tasks(true);
    let listed: Vec<_> = jobs.list(filter).try_collect().await.unwrap();
    assert_eq!((listed[0].settings.tasks.len(), listed[0].has_more), (100, true));

    let run_id = jobs.run_now(id, &RunNow::default()).await.unwrap();
    let run = jobs.wait_until_terminated(run_id, WaitOptions::default()).await.unwrap();
    assert_eq!((run.tasks.len(), run.has_more), (230, false));
    assert!(run.state.is_success());
}

#[tokio::test(start_paused = true)]
async fn the_wait_shows_each_task_on_its_way() {
    let ctx = TestContext::new();
    let rules = json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 15, "output": "42" }]);
    let jobs = jobs(&ctx, &rules);
    let run = SubmitRun::new("two", [notebook("a"), notebook("b").with_dependency("a")]);
    let start = Instant::now();
    let run_id = jobs.submit(&run).await.unwrap();

    let seen: Vec<_> = jobs
        .poll_until_terminated(run_id, WaitOptions::default())
        .into_stream()
        .map_ok(|it| match it {
            Progress::Pending(on_the_way) => format!("{on_the_way:?}"),
            Progress::Done(run) => run.state.to_string(),
        })
        .try_collect()
        .await
        .unwrap();

    let first = "RUNNING (a RUNNING, b BLOCKED)";
    let second = "RUNNING (a TERMINATED, b RUNNING)";
    assert_eq!(seen, [first, first, second, "TERMINATED SUCCESS"]);
    assert_eq!(start.elapsed().as_secs(), 30);
    let run = jobs.get_run(run_id).await.unwrap();
    let output = jobs.get_run_output(run.task("b").unwrap().run_id).await.unwrap();
    assert_eq!(output.notebook_result.as_deref(), Some("42"));
    let err = jobs.get_run_output(run_id).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn a_submission_whose_answer_was_lost_makes_one_run() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([{ "task": "*", "result": "SUCCESS" }]));
    ctx.cloud.inject(
        Fault::operation("databricks.jobs.runs.submit", StatusCode::SERVICE_UNAVAILABLE)
            .after_handler(),
    );

    let run_id = jobs.submit(&SubmitRun::new("once", [notebook("a")])).await.unwrap();

    let runs: Vec<_> = jobs.list_runs(RunFilter::default()).try_collect().await.unwrap();
    assert_eq!(runs.iter().map(|it| it.run_id).collect::<Vec<_>>(), [run_id]);
}

#[tokio::test(start_paused = true)]
async fn a_run_now_whose_answer_was_lost_makes_one_run() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([{ "task": "*", "result": "SUCCESS" }]));
    let id = jobs.create(&JobSettings::new("a", [notebook("a")])).await.unwrap();
    ctx.cloud.inject(
        Fault::operation("databricks.jobs.run_now", StatusCode::BAD_GATEWAY).after_handler(),
    );

    let run_id = jobs.run_now(id, &RunNow::default()).await.unwrap();

    let filter = RunFilter::default().with_job_id(id).with_run_type(RunType::JobRun);
    let runs: Vec<_> = jobs.list_runs(filter).try_collect().await.unwrap();
    assert_eq!(runs.iter().map(|it| it.run_id).collect::<Vec<_>>(), [run_id]);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_not_repeated() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([]));
    ctx.cloud.inject(
        Fault::operation("databricks.jobs.create", StatusCode::BAD_GATEWAY).after_handler(),
    );
    let err = jobs.create(&JobSettings::new("a", [notebook("a")])).await.unwrap_err();
    assert_eq!((err.kind(), err.attempts()), (ErrorKind::Unavailable, 1));
    assert_eq!(jobs.list(JobFilter::default()).count().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_waits_as_told() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([]));
    ctx.cloud.inject(
        Fault::operation("databricks.jobs.create", StatusCode::TOO_MANY_REQUESTS)
            .with_retry_after(Duration::from_secs(9)),
    );
    let start = Instant::now();
    jobs.create(&JobSettings::new("a", [notebook("a")])).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_is_repaired_and_its_history_told() {
    let ctx = TestContext::new();
    let rules = json!([
        { "task": "b", "result": "FAILED", "error": "ValueError: boom", "after_seconds": 1 },
        { "task": "*", "result": "SUCCESS", "after_seconds": 1 },
    ]);
    let jobs = jobs(&ctx, &rules);
    let tasks =
        [notebook("a"), notebook("b").with_dependency("a"), notebook("c").with_dependency("b")];
    let run_id = jobs.submit(&SubmitRun::new("r", tasks)).await.unwrap();
    let failed = jobs.wait_until_terminated(run_id, WaitOptions::default()).await.unwrap();
    assert!(!failed.state.is_success());
    assert_eq!(failed.task("b").unwrap().state.life_cycle_state, LifeCycleState::InternalError);
    assert_eq!(failed.task("c").unwrap().state.result_state, Some(ResultState::UpstreamFailed));
    let why = failed.task("b").unwrap().status.clone().unwrap().termination.unwrap();
    assert_eq!(why.code, "RUN_EXECUTION_ERROR");

    ctx.cloud.set_outcomes(&json!([{ "task": "*", "result": "SUCCESS" }])).unwrap();
    let repair = jobs.repair_run(run_id, &RepairRun::all_failed()).await.unwrap();
    let repaired = jobs.wait_until_terminated(run_id, WaitOptions::default()).await.unwrap();
    assert!(repaired.state.is_success());
    assert_eq!(repaired.task("b").unwrap().attempt_number, 1);

    let told = jobs.get_run_with_history(run_id).await.unwrap();
    assert_eq!(told.latest_repair_id(), Some(repair));
    assert_eq!(told.repair_history.len(), 2);
    let again = RepairRun::tasks(["a"]);
    assert!(jobs.repair_run(run_id, &again).await.is_err(), "the repair before is not named");
    jobs.repair_run(run_id, &again.after(told.latest_repair_id())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn conditions_loops_and_called_jobs_tell_what_they_came_to() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1 }]));
    let callee = JobSettings::new("callee", [notebook("x")]).with_parameter("day", "monday");
    let callee = jobs.create(&callee).await.unwrap();
    let tasks = [
        Task::new("big", ConditionTask::new("3", Comparison::GreaterThan, "10")),
        notebook("yes").with_dependency(Dependency::on_outcome("big", true)),
        notebook("no").with_dependency(Dependency::on_outcome("big", false)),
        Task::new("each", ForEachTask::new("[1, 2, 3]", notebook("one")).with_concurrency(3)),
        Task::new(
            "call",
            RunJobTask::new(callee)
                .with_parameters(RunParameters::default().with_job_parameter("day", "tuesday")),
        ),
    ];
    let run_id = jobs.submit(&SubmitRun::new("control", tasks)).await.unwrap();
    let run = jobs.wait_until_terminated(run_id, WaitOptions::default()).await.unwrap();

    assert_eq!(run.task("big").unwrap().outcome, Some(false));
    assert_eq!(run.task("yes").unwrap().state.result_state, Some(ResultState::Excluded));
    assert!(run.task("no").unwrap().state.is_success());
    let each = jobs.get_run(run.task("each").unwrap().run_id).await.unwrap();
    assert_eq!((each.iterations.len(), each.job_run_id), (3, Some(run_id)));
    let output = jobs.get_run_output(run.task("call").unwrap().run_id).await.unwrap();
    let inner = jobs.get_run(output.called_run_id.unwrap()).await.unwrap();
    assert_eq!((inner.job_id, inner.trigger.as_deref()), (Some(callee), Some("RUN_JOB_TASK")));
    assert_eq!(inner.job_parameters[0].value, "tuesday");
    assert_eq!(inner.job_parameters[0].default.as_deref(), Some("monday"));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_canceled_and_a_notebook_exported() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([{ "task": "*", "result": "RUNNING" }]));
    let run_id = jobs.submit(&SubmitRun::new("r", [notebook("a")])).await.unwrap();
    let active = RunFilter::default().with_active_only(true).with_expand_tasks(true);
    let found: Vec<_> = jobs.list_runs(active.clone()).try_collect().await.unwrap();
    assert!(matches!(found[0].tasks[0].code, Some(TaskCode::Notebook(_))));

    jobs.cancel_run(run_id).await.unwrap();
    jobs.cancel_run(run_id).await.unwrap();
    let run = jobs.wait_until_terminated(run_id, WaitOptions::default()).await.unwrap();
    assert_eq!(run.status.unwrap().termination.unwrap().code, "USER_CANCELED");
    assert_eq!(jobs.list_runs(active).count().await, 0);

    let views = jobs.export_run(run.tasks[0].run_id, &ExportedViews::Code).await.unwrap();
    assert_eq!((views[0].name.as_str(), views[0].kind.as_str()), ("a", "NOTEBOOK"));
}

#[tokio::test(start_paused = true)]
async fn runs_are_listed_over_pages_and_by_time() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 0 }]));
    for number in 0..45 {
        jobs.submit(&SubmitRun::new(format!("r{number}"), [notebook("a")])).await.unwrap();
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    let all: Vec<_> =
        jobs.list_runs(RunFilter::default().with_completed_only(true)).try_collect().await.unwrap();
    assert_eq!(all.len(), 45);
    assert_eq!(all[0].run_name, "r44", "the newest is first");
    let (from, to) = (all[20].started_at.unwrap(), all[11].started_at.unwrap());
    let some = RunFilter::default().with_started_from(from).with_started_to(to);
    assert_eq!(jobs.list_runs(some).count().await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_short_names_the_tasks() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([{ "task": "*", "result": "RUNNING" }]));
    let run_id = jobs.submit(&SubmitRun::new("r", [notebook("a")])).await.unwrap();
    let options = WaitOptions::default().with_timeout(Duration::from_secs(5));
    let err = jobs.wait_until_terminated(run_id, options).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        "databricks.jobs.runs.wait_until_terminated failed: not done after 5s; the last state was \
         RUNNING (a RUNNING)"
    );
}

#[tokio::test]
async fn a_task_on_a_cluster_that_is_not_there_is_refused_unsent() {
    let ctx = TestContext::new();
    let jobs = databricks(&ctx).jobs();
    let task = notebook("a").on_job_cluster("k");
    let err = jobs.create(&JobSettings::new("a", [task])).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    assert!(err.service_fault().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_not_seen_at_once_is_waited_for_all_the_same() {
    let ctx = TestContext::new();
    let jobs = jobs(&ctx, &json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 5 }]));
    ctx.cloud.inject(stale("databricks.jobs.runs.get"));
    let run_id = jobs.submit(&SubmitRun::new("r", [notebook("a")])).await.unwrap();
    let run = jobs.wait_until_terminated(run_id, WaitOptions::default()).await.unwrap();
    assert!(run.state.is_success());

    // One that is never seen is not.
    let wait = jobs.wait_until_terminated(JobRunId::new(404), WaitOptions::default());
    assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::NotFound);
}
