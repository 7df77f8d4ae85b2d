//! How answers and failures are printed.

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// How a command prints its answer.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Output {
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,
    /// The same as --output json
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

impl Output {
    /// `value` as JSON, or as `text` for people.
    pub(crate) fn print<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<String> {
        if self.json || self.output == Format::Json {
            return Ok(serde_json::to_string_pretty(value)? + "\n");
        }
        Ok(text(value))
    }
}

/// A table with a heading and nothing around it.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(heading);
    for row in rows {
        table.add_row(row);
    }
    let text = table.to_string();
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.join("\n") + "\n"
}

/// The failure and its causes on one line.
pub(crate) fn one_line(err: &anyhow::Error) -> String {
    in_line(&format!("{err:#}"))
}

/// `text` without breaks.
pub(crate) fn in_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        let err = Err::<(), _>(anyhow!("first\n  second")).context("it failed").unwrap_err();
        assert_eq!(one_line(&err), "it failed: first second");
    }

    #[test]
    fn a_table_has_no_frame() {
        let rows = vec![["a".to_owned(), "long text".to_owned()], ["bb".to_owned(), String::new()]];
        assert_eq!(table(["X", "Y"], rows), "X   Y\na   long text\nbb\n");
    }
}
