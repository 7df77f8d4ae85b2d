use super::*;

fn quick(cloud: &MockCloud) {
    cloud
        .set_outcomes(&json!([
            { "notebook_path": "/fail*", "result": "FAILED", "after_seconds": 0 },
            { "task": "*", "result": "SUCCESS", "after_seconds": 1 },
        ]))
        .unwrap();
}

fn behind(key: &str, condition: &str, outcome: &str) -> Value {
    let mut task = notebook(key, "/x", &[]);
    task["depends_on"] = json!([{ "task_key": condition, "outcome": outcome }]);
    task
}

#[tokio::test(start_paused = true)]
async fn a_condition_decides_which_branch_runs() {
    let cloud = MockCloud::new();
    quick(&cloud);
    let condition = json!({
        "task_key": "c", "condition_task": { "op": "GREATER_THAN", "left": "{{job.parameters.n}}", "right": "5" },
    });
    let tasks = json!([
        condition,
        behind("yes", "c", "true"),
        behind("no", "c", "false"),
        notebook("after_no", "/x", &["no"]),
        notebook("after_both", "/x", &["yes", "no"]),
    ]);
    let job = json!({ "tasks": tasks, "parameters": [{ "name": "n", "default": "1" }] });
    let (_, job) = post(&cloud, "/api/2.2/jobs/create", job).await;
    let now = json!({ "job_id": job["job_id"], "job_parameters": { "n": 10 } });
    let (_, made) = post(&cloud, "/api/2.2/jobs/run-now", now).await;
    advance(Duration::from_secs(5)).await;
    let path =
        format!("/api/2.2/jobs/runs/get?run_id={}&include_resolved_values=true", made["run_id"]);
    let (_, run) = get(&cloud, &path).await;
    assert_eq!(
        states(&run),
        [
            "c TERMINATED SUCCESS",
            "yes TERMINATED SUCCESS",
            "no SKIPPED EXCLUDED",
            "after_no SKIPPED EXCLUDED",
            "after_both TERMINATED SUCCESS",
        ]
    );
    assert_eq!(run["state"]["result_state"], "SUCCESS");
    assert_eq!(run["tasks"][0]["condition_task"]["outcome"], "true");
    assert_eq!(run["tasks"][0]["condition_task"]["left"], "{{job.parameters.n}}");
    assert_eq!(run["tasks"][0]["resolved_values"]["condition_task"]["left"], "10");
    assert_eq!(run["job_parameters"], json!([{ "name": "n", "default": "1", "value": "10" }]));
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_compares_no_numbers_fails() {
    let cloud = MockCloud::new();
    let condition = json!({ "task_key": "c", "condition_task": { "op": "LESS_THAN", "left": "a", "right": "5" } });
    let id = submit(&cloud, json!({ "tasks": [condition] })).await;
    let run = run(&cloud, id).await;
    assert_eq!(run["status"]["termination_details"]["code"], "INVALID_RUN_CONFIGURATION");
}

#[tokio::test(start_paused = true)]
async fn each_way_to_depend_is_kept() {
    let cloud = MockCloud::new();
    quick(&cloud);
    let mut tasks = vec![notebook("good", "/x", &[]), notebook("bad", "/fail", &[])];
    for rule in [
        "ALL_SUCCESS",
        "ALL_DONE",
        "NONE_FAILED",
        "AT_LEAST_ONE_SUCCESS",
        "ALL_FAILED",
        "AT_LEAST_ONE_FAILED",
    ] {
        let mut task = notebook(rule, "/x", &["good", "bad"]);
        task["run_if"] = json!(rule);
        tasks.push(task);
    }
    let id = submit(&cloud, json!({ "tasks": tasks })).await;
    advance(Duration::from_secs(5)).await;
    assert_eq!(
        states(&run(&cloud, id).await)[2..],
        [
            "ALL_SUCCESS SKIPPED UPSTREAM_FAILED",
            "ALL_DONE TERMINATED SUCCESS",
            "NONE_FAILED SKIPPED UPSTREAM_FAILED",
            "AT_LEAST_ONE_SUCCESS TERMINATED SUCCESS",
            "ALL_FAILED SKIPPED EXCLUDED",
            "AT_LEAST_ONE_FAILED TERMINATED SUCCESS",
        ]
    );
}

fn each(inputs: &str, concurrency: usize, path: &str) -> Value {
    json!({ "task_key": "loop", "for_each_task": {
        "inputs": inputs, "concurrency": concurrency,
        "task": { "task_key": "inner", "notebook_task": {
            "notebook_path": path, "base_parameters": { "day": "{{input.day}}", "all": "{{input}}" },
        } },
    } })
}

#[tokio::test(start_paused = true)]
async fn a_loop_runs_as_many_at_once_as_it_may() {
    let cloud = MockCloud::new();
    quick(&cloud);
    let inputs = r#"[{"day":1},{"day":2},{"day":3}]"#;
    let id = submit(&cloud, json!({ "tasks": [each(inputs, 2, "/x")] })).await;
    let stats = async || {
        run(&cloud, id).await["tasks"][0]["for_each_task"]["stats"]["task_run_stats"].clone()
    };
    assert_eq!(
        stats().await,
        json!({ "total_iterations": 3, "scheduled_iterations": 2, "active_iterations": 2,
            "completed_iterations": 0, "succeeded_iterations": 0, "failed_iterations": 0 })
    );
    advance(Duration::from_secs(1)).await;
    assert_eq!(stats().await["active_iterations"], 1);
    advance(Duration::from_secs(1)).await;
    let whole = run(&cloud, id).await;
    assert_eq!(whole["state"]["result_state"], "SUCCESS");
    let task = run(&cloud, whole["tasks"][0]["run_id"].as_i64().unwrap()).await;
    let iterations = task["iterations"].as_array().unwrap();
    assert_eq!(iterations.len(), 3);
    assert_eq!(
        iterations[1]["notebook_task"]["base_parameters"],
        json!({ "day": "2", "all": r#"{"day":2}"# })
    );
    let one = output(&cloud, &iterations[1]["run_id"]).await;
    assert_eq!(one["metadata"]["task_key"], "inner");
}

#[tokio::test(start_paused = true)]
async fn a_loop_fails_with_its_iterations_and_is_canceled_with_them() {
    let cloud = MockCloud::new();
    quick(&cloud);
    let id = submit(&cloud, json!({ "tasks": [each("[1, 2]", 1, "/fail")] })).await;
    advance(Duration::from_secs(1)).await;
    let failed = run(&cloud, id).await;
    assert_eq!(failed["tasks"][0]["state"]["state_message"], "2 of 2 iterations failed.");
    let id = submit(&cloud, json!({ "tasks": [each("no list", 1, "/x")] })).await;
    assert_eq!(
        run(&cloud, id).await["status"]["termination_details"]["code"],
        "INVALID_RUN_CONFIGURATION"
    );
    let id = submit(&cloud, json!({ "tasks": [each("[]", 1, "/x")] })).await;
    assert_eq!(run(&cloud, id).await["state"]["result_state"], "SUCCESS");

    let id = submit(&cloud, json!({ "tasks": [each("[1, 2]", 1, "/x")] })).await;
    post(&cloud, "/api/2.2/jobs/runs/cancel", json!({ "run_id": id })).await;
    let canceled = run(&cloud, id).await;
    assert_eq!(states(&canceled), ["loop TERMINATED CANCELED"]);
    let task = run(&cloud, canceled["tasks"][0]["run_id"].as_i64().unwrap()).await;
    assert_eq!(task["iterations"][0]["state"]["result_state"], "CANCELED");
}

#[tokio::test(start_paused = true)]
async fn a_task_waits_for_the_run_of_another_job() {
    let cloud = MockCloud::new();
    quick(&cloud);
    let inner = json!({ "name": "inner", "tasks": [notebook("a", "/x", &[])],
        "parameters": [{ "name": "p", "default": "1" }] });
    let (_, inner) = post(&cloud, "/api/2.2/jobs/create", inner).await;
    let call = json!({ "task_key": "call", "run_job_task": {
        "job_id": inner["job_id"], "job_parameters": { "p": "{{job.run_id}}" },
    } });
    let id = submit(&cloud, json!({ "tasks": [call] })).await;
    assert_eq!(run(&cloud, id).await["state"]["life_cycle_state"], "RUNNING");
    advance(Duration::from_secs(1)).await;
    let outer = run(&cloud, id).await;
    assert_eq!(outer["state"]["result_state"], "SUCCESS");
    let out = output(&cloud, &outer["tasks"][0]["run_id"]).await;
    let child = run(&cloud, out["run_job_output"]["run_id"].as_i64().unwrap()).await;
    assert_eq!((&child["trigger"], &child["job_id"]), (&json!("RUN_JOB_TASK"), &inner["job_id"]));
    // The task that calls resolves the reference, not the job that is called.
    assert_eq!(child["job_parameters"][0]["value"], json!(id.to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_runs_itself_comes_to_an_end() {
    let cloud = MockCloud::new();
    let (_, job) = post(&cloud, "/api/2.2/jobs/create", json!({ "tasks": [] })).await;
    let call = json!([{ "task_key": "call", "run_job_task": { "job_id": job["job_id"] } }]);
    let change = json!({ "job_id": job["job_id"],
        "new_settings": { "tasks": call, "max_concurrent_runs": 100 } });
    post(&cloud, "/api/2.2/jobs/update", change).await;
    let (_, made) = post(&cloud, "/api/2.2/jobs/run-now", json!({ "job_id": job["job_id"] })).await;
    let run = run(&cloud, made["run_id"].as_i64().unwrap()).await;
    assert_eq!(run["state"]["result_state"], "FAILED");
}

#[tokio::test(start_paused = true)]
async fn tasks_of_a_run_share_a_job_cluster_until_the_last_has_ended() {
    let cloud = MockCloud::new();
    let file = |key: &str, before: &[&str]| {
        let before: Vec<Value> = before.iter().map(|it| json!({ "task_key": it })).collect();
        json!({ "task_key": key, "spark_python_task": { "python_file": "dbfs:/a.py" },
            "job_cluster_key": "k", "depends_on": before })
    };
    let id = submit(
        &cloud,
        json!({
            "tasks": [file("a", &[]), file("b", &["a"]), file("c", &["a"])],
            "job_clusters": [{ "job_cluster_key": "k", "new_cluster": machine() }],
        }),
    )
    .await;
    advance(Duration::from_secs(4 * 60 + 90)).await;
    let going = run(&cloud, id).await;
    assert_eq!(states(&going), ["a TERMINATED SUCCESS", "b RUNNING -", "c RUNNING -"]);
    let cluster = |it: &Value, at: usize| {
        it["tasks"][at]["cluster_instance"]["cluster_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(cluster(&going, 0), cluster(&going, 2));
    let path = format!("/api/2.1/clusters/get?cluster_id={}", cluster(&going, 0));
    assert_eq!(get(&cloud, &path).await.1["state"], "RUNNING");
    advance(Duration::from_secs(60)).await;
    assert_eq!(run(&cloud, id).await["state"]["result_state"], "SUCCESS");
    assert_ne!(get(&cloud, &path).await.1["state"], "RUNNING");
}

#[tokio::test(start_paused = true)]
async fn references_are_resolved_when_the_task_begins() {
    let cloud = MockCloud::new();
    quick(&cloud);
    let mut task = notebook("b", "/x", &["a"]);
    task["notebook_task"]["base_parameters"] = json!({
        "run": "{{job.run_id}}/{{tasks.a.result_state}}", "key": "{{task.name}}", "odd": "{{nobody.knows}}",
        "value": "{{tasks.a.values.n}}", "name": "{{ job.name }}", "old": "{{parent_run_id}}",
    });
    let id =
        submit(&cloud, json!({ "run_name": "r", "tasks": [notebook("a", "/x", &[]), task] })).await;
    advance(Duration::from_secs(3)).await;
    let path = format!("/api/2.2/jobs/runs/get?run_id={id}&include_resolved_values=true");
    let (_, run) = get(&cloud, &path).await;
    assert_eq!(
        run["tasks"][1]["resolved_values"]["notebook_task"]["base_parameters"],
        json!({ "run": format!("{id}/success"), "key": "b", "odd": "{{nobody.knows}}",
            "value": "{{tasks.a.values.n}}", "name": "r", "old": id.to_string() })
    );
    assert_eq!(run["tasks"][1]["notebook_task"]["base_parameters"]["key"], "{{task.name}}");
}
