use std::collections::VecDeque;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

/// How many exchanges are kept.
const KEPT: usize = 1000;

/// How much of a body is kept, in bytes.
pub(crate) const BODY_LIMIT: usize = 4096;

/// Words in a field's name that make its value a secret.
const SECRET: &[&str] =
    &["secret", "password", "token", "assertion", "credential", "sig", "key", "device_code"];

/// The last exchanges of one world, for `/_mock/journal`.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<VecDeque<Exchange>>);

/// One request and its answer. Secrets are masked before it is made.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Exchange {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    pub(crate) operation: Option<&'static str>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) request_body: Option<Value>,
    pub(crate) status: u16,
    pub(crate) response_body: Option<Value>,
    /// Fields and parameters that the mock did not know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unknown: Vec<String>,
}

impl Recorder {
    pub(crate) fn add(&self, exchange: Exchange) {
        let mut exchanges = self.0.lock();
        if KEPT <= exchanges.len() {
            exchanges.pop_front();
        }
        exchanges.push_back(exchange);
    }

    pub(crate) fn all(&self) -> Vec<Exchange> {
        self.0.lock().iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }
}

/// The body as the recorder keeps it: JSON and forms with masked secrets,
/// nothing of what is neither.
pub(crate) fn masked_body(bytes: &[u8]) -> Option<Value> {
    if bytes.is_empty() || BODY_LIMIT < bytes.len() {
        return None;
    }
    if let Ok(mut body) = serde_json::from_slice(bytes) {
        mask(&mut body);
        return Some(body);
    }
    let text = std::str::from_utf8(bytes).ok().filter(|it| it.contains('='))?;
    Some(Value::String(masked_query(text)))
}

/// A query or form with masked secrets.
pub(crate) fn masked_query(text: &str) -> String {
    // What buys a token is a `code` in forms; in JSON that is why something failed.
    let pairs = text.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if is_secret(key) || key == "code" => format!("{key}=***"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let page_marks = ["page_token", "next_page_token", "continuationtoken", "metrickey"];
    !page_marks.contains(&key.as_str()) && SECRET.iter().any(|it| key.contains(it))
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, it) in fields {
                if is_secret(key) && (it.is_string() || it.is_number()) {
                    *it = Value::String("***".to_owned());
                } else {
                    mask(it);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        // A signed address.
        Value::String(text) if text.contains("sig=") => {
            if let Some((head, query)) = text.split_once('?') {
                *text = format!("{head}?{}", masked_query(query));
            }
        }
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_in_json_and_in_forms() {
        let body =
            br#"{"a":1,"properties":{"databricksAccessToken":"dapi"},"items":[{"sig":"x"}]}"#;
        let kept = masked_body(body).unwrap();
        let wanted =
            json!({"a":1,"properties":{"databricksAccessToken":"***"},"items":[{"sig":"***"}]});
        assert_eq!(kept, wanted);
        let form = masked_body(b"client_id=me&client_secret=fake").unwrap();
        assert_eq!(form, json!("client_id=me&client_secret=***"));
    }

    #[test]
    fn a_signed_address_loses_its_signature() {
        let kept = masked_body(br#"{"logFiles":{"a":"https://x.test/a?se=1&sig=abc"}}"#).unwrap();
        assert_eq!(kept["logFiles"]["a"], "https://x.test/a?se=1&sig=***");
    }

    #[test]
    fn only_the_last_exchanges_are_kept() {
        let recorder = Recorder::default();
        for number in 0..KEPT + 3 {
            recorder.add(Exchange {
                at: OffsetDateTime::UNIX_EPOCH,
                operation: None,
                method: "GET".into(),
                path: number.to_string(),
                query: None,
                request_body: None,
                status: 200,
                response_body: None,
                unknown: Vec::new(),
            });
        }
        let kept = recorder.all();
        assert_eq!((kept.len(), kept[0].path.as_str()), (KEPT, "3"));
    }
}
