//! Users: device codes and refresh tokens.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use super::{TENANT, call_at};
use crate::{MockCloud, kernel::auth};

/// Azure CLI.
const PROGRAM: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const SCOPE: &str =
    "scope=https%3A%2F%2Fmanagement.azure.com%2F.default+offline_access+openid+profile";
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";

fn url(rest: &str) -> String {
    format!("https://login.microsoftonline.com/{TENANT}/oauth2/{rest}")
}

async fn started(cloud: &MockCloud) -> Value {
    let body = format!("client_id={PROGRAM}&{SCOPE}");
    let (status, started) = call_at(cloud, "POST", &url("v2.0/devicecode"), &body).await;
    assert_eq!(status, 200, "{started}");
    started
}

async fn poll(cloud: &MockCloud, code: &Value) -> (u16, Value) {
    let code = code.as_str().unwrap();
    let body = format!("{GRANT}&client_id={PROGRAM}&client_info=1&device_code={code}");
    let (status, answer) = call_at(cloud, "POST", &url("v2.0/token"), &body).await;
    (status.as_u16(), answer)
}

async fn refused(cloud: &MockCloud, code: &Value) -> (String, u64) {
    let (status, answer) = poll(cloud, code).await;
    assert_eq!(status, 400, "{answer}");
    (answer["error"].as_str().unwrap().to_owned(), answer["error_codes"][0].as_u64().unwrap())
}

fn by_hand() -> MockCloud {
    MockCloud::builder().with_device_codes_by_hand(true).build().unwrap()
}

async fn answer(cloud: &MockCloud, user_code: &Value, approve: bool) -> u16 {
    let body = json!({ "user_code": user_code, "approve": approve }).to_string();
    call_at(cloud, "POST", "/_mock/device_codes", &body).await.0.as_u16()
}

fn claims(jwt: &Value) -> Value {
    let claims = jwt.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap()
}

#[tokio::test]
async fn a_device_code_is_approved_at_once_and_buys_tokens_of_the_user_once() {
    let cloud = MockCloud::new();
    let started = started(&cloud).await;
    assert_eq!(started["expires_in"], 900);
    let (status, answer) = poll(&cloud, &started["device_code"]).await;
    assert_eq!(status, 200, "{answer}");
    let access = auth::check(answer["access_token"].as_str().unwrap()).unwrap();
    assert_eq!((access.upn.as_str(), access.appid.as_str()), ("tester@example.com", PROGRAM));
    assert_eq!(access.aud, "https://management.azure.com");
    let id = claims(&answer["id_token"]);
    assert_eq!(
        (&id["aud"], &id["preferred_username"]),
        (&json!(PROGRAM), &json!("tester@example.com"))
    );
    let info = BASE64.decode(answer["client_info"].as_str().unwrap()).unwrap();
    let info: Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info, json!({ "uid": access.oid, "utid": TENANT }));
    assert!(answer["scope"].is_string());

    let again = refused(&cloud, &started["device_code"]).await;
    assert_eq!(again, ("invalid_grant".into(), 54_005));
}

#[tokio::test(start_paused = true)]
async fn a_program_waits_for_the_user_and_longer_when_it_does_not_wait() {
    let cloud = by_hand();
    let started = started(&cloud).await;
    let code = &started["device_code"];
    assert_eq!(refused(&cloud, code).await, ("authorization_pending".into(), 70_016));
    assert_eq!(refused(&cloud, code).await.0, "slow_down");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(refused(&cloud, code).await.0, "slow_down", "ten seconds are asked for now");
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(refused(&cloud, code).await.0, "authorization_pending");

    // As people write it.
    let shown = started["user_code"].as_str().unwrap();
    let (first, second) = shown.split_at(4);
    assert_eq!(answer(&cloud, &json!(format!("{first}-{second}").to_lowercase()), true).await, 200);
    assert_eq!(answer(&cloud, &started["user_code"], true).await, 409);
    assert_eq!(poll(&cloud, code).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_declined_an_expired_and_an_unknown_code_are_told_apart() {
    let cloud = by_hand();
    let declined = started(&cloud).await;
    assert_eq!(answer(&cloud, &declined["user_code"], false).await, 200);
    let code = &declined["device_code"];
    assert_eq!(refused(&cloud, code).await, ("authorization_declined".into(), 65_004));

    let expired = started(&cloud).await;
    tokio::time::sleep(Duration::from_secs(900)).await;
    let code = &expired["device_code"];
    assert_eq!(refused(&cloud, code).await, ("expired_token".into(), 70_019));
    assert_eq!(answer(&cloud, &expired["user_code"], true).await, 404);

    let unknown = refused(&cloud, &json!("none")).await;
    assert_eq!(unknown, ("bad_verification_code".into(), 70_018));
}

#[tokio::test]
async fn the_page_takes_the_answer_of_the_user() {
    let cloud = by_hand();
    let started = started(&cloud).await;
    let page = started["verification_uri"].as_str().unwrap();
    assert_eq!(call_at(&cloud, "GET", page, "").await.0, 200);
    let body = format!("user_code={}&action=decline", started["user_code"].as_str().unwrap());
    assert_eq!(call_at(&cloud, "POST", page, &body).await.0, 200);
    let code = &started["device_code"];
    assert_eq!(refused(&cloud, code).await.0, "authorization_declined");
    let (_, all) = call_at(&cloud, "GET", "/_mock/device_codes", "").await;
    assert_eq!(all["device_codes"][0]["state"], "declined");
    assert!(!all.to_string().contains(code.as_str().unwrap()), "the code is a secret");
}

#[tokio::test]
async fn the_first_generation_writes_numbers_as_texts_and_calls_the_code_a_code() {
    let cloud = MockCloud::new();
    let body = format!("client_id={PROGRAM}&resource=https%3A%2F%2Fmanagement.azure.com%2F");
    let (_, started) = call_at(&cloud, "POST", &url("devicecode"), &body).await;
    assert_eq!((&started["interval"], &started["expires_in"]), (&json!("5"), &json!("900")));
    assert_eq!(started["verification_url"], started["verification_uri"]);
    let code = started["device_code"].as_str().unwrap();
    let body = format!("grant_type=device_code&client_id={PROGRAM}&code={code}");
    let (status, answer) = call_at(&cloud, "POST", &url("token"), &body).await;
    assert_eq!((status.as_u16(), &answer["expires_in"]), (200, &json!("3600")));
    assert!(answer["refresh_token"].is_string());
}

#[tokio::test]
async fn the_journal_of_a_sign_in_shows_no_code_that_buys_tokens_and_no_token() {
    let cloud = MockCloud::new();
    let second = started(&cloud).await;
    let bought = poll(&cloud, &second["device_code"]).await.1;
    let body = format!("client_id={PROGRAM}&resource=https%3A%2F%2Fmanagement.azure.com%2F");
    let (_, first) = call_at(&cloud, "POST", &url("devicecode"), &body).await;
    let code = first["device_code"].as_str().unwrap();
    let body = format!("grant_type=device_code&client_id={PROGRAM}&code={code}");
    let (_, bought_too) = call_at(&cloud, "POST", &url("token"), &body).await;

    let (_, journal) = call_at(&cloud, "GET", "/_mock/journal", "").await;
    assert_eq!(journal["exchanges"].as_array().unwrap().len(), 4);
    let journal = journal.to_string();
    for answer in [second, bought, first, bought_too] {
        for name in ["device_code", "access_token", "refresh_token", "id_token"] {
            let shown = answer[name].as_str().is_some_and(|it| journal.contains(it));
            assert!(!shown, "{name} is in {journal}");
        }
    }
}

#[tokio::test]
async fn only_known_programs_and_good_scopes_start_a_sign_in() {
    let cloud = MockCloud::new();
    let cases = [
        (format!("client_id=6&{SCOPE}"), 700_016),
        (format!("client_id={PROGRAM}"), 900_144),
        (SCOPE.to_owned(), 900_144),
        (format!("client_id={PROGRAM}&scope=openid"), 70_011),
    ];
    for (body, number) in cases {
        let (status, answer) = call_at(&cloud, "POST", &url("v2.0/devicecode"), &body).await;
        assert_eq!((status.as_u16(), &answer["error_codes"]), (400, &json!([number])), "{body}");
    }
    for authority in ["common", "organizations"] {
        let url = format!("https://login.microsoftonline.com/{authority}/oauth2/v2.0/devicecode");
        let body = format!("client_id={PROGRAM}&{SCOPE}");
        assert_eq!(call_at(&cloud, "POST", &url, &body).await.0, 200, "{authority}");
    }
}

#[tokio::test]
async fn a_refresh_token_buys_tokens_for_any_resource_and_a_new_refresh_token() {
    let cloud = MockCloud::new();
    let (_, first) = poll(&cloud, &started(&cloud).await["device_code"]).await;
    let refresh = |client: &str, token: &str| {
        format!(
            "grant_type=refresh_token&client_id={client}&refresh_token={token}&scope=https%3A%2F%2Fml.azure.com%2F.default+openid"
        )
    };
    let token = first["refresh_token"].as_str().unwrap();
    let (status, second) =
        call_at(&cloud, "POST", &url("v2.0/token"), &refresh(PROGRAM, token)).await;
    assert_eq!(status, 200, "{second}");
    let access = auth::check(second["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(
        (access.aud.as_str(), access.upn.as_str()),
        ("https://ml.azure.com", "tester@example.com")
    );
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let newer = second["refresh_token"].as_str().unwrap();
    assert_eq!(call_at(&cloud, "POST", &url("v2.0/token"), &refresh(PROGRAM, newer)).await.0, 200);

    let other = "1950a258-227b-4e31-a9cf-717495945fc2";
    for wrong in [refresh(PROGRAM, "nonsense"), refresh(other, token)] {
        let (status, answer) = call_at(&cloud, "POST", &url("v2.0/token"), &wrong).await;
        assert_eq!((status.as_u16(), &answer["error"]), (400, &json!("invalid_grant")));
    }
    assert!(auth::check(token).is_err(), "a refresh token opens no gate");
}

#[tokio::test]
async fn grants_that_are_not_emulated_are_refused_by_name() {
    let cloud = MockCloud::new();
    for grant in ["authorization_code", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
        let body = format!("grant_type={grant}&client_id={PROGRAM}");
        let (status, answer) = call_at(&cloud, "POST", &url("v2.0/token"), &body).await;
        assert_eq!((status.as_u16(), &answer["error"]), (400, &json!("unsupported_grant_type")));
        assert_eq!(answer["error_codes"], json!([70_003]));
    }
}
