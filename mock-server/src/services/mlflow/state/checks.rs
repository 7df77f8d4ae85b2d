//! What keys and values may be, and how MLflow says that they may not.

use crate::kernel::{Kind, Refusal};

/// Longest keys of metrics, parameters and tags.
const KEY: usize = 250;

const LEGAL: &str = "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).";

fn refused(path: &str, name: &str, why: &str) -> Refusal {
    let name = crate::services::mlflow::wire::python_json(&name.into());
    Refusal::invalid(format!("Invalid value {name} for parameter '{path}' supplied: {why}"))
}

/// The path that Python's `posixpath.normpath` makes of `name`.
fn normal(name: &str) -> String {
    let is_absolute = name.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => (),
            ".." if parts.last().is_some_and(|it| *it != "..") => drop(parts.pop()),
            ".." if is_absolute => (),
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    let root = match (is_absolute, name.starts_with("//") && !name.starts_with("///")) {
        (true, true) => "//",
        (true, false) => "/",
        _ => "",
    };
    match (root, joined.is_empty()) {
        ("", true) => ".".to_owned(),
        _ => format!("{root}{joined}"),
    }
}

/// Refuses names that would be other names if they were paths.
pub(super) fn check_path(path: &str, name: &str) -> Result<(), Refusal> {
    let normal = normal(name);
    if normal != name || normal == "." || normal.starts_with("..") || normal.starts_with('/') {
        let why = format!(
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '{normal}'"
        );
        return Err(refused(path, name, &why));
    }
    Ok(())
}

/// Refuses names of metrics, parameters and tags that are none.
pub(super) fn check_name(path: &str, name: &str) -> Result<(), Refusal> {
    let legal = |it: char| it.is_alphanumeric() || "/_.- :".contains(it);
    if !name.chars().all(legal) {
        return Err(refused(path, name, LEGAL));
    }
    check_path(path, name)
}

/// Refuses a text of more than `limit` characters.
pub(super) fn check_length(what: &str, limit: usize, text: &str) -> Result<(), Refusal> {
    if text.len() <= limit || text.chars().count() <= limit {
        return Ok(());
    }
    Err(Refusal::invalid(format!("'{what}' exceeds the maximum length of {limit} characters")))
}

pub(super) fn check_key(what: &str, key: &str) -> Result<(), Refusal> {
    check_length(what, KEY, key)
}

/// Cuts a text after `limit` characters.
pub(super) fn truncate(text: &mut String, limit: usize) {
    if limit < text.len()
        && let Some((at, _)) = text.char_indices().nth(limit)
    {
        text.truncate(at);
    }
}

/// A key and a value that are refused, not cut, when they are too long.
pub(super) fn check_tag(key: &str, value: &str, longest: usize) -> Result<(), Refusal> {
    check_name("key", key)?;
    check_length("key", KEY, key)?;
    check_length("value", longest, value)
}

/// Refuses ids that no run can have.
pub(super) fn check_run_id(id: &str) -> Result<(), Refusal> {
    let legal = |it: char| it.is_alphanumeric() || it == '_' || it == '-';
    let starts = id.starts_with(|it: char| it.is_ascii_alphanumeric());
    if starts && id.chars().all(legal) && id.chars().count() <= 256 {
        return Ok(());
    }
    let id = crate::services::mlflow::wire::python_json(&id.into());
    Err(Refusal::invalid(format!("Invalid value {id} for parameter 'run_id' supplied.")))
}

/// What MLflow says when a thing is not in the state that it should be in.
pub(super) fn invalid_state(text: impl Into<String>) -> Refusal {
    let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
    Refusal::new(Kind::Status(status), text).with_code("INVALID_STATE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_in_normal_form() {
        for good in ["a", "a/b", "Ünï code: 5.5", "..a", "a-b_c"] {
            assert_eq!(check_name("key", good).is_ok(), good != "..a", "{good}");
        }
        for bad in ["", ".", "..", "/a", "a//b", "a/./b", "a/../b", "a/", "a\tb", "a%b"] {
            assert!(check_name("key", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let mut text = "äöü".to_owned();
        truncate(&mut text, 2);
        assert_eq!(text, "äö");
        truncate(&mut text, 2);
        assert_eq!(text, "äö");
    }
}
