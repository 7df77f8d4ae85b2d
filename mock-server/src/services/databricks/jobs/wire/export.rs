//! Notebooks as web pages.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::services::databricks::workspace;

/// The one view that a notebook task has. `result` is what it ended with, `log`
/// what it has written.
pub(crate) fn view_of(path: &str, source: &str, result: Option<&str>, log: &str) -> Value {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut page = format!(
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{}</title>\n\
         <script>\nvar __DATABRICKS_NOTEBOOK_MODEL = '{}';\n</script>\n</head>\n\
         <body>\n<h1>{}</h1>\n<pre class=\"source\">{}</pre>\n",
        escaped(name),
        model(name, source, log),
        escaped(path),
        escaped(source)
    );
    if let Some(result) = result {
        page.extend(["<pre class=\"output\">", &escaped(result), "</pre>\n"]);
    }
    page.push_str("</body>\n</html>\n");
    json!({ "content": page, "name": name, "type": "NOTEBOOK" })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The cells and their results, as programs read them out of the page. Which
/// cell wrote what is not known: the last one gets it all.
fn model(name: &str, source: &str, log: &str) -> String {
    let language = match source.get(..2) {
        Some("--") => "SQL",
        Some("//") => "SCALA",
        _ => "PYTHON",
    };
    let cells = workspace::commands(source, language);
    let last = cells.len();
    let cells = cells.iter().zip(1..).map(|(text, position)| {
        let written = position == last && !log.is_empty();
        let data = if written { json!([{ "type": "ansi", "data": log }]) } else { json!([]) };
        json!({
            "version": "CommandV1", "position": position, "command": text,
            "results": { "type": "listResults", "data": data },
        })
    });
    let model = json!({
        "version": "NotebookV1", "name": name, "language": language.to_lowercase(),
        "commands": cells.collect::<Vec<_>>(),
    });
    BASE64.encode(utf8_percent_encode(&model.to_string(), NON_ALPHANUMERIC).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_notebook_holds_its_cells_and_what_they_wrote() {
        let source = "# Databricks notebook source\nprint('hé')\n\n# COMMAND ----------\n\n1";
        let view = view_of("/Shared/nb", source, None, "hé\n");
        let page = view["content"].as_str().unwrap();
        let (_, rest) = page.split_once("var __DATABRICKS_NOTEBOOK_MODEL = '").unwrap();
        let bytes = BASE64.decode(rest.split_once("';\n").unwrap().0).unwrap();
        let text = percent_encoding::percent_decode(&bytes).decode_utf8().unwrap();
        let model: Value = serde_json::from_str(&text).unwrap();
        let commands = model["commands"].as_array().unwrap();
        let texts: Vec<&Value> = commands.iter().map(|it| &it["command"]).collect();
        assert_eq!(texts, ["print('hé')", "1"]);
        assert_eq!(commands[0]["results"]["data"], json!([]));
        assert_eq!(commands[1]["results"]["data"], json!([{ "type": "ansi", "data": "hé\n" }]));
    }
}
