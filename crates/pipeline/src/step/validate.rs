//! The rules that one step must keep by itself.

use std::path::{Component, Path};

use super::{DatabricksStep, StepCluster};
use crate::{Argument, ParameterValue, Pipeline, Problem, ProblemKind, library::Library};

/// Everything that is wrong with `step` on its own.
pub(crate) fn problems(step: &DatabricksStep, pipeline: &Pipeline) -> Vec<Problem> {
    let mut found = Found { step, problems: Vec::new() };
    if step.name.as_str().is_empty() {
        found.push("name", ProblemKind::Missing, "is empty", "give each step a name");
    }
    found.code();
    found.code_parameters();
    found.folder();
    found.cluster(&step.cluster);
    found.libraries(&step.libraries);
    found.arguments(pipeline);
    if step.timeout.is_some_and(|it| it.subsec_nanos() != 0) {
        found.push(
            "timeout_seconds",
            ProblemKind::Value,
            "is no whole number of seconds",
            "round the timeout",
        );
    }
    if pipeline.compute_of(step).is_none_or(str::is_empty) {
        found.push(
            "compute_target",
            ProblemKind::Missing,
            "is missing",
            "name the attached Databricks workspace: compute_target on the step, or \
             default_compute on the pipeline",
        );
    }
    found.problems
}

struct Found<'a> {
    step: &'a DatabricksStep,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn push(
        &mut self,
        field: &'static str,
        kind: ProblemKind,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let problem = Problem::new(field, kind, message, remedy);
        self.problems.push(problem.of_step(&self.step.name));
    }

    fn code(&mut self) {
        let code = &self.step.code;
        let kinds = [
            ("notebook_path", &code.notebook_path),
            ("python_script_path", &code.python_script_path),
            ("python_script_name", &code.python_script_name),
            ("main_class_name", &code.main_class_name),
        ];
        let set: Vec<_> = kinds.iter().filter(|it| it.1.is_some()).collect();
        match set.as_slice() {
            [] => self.push(
                "notebook_path",
                ProblemKind::Missing,
                "the step has no code",
                "set one of notebook_path, python_script_path, python_script_name, \
                 main_class_name",
            ),
            [(field, value)] => {
                if value.as_deref() == Some("") {
                    self.push(field, ProblemKind::Missing, "is empty", "say what to run");
                } else if code.notebook_path.as_ref().is_some_and(|it| !it.starts_with('/')) {
                    self.push(
                        field,
                        ProblemKind::Value,
                        "is not absolute",
                        "give the notebook's path from the root: /Users/me/notebook",
                    );
                }
            }
            [first, others @ ..] => {
                let others: Vec<_> = others.iter().map(|it| it.0).collect();
                self.push(
                    first.0,
                    ProblemKind::Conflict,
                    format!("is set together with {}", others.join(" and ")),
                    "keep exactly one kind of code, or make two steps",
                );
            }
        }
    }

    fn code_parameters(&mut self) {
        let code = &self.step.code;
        if !code.notebook_params.is_empty() && code.notebook_path.is_none() {
            self.push(
                "notebook_params",
                ProblemKind::Conflict,
                "is set without notebook_path",
                "a script takes python_script_params, a JAR jar_params",
            );
        }
        let script = code.python_script_path.is_some() || code.python_script_name.is_some();
        if !code.python_script_params.is_empty() && !script {
            self.push(
                "python_script_params",
                ProblemKind::Conflict,
                "is set without a Python script",
                "a notebook takes notebook_params, a JAR jar_params",
            );
        }
        if !code.jar_params.is_empty() && code.main_class_name.is_none() {
            self.push(
                "jar_params",
                ProblemKind::Conflict,
                "is set without main_class_name",
                "a notebook takes notebook_params, a script python_script_params",
            );
        }
    }

    fn folder(&mut self) {
        let code = &self.step.code;
        let (name, folder) = match (&code.python_script_name, &code.source_directory) {
            (None, None) => return,
            (None, Some(_)) => {
                self.push(
                    "source_directory",
                    ProblemKind::Conflict,
                    "is set without python_script_name",
                    "name the script of the folder that is to run",
                );
                return;
            }
            (Some(_), None) => {
                self.push(
                    "source_directory",
                    ProblemKind::Missing,
                    "is missing",
                    "name the folder that contains python_script_name",
                );
                return;
            }
            (Some(name), Some(folder)) => (name, folder),
        };
        let is_below = Path::new(name)
            .components()
            .all(|it| matches!(it, Component::Normal(_) | Component::CurDir));
        if !is_below {
            self.push(
                "python_script_name",
                ProblemKind::Value,
                format!("{name:?} leads out of source_directory, which alone goes along"),
                "give the script's path below source_directory",
            );
        } else if !folder.is_dir() {
            self.push(
                "source_directory",
                ProblemKind::NoSuchFile,
                format!("{} is no folder", folder.display()),
                "give the path of the folder, from the current one or from the root",
            );
        } else if !name.is_empty() && !folder.join(name).is_file() {
            self.push(
                "python_script_name",
                ProblemKind::NoSuchFile,
                format!("no script at {}", folder.join(name).display()),
                "give the script's path below source_directory",
            );
        }
    }

    fn cluster(&mut self, cluster: &StepCluster) {
        if cluster.existing_cluster_id.is_some() {
            self.existing_cluster(cluster);
            return;
        }
        if cluster.permit_cluster_restart.is_some() {
            self.push(
                "permit_cluster_restart",
                ProblemKind::Conflict,
                "is set without existing_cluster_id",
                "leave it out: a new cluster needs no restart",
            );
        }
        if cluster.node_type.is_some() && cluster.instance_pool_id.is_some() {
            self.push(
                "instance_pool_id",
                ProblemKind::Conflict,
                "is set together with node_type",
                "keep one of them: a pool has its own node type",
            );
        }
        self.separators(cluster);
        let texts = [
            ("spark_version", &cluster.spark_version),
            ("node_type", &cluster.node_type),
            ("instance_pool_id", &cluster.instance_pool_id),
        ];
        for (field, value) in texts {
            if value.as_deref() == Some("") {
                self.push(field, ProblemKind::Missing, "is empty", "set it or leave it out");
            }
        }
        match (cluster.num_workers, cluster.min_workers, cluster.max_workers) {
            (None, Some(min), Some(max)) if max < min => self.push(
                "min_workers",
                ProblemKind::Value,
                format!("{min} is above max_workers, {max}"),
                "exchange them",
            ),
            (Some(_), None, None) | (None, Some(_), Some(_)) => (),
            (None, None, None) => self.push(
                "num_workers",
                ProblemKind::Missing,
                "a new cluster has no size",
                "set num_workers, or min_workers and max_workers, or existing_cluster_id",
            ),
            (Some(_), _, _) => self.push(
                "num_workers",
                ProblemKind::Conflict,
                "is set together with min_workers or max_workers",
                "keep num_workers for a fixed size, the other two for one that scales",
            ),
            (None, None, Some(_)) => self.push(
                "min_workers",
                ProblemKind::Missing,
                "is missing beside max_workers",
                "set both",
            ),
            (None, Some(_), None) => self.push(
                "max_workers",
                ProblemKind::Missing,
                "is missing beside min_workers",
                "set both",
            ),
        }
    }

    /// The service splits these texts, so that some of them would read as two.
    fn separators(&mut self, cluster: &StepCluster) {
        for script in cluster.init_scripts.iter().flatten() {
            if script.is_empty() || script.contains(',') {
                self.push(
                    "init_scripts",
                    ProblemKind::Value,
                    format!("`{script}` is no path of one script"),
                    "the paths are joined with commas: rename the script",
                );
            }
        }
        let maps = [
            ("spark_conf", &cluster.spark_conf),
            ("spark_env_variables", &cluster.spark_env_variables),
        ];
        for (field, pairs) in maps {
            for (key, _) in pairs.iter().flatten() {
                self.key(field, key);
            }
        }
    }

    /// A key ends at its `=`, and a pair at its `;`.
    fn key(&mut self, field: &'static str, key: &str) {
        if key.is_empty() || key.contains(['=', ';']) {
            self.push(
                field,
                ProblemKind::Value,
                format!("`{key}` is no key"),
                "a key is not empty and has neither `=` nor `;`",
            );
        }
    }

    /// Python ignores the fields of a new cluster beside an existing one, so
    /// that a setting which was meant to hold silently does not.
    fn existing_cluster(&mut self, cluster: &StepCluster) {
        if cluster.existing_cluster_id.as_deref() == Some("") {
            self.push(
                "existing_cluster_id",
                ProblemKind::Missing,
                "is empty",
                "give the id of the cluster, or leave it out and describe a new one",
            );
        }
        let fields = [
            ("spark_version", cluster.spark_version.is_some()),
            ("node_type", cluster.node_type.is_some()),
            ("instance_pool_id", cluster.instance_pool_id.is_some()),
            ("num_workers", cluster.num_workers.is_some()),
            ("min_workers", cluster.min_workers.is_some()),
            ("max_workers", cluster.max_workers.is_some()),
            ("spark_env_variables", cluster.spark_env_variables.is_some()),
            ("spark_conf", cluster.spark_conf.is_some()),
            ("init_scripts", cluster.init_scripts.is_some()),
            ("cluster_log_dbfs_path", cluster.cluster_log_dbfs_path.is_some()),
        ];
        for (field, set) in fields {
            if set {
                self.push(
                    field,
                    ProblemKind::Conflict,
                    "is set together with existing_cluster_id",
                    "it describes a new cluster: leave it out, or leave out existing_cluster_id",
                );
            }
        }
    }

    fn libraries(&mut self, libraries: &[Library]) {
        for library in libraries {
            if library.subject().is_empty() {
                self.push(
                    library.field(),
                    ProblemKind::Missing,
                    "a library has no package, coordinates or path",
                    "name the library",
                );
            } else if let Some(text) = library.ambiguous() {
                self.push(
                    library.field(),
                    ProblemKind::Value,
                    format!("`{text}` would read as more than one library or option"),
                    "paths are joined with `,`, packages and their options with `;` and `|`: write it without",
                );
            }
        }
    }

    fn arguments(&mut self, pipeline: &Pipeline) {
        let code = &self.step.code;
        for (key, _) in &code.notebook_params {
            self.key("notebook_params", key);
        }
        let notebook = code.notebook_params.iter().map(|it| ("notebook_params", &it.1));
        let script = code.python_script_params.iter().map(|it| ("python_script_params", it));
        let jar = code.jar_params.iter().map(|it| ("jar_params", it));
        for (field, argument) in notebook.chain(script).chain(jar) {
            let value = match argument {
                Argument::Value(value) => Some(value),
                Argument::Parameter(name) => pipeline.parameter(name).map(|it| &it.default),
            };
            let Some(value) = value else {
                self.push(
                    field,
                    ProblemKind::Dangling,
                    format!("the pipeline has no parameter `{}`", name_of(argument)),
                    "declare it among the pipeline's parameters, or correct the name",
                );
                continue;
            };
            if field != "notebook_params" && !matches!(value, ParameterValue::Text(_)) {
                self.push(
                    field,
                    ProblemKind::Value,
                    format!("{value} is of type {}, not text", value.type_name()),
                    "scripts and JARs take text: write it as a string",
                );
            }
        }
    }
}

fn name_of(argument: &Argument) -> &str {
    match argument {
        Argument::Value(_) => "",
        Argument::Parameter(name) => name.as_str(),
    }
}
