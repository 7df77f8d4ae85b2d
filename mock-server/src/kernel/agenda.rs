use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

/// What is due and when: at most one thing for each key.
///
/// A service that keeps it up to date while its state evolves need not look
/// at everything there is to find what comes next. It follows from that state,
/// so it is made anew where the state is read, and written down nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agenda<K, V> {
    due: BTreeMap<K, (OffsetDateTime, V)>,
    /// Of what is due at the same time, the least key comes first.
    order: BTreeSet<(OffsetDateTime, K)>,
}

impl<K, V> Default for Agenda<K, V> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Ord + Clone, V> Agenda<K, V> {
    /// Puts what is due for `key` in the place of what was.
    pub(crate) fn set(&mut self, key: K, due: Option<(OffsetDateTime, V)>) {
        let before = match due {
            Some((at, what)) => {
                self.order.insert((at, key.clone()));
                let before = self.due.insert(key.clone(), (at, what));
                before.filter(|(before, _)| *before != at)
            }
            None => self.due.remove(&key),
        };
        if let Some((at, _)) = before {
            self.order.remove(&(at, key));
        }
    }

    /// What comes first.
    pub(crate) fn next(&self) -> Option<(OffsetDateTime, &K, &V)> {
        let (at, key) = self.order.first()?;
        self.due.get(key).map(|(_, what)| (*at, key, what))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::kernel::clock::EPOCH;

    proptest! {
        #[test]
        fn what_comes_first_is_what_a_look_at_everything_finds(
            steps in proptest::collection::vec((0..8_u8, proptest::option::of(0..6_u64)), 0..64),
        ) {
            let mut agenda = Agenda::default();
            let mut all = BTreeMap::new();
            for (key, seconds) in steps {
                let due = seconds.map(|it| (EPOCH + Duration::from_secs(it), it));
                agenda.set(key, due);
                match due {
                    Some(due) => drop(all.insert(key, due)),
                    None => drop(all.remove(&key)),
                }
                let first = all.iter().min_by_key(|(key, (at, _))| (*at, **key));
                prop_assert_eq!(agenda.next(), first.map(|(key, (at, what))| (*at, key, what)));
            }
        }
    }
}
