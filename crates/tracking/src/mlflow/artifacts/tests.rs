use std::{io, ops::Range, sync::Arc};

use async_trait::async_trait;
use azml_core::{BodySource, Operation};
use bytes::Bytes;
use serde_json::Value;

use super::ops::{self, Entry};
use crate::{
    ArtifactPath, Artifacts, MlflowTracking, RunId, RunRef, TransferOptions, Upload, testing,
    testing::Script,
};

const ROOT: &str = "1/b3e600e0f82b4302943a9a8780f4c910/artifacts";
const BASE: &str = "https://mlflow.test/prefix";
const MIB: u64 = 1024 * 1024;

#[test]
fn files_go_and_come_at_the_names_of_the_official_client() {
    let exchange = azml_fixtures::load("mlflow/artifacts-upload");
    let name = format!("{ROOT}/outputs/dir/a b.txt");
    let upload = ops::Upload { name: &name, body: Arc::new(Bytes::from("hello")) };
    testing::assert_encodes(&upload, BASE, &exchange);
    upload.decode(testing::response(&exchange)).unwrap();
    assert_eq!(upload.source().unwrap().len(), 5);

    let exchange = azml_fixtures::load("mlflow/artifacts-download");
    let name = format!("{ROOT}/outputs/model.json");
    testing::assert_encodes(&ops::Read { name: &name }, BASE, &exchange);
    testing::assert_encodes(&ops::Download { name: &name }, BASE, &exchange);
    let read = ops::Read { name: &name }.decode(testing::response(&exchange)).unwrap();
    assert_eq!(read, "{}");

    let exchange = azml_fixtures::load("mlflow/artifacts-list-proxied");
    let name = format!("{ROOT}/outputs");
    let list = ops::List { name: &name };
    testing::assert_encodes(&list, BASE, &exchange);
    let entries = list.decode(testing::response(&exchange)).unwrap();
    let entry = |path: &str, is_dir| Entry { path: path.to_owned(), is_dir };
    assert_eq!(entries, [entry("dir", true), entry("model.json", false)]);
}

#[test]
fn an_upload_in_parts_goes_as_the_official_client_sends_it() {
    let folder = &format!("{ROOT}/outputs");
    let path = "large.bin";
    let exchange = azml_fixtures::load("mlflow/artifacts-create-multipart");
    let create = ops::CreateMultipart { folder, path, num_parts: 3 };
    testing::assert_encodes(&create, BASE, &exchange);
    let begun = create.decode(testing::response(&exchange)).unwrap();
    assert_eq!((begun.upload_id.as_deref(), begun.credentials.len()), (Some("upload-1"), 3));

    let exchange = azml_fixtures::load("mlflow/artifacts-upload-part");
    let credential = &begun.credentials[0];
    let part = ops::UploadPart { credential, bytes: Bytes::new() };
    testing::assert_encodes(&part, BASE, &exchange);
    let request = part.encode(BASE).unwrap();
    assert_eq!(request.headers()["x-amz-test"], "1");
    let answer = http::Response::builder().header("etag", "\"1\"").body(Bytes::new()).unwrap();
    assert_eq!(part.decode(answer).unwrap(), "\"1\"");

    let exchange = azml_fixtures::load("mlflow/artifacts-complete-multipart");
    let parts: Vec<_> = begun
        .credentials
        .iter()
        .map(|it| ops::Part {
            part_number: it.part_number,
            etag: format!("\"{}\"", it.part_number),
            url: it.url.clone(),
        })
        .collect();
    let upload_id = Some("upload-1");
    let complete = ops::CompleteMultipart { folder, path, upload_id, parts: &parts };
    testing::assert_encodes(&complete, BASE, &exchange);
    let exchange = azml_fixtures::load("mlflow/artifacts-abort-multipart");
    testing::assert_encodes(&ops::AbortMultipart { folder, path, upload_id }, BASE, &exchange);
    let exchange = azml_fixtures::load("mlflow/server-info");
    testing::assert_encodes(&ops::GetInfo, BASE, &exchange);
    let info = ops::GetInfo.decode(testing::response(&exchange)).unwrap();
    assert!(!info.multipart_uploads_enabled);
}

/// A file of this length, of which nobody has more than a part.
#[derive(Debug)]
struct Zeros(u64);

#[async_trait]
impl BodySource for Zeros {
    fn len(&self) -> u64 {
        self.0
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        assert!(range.end - range.start <= 8 * MIB, "a part at a time");
        Ok(vec![0; usize::try_from(range.end - range.start).unwrap()].into())
    }
}

fn run() -> RunRef {
    let run = RunRef::new(testing::experiment("e"), RunId::new("r"));
    run.with_data_container(Some(format!("mlflow-artifacts:/{ROOT}")))
}

#[tokio::test]
async fn a_large_file_goes_in_parts_where_the_server_says_so() {
    let create = r#"{"upload_id": "u", "credentials": [
        {"url": "https://parts.test/1?s=1", "part_number": 1, "headers": {}},
        {"url": "https://parts.test/2?s=1", "part_number": 2},
        {"url": "https://parts.test/3?s=1", "part_number": 3},
        {"url": "https://parts.test/4?s=1", "part_number": 4},
        {"url": "https://parts.test/5?s=1", "part_number": 5}]}"#;
    let mut script =
        Script::default().then_body(r#"{"multipart_uploads_enabled": true}"#).then_body(create);
    for part in 1..=5 {
        let answer = http::Response::builder().header("etag", format!("tag {part}"));
        script = script.then_response(answer.body(Bytes::new()).unwrap());
    }
    let script = Arc::new(script.then_body("{}"));
    let tracking = MlflowTracking::new(script.endpoint());
    let path = ArtifactPath::parse("outputs/large.bin").unwrap();
    let files = vec![Upload::new(path, Arc::new(Zeros(33 * MIB)))];
    let options = TransferOptions::new().with_parallel(1);
    tracking.upload_all(&run(), files, &options).await.unwrap();
    assert_eq!(
        script.asked(),
        [
            "GET server-info",
            "POST outputs",
            "PUT 1",
            "PUT 2",
            "PUT 3",
            "PUT 4",
            "PUT 5",
            "POST outputs"
        ]
    );
    let complete = &script.bodies()[1];
    assert_eq!(complete["parts"][4]["etag"], Value::from("tag 5"));
    assert_eq!(complete["path"], Value::from("large.bin"));
}

#[tokio::test]
async fn a_store_without_parts_takes_the_file_in_one_piece() {
    let none = http::Response::builder()
        .status(501)
        .body(Bytes::from(r#"{"error_code": "NOT_IMPLEMENTED", "message": "no multipart"}"#));
    let script = Script::default()
        .then_body(r#"{"multipart_uploads_enabled": true}"#)
        .then_response(none.unwrap())
        .then_body("{}");
    let script = Arc::new(script);
    let tracking = MlflowTracking::new(script.endpoint());
    let path = ArtifactPath::parse("large.bin").unwrap();
    // It is small enough for a test that sends it whole.
    let body = Arc::new(Bytes::from(vec![0; 33 * 1024 * 1024]));
    tracking.upload(&run(), &path, body).await.unwrap();
    assert_eq!(script.asked(), ["GET server-info", "POST artifacts", "PUT large.bin"]);
}
