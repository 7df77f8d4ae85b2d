//! The client against a storage account of a few lines.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use async_trait::async_trait;
use azml_core::{
    Cloud, ErrorKind, Request, Response, Session, StaticToken, Transport, TransportError,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::TryStreamExt;
use parking_lot::Mutex;

use crate::{BlobClient, BlobUrl, DownloadOptions, UploadOptions, wire};

#[derive(Debug, Default)]
struct Account(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<String, (Bytes, Option<String>)>,
    blocks: BTreeMap<String, BTreeMap<String, Bytes>>,
    sent: Vec<Request>,
    /// How many more requests are answered before the connection breaks for good.
    lives: Option<u32>,
    /// How many answers to writes are lost.
    lost: u32,
}

#[async_trait]
impl Transport for Account {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        tokio::task::yield_now().await;
        let mut state = self.0.lock();
        match &mut state.lives {
            Some(0) => return Err(TransportError::Interrupted("reset".into())),
            Some(lives) => *lives -= 1,
            None => (),
        }
        state.sent.push(request.clone());
        let response = state.answer(&request);
        if request.method() == "PUT" && state.lost > 0 {
            state.lost -= 1;
            return Err(TransportError::Interrupted("lost".into()));
        }
        Ok(response)
    }
}

fn answer(status: u16) -> http::response::Builder {
    http::Response::builder().status(status).header("etag", "\"0x1\"")
}

fn md5(body: &[u8]) -> String {
    STANDARD.encode(::md5::compute(body).0)
}

impl State {
    fn answer(&mut self, request: &Request) -> Response {
        let path = request.uri().path().to_owned();
        let query: BTreeMap<String, String> = request
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|it| it.split_once('='))
            .map(|(key, value)| {
                let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
                (key.to_owned(), value.into_owned())
            })
            .collect();
        let header = |name: &str| request.headers().get(name).map(|it| it.to_str().unwrap());
        let comp = query.get("comp").map(String::as_str);
        match (request.method().as_str(), comp) {
            ("PUT", Some("block")) => {
                assert_eq!(header("content-md5"), Some(&*md5(request.body())));
                let id = query["blockid"].clone();
                self.blocks.entry(path).or_default().insert(id, request.body().clone());
                answer(201).body(Bytes::new()).unwrap()
            }
            ("PUT", Some("blocklist")) => {
                let xml = std::str::from_utf8(request.body()).unwrap();
                let blocks = self.blocks.remove(&path).unwrap_or_default();
                let ids = xml.split("<Latest>").skip(1).map(|it| it.split_once('<').unwrap().0);
                let body: Vec<u8> = ids.flat_map(|id| blocks[id].to_vec()).collect();
                let md5 = header("x-ms-blob-content-md5").map(str::to_owned);
                self.blobs.insert(path, (body.into(), md5));
                answer(201).body(Bytes::new()).unwrap()
            }
            ("PUT", _) if self.blobs.contains_key(&path) && header("if-none-match").is_some() => {
                let xml = "<?xml version=\"1.0\"?><Error><Code>BlobAlreadyExists</Code>\
                    <Message>The specified blob already exists.\nRequestId:1</Message></Error>";
                answer(409).body(Bytes::from(xml)).unwrap()
            }
            ("PUT", _) => {
                let md5 = header("content-md5").map(str::to_owned);
                self.blobs.insert(path, (request.body().clone(), md5));
                answer(201).body(Bytes::new()).unwrap()
            }
            ("GET", Some("blocklist")) => {
                let empty = BTreeMap::new();
                let blocks = self.blocks.get(&path).unwrap_or(&empty).iter();
                let blocks = blocks.map(|(id, body)| {
                    format!("<Block><Name>{id}</Name><Size>{}</Size></Block>", body.len())
                });
                let blocks: String = blocks.collect();
                let xml = format!(
                    "<BlockList><UncommittedBlocks>{blocks}</UncommittedBlocks></BlockList>"
                );
                answer(200).body(xml.into()).unwrap()
            }
            ("GET", Some("list")) => self.list(&path, &query),
            (method, _) => self.read(method, &path, header("x-ms-range")),
        }
    }

    fn list(&self, path: &str, query: &BTreeMap<String, String>) -> Response {
        let start = format!("{path}/{}", query.get("prefix").map_or("", |it| it));
        let from: usize = query.get("marker").map_or(0, |it| it.parse().unwrap());
        let names: Vec<&String> = self.blobs.keys().filter(|it| it.starts_with(&start)).collect();
        let page: Vec<String> = names[from..]
            .iter()
            .take(2)
            .map(|it| format!("<Blob><Name>{}</Name></Blob>", &it[path.len() + 1..]))
            .collect();
        let page = page.concat();
        let next = if from + 2 < names.len() { (from + 2).to_string() } else { String::new() };
        let xml = format!(
            "<EnumerationResults><Blobs>{page}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
        );
        answer(200).body(xml.into()).unwrap()
    }

    fn read(&self, method: &str, path: &str, range: Option<&str>) -> Response {
        let Some((body, md5)) = self.blobs.get(path) else {
            let code = ("x-ms-error-code", "BlobNotFound");
            return answer(404).header(code.0, code.1).body(Bytes::new()).unwrap();
        };
        let mut response = answer(200);
        if let Some(md5) = md5 {
            response = response.header("x-ms-blob-content-md5", md5);
        }
        if method == "HEAD" {
            return response.header("content-length", body.len()).body(Bytes::new()).unwrap();
        }
        match range {
            Some(range) => {
                let (start, end) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
                let total = body.len();
                response
                    .status(206)
                    .header("content-range", format!("bytes {start}-{end}/{total}"))
                    .body(body.slice(start..=end))
                    .unwrap()
            }
            None => response.body(body.clone()).unwrap(),
        }
    }
}

fn setup() -> (Arc<Account>, BlobClient, BlobUrl) {
    let account = Arc::new(Account::default());
    let url = "https://a.blob.test/box/x?sv=1&sig=fake-signature".parse().unwrap();
    (account.clone(), BlobClient::new(account), url)
}

fn bytes(len: usize) -> Bytes {
    (0..len).map(|it| u8::try_from(it % 251).unwrap()).collect::<Vec<u8>>().into()
}

fn in_blocks() -> UploadOptions {
    UploadOptions::default().with_block_size(10)
}

#[tokio::test]
async fn a_small_body_goes_as_a_whole() {
    let (account, blobs, url) = setup();
    let options =
        UploadOptions::default().with_content_type("text/plain").with_metadata("kind", "a");
    let properties = blobs.put(&url, Arc::new(bytes(100)), options).await.unwrap();
    assert_eq!(properties.len, 100);

    let state = account.0.lock();
    assert_eq!(state.sent.len(), 1);
    let request = &state.sent[0];
    assert_eq!(request.uri(), "https://a.blob.test/box/x?sv=1&sig=fake-signature");
    let headers = request.headers();
    assert_eq!(headers["x-ms-blob-type"], "BlockBlob");
    assert_eq!(headers["x-ms-version"], "2021-08-06");
    assert_eq!(headers["x-ms-blob-content-type"], "text/plain");
    assert_eq!(headers["x-ms-meta-kind"], "a");
    assert_eq!(headers["content-md5"], md5(&bytes(100)));
}

#[tokio::test]
async fn a_large_body_goes_in_blocks_and_comes_back_in_parts() {
    let (account, blobs, url) = setup();
    let seen = Arc::new(AtomicU64::new(0));
    let counter = seen.clone();
    let options = in_blocks().with_progress(move |done, total| {
        assert!(done <= total);
        counter.fetch_max(done, Relaxed);
    });
    blobs.put(&url, Arc::new(bytes(95)), options).await.unwrap();
    assert_eq!(seen.load(Relaxed), 95);
    assert_eq!(account.0.lock().blobs["/box/x"].0, bytes(95));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/down/x");
    let options = DownloadOptions::default().with_part_size(7);
    blobs.download_to(&url, &path, options).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes(95));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_upload_goes_on_where_it_stopped() {
    let (account, blobs, url) = setup();
    account.0.lock().lives = Some(5);
    let err = blobs.put(&url, Arc::new(bytes(100)), in_blocks()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    let left = account.0.lock().blocks["/box/x"].len();
    assert!(left > 0);

    account.0.lock().lives = None;
    account.0.lock().sent.clear();
    blobs.put(&url, Arc::new(bytes(100)), in_blocks()).await.unwrap();
    let state = account.0.lock();
    let is_block = |it: &&Request| it.uri().query().unwrap().contains("comp=block&");
    assert_eq!(state.sent.iter().filter(is_block).count(), 10 - left);
    assert_eq!(state.blobs["/box/x"].0, bytes(100));
}

#[tokio::test(start_paused = true)]
async fn a_block_of_another_content_is_not_taken_over() {
    let (account, blobs, url) = setup();
    account.0.lock().lives = Some(5);
    blobs.put(&url, Arc::new(bytes(100)), in_blocks()).await.unwrap_err();
    account.0.lock().lives = None;

    let other = Bytes::from(vec![7; 100]);
    blobs.put(&url, Arc::new(other.clone()), in_blocks()).await.unwrap();
    assert_eq!(account.0.lock().blobs["/box/x"].0, other);
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_must_be_new_is_refused_unless_it_is_our_own() {
    let (account, blobs, url) = setup();
    let new = || UploadOptions::default().with_overwrite(false);
    account.0.lock().lost = 1;
    blobs.put(&url, Arc::new(bytes(3)), new()).await.unwrap();

    let err = blobs.put(&url, Arc::new(bytes(4)), new()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert_eq!(
        err.to_string(),
        "storage.blob.put failed: 409 BlobAlreadyExists: The specified blob already exists."
    );
}

#[tokio::test]
async fn damaged_bytes_leave_no_file() {
    let (account, blobs, url) = setup();
    blobs.put(&url, Arc::new(bytes(30)), UploadOptions::default()).await.unwrap();
    account.0.lock().blobs.get_mut("/box/x").unwrap().0 = bytes(31).slice(1..);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let err = blobs.download_to(&url, &path, DownloadOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Decode);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_empty_blob_comes_back_empty() {
    let (_, blobs, url) = setup();
    blobs.put(&url, Arc::new(Bytes::new()), UploadOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    blobs.download_to(&url, &path, DownloadOptions::default()).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"");
}

#[tokio::test]
async fn a_listing_follows_its_marker() {
    let (_, blobs, url) = setup();
    for name in ["a/1", "a/2", "a/3", "b/1"] {
        let url = url.to_container().join(name);
        blobs.put(&url, Arc::new(bytes(1)), UploadOptions::default()).await.unwrap();
    }
    let items: Vec<_> = blobs.list(&url, "a/").try_collect().await.unwrap();
    let names: Vec<_> = items.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a/1", "a/2", "a/3"]);
}

#[tokio::test]
async fn a_range_has_both_ends_on_the_wire() {
    let (account, blobs, url) = setup();
    blobs.put(&url, Arc::new(bytes(20)), UploadOptions::default()).await.unwrap();
    assert_eq!(blobs.get(&url, Some(3..6)).await.unwrap(), bytes(20).slice(3..6));
    assert_eq!(account.0.lock().sent[1].headers()["x-ms-range"], "bytes=3-5");
    let err = blobs.get(&url, Some(3..3)).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_missing_blob_is_named_by_its_header() {
    let (_, blobs, url) = setup();
    let err = blobs.head(&url).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
    assert_eq!(err.service_fault().unwrap().code, "BlobNotFound");
    assert!(!format!("{err:?} {err} {url:?}").contains("fake-signature"));
}

#[tokio::test]
async fn a_token_is_sent_only_where_there_is_no_signature() {
    let (account, _, signed) = setup();
    let token = Arc::new(StaticToken::new("fake-token"));
    let session = Session::new(Cloud::public(), account.clone(), token);
    let blobs = BlobClient::from_session(&session);
    let plain: BlobUrl = "https://a.blob.test/box/x".parse().unwrap();
    for url in [&signed, &plain] {
        blobs.put(url, Arc::new(bytes(1)), UploadOptions::default()).await.unwrap();
    }
    let state = account.0.lock();
    assert!(!state.sent[0].headers().contains_key("authorization"));
    assert_eq!(state.sent[1].headers()["authorization"], "Bearer fake-token");
}

#[test]
fn a_name_of_metadata_that_no_header_can_hold_is_refused() {
    let options = UploadOptions::default().with_metadata("a b", "c");
    let url: BlobUrl = "https://a.blob.test/box/x".parse().unwrap();
    let put = crate::ops::Put { url: &url, body: Bytes::new(), md5: [0; 16], options: &options };
    let err = azml_core::Operation::encode(&put, url.origin()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    assert!(wire::parse::<wire::ErrorBody>(b"no xml").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_broken_download_goes_on_where_it_stopped() {
    let (account, blobs, url) = setup();
    blobs.put(&url, Arc::new(bytes(95)), UploadOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let resume =
        || DownloadOptions::default().with_part_size(10).with_parallel(1).with_resume(true);
    account.0.lock().lives = Some(4);
    let err = blobs.download_to(&url, &path, resume()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    let part = folder.path().join(".x.0x1.part");
    assert_eq!(std::fs::read(&part).unwrap(), bytes(95).slice(..30));

    account.0.lock().lives = None;
    account.0.lock().sent.clear();
    blobs.download_to(&url, &path, resume()).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes(95));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the part is gone");
    let sent = std::mem::take(&mut account.0.lock().sent);
    assert_eq!(sent[1].headers()["x-ms-range"], "bytes=30-39");
    assert_eq!(sent[1].headers()["if-match"], "\"0x1\"");
    assert_eq!(sent.len(), 8, "a look and seven parts");

    blobs.download_to(&url, &path, resume()).await.unwrap();
    assert_eq!(account.0.lock().sent.len(), 1, "a complete file costs a look");
}

#[tokio::test]
async fn what_is_left_of_another_version_is_not_gone_on_with() {
    let (_, blobs, url) = setup();
    blobs.put(&url, Arc::new(bytes(20)), UploadOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (stale, other) = (folder.path().join(".x.0x0.part"), folder.path().join(".x.y.0x0.part"));
    std::fs::write(&stale, b"stale").unwrap();
    std::fs::write(&other, b"of another file").unwrap();
    std::fs::write(folder.path().join(".x.0x1.part"), b"wrong").unwrap();
    let path = folder.path().join("x");
    let resume = || DownloadOptions::default().with_resume(true);
    let err = blobs.download_to(&url, &path, resume()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Decode, "the hash tells");
    blobs.download_to(&url, &path, resume()).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes(20));
    assert!(!stale.exists() && other.exists());
}

#[tokio::test]
async fn a_large_blob_that_is_there_already_is_not_sent_again() {
    let (account, blobs, url) = setup();
    let same = || in_blocks().with_skip_same(true);
    blobs.put(&url, Arc::new(bytes(95)), same()).await.unwrap();
    account.0.lock().sent.clear();
    blobs.put(&url, Arc::new(bytes(95)), same()).await.unwrap();
    assert_eq!(account.0.lock().sent.len(), 1);
    blobs.put(&url, Arc::new(Bytes::from(vec![1; 95])), same()).await.unwrap();
    assert_eq!(account.0.lock().blobs["/box/x"].0, vec![1; 95]);
}

#[tokio::test]
async fn two_downloads_of_one_file_do_not_mix() {
    let (_, blobs, url) = setup();
    blobs.put(&url, Arc::new(bytes(95)), UploadOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let options = || DownloadOptions::default().with_part_size(10).with_resume(true);
    let download = || blobs.download_to(&url, &path, options());
    let (one, two, three) = tokio::join!(download(), download(), download());
    for result in [one, two, three] {
        result.unwrap();
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes(95));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_part_that_another_download_holds_is_left_to_it() {
    let (_, blobs, url) = setup();
    blobs.put(&url, Arc::new(bytes(95)), UploadOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, part) = (folder.path().join("x"), folder.path().join(".x.0x1.part"));
    let stale = folder.path().join(".x.0x0.part");
    for path in [&part, &stale] {
        std::fs::write(path, b"of another").unwrap();
    }
    let held = [&part, &stale].map(|it| std::fs::File::open(it).unwrap());
    for it in &held {
        it.lock().unwrap();
    }
    let options = DownloadOptions::default().with_part_size(10).with_resume(true);
    blobs.download_to(&url, &path, options).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes(95));
    for path in [part, stale] {
        assert_eq!(std::fs::read(path).unwrap(), b"of another");
    }
}

#[tokio::test]
async fn a_canceled_download_may_start_again_at_once() {
    let (_, blobs, url) = setup();
    blobs.put(&url, Arc::new(bytes(95)), UploadOptions::default()).await.unwrap();
    for steps in 1..40 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let options =
            || DownloadOptions::default().with_part_size(10).with_parallel(2).with_resume(true);
        let canceled = blobs.download_to(&url, &path, options());
        let steps = async {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            _ = canceled => (),
            () = steps => (),
        }
        blobs.download_to(&url, &path, options()).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes(95));
    }
}

#[tokio::test]
async fn no_number_makes_a_transfer_panic_or_hang() {
    let (_, blobs, url) = setup();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    for size in [0, 1, u64::MAX] {
        let up = UploadOptions::default().with_block_size(size).with_parallel(0);
        blobs.put(&url, Arc::new(bytes(5)), up).await.unwrap();
        std::fs::write(folder.path().join(".x.0x1.part"), &bytes(5)[..2]).unwrap();
        let down =
            DownloadOptions::default().with_part_size(size).with_parallel(0).with_resume(true);
        blobs.download_to(&url, &path, down).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes(5));
        std::fs::remove_file(&path).unwrap();
    }
}
