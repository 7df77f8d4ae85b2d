//! The life of one task.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use serde::Deserialize;
use tokio::{
    process::{Child, Command},
    sync::watch,
};

use super::{
    Shared, children, environment,
    spec::{self, Files},
};
use crate::{
    executor::{Code, Ending, Report, Work},
    kernel::{Kernel, Refusal},
    services::databricks::jobs,
};

/// What the Python side writes at its end.
#[derive(Deserialize)]
struct Outcome {
    status: String,
    exit_value: Option<String>,
    error: Option<String>,
    error_trace: Option<String>,
    #[serde(default)]
    task_values: std::collections::BTreeMap<String, serde_json::Value>,
}

/// Waits for a free core, runs the task and reports its end. One that is
/// stopped reports nothing: whoever stops it has said how it ended.
pub(super) async fn run(
    shared: &Arc<Shared>,
    kernel: &Arc<Kernel>,
    work: Work,
    mut stopped: watch::Receiver<bool>,
) {
    let slots = shared.slots.clone();
    let _slot = tokio::select! {
        slot = slots.acquire_owned() => slot,
        _ = stopped.wait_for(|it| *it) => return,
    };
    let attempt = work.attempt.clone();
    // Both begin when the world is free again, so a cancellation or a reset may
    // have come before this start.
    if !kernel.inspect(|world| attempt.is_executing(world)) {
        return;
    }
    let files = Files::of(kernel, &work);
    let executed = execute(shared, kernel, &work, &files, &mut stopped).await;
    // It holds tokens, and what is scratch for the task alone.
    if let Some(Err(err)) = files.spec.parent().map(fs::remove_dir_all) {
        tracing::debug!(?attempt, %err, "files of a task stay");
    }
    if work.is_serverless() {
        let (world, workspace) = (&attempt.world, attempt.workspace);
        shared.machine(world, workspace, &work.cluster_id).end().await;
    }
    let report = match executed {
        Ok(Some(report)) => report,
        Ok(None) => return,
        Err(err) => Report {
            ending: Ending::Failed,
            error: Some(format!("the task could not be started: {err}")),
            ..Report::default()
        },
    };
    let committed = kernel.commit::<_, Refusal>(|world, ctx| {
        Ok((jobs::decide_report(world, &attempt, report, ctx), ()))
    });
    if let Err(refusal) = committed {
        tracing::error!(?attempt, %refusal.message, "the end of a task was not recorded");
    }
}

async fn execute(
    shared: &Arc<Shared>,
    kernel: &Arc<Kernel>,
    work: &Work,
    files: &Files,
    stopped: &mut watch::Receiver<bool>,
) -> io::Result<Option<Report>> {
    make_folders(kernel, work, files)?;
    if let Some(source) = spec::source(kernel, work).filter(|it| !it.is_file()) {
        return Ok(Some(missing(work, &source)));
    }
    let machine = shared.machine(&work.attempt.world, work.attempt.workspace, &work.cluster_id);
    let gateway = if needs_spark(kernel, work) {
        tokio::select! {
            gateway = machine.gateway(shared, kernel, work) => gateway,
            _ = stopped.wait_for(|it| *it) => return Ok(None),
        }
    } else {
        None
    };
    let spec = spec::of_task(shared, kernel, work, files, gateway.as_ref());
    write_private(&files.spec, spec.to_string().as_bytes())?;
    let mut child = spawn(shared, kernel, work, files)?;
    let pid = children::pid_of(&child);
    // Dropping it tells `exec-task` that nobody waits any more.
    let lifeline = child.stdin.take();
    let limit = async {
        match work.timeout {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        status = child.wait() => Some(Ok(status?)),
        () = limit => Some(Err(())),
        _ = stopped.wait_for(|it| *it) => None,
    };
    let report = match ended {
        Some(Ok(status)) => {
            pid.into_iter().for_each(children::sweep);
            Some(outcome(&files.result, status))
        }
        Some(Err(())) => {
            children::end(&mut child).await;
            Some(Report { ending: Ending::TimedOut, ..Report::default() })
        }
        None => {
            children::end(&mut child).await;
            None
        }
    };
    drop(lifeline);
    let is_whole = report.as_ref().is_some_and(|it| it.ending != Ending::TimedOut);
    if !is_whole && gateway.is_some() {
        machine.cancel_jobs(work.attempt.run_id).await;
    }
    Ok(report)
}

fn missing(work: &Work, source: &Path) -> Report {
    let path = match &work.code {
        Code::Notebook { path, .. } | Code::PythonFile { path, .. } => path.clone(),
        _ => source.display().to_string(),
    };
    let error = Some(format!("FileNotFoundError: {path} does not exist"));
    Report { ending: Ending::Failed, error, ..Report::default() }
}

fn make_folders(kernel: &Kernel, work: &Work, files: &Files) -> io::Result<()> {
    fs::create_dir_all(&files.scratch)?;
    for (_, folder) in spec::roots(kernel, work.attempt.workspace) {
        fs::create_dir_all(folder)?;
    }
    for (account, container) in &work.containers {
        fs::create_dir_all(kernel.files.container(account, container).path())?;
    }
    // Readers of the log look while it grows.
    files.log.parent().map_or(Ok(()), fs::create_dir_all)?;
    File::create(&files.log).map(drop)
}

/// Writes a file that nobody else may read: it holds tokens.
pub(super) fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)?.write_all(bytes)
}

/// A JAR has a JVM of its own; Python decides by what its code speaks of.
fn needs_spark(kernel: &Kernel, work: &Work) -> bool {
    match &work.code {
        Code::Jar { .. } | Code::Wheel { .. } => false,
        _ => spec::source(kernel, work).is_some_and(|it| spec::mentions_spark(&it)),
    }
}

fn spawn(shared: &Shared, kernel: &Kernel, work: &Work, files: &Files) -> io::Result<Child> {
    let Some((program, arguments)) = shared.options.launcher.split_first() else {
        return Err(io::Error::other("the executor has no launcher"));
    };
    let ca_file = kernel.settings.ca_file.lock().clone();
    let log = fs::OpenOptions::new().append(true).open(&files.log)?;
    Command::new(program)
        .args(arguments)
        .arg(&files.spec)
        .env_clear()
        .envs(environment::of_task(&files.scratch, ca_file.as_deref(), &work.environment))
        .current_dir(&files.scratch)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Not killed when dropped: the pipe closes then, and `exec-task` ends
        // the group. Killed, it could not.
        .spawn()
}

fn outcome(file: &Path, status: ExitStatus) -> Report {
    let read = fs::read(file).ok().and_then(|it| serde_json::from_slice::<Outcome>(&it).ok());
    let Some(it) = read else {
        let error = Some(format!("the process of the task ended early ({status})"));
        return Report { ending: Ending::Failed, error, ..Report::default() };
    };
    let ending = if it.status == "SUCCESS" { Ending::Succeeded } else { Ending::Failed };
    Report {
        ending,
        exit_value: it.exit_value,
        error: it.error,
        error_trace: it.error_trace,
        task_values: it.task_values,
    }
}
