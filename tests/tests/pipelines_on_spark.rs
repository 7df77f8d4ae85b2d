//! One pipeline, both backends, for real: the same logs, metrics and outputs.
//!
//! `cargo xtask conformance spark` serves the mock, which executes tasks, and says in
//! `AZML_READY` which file tells of it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "it/lakehouse.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod lakehouse;
#[path = "it/served.rs"]
mod served;

use std::{collections::BTreeMap, env, fs, path::Path, time::Duration};

use async_trait::async_trait;
use azml::{
    Client,
    blob::{BlobClient, BlobUrl},
    databricks::{
        Databricks,
        dbfs::{Dbfs, DbfsPath},
    },
    pipeline::{
        AzureMlPipelines, DatabricksJobs, DatabricksStep, FollowOptions, Pipeline, PipelineData,
        PipelineParameter, PipelineStatus, Pipelines, RecordedIn, StepLog, StepOutput,
        SubmitOptions,
    },
    tracking::{MlflowTracking, RunInfo, RunQuery, Tracking},
    workspace::Datastores,
};
use futures_util::TryStreamExt;
use lakehouse::{COMPUTE, access_token, attach, running_cluster};
use served::Served;

/// Beside both scripts. Logs to the run of the step, which the arguments name: one of
/// Azure ML, or one that MLflow keeps in the workspace of the cluster.
const REPORT: &str = r#"
import json, os, sys, time, urllib.request

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))

def log_metric(key, value):
    if "--MLFLOW_TRACKING_URI" in arguments:
        server = arguments["--MLFLOW_TRACKING_URI"].replace("azureml://", "https://")
        token = arguments["--MLFLOW_TRACKING_TOKEN"]
    else:
        server, token = os.environ["DATABRICKS_HOST"], os.environ["DATABRICKS_TOKEN"]
    now = int(time.time() * 1000)
    point = {"run_id": arguments["--MLFLOW_RUN_ID"], "key": key, "value": value, "timestamp": now}
    request = urllib.request.Request(server + "/api/2.0/mlflow/runs/log-metric")
    request.data = json.dumps(point).encode()
    request.add_header("Authorization", "Bearer " + token)
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request).close()
"#;

const PREPARE: &str = r#"
from pyspark.sql import SparkSession
from report import arguments, log_metric

spark = SparkSession.builder.getOrCreate()
rows = spark.range(int(arguments["rows"])).selectExpr("id", "id * id AS square")
rows.coalesce(1).write.mode("overwrite").csv(arguments["--clean"], header=True)
log_metric("rows", rows.count())
print("prepared")
"#;

const TRAIN: &str = r#"
from pyspark.sql import SparkSession
from report import arguments, log_metric

spark = SparkSession.builder.getOrCreate()
rows = spark.read.csv(arguments["--clean"], header=True, inferSchema=True)
total = rows.groupBy().sum("square").collect()[0][0]
rows.filter("id = 3").coalesce(1).write.mode("overwrite").json(arguments["--model"])
log_metric("total", total)
log_metric("mean", total / rows.count())
print("trained on", rows.count())
"#;

fn pipeline(folder: &Path, cluster: &str) -> Pipeline {
    for (name, text) in [("report.py", REPORT), ("prepare.py", PREPARE), ("train.py", TRAIN)] {
        fs::write(folder.join(name), text).unwrap();
    }
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

/// What a step left.
#[derive(Debug, Default, PartialEq)]
struct Left {
    log: String,
    metrics: BTreeMap<String, f64>,
    /// The text of the part files of each output.
    outputs: BTreeMap<String, String>,
}

/// Where the outputs of a backend lie.
#[async_trait]
trait Files: Sync {
    async fn text(&self, output: &StepOutput) -> String;
}

struct InBlobs {
    blobs: BlobClient,
    container: BlobUrl,
}

#[async_trait]
impl Files for InBlobs {
    async fn text(&self, output: &StepOutput) -> String {
        let prefix = format!("{}/part-", output.path);
        let parts: Vec<_> = self.blobs.list(&self.container, prefix).try_collect().await.unwrap();
        let [part] = parts.as_slice() else { panic!("one part is written: {parts:?}") };
        let bytes = self.blobs.get(&self.container.join(&part.name), None).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

struct InDbfs {
    databricks: Databricks,
    root: String,
}

#[async_trait]
impl Files for InDbfs {
    async fn text(&self, output: &StepOutput) -> String {
        let folder: DbfsPath = format!("{}/{}", self.root, output.path).parse().unwrap();
        let dbfs = self.databricks.dbfs();
        let files: Vec<_> = dbfs.list(&folder).try_collect().await.unwrap();
        let is_part = |path: &DbfsPath| path.to_string().contains("/part-");
        let parts: Vec<_> = files.iter().filter(|it| is_part(&it.path)).collect();
        let [part] = parts.as_slice() else { panic!("one part is written: {files:?}") };
        String::from_utf8(dbfs.read_all(&part.path).await.unwrap().to_vec()).unwrap()
    }
}

/// Runs the pipeline; what each step has left.
async fn left(
    pipelines: &Pipelines,
    pipeline: &Pipeline,
    (tracking, experiment): (&Tracking, &str),
    files: &dyn Files,
) -> BTreeMap<String, Left> {
    let options = SubmitOptions::default().with_experiment(experiment).with_parameter("rows", "20");
    let run = pipelines.submit(pipeline, &options).await.unwrap();
    let follow = FollowOptions::default().with_timeout(Duration::from_secs(300));
    let status = run.wait(&follow).await.unwrap();
    let mut left: BTreeMap<String, Left> = BTreeMap::new();
    for step in run.steps().await.unwrap() {
        let log = run.log(&step, StepLog::Output).await.unwrap();
        let error = run.log(&step, StepLog::Error).await.unwrap();
        assert_eq!(status, PipelineStatus::Finished, "{}: {log}{error}", step.name);
        let mut outputs = BTreeMap::new();
        for output in run.outputs(&step).await.unwrap() {
            outputs.insert(output.name.to_string(), files.text(&output).await);
        }
        // Spark has its own things to say.
        let log = log.lines().filter(|it| it.contains("prepared") || it.contains("trained"));
        let log = log.collect::<Vec<_>>().join("\n");
        left.insert(step.name.to_string(), Left { log, outputs, ..Left::default() });
    }
    let experiment = tracking.find_experiment(experiment).await.unwrap();
    let runs: Vec<RunInfo> = experiment.runs(&RunQuery::new()).try_collect().await.unwrap();
    let [parent] = runs.as_slice() else { panic!("one run is of the pipeline: {runs:?}") };
    let children = experiment.run(parent.id.clone()).children();
    let children: Vec<RunInfo> = children.try_collect().await.unwrap();
    assert_eq!(children.len(), left.len());
    for child in children {
        let metrics = experiment.run(child.id).metrics().await.unwrap();
        let metrics = metrics.into_iter().map(|(key, points)| (key.to_string(), points[0].value));
        left.get_mut(&child.name.unwrap()).unwrap().metrics = metrics.collect();
    }
    left
}

async fn in_default_datastore(client: &Client, served: &Served) -> InBlobs {
    let storage = client.datastores().default().await.unwrap().storage.unwrap();
    let container = format!("{}/{}", served.text("tls_url"), storage.container);
    InBlobs {
        blobs: BlobClient::from_session(client.session()),
        container: container.parse().unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_gives_the_same_on_azure_ml_and_on_databricks() {
    let file = env::var_os("AZML_READY").expect("AZML_READY names the mock's ready file");
    let served = Served::read(Path::new(&file)).unwrap();
    let client = served.client().await;
    let databricks: Databricks = client.databricks(served.text("tls_url"));
    attach(&client, access_token(&databricks).await).await.unwrap();
    let cluster = running_cluster(&databricks).await;
    let folder = tempfile::tempdir().unwrap();
    let pipeline = pipeline(folder.path(), cluster.as_str());

    let azure_ml = Pipelines::new(AzureMlPipelines::new(client.workspace()));
    let files = in_default_datastore(&client, &served).await;
    let on_azure_ml = left(&azure_ml, &pipeline, (client.tracking(), "squares"), &files).await;

    let tracking = Tracking::new(MlflowTracking::new(databricks.endpoint().clone()));
    let root = "dbfs:/mnt/workspaceblobstore".to_owned();
    let jobs = DatabricksJobs::new(&databricks)
        .with_datastore("workspaceblobstore", &root)
        .with_recorder(RecordedIn::new(&tracking));
    let files = InDbfs { databricks: databricks.clone(), root };
    let jobs = Pipelines::new(jobs);
    let on_databricks = left(&jobs, &pipeline, (&tracking, "/Shared/squares"), &files).await;

    assert_eq!(on_azure_ml, on_databricks);
    let train = &on_azure_ml["train"];
    assert_eq!(train.log, "trained on 20");
    let metrics = [("mean".to_owned(), 123.5), ("total".to_owned(), 2470.0)];
    assert_eq!(train.metrics, BTreeMap::from(metrics));
    assert_eq!(train.outputs["model"], "{\"id\":3,\"square\":9}\n");
}
