use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Refusal, Secret, World, clock::later, ids},
    services::databricks::{
        self, Databricks,
        scim::{self, ADMIN},
        workspace_of,
    },
};

/// The token of the admin in every new workspace.
const SEEDED: &str = "dapi-fake-token";

/// How many tokens one principal may have.
const MOST: usize = 600;

/// The personal access tokens of a workspace, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tokens(BTreeMap<String, Token>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and there are other ids")]
pub(crate) struct Token {
    pub(super) token_id: String,
    pub(super) value: Secret,
    pub(super) owner: String,
    /// Who asked for it.
    pub(super) creator: String,
    pub(super) comment: String,
    pub(super) scopes: Vec<String>,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Created(Token),
    Deleted { token_id: String },
}

/// What a new token is to be.
#[derive(Debug)]
pub(super) struct NewToken {
    pub(super) comment: String,
    pub(super) lifetime: Option<Duration>,
    pub(super) scopes: Vec<String>,
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Tokens(event))
}

/// Makes a token that `owner` can use in place of a sign-in.
pub(super) fn decide_create(
    world: &World,
    workspace: u64,
    owner: String,
    new: NewToken,
    caller: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<Token> {
    let state = workspace_of(world, workspace)?;
    if owner != caller {
        state.principals.check_admin(caller)?;
        if state.principals.named(scim::Kind::ServicePrincipal, &owner).is_none() {
            let text = format!("Service principal {owner} does not exist");
            return Err(Refusal::not_found(text));
        }
    }
    if MOST <= state.tokens.of(&owner).count() {
        let text = format!("{owner} has {MOST} tokens, which is the limit");
        return Err(Refusal::invalid(text).with_code("QUOTA_EXCEEDED"));
    }
    let token_id = ctx.draw_uuid().simple().to_string();
    let token = Token {
        value: format!("dapi{}", ctx.draw_uuid().simple()).into(),
        token_id,
        owner,
        creator: caller.to_owned(),
        comment: new.comment,
        scopes: new.scopes,
        created_at: ctx.now,
        expires_at: new.lifetime.map(|it| later(ctx.now, it)),
    };
    Ok((vec![event(workspace, Event::Created(token.clone()))], token))
}

/// The token with this id. Without the rights of an admin it may be named only
/// by its owner.
pub(super) fn token<'a>(
    state: &'a Databricks,
    token_id: &str,
    caller: &str,
    as_admin: bool,
) -> Result<&'a Token, Refusal> {
    if as_admin {
        state.principals.check_admin(caller)?;
    }
    let found = state.tokens.0.get(token_id).filter(|it| as_admin || it.owner == caller);
    let missing = || Refusal::not_found(format!("Token with id {token_id} does not exist"));
    found.ok_or_else(missing)
}

/// Makes a token worthless.
pub(super) fn decide_delete(
    world: &World,
    workspace: u64,
    token_id: String,
    caller: &str,
    as_admin: bool,
) -> Decision<()> {
    token(workspace_of(world, workspace)?, &token_id, caller, as_admin)?;
    Ok((vec![event(workspace, Event::Deleted { token_id })], ()))
}

/// Changes what is said about a token.
pub(super) fn decide_update(
    world: &World,
    workspace: u64,
    token_id: &str,
    (comment, scopes): (Option<String>, Option<Vec<String>>),
    caller: &str,
    as_admin: bool,
) -> Decision<Token> {
    let mut it = token(workspace_of(world, workspace)?, token_id, caller, as_admin)?.clone();
    it.comment = comment.unwrap_or(it.comment);
    it.scopes = scopes.unwrap_or(it.scopes);
    Ok((vec![event(workspace, Event::Created(it.clone()))], it))
}

impl Tokens {
    pub(crate) fn seeded(at: OffsetDateTime) -> Self {
        let token = Token {
            token_id: ids::uuid(0, 0).simple().to_string(),
            value: SEEDED.to_owned().into(),
            owner: ADMIN.into(),
            creator: ADMIN.into(),
            scopes: Vec::new(),
            comment: "default world".into(),
            created_at: at,
            expires_at: None,
        };
        Self(BTreeMap::from([(token.token_id.clone(), token)]))
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Created(token) => {
                self.0.insert(token.token_id.clone(), token.clone());
            }
            Event::Deleted { token_id } => {
                self.0.remove(token_id);
            }
        }
    }

    /// Whose token this is, unless it has expired.
    pub(crate) fn owner(&self, value: &str, now: OffsetDateTime) -> Option<&str> {
        let alive = |it: &&Token| it.expires_at.is_none_or(|at| now < at);
        self.0.values().filter(alive).find(|it| *it.value == *value).map(|it| it.owner.as_str())
    }

    pub(super) fn of<'a>(&'a self, owner: &'a str) -> impl Iterator<Item = &'a Token> {
        self.0.values().filter(move |it| it.owner == owner)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Token> {
        self.0.values()
    }

    /// What no log may show.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|it| &*it.value)
    }
}
