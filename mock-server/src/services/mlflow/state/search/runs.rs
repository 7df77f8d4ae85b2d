use std::{borrow::Cow, cmp::Ordering};

use compact_str::CompactString;
use time::OffsetDateTime;

use super::{
    Page, View, duplicates,
    family::{self, Attribute, Entity, Family, Subject, Term},
    run_name,
    sorting::{self, Key},
};
use crate::{
    kernel::Refusal,
    services::mlflow::wire::{millis, status_word},
    store::{DatasetInput, Run, Series, Store},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    RunId,
    Name,
    Status,
    ArtifactUri,
    User,
    Start,
    End,
    DatasetName,
    DatasetDigest,
    DatasetContext,
}

const fn text(key: &'static str, id: Of) -> Attribute<Of> {
    Attribute { key, id, is_numeric: false, takes_lists: false }
}

const fn number(key: &'static str, id: Of) -> Attribute<Of> {
    Attribute { key, id, is_numeric: true, takes_lists: false }
}

const fn listed(key: &'static str, id: Of) -> Attribute<Of> {
    Attribute { key, id, is_numeric: false, takes_lists: true }
}

static RUNS: Family<Of> = Family {
    words: &[
        ("attribute", Entity::Attribute),
        ("attributes", Entity::Attribute),
        ("attr", Entity::Attribute),
        ("run", Entity::Attribute),
        ("metric", Entity::Metric),
        ("metrics", Entity::Metric),
        ("parameter", Entity::Param),
        ("parameters", Entity::Param),
        ("param", Entity::Param),
        ("params", Entity::Param),
        ("tag", Entity::Tag),
        ("tags", Entity::Tag),
        ("dataset", Entity::Dataset),
        ("datasets", Entity::Dataset),
    ],
    unknown_word: |word| {
        format!(
            "Invalid entity type '{word}'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
        )
    },
    attributes: &[
        text("artifact_uri", Of::ArtifactUri),
        number("created", Of::Start),
        number("Created", Of::Start),
        number("end_time", Of::End),
        listed("run_id", Of::RunId),
        text("run_name", Of::Name),
        text("run name", Of::Name),
        text("Run name", Of::Name),
        text("Run Name", Of::Name),
        number("start_time", Of::Start),
        text("status", Of::Status),
        text("user_id", Of::User),
    ],
    datasets: &[
        listed("name", Of::DatasetName),
        listed("digest", Of::DatasetDigest),
        listed("context", Of::DatasetContext),
    ],
    nullable: &[Entity::Param, Entity::Tag],
    not_nullable: |entity, key| {
        let entity = entity.as_str();
        format!(
            "IS NULL / IS NOT NULL is only supported for tags and params, not for '{entity}' '{key}'"
        )
    },
    bad_comparator: |entity, _, comparator| {
        let valid: &[&str] = match entity {
            Entity::Metric => &["!=", "<", "<=", "=", ">", ">="],
            Entity::Param | Entity::Tag => &["!=", "=", "ILIKE", "IS NOT NULL", "IS NULL", "LIKE"],
            Entity::Attribute | Entity::Dataset => &["!=", "=", "ILIKE", "IN", "LIKE", "NOT IN"],
        };
        let valid = family::set(valid.iter().copied());
        format!("Invalid comparator '{comparator}' not one of '{valid}'")
    },
    stray: family::listed,
};

/// What a client searches runs for, compiled.
pub(in crate::services::mlflow) struct RunSearch {
    terms: Vec<Term<Of>>,
    order: Vec<Subject<Of>>,
    directions: Vec<bool>,
    view: View,
    page: Page,
}

impl RunSearch {
    pub(in crate::services::mlflow) fn new(
        filter: &str,
        order_by: &[String],
        view: View,
        page: Page,
    ) -> Result<Self, Refusal> {
        let terms = RUNS.compile(filter)?;
        let (mut order, mut directions) = (Vec::new(), Vec::new());
        for clause in order_by {
            let (subject, ascends) = RUNS.order(clause)?;
            if matches!(subject, Subject::Dataset(_)) {
                return Err(Refusal::invalid("Invalid identifier type 'dataset'"));
            }
            if order.contains(&subject) {
                return Err(duplicates(order_by));
            }
            order.push(subject);
            directions.push(ascends);
        }
        Ok(Self { terms, order, directions, view, page })
    }
}

/// Where the artifacts of a run are.
type ArtifactUri<'f> = &'f dyn Fn(&Run) -> String;

/// The runs of one page and the token of the next. With `made_by`, those that
/// were made later are not to be seen yet.
pub(in crate::services::mlflow) fn search_runs<'a>(
    store: &'a Store,
    experiment_ids: &[String],
    search: &RunSearch,
    made_by: Option<OffsetDateTime>,
    artifact_uri: ArtifactUri<'_>,
) -> (Vec<&'a Run>, Option<String>) {
    let is_wanted = |run: &&Run| {
        made_by.is_none_or(|it| run.created_at <= it)
            && search.view.shows(run.is_deleted)
            && experiment_ids.iter().any(|it| run.experiment_id == *it)
            && search.terms.iter().all(|it| holds(it, run, artifact_uri))
    };
    let keyed = |run: &'a Run| Keyed {
        keys: search.order.iter().map(|it| key(it, run, artifact_uri)).collect(),
        start: start(run),
        run,
    };
    let found: Vec<Keyed<'a>> = store.runs().filter(is_wanted).map(keyed).collect();
    let (page, next) = sorting::sorted_page(found, search.page, |one, other| {
        sorting::compare(&one.keys, &other.keys, &search.directions)
            .then_with(|| natural(one, other))
    });
    (page.into_iter().map(|it| it.run).collect(), next)
}

/// A run and what it is ordered by.
struct Keyed<'a> {
    keys: Vec<Key<'a>>,
    start: i64,
    run: &'a Run,
}

/// The newest first.
fn natural(one: &Keyed<'_>, other: &Keyed<'_>) -> Ordering {
    other.start.cmp(&one.start).then_with(|| one.run.id.cmp(&other.run.id))
}

fn start(run: &Run) -> i64 {
    millis(run.started_at.unwrap_or(run.created_at))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time are exact in a double")]
fn time(millis: i64) -> f64 {
    millis as f64
}

fn number_of(of: Of, run: &Run) -> Option<f64> {
    match of {
        Of::Start => Some(time(start(run))),
        Of::End => run.ended_at.map(|it| time(millis(it))),
        _ => None,
    }
}

fn text_of<'a>(of: Of, run: &'a Run, artifact_uri: ArtifactUri<'_>) -> Option<Cow<'a, str>> {
    Some(match of {
        Of::RunId => run.id.as_str().into(),
        Of::Name => run_name(run).into(),
        Of::Status => status_word(run.status).into(),
        Of::ArtifactUri => artifact_uri(run).into(),
        Of::User => run.user.as_str().into(),
        Of::Start | Of::End | Of::DatasetName | Of::DatasetDigest | Of::DatasetContext => {
            return None;
        }
    })
}

fn tag<'a>(run: &'a Run, key: &str) -> Option<&'a str> {
    run.tags.get(key).map(|it| it.as_deref().unwrap_or_default())
}

fn latest(run: &Run, key: &str) -> Option<f64> {
    run.metrics.get(key).and_then(Series::latest).map(|it| it.value)
}

fn holds(term: &Term<Of>, run: &Run, artifact_uri: ArtifactUri<'_>) -> bool {
    let test = &term.test;
    match &term.subject {
        Subject::Metric(key) => test.holds_for_number(latest(run, key)),
        Subject::Param(key) => {
            test.holds_for(run.params.get(key.as_str()).map(CompactString::as_str))
        }
        Subject::Tag(key) => test.holds_for(tag(run, key)),
        Subject::Attribute(of @ (Of::Start | Of::End)) => {
            test.holds_for_number(number_of(*of, run))
        }
        Subject::Attribute(of) => test.holds_for(text_of(*of, run, artifact_uri).as_deref()),
        Subject::Dataset(of) => run.datasets.iter().any(|it| dataset_holds(*of, it, test)),
    }
}

fn dataset_holds(of: Of, input: &DatasetInput, test: &family::Test) -> bool {
    match of {
        Of::DatasetName => test.holds_for(Some(&input.dataset.name)),
        Of::DatasetDigest => test.holds_for(Some(&input.dataset.digest)),
        _ => {
            let mut contexts = input.tags.iter().filter(|(key, _)| key == "mlflow.data.context");
            contexts.any(|(_, value)| test.holds_for(Some(value)))
        }
    }
}

fn key<'a>(subject: &Subject<Of>, run: &'a Run, artifact_uri: ArtifactUri<'_>) -> Key<'a> {
    match subject {
        Subject::Metric(key) => Key::number(latest(run, key)),
        Subject::Param(key) => Key::text(run.params.get(key.as_str()).map(CompactString::as_str)),
        Subject::Tag(key) => Key::text(tag(run, key)),
        Subject::Attribute(of @ (Of::Start | Of::End)) => Key::number(number_of(*of, run)),
        Subject::Attribute(of) | Subject::Dataset(of) => Key::text(text_of(*of, run, artifact_uri)),
    }
}
