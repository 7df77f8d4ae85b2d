//! `NaN`, `Infinity` and `-Infinity` as bare words: no JSON, but what Python
//! writes and what the metric service takes and gives.

use std::borrow::Cow;

/// Marks a text that is to go out as a bare word. No client's text begins with it.
const MARK: char = '\u{1}';

/// `bytes` with bare words outside texts put in quotes. Copies only if there is one.
pub(crate) fn quoted(bytes: &[u8]) -> Cow<'_, [u8]> {
    let has_word = bytes.windows(3).any(|it| it == b"NaN" || it == b"Inf");
    if !has_word {
        return Cow::Borrowed(bytes);
    }
    let mut text = Vec::with_capacity(bytes.len() + 16);
    let mut rest = bytes;
    let (mut in_text, mut escaped) = (false, false);
    while let Some((&first, tail)) = rest.split_first() {
        if in_text {
            in_text = escaped || first != b'"';
            escaped = !escaped && first == b'\\';
        } else if let Some(word) =
            [&b"NaN"[..], b"Infinity", b"-Infinity"].into_iter().find(|it| rest.starts_with(it))
        {
            text.push(b'"');
            text.extend_from_slice(word);
            text.push(b'"');
            rest = &rest[word.len()..];
            continue;
        } else {
            in_text = first == b'"';
        }
        text.push(first);
        rest = tail;
    }
    Cow::Owned(text)
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
    if !text.contains("\"\\u0001") {
        return Cow::Borrowed(text);
    }
    let words = ["NaN", "-Infinity", "Infinity"];
    let bare = words
        .iter()
        .fold(text.to_owned(), |text, word| text.replace(&format!("\"\\u0001{word}\""), word));
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
    fn what_is_not_finite_goes_out_bare() {
        let text =
            serde_json::json!([number(f64::NAN), number(f64::NEG_INFINITY), number(1.5), "NaN"]);
        assert_eq!(unquoted(&text.to_string()), r#"[NaN,-Infinity,1.5,"NaN"]"#);
    }

    proptest! {
        #[test]
        fn what_is_json_stays_as_it_is(key in ".{0,12}", value in ".{0,12}") {
            let text = serde_json::json!({ key: value }).to_string();
            prop_assert_eq!(read(&text), text);
        }
    }
}
