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

/// From JSON to source: what is not code becomes a magic comment.
pub(in super::super) fn to_source(text: &str, language: &str) -> String {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let empty = Vec::new();
    let cells = document["cells"].as_array().unwrap_or(&empty);
    let sign = sign(language);
    let cell = |it: &Value| {
        let source = match &it["source"] {
            Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<String>(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        if it["cell_type"] == "markdown" {
            let lines = source.lines().map(|it| format!("{sign} MAGIC {it}"));
            let lines: Vec<String> =
                std::iter::once(format!("{sign} MAGIC %md")).chain(lines).collect();
            return lines.join("\n");
        }
        source
    };
    let cells: Vec<String> = cells.iter().map(cell).collect();
    format!("{sign} {HEADER}\n{}\n", cells.join(&format!("\n\n{sign} COMMAND ----------\n\n")))
}

/// From source to JSON.
pub(in super::super) fn to_jupyter(text: &str, language: &str) -> String {
    let sign = sign(language);
    let (header, command) = (format!("{sign} {HEADER}\n"), format!("{sign} COMMAND ----------"));
    let magic = format!("{sign} MAGIC ");
    let body = text.strip_prefix(&header).unwrap_or(text);
    let cells: Vec<Value> = body
        .split(&command)
        .map(|it| {
            let lines: Vec<&str> =
                it.trim().lines().map(|it| it.strip_prefix(&magic).unwrap_or(it)).collect();
            match lines.split_first() {
                Some((first, rest)) if first.trim() == "%md" => json!({
                    "cell_type": "markdown", "metadata": {}, "source": rest.join("\n"),
                }),
                _ => json!({
                    "cell_type": "code", "metadata": {}, "source": lines.join("\n"),
                    "execution_count": null, "outputs": [],
                }),
            }
        })
        .collect();
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
