use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, artifacts::listed, done, experiments::listing, root::Root};
use crate::{
    kernel::{Here, Kernel, Names, Refusal, Refused},
    services::mlflow::{
        state::{
            self, NewLoggedModel, decide_logged_model, decide_logged_patch, decide_logged_untag,
            search::{ModelOrder, ModelSearch, Page, search_models},
        },
        wire::{
            Asked, Envelope, Fields, files_json, invalid_value, logged_model_json, missing,
            model_status_of,
        },
    },
    store::{LoggedModel, LoggedModelPatch, Place, Store},
};

type Refuse = Refused<Envelope>;

/// The named parts of the paths of logged models.
#[derive(Deserialize)]
pub(super) struct Path {
    model_id: String,
    #[serde(default)]
    tag_key: String,
}

type PathNames = Names<Path, Envelope>;

fn shown(root: &Root, store: &Store, it: &LoggedModel) -> Value {
    logged_model_json(it, &root.model_uri(store, it))
}

fn show(kernel: &Kernel, root: &Root, id: &str, with_deleted: bool) -> Answer {
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        let found = match store.logged_model(id) {
            Some(it) if with_deleted => it,
            _ => state::logged(store, id)?,
        };
        Ok(Json(json!({ "model": shown(root, store, found) })))
    })
}

pub(super) async fn create(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let new = NewLoggedModel {
        experiment_id: fields.required("experiment_id")?.to_owned(),
        name: fields.text("name")?.filter(|it| !it.is_empty()).map(str::to_owned),
        model_type: fields.text_or_empty("model_type")?.to_owned(),
        source_run_id: fields.text_or_empty("source_run_id")?.to_owned(),
        params: fields.pairs("params")?,
        tags: fields.pairs("tags")?,
    };
    let id = kernel
        .commit::<_, Refuse>(|world, ctx| decide_logged_model(world, &root.place, new, ctx))?;
    show(&kernel, &root, &id, false)
}

pub(super) async fn get(
    Here(kernel): Here,
    root: Root,
    Names(path, _): PathNames,
    Asked(fields): Asked,
) -> Answer {
    let with_deleted = fields.flag("allow_deleted")?.unwrap_or(false);
    show(&kernel, &root, &path.model_id, with_deleted)
}

fn patch(kernel: &Kernel, root: &Root, id: &str, patch: LoggedModelPatch) -> Result<(), Refuse> {
    kernel.commit(|world, ctx| decide_logged_patch(world, &root.place, id, patch, ctx))
}

/// MLflow itself wants the id of the model in the body, too.
fn check_body(root: &Root, fields: &Fields) -> Result<(), Refusal> {
    if root.place == Place::Plain { fields.required("model_id").map(drop) } else { Ok(()) }
}

pub(super) async fn finalize(
    Here(kernel): Here,
    root: Root,
    Names(path, _): PathNames,
    Asked(fields): Asked,
) -> Answer {
    check_body(&root, &fields)?;
    let text = match fields.whole("status") {
        Ok(Some(number)) => number.to_string(),
        _ => fields.required("status")?.to_owned(),
    };
    let status = model_status_of(&text);
    let status = status.ok_or_else(|| invalid_value("status", &text.as_str().into()))?;
    let change = LoggedModelPatch { status: Some(status), ..LoggedModelPatch::default() };
    patch(&kernel, &root, &path.model_id, change)?;
    show(&kernel, &root, &path.model_id, false)
}

pub(super) async fn delete(Here(kernel): Here, root: Root, Names(path, _): PathNames) -> Answer {
    let change = LoggedModelPatch { is_deleted: Some(true), ..LoggedModelPatch::default() };
    patch(&kernel, &root, &path.model_id, change)?;
    Ok(done())
}

pub(super) async fn set_tags(
    Here(kernel): Here,
    root: Root,
    Names(path, _): PathNames,
    Asked(fields): Asked,
) -> Answer {
    let tags = fields.pairs("tags")?.into_iter().collect();
    patch(&kernel, &root, &path.model_id, LoggedModelPatch { tags, ..Default::default() })?;
    Ok(done())
}

pub(super) async fn delete_tag(
    Here(kernel): Here,
    root: Root,
    Names(path, _): PathNames,
) -> Answer {
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_logged_untag(world, &root.place, &path.model_id, &path.tag_key, ctx)
    })?;
    Ok(done())
}

pub(super) async fn log_params(
    Here(kernel): Here,
    root: Root,
    Names(path, _): PathNames,
    Asked(fields): Asked,
) -> Answer {
    check_body(&root, &fields)?;
    let params = fields.pairs("params")?.into_iter().collect();
    patch(&kernel, &root, &path.model_id, LoggedModelPatch { params, ..Default::default() })?;
    Ok(done())
}

/// A dataset that a client names, if it does.
fn dataset(fields: &Fields) -> Result<Option<(String, Option<String>)>, Refusal> {
    let name = fields.text("dataset_name")?.filter(|it| !it.is_empty());
    let digest = fields.text("dataset_digest")?.filter(|it| !it.is_empty());
    Ok(name.map(|name| (name.to_owned(), digest.map(str::to_owned))))
}

pub(super) async fn search(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let ids = fields.texts("experiment_ids")?;
    if ids.is_empty() {
        return Err(missing("experiment_ids").into());
    }
    let filter = fields.text_or_empty("filter")?;
    let mut datasets = Vec::new();
    for it in fields.objects("datasets")? {
        let lacks =
            || Refusal::invalid("`dataset_name` in the `datasets` clause must be specified.");
        datasets.push(dataset(&it)?.ok_or_else(lacks)?);
    }
    let size = fields.whole("max_results")?.filter(|it| 0 < *it).unwrap_or(100);
    let mut order = Vec::new();
    for it in fields.objects("order_by")? {
        order.push(ModelOrder {
            field: it.text_or_empty("field_name")?.to_owned(),
            is_ascending: it.flag("ascending")?.unwrap_or(true),
            dataset: dataset(&it)?,
        });
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let page = Page::new(fields.text("page_token")?, size)?;
    let search = ModelSearch::new(filter, datasets, order, page)?;
    let ids = state::experiment_ids(&root.place, &ids)?;
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        let (found, next) = search_models(store, &ids, &search);
        let found = found.into_iter().map(|it| shown(&root, store, it)).collect();
        Ok(Json(listing("models", found, next)))
    })
}

pub(super) async fn list_artifacts(
    Here(kernel): Here,
    root: Root,
    Names(path, _): PathNames,
    Asked(fields): Asked,
) -> Answer {
    let below = fields.text_or_empty("artifact_directory_path")?;
    let uri = kernel.read::<_, Refuse>(|world, _| {
        let store = world.stores.at(&root.place);
        Ok(root.model_uri(store, state::logged(store, &path.model_id)?))
    })?;
    let files = listed(&kernel, &root, &uri, below)?;
    Ok(Json(files_json(Some(&uri), &files)))
}
