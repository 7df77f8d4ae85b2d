use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whose runs: one store each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// Plain MLflow at `/mlflow`.
    Plain,
    /// A Databricks workspace, by its number.
    Databricks(u64),
    /// An Azure ML workspace, by its own id.
    AzureMl(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("plain"),
            Self::Databricks(id) => write!(f, "databricks/{id}"),
            Self::AzureMl(id) => write!(f, "azureml/{id}"),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            None if text == "plain" => Ok(Self::Plain),
            Some(("databricks", id)) => {
                id.parse().map(Self::Databricks).map_err(|err| format!("{text}: {err}"))
            }
            Some(("azureml", id)) => Ok(Self::AzureMl(id.to_owned())),
            _ => Err(format!("{text:?} is no place that has runs")),
        }
    }
}

/// As text, so that a place can be the key of a JSON object.
impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_as_it_was_written() {
        for place in [Place::Plain, Place::Databricks(7), Place::AzureMl("w".into())] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert!("elsewhere/1".parse::<Place>().is_err());
    }
}
