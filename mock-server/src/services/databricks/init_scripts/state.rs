use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Refusal, World, ids},
    services::databricks::{self, workspace_of},
};

const LARGEST: usize = 64 * 1024;
const MOST: usize = 20;

/// The scripts of a workspace, in the order in which they would run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scripts(Vec<Script>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Script {
    pub(super) id: String,
    pub(super) name: String,
    /// Base64.
    pub(super) text: String,
    pub(super) is_enabled: bool,
    pub(super) created_at: OffsetDateTime,
    pub(super) created_by: String,
    pub(super) updated_at: OffsetDateTime,
    pub(super) updated_by: String,
}

/// What a client asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) name: Option<String>,
    pub(super) script: Option<String>,
    pub(super) is_enabled: Option<bool>,
    pub(super) position: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Put { script: Script, position: usize },
    Deleted { id: String },
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::InitScripts(event))
}

/// The text must be base64 of a script that is not too long.
fn check(script: &str) -> Result<(), Refusal> {
    let text = BASE64.decode(script);
    let text = text.map_err(|err| Refusal::invalid(format!("script is no base64: {err}")))?;
    if LARGEST < text.len() {
        return Err(Refusal::invalid(format!("script has more than {LARGEST} bytes")));
    }
    Ok(())
}

pub(super) fn decide_create(
    world: &World,
    workspace: u64,
    wanted: Wanted,
    caller: String,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(&caller)?;
    let missing = |name: &str| Refusal::invalid(format!("Missing required field: {name}"));
    let name = wanted.name.ok_or_else(|| missing("name"))?;
    let script = wanted.script.ok_or_else(|| missing("script"))?;
    check(&script)?;
    let scripts = &state.init_scripts;
    scripts.check_name(&name, None)?;
    if MOST <= scripts.0.len() {
        let text = format!("A workspace has at most {MOST} global init scripts");
        return Err(Refusal::invalid(text).with_code("QUOTA_EXCEEDED"));
    }
    let id = ids::hex16(world.seed, ctx.draw_id()).to_uppercase();
    let script = Script {
        id: id.clone(),
        name,
        text: script,
        is_enabled: wanted.is_enabled.unwrap_or(false),
        created_at: ctx.now,
        created_by: caller.clone(),
        updated_at: ctx.now,
        updated_by: caller,
    };
    let position = wanted.position.unwrap_or(scripts.0.len()).min(scripts.0.len());
    Ok((vec![event(workspace, Event::Put { script, position })], id))
}

pub(super) fn decide_update(
    world: &World,
    workspace: u64,
    id: &str,
    wanted: Wanted,
    caller: String,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(&caller)?;
    let scripts = &state.init_scripts;
    let (old_position, old) = scripts.get(id)?;
    if let Some(script) = &wanted.script {
        check(script)?;
    }
    let name = wanted.name.unwrap_or_else(|| old.name.clone());
    scripts.check_name(&name, Some(id))?;
    let script = Script {
        name,
        text: wanted.script.unwrap_or_else(|| old.text.clone()),
        is_enabled: wanted.is_enabled.unwrap_or(old.is_enabled),
        updated_at: ctx.now,
        updated_by: caller,
        ..old.clone()
    };
    let position = wanted.position.unwrap_or(old_position).min(scripts.0.len() - 1);
    Ok((vec![event(workspace, Event::Put { script, position })], ()))
}

pub(super) fn decide_delete(
    world: &World,
    workspace: u64,
    id: String,
    caller: &str,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(caller)?;
    state.init_scripts.get(&id)?;
    Ok((vec![event(workspace, Event::Deleted { id })], ()))
}

impl Scripts {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Put { script, position } => {
                self.0.retain(|it| it.id != script.id);
                self.0.insert((*position).min(self.0.len()), script.clone());
            }
            Event::Deleted { id } => self.0.retain(|it| it.id != *id),
        }
    }

    /// A script and its position.
    pub(super) fn get(&self, id: &str) -> Result<(usize, &Script), Refusal> {
        let missing = || Refusal::not_found(format!("The global init script {id} does not exist"));
        self.0.iter().enumerate().find(|(_, it)| it.id == id).ok_or_else(missing)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Script)> {
        self.0.iter().enumerate()
    }

    fn check_name(&self, name: &str, own: Option<&str>) -> Result<(), Refusal> {
        if name.is_empty() {
            return Err(Refusal::invalid("name must not be empty"));
        }
        if self.0.iter().any(|it| it.name == name && Some(it.id.as_str()) != own) {
            let text = format!("A global init script with the name {name} already exists");
            return Err(Refusal::invalid(text));
        }
        Ok(())
    }
}
