use axum::Json;
use serde_json::{Value, json};

use super::{
    Answer, done,
    experiments::listing,
    registry::{page_size, version},
    root::Root,
};
use crate::{
    kernel::{Caller, Here, Kernel, Refused},
    services::mlflow::{
        state::{
            self, Locations, NewVersion, decide_new_version, decide_stage,
            decide_version_description, decide_version_removal, decide_version_tag,
            decide_version_untag,
            search::{Page, search_versions},
        },
        wire::{Asked, Envelope, Fields, listed_version_json, version_json},
    },
    store::{LoggedModel, Run},
};

type Refuse = Refused<Envelope>;

const LARGEST_PAGE: i64 = 200_000;

pub(super) fn show(kernel: &Kernel, root: &Root, name: &str, number: &str) -> Answer {
    kernel.read(|world, _| {
        let (found, model) = state::version(world.stores.at(&root.place), name, number)?;
        Ok(Json(json!({ "model_version": version_json(found, model) })))
    })
}

pub(super) async fn create(
    Here(kernel): Here,
    root: Root,
    caller: Caller,
    Asked(fields): Asked,
) -> Answer {
    let text = |name: &str| fields.text_or_empty(name).map(str::to_owned);
    let new = NewVersion {
        name: fields.required("name")?.to_owned(),
        source: fields.required("source")?.to_owned(),
        run_id: text("run_id")?,
        tags: fields.pairs("tags")?,
        run_link: text("run_link")?,
        description: fields.text("description")?.map(str::to_owned),
        model_id: text("model_id")?,
        created_by: caller.name,
    };
    let name = new.name.clone();
    let number = kernel.commit::<_, Refuse>(|world, ctx| {
        let store = world.stores.at(&root.place);
        let of_run = |it: &Run| root.artifact_uri(store, it);
        let of_model = |it: &LoggedModel| root.model_uri(store, it);
        let locations = Locations { of_run: &of_run, of_model: &of_model };
        decide_new_version(world, &root.place, new, &locations, ctx)
    })?;
    show(&kernel, &root, &name, &number.to_string())
}

pub(super) async fn get(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let name = fields.required("name")?;
    show(&kernel, &root, name, &version(&fields)?)
}

pub(super) async fn search(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let filter = fields.text_or_empty("filter")?;
    let size = page_size(&fields, usize::try_from(LARGEST_PAGE).unwrap_or(1), LARGEST_PAGE)?;
    let order_by = fields.texts("order_by")?;
    let page = Page::new(fields.text("page_token")?, size)?;
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        let (found, next) = search_versions(store, filter, &order_by, page)?;
        let found: Vec<Value> = found.into_iter().map(listed_version_json).collect();
        Ok(Json(listing("model_versions", found, next)))
    })
}

pub(super) async fn get_download_uri(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Answer {
    let (name, number) = (fields.required("name")?, version(&fields)?);
    kernel.read(|world, _| {
        let (found, _) = state::version(world.stores.at(&root.place), name, &number)?;
        Ok(Json(json!({ "artifact_uri": state::download_uri(found) })))
    })
}

pub(super) async fn update(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, number) = (fields.required("name")?, version(&fields)?);
    let description = fields.text("description")?.map(str::to_owned);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_version_description(world, &root.place, (name, &number), description, ctx)
    })?;
    show(&kernel, &root, name, &number)
}

pub(super) async fn transition_stage(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Answer {
    let (name, number) = move_to_stage(&kernel, &root, &fields)?;
    show(&kernel, &root, &name, &number)
}

/// Moves a version, and says which.
pub(super) fn move_to_stage(
    kernel: &Kernel,
    root: &Root,
    fields: &Fields,
) -> Result<(String, String), Refuse> {
    let (name, number) = (fields.required("name")?, version(fields)?);
    let stage = fields.required("stage")?;
    let archives = fields.flag("archive_existing_versions")?.unwrap_or(false);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_stage(world, &root.place, (name, &number), stage, archives, ctx)
    })?;
    Ok((name.to_owned(), number))
}

pub(super) async fn delete(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, number) = (fields.required("name")?, version(&fields)?);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_version_removal(world, &root.place, (name, &number), ctx)
    })?;
    Ok(done())
}

pub(super) async fn set_tag(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, number) = (fields.required("name")?, version(&fields)?);
    let tag = (fields.required("key")?, fields.text_or_empty("value")?);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_version_tag(world, &root.place, (name, &number), tag, ctx)
    })?;
    Ok(done())
}

pub(super) async fn delete_tag(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (name, number) = (fields.required("name")?, version(&fields)?);
    let key = fields.required("key")?;
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_version_untag(world, &root.place, (name, &number), key, ctx)
    })?;
    Ok(done())
}
