//! The life of a run: its events, its children, its details, its token.

use azml_core::{Error, ErrorKind, Operation, Request, ResourceId, Response, Result, azure};
use http::{Method, StatusCode};

use super::{
    ops::{at, by_name},
    wire,
};
use crate::{ExperimentName, RunDetails, RunInfo, RunRef};

pub(super) struct PostEvent<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunRef,
    pub(super) event: &'a wire::Event<'a>,
}

impl Operation for PostEvent<'_> {
    const NAME: &'static str = "history.events.post";
    /// An event says which state the run is in, not that it changes.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        by_name(Self::NAME, Method::POST, base, self.workspace, self.run)
            .path("/events")
            .json(self.event)
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

/// Removes tags. Those that are not there do not matter.
pub(super) struct DeleteTags<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunRef,
    pub(super) keys: &'a [String],
}

impl Operation for DeleteTags<'_> {
    const NAME: &'static str = "history.runs.delete_tags";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        by_name(Self::NAME, Method::DELETE, base, self.workspace, self.run)
            .path("/tags")
            .json(&self.keys)
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

/// Asks whether every metric that was sent can be read. Answers whether it is so.
pub(super) struct WaitForMetrics<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunRef,
}

impl Operation for WaitForMetrics<'_> {
    const NAME: &'static str = "history.metrics_ingest.wait";
    const IDEMPOTENT: bool = true;
    type Output = bool;

    fn encode(&self, base: &str) -> Result<Request> {
        by_name(Self::NAME, Method::GET, base, self.workspace, self.run)
            .path("/metricsingest/wait")
            .build()
    }

    fn decode(&self, response: Response) -> Result<bool> {
        azure::expect_success(Self::NAME, &response)?;
        Ok(response.status() != StatusCode::ACCEPTED)
    }
}

/// Makes several runs. Their ids are made here, as with one.
pub(super) struct CreateRuns<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) experiment: &'a ExperimentName,
    pub(super) runs: Vec<wire::NewChild<'a>>,
}

impl Operation for CreateRuns<'_> {
    const NAME: &'static str = "history.runs.batch";
    const IDEMPOTENT: bool = true;
    /// In the order of `runs`.
    type Output = Vec<RunInfo>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::PATCH, base, self.workspace)
            .path("/experiments")
            .segment(self.experiment.as_str())
            .path("/batch/runs")
            .json(&wire::NewChildren { runs: &self.runs })
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<RunInfo>> {
        let mut answer: wire::CreatedRuns = azure::read(Self::NAME, &response)?;
        let mut take = |it: &wire::NewChild<'_>| {
            let run = answer.runs.remove(it.run_id());
            run.map(RunInfo::from).ok_or_else(|| {
                let reason = match answer.errors.get(it.run_id()) {
                    Some(error) => format!("run {} was refused: {error}", it.run_id()),
                    None => format!("the answer has no run {}", it.run_id()),
                };
                Error::explained(Self::NAME, ErrorKind::Other, reason)
            })
        };
        self.runs.iter().map(&mut take).collect()
    }
}

pub(super) struct PostEvents<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) experiment: &'a ExperimentName,
    pub(super) events: &'a [wire::Event<'a>],
}

impl Operation for PostEvents<'_> {
    const NAME: &'static str = "history.events.batch";
    /// As with one event.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, self.workspace)
            .path("/experiments")
            .segment(self.experiment.as_str())
            .path("/batch/events")
            .json(&wire::Events { events: self.events })
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(super) struct GetDetails<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunRef,
}

impl Operation for GetDetails<'_> {
    const NAME: &'static str = "history.runs.details";
    const IDEMPOTENT: bool = true;
    type Output = RunDetails;

    fn encode(&self, base: &str) -> Result<Request> {
        by_name(Self::NAME, Method::GET, base, self.workspace, self.run).path("/details").build()
    }

    fn decode(&self, response: Response) -> Result<RunDetails> {
        let details: wire::Details = azure::read(Self::NAME, &response)?;
        let mut details = RunDetails::from(details);
        // The details leave out where the artifacts are.
        details.run.data_container.clone_from(&self.run.data_container);
        if details.run.experiment_id.as_str().is_empty() {
            details.run.experiment_id = self.run.experiment.id.clone();
        }
        Ok(details)
    }
}

/// Renews the token of a run.
pub(in crate::azureml) struct GetToken<'a> {
    pub(in crate::azureml) workspace: &'a ResourceId,
    pub(in crate::azureml) run: &'a RunRef,
}

impl Operation for GetToken<'_> {
    const NAME: &'static str = "history.runs.token";
    const IDEMPOTENT: bool = true;
    type Output = azml_core::AccessToken;

    fn encode(&self, base: &str) -> Result<Request> {
        by_name(Self::NAME, Method::GET, base, self.workspace, self.run).path("/token").build()
    }

    fn decode(&self, response: Response) -> Result<azml_core::AccessToken> {
        azure::read::<wire::Token>(Self::NAME, &response).map(azml_core::AccessToken::from)
    }
}
