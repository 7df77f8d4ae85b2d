use super::*;

async fn create_job(cloud: &MockCloud, settings: Value) -> i64 {
    let (status, answer) = post(cloud, "/api/2.2/jobs/create", settings).await;
    assert_eq!(status, 200, "{answer}");
    answer["job_id"].as_i64().unwrap()
}

async fn settings(cloud: &MockCloud, id: i64) -> Value {
    get(cloud, &format!("/api/2.2/jobs/get?job_id={id}")).await.1["settings"].clone()
}

#[tokio::test]
async fn settings_are_merged_replaced_and_removed() {
    let cloud = MockCloud::new();
    let id = create_job(
        &cloud,
        json!({ "name": "a", "tags": { "k": "v" }, "tasks": [notebook("one", "/x", &[])] }),
    )
    .await;
    let change = json!({
        "job_id": id.to_string(), "fields_to_remove": ["tags"],
        "new_settings": { "max_concurrent_runs": 7, "tasks": [notebook("two", "/x", &["one"])] },
    });
    assert_eq!(post(&cloud, "/api/2.1/jobs/update", change).await, (200, json!({})));
    let changed = settings(&cloud, id).await;
    assert_eq!((&changed["name"], &changed["max_concurrent_runs"]), (&json!("a"), &json!(7)));
    assert_eq!(changed["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(changed.get("tags"), None);

    let bad = json!({ "job_id": id, "fields_to_remove": ["tasks/one"] });
    let (status, body) = post(&cloud, "/api/2.1/jobs/update", bad).await;
    let text = "Task 'two' depends on 'one', which does not exist";
    assert_eq!((status, &body["message"]), (400, &json!(text)));

    let new = json!({ "job_id": id, "new_settings": { "name": "b", "queue": null } });
    assert_eq!(post(&cloud, "/api/2.0/jobs/reset", new).await, (200, json!({})));
    let expected = json!({
        "name": "b", "email_notifications": {}, "timeout_seconds": 0, "max_concurrent_runs": 1,
        "format": "MULTI_TASK",
    });
    assert_eq!(settings(&cloud, id).await, expected);
}

#[tokio::test]
async fn what_a_job_cannot_have_is_refused() {
    let cloud = MockCloud::new();
    let refused = async |path: &str, settings: Value| {
        let (status, body) = post(&cloud, path, settings).await;
        assert_eq!(status, 400);
        body["message"].as_str().unwrap().to_owned()
    };
    let newest = "/api/2.2/jobs/create";
    let twice = json!([notebook("a", "/x", &[]), notebook("a", "/x", &[])]);
    assert_eq!(
        refused(newest, json!({ "tasks": twice })).await,
        "Task key 'a' is used more than once"
    );
    let schedule = json!({ "quartz_cron_expression": "0 0 * * *", "timezone_id": "UTC" });
    assert_eq!(
        refused(newest, json!({ "schedule": schedule })).await,
        "Invalid quartz_cron_expression: '0 0 * * *'"
    );
    let schedule = json!({
        "quartz_cron_expression": "0 0 8 * * ?", "timezone_id": "UTC", "pause_status": "no",
    });
    assert_eq!(
        refused(newest, json!({ "schedule": schedule })).await,
        "The field schedule.pause_status must be PAUSED or UNPAUSED"
    );
    assert_eq!(
        refused(newest, json!({ "max_concurrent_runs": 1001 })).await,
        "The field max_concurrent_runs must be an integer from 0 to 1000"
    );
    let many: Vec<Value> = (0..101).map(|it| notebook(&it.to_string(), "/x", &[])).collect();
    assert_eq!(
        refused("/api/2.1/jobs/create", json!({ "tasks": many })).await,
        "The field tasks must have at most 100 elements"
    );
    let (status, body) = post(&cloud, "/api/2.1/jobs/reset", json!({ "job_id": 5 })).await;
    assert_eq!((status, &body["message"]), (400, &json!("Missing required field: new_settings")));
    let (_, body) =
        post(&cloud, "/api/2.1/jobs/reset", json!({ "job_id": 5, "new_settings": {} })).await;
    assert_eq!(body["message"], "Job 5 does not exist.");
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended_and_back_again() {
    let cloud = MockCloud::new();
    let mut ids = Vec::new();
    for name in 0..5 {
        ids.push(create_job(&cloud, json!({ "name": format!("Job-{name}") })).await);
    }
    let page = async |query: &str| {
        let (_, it) = get(&cloud, &format!("/api/2.2/jobs/list?{query}")).await;
        let jobs = it["jobs"].as_array().cloned().unwrap_or_default();
        let ids: Vec<i64> = jobs.iter().map(|it| it["job_id"].as_i64().unwrap()).collect();
        (ids, it)
    };
    let (first, answer) = page("limit=2").await;
    assert_eq!((first, answer.get("prev_page_token")), (vec![ids[4], ids[3]], None));
    let token = answer["next_page_token"].as_str().unwrap().to_owned();
    let (second, answer) = page(&format!("limit=2&page_token={token}")).await;
    assert_eq!(second, [ids[2], ids[1]]);
    let back = answer["prev_page_token"].as_str().unwrap();
    assert_eq!(page(&format!("limit=2&page_token={back}")).await.0, [ids[4], ids[3]]);
    let on = answer["next_page_token"].as_str().unwrap();
    let (last, answer) = page(&format!("limit=2&page_token={on}")).await;
    assert_eq!((last, &answer["has_more"]), (vec![ids[0]], &json!(false)));
    assert_eq!(page("name=JOB-3").await.0, [ids[3]]);
    assert_eq!(page("limit=101").await.1["error_code"], "INVALID_PARAMETER_VALUE");
    assert_eq!(page("page_token=zz").await.1["message"], "Invalid page_token: zz");
}

#[tokio::test]
async fn a_long_list_of_tasks_comes_in_pages() {
    let cloud = MockCloud::new();
    let many: Vec<Value> = (0..150).map(|it| notebook(&it.to_string(), "/x", &[])).collect();
    let parameters = json!([{ "name": "p", "default": "1" }]);
    let id = create_job(&cloud, json!({ "tasks": many, "parameters": parameters })).await;
    let (_, first) = get(&cloud, &format!("/api/2.2/jobs/get?job_id={id}")).await;
    let count_of = |it: &Value, field: &str| it[field].as_array().unwrap().len();
    let count = |it: &Value| count_of(it, "tasks");
    assert_eq!((count(&first["settings"]), &first["has_more"]), (100, &json!(true)));
    let token = first["next_page_token"].as_str().unwrap();
    let (_, rest) = get(&cloud, &format!("/api/2.2/jobs/get?job_id={id}&page_token={token}")).await;
    assert_eq!((count(&rest["settings"]), rest.get("next_page_token")), (50, None));

    let (_, made) = post(&cloud, "/api/2.2/jobs/run-now", json!({ "job_id": id })).await;
    let path = format!("/api/2.2/jobs/runs/get?run_id={}", made["run_id"]);
    let (_, first) = get(&cloud, &path).await;
    assert_eq!((count(&first), count_of(&first, "job_parameters")), (100, 1));
    let token = first["next_page_token"].as_str().unwrap();
    let (_, rest) = get(&cloud, &format!("{path}&page_token={token}")).await;
    assert_eq!((count(&rest), count_of(&rest, "job_parameters")), (50, 0));
    let path = "/api/2.2/jobs/runs/list?expand_tasks=true";
    let listed = get(&cloud, path).await.1;
    assert_eq!((count(&listed["runs"][0]), &listed["runs"][0]["has_more"]), (100, &json!(true)));
}

#[tokio::test]
async fn a_job_of_the_first_version_has_one_task_and_no_list() {
    let cloud = MockCloud::new();
    let job = json!({
        "name": "old", "notebook_task": { "notebook_path": "/x" }, "new_cluster": machine(),
        "timeout_seconds": 60,
    });
    let (_, made) = post(&cloud, "/api/2.0/jobs/create", job).await;
    let id = made["job_id"].as_i64().unwrap();
    let (_, job) = get(&cloud, &format!("/api/2.0/jobs/get?job_id={id}")).await;
    assert_eq!(job["settings"]["format"], "SINGLE_TASK");
    let (_, made) = post(&cloud, "/api/2.0/jobs/run-now", json!({ "job_id": id })).await;
    let (_, run) = get(&cloud, &format!("/api/2.0/jobs/runs/get?run_id={}", made["run_id"])).await;
    assert_eq!(run["task"]["notebook_task"]["notebook_path"], "/x");
    assert_eq!(run["cluster_spec"]["new_cluster"]["spark_version"], "15.4.x-scala2.12");
}

#[tokio::test(start_paused = true)]
async fn too_many_runs_are_skipped_or_wait() {
    let cloud = MockCloud::new();
    cloud
        .set_outcomes(&json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 10 }]))
        .unwrap();
    let task = json!([notebook("a", "/x", &[])]);
    let waits = create_job(&cloud, json!({ "tasks": task })).await;
    let skips = create_job(&cloud, json!({ "tasks": task, "queue": { "enabled": false } })).await;
    let start = async |job: i64| {
        let (_, made) = post(&cloud, "/api/2.2/jobs/run-now", json!({ "job_id": job })).await;
        made["run_id"].as_i64().unwrap()
    };
    let runs = [start(waits).await, start(waits).await, start(waits).await];
    let (_, skipped) = (start(skips).await, start(skips).await);
    let skipped = run(&cloud, skipped).await;
    assert_eq!(
        (&skipped["state"]["life_cycle_state"], &skipped["state"]["result_state"]),
        (&json!("SKIPPED"), &json!("MAXIMUM_CONCURRENT_RUNS_REACHED"))
    );
    let code = &skipped["status"]["termination_details"]["code"];
    assert_eq!(code, "MAX_CONCURRENT_RUNS_EXCEEDED");
    let queued = run(&cloud, runs[2]).await;
    assert_eq!(queued["state"]["life_cycle_state"], "QUEUED");
    assert_eq!(queued["status"]["queue_details"]["code"], "MAX_CONCURRENT_RUNS_REACHED");
    advance(Duration::from_secs(10)).await;
    assert_eq!(run(&cloud, runs[1]).await["state"]["life_cycle_state"], "RUNNING");
    advance(Duration::from_secs(20)).await;
    let last = run(&cloud, runs[2]).await;
    assert_eq!(
        (&last["state"]["result_state"], &last["queue_duration"]),
        (&json!("SUCCESS"), &json!(20_000))
    );
}

#[tokio::test(start_paused = true)]
async fn all_runs_of_a_job_or_only_the_queued_ones_are_canceled() {
    let cloud = MockCloud::new();
    cloud.set_outcomes(&json!([{ "task": "*", "result": "RUNNING" }])).unwrap();
    let job = create_job(&cloud, json!({ "tasks": [notebook("a", "/x", &[])] })).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (_, made) = post(&cloud, "/api/2.2/jobs/run-now", json!({ "job_id": job })).await;
        runs.push(made["run_id"].as_i64().unwrap());
    }
    let path = "/api/2.1/jobs/runs/cancel-all";
    assert_eq!(post(&cloud, path, json!({})).await.0, 400);
    assert_eq!(post(&cloud, path, json!({ "all_queued_runs": true })).await.0, 200);
    assert_eq!(run(&cloud, runs[0]).await["state"]["life_cycle_state"], "RUNNING");
    assert_eq!(run(&cloud, runs[1]).await["state"]["result_state"], "CANCELED");
    assert_eq!(post(&cloud, path, json!({ "job_id": job })).await.0, 200);
    let (_, active) =
        get(&cloud, &format!("/api/2.1/jobs/runs/list?job_id={job}&active_only=true")).await;
    assert_eq!(active, json!({ "has_more": false }));
}
