//! The programs that checks run: the mock, and our own clients' tests that want
//! servers. Built together with the features of the whole workspace, as the other
//! tests are, so that no dependency is built twice.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use crate::{process, project::Project};

pub(crate) struct Programs {
    pub(crate) mock: PathBuf,
    /// Name and program of each test.
    pub(crate) tests: Vec<(String, PathBuf)>,
}

impl Programs {
    pub(crate) fn build(project: &Project) -> anyhow::Result<Self> {
        let messages = process::capture(&mut project.cargo([
            "test",
            "--workspace",
            "--features",
            "azml-tests/servers",
            "--test",
            "*_on_*",
            "--no-run",
            "--message-format",
            "json-render-diagnostics",
        ]))?;
        Self::named_in(&messages).context("cargo named no program of the mock")
    }

    /// What cargo's messages, one a line, tell of programs.
    fn named_in(messages: &str) -> Option<Self> {
        let (mut mock, mut tests) = (None, Vec::new());
        for line in messages.lines() {
            let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
            let Some(program) = message["executable"].as_str().map(PathBuf::from) else { continue };
            let target = &message["target"];
            match (target["kind"][0].as_str(), target["name"].as_str()) {
                (Some("bin"), Some("mock")) => mock = Some(program),
                (Some("test"), Some(name)) => tests.push((name.to_owned(), program)),
                _ => {}
            }
        }
        Some(Self { mock: mock?, tests })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_what_cargo_tells() {
        let messages = "\
            {\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"lib\"],\"name\":\"azml\"},\"executable\":null}\n\
            no message\n\
            {\"target\":{\"kind\":[\"bin\"],\"name\":\"mock\"},\"executable\":\"debug/mock\"}\n\
            {\"target\":{\"kind\":[\"bin\"],\"name\":\"cli\"},\"executable\":\"debug/cli\"}\n\
            {\"target\":{\"kind\":[\"test\"],\"name\":\"tracking_on_servers\"},\"executable\":\"debug/t\"}\n";
        let programs = Programs::named_in(messages).unwrap();
        assert_eq!(programs.mock, PathBuf::from("debug/mock"));
        let test = ("tracking_on_servers".to_owned(), PathBuf::from("debug/t"));
        assert_eq!(programs.tests, [test]);
        assert!(Programs::named_in("").is_none());
    }
}
