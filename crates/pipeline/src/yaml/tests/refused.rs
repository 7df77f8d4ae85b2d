//! What the official SDK refuses is refused here, and so is what it takes by accident.

use std::collections::BTreeMap;

use super::fixture::Definition;
use crate::{PipelineError, choices::Chosen, recorded::load_all};

/// Words of a refusal that name the field, for each recorded definition.
const FIELDS: &[(&str, &str)] = &[
    ("all-kinds-of-code", "notebook_path"),
    ("cluster-log-no-text", "cluster_log_dbfs_path"),
    ("compute-target-missing", "compute_target"),
    ("cycle-of-data", "inputs"),
    ("cycle-of-data-and-order", "inputs"),
    ("cycle-of-one-step", "inputs"),
    ("cycle-of-order", "inputs"),
    ("data-reference-mode-unknown", "mode"),
    ("egg-library-without-path", "egg_libraries"),
    ("environment-no-mapping", "spark_env_variables"),
    ("existing-cluster-no-text", "existing_cluster_id"),
    ("given-parameter-of-another-type", "parameters"),
    ("given-parameter-unknown", "parameters"),
    ("given-parameter-unused", "parameters"),
    ("init-script-no-text", "init_scripts"),
    ("init-scripts-no-list", "init_scripts"),
    ("input-and-output-of-one-name", "outputs"),
    ("input-mode-unknown", "mode"),
    ("input-name-with-space", "inputs"),
    ("input-of-no-step", "inputs"),
    ("input-twice", "inputs"),
    ("jar-param-no-text", "jar_params"),
    ("main-class-no-text", "main_class_name"),
    ("max-workers-alone", "min_workers"),
    ("max-workers-no-number", "max_workers"),
    ("min-workers-alone", "max_workers"),
    ("min-workers-no-number", "min_workers"),
    ("name-missing", "name"),
    ("name-no-text", "name"),
    ("no-code", "notebook_path"),
    ("no-restart-of-a-new-cluster", "permit_cluster_restart"),
    ("node-type-and-pool", "instance_pool_id"),
    ("node-type-no-text", "node_type"),
    ("notebook-params-no-mapping", "notebook_params"),
    ("notebook-path-no-text", "notebook_path"),
    ("output-data-type-unknown", "outputs"),
    ("output-mode-unknown", "output_mode"),
    ("output-name-empty", "outputs"),
    ("output-name-with-dash", "outputs"),
    ("output-of-two-steps", "outputs"),
    ("output-twice", "outputs"),
    ("parameter-default-a-list", "parameters"),
    ("parameter-default-null", "parameters"),
    ("parameter-in-jar-params-no-text", "jar_params"),
    ("parameter-in-script-params-no-text", "python_script_params"),
    ("pipeline-output-twice", "pipeline_output_name"),
    ("pool-no-text", "instance_pool_id"),
    ("pypi-library-with-unknown-key", "index"),
    ("restart-of-a-new-cluster", "permit_cluster_restart"),
    ("run-name-no-text", "run_name"),
    ("script-missing", "python_script_name"),
    ("script-name-no-text", "python_script_name"),
    ("script-param-no-text", "python_script_params"),
    ("script-param-null", "python_script_params"),
    ("script-path-no-text", "python_script_path"),
    ("source-directory-missing", "source_directory"),
    ("source-directory-not-there", "source_directory"),
    ("spark-conf-no-mapping", "spark_conf"),
    ("spark-version-no-text", "spark_version"),
    ("timeout-a-fraction", "timeout_seconds"),
    ("timeout-no-number", "timeout_seconds"),
    ("two-kinds-of-code", "notebook_path"),
    ("two-other-kinds-of-code", "python_script_name"),
    ("unknown-key", "notebok_params"),
    ("version-no-text", "version"),
    ("workers-a-fraction", "num_workers"),
    ("workers-and-both-limits", "num_workers"),
    ("workers-and-max-workers", "num_workers"),
    ("workers-and-min-workers", "num_workers"),
    ("workers-missing", "num_workers"),
    ("workers-no-number", "num_workers"),
];

const ACCIDENTS: &[(&str, &str)] = &[
    ("allow-reuse-no-truth-value", "allow_reuse"),
    ("cluster-log-beside-an-existing-cluster", "cluster_log_dbfs_path"),
    ("compute-target-empty", "compute_target"),
    ("cycle-not-validated", "inputs"),
    ("egg-library-empty", "egg_libraries"),
    ("egg-library-with-separator", "egg_libraries"),
    ("environment-beside-an-existing-cluster", "spark_env_variables"),
    ("existing-cluster-empty", "existing_cluster_id"),
    ("hash-paths", "hash_paths"),
    ("init-script-with-separator", "init_scripts"),
    ("init-scripts-beside-an-existing-cluster", "init_scripts"),
    ("jar-params-of-a-notebook", "jar_params"),
    ("main-class-empty", "main_class_name"),
    ("maven-library-without-coordinates", "coordinates"),
    ("min-workers-above-max-workers", "min_workers"),
    ("min-workers-negative", "min_workers"),
    ("name-empty", "name"),
    ("name-twice", "name"),
    ("no-steps", "steps"),
    ("node-type-beside-an-existing-cluster", "node_type"),
    ("notebook-param-a-list", "notebook_params"),
    ("notebook-param-a-mapping", "notebook_params"),
    ("notebook-params-of-a-script", "notebook_params"),
    ("notebook-path-empty", "notebook_path"),
    ("notebook-path-relative", "notebook_path"),
    ("permit-restart-no-truth-value", "permit_cluster_restart"),
    ("pool-beside-an-existing-cluster", "instance_pool_id"),
    ("pypi-library-no-text", "pypi_libraries"),
    ("pypi-library-with-separator", "pypi_libraries"),
    ("pypi-library-without-package", "package"),
    ("rcran-library-without-package", "package"),
    ("run-after-twice", "run_after"),
    ("same-step-twice", "name"),
    ("script-params-a-mapping", "python_script_params"),
    ("script-params-a-text", "python_script_params"),
    ("script-params-of-a-notebook", "python_script_params"),
    ("script-path-empty", "python_script_path"),
    ("source-directory-of-a-notebook", "source_directory"),
    ("spark-conf-beside-an-existing-cluster", "spark_conf"),
    ("spark-conf-key-with-separator", "spark_conf"),
    ("spark-version-of-a-wrong-type-beside-an-existing-cluster", "spark_version"),
    ("timeout-negative", "timeout_seconds"),
    ("timeout-true", "timeout_seconds"),
    ("workers-beside-an-existing-cluster", "num_workers"),
    ("workers-negative", "num_workers"),
    ("workers-true", "num_workers"),
];

#[test]
fn what_the_official_sdk_refuses_is_refused_and_the_field_named() {
    all_refused("refused", FIELDS);
}

#[test]
fn what_the_official_sdk_takes_by_accident_is_refused_and_the_field_named() {
    all_refused("accepted-by-accident", ACCIDENTS);
}

fn all_refused(folder: &str, fields: &[(&str, &str)]) {
    let fixtures: BTreeMap<String, Definition> = load_all(folder);
    let names: Vec<_> = fixtures.keys().map(String::as_str).collect();
    assert_eq!(names, fields.iter().map(|it| it.0).collect::<Vec<_>>(), "the list of {folder}");
    let mut wrong = Vec::new();
    for (name, field) in fields {
        let fixture = &fixtures[*name];
        match refusal(fixture) {
            None => wrong.push(format!("{name} is accepted ({:?})", fixture.why)),
            Some(err) => {
                let tells = |it: &crate::Problem| {
                    let mut parts = it.field.split(['.', '[', ']']);
                    // A key that is missing or unknown is named in the words.
                    parts.any(|it| it == *field) || it.message.contains(&format!("`{field}`"))
                };
                if !err.problems().iter().any(tells) {
                    wrong.push(format!("{name}: {field} is not named: {err}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), fixtures.len(), wrong.join("\n"));
}

fn refusal(fixture: &Definition) -> Option<PipelineError> {
    let folder = tempfile::tempdir().unwrap();
    match fixture.pipeline(folder.path()) {
        Err(err) => Some(err),
        Ok(pipeline) => Chosen::new(&pipeline, &fixture.options()).err(),
    }
}
