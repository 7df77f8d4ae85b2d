mod device;
mod tokens;

use std::collections::HashMap;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use time::{format_description::BorrowedFormatItem, macros::format_description};
use uuid::Uuid;

pub(super) use self::{
    device::{device_json, device_page},
    tokens::{LIFE, Wanted, access_token, read_refresh_token, token_json},
};
use super::state::Proof;
use crate::kernel::{Kind, Refusal, Site, auth, clock};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Entra's own way to write an instant.
const INSTANT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");

/// `{"error","error_description","error_codes",…}`.
pub(crate) struct Envelope;

impl crate::kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let error = refusal.code_or(match refusal.kind {
            Kind::Unauthenticated => "invalid_client",
            Kind::Unrecorded | Kind::Status(_) => "temporarily_unavailable",
            Kind::NotEmulated => "not_implemented",
            _ => "invalid_request",
        });
        let (trace_id, correlation_id) = (Uuid::new_v4(), Uuid::new_v4());
        let timestamp = clock::wall().format(INSTANT).unwrap_or_default();
        let description = format!(
            "{} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}",
            refusal.message
        );
        let number = refusal.message.strip_prefix("AADSTS").and_then(|it| it.split_once(':'));
        let number: Option<u64> = number.and_then(|(it, _)| it.parse().ok());
        let body = json!({
            "error": error, "error_description": description,
            "error_codes": number.into_iter().collect::<Vec<u64>>(),
            "timestamp": timestamp, "trace_id": trace_id, "correlation_id": correlation_id,
        });
        (refusal.status(), Json(body)).into_response()
    }
}

/// The fields of a token request.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|it| !it.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            let text = format!(
                "AADSTS900144: The request body must contain the following parameter: '{name}'."
            );
            Refusal::new(Kind::Invalid, text).with_code("invalid_request")
        })
    }

    /// How the program proves who it is.
    pub(super) fn proof(&self) -> Result<Proof<'_>, Refusal> {
        if let Some(secret) = self.get("client_secret") {
            return Ok(Proof::Secret(secret));
        }
        let assertion = self.get("client_assertion");
        if let Some(assertion) = assertion {
            if self.required("client_assertion_type")? != ASSERTION_TYPE {
                let text = "AADSTS50027: JWT token is invalid or malformed: the client assertion has an unknown type.";
                return Err(Refusal::invalid(text).with_code("invalid_request"));
            }
            return Ok(Proof::Assertion(assertion));
        }
        let text = "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        Err(Refusal::new(Kind::Unauthenticated, text).with_code("invalid_client"))
    }

    pub(super) fn grant_type(&self) -> Result<GrantType, Refusal> {
        match self.required("grant_type")? {
            "client_credentials" => Ok(GrantType::ClientCredentials),
            "refresh_token" => Ok(GrantType::RefreshToken),
            // What version 1 calls it, and what the standard does.
            "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => {
                Ok(GrantType::DeviceCode)
            }
            other => {
                let out_of_scope = [
                    "authorization_code",
                    "password",
                    "urn:ietf:params:oauth:grant-type:jwt-bearer",
                ];
                let known = if out_of_scope.contains(&other) {
                    " azml-mock does not emulate it: sign in with a device code, a secret or an assertion."
                } else {
                    ""
                };
                let text = format!(
                    "AADSTS70003: The app requested an unsupported grant type '{other}'.{known}"
                );
                Err(Refusal::invalid(text).with_code("unsupported_grant_type"))
            }
        }
    }
}

/// How a client wants to come by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GrantType {
    ClientCredentials,
    DeviceCode,
    RefreshToken,
}

/// Where everything is, for the authority at `root`, for example
/// `https://login.microsoftonline.com/{tenant}`.
pub(super) fn openid_json(issuer: &str, endpoints: &Endpoints) -> Value {
    let Endpoints { authorize, token, device, keys } = endpoints;
    json!({
        "issuer": issuer, "authorization_endpoint": authorize, "token_endpoint": token,
        "device_authorization_endpoint": device, "jwks_uri": keys,
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": "NA", "cloud_instance_name": "microsoftonline.com",
    })
}

/// The endpoints of one authority.
pub(super) struct Endpoints {
    authorize: String,
    token: String,
    device: String,
    keys: String,
}

impl Endpoints {
    /// Of the second generation: the scope names the resource.
    pub(super) fn v2(root: &str) -> Self {
        Self {
            authorize: format!("{root}/oauth2/v2.0/authorize"),
            token: format!("{root}/oauth2/v2.0/token"),
            device: format!("{root}/oauth2/v2.0/devicecode"),
            keys: format!("{root}/discovery/v2.0/keys"),
        }
    }

    /// Of the first generation, and of AD FS.
    pub(super) fn v1(root: &str, keys: &str) -> Self {
        Self {
            authorize: format!("{root}/oauth2/authorize"),
            token: format!("{root}/oauth2/token"),
            device: format!("{root}/oauth2/devicecode"),
            keys: format!("{root}/{keys}"),
        }
    }
}

pub(super) fn keys_json() -> Value {
    let (n, e) = auth::public_key();
    let key = json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": auth::KEY_ID, "x5t": auth::KEY_ID,
        "n": n, "e": e,
    });
    json!({ "keys": [key] })
}

/// Which authorities belong together: the one that was asked, and nobody else.
pub(super) fn instance_json(site: &Site, tenant: &str) -> Value {
    let entra = site.entra();
    let host = entra.strip_prefix("https://").unwrap_or(&entra);
    let host = host.split('/').next().unwrap_or_default();
    let document = format!("{entra}/{tenant}/v2.0/.well-known/openid-configuration");
    let network = json!({
        "preferred_network": host, "preferred_cache": host, "aliases": [host],
    });
    json!({
        "tenant_discovery_endpoint": document, "api-version": "1.1", "metadata": [network],
    })
}
