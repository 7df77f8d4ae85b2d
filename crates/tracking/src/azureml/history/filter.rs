use azml_core::Result;

use crate::{RunQuery, RunStatus, azureml::quoted};

const NAME: &str = "history.runs.query";

/// The service's filter for `query`: conditions joined by `and`, in parentheses.
pub(super) fn filter(query: &RunQuery) -> Result<Option<String>> {
    let mut conditions = Vec::new();
    let tags = query.tags.iter().map(|it| ("Tags", it));
    let properties = query.properties.iter().map(|it| ("Properties", it));
    for (field, (key, value)) in tags.chain(properties) {
        let is_plain = |it: char| it.is_alphanumeric() || "._-:".contains(it);
        if key.is_empty() || !key.chars().all(is_plain) {
            let reason = format!("filter: the key {key:?} cannot be written in a filter");
            return Err(azml_core::Error::invalid(NAME, reason));
        }
        let value = quoted(NAME, value)?;
        conditions.push(format!("({field}/{key} eq {value})"));
    }
    if let Some(status) = &query.status {
        conditions.push(format!("(Status eq {})", quoted(NAME, word(status))?));
    }
    if let Some(filter) = &query.filter {
        conditions.push(format!("({filter})"));
    }
    if !query.has_children {
        conditions.push("(ParentRunId eq null)".to_owned());
    }
    Ok(match conditions.len() {
        0 => None,
        1 => conditions.pop(),
        _ => Some(format!("({})", conditions.join(" and "))),
    })
}

/// The service's word, or the most usual of several.
fn word(status: &RunStatus) -> &str {
    match status {
        RunStatus::Scheduled => "NotStarted",
        RunStatus::Running => "Running",
        RunStatus::Finished => "Completed",
        RunStatus::Failed => "Failed",
        RunStatus::Killed => "Canceled",
        RunStatus::Unknown(word) => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_written_as_the_official_client_writes_them() {
        let of = |query: RunQuery| filter(&query).unwrap();
        assert_eq!(of(RunQuery::new()).as_deref(), Some("(ParentRunId eq null)"));
        assert_eq!(
            of(RunQuery::new().with_tag("stage", "test")).as_deref(),
            Some(r#"((Tags/stage eq "test") and (ParentRunId eq null))"#)
        );
        assert_eq!(of(RunQuery::new().with_children()), None);
        let query = RunQuery::new().with_children().with_property("p", "v");
        assert_eq!(of(query.clone()).as_deref(), Some(r#"(Properties/p eq "v")"#));
        assert_eq!(
            of(query.with_status(RunStatus::Finished)).as_deref(),
            Some(r#"((Properties/p eq "v") and (Status eq "Completed"))"#)
        );
    }

    #[test]
    fn a_value_that_would_end_the_filter_early_is_refused() {
        for (key, value) in [("a", "\" or 1 eq 1"), ("a b", "c"), ("", "c")] {
            assert!(filter(&RunQuery::new().with_tag(key, value)).is_err());
        }
    }
}
