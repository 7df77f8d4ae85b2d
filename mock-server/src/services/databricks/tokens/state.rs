use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Refusal, Secret, World, clock::later, ids},
    services::databricks::{self, scim::ADMIN, workspace_of},
};

/// The token of the admin in every new workspace.
const SEEDED: &str = "dapi-fake-token";

/// The personal access tokens of a workspace, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tokens(BTreeMap<String, Token>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and there are other ids")]
pub(crate) struct Token {
    pub(super) token_id: String,
    pub(super) value: Secret,
    pub(super) owner: String,
    pub(super) comment: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Created(Token),
    Deleted { token_id: String },
}

/// Makes a token that `owner` can use in place of a sign-in.
pub(super) fn decide_create(
    workspace: u64,
    owner: String,
    comment: String,
    lifetime: Option<Duration>,
    ctx: &mut Ctx<'_>,
) -> (Vec<kernel::Event>, Token) {
    let token_id = ctx.draw_uuid().simple().to_string();
    let token = Token {
        value: format!("dapi{}", ctx.draw_uuid().simple()).into(),
        token_id,
        owner,
        comment,
        created_at: ctx.now,
        expires_at: lifetime.map(|it| later(ctx.now, it)),
    };
    let created = databricks::Event::Tokens(Event::Created(token.clone()));
    (vec![kernel::Event::Databricks(workspace, created)], token)
}

/// Makes a token worthless. It may be named only by its owner.
pub(super) fn decide_delete(
    world: &World,
    workspace: u64,
    owner: &str,
    token_id: String,
) -> Decision<()> {
    let tokens = &workspace_of(world, workspace)?.tokens;
    if tokens.0.get(&token_id).is_none_or(|it| it.owner != owner) {
        return Err(Refusal::not_found(format!("Token with id {token_id} does not exist")));
    }
    let deleted = databricks::Event::Tokens(Event::Deleted { token_id });
    Ok((vec![kernel::Event::Databricks(workspace, deleted)], ()))
}

impl Tokens {
    pub(crate) fn seeded(at: OffsetDateTime) -> Self {
        let token = Token {
            token_id: ids::uuid(0, 0).simple().to_string(),
            value: SEEDED.to_owned().into(),
            owner: ADMIN.into(),
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

    /// What no log may show.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|it| &*it.value)
    }
}
