//! What the executor is told of a context.

use crate::{
    executor::{AttemptId, Code, Work, contexts::ContextId},
    kernel::World,
};

/// All that the process of a context needs. `token` is that of whoever asks.
pub(in super::super) fn work(
    world: &World,
    id: &ContextId,
    user: &str,
    token: &str,
) -> Option<Work> {
    let state = world.databricks.get(&id.workspace)?;
    let cluster = state.clusters.get(&id.cluster_id).ok()?;
    let mut redact: Vec<String> = state.tokens.values().map(str::to_owned).collect();
    redact.push(token.to_owned());
    Some(Work {
        attempt: AttemptId {
            world: id.world.clone(),
            epoch: id.epoch,
            workspace: id.workspace,
            // Far above any id of a run.
            run_id: id.context_id.parse().unwrap_or(i64::MAX),
        },
        // There is no file; the commands come one by one.
        code: Code::PythonFile { path: "/".to_owned(), python_path: Vec::new() },
        widgets: std::collections::BTreeMap::new(),
        parameters: Vec::new(),
        cluster_id: id.cluster_id.clone(),
        machine: id.cluster_id.clone(),
        spark_conf: cluster.spec.spark_conf.clone(),
        environment: cluster.spec.spark_env_vars.clone(),
        redact,
        timeout: None,
        job_id: 0,
        job_run_id: 0,
        task_key: "command".to_owned(),
        user: user.to_owned(),
        task_values: std::collections::BTreeMap::new(),
        token: token.to_owned(),
        containers: Vec::new(),
    })
}
