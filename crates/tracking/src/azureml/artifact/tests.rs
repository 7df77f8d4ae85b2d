use azml_core::{ErrorKind, Operation, ResourceId, Response};
use bytes::Bytes;

use super::ops;
use crate::{ArtifactPath, testing};

const CONTAINER: &str = "dcid.3e0d88ee-b50c-4b3d-894a-ca48d453ad1b";

fn announce<'a>(workspace: &'a ResourceId, paths: &'a [&'a ArtifactPath]) -> ops::Announce<'a> {
    ops::Announce { workspace, origin: ops::ORIGIN, container: CONTAINER, paths }
}

#[test]
fn an_announced_file_gets_an_address() {
    let exchange = azml_fixtures::load("artifact/batch-metadata");
    let (workspace, path) =
        (testing::workspace(), ArtifactPath::parse("outputs/hello.txt").unwrap());
    let paths = [&path];
    let announce = announce(&workspace, &paths);
    testing::assert_encodes(&announce, "https://ml.test", &exchange);
    let url = announce.decode(testing::response(&exchange)).unwrap().remove(0);
    assert_eq!(url.origin(), "https://stubacct.blob.storage.test");
    assert!(!format!("{url:?}").contains("sig=fake"));
}

#[test]
fn an_answer_without_the_address_is_refused() {
    let (workspace, path) = (testing::workspace(), ArtifactPath::parse("a").unwrap());
    let paths = [&path];
    let announce = announce(&workspace, &paths);
    let answer = Bytes::from(r#"{"artifactContentInformation": {}}"#);
    let err = announce.decode(Response::new(answer)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Decode);
}

#[test]
fn files_are_listed() {
    let exchange = azml_fixtures::load("artifact/list");
    let workspace = testing::workspace();
    let list = ops::List { workspace: &workspace, container: CONTAINER, token: None };
    testing::assert_encodes(&list, "https://ml.test", &exchange);
    let page = list.decode(testing::response(&exchange)).unwrap();
    let paths: Vec<&str> = page.items.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["outputs/hello.txt", "outputs/dir/a.txt", "outputs/dir/sub/b.bin"]);
}

#[test]
fn one_file_is_found() {
    let exchange = azml_fixtures::load("artifact/content-info");
    let (workspace, path) =
        (testing::workspace(), ArtifactPath::parse("outputs/hello.txt").unwrap());
    let info = ops::GetContentInfo { workspace: &workspace, container: CONTAINER, path: &path };
    testing::assert_encodes(&info, "https://ml.test", &exchange);
    assert!(info.decode(testing::response(&exchange)).unwrap().has_signature());
}

#[test]
fn files_are_found_by_prefix() {
    let exchange = azml_fixtures::load("artifact/prefix-content-info");
    let workspace = testing::workspace();
    let prefix = ops::PrefixContentInfo::id(CONTAINER, "outputs/dir/");
    let info = ops::PrefixContentInfo { workspace: &workspace, prefix: &prefix, token: None };
    testing::assert_encodes(&info, "https://ml.test", &exchange);
    let page = info.decode(testing::response(&exchange)).unwrap();
    assert_eq!(page.items[1].id, format!("ExperimentRun/{CONTAINER}/outputs/dir/sub/b.bin"));
}
