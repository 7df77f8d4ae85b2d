/// What a command came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CommandResult {
    /// What it printed.
    Text(String),
    /// Rows.
    Table {
        /// Their columns.
        columns: Vec<Column>,
        /// The rows, each as long as there are columns.
        rows: Vec<Vec<Cell>>,
        /// Whether there were more rows than the service sends.
        is_truncated: bool,
    },
    /// A picture, by its address.
    Image(String),
    /// Pictures, by their addresses.
    Images(Vec<String>),
    /// It failed.
    Error {
        /// The error in one line, perhaps with HTML in it.
        summary: Option<String>,
        /// Where it came from, line by line.
        cause: Option<String>,
    },
    /// A result that this version of the crate does not know.
    Unknown {
        /// The word of the service.
        kind: String,
        /// All of it, as JSON.
        json: String,
    },
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as Spark writes it in JSON, for example `"integer"`.
    pub kind: String,
}

/// A value in a table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// No value.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Number(f64),
    /// A text.
    Text(String),
    /// An array, a map or a struct, as JSON.
    Json(String),
}
