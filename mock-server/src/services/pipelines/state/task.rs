//! What a step becomes on Databricks.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{CopiedFile, DataPath, Graph, Node, PipelineRun, Step, Workspace, cluster};
use crate::{
    executor::{DATA_PLANE, DATA_PLANE_HOST, RUN_TOKEN_OF},
    kernel::{Ctx, Decision, Refusal, World},
    services::blob::ARTIFACTS,
    services::databricks::{
        self,
        jobs::{self, ClusterChoice, CodeSpec, Submission, TaskSpec},
        libraries::Library,
    },
    services::datastore::Location,
};

/// A step, worked out: where it runs, what it runs, with which arguments.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) workspace: u64,
    /// Whose token the workspace was attached with.
    user: String,
    code: CodeSpec,
    widgets: BTreeMap<String, String>,
    parameters: Vec<String>,
    cluster: ClusterChoice,
    libraries: Vec<Library>,
    run_name: Option<String>,
    timeout: Option<Duration>,
    /// Storage accounts and containers that it may address.
    containers: Vec<(String, String)>,
    /// What has to lie on DBFS before the task starts.
    pub(super) files: Vec<CopiedFile>,
}

/// What is behind a datastore of the run's workspace. No name means the default one.
pub(in super::super) fn location_of(
    world: &World,
    workspace: &Workspace,
    datastore: &str,
) -> Result<Location, Refusal> {
    let at = (workspace.workspace_id.as_str(), workspace.account.as_str());
    world.datastores.locate(at, datastore)
}

/// Where an output of a step goes.
pub(super) fn location_of_output(
    world: &World,
    run: &PipelineRun,
    step: &Step,
    port: &str,
) -> Result<Location, Refusal> {
    let node =
        world.pipelines.graph(&run.workspace.workspace_id, &run.graph_id)?.node(&step.node_id);
    let output = node.and_then(|it| it.outputs.iter().find(|(name, _)| name == port));
    let datastore = output.and_then(|(_, store)| store.as_deref()).unwrap_or_default();
    location_of(world, &run.workspace, datastore)
}

/// Hands the task to the attached workspace as a run of one task.
pub(super) fn decide_submit(
    world: &World,
    run: &PipelineRun,
    step: &Step,
    task: Task,
    ctx: &mut Ctx<'_>,
) -> Decision<i64> {
    let spec = TaskSpec {
        names: vec![step.name.clone()],
        widgets: task.widgets,
        parameters: task.parameters,
        libraries: task.libraries,
        containers: task.containers,
        ..TaskSpec::new("main", task.code, task.cluster)
    };
    let submission = Submission {
        run_name: task.run_name.unwrap_or_else(|| step.name.clone()),
        user: task.user,
        tasks: vec![spec],
        idempotency_token: None,
        timeout: task.timeout,
        job_names: vec![run.experiment.clone()],
    };
    jobs::decide_submit(world, task.workspace, submission, ctx)
}

impl Task {
    pub(super) fn of(
        world: &World,
        run: &PipelineRun,
        step: &Step,
        ctx: &Ctx<'_>,
    ) -> Result<Self, Refusal> {
        let graph = world.pipelines.graph(&run.workspace.workspace_id, &run.graph_id)?;
        let node = graph.node(&step.node_id);
        let node = node.ok_or_else(|| Refusal::invalid("the step is not in its graph"))?;
        let given = |name: &str| node.value(name, &run.parameters);
        let (workspace, user) =
            attached(world, run, given("compute_name").unwrap_or_default(), ctx)?;
        let data = data_of(world, run, graph, step, node)?;
        let mut containers =
            BTreeSet::from([(run.workspace.account.clone(), ARTIFACTS.to_owned())]);
        let default = location_of(world, &run.workspace, "")?;
        let locations = data.iter().map(|it| &it.location).chain([&default]);
        containers.extend(locations.filter_map(|it| match it {
            Location::Container { account, container } => {
                Some((account.clone(), container.clone()))
            }
            Location::Dbfs => None,
        }));
        let mut identity = identity(world, run, step);

        let (code, files) = code_of(world, run, step, node, workspace)?;
        if let Some(folder) = files.first().and_then(|it| it.path.split_once('/')) {
            let folder = format!("{}/{}", folder.0, step.run_id);
            identity.push(("AZUREML_SCRIPT_DIRECTORY_NAME".to_owned(), folder));
        }
        let (mut widgets, mut parameters) = (BTreeMap::new(), Vec::new());
        if matches!(code, CodeSpec::Notebook { .. }) {
            widgets = widgets_of(node, run);
            for Data { name, uri, location } in data {
                if let Location::Container { account, .. } = location {
                    widgets.insert(format!("{name}_blob_secretname"), format!("{account}-key"));
                    widgets.insert(
                        format!("{name}_blob_config"),
                        format!("fs.azure.account.key.{account}.blob.core.windows.net"),
                    );
                }
                widgets.insert(name, uri);
            }
            widgets.extend(identity.into_iter().map(|(name, value)| (format!("--{name}"), value)));
        } else {
            parameters = arguments_of(node, run);
            let data = data.into_iter().map(|it| (it.name, it.uri));
            for (name, value) in data.chain(identity) {
                parameters.extend([format!("--{name}"), value]);
            }
        }
        Ok(Self {
            workspace,
            user,
            code,
            widgets,
            parameters,
            cluster: cluster::chosen(world, workspace, &given)?,
            libraries: cluster::libraries(&given),
            run_name: given("run_name").map(str::to_owned),
            timeout: given("timeout_seconds")
                .and_then(|it| it.parse().ok())
                .map(Duration::from_secs),
            containers: containers.into_iter().collect(),
            files,
        })
    }
}

/// The Databricks workspace behind a compute target, and who it is used as.
fn attached(
    world: &World,
    run: &PipelineRun,
    name: &str,
    ctx: &Ctx<'_>,
) -> Result<(u64, String), Refusal> {
    let at = &run.workspace;
    let compute = world.arm.compute(&at.subscription, &at.resource_group, &at.name, name);
    let compute = compute.ok_or_else(|| {
        let text = format!(
            "Compute target '{name}' was not found in workspace '{}'; attach it first",
            at.name
        );
        Refusal::not_found(text).with_code("ComputeTargetNotFound")
    })?;
    if compute.provisioning_state() != "Succeeded" {
        let text = format!("Compute target '{name}' is in state {}", compute.provisioning_state());
        return Err(Refusal::conflict(text));
    }
    let workspace = compute.databricks_workspace;
    let user = databricks::token_owner(world, workspace, &compute.access_token, ctx.now)
        .ok_or_else(|| {
            let text = format!(
                "The access token of compute target '{name}' is not valid any more; attach it again"
            );
            Refusal::new(crate::kernel::Kind::Denied, text)
        })?;
    Ok((workspace, user))
}

/// An input or an output with the address that Spark takes.
struct Data {
    name: String,
    uri: String,
    location: Location,
}

fn data_of(
    world: &World,
    run: &PipelineRun,
    graph: &Graph,
    step: &Step,
    node: &Node,
) -> Result<Vec<Data>, Refusal> {
    let at = |name: &str, location: Location, path: &str| Data {
        name: name.to_owned(),
        uri: match &location {
            Location::Container { account, container } => {
                format!("wasbs://{container}@{account}.blob.core.windows.net/{path}")
            }
            Location::Dbfs => format!("dbfs:/{}", path.trim_start_matches('/')),
        },
        location,
    };
    let mut data = Vec::new();
    for edge in graph.inputs(&step.node_id) {
        let ((source, port), name) = (&edge.from, &edge.to.1);
        if let Some(producer) = run.step(source) {
            let location = location_of_output(world, run, producer, port)?;
            data.push(at(name, location, &producer.output_path(port)));
            continue;
        }
        let DataPath { datastore, path } = place_of(world, run, graph, source)?;
        data.push(at(name, location_of(world, &run.workspace, &datastore)?, &path));
    }
    for (name, datastore) in node.outputs.iter().filter(|(it, _)| !it.starts_with("_run_after_")) {
        let location =
            location_of(world, &run.workspace, datastore.as_deref().unwrap_or_default())?;
        data.push(at(name, location, &step.output_path(name)));
    }
    Ok(data)
}

/// Where the data of a node are that is no step.
fn place_of(
    world: &World,
    run: &PipelineRun,
    graph: &Graph,
    node_id: &str,
) -> Result<DataPath, Refusal> {
    if let Some(name) = graph.data_path_nodes.get(node_id) {
        let missing = || Refusal::invalid(format!("data path parameter '{name}' has no value"));
        return run.data_paths.get(name).cloned().ok_or_else(missing);
    }
    if let Some(id) = graph.saved_datasets.get(node_id) {
        let found = world.datasets.path_of(&run.workspace.workspace_id, id)?.clone();
        return Ok(DataPath { datastore: found.datastore, path: found.path });
    }
    let id = graph.datasets.get(node_id).map(String::as_str).unwrap_or_default();
    let source = world.pipelines.data_source(&run.workspace.workspace_id, id)?;
    let text = |name: &str| source[name].as_str().unwrap_or_default().to_owned();
    Ok(DataPath { datastore: text("DataStoreName"), path: text("PathOnDataStore") })
}

/// What tells the task whose run it is. The token is filled in when it starts.
fn identity(world: &World, run: &PipelineRun, step: &Step) -> Vec<(String, String)> {
    let at = &run.workspace;
    let store = world.stores.at(&at.place());
    let experiment_id = store.experiment_named(&run.experiment).map(|it| it.id.clone());
    let experiment_id = experiment_id.unwrap_or_default();
    let token = format!("{RUN_TOKEN_OF}{}", step.run_id);
    let tracking = format!("azureml://{DATA_PLANE_HOST}/mlflow/v2.0{}", at.resource_id());
    let expires_at =
        (run.submitted_at.unwrap_or(run.created_at) + time::Duration::hours(24)).unix_timestamp();
    let pairs = [
        ("AZUREML_RUN_TOKEN", token.clone()),
        ("AZUREML_RUN_TOKEN_EXPIRY", expires_at.to_string()),
        ("AZUREML_RUN_ID", step.run_id.clone()),
        ("AZUREML_ARM_SUBSCRIPTION", at.subscription.clone()),
        ("AZUREML_ARM_RESOURCEGROUP", at.resource_group.clone()),
        ("AZUREML_ARM_WORKSPACE_NAME", at.name.clone()),
        ("AZUREML_ARM_PROJECT_NAME", run.experiment.clone()),
        ("AZUREML_SERVICE_ENDPOINT", DATA_PLANE.to_owned()),
        ("AZUREML_WORKSPACE_ID", at.workspace_id.clone()),
        ("AZUREML_EXPERIMENT_ID", experiment_id.clone()),
        ("MLFLOW_EXPERIMENT_ID", experiment_id),
        ("MLFLOW_EXPERIMENT_NAME", run.experiment.clone()),
        ("MLFLOW_RUN_ID", step.run_id.clone()),
        ("MLFLOW_TRACKING_URI", tracking),
        ("MLFLOW_TRACKING_TOKEN", token),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The code, and the files that must lie on DBFS for it.
fn code_of(
    world: &World,
    run: &PipelineRun,
    step: &Step,
    node: &Node,
    workspace: u64,
) -> Result<(CodeSpec, Vec<CopiedFile>), Refusal> {
    let given = |name: &str| node.value(name, &run.parameters).map(str::to_owned);
    if let Some(path) = given("notebook_path") {
        return Ok((CodeSpec::Notebook { path }, Vec::new()));
    }
    if let Some(path) = given("python_script_path") {
        return Ok((CodeSpec::PythonFile { path }, Vec::new()));
    }
    if let Some(main_class) = given("main_class_name") {
        return Ok((CodeSpec::Jar { main_class }, Vec::new()));
    }
    let Some(script) = given("python_script_name") else {
        return Err(Refusal::invalid(format!("step '{}' has no code", step.name)));
    };
    let module = world.pipelines.module(&run.workspace.workspace_id, &node.module_id)?;
    let snapshot = module["StorageId"].as_str().unwrap_or_default();
    let files = world.content.files(&run.workspace.workspace_id, snapshot).ok_or_else(|| {
        Refusal::not_found(format!("Snapshot {snapshot} of step '{}' was not found", step.name))
    })?;
    let folder = format!("azureml/{}", step.run_id);
    let copied = files.iter().map(|(name, blob)| CopiedFile {
        account: run.workspace.account.clone(),
        container: ARTIFACTS.to_owned(),
        blob: blob.clone(),
        workspace,
        path: format!("{folder}/{name}"),
    });
    Ok((CodeSpec::PythonFile { path: format!("dbfs:/{folder}/{script}") }, copied.collect()))
}

/// Notebook parameters: `k=v;k2=v2`, with what pipeline parameters replace.
fn widgets_of(node: &Node, run: &PipelineRun) -> BTreeMap<String, String> {
    let base = node.value("base_parameters", &run.parameters).unwrap_or_default();
    let pairs = base.split(';').filter_map(|it| it.split_once('='));
    let mut widgets: BTreeMap<String, String> =
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    for (key, value) in replaced(node, run) {
        widgets.insert(key, value);
    }
    widgets
}

/// What `_AML_PARAMETER_{name}` says of the values of pipeline parameters.
fn replaced(node: &Node, run: &PipelineRun) -> Vec<(String, String)> {
    let named = node.parameters.iter().filter_map(|it| {
        let name = it.name.strip_prefix("_AML_PARAMETER_")?;
        Some((name.to_owned(), node.value(&it.name, &run.parameters)?.to_owned()))
    });
    named.collect()
}

/// Script arguments: joined with `||`, a `|` inside written `|-`. A pipeline
/// parameter stands there as its name followed by its value.
fn arguments_of(node: &Node, run: &PipelineRun) -> Vec<String> {
    let joined = node.value("python_script_params", &run.parameters);
    let joined = joined.or_else(|| node.value("jar_params", &run.parameters));
    let Some(joined) = joined else { return Vec::new() };
    let mut arguments: Vec<String> = joined.split("||").map(|it| it.replace("|-", "|")).collect();
    for (name, value) in replaced(node, run) {
        let place = arguments.iter().position(|it| *it == name);
        if let Some(slot) = place.and_then(|at| arguments.get_mut(at + 1)) {
            *slot = value;
        }
    }
    arguments
}
