pub(super) mod rules;
pub(super) mod work;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{kernel::Refusal, services::databricks::clusters};

/// How many commands of a context are remembered.
const REMEMBERED: usize = 1000;

/// The contexts of a workspace, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Commands(pub(super) BTreeMap<String, Context>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Context {
    pub(super) cluster_id: String,
    pub(super) language: String,
    pub(super) status: Readiness,
    /// The epoch in which its process was started, if it has one.
    pub(super) executed: Option<u64>,
    /// In the order in which they came.
    pub(super) commands: Vec<(String, Command)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Readiness {
    Pending,
    Running,
    Error,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Command {
    pub(super) status: Status,
    pub(super) results: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Queued,
    Running,
    Cancelling,
    Finished,
    Cancelled,
    Error,
}

impl Status {
    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled | Self::Error)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Opened {
        context_id: String,
        cluster_id: String,
        language: String,
        executed: Option<u64>,
        at: OffsetDateTime,
    },
    Ready {
        context_id: String,
    },
    /// Its process did not start, or ended.
    Lost {
        context_id: String,
        message: String,
    },
    Closed {
        context_id: String,
    },
    Executed {
        context_id: String,
        command_id: String,
        at: OffsetDateTime,
    },
    Changed {
        context_id: String,
        command_id: String,
        status: Status,
        results: Option<Value>,
        at: OffsetDateTime,
    },
}

impl Commands {
    /// Carries out what has been decided, and tells which cluster was used when.
    pub(crate) fn evolve(&mut self, event: &Event) -> Option<(String, OffsetDateTime)> {
        match event.clone() {
            Event::Opened { context_id, cluster_id, language, executed, at } => {
                let status =
                    if executed.is_some() { Readiness::Pending } else { Readiness::Running };
                let used = (cluster_id.clone(), at);
                let commands = Vec::new();
                let context = Context { cluster_id, language, status, executed, commands };
                self.0.insert(context_id, context);
                Some(used)
            }
            Event::Ready { context_id } => {
                self.0.get_mut(&context_id)?.status = Readiness::Running;
                None
            }
            Event::Lost { context_id, message } => {
                let context = self.0.get_mut(&context_id)?;
                context.status = Readiness::Error;
                for (_, it) in context.commands.iter_mut().filter(|(_, it)| !it.status.is_over()) {
                    it.status = Status::Error;
                    it.results = Some(super::wire::error(&message));
                }
                None
            }
            Event::Closed { context_id } => {
                self.0.remove(&context_id);
                None
            }
            Event::Executed { context_id, command_id, at } => {
                let context = self.0.get_mut(&context_id)?;
                let command = Command { status: Status::Queued, results: None };
                context.commands.push((command_id, command));
                let surplus = context.commands.len().saturating_sub(REMEMBERED);
                context.commands.drain(..surplus);
                Some((context.cluster_id.clone(), at))
            }
            Event::Changed { context_id, command_id, status, results, at } => {
                let context = self.0.get_mut(&context_id)?;
                let (_, command) =
                    context.commands.iter_mut().rev().find(|(id, _)| *id == command_id)?;
                (command.status, command.results) = (status, results);
                Some((context.cluster_id.clone(), at))
            }
        }
    }

    /// Contexts end with the machines that they are on.
    pub(crate) fn follow(&mut self, event: &clusters::Event) {
        if let clusters::Event::Restarting { cluster_id, .. }
        | clusters::Event::Terminating { cluster_id, .. }
        | clusters::Event::Removed { cluster_id } = event
        {
            self.0.retain(|_, it| it.cluster_id != *cluster_id);
        }
    }

    pub(super) fn context(&self, cluster_id: &str, id: &str) -> Result<&Context, Refusal> {
        let found = self.0.get(id).filter(|it| it.cluster_id == cluster_id);
        let missing = || {
            let text = format!("Context {id} does not exist on cluster {cluster_id}");
            Refusal::not_found(text).with_code("ContextNotFound")
        };
        found.ok_or_else(missing)
    }
}

impl Context {
    pub(super) fn command(&self, id: &str) -> Result<&Command, Refusal> {
        let found = self.commands.iter().rev().find(|(it, _)| it == id);
        let missing = || {
            let text = format!("Command {id} does not exist in this context");
            Refusal::not_found(text).with_code("CommandNotFound")
        };
        found.map(|(_, it)| it).ok_or_else(missing)
    }
}
