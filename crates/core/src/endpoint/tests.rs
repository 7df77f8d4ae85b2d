use std::collections::VecDeque;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use time::OffsetDateTime;

use super::*;
use crate::{BodySource, RequestBuilder, azure};

type Answer = Result<Response, TransportError>;

/// Gives the planned answers in turn and keeps what was sent.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<Request>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    fn authorizations(&self) -> Vec<String> {
        let text = |it: &Request| it.headers()["authorization"].to_str().unwrap().to_owned();
        self.sent.lock().iter().map(text).collect()
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request) -> Answer {
        self.sent.lock().push(request);
        let answer = self.answers.lock().pop_front();
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

/// Stands still, except for the waits, which it writes down.
#[derive(Debug, Default)]
struct Diary(Mutex<Vec<Duration>>);

#[async_trait]
impl Clock for Diary {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + self.0.lock().iter().sum::<Duration>()
    }

    async fn sleep(&self, wait: Duration) {
        self.0.lock().push(wait);
    }
}

struct Ping<const IDEMPOTENT: bool>;

impl<const IDEMPOTENT: bool> Operation for Ping<IDEMPOTENT> {
    const NAME: &'static str = "test.ping";
    const IDEMPOTENT: bool = IDEMPOTENT;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, http::Method::GET, base).path("/ping").build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

/// Hands out `token-1`, `token-2` and so on.
#[derive(Debug, Default)]
struct Counted(Mutex<u32>);

#[async_trait]
impl TokenCredential for Counted {
    async fn token(&self, _: &Scope) -> Result<AccessToken> {
        let mut number = self.0.lock();
        *number += 1;
        let expires_at = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(3600);
        Ok(AccessToken::new(format!("token-{number}"), expires_at))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "stands beside answers that are failures")]
fn status(status: u16) -> Answer {
    Ok(http::Response::builder().status(status).body(Bytes::new()).unwrap())
}

fn unreachable() -> Answer {
    Err(TransportError::Connect("no route".into()))
}

fn broken() -> Answer {
    Err(TransportError::Interrupted("reset".into()))
}

fn endpoint(script: &Arc<Scripted>) -> (Endpoint, Arc<Diary>) {
    let diary = Arc::new(Diary::default());
    let retry = RetryPolicy::default().with_jitter_seed(1);
    let endpoint = Endpoint::new("https://a.test/", script.clone())
        .with_retry(retry)
        .with_clock(diary.clone());
    (endpoint, diary)
}

#[tokio::test]
async fn each_wait_is_up_to_twice_the_last() {
    let script = Scripted::new([unreachable(), unreachable(), unreachable(), unreachable()]);
    let (endpoint, diary) = endpoint(&script);

    let err = endpoint.call(&Ping::<false>).await.unwrap_err();

    assert_eq!(err.kind(), ErrorKind::Unreachable);
    assert_eq!(err.to_string(), "test.ping failed after 4 attempts");
    let waits = diary.0.lock().clone();
    assert_eq!(waits.len(), 3);
    for (wait, most) in waits.iter().zip([500, 1000, 2000].map(Duration::from_millis)) {
        assert!(most / 2 <= *wait && *wait <= most, "{waits:?}");
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_waits() {
    let mut diaries = Vec::new();
    for _ in 0..2 {
        let script = Scripted::new([unreachable(), unreachable(), status(200)]);
        let (endpoint, diary) = endpoint(&script);
        endpoint.call(&Ping::<false>).await.unwrap();
        diaries.push(diary.0.lock().clone());
    }
    assert_eq!(diaries[0], diaries[1]);
}

#[tokio::test]
async fn the_wait_that_the_service_asks_for_is_kept_to_the_letter() {
    let refusal =
        http::Response::builder().status(429).header("retry-after", "7").body(Bytes::new());
    let script = Scripted::new([Ok(refusal.unwrap()), status(200)]);
    let (endpoint, diary) = endpoint(&script);
    endpoint.call(&Ping::<false>).await.unwrap();
    assert_eq!(*diary.0.lock(), [Duration::from_secs(7)]);
}

#[tokio::test]
async fn a_call_that_is_not_idempotent_is_repeated_only_if_the_service_did_not_act() {
    for (answer, is_repeated) in [
        (unreachable as fn() -> Answer, true),
        (|| status(429), true),
        (|| status(502), false),
        (|| status(400), false),
        (broken, false),
    ] {
        let script = Scripted::new([answer(), status(200)]);
        let (endpoint, _) = endpoint(&script);
        assert_eq!(endpoint.call(&Ping::<false>).await.is_ok(), is_repeated, "{:?}", answer());
        assert_eq!(script.sent.lock().len(), 1 + usize::from(is_repeated));
    }
}

#[tokio::test]
async fn an_idempotent_call_survives_a_broken_connection() {
    let script = Scripted::new([broken(), status(503), status(200)]);
    let (endpoint, _) = endpoint(&script);
    endpoint.call(&Ping::<true>).await.unwrap();
}

#[tokio::test]
async fn what_is_not_implemented_is_not_asked_twice() {
    let script = Scripted::new([status(501)]);
    let (endpoint, _) = endpoint(&script);
    assert_eq!(endpoint.call(&Ping::<true>).await.unwrap_err().kind(), ErrorKind::Other);
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once_even_for_a_call_that_is_not_idempotent() {
    let script = Scripted::new([status(401), status(200), status(200)]);
    let (endpoint, _) = endpoint(&script);
    let scope = Scope::resource("https://a.test");
    let endpoint = endpoint.with_credential(Arc::new(Counted::default()), scope);

    endpoint.call(&Ping::<false>).await.unwrap();
    endpoint.call(&Ping::<false>).await.unwrap();

    let expected = ["Bearer token-1", "Bearer token-2", "Bearer token-2"];
    assert_eq!(script.authorizations(), expected);
    assert!(!format!("{endpoint:?} {:?}", script.sent).contains("token-2"));
}

#[tokio::test]
async fn a_second_rejection_is_final() {
    let script = Scripted::new([status(401), status(401)]);
    let (endpoint, _) = endpoint(&script);
    let scope = Scope::resource("https://a.test");
    let endpoint = endpoint.with_credential(Arc::new(Counted::default()), scope);

    let err = endpoint.call(&Ping::<true>).await.unwrap_err();

    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert_eq!(err.attempts(), 2);
}

/// Has a token for those who ask a second time.
#[derive(Debug, Default)]
struct Sleepy(Mutex<bool>);

#[async_trait]
impl TokenCredential for Sleepy {
    async fn token(&self, _: &Scope) -> Result<AccessToken> {
        let mut is_awake = self.0.lock();
        if !std::mem::replace(&mut *is_awake, true) {
            return Err(Error::explained("test.token", ErrorKind::Unavailable, "asleep"));
        }
        let expires_at = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(3600);
        Ok(AccessToken::new("token", expires_at))
    }
}

#[tokio::test]
async fn a_call_that_got_no_token_was_not_sent_and_is_repeated() {
    let script = Scripted::new([status(200)]);
    let (endpoint, _) = endpoint(&script);
    let scope = Scope::resource("https://a.test");
    let endpoint = endpoint.with_credential(Arc::new(Sleepy::default()), scope);
    endpoint.call(&Ping::<false>).await.unwrap();
}

#[tokio::test]
async fn another_base_has_the_same_identity_and_another_none_at_all() {
    let script = Scripted::new([status(200), status(200)]);
    let (endpoint, _) = endpoint(&script);
    let endpoint =
        endpoint.with_credential(Arc::new(Counted::default()), Scope::resource("https://a.test"));

    endpoint.at("https://b.test/path/").call(&Ping::<true>).await.unwrap();
    endpoint.without_credential().call(&Ping::<true>).await.unwrap();

    let sent = script.sent.lock();
    assert_eq!(sent[0].uri(), "https://b.test/path/ping");
    assert!(sent[0].headers()["authorization"].is_sensitive());
    assert!(!sent[1].headers().contains_key("authorization"));
}

#[tokio::test(start_paused = true)]
async fn a_try_that_takes_too_long_is_given_up_and_so_is_the_call() {
    let script = Scripted::new([]);
    let retry = RetryPolicy::default()
        .with_attempt_timeout(Duration::from_secs(10))
        .with_total_timeout(Duration::from_secs(25));
    let endpoint = Endpoint::new("https://a.test", script.clone()).with_retry(retry);

    let start = tokio::time::Instant::now();
    let err = endpoint.call(&Ping::<true>).await.unwrap_err();

    assert_eq!(err.kind(), ErrorKind::Timeout);
    assert!(start.elapsed() <= Duration::from_secs(25), "{:?}", start.elapsed());
    assert_eq!(script.sent.lock().len(), 3);
    assert_eq!(err.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_is_not_repeated_after_a_timeout() {
    let script = Scripted::new([]);
    let endpoint = Endpoint::new("https://a.test", script.clone());
    let err = endpoint.call(&Ping::<false>).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Timeout);
    assert_eq!(script.sent.lock().len(), 1);
}

/// Sends a large body, of which it takes a mebibyte every two seconds.
#[derive(Debug, Default)]
struct Slow(Mutex<Vec<u64>>);

#[async_trait]
impl Transport for Slow {
    async fn send(&self, _: Request) -> Answer {
        unreachable!("the body of the call is a source")
    }

    async fn send_source(&self, _: Request, source: Arc<dyn BodySource>) -> Answer {
        self.0.lock().push(source.len());
        tokio::time::sleep(Duration::from_secs(source.len() / SLOWEST * 2)).await;
        Ok(http::Response::new(Bytes::new()))
    }
}

struct Upload(u64);

/// As long as it says, without any bytes.
#[derive(Debug)]
struct Length(u64);

#[async_trait]
impl BodySource for Length {
    fn len(&self) -> u64 {
        self.0
    }

    async fn read(&self, _: std::ops::Range<u64>) -> std::io::Result<Bytes> {
        Ok(Bytes::new())
    }
}

impl Operation for Upload {
    const NAME: &'static str = "test.upload";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, http::Method::PUT, base).path("/file").build()
    }

    fn source(&self) -> Option<Arc<dyn BodySource>> {
        Some(Arc::new(Length(self.0)))
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_body_has_the_time_that_it_needs_and_no_more() {
    let transport = Arc::new(Slow::default());
    let endpoint =
        Endpoint::new("https://a.test", transport.clone()).with_retry(RetryPolicy::never());
    // Two seconds a mebibyte: 180 s of the 100 s and 90 s that there are.
    endpoint.call(&Upload(90 * SLOWEST)).await.unwrap();
    // 400 s of 100 s and 200 s.
    let err = endpoint.call(&Upload(200 * SLOWEST)).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Timeout);
    assert_eq!(*transport.0.lock(), [90 * SLOWEST, 200 * SLOWEST]);
}
