use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::Serialize;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    kernel::{
        Refusal,
        auth::{self, BadToken, Claims},
        clock,
    },
    services::entra::state::Grant,
};

/// How long a token is good for.
pub(in super::super) const LIFE: Duration = Duration::hours(1);

/// How long a refresh token is good for.
const REFRESH_LIFE: Duration = Duration::days(90);

/// What no service takes for its audience.
const REFRESH_AUDIENCE: &str = "azml-mock:refresh";

/// What stands in front of a refresh token, so that nobody takes it for a JWT.
const REFRESH_MARK: &str = "1.mock-";

/// What a client gets.
pub(in super::super) struct Wanted {
    resource: String,
    /// What a user agreed to. `None` for a program, which has no user.
    scope: Option<String>,
}

impl Wanted {
    pub(in super::super) fn for_program(resource: &str) -> Self {
        Self { resource: resource.to_owned(), scope: None }
    }

    pub(in super::super) fn for_user(resource: &str, scope: &str) -> Self {
        Self { resource: resource.to_owned(), scope: Some(scope.to_owned()) }
    }
}

/// What a refresh token stands for.
pub(in super::super) struct Refresh {
    pub(in super::super) client: String,
    pub(in super::super) resource: String,
}

/// Resources of others than Microsoft, which take tokens of the second generation.
fn is_of_others(resource: &str) -> bool {
    resource.starts_with("api://")
}

/// Signs an access token, and says until when it is good.
pub(in super::super) fn access_token(
    grant: &Grant,
    resource: &str,
    now: OffsetDateTime,
) -> (String, OffsetDateTime) {
    let expires_at = now + LIFE;
    let is_v2 = is_of_others(resource);
    let (tenant, client) = (&grant.tenant, grant.client.clone());
    let (appid, azp) = if is_v2 { (String::new(), client) } else { (client, String::new()) };
    let iss = if is_v2 {
        format!("https://login.microsoftonline.com/{tenant}/v2.0")
    } else {
        format!("https://sts.windows.net/{tenant}/")
    };
    let user = grant.user.clone().unwrap_or_default();
    let claims = Claims {
        aud: resource.to_owned(),
        iss,
        tid: tenant.clone(),
        oid: grant.object.clone(),
        sub: grant.object.clone(),
        appid,
        azp,
        scp: if grant.user.is_some() { "user_impersonation".to_owned() } else { String::new() },
        preferred_username: if is_v2 { user.clone() } else { String::new() },
        upn: user,
        iat: now.unix_timestamp(),
        nbf: now.unix_timestamp(),
        exp: expires_at.unix_timestamp(),
        ver: if is_v2 { "2.0" } else { "1.0" }.to_owned(),
        ..Claims::default()
    };
    (auth::mint(&claims), expires_at)
}

/// Signs what a client gets and wraps it as the endpoint of its generation does.
pub(in super::super) fn token_json(grant: &Grant, wanted: &Wanted, is_v1: bool) -> Value {
    let now = clock::wall();
    let (access_token, expires_at) = access_token(grant, &wanted.resource, now);
    let seconds = LIFE.whole_seconds();
    let mut answer = if is_v1 {
        let text = |it: OffsetDateTime| it.unix_timestamp().to_string();
        json!({
            "token_type": "Bearer", "expires_in": seconds.to_string(),
            "ext_expires_in": seconds.to_string(), "expires_on": text(expires_at),
            "not_before": text(now), "resource": wanted.resource, "access_token": access_token,
        })
    } else {
        json!({
            "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
            "access_token": access_token,
        })
    };
    if let (Some(scope), Some(user)) = (&wanted.scope, &grant.user) {
        let asks = |it: &str| scope.split_whitespace().any(|word| word == it);
        let resource = wanted.resource.trim_end_matches('/');
        answer["scope"] =
            format!("{resource}/user_impersonation {}/.default", wanted.resource).into();
        if asks("offline_access") {
            answer["refresh_token"] = refresh_token(grant, &wanted.resource, now).into();
        }
        if asks("openid") {
            answer["id_token"] = id_token(grant, user, is_v1, now).into();
        }
        let client_info = json!({ "uid": grant.object, "utid": grant.tenant }).to_string();
        answer["client_info"] = BASE64.encode(client_info).into();
    }
    answer
}

#[derive(Serialize)]
struct IdClaims<'a> {
    aud: &'a str,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    name: &'a str,
    oid: &'a str,
    preferred_username: &'a str,
    upn: &'a str,
    sub: &'a str,
    tid: &'a str,
    uti: String,
    ver: &'a str,
}

/// Who has signed in, for the program that asked.
fn id_token(grant: &Grant, user: &str, is_v1: bool, now: OffsetDateTime) -> String {
    let tenant = &grant.tenant;
    let iss = if is_v1 {
        format!("https://sts.windows.net/{tenant}/")
    } else {
        format!("https://login.microsoftonline.com/{tenant}/v2.0")
    };
    auth::sign(&IdClaims {
        aud: &grant.client,
        iss,
        iat: now.unix_timestamp(),
        nbf: now.unix_timestamp(),
        exp: (now + LIFE).unix_timestamp(),
        name: "Test User",
        oid: &grant.object,
        preferred_username: user,
        upn: user,
        sub: &grant.object,
        tid: tenant,
        uti: Uuid::new_v4().simple().to_string(),
        ver: if is_v1 { "1.0" } else { "2.0" },
    })
}

/// A new one each time, also within one second.
fn refresh_token(grant: &Grant, resource: &str, now: OffsetDateTime) -> String {
    let claims = Claims {
        aud: REFRESH_AUDIENCE.to_owned(),
        // A resource is no issuer, but it has to be somewhere.
        iss: resource.to_owned(),
        tid: grant.tenant.clone(),
        sub: Uuid::new_v4().to_string(),
        appid: grant.client.clone(),
        upn: grant.user.clone().unwrap_or_default(),
        iat: now.unix_timestamp(),
        exp: (now + REFRESH_LIFE).unix_timestamp(),
        ..Claims::default()
    };
    format!("{REFRESH_MARK}{}", auth::mint(&claims))
}

/// Checks a refresh token.
pub(in super::super) fn read_refresh_token(text: &str) -> Result<Refresh, Refusal> {
    let refused = |text: &str| Err(Refusal::invalid(text).with_code("invalid_grant"));
    let claims = match text.strip_prefix(REFRESH_MARK).map(auth::check) {
        Some(Ok(claims)) if claims.aud == REFRESH_AUDIENCE => claims,
        Some(Err(BadToken::Expired)) => {
            return refused(
                "AADSTS700082: The refresh token has expired due to inactivity. Sign in again.",
            );
        }
        _ => {
            return refused(
                "AADSTS9002313: Invalid request. The provided value for the input parameter 'refresh_token' is malformed or invalid.",
            );
        }
    };
    Ok(Refresh { client: claims.appid, resource: claims.iss })
}
