//! How clusters and what happens to them are written.

use serde_json::{Map, Value, json};

use super::{
    super::state::{Cluster, ClusterSpec, Happening, Size, Source, State, Termination},
    catalogue::node_types,
};
use crate::services::databricks::wire::millis;

/// The description as a client wrote it.
pub(crate) fn describe_spec(spec: &ClusterSpec) -> Map<String, Value> {
    let mut it = Map::new();
    it.extend(spec.others.clone());
    // A password is taken in and never given back.
    if let Some(Value::Object(login)) =
        it.get_mut("docker_image").and_then(|it| it.get_mut("basic_auth"))
    {
        login.remove("password");
    }
    if !spec.cluster_name.is_empty() {
        it.insert("cluster_name".into(), json!(spec.cluster_name));
    }
    it.insert("spark_version".into(), json!(spec.spark_version));
    it.insert("node_type_id".into(), json!(spec.node_type_id));
    if let Some(driver) = &spec.driver_node_type_id {
        it.insert("driver_node_type_id".into(), json!(driver));
    }
    match spec.size {
        Size::Fixed(workers) => it.insert("num_workers".into(), json!(workers)),
        Size::Autoscale { min, max } => {
            it.insert("autoscale".into(), json!({ "min_workers": min, "max_workers": max }))
        }
    };
    for (name, map) in [
        ("spark_conf", &spec.spark_conf),
        ("spark_env_vars", &spec.spark_env_vars),
        ("custom_tags", &spec.custom_tags),
    ] {
        if !map.is_empty() {
            it.insert(name.into(), json!(map));
        }
    }
    it
}

pub(in super::super) fn state_name(state: &State) -> &'static str {
    match state {
        State::Pending { .. } => "PENDING",
        State::Running { .. } => "RUNNING",
        State::Restarting { .. } => "RESTARTING",
        State::Resizing { .. } => "RESIZING",
        State::Terminating { .. } => "TERMINATING",
        State::Terminated => "TERMINATED",
    }
}

fn state_message(cluster: &Cluster) -> String {
    match (&cluster.state, &cluster.terminated) {
        (State::Pending { .. } | State::Restarting { .. }, _) => "Starting Spark".into(),
        (State::Terminating { .. } | State::Terminated, Some((_, reason))) => match reason {
            Termination::User(name) => format!("Terminated by {name}"),
            Termination::Inactivity(after) => {
                format!("Terminated after {} minutes of inactivity", after.as_secs() / 60)
            }
            Termination::JobFinished => "The job that the cluster was made for finished".into(),
        },
        _ => String::new(),
    }
}

fn reason(it: &Termination) -> Value {
    match it {
        Termination::User(name) => json!({
            "code": "USER_REQUEST", "type": "SUCCESS", "parameters": { "username": name },
        }),
        Termination::Inactivity(after) => json!({
            "code": "INACTIVITY", "type": "SUCCESS",
            "parameters": { "inactivity_duration_min": (after.as_secs() / 60).to_string() },
        }),
        Termination::JobFinished => json!({ "code": "JOB_FINISHED", "type": "SUCCESS" }),
    }
}

pub(in super::super) fn describe(cluster: &Cluster) -> Value {
    let mut it = describe_spec(&cluster.spec);
    let spec = &cluster.spec;
    let driver = spec.driver_node_type_id.as_ref().unwrap_or(&spec.node_type_id);
    let minutes = spec.autotermination.map_or(0, |it| it.as_secs() / 60);
    let source = match cluster.source {
        Source::Api => "API",
        Source::Job => "JOB",
    };
    let fields = json!({
        "cluster_id": cluster.cluster_id,
        "cluster_name": spec.cluster_name,
        "driver_node_type_id": driver,
        "autotermination_minutes": minutes,
        "enable_elastic_disk": spec.others.get("enable_elastic_disk").unwrap_or(&json!(true)),
        "cluster_source": source,
        "creator_user_name": cluster.creator,
        "state": state_name(&cluster.state),
        "state_message": state_message(cluster),
        "start_time": millis(cluster.started_at),
        "last_state_loss_time": 0,
        "last_activity_time": millis(cluster.active_at),
        "default_tags": {
            "Vendor": "Databricks", "Creator": cluster.creator,
            "ClusterName": spec.cluster_name, "ClusterId": cluster.cluster_id,
        },
    });
    let written = Value::Object(it.clone());
    if let Value::Object(fields) = fields {
        it.extend(fields);
    }
    it.insert("spec".into(), written);
    if let Some(at) = cluster.restarted_at {
        it.insert("last_restarted_time".into(), json!(millis(at)));
    }
    if cluster.is_ending() {
        if let Some((at, why)) = &cluster.terminated {
            it.insert("terminated_time".into(), json!(millis(*at)));
            it.insert("termination_reason".into(), reason(why));
        }
    } else if cluster.running_since().is_some() {
        let machine = node_types().find(|it| it.id == spec.node_type_id);
        let (memory, cores) = machine.map_or((14_336, 4.0), |it| (it.memory_mb, it.cores));
        let machines = 1 + spec.size.workers();
        it.insert("cluster_memory_mb".into(), json!(memory * machines));
        it.insert("cluster_cores".into(), json!(cores * f64::from(machines)));
        it.insert("jdbc_port".into(), json!(10_000));
        let id = cluster.cluster_id.replace('-', "");
        let since = millis(cluster.started_at);
        it.insert(
            "driver".into(),
            json!({
                "private_ip": "10.0.0.4", "host_private_ip": "10.0.0.4", "node_id": id,
                "instance_id": id, "start_timestamp": since,
            }),
        );
        it.insert("spark_context_id".into(), json!(millis(cluster.started_at)));
    }
    Value::Object(it)
}

/// An event's name.
pub(in super::super) fn kind_of(it: &Happening) -> &'static str {
    match it {
        Happening::Creating => "CREATING",
        Happening::Starting => "STARTING",
        Happening::Restarting => "RESTARTING",
        Happening::Resizing { .. } => "RESIZING",
        Happening::Running => "RUNNING",
        Happening::Edited => "EDITED",
        Happening::Terminating(_) => "TERMINATING",
        Happening::Pinned => "PINNED",
        Happening::Unpinned => "UNPINNED",
    }
}

fn size_json(size: Size) -> Value {
    match size {
        Size::Fixed(workers) => json!({ "num_workers": workers }),
        Size::Autoscale { min, max } => {
            json!({ "autoscale": { "min_workers": min, "max_workers": max } })
        }
    }
}

pub(in super::super) fn describe_happening(
    cluster: &Cluster,
    at: time::OffsetDateTime,
    it: &Happening,
) -> Value {
    let details = match it {
        Happening::Creating => json!({
            "cluster_size": size_json(cluster.spec.size), "user": cluster.creator,
        }),
        Happening::Resizing { from, to } => json!({
            "cause": "USER_REQUEST", "previous_cluster_size": size_json(*from),
            "cluster_size": size_json(*to),
        }),
        Happening::Running => json!({
            "current_num_workers": cluster.spec.size.workers(),
            "target_num_workers": cluster.spec.size.workers(),
        }),
        Happening::Terminating(why) => json!({ "reason": reason(why) }),
        _ => json!({}),
    };
    json!({
        "cluster_id": cluster.cluster_id, "timestamp": millis(at), "type": kind_of(it),
        "details": details,
    })
}
