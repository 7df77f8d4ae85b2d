use serde_json::{Value, json};

use crate::services::databricks::{
    jobs::{state::definitions::Job, state::settings::PAGE},
    wire::millis,
};

/// Which elements of the long lists of a document are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// No tasks and no clusters.
    None,
    All,
    /// As many as fit on one page, from the one with this number on.
    From(usize),
}

pub(crate) fn describe_job(job: &Job, page: Page) -> Value {
    let mut settings = job.settings.clone();
    let is_single = settings.get("tasks").is_none()
        && settings.as_object().is_some_and(|it| it.keys().any(|it| it.ends_with("_task")));
    let defaults = json!({
        "name": job.name(),
        "email_notifications": {},
        "timeout_seconds": 0,
        "max_concurrent_runs": 1,
        "format": if is_single { "SINGLE_TASK" } else { "MULTI_TASK" },
    });
    let mut next = None;
    if let (Value::Object(it), Value::Object(defaults)) = (&mut settings, defaults) {
        it.remove("format");
        for (field, value) in defaults {
            it.entry(field).or_insert(value);
        }
        if page == Page::None {
            it.remove("tasks");
            it.remove("job_clusters");
        }
        for field in ["tasks", "job_clusters", "parameters", "environments"] {
            if let (Page::From(from), Some(Value::Array(them))) = (page, it.get_mut(field)) {
                if from + PAGE < them.len() {
                    next = Some(from + PAGE);
                }
                *them = them.drain(..).skip(from).take(PAGE).collect();
            }
        }
        if let Some(Value::Array(tasks)) = it.get_mut("tasks") {
            tasks.iter_mut().for_each(complete);
        }
    }
    let mut answer = json!({
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": job.creator,
        "created_time": millis(job.created_at),
        "settings": settings,
    });
    if let Some(next) = next {
        answer["has_more"] = json!(true);
        answer["next_page_token"] = json!(next.to_string());
    }
    answer
}

/// Adds what the service says of a task when the client said nothing.
fn complete(task: &mut Value) {
    if let Value::Object(it) = task {
        let defaults = [
            ("run_if", json!("ALL_SUCCESS")),
            ("timeout_seconds", json!(0)),
            ("email_notifications", json!({})),
        ];
        for (field, value) in defaults {
            it.entry(field).or_insert(value);
        }
    }
}
