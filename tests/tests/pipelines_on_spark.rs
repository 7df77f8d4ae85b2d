//! One pipeline, both backends, for real: the same outputs and the same figures.
//!
//! Needs Java and an interpreter with pyspark, so that it is built on demand:
//! `AZML_PYTHON=.. cargo test -p azml-tests --features spark --test pipelines_on_spark`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "it/lakehouse.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod lakehouse;
#[path = "it/program.rs"]
mod program;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use azml::{
    databricks::{
        Databricks,
        dbfs::{Dbfs, DbfsPath},
    },
    pipeline::{
        AzureMlPipelines, DatabricksJobs, DatabricksStep, FollowOptions, Pipeline, PipelineData,
        PipelineParameter, PipelineStatus, Pipelines, StepLog, SubmitOptions,
    },
};
use lakehouse::{COMPUTE, access_token, attach, running_cluster};
use program::Program;

const PREPARE: &str = "
import sys
from pyspark.sql import SparkSession

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
spark = SparkSession.builder.getOrCreate()
rows = spark.range(int(arguments['rows'])).selectExpr('id', 'id * id AS square')
rows.coalesce(1).write.mode('overwrite').csv(arguments['--clean'], header=True)
print('rows', rows.count())
";

const TRAIN: &str = "
import sys
from pyspark.sql import SparkSession

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
spark = SparkSession.builder.getOrCreate()
rows = spark.read.csv(arguments['--clean'], header=True, inferSchema=True)
total = rows.groupBy().sum('square').collect()[0][0]
rows.filter('id = 3').coalesce(1).write.mode('overwrite').json(arguments['--model'])
print('total', total)
";

fn pipeline(folder: &Path, cluster: &str) -> Pipeline {
    fs::write(folder.join("prepare.py"), PREPARE).unwrap();
    fs::write(folder.join("train.py"), TRAIN).unwrap();
    let rows = PipelineParameter::new("rows", "10");
    let (clean, model) = (PipelineData::new("clean"), PipelineData::new("model"));
    let step = |name: &str| {
        DatabricksStep::new(name)
            .with_python_script_name(format!("{name}.py"))
            .with_source_directory(folder)
            .with_existing_cluster_id(cluster)
    };
    Pipeline::new("squares")
        .with_default_compute(COMPUTE)
        .with_parameter(&rows)
        .with_step(step("prepare").with_python_script_params([&rows]).with_output(&clean))
        .with_step(step("train").with_input(&clean).with_output(&model))
}

/// Runs the pipeline; what each step has printed.
async fn printed(pipelines: &Pipelines, pipeline: &Pipeline) -> BTreeMap<String, String> {
    let options = SubmitOptions::default().with_parameter("rows", "20");
    let run = pipelines.submit(pipeline, &options).await.unwrap();
    let follow = FollowOptions::default().with_timeout(Duration::from_secs(300));
    let status = run.wait(&follow).await.unwrap();
    let mut printed = BTreeMap::new();
    for step in run.steps().await.unwrap() {
        let log = run.log(&step, StepLog::Output).await.unwrap();
        let error = run.log(&step, StepLog::Error).await.unwrap();
        assert_eq!(status, PipelineStatus::Finished, "{}: {log}{error}", step.name);
        let figures = log.lines().filter(|it| it.starts_with("rows ") || it.starts_with("total "));
        printed.insert(step.name.to_string(), figures.collect::<Vec<_>>().join("\n"));
    }
    printed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_gives_the_same_on_azure_ml_and_on_databricks() {
    let folder = tempfile::tempdir().unwrap();
    let python = std::env::var("AZML_PYTHON").unwrap();
    let arguments = ["--executor", "local", "--python", &python];
    let program = Program::start(folder.path(), &arguments).await;
    let client = program.client().await;
    let databricks: Databricks = client.databricks(program.text("tls_url"));
    attach(&client, access_token(&databricks).await).await.unwrap();
    let cluster = running_cluster(&databricks).await;
    let scripts = folder.path().join("scripts");
    fs::create_dir(&scripts).unwrap();
    let pipeline = pipeline(&scripts, cluster.as_str());

    let azure_ml = Pipelines::new(AzureMlPipelines::new(client.workspace()));
    let jobs = DatabricksJobs::new(&databricks)
        .with_datastore("workspaceblobstore", "dbfs:/mnt/workspaceblobstore");
    let on_azure_ml = printed(&azure_ml, &pipeline).await;
    let on_databricks = printed(&Pipelines::new(jobs), &pipeline).await;
    assert_eq!(on_azure_ml, on_databricks);
    assert_eq!(on_azure_ml["train"], "total 2470");
    let root: DbfsPath = "dbfs:/mnt/workspaceblobstore/azml".parse().unwrap();
    databricks.dbfs().get_status(&root).await.unwrap();
}
