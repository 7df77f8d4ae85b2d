//! Tables and a plot.

use std::{collections::BTreeMap, time::Duration};

use azml::{
    pipeline::{PipelineRunId, StepRun},
    tracking::{Metric, MetricKey},
};
use comfy_table::{Table, presets};
use textplots::{Chart, Plot, Shape};

use crate::training::Trained;

/// The series that is worth a plot.
const CURVE: &str = "train_rmse";

pub(crate) struct Summary<'a> {
    pub(crate) engine: &'a str,
    pub(crate) run: &'a PipelineRunId,
    pub(crate) steps: &'a [StepRun],
    pub(crate) trained: &'a Trained,
    pub(crate) took: Duration,
}

/// Prints the metrics as a table, and the curve of the training as a plot.
pub(crate) fn metrics(metrics: &BTreeMap<MetricKey, Vec<Metric>>) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(["metric", "points", "last value"]);
    for (key, series) in metrics {
        let last = series.last().map(|it| format!("{:.4}", it.value)).unwrap_or_default();
        table.add_row([key.to_string(), series.len().to_string(), last]);
    }
    println!("{table}");
    if let Some(series) = metrics.get(&MetricKey::new(CURVE)) {
        plot(series);
    }
}

fn plot(series: &[Metric]) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a plot is coarse"
    )]
    let points: Vec<_> = series.iter().map(|it| (it.step as f32, it.value as f32)).collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    // A plot needs some width and height.
    if last.0 <= first.0 || points.iter().all(|it| it.1.total_cmp(&first.1).is_eq()) {
        return;
    }
    println!("{CURVE} over the steps of the training:");
    let shape = Shape::Lines(&points);
    let mut chart = Chart::new(100, 32, first.0, last.0);
    let chart = chart.lineplot(&shape);
    chart.borders();
    chart.axis();
    chart.figures();
    println!("{chart}");
}

pub(crate) fn summary(summary: &Summary<'_>) {
    let Summary { engine, run, steps, trained, took } = summary;
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(["what", "outcome"]);
    table.add_row(["pipeline run", run.as_str()]);
    for step in *steps {
        let took = step.duration().unwrap_or_default().as_secs_f64();
        table.add_row([format!("step {}", step.name), format!("{} in {took:.1} s", step.status)]);
    }
    table.add_row(["engine".to_owned(), (*engine).to_owned()]);
    let model = &trained.model;
    table.add_row(["model".to_owned(), format!("{} version {}", model.name, model.version)]);
    table.add_row(["took".to_owned(), format!("{:.1} s", took.as_secs_f64())]);
    println!("{table}");
}
