//! The fields of a request, as handlers ask for them.
//!
//! MLflow reads a body into a protobuf message and looks at the kinds of fields
//! only when that fails, and then only at those that its schema of the call
//! names. What its parser did not reach is lost without a word. So there are
//! two ways to ask: for what the schema checks, and loosely. In a strict
//! reading there is no difference; everything of the wrong kind is refused.

use serde_json::{Map, Value};

use super::{
    kinds,
    python::{invalid_value, missing},
};
use crate::kernel::Refusal;

/// Fields by name, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(in crate::services::mlflow) struct Fields {
    entries: Vec<(String, Value)>,
    /// How many entries MLflow's parser takes in before it fails.
    fitting: usize,
    reading: Reading,
}

/// How fields are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// As MLflow's own server does, or strictly.
    pub(super) is_faithful: bool,
    /// In a query one text stands for a list of one.
    pub(super) is_query: bool,
}

impl Fields {
    pub(super) fn new(entries: Vec<(String, Value)>, reading: Reading) -> Self {
        let mut misfits = entries.iter().map(|(name, it)| !kinds::fits(name, it, &entries));
        let fitting = if reading.is_faithful { misfits.position(|it| it) } else { None };
        Self { fitting: fitting.unwrap_or(entries.len()), entries, reading }
    }

    pub(super) fn of_map(fields: Map<String, Value>) -> Self {
        Self::new(fields.into_iter().collect(), Reading::default())
    }

    /// For calls that MLflow reads without its parser: nothing is lost.
    pub(in crate::services::mlflow) fn unparsed(self) -> Self {
        Self::new(self.entries, Reading { is_faithful: false, ..self.reading })
    }

    /// The names that no call of MLflow has.
    pub(super) fn unknown(&self) -> Vec<String> {
        let unknown = self.entries.iter().map(|(name, _)| name);
        unknown.filter(|it| !kinds::is_known(it)).cloned().collect()
    }

    fn entry(&self, name: &str) -> Option<(usize, &Value)> {
        let found = self.entries.iter().enumerate().find(|(_, (it, _))| it == name);
        found.map(|(at, (_, value))| (at, value)).filter(|(_, it)| !it.is_null())
    }

    pub(in crate::services::mlflow) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Whether MLflow's parser failed before it came to the end.
    fn is_broken(&self) -> bool {
        self.fitting < self.entries.len()
    }

    /// A field that the schema checks: `is_like` says what passes its check.
    fn read<'a, T>(
        &'a self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        is_like: impl FnOnce(&Value) -> bool,
    ) -> Result<Option<T>, Refusal> {
        let Some((at, value)) = self.entry(name) else { return Ok(None) };
        if self.is_broken() {
            if !is_like(value) {
                return Err(invalid_value(name, value));
            }
            return Ok(if at < self.fitting { read(value) } else { None });
        }
        read(value).map(Some).ok_or_else(|| invalid_value(name, value))
    }

    /// A field that the schema does not check.
    fn read_loosely<'a, T>(
        &'a self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        if !self.reading.is_faithful {
            return self.read(name, read, |_| true);
        }
        let found = self.entry(name).filter(|(at, _)| *at < self.fitting);
        Ok(found.and_then(|(_, it)| read(it)))
    }

    pub(in crate::services::mlflow) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        self.read(name, Value::as_str, Value::is_string)
    }

    pub(in crate::services::mlflow) fn loose_text(
        &self,
        name: &str,
    ) -> Result<Option<&str>, Refusal> {
        self.read_loosely(name, Value::as_str)
    }

    /// A text, empty if there is none.
    pub(in crate::services::mlflow) fn text_or_empty(&self, name: &str) -> Result<&str, Refusal> {
        Ok(self.text(name)?.unwrap_or_default())
    }

    pub(in crate::services::mlflow) fn required(&self, name: &str) -> Result<&str, Refusal> {
        let is_there = self.entry(name).is_some_and(|(_, it)| it.as_str() != Some(""));
        let found = self.text(name)?;
        if is_there { Ok(found.unwrap_or_default()) } else { Err(missing(name)) }
    }

    /// A value as text, whatever it is. Empty if there is none.
    pub(in crate::services::mlflow) fn shown(&self, name: &str) -> String {
        match self.entry(name) {
            None => String::new(),
            Some((_, Value::String(it))) => it.clone(),
            Some((_, it)) => it.to_string(),
        }
    }

    /// The run, under its new or its old name.
    pub(in crate::services::mlflow) fn run_id(&self) -> Result<&str, Refusal> {
        match self.required("run_id") {
            Err(_) if !self.has("run_id") && self.has("run_uuid") => self.required("run_uuid"),
            found => found,
        }
    }

    pub(in crate::services::mlflow) fn whole(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.read(name, kinds::whole, kinds::is_like_a_whole_number)
    }

    pub(in crate::services::mlflow) fn loose_whole(
        &self,
        name: &str,
    ) -> Result<Option<i64>, Refusal> {
        self.read_loosely(name, kinds::whole)
    }

    pub(in crate::services::mlflow) fn decimal(&self, name: &str) -> Result<Option<f64>, Refusal> {
        self.read(name, kinds::decimal, kinds::is_like_a_number)
    }

    pub(in crate::services::mlflow) fn loose_decimal(
        &self,
        name: &str,
    ) -> Result<Option<f64>, Refusal> {
        self.read_loosely(name, kinds::decimal)
    }

    pub(in crate::services::mlflow) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.read_loosely(name, |it| match it {
            Value::Bool(it) => Some(*it),
            Value::String(it) if it.eq_ignore_ascii_case("true") => Some(true),
            Value::String(it) if it.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    /// One of a few words or their numbers. `word` and `number` read them.
    pub(in crate::services::mlflow) fn choice<T>(
        &self,
        name: &str,
        word: impl Fn(&str) -> Option<T>,
        number: impl Fn(i64) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let read = |it: &Value| match it {
            Value::String(it) => word(it),
            it => number(it.as_i64()?),
        };
        // A word that there is not says nothing.
        match (self.reading.is_faithful, self.entry(name)) {
            (true, Some((_, Value::String(it)))) if word(it).is_none() => Ok(None),
            _ => self.read_loosely(name, read),
        }
    }

    /// A list of texts. In a query one text stands for a list of one.
    pub(in crate::services::mlflow) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let text = |it: &Value| it.as_str().map(str::to_owned);
        let read = |it: &Value| match it {
            Value::Array(items) => items.iter().map(text).collect::<Option<Vec<_>>>(),
            Value::String(it) if self.reading.is_query => Some(vec![it.clone()]),
            _ => None,
        };
        let is_like = |it: &Value| it.as_array().is_some_and(|it| it.iter().all(Value::is_string));
        Ok(self.read(name, read, is_like)?.unwrap_or_default())
    }

    /// A list of objects. Of one that breaks off, what came before is there.
    pub(in crate::services::mlflow) fn objects(&self, name: &str) -> Result<Vec<Self>, Refusal> {
        self.list(name, true)
    }

    pub(in crate::services::mlflow) fn loose_objects(
        &self,
        name: &str,
    ) -> Result<Vec<Self>, Refusal> {
        self.list(name, false)
    }

    fn list(&self, name: &str, is_checked: bool) -> Result<Vec<Self>, Refusal> {
        let Some((at, value)) = self.entry(name) else { return Ok(Vec::new()) };
        let refused = || invalid_value(name, value);
        let Some(items) = value.as_array() else {
            let is_lost = self.reading.is_faithful && !is_checked;
            return if is_lost { Ok(Vec::new()) } else { Err(refused()) };
        };
        let mut found = Vec::new();
        if self.fitting < at {
            return Ok(found);
        }
        for it in items {
            match it.as_object() {
                Some(fields) => found.push(self.below(fields)),
                None if self.reading.is_faithful => break,
                None => return Err(refused()),
            }
            if found.last().is_some_and(Self::is_broken) {
                break;
            }
        }
        Ok(found)
    }

    fn below(&self, fields: &Map<String, Value>) -> Self {
        let entries = fields.iter().map(|(key, it)| (key.clone(), it.clone())).collect();
        Self::new(entries, self.reading)
    }

    pub(in crate::services::mlflow) fn object(&self, name: &str) -> Result<Self, Refusal> {
        let found = self.read_loosely(name, |it| it.as_object().map(|it| self.below(it)))?;
        Ok(found.unwrap_or_default())
    }

    /// Pairs of key and value. A value that is not there is empty.
    pub(in crate::services::mlflow) fn pairs(
        &self,
        name: &str,
    ) -> Result<Vec<(String, String)>, Refusal> {
        self.objects(name)?.iter().map(pair).collect()
    }

    pub(in crate::services::mlflow) fn loose_pairs(
        &self,
        name: &str,
    ) -> Result<Vec<(String, String)>, Refusal> {
        self.loose_objects(name)?.iter().map(pair).collect()
    }
}

fn pair(it: &Fields) -> Result<(String, String), Refusal> {
    let text = |name: &str| Ok::<_, Refusal>(it.loose_text(name)?.unwrap_or_default().to_owned());
    Ok((text("key")?, text("value")?))
}
