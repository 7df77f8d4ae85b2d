//! What all Databricks services share: the envelope in which they refuse, the
//! gate, and the state of one workspace.

pub(crate) mod clusters;
pub(crate) mod commands;
pub(crate) mod dbfs;
pub(crate) mod elsewhere;
pub(crate) mod files;
mod form;
mod gate;
pub(crate) mod git_credentials;
pub(crate) mod init_scripts;
pub(crate) mod instance_pools;
pub(crate) mod jobs;
pub(crate) mod legacy_groups;
pub(crate) mod libraries;
pub(crate) mod oidc;
pub(crate) mod paths;
pub(crate) mod permissions;
pub(crate) mod pipelines;
pub(crate) mod policies;
pub(crate) mod repos;
pub(crate) mod scim;
pub(crate) mod secrets;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod tokens;
pub(crate) mod unity_catalog;
pub(crate) mod wellknown;
mod wire;
pub(crate) mod workspace;
pub(crate) mod workspace_conf;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

pub(crate) use self::gate::{AtDatabricks, finish, gate};
use self::{
    clusters::Clusters, commands::Commands, dbfs::Dbfs, git_credentials::Credentials,
    init_scripts::Scripts, instance_pools::Pools, jobs::Jobs, libraries::Libraries, oidc::Oidc,
    permissions::Permissions, policies::Policies, repos::Repos, scim::Principals, secrets::Secrets,
    tokens::Tokens, unity_catalog::Catalogs, workspace::Objects, workspace_conf::Conf,
};
use crate::kernel::{self, Ctx, Kind, Refusal, World, effects::Effect};

/// The workspace that a client meets who names none.
pub(crate) const DEFAULT_WORKSPACE: u64 = 1_234_567_890_123_456;

/// `{"error_code","message"}`.
pub(crate) struct Envelope;

impl kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let code = refusal.code_or(match refusal.kind {
            Kind::Malformed => "MALFORMED_REQUEST",
            Kind::Invalid => "INVALID_PARAMETER_VALUE",
            Kind::Unauthenticated => "UNAUTHENTICATED",
            Kind::Denied => "PERMISSION_DENIED",
            Kind::NotFound => "RESOURCE_DOES_NOT_EXIST",
            Kind::NoSuchPath => "ENDPOINT_NOT_FOUND",
            Kind::Conflict => "RESOURCE_CONFLICT",
            Kind::AlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Kind::PreconditionFailed => "ABORTED",
            Kind::TooLarge => "MAX_BLOCK_SIZE_EXCEEDED",
            Kind::Status(StatusCode::TOO_MANY_REQUESTS) => "REQUEST_LIMIT_EXCEEDED",
            Kind::NotEmulated => "NOT_IMPLEMENTED",
            Kind::Unrecorded => "TEMPORARILY_UNAVAILABLE",
            Kind::Status(_) => "INTERNAL_ERROR",
        });
        let status = match refusal.kind {
            Kind::AlreadyExists | Kind::TooLarge => StatusCode::BAD_REQUEST,
            _ => refusal.status(),
        };
        // The gateway in front of the services writes its code as a number.
        let code = code.parse::<u16>().map_or_else(|_| json!(code), |it| json!(it));
        let body = json!({ "error_code": code, "message": refusal.message });
        (status, axum::Json(body)).into_response()
    }
}

/// The state of one workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Databricks {
    pub(crate) principals: Principals,
    pub(crate) oidc: Oidc,
    pub(crate) permissions: Permissions,
    pub(crate) pools: Pools,
    pub(crate) policies: Policies,
    pub(crate) init_scripts: Scripts,
    pub(crate) git_credentials: Credentials,
    pub(crate) repos: Repos,
    pub(crate) conf: Conf,
    pub(crate) unity_catalog: Catalogs,
    pub(crate) tokens: Tokens,
    pub(crate) secrets: Secrets,
    pub(crate) clusters: Clusters,
    pub(crate) libraries: Libraries,
    pub(crate) commands: Commands,
    pub(crate) jobs: Jobs,
    pub(crate) dbfs: Dbfs,
    pub(crate) workspace: Objects,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Scim(scim::Event),
    Oidc(oidc::Event),
    Permissions(permissions::Event),
    Pools(instance_pools::Event),
    Policies(policies::Event),
    InitScripts(init_scripts::Event),
    GitCredentials(git_credentials::Event),
    Repos(repos::Event),
    Conf(workspace_conf::Event),
    UnityCatalog(unity_catalog::Event),
    Tokens(tokens::Event),
    Secrets(secrets::Event),
    Clusters(clusters::Event),
    Libraries(libraries::Event),
    Commands(commands::Event),
    Jobs(jobs::Event),
    Dbfs(dbfs::Event),
    Workspace(workspace::Event),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Due {
    Clusters(clusters::Due),
    Libraries(libraries::Due),
    Jobs(jobs::Due),
}

impl Databricks {
    /// What every workspace begins with.
    pub(crate) fn seeded(at: OffsetDateTime) -> Self {
        Self {
            principals: Principals::seeded(),
            oidc: Oidc::seeded(at),
            unity_catalog: Catalogs::seeded(at),
            tokens: Tokens::seeded(at),
            workspace: Objects::seeded(at),
            ..Self::default()
        }
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Scim(event) => self.principals.evolve(event),
            Event::Oidc(event) => self.oidc.evolve(event),
            Event::Permissions(event) => self.permissions.evolve(event),
            Event::Pools(event) => self.pools.evolve(event),
            Event::Policies(event) => self.policies.evolve(event),
            Event::InitScripts(event) => self.init_scripts.evolve(event),
            Event::GitCredentials(event) => self.git_credentials.evolve(event),
            Event::Repos(event) => self.repos.evolve(event),
            Event::Conf(event) => self.conf.evolve(event),
            Event::UnityCatalog(event) => self.unity_catalog.evolve(event),
            Event::Tokens(event) => self.tokens.evolve(event),
            Event::Secrets(event) => self.secrets.evolve(event),
            Event::Clusters(event) => {
                self.clusters.evolve(event);
                self.libraries.follow(event);
                self.commands.follow(event);
            }
            Event::Libraries(event) => self.libraries.evolve(event),
            Event::Commands(event) => {
                if let Some((cluster_id, at)) = self.commands.evolve(event) {
                    self.clusters.was_used(&cluster_id, at);
                }
            }
            Event::Jobs(event) => {
                if let Some((cluster_id, at)) = self.jobs.evolve(event) {
                    self.clusters.was_used(&cluster_id, at);
                }
            }
            Event::Dbfs(event) => self.dbfs.evolve(event),
            Event::Workspace(event) => self.workspace.evolve(event),
        }
    }

    /// What time alone brings about next: machines first, then what waits for them.
    pub(crate) fn next_due(&self) -> Option<(OffsetDateTime, Due)> {
        let clusters = self.clusters.next_due(&self.jobs);
        let libraries = self.libraries.next_due(&self.clusters);
        let jobs = self.jobs.next_due(self);
        let clusters = clusters.map(|(at, it)| (at, Due::Clusters(it)));
        let libraries = libraries.map(|(at, it)| (at, Due::Libraries(it)));
        let jobs = jobs.map(|(at, it)| (at, Due::Jobs(it)));
        clusters.into_iter().chain(libraries).chain(jobs).min_by_key(|(at, _)| *at)
    }
}

/// The workspace with this number.
pub(crate) fn workspace_of(world: &World, workspace: u64) -> Result<&Databricks, Refusal> {
    let missing = || Refusal::not_found(format!("Workspace {workspace} does not exist"));
    world.databricks.get(&workspace).ok_or_else(missing)
}

pub(crate) fn decide_due(
    world: &World,
    workspace: u64,
    due: &Due,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    match due {
        Due::Clusters(due) => clusters::decide_due(world, workspace, due, ctx),
        Due::Libraries(due) => libraries::decide_due(world, workspace, due, ctx),
        Due::Jobs(due) => jobs::decide_due(world, workspace, due, ctx),
    }
}

/// What was executing when the mock ended has failed.
pub(crate) fn decide_restart(world: &World, ctx: &mut Ctx<'_>) -> Vec<kernel::Event> {
    let workspaces = world.databricks.keys();
    let mut events = Vec::new();
    for workspace in workspaces {
        events.extend(jobs::decide_restart(world, *workspace, ctx));
        events.extend(libraries::decide_restart(world, *workspace, ctx));
        events.extend(commands::decide_restart(world, *workspace));
    }
    events
}

/// What goes on in a workspace that goes away: tasks end, then what they run on.
pub(crate) fn decide_end(world: &World, workspace: u64, ctx: &mut Ctx<'_>) -> Vec<kernel::Event> {
    let mut events = jobs::decide_workspace_lost(world, workspace, ctx);
    events.extend(clusters::decide_workspace_lost(world, workspace));
    events
}

pub(crate) fn effect_of(workspace: u64, event: Event, world: &World) -> Option<Effect> {
    match event {
        Event::Clusters(event) => clusters::effect_of(workspace, event),
        Event::Jobs(event) => jobs::effect_of(workspace, &event, world),
        Event::Libraries(event) => libraries::effect_of(workspace, event),
        _ => None,
    }
}

/// A file of the workspace could not be read or written.
fn io_error(err: &std::io::Error) -> Refusal {
    Refusal::invalid(err.to_string()).with_code("IO_ERROR")
}

/// Whose token this is, if it is one of this workspace and has not expired.
pub(crate) fn token_owner(
    world: &World,
    workspace: u64,
    token: &str,
    now: OffsetDateTime,
) -> Option<String> {
    let state = world.databricks.get(&workspace)?;
    let owner = state.tokens.owner(token, now).or_else(|| state.jobs.token_owner(token));
    owner.map(str::to_owned)
}
