//! A pipeline of 1,000 steps and a folder of 10,000 files, by the client alone.

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::{process, project::Project};

const FIGURES: [(&str, &str, f64); 2] = [
    ("1,000 steps built, validated, encoded", "pipeline_of_1000_steps_ms", 20.0),
    ("10,000 files hashed", "folder_of_10000_files_ms", 1_000.0),
];

pub(super) fn run(project: &Project, check: bool) -> anyhow::Result<()> {
    let text = process::capture(&mut project.cargo([
        "run",
        "--quiet",
        "--release",
        "-p",
        "azml-pipeline",
        "--example",
        "measure",
    ]))?;
    let figures: Value = serde_json::from_str(&text).context("the example printed no JSON")?;
    println!("| Pipelines, by the client alone | Median | Limit | Measured by |");
    println!("|---|---|---|---|");
    for (what, key, limit) in FIGURES {
        let figure = figures[key].as_f64().with_context(|| format!("no {key}"))?;
        println!("| {what} | {figure:.1} ms | {limit:.0} ms | `cargo xtask bench pipelines` |");
        if check {
            ensure!(figure < limit, "{what} took {figure:.1} ms, the limit is {limit} ms");
        }
    }
    Ok(())
}
