//! The part of an answer that a document asks for.

use serde_json::{Map, Value};

use super::{
    document::{Asked, Grouped, grouped, snake},
    schema::{Kind, Type},
};

/// Finds what a run is related to, by the name of the field: its experiment, or
/// the versions that were made of it.
type Lookup<'f> = &'f dyn Fn(&str, &Value) -> Value;

/// What is asked of the root field that is shown as `shown_as`, out of the
/// answer that REST gives.
pub(in crate::services::mlflow) fn selected(
    asked: &Asked<'_>,
    shown_as: &str,
    answer: &Value,
    lookup: Lookup<'_>,
) -> Value {
    let Some(field) = asked.fields.iter().find(|it| it.shown_as == shown_as) else {
        return Value::Null;
    };
    if field.name == "__typename" {
        return asked.root.name.into();
    }
    match asked.root.field(field.name).and_then(Kind::object) {
        Some(of) => object(asked, of, field, answer, lookup),
        None => Value::Null,
    }
}

fn object<'d>(
    asked: &Asked<'d>,
    of: &'static Type,
    field: &Grouped<'d>,
    value: &Value,
    lookup: Lookup<'_>,
) -> Value {
    let sets = field.fields.iter().map(|it| &it.selection_set);
    let mut shown = Map::new();
    for it in grouped(sets, &asked.fragments) {
        let part = match of.field(it.name) {
            None => of.name.into(),
            Some(kind) => part(asked, kind, &it, value, lookup),
        };
        shown.insert(it.shown_as.to_owned(), part);
    }
    shown.into()
}

fn part<'d>(
    asked: &Asked<'d>,
    kind: Kind,
    field: &Grouped<'d>,
    of: &Value,
    lookup: Lookup<'_>,
) -> Value {
    let found = of.get(snake(field.name)).unwrap_or(&Value::Null);
    let all = |of: &'static Type, values: &Value| -> Value {
        let values = values.as_array().into_iter().flatten();
        values.map(|it| object(asked, of, field, it, lookup)).collect()
    };
    match kind {
        Kind::Text => found.as_str().unwrap_or_default().into(),
        Kind::Long => found.as_i64().unwrap_or_default().to_string().into(),
        Kind::Float if found.is_null() => 0.0.into(),
        // What is no number has no place in JSON.
        Kind::Float => found.as_f64().into(),
        Kind::Flag => found.as_bool().unwrap_or_default().into(),
        Kind::Word(default) => found.as_str().unwrap_or(default).into(),
        Kind::Texts => found.as_array().cloned().unwrap_or_default().into(),
        Kind::One(it) => object(asked, it, field, found, lookup),
        Kind::Many(it) => all(it, found),
        Kind::Related(it) => object(asked, it, field, &lookup(field.name, of), lookup),
        Kind::AllRelated(it) => all(it, &lookup(field.name, of)),
        Kind::Null(_) => Value::Null,
    }
}
