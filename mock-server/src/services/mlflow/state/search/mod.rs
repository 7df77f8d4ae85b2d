//! MLflow's search: filters, orders and pages. A filter is compiled once and
//! then asked for each thing.

mod experiments;
mod family;
mod grammar;
mod lexer;
mod matching;
mod models;
mod page;
mod registry;
mod runs;
mod sorting;
#[cfg(test)]
mod tests;

pub(in crate::services::mlflow) use self::{
    experiments::{ExperimentSearch, search_experiments},
    models::{ModelOrder, ModelSearch, search_models},
    page::Page,
    registry::{IS_PROMPT, is_prompt, search_registered, search_versions},
    runs::{RunSearch, search_runs},
};
use crate::{
    kernel::{Kind, Refusal},
    store::Run,
};

/// Which of the deleted and the others are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::services::mlflow) enum View {
    #[default]
    Active,
    Deleted,
    All,
}

impl View {
    fn shows(self, is_deleted: bool) -> bool {
        match self {
            Self::Active => !is_deleted,
            Self::Deleted => is_deleted,
            Self::All => true,
        }
    }
}

/// The name under which MLflow shows a run.
pub(in crate::services::mlflow) fn run_name(run: &Run) -> &str {
    run.display_name.as_deref().or(run.name.as_deref()).unwrap_or_default()
}

fn duplicates(order_by: &[String]) -> Refusal {
    let shown: Vec<String> = order_by.iter().map(|it| format!("'{it}'")).collect();
    let text = format!("`order_by` contains duplicate fields: [{}]", shown.join(", "));
    // MLflow forgets to say whose fault it is.
    Refusal::new(Kind::Status(axum::http::StatusCode::INTERNAL_SERVER_ERROR), text)
}
