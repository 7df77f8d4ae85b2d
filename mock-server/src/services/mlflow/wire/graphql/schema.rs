//! The types of MLflow's schema. A field of JSON has the same name in snake
//! case; what is not there is shown as its protobuf default.

/// An object of the schema.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) fields: &'static [(&'static str, Kind)],
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    /// A 64-bit number, shown as text.
    Long,
    Float,
    Flag,
    /// One of a few words, this one if there is none.
    Word(&'static str),
    Texts,
    One(&'static Type),
    Many(&'static Type),
    /// As [`Kind::One`], but no part of the answer: it is looked up.
    Related(&'static Type),
    /// As [`Kind::Many`], likewise.
    AllRelated(&'static Type),
    /// Errors come beside the data; here there is never one.
    Null(&'static Type),
}

impl Kind {
    /// The object behind a field, if there is one.
    pub(super) fn object(self) -> Option<&'static Type> {
        match self {
            Self::One(it)
            | Self::Many(it)
            | Self::Related(it)
            | Self::AllRelated(it)
            | Self::Null(it) => Some(it),
            Self::Text | Self::Long | Self::Float | Self::Flag | Self::Word(_) | Self::Texts => {
                None
            }
        }
    }

    /// The name of a kind that is no object.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Long => "LongString",
            Self::Float => "Float",
            Self::Flag => "Boolean",
            Self::Texts => "[String]",
            _ => "String",
        }
    }
}

impl Type {
    pub(super) fn field(&self, name: &str) -> Option<Kind> {
        self.fields.iter().find(|(it, _)| *it == name).map(|(_, kind)| *kind)
    }
}

use Kind::{AllRelated, Flag, Float, Long, Many, Null, One, Related, Text, Texts, Word};

macro_rules! types {
    ($($constant:ident = $name:literal { $($field:ident: $kind:expr,)* })*) => {
        $(pub(super) static $constant: Type =
            Type { name: $name, fields: &[$((stringify!($field), $kind)),*] };)*
    };
}

types! {
    QUERY = "Query" {
        mlflowGetExperiment: One(&GET_EXPERIMENT),
        mlflowGetMetricHistoryBulkInterval: One(&BULK_INTERVAL),
        mlflowGetRun: One(&GET_RUN),
        mlflowListArtifacts: One(&LIST_ARTIFACTS),
        mlflowSearchModelVersions: One(&SEARCH_VERSIONS),
        mlflowSearchRuns: One(&SEARCH_RUNS),
        test: One(&TEST),
    }
    MUTATION = "Mutation" {
        mlflowSearchDatasets: One(&SEARCH_DATASETS),
        mlflowSearchRuns: One(&SEARCH_RUNS),
        testMutation: One(&TEST_MUTATION),
    }
    TEST = "Test" { output: Text, }
    TEST_MUTATION = "TestMutation" { output: Text, }
    GET_EXPERIMENT = "MlflowGetExperimentResponse" {
        experiment: One(&EXPERIMENT), apiError: Null(&API_ERROR),
    }
    BULK_INTERVAL = "MlflowGetMetricHistoryBulkIntervalResponse" {
        metrics: Many(&METRIC_WITH_RUN), apiError: Null(&API_ERROR),
    }
    GET_RUN = "MlflowGetRunResponse" { run: One(&RUN), apiError: Null(&API_ERROR), }
    LIST_ARTIFACTS = "MlflowListArtifactsResponse" {
        rootUri: Text, files: Many(&FILE), nextPageToken: Text, apiError: Null(&API_ERROR),
    }
    SEARCH_VERSIONS = "MlflowSearchModelVersionsResponse" {
        modelVersions: Many(&VERSION), nextPageToken: Text, apiError: Null(&API_ERROR),
    }
    SEARCH_RUNS = "MlflowSearchRunsResponse" {
        runs: Many(&RUN), nextPageToken: Text, apiError: Null(&API_ERROR),
    }
    SEARCH_DATASETS = "MlflowSearchDatasetsResponse" {
        datasetSummaries: Many(&DATASET_SUMMARY), apiError: Null(&API_ERROR),
    }
    API_ERROR = "ApiError" {
        code: Text, message: Text, helpUrl: Text, traceId: Text, errorDetails: Many(&ERROR_DETAIL),
    }
    ERROR_DETAIL = "ErrorDetail" { field: Text, message: Text, }
    PAIR_OF_EXPERIMENT = "MlflowExperimentTag" { key: Text, value: Text, }
    EXPERIMENT = "MlflowExperiment" {
        experimentId: Text, name: Text, artifactLocation: Text, lifecycleStage: Text,
        lastUpdateTime: Long, creationTime: Long, tags: Many(&PAIR_OF_EXPERIMENT),
        effectiveTraceArchivalRetention: Text, workspace: Text,
    }
    RUN = "MlflowRunExtension" {
        info: One(&RUN_INFO), data: One(&RUN_DATA), inputs: One(&RUN_INPUTS),
        outputs: One(&RUN_OUTPUTS), experiment: Related(&EXPERIMENT),
        modelVersions: AllRelated(&VERSION),
    }
    RUN_INFO = "MlflowRunInfo" {
        runId: Text, runUuid: Text, runName: Text, experimentId: Text, userId: Text,
        status: Word("RUNNING"), startTime: Long, endTime: Long, artifactUri: Text,
        lifecycleStage: Text,
    }
    RUN_DATA = "MlflowRunData" {
        metrics: Many(&METRIC), params: Many(&PARAM), tags: Many(&RUN_TAG),
    }
    METRIC = "MlflowMetricExtension" {
        key: Text, value: Float, timestamp: Long, step: Long, datasetName: Text,
        datasetDigest: Text, modelId: Text, runId: Text,
    }
    METRIC_WITH_RUN = "MlflowMetricWithRunId" {
        key: Text, value: Float, timestamp: Long, step: Long, runId: Text,
    }
    PARAM = "MlflowParam" { key: Text, value: Text, }
    RUN_TAG = "MlflowRunTag" { key: Text, value: Text, }
    RUN_INPUTS = "MlflowRunInputs" {
        datasetInputs: Many(&DATASET_INPUT), modelInputs: Many(&MODEL_INPUT),
    }
    DATASET_INPUT = "MlflowDatasetInput" { tags: Many(&INPUT_TAG), dataset: One(&DATASET), }
    INPUT_TAG = "MlflowInputTag" { key: Text, value: Text, }
    DATASET = "MlflowDataset" {
        name: Text, digest: Text, sourceType: Text, source: Text, schema: Text, profile: Text,
    }
    MODEL_INPUT = "MlflowModelInput" { modelId: Text, }
    RUN_OUTPUTS = "MlflowRunOutputs" { modelOutputs: Many(&MODEL_OUTPUT), }
    MODEL_OUTPUT = "MlflowModelOutput" { modelId: Text, step: Long, }
    FILE = "MlflowFileInfo" { path: Text, isDir: Flag, fileSize: Long, }
    DATASET_SUMMARY = "MlflowDatasetSummary" {
        experimentId: Text, name: Text, digest: Text, context: Text,
    }
    VERSION = "MlflowModelVersion" {
        name: Text, version: Text, creationTimestamp: Long, lastUpdatedTimestamp: Long,
        userId: Text, currentStage: Text, description: Text, source: Text, runId: Text,
        status: Word("PENDING_REGISTRATION"), statusMessage: Text, tags: Many(&VERSION_TAG),
        runLink: Text, aliases: Texts, modelId: Text, modelParams: Many(&MODEL_PARAM),
        modelMetrics: Many(&MODEL_METRIC), deploymentJobState: One(&JOB_STATE),
    }
    VERSION_TAG = "MlflowModelVersionTag" { key: Text, value: Text, }
    MODEL_PARAM = "MlflowModelParam" { name: Text, value: Text, }
    MODEL_METRIC = "MlflowModelMetric" {
        key: Text, value: Float, timestamp: Long, step: Long, datasetName: Text,
        datasetDigest: Text, modelId: Text, runId: Text,
    }
    JOB_STATE = "MlflowModelVersionDeploymentJobState" {
        jobId: Text, runId: Text, jobState: Word("DEPLOYMENT_JOB_CONNECTION_STATE_UNSPECIFIED"),
        runState: Word("DEPLOYMENT_JOB_RUN_STATE_UNSPECIFIED"), currentTaskName: Text,
    }
}
