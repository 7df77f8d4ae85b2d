//! The server's own rules for keys and values, so that bad ones are refused where
//! they are logged, in the server's words.

use azml_core::{Error, Result};

const MOST_KEY: usize = 250;
const MOST_PARAM: usize = 6000;
const MOST_TAG: usize = 8000;

/// Refuses a key as the server does. `what` is `Metric`, `Param` or `Tag`.
pub(super) fn check(operation: &'static str, what: &str, key: &str) -> Result<()> {
    let refuse = |reason: String| Err(Error::invalid(operation, reason));
    let name = what.to_ascii_lowercase();
    if key.is_empty() {
        return refuse(format!("{name} key is empty: give each {name} a name"));
    }
    let length = key.chars().count();
    if length > MOST_KEY {
        let start: String = key.chars().take(20).collect();
        return refuse(format!(
            "{name} key \"{start}...\" has {length} characters: use at most {MOST_KEY}"
        ));
    }
    let is_good = |it: char| it.is_alphanumeric() || "/_.- :".contains(it);
    if let Some(bad) = key.chars().find(|it| !is_good(*it)) {
        return refuse(format!(
            "{name} key {key:?} has {bad:?}: use letters, digits, underscores (_), dashes (-), \
             periods (.), spaces ( ), colons (:) and slashes (/)"
        ));
    }
    if !is_normal_path(key) {
        return refuse(format!(
            "{name} key \"{key}\" is no plain path: no \".\" or \"..\" between slashes, no slash \
             at an end, no two in a row"
        ));
    }
    Ok(())
}

/// Refuses a param that the server would refuse, or cut without a word.
pub(super) fn check_param(operation: &'static str, key: &str, value: &str) -> Result<()> {
    check(operation, "Param", key)?;
    check_length(operation, "param", key, value, MOST_PARAM)
}

/// The same for a tag.
pub(super) fn check_tag(operation: &'static str, key: &str, value: &str) -> Result<()> {
    check(operation, "Tag", key)?;
    check_length(operation, "tag", key, value, MOST_TAG)
}

fn check_length(
    operation: &'static str,
    what: &str,
    key: &str,
    value: &str,
    most: usize,
) -> Result<()> {
    let length = value.chars().count();
    if length > most {
        let reason = format!(
            "{what} \"{key}\" has a value of {length} characters, of which the server keeps \
             {most}; log it as an artifact"
        );
        return Err(Error::invalid(operation, reason));
    }
    Ok(())
}

/// Whether a POSIX path stays as it is when it is normalized.
fn is_normal_path(key: &str) -> bool {
    key == "." || key.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_at_the_edges() {
        for good in ["a", "loss/train", "a b:c-d.e_f", "ünï", "...", "a/.b", &"x".repeat(250)] {
            check("t", "Metric", good).unwrap();
        }
        let bad = ["", "/a", "a/", "a//b", "a/../b", "..", "./a", "a,b", "a\n", &"x".repeat(251)];
        for bad in bad {
            assert!(check("t", "Metric", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let err = check("runs.log_params", "Param", "a,b").unwrap_err();
        insta::assert_snapshot!(err, @r#"runs.log_params failed: param key "a,b" has ',': use letters, digits, underscores (_), dashes (-), periods (.), spaces ( ), colons (:) and slashes (/)"#);
        let err = check_param("runs.log_params", "p", &"x".repeat(6001)).unwrap_err();
        insta::assert_snapshot!(err, @r#"runs.log_params failed: param "p" has a value of 6001 characters, of which the server keeps 6000; log it as an artifact"#);
        check_tag("t", "t", &"x".repeat(8000)).unwrap();
    }
}
