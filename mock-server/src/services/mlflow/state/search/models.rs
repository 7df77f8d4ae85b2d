use super::{
    Page,
    family::{Attribute, Entity, Family, Subject, Term},
    sorting::{self, Key},
};
use crate::{
    kernel::Refusal,
    services::mlflow::wire::{millis, model_status_word},
    store::{LoggedModel, ModelMetric, Store},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Id,
    Name,
    Type,
    Status,
    SourceRun,
    Created,
    Modified,
}

const fn field(key: &'static str, id: Of, is_numeric: bool) -> Attribute<Of> {
    Attribute { key, id, is_numeric, takes_lists: !is_numeric }
}

static MODELS: Family<Of> = Family {
    words: &[
        ("attributes", Entity::Attribute),
        ("metrics", Entity::Metric),
        ("params", Entity::Param),
        ("tags", Entity::Tag),
    ],
    unknown_word: |word| {
        format!(
            "Invalid entity type: '{word}'. Expected one of ['attributes', 'metrics', 'params', 'tags']."
        )
    },
    attributes: &[
        field("creation_time", Of::Created, true),
        field("creation_timestamp", Of::Created, true),
        field("creation_timestamp_ms", Of::Created, true),
        field("last_updated_time", Of::Modified, true),
        field("last_updated_timestamp", Of::Modified, true),
        field("last_updated_timestamp_ms", Of::Modified, true),
        field("model_id", Of::Id, false),
        field("model_type", Of::Type, false),
        field("name", Of::Name, false),
        field("source_run_id", Of::SourceRun, false),
        field("status", Of::Status, false),
    ],
    datasets: &[],
    nullable: &[],
    not_nullable: |_, key| {
        format!("Invalid comparison: {key}. Expected a comparison with 3 tokens.")
    },
    bad_comparator: |entity, key, comparator| {
        let word = match entity {
            Entity::Metric => "metrics",
            Entity::Param => "params",
            Entity::Tag => "tags",
            Entity::Attribute | Entity::Dataset => "attributes",
        };
        let is_numeric = entity == Entity::Metric || key.contains("time");
        let expected = if is_numeric {
            "('<', '<=', '>', '>=', '=', '!=')"
        } else {
            "('=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN')"
        };
        format!(
            "Invalid comparison operator for {word}.{key}: '{comparator}'. Expected one of {expected}."
        )
    },
    stray: |filter, _| {
        format!(
            "Invalid filter string: '{filter}'. Expected a list of comparisons separated by 'AND' (e.g. 'metrics.loss > 0.1 AND params.lr = 0.01')."
        )
    },
};

/// A dataset by its name and, perhaps, its digest.
type DatasetKey = (String, Option<String>);

/// By what a client wants logged models ordered.
pub(in crate::services::mlflow) struct ModelOrder {
    pub(in crate::services::mlflow) field: String,
    pub(in crate::services::mlflow) is_ascending: bool,
    pub(in crate::services::mlflow) dataset: Option<DatasetKey>,
}

/// What a client searches logged models for, compiled.
pub(in crate::services::mlflow) struct ModelSearch {
    terms: Vec<Term<Of>>,
    order: Vec<(Subject<Of>, Option<DatasetKey>)>,
    directions: Vec<bool>,
    datasets: Vec<DatasetKey>,
    page: Page,
}

impl ModelSearch {
    pub(in crate::services::mlflow) fn new(
        filter: &str,
        datasets: Vec<DatasetKey>,
        order_by: Vec<ModelOrder>,
        page: Page,
    ) -> Result<Self, Refusal> {
        let terms = MODELS.compile(filter)?;
        let (mut order, mut directions) = (Vec::new(), Vec::new());
        for it in order_by {
            let subject = match it.field.split_once('.') {
                Some(("metrics", key)) => Subject::Metric(key.trim_matches('`').to_owned()),
                Some(_) => {
                    let field = it.field;
                    return Err(Refusal::invalid(format!(
                        "Invalid order by field name: {field}. Only metrics are supported."
                    )));
                }
                None => {
                    let known = MODELS.attributes.iter().find(|known| known.key == it.field);
                    let unknown =
                        || Refusal::invalid(format!("Invalid order by field name: {}", it.field));
                    Subject::Attribute(known.ok_or_else(unknown)?.id)
                }
            };
            order.push((subject, it.dataset));
            directions.push(it.is_ascending);
        }
        for (of, ascends) in [(Of::Created, false), (Of::Id, true)] {
            if !order.iter().any(|(it, _)| *it == Subject::Attribute(of)) {
                order.push((Subject::Attribute(of), None));
                directions.push(ascends);
            }
        }
        Ok(Self { terms, order, directions, datasets, page })
    }
}

/// The logged models of one page and the token of the next.
pub(in crate::services::mlflow) fn search_models<'a>(
    store: &'a Store,
    experiment_ids: &[String],
    search: &ModelSearch,
) -> (Vec<&'a LoggedModel>, Option<String>) {
    let asks_for_metrics = search.terms.iter().any(|it| matches!(it.subject, Subject::Metric(_)));
    let is_measured = |it: &LoggedModel| {
        search.datasets.is_empty()
            || asks_for_metrics
            || it.metrics.iter().any(|it| is_on_any(it, &search.datasets))
    };
    let found = store.logged_models().filter(|it| {
        !it.is_deleted
            && experiment_ids.contains(&it.experiment_id)
            && is_measured(it)
            && search.terms.iter().all(|term| holds(term, it, &search.datasets))
    });
    let keyed = found.map(|it| {
        let keys: Vec<Key<'_>> =
            search.order.iter().map(|(subject, on)| key(subject, on.as_ref(), it)).collect();
        (keys, it)
    });
    let (page, next) =
        sorting::sorted_page(keyed.collect(), search.page, |(one, _), (other, _)| {
            sorting::compare(one, other, &search.directions)
        });
    (page.into_iter().map(|(_, it)| it).collect(), next)
}

fn is_on(metric: &ModelMetric, (name, digest): &DatasetKey) -> bool {
    metric.dataset_name.as_ref() == Some(name)
        && digest.as_ref().is_none_or(|it| metric.dataset_digest.as_ref() == Some(it))
}

fn is_on_any(metric: &ModelMetric, datasets: &[DatasetKey]) -> bool {
    datasets.is_empty() || datasets.iter().any(|it| is_on(metric, it))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time are exact in a double")]
fn number(of: Of, it: &LoggedModel) -> Option<f64> {
    match of {
        Of::Created => Some(millis(it.created_at) as f64),
        Of::Modified => Some(millis(it.modified_at) as f64),
        _ => None,
    }
}

fn text(of: Of, it: &LoggedModel) -> Option<&str> {
    match of {
        Of::Id => Some(&it.id),
        Of::Name => Some(&it.name),
        Of::Type => Some(&it.model_type),
        Of::SourceRun => Some(&it.source_run_id),
        Of::Status => Some(model_status_word(it.status)),
        Of::Created | Of::Modified => None,
    }
}

fn holds(term: &Term<Of>, it: &LoggedModel, datasets: &[DatasetKey]) -> bool {
    let test = &term.test;
    match &term.subject {
        Subject::Metric(key) => {
            let mut metrics = it.metrics.iter().filter(|it| it.key == *key);
            metrics.any(|it| is_on_any(it, datasets) && test.holds_for_number(Some(it.point.value)))
        }
        Subject::Param(key) => test.holds_for(it.params.get(key).map(String::as_str)),
        Subject::Tag(key) => test.holds_for(it.tags.get(key).map(String::as_str)),
        Subject::Attribute(of @ (Of::Created | Of::Modified)) => {
            test.holds_for_number(number(*of, it))
        }
        Subject::Attribute(of) | Subject::Dataset(of) => test.holds_for(text(*of, it)),
    }
}

fn key<'a>(subject: &Subject<Of>, on: Option<&DatasetKey>, it: &'a LoggedModel) -> Key<'a> {
    match subject {
        Subject::Metric(key) => {
            let metrics = it.metrics.iter().filter(|it| it.key == *key);
            let metrics = metrics.filter(|it| on.is_none_or(|on| is_on(it, on)));
            let latest = metrics.max_by_key(|it| (it.point.at, it.point.step));
            Key::number(latest.map(|it| it.point.value))
        }
        Subject::Attribute(of @ (Of::Created | Of::Modified)) => Key::number(number(*of, it)),
        Subject::Attribute(of) | Subject::Dataset(of) => Key::text(text(*of, it)),
        Subject::Param(key) => Key::text(it.params.get(key).map(String::as_str)),
        Subject::Tag(key) => Key::text(it.tags.get(key).map(String::as_str)),
    }
}
