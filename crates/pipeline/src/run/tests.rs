//! Following a run of a backend that plays a script, look by look.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use azml_core::TokioClock;
use futures_util::TryStreamExt;
use tokio::time::Instant;

use super::*;
use crate::StepOutput;

/// What one look at the run finds.
#[derive(Clone, Debug)]
struct Look {
    status: PipelineStatus,
    steps: Vec<StepRun>,
    log: &'static str,
}

#[derive(Debug)]
struct Scripted {
    looks: Vec<Look>,
    at: AtomicUsize,
    canceled: Mutex<Vec<PipelineRunId>>,
}

impl Scripted {
    fn run(looks: Vec<Look>) -> PipelineRun {
        let at = AtomicUsize::new(0);
        Pipelines::new(Self { looks, at, canceled: Mutex::default() }).run("run")
    }

    /// The look of the latest call of `get`.
    fn now(&self) -> &Look {
        let at = self.at.load(Ordering::Relaxed).saturating_sub(1);
        &self.looks[at.min(self.looks.len() - 1)]
    }
}

#[async_trait]
impl PipelineBackend for Scripted {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(TokioClock::new())
    }

    async fn submit(&self, _: &Pipeline, _: &SubmitOptions) -> Result<PipelineRunDetails> {
        Ok(PipelineRunDetails::new("run", "experiment"))
    }

    async fn get(&self, id: &PipelineRunId) -> Result<PipelineRunDetails> {
        self.at.fetch_add(1, Ordering::Relaxed);
        let mut details = PipelineRunDetails::new(id.as_str(), "experiment");
        details.status = self.now().status.clone();
        Ok(details)
    }

    async fn cancel(&self, id: &PipelineRunId) -> Result<()> {
        self.canceled.lock().unwrap().push(id.clone());
        Ok(())
    }

    async fn steps(&self, _: &PipelineRunDetails) -> Result<Vec<StepRun>> {
        Ok(self.now().steps.clone())
    }

    async fn log(&self, _: &PipelineRunId, step: &StepRun, log: StepLog) -> Result<String> {
        match log {
            StepLog::Output if step.name.as_str() == "train" => Ok(self.now().log.to_owned()),
            StepLog::Error if step.status == StepStatus::Failed => Ok("Traceback\nboom".to_owned()),
            _ => Ok(String::new()),
        }
    }

    async fn outputs(&self, _: &PipelineRunId, _: &StepRun) -> Result<Vec<StepOutput>> {
        Ok(Vec::new())
    }
}

fn step(name: &str, status: StepStatus) -> StepRun {
    let mut step = StepRun::new(format!("run-{name}"), name);
    if !matches!(status, StepStatus::NotStarted | StepStatus::Queued) {
        step.started_at = Some(OffsetDateTime::UNIX_EPOCH);
    }
    step.status = status;
    step
}

fn look(status: PipelineStatus, steps: Vec<StepRun>, log: &'static str) -> Look {
    Look { status, steps, log }
}

/// The events, each in a few words.
async fn events(run: &PipelineRun) -> Vec<String> {
    let events: Vec<_> = run.follow(&FollowOptions::default()).try_collect().await.unwrap();
    let in_words = |event: &PipelineEvent| match event {
        PipelineEvent::StepQueued(step) => format!("{} queued", step.name),
        PipelineEvent::StepStarted(step) => format!("{} started", step.name),
        PipelineEvent::StepLog { step, line, .. } => format!("{step}: {line}"),
        PipelineEvent::StepReused(step) => format!("{} reused", step.name),
        PipelineEvent::StepFinished(step) => format!("{} {}", step.name, step.status),
        PipelineEvent::Finished(status) => format!("run {status}"),
    };
    events.iter().map(in_words).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_is_told_once_and_in_order() {
    use StepStatus::{Finished, NotStarted, Queued, Running};

    let mut reused = step("prepare", Finished);
    reused.reused_from = Some("older".into());
    let running = PipelineStatus::Running;
    let run = Scripted::run(vec![
        look(PipelineStatus::NotStarted, vec![], ""),
        look(running.clone(), vec![step("prepare", NotStarted), step("train", NotStarted)], ""),
        look(running.clone(), vec![reused.clone(), step("train", Queued)], ""),
        look(running.clone(), vec![reused.clone(), step("train", Running)], "one\ntw"),
        look(running, vec![reused.clone(), step("train", Running)], "one\ntwo\n"),
        look(PipelineStatus::Finished, vec![reused, step("train", Finished)], "one\ntwo\nthree"),
    ]);
    let start = Instant::now();
    assert_eq!(
        events(&run).await,
        [
            "prepare reused",
            "train queued",
            "train started",
            "train: one",
            "train: two",
            "train: three",
            "train Finished",
            "run Finished",
        ]
    );
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_failed_step_tells_its_trace() {
    let failed = vec![step("train", StepStatus::Failed), step("next", StepStatus::NotStarted)];
    let run = Scripted::run(vec![look(PipelineStatus::Failed, failed, "out\n")]);
    assert_eq!(
        events(&run).await,
        [
            "train started",
            "train: out",
            "train: Traceback",
            "train: boom",
            "train Failed",
            "run Failed",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_goes_on_through_words_that_are_no_end() {
    let odd = PipelineStatus::Unknown("CancelRequested".to_owned());
    let run = Scripted::run(vec![
        look(PipelineStatus::Running, vec![], ""),
        look(odd, vec![], ""),
        look(PipelineStatus::Canceled, vec![], ""),
    ]);
    run.cancel().await.unwrap();
    let status = run.wait(&FollowOptions::default()).await.unwrap();
    assert_eq!(status, PipelineStatus::Canceled);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_takes_too_long_tells_the_last_status() {
    let run = Scripted::run(vec![look(PipelineStatus::Running, vec![], "")]);
    let options = FollowOptions::default().with_timeout(Duration::from_secs(90));
    let err = run.wait(&options).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Timeout);
    insta::assert_snapshot!(err, @"pipelines.runs.follow failed: the time is over, and the run is still Running");
}
