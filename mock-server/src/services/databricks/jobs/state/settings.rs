//! The settings of a job as a document: what may be in it, and how it changes.

use serde_json::{Map, Value, json};

use crate::{kernel::Refusal, services::databricks::jobs::wire};

/// How many elements of a list an answer shows at once.
pub(in super::super) const PAGE: usize = 100;

/// The lists of the settings whose elements have names of their own.
const KEYED: [(&str, &str); 2] = [("tasks", "task_key"), ("job_clusters", "job_cluster_key")];

/// What is known of the settings of a job, in the version of the API in which
/// they were written.
pub(in super::super) fn normal(mut settings: Value, is_newest: bool) -> Result<Value, Refusal> {
    drop_nulls(&mut settings);
    let Value::Object(it) = &mut settings else {
        return Err(Refusal::malformed("The settings must be a JSON object"));
    };
    it.remove("access_control_list");
    match it.get("queue").cloned() {
        // With version 2.2, runs wait for each other unless somebody says otherwise.
        None if is_newest => drop(it.insert("queue".into(), json!({ "enabled": true }))),
        Some(Value::Bool(flag)) => drop(it.insert("queue".into(), json!({ "enabled": flag }))),
        _ => (),
    }
    check(it, is_newest)?;
    Ok(settings)
}

/// An unset field is not there.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, it| !it.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(them) => them.iter_mut().for_each(drop_nulls),
        _ => (),
    }
}

/// Refuses settings beyond the documented limits.
fn check(it: &Map<String, Value>, is_newest: bool) -> Result<(), Refusal> {
    let text = |field: &str| it.get(field).and_then(Value::as_str);
    let count = |field: &str| match it.get(field) {
        Some(Value::Array(them)) => them.len(),
        Some(Value::Object(them)) => them.len(),
        _ => 0,
    };
    let refused = |text: String| Err(Refusal::invalid(text));
    for (field, limit) in [("name", 4096), ("description", 27_700)] {
        if text(field).is_some_and(|it| limit < it.len()) {
            return refused(format!("The field {field} must have at most {limit} bytes"));
        }
    }
    let tasks = if is_newest { 1000 } else { 100 };
    for (field, limit) in [("tags", 25), ("tasks", tasks), ("job_clusters", tasks)] {
        if limit < count(field) {
            return refused(format!("The field {field} must have at most {limit} elements"));
        }
    }
    for (field, low, high) in [("max_concurrent_runs", 0, 1000), ("timeout_seconds", 0, i64::MAX)] {
        if let Some(value) = it.get(field) {
            let range = || {
                Refusal::invalid(format!(
                    "The field {field} must be an integer from {low} to {high}"
                ))
            };
            wire::integer(value).filter(|it| (low..=high).contains(it)).ok_or_else(range)?;
        }
    }
    for field in ["schedule", "continuous", "trigger"] {
        let status = it.get(field).and_then(|it| it.get("pause_status"));
        if status.is_some_and(|it| *it != "PAUSED" && *it != "UNPAUSED") {
            return refused(format!("The field {field}.pause_status must be PAUSED or UNPAUSED"));
        }
    }
    if ["schedule", "continuous", "trigger"].iter().filter(|field| it.contains_key(**field)).count()
        > 1
    {
        return refused("Only one of schedule, continuous and trigger may be specified".to_owned());
    }
    it.get("schedule").map_or(Ok(()), check_schedule)
}

fn check_schedule(schedule: &Value) -> Result<(), Refusal> {
    let text = |field: &str| {
        let missing = || Refusal::invalid(format!("Missing required field: schedule.{field}"));
        schedule.get(field).and_then(Value::as_str).filter(|it| !it.is_empty()).ok_or_else(missing)
    };
    text("timezone_id")?;
    let cron = text("quartz_cron_expression")?;
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let is_legal =
        |it: &&&str| it.chars().all(|it| it.is_ascii_alphanumeric() || "*?/,-#".contains(it));
    // Either the day of the month or that of the week is left open.
    let days = [fields.get(3), fields.get(5)];
    let open = days.iter().filter(|it| it.is_some_and(|it| *it == "?")).count();
    if !(6..=7).contains(&fields.len())
        || fields.iter().filter(is_legal).count() < fields.len()
        || open != 1
    {
        return Err(Refusal::invalid(format!("Invalid quartz_cron_expression: '{cron}'")));
    }
    Ok(())
}

/// The settings `old` with what `new` has in place of it, and without what is
/// to be removed.
pub(in super::super) fn merged(
    old: &Value,
    new: Value,
    remove: &[String],
) -> Result<Value, Refusal> {
    let mut settings = old.clone();
    let Value::Object(it) = &mut settings else { return Ok(new) };
    for field in remove {
        remove_field(it, field)?;
    }
    let Value::Object(new) = new else {
        return Err(Refusal::malformed("new_settings must be a JSON object"));
    };
    for (field, value) in new {
        let key = KEYED.iter().find(|(list, _)| *list == field).map(|(_, key)| *key);
        match (key, it.get_mut(&field), value) {
            (Some(key), Some(Value::Array(old)), Value::Array(new)) => merge_list(old, new, key),
            (_, _, value) => drop(it.insert(field, value)),
        }
    }
    Ok(settings)
}

fn merge_list(old: &mut Vec<Value>, new: Vec<Value>, key: &str) {
    for element in new {
        match old.iter_mut().find(|it| it.get(key) == element.get(key)) {
            Some(it) => *it = element,
            None => old.push(element),
        }
    }
}

fn remove_field(settings: &mut Map<String, Value>, field: &str) -> Result<(), Refusal> {
    let Some((list, name)) = field.split_once('/') else {
        settings.remove(field);
        return Ok(());
    };
    let Some((_, key)) = KEYED.iter().find(|(it, _)| *it == list) else {
        let text = format!("The nested field {field} cannot be removed");
        return Err(Refusal::invalid(text));
    };
    if let Some(Value::Array(them)) = settings.get_mut(list) {
        them.retain(|it| it.get(key).and_then(Value::as_str) != Some(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_with_keys_are_merged_and_everything_else_is_replaced() {
        let old = json!({ "name": "a", "tags": { "x": "1" }, "timeout_seconds": 5,
            "tasks": [{ "task_key": "a", "n": 1 }, { "task_key": "b" }] });
        let new =
            json!({ "tags": { "y": "2" }, "tasks": [{ "task_key": "c" }, { "task_key": "a" }] });
        let remove = ["timeout_seconds".to_owned(), "tasks/b".to_owned()];
        let merged = merged(&old, new, &remove).unwrap();
        let expected = json!({ "name": "a", "tags": { "y": "2" },
            "tasks": [{ "task_key": "a" }, { "task_key": "c" }] });
        assert_eq!(merged, expected);
    }

    #[test]
    fn a_nested_field_is_not_removed() {
        let refused = merged(&json!({}), json!({}), &["schedule/timezone_id".to_owned()]);
        let text = "The nested field schedule/timezone_id cannot be removed";
        assert_eq!(refused.unwrap_err().message, text);
    }
}
