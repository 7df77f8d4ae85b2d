use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::kernel::{self, Ctx, Kind, Refusal};

/// The saved datasets, by the id of their workspace and their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Datasets(BTreeMap<String, BTreeMap<String, Dataset>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dataset {
    pub(super) kind: String,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) paths: Vec<PathBelow>,
    pub(super) saved_at: Option<OffsetDateTime>,
}

/// Something below a datastore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PathBelow {
    pub(crate) datastore: String,
    pub(crate) path: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Saved { workspace: String, id: String, dataset: Box<Dataset> },
}

impl Datasets {
    pub(crate) fn evolve(&mut self, event: &Event) {
        let Event::Saved { workspace, id, dataset } = event;
        let of_it = self.0.entry(workspace.clone()).or_default();
        of_it.insert(id.clone(), (**dataset).clone());
    }

    /// The one path that a dataset of the workspace `at` consists of.
    pub(crate) fn path_of(&self, at: &str, id: &str) -> Result<&PathBelow, Refusal> {
        let found = self.0.get(at).and_then(|it| it.get(id));
        let missing = || {
            Refusal::not_found(format!("Saved dataset {id} was not found")).with_code("UserError")
        };
        match found.ok_or_else(missing)?.paths.as_slice() {
            [one] => Ok(one),
            them => {
                let text = format!("azml-mock does not emulate a dataset of {} paths", them.len());
                Err(Refusal::new(Kind::NotEmulated, text))
            }
        }
    }
}

/// Saves a dataset under a new id.
pub(super) fn decide_save(
    at: &str,
    new: Dataset,
    ctx: &mut Ctx<'_>,
) -> (Vec<kernel::Event>, String) {
    let id = ctx.draw_uuid().to_string();
    let dataset = Box::new(Dataset { saved_at: Some(ctx.now), ..new });
    let saved = Event::Saved { workspace: at.to_owned(), id: id.clone(), dataset };
    (vec![kernel::Event::Datasets(saved)], id)
}
