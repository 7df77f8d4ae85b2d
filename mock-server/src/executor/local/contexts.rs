//! The processes of contexts: each takes commands from its input, one at a
//! time, and answers on its output. Everything else that it prints belongs to
//! the results of a command or to its log.

use std::{
    collections::{BTreeMap, VecDeque},
    fs, io,
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::Instant,
};

use super::{
    ClusterKey, Shared, children, environment,
    needs::speaks_of_spark,
    path_text,
    spark::{Gateway, Lease},
    spec::{self, Files},
    task::write_private,
};
use crate::{
    executor::{
        Work,
        contexts::{CommandText, ContextId},
    },
    kernel::{self, Ctx, Kernel, Refusal, World},
    services::databricks::commands,
};

/// How long a process may take until it says that it is there.
const START: Duration = Duration::from_secs(60);

/// How long a command may go on after it was told to stop.
const STOP: Duration = Duration::from_secs(10);

/// Stands before each line that is an answer.
const MARK: char = '\u{1e}';

/// The contexts that are open.
#[derive(Debug, Default)]
pub(super) struct Contexts(Mutex<BTreeMap<ContextId, Open>>);

#[derive(Debug)]
struct Open {
    /// The context ends when this closes.
    orders: UnboundedSender<Order>,
    handle: JoinHandle<()>,
}

#[derive(Debug)]
enum Order {
    Run(CommandText),
    Cancel(String),
}

/// What the process writes.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// It is there, under this number.
    Ready(i32),
    /// The command has ended. Without results it was stopped.
    Ended(Option<Value>),
}

impl Contexts {
    pub(super) fn open(
        &self,
        shared: &Arc<Shared>,
        kernel: &Arc<Kernel>,
        id: ContextId,
        work: Work,
    ) {
        let (orders, received) = unbounded_channel();
        let (shared, kernel, own) = (shared.clone(), kernel.clone(), id.clone());
        // The lock is held until the context is on the list, so that it cannot
        // leave the list before it is on it.
        let mut open = self.0.lock();
        let handle = tokio::spawn(async move {
            Context { shared: &shared, kernel: &kernel, id: &own, work }.live(received).await;
            shared.contexts.0.lock().remove(&own);
        });
        open.insert(id, Open { orders, handle });
    }

    pub(super) fn run(&self, id: &ContextId, command: CommandText) {
        self.order(id, Order::Run(command));
    }

    pub(super) fn cancel(&self, id: &ContextId, command_id: &str) {
        self.order(id, Order::Cancel(command_id.to_owned()));
    }

    fn order(&self, id: &ContextId, order: Order) {
        // Of one that has just ended, its end tells what became of its commands.
        if let Some(it) = self.0.lock().get(id) {
            let _ = it.orders.send(order);
        }
    }

    /// Ends contexts and answers who waits for their ends.
    pub(super) fn close(&self, is_wanted: impl Fn(&ContextId) -> bool) -> Vec<JoinHandle<()>> {
        let mut open = self.0.lock();
        let ids: Vec<ContextId> = open.keys().filter(|it| is_wanted(it)).cloned().collect();
        ids.iter().filter_map(|it| open.remove(it)).map(|it| it.handle).collect()
    }
}

/// One context while it lives.
struct Context<'a> {
    shared: &'a Arc<Shared>,
    kernel: &'a Arc<Kernel>,
    id: &'a ContextId,
    work: Work,
}

impl Context<'_> {
    async fn live(&self, orders: UnboundedReceiver<Order>) {
        let files = Files::of(self.kernel, &self.work);
        let lived = self.converse(&files, orders).await;
        // It holds tokens, and what is scratch for the context alone.
        if let Some(Err(err)) = files.spec.parent().map(fs::remove_dir_all) {
            tracing::debug!(context = ?self.id, %err, "files of a context stay");
        }
        if let Err(err) = lived {
            let message = format!("the process of the context ended: {err}");
            self.commit(|world, _| commands::decide_lost(world, self.id, message));
        }
    }

    /// Whether anything was recorded.
    fn commit(&self, decide: impl FnOnce(&World, &Ctx<'_>) -> Vec<kernel::Event>) -> bool {
        let committed = self.kernel.commit::<_, Refusal>(|world, ctx| {
            let events = decide(world, ctx);
            let is_any = !events.is_empty();
            Ok((events, is_any))
        });
        committed.unwrap_or_else(|refusal| {
            tracing::error!(context = ?self.id, %refusal.message, "a step was not recorded");
            false
        })
    }

    async fn converse(
        &self,
        files: &Files,
        mut orders: UnboundedReceiver<Order>,
    ) -> io::Result<()> {
        let mut child = self.start(files)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the process has no input or no output"));
        };
        let lines = BufReader::new(output).lines();
        let ended = self.serve(input, lines, &mut orders).await;
        children::end(&mut child).await;
        ended
    }

    fn start(&self, files: &Files) -> io::Result<Child> {
        let Self { shared, kernel, work, .. } = self;
        let Some((program, arguments)) = shared.options.launcher.split_first() else {
            return Err(io::Error::other("the executor has no launcher"));
        };
        fs::create_dir_all(&files.scratch)?;
        for (_, folder) in spec::roots(kernel, work.attempt.workspace) {
            fs::create_dir_all(folder)?;
        }
        files.log.parent().map_or(Ok(()), fs::create_dir_all)?;
        let log = fs::File::create(&files.log)?;
        let mut spec = spec::of_task(shared, kernel, work, files, None);
        let program_file = path_text(&shared.python_files.file("commands.py"));
        spec["launch"]["arguments"] = json!(["-u", "-B", program_file]);
        spec["launch"]["takes_input"] = json!(true);
        write_private(&files.spec, spec.to_string().as_bytes())?;
        let ca_file = shared.authorities(kernel);
        Command::new(program)
            .args(arguments)
            .arg(&files.spec)
            .env_clear()
            .envs(environment::of_task(&files.scratch, ca_file.as_deref(), &work.environment))
            .current_dir(&files.scratch)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Not killed when dropped: the pipe closes then, and `exec-task`
            // ends the group.
            .spawn()
    }

    /// Hands over command after command until nobody orders any more.
    async fn serve(
        &self,
        mut input: ChildStdin,
        mut lines: Lines<BufReader<ChildStdout>>,
        orders: &mut UnboundedReceiver<Order>,
    ) -> io::Result<()> {
        let started = tokio::time::timeout(START, answer(&mut lines)).await;
        let Answer::Ready(pid) = started.map_err(|_| io::Error::other("it said nothing"))?? else {
            return Err(io::Error::other("it did not say that it is there"));
        };
        self.commit(|world, _| commands::decide_ready(world, self.id));
        let (mut waiting, mut running) = (VecDeque::new(), None::<CommandText>);
        let mut limit = None::<Instant>;
        let mut lease = None;
        loop {
            if running.is_none()
                && let Some(next) = waiting.pop_front()
            {
                let next: CommandText = next;
                match self.prepare(&next, &mut lease, orders, &mut waiting).await {
                    Prepared::Ready(gateway) => {
                        if self.commit(|world, ctx| {
                            commands::decide_began(world, self.id, &next.command_id, ctx)
                        }) {
                            hand_over(&mut input, &next, gateway).await?;
                            running = Some(next);
                        }
                    }
                    Prepared::Canceled => (),
                    Prepared::Closed => return Ok(()),
                }
                continue;
            }
            let too_long = async {
                match limit {
                    Some(it) => tokio::time::sleep_until(it).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = orders.recv() => match order {
                    None => return Ok(()),
                    Some(Order::Run(it)) => waiting.push_back(it),
                    Some(Order::Cancel(id)) => {
                        if running.as_ref().is_some_and(|it| it.command_id == id) {
                            // One that has just ended is not there to hear it.
                            let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
                            limit = Some(Instant::now() + STOP);
                        }
                        waiting.retain(|it| it.command_id != id);
                    }
                },
                answer = answer(&mut lines) => {
                    if let (Answer::Ended(results), Some(it)) = (answer?, running.take()) {
                        limit = None;
                        self.commit(|world, ctx| {
                            commands::decide_ended(world, self.id, &it.command_id, results, ctx)
                        });
                    }
                }
                () = too_long => {
                    return Err(io::Error::other("a command that was canceled did not stop"));
                }
            }
        }
    }

    /// Waits for the JVM that a command needs, and listens meanwhile.
    async fn prepare(
        &self,
        next: &CommandText,
        lease: &mut Option<Lease>,
        orders: &mut UnboundedReceiver<Order>,
        waiting: &mut VecDeque<CommandText>,
    ) -> Prepared {
        let mut gateway = std::pin::pin!(self.gateway(next, lease));
        loop {
            tokio::select! {
                it = &mut gateway => return Prepared::Ready(it),
                order = orders.recv() => match order {
                    None => return Prepared::Closed,
                    Some(Order::Run(it)) => waiting.push_back(it),
                    Some(Order::Cancel(id)) if id == next.command_id => return Prepared::Canceled,
                    Some(Order::Cancel(id)) => waiting.retain(|it| it.command_id != id),
                },
            }
        }
    }

    async fn gateway(&self, next: &CommandText, lease: &mut Option<Lease>) -> Option<Gateway> {
        if lease.is_none() && (speaks_of_spark(&next.text) || next.language == "sql") {
            // Kept to the end of the context, which stays attached to that JVM.
            let key = ClusterKey::of_machine(&self.work);
            *lease = Some(self.shared.machines.lease(&key).await);
        }
        let machine = &lease.as_ref()?.machine;
        machine.gateway(self.shared, self.kernel, &self.work).await.map(|(it, _)| it)
    }
}

/// What became of a command before it was handed over.
enum Prepared {
    Ready(Option<Gateway>),
    /// Whoever canceled it has said so.
    Canceled,
    /// Nobody orders any more.
    Closed,
}

async fn hand_over(
    input: &mut ChildStdin,
    next: &CommandText,
    gateway: Option<Gateway>,
) -> io::Result<()> {
    let gateway = gateway.map(|it| json!({ "port": it.port, "secret": it.secret }));
    let line = json!({ "language": next.language, "text": next.text, "gateway": gateway });
    input.write_all(format!("{line}\n").as_bytes()).await?;
    input.flush().await
}

/// The next answer; other lines are nobody's.
async fn answer(lines: &mut Lines<BufReader<ChildStdout>>) -> io::Result<Answer> {
    while let Some(line) = lines.next_line().await? {
        if let Some((_, it)) = line.split_once(MARK) {
            return Ok(serde_json::from_str(it)?);
        }
    }
    Err(io::Error::other("its output ended"))
}
