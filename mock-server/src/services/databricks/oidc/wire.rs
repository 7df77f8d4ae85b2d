//! Written from the published API reference, never from the client crates.

use std::collections::HashMap;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::state::{OauthSecret, Request};
use crate::{
    kernel::{
        self, Kind, Refusal,
        auth::{self, Claims},
        clock, ids,
    },
    services::databricks,
};

/// How long a token is good for.
const LIFE: Duration = Duration::hours(1);

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const PERSONAL: &str = "urn:databricks:params:oauth:token-type:personal-access-token";

/// `{"error","error_description"}`.
pub(crate) struct Envelope;

impl kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let error = refusal.code_or(match refusal.kind {
            Kind::Malformed | Kind::Invalid => "invalid_request",
            Kind::Unauthenticated => "invalid_client",
            _ => return databricks::Envelope::render(refusal),
        });
        let status = match refusal.kind {
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({ "error": error, "error_description": refusal.message });
        (status, Json(body)).into_response()
    }
}

/// The fields of a token request, those of the `Authorization` header included.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    pub(super) fn read(body: &[u8], authorization: Option<&str>) -> Self {
        let mut fields: HashMap<String, String> =
            form_urlencoded::parse(body).into_owned().collect();
        let basic = authorization.and_then(|it| it.strip_prefix("Basic "));
        let basic = basic.and_then(|it| String::from_utf8(BASE64.decode(it.trim()).ok()?).ok());
        if let Some((id, secret)) = basic.as_deref().and_then(|it| it.split_once(':')) {
            fields.insert("client_id".into(), id.to_owned());
            fields.insert("client_secret".into(), secret.to_owned());
        }
        fields.retain(|_, value| !value.is_empty());
        Self(fields)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::invalid(format!("{name} is required")))
    }

    pub(super) fn scope(&self) -> &str {
        self.get("scope").unwrap_or("all-apis")
    }

    pub(super) fn request(&self) -> Result<Request<'_>, Refusal> {
        let refused = |code: &'static str, text: String| Refusal::invalid(text).with_code(code);
        match self.required("grant_type")? {
            "client_credentials" => {
                let missing = || {
                    let text =
                        "Client authentication failed: client_id and client_secret are required";
                    Refusal::new(Kind::Unauthenticated, text).with_code("invalid_client")
                };
                let client_id = self.get("client_id").ok_or_else(missing)?;
                let secret = self.get("client_secret").ok_or_else(missing)?;
                Ok(Request::Credentials { client_id, secret })
            }
            EXCHANGE => {
                let subject = self.required("subject_token")?;
                match self.required("subject_token_type")? {
                    PERSONAL => Ok(Request::PersonalToken(subject)),
                    JWT | ID_TOKEN | ACCESS_TOKEN => {
                        Ok(Request::Federated { client_id: self.get("client_id"), subject })
                    }
                    other => {
                        let text = format!("The subject_token_type {other:?} is not supported");
                        Err(refused("invalid_request", text))
                    }
                }
            }
            other => {
                let text = format!(
                    "azml-mock does not support the grant type {other:?}; it supports client_credentials and {EXCHANGE}"
                );
                Err(refused("unsupported_grant_type", text))
            }
        }
    }
}

/// Signs a token.
pub(super) fn mint(claims: Claims) -> (String, OffsetDateTime) {
    let now = clock::wall();
    let expires_at = now + LIFE;
    let (iat, exp) = (now.unix_timestamp(), expires_at.unix_timestamp());
    (auth::mint(&Claims { iat, nbf: iat, exp, ..claims }), expires_at)
}

pub(super) fn token_json(token: &str, scope: &str, is_exchanged: bool) -> Value {
    let mut it = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": LIFE.whole_seconds(),
        "scope": scope,
    });
    if is_exchanged {
        it["issued_token_type"] = json!(ACCESS_TOKEN);
    }
    it
}

pub(super) fn metadata_json(token: &str, expires_at: OffsetDateTime) -> Value {
    json!({
        "access_token": token, "token_type": "Bearer", "expires_on": expires_at.unix_timestamp(),
        "expires_in": LIFE.whole_seconds(),
    })
}

pub(super) fn discovery_json(base: &str) -> Value {
    let issuer = format!("{base}/oidc");
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/v1/authorize"),
        "token_endpoint": format!("{issuer}/v1/token"),
        "jwks_uri": format!("{issuer}/jwks.json"),
        "grant_types_supported": ["client_credentials", EXCHANGE],
        "response_types_supported": ["code"],
        "scopes_supported": ["all-apis", "email", "offline_access", "openid", "profile", "sql"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp"],
        "request_uri_parameter_supported": false,
    })
}

pub(super) fn keys_json() -> Value {
    let (n, e) = auth::public_key();
    json!({ "keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": auth::KEY_ID, "n": n, "e": e,
    }] })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SecretBody {
    /// For example `3600s`.
    lifetime: Option<String>,
}

impl SecretBody {
    pub(super) fn lifetime(&self) -> Result<Option<std::time::Duration>, Refusal> {
        let Some(text) = &self.lifetime else { return Ok(None) };
        let seconds = text.strip_suffix('s').and_then(|it| it.parse().ok());
        let refused = || Refusal::invalid(format!("lifetime {text:?} is no time like \"3600s\""));
        seconds.map(|it| Some(std::time::Duration::from_secs(it))).ok_or_else(refused)
    }
}

pub(super) fn secret_json(it: &OauthSecret) -> Value {
    let instant = |it: OffsetDateTime| it.format(&Rfc3339).unwrap_or_default();
    json!({
        "id": it.id, "status": "ACTIVE",
        "secret_hash": ids::hex(&Sha256::digest(it.value.as_bytes())),
        "create_time": instant(it.created_at), "update_time": instant(it.created_at),
        "expire_time": instant(it.expires_at),
    })
}
