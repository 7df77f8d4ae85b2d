//! The graph as text that programs draw.

use std::{collections::HashMap, fmt::Write as _};

use crate::{InputSource, Pipeline, StepInput};

/// A language of graphs.
trait Language {
    fn step(&self, text: &mut String, id: &str, name: &str);
    fn data(&self, text: &mut String, id: &str, lines: &[&str]);
    fn flow(&self, text: &mut String, from: &str, to: &str, name: &str);
    fn order(&self, text: &mut String, from: &str, to: &str);
}

pub(super) fn mermaid(pipeline: &Pipeline) -> String {
    let mut text = "flowchart TD\n".to_owned();
    draw(pipeline, &Mermaid, &mut text);
    text
}

pub(super) fn dot(pipeline: &Pipeline) -> String {
    let mut text = format!("digraph {} {{\n    node [shape=box];\n", quoted(&pipeline.name));
    draw(pipeline, &Dot, &mut text);
    text.push_str("}\n");
    text
}

fn draw(pipeline: &Pipeline, language: &dyn Language, text: &mut String) {
    let step_id = |index: usize| format!("step{}", index + 1);
    let mut by_name = HashMap::new();
    let mut producers = HashMap::new();
    for (index, step) in pipeline.steps.iter().enumerate() {
        language.step(text, &step_id(index), step.name.as_str());
        by_name.entry(step.name.as_str()).or_insert(index);
        for output in &step.outputs {
            producers.entry(output.name.as_str()).or_insert(index);
        }
    }
    let mut data = HashMap::new();
    for input in pipeline.steps.iter().flat_map(|it| &it.inputs) {
        let name = input.data_name().as_str();
        let is_written =
            matches!(input.source, InputSource::Data(_)) && producers.contains_key(name);
        if !is_written && !data.contains_key(name) {
            let id = format!("data{}", data.len() + 1);
            let place = place(input, pipeline);
            let lines = if place.is_empty() { vec![name] } else { vec![name, &place] };
            language.data(text, &id, &lines);
            data.insert(name, id);
        }
    }
    for (index, step) in pipeline.steps.iter().enumerate() {
        for input in &step.inputs {
            let name = input.data_name().as_str();
            let from = match data.get(name) {
                Some(id) => id.clone(),
                None => producers.get(name).map(|&it| step_id(it)).unwrap_or_default(),
            };
            language.flow(text, &from, &step_id(index), name);
        }
        for earlier in &step.run_after {
            if let Some(&earlier) = by_name.get(earlier.as_str()) {
                language.order(text, &step_id(earlier), &step_id(index));
            }
        }
    }
}

/// Where data lies that is there already.
fn place(input: &StepInput, pipeline: &Pipeline) -> String {
    let (datastore, path) = match &input.source {
        InputSource::Data(_) => return String::new(),
        InputSource::Reference(it) => (&it.datastore, &it.path),
        InputSource::Dataset(it) => (&it.datastore, &it.path),
        InputSource::DataPath(it) => (&it.datastore, &it.path),
    };
    match datastore.as_ref().or(pipeline.default_datastore.as_ref()) {
        Some(datastore) => format!("{datastore}: {path}"),
        None => path.clone(),
    }
}

struct Mermaid;

impl Language for Mermaid {
    fn step(&self, text: &mut String, id: &str, name: &str) {
        let _ = writeln!(text, "    {id}[\"{}\"]", entities(name));
    }

    fn data(&self, text: &mut String, id: &str, lines: &[&str]) {
        let lines: Vec<_> = lines.iter().map(|it| entities(it)).collect();
        let _ = writeln!(text, "    {id}[(\"{}\")]", lines.join("<br/>"));
    }

    fn flow(&self, text: &mut String, from: &str, to: &str, name: &str) {
        let _ = writeln!(text, "    {from} -->|\"{}\"| {to}", entities(name));
    }

    fn order(&self, text: &mut String, from: &str, to: &str) {
        let _ = writeln!(text, "    {from} -.-> {to}");
    }
}

struct Dot;

impl Language for Dot {
    fn step(&self, text: &mut String, id: &str, name: &str) {
        let _ = writeln!(text, "    {id} [label={}];", quoted(name));
    }

    fn data(&self, text: &mut String, id: &str, lines: &[&str]) {
        let label = quoted(&lines.join("\n"));
        let _ = writeln!(text, "    {id} [label={label}, shape=cylinder];");
    }

    fn flow(&self, text: &mut String, from: &str, to: &str, name: &str) {
        let _ = writeln!(text, "    {from} -> {to} [label={}];", quoted(name));
    }

    fn order(&self, text: &mut String, from: &str, to: &str) {
        let _ = writeln!(text, "    {from} -> {to} [style=dashed];");
    }
}

/// Text in a Mermaid label: what means something there is written as an entity.
fn entities(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '"' | '#' | '&' | '<' | '>' | '`' | '|' | '\\' => {
                let _ = write!(safe, "#{};", u32::from(it));
            }
            it if it.is_control() => safe.push(' '),
            it => safe.push(it),
        }
    }
    safe
}

/// Text in quotes, as Graphviz reads it.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}
