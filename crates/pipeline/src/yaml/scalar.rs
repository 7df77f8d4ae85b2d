//! Values of the YAML form that are taken as they are written.
//!
//! Text is text and a number a number, as in Python: neither is taken for the other.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::ParameterValue;

/// Text, in quotes where YAML would see something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

/// A whole number, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count<T>(pub(super) T);

/// `true` or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

/// Text, a number or a truth value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scalar(pub(super) ParameterValue);

/// A mapping whose order counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pairs<T>(pub(super) Vec<(String, T)>);

/// A name, or a mapping that says more.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NameOr<T> {
    Name(String),
    More(T),
}

/// A value, or a mapping in its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ScalarOr<T> {
    Scalar(ParameterValue),
    More(T),
}

struct AnyScalar {
    expected: &'static str,
}

impl Visitor<'_> for AnyScalar {
    type Value = ParameterValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<ParameterValue, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<ParameterValue, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<ParameterValue, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<ParameterValue, E> {
        Ok(value.into())
    }
}

fn scalar<'de, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<ParameterValue, D::Error> {
    deserializer.deserialize_any(AnyScalar { expected })
}

fn found(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Text(text) => format!("the text {text:?}"),
        ParameterValue::Integer(number) => format!("the number {number}"),
        ParameterValue::Float(_) => format!("the number {value}"),
        ParameterValue::Boolean(truth) => format!("the truth value {truth}"),
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(AnyScalar { expected: "text" })? {
            ParameterValue::Text(text) => Ok(Self(text)),
            other => {
                let found = found(&other);
                Err(D::Error::custom(format!("{found} is no text: put it in quotes")))
            }
        }
    }
}

impl<'de, T: TryFrom<i64>> Deserialize<'de> for Count<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = scalar(deserializer, "a whole number")?;
        match value {
            ParameterValue::Integer(number) => T::try_from(number).map(Self).map_err(|_| {
                D::Error::custom(format!("{number} is out of range: it counts from 0 on"))
            }),
            other => Err(D::Error::custom(format!("{} is no whole number", found(&other)))),
        }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match scalar(deserializer, "true or false")? {
            ParameterValue::Boolean(truth) => Ok(Self(truth)),
            other => Err(D::Error::custom(format!("{} is neither true nor false", found(&other)))),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer, "text, a number or a truth value").map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs: Vec<(String, T)> = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    if pairs.iter().any(|it| it.0 == key) {
                        return Err(A::Error::custom(format!("the key {key:?} is there twice")));
                    }
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_any(InOrder(PhantomData))
    }
}

struct Either<T> {
    expected: &'static str,
    more: PhantomData<T>,
}

impl<T> Either<T> {
    fn new(expected: &'static str) -> Self {
        Self { expected, more: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
    type Value = ScalarOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(ScalarOr::Scalar(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(ScalarOr::Scalar(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(ScalarOr::Scalar(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(ScalarOr::Scalar(value.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(ScalarOr::More)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ScalarOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either::new("text, a number, a truth value or a mapping"))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NameOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(Either::new("text or a mapping"))? {
            ScalarOr::Scalar(ParameterValue::Text(name)) => Ok(Self::Name(name)),
            ScalarOr::Scalar(other) => {
                let found = found(&other);
                Err(D::Error::custom(format!("{found} is no text: put it in quotes")))
            }
            ScalarOr::More(more) => Ok(Self::More(more)),
        }
    }
}

/// Describes a type to editors, where it is used.
macro_rules! describe {
    ([$($generic:tt)*] $type:ty, $name:literal, |$generator:ident| $schema:expr) => {
        impl<$($generic)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

describe!([] Text, "Text", |_generator| json_schema!({ "type": "string" }));
describe!([T] Count<T>, "Count", |_generator| json_schema!({ "type": "integer", "minimum": 0 }));
describe!([] Flag, "Flag", |_generator| json_schema!({ "type": "boolean" }));
describe!([] Scalar, "Scalar", |_generator| {
    json_schema!({ "type": ["string", "number", "boolean"] })
});
describe!([T: JsonSchema] Pairs<T>, "Pairs", |generator| {
    json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
});
describe!([T: JsonSchema] NameOr<T>, "NameOr", |generator| {
    json_schema!({ "anyOf": [{ "type": "string" }, generator.subschema_for::<T>()] })
});
describe!([T: JsonSchema] ScalarOr<T>, "ScalarOr", |generator| {
    json_schema!({
        "anyOf": [{ "type": ["string", "number", "boolean"] }, generator.subschema_for::<T>()]
    })
});
