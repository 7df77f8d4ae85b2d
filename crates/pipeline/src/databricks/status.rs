//! Words of Databricks as words of pipelines.

use azml_databricks::jobs::{JobRun, JobRunState, LifeCycleState, ResultState, TaskRun};

use crate::{PipelineStatus, StepStatus};

/// How far the run of a pipeline is. It failed if any step did, as in Azure ML.
pub(super) fn of_run(run: &JobRun) -> PipelineStatus {
    let state = &run.state;
    if !state.is_terminal() {
        let begun = matches!(
            state.life_cycle_state,
            LifeCycleState::Running | LifeCycleState::Terminating | LifeCycleState::WaitingForRetry
        );
        return if begun { PipelineStatus::Running } else { PipelineStatus::NotStarted };
    }
    let failed = run.tasks.iter().any(|it| of_task(it) == StepStatus::Failed);
    match state.result_state {
        Some(ResultState::Canceled) => PipelineStatus::Canceled,
        Some(ResultState::Success) if !failed => PipelineStatus::Finished,
        _ => PipelineStatus::Failed,
    }
}

/// How far the run of a step is.
pub(super) fn of_task(task: &TaskRun) -> StepStatus {
    of_state(&task.state)
}

fn of_state(state: &JobRunState) -> StepStatus {
    use LifeCycleState as Life;
    match &state.life_cycle_state {
        Life::Queued | Life::Blocked => StepStatus::NotStarted,
        Life::Pending => StepStatus::Queued,
        Life::Running | Life::Terminating | Life::WaitingForRetry => StepStatus::Running,
        Life::Skipped => StepStatus::Canceled,
        Life::InternalError if state.result_state.is_none() => StepStatus::Failed,
        Life::Terminated | Life::InternalError => match &state.result_state {
            Some(ResultState::Success) => StepStatus::Finished,
            Some(ResultState::Excluded | ResultState::Disabled) => StepStatus::Bypassed,
            Some(
                ResultState::Canceled
                | ResultState::UpstreamFailed
                | ResultState::UpstreamCanceled
                | ResultState::MaximumConcurrentRunsReached,
            ) => StepStatus::Canceled,
            _ => StepStatus::Failed,
        },
        other => StepStatus::Unknown(other.to_string()),
    }
}
