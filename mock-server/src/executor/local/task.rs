//! The life of one task.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    process::{Child, Command},
    sync::{OwnedSemaphorePermit, watch},
};

use super::{
    ClusterKey, Shared, children, environment,
    needs::needs_spark,
    spark::{Death, Lease, Machine},
    spec::{self, Files},
};
use crate::{
    executor::{Code, Ending, Report, Work},
    kernel::{Kernel, Refusal},
    services::databricks::jobs,
};

/// How long a task may take to notice that its JVM is gone.
const NOTICE: Duration = Duration::from_secs(10);

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

/// Waits for room, runs the task and reports its end. One that is stopped
/// reports nothing: whoever stops it has said how it ended.
pub(super) async fn run(
    shared: &Arc<Shared>,
    kernel: &Arc<Kernel>,
    work: Work,
    mut stopped: watch::Receiver<bool>,
) {
    let room = tokio::select! {
        room = Room::wait(shared, kernel, &work) => room,
        _ = stopped.wait_for(|it| *it) => return,
    };
    let attempt = work.attempt.clone();
    // Both begin when the world is free again, so a cancellation or a reset may
    // have come before this start.
    let began = kernel.commit::<_, Refusal>(|world, ctx| {
        let events = jobs::decide_began(world, &attempt, ctx);
        let is_awaited = !events.is_empty();
        Ok((events, is_awaited))
    });
    match began {
        Ok(true) => (),
        Ok(false) => return,
        Err(refusal) => {
            tracing::error!(?attempt, %refusal.message, "the start of a task was not recorded");
            return;
        }
    }
    let files = Files::of(kernel, &work);
    let machine = room.lease.as_ref().map(|it| it.machine.clone());
    let executed = execute(shared, kernel, &work, &files, machine.as_deref(), &mut stopped).await;
    drop(room);
    // It holds tokens, and what is scratch for the task alone.
    if let Some(Err(err)) = files.spec.parent().map(fs::remove_dir_all) {
        tracing::debug!(?attempt, %err, "files of a task stay");
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

/// What a task holds while it runs.
struct Room {
    lease: Option<Lease>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Waits for the JVM of the task's cluster if it needs one, then for a core:
    /// who waits for a JVM keeps no core from others.
    async fn wait(shared: &Arc<Shared>, kernel: &Kernel, work: &Work) -> Self {
        let lease = if needs_spark(kernel, work) {
            Some(shared.machines.lease(&ClusterKey::of_machine(work)).await)
        } else {
            None
        };
        // It is never closed.
        let slot = shared.slots.clone().acquire_owned().await.ok();
        Self { lease, _slot: slot }
    }
}

async fn execute(
    shared: &Arc<Shared>,
    kernel: &Arc<Kernel>,
    work: &Work,
    files: &Files,
    machine: Option<&Machine>,
    stopped: &mut watch::Receiver<bool>,
) -> io::Result<Option<Report>> {
    make_folders(kernel, work, files)?;
    if let Some(source) = spec::source(kernel, work).filter(|it| !it.is_file()) {
        return Ok(Some(missing(work, &source)));
    }
    let (gateway, mut death) = match machine {
        Some(machine) => tokio::select! {
            gateway = machine.gateway(shared, kernel, work) => gateway.unzip(),
            _ = stopped.wait_for(|it| *it) => return Ok(None),
        },
        None => (None, None),
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
        status = child.wait() => Ended::ByItself(status?),
        () = limit => Ended::OutOfTime,
        () = left_behind(death.clone()) => Ended::WithoutJvm,
        _ = stopped.wait_for(|it| *it) => Ended::Stopped,
    };
    match ended {
        Ended::ByItself(_) => pid.into_iter().for_each(children::sweep),
        _ => children::end(&mut child).await,
    }
    drop(lifeline);
    let report = match ended {
        Ended::ByItself(status) => Some(outcome(&files.result, Some(status))),
        Ended::WithoutJvm => Some(outcome(&files.result, None)),
        Ended::OutOfTime => Some(Report { ending: Ending::TimedOut, ..Report::default() }),
        Ended::Stopped => None,
    };
    let is_cut = matches!(ended, Ended::OutOfTime | Ended::Stopped);
    if is_cut && let Some(machine) = machine {
        machine.cancel_jobs(work.attempt.run_id).await;
    }
    let failed = report.as_ref().is_some_and(|it| it.ending == Ending::Failed);
    if failed
        && let Some(death) = &mut death
        && let Some(cause) = death.cause().await
    {
        return Ok(report.map(|it| it.of_dead_driver(&work.machine, &cause)));
    }
    Ok(report)
}

/// How a process came to its end.
enum Ended {
    ByItself(ExitStatus),
    OutOfTime,
    /// It did not notice that its JVM was gone.
    WithoutJvm,
    Stopped,
}

/// Waits until the JVM of a task is gone and the task had time to notice.
async fn left_behind(death: Option<Death>) {
    match death {
        Some(mut it) => {
            it.reason().await;
            tokio::time::sleep(NOTICE).await;
        }
        None => std::future::pending().await,
    }
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

fn spawn(shared: &Shared, kernel: &Kernel, work: &Work, files: &Files) -> io::Result<Child> {
    let Some((program, arguments)) = shared.options.launcher.split_first() else {
        return Err(io::Error::other("the executor has no launcher"));
    };
    let ca_file = shared.authorities(kernel);
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

/// What the task says of itself. `status`: how its process ended by itself.
fn outcome(file: &Path, status: Option<ExitStatus>) -> Report {
    let read = fs::read(file).ok().and_then(|it| serde_json::from_slice::<Outcome>(&it).ok());
    let Some(it) = read else {
        let how = status.map_or_else(|| "it was ended".to_owned(), |it| it.to_string());
        let error = Some(format!("the process of the task ended early ({how})"));
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
