//! A JWT in place of a secret: one that the program signed with its own key, or
//! one that another identity provider made for the workload.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::{Deserialize, de::DeserializeOwned};
use time::{Duration, OffsetDateTime};

use super::{Client, Entra};
use crate::kernel::{Kind, Refusal, addresses::Place};

/// What a workload's token has to be for.
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// By how much the clock of a program may be wrong.
const SKEW: Duration = Duration::minutes(5);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Header {
    alg: String,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    #[serde(default)]
    nbf: f64,
}

/// An assertion in its parts.
pub(in super::super) struct Assertion<'a> {
    header: Header,
    claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

fn malformed() -> Refusal {
    let text = "AADSTS50027: JWT token is invalid or malformed.";
    Refusal::invalid(text).with_code("invalid_request")
}

fn refused(number: u32, text: &str) -> Refusal {
    Refusal::new(Kind::Unauthenticated, format!("AADSTS{number}: {text}"))
        .with_code("invalid_client")
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64.decode(text.trim_end_matches('=')).ok()?).ok()
}

impl<'a> Assertion<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Refusal> {
        let parse = || {
            let (signed, signature) = text.rsplit_once('.')?;
            let (header, claims) = signed.split_once('.')?;
            let signature = BASE64.decode(signature.trim_end_matches('=')).ok()?;
            Some(Self { header: part(header)?, claims: part(claims)?, signed, signature })
        };
        parse().ok_or_else(malformed)
    }

    /// Checks whether it stands for the application.
    pub(super) fn check(
        &self,
        entra: &Entra,
        client_id: &str,
        client: &Client,
        authority: &str,
        wall: OffsetDateTime,
    ) -> Result<(), Refusal> {
        let Claims { iss, sub, exp, nbf, .. } = &self.claims;
        let by = |it: Duration| (wall + it).unix_timestamp();
        #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^52")]
        let (early, late) = (by(-SKEW) as f64, by(SKEW) as f64);
        if *exp <= early || late < *nbf {
            let text = "Client assertion is not within its valid time range. Current time is outside of 'nbf' and 'exp' of the assertion.";
            return Err(refused(700_024, text));
        }
        if iss.eq_ignore_ascii_case(client_id) || sub.eq_ignore_ascii_case(client_id) {
            return self.check_own(entra, client_id, client, authority);
        }
        self.check_workload(client)
    }

    fn audiences(&self) -> &[String] {
        match &self.claims.aud {
            Audience::One(it) => std::slice::from_ref(it),
            Audience::Many(all) => all,
        }
    }

    /// Of the program's own making: issuer and subject are itself, the audience
    /// is the authority to which it came.
    fn check_own(
        &self,
        entra: &Entra,
        client_id: &str,
        client: &Client,
        authority: &str,
    ) -> Result<(), Refusal> {
        let Claims { iss, sub, .. } = &self.claims;
        if !iss.eq_ignore_ascii_case(client_id) || !sub.eq_ignore_ascii_case(client_id) {
            let text = format!(
                "Client assertion application identifier doesn't match 'client_id' parameter: 'iss' and 'sub' have to be '{client_id}'."
            );
            return Err(refused(700_021, &text));
        }
        if !self.audiences().iter().any(|it| is_authority(entra, it, authority)) {
            let text = "Client assertion audience claim does not match Realm issuer: it has to be the token endpoint.";
            return Err(refused(700_023, text));
        }
        let algorithm: &dyn VerificationAlgorithm = match self.header.alg.as_str() {
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            _ => return Err(malformed()),
        };
        let Header { x5t, x5t_s256, .. } = &self.header;
        let mut all = client.certificates.iter();
        let named = all.find(|it| it.is_named(x5t.as_deref(), x5t_s256.as_deref()));
        let Some(certificate) = named else {
            let text = format!(
                "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found. Application '{client_id}']"
            );
            return Err(refused(700_027, &text));
        };
        let key = UnparsedPublicKey::new(algorithm, &certificate.public_key);
        key.verify(self.signed.as_bytes(), &self.signature).map_err(|_| {
            let text = "Client assertion contains an invalid signature. [Reason - The key was found, but it did not make the signature.]";
            refused(700_027, text)
        })
    }

    /// Of another provider's making. Its keys are not known here.
    fn check_workload(&self, client: &Client) -> Result<(), Refusal> {
        if !self.audiences().iter().any(|it| it == EXCHANGE) {
            let text = format!(
                "No matching federated identity record found for presented assertion audience '{}'. It has to be '{EXCHANGE}'.",
                self.audiences().join(" ")
            );
            return Err(refused(700_212, &text));
        }
        let Claims { iss, sub, .. } = &self.claims;
        if client.federated.is_empty() {
            return Ok(());
        }
        if client.federated.iter().any(|it| it.issuer == *iss && it.subject == *sub) {
            return Ok(());
        }
        if client.federated.iter().any(|it| it.issuer == *iss) {
            let text = format!(
                "No matching federated identity record found for presented assertion subject '{sub}'."
            );
            return Err(refused(700_213, &text));
        }
        let text = format!(
            "No matching federated identity record found for presented assertion issuer '{iss}'."
        );
        Err(refused(700_211, &text))
    }
}

/// Whether `audience` is an endpoint of our tenant, at `authority` or by the
/// names of Azure.
fn is_authority(entra: &Entra, audience: &str, authority: &str) -> bool {
    let by_address = audience.strip_prefix(authority).and_then(|it| it.strip_prefix('/'));
    let by_name = || {
        let (host, path) = audience.strip_prefix("https://")?.split_once('/')?;
        (Place::of(host) == Place::Entra).then_some(path)
    };
    let Some(path) = by_address.or_else(by_name) else { return false };
    let mut parts = path.split('/').skip_while(|it| *it == "adfs");
    parts.next().is_none_or(|it| entra.tenant_of_users(it).is_ok() || it == "oauth2")
}
