//! The rules of a policy, and what they do to the description of a cluster.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::kernel::Refusal;

/// Rules by the path of the attribute that they are for.
#[derive(Debug)]
pub(super) struct Definition(BTreeMap<String, Rule>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(rename = "type")]
    kind: Kind,
    value: Option<Value>,
    #[serde(default)]
    values: Vec<Value>,
    pattern: Option<String>,
    min_value: Option<f64>,
    max_value: Option<f64>,
    default_value: Option<Value>,
    #[serde(default)]
    is_optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Fixed,
    Forbidden,
    Allowlist,
    Blocklist,
    Regex,
    Range,
    Unlimited,
}

/// Attributes that exist in policies alone.
const VIRTUAL: &[&str] = &["cluster_type", "dbus_per_hour"];

/// Attributes whose parts have names with dots.
const MAPS: &[&str] = &["spark_conf", "spark_env_vars", "custom_tags"];

pub(super) fn object(text: &str) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_str(text)
        .map_err(|err| Refusal::invalid(format!("The definition is no JSON object: {err}")))
}

/// The same value, be it written as text or not.
fn is_same(one: &Value, other: &Value) -> bool {
    text(one) == text(other)
}

fn text(it: &Value) -> String {
    it.as_str().map_or_else(|| it.to_string(), str::to_owned)
}

fn parts(path: &str) -> Vec<&str> {
    match path.split_once('.') {
        Some((map, key)) if MAPS.contains(&map) => vec![map, key],
        _ => path.split('.').collect(),
    }
}

fn find<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = parts(path).into_iter();
    let mut it = fields.get(parts.next()?)?;
    for part in parts {
        it = it.get(part)?;
    }
    Some(it).filter(|it| !it.is_null())
}

fn set(fields: &mut Map<String, Value>, path: &str, value: Value) {
    let parts = parts(path);
    let Some((last, above)) = parts.split_last() else { return };
    let mut inner = fields;
    for part in above {
        let next = inner.entry(*part).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(next) = next else { return };
        inner = next;
    }
    inner.insert((*last).to_owned(), value);
}

impl Definition {
    pub(super) fn parse(definition: &str) -> Result<Self, Refusal> {
        let mut rules = BTreeMap::new();
        for (path, rule) in object(definition)? {
            let bad =
                |why: String| Refusal::invalid(format!("Policy validation error: {path}: {why}"));
            let rule: Rule = serde_json::from_value(rule).map_err(|err| bad(err.to_string()))?;
            if rule.kind == Kind::Fixed && rule.value.is_none() {
                return Err(bad("a fixed rule needs a value".into()));
            }
            if rule.kind == Kind::Regex {
                let pattern = rule.pattern.as_deref().unwrap_or_default();
                Regex::new(pattern).map_err(|err| bad(err.to_string()))?;
            }
            rules.insert(path, rule);
        }
        Ok(Self(rules))
    }

    pub(super) fn apply(
        &self,
        fields: &mut Map<String, Value>,
        takes_defaults: bool,
    ) -> Result<(), Refusal> {
        for (path, rule) in &self.0 {
            // Rules on the parts of a list are for each of its elements.
            if VIRTUAL.contains(&path.as_str()) || path.contains(".*") {
                continue;
            }
            let default = rule.default_value.as_ref().filter(|_| takes_defaults);
            let wanted = if rule.kind == Kind::Fixed { rule.value.as_ref() } else { default };
            match (find(fields, path), wanted) {
                (Some(found), _) => rule.check(path, found)?,
                (None, Some(value)) => set(fields, path, value.clone()),
                (None, None) if rule.needs_a_value() => {
                    return Err(failed(path, "the value must be present"));
                }
                (None, None) => (),
            }
        }
        Ok(())
    }
}

fn failed(path: &str, what: &str) -> Refusal {
    let text = format!("Cluster validation error: Validation failed for {path}, {what}");
    Refusal::invalid(text)
}

impl Rule {
    fn needs_a_value(&self) -> bool {
        !self.is_optional
            && self.default_value.is_none()
            && matches!(self.kind, Kind::Allowlist | Kind::Regex | Kind::Range)
    }

    fn check(&self, path: &str, found: &Value) -> Result<(), Refusal> {
        let list = || self.values.iter().map(text).collect::<Vec<_>>().join(", ");
        let is_listed = || self.values.iter().any(|it| is_same(it, found));
        let wanted = match self.kind {
            Kind::Unlimited => return Ok(()),
            Kind::Fixed => match &self.value {
                Some(value) if !is_same(value, found) => {
                    format!("the value must be {}", text(value))
                }
                _ => return Ok(()),
            },
            Kind::Forbidden => "the value cannot be present".to_owned(),
            Kind::Allowlist if is_listed() => return Ok(()),
            Kind::Allowlist => format!("the value must be one of {}", list()),
            Kind::Blocklist if !is_listed() => return Ok(()),
            Kind::Blocklist => format!("the value cannot be one of {}", list()),
            Kind::Regex => {
                let pattern = self.pattern.as_deref().unwrap_or_default();
                let whole = Regex::new(&format!("^(?:{pattern})$"));
                if whole.is_ok_and(|it| it.is_match(&text(found))) {
                    return Ok(());
                }
                format!("the value must match {pattern}")
            }
            Kind::Range => {
                let number = text(found).parse::<f64>().ok();
                let is_in = |it: &f64| {
                    self.min_value.is_none_or(|min| min <= *it)
                        && self.max_value.is_none_or(|max| *it <= max)
                };
                if number.as_ref().is_some_and(is_in) {
                    return Ok(());
                }
                let end = |it: Option<f64>| it.map_or_else(|| "-".to_owned(), |it| it.to_string());
                format!(
                    "the value must be between {} and {}",
                    end(self.min_value),
                    end(self.max_value)
                )
            }
        };
        Err(failed(path, &format!("{wanted} (is {})", text(found))))
    }
}
