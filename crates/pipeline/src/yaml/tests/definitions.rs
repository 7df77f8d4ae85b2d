//! Each recorded definition gives the bodies that the official SDK sent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::fixture::Definition;
use crate::{
    Pipeline, PublishOptions, choices::Chosen, plan::SourceBody, recorded::load_all,
    rendering::Wire, snapshot::Snapshot,
};

/// What of the recorded extensions the form does not take, and why.
const LEFT_OUT: [(&str, &str); 2] = [
    ("notebook-param-null", "Python would send the text None, which nobody can have meant"),
    ("parameter-in-spark-conf", "Python would send the name of a Python object as the value"),
];

#[test]
fn definitions_give_the_bodies_that_the_official_sdk_sent() {
    let fixtures: BTreeMap<String, Definition> = load_all("definitions");
    assert!(100 < fixtures.len());
    let left_out: BTreeSet<_> = LEFT_OUT.iter().map(|it| it.0).collect();
    let mut wrong = Vec::new();
    for (name, fixture) in &fixtures {
        if left_out.contains(name.as_str()) {
            assert!(!fixture.extensions.is_empty(), "{name} has no extension");
            let folder = tempfile::tempdir().unwrap();
            assert!(fixture.pipeline(folder.path()).is_err(), "{name} is taken: list it no more");
        } else if let Err(difference) = compare(fixture) {
            wrong.push(format!("{name}: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), fixtures.len(), wrong.join("\n"));
    for name in left_out {
        assert!(fixtures.contains_key(name), "there is no {name}");
    }
}

fn compare(fixture: &Definition) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = fixture.pipeline(folder.path()).map_err(|err| err.to_string())?;
    let options = fixture.options();
    let chosen = Chosen::new(&pipeline, &options).map_err(|err| err.to_string())?;
    let wire = Wire::new(&pipeline, &options, &chosen).map_err(|err| err.to_string())?;
    let mut sent = serde_json::to_value(&wire).unwrap();
    let modules = sent.as_object_mut().unwrap().remove("Modules").unwrap();

    let expected = &fixture.expected;
    equal("submission", &sent, &expected["submission"])?;
    equal("modules", &modules, &expected["modules"])?;
    equal("data_sources", &data_sources(&wire), &expected["data_sources"])?;
    equal("saved_datasets", &saved_datasets(&wire), &flows(&expected["saved_datasets"]))?;
    let snapshots = snapshots(&wire, &pipeline);
    equal("snapshots", &snapshots, &expected["snapshots"])?;
    if let Some(publish) = &fixture.publish {
        equal("publish", &publication(&wire, &pipeline, publish), &expected["publish"])?;
    }
    Ok(())
}

/// Compares and, if unequal, tells the first place.
fn equal(place: &str, sent: &Value, expected: &Value) -> Result<(), String> {
    match (sent, expected) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            keys.iter().try_for_each(|key| {
                let side = |it: &Map<String, Value>| it.get(*key).cloned();
                match (side(a), side(b)) {
                    (Some(a), Some(b)) => equal(&format!("{place}.{key}"), &a, &b),
                    (a, b) => Err(format!("{place}.{key}: {a:?}, not {b:?}")),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.into_iter().try_for_each(|(at, (a, b))| equal(&format!("{place}[{at}]"), a, b))
        }
        (a, b) if a == b => Ok(()),
        (a, b) => Err(format!("{place}: {a}, not {b}")),
    }
}

fn data_sources(wire: &Wire<'_>) -> Value {
    let mut seen = BTreeSet::new();
    let bodies = wire.plan.sources.iter().filter_map(|it| match &it.body {
        SourceBody::DataSource(body) if seen.insert(it.body.key()) => Some(json!(body)),
        _ => None,
    });
    bodies.collect()
}

fn saved_datasets(wire: &Wire<'_>) -> Value {
    let mut seen = BTreeSet::new();
    let provider = "Microsoft.MachineLearningServices";
    let subscription = "11111111-1111-1111-1111-111111111111";
    let workspace =
        azml_core::ResourceId::new(subscription, "rg1", provider, "workspaces", "ws1").unwrap();
    let bodies: Vec<_> = wire
        .plan
        .sources
        .iter()
        .filter_map(|it| match &it.body {
            SourceBody::Dataset(dataset) if seen.insert(it.body.key()) => {
                Some(crate::azureml::saved_dataset(&workspace, dataset))
            }
            _ => None,
        })
        .collect();
    if bodies.is_empty() { Value::Null } else { flows(&json!(bodies)) }
}

fn publication(wire: &Wire<'_>, pipeline: &Pipeline, publish: &Map<String, Value>) -> Value {
    let mut options = PublishOptions::default();
    for (key, value) in publish {
        options = match (key.as_str(), value) {
            ("name", Value::String(it)) => options.with_name(it),
            ("description", Value::String(it)) => options.with_description(it),
            ("version", Value::String(it)) => options.with_version(it),
            ("continue_on_step_failure", Value::Bool(it)) => {
                options.with_continue_on_step_failure(*it)
            }
            other => panic!("the recording has a new argument: {other:?}"),
        };
    }
    let data: Vec<_> = (1..=wire.plan.sources.len()).map(|it| format!("data-{it}")).collect();
    let modules = &wire.module_ids;
    json!(crate::azureml::publication(pipeline, &options, &wire.plan, modules, &data))
}

/// Reads the flow, which is JSON in a text.
fn flows(bodies: &Value) -> Value {
    let mut bodies = bodies.clone();
    for body in bodies.as_array_mut().into_iter().flatten() {
        body["dataflowJson"] =
            serde_json::from_str(body["dataflowJson"].as_str().unwrap()).unwrap();
    }
    bodies
}

fn snapshots(wire: &Wire<'_>, pipeline: &Pipeline) -> Value {
    let mut seen = BTreeSet::new();
    let mut snapshots = Vec::new();
    for planned in &wire.plan.modules {
        let Some(id) = &planned.body.storage_id else { continue };
        if seen.insert(id) {
            let folder = pipeline.steps[planned.step].code.source_directory.as_ref().unwrap();
            let snapshot = Snapshot::read(folder).unwrap();
            let files: BTreeMap<_, _> =
                snapshot.files.iter().map(|it| (&it.name, &it.hash)).collect();
            snapshots.push(json!({ "StorageId": id, "hash": snapshot.tree.hash, "files": files }));
        }
    }
    if snapshots.is_empty() { Value::Null } else { json!(snapshots) }
}
