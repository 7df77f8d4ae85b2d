//! A YAML document as a tree that knows where in the file each of its nodes is.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{
    DuplicateKeyPolicy, Location, NonFiniteFloatPolicy, Spanned, UserMessageFormatter,
};

/// One value, and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Content,
    /// Bytes of the file that it takes.
    bytes: Option<(usize, usize)>,
}

/// A place in the file. Both numbers count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    line: u64,
    column: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Null,
    Boolean(bool),
    Integer(Number<i64>),
    Float(Number<f64>),
    /// A whole number that has no place in 64 bits.
    Huge,
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Mapping(Vec<(Node, Node)>),
    /// Something wrong that has been told.
    Retired,
}

#[derive(Clone, Debug)]
pub(super) struct Number<T> {
    pub(super) value: T,
    /// As it is written, if YAML 1.1 takes that for text: `1e-3`, `0o14`.
    pub(super) text: Option<String>,
}

impl<T> Number<T> {
    fn new(value: T) -> Self {
        Self { value, text: None }
    }
}

impl Node {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// The words for what is no YAML, with the place.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
            duplicate_keys: DuplicateKeyPolicy::Error,
        };
        let mut root: Self = serde_saphyr::from_str_with_options(text, options)
            .map_err(|err| err.render_with_formatter(&UserMessageFormatter))?;
        root.note_spellings(text);
        Ok(root)
    }

    /// The value of `key` in a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Content::Mapping(entries) = &self.content else { return None };
        entries.iter().find(|it| it.0.text() == Some(key)).map(|it| &it.1)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The element of a list, or the value in a mapping, with this number.
    pub(super) fn child(&self, number: usize) -> Option<&Self> {
        match &self.content {
            Content::List(items) => items.get(number),
            Content::Mapping(entries) => entries.get(number).map(|it| &it.1),
            _ => None,
        }
    }

    pub(super) fn child_mut(&mut self, number: usize) -> Option<&mut Self> {
        match &mut self.content {
            Content::List(items) => items.get_mut(number),
            Content::Mapping(entries) => entries.get_mut(number).map(|it| &mut it.1),
            _ => None,
        }
    }

    /// Looks up how numbers are written.
    fn note_spellings(&mut self, source: &str) {
        let written = self.bytes.and_then(|(from, length)| source.get(from..from + length));
        match &mut self.content {
            Content::List(items) => items.iter_mut().for_each(|it| it.note_spellings(source)),
            Content::Mapping(entries) => {
                for (key, value) in entries {
                    key.note_spellings(source);
                    value.note_spellings(source);
                }
            }
            Content::Integer(number) => number.text = written.and_then(text_in_yaml_1_1),
            Content::Float(number) => {
                let digits =
                    written.map(|it| it.trim_start_matches(['+', '-'])).unwrap_or_default();
                if !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()) {
                    self.content = Content::Huge;
                } else {
                    number.text = written.and_then(text_in_yaml_1_1);
                }
            }
            _ => (),
        }
    }
}

/// The number as it is written, if it is one in YAML 1.2 alone. A float of YAML 1.1 has a
/// point, a digit after its sign and a sign in its exponent; an octal number has no `o`.
fn text_in_yaml_1_1(number: &str) -> Option<String> {
    let is_number =
        number.starts_with(['+', '-', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let lower = number.to_ascii_lowercase();
    if !is_number || lower.contains("inf") || lower.contains("nan") || lower.contains('x') {
        return None;
    }
    let (mantissa, exponent) = match lower.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (&*lower, None),
    };
    let is_text = mantissa.contains('o')
        || mantissa.trim_start_matches(['+', '-']).starts_with('.') && !mantissa.starts_with('.')
        || exponent.is_some_and(|it| !mantissa.contains('.') || !it.starts_with(['+', '-']));
    is_text.then(|| number.to_owned())
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, defined } = Spanned::deserialize(deserializer)?;
        let span = defined.span();
        let bytes = span.byte_offset().zip(span.byte_len());
        let bytes = bytes.and_then(|(from, length)| {
            Some((usize::try_from(from).ok()?, usize::try_from(length).ok()?))
        });
        Ok(Self { place: referenced.into(), content: value, bytes })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("YAML")
            }

            fn visit_unit<E>(self) -> Result<Content, E> {
                Ok(Content::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
                Ok(Content::Boolean(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
                Ok(Content::Integer(Number::new(value)))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
                let value = i64::try_from(value).map(Number::new);
                Ok(value.map_or(Content::Huge, Content::Integer))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
                Ok(Content::Float(Number::new(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Content, E> {
                Ok(Content::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Content, E> {
                Ok(Content::Text(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Content::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Content::Mapping(entries))
            }
        }

        deserializer.deserialize_any(Anything)
    }
}
