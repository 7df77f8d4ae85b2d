//! What `PATCH` changes, as RFC 7644 (3.5.2) has it.

use serde_json::{Map, Value, json};

use crate::kernel::Refusal;

/// Attributes that have many values, each an object.
const MANY: &[&str] = &["members", "entitlements", "roles", "emails"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Verb {
    Add,
    Remove,
    Replace,
}

#[derive(Debug)]
pub(in super::super) struct Operation {
    pub(in super::super) verb: Verb,
    /// `attribute`, `attribute.part` or `attribute[part eq "value"].part`.
    pub(in super::super) path: Option<String>,
    pub(in super::super) value: Value,
}

/// The three parts of a path.
struct Path<'a> {
    attribute: &'a str,
    chosen: Option<(&'a str, &'a str)>,
    part: Option<&'a str>,
}

fn refused(code: &'static str, text: String) -> Refusal {
    Refusal::invalid(text).with_code(code)
}

impl<'a> Path<'a> {
    fn parse(text: &'a str) -> Result<Self, Refusal> {
        let bad = || refused("invalidPath", format!("The path {text} is not valid"));
        let Some((attribute, rest)) = text.split_once('[') else {
            let (attribute, part) = match text.split_once('.') {
                Some((attribute, part)) => (attribute, Some(part)),
                None => (text, None),
            };
            return Ok(Self { attribute, chosen: None, part });
        };
        let (condition, rest) = rest.split_once(']').ok_or_else(bad)?;
        let mut words = condition.trim().splitn(3, ' ');
        let (Some(field), Some(verb), Some(value)) = (words.next(), words.next(), words.next())
        else {
            return Err(bad());
        };
        if !verb.eq_ignore_ascii_case("eq") {
            return Err(bad());
        }
        let chosen = Some((field, value.trim().trim_matches('"')));
        Ok(Self { attribute, chosen, part: rest.strip_prefix('.') })
    }
}

fn is_chosen(it: &Value, (field, value): (&str, &str)) -> bool {
    let own = &it[field];
    own.as_str().map_or_else(|| own.to_string(), str::to_owned) == value
}

/// Several values, however they were written.
fn values(value: Value) -> Vec<Value> {
    let object = |it: Value| if it.is_object() { it } else { json!({ "value": it }) };
    match value {
        Value::Array(them) => them.into_iter().map(object).collect(),
        Value::Null => Vec::new(),
        it => vec![object(it)],
    }
}

impl Operation {
    pub(super) fn apply(self, fields: &mut Map<String, Value>) -> Result<(), Refusal> {
        let Self { verb, path, value } = self;
        let Some(path) = path.filter(|it| !it.is_empty()) else {
            let Value::Object(parts) = value else {
                let text = "Without a path the value must be an object".to_owned();
                return Err(refused("invalidValue", text));
            };
            for (path, value) in parts {
                let part = Self { verb, path: Some(path), value };
                part.apply(fields)?;
            }
            return Ok(());
        };
        let path = Path::parse(&path)?;
        if MANY.contains(&path.attribute) {
            change_many(fields, &path, verb, value);
            return Ok(());
        }
        match (path.part, verb) {
            (None, Verb::Remove) => drop(fields.remove(path.attribute)),
            (None, _) => drop(fields.insert(path.attribute.to_owned(), value)),
            (Some(part), verb) => {
                let whole = fields.entry(path.attribute).or_insert_with(|| json!({}));
                if let Some(whole) = whole.as_object_mut() {
                    match verb {
                        Verb::Remove => drop(whole.remove(part)),
                        _ => drop(whole.insert(part.to_owned(), value)),
                    }
                }
            }
        }
        Ok(())
    }
}

fn change_many(fields: &mut Map<String, Value>, path: &Path<'_>, verb: Verb, value: Value) {
    let mut all = values(fields.remove(path.attribute).unwrap_or_default());
    match (path.chosen, verb) {
        (Some(chosen), Verb::Remove) => all.retain(|it| !is_chosen(it, chosen)),
        (Some(chosen), _) => {
            for it in all.iter_mut().filter(|it| is_chosen(it, chosen)) {
                match path.part {
                    Some(part) => it[part] = value.clone(),
                    None => it.clone_from(&value),
                }
            }
        }
        (None, Verb::Add) => {
            for it in values(value) {
                if !all.iter().any(|known| known["value"] == it["value"]) {
                    all.push(it);
                }
            }
        }
        (None, Verb::Replace) => all = values(value),
        (None, Verb::Remove) => {
            let gone = values(value);
            let is_gone = |it: &Value| gone.iter().any(|gone| gone["value"] == it["value"]);
            if gone.is_empty() { all.clear() } else { all.retain(|it| !is_gone(it)) }
        }
    }
    if !all.is_empty() {
        fields.insert(path.attribute.to_owned(), Value::Array(all));
    }
}
