use serde_json::{Map, Value, json};

pub(in super::super) use super::patch::{Operation, Verb};
use super::{ADMINS_ID, EVERYBODY_ID, Event, Kind, Principal, Principals, member_id};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::databricks::{self, workspace_of},
};

/// Ids that are drawn begin here; those below are of the first day.
const FIRST_ID: u64 = 100_000;

/// What is derived, and therefore not kept.
const DERIVED: &[&str] = &["id", "schemas", "meta", "groups"];

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Scim(event))
}

fn invalid(text: impl Into<String>) -> Refusal {
    Refusal::invalid(text).with_code("invalidValue")
}

fn principals<'a>(
    world: &'a World,
    workspace: u64,
    caller: &str,
) -> Result<&'a Principals, Refusal> {
    let principals = &workspace_of(world, workspace)?.principals;
    principals.check_admin(caller)?;
    Ok(principals)
}

/// One of this kind.
pub(in super::super) fn found(
    principals: &Principals,
    kind: Kind,
    id: &str,
) -> Result<Principal, Refusal> {
    let found = id.parse().ok().and_then(|it| principals.by_id(it)).filter(|it| it.kind == kind);
    let missing = || Refusal::not_found(format!("{} with id {id} not found.", kind.word()));
    found.cloned().ok_or_else(missing)
}

pub(in super::super) fn decide_create(
    world: &World,
    workspace: u64,
    kind: Kind,
    fields: Map<String, Value>,
    caller: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<Principal> {
    let principals = principals(world, workspace, caller)?;
    let mut it = Principal { id: FIRST_ID + ctx.draw_id(), kind, fields };
    if kind == Kind::ServicePrincipal && it.name().is_empty() {
        it.fields.insert("applicationId".into(), json!(ctx.draw_uuid().to_string()));
    }
    put(workspace, principals, it)
}

pub(in super::super) fn decide_replace(
    world: &World,
    workspace: u64,
    (kind, id): (Kind, &str),
    fields: Map<String, Value>,
    caller: &str,
) -> Decision<Principal> {
    let principals = principals(world, workspace, caller)?;
    let mut it = found(principals, kind, id)?;
    let name = it.fields.remove(kind.naming());
    it.fields = fields;
    if let Some(name) = name.filter(|_| it.name().is_empty()) {
        it.fields.insert(kind.naming().into(), name);
    }
    put(workspace, principals, it)
}

pub(in super::super) fn decide_patch(
    world: &World,
    workspace: u64,
    (kind, id): (Kind, &str),
    operations: Vec<Operation>,
    caller: &str,
) -> Decision<Principal> {
    let principals = principals(world, workspace, caller)?;
    let mut it = found(principals, kind, id)?;
    for operation in operations {
        operation.apply(&mut it.fields)?;
    }
    put(workspace, principals, it)
}

pub(in super::super) fn decide_delete(
    world: &World,
    workspace: u64,
    (kind, id): (Kind, &str),
    caller: &str,
) -> Decision<()> {
    let principals = principals(world, workspace, caller)?;
    let it = found(principals, kind, id)?;
    if matches!(it.id, ADMINS_ID | EVERYBODY_ID) {
        return Err(invalid(format!("The group {} cannot be deleted.", it.name())));
    }
    if kind != Kind::Group && it.name() == caller {
        return Err(invalid("Nobody can delete the account that they use."));
    }
    Ok((vec![event(workspace, Event::Deleted { id: it.id })], ()))
}

/// A service principal that owns the workspace in Azure becomes an admin of it
/// when it first comes.
pub(crate) fn decide_join(
    world: &World,
    workspace: u64,
    client_id: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let principals = &workspace_of(world, workspace)?.principals;
    if principals.get(client_id).is_some() {
        return Ok((Vec::new(), ()));
    }
    let id = FIRST_ID + ctx.draw_id();
    let fields = json!({ "applicationId": client_id, "displayName": client_id, "active": true });
    let fields = fields.as_object().cloned().unwrap_or_default();
    let joined = Principal { id, kind: Kind::ServicePrincipal, fields };
    let mut events = vec![event(workspace, Event::Put(joined))];
    if let Some(admins) = principals.by_id(ADMINS_ID) {
        let mut admins = admins.clone();
        let mut members: Vec<u64> = admins.members().collect();
        members.push(id);
        set_members(&mut admins, members);
        events.push(event(workspace, Event::Put(admins)));
    }
    Ok((events, ()))
}

fn set_members(group: &mut Principal, mut ids: Vec<u64>) {
    ids.sort_unstable();
    ids.dedup();
    let members: Vec<Value> = ids.iter().map(|it| json!({ "value": it.to_string() })).collect();
    group.fields.remove("members");
    if !members.is_empty() {
        group.fields.insert("members".into(), json!(members));
    }
}

/// Checks one and keeps it.
fn put(workspace: u64, principals: &Principals, mut it: Principal) -> Decision<Principal> {
    for derived in DERIVED {
        it.fields.remove(*derived);
    }
    it.fields.retain(|_, value| !value.is_null());
    let (kind, name) = (it.kind, it.name().to_owned());
    if name.is_empty() {
        return Err(invalid(format!("{} is required", kind.naming())));
    }
    if principals.named(kind, &name).is_some_and(|other| other.id != it.id) {
        let text = format!("{} with {} {name} already exists.", kind.word(), kind.naming());
        return Err(Refusal::conflict(text).with_code("uniqueness"));
    }
    match kind {
        Kind::Group => check_members(principals, &mut it)?,
        Kind::User => {
            it.fields.entry("displayName").or_insert_with(|| json!(name));
            let email = json!([{ "type": "work", "value": name, "primary": true }]);
            it.fields.entry("emails").or_insert(email);
        }
        Kind::ServicePrincipal => drop(it.fields.entry("displayName").or_insert(json!(name))),
    }
    if kind != Kind::Group {
        let active = it.fields.get("active").is_none_or(|it| !is_off(it));
        it.fields.insert("active".into(), json!(active));
    }
    let known = principals.by_id(it.id);
    if matches!(it.id, ADMINS_ID | EVERYBODY_ID) && known.is_some_and(|old| old.name() != name) {
        return Err(invalid("The groups admins and users cannot be renamed."));
    }
    Ok((vec![event(workspace, Event::Put(it.clone()))], it))
}

/// Whether a flag is off, in all forms in which clients write one: the official
/// SDK cannot send a bare `false` in a change, so its examples send the word.
fn is_off(flag: &Value) -> bool {
    match flag {
        Value::Bool(it) => !it,
        Value::String(it) => it.eq_ignore_ascii_case("false"),
        Value::Array(them) => them.first().is_some_and(|it| is_off(&it["value"])),
        _ => false,
    }
}

fn check_members(principals: &Principals, group: &mut Principal) -> Result<(), Refusal> {
    let mut ids = Vec::new();
    let members = group.fields.get("members").and_then(Value::as_array);
    for it in members.into_iter().flatten() {
        let known = member_id(it).filter(|id| principals.by_id(*id).is_some() && *id != group.id);
        let missing = || invalid(format!("Member {} does not exist", it["value"]));
        ids.push(known.ok_or_else(missing)?);
    }
    set_members(group, ids);
    Ok(())
}
