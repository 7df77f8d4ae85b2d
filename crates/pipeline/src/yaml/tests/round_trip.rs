//! YAML to pipeline to wire: what is written arrives.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{DatabricksStep, Pipeline, PipelineData, PipelineParameter, SubmitOptions};

/// A step as both sides of the comparison are made of it.
#[derive(Clone, Debug)]
struct Step {
    workers: (u32, Option<u32>),
    params: Vec<(String, Param)>,
    conf: Option<Vec<(String, String)>>,
    /// Earlier steps, and whether data flows from them.
    after: Vec<(usize, bool)>,
    allow_reuse: bool,
    run_name: Option<String>,
}

#[derive(Clone, Debug)]
enum Param {
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
    Parameter,
}

fn text() -> impl Strategy<Value = String> {
    // All that YAML must quote, and more.
    prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", Just("null".to_owned()), Just("1e3".to_owned())]
}

fn param() -> impl Strategy<Value = Param> {
    prop_oneof![
        text().prop_map(Param::Text),
        any::<i64>().prop_map(Param::Whole),
        prop::num::f64::NORMAL.prop_map(Param::Number),
        any::<bool>().prop_map(Param::Truth),
        Just(Param::Parameter),
    ]
}

fn step(number: usize) -> impl Strategy<Value = Step> {
    let key = "[a-z]{1,6}";
    let distinct = |pairs: Vec<(String, Param)>| {
        let mut seen = BTreeSet::new();
        pairs.into_iter().filter(|it| seen.insert(it.0.clone())).collect::<Vec<_>>()
    };
    let conf = prop::collection::btree_map("spark\\.[a-z]{1,4}", text(), 0..3);
    (
        (0..9_u32, prop::option::of(0..5_u32)),
        prop::collection::vec((key, param()), 0..4).prop_map(distinct),
        prop::option::of(conf.prop_map(|it| it.into_iter().collect())),
        prop::collection::btree_map(0..number.max(1), any::<bool>(), 0..3),
        any::<bool>(),
        prop::option::of(text()),
    )
        .prop_map(move |(workers, params, conf, after, allow_reuse, run_name)| Step {
            workers,
            params,
            conf,
            after: after.into_iter().filter(|it| it.0 < number).collect(),
            allow_reuse,
            run_name,
        })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    (1..5_usize).prop_flat_map(|count| (0..count).map(step).collect::<Vec<_>>())
}

/// Through the builder.
fn built(steps: &[Step]) -> Pipeline {
    let depth = PipelineParameter::new("depth", 3);
    let mut pipeline = Pipeline::new("p").with_default_compute("dbx").with_parameter(&depth);
    for (number, it) in steps.iter().enumerate() {
        let mut step = DatabricksStep::new(format!("s{number}"))
            .with_notebook_path("/n")
            .with_output(PipelineData::new(format!("d{number}")))
            .with_allow_reuse(it.allow_reuse);
        step = match it.workers {
            (workers, None) => step.with_num_workers(workers),
            (min, Some(more)) => step.with_autoscale(min, min + more),
        };
        for (key, value) in &it.params {
            step = match value {
                Param::Text(it) => step.with_notebook_param(key, it.as_str()),
                Param::Whole(it) => step.with_notebook_param(key, *it),
                Param::Number(it) => step.with_notebook_param(key, *it),
                Param::Truth(it) => step.with_notebook_param(key, *it),
                Param::Parameter => step.with_notebook_param(key, &depth),
            };
        }
        if let Some(conf) = &it.conf {
            step = step.with_spark_conf(conf.clone());
        }
        for &(earlier, by_data) in &it.after {
            step = if by_data {
                step.with_input(PipelineData::new(format!("d{earlier}")))
            } else {
                step.with_run_after(format!("s{earlier}"))
            };
        }
        step.run_name.clone_from(&it.run_name);
        pipeline = pipeline.with_step(step);
    }
    pipeline
}

/// Text in double quotes, as YAML reads it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// By hand, in block style.
fn written(steps: &[Step]) -> String {
    let mut yaml = "name: p\ndefault_compute: dbx\nparameters: {depth: 3}\nsteps:\n".to_owned();
    for (number, it) in steps.iter().enumerate() {
        let mut line = |text: String| writeln!(yaml, "{text}").unwrap();
        line("  - type: DatabricksStep".to_owned());
        line(format!("    name: s{number}\n    notebook_path: /n\n    outputs: [d{number}]"));
        match it.workers {
            (workers, None) => line(format!("    num_workers: {workers}")),
            (min, Some(more)) => {
                line(format!("    min_workers: {min}\n    max_workers: {}", min + more));
            }
        }
        if !it.params.is_empty() {
            line("    notebook_params:".to_owned());
            for (key, value) in &it.params {
                let value = match value {
                    Param::Text(it) => quoted(it),
                    Param::Whole(it) => it.to_string(),
                    Param::Number(it) => format!("{it:e}"),
                    Param::Truth(it) => it.to_string(),
                    Param::Parameter => "{parameter: depth}".to_owned(),
                };
                line(format!("      {}: {value}", quoted(key)));
            }
        }
        if let Some(conf) = &it.conf {
            let pairs: Vec<_> = conf.iter().map(|(k, v)| format!("{k}: {}", quoted(v))).collect();
            line(format!("    spark_conf: {{{}}}", pairs.join(", ")));
        }
        let names = |by_data: bool, letter: char| {
            let names = it.after.iter().filter(|it| it.1 == by_data);
            names.map(|it| format!("{letter}{}", it.0)).collect::<Vec<_>>().join(", ")
        };
        line(format!("    inputs: [{}]", names(true, 'd')));
        line(format!("    run_after: [{}]", names(false, 's')));
        line(format!("    allow_reuse: {}", it.allow_reuse));
        if let Some(name) = &it.run_name {
            line(format!("    run_name: {}", quoted(name)));
        }
    }
    yaml
}

proptest! {
    #[test]
    fn what_is_written_in_yaml_is_what_the_builder_makes_and_arrives_on_the_wire(
        steps in steps()
    ) {
        let yaml = written(&steps);
        let read = Pipeline::from_yaml(&yaml, Path::new("")).map_err(|err| {
            TestCaseError::fail(format!("{err}\n{yaml}"))
        })?;
        let built = built(&steps);
        prop_assert_eq!(&read, &built);
        let options = SubmitOptions::default();
        let wire = read.to_wire(&options).unwrap();
        prop_assert_eq!(&wire, &built.to_wire(&options).unwrap());

        let wire: Value = serde_json::from_str(&wire).unwrap();
        for (number, step) in steps.iter().enumerate() {
            let node = &wire["Graph"]["ModuleNodes"][number];
            let metadata = node["ModuleMetadataParameters"].as_array().unwrap();
            let value = |name: &str| {
                metadata.iter().find(|it| it["Name"] == name).map(|it| it["Value"].clone())
            };
            prop_assert_eq!(value("run_name"), step.run_name.as_ref().map(|it| json!(it)));
            let workers = step.workers.1.is_none().then(|| json!(step.workers.0.to_string()));
            prop_assert_eq!(value("num_workers"), workers);
            let module = &wire["Modules"][number];
            prop_assert_eq!(&module["IsDeterministic"], &json!(step.allow_reuse));
        }
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,200}") {
        let _ = Pipeline::from_yaml(&text, Path::new(""));
    }
}
