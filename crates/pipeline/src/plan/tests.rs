//! The bodies against those that the official SDK sent for the same pipeline.

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{DatabricksStep, Library, PipelineData};

const CONTENT: &str = "54a97c928309df75a2ab24b6fb72742fb33c125793f92693b412022130566fb3";

/// The pipeline of the recording: all four kinds of code, one data reference,
/// one output, one parameter.
fn recorded() -> Pipeline {
    let parameter = PipelineParameter::new("myparam", "pdef");
    let out1 = PipelineData::new("out1");
    let notebook = DatabricksStep::new("notebook-step")
        .with_input(DataReference::new("input", "dbtest"))
        .with_output(&out1)
        .with_num_workers(1)
        .with_notebook_path("/Users/me/nb")
        .with_notebook_param("myparam", &parameter)
        .with_notebook_param("fixed", "v")
        .with_run_name("NB_run")
        .with_library(Library::pypi("scikit-learn==1.0").with_repo("http://my.repo/simple"))
        .with_library(
            Library::maven("org.x:y:1.0").with_repo("http://m").with_exclusions(["a:b", "c:d"]),
        )
        .with_library(Library::Jar("dbfs:/a.jar".to_owned()))
        .with_library(Library::Egg("dbfs:/a.egg".to_owned()))
        .with_library(Library::rcran("ada").with_repo("http://cran"))
        .with_spark_conf([("spark.a", "1")])
        .with_spark_env_variables([("A", "B")])
        .with_cluster_log_dbfs_path("dbfs:/logs")
        .with_timeout(Duration::from_secs(600));
    let script = DatabricksStep::new("script-in-dbfs")
        .with_input(&out1)
        .with_num_workers(2)
        .with_python_script_path("dbfs:/x/y.py")
        .with_python_script_params(["--arg", "a|b"])
        .with_python_script_params([&parameter])
        .with_run_name("PY_run")
        .with_allow_reuse(false);
    let local = DatabricksStep::new("script-local")
        .with_existing_cluster_id("1234-567890-abc123")
        .with_python_script_name("train.py")
        .with_source_directory("src")
        .with_run_name("LO_run")
        .with_permit_cluster_restart(true);
    let jar = DatabricksStep::new("jar-step")
        .with_autoscale(1, 4)
        .with_main_class_name("com.x.Main")
        .with_jar_params(["a1", "a2"])
        .with_run_name("JAR_run")
        .with_library(Library::Jar("dbfs:/main.jar".to_owned()))
        .with_instance_pool_id("pool-1");
    Pipeline::new("exp-part5")
        .with_description("all four kinds")
        .with_default_compute("mydbricks")
        .with_parameter(&parameter)
        .with_step(notebook)
        .with_step(script)
        .with_step(local)
        .with_step(jar)
}

fn plan<'a>(pipeline: &'a Pipeline, contents: &[Option<String>]) -> Plan<'a> {
    let mut next = 0;
    Plan::new(pipeline, "workspaceblobstore", contents, || {
        next += 1;
        format!("node-{next}")
    })
}

#[test]
fn modules_are_those_that_the_official_sdk_sends() {
    let contents = [None, None, Some(CONTENT.to_owned()), None];
    let pipeline = recorded();
    let plan = plan(&pipeline, &contents);
    for (module, name) in plan.modules.iter().zip([
        "pipelines/modules-create-notebook",
        "pipelines/modules-create-script-in-dbfs",
        "pipelines/modules-create-script-local",
        "pipelines/modules-create-jar",
    ]) {
        let expected = azml_fixtures::load(name).request.body.unwrap();
        let mut body = module.body.clone();
        body.storage_id = expected["StorageId"].as_str().map(str::to_owned);
        assert_eq!(serde_json::to_value(&body).unwrap(), expected, "{name}");
    }
}

#[test]
fn the_submission_is_the_one_that_the_official_sdk_sends() {
    let mut expected = azml_fixtures::load("pipelines/runs-create").request.body.unwrap();
    let pipeline = recorded();
    let plan = plan(&pipeline, &[]);
    let choices = Choices {
        description: "all four kinds".to_owned(),
        assignments: BTreeMap::from([("myparam".to_owned(), "override".to_owned())]),
        ..Choices::default()
    };
    let ids = |count: usize| -> Vec<_> { (0..count).map(|it| format!("id-{it}")).collect() };
    let (modules, sources) = (ids(4), ids(1));
    let body = plan.submission(false, &choices, &modules, &sources);
    let mut body = serde_json::to_value(&body).unwrap();

    let sent = &azml_fixtures::load("pipelines/data-sources-create").request.body.unwrap();
    let SourceBody::DataSource(source) = &plan.sources[0].body else { panic!("no data source") };
    assert_eq!(serde_json::to_value(source).unwrap(), *sent);
    for body in [&mut expected, &mut body] {
        rename_ids(body);
    }
    assert_eq!(body, expected);
}

/// Puts `n0`, `n1`, ... in place of the ids of nodes, modules and data.
fn rename_ids(body: &mut Value) {
    let mut names = HashMap::new();
    let mut rename = |id: &mut Value| {
        let count = names.len();
        let name = names.entry(id.to_string()).or_insert_with(|| format!("n{count}"));
        *id = json!(name);
    };
    let graph = &mut body["Graph"];
    for node in graph["ModuleNodes"].as_array_mut().unwrap() {
        rename(&mut node["Id"]);
        node["ModuleId"] = json!("module");
    }
    for node in graph["DatasetNodes"].as_array_mut().unwrap() {
        rename(&mut node["Id"]);
        node["DatasetId"] = json!("dataset");
    }
    for edge in graph["Edges"].as_array_mut().unwrap() {
        rename(&mut edge["SourceOutputPort"]["NodeId"]);
        rename(&mut edge["DestinationInputPort"]["NodeId"]);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are one document")]
fn two_connected_steps_make_this_submission() {
    let prepared = PipelineData::new("prepared");
    let epochs = PipelineParameter::new("epochs", 60);
    let pipeline = Pipeline::new("wine")
        .with_default_compute("my-dbx-cluster")
        .with_parameter(&epochs)
        .with_step(
            DatabricksStep::new("prepare")
                .with_existing_cluster_id("0101-000000-fake0001")
                .with_python_script_name("prepare.py")
                .with_python_script_params(["--data", "dbfs:/wine.csv"])
                .with_output(&prepared),
        )
        .with_step(
            DatabricksStep::new("train")
                .with_existing_cluster_id("0101-000000-fake0001")
                .with_notebook_path("/Shared/train")
                .with_notebook_param("epochs", &epochs)
                .with_input(&prepared)
                .with_run_after("prepare"),
        );
    let choices = Choices { description: "wine".to_owned(), ..Choices::default() };
    let ids = ["module-1".to_owned(), "module-2".to_owned()];
    let plan = plan(&pipeline, &[]);
    let body = plan.submission(true, &choices, &ids, &[]);
    insta::assert_json_snapshot!(body, @r#"
    {
      "CreationInfo": {
        "Description": "wine",
        "ContinueExperimentOnNodeFailure": true,
        "ParameterAssignments": {},
        "DataPathAssignments": {},
        "DataSetDefinitionValueAssignments": {},
        "RunSource": "SDK",
        "RunType": "SDK",
        "CredentialPassthrough": false
      },
      "Graph": {
        "ModuleNodes": [
          {
            "Id": "node-1",
            "ModuleId": "module-1",
            "ModuleParameters": [
              {
                "ValueType": "0",
                "Name": "python_script_name",
                "Value": "prepare.py"
              },
              {
                "ValueType": "0",
                "Name": "python_script_params",
                "Value": "--data||dbfs:/wine.csv"
              }
            ],
            "ModuleMetadataParameters": [
              {
                "ValueType": "0",
                "Name": "existing_cluster_id",
                "Value": "0101-000000-fake0001"
              },
              {
                "ValueType": "0",
                "Name": "compute_name",
                "Value": "my-dbx-cluster"
              }
            ],
            "ModuleOutputSettings": [
              {
                "Name": "prepared",
                "DataStoreName": "workspaceblobstore",
                "DataStoreMode": "mount",
                "DataReferenceName": "prepared"
              }
            ],
            "ModuleInputSettings": [],
            "RegenerateOutput": false
          },
          {
            "Id": "node-2",
            "ModuleId": "module-2",
            "ModuleParameters": [
              {
                "ValueType": "0",
                "Name": "notebook_path",
                "Value": "/Shared/train"
              },
              {
                "ValueType": "0",
                "Name": "base_parameters",
                "Value": "epochs=60"
              },
              {
                "ValueType": "1",
                "Name": "_AML_PARAMETER_epochs",
                "Value": "epochs"
              }
            ],
            "ModuleMetadataParameters": [
              {
                "ValueType": "0",
                "Name": "existing_cluster_id",
                "Value": "0101-000000-fake0001"
              },
              {
                "ValueType": "0",
                "Name": "compute_name",
                "Value": "my-dbx-cluster"
              }
            ],
            "ModuleOutputSettings": [],
            "ModuleInputSettings": [],
            "RegenerateOutput": false
          }
        ],
        "DatasetNodes": [],
        "Edges": [
          {
            "SourceOutputPort": {
              "NodeId": "node-1",
              "PortName": "prepared"
            },
            "DestinationInputPort": {
              "NodeId": "node-2",
              "PortName": "prepared"
            }
          },
          {
            "SourceOutputPort": {
              "NodeId": "node-1",
              "PortName": "_run_after_output"
            },
            "DestinationInputPort": {
              "NodeId": "node-2",
              "PortName": "_run_after_input_0"
            }
          }
        ]
      },
      "GraphInterface": {
        "Parameters": [
          {
            "Name": "epochs",
            "DefaultValue": "60",
            "IsOptional": true,
            "Type": "0"
          }
        ],
        "DataPathParameters": [],
        "DataPathParameterList": []
      }
    }
    "#);
}

#[test]
fn a_parameter_that_no_step_uses_is_not_sent() {
    let pipeline = recorded().with_parameter(PipelineParameter::new("unused", 1));
    let names: Vec<_> =
        plan(&pipeline, &[]).interface.parameters.iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["myparam"]);
}

#[test]
fn types_of_parameters_are_those_of_the_official_sdk() {
    let cases: [(ParameterValue, &str, &str); 4] = [
        (1.into(), "0", "1"),
        (true.into(), "0", "True"),
        (0.5.into(), "1", "0.5"),
        ("x".into(), "3", "x"),
    ];
    for (default, parameter_type, text) in cases {
        let parameter = graph_parameter(&PipelineParameter::new("p", default));
        assert_eq!(
            (parameter.parameter_type, parameter.default_value.as_str()),
            (parameter_type, text)
        );
    }
}

#[test]
fn the_order_of_steps_changes_names_and_nothing_else() {
    let pipeline = recorded();
    let before: Vec<_> = plan(&pipeline, &[]).modules.into_iter().map(|it| it.body).collect();
    let mut reversed = pipeline.clone();
    reversed.steps.reverse();
    let mut after: Vec<_> = plan(&reversed, &[]).modules.into_iter().map(|it| it.body).collect();
    after.reverse();
    assert_eq!(before, after);
}
