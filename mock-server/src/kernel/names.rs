//! The named parts of a path, as the row of the table calls them.

use std::borrow::Cow;

use axum::http::Extensions;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::Map;

use super::Refusal;

/// The named parts of the path of a request, still encoded. The table of
/// operations leaves them in the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathNames(Vec<(String, String)>);

impl PathNames {
    pub(super) fn new(found: &matchit::Params<'_, '_>) -> Self {
        Self(found.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(crate) fn of(extensions: &Extensions) -> &Self {
        const NONE: &PathNames = &PathNames(Vec::new());
        extensions.get().unwrap_or(NONE)
    }

    /// One part; `None` when the row has no such part.
    pub(crate) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.0.iter().find(|(it, _)| it == name)?;
        percent_decode_str(value).decode_utf8().ok()
    }

    /// All parts, as the fields of a struct of texts.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let mut parts = Map::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            let text = percent_decode_str(value).decode_utf8().map_err(|_| {
                Refusal::malformed(format!("the part {name:?} of the path is no UTF-8"))
            })?;
            parts.insert(name.clone(), text.into());
        }
        serde_json::from_value(parts.into()).map_err(|err| Refusal::malformed(err.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct File {
        workspace: String,
        path: String,
        version: Option<String>,
    }

    fn names(path: &str) -> PathNames {
        let mut router = matchit::Router::new();
        router.insert("/{workspace}/files/{*path}", ()).unwrap();
        PathNames::new(&router.at(path).unwrap().params)
    }

    #[test]
    fn parts_are_decoded_and_those_of_other_rows_are_none() {
        let names = names("/w%201/files/a/b%2Fc%C5%BE");
        let (workspace, path) = ("w 1".to_owned(), "a/b/c\u{17e}".to_owned());
        assert_eq!(names.read(), Ok(File { workspace, path, version: None }));
        assert_eq!(names.get("workspace").as_deref(), Some("w 1"));
        assert_eq!(names.get("version"), None);
    }

    #[test]
    fn a_part_that_is_no_text_is_refused_by_its_name() {
        let refusal = names("/w/files/%FF").read::<File>().unwrap_err();
        assert_eq!(refusal.message, "the part \"path\" of the path is no UTF-8");
    }
}
