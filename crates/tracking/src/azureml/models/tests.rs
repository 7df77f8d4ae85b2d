use azml_core::Operation;

use super::ops;
use crate::{
    ArtifactPath, ModelName, ModelQuery, ModelVersionNumber, NewModel, RunId, RunRef, testing,
};

const CONTAINER: &str = "dcid.2a733ef2-2d68-4409-9514-2369714cda6a";
const ASSET: &str = "04713d5b35f04dcc8ef4dede2f77816a";

fn run() -> RunRef {
    let id = RunId::new("2a733ef2-2d68-4409-9514-2369714cda6a");
    RunRef::new(testing::experiment("exp-part3"), id)
}

fn prefix() -> String {
    format!("ExperimentRun/{CONTAINER}/outputs/model.pkl")
}

#[test]
fn an_asset_names_the_files() {
    let exchange = azml_fixtures::load("models/assets-create");
    let (workspace, run, name) = (testing::workspace(), run(), ModelName::new("mymodel"));
    let prefix = prefix();
    let create =
        ops::CreateAsset { workspace: &workspace, run: Some(&run), name: &name, prefix: &prefix };
    testing::assert_encodes(&create, "https://ml.test", &exchange);
    assert_eq!(create.decode(testing::response(&exchange)).unwrap(), ASSET);
}

#[test]
fn an_asset_gives_its_files_back() {
    let exchange = azml_fixtures::load("models/assets-get");
    let workspace = testing::workspace();
    let get = ops::GetAsset { workspace: &workspace, id: ASSET };
    testing::assert_encodes(&get, "https://ml.test", &exchange);
    assert_eq!(get.decode(testing::response(&exchange)).unwrap(), [prefix()]);
}

#[test]
fn registering_makes_a_version() {
    let exchange = azml_fixtures::load("models/register");
    let (workspace, run) = (testing::workspace(), run());
    let model = NewModel::new("mymodel", ArtifactPath::parse("outputs/model.pkl").unwrap())
        .with_framework("Custom", "1.0")
        .with_description("d")
        .with_tag("a", "1")
        .with_property("p", "2");
    let register = ops::Register { workspace: &workspace, run: Some(&run), model: &model, asset: ASSET };
    testing::assert_encodes(&register, "https://ml.test", &exchange);
    let version = register.decode(testing::response(&exchange)).unwrap();
    assert_eq!(version.version, ModelVersionNumber::new(1));
    assert_eq!(version.tags["a"], "1");
    assert_eq!(version.url, format!("aml://asset/{ASSET}"));
}

#[test]
fn versions_are_listed_the_newest_first() {
    let exchange = azml_fixtures::load("models/list");
    let (workspace, query) = (testing::workspace(), ModelQuery::new().with_name("mymodel"));
    let list = ops::List { workspace: &workspace, query: &query, count: None, token: None };
    testing::assert_encodes(&list, "https://ml.test", &exchange);
    let page = list.decode(testing::response(&exchange)).unwrap();
    let versions: Vec<i64> = page.items.iter().map(|it| it.version.get()).collect();
    assert_eq!(versions, [2, 1]);
    assert_eq!(page.next, None);
}

#[test]
fn one_version_is_found_by_its_number() {
    let exchange = azml_fixtures::load("models/get");
    let (workspace, name) = (testing::workspace(), ModelName::new("mymodel"));
    let get = ops::Get { workspace: &workspace, name: &name, version: ModelVersionNumber::new(1) };
    testing::assert_encodes(&get, "https://ml.test", &exchange);
    let version = get.decode(testing::response(&exchange)).unwrap();
    assert_eq!(version.run_id, Some(run().id));
}
