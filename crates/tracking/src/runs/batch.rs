use std::collections::BTreeMap;

use crate::PendingMetric;

/// Numbers, params and tags of a run that are sent together.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RunBatch {
    /// Numbers.
    pub metrics: Vec<PendingMetric>,
    /// Params.
    pub params: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl RunBatch {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many there are of all kinds.
    pub fn len(&self) -> usize {
        self.metrics.len() + self.params.len() + self.tags.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first half and the second.
    pub(crate) fn split(mut self) -> (Self, Self) {
        // Params and tags first: a server looks at them first too.
        if self.metrics.len() == self.len() {
            let metrics = self.metrics.split_off(self.len() / 2);
            return (self, Self { metrics, ..Self::default() });
        }
        if !self.metrics.is_empty() {
            let metrics = std::mem::take(&mut self.metrics);
            return (self, Self { metrics, ..Self::default() });
        }
        if !self.params.is_empty() && !self.tags.is_empty() {
            let tags = std::mem::take(&mut self.tags);
            return (self, Self { tags, ..Self::default() });
        }
        let halve = |it: &mut BTreeMap<String, String>| {
            let middle = it.keys().nth(it.len() / 2).cloned();
            middle.map(|key| it.split_off(&key)).unwrap_or_default()
        };
        let (params, tags) = (halve(&mut self.params), halve(&mut self.tags));
        (self, Self { params, tags, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::Metric;

    proptest! {
        #[test]
        fn halves_are_smaller_and_together_the_whole(metrics in 0..9_u8, params in 0..9, tags in 0..9) {
            let texts = |count| (0..count).map(|it| (format!("k{it}"), String::new())).collect();
            let metric = |it: u8| {
                let metric = Metric::new("m", f64::from(it), OffsetDateTime::UNIX_EPOCH);
                PendingMetric::new(metric, Uuid::nil())
            };
            let metrics = (0..metrics).map(metric).collect();
            let whole = RunBatch { metrics, params: texts(params), tags: texts(tags) };
            prop_assume!(whole.len() > 1);
            let (one, other) = whole.clone().split();
            prop_assert!(!one.is_empty() && !other.is_empty());
            let mut joined = one;
            joined.metrics.extend(other.metrics);
            joined.params.extend(other.params);
            joined.tags.extend(other.tags);
            prop_assert_eq!(joined, whole);
        }
    }
}
