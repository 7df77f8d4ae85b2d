//! The two forms in which a notebook is kept.

use serde_json::{Value, json};

/// What every notebook in source form begins with, without the comment sign.
const HEADER: &str = "Databricks notebook source";

fn sign(language: &str) -> &'static str {
    match language {
        "SQL" => "--",
        "SCALA" => "//",
        _ => "#",
    }
}

/// The language of a source file, if it is a notebook by its first line.
pub(in super::super) fn language_of_source(name: &str, text: &str) -> Option<&'static str> {
    let first = text.lines().next().unwrap_or_default();
    let is_headed = |language| first.trim_end() == format!("{} {HEADER}", sign(language));
    let of_name = match name.rsplit_once('.').map(|(_, it)| it) {
        Some("py") => "PYTHON",
        Some("sql") => "SQL",
        Some("scala") => "SCALA",
        Some("r" | "R") => "R",
        _ => return None,
    };
    is_headed(of_name).then_some(of_name)
}

/// The source with its header, which is added without a line of its own being lost.
pub(in super::super) fn with_header(text: String, language: &str) -> String {
    let header = format!("{} {HEADER}", sign(language));
    if text.starts_with(&header) { text } else { format!("{header}\n{text}") }
}

/// The language that a notebook in JSON says it is in.
pub(in super::super) fn language_of_jupyter(text: &str) -> Option<String> {
    let document: Value = serde_json::from_str(text).ok()?;
    document.get("cells")?.as_array()?;
    let metadata = &document["metadata"];
    let named = [&metadata["language_info"]["name"], &metadata["kernelspec"]["language"]];
    let name = named.iter().find_map(|it| it.as_str()).unwrap_or("python");
    Some(name.to_ascii_uppercase())
}

/// The cells of a notebook in source form, without the signs of magic comments.
pub(in crate::services::databricks) fn commands(text: &str, language: &str) -> Vec<String> {
    let sign = sign(language);
    let (header, command) = (format!("{sign} {HEADER}\n"), format!("{sign} COMMAND ----------"));
    let (magic, blank) = (format!("{sign} MAGIC "), format!("{sign} MAGIC"));
    let plain = |it: &str| {
        let line = it.strip_prefix(&magic);
        line.unwrap_or(if it.trim_end() == blank { "" } else { it }).to_owned()
    };
    let body = text.strip_prefix(&header).unwrap_or(text);
    let cell = |it: &str| it.trim().lines().map(plain).collect::<Vec<_>>().join("\n");
    body.split(&command).map(cell).collect()
}

/// From cells to source: what is not in the notebook's language becomes a magic comment.
pub(in super::super) fn from_commands(
    commands: impl Iterator<Item = String>,
    language: &str,
) -> String {
    let sign = sign(language);
    let cell = |it: String| {
        if !it.starts_with('%') {
            return it;
        }
        let line = |it: &str| format!("{sign} MAGIC {it}").trim_end().to_owned();
        it.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    let cells: Vec<String> = commands.map(cell).collect();
    format!("{sign} {HEADER}\n{}\n", cells.join(&format!("\n\n{sign} COMMAND ----------\n\n")))
}

/// From JSON to source.
pub(in super::super) fn to_source(text: &str, language: &str) -> String {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let empty = Vec::new();
    let cells = document["cells"].as_array().unwrap_or(&empty);
    let cell = |it: &Value| {
        let source = match &it["source"] {
            Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<String>(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        if it["cell_type"] == "markdown" { format!("%md\n{source}") } else { source }
    };
    from_commands(cells.iter().map(cell), language)
}

/// From source to JSON.
pub(in super::super) fn to_jupyter(text: &str, language: &str) -> String {
    let cell = |it: String| match it.split_once('\n') {
        Some((first, rest)) if first.trim() == "%md" => json!({
            "cell_type": "markdown", "metadata": {}, "source": rest,
        }),
        _ => json!({
            "cell_type": "code", "metadata": {}, "source": it,
            "execution_count": null, "outputs": [],
        }),
    };
    let cells: Vec<Value> = commands(text, language).into_iter().map(cell).collect();
    let name = language.to_ascii_lowercase();
    let document = json!({
        "cells": cells, "metadata": { "language_info": { "name": name } },
        "nbformat": 4, "nbformat_minor": 0,
    });
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notebook_survives_the_way_to_json_and_back() {
        let source = "# Databricks notebook source\n# MAGIC %md\n# MAGIC Title\n\n# COMMAND ----------\n\nprint(1)\n";
        let json = to_jupyter(source, "PYTHON");
        assert_eq!(language_of_jupyter(&json).unwrap(), "PYTHON");
        assert_eq!(to_source(&json, "PYTHON"), source);
    }

    #[test]
    fn a_source_without_its_header_gets_it_and_one_with_it_stays() {
        let text = with_header("print(1)".into(), "PYTHON");
        assert_eq!(text, "# Databricks notebook source\nprint(1)");
        assert_eq!(with_header(text.clone(), "PYTHON"), text);
        assert_eq!(language_of_source("a.py", &text), Some("PYTHON"));
        assert_eq!(language_of_source("a.py", "print(1)"), None);
    }
}
