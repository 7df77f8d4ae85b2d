//! Numbers that JSON does not have, or serde does not read exactly: the words
//! `NaN`, `Infinity` and `-Infinity`, and integers beyond 64 bits. Python writes
//! them, and the metric service takes and gives them. Inside, they are texts.

use std::borrow::Cow;

/// Marks a text that is to go out as a bare word. No client's text begins with it.
const MARK: char = '\u{1}';

const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// As many digits fit into 64 bits, whatever they are.
const DIGITS: usize = 18;

/// `bytes` with such numbers outside texts put in quotes. Copies only if there is one.
pub(crate) fn quoted(bytes: &[u8]) -> Cow<'_, [u8]> {
    quoted_as(bytes, "")
}

/// The same, with a mark in front of them: for who has to tell them from texts.
pub(crate) fn marked_numbers(bytes: &[u8]) -> Cow<'_, [u8]> {
    quoted_as(bytes, "\\u0001")
}

/// Whether a text inside stood there as a number.
pub(crate) fn is_bare(text: &str) -> bool {
    text.starts_with(MARK)
}

fn quoted_as<'a>(bytes: &'a [u8], mark: &str) -> Cow<'a, [u8]> {
    let (mut text, mut copied) = (Vec::new(), 0);
    let (mut at, mut in_text) = (0, false);
    while let Some(&first) = bytes.get(at) {
        match first {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            b'N' | b'I' | b'-' | b'0'..=b'9' if !in_text => {
                let (len, is_foreign) = number_at(&bytes[at..]);
                if is_foreign {
                    text.extend_from_slice(&bytes[copied..at]);
                    text.push(b'"');
                    text.extend_from_slice(mark.as_bytes());
                    text.extend_from_slice(&bytes[at..at + len]);
                    text.push(b'"');
                    copied = at + len;
                }
                at += len;
                continue;
            }
            _ => (),
        }
        at += 1;
    }
    if text.is_empty() {
        return Cow::Borrowed(bytes);
    }
    text.extend_from_slice(&bytes[copied..]);
    Cow::Owned(text)
}

/// The length of the number or word that `bytes` begin with, and whether
/// serde cannot read it.
fn number_at(bytes: &[u8]) -> (usize, bool) {
    if let Some(word) = WORDS.iter().find(|it| bytes.starts_with(it.as_bytes())) {
        return (word.len(), true);
    }
    let is_part = |it: &&u8| matches!(it, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let len = bytes.iter().take_while(is_part).count().max(1);
    let number = std::str::from_utf8(&bytes[..len]).unwrap_or_default();
    let has_exponent = number.contains(['e', 'E']);
    let is_infinite = has_exponent && number.parse().is_ok_and(f64::is_infinite);
    (len, is_infinite || DIGITS < len && is_large_integer(number))
}

/// Whether `text` is an integer that 64 bits do not hold.
pub(crate) fn is_large_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|it| it.is_ascii_digit())
        && text.parse::<i64>().is_err()
        && text.parse::<u64>().is_err()
}

/// A text inside that stands for such a number, as it goes out: marked, for [`unquoted`].
pub(crate) fn marked(text: &str) -> Option<serde_json::Value> {
    (WORDS.contains(&text) || is_large_integer(text)).then(|| format!("{MARK}{text}").into())
}

/// A number as JSON: what is not finite becomes a marked text, for [`unquoted`].
pub(crate) fn number(value: f64) -> serde_json::Value {
    if value.is_finite() {
        return value.into();
    }
    let word = if value.is_nan() {
        "NaN"
    } else if value < 0.0 {
        "-Infinity"
    } else {
        "Infinity"
    };
    format!("{MARK}{word}").into()
}

/// `text` with marked texts as bare words.
pub(crate) fn unquoted(text: &str) -> Cow<'_, str> {
    const OPENING: &str = "\"\\u0001";
    if !text.contains(OPENING) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split(OPENING);
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (word, rest) = part.split_once('"').unwrap_or((part, ""));
        bare.push_str(word);
        bare.push_str(rest);
    }
    Cow::Owned(bare)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        String::from_utf8(quoted(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn bare_words_are_quoted_and_texts_are_left_alone() {
        assert_eq!(
            read(r#"{"a":NaN,"b":[-Infinity,Infinity]}"#),
            r#"{"a":"NaN","b":["-Infinity","Infinity"]}"#
        );
        assert_eq!(read(r#"{"NaN \" NaN":1}"#), r#"{"NaN \" NaN":1}"#);
    }

    #[test]
    fn integers_beyond_64_bits_are_quoted_and_others_are_not() {
        assert_eq!(
            read("[1180591620717411303425,-9223372036854775809,18446744073709551615]"),
            r#"["1180591620717411303425","-9223372036854775809",18446744073709551615]"#
        );
        assert_eq!(read("[1234567890123456789012.5,1e25]"), "[1234567890123456789012.5,1e25]");
        assert_eq!(read("[1e400,-1E999]"), r#"["1e400","-1E999"]"#, "no double is so large");
    }

    #[test]
    fn what_is_not_finite_goes_out_bare() {
        let text =
            serde_json::json!([number(f64::NAN), number(f64::NEG_INFINITY), number(1.5), "NaN"]);
        assert_eq!(unquoted(&text.to_string()), r#"[NaN,-Infinity,1.5,"NaN"]"#);
        let large = serde_json::json!({ "a": marked("1180591620717411303425") });
        assert_eq!(unquoted(&large.to_string()), r#"{"a":1180591620717411303425}"#);
    }

    proptest! {
        #[test]
        fn what_is_json_stays_as_it_is(key in ".{0,12}", value in ".{0,12}") {
            let text = serde_json::json!({ key: value }).to_string();
            prop_assert_eq!(read(&text), text);
        }
    }
}
