//! What the tests of all nouns use.

mod artifacts;
mod databricks;
mod experiments;
mod fixtures;
mod graphql;
mod metrics;
mod models;
mod registry;
mod runs;
mod search;
mod shared;
mod switches;

use serde_json::{Value, json};

use crate::{
    MockCloud,
    tests::{WORKSPACE, send_as},
};

/// One way to MLflow: what stands in front of `/api`, and the token.
#[derive(Clone, Debug)]
struct Mount {
    cloud: MockCloud,
    prefix: String,
    token: String,
}

impl Mount {
    fn plain() -> Self {
        Self { cloud: MockCloud::new(), prefix: "/mlflow".to_owned(), token: String::new() }
    }

    fn databricks() -> Self {
        let prefix = "https://adb-1234567890123456.7.azuredatabricks.net".to_owned();
        Self { cloud: MockCloud::new(), prefix, token: "dapi-fake-token".to_owned() }
    }

    fn azure_ml(version: &str) -> Self {
        let prefix = format!("https://eastus.api.azureml.ms/mlflow/{version}{WORKSPACE}");
        let token = crate::tests::token_for(crate::services::azure::ML_AUDIENCE);
        Self { cloud: MockCloud::new(), prefix, token }
    }

    fn all() -> [Self; 4] {
        [Self::plain(), Self::databricks(), Self::azure_ml("v1.0"), Self::azure_ml("v2.0")]
    }

    /// Sends to the API, or to `path` itself if that begins with `/api`.
    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let path = match path.strip_prefix('^') {
            Some(path) => format!("{}{path}", self.prefix),
            None => format!("{}/api/2.0/mlflow{path}", self.prefix),
        };
        send_as(&self.cloud, method, &path, &self.token, body).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask("POST", path, &body.to_string()).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, "").await
    }

    /// Posts what has to succeed.
    async fn did(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body.clone()).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    /// Posts what has to be refused, and gives the code and the text.
    async fn refused(&self, path: &str, body: Value) -> (u16, String, String) {
        refusal(self.post(path, body).await)
    }

    async fn experiment(&self, name: &str) -> String {
        let made = self.did("/experiments/create", json!({"name": name})).await;
        text(&made["experiment_id"])
    }

    async fn run(&self, experiment: &str) -> String {
        let made = self.did("/runs/create", json!({"experiment_id": experiment})).await;
        text(&made["run"]["info"]["run_id"])
    }

    /// A run of a new experiment.
    async fn with_run() -> (Self, String) {
        let mount = Self::plain();
        let experiment = mount.experiment("wine").await;
        let run = mount.run(&experiment).await;
        (mount, run)
    }

    async fn shown(&self, run: &str) -> Value {
        self.get(&format!("/runs/get?run_id={run}")).await.1["run"].clone()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn refusal((status, answer): (u16, Value)) -> (u16, String, String) {
    assert!(400 <= status, "{answer}");
    (status, text(&answer["error_code"]), text(&answer["message"]))
}

/// The value of `key` in a list of pairs.
fn of_pairs<'a>(pairs: &'a Value, key: &str) -> Option<&'a Value> {
    pairs.as_array()?.iter().find(|it| it["key"] == key).map(|it| &it["value"])
}
