//! Notebooks as web pages.

use serde_json::{Value, json};

/// The one view that a notebook task has.
pub(crate) fn view_of(path: &str, source: &str, output: Option<&str>) -> Value {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut page = format!(
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n<h1>{}</h1>\n<pre class=\"source\">{}</pre>\n",
        escaped(name),
        escaped(path),
        escaped(source)
    );
    if let Some(output) = output {
        page.extend(["<pre class=\"output\">", &escaped(output), "</pre>\n"]);
    }
    page.push_str("</body>\n</html>\n");
    json!({ "content": page, "name": name, "type": "NOTEBOOK" })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
