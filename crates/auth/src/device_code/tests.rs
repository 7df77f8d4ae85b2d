use azml_core::TokenCache;
use azml_fixtures::Exchange;
use parking_lot::Mutex as Lock;
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout};

use super::*;
use crate::testing::{Authority, TENANT_ID, arm};

const STARTED: &str = r#"{"device_code":"fake-device-code","user_code":"ABCD-1234","verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"interval":5,"message":"Enter ABCD-1234."}"#;
const PENDING: &str =
    r#"{"error":"authorization_pending","error_description":"AADSTS70016: Pending."}"#;
const SLOW_DOWN: &str = r#"{"error":"slow_down","error_description":"Slower."}"#;
const GRANTED: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"fake-first","refresh_token":"fake-refresh-1"}"#;

type Prompts = Arc<Lock<Vec<DeviceCodePrompt>>>;

fn credential(authority: Authority) -> (Arc<Authority>, DeviceCodeCredential, Prompts) {
    let (authority, prompts) = (Arc::new(authority), Prompts::default());
    let cloud = Cloud::public().with_authority("https://login.a.test");
    let told = prompts.clone();
    let credential =
        DeviceCodeCredential::new(&cloud, authority.clone(), TENANT_ID, "app", move |prompt| {
            told.lock().push(prompt.clone());
        });
    (authority, credential.unwrap(), prompts)
}

fn assert_encodes(operation: &impl Operation, exchange: &Exchange) {
    let request = operation.encode("https://login.a.test").unwrap();
    assert_eq!(request.method().as_str(), exchange.request.method);
    assert_eq!(request.uri().path(), exchange.request.path);
    // The body is a form, which the fixture shows field by field.
    let body = std::str::from_utf8(request.body()).unwrap();
    let expected = exchange.request.body.as_ref().unwrap().as_object().unwrap();
    assert_eq!(body.split('&').count(), expected.len());
    for (key, value) in expected {
        let value = value.as_str().unwrap().replace(':', "%3A").replace('/', "%2F");
        let field = format!("{key}={}", value.replace(' ', "%20"));
        assert!(body.split('&').any(|it| it == field), "{field} is not in {body}");
    }
}

fn response(exchange: &Exchange) -> azml_core::Response {
    let body = bytes::Bytes::from(exchange.response.body.to_string());
    http::Response::builder().status(exchange.response.status).body(body).unwrap()
}

#[test]
fn a_code_is_asked_for_as_documented() {
    let exchange = azml_fixtures::load("entra/device-code");
    let start = Start { tenant_id: TENANT_ID, client_id: "app", scope: &arm() };
    assert_encodes(&start, &exchange);
    let started = start.decode(response(&exchange)).unwrap();
    assert_eq!(started.user_code, "FAKECODE1");
    assert_eq!((started.interval, started.expires_in), (5, 900));
}

#[test]
fn a_token_is_asked_for_as_documented() {
    let exchange = azml_fixtures::load("entra/token-device-code");
    let code = SecretString::from("fake-device-code");
    let grant = Grant::DeviceCode(&code);
    let token = Token { tenant_id: TENANT_ID, client_id: "app", grant };
    assert_encodes(&token, &exchange);
    let Answer::Granted(granted) = token.decode(response(&exchange)).unwrap() else {
        panic!("not granted")
    };
    assert_eq!(granted.access_token.expose_secret(), "fake-access-token");
    assert!(granted.refresh_token.is_some());

    let pending = azml_fixtures::load("entra/token-device-code-pending");
    assert_encodes(&token, &pending);
    assert!(matches!(token.decode(response(&pending)).unwrap(), Answer::Pending));

    let exchange = azml_fixtures::load("entra/token-refresh");
    let (old, scope) = (SecretString::from("fake-refresh-token"), arm());
    let grant = Grant::Refresh(&old, &scope);
    assert_encodes(&Token { tenant_id: TENANT_ID, client_id: "app", grant }, &exchange);
}

#[tokio::test(start_paused = true)]
async fn a_person_signs_in_once_and_later_tokens_come_silently() {
    let authority = Authority::default()
        .then(200, STARTED)
        .then(400, PENDING)
        .then(400, SLOW_DOWN)
        .then(503, "busy")
        .then(400, PENDING)
        .then(200, GRANTED)
        .then(200, r#"{"expires_in":3599,"access_token":"fake-second"}"#)
        .then(200, r#"{"expires_in":3599,"access_token":"fake-third","refresh_token":"fake-2"}"#);
    let (authority, credential, prompts) = credential(authority);
    let start = Instant::now();
    let token = credential.token(&arm()).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "fake-first");
    // 5, 5, then 10 s after the authority asked for patience.
    assert_eq!(start.elapsed(), Duration::from_secs(5 + 5 + 10 + 10 + 10));
    assert_eq!(prompts.lock()[0].user_code, "ABCD-1234");
    assert_eq!(prompts.lock()[0].message, "Enter ABCD-1234.");

    for expected in ["fake-second", "fake-third"] {
        let token = credential.token(&Scope::resource("https://storage.azure.com")).await.unwrap();
        assert_eq!(token.secret.expose_secret(), expected);
    }
    assert_eq!(prompts.lock().len(), 1);
    let last = authority.seen().last().unwrap().1.clone();
    assert!(last.contains("refresh_token=fake-refresh-1"), "{last}");
    let text = format!("{credential:?}");
    assert!(!text.contains("fake-refresh") && !text.contains("fake-device"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_enters_ends_in_time() {
    let mut authority = Authority::default().then(200, STARTED);
    for _ in 0..200 {
        authority = authority.then(400, PENDING);
    }
    let (_, credential, _) = credential(authority);
    let start = Instant::now();
    let err = credential.token(&arm()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Timeout);
    assert_eq!(
        err.to_string(),
        "auth.device_code failed: nobody entered the code ABCD-1234 within 900 s; sign in again to get another"
    );
    assert_eq!(start.elapsed(), Duration::from_secs(900));
}

#[tokio::test(start_paused = true)]
async fn a_person_may_decline_and_the_authority_may_end_the_code() {
    let cases = [
        ("authorization_declined", ErrorKind::Canceled),
        ("expired_token", ErrorKind::Timeout),
        ("bad_verification_code", ErrorKind::Unauthenticated),
    ];
    for (code, kind) in cases {
        let body = format!(r#"{{"error":"{code}","error_description":"No."}}"#);
        let authority = Authority::default().then(200, STARTED).then(400, body);
        let (_, credential, _) = credential(authority);
        let err = credential.token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), kind);
        assert_eq!(err.to_string(), format!("entra.token failed: 400 {code}: No."));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_goes_on_with_the_same_code() {
    let authority = Authority::default().then(200, STARTED).then(400, PENDING).then(200, GRANTED);
    let (_, credential, prompts) = credential(authority);
    let scope = arm();
    timeout(Duration::from_secs(7), credential.token(&scope)).await.unwrap_err();
    let token = credential.token(&scope).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "fake-first");
    assert_eq!(prompts.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_code_entered_for_another_scope_serves_this_one_too() {
    let authority = Authority::default()
        .then(200, STARTED)
        .then(200, GRANTED)
        .then(200, r#"{"expires_in":3599,"access_token":"fake-second"}"#);
    let (_, credential, prompts) = credential(authority);
    timeout(Duration::from_secs(2), credential.token(&arm())).await.unwrap_err();
    let storage = Scope::resource("https://storage.azure.com");
    let token = credential.token(&storage).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "fake-second");
    assert_eq!(prompts.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_refresh_asks_the_person_again() {
    for code in ["invalid_grant", "interaction_required"] {
        let refused = format!(r#"{{"error":"{code}","error_description":"AADSTS700082: No."}}"#);
        let authority = Authority::default()
            .then(200, STARTED)
            .then(200, GRANTED)
            .then(400, refused)
            .then(200, STARTED)
            .then(200, GRANTED);
        let (_, credential, prompts) = credential(authority);
        credential.token(&arm()).await.unwrap();
        credential.token(&arm()).await.unwrap();
        assert_eq!(prompts.lock().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_failed_for_another_reason_keeps_the_sign_in() {
    let faults = [
        (400, r#"{"error":"invalid_scope","error_description":"AADSTS70011: No such scope."}"#),
        (401, r#"{"error":"invalid_client","error_description":"AADSTS7000218: No."}"#),
        (403, "<html>a proxy says no</html>"),
    ];
    for (status, body) in faults {
        let authority = Authority::default()
            .then(200, STARTED)
            .then(200, GRANTED)
            .then(status, body)
            .then(200, r#"{"expires_in":3599,"access_token":"fake-second"}"#);
        let (_, credential, prompts) = credential(authority);
        credential.token(&arm()).await.unwrap();
        let err = credential.token(&arm()).await.unwrap_err();
        assert_eq!(err.service_fault().map(|it| it.status), Some(status));
        let token = credential.token(&arm()).await.unwrap();
        assert_eq!(token.secret.expose_secret(), "fake-second");
        assert_eq!(prompts.lock().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_beyond_the_calendar_is_an_error() {
    for seconds in ["999999999999", "9223372036854775807"] {
        let started = STARTED.replace("900", seconds);
        let (_, credential, prompts) = credential(Authority::default().then(200, started));
        let err = credential.token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Decode);
        assert_eq!(
            err.to_string(),
            format!(
                "entra.device_code failed: expires_in: {seconds} s from now is after the year 9999"
            )
        );
        assert_eq!(prompts.lock().len(), 0);

        let granted = GRANTED.replace("3599", seconds);
        let authority = Authority::default().then(200, STARTED).then(200, granted);
        let (_, credential, _) = self::credential(authority);
        assert_eq!(credential.token(&arm()).await.unwrap_err().kind(), ErrorKind::Decode);
    }
}

#[tokio::test(start_paused = true)]
async fn many_callers_cause_one_prompt() {
    let authority = Authority::default().then(200, STARTED).then(400, PENDING).then(200, GRANTED);
    let (_, credential, prompts) = credential(authority);
    let cache = Arc::new(TokenCache::new(Arc::new(credential), Arc::new(TokioClock::new())));
    let mut waiters = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let cache = cache.clone();
        waiters.spawn(async move { cache.token(&arm()).await.unwrap() });
    }
    for token in waiters.join_all().await {
        assert_eq!(token.secret.expose_secret(), "fake-first");
    }
    assert_eq!(prompts.lock().len(), 1);
}

#[test]
fn a_missing_part_is_named() {
    let authority = Arc::new(Authority::default());
    let err = DeviceCodeCredential::new(&Cloud::public(), authority, "organizations", "", |_| ());
    assert_eq!(
        err.unwrap_err().to_string(),
        "auth.device_code failed: client id: is empty; give it a value"
    );
}
