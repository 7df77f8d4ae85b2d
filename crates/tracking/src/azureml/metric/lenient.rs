//! JSON with the numbers that JSON has no words for.
//!
//! The metric service takes and gives `NaN` and `Infinity` as bare words, as
//! Python's `json` does.

use std::borrow::Cow;

/// Longest first: `Infinity` also ends `-Infinity`.
const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];

/// Puts quotes around the bare words, and around whole numbers that 64 bits
/// cannot hold, so that any JSON reader can go on and no digit is lost.
pub(super) fn quote_bare_words(text: &[u8]) -> Cow<'_, [u8]> {
    let mut quoted: Option<Vec<u8>> = None;
    let (mut at, mut is_in_string) = (0, false);
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        let word = WORDS.iter().find(|it| !is_in_string && rest.starts_with(it));
        let (len, is_to_quote) = match word {
            Some(word) => (word.len(), true),
            None if is_in_string => {
                // Whatever follows a backslash belongs to the string.
                (if byte == b'\\' { 2 } else { 1 }, false)
            }
            None if byte == b'-' || byte.is_ascii_digit() => {
                let len = rest.iter().take_while(|it| is_of_number(**it)).count();
                (len, is_large_integer(&rest[..len]))
            }
            None => (1, false),
        };
        if byte == b'"' {
            is_in_string = !is_in_string;
        }
        let end = text.len().min(at + len);
        if is_to_quote {
            let out = quoted.get_or_insert_with(|| text[..at].to_vec());
            out.push(b'"');
            out.extend_from_slice(&text[at..end]);
            out.push(b'"');
        } else if let Some(out) = &mut quoted {
            out.extend_from_slice(&text[at..end]);
        }
        at = end;
    }
    quoted.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
}

fn is_large_integer(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let is_whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_whole && std::str::from_utf8(number).is_ok_and(|it| it.parse::<i64>().is_err())
}

/// Writes a number as the service reads it.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else {
        // `Debug` is the shortest text that reads back as the same number.
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn quoted(text: &str) -> String {
        String::from_utf8(quote_bare_words(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn only_bare_words_are_quoted() {
        assert_eq!(
            quoted(r#"{"NaN": [NaN, -Infinity, Infinity, 1], "a\"NaN": "Infinity"}"#),
            r#"{"NaN": ["NaN", "-Infinity", "Infinity", 1], "a\"NaN": "Infinity"}"#
        );
    }

    #[test]
    fn no_digit_of_a_large_integer_is_lost() {
        assert_eq!(
            quoted(r"[1180591620717411303424, -9223372036854775809, 9223372036854775807, 1e30]"),
            r#"["1180591620717411303424", "-9223372036854775809", 9223372036854775807, 1e30]"#
        );
    }

    proptest! {
        #[test]
        fn plain_json_stays_as_it_is(texts in prop::collection::vec(any::<String>(), 0..8)) {
            let json = serde_json::to_string(&texts).unwrap();
            prop_assert_eq!(quoted(&json), json);
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = quote_bare_words(&bytes);
        }

        #[test]
        fn a_number_reads_back_as_itself(value in any::<f64>()) {
            let text = number(value);
            let read: Value = serde_json::from_slice(&quote_bare_words(text.as_bytes())).unwrap();
            let back = match &read {
                Value::String(word) => word.parse().unwrap(),
                other => other.as_f64().unwrap(),
            };
            prop_assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()));
        }
    }
}
