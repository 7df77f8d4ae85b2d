use axum::Json;
use serde_json::{Value, json};

use super::{Answer, done, root::Root};
use crate::{
    kernel::{Here, Refusal, Refused},
    services::mlflow::{
        state::{
            self, NewExperiment, decide_experiment, decide_experiment_state, decide_experiment_tag,
            decide_experiment_untag, decide_rename,
            search::{ExperimentSearch, Page, search_experiments},
        },
        wire::{Asked, Envelope, Fields, experiment_json, view_of},
    },
    store::Experiment,
};

/// How many things a page of a search may have.
pub(super) const LARGEST_PAGE: i64 = 50_000;

type Refuse = Refused<Envelope>;

pub(super) async fn create(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let name = fields.required("name")?.to_owned();
    let location = fields.text_or_empty("artifact_location")?;
    let new = NewExperiment {
        name,
        artifact_location: root.absolute(location),
        tags: fields.pairs("tags")?,
    };
    let id =
        kernel.commit::<_, Refuse>(|world, ctx| decide_experiment(world, &root.place, new, ctx))?;
    Ok(Json(json!({ "experiment_id": id })))
}

fn shown(root: &Root, it: &Experiment) -> Value {
    experiment_json(it, &root.location(it))
}

pub(super) async fn get(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let id = fields.required("experiment_id")?;
    kernel.read(|world, _| {
        let found = state::experiment(world.stores.at(&root.place), &root.place, id)?;
        Ok(Json(json!({ "experiment": shown(&root, found) })))
    })
}

pub(super) async fn get_by_name(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let name = fields.required("experiment_name")?;
    kernel.read(|world, _| {
        let found = world.stores.at(&root.place).experiment_named(name);
        let missing =
            || Refusal::not_found(format!("Could not find experiment with name '{name}'"));
        Ok(Json(json!({ "experiment": shown(&root, found.ok_or_else(missing)?) })))
    })
}

/// The size of a page that a client asks for, within the limits of MLflow.
pub(super) fn page_size(fields: &Fields, default: i64, largest: i64) -> Result<usize, Refusal> {
    let asked = fields.whole("max_results")?.unwrap_or(default);
    if asked < 1 {
        return Err(Refusal::invalid(format!(
            "Invalid value {asked} for parameter 'max_results' supplied. It must be a positive integer"
        )));
    }
    if largest < asked {
        return Err(Refusal::invalid(format!(
            "Invalid value {asked} for parameter 'max_results' supplied. It must be at most {largest}"
        )));
    }
    Ok(usize::try_from(asked).unwrap_or(usize::MAX))
}

pub(super) async fn search(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let view = view_of(&fields, "view_type")?;
    let size = page_size(&fields, 0, LARGEST_PAGE)?;
    let order_by = fields.texts("order_by")?;
    let filter = fields.text_or_empty("filter")?;
    let page = Page::new(fields.text("page_token")?, size)?;
    let search = ExperimentSearch::new(filter, &order_by, view, page)?;
    kernel.read(|world, _| {
        let (found, next) = search_experiments(world.stores.at(&root.place), &search);
        let found = found.into_iter().map(|it| shown(&root, it));
        Ok(Json(listing("experiments", found.collect(), next)))
    })
}

/// A page of a listing. What is empty is left out.
pub(super) fn listing(name: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = serde_json::Map::new();
    if !items.is_empty() {
        answer.insert(name.to_owned(), items.into());
    }
    if let Some(next) = next {
        answer.insert("next_page_token".to_owned(), next.into());
    }
    answer.into()
}

pub(super) async fn delete(here: Here, root: Root, asked: Asked) -> Answer {
    set_deleted(&here, &root, &asked.0, true)
}

pub(super) async fn restore(here: Here, root: Root, asked: Asked) -> Answer {
    set_deleted(&here, &root, &asked.0, false)
}

fn set_deleted(Here(kernel): &Here, root: &Root, fields: &Fields, is_deleted: bool) -> Answer {
    let id = fields.required("experiment_id")?;
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_experiment_state(world, &root.place, id, is_deleted, ctx)
    })?;
    Ok(done())
}

pub(super) async fn update(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (id, name) = (fields.required("experiment_id")?, fields.required("new_name")?);
    kernel.commit::<_, Refuse>(|world, ctx| decide_rename(world, &root.place, id, name, ctx))?;
    Ok(done())
}

pub(super) async fn set_tag(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let id = fields.required("experiment_id")?;
    let tag = (fields.required("key")?, fields.text_or_empty("value")?);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_experiment_tag(world, &root.place, id, tag, ctx)
    })?;
    Ok(done())
}

pub(super) async fn delete_tag(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (id, key) = (fields.required("experiment_id")?, fields.required("key")?);
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_experiment_untag(world, &root.place, id, key, ctx)
    })?;
    Ok(done())
}

/// Which datasets the runs of some experiments were fed with.
pub(super) async fn search_datasets(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Answer {
    let ids = fields.texts("experiment_ids")?;
    let count = ids.len();
    if ids.is_empty() {
        let text = "SearchDatasets request must specify at least one experiment_id.";
        return Err(Refusal::invalid(text).into());
    }
    if 20 < count {
        let text = format!(
            "SearchDatasets request cannot specify more than 20 experiment_ids. Received {count} experiment_ids."
        );
        return Err(Refusal::invalid(text).into());
    }
    let ids = state::experiment_ids(&root.place, &ids)?;
    kernel.read(|world, _| {
        let mut found: Vec<Value> = Vec::new();
        let runs = world.stores.at(&root.place).runs();
        let runs = runs.filter(|it| !it.is_deleted && ids.iter().any(|id| it.experiment_id == *id));
        for (run, input) in runs.flat_map(|run| run.datasets.iter().map(move |it| (run, it))) {
            let mut summary = json!({
                "experiment_id": run.experiment_id, "name": input.dataset.name,
                "digest": input.dataset.digest,
            });
            let context = input.tags.iter().find(|(key, _)| key == "mlflow.data.context");
            if let (Some((_, context)), Some(fields)) = (context, summary.as_object_mut()) {
                fields.insert("context".to_owned(), context.as_str().into());
            }
            if !found.contains(&summary) {
                found.push(summary);
            }
        }
        let text = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
        found.sort_by_key(|it| ["name", "digest", "context"].map(|name| text(it, name)));
        Ok(Json(listing("dataset_summaries", found, None)))
    })
}
