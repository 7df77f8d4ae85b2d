use serde_json::{Value, json};

use super::*;

const NODE: &str = "n2";

/// A graph in which `n1` and the data `d` write what `n2` reads.
fn graph() -> Value {
    let edge = |from: &str, port: &str| {
        json!({
            "SourceOutputPort": { "NodeId": from, "PortName": "data" },
            "DestinationInputPort": { "NodeId": NODE, "PortName": port },
        })
    };
    let node = |id: &str, module: &str| {
        json!({
            "Id": id, "ModuleId": module, "RegenerateOutput": false,
            "ModuleParameters": [
                { "ValueType": "0", "Name": "notebook_path", "Value": "/a" },
                { "ValueType": "1", "Name": "_AML_PARAMETER_depth", "Value": "depth" },
            ],
        })
    };
    json!({
        "ModuleNodes": [node("n1", "m1"), node(NODE, "m2")],
        "DatasetNodes": [{ "Id": "d", "DatasetId": "wine" }],
        "Edges": [edge("n1", "clean"), edge("d", "wine")],
    })
}

fn look(graph: &Value, depth: &str) -> Look {
    let step = |name: &str, node: &str| StepRun {
        node_id: node.to_owned(),
        status: StepStatus::Finished,
        reused_from: (node == "n1").then(|| "older".into()),
        ..StepRun::new(format!("run-{name}"), name)
    };
    Look {
        values: BTreeMap::from([("depth".to_owned(), depth.to_owned())]),
        graph: serde_json::from_value(graph.clone()).unwrap(),
        steps: vec![step("clean", "n1"), step("fit", NODE)],
    }
}

fn explained(now: &Look, before: &Look) -> String {
    compare(&now.steps[1], now.graph.node(NODE).unwrap(), now, before).to_string()
}

#[test]
fn the_first_difference_explains_why_a_step_ran() {
    let (graph, before) = (graph(), look(&graph(), "3"));
    assert_eq!(explained(&look(&graph, "3"), &before), "ran, because the service decided so");
    assert_eq!(
        explained(&look(&graph, "4"), &before),
        "ran, because it was given other values: depth"
    );

    let mut other = graph.clone();
    other["ModuleNodes"][1]["ModuleId"] = json!("m3");
    assert_eq!(
        explained(&look(&other, "3"), &before),
        "ran, because its files, its version, its inputs or its outputs have changed"
    );
    other["ModuleNodes"][1]["ModuleParameters"][0]["Value"] = json!("/b");
    assert_eq!(
        explained(&look(&other, "4"), &before),
        "ran, because the step has changed: notebook_path"
    );

    let mut other = graph.clone();
    other["DatasetNodes"][0]["DatasetId"] = json!("beer");
    assert_eq!(explained(&look(&other, "3"), &before), "ran, because it reads other data: wine");

    let mut now = look(&graph, "3");
    now.steps[0].reused_from = None;
    assert_eq!(explained(&now, &before), "ran, because what it reads was written anew by n1");

    let mut failed = look(&graph, "3");
    failed.steps[1].status = StepStatus::Failed;
    assert_eq!(
        explained(&look(&graph, "3"), &failed),
        "ran, because the earlier run of the step did not end well"
    );
    failed.steps.pop();
    assert_eq!(
        explained(&look(&graph, "3"), &failed),
        "ran, because there is no earlier run to reuse"
    );
}
