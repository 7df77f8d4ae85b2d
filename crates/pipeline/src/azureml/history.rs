//! The part of run history that pipelines need: the experiment, the tags of the
//! run, and the runs of its steps. The calls are those of `azml-tracking`.

use azml_core::Result;
use azml_tracking::{
    AzureMlTracking, ExperimentId, ExperimentInfo, ExperimentName, Experiments, RunId, RunInfo,
    RunRef, Runs,
};
use futures_util::TryStreamExt;

use crate::{PipelineRunDetails, PipelineRunId, StepRun, StepRunId, StepStatus};

/// Finds the experiment `name`, or makes it.
pub(super) async fn experiment(tracking: &AzureMlTracking, name: &str) -> Result<ExperimentInfo> {
    tracking.get_or_create(&ExperimentName::new(name)).await
}

/// Tags a run.
pub(super) async fn tag(
    tracking: &AzureMlTracking,
    experiment: ExperimentInfo,
    run: &PipelineRunId,
    tags: &[(String, String)],
) -> Result<()> {
    let run = RunRef::new(experiment, RunId::new(run.as_str()));
    tracking.set_tags(&run, &tags.iter().cloned().collect()).await
}

/// The runs of a pipeline's steps.
pub(super) async fn steps(
    tracking: &AzureMlTracking,
    run: &PipelineRunDetails,
) -> Result<Vec<StepRun>> {
    // Children are listed by the experiment's name; its id is not known here.
    let name = ExperimentName::new(run.experiment.as_str());
    let experiment = ExperimentInfo::new(ExperimentId::new(""), name);
    let run = RunRef::new(experiment, RunId::new(run.id.as_str()));
    let children: Vec<RunInfo> = tracking.children(&run).try_collect().await?;
    let mut steps: Vec<_> = children.into_iter().filter_map(step).collect();
    steps.sort_by_key(|it| it.created_at);
    Ok(steps)
}

/// A child as the run of a step; `None` when it belongs to no node of the graph.
fn step(child: RunInfo) -> Option<StepRun> {
    let mark = |key: &str| child.tags.get(key).or(child.properties.get(key)).cloned();
    let node_id = mark("azureml.nodeid")?;
    let reused_from = mark("azureml.reusedrunid").filter(|it| !it.is_empty());
    let reused_from = reused_from.map(StepRunId::from);
    let run = StepRun::new(child.id.as_str(), child.name.unwrap_or_default());
    Some(StepRun {
        node_id,
        status: StepStatus::from_word(&child.status_text),
        created_at: child.created_at,
        started_at: child.started_at,
        ended_at: child.ended_at,
        reused_from,
        error: child.error.map(|it| it.message),
        ..run
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use async_trait::async_trait;
    use azml_core::{Endpoint, Request, ResourceId, Response, Transport, TransportError};
    use bytes::Bytes;

    use super::*;

    /// Gives one answer to every request.
    #[derive(Debug)]
    struct Always(String);

    #[async_trait]
    impl Transport for Always {
        async fn send(&self, _: Request) -> Result<Response, TransportError> {
            Ok(Response::new(Bytes::from(self.0.clone())))
        }
    }

    async fn read(body: String) -> Vec<StepRun> {
        let endpoint = Endpoint::new("https://eastus.api.test", Arc::new(Always(body)));
        let provider = "Microsoft.MachineLearningServices";
        let workspace = ResourceId::new("s", "rg1", provider, "workspaces", "ws1").unwrap();
        let tracking = AzureMlTracking::new(endpoint, workspace);
        steps(&tracking, &PipelineRunDetails::new("run", "exp-part5")).await.unwrap()
    }

    #[tokio::test]
    async fn steps_are_the_children_that_name_a_node() {
        let exchange = azml_fixtures::load("history/runs-children-of-pipeline");
        let steps = read(exchange.response.body.to_string()).await;
        let nodes: BTreeMap<_, _> =
            steps.iter().map(|it| (it.name.as_str(), it.node_id.as_str())).collect();
        assert_eq!(
            nodes.keys().copied().collect::<Vec<_>>(),
            ["jar-step", "notebook-step", "script-in-dbfs", "script-local"]
        );
        assert_eq!(nodes["notebook-step"], "065bfaaf");
        assert_eq!(steps[0].status, StepStatus::Queued);
    }

    #[tokio::test]
    async fn a_reused_step_names_the_run_it_stands_for() {
        let body = r#"{"value":[
            {"runId":"a","experimentId":"e","name":"one","status":"Completed",
             "runType":"azureml.StepRun","properties":{"azureml.reusedrunid":"z"},
             "tags":{"azureml.nodeid":"n"}},
            {"runId":"b","experimentId":"e","name":"no step","status":"Running"}
        ],"continuationToken":null}"#;
        let steps = read(body.to_owned()).await;
        assert_eq!(steps.len(), 1);
        assert_eq!(steps[0].reused_from.as_ref().unwrap().as_str(), "z");
        assert_eq!(steps[0].status, StepStatus::Finished);
    }
}
