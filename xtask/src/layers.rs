//! `cargo xtask layers`: dependencies point down, and the price of each crate is seen.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::bail;
use serde_json::Value;

use crate::{process, project::Project};

/// Crates from the bottom up. A crate may use only crates of a lower rank.
const RANKS: &[&[&str]] = &[
    &["azml-fixtures"],
    &["azml-core", "azml-mock"],
    &["azml-testkit"],
    &["azml-blob"],
    &["azml-auth", "azml-workspace", "azml-tracking", "azml-databricks"],
    &["azml-compute"],
    &["azml-pipeline"],
    &["azml"],
    &["azml-cli"],
    &["azml-tests"],
];

/// Crates that only tests may use.
const DEV_ONLY: &[&str] = &["azml-fixtures", "azml-testkit"];

pub(crate) fn run(project: &Project) -> anyhow::Result<()> {
    let findings = check(&project.metadata);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!(
            "{} dependencies point the wrong way (see the ranks in ARCHITECTURE.md)",
            findings.len()
        );
    }
    print!("{}", prices(project)?);
    print!("{}", budget(project)?);
    Ok(())
}

/// What those may cost who take one crate alone: name, features, the most crates.
const BUDGETS: &[(&str, &[&str], usize)] =
    &[("azml-tracking", &[], 110), ("azml-tracking", &["--no-default-features"], 40)];

/// The price of what is taken alone, beside what it may be.
fn budget(project: &Project) -> anyhow::Result<String> {
    let mut text = String::from("crates that are taken alone:\n");
    let mut is_over = false;
    for (name, features, most) in BUDGETS {
        let count = price(project, name, features)?;
        let features = features.first().unwrap_or(&"with its default features");
        writeln!(text, "{count:>6}  {name} {features} (fewer than {most})")?;
        is_over |= count >= *most;
    }
    if is_over {
        bail!("{text}a crate costs more than it may");
    }
    Ok(text)
}

fn price(project: &Project, name: &str, features: &[&str]) -> anyhow::Result<usize> {
    let mut tree = project.cargo(["tree", "--quiet", "-e", "normal", "--prefix", "none", "-p"]);
    let tree = process::capture(tree.arg(name).args(features))?;
    Ok(count(&tree, name))
}

/// What is wrong with the dependencies of a workspace, as `cargo metadata` tells them.
fn check(metadata: &Value) -> Vec<String> {
    let packages = array(&metadata["packages"]);
    let ours: BTreeSet<_> =
        packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        // `xtask test` would build a crate that xtask uses twice.
        let rank = if name == "xtask" { Some(0) } else { rank(name) };
        let Some(rank) = rank else {
            findings.push(format!("{name} has no rank"));
            continue;
        };
        for dependency in array(&package["dependencies"]) {
            let used = dependency["name"].as_str().unwrap_or_default();
            if !ours.contains(used) {
                continue;
            }
            let kind = dependency["kind"].as_str().unwrap_or("normal");
            if self::rank(used).is_none_or(|below| below >= rank) {
                findings.push(format!("{name} must not use {used} ({kind})"));
            } else if kind != "dev"
                && DEV_ONLY.contains(&used)
                && !DEV_ONLY.contains(&name)
                && name != "azml-tests"
            {
                findings.push(format!("{name} may use {used} in its tests only"));
            }
        }
    }
    findings
}

/// How many crates each of ours pulls in.
fn prices(project: &Project) -> anyhow::Result<String> {
    let mut text = String::from("crates that each of ours pulls in:\n");
    for package in array(&project.metadata["packages"]) {
        let Some(name) = package["name"].as_str() else { continue };
        let count = price(project, name, &[])?;
        writeln!(text, "{count:>6}  {name}")?;
    }
    Ok(text)
}

fn count(tree: &str, name: &str) -> usize {
    let crates: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?))
        })
        .filter(|(used, _)| *used != name)
        .collect();
    crates.len()
}

fn rank(name: &str) -> Option<usize> {
    RANKS.iter().position(|rank| rank.contains(&name))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workspace(edges: &[(&str, &str, Option<&str>)]) -> Value {
        let names: BTreeSet<_> = edges.iter().flat_map(|(user, used, _)| [*user, *used]).collect();
        let packages: Vec<_> = names
            .into_iter()
            .filter(|name| *name == "xtask" || name.starts_with("azml"))
            .map(|name| {
                let dependencies: Vec<_> = edges
                    .iter()
                    .filter(|(user, ..)| *user == name)
                    .map(|(_, used, kind)| json!({ "name": used, "kind": kind }))
                    .collect();
                json!({ "name": name, "dependencies": dependencies })
            })
            .collect();
        json!({ "packages": packages })
    }

    #[test]
    fn an_edge_to_a_lower_rank_is_fine_whatever_its_kind() {
        let metadata = workspace(&[
            ("azml-pipeline", "azml-blob", None),
            ("azml-pipeline", "azml-testkit", Some("dev")),
            ("azml-core", "reqwest", None),
            ("azml-testkit", "azml-mock", None),
        ]);
        assert_eq!(check(&metadata), Vec::<String>::new());
    }

    #[test]
    fn client_and_mock_may_not_know_each_other_not_even_in_tests() {
        let metadata =
            workspace(&[("azml-mock", "azml-core", Some("dev")), ("azml-core", "azml-mock", None)]);
        assert_eq!(
            check(&metadata),
            ["azml-core must not use azml-mock (normal)", "azml-mock must not use azml-core (dev)"]
        );
    }

    #[test]
    fn the_test_kit_stays_in_tests() {
        let metadata = workspace(&[
            ("azml-databricks", "azml-testkit", None),
            ("azml-tests", "azml-testkit", None),
        ]);
        assert_eq!(check(&metadata), ["azml-databricks may use azml-testkit in its tests only"]);
    }

    #[test]
    fn a_crate_without_a_rank_is_named_and_xtask_uses_none_of_ours() {
        let metadata =
            workspace(&[("azml-extra", "serde", None), ("xtask", "azml-fixtures", None)]);
        assert_eq!(
            check(&metadata),
            ["azml-extra has no rank", "xtask must not use azml-fixtures (normal)"]
        );
    }

    #[test]
    fn a_crate_counts_once_however_often_the_tree_shows_it() {
        let tree = "azml-blob v0.1.0 (/x)\nbytes v1.10.0\nhttp v1.4.0\nbytes v1.10.0\n\
                    http v1.4.0 (*)\nhttp v0.2.0\n";
        assert_eq!(count(tree, "azml-blob"), 3);
    }
}
