use std::env;

use azml_core::{Error, Result};

/// Reads variables of the environment, all of which must be set.
pub(crate) fn required<const N: usize>(
    operation: &'static str,
    names: [&str; N],
) -> Result<[String; N]> {
    required_in(operation, names, process)
}

/// A variable of this process.
pub(crate) fn process(name: &str) -> Option<String> {
    env::var(name).ok()
}

pub(crate) fn required_in<const N: usize>(
    operation: &'static str,
    names: [&str; N],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<[String; N]> {
    let values = names.map(|name| variable(name).filter(|it| !it.trim().is_empty()));
    let missing: Vec<&str> =
        names.iter().zip(&values).filter(|it| it.1.is_none()).map(|it| *it.0).collect();
    if !missing.is_empty() {
        let reason = format!("environment: set {}", missing.join(", "));
        return Err(Error::invalid(operation, reason));
    }
    Ok(values.map(Option::unwrap_or_default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_variable_is_named() {
        let variable = |name: &str| match name {
            "B" => Some("value".to_owned()),
            "C" => Some(" ".to_owned()),
            _ => None,
        };
        let err = required_in("auth.from_env", ["A", "B", "C"], variable).unwrap_err();
        assert_eq!(err.to_string(), "auth.from_env failed: environment: set A, C");
        assert_eq!(required_in("auth.from_env", ["B"], variable).unwrap(), ["value"]);
    }
}
