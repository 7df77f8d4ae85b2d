use std::{
    fs, io,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use clap::{Args, ValueEnum};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{Failure, tell};
use crate::{
    executor::{
        Executor, Simulated,
        local::{Local, LocalOptions},
    },
    kernel::{MockCloud, TrackingOptions, WorldId, admin, log::Log, temporary},
    persist::{Durability, Sqlite},
    server::MockServer,
};

/// How long an orderly end may take before it is cut short.
const END: Duration = Duration::from_secs(6);

/// The exit status after a second signal, as of a program that a signal ended.
const INTERRUPTED: i32 = 130;

#[derive(Args, Debug)]
pub(super) struct Options {
    /// Address and port. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: String,
    /// Writes addresses, names and secrets there as JSON, once the port accepts.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Keeps everything there. Without it the cloud is forgotten at the end.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// What a recorded change survives: `normal` the death of this process, `full` a power cut.
    /// The bytes of blobs and files are not part of that: they are as safe as the file system makes them.
    #[arg(long, value_enum, default_value = "normal")]
    sync: Durability,
    /// Takes the certificate authority from there, or makes one there.
    /// By default it lies in the data folder.
    #[arg(long, value_name = "DIR")]
    ca_dir: Option<PathBuf>,
    /// Begins with this export of `/_mock/export` instead of the default world.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Who runs Databricks tasks.
    #[arg(long, value_enum, default_value = "simulate")]
    executor: Runner,
    /// The Python that runs tasks, `python3` by default.
    #[arg(long, value_name = "PATH", env = "AZML_PYTHON")]
    python: Option<PathBuf>,
    /// Where Spark runs, `local[*]` by default.
    #[arg(long, value_name = "URL")]
    spark_master: Option<String>,
    /// How many clusters have a warm JVM at once. Spark tasks of further clusters wait until one
    /// is idle.
    #[arg(long, value_name = "COUNT", default_value = "2", value_parser = clap::value_parser!(u16).range(1..))]
    max_jvms: u16,
    /// Multiplies simulated delays: 0 waits for nothing, 1 as long as the real service.
    #[arg(long, value_name = "FACTOR", default_value = "0", value_parser = factor)]
    delay: f64,
    /// Refuses fields and parameters that the mock does not know.
    #[arg(long)]
    strict: bool,
    /// Whether a metric point that is there already is not kept again: `off` keeps every point that
    /// is sent, so that a test sees what a client sends twice.
    #[arg(long, value_enum, default_value = "on")]
    tracking_dedupe: Switch,
    /// Shows metrics, and new runs in searches, only so many seconds after they were written.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = factor)]
    tracking_delay: f64,
    /// Where plain MLflow puts the artifacts of experiments: a path or a URI. By default the server
    /// keeps them itself.
    #[arg(long, value_name = "URI")]
    mlflow_artifact_root: Option<String>,
    /// How plain MLflow reads bodies with fields of the wrong kind: as `mlflow server`, which loses
    /// what its checks pass over, or strictly, with a refusal.
    #[arg(long, value_enum, default_value = "faithful")]
    mlflow_reading: Reading,
    /// Who approves sign-ins by device code.
    #[arg(long, value_enum, default_value = "approve")]
    device_code: DeviceCodes,
    /// Lets other machines run code here: their tasks are executed, and the
    /// tokens with which they sign in are published.
    #[arg(long)]
    allow_remote: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Runner {
    /// Nobody: outcomes come from rules.
    Simulate,
    /// This machine, for real.
    Local,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reading {
    Faithful,
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DeviceCodes {
    /// The mock, at once: scripts need no hands.
    Approve,
    /// Somebody, on the page that the program shows or by `POST /_mock/device_codes`.
    Manual,
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(it) if (0.0..=1e6).contains(&it) => Ok(it),
        _ => Err("a number from 0 to 1000000 is needed".to_owned()),
    }
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    temporary::sweep(&std::env::temp_dir());
    let address = address(options)?;
    let (executor, runs) = executor(options)?;
    // One thread answers: with two, each request of a quiet connection would wake the other, which
    // costs more than most answers do. What waits for files has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|err| Failure(format!("no event loop can be had: {err}")))?;
    let ended = runtime.block_on(serve(options, address, executor, &runs));
    // A file that is being read is no reason to stay.
    runtime.shutdown_timeout(Duration::from_millis(500));
    ended
}

async fn serve(
    options: &Options,
    address: SocketAddr,
    executor: Arc<dyn Executor>,
    runs: &str,
) -> Result<(), Failure> {
    // Before the port accepts: whoever sees it may send a signal.
    let signals = Signals::new()?;
    let listener = TcpListener::bind(address).await.map_err(|err| {
        Failure(format!(
            "cannot listen on {address}: {err}; choose another with --listen, or port 0"
        ))
    })?;
    let (cloud, log) = cloud(options, executor)?;
    let ca_dir = options.ca_dir.clone();
    let ca_dir = ca_dir.or_else(|| options.data_dir.as_ref().map(|it| it.join("ca")));
    let server = MockServer::serve(listener, cloud, ca_dir)
        .map_err(|err| Failure(format!("the certificate authority cannot be used: {err}")))?;
    if let Some(file) = &options.ready_file {
        server.ready().write(file).map_err(|err| {
            Failure(format!("cannot write the ready file {}: {err}", file.display()))
        })?;
    }
    let (url, ca_file) = (server.url(), &server.ready().ca_file);
    let line = format!("azml-mock listens at {url} (TLS on the same port, CA {ca_file}), {runs}");
    tell(&mut io::stdout(), &line);
    signals.ended(server, log).await
}

/// What ends the program.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }

    /// Ends `server` in order at the first signal, at once at the second.
    async fn ended(mut self, server: MockServer, log: Option<Arc<dyn Log>>) -> Result<(), Failure> {
        let unwritten = |err: io::Error| Failure(format!("the log was not written out: {err}"));
        self.next().await;
        tokio::select! {
            stopped = tokio::time::timeout(END, server.stop()) => {
                if let Ok(stopped) = stopped {
                    return stopped.map_err(unwritten);
                }
                // Children are killed with the pipes to them.
                tracing::warn!("requests or children did not end in time");
                log.map_or(Ok(()), |it| it.flush()).map_err(unwritten)
            }
            () = self.next() => std::process::exit(INTERRUPTED),
        }
    }
}

/// Where to listen, if that is allowed.
fn address(options: &Options) -> Result<SocketAddr, Failure> {
    let listen = &options.listen;
    let unusable =
        |why: &str| Failure(format!("--listen {listen} is no address with a port: {why}"));
    let addresses = listen.to_socket_addrs().map_err(|err| unusable(&err.to_string()))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    let address = *addresses.first().ok_or_else(|| unusable("the name is unknown"))?;
    let is_open = !address.ip().is_loopback();
    if is_open && options.executor == Runner::Local && !options.allow_remote {
        return Err(Failure(format!(
            "--executor local on {address} would let every machine that reaches it run code here, \
             because its tokens are published: listen on 127.0.0.1, or say --allow-remote"
        )));
    }
    Ok(address)
}

/// Who runs tasks, and how to say so.
fn executor(options: &Options) -> Result<(Arc<dyn Executor>, String), Failure> {
    if options.executor == Runner::Simulate {
        return Ok((Arc::new(Simulated), "tasks are simulated".to_owned()));
    }
    let python = options.python.clone().unwrap_or_else(|| PathBuf::from("python3"));
    let name = python.display();
    let version = match python_version(&python) {
        Ok(version) => version,
        // One that was asked for has to be there.
        Err(why) if options.python.is_some() => {
            return Err(Failure(format!("{name} cannot run tasks: {why}")));
        }
        Err(why) => {
            let text = format!("tasks are simulated, because {name} cannot run them: {why}");
            return Ok((Arc::new(Simulated), text));
        }
    };
    let spark = match without_spark(&python) {
        Some(why) => format!("those that need Spark fail: {why}"),
        None => format!("and Spark, with at most {} warm JVMs", options.max_jvms),
    };
    let text = format!("tasks run with {name} (Python {version}); {spark}");
    Ok((local(&python, options)?, text))
}

fn local(python: &Path, options: &Options) -> Result<Arc<dyn Executor>, Failure> {
    // Tasks run in folders of their own, so a relative path would lead astray.
    // A bare name is looked up again, and a link stays one: a virtual
    // environment knows itself by it.
    let python = if python.components().count() == 1 {
        python.to_owned()
    } else {
        std::path::absolute(python).unwrap_or_else(|_| python.to_owned())
    };
    let failed = |err: io::Error| Failure(format!("tasks cannot be run here: {err}"));
    let exe = std::env::current_exe().map_err(failed)?;
    let local = LocalOptions::new(python, exe)
        .with_spark_master(options.spark_master.clone())
        .with_max_jvms(options.max_jvms.into());
    Ok(Arc::new(Local::new(local).map_err(failed)?))
}

/// Why there is no Spark for tasks, if there is none.
fn without_spark(python: &Path) -> Option<String> {
    let script = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('pyspark'))";
    let asked = Command::new(python).args(["-I", "-c", script]).stdin(Stdio::null()).output();
    if !asked.is_ok_and(|it| it.status.success()) {
        return Some(format!("{} has no pyspark", python.display()));
    }
    let home = std::env::var_os("JAVA_HOME").map(|it| PathBuf::from(it).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there =
        home.into_iter().chain(std::env::split_paths(&path)).any(|it| it.join("java").is_file());
    (!is_there).then(|| "there is no Java".to_owned())
}

/// Asks `python` who it is.
fn python_version(python: &Path) -> Result<String, String> {
    let script = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
    let asked = Command::new(python).args(["-I", "-c", script]).stdin(Stdio::null()).output();
    let output = asked.map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => "there is no such program; give --python PATH".to_owned(),
        _ => err.to_string(),
    })?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers = version.split('.').map_while(|it| it.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(3), Some(minor)) if 9 <= minor => Ok(version),
        (Some(_), Some(_)) => Err(format!("it is Python {version}; 3.9 is needed")),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or("it said nothing");
            Err(format!("it does not answer as Python does ({last})"))
        }
    }
}

/// How the stores of runs are to behave.
fn tracking(options: &Options) -> TrackingOptions {
    let tracking = TrackingOptions::default()
        .with_dedupe(options.tracking_dedupe == Switch::On)
        .with_faithful(options.mlflow_reading == Reading::Faithful)
        .with_visibility_delay(Duration::from_secs_f64(options.tracking_delay));
    match &options.mlflow_artifact_root {
        Some(root) => tracking.with_artifact_root(root),
        None => tracking,
    }
}

/// A cloud, and the log that it keeps if it keeps one.
type Opened = (MockCloud, Option<Arc<dyn Log>>);

/// Opens or begins the cloud.
fn cloud(options: &Options, executor: Arc<dyn Executor>) -> Result<Opened, Failure> {
    let builder = MockCloud::builder()
        .with_delay(options.delay)
        .with_strict(options.strict)
        .with_device_codes_by_hand(options.device_code == DeviceCodes::Manual)
        .with_tracking(tracking(options))
        .with_executor(executor)
        .for_socket();
    let (builder, mut worlds, kept) = match &options.data_dir {
        Some(folder) => {
            let (log, worlds) = Sqlite::open(folder, options.sync)?;
            let log: Arc<dyn Log> = Arc::new(log);
            let builder = builder.with_log(log.clone()).with_files(folder.join("files"));
            (builder, worlds, Some(log))
        }
        None => (builder, Vec::new(), None),
    };
    let mut builder = builder;
    if let Some(file) = &options.seed {
        let failed =
            |why: &str| Failure(format!("the seed {} cannot be read: {why}", file.display()));
        let text = fs::read_to_string(file).map_err(|err| failed(&err.to_string()))?;
        let world = admin::import(&text).map_err(|err| failed(&err))?;
        if worlds.iter().any(|(id, _)| *id == WorldId::default()) {
            return Err(Failure(
                "the data folder holds a world already; give --seed with a new one only".to_owned(),
            ));
        }
        builder = builder.with_seeded(world);
    }
    let builder = builder.with_worlds(std::mem::take(&mut worlds));
    let cloud = builder.build();
    Ok((cloud.map_err(|err| Failure(format!("the cloud cannot begin: {err}")))?, kept))
}
