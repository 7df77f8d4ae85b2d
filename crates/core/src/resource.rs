use std::{
    error::Error,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The address of a resource in the resource manager:
/// `/subscriptions/S/resourceGroups/G/providers/P/TYPE/NAME`, with further pairs
/// of type and name for resources inside resources.
///
/// Invariant: no part is empty or holds a `/`. Compares without regard to case,
/// as Azure does, and prints as it was written.
#[derive(Clone, Debug)]
pub struct ResourceId {
    subscription_id: Box<str>,
    resource_group: Box<str>,
    provider: Box<str>,
    /// Types and names in turn, joined by `/`: never empty.
    resource_type: Box<str>,
    names: Box<[Box<str>]>,
}

/// The text is not the id of a resource in a resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseResourceIdError(Box<str>);

impl ResourceId {
    /// The id of a resource in a resource group, for example
    /// `ResourceId::new(subscription, group, "Microsoft.Databricks", "workspaces", "dbr")`.
    ///
    /// # Errors
    ///
    /// Fails when a part is empty or holds a `/`.
    pub fn new(
        subscription_id: &str,
        resource_group: &str,
        provider: &str,
        resource_type: &str,
        name: &str,
    ) -> Result<Self, ParseResourceIdError> {
        let parts = [subscription_id, resource_group, provider, resource_type, name];
        if parts.iter().any(|it| it.is_empty() || it.contains('/')) {
            return Err(ParseResourceIdError(parts.join("/").into()));
        }
        Ok(Self {
            subscription_id: subscription_id.into(),
            resource_group: resource_group.into(),
            provider: provider.into(),
            resource_type: resource_type.into(),
            names: Box::new([name.into()]),
        })
    }

    /// Reads an id.
    ///
    /// # Errors
    ///
    /// Fails when `text` has another shape.
    pub fn parse(text: &str) -> Result<Self, ParseResourceIdError> {
        text.parse()
    }

    /// The id of a resource inside this one.
    ///
    /// # Errors
    ///
    /// Fails when a part is empty or holds a `/`.
    pub fn child(&self, resource_type: &str, name: &str) -> Result<Self, ParseResourceIdError> {
        format!("{self}/{resource_type}/{name}").parse()
    }

    /// The subscription that pays for it.
    pub fn subscription_id(&self) -> &str {
        &self.subscription_id
    }

    /// The group that it is in.
    pub fn resource_group(&self) -> &str {
        &self.resource_group
    }

    /// The namespace of its kind, for example `Microsoft.Databricks`.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Its kind, for example `workspaces` or `workspaces/computes`.
    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// Its own name, without those of the resources around it.
    pub fn name(&self) -> &str {
        self.names.last().map_or("", |it| it)
    }

    fn in_lower_case(&self) -> String {
        self.to_string().to_ascii_lowercase()
    }
}

impl FromStr for ResourceId {
    type Err = ParseResourceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseResourceIdError(text.into());
        let trimmed = text.trim_end_matches('/');
        let parts: Vec<&str> = trimmed.strip_prefix('/').ok_or_else(bad)?.split('/').collect();
        let [k1, subscription_id, k2, resource_group, k3, provider, rest @ ..] = parts.as_slice()
        else {
            return Err(bad());
        };
        let is_well_formed = k1.eq_ignore_ascii_case("subscriptions")
            && k2.eq_ignore_ascii_case("resourceGroups")
            && k3.eq_ignore_ascii_case("providers")
            && !rest.is_empty()
            && rest.len().is_multiple_of(2)
            && parts.iter().all(|it| !it.is_empty());
        if !is_well_formed {
            return Err(bad());
        }
        let types: Vec<&str> = rest.iter().copied().step_by(2).collect();
        Ok(Self {
            subscription_id: (*subscription_id).into(),
            resource_group: (*resource_group).into(),
            provider: (*provider).into(),
            resource_type: types.join("/").into(),
            names: rest.iter().copied().skip(1).step_by(2).map(Into::into).collect(),
        })
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription_id, resource_group, provider, resource_type, names } = self;
        write!(
            f,
            "/subscriptions/{subscription_id}/resourceGroups/{resource_group}/providers/{provider}"
        )?;
        for (kind, name) in resource_type.split('/').zip(names) {
            write!(f, "/{kind}/{name}")?;
        }
        Ok(())
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.in_lower_case() == other.in_lower_case()
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.in_lower_case().hash(state);
    }
}

impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for ParseResourceIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not a resource id: {:?}; it has the form \
             /subscriptions/S/resourceGroups/G/providers/P/TYPE/NAME",
            self.0
        )
    }
}

impl Error for ParseResourceIdError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "/subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/workspaces/w/computes/dbr";

    #[test]
    fn the_parts_are_found() {
        let id = ResourceId::parse(TEXT).unwrap();
        assert_eq!((id.subscription_id(), id.resource_group()), ("S", "G"));
        assert_eq!(id.provider(), "Microsoft.MachineLearningServices");
        assert_eq!((id.resource_type(), id.name()), ("workspaces/computes", "dbr"));
        assert_eq!(id.to_string(), TEXT);
    }

    #[test]
    fn case_does_not_matter() {
        let parent =
            ResourceId::new("s", "g", "microsoft.machinelearningservices", "workspaces", "W");
        let child = parent.unwrap().child("Computes", "DBR").unwrap();
        assert_eq!(child, ResourceId::parse(TEXT).unwrap());
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in ["", "/", "/subscriptions/S", "/subscriptions/S/resourceGroups/G", "x"] {
            assert!(ResourceId::parse(text).is_err(), "{text}");
        }
        assert!(ResourceId::new("s", "g", "p", "t", "a/b").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_a_panic(text in "(/[a-zA-Z]{0,14}){0,9}") {
            if let Ok(id) = ResourceId::parse(&text) {
                prop_assert_eq!(ResourceId::parse(&id.to_string()), Ok(id));
            }
        }
    }
}
