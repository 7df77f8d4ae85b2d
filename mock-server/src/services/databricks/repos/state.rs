use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
    services::databricks::{self, paths::normal, workspace, workspace_of},
};

const PROVIDERS: &[(&str, &str)] = &[
    ("github.com", "gitHub"),
    ("gitlab.com", "gitLab"),
    ("bitbucket.org", "bitbucketCloud"),
    ("dev.azure.com", "azureDevOpsServices"),
];

/// The Git folders of a workspace, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Repos(BTreeMap<u64, Repo>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Repo {
    pub(super) id: u64,
    pub(super) creator: String,
    pub(super) path: String,
    pub(super) url: String,
    pub(super) provider: String,
    /// Neither, at a tag.
    pub(super) branch: Option<String>,
    pub(super) commit: String,
    pub(super) sparse_checkout: Option<Value>,
}

/// What a client asked for.
#[derive(Debug)]
pub(super) struct NewRepo {
    pub(super) url: String,
    pub(super) provider: Option<String>,
    pub(super) path: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) sparse_checkout: Option<Value>,
}

#[derive(Debug)]
pub(super) struct Change {
    pub(super) branch: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) sparse_checkout: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Put(Repo),
    Deleted { id: u64 },
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Repos(event))
}

fn draw_commit(ctx: &mut Ctx<'_>) -> String {
    let mut commit = format!("{}{}", ctx.draw_uuid().simple(), ctx.draw_uuid().simple());
    commit.truncate(40);
    commit
}

pub(super) fn decide_create(
    world: &World,
    workspace: u64,
    new: NewRepo,
    creator: String,
    ctx: &mut Ctx<'_>,
) -> Decision<Repo> {
    let bad = || Refusal::invalid(format!("Invalid Git URL {}", new.url));
    let rest = new.url.strip_prefix("https://").ok_or_else(bad)?;
    let (host, rest) = rest.split_once('/').ok_or_else(bad)?;
    let host = host.rsplit('@').next().unwrap_or(host);
    let name = rest.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = name.trim_end_matches(".git");
    if name.is_empty() {
        return Err(bad());
    }
    let known = PROVIDERS.iter().find(|(it, _)| *it == host).map(|(_, it)| (*it).to_owned());
    let missing = || Refusal::invalid(format!("provider is required: {host} is not known"));
    let provider = new.provider.filter(|it| !it.is_empty()).or(known).ok_or_else(missing)?;
    let path = new.path.unwrap_or_else(|| format!("/Repos/{creator}/{name}"));
    let path = normal(path.strip_prefix("/Workspace").unwrap_or(&path))?;
    let state = workspace_of(world, workspace)?;
    if state.workspace.has_path(&path) {
        let text = format!("{path} already exists. Please choose a different name.");
        return Err(Refusal::new(Kind::AlreadyExists, text));
    }
    let (mut events, ()) = workspace::decide_make_folder(world, workspace, &path, ctx)?;
    let repo = Repo {
        id: (1 << 41) + ctx.draw_id(),
        creator,
        path,
        url: new.url,
        provider,
        branch: Some(new.branch.unwrap_or_else(|| "main".to_owned())),
        commit: draw_commit(ctx),
        sparse_checkout: new.sparse_checkout,
    };
    events.push(event(workspace, Event::Put(repo.clone())));
    Ok((events, repo))
}

pub(super) fn decide_update(
    world: &World,
    workspace: u64,
    id: &str,
    change: Change,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let mut repo = workspace_of(world, workspace)?.repos.get(id)?.clone();
    match (change.branch, change.tag) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid("Only one of branch and tag may be given"));
        }
        (None, None) if change.sparse_checkout.is_none() => {
            return Err(Refusal::invalid("One of branch and tag is required"));
        }
        (Some(branch), None) => repo.branch = Some(branch),
        (None, Some(_)) => repo.branch = None,
        (None, None) => (),
    }
    repo.sparse_checkout = change.sparse_checkout.or(repo.sparse_checkout);
    repo.commit = draw_commit(ctx);
    Ok((vec![event(workspace, Event::Put(repo))], ()))
}

pub(super) fn decide_delete(world: &World, workspace: u64, id: &str) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    let repo = state.repos.get(id)?;
    let mut events = vec![event(workspace, Event::Deleted { id: repo.id })];
    if state.workspace.has_path(&repo.path) {
        events.extend(workspace::decide_delete(world, workspace, &repo.path, true)?.0);
    }
    Ok((events, ()))
}

impl Repos {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Put(repo) => drop(self.0.insert(repo.id, repo.clone())),
            Event::Deleted { id } => drop(self.0.remove(id)),
        }
    }

    pub(super) fn get(&self, id: &str) -> Result<&Repo, Refusal> {
        let found = id.parse().ok().and_then(|it: u64| self.0.get(&it));
        found.ok_or_else(|| Refusal::not_found(format!("Repo {id} could not be found")))
    }

    pub(crate) fn creator_of(&self, id: &str) -> Option<&str> {
        self.get(id).ok().map(|it| it.creator.as_str())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Repo> {
        self.0.values()
    }
}
