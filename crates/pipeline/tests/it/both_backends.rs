//! The same pipeline on Azure ML and on Databricks itself.

use std::{collections::BTreeMap, fs};

use azml_core::ErrorKind;
use azml_databricks::dbfs::Dbfs;
use azml_mock::Fault;
use azml_pipeline::{
    DatabricksJobs, DatabricksStep, DryRun, FollowOptions, Pipeline, PipelineEvent, PipelineStatus,
    Pipelines, ProblemKind, RecordedIn, StepLog, StepStatus, SubmitOptions,
};
use azml_tracking::{
    AzureMlTracking, ExperimentName, MlflowTracking, RunInfo, RunQuery, RunRef, RunStatus, Tracking,
};
use futures_util::TryStreamExt;
use http::StatusCode;
use serde_json::json;

use crate::place::{COMPUTE, Place, two_notebooks};

/// What a run came to: its end, and for each step its end, log and outputs by name.
type Outcome = (PipelineStatus, BTreeMap<String, (StepStatus, String, Vec<(String, String)>)>);

async fn outcome(pipelines: &Pipelines, pipeline: &Pipeline) -> Outcome {
    let run = pipelines.submit(pipeline, &SubmitOptions::default()).await.unwrap();
    let events: Vec<_> = run.follow(&FollowOptions::default()).try_collect().await.unwrap();
    let Some(PipelineEvent::Finished(status)) = events.last() else {
        panic!("a run ends: {events:?}")
    };
    let mut steps = BTreeMap::new();
    for step in run.steps().await.unwrap() {
        let log = run.log(&step, StepLog::Output).await.unwrap();
        let outputs = run.outputs(&step).await.unwrap().into_iter();
        let mut outputs: Vec<_> = outputs.map(|it| (it.name.to_string(), it.datastore)).collect();
        outputs.sort();
        steps.insert(step.name.to_string(), (step.status, log, outputs));
    }
    (status.clone(), steps)
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_comes_to_the_same_on_both_backends() {
    let place = Place::ready().await;
    let rules = json!([
        {"python_file": "dbfs:/prepare.py", "result": "SUCCESS", "log": "prepared\n"},
        {"notebook_path": "/Shared/train", "result": "SUCCESS"},
    ]);
    place.ctx.cloud.set_outcomes(&rules).unwrap();
    // What a notebook prints stays on its page in Databricks, so that a script prints.
    let mut pipeline = two_notebooks();
    pipeline.steps[0].code.notebook_path = None;
    pipeline.steps[0].code.python_script_path = Some("dbfs:/prepare.py".to_owned());
    let azure_ml = outcome(&Pipelines::new(place.azure_ml()), &pipeline).await;
    let jobs = DatabricksJobs::new(&place.databricks);
    let databricks = outcome(&Pipelines::new(jobs), &pipeline).await;
    assert_eq!(azure_ml, databricks);
    let (status, steps) = azure_ml;
    assert_eq!(status, PipelineStatus::Finished);
    let output = vec![("clean".to_owned(), "workspaceblobstore".to_owned())];
    assert_eq!(steps["prepare"], (StepStatus::Finished, "prepared\n".to_owned(), output));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_keeps_those_after_it_from_running_on_both_backends() {
    let place = Place::ready().await;
    let rules = json!([{"notebook_path": "/Shared/prepare", "result": "FAILED", "error": "boom"}]);
    place.ctx.cloud.set_outcomes(&rules).unwrap();
    let azure_ml = outcome(&Pipelines::new(place.azure_ml()), &two_notebooks()).await;
    let jobs = DatabricksJobs::new(&place.databricks);
    let databricks = outcome(&Pipelines::new(jobs), &two_notebooks()).await;
    for (status, steps) in [azure_ml, databricks] {
        assert_eq!(status, PipelineStatus::Failed);
        assert_eq!(steps["prepare"].0, StepStatus::Failed);
        assert_eq!(steps["train"].0, StepStatus::Canceled);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_on_databricks_is_recorded_with_a_child_for_each_step() {
    let place = Place::ready().await;
    let rules = json!([
        {"notebook_path": "/Shared/prepare", "result": "SUCCESS"},
        {"notebook_path": "/Shared/train", "result": "FAILED", "error": "boom"},
    ]);
    place.ctx.cloud.set_outcomes(&rules).unwrap();
    let data_plane = place.workspace.data_plane().await.unwrap();
    let tracking = Tracking::new(AzureMlTracking::new(data_plane, place.workspace.id().clone()));
    let jobs = DatabricksJobs::new(&place.databricks).with_recorder(RecordedIn::new(&tracking));
    let pipelines = Pipelines::new(jobs);
    let run = pipelines.submit(&two_notebooks(), &SubmitOptions::default()).await.unwrap();
    assert_eq!(run.wait(&FollowOptions::default()).await.unwrap(), PipelineStatus::Failed);

    let runs = tracking.backend();
    let experiment = runs.experiments().find(&ExperimentName::new("wine")).await.unwrap();
    let parents: Vec<RunInfo> =
        runs.runs().list(&experiment, &RunQuery::new()).try_collect().await.unwrap();
    let [parent] = parents.as_slice() else { panic!("there is one run: {parents:?}") };
    assert_eq!((parent.name.as_deref(), &parent.status), (Some("wine"), &RunStatus::Failed));
    let parent = RunRef::new(experiment, parent.id.clone());
    let children: Vec<RunInfo> = runs.runs().children(&parent).try_collect().await.unwrap();
    let ends: BTreeMap<_, _> =
        children.iter().map(|it| (it.name.as_deref().unwrap(), &it.status)).collect();
    assert_eq!(
        ends,
        BTreeMap::from([("prepare", &RunStatus::Finished), ("train", &RunStatus::Failed)])
    );
}

#[tokio::test(start_paused = true)]
async fn a_local_script_is_uploaded_once_for_databricks() {
    let place = Place::ready().await;
    let rules = json!([{"task": "train", "result": "SUCCESS", "log": "trained\n"}]);
    place.ctx.cloud.set_outcomes(&rules).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lib")).unwrap();
    fs::write(folder.path().join("lib/a.py"), "A = 1\n").unwrap();
    fs::write(folder.path().join("train.py"), "print('trained')\n").unwrap();
    let train = DatabricksStep::new("train")
        .with_python_script_name("train.py")
        .with_source_directory(folder.path())
        .with_num_workers(1);
    let pipeline = Pipeline::new("wine").with_default_compute(COMPUTE).with_step(train);
    let pipelines = Pipelines::new(DatabricksJobs::new(&place.databricks));
    let (status, _) = outcome(&pipelines, &pipeline).await;
    assert_eq!(status, PipelineStatus::Finished);

    let dbfs = place.databricks.dbfs();
    let root = "dbfs:/azml/scripts".parse().unwrap();
    let scripts: Vec<_> = dbfs.list(&root).try_collect().await.unwrap();
    let [one] = scripts.as_slice() else { panic!("there is one folder: {scripts:?}") };
    let file = format!("{}/files/lib/a.py", one.path).parse().unwrap();
    let written_at = dbfs.get_status(&file).await.unwrap().modified_at;
    outcome(&pipelines, &pipeline).await;
    assert_eq!(dbfs.get_status(&file).await.unwrap().modified_at, written_at);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_could_not_be_submitted_is_recorded_as_failed() {
    let place = Place::ready().await;
    let data_plane = place.workspace.data_plane().await.unwrap();
    let tracking = Tracking::new(AzureMlTracking::new(data_plane, place.workspace.id().clone()));
    let jobs = DatabricksJobs::new(&place.databricks).with_recorder(RecordedIn::new(&tracking));
    place.ctx.cloud.inject(Fault::operation("databricks.jobs.runs.submit", StatusCode::FORBIDDEN));
    let pipelines = Pipelines::new(jobs);
    pipelines.submit(&two_notebooks(), &SubmitOptions::default()).await.unwrap_err();
    let backend = tracking.backend();
    let experiment = backend.experiments().find(&ExperimentName::new("wine")).await.unwrap();
    let query = RunQuery::new().with_children();
    let runs: Vec<RunInfo> = backend.runs().list(&experiment, &query).try_collect().await.unwrap();
    let ends: Vec<_> = runs.iter().map(|it| &it.status).collect();
    assert_eq!(ends, [&RunStatus::Failed; 3]);
}

#[tokio::test(start_paused = true)]
async fn databricks_needs_no_compute_target() {
    let place = Place::ready().await;
    place.ctx.cloud.set_outcomes(&json!([{"task": "*", "result": "SUCCESS"}])).unwrap();
    let mut pipeline = two_notebooks();
    pipeline.default_compute = None;
    let pipelines = Pipelines::new(DatabricksJobs::new(&place.databricks));
    let (status, _) = outcome(&pipelines, &pipeline).await;
    assert_eq!(status, PipelineStatus::Finished);
}

#[tokio::test(start_paused = true)]
async fn an_experiment_of_databricks_is_a_path_and_one_of_azure_ml_a_name() {
    let place = Place::ready().await;
    place.ctx.cloud.set_outcomes(&json!([{"task": "*", "result": "SUCCESS"}])).unwrap();
    let mlflow = Tracking::new(MlflowTracking::new(place.databricks.endpoint().clone()));
    let jobs = DatabricksJobs::new(&place.databricks).with_recorder(RecordedIn::new(&mlflow));
    let options = SubmitOptions::default().with_experiment("/Shared/wine");
    let run = Pipelines::new(jobs).submit(&two_notebooks(), &options).await.unwrap();
    assert_eq!(run.wait(&FollowOptions::default()).await.unwrap(), PipelineStatus::Finished);
    mlflow.find_experiment("/Shared/wine").await.unwrap();

    let azure_ml = Pipelines::new(place.azure_ml());
    let err = azure_ml.submit(&two_notebooks(), &options).await.unwrap_err();
    assert_eq!(err.problems()[0].field, "experiment");
}

#[tokio::test(start_paused = true)]
async fn a_run_on_databricks_is_canceled() {
    let place = Place::ready().await;
    place.ctx.cloud.set_outcomes(&json!([{"task": "*", "result": "RUNNING"}])).unwrap();
    let pipelines = Pipelines::new(DatabricksJobs::new(&place.databricks));
    let run = pipelines.submit(&two_notebooks(), &SubmitOptions::default()).await.unwrap();
    run.cancel().await.unwrap();
    assert_eq!(run.wait(&FollowOptions::default()).await.unwrap(), PipelineStatus::Canceled);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_keeps_both_forms_and_sends_nothing() {
    let pipelines = Pipelines::new(DryRun::new());
    let run = pipelines.submit(&two_notebooks(), &SubmitOptions::default()).await.unwrap();
    assert_eq!(run.status().await.unwrap(), PipelineStatus::Finished);
    let step = &run.steps().await.unwrap()[0];
    let forms = run.log(step, StepLog::Job).await.unwrap();
    let options = SubmitOptions::default();
    let databricks = DatabricksJobs::preview(&two_notebooks(), &options).await.unwrap();
    let azure_ml = two_notebooks().to_wire(&options).unwrap();
    assert_eq!(forms, format!("{azure_ml}\n{databricks}\n"));
    let missing = pipelines.run("dry-run-7").status().await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn what_a_backend_cannot_do_is_told_as_such() {
    let run = Pipelines::new(DryRun::new()).run("dry-run-1");
    let err = run.resubmit(&SubmitOptions::default()).await.unwrap_err();
    assert_eq!(err.problems()[0].kind, ProblemKind::Unsupported);
}
