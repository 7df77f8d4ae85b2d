//! The process between the mock and the code of a task: it makes the task's
//! view of the file system and ends all of it when the mock is gone.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::{Pid, setsid},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Launch {
    program: String,
    arguments: Vec<String>,
    /// Whether the program reads what the mock writes.
    #[serde(default)]
    takes_input: bool,
}

/// Runs the task whose specification the only argument names, and ends with
/// its exit status.
///
/// It must be called before the process has a second thread, and its standard
/// input must be a pipe that the mock holds: when that closes, every process
/// of the task is killed.
pub fn exec_task(arguments: &[OsString]) -> ExitCode {
    match run(arguments) {
        Ok(status) => ExitCode::from(status),
        Err(err) => {
            let _ = writeln!(io::stderr(), "exec-task: {err}");
            ExitCode::from(125)
        }
    }
}

fn run(arguments: &[OsString]) -> io::Result<u8> {
    let [file] = arguments else {
        return Err(io::Error::other("the only argument is the specification of a task"));
    };
    // Who leads a group already (a debugger started it) keeps that group.
    let _ = setsid();
    let mut spec: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let launch: Launch = serde_json::from_value(spec["launch"].take())?;
    match mount(&spec["roots"]) {
        Ok(()) => {
            spec["mounted"] = Value::Bool(true);
            std::fs::write(file, spec.to_string())?;
        }
        // Python's own file functions follow the paths instead.
        Err(_) => spec["mounted"] = Value::Bool(false),
    }
    let mut child = Command::new(launch.program)
        .args(launch.arguments)
        .arg(file)
        .stdin(if launch.takes_input { Stdio::piped() } else { Stdio::null() })
        .spawn()?;
    let mut input = child.stdin.take();
    thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(count @ 1..) = io::stdin().read(&mut bytes) {
            if let Some(pipe) = &mut input {
                // A program that has ended does not read; its end is seen elsewhere.
                let _ = pipe.write_all(&bytes[..count]);
            }
        }
        // The mock is gone. This process is one of the group.
        let _ = killpg(Pid::from_raw(0), Signal::SIGKILL);
    });
    let status = child.wait()?;
    Ok(status.code().and_then(|it| u8::try_from(it).ok()).unwrap_or(126))
}

/// Gives this process a view of the file system in which `/dbfs`, `/Workspace`
/// and `/Volumes` are there. The rest of the machine sees nothing of it.
#[cfg(target_os = "linux")]
fn mount(roots: &Value) -> io::Result<()> {
    use nix::{
        mount::{MsFlags, mount},
        sched::{CloneFlags, unshare},
        unistd::{chroot, getgid, getuid},
    };

    const NONE: Option<&str> = None;
    let (user, group) = (getuid(), getgid());
    let here = std::env::current_dir()?;
    // An administrator needs no name space of users.
    if unshare(CloneFlags::CLONE_NEWNS).is_err() {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        std::fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    }
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let root = here.with_file_name("root");
    std::fs::create_dir_all(&root)?;
    mount(Some("tmpfs"), &root, Some("tmpfs"), MsFlags::empty(), NONE)?;
    let bind = |from: &Path, to: &Path| {
        mount(Some(from), to, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)
    };
    let shown = [("dbfs", "dbfs"), ("Workspace", "workspace"), ("Volumes", "volumes")];
    for entry in std::fs::read_dir("/")? {
        let entry = entry?;
        let target = root.join(entry.file_name());
        let kind = entry.file_type()?;
        if shown.iter().any(|(name, _)| entry.file_name() == *name) {
            continue;
        }
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, target)?;
        } else if kind.is_dir() {
            std::fs::create_dir(&target)?;
            bind(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::File::create(&target)?;
            bind(&entry.path(), &target)?;
        }
    }
    for (name, root_name) in shown {
        let folder =
            roots[root_name].as_str().ok_or_else(|| io::Error::other("a root is missing"))?;
        let target = root.join(name);
        std::fs::create_dir(&target)?;
        bind(Path::new(folder), &target)?;
    }
    chroot(&root)?;
    std::env::set_current_dir(here)
}

#[cfg(not(target_os = "linux"))]
fn mount(_: &Value) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
