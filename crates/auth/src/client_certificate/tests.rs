use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use secrecy::ExposeSecret;
use serde_json::Value;
use time::macros::datetime;

use super::*;
use crate::testing::{Authority, TENANT_ID, arm};

/// A key and a self-signed certificate of no use anywhere.
const PEM: &str = include_str!("../../../../fixtures/certificates/client.pem");
const THUMBPRINT: &str = "8E32F34C32F575D94C5CFE1CB5029BCE0F4B68D2AFD0F233E2F598E75DCC6A88";

fn certificate() -> ClientCertificate {
    ClientCertificate::from_pem(PEM).unwrap()
}

/// The two blocks of the file, key and certificate.
fn blocks() -> (String, String) {
    let (key, certificate) = PEM.split_at(PEM.find("-----BEGIN CERTIFICATE").unwrap());
    (key.to_owned(), certificate.to_owned())
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn statement(certificate: ClientCertificate) -> Statement {
    Statement {
        audience: "https://login.a.test/t/oauth2/v2.0/token".to_owned(),
        client_id: "app".to_owned(),
        certificate: Arc::new(certificate),
    }
}

#[test]
fn a_statement_says_who_to_whom_and_until_when() {
    let now = datetime!(2026-01-01 00:00 UTC);
    let token = statement(certificate()).at(now, Uuid::nil()).unwrap();
    insta::assert_snapshot!(part(&token, 0), @r#"{"alg":"RS256","typ":"JWT","x5t":"3uYBnPh5OSdDkSILzV4iPqMzBpM","x5t#S256":"jjLzTDL1ddlMXP4ctQKbzg9LaNKv0PIz4vWY513Maog"}"#);
    insta::assert_snapshot!(part(&token, 1), @r#"{"aud":"https://login.a.test/t/oauth2/v2.0/token","exp":1767226200,"iat":1767225600,"iss":"app","jti":"00000000-0000-0000-0000-000000000000","nbf":1767225600,"sub":"app"}"#);
}

#[test]
fn the_certificates_own_key_checks_the_signature() {
    let token = statement(certificate()).at(OffsetDateTime::UNIX_EPOCH, Uuid::nil()).unwrap();
    let (text, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let pair = rustls_pki_types::PrivatePkcs8KeyDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let pair = ring::rsa::KeyPair::from_pkcs8(pair.secret_pkcs8_der()).unwrap();
    let public = ring::signature::KeyPair::public_key(&pair).as_ref();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(text.as_bytes(), &signature).unwrap();
}

#[test]
fn the_chain_is_sent_when_asked_for_its_own_certificate_first() {
    let (key, own) = blocks();
    let other = foreign_certificate();
    let pem = format!("{other}{own}{key}");
    let certificate = ClientCertificate::from_pem(pem).unwrap();
    assert_eq!(certificate.thumbprint(), THUMBPRINT);
    let token = statement(certificate.with_chain());
    let header = part(&token.at(OffsetDateTime::UNIX_EPOCH, Uuid::nil()).unwrap(), 0);
    let chain = header["x5c"].as_array().unwrap();
    let der = CertificateDer::from_pem_slice(own.as_bytes()).unwrap();
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[0], STANDARD.encode(der));
}

/// A block that is labeled as a certificate and holds another key.
fn foreign_certificate() -> String {
    let text = STANDARD.encode([0_u8; 40]);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    let (key, own) = blocks();
    let cases = [
        (own.clone(), "certificate: has no private key; put it into the same file"),
        (key.clone(), "certificate: is missing; put it into the same file as the key"),
        (
            format!("{key}{}", foreign_certificate()),
            "certificate: belongs to another private key; give the two that belong together",
        ),
        (
            "binary".to_owned(),
            "certificate: is no PEM; convert a PFX with `openssl pkcs12 -in FILE -out FILE.pem -nodes`",
        ),
        (
            PEM.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
            "certificate: the private key is encrypted; decrypt it with `openssl pkey -in FILE -out KEY`",
        ),
        (
            PEM.replace("PRIVATE KEY", "EC PRIVATE KEY"),
            "certificate: the private key is no RSA key; Entra takes no other",
        ),
    ];
    for (pem, reason) in cases {
        let err = ClientCertificate::from_pem(&pem).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
        assert_eq!(err.to_string(), format!("auth.client_certificate failed: {reason}"));
    }
    let err = ClientCertificate::read(Path::new("no/such.pem")).unwrap_err();
    assert!(err.to_string().contains("cannot read no/such.pem"), "{err}");
}

#[tokio::test]
async fn a_certificate_becomes_a_token_and_the_key_stays_here() {
    let authority = Arc::new(Authority::default());
    let cloud = Cloud::public().with_authority("https://login.a.test");
    let credential = ClientCertificateCredential::new(
        &cloud,
        authority.clone(),
        TENANT_ID,
        "app",
        certificate(),
    )
    .unwrap();
    let token = credential.token(&arm()).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "fake-token-1");

    let (address, body) = authority.seen()[0].clone();
    assert_eq!(address, format!("https://login.a.test/{TENANT_ID}/oauth2/v2.0/token"));
    let assertion = body.split('&').find_map(|it| it.strip_prefix("client_assertion=")).unwrap();
    assert_eq!(part(assertion, 1)["aud"], address);
    assert_eq!(part(assertion, 1)["sub"], "app");

    let token = credential.token(&arm()).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "fake-token-2");

    let (key, _) = blocks();
    let key = key.lines().nth(1).unwrap();
    assert!(!format!("{credential:?} {:?}", certificate()).contains(key));
    assert!(format!("{:?}", certificate()).contains(THUMBPRINT));
}

#[tokio::test]
async fn a_refused_certificate_is_told_in_the_words_of_the_authority() {
    let authority = Arc::new(Authority::refusing(
        r#"{"error":"invalid_client","error_description":"AADSTS700027: The certificate used to sign the client assertion is not registered on application."}"#,
    ));
    let credential = ClientCertificateCredential::new(
        &Cloud::public(),
        authority,
        TENANT_ID,
        "app",
        certificate(),
    );
    let err = credential.unwrap().token(&arm()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert_eq!(err.service_fault().unwrap().code, "invalid_client");
}

#[test]
fn the_environment_names_the_file() {
    let authority = Arc::new(Authority::default());
    let err = ClientCertificateCredential::from_variables(&Cloud::public(), authority, |name| {
        (name != "AZURE_CLIENT_CERTIFICATE_PATH").then(|| "x".to_owned())
    });
    assert_eq!(
        err.unwrap_err().to_string(),
        "auth.client_certificate failed: environment: set AZURE_CLIENT_CERTIFICATE_PATH"
    );
}
