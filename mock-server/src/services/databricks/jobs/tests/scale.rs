use super::*;

/// How many jobs and runs the world has, a tenth of what it may have.
const JOBS: usize = 1000;
const RUNS: usize = 10_000;

/// Prints how long the pages of a large world take. In a release build with
/// `AZML_SCALE=10` it makes 10,000 jobs and 100,000 runs.
#[tokio::test]
async fn pages_of_a_large_world_are_whole_and_in_order() {
    let factor = option_env!("AZML_SCALE").and_then(|it| it.parse().ok()).unwrap_or(0);
    let (jobs, runs) = if factor == 0 { (120, 300) } else { (JOBS * factor, RUNS * factor) };
    let cloud = MockCloud::new();
    cloud.set_outcomes(&json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 0 }])).unwrap();
    let mut ids = Vec::new();
    for number in 0..jobs {
        let job = json!({ "name": format!("job-{number}"), "tasks": [notebook("a", "/x", &[])] });
        ids.push(post(&cloud, "/api/2.2/jobs/create", job).await.1["job_id"].clone());
    }
    for number in 0..runs {
        let now = json!({ "job_id": ids[number % jobs] });
        assert_eq!(post(&cloud, "/api/2.2/jobs/run-now", now).await.0, 200);
    }
    for (list, path) in [
        ("jobs", "/api/2.2/jobs/list?limit=100".to_owned()),
        ("jobs", "/api/2.2/jobs/list?limit=100&expand_tasks=true".to_owned()),
        ("jobs", "/api/2.2/jobs/list?name=JOB-0".to_owned()),
        ("runs", "/api/2.2/jobs/runs/list?limit=25&expand_tasks=true".to_owned()),
        ("runs", "/api/2.2/jobs/runs/list?limit=25&completed_only=true".to_owned()),
        ("runs", format!("/api/2.2/jobs/runs/list?limit=25&job_id={}", ids[0])),
        ("none", "/api/2.2/jobs/runs/list?limit=25&active_only=true".to_owned()),
        ("none", "/api/2.2/jobs/runs/list?limit=25&run_type=SUBMIT_RUN".to_owned()),
        ("none", "/api/2.2/jobs/runs/list?limit=25&start_time_to=1".to_owned()),
    ] {
        let began = tokio::time::Instant::now();
        let (_, mut page) = get(&cloud, &path).await;
        let took = began.elapsed();
        let mut slowest = took;
        let mut pages = 1;
        let mut seen = page[list].as_array().map_or(0, Vec::len);
        while let Some(token) = page["next_page_token"].as_str() {
            let began = tokio::time::Instant::now();
            page = get(&cloud, &format!("{path}&page_token={token}")).await.1;
            slowest = slowest.max(began.elapsed());
            pages += 1;
            seen += page[list].as_array().map_or(0, Vec::len);
        }
        tracing::info!(%path, ?took, ?slowest, pages, seen, "a list");
        if 0 < factor {
            assert!(took < Duration::from_millis(5), "{path}: {took:?}, at most {slowest:?}");
        }
        let all = if list == "none" || path.contains("name=") || path.contains("job_id=") {
            continue;
        } else if list == "jobs" {
            jobs
        } else {
            runs
        };
        assert_eq!(seen, all, "{path}");
    }
}
