//! What is compiled once and asked for each row: tests of texts and numbers.

use std::{cmp::Ordering, str::Chars};

/// Something that holds for a text or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    Is(String),
    IsNot(String),
    Like(String),
    /// The pattern is in lower case.
    LikeAnyCase(String),
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl TextTest {
    /// `None` if a text cannot be compared so.
    pub(super) fn new(comparator: &str, value: String) -> Option<Self> {
        match comparator {
            "=" => Some(Self::Is(value)),
            "!=" => Some(Self::IsNot(value)),
            "LIKE" => Some(Self::Like(value)),
            "ILIKE" => Some(Self::LikeAnyCase(value.to_lowercase())),
            _ => None,
        }
    }

    pub(super) fn of_list(comparator: &str, values: Vec<String>) -> Option<Self> {
        match comparator {
            "IN" => Some(Self::In(values)),
            "NOT IN" => Some(Self::NotIn(values)),
            _ => None,
        }
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(value) => value == text,
            Self::IsNot(value) => value != text,
            Self::Like(pattern) => is_like(text.chars(), pattern.chars()),
            Self::LikeAnyCase(pattern) => {
                is_like(text.chars().flat_map(char::to_lowercase), pattern.chars())
            }
            Self::In(values) => values.iter().any(|it| it == text),
            Self::NotIn(values) => !values.iter().any(|it| it == text),
        }
    }
}

/// Whether all of `text` fits `pattern`: `%` stands for anything, `_` for one character.
fn is_like<'a>(mut text: impl Iterator<Item = char> + Clone, mut pattern: Chars<'a>) -> bool {
    // Where to go on if what follows the last `%` does not fit here.
    let mut retry: Option<(_, Chars<'a>)> = None;
    loop {
        let text_before = text.clone();
        match (text.next(), pattern.next()) {
            (_, Some('%')) => {
                retry = Some((text_before.clone(), pattern.clone()));
                text = text_before;
            }
            (None, None) => return true,
            (Some(_), Some('_')) => (),
            (Some(one), Some(other)) if one == other => (),
            (None, Some(_)) => return false,
            (Some(_), _) => {
                let Some((mut from, rest)) = retry.take() else { return false };
                from.next();
                (text, pattern) = (from.clone(), rest.clone());
                retry = Some((from, rest));
            }
        }
    }
}

/// Something that holds for a number or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumberTest {
    comparator: NumberComparator,
    value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberComparator {
    Is,
    IsNot,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl NumberTest {
    /// `None` if a number cannot be compared so.
    pub(super) fn new(comparator: &str, value: f64) -> Option<Self> {
        let comparator = match comparator {
            "=" => NumberComparator::Is,
            "!=" => NumberComparator::IsNot,
            "<" => NumberComparator::Less,
            "<=" => NumberComparator::AtMost,
            ">" => NumberComparator::Greater,
            ">=" => NumberComparator::AtLeast,
            _ => return None,
        };
        Some(Self { comparator, value })
    }

    /// What is not a number differs from every number and is comparable with none.
    pub(super) fn holds(self, number: f64) -> bool {
        let order = number.partial_cmp(&self.value);
        match self.comparator {
            NumberComparator::Is => order == Some(Ordering::Equal),
            NumberComparator::IsNot => order != Some(Ordering::Equal),
            NumberComparator::Less => order == Some(Ordering::Less),
            NumberComparator::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            NumberComparator::Greater => order == Some(Ordering::Greater),
            NumberComparator::AtLeast => {
                matches!(order, Some(Ordering::Greater | Ordering::Equal))
            }
        }
    }
}
