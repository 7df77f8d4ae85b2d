use std::{path::Path, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{Local, LocalOptions, exec_task};
use crate::{
    MockCloud,
    kernel::effects::Effect,
    services::{
        arm::ACCOUNT,
        blob::ARTIFACTS,
        databricks::{
            jobs,
            tests::{get, post},
        },
        pipelines::SharedLog,
    },
};

/// The program that starts tasks is this test program, told to run this test.
#[test]
fn the_test_program_starts_tasks_when_it_is_given_one() {
    let Some(last) = std::env::args_os().next_back() else { return };
    if Path::new(&last).file_name().is_some_and(|it| it == "spec.json") {
        assert_eq!(exec_task(&[last]), std::process::ExitCode::SUCCESS);
        std::process::exit(0);
    }
}

fn options() -> LocalOptions {
    let exe = std::env::current_exe().unwrap();
    let test = "executor::local::tests::the_test_program_starts_tasks_when_it_is_given_one";
    let launcher = [exe.into_os_string(), "--exact".into(), "--nocapture".into(), test.into()];
    LocalOptions { launcher: launcher.into(), ..LocalOptions::new("python3", "") }
}

fn cloud() -> MockCloud {
    cloud_with(options())
}

fn cloud_with(options: LocalOptions) -> MockCloud {
    let executor = Arc::new(Local::new(options).unwrap());
    MockCloud::builder().with_executor(executor).with_delay(0.0).build().unwrap()
}

fn script(path: &str) -> Value {
    json!({ "spark_python_task": { "python_file": path } })
}

async fn submit(cloud: &MockCloud, task: Value) -> i64 {
    let mut task = task;
    task["task_key"] = json!("main");
    let (status, answer) =
        post(cloud, "/api/2.1/jobs/runs/submit", json!({ "tasks": [task] })).await;
    assert_eq!(status, 200, "{answer}");
    answer["run_id"].as_i64().unwrap()
}

/// Looks until the condition holds, for a minute at most.
async fn wait_for(cloud: &MockCloud, path: &str, is_met: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..3000 {
        last = get(cloud, path).await.1;
        if is_met(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} stays {last}");
}

/// The output of a run after its end.
async fn output(cloud: &MockCloud, id: i64) -> Value {
    let path = format!("/api/2.1/jobs/runs/get-output?run_id={id}");
    wait_for(cloud, &path, |it| it["metadata"]["end_time"] != 0).await
}

async fn upload(cloud: &MockCloud, path: &str, text: &str) {
    let body = json!({ "path": path, "contents": BASE64.encode(text), "overwrite": true });
    assert_eq!(post(cloud, "/api/2.0/dbfs/put", body).await.0, 200);
}

async fn import(cloud: &MockCloud, path: &str, source: &str) {
    let body = json!({
        "path": path, "format": "SOURCE", "language": "PYTHON", "content": BASE64.encode(source),
    });
    assert_eq!(post(cloud, "/api/2.0/workspace/import", body).await.0, 200);
}

#[tokio::test]
async fn a_notebook_reads_dbfs_and_hands_back_a_value() {
    let cloud = cloud();
    upload(&cloud, "/in/a.txt", "forty-two").await;
    let source = "\
text = open('/dbfs/in/a.txt').read()
dbutils.fs.put('dbfs:/out/b.txt', text.upper())
dbutils.notebook.exit(text + dbutils.widgets.get('sign'))";
    import(&cloud, "/Shared/nb", source).await;
    let task = json!({ "notebook_task": {
        "notebook_path": "/Shared/nb", "base_parameters": { "sign": "!" },
    } });
    let id = submit(&cloud, task).await;
    let output = output(&cloud, id).await;
    assert_eq!(output["notebook_output"]["result"], "forty-two!", "{output}");
    let (_, read) = get(&cloud, "/api/2.0/dbfs/read?path=/out/b.txt").await;
    assert_eq!(read["data"], BASE64.encode("FORTY-TWO"));
}

#[tokio::test]
async fn a_script_that_raises_fails_with_its_last_line_and_its_trace_in_the_log() {
    let cloud = cloud();
    let source =
        "import os, sys\nprint(sys.argv[1], sorted(os.environ))\nraise ValueError('boom')\n";
    upload(&cloud, "/a.py", source).await;
    let task =
        json!({ "spark_python_task": { "python_file": "dbfs:/a.py", "parameters": ["--x"] } });
    let id = submit(&cloud, task).await;
    let output = output(&cloud, id).await;
    assert_eq!(output["error"], "ValueError: boom", "{output}");
    assert_eq!(output["metadata"]["state"]["result_state"], "FAILED");
    let log = output["logs"].as_str().unwrap();
    let first = log.lines().find(|it| it.starts_with("--x")).unwrap();
    assert!(
        first.find("CARGO").is_none(),
        "the environment of the mock is not the task's: {first}"
    );
    assert!(log.lines().any(|it| it == "ValueError: boom"));
}

#[tokio::test]
async fn a_file_that_does_not_exist_is_named() {
    let cloud = cloud();
    let task = json!({ "spark_python_task": { "python_file": "dbfs:/none.py" } });
    let id = submit(&cloud, task).await;
    let output = output(&cloud, id).await;
    assert_eq!(output["error"], "FileNotFoundError: dbfs:/none.py does not exist");
}

/// A script that starts a process of its own, writes both ids and goes on for ever.
const ENDLESS: &str = "\
import os, subprocess, time
child = subprocess.Popen(['sleep', '600'])
with open('/dbfs/pids.part', 'w') as file:
    file.write(str(child.pid))
os.rename('/dbfs/pids.part', '/dbfs/pids')
time.sleep(600)
";

/// The id of the process that the script started.
async fn started(cloud: &MockCloud) -> u32 {
    let read =
        wait_for(cloud, "/api/2.0/dbfs/read?path=/pids", |it| it["bytes_read"].is_u64()).await;
    let bytes = BASE64.decode(read["data"].as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap().parse().unwrap()
}

/// Whether a process is there and does something.
fn is_alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.split(')').next_back().unwrap().trim_start().starts_with('Z')
}

async fn wait_until_gone(pid: u32) {
    for _ in 0..1000 {
        if !is_alive(pid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("process {pid} lives on");
}

#[tokio::test]
async fn what_is_canceled_or_out_of_time_ends_with_all_that_it_started() {
    for limit in [None, Some(2)] {
        let cloud = cloud();
        upload(&cloud, "/a.py", ENDLESS).await;
        let mut task = json!({ "spark_python_task": { "python_file": "dbfs:/a.py" } });
        task["timeout_seconds"] = json!(limit);
        let id = submit(&cloud, task).await;
        let pid = started(&cloud).await;
        if limit.is_none() {
            assert!(is_alive(pid));
            post(&cloud, "/api/2.1/jobs/runs/cancel", json!({ "run_id": id })).await;
        }
        let output = output(&cloud, id).await;
        let result = if limit.is_none() { "CANCELED" } else { "TIMEDOUT" };
        assert_eq!(output["metadata"]["state"]["result_state"], result, "{output}");
        wait_until_gone(pid).await;
    }
}

#[tokio::test]
async fn nothing_outlives_a_reset() {
    let cloud = cloud();
    upload(&cloud, "/a.py", ENDLESS).await;
    submit(&cloud, json!({ "spark_python_task": { "python_file": "dbfs:/a.py" } })).await;
    let pid = started(&cloud).await;
    assert_eq!(post(&cloud, "/_mock/reset", json!({})).await.0, 200);
    assert!(!is_alive(pid), "the answer comes when the processes are gone");
    assert_eq!(get(&cloud, "/api/2.1/jobs/runs/list").await.1, json!({ "has_more": false }));
}

#[tokio::test]
async fn nothing_outlives_the_mock() {
    let folder = tempfile::tempdir().unwrap();
    let (spec, pids) = (folder.path().join("spec.json"), folder.path().join("pids"));
    let script = format!("sleep 600 & echo $! > {0}.part; mv {0}.part {0}; wait", pids.display());
    let launch = json!({ "program": "sh", "arguments": ["-c", script] });
    std::fs::write(&spec, json!({ "launch": launch, "roots": {} }).to_string()).unwrap();
    let launcher = options().launcher;
    let mut child = std::process::Command::new(&launcher[0])
        .args(&launcher[1..])
        .arg(&spec)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut pid = None;
    for _ in 0..1000 {
        pid = std::fs::read_to_string(&pids).ok().and_then(|it| it.trim().parse().ok());
        if pid.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = pid.expect("the script has started its own process");
    assert!(is_alive(pid));
    drop(child.stdin.take());
    wait_until_gone(pid).await;
    assert!(!child.wait().unwrap().success());
}

#[tokio::test]
async fn a_package_that_cannot_be_had_fails_with_the_last_words_of_pip() {
    let cloud = cloud();
    let machine = json!({ "spark_version": "15.4", "node_type_id": "n" });
    let (_, made) = post(&cloud, "/api/2.1/clusters/create", machine).await;
    let id = made["cluster_id"].as_str().unwrap();
    let libraries = json!([
        { "pypi": { "package": "pip" } }, { "pypi": { "package": "./no-such-folder" } },
    ]);
    let body = json!({ "cluster_id": id, "libraries": libraries });
    post(&cloud, "/api/2.0/libraries/install", body).await;
    let path = format!("/api/2.0/libraries/cluster-status?cluster_id={id}");
    let is_over = |it: &Value| {
        let all = it["library_statuses"].as_array().unwrap();
        all.iter().all(|it| it["status"] == "INSTALLED" || it["status"] == "FAILED")
    };
    let statuses = wait_for(&cloud, &path, is_over).await;
    assert_eq!(statuses["library_statuses"][0]["status"], "INSTALLED", "it is there already");
    let failed = &statuses["library_statuses"][1];
    assert_eq!(failed["status"], "FAILED");
    assert!(failed["messages"][0].as_str().unwrap().starts_with("ERROR: "), "{failed}");
}

#[tokio::test]
async fn a_task_without_a_core_is_queued_and_never_begins_when_it_is_canceled() {
    let options = LocalOptions { cores: 1, ..options() };
    let cloud = cloud_with(options);
    upload(&cloud, "/a.py", ENDLESS).await;
    let first = submit(&cloud, script("dbfs:/a.py")).await;
    started(&cloud).await;
    upload(&cloud, "/b.py", "open('/dbfs/second', 'w').close()\n").await;
    let second = submit(&cloud, script("dbfs:/b.py")).await;
    let path = format!("/api/2.2/jobs/runs/get?run_id={second}");
    let (_, queued) = get(&cloud, &path).await;
    assert_eq!(queued["state"]["life_cycle_state"], "QUEUED", "{queued}");
    assert_eq!(queued["tasks"][0]["status"]["state"], "QUEUED");
    assert_eq!(queued["status"]["queue_details"]["code"], "ACTIVE_RUNS_LIMIT_REACHED");
    for id in [second, first] {
        post(&cloud, "/api/2.1/jobs/runs/cancel", json!({ "run_id": id })).await;
    }
    let third = submit(&cloud, script("dbfs:/b.py")).await;
    let output = output(&cloud, third).await;
    assert_eq!(output["metadata"]["state"]["result_state"], "SUCCESS", "{output}");
    let (_, canceled) = get(&cloud, &path).await;
    assert_eq!(canceled["state"]["result_state"], "CANCELED");
    assert_eq!(canceled["execution_duration"], 0, "it never began");
}

#[tokio::test]
async fn a_long_log_is_whole_for_those_who_go_on_reading_and_clipped_in_the_output() {
    let cloud = cloud();
    upload(&cloud, "/a.py", "print('first')\nprint('x' * (6 << 20))\nprint('last')\n").await;
    let task = json!({ "spark_python_task": { "python_file": "dbfs:/a.py" } });
    let id = submit(&cloud, task).await;
    let output = output(&cloud, id).await;
    let shown = output["logs"].as_str().unwrap();
    assert_eq!(shown.len(), 5 << 20);
    assert!(shown.ends_with("xx\nlast\n"));
    let workspace = cloud.kernel().inspect(|world| *world.databricks.keys().next().unwrap());
    let whole = jobs::log_of(cloud.kernel(), workspace, id).whole();
    let whole = axum::body::to_bytes(whole, usize::MAX).await.unwrap();
    assert!((6 << 20) < whole.len() && whole.ends_with(b"xx\nlast\n"));
}

#[tokio::test]
async fn a_shared_log_grows_under_all_its_names() {
    let cloud = cloud();
    let source = "\
import time
print('first', flush=True)
while True:
    try:
        open('/dbfs/go').close()
        break
    except OSError:
        time.sleep(0.01)
print('last')";
    import(&cloud, "/Shared/nb", source).await;
    let task = json!({ "notebook_task": { "notebook_path": "/Shared/nb" } });
    let id = submit(&cloud, task).await;
    let path = format!("/api/2.1/jobs/runs/get?run_id={id}");
    wait_for(&cloud, &path, |it| it["state"]["life_cycle_state"] == "RUNNING").await;
    let kernel = cloud.kernel();
    let workspace = kernel.inspect(|world| *world.databricks.keys().next().unwrap());
    let name = "ExperimentRun/dcid.x/log.txt";
    let log = SharedLog {
        workspace,
        job_run: id,
        account: ACCOUNT.to_owned(),
        container: ARTIFACTS.to_owned(),
        blobs: vec![name.to_owned()],
        is_growing: true,
    };
    Effect::ShareLog(log).carry_out(&kernel);

    let seen = kernel.files.container(ACCOUNT, ARTIFACTS).locate(name);
    let read = || std::fs::read_to_string(&seen).unwrap();
    wait_for(&cloud, &path, |_| read().ends_with("first\n")).await;
    upload(&cloud, "/go", "").await;
    output(&cloud, id).await;
    let log = jobs::log_path(&kernel, workspace, id).unwrap();
    assert_eq!(read(), std::fs::read_to_string(log).unwrap());
    assert!(read().lines().any(|it| it == "last"));
}

/// A running cluster with a context of Python.
async fn context(cloud: &MockCloud) -> (String, String) {
    let body = json!({ "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2" });
    let (_, made) = post(cloud, "/api/2.1/clusters/create", body).await;
    let cluster = made["cluster_id"].as_str().unwrap().to_owned();
    let body = json!({ "clusterId": cluster, "language": "python" });
    let (status, made) = post(cloud, "/api/1.2/contexts/create", body).await;
    assert_eq!(status, 200, "{made}");
    (cluster, made["id"].as_str().unwrap().to_owned())
}

async fn execute(cloud: &MockCloud, (cluster, context): &(String, String), text: &str) -> String {
    let body = json!({
        "clusterId": cluster, "contextId": context, "language": "python", "command": text,
    });
    let (status, made) = post(cloud, "/api/1.2/commands/execute", body).await;
    assert_eq!(status, 200, "{made}");
    let command = made["id"].as_str().unwrap();
    format!("/api/1.2/commands/status?clusterId={cluster}&contextId={context}&commandId={command}")
}

async fn results(cloud: &MockCloud, at: &(String, String), text: &str) -> Value {
    let path = execute(cloud, at, text).await;
    let over = |it: &Value| !["Queued", "Running"].contains(&it["status"].as_str().unwrap());
    wait_for(cloud, &path, over).await["results"].take()
}

#[tokio::test]
async fn commands_of_a_context_share_their_variables_and_give_what_they_print() {
    let cloud = cloud();
    let at = context(&cloud).await;
    let text = |it: &str| json!({ "resultType": "text", "data": it });
    assert_eq!(results(&cloud, &at, "x = 41").await, text(""));
    assert_eq!(results(&cloud, &at, "    import os\n    print(x + 1)\n").await, text("42"));
    assert_eq!(results(&cloud, &at, "x").await, text("41"));
    assert_eq!(
        results(&cloud, &at, "os.system('echo from a shell') and 0").await["data"],
        "from a shell\n0"
    );
    assert_eq!(results(&cloud, &at, "%sh echo hello").await, text("hello"));
    let failed = results(&cloud, &at, "print(1)\n1/0").await;
    assert_eq!(failed["resultType"], "error");
    let summary = "<span class=\"ansi-red-fg\">ZeroDivisionError</span>: division by zero";
    assert_eq!(failed["summary"], summary);
    let cause = failed["cause"].as_str().unwrap();
    assert_eq!(cause.lines().last(), Some("ZeroDivisionError: division by zero"), "{cause}");
    // As the official client calls the utilities of a cluster.
    let proxied = "
        import json
        result = dbutils.fs.put('dbfs:/made.txt', 'text')
        dbutils.notebook.exit(json.dumps(result))
        ";
    assert_eq!(results(&cloud, &at, proxied).await, text("true"));
    assert_eq!(results(&cloud, &at, "print('dapi-fake-token')").await, text("[REDACTED]"));
    let (_, read) = get(&cloud, "/api/2.0/dbfs/get-status?path=/made.txt").await;
    assert_eq!(read["file_size"], 4);
}

#[tokio::test]
async fn a_command_that_is_canceled_leaves_its_context_as_it_was() {
    let cloud = cloud();
    let at = context(&cloud).await;
    results(&cloud, &at, "x = 1").await;
    let running = execute(&cloud, &at, "import time\ntime.sleep(600)").await;
    let waiting = execute(&cloud, &at, "x = 2").await;
    wait_for(&cloud, &running, |it| it["status"] == "Running").await;
    for path in [&waiting, &running] {
        let command = path.rsplit('=').next().unwrap();
        let body = json!({ "clusterId": at.0, "contextId": at.1, "commandId": command });
        assert_eq!(post(&cloud, "/api/1.2/commands/cancel", body).await.0, 200);
        wait_for(&cloud, path, |it| it["status"] == "Cancelled").await;
    }
    assert_eq!(results(&cloud, &at, "x").await["data"], "1");
}

#[tokio::test]
async fn a_context_whose_process_ends_has_failed_and_one_that_is_destroyed_has_none() {
    let cloud = cloud();
    let at = context(&cloud).await;
    let failed = results(&cloud, &at, "import os\nos._exit(3)").await;
    assert_eq!(failed["summary"], "the process of the context ended: its output ended");
    let path = format!("/api/1.2/contexts/status?clusterId={}&contextId={}", at.0, at.1);
    assert_eq!(get(&cloud, &path).await.1["status"], "Error");

    let (cluster, context) = context(&cloud).await;
    let at = (cluster.clone(), context.clone());
    let pid = results(&cloud, &at, "import os\nprint(os.getpid())").await;
    let pid: u32 = pid["data"].as_str().unwrap().parse().unwrap();
    let body = json!({ "clusterId": cluster, "contextId": context });
    assert_eq!(post(&cloud, "/api/1.2/contexts/destroy", body).await.0, 200);
    wait_until_gone(pid).await;
}
