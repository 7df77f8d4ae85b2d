//! Where things are, whatever folder the chore was started in.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use serde_json::Value;

use crate::process;

/// The checkout that this program was built in.
pub(crate) struct Project {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    /// What `cargo metadata --no-deps` says.
    pub(crate) metadata: Value,
    cargo: OsString,
}

impl Project {
    pub(crate) fn locate() -> anyhow::Result<Self> {
        // Cargo says at run time where the package lies. What it said at compile time
        // is another checkout if the target folder has moved.
        let package = env::var_os("CARGO_MANIFEST_DIR");
        let root = package
            .as_deref()
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")), Path::new)
            .parent()
            .context("the folder of xtask has no parent")?
            .to_owned();
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(&cargo);
        command.current_dir(&root).args(["metadata", "--no-deps", "--format-version=1"]);
        let metadata: Value = serde_json::from_str(&process::capture(&mut command)?)
            .context("cargo metadata printed no JSON")?;
        let target =
            metadata["target_directory"].as_str().context("no target_directory in the metadata")?;
        Ok(Self { root, target: target.into(), metadata, cargo })
    }

    /// Prepares a call of cargo in the root of the workspace.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root).args(arguments);
        command
    }

    /// Whether `cargo SUBCOMMAND` exists.
    pub(crate) fn has_subcommand(&self, name: &str) -> bool {
        process::succeeds(&mut self.cargo([name, "--version"]))
    }

    /// A file of the checkout.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A program built in the development profile.
    pub(crate) fn debug_binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }
}
