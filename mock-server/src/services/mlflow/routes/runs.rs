use axum::Json;

use super::{
    Answer, done,
    experiments::{LARGEST_PAGE, page_size},
    root::Root,
};
use crate::{
    kernel::{Caller, Here, Kernel, Refusal, Refused},
    services::mlflow::{
        state::{
            self, NewRun, decide_deletion, decide_new_run, decide_untag, decide_update,
            search::{Page, RunSearch, search_runs},
        },
        wire::{
            self, Asked, Envelope, Fields, at_millis, info_json, invalid_value, run_answer,
            runs_answer, status_of, view_of,
        },
    },
    store::Place,
};

type Refuse = Refused<Envelope>;

/// What a run is shown in: written straight from the store.
pub(super) type Shown = Result<wire::Answer, Refuse>;

pub(super) async fn create(
    Here(kernel): Here,
    root: Root,
    caller: Caller,
    Asked(fields): Asked,
) -> Shown {
    let experiment_id = fields.text_or_empty("experiment_id")?.to_owned();
    if experiment_id.is_empty() && root.place == Place::Plain {
        let text = "A run belongs to an experiment: 'experiment_id' is missing";
        return Err(Refusal::invalid(text).with_code("BAD_REQUEST").into());
    }
    let started_at = match (fields.whole("start_time")?, &root.place) {
        // MLflow itself has no time of its own for this.
        (None, Place::Plain) => at_millis(0),
        (given, Place::Plain) => given.and_then(at_millis),
        (given, _) => given.filter(|it| *it != 0).and_then(at_millis),
    };
    let name = fields.text("run_name")?.filter(|it| !it.is_empty()).map(str::to_owned);
    let user = match (fields.loose_text("user_id")?, &root.place) {
        (Some(user), _) => user.to_owned(),
        (None, Place::Plain) => String::new(),
        (None, _) => caller.name,
    };
    let tags = fields.loose_pairs("tags")?;
    let new = NewRun { experiment_id, name, user, started_at, tags, ..NewRun::default() };
    let id =
        kernel.commit::<_, Refuse>(|world, ctx| decide_new_run(world, &root.place, new, ctx))?;
    show(&kernel, &root, &id)
}

pub(super) fn show(kernel: &Kernel, root: &Root, id: &str) -> Shown {
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        Ok(run_answer(&root.view(store, state::run(store, id)?)))
    })
}

pub(super) async fn get(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Shown {
    show(&kernel, &root, fields.run_id()?)
}

pub(super) async fn update(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let id = fields.run_id()?;
    let ended_at = fields.whole("end_time")?;
    let ended_at = ended_at.filter(|it| *it != 0 || root.place == Place::Plain).and_then(at_millis);
    let status = status_of(&fields)?;
    let name = fields.text("run_name")?.map(str::to_owned);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_update(world, &root.place, id, status, ended_at, name, ctx)
    })?;
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        Ok(Json(info_json(&root.view(store, state::run(store, id)?))))
    })
}

pub(super) async fn delete(here: Here, root: Root, asked: Asked) -> Answer {
    set_deleted(&here, &root, &asked.0, true)
}

pub(super) async fn restore(here: Here, root: Root, asked: Asked) -> Answer {
    set_deleted(&here, &root, &asked.0, false)
}

fn set_deleted(Here(kernel): &Here, root: &Root, fields: &Fields, is_deleted: bool) -> Answer {
    // The old name passes the check and is not read.
    let id = if root.place == Place::Plain && fields.has("run_uuid") && !fields.has("run_id") {
        ""
    } else {
        fields.run_id()?
    };
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_deletion(world, &root.place, id, is_deleted, ctx)
    })?;
    Ok(done())
}

pub(super) async fn delete_tag(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (id, key) = (fields.run_id()?, fields.required("key")?);
    kernel.commit::<_, Refuse>(|world, ctx| decide_untag(world, &root.place, id, key, ctx))?;
    Ok(done())
}

pub(super) async fn search(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Shown {
    let ids = fields.texts("experiment_ids")?;
    let filter = fields.text_or_empty("filter")?;
    let view = view_of(&fields, "run_view_type")?;
    if let Some(asked) = fields.whole("max_results")?.filter(|it| LARGEST_PAGE < *it) {
        return Err(invalid_value("max_results", &asked.into()).into());
    }
    let size = page_size(&fields, 1000, LARGEST_PAGE)?;
    let order_by = fields.texts("order_by")?;
    let page = Page::new(fields.loose_text("page_token")?, size)?;
    let search = RunSearch::new(filter, &order_by, view, page)?;
    let ids = state::experiment_ids(&root.place, &ids)?;
    let delay = kernel.tracking().visibility_delay;
    kernel.read(|world, now| {
        let store = world.stores.at(&root.place);
        let made_by = (!delay.is_zero()).then(|| now - delay);
        let uri = |run: &crate::store::Run| root.artifact_uri(store, run);
        let (found, next) = search_runs(store, &ids, &search, made_by, &uri);
        let views: Vec<_> = found.into_iter().map(|it| root.view(store, it)).collect();
        Ok(runs_answer(&views, next))
    })
}
