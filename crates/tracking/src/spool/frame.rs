//! Frames: payloads in a row, each with its length and a checksum.
//!
//! A frame is `length: u32`, `checksum: u32`, the payload, and zeros up to a
//! multiple of 8 bytes, little-endian. A length of 0 is the end of what was
//! written. The checksum covers the payload and the place of the frame, so that
//! bytes that were moved or left over never pass for a frame.

/// Length and checksum.
pub(super) const HEAD: usize = 8;
/// Frames begin at multiples of this.
const ALIGN: usize = 8;

/// What is at one place of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A payload, and how long the whole frame is.
    Whole(&'a [u8], usize),
    /// Nothing was written here yet.
    Nothing,
    /// Something was begun and is not whole, or not yet.
    Torn,
}

/// How long the frame of a payload is.
pub(super) fn len_of(payload: usize) -> usize {
    (HEAD + payload).next_multiple_of(ALIGN)
}

/// Writes a frame at the start of `bytes`, which must be as long as
/// [`len_of`] says at least. `salt` tells its place.
pub(super) fn write(bytes: &mut [u8], salt: u64, payload: usize, fill: impl FnOnce(&mut [u8])) {
    let body = &mut bytes[HEAD..HEAD + payload];
    fill(body);
    let checksum = checksum(salt, body);
    bytes[4..HEAD].copy_from_slice(&checksum.to_le_bytes());
    // The length comes last: before it, a reader sees no frame at all.
    let length = u32::try_from(payload).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
}

/// Reads the frame at the start of `bytes`.
pub(super) fn read(bytes: &[u8], salt: u64) -> Frame<'_> {
    let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let (Some(length), Some(expected)) = (word(0), word(4)) else {
        return if bytes.iter().all(|it| *it == 0) { Frame::Nothing } else { Frame::Torn };
    };
    if length == 0 {
        return Frame::Nothing;
    }
    let length = length as usize;
    let Some(payload) = bytes.get(HEAD..).and_then(|it| it.get(..length)) else {
        return Frame::Torn;
    };
    if checksum(salt, payload) != expected {
        return Frame::Torn;
    }
    Frame::Whole(payload, len_of(length))
}

fn checksum(salt: u64, payload: &[u8]) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let seed = (salt ^ (salt >> 32)) as u32;
    let mut hasher = crc32fast::Hasher::new_with_initial(seed);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(payload: &[u8], salt: u64) -> Vec<u8> {
        let mut bytes = vec![0; len_of(payload.len())];
        write(&mut bytes, salt, payload.len(), |it| it.copy_from_slice(payload));
        bytes
    }

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_written(
            payload in prop::collection::vec(any::<u8>(), 1..200), salt: u64,
        ) {
            let bytes = framed(&payload, salt);
            prop_assert_eq!(read(&bytes, salt), Frame::Whole(&payload, bytes.len()));
            prop_assert_eq!(bytes.len() % ALIGN, 0);
        }

        #[test]
        fn a_frame_that_was_moved_or_damaged_is_none(
            payload in prop::collection::vec(any::<u8>(), 1..64),
            at: prop::sample::Index,
            flip in 1..=255_u8,
        ) {
            let mut bytes = framed(&payload, 8);
            prop_assert_eq!(read(&bytes, 16), Frame::Torn);
            let at = at.index(HEAD + payload.len());
            bytes[at] ^= flip;
            prop_assert!(!matches!(read(&bytes, 8), Frame::Whole(found, _) if found == payload));
        }
    }

    #[test]
    fn a_frame_that_was_cut_is_torn_at_every_byte() {
        let whole = framed(b"some payload of a frame", 3);
        for cut in 0..HEAD + 23 {
            let mut bytes = whole.clone();
            bytes.iter_mut().skip(cut).for_each(|it| *it = 0);
            let expected = if cut == 0 { Frame::Nothing } else { Frame::Torn };
            // A checksum of zeros is as good as any other, but this one is not.
            assert_eq!(read(&bytes, 3), expected, "zeros from byte {cut}");
            let expected = if cut == 0 { Frame::Nothing } else { Frame::Torn };
            assert_eq!(read(&whole[..cut], 3), expected, "cut at byte {cut}");
        }
    }
}
