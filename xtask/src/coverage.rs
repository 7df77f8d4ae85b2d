//! `cargo xtask coverage`: what the mock cloud emulates, as a document.

use std::{collections::BTreeMap, fmt::Write as _, fs, process::Command};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{
    conformance::proof::{self, Proofs},
    process,
    programs::Programs,
    project::Project,
};

mod origins;

use self::origins::Origin;

const DOCUMENT: &str = "mock-server/COVERAGE.md";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only says whether the document is up to date
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<()> {
    let mut command = Command::new(Programs::build(project)?.mock);
    let json = process::capture(command.args(["coverage", "--json"]))?;
    let rows = serde_json::from_str(&json).context("azml-mock printed no JSON")?;
    let text = render(&rows, &proof::read(project)?, &origins::read(project)?)?;
    let path = project.path(DOCUMENT);
    let current = fs::read_to_string(&path).unwrap_or_default();
    if options.check {
        if current != text {
            bail!("{DOCUMENT} is out of date; run cargo xtask coverage");
        }
    } else if current != text {
        fs::write(&path, text).with_context(|| format!("cannot write {DOCUMENT}"))?;
        println!("wrote {DOCUMENT}");
    }
    Ok(())
}

fn render(rows: &Value, proofs: &Proofs, origins: &[Origin]) -> anyhow::Result<String> {
    let rows = rows.as_array().context("azml-mock coverage --json printed no list")?;
    let mut services: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        services.entry(field(row, "service")?).or_default().push(row);
        *states.entry(field(row, "state")?).or_default() += 1;
    }
    let mut text = String::from(
        "# What the mock cloud emulates\n\n\
         Generated from the route tables by `cargo xtask coverage`. *Emulated*: as documented or \
         observed.\n*Partial*: the common case. *Assumed*: nothing says how the real service \
         answers. *Absent*: the real\nservice has it, the mock answers 501. *Shown by*: the parts \
         of official SDKs that have used it and passed\n(`cargo xtask conformance --record`), and \
         where an exchange in `fixtures/` comes from that the mock repeats.\n\n",
    );
    let counts: Vec<_> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    writeln!(text, "{} operations: {}.", rows.len(), counts.join(", "))?;
    for (service, mut rows) in services {
        rows.sort_by_key(|row| (row["path"].as_str(), row["method"].as_str()));
        writeln!(text, "\n## {service}\n")?;
        writeln!(text, "| Operation | Method | Path | State | Shown by |")?;
        writeln!(text, "|---|---|---|---|---|")?;
        for row in rows {
            let proof = shown_by(row, proofs, origins)?.replace('|', "\\|");
            writeln!(
                text,
                "| `{}` | {} | `{}` | {} | {proof} |",
                field(row, "operation")?,
                field(row, "method")?,
                field(row, "path")?,
                field(row, "state")?,
            )?;
        }
    }
    Ok(text)
}

/// `azureml-v1 part1, part2; mlflow tracking; fixture: azureml-core 1.61`.
fn shown_by(row: &Value, proofs: &Proofs, origins: &[Origin]) -> anyhow::Result<String> {
    let mut suites: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for part in proofs.get(field(row, "operation")?).into_iter().flatten() {
        let (suite, part) = part.split_once(' ').unwrap_or((part, ""));
        suites.entry(suite).or_default().push(part);
    }
    let mut shown: Vec<String> =
        suites.into_iter().map(|(suite, parts)| format!("{suite} {}", parts.join(", "))).collect();
    let (method, path) = (field(row, "method")?, field(row, "path")?);
    if let Some(origin) = origins.iter().find(|it| it.is_of(method, path)) {
        shown.push(format!("fixture: {}", origin.source));
    }
    Ok(shown.join("; "))
}

fn field<'a>(row: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    row[key].as_str().with_context(|| format!("a row of the coverage has no {key}: {row}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_are_listed_by_service_and_path_with_their_sums() {
        let rows = json!([
            { "service": "entra", "operation": "entra.token", "method": "POST",
              "path": "/{tenant}/oauth2/v2.0/token", "state": "emulated" },
            { "service": "arm", "operation": "arm.workspaces.list", "method": "GET",
              "path": "/b", "state": "absent" },
            { "service": "arm", "operation": "arm.workspaces.get", "method": "GET",
              "path": "/a", "state": "emulated" },
        ]);
        let parts = ["azureml-v1 part1", "azureml-v1 part2", "mlflow tracking"];
        let parts = parts.map(str::to_owned).into();
        let proofs = Proofs::from([("entra.token".to_owned(), parts)]);
        let text =
            render(&rows, &proofs, &[Origin::new("a doc, section 1", "GET", "/a?b=c")]).unwrap();
        let tables: Vec<_> = text.lines().skip(7).collect();
        assert_eq!(
            tables,
            [
                "3 operations: 1 absent, 2 emulated.",
                "",
                "## arm",
                "",
                "| Operation | Method | Path | State | Shown by |",
                "|---|---|---|---|---|",
                "| `arm.workspaces.get` | GET | `/a` | emulated | fixture: a doc |",
                "| `arm.workspaces.list` | GET | `/b` | absent |  |",
                "",
                "## entra",
                "",
                "| Operation | Method | Path | State | Shown by |",
                "|---|---|---|---|---|",
                "| `entra.token` | POST | `/{tenant}/oauth2/v2.0/token` | emulated | azureml-v1 part1, part2; mlflow tracking |",
            ]
        );
    }

    #[test]
    fn a_row_without_a_field_is_refused_by_name() {
        let err = render(&json!([{ "service": "arm" }]), &Proofs::new(), &[]).unwrap_err();
        assert_eq!(err.to_string(), r#"a row of the coverage has no state: {"service":"arm"}"#);
    }
}
