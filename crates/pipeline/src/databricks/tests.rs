use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{DataReference, DatabricksStep, Library, PipelineData, PipelineParameter};

fn pipeline() -> Pipeline {
    let depth = PipelineParameter::new("depth", "3");
    let clean = PipelineData::new("clean");
    let prepare = DatabricksStep::new("prepare it")
        .with_python_script_path("dbfs:/prepare.py")
        .with_python_script_params(["--rate", "0.1"])
        .with_python_script_params([&depth])
        .with_input(DataReference::new("wine", "raw/wine").with_datastore("lake"))
        .with_output(&clean)
        .with_autoscale(1, 4)
        .with_spark_conf([("spark.a", "1")])
        .with_library(Library::pypi("scikit-learn==1.0"))
        .with_library(Library::Egg("dbfs:/a.whl".to_owned()))
        .with_timeout(Duration::from_secs(600));
    let train = DatabricksStep::new("train")
        .with_notebook_path("/Shared/train")
        .with_notebook_param("depth", &depth)
        .with_input(&clean)
        .with_run_after("prepare it")
        .with_existing_cluster_id("0101-000000-fake0001");
    Pipeline::new("wine")
        .with_default_compute("dbx")
        .with_parameter(&depth)
        .with_step(train)
        .with_step(prepare)
}

#[tokio::test]
async fn a_pipeline_is_one_run_with_a_task_for_each_step() {
    let options = SubmitOptions::default().with_parameter("depth", "5");
    let body = DatabricksJobs::preview(&pipeline(), &options).await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    insta::assert_json_snapshot!(body, @r#"
    {
      "run_name": "wine",
      "tasks": [
        {
          "depends_on": [
            {
              "task_key": "prepare_it"
            }
          ],
          "description": "train",
          "existing_cluster_id": "0101-000000-fake0001",
          "notebook_task": {
            "base_parameters": {
              "clean": "dbfs:/azml/datastores/workspaceblobstore/azml/run-1/prepare_it/clean",
              "depth": "5"
            },
            "notebook_path": "/Shared/train"
          },
          "task_key": "train"
        },
        {
          "description": "prepare it",
          "libraries": [
            {
              "pypi": {
                "package": "scikit-learn==1.0"
              }
            },
            {
              "whl": "dbfs:/a.whl"
            }
          ],
          "new_cluster": {
            "autoscale": {
              "max_workers": 4,
              "min_workers": 1
            },
            "node_type_id": "Standard_D3_v2",
            "spark_conf": {
              "spark.a": "1"
            },
            "spark_env_vars": {
              "PYSPARK_PYTHON": "/databricks/python3/bin/python3"
            },
            "spark_version": "10.4.x-scala2.12"
          },
          "spark_python_task": {
            "parameters": [
              "--rate",
              "0.1",
              "depth",
              "5",
              "--wine",
              "dbfs:/azml/datastores/lake/raw/wine",
              "--clean",
              "dbfs:/azml/datastores/workspaceblobstore/azml/run-1/prepare_it/clean"
            ],
            "python_file": "dbfs:/prepare.py"
          },
          "task_key": "prepare_it",
          "timeout_seconds": 600
        }
      ]
    }
    "#);
}

#[test]
fn data_that_is_there_already_needs_a_known_place() {
    let places = Places::default();
    let problems = places.problems(&pipeline());
    assert_eq!(problems.len(), 1);
    assert_eq!((&*problems[0].field, problems[0].kind), ("datastore", ProblemKind::Unsupported));
    let places = places.with_root("lake".to_owned(), "dbfs:/mnt/lake/");
    assert_eq!(places.problems(&pipeline()), []);
    let source = &pipeline().steps[1].inputs[0].source;
    assert_eq!(places.of_source(source, &pipeline()).unwrap(), "dbfs:/mnt/lake/raw/wine");
}

proptest! {
    #[test]
    fn names_of_tasks_are_legal_and_each_is_there_once(names in prop::collection::vec(".{0,120}", 0..12)) {
        let names: Vec<StepName> = names.into_iter().map(StepName::from).collect();
        let keys = places::task_keys(&names);
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        prop_assert_eq!(distinct.len(), names.len());
        for key in &keys {
            prop_assert!((1..=100).contains(&key.len()), "{}", key);
            prop_assert!(key.chars().all(|it| it.is_ascii_alphanumeric() || "_-".contains(it)));
        }
    }
}
