//! One running JVM, from its start to its end.

use std::{fs, io, os::unix::process::ExitStatusExt, path::Path, process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, ChildStdin, Command},
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::JoinHandle,
};

use super::super::{Shared, children, environment, path_text, spec, task::write_private};
use crate::{executor::Work, kernel::Kernel};

/// How long a JVM may take until it answers.
const START: Duration = Duration::from_secs(180);

/// How long it may take to end by itself.
const END: Duration = Duration::from_millis(1500);

/// How long it may take until the end of a process is known here.
const NEWS: Duration = Duration::from_secs(5);

/// How a task attaches to a running JVM.
#[derive(Clone, Debug, Deserialize)]
pub(in super::super) struct Gateway {
    pub(in super::super) port: u16,
    pub(in super::super) secret: String,
}

/// A running JVM. It ends when this is dropped.
#[derive(Debug)]
pub(in super::super) struct Jvm {
    pub(in super::super) gateway: Gateway,
    /// Task runs whose Spark jobs are to be canceled.
    orders: UnboundedSender<i64>,
    death: Death,
    handle: JoinHandle<()>,
}

/// Tells when and why a JVM ended that nobody had asked to.
#[derive(Clone, Debug)]
pub(in super::super) struct Death {
    port: u16,
    reason: watch::Receiver<Option<String>>,
}

impl Death {
    /// Waits until the JVM has ended by itself. For ever, if it is ended from here.
    pub(in super::super) async fn reason(&mut self) -> String {
        let reason = self.reason.wait_for(Option::is_some).await.map(|it| it.clone());
        match reason {
            Ok(it) => it.unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Why the JVM does not answer any more, if it does not.
    pub(in super::super) async fn cause(&mut self) -> Option<String> {
        if answers(self.port).await {
            return None;
        }
        tokio::time::timeout(NEWS, self.reason()).await.ok()
    }
}

impl Jvm {
    /// Starts the JVM of the cluster that `work` runs on.
    pub(super) async fn start(shared: &Shared, kernel: &Kernel, work: &Work) -> io::Result<Self> {
        let attempt = &work.attempt;
        let name = format!("{}-{}-{}", attempt.epoch, attempt.workspace, work.machine);
        let folder = kernel.files.scratch().join("clusters").join(name).join("jvm");
        fs::create_dir_all(&folder)?;
        let mut child = spawn(shared, kernel, work, &folder)?;
        let (Some(lifeline), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the JVM has no input or no output"));
        };
        let mut lines = BufReader::new(output).lines();
        let line = match tokio::time::timeout(START, lines.next_line()).await {
            Ok(line) => line?,
            Err(_) => None,
        };
        let log = folder.join("log");
        let Some(Ok(gateway)) = line.as_deref().map(serde_json::from_str::<Gateway>) else {
            children::end(&mut child).await;
            return Err(io::Error::other(last_words(&log)));
        };
        let (orders, received) = unbounded_channel();
        let (reason, reasons) = watch::channel(None);
        let death = Death { port: gateway.port, reason: reasons };
        let handle = tokio::spawn(async move {
            if let Some(status) = watch_over(&mut child, lifeline, received).await {
                reason.send_replace(Some(format!("{status}: {}", last_words(&log))));
            }
        });
        Ok(Self { gateway, orders, death, handle })
    }

    /// Whether tasks can attach to it.
    pub(super) async fn answers(&self) -> bool {
        answers(self.gateway.port).await
    }

    pub(in super::super) fn death(&self) -> Death {
        self.death.clone()
    }

    /// Cancels what a task that was ended left running.
    pub(super) fn cancel_jobs(&self, task_run_id: i64) {
        // A JVM that is gone runs nothing.
        let _ = self.orders.send(task_run_id);
    }

    /// Ends the JVM and answers when it is gone.
    pub(super) async fn end(self) {
        let Self { orders, handle, .. } = self;
        drop(orders);
        // One that panicked is gone, too: its child was killed when dropped.
        let _ = handle.await;
    }
}

async fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}

fn spawn(shared: &Shared, kernel: &Kernel, work: &Work, folder: &Path) -> io::Result<Child> {
    let file = folder.join("spec.json");
    write_private(&file, spec::common(shared, kernel, work).to_string().as_bytes())?;
    let log = fs::File::create(folder.join("log"))?;
    Command::new(&shared.options.python)
        .args(["-u", "-B", &path_text(&shared.python_files.file("jvm.py"))])
        .arg(&file)
        .env_clear()
        .envs(environment::of_task(folder, None, &work.environment))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        // A group of its own, which is ended as a whole.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Passes on orders until nobody can give any more, and ends the JVM then. Tells
/// how it ended if that was its own doing.
async fn watch_over(
    child: &mut Child,
    mut lifeline: ChildStdin,
    mut orders: UnboundedReceiver<i64>,
) -> Option<String> {
    let group = children::Group(children::pid_of(child));
    let status = loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(id) => {
                    // One that is gone does not read; its end is seen below.
                    let _ = lifeline.write_all(format!("cancel {id}\n").as_bytes()).await;
                }
                None => break None,
            },
            status = child.wait() => break Some(status),
        }
    };
    if status.is_none() {
        drop(lifeline);
        if tokio::time::timeout(END, child.wait()).await.is_err() {
            children::end(child).await;
        }
    }
    drop(group);
    let status = status?.ok()?;
    // The Python beside the JVM passes on how that ended, as a shell does.
    let signal = status.signal().or_else(|| status.code()?.checked_sub(128).filter(|it| 0 < *it));
    Some(match (signal, status.code()) {
        (Some(signal), _) => format!("the JVM was ended by signal {signal}"),
        (None, Some(code)) => format!("the JVM ended with exit status {code}"),
        (None, None) => "the JVM ended".to_owned(),
    })
}

/// What a JVM wrote last into its log.
fn last_words(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rev().find(|it| !it.trim().is_empty());
    last.unwrap_or("it said nothing").trim().to_owned()
}
