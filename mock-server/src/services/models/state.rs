//! Which models a listing shows.

use crate::{
    kernel::Refusal,
    store::{Model, Store},
};

/// What a listing asks for. Empty fields ask for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: Option<String>,
    pub(super) run_id: Option<String>,
    pub(super) framework: Option<String>,
    /// `key` or `key=value`.
    pub(super) tags: Vec<String>,
    pub(super) properties: Vec<String>,
    pub(super) latest_only: bool,
}

type Texts = std::collections::BTreeMap<String, Option<String>>;

fn has(texts: &Texts, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => texts.get(key).is_some_and(|it| it.as_deref() == Some(value)),
        None => texts.contains_key(wanted),
    }
}

impl Wanted {
    fn is_met_by(&self, model: &Model) -> bool {
        self.name.as_ref().is_none_or(|it| *it == model.name)
            && self.run_id.as_ref().is_none_or(|it| model.run_id.as_ref() == Some(it))
            && self.framework.as_ref().is_none_or(|it| *it == model.framework)
            && self.tags.iter().all(|it| has(&model.tags, it))
            && self.properties.iter().all(|it| has(&model.properties, it))
    }
}

/// The models that `wanted` asks for: by name, the newest version first.
pub(super) fn list<'a>(store: &'a Store, wanted: &Wanted) -> Vec<&'a Model> {
    let mut last = None;
    let models = store.models().filter(|it| wanted.is_met_by(it));
    models.filter(|it| !wanted.latest_only || last.replace(&it.name) != Some(&it.name)).collect()
}

/// A model by `name:version`, or the newest by its bare name.
pub(super) fn find<'a>(store: &'a Store, id: &str) -> Result<&'a Model, Refusal> {
    let missing =
        || Refusal::not_found(format!("Model {id} was not found")).with_code("ModelNotFound");
    match id.rsplit_once(':') {
        Some((name, version)) => {
            let version = version.parse().map_err(|_| missing())?;
            store.model(name, version).ok_or_else(missing)
        }
        None => store.models().find(|it| it.name == id).ok_or_else(missing),
    }
}
