//! What the Python side is told. Its format is described in `python/task.py`.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value, json};

use super::{
    Shared, environment, libraries, libraries_folder, path_text, places::resolve, spark::Gateway,
};
use crate::{
    executor::{Code, Work},
    kernel::{Kernel, Site},
};

/// Files of one attempt.
pub(super) struct Files {
    pub(super) spec: PathBuf,
    pub(super) result: PathBuf,
    pub(super) log: PathBuf,
    /// The working directory and home of the task.
    pub(super) scratch: PathBuf,
}

impl Files {
    pub(super) fn of(kernel: &Kernel, work: &Work) -> Self {
        let root = kernel.files.scratch();
        let attempt = &work.attempt;
        let name = format!("{}-{}-{}", attempt.epoch, attempt.workspace, attempt.run_id);
        let folder = root.join("attempts").join(name);
        Self {
            spec: folder.join("spec.json"),
            result: folder.join("result.json"),
            scratch: folder.join("scratch"),
            log: root.join(attempt.log_name()),
        }
    }
}

/// Where the code is.
pub(super) fn source(kernel: &Kernel, work: &Work) -> Option<PathBuf> {
    let workspace = work.attempt.workspace;
    match &work.code {
        Code::Notebook { path, .. } | Code::PythonFile { path, .. } | Code::SqlFile { path } => {
            Some(resolve(kernel, workspace, path))
        }
        Code::LocalScript { folder, script } => Some(kernel.files.root().join(folder).join(script)),
        Code::Jar { .. } | Code::Wheel { .. } | Code::SparkSubmit => None,
    }
}

/// The roots of DBFS, of the workspace and of its volumes.
pub(super) fn roots(kernel: &Kernel, workspace: u64) -> [(&'static str, PathBuf); 3] {
    let files = &kernel.files;
    [
        ("dbfs", files.dbfs(workspace)),
        ("workspace", files.workspace(workspace)),
        ("volumes", files.volumes(workspace)),
    ]
    .map(|(name, it)| (name, it.path().to_owned()))
}

/// The parts of a specification that a cluster's JVM needs, too.
pub(super) fn common(shared: &Shared, kernel: &Kernel, work: &Work) -> Value {
    let workspace = work.attempt.workspace;
    let installed = libraries_folder(kernel, work.attempt.epoch, workspace, &work.cluster_id);
    let roots = roots(kernel, workspace).map(|(name, it)| (name.to_owned(), json!(path_text(&it))));
    let blobs = work.containers.iter().map(|(account, container)| {
        let path = kernel.files.container(account, container);
        json!({
            "account": account, "container": container, "suffix": "core.windows.net",
            "path": path_text(path.path()),
        })
    });
    json!({
        "roots": roots.into_iter().collect::<serde_json::Map<_, _>>(),
        "blobs": blobs.collect::<Vec<_>>(),
        "spark": {
            "master": shared.options.spark_master.as_deref().unwrap_or("local[*]"),
            "gateway_port": null, "gateway_secret": null,
            "conf": spark_conf(work),
            "jars": libraries::files(&libraries::jars(&installed), "jar"),
        },
    })
}

/// The settings of the cluster, and what Databricks tells code about it there.
fn spark_conf(work: &Work) -> BTreeMap<String, String> {
    let told = [
        ("spark.databricks.clusterUsageTags.clusterId", work.cluster_id.clone()),
        ("spark.databricks.clusterUsageTags.clusterOwnerOrgId", work.attempt.workspace.to_string()),
    ];
    let mut conf: BTreeMap<_, _> = told.map(|(key, value)| (key.to_owned(), value)).into();
    conf.extend(work.spark_conf.clone());
    conf
}

/// The whole specification of a task.
pub(super) fn of_task(
    shared: &Shared,
    kernel: &Kernel,
    work: &Work,
    files: &Files,
    gateway: Option<&Gateway>,
) -> Value {
    let attempt = &work.attempt;
    let resolve = |it: &String| path_text(&resolve(kernel, attempt.workspace, it));
    let installed = libraries_folder(kernel, attempt.epoch, attempt.workspace, &work.cluster_id);
    let mut python_path = Vec::new();
    let mut spec = common(shared, kernel, work);
    match &work.code {
        Code::Notebook { path, language, is_jupyter } => {
            spec["kind"] = json!("notebook");
            spec["path"] = json!(path.strip_prefix("/Workspace").unwrap_or(path));
            spec["language"] = json!(language);
            spec["format"] = json!(if *is_jupyter { "JUPYTER" } else { "SOURCE" });
        }
        Code::PythonFile { python_path: folders, .. } => {
            spec["kind"] = json!("python_file");
            python_path.extend(folders.iter().map(resolve));
        }
        Code::LocalScript { .. } => spec["kind"] = json!("python_file"),
        Code::Jar { main_class, jars } => {
            spec["kind"] = json!("spark_jar");
            spec["main_class"] = json!(main_class);
            spec["jars"] = jars.iter().map(resolve).collect();
        }
        Code::Wheel { package, entry_point, named_parameters, wheels } => {
            spec["kind"] = json!("python_wheel");
            spec["wheel"] = json!({
                "package": package, "entry_point": entry_point,
                "named_parameters": named_parameters,
            });
            // Python imports from archives, and finds their metadata.
            python_path.extend(wheels.iter().map(resolve));
        }
        Code::SparkSubmit => spec["kind"] = json!("spark_submit"),
        Code::SqlFile { .. } => spec["kind"] = json!("sql_file"),
    }
    python_path.extend(libraries::files(&installed, "egg").iter().map(|it| path_text(it)));
    python_path.push(path_text(&installed));
    if let Some(gateway) = gateway {
        spec["spark"]["gateway_port"] = json!(gateway.port);
        spec["spark"]["gateway_secret"] = json!(gateway.secret);
    }
    let authority = kernel.settings.loopback.lock().clone();
    let url = authority.and_then(|it| Site::loopback(it, &kernel.id.prefix()).origin());
    let ca_file = shared.authorities(kernel);
    let python = path_text(&shared.options.python);
    let rest = json!({
        "source": source(kernel, work).as_deref().map(path_text),
        "parameters": work.parameters,
        "widgets": work.widgets,
        "mounted": false,
        "python_path": python_path,
        "redact": work.redact,
        "task_values": work.task_values,
        "pip_environment": environment::of_pip()
            .iter()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), json!(value.to_string_lossy())))
            .collect::<serde_json::Map<_, _>>(),
        "host": { "url": url, "token": work.token, "ca_file": ca_file.as_deref().map(path_text) },
        "context": {
            "job_id": work.job_id, "run_id": work.job_run_id, "task_run_id": attempt.run_id,
            "task_key": work.task_key, "cluster_id": work.cluster_id, "user": work.user,
            "org_id": attempt.workspace.to_string(),
        },
        "result": path_text(&files.result),
        // For `exec-task` alone.
        "launch": {
            "program": python,
            "arguments": ["-u", "-B", path_text(&shared.python_files.file("runner.py"))],
        },
    });
    if let (Value::Object(spec), Value::Object(rest)) = (&mut spec, rest) {
        spec.extend(rest);
    }
    spec
}
