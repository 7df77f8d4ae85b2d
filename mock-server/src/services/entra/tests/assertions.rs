//! Programs that show a JWT in place of a secret.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{TENANT, call_at};
use crate::{
    MockCloud,
    kernel::{auth, clock},
};

const CLIENT: &str = "55555555-5555-5555-5555-555555555555";
const TYPE: &str =
    "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

fn endpoint() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token")
}

/// The number of the refusal, 0 for none.
async fn outcome(cloud: &MockCloud, header: &Value, claims: &Value) -> u64 {
    let assertion = auth::sign_with(header, claims);
    let body = format!(
        "grant_type=client_credentials&client_id={CLIENT}&{TYPE}&client_assertion={assertion}&scope=https%3A%2F%2Fml.azure.com%2F.default"
    );
    let (_, answer) = call_at(cloud, "POST", &endpoint(), &body).await;
    answer["error_codes"][0].as_u64().unwrap_or_else(|| {
        assert!(answer["access_token"].is_string(), "{answer}");
        0
    })
}

fn own() -> Value {
    let now = clock::wall().unix_timestamp();
    json!({ "iss": CLIENT, "sub": CLIENT, "aud": endpoint(), "nbf": now, "exp": now + 600, "jti": "1" })
}

fn workload() -> Value {
    let now = clock::wall().unix_timestamp();
    json!({
        "iss": "https://issuer.test", "sub": "system:serviceaccount:ns:sa",
        "aud": ["api://AzureADTokenExchange"], "exp": now + 600,
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn an_assertion_of_ones_own_names_oneself_the_endpoint_and_a_time() {
    let cloud = MockCloud::new();
    let header = known(&cloud).await;
    let now = clock::wall().unix_timestamp();
    let cases = [
        (own(), 0),
        (with(own(), "sub", json!("other")), 700_021),
        (with(own(), "aud", json!("https://elsewhere.test/token")), 700_023),
        (with(own(), "aud", json!(endpoint().replace(TENANT, "other"))), 700_023),
        (with(own(), "exp", json!(now - 3600)), 700_024),
        (with(own(), "nbf", json!(now + 3600)), 700_024),
        (json!({ "iss": CLIENT }), 50_027),
    ];
    for (claims, number) in cases {
        assert_eq!(outcome(&cloud, &header, &claims).await, number, "{claims}");
    }
    assert_eq!(outcome(&cloud, &json!({ "alg": "none" }), &own()).await, 50_027);
}

/// The least of a certificate that holds the key of the mock.
fn certificate() -> Vec<u8> {
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }
    let algorithm = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = element(0x03, &[&[0], auth::public_key_der()].concat());
    let key = element(0x30, &[element(0x30, &algorithm), bits].concat());
    let mut fields = element(0xa0, &[2, 1, 2]);
    fields.extend([2, 1, 1]);
    for _ in 0..4 {
        fields.extend(element(0x30, &[]));
    }
    fields.extend(key);
    element(0x30, &element(0x30, &fields))
}

/// Makes the certificate known, and gives the header that names it.
async fn known(cloud: &MockCloud) -> Value {
    let der = certificate();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(&der)
    );
    assert_eq!(register(cloud, json!({ "certificate": pem })).await, 200);
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&der));
    json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": thumbprint })
}

async fn register(cloud: &MockCloud, what: Value) -> u16 {
    let body = with(what, "client_id", json!(CLIENT)).to_string();
    call_at(cloud, "POST", "/_mock/apps", &body).await.0.as_u16()
}

#[tokio::test]
async fn the_signature_has_to_be_of_the_key_of_a_certificate_that_is_known() {
    let cloud = MockCloud::new();
    let unnamed = json!({ "alg": "RS256" });
    assert_eq!(outcome(&cloud, &unnamed, &own()).await, 700_027);
    let header = known(&cloud).await;
    assert_eq!(outcome(&cloud, &header, &own()).await, 0);
    assert_eq!(outcome(&cloud, &unnamed, &own()).await, 700_027);
    // The key signed something else than what is asked to be believed.
    let other_algorithm = with(header, "alg", json!("PS256"));
    assert_eq!(outcome(&cloud, &other_algorithm, &own()).await, 700_027);
    assert_eq!(register(&cloud, json!({ "certificate": "nonsense" })).await, 400);
}

#[tokio::test]
async fn a_workload_is_known_by_audience_and_once_registered_by_issuer_and_subject() {
    let cloud = MockCloud::new();
    let header = json!({ "alg": "RS256", "kid": "k" });
    assert_eq!(outcome(&cloud, &header, &workload()).await, 0);
    let elsewhere = with(workload(), "aud", json!("api://other"));
    assert_eq!(outcome(&cloud, &header, &elsewhere).await, 700_212);

    let federated =
        json!({ "issuer": "https://issuer.test", "subject": "system:serviceaccount:ns:sa" });
    assert_eq!(register(&cloud, json!({ "federated": federated })).await, 200);
    assert_eq!(outcome(&cloud, &header, &workload()).await, 0);
    let other = with(workload(), "sub", json!("system:serviceaccount:ns:other"));
    assert_eq!(outcome(&cloud, &header, &other).await, 700_213);
    let other = with(workload(), "iss", json!("https://other.test"));
    assert_eq!(outcome(&cloud, &header, &other).await, 700_211);
}

#[tokio::test]
async fn an_application_that_is_made_known_signs_in_with_its_secret() {
    let cloud = MockCloud::new();
    let body = json!({ "client_id": "app-2", "secret": "fake-second" }).to_string();
    assert_eq!(call_at(&cloud, "POST", "/_mock/apps", &body).await.0, 200);
    let body = "grant_type=client_credentials&client_id=app-2&client_secret=fake-second&scope=x%2F.default";
    assert_eq!(call_at(&cloud, "POST", &endpoint(), body).await.0, 200);
}
