//! What a pipeline is meant to run among.

use std::collections::BTreeSet;

use crate::{Pipeline, Problem, ProblemKind};

/// What is known of the place where a pipeline is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// Databricks compute targets that are attached. `None` if it is not known.
    pub computes: Option<BTreeSet<String>>,
}

impl Surroundings {
    /// Names all Databricks compute targets that are attached.
    #[must_use]
    pub fn with_computes(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { computes: Some(names.into_iter().map(Into::into).collect()), ..self }
    }
}

impl Pipeline {
    /// Lists what the definition takes for granted and `surroundings` do not have.
    pub fn problems_in(&self, surroundings: &Surroundings) -> Vec<Problem> {
        let Some(known) = &surroundings.computes else { return Vec::new() };
        let mut problems = Vec::new();
        for step in &self.steps {
            let Some(name) = self.compute_of(step).filter(|it| !it.is_empty()) else { continue };
            if !known.contains(name) {
                let names: Vec<_> = known.iter().map(String::as_str).collect();
                let remedy = match names.as_slice() {
                    [] => "attach a Databricks workspace first".to_owned(),
                    names => format!("attach it, or name one of {}", names.join(", ")),
                };
                let message = format!("no Databricks compute is attached as `{name}`");
                let problem =
                    Problem::new("compute_target", ProblemKind::Dangling, message, remedy);
                problems.push(problem.of_step(&step.name));
            }
        }
        problems
    }
}
