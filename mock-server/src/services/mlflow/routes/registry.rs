use axum::Json;
use serde_json::{Value, json};

use super::{Answer, done, experiments::listing, root::Root};
use crate::{
    kernel::{Here, Kernel, Refusal, Refused},
    services::mlflow::{
        state::{
            self, decide_alias, decide_alias_removal, decide_registered,
            decide_registered_description, decide_registered_name, decide_registered_removal,
            decide_registered_tag, decide_registered_untag,
            search::{Page, search_registered},
        },
        wire::{Asked, Envelope, Fields, invalid_value, registered_json, version_json},
    },
};

type Refuse = Refused<Envelope>;

fn show(kernel: &Kernel, root: &Root, name: &str) -> Answer {
    kernel.read(|world, _| {
        let found = state::registered(world.stores.at(&root.place), name)?;
        Ok(Json(json!({ "registered_model": registered_json(found) })))
    })
}

/// The size of a page. MLflow names what is too much as a value of the wrong kind.
pub(super) fn page_size(fields: &Fields, default: usize, largest: i64) -> Result<usize, Refusal> {
    match fields.whole("max_results")? {
        None => Ok(default),
        Some(asked) if largest < asked => Err(invalid_value("max_results", &asked.into())),
        Some(asked) if asked < 1 => Err(Refusal::invalid(format!(
            "Invalid value for max_results. It must be a positive integer, but got {asked}"
        ))),
        Some(asked) => Ok(usize::try_from(asked).unwrap_or(default)),
    }
}

pub(super) async fn create(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let name = fields.required("name")?;
    let tags = fields.pairs("tags")?;
    let description = fields.text("description")?.map(str::to_owned);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_registered(world, &root.place, name, tags, description, ctx)
    })?;
    show(&kernel, &root, name)
}

pub(super) async fn get(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    show(&kernel, &root, fields.required("name")?)
}

pub(super) async fn search(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let filter = fields.text_or_empty("filter")?;
    let size = page_size(&fields, 100, 1000)?;
    let order_by = fields.texts("order_by")?;
    let page = Page::new(fields.text("page_token")?, size)?;
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        let (found, next) = search_registered(store, filter, &order_by, page)?;
        let found = found.into_iter().map(registered_json).collect();
        Ok(Json(listing("registered_models", found, next)))
    })
}

pub(super) async fn update(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let name = fields.required("name")?;
    let description = fields.text("description")?.map(str::to_owned);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_registered_description(world, &root.place, name, description, ctx)
    })?;
    show(&kernel, &root, name)
}

pub(super) async fn rename(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, new_name) = (fields.required("name")?, fields.required("new_name")?);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_registered_name(world, &root.place, name, new_name, ctx)
    })?;
    show(&kernel, &root, new_name)
}

pub(super) async fn delete(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let name = fields.required("name")?;
    kernel.commit::<_, Refuse>(|world, _| decide_registered_removal(world, &root.place, name))?;
    Ok(done())
}

pub(super) async fn get_latest_versions(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Answer {
    let name = fields.required("name")?;
    let stages = fields.texts("stages")?;
    kernel.read(|world, _| {
        let (found, model) = state::latest_versions(world.stores.at(&root.place), name, &stages)?;
        let found: Vec<Value> = found.into_iter().map(|it| version_json(it, model)).collect();
        Ok(Json(listing("model_versions", found, None)))
    })
}

pub(super) async fn set_tag(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let name = fields.required("name")?;
    let tag = (fields.required("key")?, fields.text_or_empty("value")?);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_registered_tag(world, &root.place, name, tag, ctx)
    })?;
    Ok(done())
}

pub(super) async fn delete_tag(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, key) = (fields.required("name")?, fields.required("key")?);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_registered_untag(world, &root.place, name, key, ctx)
    })?;
    Ok(done())
}

pub(super) async fn set_alias(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, alias) = (fields.required("name")?, fields.required("alias")?);
    let version = version(&fields)?;
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_alias(world, &root.place, (name, &version), alias, ctx)
    })?;
    Ok(done())
}

pub(super) async fn delete_alias(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, alias) = (fields.required("name")?, fields.required("alias")?);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_alias_removal(world, &root.place, name, alias, ctx)
    })?;
    Ok(done())
}

pub(super) async fn get_by_alias(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, alias) = (fields.required("name")?, fields.required("alias")?);
    kernel.read(|world, _| {
        let (found, model) = state::version_by_alias(world.stores.at(&root.place), name, alias)?;
        Ok(Json(json!({ "model_version": version_json(found, model) })))
    })
}

/// A version, which is a text that holds a number.
pub(super) fn version(fields: &Fields) -> Result<String, Refusal> {
    Ok(fields.required("version")?.to_owned())
}
