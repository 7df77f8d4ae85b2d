//! A pipeline of 1,000 steps, by the client alone and on the mock; a folder of 10,000 files.

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

use crate::{process, project::Project};

const FIGURES: [(&str, &str, f64); 3] = [
    ("1,000 steps built, validated, encoded", "pipeline_of_1000_steps_ms", 20.0),
    ("10,000 files hashed", "folder_of_10000_files_ms", 1_000.0),
    ("1,000 steps submitted, run and followed on the mock", "thousand_steps_followed_ms", 3_000.0),
];

pub(super) fn run(project: &Project, check: bool) -> anyhow::Result<()> {
    let mut figures = Map::new();
    for example in ["measure", "follow"] {
        let text = process::capture(&mut project.cargo([
            "run",
            "--quiet",
            "--release",
            "-p",
            "azml-pipeline",
            "--example",
            example,
        ]))?;
        let printed: Map<String, Value> =
            serde_json::from_str(&text).with_context(|| format!("{example} printed no JSON"))?;
        figures.extend(printed);
    }
    println!("| Pipelines | Median | Limit | Measured by |");
    println!("|---|---|---|---|");
    for (what, key, limit) in FIGURES {
        let figure =
            figures.get(key).and_then(Value::as_f64).with_context(|| format!("no {key}"))?;
        println!("| {what} | {figure:.1} ms | {limit:.0} ms | `cargo xtask bench pipelines` |");
        if check {
            ensure!(figure < limit, "{what} took {figure:.1} ms, the limit is {limit} ms");
        }
    }
    Ok(())
}
