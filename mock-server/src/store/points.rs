use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use time::OffsetDateTime;

/// Bytes of one packed point.
const PACKED: usize = 24;

/// Stands for "no step" in a packed point. No client sends this step.
const NO_STEP: i64 = i64::MIN;

/// One value of a numeric metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) step: Option<i64>,
    pub(crate) value: f64,
}

/// By bits: a point that is not a number equals itself.
impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

/// Points of one metric. Packed in the log, readable in an export.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Points(pub(crate) Vec<Point>);

impl Point {
    pub(super) fn key(&self) -> (i64, Option<i64>, u64) {
        (self.at, self.step, self.value.to_bits())
    }
}

impl Points {
    fn packed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * PACKED);
        for it in &self.0 {
            bytes.extend(it.at.to_le_bytes());
            bytes.extend(it.step.unwrap_or(NO_STEP).to_le_bytes());
            bytes.extend(it.value.to_le_bytes());
        }
        bytes
    }

    fn unpacked(bytes: &[u8]) -> Option<Self> {
        let word = |chunk: &[u8], at: usize| chunk.get(at..at + 8)?.try_into().ok();
        let point = |chunk: &[u8]| {
            let step = i64::from_le_bytes(word(chunk, 8)?);
            Some(Point {
                at: i64::from_le_bytes(word(chunk, 0)?),
                step: (step != NO_STEP).then_some(step),
                value: f64::from_le_bytes(word(chunk, 16)?),
            })
        };
        let chunks = bytes.chunks_exact(PACKED);
        if !chunks.remainder().is_empty() {
            return None;
        }
        chunks.map(point).collect::<Option<Vec<_>>>().map(Self)
    }
}

/// Microseconds since 1970.
pub(crate) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

/// Readable: a value that is not finite is written as text.
impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.value.is_finite() || !serializer.is_human_readable() {
            return (self.at, self.step, self.value).serialize(serializer);
        }
        (self.at, self.step, self.value.to_string()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (at, step, value) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { at, step, value });
        }
        let (at, step, value): (i64, Option<i64>, Value) = Deserialize::deserialize(deserializer)?;
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let value = number.ok_or_else(|| de::Error::custom(format!("{value} is no number")))?;
        Ok(Self { at, step, value })
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.packed());
        }
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_bytes(PackedVisitor);
        }
        Vec::deserialize(deserializer).map(Self)
    }
}

struct PackedVisitor;

impl de::Visitor<'_> for PackedVisitor {
    type Value = Points;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packed points")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Points, E> {
        Points::unpacked(bytes).ok_or_else(|| E::custom("points are packed by 24 bytes each"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_points() -> impl Strategy<Value = Points> {
        let point = (any::<i64>(), prop::option::of(-9_i64..9), prop::num::f64::ANY)
            .prop_map(|(at, step, value)| Point { at, step, value });
        prop::collection::vec(point, 0..9).prop_map(Points)
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(points in any_points()) {
            prop_assert_eq!(Points::unpacked(&points.packed()), Some(points));
        }

        #[test]
        fn what_is_exported_is_read_back(points in any_points()) {
            let text = serde_json::to_string(&points).unwrap();
            let back: Points = serde_json::from_str(&text).unwrap();
            // Every NaN is written alike.
            prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
        }
    }
}
