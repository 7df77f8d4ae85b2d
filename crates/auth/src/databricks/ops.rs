use azml_core::{
    AccessToken, Error, Operation, Request, RequestBuilder, Response, Result, read_json,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::entra;

/// Asks a workspace where it hands out tokens.
///
/// Fact: databricks-sdk-py 0.156, observed.
pub(super) struct Config;

#[derive(Debug, Deserialize)]
pub(super) struct Described {
    pub(super) oidc_endpoint: Option<String>,
}

impl Operation for Config {
    const NAME: &'static str = "databricks.wellknown.config";
    const IDEMPOTENT: bool = true;
    type Output = Described;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::GET, base)
            .path("/.well-known/databricks-config")
            .build()
    }

    fn decode(&self, response: Response) -> Result<Described> {
        if !response.status().is_success() {
            return Err(entra::fault(Self::NAME, &response));
        }
        read_json(Self::NAME, response.body())
    }
}

/// Asks the authority of a workspace for its addresses (RFC 8414).
pub(super) struct Discover;

#[derive(Debug, Deserialize)]
pub(super) struct Discovered {
    pub(super) token_endpoint: String,
}

impl Operation for Discover {
    const NAME: &'static str = "databricks.oidc.discovery";
    const IDEMPOTENT: bool = true;
    type Output = Discovered;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::GET, base)
            .path("/.well-known/oauth-authorization-server")
            .build()
    }

    fn decode(&self, response: Response) -> Result<Discovered> {
        if !response.status().is_success() {
            return Err(entra::fault(Self::NAME, &response));
        }
        read_json(Self::NAME, response.body())
    }
}

/// What a token is asked for with.
pub(super) enum Grant<'a> {
    /// Id and secret, as basic authorization.
    Client(&'a str, &'a SecretString),
    /// A token of somebody whom the workspace trusts (RFC 8693). Without a
    /// client id the rules of the whole account hold.
    Exchange(Option<&'a str>, &'a SecretString),
}

/// Asks for a token. The base is the whole address of the token endpoint.
pub(super) struct Token<'a> {
    pub(super) grant: Grant<'a>,
    pub(super) now: OffsetDateTime,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: i64,
}

impl Operation for Token<'_> {
    const NAME: &'static str = "databricks.oidc.token";
    /// Another token does no harm.
    const IDEMPOTENT: bool = true;
    type Output = AccessToken;

    fn encode(&self, base: &str) -> Result<Request> {
        let builder = RequestBuilder::new(Self::NAME, Method::POST, base);
        match self.grant {
            Grant::Client(id, secret) => {
                let login = BASE64.encode(format!("{id}:{}", secret.expose_secret()));
                builder
                    .secret_header("authorization", &format!("Basic {login}"))
                    .form(&[("grant_type", "client_credentials"), ("scope", "all-apis")])
                    .build()
            }
            Grant::Exchange(client_id, token) => {
                let mut form = vec![
                    ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                    ("scope", "all-apis"),
                    ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                    ("subject_token", token.expose_secret()),
                ];
                form.extend(client_id.map(|it| ("client_id", it)));
                builder.form(&form).build()
            }
        }
    }

    fn decode(&self, response: Response) -> Result<AccessToken> {
        if !response.status().is_success() {
            return Err(entra::fault(Self::NAME, &response));
        }
        let it: Granted = read_json(Self::NAME, response.body())?;
        let life = Duration::seconds(it.expires_in);
        let end = self.now.checked_add(life).ok_or_else(|| {
            Error::explained(
                Self::NAME,
                azml_core::ErrorKind::Decode,
                "expires_in: is beyond all time",
            )
        })?;
        Ok(AccessToken::new(it.access_token, end))
    }
}

#[cfg(test)]
mod tests {
    use azml_fixtures::{Exchange, load};
    use bytes::Bytes;
    use serde_json::Value;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn answer(exchange: &Exchange) -> Response {
        let body = Bytes::from(exchange.response.body.to_string());
        http::Response::builder().status(exchange.response.status).body(body).unwrap()
    }

    /// The form as the fixtures show it: field by field.
    fn fields(request: &Request) -> Value {
        let body = std::str::from_utf8(request.body()).unwrap();
        let pairs = body.split('&').map(|it| it.split_once('=').unwrap());
        let plain = |it: &str| it.replace("%3A", ":").replace("%2D", "-");
        pairs.map(|(key, value)| (key.to_owned(), Value::from(plain(value)))).collect()
    }

    #[test]
    fn a_secret_is_sent_as_basic_authorization_and_nowhere_else() {
        let exchange = load("databricks/oidc/token");
        let secret = "fake-secret".into();
        let operation = Token { grant: Grant::Client("client", &secret), now: NOW };
        let request = operation.encode("https://adb-1.test/oidc/v1/token").unwrap();
        assert_eq!(request.uri().path(), exchange.request.path);
        assert_eq!(fields(&request), exchange.request.body.clone().unwrap());
        assert_eq!(request.headers()["authorization"], "Basic Y2xpZW50OmZha2Utc2VjcmV0");
        assert!(!format!("{request:?}").contains("Y2xpZW50"));
        let token = operation.decode(answer(&exchange)).unwrap();
        assert_eq!(token.secret.expose_secret(), "fake-access-token");
        assert_eq!(token.expires_at, NOW + Duration::hours(1));
    }

    #[test]
    fn a_federated_token_is_exchanged() {
        let exchange = load("databricks/oidc/token-exchange");
        let subject = "good.id.token".into();
        let client_id = Some("55555555-5555-5555-5555-555555555555");
        let operation = Token { grant: Grant::Exchange(client_id, &subject), now: NOW };
        let request = operation.encode("https://adb-1.test/oidc/v1/token").unwrap();
        assert_eq!(fields(&request), exchange.request.body.clone().unwrap());
        operation.decode(answer(&exchange)).unwrap();
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_workspace() {
        for (fixture, text) in [
            (
                "databricks/oidc/token-denied",
                "databricks.oidc.token failed: 401 invalid_client: Client authentication failed",
            ),
            (
                "databricks/oidc/token-exchange-denied",
                "databricks.oidc.token failed: 400 invalid_grant: The subject token is not valid",
            ),
        ] {
            let secret = "s".into();
            let operation = Token { grant: Grant::Client("c", &secret), now: NOW };
            let err = operation.decode(answer(&load(fixture))).unwrap_err();
            assert_eq!(err.kind(), azml_core::ErrorKind::Unauthenticated);
            assert_eq!(err.to_string(), text);
        }
    }

    #[test]
    fn a_workspace_says_where_its_authority_is() {
        let exchange = load("databricks/wellknown/config");
        let request = Config.encode("https://adb-1.test").unwrap();
        assert_eq!(request.uri().path(), exchange.request.path);
        let described = Config.decode(answer(&exchange)).unwrap();
        assert_eq!(described.oidc_endpoint.as_deref(), Some("https://adb-1.test/oidc"));
        let exchange = load("databricks/oidc/discovery");
        let request = Discover.encode("https://adb-1.test/oidc").unwrap();
        assert_eq!(request.uri().path(), exchange.request.path);
        let discovered = Discover.decode(answer(&exchange)).unwrap();
        assert_eq!(discovered.token_endpoint, "https://adb-1.test/oidc/v1/token");
    }
}
