//! `azml whoami`

use std::fmt::Write;

use azml::{
    core::TokenCredential,
    workspace::{ConfigError, WorkspaceConfig},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;

use crate::{output::Format, session::Connection};

/// What is told about the identity. Never the token.
#[derive(Debug, Default, Serialize)]
struct Identity {
    cloud: String,
    credential: String,
    tenant_id: Option<String>,
    client_id: Option<String>,
    object_id: Option<String>,
    name: Option<String>,
    signed_in_until: Option<String>,
    subscription_id: Option<String>,
    resource_group: Option<String>,
    workspace: Option<String>,
}

/// The part of a token that says whose it is.
#[derive(Debug, Default, Deserialize)]
struct Claims {
    tid: Option<String>,
    appid: Option<String>,
    azp: Option<String>,
    oid: Option<String>,
    upn: Option<String>,
    app_displayname: Option<String>,
}

pub(crate) async fn whoami(connection: &Connection, format: Format) -> anyhow::Result<String> {
    let session = connection.open()?;
    let cloud = session.cloud();
    let token = session.credential().token(&cloud.arm_scope()).await?;
    let claims = claims(token.secret.expose_secret());
    let mut identity = Identity {
        cloud: cloud.name.clone(),
        credential: connection.credential().unwrap_or_default().to_owned(),
        tenant_id: claims.tid,
        client_id: claims.appid.or(claims.azp),
        object_id: claims.oid,
        name: claims.upn.or(claims.app_displayname),
        signed_in_until: token.expires_at.format(&Rfc3339).ok(),
        ..Identity::default()
    };
    match WorkspaceConfig::find(".") {
        Ok(config) => {
            let workspace = config.into_workspace();
            identity.subscription_id = Some(workspace.subscription_id);
            identity.resource_group = Some(workspace.resource_group);
            identity.workspace = Some(workspace.name);
        }
        Err(ConfigError::NotFound { .. }) => (),
        Err(err) => return Err(err.into()),
    }
    Ok(match format {
        Format::Json => serde_json::to_string_pretty(&identity)? + "\n",
        Format::Table => text(&identity),
    })
}

/// The claims of a JSON Web Token, unchecked: the service checks them. Other
/// tokens tell nothing.
fn claims(token: &str) -> Claims {
    let body = token.split('.').nth(1).and_then(|it| URL_SAFE_NO_PAD.decode(it).ok());
    body.and_then(|it| serde_json::from_slice(&it).ok()).unwrap_or_default()
}

fn text(identity: &Identity) -> String {
    let lines = [
        ("cloud", Some(&identity.cloud)),
        ("credential", Some(&identity.credential).filter(|it| !it.is_empty())),
        ("tenant", identity.tenant_id.as_ref()),
        ("client id", identity.client_id.as_ref()),
        ("object id", identity.object_id.as_ref()),
        ("name", identity.name.as_ref()),
        ("signed in until", identity.signed_in_until.as_ref()),
        ("subscription", identity.subscription_id.as_ref()),
        ("resource group", identity.resource_group.as_ref()),
        ("workspace", identity.workspace.as_ref()),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<16} {value}");
        }
    }
    if identity.workspace.is_none() {
        text += "workspace        none: no config.json at or above this folder\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_other_tokens_tell_nothing() {
        let body = URL_SAFE_NO_PAD.encode(r#"{"tid":"t","appid":"a","oid":"o","extra":[1]}"#);
        let read = claims(&format!("header.{body}.signature"));
        assert_eq!(
            (read.tid.as_deref(), read.appid.as_deref(), read.oid.as_deref()),
            (Some("t"), Some("a"), Some("o"))
        );
        for other in ["", "dapi-fake-token", "a.!.c", "a.e30"] {
            assert_eq!(claims(other).tid, None);
        }
    }

    #[test]
    fn nothing_is_made_up() {
        let identity = Identity { cloud: "AzureCloud".to_owned(), ..Identity::default() };
        assert_eq!(
            text(&identity),
            "cloud            AzureCloud\n\
             workspace        none: no config.json at or above this folder\n"
        );
    }
}
