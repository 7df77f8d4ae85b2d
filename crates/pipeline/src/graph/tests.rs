use proptest::prelude::*;

use super::*;
use crate::{Argument, DataReference, ParameterName, PipelineData, PipelineParameter, StepInput};

fn step(name: &str) -> DatabricksStep {
    DatabricksStep::new(name)
        .with_notebook_path("/nb")
        .with_num_workers(1)
        .with_compute_target("dbx")
}

fn pipeline(steps: impl IntoIterator<Item = DatabricksStep>) -> Pipeline {
    steps.into_iter().fold(Pipeline::new("p"), Pipeline::with_step)
}

/// Step, field and kind of each problem.
fn found(pipeline: &Pipeline) -> Vec<(String, String, ProblemKind)> {
    let problems = pipeline.problems();
    let step = |it: &Problem| it.step.as_ref().map(ToString::to_string).unwrap_or_default();
    problems.iter().map(|it| (step(it), it.field.to_string(), it.kind)).collect()
}

fn only(field: &str, kind: ProblemKind) -> Vec<(String, String, ProblemKind)> {
    vec![("a".to_owned(), field.to_owned(), kind)]
}

#[test]
fn a_good_pipeline_has_no_problems() {
    let data = PipelineData::new("data");
    let good = pipeline([
        step("second").with_input(&data).with_run_after("first"),
        step("first").with_output(&data).with_input(DataReference::new("raw", "in/raw")),
    ]);
    assert_eq!(good.problems(), []);
    assert!(good.validate().is_ok());
}

#[test]
fn all_problems_are_listed_at_once() {
    let data = PipelineData::new("data");
    let bad = pipeline([
        DatabricksStep::new("a").with_output(&data),
        step("a").with_output(&data).with_input(PipelineData::new("nowhere")),
        step("b").with_run_after("c"),
    ]);
    let err = bad.validate().unwrap_err();
    insta::assert_snapshot!(err, @"the pipeline has 7 problems: step `a`: notebook_path: the step has no code (set one of notebook_path, python_script_path, python_script_name, main_class_name); step `a`: num_workers: a new cluster has no size (set num_workers, or min_workers and max_workers, or existing_cluster_id); step `a`: compute_target: is missing (name the attached Databricks workspace: compute_target on the step, or default_compute on the pipeline); step `a`: name: two steps are called `a` (give each step a name of its own); step `a`: inputs: no step has `nowhere` as its output (add it to the outputs of the step that writes it, or declare it as data that is there already); step `a`: outputs: `data` is an output of step `a` too (give each output one producer: rename one of them); step `b`: run_after: the pipeline has no step `c` (add that step, or correct the name)");
    assert_eq!(err.kind(), azml_core::ErrorKind::InvalidArgument);
}

#[test]
fn a_step_has_exactly_one_kind_of_code() {
    use ProblemKind::{Conflict, Missing, NoSuchFile};

    let empty = DatabricksStep::new("a").with_num_workers(1).with_compute_target("dbx");
    let cases = [
        (empty.clone(), only("notebook_path", Missing)),
        (step("a").with_main_class_name("M"), only("notebook_path", Conflict)),
        (
            empty.clone().with_python_script_path("dbfs:/x").with_main_class_name("M"),
            only("python_script_path", Conflict),
        ),
        (step("a").with_jar_params(["x"]), only("jar_params", Conflict)),
        (step("a").with_python_script_params(["x"]), only("python_script_params", Conflict)),
        (
            empty.clone().with_main_class_name("M").with_notebook_param("x", "y"),
            only("notebook_params", Conflict),
        ),
        (empty.clone().with_python_script_name("x.py"), only("source_directory", Missing)),
        (step("a").with_source_directory("."), only("source_directory", Conflict)),
        (
            empty.clone().with_python_script_name("x.py").with_source_directory("no/such/folder"),
            only("source_directory", NoSuchFile),
        ),
        (
            empty.clone().with_python_script_name("no-such.py").with_source_directory("src"),
            only("python_script_name", NoSuchFile),
        ),
        (empty.with_python_script_name("lib.rs").with_source_directory("src"), vec![]),
    ];
    for (step, expected) in cases {
        assert_eq!(found(&pipeline([step])), expected);
    }
}

#[test]
fn a_cluster_is_either_there_or_described() {
    use ProblemKind::{Conflict, Missing, Value};

    let plain = || DatabricksStep::new("a").with_notebook_path("/nb").with_compute_target("dbx");
    let mut without_max = plain();
    without_max.cluster.min_workers = Some(1);
    let cases = [
        (plain(), only("num_workers", Missing)),
        (plain().with_num_workers(0), vec![]),
        (plain().with_autoscale(1, 4), vec![]),
        (plain().with_autoscale(4, 1), only("min_workers", Value)),
        (plain().with_autoscale(1, 4).with_num_workers(1), only("num_workers", Conflict)),
        (without_max, only("max_workers", Missing)),
        (plain().with_existing_cluster_id("c").with_permit_cluster_restart(false), vec![]),
        (plain().with_existing_cluster_id(""), only("existing_cluster_id", Missing)),
        (plain().with_existing_cluster_id("c").with_num_workers(1), only("num_workers", Conflict)),
        (
            plain().with_existing_cluster_id("c").with_spark_conf([("k", "v")]),
            only("spark_conf", Conflict),
        ),
        (
            plain().with_num_workers(1).with_permit_cluster_restart(false),
            only("permit_cluster_restart", Conflict),
        ),
        (
            plain().with_num_workers(1).with_node_type("n").with_instance_pool_id("p"),
            only("instance_pool_id", Conflict),
        ),
    ];
    for (step, expected) in cases {
        assert_eq!(found(&pipeline([step])), expected);
    }
}

#[test]
fn a_compute_target_comes_from_the_step_or_the_pipeline() {
    let plain = DatabricksStep::new("a").with_notebook_path("/nb").with_num_workers(1);
    let without = pipeline([plain]);
    assert_eq!(found(&without), only("compute_target", ProblemKind::Missing));
    assert_eq!(without.with_default_compute("dbx").problems(), []);
}

#[test]
fn arguments_of_scripts_are_text_and_parameters_are_declared() {
    let script = DatabricksStep::new("a")
        .with_python_script_path("dbfs:/x.py")
        .with_num_workers(1)
        .with_compute_target("dbx");
    let number = pipeline([script.clone().with_python_script_params([3])]);
    assert_eq!(found(&number), only("python_script_params", ProblemKind::Value));

    let name = ParameterName::new("depth");
    let by_name = script.with_python_script_params([Argument::Parameter(name)]);
    let undeclared = pipeline([by_name]);
    assert_eq!(found(&undeclared), only("python_script_params", ProblemKind::Dangling));
    let wrong = undeclared.clone().with_parameter(PipelineParameter::new("depth", 3));
    assert_eq!(found(&wrong), only("python_script_params", ProblemKind::Value));
    let right = undeclared.with_parameter(PipelineParameter::new("depth", "3"));
    assert_eq!(right.problems(), []);
}

#[test]
fn a_cycle_is_told_step_by_step() {
    let (x, y) = (PipelineData::new("x"), PipelineData::new("y"));
    let cyclic = pipeline([
        step("a").with_output(&x).with_input(&y),
        step("b").with_input(&x),
        step("c").with_output(&y).with_run_after("a"),
    ]);
    let problems = cyclic.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].kind, ProblemKind::Cycle);
    assert_eq!(problems[0].message, "steps wait for each other: a -> c -> a");
    assert_eq!(
        found(&pipeline([step("a").with_run_after("a")])),
        only("inputs", ProblemKind::Cycle)
    );
}

#[test]
fn names_of_data_are_words_and_not_the_services_own() {
    for name in ["", "a b", "a-b", "_run_after_output"] {
        let bad = pipeline([step("a").with_output(PipelineData::new(name))]);
        assert_eq!(found(&bad), only("outputs", ProblemKind::Value), "{name}");
    }
}

proptest! {
    /// `edges` are pairs (earlier, later); through data or order, in any mix.
    #[test]
    fn a_graph_is_accepted_exactly_if_it_has_a_topological_order(
        count in 1..8_usize,
        edges in prop::collection::vec((0..8_usize, 0..8_usize, any::<bool>()), 0..14),
    ) {
        let edges: Vec<_> =
            edges.into_iter().map(|(a, b, data)| (a % count, b % count, data)).collect();
        let mut steps: Vec<_> = (0..count).map(|it| {
            step(&format!("s{it}")).with_output(PipelineData::new(format!("d{it}")))
        }).collect();
        for &(earlier, later, data) in &edges {
            let before = steps[later].clone();
            let input = PipelineData::new(format!("d{earlier}"));
            let known = before.inputs.iter().any(|it| *it.data_name() == input.name);
            let waits = before.run_after.contains(&format!("s{earlier}").into());
            steps[later] = match data {
                true if known => before,
                true => before.with_input(StepInput::new(input).with_input_name(format!("i{earlier}"))),
                false if waits => before,
                false => before.with_run_after(format!("s{earlier}")),
            };
        }

        // Take out, again and again, a step that waits for none that is left.
        let mut left: Vec<_> = (0..count).collect();
        while let Some(at) = left.iter().position(|&it| {
            !edges.iter().any(|&(earlier, later, _)| later == it && left.contains(&earlier))
        }) {
            left.remove(at);
        }
        let problems = pipeline(steps).problems();
        prop_assert_eq!(problems.is_empty(), left.is_empty());
        prop_assert!(problems.iter().all(|it| it.kind == ProblemKind::Cycle));
    }
}
