use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    kernel::{self, Ctx, Decision, Refusal, Secret, World},
    services::databricks::{self, workspace_of},
};

/// Whom one can be a user of.
const PROVIDERS: &[&str] = &[
    "gitHub",
    "gitHubOAuth",
    "gitHubEnterprise",
    "bitbucketCloud",
    "bitbucketServer",
    "azureDevOpsServices",
    "azureDevOpsServicesAad",
    "gitLab",
    "gitLabEnterpriseEdition",
    "awsCodeCommit",
    "oauthAzureDevOpsServices",
    "databricksCloud",
];

/// What people sign in to Git providers with, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Credentials(BTreeMap<u64, Credential>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Credential {
    pub(super) id: u64,
    pub(super) owner: String,
    pub(super) provider: String,
    pub(super) user_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
    pub(super) is_default: bool,
    token: Option<Secret>,
}

/// What a client asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) provider: String,
    pub(super) user_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
    pub(super) is_default: Option<bool>,
    pub(super) token: Option<Secret>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Put(Credential),
    Deleted { id: u64 },
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::GitCredentials(event))
}

fn check_provider(provider: &str) -> Result<(), Refusal> {
    if PROVIDERS.iter().any(|it| it.eq_ignore_ascii_case(provider)) {
        return Ok(());
    }
    let text =
        format!("Invalid Git provider {provider}; it must be one of {}", PROVIDERS.join(", "));
    Err(Refusal::invalid(text))
}

pub(super) fn decide_create(
    world: &World,
    workspace: u64,
    wanted: Wanted,
    owner: String,
    ctx: &mut Ctx<'_>,
) -> Decision<Credential> {
    check_provider(&wanted.provider)?;
    let all = &workspace_of(world, workspace)?.git_credentials;
    let is_same = |it: &&Credential| it.provider.eq_ignore_ascii_case(&wanted.provider);
    let is_first = !all.of(&owner).any(|it| is_same(&it));
    if all.of(&owner).filter(is_same).any(|it| it.name == wanted.name) {
        let text = "Only one Git credential is supported at this time. Please edit or delete your existing credential first.";
        return Err(Refusal::invalid(text));
    }
    let credential = Credential {
        id: 1_000_000 + ctx.draw_id(),
        owner,
        provider: wanted.provider,
        user_name: wanted.user_name,
        email: wanted.email,
        name: wanted.name,
        is_default: wanted.is_default.unwrap_or(is_first),
        token: wanted.token,
    };
    Ok((vec![event(workspace, Event::Put(credential.clone()))], credential))
}

pub(super) fn decide_update(
    world: &World,
    workspace: u64,
    id: &str,
    wanted: Wanted,
    caller: &str,
) -> Decision<()> {
    check_provider(&wanted.provider)?;
    let old = workspace_of(world, workspace)?.git_credentials.get(id, caller)?.clone();
    let credential = Credential {
        provider: wanted.provider,
        user_name: wanted.user_name.or(old.user_name),
        email: wanted.email.or(old.email),
        name: wanted.name.or(old.name),
        is_default: wanted.is_default.unwrap_or(old.is_default),
        token: wanted.token.or(old.token),
        ..old
    };
    Ok((vec![event(workspace, Event::Put(credential))], ()))
}

pub(super) fn decide_delete(world: &World, workspace: u64, id: &str, caller: &str) -> Decision<()> {
    let id = workspace_of(world, workspace)?.git_credentials.get(id, caller)?.id;
    Ok((vec![event(workspace, Event::Deleted { id })], ()))
}

impl Credentials {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Put(it) => {
                if it.is_default {
                    let others = self
                        .0
                        .values_mut()
                        .filter(|other| other.owner == it.owner && other.provider == it.provider);
                    others.for_each(|other| other.is_default = false);
                }
                self.0.insert(it.id, it.clone());
            }
            Event::Deleted { id } => drop(self.0.remove(id)),
        }
    }

    /// A credential of the caller.
    pub(super) fn get(&self, id: &str, caller: &str) -> Result<&Credential, Refusal> {
        let found = id.parse().ok().and_then(|it: u64| self.0.get(&it));
        let missing = || Refusal::not_found(format!("Git credential {id} does not exist"));
        found.filter(|it| it.owner == caller).ok_or_else(missing)
    }

    pub(super) fn of<'a>(&'a self, owner: &'a str) -> impl Iterator<Item = &'a Credential> {
        self.0.values().filter(move |it| it.owner == owner)
    }
}
