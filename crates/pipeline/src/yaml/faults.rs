//! Everything that is wrong with a file, found in one go.
//!
//! A form is read until the first fault. That fault is noted, what is wrong is taken out
//! of the tree, and the form is read again, until nothing is wrong.

use std::{borrow::Cow, fmt::Write as _};

use serde::de::DeserializeOwned;

use super::{
    form::{PipelineForm, StepForm},
    node::{Content, Node, Place},
    read::{Fault, FaultSort},
};
use crate::{Problem, ProblemKind, StepName};

/// Keys of the Python class that the form refuses, whose names are no good advice.
const REFUSED: [&str; 2] = ["runconfig", "hash_paths"];
const STEPS: &str = "steps";

/// What can be read of a file.
pub(super) struct Reading {
    /// What is right, if there is enough of it.
    pub(super) form: Option<PipelineForm>,
    pub(super) problems: Vec<Problem>,
    /// Names of the steps that have one.
    pub(super) faulty: Vec<String>,
}

/// Reads the form, and tells all that is wrong with it.
pub(super) fn read(mut root: Node) -> Reading {
    if let Ok(form) = deserialize(&root) {
        return Reading { form: Some(form), problems: Vec::new(), faulty: Vec::new() };
    }
    let mut found = Found { problems: Vec::new(), faulty: Vec::new() };
    if let Some((number, count)) = steps(&root) {
        for step in 0..count {
            // Each step on its own, so that a thousand bad ones take no thousand readings.
            let _: Option<StepForm> = found.settle(&mut root, &[number, step]);
        }
    }
    let form = found.settle(&mut root, &[]);
    Reading { form, problems: found.problems, faulty: found.faulty }
}

fn deserialize<T: DeserializeOwned>(node: &Node) -> Result<T, Fault> {
    T::deserialize(node)
}

/// Which entry of the file has the steps, and how many they are.
fn steps(root: &Node) -> Option<(usize, usize)> {
    let Content::Mapping(entries) = &root.content else { return None };
    let number = entries.iter().position(|it| it.0.text() == Some(STEPS))?;
    match &entries[number].1.content {
        Content::List(steps) => Some((number, steps.len())),
        _ => None,
    }
}

struct Found {
    problems: Vec<Problem>,
    faulty: Vec<String>,
}

impl Found {
    /// Reads what is at the end of `way`, and takes out what is wrong until the rest is right.
    fn settle<T: DeserializeOwned>(&mut self, root: &mut Node, way: &[usize]) -> Option<T> {
        loop {
            let node = at(root, way)?;
            let fault = match deserialize(node) {
                Ok(form) => return Some(form),
                Err(fault) => fault,
            };
            let is_all = fault.way.is_empty();
            let way: Vec<usize> = way.iter().chain(fault.way.iter().rev()).copied().collect();
            if let Some(problem) = self.problem(root, &way, &fault.sort) {
                self.problems.push(problem);
            }
            retire(root, &way);
            if is_all {
                return None;
            }
        }
    }

    /// What to tell of a fault; `None` if it only follows from another one.
    fn problem(&mut self, root: &Node, way: &[usize], sort: &FaultSort) -> Option<Problem> {
        let (field, step) = self.name(root, way);
        let is_root = field.is_empty() && step.is_none();
        let field_or_file = if is_root { "file".to_owned() } else { field.clone() };
        let node = at(root, way)?;
        let place = entry_place(root, way).unwrap_or(node.place);
        let problem = match sort {
            FaultSort::MissingKey(key) => {
                if node.get(key).is_some() {
                    return None;
                }
                let message = format!("the key `{key}` is missing at {}", node.place);
                let field =
                    if field.is_empty() { (*key).to_owned() } else { format!("{field}.{key}") };
                Problem::new(field, ProblemKind::Missing, message, "add it")
            }
            FaultSort::UnknownKey { key, known } => {
                let message = format!("there is no key `{key}`, at {place}");
                Problem::new(field, ProblemKind::Value, message, advice(key, known))
            }
            FaultSort::Value(words) => {
                let message = format!("{words}, at {}", node.place);
                let remedy =
                    "the JSON Schema of the form tells all keys and types: azml pipeline schema";
                Problem::new(field_or_file, ProblemKind::Value, message, remedy)
            }
        };
        Some(match step {
            Some(step) => problem.of_step(&step),
            None => problem,
        })
    }

    /// The field at the end of `way`, and the step that it belongs to.
    fn name(&mut self, root: &Node, way: &[usize]) -> (String, Option<StepName>) {
        let (mut field, mut step, mut node) = (String::new(), None, root);
        for (depth, &number) in way.iter().enumerate() {
            match &node.content {
                Content::Mapping(entries) => {
                    if !field.is_empty() {
                        field.push('.');
                    }
                    field.push_str(&key(&entries[number].0));
                }
                _ => {
                    // Writing to a text does not fail.
                    let _ = write!(field, "[{number}]");
                }
            }
            let Some(child) = node.child(number) else { break };
            node = child;
            if depth == 1
                && field.starts_with("steps[")
                && let Some(name) = node.get("name").and_then(Node::text)
            {
                self.faulty.push(name.to_owned());
                step = Some(StepName::from(name));
                field.clear();
            }
        }
        (field, step)
    }
}

fn at<'a>(root: &'a Node, way: &[usize]) -> Option<&'a Node> {
    way.iter().try_fold(root, |node, &number| node.child(number))
}

/// Where the key of the entry at the end of `way` is.
fn entry_place(root: &Node, way: &[usize]) -> Option<Place> {
    let (&number, above) = way.split_last()?;
    match &at(root, above)?.content {
        Content::Mapping(entries) => entries.get(number).map(|it| it.0.place),
        _ => None,
    }
}

/// Takes out what is at the end of `way`.
fn retire(root: &mut Node, way: &[usize]) {
    if let Some(node) = way.iter().try_fold(root, |node, &number| node.child_mut(number)) {
        node.content = Content::Retired;
    }
}

fn key(node: &Node) -> Cow<'_, str> {
    match &node.content {
        Content::Text(text) => text.into(),
        Content::Integer(number) => number.value.to_string().into(),
        Content::Float(number) => number.value.to_string().into(),
        Content::Boolean(truth) => truth.to_string().into(),
        _ => "?".into(),
    }
}

/// What to write instead of an unknown key.
fn advice(key: &str, known: &[&str]) -> String {
    let known: Vec<_> = known.iter().copied().filter(|it| !REFUSED.contains(it)).collect();
    let like = |it: &&&str| {
        let part = 4 <= key.len() && it.contains(key);
        part || strsim::damerau_levenshtein(it, key) <= 1 + key.len() / 5
    };
    let distance = |it: &&&str| strsim::damerau_levenshtein(it, key);
    match known.iter().filter(like).min_by_key(distance) {
        Some(near) => format!("write `{near}`, or leave it out"),
        None => format!("the keys here are {}", known.join(", ")),
    }
}
