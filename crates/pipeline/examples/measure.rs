//! Measures a pipeline of 1,000 steps, built, validated and encoded, and a folder of
//! 10,000 files, hashed: `cargo run --release -p azml-pipeline --example measure`.
//!
//! Prints one JSON document: the median of several rounds, in milliseconds.
#![expect(clippy::print_stdout, reason = "a program talks to its terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures the wall clock")]

#[path = "thousand/mod.rs"]
mod thousand;

use std::{error::Error, fs, time::Instant};

use azml_pipeline::{DatabricksStep, Pipeline, SubmitOptions};

const FILES: usize = 10_000;
const ROUNDS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let mut pipeline_ms = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let body = thousand::steps().to_wire(&SubmitOptions::default())?;
        pipeline_ms.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(body.len() > thousand::STEPS);
    }
    let folder = tempfile::tempdir()?;
    let scripts = ten_thousand_files(folder.path())?;
    let mut folder_ms = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        scripts.to_wire(&SubmitOptions::default())?;
        folder_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let figures = serde_json::json!({
        "pipeline_of_1000_steps_ms": median(pipeline_ms),
        "folder_of_10000_files_ms": median(folder_ms),
    });
    println!("{figures}");
    Ok(())
}

fn ten_thousand_files(folder: &std::path::Path) -> std::io::Result<Pipeline> {
    for number in 0..FILES {
        let below = folder.join(format!("part{}", number / 100));
        if number % 100 == 0 {
            fs::create_dir(&below)?;
        }
        fs::write(
            below.join(format!("module_{number}.py")),
            format!("VALUE = {number}\n").repeat(50),
        )?;
    }
    fs::write(folder.join(".amlignore"), "*.log\n__pycache__/\n/data/**\n!keep.log\n")?;
    fs::write(folder.join("main.py"), "print('x')\n")?;
    let step = DatabricksStep::new("train")
        .with_python_script_name("main.py")
        .with_source_directory(folder)
        .with_num_workers(1);
    Ok(Pipeline::new("files").with_default_compute("dbx").with_step(step))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
