use std::{fs, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Request},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use http_body_util::BodyExt;
use md5::{Digest, Md5};
use tower::ServiceExt;

use super::{ARTIFACTS, path_by_query, sas};
use crate::{
    MockCloud,
    services::{arm::ACCOUNT, azure::STORAGE_AUDIENCE},
    tests::token_for,
};

/// A cloud and a signature that opens a container.
struct Storage {
    cloud: MockCloud,
    signature: String,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn code(&self) -> (u16, &str) {
        (self.status, self.header("x-ms-error-code"))
    }
}

impl Storage {
    fn new() -> Self {
        let signature = sas(ACCOUNT, ARTIFACTS, "", "rcwdl", Duration::from_secs(600));
        Self { cloud: MockCloud::new(), signature }
    }

    async fn send(
        &self,
        method: &str,
        url: String,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let answer = self.cloud.router().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Sends a request for a blob, or for the container without a name.
    async fn call(
        &self,
        method: &str,
        name: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let slash = if name.is_empty() { "" } else { "/" };
        let url = format!(
            "https://{ACCOUNT}.blob.core.windows.net/{ARTIFACTS}{slash}{name}?{query}{}",
            self.signature
        );
        self.send(method, url, headers, body).await
    }

    async fn put(&self, name: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let headers = [&[("x-ms-blob-type", "BlockBlob")], headers].concat();
        self.call("PUT", name, "", &headers, body).await
    }

    async fn get(&self, name: &str, headers: &[(&str, &str)]) -> Answer {
        self.call("GET", name, "", headers, "").await
    }

    /// The names in a listing, and where the next page begins.
    async fn list(&self, query: &str) -> (Vec<String>, String) {
        let query = format!("restype=container&comp=list&{query}&");
        let answer = self.call("GET", "", &query, &[], "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        let between = |text: &str, tag: &str| -> Vec<String> {
            let open = format!("<{tag}>");
            text.split(open.as_str())
                .skip(1)
                .map(|it| it.split("</").next().unwrap().to_owned())
                .collect()
        };
        (between(&text, "Name"), between(&text, "NextMarker").pop().unwrap_or_default())
    }

    /// Writes a file as Spark would.
    fn write_beside(&self, name: &str, text: &str) {
        let kernel = self.cloud.kernel();
        let path = kernel.files.container(ACCOUNT, ARTIFACTS).locate(name);
        kernel.files.write(&path, text.as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn a_blob_comes_back_with_what_was_stored_beside_it() {
    let storage = Storage::new();
    let md5 = BASE64.encode(Md5::digest("hello"));
    let headers = [
        ("x-ms-version", "2025-11-05"),
        ("content-md5", &md5),
        ("x-ms-blob-content-type", "text/plain"),
        ("x-ms-meta-Kind", "greeting"),
    ];
    let put = storage.put("a/b%20c.txt", &headers, "hello").await;
    assert_eq!(put.status, 201);
    assert_eq!(put.header("content-md5"), md5);
    assert_eq!(put.header("x-ms-version"), "2025-11-05");
    assert_eq!(put.header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");

    let get = storage.get("a/b%20c.txt", &[]).await;
    assert_eq!((get.status, get.text().as_str()), (200, "hello"));
    let head = storage.call("HEAD", "a/b%20c.txt", "", &[], "").await;
    for answer in [get, head] {
        assert_eq!(answer.header("etag"), put.header("etag"));
        assert_eq!(answer.header("content-length"), "5");
        assert_eq!(answer.header("content-type"), "text/plain");
        assert_eq!(answer.header("content-md5"), md5);
        assert_eq!(answer.header("x-ms-meta-kind"), "greeting");
        assert_eq!(answer.header("x-ms-blob-type"), "BlockBlob");
        assert!(!answer.header("x-ms-request-id").is_empty());
    }
}

#[tokio::test]
async fn bytes_that_are_not_those_meant_are_refused_and_leave_nothing() {
    let storage = Storage::new();
    let md5 = BASE64.encode(Md5::digest("other"));
    let put = storage.put("a", &[("content-md5", &md5)], "hello").await;
    assert_eq!(put.code(), (400, "Md5Mismatch"));
    assert!(put.text().contains("<Code>Md5Mismatch</Code>"), "{}", put.text());
    assert_eq!(storage.get("a", &[]).await.code(), (404, "BlobNotFound"));
    let unfinished = storage.cloud.kernel().files.unfinished().unwrap();
    assert_eq!(fs::read_dir(unfinished.parent().unwrap()).unwrap().count(), 0);
}

#[tokio::test]
async fn parts_are_cut_out_by_either_header() {
    let storage = Storage::new();
    storage.put("a", &[], "0123456789").await;
    for (header, range, wanted, shown) in [
        ("range", "bytes=2-4", "234", "bytes 2-4/10"),
        ("x-ms-range", "bytes=7-", "789", "bytes 7-9/10"),
        ("x-ms-range", "bytes=0-33554431", "0123456789", "bytes 0-9/10"),
    ] {
        let part = storage.get("a", &[(header, range)]).await;
        assert_eq!((part.status, part.text().as_str()), (206, wanted));
        assert_eq!(part.header("content-range"), shown);
        assert_eq!(part.header("content-md5"), "", "the hash of the whole is none of a part");
    }
    let past = storage.get("a", &[("range", "bytes=10-12")]).await;
    assert_eq!(past.code(), (416, "InvalidRange"));
}

#[tokio::test]
async fn conditions_guard_writes_and_reads() {
    let storage = Storage::new();
    let first = storage.put("a", &[("if-none-match", "*")], "one").await;
    assert_eq!(first.status, 201);
    let again = storage.put("a", &[("if-none-match", "*")], "two").await;
    assert_eq!(again.code(), (409, "BlobAlreadyExists"));
    let etag = first.header("etag").to_owned();
    assert_eq!(storage.put("a", &[("if-match", &etag)], "three").await.status, 201);
    assert_eq!(
        storage.put("a", &[("if-match", &etag)], "four").await.code(),
        (412, "ConditionNotMet")
    );
    assert_eq!(storage.get("a", &[("if-match", &etag)]).await.status, 412);
    let now = storage.get("a", &[]).await;
    assert_eq!(now.text(), "three");
    let known = storage.get("a", &[("if-none-match", now.header("etag"))]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
}

#[tokio::test]
async fn blocks_are_joined_in_the_order_of_their_list() {
    let storage = Storage::new();
    let ids = ["QUFB", "QkJC", "Q0ND"];
    for (id, text) in ids.into_iter().zip(["one ", "two ", "three"]) {
        let put = storage.call("PUT", "a", &format!("comp=block&blockid={id}&"), &[], text).await;
        assert_eq!(put.status, 201);
    }
    assert_eq!(storage.get("a", &[]).await.status, 404, "nothing is there before the list");
    let waiting =
        storage.call("GET", "a", "comp=blocklist&blocklisttype=uncommitted&", &[], "").await;
    assert!(waiting.text().contains("<Name>QkJC</Name><Size>4</Size>"), "{}", waiting.text());

    let list = |ids: &[&str]| {
        let ids = ids.join("</Latest><Latest>");
        format!("<?xml version=\"1.0\"?><BlockList><Latest>{ids}</Latest></BlockList>")
    };
    let headers = [("x-ms-blob-content-type", "text/plain")];
    let order = list(&["Q0ND", "QUFB", "QkJC"]);
    let joined = storage.call("PUT", "a", "comp=blocklist&", &headers, order).await;
    assert_eq!(joined.status, 201);
    let get = storage.get("a", &[]).await;
    assert_eq!((get.text().as_str(), get.header("content-type")), ("threeone two ", "text/plain"));

    let kept = storage.call("PUT", "a", "comp=blocklist&", &[], list(&["QkJC", "Q0ND"])).await;
    assert_eq!(kept.status, 201, "blocks of the blob itself can be named again");
    assert_eq!(storage.get("a", &[]).await.text(), "two three");
    let unknown = storage.call("PUT", "a", "comp=blocklist&", &[], list(&["WFhY"])).await;
    assert_eq!(unknown.code(), (400, "InvalidBlockList"));
    let left = fs::read_dir(storage.cloud.kernel().files.blocks()).unwrap().count();
    assert_eq!(left, 0, "what was joined does not stay twice");
}

#[tokio::test]
async fn blocks_that_are_forgotten_leave_no_files() {
    let storage = Storage::new();
    let block = "comp=block&blockid=QUFB&";
    let left = || fs::read_dir(storage.cloud.kernel().files.blocks()).unwrap().count();
    let put = async || storage.call("PUT", "a", "", &[("x-ms-blob-type", "BlockBlob")], "x").await;
    for _ in 0..2 {
        assert_eq!(storage.call("PUT", "a", block, &[], "one").await.status, 201);
    }
    assert_eq!(left(), 1, "the second takes the place of the first");
    assert_eq!(put().await.status, 201);
    assert_eq!(left(), 0, "a blob that is put whole forgets its blocks");
    storage.call("PUT", "a", block, &[], "two").await;
    assert_eq!(left(), 1);
    assert_eq!(storage.call("DELETE", "a", "", &[], "").await.status, 202);
    assert_eq!(left(), 0, "so does one that is deleted");
}

#[tokio::test]
async fn a_listing_has_pages_and_folders() {
    let storage = Storage::new();
    for name in ["a", "a/b", "d/1", "d/2", "e"] {
        assert_eq!(storage.put(name, &[], "x").await.status, 201);
    }
    assert_eq!(storage.list("").await.0, ["a", "a/b", "d/1", "d/2", "e"]);
    assert_eq!(storage.list("delimiter=%2F").await.0, ["a", "a/", "d/", "e"]);
    assert_eq!(storage.list("prefix=d%2F&delimiter=%2F").await.0, ["d/1", "d/2"]);
    let (mut all, mut marker) = (Vec::new(), String::new());
    loop {
        let (names, next) = storage.list(&format!("maxresults=2&marker={marker}")).await;
        assert!(names.len() <= 2);
        all.extend(names);
        if next.is_empty() {
            break;
        }
        marker = next;
    }
    assert_eq!(all, ["a", "a/b", "d/1", "d/2", "e"]);
}

#[tokio::test]
async fn a_file_that_somebody_else_wrote_is_a_blob() {
    let storage = Storage::new();
    storage.put("out/part-0", &[("x-ms-meta-a", "b")], "mine").await;
    storage.write_beside("out/part-0", "theirs!");
    storage.write_beside("out/part-1", "new");
    let changed = storage.get("out/part-0", &[]).await;
    assert_eq!(changed.text(), "theirs!");
    assert_eq!(changed.header("x-ms-meta-a"), "", "that was said of another file");
    assert_eq!(changed.header("content-md5"), "");
    let found = storage.get("out/part-1", &[]).await;
    assert_eq!((found.status, found.text().as_str()), (200, "new"));
    assert_eq!(storage.get("out/part-1", &[]).await.header("etag"), found.header("etag"));
    assert_eq!(storage.list("prefix=out%2F").await.0, ["out/part-0", "out/part-1"]);
}

#[tokio::test]
async fn metadata_is_replaced_as_a_whole() {
    let storage = Storage::new();
    let put = storage.put("a", &[("x-ms-meta-one", "1")], "x").await;
    let set = storage.call("PUT", "a", "comp=metadata&", &[("x-ms-meta-two", "2")], "").await;
    assert_eq!(set.status, 200);
    assert_ne!(set.header("etag"), put.header("etag"));
    let get = storage.call("GET", "a", "comp=metadata&", &[], "").await;
    assert_eq!((get.header("x-ms-meta-one"), get.header("x-ms-meta-two")), ("", "2"));
}

#[tokio::test]
async fn a_deleted_blob_is_gone_with_its_file() {
    let storage = Storage::new();
    storage.put("d/a", &[], "x").await;
    let folder = storage.cloud.kernel().files.container(ACCOUNT, ARTIFACTS);
    assert!(folder.path().join("d/a").exists());
    assert_eq!(storage.call("DELETE", "d/a", "", &[], "").await.status, 202);
    assert!(!folder.path().join("d").exists());
    assert_eq!(storage.call("DELETE", "d/a", "", &[], "").await.code(), (404, "BlobNotFound"));
}

#[tokio::test]
async fn nobody_comes_in_without_a_signature_a_token_or_the_key() {
    let storage = Storage::new();
    storage.put("a", &[], "x").await;
    let url =
        |query: &str| format!("https://{ACCOUNT}.blob.core.windows.net/{ARTIFACTS}/a?{query}");
    let bare = storage.send("GET", url(""), &[], "").await;
    assert_eq!(bare.code(), (401, "NoAuthenticationInformation"));
    let forged =
        storage.send("GET", url(&storage.signature.replace("rcwdl", "rcwdx")), &[], "").await;
    assert_eq!(forged.code(), (403, "AuthenticationFailed"));
    let hour = Duration::from_secs(3600);
    let reads = sas(ACCOUNT, ARTIFACTS, "a", "r", hour);
    let put = [("x-ms-blob-type", "BlockBlob")];
    let write = storage.send("PUT", url(&reads), &put, "y").await;
    assert_eq!(write.code(), (403, "AuthorizationPermissionMismatch"));

    let bearer = format!("Bearer {}", token_for(STORAGE_AUDIENCE));
    let read = storage.send("GET", url(""), &[("authorization", &bearer)], "").await;
    assert_eq!(read.status, 200);
    let other = format!("Bearer {}", token_for("https://management.azure.com"));
    let read = storage.send("GET", url(""), &[("authorization", &other)], "").await;
    assert_eq!(read.code(), (401, "InvalidAuthenticationInfo"));
    let key = format!("SharedKey {ACCOUNT}:c2ln");
    let forged = storage.send("GET", url(""), &[("authorization", &key)], "").await;
    assert_eq!(forged.code(), (403, "AuthenticationFailed"));
}

#[tokio::test]
async fn a_local_address_leads_to_the_same_blob() {
    let storage = Storage::new();
    storage.put("a/b", &[], "x").await;
    let url = format!("https://127.0.0.1:4711/{ARTIFACTS}/a/b?{}", storage.signature);
    assert_eq!(storage.send("GET", url, &[], "").await.text(), "x");
}

#[tokio::test]
async fn containers_are_made_before_blobs_are_put_into_them() {
    let storage = Storage::new();
    let bearer = format!("Bearer {}", token_for(STORAGE_AUDIENCE));
    let headers = [("authorization", bearer.as_str()), ("x-ms-blob-type", "BlockBlob")];
    let blob = format!("https://{ACCOUNT}.blob.core.windows.net/data/a");
    let container = format!("https://{ACCOUNT}.blob.core.windows.net/data?restype=container");
    let early = storage.send("PUT", blob.clone(), &headers, "x").await;
    assert_eq!(early.code(), (404, "ContainerNotFound"));
    assert_eq!(storage.send("PUT", container.clone(), &headers, "").await.status, 201);
    let again = storage.send("PUT", container.clone(), &headers, "").await;
    assert_eq!(again.code(), (409, "ContainerAlreadyExists"));
    assert_eq!(storage.send("GET", container, &headers, "").await.status, 200);
    assert_eq!(storage.send("PUT", blob, &headers, "x").await.status, 201);
}

#[tokio::test]
async fn a_large_body_goes_through_in_pieces() {
    let storage = Storage::new();
    let piece = Bytes::from(vec![7_u8; 1 << 18]);
    let pieces = vec![piece.clone(); 20].into_iter().map(Ok::<_, std::io::Error>);
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    assert_eq!(storage.put("large", &[], body).await.status, 201);
    let get = storage.get("large", &[]).await;
    assert_eq!(get.body.len(), 20 * piece.len());
    assert_eq!(get.header("content-length"), get.body.len().to_string());
    assert!(get.body.iter().all(|it| *it == 7));
}

#[tokio::test]
async fn what_is_not_emulated_says_so() {
    let storage = Storage::new();
    let append = storage.call("PUT", "a", "", &[("x-ms-blob-type", "AppendBlob")], "").await;
    assert_eq!(append.code(), (501, "NotImplemented"));
    let lease = storage.call("PUT", "a", "comp=lease&", &[], "").await;
    assert_eq!(lease.code(), (501, "NotImplemented"));
}

#[test]
fn the_query_tells_the_operation() {
    use axum::http::Method;
    let path = |method: Method, query| path_by_query("/__blob/acct/c/a", &method, Some(query));
    assert_eq!(path(Method::PUT, "sig=x"), "/__blob/acct/c/a");
    assert_eq!(path(Method::PUT, "comp=block&blockid=a"), "/__blob.block/acct/c/a");
    assert_eq!(path(Method::GET, "comp=metadata"), "/__blob.getmetadata/acct/c/a");
    let list = path_by_query("/__blob/acct/c/", &Method::GET, Some("restype=container&comp=list"));
    assert_eq!(list, "/__blob.list/acct/c");
}
