//! The pipeline, and what its run leaves behind.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, bail};
use azml::{
    Client,
    pipeline::{DatabricksStep, Pipeline, PipelineData, PipelineRun, SubmitOptions},
    tracking::{ArtifactPath, Metric, MetricKey, ModelQuery, ModelVersion, NewModel, RunId},
};
use futures_util::TryStreamExt;

use crate::lakehouse::{DATA, Lakehouse, NOTEBOOK};

const TRAIN: &str = "train";
const MODEL: &str = "wine-quality";
const ARTIFACT: &str = "outputs/model.json";

/// Two steps on the existing cluster: a script prepares, a notebook trains.
pub(crate) fn pipeline(
    compute: &str,
    script: &Path,
    lakehouse: &Lakehouse,
    engine: &str,
) -> Pipeline {
    let prepared = PipelineData::new("prepared");
    let prepare = DatabricksStep::new("prepare")
        .with_python_script_name("prepare.py")
        .with_source_directory(script)
        .with_python_script_params(["--data", &format!("dbfs:{DATA}")])
        .with_output(&prepared)
        .with_existing_cluster_id(lakehouse.cluster.as_str())
        .with_run_name("prepare the wine table");
    let train = DatabricksStep::new(TRAIN)
        .with_notebook_path(NOTEBOOK)
        .with_notebook_param("engine", engine)
        .with_input(&prepared)
        .with_existing_cluster_id(lakehouse.cluster.as_str())
        .with_run_name("train on the wine table");
    Pipeline::new("wine")
        .with_description("predicts the quality of red wine")
        .with_default_compute(compute)
        .with_step(prepare)
        .with_step(train)
}

pub(crate) async fn submit(client: &Client, pipeline: &Pipeline) -> anyhow::Result<PipelineRun> {
    let options = SubmitOptions::default().with_tag("demo", "wine");
    let run = client.pipelines().submit(pipeline, &options).await?;
    println!("  run {} of experiment {}", run.id(), pipeline.name);
    Ok(run)
}

/// What the training has left.
pub(crate) struct Trained {
    pub(crate) metrics: BTreeMap<MetricKey, Vec<Metric>>,
    pub(crate) model: ModelVersion,
    pub(crate) model_bytes: usize,
}

/// Reads the metrics, registers the model, and checks that it comes back as it was.
pub(crate) async fn collect(
    client: &Client,
    run: &PipelineRun,
    scratch: &Path,
) -> anyhow::Result<Trained> {
    let tracking = client.tracking();
    let steps = run.steps().await?;
    let step = steps.into_iter().find(|it| it.name.as_str() == TRAIN);
    let step = step.with_context(|| format!("the run has no step {TRAIN}"))?;
    let trained = tracking.run(&RunId::new(step.id.as_str())).await?;

    let metrics = trained.metrics().await.context("cannot read the metrics")?;
    if metrics.is_empty() {
        bail!("the notebook has logged no metrics; its log above says why");
    }
    let original = trained
        .read_artifact(ARTIFACT)
        .await
        .with_context(|| format!("the notebook has left no artifact {ARTIFACT}"))?;

    let new = NewModel::new(MODEL, ArtifactPath::parse(ARTIFACT)?)
        .with_description("quality of red wine, a linear model")
        .with_tag("pipeline_run", run.id().as_str());
    let model = trained.register_model(&new).await.context("cannot register the model")?;
    let listed: Vec<_> = tracking.models(&ModelQuery::new().with_name(MODEL)).try_collect().await?;
    if !listed.iter().any(|it| it.version == model.version) {
        bail!("version {} of {MODEL} is registered but not listed", model.version);
    }
    let files = tracking.download_model(&model, scratch.join("model")).await?;
    let [file] = files.as_slice() else {
        bail!("the model has {} files, not the one that was registered", files.len());
    };
    let copy = tokio::fs::read(file).await?;
    if original != copy {
        bail!("{} differs from the artifact {ARTIFACT} of the run", file.display());
    }
    Ok(Trained { metrics, model, model_bytes: copy.len() })
}
