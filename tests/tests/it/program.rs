//! The mock as a process of its own.

use std::{
    ops::Deref,
    path::Path,
    process::{Child, Command, Stdio},
};

use azml_testkit::wait_for;

use crate::served::Served;

pub(crate) struct Program {
    pub(crate) child: Child,
    served: Served,
}

impl Program {
    /// Starts `azml-mock serve` with its files in `folder`.
    pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let file = folder.join("ready.json");
        let child = Command::new(env!("CARGO_BIN_EXE_mock"))
            .args(["serve", "--listen", "127.0.0.1:0", "--ready-file"])
            .arg(&file)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let served = wait_for("the ready file", || async { Served::read(&file) });
        Self { child, served: served.await }
    }
}

impl Deref for Program {
    type Target = Served;

    fn deref(&self) -> &Served {
        &self.served
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        // Ends its children too; a process that is gone already is fine.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
