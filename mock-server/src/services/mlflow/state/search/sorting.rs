//! In which order things are shown.

use std::{borrow::Cow, cmp::Ordering};

use super::page::Page;

/// What one thing is ordered by.
#[derive(Clone, Debug)]
pub(super) enum Key<'a> {
    Number(f64),
    Text(Cow<'a, str>),
    NotANumber,
    Missing,
}

impl<'a> Key<'a> {
    pub(super) fn number(value: Option<f64>) -> Self {
        match value {
            None => Self::Missing,
            Some(it) if it.is_nan() => Self::NotANumber,
            Some(it) => Self::Number(it),
        }
    }

    pub(super) fn text(value: Option<impl Into<Cow<'a, str>>>) -> Self {
        value.map_or(Self::Missing, |it| Self::Text(it.into()))
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) | Self::Text(_) => 0,
            Self::NotANumber => 1,
            Self::Missing => 2,
        }
    }

    /// What is there comes first, whatever the direction.
    pub(super) fn compare(&self, other: &Self, is_ascending: bool) -> Ordering {
        let values = match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => Ordering::Equal,
        };
        let values = if is_ascending { values } else { values.reverse() };
        self.rank().cmp(&other.rank()).then(values)
    }
}

/// Compares key by key.
pub(super) fn compare(one: &[Key<'_>], other: &[Key<'_>], directions: &[bool]) -> Ordering {
    let keys = one.iter().zip(other).zip(directions);
    keys.map(|((one, other), ascends)| one.compare(other, *ascends))
        .find(|it| it.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The things of one page, in order. Sorts no more than it has to.
pub(super) fn sorted_page<T>(
    mut things: Vec<T>,
    page: Page,
    compare: impl Fn(&T, &T) -> Ordering,
) -> (Vec<T>, Option<String>) {
    let next = page.next(things.len());
    let end = page.end().min(things.len());
    if end < things.len() {
        things.select_nth_unstable_by(end, &compare);
        things.truncate(end);
    }
    things.sort_by(&compare);
    things.drain(..page.offset.min(end));
    (things, next)
}
