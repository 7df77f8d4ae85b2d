use crate::{DataReference, DatabricksStep, Pipeline, PipelineData};

fn pipeline() -> Pipeline {
    let wine = DataReference::new("wine", "raw/\"wine\"").with_datastore("lake");
    let clean = PipelineData::new("clean");
    let step = |name: &str| DatabricksStep::new(name).with_notebook_path("/n").with_num_workers(1);
    Pipeline::new("the \"wine\"")
        .with_default_compute("dbx")
        .with_step(step("fit | #1").with_input(&clean).with_run_after("clean"))
        .with_step(step("clean").with_input(wine).with_output(&clean))
}

#[test]
fn mermaid_shows_steps_data_and_order() {
    insta::assert_snapshot!(pipeline().to_mermaid(), @r##"
    flowchart TD
        step1["fit #124; #35;1"]
        step2["clean"]
        data1[("wine<br/>lake: raw/#34;wine#34;")]
        step2 -->|"clean"| step1
        step2 -.-> step1
        data1 -->|"wine"| step2
    "##);
}

#[test]
fn graphviz_shows_the_same() {
    insta::assert_snapshot!(pipeline().to_dot(), @r#"
    digraph "the \"wine\"" {
        node [shape=box];
        step1 [label="fit | #1"];
        step2 [label="clean"];
        data1 [label="wine\nlake: raw/\"wine\"", shape=cylinder];
        step2 -> step1 [label="clean"];
        step2 -> step1 [style=dashed];
        data1 -> step2 [label="wine"];
    }
    "#);
}
