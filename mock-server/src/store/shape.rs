use std::{borrow::Cow, collections::BTreeMap};

/// How Azure ML calls a plain number.
const SCALAR: &str = "azureml.v1.scalar";

/// What the values of a metric consist of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A plain number, as MLflow and most users log it: one column, called as
    /// the metric is.
    Scalar,
    Table(Box<Table>),
}

/// What is said of a metric that is no plain number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// Column names with their types: `double`, `int`, `string`, `bool`, `Artifact` …
    pub(super) columns: BTreeMap<String, String>,
    /// How the studio shows it, for example `azureml.v1.scalar`.
    pub(super) shown_as: String,
}

impl Shape {
    /// The shape of the metric `name` with these columns.
    pub(crate) fn of(name: &str, columns: BTreeMap<String, String>, shown_as: String) -> Self {
        let is_scalar = shown_as == SCALAR
            && columns.len() == 1
            && columns.get(name).is_some_and(|it| it == "double");
        if is_scalar { Self::Scalar } else { Self::Table(Box::new(Table { columns, shown_as })) }
    }

    pub(super) fn of_saved(
        name: &str,
        columns: Option<BTreeMap<String, String>>,
        shown_as: Option<String>,
    ) -> Self {
        match columns {
            None => Self::Scalar,
            Some(columns) => Self::of(name, columns, shown_as.unwrap_or_else(|| SCALAR.to_owned())),
        }
    }

    /// The columns of the metric `name`, with their types.
    pub(crate) fn columns(&self, name: &str) -> Cow<'_, BTreeMap<String, String>> {
        match self {
            Self::Scalar => Cow::Owned(BTreeMap::from([(name.to_owned(), "double".to_owned())])),
            Self::Table(it) => Cow::Borrowed(&it.columns),
        }
    }

    pub(crate) fn shown_as(&self) -> &str {
        match self {
            Self::Scalar => SCALAR,
            Self::Table(it) => &it.shown_as,
        }
    }

    /// Whether each value is one number.
    pub(super) fn is_number(&self) -> bool {
        match self {
            Self::Scalar => true,
            Self::Table(it) => {
                it.shown_as == SCALAR
                    && it.columns.len() == 1
                    && it.columns.values().all(|it| matches!(it.as_str(), "double" | "int"))
            }
        }
    }
}
