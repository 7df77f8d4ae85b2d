//! What was measured, as a table with ratios and limits and as raw numbers.

use std::{collections::BTreeMap, fs, process::Command};

use anyhow::Context;
use serde_json::{Value, json};

use super::server::Kind;
use crate::process;

/// One line of the table: what, its unit, and the limits of ours in memory and
/// with `--data-dir`.
struct Line {
    what: &'static str,
    unit: &'static str,
    limits: [Option<f64>; 2],
}

const fn line(what: &'static str, unit: &'static str, limits: [Option<f64>; 2]) -> Line {
    Line { what, unit, limits }
}

const LINES: [Line; 10] = [
    line("log-metric", "ms", [Some(0.03), Some(0.1)]),
    line("log-metric, 8 at once", "ms", [Some(0.03), Some(0.1)]),
    line("log-batch of 1000", "ms", [Some(1.0), Some(4.0)]),
    line("search over 10,000 runs", "ms", [Some(3.0), Some(3.0)]),
    line("search over 100,000 runs", "ms", [Some(30.0), None]),
    line("get a run with 1000 metrics", "ms", [Some(0.3), Some(0.3)]),
    line("start to first answer", "ms", [Some(20.0), Some(20.0)]),
    line("memory, empty", "MiB", [Some(15.0), Some(15.0)]),
    line("memory, loaded", "MiB", [None, None]),
    line("memory of a point", "B", [Some(150.0), Some(150.0)]),
];

const KINDS: [Kind; 4] = [Kind::Mlflow, Kind::FastTrackMl, Kind::Memory, Kind::DataDir];

/// What the figures were taken on.
pub(super) struct Machine {
    processor: String,
    cores: usize,
    memory_gib: f64,
    system: String,
    date: String,
}

impl Machine {
    pub(super) fn this() -> anyhow::Result<Self> {
        let told = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let of = |text: &str, key: &str| {
            let line = text.lines().find(|it| it.starts_with(key)).unwrap_or_default();
            line.split_once(':').map(|(_, it)| it.trim().to_owned()).unwrap_or_default()
        };
        let memory = of(&told("/proc/meminfo"), "MemTotal");
        let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
        let cores = std::thread::available_parallelism().context("no processors")?.get();
        Ok(Self {
            processor: of(&told("/proc/cpuinfo"), "model name"),
            cores,
            memory_gib: (kib / 1024.0 / 1024.0).round(),
            system: process::capture(Command::new("uname").args(["-s", "-r", "-m"]))?
                .trim()
                .to_owned(),
            date: process::capture(Command::new("date").args(["-u", "+%F"]))?.trim().to_owned(),
        })
    }
}

pub(super) struct Figures {
    machine: Machine,
    /// By what was measured and of whom.
    found: BTreeMap<(&'static str, &'static str), f64>,
}

impl Figures {
    pub(super) fn new(machine: Machine) -> Self {
        Self { machine, found: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, kind: Kind, what: &'static str, figure: f64) {
        println!("{what}: {}", shown(figure));
        self.found.insert((what, kind.word()), figure);
    }

    fn figure(&self, what: &'static str, kind: Kind) -> Option<f64> {
        self.found.get(&(what, kind.word())).copied()
    }

    /// The table of the README.
    pub(super) fn print(&self) {
        println!();
        let names = KINDS.map(Kind::name).join(" | ");
        println!("| Server CPU a request | {names} | MLflow / ours | FastTrackML / ours | Limit |");
        println!("|---|---|---|---|---|---|---|---|");
        for it in &LINES {
            let cells = KINDS.map(|kind| {
                let figure = self.figure(it.what, kind);
                figure.map_or("–".to_owned(), |figure| format!("{} {}", shown(figure), it.unit))
            });
            let ours = self.figure(it.what, Kind::Memory);
            let ratio = |kind: Kind| match (self.figure(it.what, kind), ours) {
                (Some(theirs), Some(ours)) if 0.0 < ours => format!("{}×", shown(theirs / ours)),
                _ => "–".to_owned(),
            };
            let limit = it.limits.map(|it| it.map_or("–".to_owned(), |it| it.to_string()));
            println!(
                "| {} | {} | {} | {} | {} {} |",
                it.what,
                cells.join(" | "),
                ratio(Kind::Mlflow),
                ratio(Kind::FastTrackMl),
                limit.join(" / "),
                it.unit
            );
        }
    }

    /// The figures of ours that are beyond their limits.
    pub(super) fn beyond_limits(&self) -> Vec<String> {
        let mut beyond = Vec::new();
        for it in &LINES {
            for (kind, limit) in [Kind::Memory, Kind::DataDir].into_iter().zip(it.limits) {
                let figure = self.figure(it.what, kind);
                if let (Some(figure), Some(limit)) = (figure, limit)
                    && limit < figure
                {
                    let (name, unit) = (kind.name(), it.unit);
                    beyond.push(format!(
                        "{} ({name}): {} {unit}, the limit is {limit} {unit}",
                        it.what,
                        shown(figure)
                    ));
                }
            }
        }
        beyond
    }

    /// The raw numbers, as they are kept beside the code.
    pub(super) fn json(&self) -> String {
        let of = |what: &'static str| -> Value {
            let cells = KINDS
                .into_iter()
                .filter_map(|kind| Some((kind.word().to_owned(), json!(self.figure(what, kind)?))));
            cells.collect::<serde_json::Map<_, _>>().into()
        };
        let figures: serde_json::Map<String, Value> =
            LINES.iter().map(|it| (format!("{} [{}]", it.what, it.unit), of(it.what))).collect();
        let machine = &self.machine;
        let document = json!({
            "measured_by": "cargo xtask bench mlflow",
            "date": machine.date,
            "machine": {
                "processor": machine.processor, "cores": machine.cores,
                "memory_gib": machine.memory_gib, "system": machine.system,
            },
            "versions": KINDS.map(|it| (it.word(), it.name()))
                .into_iter()
                .map(|(word, name)| (word.to_owned(), Value::from(name)))
                .collect::<serde_json::Map<_, _>>(),
            "figures": figures,
        });
        format!("{document:#}\n")
    }
}

/// With three digits that say something.
fn shown(figure: f64) -> String {
    match figure {
        it if it >= 100.0 => format!("{it:.0}"),
        it if it >= 10.0 => format!("{it:.1}"),
        it if it >= 1.0 => format!("{it:.2}"),
        it => format!("{it:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let (processor, system) = ("p".to_owned(), "s".to_owned());
        let date = "2026-01-01".to_owned();
        Figures::new(Machine { processor, cores: 2, memory_gib: 8.0, system, date })
    }

    #[test]
    fn what_is_beyond_its_limit_is_named_with_both_numbers() {
        let mut figures = figures();
        figures.add(Kind::Memory, "log-metric", 0.04);
        figures.add(Kind::DataDir, "log-metric", 0.04);
        figures.add(Kind::Mlflow, "log-metric", 9.0);
        assert_eq!(
            figures.beyond_limits(),
            ["log-metric (ours, memory): 0.040 ms, the limit is 0.03 ms"]
        );
    }
}
