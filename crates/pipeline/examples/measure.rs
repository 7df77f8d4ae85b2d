//! Measures a pipeline of 1,000 steps, built, validated and encoded, and a folder of
//! 10,000 files, hashed: `cargo run --release -p azml-pipeline --example measure`.
//!
//! Prints one JSON document: the median of several rounds, in milliseconds.
#![expect(clippy::print_stdout, reason = "a program talks to its terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures the wall clock")]

use std::{fs, time::Instant};

use azml_pipeline::{DatabricksStep, Pipeline, PipelineData, PipelineParameter, SubmitOptions};

const STEPS: usize = 1_000;
const FILES: usize = 10_000;
const ROUNDS: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut pipeline_ms = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let body = thousand_steps().to_wire(&SubmitOptions::default())?;
        pipeline_ms.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(body.len() > STEPS);
    }
    let folder = tempfile::tempdir()?;
    let scripts = ten_thousand_files(folder.path())?;
    let mut folder_ms = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        scripts.to_wire(&SubmitOptions::default())?;
        folder_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let (pipeline, folder) = (median(pipeline_ms), median(folder_ms));
    println!(
        "{{\"pipeline_of_1000_steps_ms\":{pipeline:.1},\"folder_of_10000_files_ms\":{folder:.1}}}"
    );
    Ok(())
}

/// Chains of ten that come together: data and order, parameters, new clusters.
fn thousand_steps() -> Pipeline {
    let depth = PipelineParameter::new("depth", 3);
    let mut pipeline = Pipeline::new("thousand").with_default_compute("dbx").with_parameter(&depth);
    for number in 0..STEPS {
        let output = PipelineData::new(format!("d{number}"));
        let mut step = DatabricksStep::new(format!("step-{number}"))
            .with_notebook_path("/Shared/work")
            .with_notebook_param("number", i64::try_from(number).unwrap_or(0))
            .with_notebook_param("depth", &depth)
            .with_num_workers(2)
            .with_output(output);
        if number % 10 != 0 {
            step = step.with_input(PipelineData::new(format!("d{}", number - 1)));
        }
        if number > 10 {
            step = step.with_run_after(format!("step-{}", number - 10));
        }
        pipeline = pipeline.with_step(step);
    }
    pipeline
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
