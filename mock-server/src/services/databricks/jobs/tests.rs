mod control;
mod definitions;
mod repair;
mod scale;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::advance;

use crate::{
    MockCloud,
    kernel::log::Memory,
    services::databricks::{
        clusters::tests::create,
        tests::{get, post},
        workspace::tests::import,
    },
};

async fn submit(cloud: &MockCloud, body: Value) -> i64 {
    let (status, answer) = post(cloud, "/api/2.1/jobs/runs/submit", body).await;
    assert_eq!(status, 200, "{answer}");
    answer["run_id"].as_i64().unwrap()
}

async fn run(cloud: &MockCloud, id: i64) -> Value {
    get(cloud, &format!("/api/2.2/jobs/runs/get?run_id={id}")).await.1
}

async fn output(cloud: &MockCloud, id: &Value) -> Value {
    get(cloud, &format!("/api/2.1/jobs/runs/get-output?run_id={id}")).await.1
}

fn machine() -> Value {
    json!({ "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1 })
}

fn notebook(key: &str, path: &str, depends_on: &[&str]) -> Value {
    let depends_on: Vec<Value> = depends_on.iter().map(|it| json!({ "task_key": it })).collect();
    json!({ "task_key": key, "notebook_task": { "notebook_path": path }, "depends_on": depends_on })
}

fn states(run: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap_or("-").to_owned();
    let state = |it: &Value| {
        let state = &it["state"];
        format!(
            "{} {} {}",
            text(&it["task_key"]),
            text(&state["life_cycle_state"]),
            text(&state["result_state"])
        )
    };
    run["tasks"].as_array().unwrap().iter().map(state).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_for_its_own_machines_works_and_lets_them_go() {
    let cloud = MockCloud::new();
    import(&cloud, "/Shared/nb", "1").await;
    let id = submit(
        &cloud,
        json!({ "tasks": [{
        "task_key": "main", "notebook_task": { "notebook_path": "/Shared/nb" },
        "new_cluster": machine(), "libraries": [{ "pypi": { "package": "six" } }],
    }] }),
    )
    .await;
    let seen = async || {
        let run = run(&cloud, id).await;
        (run["state"]["life_cycle_state"].clone(), run["status"]["state"].clone())
    };
    assert_eq!(seen().await, (json!("PENDING"), json!("PENDING")));
    advance(Duration::from_secs(4 * 60 + 30)).await;
    assert_eq!(seen().await, (json!("RUNNING"), json!("RUNNING")));
    advance(Duration::from_secs(60)).await;
    assert_eq!(seen().await, (json!("TERMINATED"), json!("TERMINATED")));

    let run = run(&cloud, id).await;
    let task = &run["tasks"][0];
    assert_eq!(
        (&task["setup_duration"], &task["execution_duration"]),
        (&json!(270_000), &json!(60_000))
    );
    let cluster = task["cluster_instance"]["cluster_id"].as_str().unwrap();
    let (_, cluster) = get(&cloud, &format!("/api/2.1/clusters/get?cluster_id={cluster}")).await;
    assert_eq!(
        (&cluster["state"], &cluster["cluster_source"]),
        (&json!("TERMINATING"), &json!("JOB"))
    );
}

#[tokio::test(start_paused = true)]
async fn one_look_after_an_hour_finds_what_sixty_looks_found() {
    let clouds = [(); 2].map(|()| {
        let log = Arc::new(Memory::default());
        (MockCloud::builder().with_log(log.clone()).build().unwrap(), log)
    });
    let tasks = json!({ "tasks": [
        { "task_key": "a", "notebook_task": { "notebook_path": "/none" }, "new_cluster": machine() },
        { "task_key": "b", "spark_python_task": { "python_file": "dbfs:/b.py" }, "new_cluster": machine() },
        { "task_key": "c", "spark_python_task": { "python_file": "dbfs:/c.py" }, "new_cluster": machine(),
          "depends_on": [{ "task_key": "b" }] },
    ] });
    let mut ids = Vec::new();
    for (cloud, _) in &clouds {
        ids.push(submit(cloud, tasks.clone()).await);
    }
    for _ in 0..60 {
        advance(Duration::from_secs(60)).await;
        run(&clouds[0].0, ids[0]).await;
    }
    let late = run(&clouds[1].0, ids[1]).await;
    assert_eq!(
        states(&late),
        ["a INTERNAL_ERROR FAILED", "b TERMINATED SUCCESS", "c TERMINATED SUCCESS"]
    );
    assert_eq!(clouds[0].1.records(), clouds[1].1.records());
}

#[tokio::test(start_paused = true)]
async fn a_rule_needs_no_cluster_and_no_notebook() {
    let cloud = MockCloud::new();
    cloud.set_outcomes(&json!([
        { "notebook_path": "/fail*", "result": "FAILED", "error": "ValueError: boom", "log": "oh", "after_seconds": 5 },
        { "task": "*", "result": "SUCCESS", "output": "42", "after_seconds": 0 },
    ])).unwrap();
    let id = submit(&cloud, json!({ "tasks": [
        notebook("one", "/x", &[]), notebook("two", "/fail/x", &["one"]), notebook("three", "/x", &["two"]),
        notebook("four", "/x", &["one"]),
    ] })).await;
    assert_eq!(run(&cloud, id).await["state"]["life_cycle_state"], "RUNNING");
    advance(Duration::from_secs(5)).await;
    let run = run(&cloud, id).await;
    assert_eq!(
        states(&run),
        [
            "one TERMINATED SUCCESS",
            "two INTERNAL_ERROR FAILED",
            "three SKIPPED UPSTREAM_FAILED",
            "four TERMINATED SUCCESS",
        ]
    );
    assert_eq!(run["state"]["result_state"], "FAILED");
    assert_eq!(run["status"]["termination_details"]["type"], "CLIENT_ERROR");
    let one = output(&cloud, &run["tasks"][0]["run_id"]).await;
    assert_eq!(one["notebook_output"], json!({ "result": "42", "truncated": false }));
    let two = output(&cloud, &run["tasks"][1]["run_id"]).await;
    assert_eq!(two["error"], "ValueError: boom");
    assert_eq!(output(&cloud, &json!(id)).await["error_code"], "INVALID_PARAMETER_VALUE");
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_canceled_and_who_takes_too_long_is_timed_out() {
    let cloud = MockCloud::new();
    cloud.set_outcomes(&json!([{ "task": "*", "result": "RUNNING" }])).unwrap();
    let id =
        submit(&cloud, json!({ "tasks": [notebook("a", "/x", &[]), notebook("b", "/x", &["a"])] }))
            .await;
    assert_eq!(post(&cloud, "/api/2.1/jobs/runs/cancel", json!({ "run_id": id })).await.0, 200);
    let canceled = run(&cloud, id).await;
    assert_eq!(states(&canceled), ["a TERMINATED CANCELED", "b TERMINATED CANCELED"]);
    assert_eq!(canceled["status"]["termination_details"]["code"], "USER_CANCELED");

    let mut task = notebook("a", "/x", &[]);
    task["timeout_seconds"] = json!(30);
    let id = submit(&cloud, json!({ "tasks": [task] })).await;
    advance(Duration::from_secs(30)).await;
    assert_eq!(run(&cloud, id).await["state"]["result_state"], "TIMEDOUT");
}

#[tokio::test(start_paused = true)]
async fn a_task_fails_with_the_cluster_that_it_runs_on() {
    let cloud = MockCloud::new();
    let cluster = create(&cloud, json!({})).await;
    advance(Duration::from_secs(240)).await;
    let task = json!({ "task_key": "a", "spark_python_task": { "python_file": "dbfs:/a.py" }, "existing_cluster_id": cluster });
    let id = submit(&cloud, json!({ "tasks": [task] })).await;
    assert_eq!(run(&cloud, id).await["state"]["life_cycle_state"], "RUNNING");
    post(&cloud, "/api/2.1/clusters/delete", json!({ "cluster_id": cluster })).await;
    let lost = run(&cloud, id).await;
    assert_eq!(lost["status"]["termination_details"]["code"], "CLUSTER_ERROR");

    // A cluster that is asleep is woken up.
    advance(Duration::from_secs(60)).await;
    let task = json!({ "task_key": "a", "spark_python_task": { "python_file": "dbfs:/a.py" }, "existing_cluster_id": cluster });
    let id = submit(&cloud, json!({ "tasks": [task] })).await;
    advance(Duration::from_secs(5 * 60)).await;
    assert_eq!(run(&cloud, id).await["state"]["result_state"], "SUCCESS");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_as_often_as_asked() {
    let cloud = MockCloud::new();
    cloud.set_outcomes(&json!([{ "task": "*", "result": "FAILED", "after_seconds": 1 }])).unwrap();
    let mut task = notebook("a", "/x", &[]);
    task["max_retries"] = json!(2);
    let id = submit(&cloud, json!({ "tasks": [task] })).await;
    // One second of work each, and a pause of one, then two seconds.
    advance(Duration::from_secs(6)).await;
    let run = run(&cloud, id).await;
    let attempts: Vec<&Value> =
        run["tasks"].as_array().unwrap().iter().map(|it| &it["attempt_number"]).collect();
    assert_eq!(attempts, [0, 1, 2]);
    assert_eq!(run["state"]["result_state"], "FAILED");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_at_once_and_may_do_so_for_ever_leaves_the_cloud_answering() {
    let cloud = MockCloud::builder().with_delay(0.0).build().unwrap();
    cloud.set_outcomes(&json!([{ "task": "*", "result": "FAILED" }])).unwrap();
    let mut task = notebook("a", "/x", &[]);
    task["max_retries"] = json!(-1);
    let id = submit(&cloud, json!({ "tasks": [task] })).await;
    advance(Duration::from_secs(60)).await;
    let attempts = run(&cloud, id).await["tasks"].as_array().unwrap().len();
    assert!((4..=8).contains(&attempts), "{attempts} tries in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_out_of_time_tries_nothing_again() {
    let cloud = MockCloud::new();
    cloud.set_outcomes(&json!([{ "task": "*", "result": "RUNNING" }])).unwrap();
    let mut task = notebook("a", "/x", &[]);
    task["max_retries"] = json!(-1);
    task["retry_on_timeout"] = json!(true);
    let id = submit(&cloud, json!({ "tasks": [task], "timeout_seconds": 30 })).await;
    advance(Duration::from_secs(60)).await;
    let run = run(&cloud, id).await;
    assert_eq!(
        (run["tasks"].as_array().unwrap().len(), &run["state"]["result_state"]),
        (1, &"TIMEDOUT".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_beyond_all_time_never_comes() {
    let cloud = MockCloud::new();
    cloud
        .set_outcomes(&json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1e15 }]))
        .unwrap();
    let mut task = notebook("a", "/x", &[]);
    task["timeout_seconds"] = json!(i64::MAX);
    let id = submit(&cloud, json!({ "tasks": [task], "timeout_seconds": i64::MAX })).await;
    advance(Duration::from_secs(3600)).await;
    assert_eq!(run(&cloud, id).await["state"]["life_cycle_state"], "RUNNING");
}

#[tokio::test]
async fn no_token_is_shown_by_debug() {
    let cloud = MockCloud::new();
    let (_, made) = post(&cloud, "/api/2.0/token/create", json!({})).await;
    let shown = cloud.kernel().inspect(|world| format!("{world:?}"));
    assert!(!shown.contains(made["token_value"].as_str().unwrap()));
    assert!(!shown.contains("dapi-fake-token"));
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_before_anything_happens() {
    let cloud = MockCloud::new();
    let refused = async |tasks: Value| {
        let (status, body) =
            post(&cloud, "/api/2.1/jobs/runs/submit", json!({ "tasks": tasks })).await;
        (status, body["message"].as_str().unwrap().to_owned())
    };
    let cycle = json!([notebook("a", "/x", &["b"]), notebook("b", "/x", &["a"])]);
    assert_eq!(refused(cycle).await, (400, "Task 'a' depends on itself".into()));
    let twice = json!([notebook("a", "/x", &[]), notebook("a", "/x", &[])]);
    assert_eq!(refused(twice).await, (400, "Task key 'a' is used more than once".into()));
    let unknown = json!([{ "task_key": "a", "sql_task": {} }]);
    assert_eq!(refused(unknown).await, (501, "azml-mock does not emulate sql_task".into()));
    let (status, missing) = get(&cloud, "/api/2.1/jobs/runs/get?run_id=77").await;
    assert_eq!((status, &missing["message"]), (400, &json!("Run 77 does not exist.")));
    assert_eq!(get(&cloud, "/api/2.1/jobs/runs/list").await.1, json!({ "has_more": false }));
}

#[tokio::test(start_paused = true)]
async fn a_saved_job_runs_with_the_parameters_of_the_run() {
    let cloud = MockCloud::new();
    cloud
        .set_outcomes(&json!([{ "job": "nightly", "result": "SUCCESS", "after_seconds": 0 }]))
        .unwrap();
    let settings = json!({ "name": "nightly", "tasks": [notebook("a", "/x", &[])] });
    let (_, job) = post(&cloud, "/api/2.1/jobs/create", settings).await;
    let job_id = &job["job_id"];
    let now =
        json!({ "job_id": job_id, "notebook_params": { "day": 1 }, "idempotency_token": "t" });
    let (_, first) = post(&cloud, "/api/2.1/jobs/run-now", now.clone()).await;
    assert_eq!(post(&cloud, "/api/2.1/jobs/run-now", now).await.1, first);
    let run = run(&cloud, first["run_id"].as_i64().unwrap()).await;
    assert_eq!((&run["run_type"], &run["job_id"]), (&json!("JOB_RUN"), job_id));
    assert_eq!(run["tasks"][0]["notebook_task"]["base_parameters"], json!({ "day": "1" }));
    let (_, listed) = get(&cloud, "/api/2.1/jobs/runs/list?completed_only=true&limit=25").await;
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
    post(&cloud, "/api/2.1/jobs/delete", json!({ "job_id": job_id })).await;
    let (status, _) = get(&cloud, &format!("/api/2.1/jobs/get?job_id={job_id}")).await;
    assert_eq!(status, 400);
}
