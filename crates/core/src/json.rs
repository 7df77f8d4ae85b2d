use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Result};

/// Reads a JSON body.
///
/// # Errors
///
/// [`Decode`](ErrorKind::Decode) with the path to the place that does not fit,
/// for example `tasks[0].run_id`.
pub fn read_json<T: DeserializeOwned>(operation: &'static str, body: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|err| {
        let reason = match err.path().to_string().as_str() {
            "." => format!("the answer does not fit: {}", err.inner()),
            path => format!("the answer does not fit at `{path}`: {}", err.inner()),
        };
        Error::explained(operation, ErrorKind::Decode, reason)
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the failure is looked at")]
    struct Outer {
        items: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the failure is looked at")]
    struct Inner {
        number: u32,
    }

    #[test]
    fn a_misfit_is_named_by_its_path() {
        let err = read_json::<Outer>("a.b", br#"{"items":[{"number":"x"}]}"#).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Decode);
        insta::assert_snapshot!(err, @r#"a.b failed: the answer does not fit at `items[0].number`: invalid type: string "x", expected u32 at line 1 column 23"#);
    }
}
