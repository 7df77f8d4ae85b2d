use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{
        self, Ctx, Decision, Kind, Refusal, Secret, World,
        auth::{self, Claims},
    },
    services::databricks::{
        self, Databricks,
        scim::{self, SERVICE_PRINCIPAL},
        workspace_of,
    },
};

/// The secret of the service principal of every new workspace, which is the
/// same as the one in Entra.
const SECRET: &str = "fake-secret";

/// Tokens of other issuers that stand for it.
const SUBJECTS: &[&str] = &["good.id.token", "a.b.c"];

/// When the secret of the default world expires.
const NEVER: OffsetDateTime = time::macros::datetime!(9999-12-31 23:59:59 UTC);

const MOST_SECRETS: usize = 5;

/// What service principals sign in with, by client id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Oidc {
    secrets: BTreeMap<String, Vec<OauthSecret>>,
    /// Which client a token of another issuer stands for.
    subjects: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OauthSecret {
    pub(super) id: String,
    pub(super) value: Secret,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: OffsetDateTime,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    SecretMade { client_id: String, secret: OauthSecret },
    SecretDeleted { client_id: String, id: String },
}

/// What a client shows for a token.
#[derive(Debug)]
pub(super) enum Request<'a> {
    Credentials {
        client_id: &'a str,
        secret: &'a str,
    },
    /// A token of another issuer, for a client or for whom it names itself.
    Federated {
        client_id: Option<&'a str>,
        subject: &'a str,
    },
    PersonalToken(&'a str),
}

fn refused(code: &'static str, text: impl Into<String>) -> Refusal {
    Refusal::invalid(text).with_code(code)
}

fn wrong_client() -> Refusal {
    Refusal::new(Kind::Unauthenticated, "Client authentication failed").with_code("invalid_client")
}

impl Oidc {
    pub(crate) fn seeded(at: OffsetDateTime) -> Self {
        let client = SERVICE_PRINCIPAL.to_owned();
        let secret = OauthSecret {
            id: "00000000-0000-0000-0000-000000000001".into(),
            value: SECRET.to_owned().into(),
            created_at: at,
            expires_at: NEVER,
        };
        let subjects = SUBJECTS.iter().map(|it| ((*it).to_owned(), client.clone())).collect();
        Self { secrets: BTreeMap::from([(client.clone(), vec![secret])]), subjects }
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::SecretMade { client_id, secret } => {
                self.secrets.entry(client_id.clone()).or_default().push(secret.clone());
            }
            Event::SecretDeleted { client_id, id } => {
                let secrets = self.secrets.entry(client_id.clone()).or_default();
                secrets.retain(|it| it.id != *id);
            }
        }
    }

    pub(super) fn secrets_of(&self, client_id: &str) -> &[OauthSecret] {
        self.secrets.get(client_id).map_or(&[], Vec::as_slice)
    }
}

/// Whose token a client gets for what it shows: a user name or a client id.
pub(super) fn whose(
    state: &Databricks,
    request: &Request<'_>,
    now: OffsetDateTime,
) -> Result<String, Refusal> {
    let name = match request {
        Request::Credentials { client_id, secret } => {
            let mut secrets = state.oidc.secrets_of(client_id).iter();
            if !secrets.any(|it| *it.value == **secret && now < it.expires_at) {
                return Err(wrong_client());
            }
            (*client_id).to_owned()
        }
        Request::Federated { client_id, subject } => whose_federated(state, *client_id, subject)?,
        Request::PersonalToken(token) => {
            let owner = state.tokens.owner(token, now).or_else(|| state.jobs.token_owner(token));
            let refused = || refused("invalid_grant", "The personal access token is not valid");
            owner.ok_or_else(refused)?.to_owned()
        }
    };
    match state.principals.get(&name) {
        Some(it) if it.is_active() => Ok(it.name().to_owned()),
        _ => Err(wrong_client()),
    }
}

fn whose_federated(
    state: &Databricks,
    client_id: Option<&str>,
    subject: &str,
) -> Result<String, Refusal> {
    let bad = |text: &str| refused("invalid_grant", format!("The subject token {text}"));
    let own = if let Some(client) = state.oidc.subjects.get(subject) {
        client.clone()
    } else {
        let claims = auth::check(subject).map_err(|_| bad("is not valid"))?;
        if claims.upn.is_empty() { claims.appid } else { claims.upn }
    };
    match client_id {
        Some(client) if state.principals.named(scim::Kind::ServicePrincipal, client).is_none() => {
            Err(wrong_client())
        }
        Some(client) if !client.eq_ignore_ascii_case(&own) => {
            Err(bad(&format!("matches no federation policy of {client}")))
        }
        _ => Ok(own),
    }
}

/// What a token of the workspace says.
pub(super) fn claims(state: &Databricks, workspace: u64, name: &str, issuer: &str) -> Claims {
    let found = state.principals.get(name);
    let is_user = found.is_some_and(|it| it.kind == scim::Kind::User);
    let (upn, appid) = if is_user { (name, "") } else { ("", name) };
    Claims {
        aud: workspace.to_string(),
        iss: issuer.to_owned(),
        sub: name.to_owned(),
        oid: found.map_or_else(String::new, |it| it.id.to_string()),
        upn: upn.to_owned(),
        appid: appid.to_owned(),
        ver: "2.0".to_owned(),
        ..Claims::default()
    }
}

/// The service principal with this number.
pub(super) fn client_of(state: &Databricks, id: &str) -> Result<String, Refusal> {
    let found = id.parse().ok().and_then(|it| state.principals.by_id(it));
    let found = found.filter(|it| it.kind == scim::Kind::ServicePrincipal);
    let missing = || Refusal::not_found(format!("Service principal {id} does not exist"));
    found.map(|it| it.name().to_owned()).ok_or_else(missing)
}

pub(super) fn decide_secret(
    world: &World,
    workspace: u64,
    principal: &str,
    lifetime: Option<std::time::Duration>,
    caller: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<OauthSecret> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(caller)?;
    let client_id = client_of(state, principal)?;
    if MOST_SECRETS <= state.oidc.secrets_of(&client_id).len() {
        let text = format!("A service principal has at most {MOST_SECRETS} OAuth secrets");
        return Err(Refusal::invalid(text).with_code("RESOURCE_EXHAUSTED"));
    }
    let life = lifetime.unwrap_or(std::time::Duration::from_secs(730 * 24 * 3600));
    let secret = OauthSecret {
        id: ctx.draw_uuid().to_string(),
        value: format!("dose{}", ctx.draw_uuid().simple()).into(),
        created_at: ctx.now,
        expires_at: kernel::clock::later(ctx.now, life),
    };
    let made = databricks::Event::Oidc(Event::SecretMade { client_id, secret: secret.clone() });
    Ok((vec![kernel::Event::Databricks(workspace, made)], secret))
}

pub(super) fn decide_secret_deletion(
    world: &World,
    workspace: u64,
    (principal, id): (&str, String),
    caller: &str,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(caller)?;
    let client_id = client_of(state, principal)?;
    if !state.oidc.secrets_of(&client_id).iter().any(|it| it.id == id) {
        return Err(Refusal::not_found(format!("Secret {id} does not exist")));
    }
    let deleted = databricks::Event::Oidc(Event::SecretDeleted { client_id, id });
    Ok((vec![kernel::Event::Databricks(workspace, deleted)], ()))
}
