//! From nodes to the form. A fault tells the way to what is wrong.

use std::fmt;

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

use super::node::{Content, Node};

/// What is wrong, and the way to it.
#[derive(Debug)]
pub(super) struct Fault {
    /// Numbers of children, the innermost first.
    pub(super) way: Vec<usize>,
    pub(super) sort: FaultSort,
}

#[derive(Debug)]
pub(super) enum FaultSort {
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
    /// The mapping at the end of the way lacks it.
    MissingKey(&'static str),
    Value(String),
}

impl Fault {
    fn below(mut self, child: usize) -> Self {
        self.way.push(child);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sort {
            FaultSort::UnknownKey { key, .. } => write!(f, "`{key}` is no key here"),
            FaultSort::MissingKey(key) => write!(f, "`{key}` is missing"),
            FaultSort::Value(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { way: Vec::new(), sort: FaultSort::Value(message.to_string()) }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            de::Unexpected::Map => "a mapping".to_owned(),
            de::Unexpected::Seq => "a list".to_owned(),
            de::Unexpected::Unit => "nothing".to_owned(),
            de::Unexpected::Str(text) => format!("the text {text:?}"),
            de::Unexpected::Bool(truth) => format!("the truth value {truth}"),
            de::Unexpected::Signed(number) => format!("the number {number}"),
            de::Unexpected::Float(number) => format!("the number {number}"),
            other => other.to_string(),
        };
        // What derives put here is written for programmers.
        let expected = match expected.to_string() {
            it if it.starts_with("struct ") => "a mapping".to_owned(),
            it if it == "a sequence" => "a list".to_owned(),
            it => it,
        };
        Self::custom(format!("{found} is not {expected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format!("`{variant}` is not one of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let sort = FaultSort::UnknownKey { key: field.to_owned(), known: expected };
        Self { way: Vec::new(), sort }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { way: Vec::new(), sort: FaultSort::MissingKey(field) }
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.content {
            Content::Null | Content::Retired => visitor.visit_unit(),
            Content::Boolean(truth) => visitor.visit_bool(*truth),
            Content::Integer(number) => visitor.visit_i64(number.value),
            Content::Float(number) => visitor.visit_f64(number.value),
            Content::Huge => Err(Fault::custom("the number is too large: put it in quotes")),
            Content::Text(text) => visitor.visit_borrowed_str(text),
            Content::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Content::Mapping(entries) => visitor.visit_map(Entries { entries, next: 0 }),
        }
    }

    /// Where only text can be, a number of YAML 1.2 that YAML 1.1 takes for text is text:
    /// programs that write YAML 1.1 do not put it in quotes.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let written = match &self.content {
            Content::Integer(number) => &number.text,
            Content::Float(number) => &number.text,
            _ => &None,
        };
        match written {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.content {
            Content::Null | Content::Retired => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A list is no mapping whose keys have been left out.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.content {
            Content::List(_) => Err(Fault::custom("a list is not a mapping")),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.text() {
            Some(text) => visitor.visit_enum(text.into_deserializer()),
            None => Err(Fault::custom(format!("is not one of {}", variants.join(", ")))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'de> {
    items: &'de [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        while let Some(item) = self.items.get(self.next) {
            self.next += 1;
            if !matches!(item.content, Content::Retired) {
                let value = seed.deserialize(item);
                return value.map(Some).map_err(|it| it.below(self.next - 1));
            }
        }
        Ok(None)
    }
}

struct Entries<'de> {
    entries: &'de [(Node, Node)],
    next: usize,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        while let Some((key, value)) = self.entries.get(self.next) {
            self.next += 1;
            if !matches!(value.content, Content::Retired) {
                let key = seed.deserialize(key);
                return key.map(Some).map_err(|it| it.below(self.next - 1));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let number = self.next - 1;
        seed.deserialize(&self.entries[number].1).map_err(|it| it.below(number))
    }
}
