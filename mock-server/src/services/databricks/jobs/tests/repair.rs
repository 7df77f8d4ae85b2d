use super::*;

async fn repair(cloud: &MockCloud, body: Value) -> (u16, Value) {
    post(cloud, "/api/2.2/jobs/runs/repair", body).await
}

#[tokio::test(start_paused = true)]
async fn a_repair_runs_again_what_failed() {
    let cloud = MockCloud::new();
    let rules = |result: &str| {
        json!([
            { "notebook_path": "/fail", "result": result, "after_seconds": 1 },
            { "task": "*", "result": "SUCCESS", "after_seconds": 1 },
        ])
    };
    cloud.set_outcomes(&rules("FAILED")).unwrap();
    let tasks = json!([
        notebook("a", "/x", &[]),
        notebook("b", "/fail", &["a"]),
        notebook("c", "/x", &["b"])
    ]);
    let id = submit(&cloud, json!({ "tasks": tasks })).await;
    let all = json!({ "run_id": id, "rerun_all_failed_tasks": true });
    let (status, body) = repair(&cloud, all.clone()).await;
    assert_eq!((status, &body["error_code"]), (400, &json!("INVALID_STATE")));
    advance(Duration::from_secs(2)).await;
    let first = run(&cloud, id).await;
    assert_eq!(first["state"]["result_state"], "FAILED");

    cloud.set_outcomes(&rules("SUCCESS")).unwrap();
    let (status, repaired) = repair(&cloud, all.clone()).await;
    assert_eq!(status, 200);
    advance(Duration::from_secs(2)).await;
    let second = run(&cloud, id).await;
    assert_eq!(
        states(&second),
        ["a TERMINATED SUCCESS", "b TERMINATED SUCCESS", "c TERMINATED SUCCESS"]
    );
    let attempts: Vec<&Value> =
        second["tasks"].as_array().unwrap().iter().map(|it| &it["attempt_number"]).collect();
    assert_eq!(attempts, [0, 1, 1]);
    assert_ne!(first["tasks"][1]["run_id"], second["tasks"][1]["run_id"]);

    let (_, whole) =
        get(&cloud, &format!("/api/2.2/jobs/runs/get?run_id={id}&include_history=true")).await;
    let history = whole["repair_history"].as_array().unwrap();
    assert_eq!(
        (&history[0]["type"], &history[0]["state"]["result_state"]),
        (&json!("ORIGINAL"), &json!("FAILED"))
    );
    assert_eq!(
        (&history[1]["type"], &history[1]["id"]),
        (&json!("REPAIR"), &repaired["repair_id"])
    );
    assert_eq!(whole["tasks"].as_array().unwrap().len(), 5);

    // A second repair names the first.
    let once_more = json!({ "run_id": id, "rerun_tasks": ["b"] });
    assert_eq!(repair(&cloud, once_more).await.0, 400);
    let once_more = json!({ "run_id": id, "rerun_tasks": ["b"], "rerun_dependent_tasks": true,
        "latest_repair_id": repaired["repair_id"] });
    assert_eq!(repair(&cloud, once_more).await.0, 200);
    let third = run(&cloud, id).await;
    let attempts: Vec<&Value> =
        third["tasks"].as_array().unwrap().iter().map(|it| &it["attempt_number"]).collect();
    assert_eq!(attempts, [0, 2, 2]);
    assert_eq!(third["state"]["life_cycle_state"], "RUNNING");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_repaired_is_refused() {
    let cloud = MockCloud::new();
    cloud.set_outcomes(&json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 0 }])).unwrap();
    let id = submit(&cloud, json!({ "tasks": [notebook("a", "/x", &[])] })).await;
    let refused =
        async |body: Value| repair(&cloud, body).await.1["message"].as_str().unwrap().to_owned();
    assert_eq!(
        refused(json!({ "run_id": id, "rerun_all_failed_tasks": true })).await,
        "There is no task to be run again"
    );
    assert_eq!(
        refused(json!({ "run_id": id, "rerun_tasks": ["z"] })).await,
        format!("Task 'z' is not in run {id}.")
    );
    assert_eq!(refused(json!({ "run_id": 77 })).await, "Run 77 does not exist.");
    let wrong = json!({ "run_id": id, "rerun_tasks": ["a"], "latest_repair_id": 5 });
    assert_eq!(refused(wrong).await, format!("5 is not the id of the latest repair of run {id}."));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_up_even_when_its_run_is_gone() {
    let cloud = MockCloud::new();
    cloud.set_outcomes(&json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 0 }])).unwrap();
    let body = json!({ "tasks": [notebook("a", "/x", &[])], "idempotency_token": "t" });
    let id = submit(&cloud, body.clone()).await;
    assert_eq!(submit(&cloud, body.clone()).await, id);
    let (status, _) = post(&cloud, "/api/2.1/jobs/runs/delete", json!({ "run_id": id })).await;
    assert_eq!(status, 200);
    let (status, answer) = post(&cloud, "/api/2.1/jobs/runs/submit", body).await;
    assert_eq!((status, &answer["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
    let long = json!({ "tasks": [notebook("a", "/x", &[])], "idempotency_token": "x".repeat(65) });
    assert_eq!(post(&cloud, "/api/2.1/jobs/runs/submit", long).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn the_export_of_a_notebook_is_a_page() {
    let cloud = MockCloud::new();
    import(&cloud, "/Shared/nb", "1 < 2").await;
    let tasks = json!([notebook("a", "/Shared/nb", &[]), notebook("b", "/Shared/nb", &[])]);
    let id = submit(&cloud, json!({ "tasks": tasks })).await;
    let (status, _) = get(&cloud, &format!("/api/2.0/jobs/runs/export?run_id={id}")).await;
    assert_eq!(status, 400);
    let run = run(&cloud, id).await;
    let path = format!("/api/2.0/jobs/runs/export?run_id={}", run["tasks"][0]["run_id"]);
    let (_, answer) = get(&cloud, &path).await;
    let view = &answer["views"][0];
    assert_eq!((&view["type"], &view["name"]), (&json!("NOTEBOOK"), &json!("nb")));
    assert!(view["content"].as_str().unwrap().contains("1 &lt; 2"));
    let (_, none) = get(&cloud, &format!("{path}&views_to_export=DASHBOARDS")).await;
    assert_eq!(none, json!({}));
}
