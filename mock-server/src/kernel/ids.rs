use uuid::{Builder, Uuid};

/// Makes a UUID out of a world's seed and one of its counted ids: equal runs
/// have equal ids, and no two worlds with different seeds share one.
pub(crate) fn uuid(seed: u64, id: u64) -> Uuid {
    let high = mix(seed ^ mix(id));
    let low = mix(high ^ id.rotate_left(32));
    Builder::from_random_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes()).into_uuid()
}

/// Sixteen hexadecimal digits from a seed and an id.
pub(crate) fn hex16(seed: u64, id: u64) -> String {
    format!("{:016x}", mix(seed ^ mix(id)))
}

/// Two hexadecimal digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |it: u8| char::from_digit(it.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|it| [digit(it >> 4), digit(it & 15)]).collect()
}

/// The finalizer of splitmix64: every input bit moves every output bit.
fn mix(value: u64) -> u64 {
    let mut it = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    it ^ (it >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_two_digits() {
        assert_eq!(hex(&[0, 15, 255, 16]), "000fff10");
    }

    #[test]
    fn equal_seeds_give_equal_ids_and_other_seeds_other_ids() {
        assert_eq!(uuid(1, 2), uuid(1, 2));
        assert_ne!(uuid(1, 2), uuid(1, 3));
        assert_ne!(uuid(1, 2), uuid(2, 2));
        assert_eq!(uuid(1, 2).get_version_num(), 4);
    }
}
