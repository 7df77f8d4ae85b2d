//! The cluster of a step, and what is to be installed on it.
//!
//! Steps say it in texts of their own; they become the description that
//! `runs/submit` takes. A pool is looked up when the cluster is to start.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::{
    kernel::{Refusal, World},
    services::databricks::{
        clusters::{NewCluster, State},
        jobs::ClusterChoice,
        libraries::Library,
        workspace_of,
    },
};

/// The cluster that a step runs on. `given` has the parameters of the step.
pub(super) fn chosen<'a>(
    world: &World,
    workspace: u64,
    given: &impl Fn(&str) -> Option<&'a str>,
) -> Result<ClusterChoice, Refusal> {
    let state = workspace_of(world, workspace)?;
    let Some(id) = given("existing_cluster_id") else {
        let new: NewCluster = serde_json::from_value(description(given)?.into())
            .map_err(|err| Refusal::malformed(err.to_string()))?;
        return new.into_spec().map(Box::new).map(ClusterChoice::New);
    };
    let may_start = given("permit_cluster_restart").is_none_or(|it| it != "False");
    let has_ended = state.clusters.get(id).is_ok_and(|it| it.state == State::Terminated);
    if has_ended && !may_start {
        let text =
            format!("Cluster {id} is in state TERMINATED, and permit_cluster_restart is False");
        return Err(Refusal::invalid(text));
    }
    Ok(ClusterChoice::Existing(id.to_owned()))
}

fn description<'a>(
    given: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Map<String, Value>, Refusal> {
    let number = |name: &str| -> Result<Option<Value>, Refusal> {
        let wrong = |_| Refusal::invalid(format!("{name} must be a whole number"));
        let read = given(name).map(|it| it.parse::<i64>().map(Value::from).map_err(wrong));
        read.transpose()
    };
    let mut fields = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        fields.extend(value.map(|it| (name.to_owned(), it)));
    };
    for name in ["spark_version", "node_type_id", "instance_pool_id"] {
        set(name, given(name).map(Value::from));
    }
    for name in ["spark_conf", "spark_env_vars"] {
        set(name, given(name).map(pairs));
    }
    let (min, max) = (number("min_workers")?, number("max_workers")?);
    match min.zip(max) {
        Some((min, max)) => {
            set("autoscale", Some(json!({ "min_workers": min, "max_workers": max })));
        }
        None => set("num_workers", number("num_workers")?),
    }
    let scripts = given("init_scripts").filter(|it| !it.is_empty());
    set("init_scripts", scripts.map(|it| it.split(',').map(at_destination).collect()));
    let log = given("cluster_log_dbfs_path").filter(|it| !it.is_empty());
    set("cluster_log_conf", log.map(at_destination));
    Ok(fields)
}

/// `k=v;k2=v2`.
fn pairs(text: &str) -> Value {
    let pairs = text.split(';').filter_map(|it| it.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), Value::from(value))).collect::<Map<_, _>>().into()
}

/// A path under the name of where it is.
fn at_destination(path: &str) -> Value {
    let kind = match path {
        it if it.starts_with("/Volumes/") => "volumes",
        it if it.starts_with("abfss://") => "abfss",
        it if it.starts_with("s3://") => "s3",
        it if it.starts_with("/Workspace/") || it.starts_with("/Users/") => "workspace",
        _ => "dbfs",
    };
    json!({ kind: { "destination": path } })
}

/// What is to be installed before the step runs. `given` has its parameters.
pub(super) fn libraries<'a>(given: &impl Fn(&str) -> Option<&'a str>) -> Vec<Library> {
    let listed =
        |name: &str| given(name).unwrap_or_default().split(';').filter(|it| !it.is_empty());
    let field = |entry: &str, name: &str| {
        entry.split('|').find_map(|it| it.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    let package = |it: &str| json!({ "package": field(it, "package"), "repo": field(it, "repo") });
    let maven = |it: &str| {
        let exclusions = field(it, "exclusions").unwrap_or_default();
        let exclusions: Vec<&str> = exclusions.split(',').filter(|it| !it.is_empty()).collect();
        json!({
            "coordinates": field(it, "coordinates"), "repo": field(it, "repo"),
            "exclusions": exclusions,
        })
    };
    let paths = |name: &str| given(name).unwrap_or_default().split(',').filter(|it| !it.is_empty());
    // Steps have no other way to name a wheel.
    let python = |it: &str| {
        let is_wheel = Path::new(it).extension().is_some_and(|it| it.eq_ignore_ascii_case("whl"));
        if is_wheel { json!({ "whl": it }) } else { json!({ "egg": it }) }
    };
    let all = listed("pypi_libraries")
        .map(|it| json!({ "pypi": package(it) }))
        .chain(listed("rcran_libraries").map(|it| json!({ "cran": package(it) })))
        .chain(listed("maven_libraries").map(|it| json!({ "maven": maven(it) })))
        .chain(paths("jar_libraries").map(|it| json!({ "jar": it })))
        .chain(paths("egg_libraries").map(python));
    all.filter_map(|it| serde_json::from_value(it).ok()).collect()
}
