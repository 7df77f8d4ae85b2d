use std::sync::Arc;

use azml_core::{ErrorKind, Operation};

use super::ops::{self, VersionText};
use crate::{
    ArtifactPath, MlflowTracking, ModelQuery, ModelStage, ModelVersion, ModelVersionNumber,
    NewModel, RegisteredModel, RegisteredModels, RunId, RunRef, mlflow::wire::Pair, testing,
    testing::Script,
};

const RUN: &str = "b3e600e0f82b4302943a9a8780f4c910";
const BASE: &str = "https://mlflow.test/prefix";
const ONE: VersionText = VersionText(ModelVersionNumber::new(1));

/// Asserts that `operation` sends what the fixture says, and reads its answer.
fn check<O: Operation>(name: &str, operation: &O) -> O::Output {
    let exchange = azml_fixtures::load(&format!("mlflow/{name}"));
    testing::assert_encodes(operation, BASE, &exchange);
    operation.decode(testing::response(&exchange)).unwrap()
}

#[test]
fn a_version_is_made_of_an_artifact_and_told_again() {
    let create = ops::CreateVersion {
        name: "wine",
        source: &format!("mlflow-artifacts:/1/{RUN}/artifacts/outputs/model.json"),
        run_id: Some(RUN),
        tags: &[Pair { key: "t", value: "1" }],
        description: Some("first"),
    };
    let made = check("model-versions-create-of-run", &create);
    assert_eq!(made.version, ModelVersionNumber::new(1));
    assert_eq!((made.tags["t"].as_str(), made.stage), ("1", Some(ModelStage::None)));
    assert_eq!(made.run_id, Some(RunId::new(RUN)));

    let alias = ops::GetByAlias { name: "wine", alias: "champion" };
    let found: ModelVersion = check("registered-models-get-by-alias", &alias);
    assert_eq!((found.version.get(), &found.aliases[..]), (1, &["champion".to_owned()][..]));
    let transition = ops::TransitionStage {
        name: "wine",
        version: ONE,
        stage: ModelStage::Staging.word(),
        archive_existing_versions: true,
    };
    let moved = check("model-versions-transition-stage", &transition);
    assert_eq!(moved.stage, Some(ModelStage::Staging));
}

#[test]
fn a_model_is_described() {
    let model: RegisteredModel = check("registered-models-get", &ops::GetModel("wine"));
    assert_eq!(model.aliases["champion"], ModelVersionNumber::new(1));
    assert_eq!((model.description.as_deref(), model.tags["a"].as_str()), (Some("text"), "1"));
}

#[test]
fn what_is_told_to_the_registry_goes_as_the_official_client_sends_it() {
    check(
        "registered-models-set-alias",
        &ops::SetAlias { name: "wine", alias: "champion", version: ONE },
    );
    let delete = ops::DeleteAlias { name: "wine", alias: "champion" };
    check("registered-models-delete-alias", &delete);
    let update = ops::UpdateVersion { name: "wine", version: ONE, description: "second" };
    check("model-versions-update", &update);
    let set = ops::SetVersionTag { name: "wine", version: ONE, key: "k", value: "v" };
    check("model-versions-set-tag", &set);
    let delete = ops::DeleteVersionTag { name: "wine", version: ONE, key: "k" };
    check("model-versions-delete-tag", &delete);
    let two = VersionText(ModelVersionNumber::new(2));
    check("model-versions-delete", &ops::DeleteVersion { name: "wine", version: two });
    let update = ops::UpdateModel { name: "wine", description: "other" };
    check("registered-models-update", &update);
    check("registered-models-set-tag", &ops::SetModelTag { name: "wine", key: "k", value: "v" });
    check("registered-models-delete-tag", &ops::DeleteModelTag { name: "wine", key: "k" });
    check("registered-models-delete", &ops::DeleteModel { name: "wine" });
    check("registered-models-create", &ops::CreateModel { name: "mlfmodel" });
    let search =
        ops::SearchVersions { filter: "name='wine'", most: 10_000, order_by: None, token: None };
    assert_eq!(check("model-versions-search", &search).items.len(), 2);
    let filter = Some("tag.`mlflow.prompt.is_prompt` != 'true'");
    let exchange = azml_fixtures::load("mlflow/registered-models-search");
    let search = ops::SearchModels { filter, token: None };
    assert_eq!(search.decode(testing::response(&exchange)).unwrap().items.len(), 1);
}

#[test]
fn what_is_not_there_is_not_found_and_what_is_there_is_a_conflict() {
    let exchange = azml_fixtures::load("mlflow/model-versions-get-missing");
    let nine = VersionText(ModelVersionNumber::new(9));
    let get = ops::GetVersion { name: "wine", version: nine };
    testing::assert_encodes(&get, BASE, &exchange);
    let err = get.decode(testing::response(&exchange)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
    let exchange = azml_fixtures::load("mlflow/registered-models-create-existing");
    let create = ops::CreateModel { name: "wine" };
    let err = create.decode(testing::response(&exchange)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn what_mlflow_does_not_take_is_refused_before_anything_is_sent() {
    let script = Arc::new(Script::default());
    let tracking = MlflowTracking::new(script.endpoint());
    let run = RunRef::new(testing::experiment("e"), RunId::new(RUN));
    let path = || ArtifactPath::parse("model.json").unwrap();
    let bad = [
        NewModel::new("a/b", path()),
        NewModel::new("a:1", path()),
        NewModel::new(" ", path()),
        NewModel::new("a", path()).with_property("p", "1"),
        NewModel::new("a", path()).with_framework("F", "1"),
        NewModel::local("a", "model.json"),
    ];
    for model in bad {
        let err = tracking.register(Some(&run), &model).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument, "{model:?}");
    }
    let query = ModelQuery::new().with_name("it's");
    let mut versions = RegisteredModels::list(&tracking, &query);
    assert!(futures_util::StreamExt::next(&mut versions).await.unwrap().is_err());
    assert!(script.asked().is_empty());
}
