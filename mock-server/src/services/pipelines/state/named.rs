use std::{collections::HashMap, ops::Deref};

use serde::{Deserialize, Serialize};

/// What goes by a name.
pub(crate) trait Named {
    fn key(&self) -> &str;
}

/// A list whose members are found by their names. It is written as the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "Vec<T>",
    into = "Vec<T>",
    bound(serialize = "T: Named + Clone + Serialize", deserialize = "T: Named + Deserialize<'de>")
)]
pub(crate) struct NamedList<T> {
    all: Vec<T>,
    places: HashMap<String, usize>,
}

impl<T: Named> NamedList<T> {
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    pub(super) fn named(&self, name: &str) -> Option<&T> {
        self.place(name).map(|it| &self.all[it])
    }

    pub(super) fn at_mut(&mut self, place: usize) -> Option<&mut T> {
        self.all.get_mut(place)
    }

    /// Whether two members have the same name.
    pub(super) fn has_namesakes(&self) -> bool {
        self.places.len() < self.all.len()
    }
}

impl<T: Named> From<Vec<T>> for NamedList<T> {
    fn from(all: Vec<T>) -> Self {
        let places = all.iter().enumerate().map(|(place, it)| (it.key().to_owned(), place));
        Self { places: places.collect(), all }
    }
}

impl<T> From<NamedList<T>> for Vec<T> {
    fn from(list: NamedList<T>) -> Self {
        list.all
    }
}

impl<T> Default for NamedList<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }
}

impl<T> Deref for NamedList<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all
    }
}
