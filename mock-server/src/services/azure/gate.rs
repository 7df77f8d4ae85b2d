use axum::http::{header::AUTHORIZATION, request::Parts};

use crate::kernel::{
    Caller, Kernel, Kind, Refusal, Site,
    auth::{self, BadToken, Claims},
};

/// What tokens for the resource manager are made for. Trailing slashes do not count.
const ARM_AUDIENCES: &[&str] = &[
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://management.chinacloudapi.cn",
    "https://management.core.chinacloudapi.cn",
    "https://management.usgovcloudapi.net",
    "https://management.core.usgovcloudapi.net",
];

/// As [`ML_AUDIENCE`], in the other clouds of Microsoft.
const ML_AUDIENCES_ELSEWHERE: &[&str] = &["https://ml.azure.cn", "https://ml.azure.us"];

/// What tokens for Azure ML's data plane may be made for besides those of ARM.
pub(crate) const ML_AUDIENCE: &str = "https://ml.azure.com";

/// The application id of Azure Databricks, which is the audience of its tokens.
pub(crate) const DATABRICKS_AUDIENCE: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";

/// The audience of storage tokens.
pub(crate) const STORAGE_AUDIENCE: &str = "https://storage.azure.com";

/// The token of a request.
pub(crate) fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Checks a token that Entra made and says whose it is.
pub(crate) fn entra_claims(token: &str, accepts: impl Fn(&str) -> bool) -> Result<Claims, Refusal> {
    let refused = |code: &'static str, text: String| {
        Err(Refusal::new(Kind::Unauthenticated, text).with_code(code))
    };
    match auth::check(token) {
        Err(BadToken::Expired) => refused(
            "ExpiredAuthenticationToken",
            "The access token expiry UTC time is earlier than current UTC time.".into(),
        ),
        Err(BadToken::Unreadable | BadToken::WrongSignature) => {
            refused("InvalidAuthenticationToken", "The access token is invalid.".into())
        }
        Ok(claims) if !accepts(claims.aud.trim_end_matches('/')) => refused(
            "InvalidAuthenticationTokenAudience",
            format!(
                "The access token has been obtained for wrong audience or resource '{}'.",
                claims.aud
            ),
        ),
        Ok(claims) => Ok(claims),
    }
}

fn missing() -> Refusal {
    let text = "Authentication failed. The 'Authorization' header is missing.";
    Refusal::new(Kind::Unauthenticated, text).with_code("AuthenticationFailed")
}

fn is_arm(site: &Site, audience: &str) -> bool {
    let own = site.arm();
    ARM_AUDIENCES.contains(&audience)
        || audience == own
        || audience.strip_suffix("/arm") == Some(own.as_str())
}

/// Lets in whoever has a token for the resource manager.
pub(crate) fn arm_gate(_: &Kernel, site: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let token = bearer(parts).ok_or_else(missing)?;
    entra_claims(token, |it| is_arm(site, it)).map(Caller::from)
}

/// Lets in whoever has a token for the data plane or the resource manager. A
/// run's own token is of the first kind.
pub(crate) fn data_plane_gate(_: &Kernel, site: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let token = bearer(parts).ok_or_else(missing)?;
    let is_ml = |it: &str| it == ML_AUDIENCE || ML_AUDIENCES_ELSEWHERE.contains(&it);
    entra_claims(token, |it| is_ml(it) || is_arm(site, it)).map(Caller::from)
}
