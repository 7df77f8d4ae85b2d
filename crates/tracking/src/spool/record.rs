//! What a frame says: one thing that a run logged.

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::{RunEnd, RunError};

/// One thing that a run logged, with all that was fixed when it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record<'a> {
    /// Gives a series the number by which the points of its segment name it.
    Key { id: u32, name: Cow<'a, str> },
    /// A number of a series.
    Point(Point),
    /// A param.
    Param { key: Cow<'a, str>, value: Cow<'a, str> },
    /// A tag.
    Tag { key: Cow<'a, str>, value: Cow<'a, str> },
    /// A series of values of any type, in JSON.
    Series(Cow<'a, [u8]>),
    /// A file that becomes an artifact.
    Artifact { path: Cow<'a, str>, file: Cow<'a, str> },
    /// The end of the run.
    End { end: RunEnd, at_ms: i64 },
    /// So many points that stood before were dropped, because the disk may hold no more.
    Gap { points: u64 },
}

/// A number of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Number of the series, see [`Record::Key`].
    pub(crate) key: u32,
    pub(crate) step: i64,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
    pub(crate) value: f64,
}

impl PartialEq for Point {
    /// NaN equals itself: what counts is what was stored.
    fn eq(&self, other: &Self) -> bool {
        (self.key, self.step, self.at_ms, self.value.to_bits())
            == (other.key, other.step, other.at_ms, other.value.to_bits())
    }
}

const KEY: u8 = 1;
const POINT: u8 = 2;
const PARAM: u8 = 3;
const TAG: u8 = 4;
const SERIES: u8 = 5;
const ARTIFACT: u8 = 6;
const END: u8 = 7;
const GAP: u8 = 8;

const FINISHED: u8 = 0;
const FAILED: u8 = 1;
const CANCELED: u8 = 2;

impl Point {
    /// Bytes of the payload.
    pub(super) const LEN: usize = 32;

    /// Writes the payload to `bytes`, which has [`LEN`](Self::LEN) bytes.
    pub(super) fn encode(&self, bytes: &mut [u8]) {
        bytes[..4].copy_from_slice(&[POINT, 0, 0, 0]);
        bytes[4..8].copy_from_slice(&self.key.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.step.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.at_ms.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.value.to_le_bytes());
    }
}

impl<'a> Record<'a> {
    /// The payload. Points have a way of their own that allocates nothing.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Point(point) => {
                bytes.resize(Point::LEN, 0);
                point.encode(&mut bytes);
            }
            Self::Key { id, name } => {
                bytes.push(KEY);
                bytes.extend(id.to_le_bytes());
                text(&mut bytes, name);
            }
            Self::Param { key, value } => {
                bytes.push(PARAM);
                text(&mut bytes, key);
                text(&mut bytes, value);
            }
            Self::Tag { key, value } => {
                bytes.push(TAG);
                text(&mut bytes, key);
                text(&mut bytes, value);
            }
            Self::Series(json) => {
                bytes.push(SERIES);
                bytes.extend_from_slice(json);
            }
            Self::Artifact { path, file } => {
                bytes.push(ARTIFACT);
                text(&mut bytes, path);
                text(&mut bytes, file);
            }
            Self::Gap { points } => {
                bytes.push(GAP);
                bytes.extend(points.to_le_bytes());
            }
            Self::End { end, at_ms } => {
                bytes.push(END);
                bytes.extend(at_ms.to_le_bytes());
                match end {
                    RunEnd::Finished => bytes.push(FINISHED),
                    RunEnd::Canceled => bytes.push(CANCELED),
                    RunEnd::Failed(RunError { code, message }) => {
                        bytes.push(FAILED);
                        text(&mut bytes, code);
                        text(&mut bytes, message);
                    }
                }
            }
        }
        bytes
    }

    /// Reads a payload. `None` for one that no version of this crate has written
    /// so far.
    pub(crate) fn decode(payload: &'a [u8]) -> Option<Self> {
        let (kind, rest) = payload.split_first()?;
        let mut rest = Reader(rest);
        let record = match *kind {
            KEY => Self::Key { id: u32::from_le_bytes(rest.array()?), name: rest.text()?.into() },
            POINT => {
                rest.array::<3>()?;
                Self::Point(Point {
                    key: u32::from_le_bytes(rest.array()?),
                    step: i64::from_le_bytes(rest.array()?),
                    at_ms: i64::from_le_bytes(rest.array()?),
                    value: f64::from_le_bytes(rest.array()?),
                })
            }
            PARAM => Self::Param { key: rest.text()?.into(), value: rest.text()?.into() },
            TAG => Self::Tag { key: rest.text()?.into(), value: rest.text()?.into() },
            SERIES => Self::Series(std::mem::take(&mut rest.0).into()),
            ARTIFACT => Self::Artifact { path: rest.text()?.into(), file: rest.text()?.into() },
            GAP => Self::Gap { points: u64::from_le_bytes(rest.array()?) },
            END => {
                let at_ms = i64::from_le_bytes(rest.array()?);
                let [end] = rest.array()?;
                let end = match end {
                    FINISHED => RunEnd::Finished,
                    CANCELED => RunEnd::Canceled,
                    FAILED => RunEnd::Failed(RunError::new(rest.text()?, rest.text()?)),
                    _ => return None,
                };
                Self::End { end, at_ms }
            }
            _ => return None,
        };
        rest.0.is_empty().then_some(record)
    }
}

/// Milliseconds since 1970, as points have them; not before.
pub(crate) fn millis(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX).max(0)
}

/// The instant of a point.
pub(crate) fn instant(millis: i64) -> OffsetDateTime {
    let nanos = i128::from(millis) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u32::from_le_bytes(self.array()?);
        std::str::from_utf8(self.take(length as usize)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_text() -> impl Strategy<Value = Cow<'static, str>> {
        "\\PC{0,20}".prop_map(Cow::Owned)
    }

    fn any_end() -> impl Strategy<Value = RunEnd> {
        prop_oneof![
            Just(RunEnd::Finished),
            Just(RunEnd::Canceled),
            (any_text(), any_text())
                .prop_map(|(code, message)| RunEnd::Failed(RunError::new(code, message))),
        ]
    }

    fn any_record() -> impl Strategy<Value = Record<'static>> {
        prop_oneof![
            (any::<u32>(), any_text()).prop_map(|(id, name)| Record::Key { id, name }),
            (any::<u32>(), any::<i64>(), any::<i64>(), any::<u64>()).prop_map(
                |(key, step, at_ms, bits)| {
                    let value = f64::from_bits(bits);
                    Record::Point(Point { key, step, at_ms, value })
                }
            ),
            (any_text(), any_text()).prop_map(|(key, value)| Record::Param { key, value }),
            (any_text(), any_text()).prop_map(|(key, value)| Record::Tag { key, value }),
            prop::collection::vec(any::<u8>(), 0..50)
                .prop_map(|json| Record::Series(Cow::Owned(json))),
            (any_text(), any_text()).prop_map(|(path, file)| Record::Artifact { path, file }),
            (any_end(), any::<i64>()).prop_map(|(end, at_ms)| Record::End { end, at_ms }),
            any::<u64>().prop_map(|points| Record::Gap { points }),
        ]
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(record in any_record()) {
            let payload = record.encode();
            prop_assert_eq!(Record::decode(&payload), Some(record));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(record) = Record::decode(&bytes)
                && !matches!(record, Record::Point(_))
            {
                prop_assert_eq!(record.encode(), bytes);
            }
        }
    }

    #[test]
    fn an_instant_before_all_time_is_the_first() {
        assert_eq!(millis(OffsetDateTime::UNIX_EPOCH - time::Duration::HOUR), 0);
        assert_eq!(instant(i64::MAX), OffsetDateTime::UNIX_EPOCH);
    }
}
