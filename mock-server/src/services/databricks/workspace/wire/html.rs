//! The page that a notebook is exported as. The notebook itself is in it, too,
//! so that the page can be imported again.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use serde_json::{Value, json};

use super::notebooks::{commands, from_commands};

const BEFORE: &str = "__DATABRICKS_NOTEBOOK_MODEL = '";

/// The page of a notebook in source form.
pub(in super::super) fn page(name: &str, text: &str, language: &str) -> String {
    let commands = commands(text, language);
    let cells: Vec<Value> = (1..)
        .zip(&commands)
        .map(
            |(position, it)| json!({ "version": "CommandV1", "position": position, "command": it }),
        )
        .collect();
    let model = json!({
        "version": "NotebookV1", "name": name, "language": language.to_ascii_lowercase(),
        "commands": cells,
    });
    let model = utf8_percent_encode(&model.to_string(), NON_ALPHANUMERIC).to_string();
    let shown: Vec<String> = commands.iter().map(|it| escaped(it)).collect();
    let shown = shown.join("</pre>\n<pre>");
    format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"databricks-html-version\" content=\"1\">\n\
         <title>{} - Databricks</title>\n</head>\n<body>\n<pre>{shown}</pre>\n\
         <script>{BEFORE}{}';</script>\n</body>\n</html>\n",
        escaped(name),
        BASE64.encode(model)
    )
}

/// Language and source of the notebook in a page, if there is one.
pub(in super::super) fn notebook(page: &str) -> Option<(String, String)> {
    let (_, rest) = page.split_once(BEFORE)?;
    let bytes = BASE64.decode(rest.split('\'').next()?).ok()?;
    let model = percent_decode(&bytes).decode_utf8().ok()?;
    let model: Value = serde_json::from_str(&model).ok()?;
    let language = model["language"].as_str()?.to_ascii_uppercase();
    let mut cells: Vec<&Value> = model["commands"].as_array()?.iter().collect();
    let position = |it: &Value| it["position"].as_f64().unwrap_or_default();
    cells.sort_by(|one, other| position(one).total_cmp(&position(other)));
    let cells = cells.iter().map(|it| it["command"].as_str().unwrap_or_default().to_owned());
    Some((language.clone(), from_commands(cells, &language)))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notebook_survives_the_way_to_a_page_and_back() {
        let source = "-- Databricks notebook source\n-- MAGIC %md\n-- MAGIC 5 < 6\n\n-- COMMAND ----------\n\nselect 'ä'\n";
        let page = page("nb", source, "SQL");
        assert_eq!(notebook(&page), Some(("SQL".to_owned(), source.to_owned())));
        assert_eq!(notebook("<html></html>"), None);
    }
}
