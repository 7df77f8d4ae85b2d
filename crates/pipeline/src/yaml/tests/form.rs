//! The form itself.

use std::{fs, path::Path};

use crate::{Argument, Pipeline, StepInput};

const EXAMPLE: &str = r#"
name: train
description: all four kinds
experiment: wine                         # default: the pipeline's name
default_compute: my-dbx-cluster          # for steps without compute_target
default_datastore: workspaceblobstore
continue_on_step_failure: false
parameters: {myparam: pdef, depth: "3"}   # name: default; the type is the default's
data:
  - {name: input, datastore: workspaceblobstore, path: dbtest}
steps:
  - type: DatabricksStep
    name: notebook-step
    inputs: [input]                       # names of data, or of another step's outputs
    outputs: [out1]                       # or {name: out1, datastore: other}
    num_workers: 1
    notebook_path: /Users/me/nb
    notebook_params: {myparam: {parameter: myparam}, fixed: v}
    pypi_libraries: [{package: "scikit-learn==1.0", repo: "http://my.repo/simple"}]
    jar_libraries: ["dbfs:/a.jar"]
    run_name: NB_run
  - type: DatabricksStep
    name: script-local
    inputs: [out1]
    existing_cluster_id: 1234-567890-abc123
    python_script_name: train.py
    source_directory: src                 # relative to the file
    python_script_params: ["--arg", "a|b", {parameter: depth}]
    run_after: [notebook-step]
"#;

#[test]
fn the_documented_example_is_read_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/train.py"), "").unwrap();
    let file = folder.path().join("train.yml");
    fs::write(&file, EXAMPLE).unwrap();
    let pipeline = Pipeline::from_yaml_file(&file).unwrap();
    assert_eq!(pipeline.problems(), []);
    assert_eq!(pipeline.experiment.as_deref(), Some("wine"));
    let [notebook, script] = pipeline.steps.as_slice() else { panic!("there are two steps") };
    let names: Vec<_> = notebook.inputs.iter().map(StepInput::name).collect();
    assert_eq!(names, [&"input".into()]);
    assert_eq!(script.code.source_directory.as_deref(), Some(&*folder.path().join("src")));
    let depth = Argument::Parameter("depth".into());
    assert_eq!(script.code.python_script_params, ["--arg".into(), "a|b".into(), depth]);
}

#[test]
fn refusals_say_where_and_why() {
    let refusal = |text: &str| Pipeline::from_yaml(text, Path::new("")).unwrap_err().to_string();
    let step =
        |key: &str| format!("name: p\nsteps:\n  - type: DatabricksStep\n    name: s\n    {key}\n");
    insta::assert_snapshot!(refusal(&step("runconfig: {a: 1}")), @"the pipeline is invalid: steps[0].runconfig: a run configuration holds the libraries and the cluster of a step a second time: use the keys of the step at line 5, column 16 (the JSON Schema of the form tells all keys and types)");
    insta::assert_snapshot!(refusal(&step("hash_paths: [a]")), @"the pipeline is invalid: steps[0].hash_paths: the SDK ignores it, and always hashes the whole source_directory: exclude files in .amlignore at line 5, column 17 (the JSON Schema of the form tells all keys and types)");
    insta::assert_snapshot!(refusal(&step("num_workers: \"1\"")), @r#"the pipeline is invalid: steps[0].num_workers: the text "1" is no whole number at line 5, column 18 (the JSON Schema of the form tells all keys and types)"#);
    insta::assert_snapshot!(refusal(&step("spark_version: 3.5")), @"the pipeline is invalid: steps[0].spark_version: the number 3.5 is no text: put it in quotes at line 5, column 20 (the JSON Schema of the form tells all keys and types)");
    insta::assert_snapshot!(refusal(&step("notebok_path: /a")), @"the pipeline is invalid: steps[0].notebok_path: unknown field `notebok_path`, expected one of type, name, inputs, outputs, run_after, existing_cluster_id, permit_cluster_restart, spark_version, node_type, instance_pool_id, num_workers, min_workers, max_workers, spark_env_variables, spark_conf, init_scripts, cluster_log_dbfs_path, notebook_path, notebook_params, python_script_path, python_script_params, main_class_name, jar_params, python_script_name, source_directory, run_name, timeout_seconds, maven_libraries, pypi_libraries, rcran_libraries, egg_libraries, jar_libraries, compute_target, allow_reuse, version, runconfig, hash_paths at line 5, column 5 (the JSON Schema of the form tells all keys and types)");
    insta::assert_snapshot!(refusal("name: p\nsteps: []\nname: q\n"), @"the pipeline is invalid: file: duplicate mapping key: name, set DuplicateKeyPolicy in Options if acceptable at line 3, column 1 (the JSON Schema of the form tells all keys and types)");
    insta::assert_snapshot!(refusal("name: [\n"), @"the pipeline is invalid: name: invalid type: sequence, expected text at line 1, column 1 (the JSON Schema of the form tells all keys and types)");
}

#[test]
fn the_schema_that_is_checked_in_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline.schema.json");
    let current = Pipeline::yaml_schema();
    let known = fs::read_to_string(&file).unwrap_or_default();
    assert!(known == current, "`azml pipeline schema > crates/pipeline/pipeline.schema.json`");
}
