//! The negative control: without a mock cloud no part may pass. One that does
//! would pass whatever the mock cloud answers.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{Outcome, Setting, missing, suite};
use crate::report::Report;

/// Runs the parts of the plan against a port at which nobody listens.
pub(super) fn run(
    setting: &Setting<'_>,
    plan: &[(String, Vec<String>)],
    report: &mut Report,
) -> anyhow::Result<()> {
    let ready_file = nowhere(setting.ready_file)?;
    let setting = Setting { ready_file: &ready_file, proof: None, ..*setting };
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, parts) in plan {
        let mut outcomes: Vec<Outcome> = Vec::new();
        let verdict = report.stage(&format!("negative control {name}"), |_| {
            suite(&setting, name, parts, &["--control"], &mut outcomes)
        });
        if let Err(err) = verdict
            && outcomes.iter().all(|outcome| outcome.passed)
        {
            wrong.push(format!("{name} ({})", err.root_cause()));
        }
        wrong.extend(missing(parts, &outcomes).iter().map(|it| format!("{name} {it} (not run)")));
        count += outcomes.len();
        let passing = outcomes.into_iter().filter(|outcome| !outcome.passed);
        wrong.extend(passing.map(|outcome| format!("{name} {}", outcome.part)));
    }
    fs::remove_file(&ready_file)
        .with_context(|| format!("cannot remove {}", ready_file.display()))?;
    report.sum(format!(
        "negative control: {} of {count} parts failed as they must",
        count - wrong.len().min(count)
    ));
    ensure!(wrong.is_empty(), "passed without a mock cloud, or did not run: {}", wrong.join(", "));
    Ok(())
}

/// The ready file of a mock cloud that is not there.
fn nowhere(ready_file: &Path) -> anyhow::Result<PathBuf> {
    let text = fs::read_to_string(ready_file)
        .with_context(|| format!("cannot read {}", ready_file.display()))?;
    let mut ready: Value = serde_json::from_str(&text).context("the ready file is not JSON")?;
    // Free a moment ago, and nobody is told of it but who is to find it empty.
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    ready["url"] = format!("http://127.0.0.1:{port}").into();
    ready["tls_url"] = format!("https://127.0.0.1:{port}").into();
    let path = ready_file.with_extension("nowhere.json");
    fs::write(&path, ready.to_string())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_file_of_nowhere_differs_in_its_addresses_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        fs::write(&file, r#"{"url":"http://a.test","tls_url":"https://a.test","pid":1}"#).unwrap();
        let text = fs::read_to_string(nowhere(&file).unwrap()).unwrap();
        let ready: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(ready["pid"], 1);
        let port = ready["url"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        assert_eq!(ready["tls_url"], format!("https://127.0.0.1:{port}"));
        assert!(std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err());
    }
}
