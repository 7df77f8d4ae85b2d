use azml_core::{Error, Result};

use crate::{RunQuery, RunStatus};

/// The server's filter for `query`. Its strings know no escapes.
pub(super) fn filter(query: &RunQuery) -> Result<String> {
    let mut conditions = Vec::new();
    for (key, value) in &query.tags {
        if key.is_empty() || key.contains('`') || value.contains('\'') {
            let reason = format!("filter: {key:?} = {value:?} has a quote; filter on another tag");
            return Err(Error::invalid("mlflow.runs.search", reason));
        }
        conditions.push(format!("tags.`{key}` = '{value}'"));
    }
    if let Some(key) = query.properties.keys().next() {
        let reason = format!("filter: MLflow has no properties such as {key:?}; filter on a tag");
        return Err(Error::invalid("mlflow.runs.search", reason));
    }
    if let Some(status) = &query.status {
        conditions.push(format!("attributes.status = '{}'", word(status)?));
    }
    conditions.extend(query.filter.clone());
    Ok(conditions.join(" AND "))
}

fn word(status: &RunStatus) -> Result<&str> {
    let word = status.word();
    if word.contains('\'') {
        let reason = format!("filter: {word:?} is no status of a run");
        return Err(Error::invalid("mlflow.runs.search", reason));
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_quote_keys_and_values() {
        let query = RunQuery::new().with_tag("a b", "c").with_filter("metrics.loss < 1");
        assert_eq!(filter(&query).unwrap(), "tags.`a b` = 'c' AND metrics.loss < 1");
        assert_eq!(filter(&RunQuery::new()).unwrap(), "");
        assert!(filter(&RunQuery::new().with_tag("a", "b' OR")).is_err());
        let query = RunQuery::new().with_status(RunStatus::Killed);
        assert_eq!(filter(&query).unwrap(), "attributes.status = 'KILLED'");
        assert!(filter(&RunQuery::new().with_property("a", "b")).is_err());
    }
}
