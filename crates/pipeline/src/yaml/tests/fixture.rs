//! Recorded definitions, in the order in which their keys were written.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Map, Value};

use crate::{ParameterValue, Pipeline, Result, SubmitOptions};

/// JSON whose mappings keep their order.
#[derive(Debug)]
pub(super) enum Json {
    Scalar(Value),
    List(Vec<Json>),
    Mapping(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Scalar(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Scalar(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Scalar(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Scalar(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Json::Scalar(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::Scalar(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Json::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Json::Mapping(entries))
            }
        }

        deserializer.deserialize_any(InOrder)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scalar(value) => value.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Mapping(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Definition {
    #[serde(rename = "definition")]
    pub(super) form: Json,
    #[serde(default)]
    pub(super) extensions: Vec<String>,
    #[serde(default)]
    source_files: BTreeMap<String, String>,
    #[serde(default)]
    submit: Submit,
    #[serde(default)]
    pub(super) publish: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) expected: Value,
    #[serde(default)]
    pub(super) why: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Submit {
    #[serde(default)]
    pipeline_parameters: Map<String, Value>,
    #[serde(default)]
    regenerate_outputs: bool,
}

impl Definition {
    /// Reads the definition as YAML, from a folder that has its files.
    pub(super) fn pipeline(&self, folder: &Path) -> Result<Pipeline> {
        for (name, text) in &self.source_files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        // YAML that JSON tools write, but for the escapes of surrogate pairs.
        let text = serde_json::to_string_pretty(&self.form).unwrap();
        Pipeline::from_yaml(&text, folder)
    }

    pub(super) fn options(&self) -> SubmitOptions {
        let mut options = SubmitOptions::default();
        for (name, value) in &self.submit.pipeline_parameters {
            let value: ParameterValue = match value {
                Value::Bool(it) => (*it).into(),
                Value::Number(it) if it.is_i64() => it.as_i64().unwrap().into(),
                Value::Number(it) => it.as_f64().unwrap().into(),
                other => other.as_str().unwrap().into(),
            };
            options = options.with_parameter(name.as_str(), value);
        }
        options.with_regenerate_outputs(self.submit.regenerate_outputs)
    }
}
