use std::cmp::Ordering;

use super::{
    Page, View, duplicates,
    family::{Attribute, Entity, Family, Subject, Term},
    sorting::{self, Key},
};
use crate::{
    kernel::Refusal,
    services::mlflow::wire::millis,
    store::{Experiment, Store},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Id,
    Name,
    Created,
    Modified,
}

static EXPERIMENTS: Family<Of> = Family {
    words: &[("attribute", Entity::Attribute), ("tag", Entity::Tag), ("tags", Entity::Tag)],
    unknown_word: |word| {
        format!("Invalid entity type '{word}'. Valid entity types are ('attribute', 'tag', 'tags')")
    },
    attributes: &[
        Attribute { key: "creation_time", id: Of::Created, is_numeric: true, takes_lists: false },
        Attribute { key: "experiment_id", id: Of::Id, is_numeric: false, takes_lists: true },
        Attribute {
            key: "last_update_time",
            id: Of::Modified,
            is_numeric: true,
            takes_lists: false,
        },
        Attribute { key: "name", id: Of::Name, is_numeric: false, takes_lists: false },
    ],
    datasets: &[],
    nullable: &[Entity::Tag],
    not_nullable: |_, key| {
        format!("IS NULL / IS NOT NULL is only supported for tags, not for attribute '{key}'")
    },
    bad_comparator: |entity, key, comparator| match (entity, key) {
        (Entity::Tag, _) => format!("Invalid comparator for tag: {comparator}"),
        (_, "experiment_id") => format!("Invalid comparator for experiment_id: {comparator}"),
        (_, "name") => format!("Invalid comparator for string attribute: {comparator}"),
        _ => format!("Invalid comparator for numeric attribute: {comparator}"),
    },
    stray: |_, stray| format!("Invalid clause(s) in filter string: {}", stray.join(", ")),
};

/// What a client searches experiments for, compiled.
pub(in crate::services::mlflow) struct ExperimentSearch {
    terms: Vec<Term<Of>>,
    order: Vec<Of>,
    directions: Vec<bool>,
    view: View,
    page: Page,
}

impl ExperimentSearch {
    pub(in crate::services::mlflow) fn new(
        filter: &str,
        order_by: &[String],
        view: View,
        page: Page,
    ) -> Result<Self, Refusal> {
        let terms = EXPERIMENTS.compile(filter)?;
        let natural = ["creation_time DESC".to_owned(), "experiment_id ASC".to_owned()];
        let wanted = if order_by.is_empty() { natural.as_slice() } else { order_by };
        let (mut order, mut directions) = (Vec::new(), Vec::new());
        for clause in wanted {
            match EXPERIMENTS.order(clause)? {
                (Subject::Attribute(of), _) if order.contains(&of) => {
                    return Err(duplicates(order_by));
                }
                (Subject::Attribute(of), ascends) => {
                    order.push(of);
                    directions.push(ascends);
                }
                _ => return Err(Refusal::invalid("Invalid order_by entity: tag")),
            }
        }
        if !order.contains(&Of::Id) {
            order.push(Of::Id);
            directions.push(false);
        }
        Ok(Self { terms, order, directions, view, page })
    }
}

/// The experiments of one page and the token of the next.
pub(in crate::services::mlflow) fn search_experiments<'a>(
    store: &'a Store,
    search: &ExperimentSearch,
) -> (Vec<&'a Experiment>, Option<String>) {
    let is_wanted = |it: &&Experiment| {
        search.view.shows(it.is_deleted) && search.terms.iter().all(|term| holds(term, it))
    };
    let found: Vec<&Experiment> = store.experiments().filter(is_wanted).collect();
    sorting::sorted_page(found, search.page, |one, other| {
        let fields = search.order.iter().zip(&search.directions);
        let mut orders = fields.map(|(of, ascends)| compare(*of, one, other, *ascends));
        orders.find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
    })
}

fn compare(of: Of, one: &Experiment, other: &Experiment, ascends: bool) -> Ordering {
    match of {
        Of::Id => {
            // Numbers where they are numbers.
            let order = match (one.id.parse::<u64>(), other.id.parse::<u64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                _ => one.id.cmp(&other.id),
            };
            if ascends { order } else { order.reverse() }
        }
        _ => key(of, one).compare(&key(of, other), ascends),
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time are exact in a double")]
fn number(of: Of, it: &Experiment) -> Option<f64> {
    match of {
        Of::Created => Some(millis(it.created_at) as f64),
        Of::Modified => Some(millis(it.modified_at) as f64),
        Of::Id | Of::Name => None,
    }
}

fn key(of: Of, it: &Experiment) -> Key<'_> {
    match of {
        Of::Name => Key::text(Some(it.name.as_str())),
        Of::Id => Key::text(Some(it.id.as_str())),
        Of::Created | Of::Modified => Key::number(number(of, it)),
    }
}

fn holds(term: &Term<Of>, it: &Experiment) -> bool {
    match &term.subject {
        Subject::Attribute(Of::Name) => term.test.holds_for(Some(&it.name)),
        Subject::Attribute(Of::Id) => term.test.holds_for(Some(&it.id)),
        Subject::Attribute(of) => term.test.holds_for_number(number(*of, it)),
        Subject::Tag(key) => term.test.holds_for(it.tags.get(key).map(String::as_str)),
        Subject::Metric(_) | Subject::Param(_) | Subject::Dataset(_) => false,
    }
}
