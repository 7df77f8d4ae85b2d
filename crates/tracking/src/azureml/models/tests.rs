use azml_core::Operation;

use super::{ops, wire};
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
    let register =
        ops::Register { workspace: &workspace, run: Some(&run), model: &model, asset: ASSET };
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

#[test]
fn an_update_sets_whole_fields() {
    let exchange = azml_fixtures::load("models/update");
    let workspace = testing::workspace();
    let model = registered();
    let tags = [("a", "1"), ("t", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let value = wire::Field::Texts(tags.into());
    let steps = vec![wire::Step { op: "replace", path: "/kvTags", value }];
    let update = ops::Update { workspace: &workspace, model: &model, steps };
    testing::assert_encodes(&update, "https://ml.test", &exchange);
    assert_eq!(update.decode(testing::response(&exchange)).unwrap().tags["t"], "1");
}

#[test]
fn a_version_is_deleted_by_its_id() {
    let exchange = azml_fixtures::load("models/delete");
    let (workspace, model) = (testing::workspace(), registered());
    let delete = ops::Delete { workspace: &workspace, model: &model };
    testing::assert_encodes(&delete, "https://ml.test", &exchange);
    delete.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn filters_on_tags_are_written_as_pairs() {
    let workspace = testing::workspace();
    let list = |query: &ModelQuery| {
        let list = ops::List { workspace: &workspace, query, count: None, token: None };
        list.encode("https://ml.test").map(|it| it.uri().query().unwrap().to_owned())
    };
    let query = ModelQuery::new().with_tag("a", "1").with_tag("b", "").with_framework("Custom");
    let expected = "count=255&tags=a%3D1%2Cb&framework=Custom&latestVersionOnly=false";
    assert_eq!(list(&query).unwrap(), expected);
    for (key, value) in [("", "x"), ("a=b", "x"), ("a", "x,y")] {
        assert!(list(&ModelQuery::new().with_property(key, value)).is_err());
    }
}

fn registered() -> crate::ModelVersion {
    let exchange = azml_fixtures::load("models/update");
    let workspace = testing::workspace();
    let (name, version) = (ModelName::new("mymodel"), ModelVersionNumber::new(1));
    let get = ops::Get { workspace: &workspace, name: &name, version };
    get.decode(testing::response(&exchange)).unwrap()
}
