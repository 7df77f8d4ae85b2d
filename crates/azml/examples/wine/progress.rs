//! Shows what a run does: a bar per step on a terminal, plain lines elsewhere.

use std::{
    collections::HashMap,
    io::{self, IsTerminal},
    time::Duration,
};

use anyhow::{Context, bail};
use azml::pipeline::{
    FollowOptions, Pipeline, PipelineEvent, PipelineRun, PipelineStatus, StepName, StepRun,
    StepStatus,
};
use futures_util::TryStreamExt;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Follows `run` to its end and returns the runs of its steps.
pub(crate) async fn follow(run: &PipelineRun, pipeline: &Pipeline) -> anyhow::Result<Vec<StepRun>> {
    let options = FollowOptions::default()
        .with_poll_interval(Duration::from_millis(250))
        .with_timeout(Duration::from_secs(15 * 60));
    let board = Board::new(pipeline)?;
    let (mut steps, mut status) = (Vec::new(), PipelineStatus::NotStarted);
    let mut events = run.follow(&options);
    while let Some(event) = events.try_next().await.context("lost sight of the pipeline")? {
        board.show(&event);
        match event {
            PipelineEvent::StepFinished(step) | PipelineEvent::StepReused(step) => steps.push(step),
            PipelineEvent::Finished(end) => status = end,
            _ => (),
        }
    }
    board.close();
    if status.is_success() {
        return Ok(steps);
    }
    match steps.iter().find(|it| it.status == StepStatus::Failed) {
        Some(step) => {
            let reason = step.error.as_deref().unwrap_or("the service gives no reason");
            bail!("step {} failed: {reason}; its log is above, the mend is in its code", step.name)
        }
        None => bail!("the pipeline ended as {status}; see its run {}", run.id()),
    }
}

struct Board {
    bars: Option<MultiProgress>,
    of_step: HashMap<StepName, ProgressBar>,
}

impl Board {
    fn new(pipeline: &Pipeline) -> anyhow::Result<Self> {
        if !io::stderr().is_terminal() {
            return Ok(Self { bars: None, of_step: HashMap::new() });
        }
        let (bars, mut of_step) = (MultiProgress::new(), HashMap::new());
        let style =
            ProgressStyle::with_template("  {spinner} {prefix:<10} {elapsed:>4} {wide_msg}")?;
        for step in &pipeline.steps {
            let bar = bars.add(ProgressBar::new_spinner().with_style(style.clone()));
            bar.set_prefix(step.name.to_string());
            bar.set_message("waits");
            of_step.insert(step.name.clone(), bar);
        }
        Ok(Self { bars: Some(bars), of_step })
    }

    fn show(&self, event: &PipelineEvent) {
        match event {
            PipelineEvent::StepQueued(step) => self.tell(&step.name, "queued"),
            PipelineEvent::StepStarted(step) => {
                if let Some(bar) = self.of_step.get(&step.name) {
                    bar.reset_elapsed();
                    bar.enable_steady_tick(Duration::from_millis(120));
                }
                self.tell(&step.name, "started");
            }
            PipelineEvent::StepLog { step, line, .. } => {
                self.line(&format!("  {step} | {line}"));
                if let Some(bar) = self.of_step.get(step) {
                    bar.set_message(line.clone());
                }
            }
            PipelineEvent::StepReused(step) => self.end(step, "reused"),
            PipelineEvent::StepFinished(step) => {
                let took = step.duration().unwrap_or_default();
                self.end(step, &format!("{} in {:.1} s", step.status, took.as_secs_f64()));
            }
            _ => (),
        }
    }

    /// A line of its own only where there are no bars.
    fn tell(&self, step: &StepName, word: &str) {
        match self.of_step.get(step) {
            Some(bar) => bar.set_message(word.to_owned()),
            None => self.line(&format!("  {step}: {word}")),
        }
    }

    fn end(&self, step: &StepRun, word: &str) {
        match self.of_step.get(&step.name) {
            Some(bar) => bar.finish_with_message(word.to_owned()),
            None => self.line(&format!("  {}: {word}", step.name)),
        }
    }

    fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) if bars.println(text).is_ok() => (),
            _ => println!("{text}"),
        }
    }

    /// Leaves the bars as they are.
    fn close(&self) {
        for bar in self.of_step.values().filter(|it| !it.is_finished()) {
            bar.abandon();
        }
    }
}
