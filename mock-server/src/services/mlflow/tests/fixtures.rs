use serde_json::Value;

use super::{Mount, text};
use crate::tests::{assert_resembles, send_as};

/// Sends saved requests, with our ids in the place of the recorded ones.
struct Replay {
    mount: Mount,
    /// Recorded ids and ours.
    ids: Vec<(String, String)>,
}

impl Replay {
    async fn of(&self, name: &str) -> Value {
        let exchange = azml_fixtures::load(name);
        let ours = |text: &str| {
            self.ids.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
        };
        let path = ours(&exchange.request.path).replace("/prefix", &self.mount.prefix);
        let body = exchange.request.body.map_or_else(String::new, |it| ours(&it.to_string()));
        let (method, token) = (&exchange.request.method, &self.mount.token);
        let answer = send_as(&self.mount.cloud, method, &path, token, &body).await;
        assert_eq!(answer.0, exchange.response.status, "{name}: {}", answer.1);
        assert_resembles(name, &exchange.response.body, &answer.1);
        answer.1
    }

    /// Replays what makes a thing and remembers its id.
    async fn making(&mut self, name: &str, path: &str) {
        let theirs = azml_fixtures::load(name).response.body;
        let theirs = text(theirs.pointer(path).expect("the fixture has an id"));
        let ours = text(self.of(name).await.pointer(path).expect("the answer has an id"));
        self.ids.push((theirs, ours));
    }
}

#[tokio::test]
async fn every_recorded_exchange_is_answered_alike() {
    for version in ["v1.0", "v2.0"] {
        let mut replay = Replay { mount: Mount::azure_ml(version), ids: Vec::new() };
        replay.of("mlflow/experiments-get-by-name-missing").await;
        replay.making("mlflow/experiments-create", "/experiment_id").await;
        replay.of("mlflow/experiments-get").await;
        replay.of("mlflow/experiments-get-by-name").await;
        replay.making("mlflow/runs-create", "/run/info/run_id").await;
        for name in
            ["log-parameter", "log-batch", "log-metric", "set-tag", "get", "update", "search"]
        {
            replay.of(&format!("mlflow/runs-{name}")).await;
        }
        replay.of("mlflow/metrics-get-history").await;
        // The run that the recorded model comes from is another one.
        let model = azml_fixtures::load("mlflow/logged-models-create");
        let source = text(&model.request.body.expect("it has a body")["source_run_id"]);
        let run = replay.mount.run(&replay.ids[0].1.clone()).await;
        replay.ids.push((source, run));
        replay.making("mlflow/logged-models-create", "/model/info/model_id").await;
        for name in ["get", "finalize", "set-tags", "search"] {
            replay.of(&format!("mlflow/logged-models-{name}")).await;
        }
        replay.of("mlflow/runs-outputs").await;
        replay.of("mlflow/registered-models-create").await;
        replay.of("mlflow/model-versions-create").await;
        replay.of("mlflow/model-versions-get").await;
        replay.of("mlflow/registered-models-search").await;
    }
}
