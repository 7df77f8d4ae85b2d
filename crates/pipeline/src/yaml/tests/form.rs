//! The form itself.

use std::{fs, path::Path};

use crate::{Argument, Pipeline, PipelineError, StepInput};

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
    insta::assert_snapshot!(refusal(&step("runconfig: {a: 1}")), @"the pipeline is invalid: step `s`: runconfig: a run configuration holds the libraries and the cluster of a step a second time: use the keys of the step, at line 5, column 16 (the JSON Schema of the form tells all keys and types: azml pipeline schema)");
    insta::assert_snapshot!(refusal(&step("hash_paths: [a]")), @"the pipeline is invalid: step `s`: hash_paths: the SDK ignores it, and always hashes the whole source_directory: exclude files in .amlignore, at line 5, column 17 (the JSON Schema of the form tells all keys and types: azml pipeline schema)");
    insta::assert_snapshot!(refusal(&step("num_workers: \"1\"")), @r#"the pipeline is invalid: step `s`: num_workers: the text "1" is no whole number, at line 5, column 18 (the JSON Schema of the form tells all keys and types: azml pipeline schema)"#);
    insta::assert_snapshot!(refusal(&step("spark_version: 13.0")), @"the pipeline is invalid: step `s`: spark_version: the number 13.0 is no text: put it in quotes, at line 5, column 20 (the JSON Schema of the form tells all keys and types: azml pipeline schema)");
    insta::assert_snapshot!(refusal(&step("notebok_path: /a")), @"the pipeline is invalid: step `s`: notebok_path: there is no key `notebok_path`, at line 5, column 5 (write `notebook_path`, or leave it out)");
    insta::assert_snapshot!(refusal(&step("timeout: 3")), @"the pipeline is invalid: step `s`: timeout: there is no key `timeout`, at line 5, column 5 (write `timeout_seconds`, or leave it out)");
    insta::assert_snapshot!(refusal("name: p\nsteps: []\nname: q\n"), @"the pipeline is invalid: file: is no YAML: duplicate mapping key `name` is not allowed here at line 3, column 1 (a pipeline is one YAML mapping with the keys name and steps)");
    insta::assert_snapshot!(refusal("name: [\n"), @"the pipeline is invalid: file: is no YAML: unclosed bracket '[' at line 1, column 7 (a pipeline is one YAML mapping with the keys name and steps)");
    insta::assert_snapshot!(refusal("- a\n"), @"the pipeline is invalid: file: a list is not a mapping, at line 1, column 1 (the JSON Schema of the form tells all keys and types: azml pipeline schema)");
    insta::assert_snapshot!(refusal(""), @"the pipeline is invalid: file: nothing is not a mapping, at line 1, column 1 (the JSON Schema of the form tells all keys and types: azml pipeline schema)");
}

/// A field with what is wrong with it, for each problem of a file.
fn problems(text: &str) -> Vec<String> {
    let err = Pipeline::from_yaml(text, Path::new("")).unwrap_err();
    let problems = err.problems().iter();
    problems
        .map(|it| format!("{}/{}", it.step.as_ref().map_or("", |it| it.as_str()), it.field))
        .collect()
}

#[test]
fn all_problems_of_a_file_are_told_at_once() {
    let text = "
name: 5
experimnt: x
data: [{nam: a}, [a]]
default_compute: c
steps:
  - {type: DatabricksStep, name: a, notebok_params: {}, version: 2, inputs: [5, b, {parameter: p, more: 1}]}
  - abc
  -
  - {type: PythonScriptStep, name: c, notebook_path: /n, num_workers: -1}
  - {type: DatabricksStep, name: b, notebook_path: n, num_workers: 1, run_after: [a, z]}
";
    assert_eq!(
        problems(text),
        [
            "a/notebok_params",
            "a/version",
            "a/inputs[0]",
            "a/inputs[2].more",
            "/steps[1]",
            "/steps[2]",
            "c/type",
            "c/num_workers",
            "/name",
            "/experimnt",
            "/data[0].nam",
            "/data[0].name",
            "/data[1]",
        ]
    );
}

#[test]
fn what_only_follows_from_another_problem_is_not_told() {
    let text = "
name: p
default_compute: c
steps:
  - {type: DatabricksStep, name: a, notebook_path: 5, num_workers: 1, outputs: x}
  - {type: DatabricksStep, name: b, notebook_path: n, num_workers: 1, inputs: [x]}
";
    assert_eq!(problems(text), ["a/notebook_path", "a/outputs", "b/notebook_path"]);
}

#[test]
fn a_thousand_bad_steps_are_told_in_a_moment() {
    let step = "  - {type: DatabricksStep, name: a, notebok_path: /n}\n";
    let text = format!("name: p\nsteps:\n{}", step.repeat(1000));
    assert_eq!(problems(&text).len(), 1000);
}

#[test]
fn numbers_that_yaml_1_1_takes_for_text_are_text_where_only_text_can_be() {
    let written = ["1e-3", "1E5", "-1e5", "1.5e3", "+.5", "-.5", "0o14"];
    for number in written {
        let text = format!(
            "name: p\nsteps:\n- {{type: DatabricksStep, name: s, python_script_path: {number}, \
             python_script_params: [{number}]}}\n"
        );
        let pipeline = Pipeline::from_yaml(&text, Path::new("")).unwrap();
        let code = &pipeline.steps[0].code;
        assert_eq!(code.python_script_path.as_deref(), Some(number));
        assert_eq!(code.python_script_params, [number.into()]);
    }
    for number in ["1", "1.0", ".5", "5.", "1.0e-5", "0x1F", ".inf", "true"] {
        let text = format!("name: p\nsteps: []\ndescription: {number}\n");
        assert_eq!(problems(&text), ["/description"], "{number}");
    }
}

#[test]
fn a_number_without_bounds_keeps_its_name_and_one_without_room_is_refused() {
    let read = |value: &str| {
        let text = format!("name: p\nparameters: {{a: {value}}}\nsteps: []\n");
        let pipeline = Pipeline::from_yaml(&text, Path::new(""))?;
        Ok::<_, PipelineError>(pipeline.parameters[0].default.to_string())
    };
    assert_eq!(read("-.inf").unwrap(), "-inf");
    assert_eq!(read(".nan").unwrap(), "nan");
    for value in ["18446744073709551615", "123456789012345678901234567890"] {
        read(value).unwrap_err();
    }
}

#[test]
fn the_schema_that_is_checked_in_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline.schema.json");
    let current = Pipeline::yaml_schema();
    let known = fs::read_to_string(&file).unwrap_or_default();
    assert!(known == current, "`azml pipeline schema > crates/pipeline/pipeline.schema.json`");
}
