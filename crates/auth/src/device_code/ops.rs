use azml_core::{Error, ErrorKind, Operation, Request, RequestBuilder, Response, Result, Scope};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::entra;

/// Asks for a code that a person is to enter.
///
/// Fact: RFC 8628, and
/// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>.
pub(super) struct Start<'a> {
    pub(super) tenant_id: &'a str,
    pub(super) client_id: &'a str,
    pub(super) scope: &'a Scope,
}

#[derive(Debug, Deserialize)]
pub(super) struct Started {
    pub(super) device_code: SecretString,
    pub(super) user_code: String,
    #[serde(alias = "verification_url")]
    pub(super) verification_uri: String,
    pub(super) expires_in: u64,
    #[serde(default = "five")]
    pub(super) interval: u64,
    #[serde(default)]
    pub(super) message: String,
}

/// The pause when the authority names none.
fn five() -> u64 {
    5
}

/// With these a refresh token comes along.
fn with_refresh(scope: &Scope) -> String {
    format!("{scope} offline_access openid profile")
}

impl Operation for Start<'_> {
    const NAME: &'static str = "entra.device_code";
    /// A code that nobody enters does no harm.
    const IDEMPOTENT: bool = true;
    type Output = Started;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::POST, base)
            .segment(self.tenant_id)
            .path("/oauth2/v2.0/devicecode")
            .form(&[("client_id", self.client_id), ("scope", &with_refresh(self.scope))])
            .build()
    }

    fn decode(&self, response: Response) -> Result<Started> {
        if !response.status().is_success() {
            return Err(entra::fault(Self::NAME, &response));
        }
        azml_core::read_json(Self::NAME, response.body())
    }
}

/// What a token is asked for with.
#[derive(Clone, Copy)]
pub(super) enum Grant<'a> {
    DeviceCode(&'a SecretString),
    Refresh(&'a SecretString, &'a Scope),
}

/// Asks for a token.
pub(super) struct Token<'a> {
    pub(super) tenant_id: &'a str,
    pub(super) client_id: &'a str,
    pub(super) grant: Grant<'a>,
}

#[derive(Debug)]
pub(super) enum Answer {
    Granted(Granted),
    /// The person has not entered the code.
    Pending,
    /// The same, and to be asked less often.
    SlowDown,
}

#[derive(Debug, Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: SecretString,
    pub(super) expires_in: i64,
    pub(super) refresh_token: Option<SecretString>,
}

impl Operation for Token<'_> {
    const NAME: &'static str = "entra.token";
    /// A code is spent by its first success; another try tells so.
    const IDEMPOTENT: bool = true;
    type Output = Answer;

    fn encode(&self, base: &str) -> Result<Request> {
        let (key, secret, grant, scope) = match self.grant {
            Grant::DeviceCode(code) => {
                ("device_code", code, "urn:ietf:params:oauth:grant-type:device_code", None)
            }
            Grant::Refresh(token, scope) => {
                ("refresh_token", token, "refresh_token", Some(with_refresh(scope)))
            }
        };
        let mut form = vec![
            ("grant_type", grant),
            ("client_id", self.client_id),
            (key, secret.expose_secret()),
        ];
        if let Some(scope) = &scope {
            form.push(("scope", scope));
        }
        RequestBuilder::new(Self::NAME, Method::POST, base)
            .segment(self.tenant_id)
            .path("/oauth2/v2.0/token")
            .form(&form)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Answer> {
        if response.status().is_success() {
            return azml_core::read_json(Self::NAME, response.body()).map(Answer::Granted);
        }
        let err = entra::fault(Self::NAME, &response);
        let Some(fault) = err.service_fault() else { return Err(err) };
        match fault.code.as_str() {
            "authorization_pending" => Ok(Answer::Pending),
            "slow_down" => Ok(Answer::SlowDown),
            // Entra's word, then that of the RFC.
            "authorization_declined" | "access_denied" => {
                Err(Error::service(Self::NAME, ErrorKind::Canceled, fault.clone()))
            }
            "expired_token" | "code_expired" => {
                Err(Error::service(Self::NAME, ErrorKind::Timeout, fault.clone()))
            }
            _ => Err(err),
        }
    }
}
