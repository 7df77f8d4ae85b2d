//! The pipeline that is measured.

use azml_pipeline::{DatabricksStep, Pipeline, PipelineData, PipelineParameter};

pub(crate) const STEPS: usize = 1_000;

/// Chains of ten that come together: data and order, parameters, new clusters.
pub(crate) fn steps() -> Pipeline {
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
