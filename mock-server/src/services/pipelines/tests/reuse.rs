use serde_json::{Value, json};

use super::{
    at, attached, body, edge, in_history, notebook, of_node, seconds, statuses, step_run, submit,
};
use crate::{MockCloud, tests::send};

/// A node whose module says whether it is deterministic.
async fn node(cloud: &MockCloud, name: &str, is_deterministic: bool) -> Value {
    let mut node = notebook(cloud, name).await;
    let module = json!({
        "Name": name, "IdentifierHash": format!("{name} {is_deterministic}"),
        "IsDeterministic": is_deterministic,
    });
    let (_, made) = send(cloud, "POST", &at("/Modules"), &module.to_string()).await;
    node["ModuleId"] = made["Id"].clone();
    node
}

/// Which steps of a finished run took over what others had done.
async fn reused(cloud: &MockCloud, run: &str, names: &[&str]) -> Vec<bool> {
    let whole = statuses(cloud, run, names).await;
    assert_eq!(whole.last().unwrap(), "Finished", "{whole:?}");
    let mut found = Vec::new();
    for name in names {
        let seen = in_history(cloud, &step_run(cloud, run, name)).await;
        assert_eq!(seen["status"], "Completed");
        found.push(seen["properties"]["azureml.reusedrunid"].is_string());
    }
    found
}

async fn finished(cloud: &MockCloud, body: &Value) -> String {
    let run = submit(cloud, body).await;
    seconds(60).await;
    run
}

async fn with_rules() -> MockCloud {
    attached(json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1, "log": "worked" }]))
        .await
}

#[tokio::test(start_paused = true)]
async fn the_second_time_only_what_is_not_deterministic_is_executed() {
    let cloud = with_rules().await;
    let names = ["first", "second", "volatile"];
    let nodes = [
        node(&cloud, "first", true).await,
        node(&cloud, "second", true).await,
        node(&cloud, "volatile", false).await,
    ];
    let body = body(&nodes, &[edge(("first", "out"), ("second", "table"))]);
    let one = finished(&cloud, &body).await;
    assert_eq!(reused(&cloud, &one, &names).await, [false; 3]);
    let two = finished(&cloud, &body).await;
    assert_eq!(reused(&cloud, &two, &names).await, [true, true, false]);

    let step = in_history(&cloud, &step_run(&cloud, &two, "second")).await;
    let origin = step_run(&cloud, &one, "second");
    let properties = &step["properties"];
    assert_eq!(
        ["reusedrunid", "reusednodeid", "reusedpipeline"]
            .map(|it| &properties[format!("azureml.{it}")]),
        [&json!(origin), &json!("second"), &json!(one)]
    );
    let outputs = async |run| of_node(&cloud, run, "second", "Outputs").await;
    assert_eq!(outputs(&one).await, outputs(&two).await, "they are those of the first run");
    assert_eq!(of_node(&cloud, &two, "second", "Graph/Shareable/STDOUT").await, "worked");
    let status = of_node(&cloud, &two, "second", "Graph/Node/Status").await;
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        (&status["StatusCode"], &status["ReuseInfo"]["RunId"]),
        (&json!("Finished"), &json!(origin))
    );

    let three = finished(&cloud, &body).await;
    let step = in_history(&cloud, &step_run(&cloud, &three, "second")).await;
    assert_eq!(step["properties"]["azureml.reusedrunid"], origin, "not a copy of a copy");
}

#[tokio::test(start_paused = true)]
async fn other_parameters_inputs_or_modules_are_other_work() {
    let cloud = with_rules().await;
    let names = ["first", "second"];
    let nodes = [node(&cloud, "first", true).await, node(&cloud, "second", true).await];
    let edges = [edge(("first", "out"), ("second", "table"))];
    let mut plain = body(&nodes, &edges);
    plain["GraphInterface"] = json!({ "Parameters": [{ "Name": "rate", "DefaultValue": "0.1" }] });
    let rate = json!({ "ValueType": "1", "Name": "_AML_PARAMETER_rate", "Value": "rate" });
    plain["Graph"]["ModuleNodes"][0]["ModuleParameters"].as_array_mut().unwrap().push(rate);
    finished(&cloud, &plain).await;

    let mut other_value = plain.clone();
    other_value["CreationInfo"]["ParameterAssignments"] = json!({ "rate": "0.2" });
    let run = finished(&cloud, &other_value).await;
    assert_eq!(reused(&cloud, &run, &names).await, [false, false], "the second reads the first");
    let mut same_value = plain.clone();
    same_value["CreationInfo"]["ParameterAssignments"] = json!({ "rate": "0.1" });
    let run = finished(&cloud, &same_value).await;
    assert_eq!(reused(&cloud, &run, &names).await, [true, true]);

    let mut other_module = plain.clone();
    other_module["Graph"]["ModuleNodes"][1] = node(&cloud, "second", true).await;
    let run = finished(&cloud, &other_module).await;
    assert_eq!(reused(&cloud, &run, &names).await, [true, false]);
}

#[tokio::test(start_paused = true)]
async fn regenerated_outputs_are_the_ones_that_later_runs_take_over() {
    let cloud = with_rules().await;
    let plain = body(&[node(&cloud, "first", true).await], &[]);
    finished(&cloud, &plain).await;
    let mut again = plain.clone();
    again["Graph"]["ModuleNodes"][0]["RegenerateOutput"] = json!(true);
    let anew = finished(&cloud, &again).await;
    assert_eq!(reused(&cloud, &anew, &["first"]).await, [false]);
    let run = finished(&cloud, &plain).await;
    let step = in_history(&cloud, &step_run(&cloud, &run, "first")).await;
    assert_eq!(step["properties"]["azureml.reusedrunid"], step_run(&cloud, &anew, "first"));
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_done_again() {
    let cloud = attached(json!([{ "task": "*", "result": "FAILED", "after_seconds": 1 }])).await;
    let body = body(&[node(&cloud, "first", true).await], &[]);
    for _ in 0..2 {
        let run = finished(&cloud, &body).await;
        assert_eq!(statuses(&cloud, &run, &["first"]).await, ["first Failed", "Failed"]);
    }
    cloud.set_outcomes(&json!([{ "task": "*", "result": "SUCCESS" }])).unwrap();
    let run = finished(&cloud, &body).await;
    assert_eq!(reused(&cloud, &run, &["first"]).await, [false]);
}
