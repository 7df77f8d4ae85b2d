//! Azure ML: what is kept, run again and explained.

use std::fs;

use azml_core::ErrorKind;
use azml_pipeline::{
    DataPathParameter, DatabricksStep, FollowOptions, Pipeline, PipelineEvent, PipelineParameter,
    PipelineRun, PipelineStatus, Pipelines, ProblemKind, PublishOptions, PublishedPipelines,
    ReuseExplanation, SubmitOptions,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::Request;
use serde_json::{Value, json};

use crate::place::{COMPUTE, Place, two_notebooks};

async fn finished(run: &PipelineRun) -> PipelineStatus {
    run.wait(&FollowOptions::default()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_unknown_compute_target_is_told_with_all_other_problems_before_anything_is_made() {
    let place = Place::ready().await;
    let pipeline = two_notebooks().with_default_compute("nowhere");
    let pipelines = Pipelines::new(place.azure_ml());
    let err = pipelines.submit(&pipeline, &SubmitOptions::default()).await.unwrap_err();
    let problems: Vec<_> = err.problems().iter().map(|it| (&*it.field, it.kind)).collect();
    assert_eq!(problems, [("compute_target", ProblemKind::Dangling); 2]);
    assert_eq!(err.problems()[0].remedy, format!("attach it, or name one of {COMPUTE}"));
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_is_published_run_with_values_and_disabled() {
    let place = Place::ready().await;
    place.ctx.cloud.set_outcomes(&json!([{"task": "*", "result": "SUCCESS"}])).unwrap();
    let depth = PipelineParameter::new("depth", 3);
    let mut pipeline = two_notebooks().with_parameter(&depth);
    let train = pipeline.steps.pop().unwrap();
    let pipeline = pipeline.with_step(train.with_notebook_param("depth", &depth));

    let kept = place.azure_ml();
    let options = PublishOptions::default().with_name("nightly").with_version("1");
    let published = kept.publish(&pipeline, &options).await.unwrap();
    assert_eq!((published.name.as_str(), published.is_active), ("nightly", true));
    let listed: Vec<_> = kept.list_published(true).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);

    let options = SubmitOptions::default().with_experiment("exp").with_parameter("depth", 5);
    let run = kept.run_published(&published.id, &options).await.unwrap();
    let run = Pipelines::new(kept.clone()).run(run.id);
    assert_eq!(finished(&run).await, PipelineStatus::Finished);
    let runs = kept.runs_of_published(&published.id).await.unwrap();
    assert_eq!(runs.iter().map(|it| &it.id).collect::<Vec<_>>(), [run.id()]);

    kept.set_active(&published.id, false).await.unwrap();
    assert!(!kept.get_published(&published.id).await.unwrap().is_active);
    let active: Vec<_> = kept.list_published(true).try_collect().await.unwrap();
    assert_eq!(active, []);
    assert!(kept.run_published(&published.id, &options).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_run_is_resubmitted_and_its_reuse_explained() {
    let place = Place::ready().await;
    place.ctx.cloud.set_outcomes(&json!([{"task": "*", "result": "SUCCESS"}])).unwrap();
    let pipelines = Pipelines::new(place.azure_ml());
    let first = pipelines.submit(&two_notebooks(), &SubmitOptions::default()).await.unwrap();
    assert_eq!(finished(&first).await, PipelineStatus::Finished);

    let again = first.resubmit(&SubmitOptions::default()).await.unwrap();
    assert_eq!(finished(&again).await, PipelineStatus::Finished);
    let events: Vec<_> = again.follow(&FollowOptions::default()).try_collect().await.unwrap();
    let reused = events.iter().filter(|it| matches!(it, PipelineEvent::StepReused(_)));
    assert_eq!(reused.count(), 2);
    for step in again.steps().await.unwrap() {
        let why = again.explain_reuse(&step, Some(&first)).await.unwrap();
        let from = step.reused_from.clone().unwrap();
        assert_eq!(why, ReuseExplanation::Reused { from });
    }

    let anew = SubmitOptions::default().with_regenerate_outputs(true);
    let anew = again.resubmit(&anew).await.unwrap();
    assert_eq!(finished(&anew).await, PipelineStatus::Finished);
    for step in anew.steps().await.unwrap() {
        let why = anew.explain_reuse(&step, Some(&again)).await.unwrap();
        assert_eq!(why, ReuseExplanation::Regenerated);
    }

    let mut changed = two_notebooks();
    changed.steps[0] = changed.steps[0].clone().with_spark_version("15.4.x-scala2.12");
    let changed = pipelines.submit(&changed, &SubmitOptions::default()).await.unwrap();
    assert_eq!(finished(&changed).await, PipelineStatus::Finished);
    let steps = changed.steps().await.unwrap();
    let step = |name: &str| steps.iter().find(|it| it.name.as_str() == name).unwrap();
    let why = changed.explain_reuse(step("prepare"), Some(&first)).await.unwrap();
    assert_eq!(why, ReuseExplanation::Changed { parameters: vec!["spark_version".to_owned()] });
    let why = changed.explain_reuse(step("train"), Some(&first)).await.unwrap();
    let nodes = vec![step("prepare").node_id.clone()];
    assert_eq!(why, ReuseExplanation::InputsWrittenAnew { nodes });
}

#[tokio::test(start_paused = true)]
async fn only_files_that_have_changed_are_uploaded_again() {
    let place = Place::ready().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("train.py", "print(1)\n");
    write("same.py", "same\n");
    let train = DatabricksStep::new("train")
        .with_python_script_name("train.py")
        .with_source_directory(folder.path())
        .with_num_workers(1);
    let pipeline = Pipeline::new("wine").with_default_compute(COMPUTE).with_step(train);
    let pipelines = Pipelines::new(place.azure_ml());

    pipelines.submit(&pipeline, &SubmitOptions::default()).await.unwrap();
    assert_eq!(uploads(&place).await, 2);
    write("train.py", "print(2)\n");
    pipelines.submit(&pipeline, &SubmitOptions::default()).await.unwrap();
    assert_eq!(uploads(&place).await, 3);
    pipelines.submit(&pipeline, &SubmitOptions::default()).await.unwrap();
    assert_eq!(uploads(&place).await, 3);
}

#[tokio::test(start_paused = true)]
async fn another_client_with_the_same_cache_uploads_only_what_has_changed_too() {
    let place = Place::ready().await;
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("train.py", "print(1)\n");
    write("same.py", "same\n");
    let train = DatabricksStep::new("train")
        .with_python_script_name("train.py")
        .with_source_directory(folder.path())
        .with_num_workers(1);
    let pipeline = Pipeline::new("wine").with_default_compute(COMPUTE).with_step(train);
    let client = || Pipelines::new(place.azure_ml().with_snapshot_cache(cache.path()));

    client().submit(&pipeline, &SubmitOptions::default()).await.unwrap();
    write("train.py", "print(2)\n");
    client().submit(&pipeline, &SubmitOptions::default()).await.unwrap();
    assert_eq!(uploads(&place).await, 3);

    // What the cache says is not believed blindly: a fresh cloud has no such snapshot.
    let fresh = Place::ready().await;
    let pipelines = Pipelines::new(fresh.azure_ml().with_snapshot_cache(cache.path()));
    pipelines.submit(&pipeline, &SubmitOptions::default()).await.unwrap();
    assert_eq!(uploads(&fresh).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_data_path_is_chosen_at_submission() {
    let place = Place::ready().await;
    place.ctx.cloud.set_outcomes(&json!([{"task": "*", "result": "SUCCESS"}])).unwrap();
    let raw = DataPathParameter::new("raw", "wine/2024");
    let mut pipeline = two_notebooks();
    pipeline.steps[0] = pipeline.steps[0].clone().with_input(&raw);
    let chosen =
        SubmitOptions::default().with_data_path(DataPathParameter::new("raw", "wine/2025"));
    let wire: Value = serde_json::from_str(&pipeline.to_wire(&chosen).unwrap()).unwrap();
    assert_eq!(
        wire["CreationInfo"]["DataPathAssignments"],
        json!({"raw": {"DataStoreName": "workspaceblobstore", "RelativePath": "wine/2025"}})
    );
    let run = Pipelines::new(place.azure_ml()).submit(&pipeline, &chosen).await.unwrap();
    assert_eq!(finished(&run).await, PipelineStatus::Finished);

    let unknown = SubmitOptions::default().with_data_path(DataPathParameter::new("cooked", "x"));
    let err = pipeline.to_wire(&unknown).unwrap_err();
    assert_eq!(err.problems()[0].kind, ProblemKind::Dangling);
}

/// How many blobs have been put.
async fn uploads(place: &Place) -> usize {
    let journal = Request::builder().uri("https://mock.test/_mock/journal").body(Bytes::new());
    let journal = place.ctx.transport().send(journal.unwrap()).await.unwrap();
    let journal: Value = serde_json::from_slice(journal.body()).unwrap();
    let entries = journal["exchanges"].as_array().unwrap();
    entries.iter().filter(|it| it["operation"] == "storage.blob.put").count()
}

#[tokio::test(start_paused = true)]
async fn a_run_that_nobody_has_submitted_is_not_found() {
    let place = Place::ready().await;
    let run = Pipelines::new(place.azure_ml()).run("00000000-0000-0000-0000-000000000000");
    assert_eq!(run.status().await.unwrap_err().kind(), ErrorKind::NotFound);
}
