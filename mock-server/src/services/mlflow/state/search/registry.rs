use std::cmp::Ordering;

use super::{
    Page, duplicates,
    family::{Attribute, Entity, Family, Subject, Term, Test},
    grammar, sorting,
};
use crate::{
    kernel::Refusal,
    store::{Model, RegisteredModel, Store},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Name,
    Version,
    RunId,
    Source,
}

/// Tells prompts from models: both have one registry.
pub(in crate::services::mlflow) const IS_PROMPT: &str = "mlflow.prompt.is_prompt";

const WORDS: &[(&str, Entity)] =
    &[("attribute", Entity::Attribute), ("tag", Entity::Tag), ("tags", Entity::Tag)];

fn unknown_word(word: &str) -> String {
    format!("Invalid entity type '{word}'. Valid entity types are ('attribute', 'tag', 'tags')")
}

fn bad_comparator(entity: Entity, key: &str, comparator: &str) -> String {
    match (entity, key) {
        (Entity::Tag, _) => format!("Invalid comparator for tag: {comparator}"),
        (_, "version_number") => {
            format!("Invalid comparator for attribute {key}: {comparator}")
        }
        _ => format!("Invalid comparator for attribute: {comparator}"),
    }
}

fn stray(_: &str, stray: &[&str]) -> String {
    format!("Invalid clause(s) in filter string: {}", stray.join(", "))
}

fn not_nullable(_: Entity, _: &str) -> String {
    "Invalid comparison clause. Expected 3 tokens found 2".to_owned()
}

static REGISTERED: Family<Of> = Family {
    words: WORDS,
    unknown_word,
    attributes: &[Attribute { key: "name", id: Of::Name, is_numeric: false, takes_lists: true }],
    datasets: &[],
    nullable: &[],
    not_nullable,
    bad_comparator,
    stray,
};

static VERSIONS: Family<Of> = Family {
    words: WORDS,
    unknown_word,
    attributes: &[
        Attribute { key: "name", id: Of::Name, is_numeric: false, takes_lists: true },
        Attribute { key: "run_id", id: Of::RunId, is_numeric: false, takes_lists: true },
        Attribute { key: "source_path", id: Of::Source, is_numeric: false, takes_lists: false },
        Attribute { key: "version_number", id: Of::Version, is_numeric: true, takes_lists: false },
    ],
    datasets: &[],
    nullable: &[],
    not_nullable,
    bad_comparator,
    stray,
};

/// Whether a registered model is a prompt.
pub(in crate::services::mlflow) fn is_prompt(it: &RegisteredModel) -> bool {
    it.tags.get(IS_PROMPT).is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

/// Takes what is asked of the prompt tag out of `terms` and says what it asks for.
fn takes_prompts(terms: &mut Vec<Term<Of>>) -> bool {
    let asks = |it: &Term<Of>| matches!(&it.subject, Subject::Tag(key) if key == IS_PROMPT);
    let first = terms.iter().find(|it| asks(it));
    // A model has no such tag, which counts as `false`.
    let wants = first.is_some_and(|it| it.test.holds_for(Some("true")));
    terms.retain(|it| !asks(it));
    wants
}

type Order<F> = Vec<(F, bool)>;

fn order<F: Copy + PartialEq>(
    order_by: &[String],
    known: &[(&str, F)],
    unknown: impl Fn(&str) -> String,
    rest: &[(F, bool)],
) -> Result<Order<F>, Refusal> {
    let mut order: Order<F> = Vec::new();
    for clause in order_by {
        let (key, ascends) = grammar::order(clause)?;
        let key = key.strip_prefix("attribute.").unwrap_or(&key);
        let found = known.iter().find(|(it, _)| *it == key);
        let field = found.ok_or_else(|| Refusal::invalid(unknown(key)))?.1;
        if order.iter().any(|(it, _)| *it == field) {
            return Err(duplicates(order_by));
        }
        order.push((field, ascends));
    }
    for (field, ascends) in rest {
        if !order.iter().any(|(it, _)| it == field) {
            order.push((*field, *ascends));
        }
    }
    Ok(order)
}

fn by<F: Copy>(order: &Order<F>, compare: impl Fn(F) -> Ordering) -> Ordering {
    let mut orders = order.iter().map(|(field, ascends)| {
        let order = compare(*field);
        if *ascends { order } else { order.reverse() }
    });
    orders.find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Version,
    Created,
    Modified,
}

/// The registered models of one page and the token of the next.
pub(in crate::services::mlflow) fn search_registered<'a>(
    store: &'a Store,
    filter: &str,
    order_by: &[String],
    page: Page,
) -> Result<(Vec<&'a RegisteredModel>, Option<String>), Refusal> {
    let mut terms = REGISTERED.compile(filter)?;
    let known = [
        ("name", Field::Name),
        ("timestamp", Field::Modified),
        ("last_updated_timestamp", Field::Modified),
    ];
    let unknown = |key: &str| {
        format!("Invalid order by key '{key}' specified. Valid keys are '{{'name', 'timestamp'}}'")
    };
    let order = order(order_by, &known, unknown, &[(Field::Name, true)])?;
    let wants_prompts = takes_prompts(&mut terms);
    let is_wanted = |it: &&RegisteredModel| {
        is_prompt(it) == wants_prompts
            && terms.iter().all(|term| match &term.subject {
                Subject::Tag(key) => term.test.holds_for(it.tags.get(key).map(String::as_str)),
                _ => term.test.holds_for(Some(&it.name)),
            })
    };
    let found: Vec<&RegisteredModel> = store.all_registered().filter(is_wanted).collect();
    Ok(sorting::sorted_page(found, page, |one, other| {
        by(&order, |field| match field {
            Field::Modified => one.modified_at.cmp(&other.modified_at),
            _ => one.name.cmp(&other.name),
        })
    }))
}

/// The versions of one page and the token of the next.
pub(in crate::services::mlflow) fn search_versions<'a>(
    store: &'a Store,
    filter: &str,
    order_by: &[String],
    page: Page,
) -> Result<(Vec<&'a Model>, Option<String>), Refusal> {
    let mut terms = VERSIONS.compile(filter)?;
    let known = [
        ("name", Field::Name),
        ("version_number", Field::Version),
        ("creation_timestamp", Field::Created),
        ("last_updated_timestamp", Field::Modified),
    ];
    let unknown = |key: &str| {
        format!(
            "Invalid attribute key '{key}' specified. Valid keys are '{{'creation_timestamp', 'last_updated_timestamp', 'name', 'version_number'}}'"
        )
    };
    let rest = [(Field::Modified, false), (Field::Name, true), (Field::Version, false)];
    // The newest come first only where the client wants no order.
    let rest = if order_by.is_empty() { &rest[..] } else { &rest[1..] };
    let order = order(order_by, &known, unknown, rest)?;
    let wants_prompts = takes_prompts(&mut terms);
    let models = store.all_registered().filter(|it| is_prompt(it) == wants_prompts);
    let found = models.flat_map(|it| &it.versions);
    let found = found.filter(|it| terms.iter().all(|term| version_holds(term, it))).collect();
    Ok(sorting::sorted_page(found, page, |one: &&Model, other: &&Model| {
        by(&order, |field| match field {
            Field::Name => one.name.cmp(&other.name),
            Field::Version => one.version.cmp(&other.version),
            Field::Created => one.created_at.cmp(&other.created_at),
            Field::Modified => one.modified_at.cmp(&other.modified_at),
        })
    }))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has so many versions")]
fn version_holds(term: &Term<Of>, it: &Model) -> bool {
    let test: &Test = &term.test;
    match &term.subject {
        Subject::Tag(key) => {
            test.holds_for(it.tags.get(key).map(|it| it.as_deref().unwrap_or_default()))
        }
        Subject::Attribute(Of::Name) => test.holds_for(Some(&it.name)),
        Subject::Attribute(Of::RunId) => {
            test.holds_for(Some(it.run_id.as_deref().unwrap_or_default()))
        }
        Subject::Attribute(Of::Source) => test.holds_for(Some(&it.url)),
        Subject::Attribute(Of::Version) => test.holds_for_number(Some(it.version as f64)),
        Subject::Metric(_) | Subject::Param(_) | Subject::Dataset(_) => false,
    }
}
