//! Tokens: minted by Entra, checked at every gate.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use parking_lot::Mutex;
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

use super::clock;

/// The key of every mock cloud there is. It is published: no token that it
/// signs is worth anything outside a test.
static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    RsaKeyPair::from_pkcs8(include_bytes!("auth/published-test-key.pk8"))
        .expect("the embedded key is a PKCS#8 document of an RSA key")
});

/// Names the key in JWT headers and in the key set.
pub(crate) const KEY_ID: &str = "azml-mock-published-test-key";

/// How many checked tokens are remembered before all are forgotten.
const REMEMBERED: usize = 4096;

static CHECKED: LazyLock<Mutex<HashMap<[u8; 32], Claims>>> = LazyLock::new(Mutex::default);

/// What a token says. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: String,
    pub(crate) iss: String,
    pub(crate) tid: String,
    pub(crate) oid: String,
    pub(crate) sub: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) appid: String,
    /// The program in tokens of the second generation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) azp: String,
    /// What a user agreed to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) scp: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) preferred_username: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) upn: String,
    /// The run that a run token was made for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) runid: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    pub(crate) ver: String,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadToken {
    Unreadable,
    WrongSignature,
    Expired,
}

/// Writes and signs an access token.
pub(crate) fn mint(claims: &Claims) -> String {
    sign(claims)
}

/// Writes and signs a JWT.
pub(crate) fn sign(claims: &impl Serialize) -> String {
    let header = serde_json::json!({ "typ": "JWT", "alg": "RS256", "kid": KEY_ID, "x5t": KEY_ID });
    sign_with(&header, claims)
}

/// Writes and signs a JWT with a header of its own.
pub(crate) fn sign_with(header: &serde_json::Value, claims: &impl Serialize) -> String {
    let claims = serde_json::to_vec(claims).expect("claims are plain data");
    let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims));
    let mut signature = vec![0; KEY.public().modulus_len()];
    KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .expect("the buffer has the length of the modulus");
    format!("{text}.{}", BASE64.encode(signature))
}

/// The public key as ASN.1 writes it.
#[cfg(test)]
pub(crate) fn public_key_der() -> &'static [u8] {
    KEY.public().as_ref()
}

/// Reads a JWT, checks its signature (once; the outcome is remembered) and its expiry.
pub(crate) fn check(token: &str) -> Result<Claims, BadToken> {
    let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    let known = CHECKED.lock().get(&digest).cloned();
    let claims = if let Some(claims) = known {
        claims
    } else {
        let claims = verify(token)?;
        let mut checked = CHECKED.lock();
        if REMEMBERED <= checked.len() {
            checked.clear();
        }
        checked.insert(digest, claims.clone());
        claims
    };
    // By the wall clock, because clients cache by theirs.
    if claims.exp <= clock::wall().unix_timestamp() {
        return Err(BadToken::Expired);
    }
    Ok(claims)
}

fn verify(token: &str) -> Result<Claims, BadToken> {
    let (text, signature) = token.rsplit_once('.').ok_or(BadToken::Unreadable)?;
    let (_, claims) = text.split_once('.').ok_or(BadToken::Unreadable)?;
    let signature = BASE64.decode(signature).map_err(|_| BadToken::Unreadable)?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, KEY.public());
    key.verify(text.as_bytes(), &signature).map_err(|_| BadToken::WrongSignature)?;
    let claims = BASE64.decode(claims).map_err(|_| BadToken::Unreadable)?;
    serde_json::from_slice(&claims).map_err(|_| BadToken::Unreadable)
}

/// Modulus and exponent of the public key, as a JSON web key set writes them.
pub(crate) fn public_key() -> (String, String) {
    let key = PublicKeyComponents::<Vec<u8>>::from(KEY.public());
    (BASE64.encode(key.n), BASE64.encode(key.e))
}

/// Who is calling, as the gate of the service found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// User name or client id.
    pub(crate) name: String,
    /// Object id in the directory.
    pub(crate) object_id: String,
    pub(crate) tenant_id: String,
    /// The run whose token this is.
    pub(crate) run_id: Option<String>,
}

impl From<Claims> for Caller {
    fn from(it: Claims) -> Self {
        let app = if it.appid.is_empty() { it.azp } else { it.appid };
        let name = if it.upn.is_empty() { app } else { it.upn };
        let run_id = Some(it.runid).filter(|it| !it.is_empty());
        Self { name, object_id: it.oid, tenant_id: it.tid, run_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(exp: i64) -> Claims {
        Claims { aud: "https://a.test".into(), appid: "app".into(), exp, ..Claims::default() }
    }

    #[test]
    fn what_is_minted_is_accepted_and_what_is_altered_is_not() {
        let wanted = claims(i64::MAX);
        let token = mint(&wanted);
        assert_eq!(check(&token), Ok(wanted));

        let mut altered: Vec<&str> = token.split('.').collect();
        let other = BASE64.encode(r#"{"aud":"https://b.test"}"#);
        altered[1] = &other;
        assert_eq!(check(&altered.join(".")), Err(BadToken::WrongSignature));
        assert_eq!(check("no token"), Err(BadToken::Unreadable));
    }

    #[test]
    fn a_token_of_the_past_is_expired_each_time_it_is_shown() {
        let token = mint(&claims(1));
        assert_eq!(check(&token), Err(BadToken::Expired));
        assert_eq!(check(&token), Err(BadToken::Expired));
    }
}
