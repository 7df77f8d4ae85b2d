//! Rules that decide how matching tasks end, instead of executing them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// One rule of `POST /_mock/outcomes`. The globs that it has must all match;
/// the first rule that matches a task decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notebook_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) python_file: Option<String>,
    /// Databricks task key, pipeline step name, v2 job or node name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    /// Job or run name, experiment of the pipeline, v2 parent job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<String>,
    pub(crate) result: RuleResult,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// How a task ends that a rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum RuleResult {
    Success,
    Failed,
    /// Until it is canceled.
    Running,
}

/// What a rule says that the task did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Why the cluster of the task does not start, in the words of Databricks.
    /// The task fails with it at once and never runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cluster_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
    /// What a notebook passed to `dbutils.notebook.exit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metrics: BTreeMap<String, Values>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) artifacts: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) outputs: BTreeMap<String, BTreeMap<String, String>>,
}

/// One number, or one for each step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Values {
    One(f64),
    Many(Vec<f64>),
}

impl Values {
    pub(crate) fn as_slice(&self) -> &[f64] {
        match self {
            Self::One(it) => std::slice::from_ref(it),
            Self::Many(them) => them,
        }
    }
}

/// A task as the rules see it. It may go by several names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    pub(crate) notebook_path: Option<&'a str>,
    pub(crate) python_file: Option<&'a str>,
    pub(crate) tasks: Vec<&'a str>,
    pub(crate) jobs: Vec<&'a str>,
}

impl Rule {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        let any = |pattern: &Option<String>, names: &[&str]| match pattern {
            Some(pattern) => names.iter().any(|it| glob(pattern, it)),
            None => true,
        };
        any(&self.notebook_path, subject.notebook_path.as_slice())
            && any(&self.python_file, subject.python_file.as_slice())
            && any(&self.task, &subject.tasks)
            && any(&self.job, &subject.jobs)
    }

    /// How long the task seems to work.
    pub(crate) fn after(&self) -> Option<Duration> {
        self.outcome.after_seconds.and_then(|it| Duration::try_from_secs_f64(it).ok())
    }

    /// What is wrong with the rule, in words that name the field.
    pub(crate) fn complaint(&self) -> Option<String> {
        let globs = [
            ("notebook_path", &self.notebook_path),
            ("python_file", &self.python_file),
            ("task", &self.task),
            ("job", &self.job),
        ];
        for (field, pattern) in globs {
            if let Some(Err(err)) = pattern.as_deref().map(globset::Glob::new) {
                return Some(format!("{field} is no glob: {err}"));
            }
        }
        if self.outcome.cluster_error.is_some() {
            let says_more = self.outcome
                != Outcome {
                    cluster_error: self.outcome.cluster_error.clone(),
                    ..Outcome::default()
                };
            if self.result != RuleResult::Failed || says_more {
                let text =
                    "cluster_error needs the result FAILED, and nothing else: the task never runs";
                return Some(text.to_owned());
            }
        }
        let after = self.outcome.after_seconds?;
        let is_bad = Duration::try_from_secs_f64(after).is_err();
        is_bad.then(|| format!("after_seconds must be 0 or more, and {after} is not"))
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    globset::Glob::new(pattern).is_ok_and(|it| it.compile_matcher().is_match(text))
}

/// The first rule that matches, if any.
pub(crate) fn decide<'a>(rules: &'a [Rule], subject: &Subject<'_>) -> Option<&'a Rule> {
    rules.iter().find(|it| it.matches(subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<Rule> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_first_rule_whose_globs_all_match_decides() {
        let rules = rules(
            r#"[{"notebook_path":"/fail","result":"FAILED"},
                {"task":"prep*","job":"wine","result":"RUNNING"},
                {"task":"*","result":"SUCCESS","metrics":{"a":1,"b":[1,2]}}]"#,
        );
        let decided = |subject: Subject<'_>| decide(&rules, &subject).map(|it| it.result);
        let task = |name| Subject { tasks: vec![name], ..Subject::default() };

        assert_eq!(decided(task("other")), Some(RuleResult::Success));
        assert_eq!(
            decided(Subject { jobs: vec!["wine"], ..task("prepare") }),
            Some(RuleResult::Running)
        );
        assert_eq!(
            decided(Subject { notebook_path: Some("/fail"), ..task("x") }),
            Some(RuleResult::Failed)
        );
        assert_eq!(decided(Subject::default()), None, "a task without a name has none to match");
    }

    #[test]
    fn a_bad_rule_is_told_which_field_is_wrong() {
        let complaint = |text: &str| rules(text)[0].complaint();
        assert!(complaint(r#"[{"task":"[","result":"SUCCESS"}]"#).unwrap().starts_with("task "));
        let runs = complaint(r#"[{"cluster_error":"quota","log":"x","result":"FAILED"}]"#).unwrap();
        let text = "cluster_error needs the result FAILED, and nothing else: the task never runs";
        assert_eq!(runs, text);
        let succeeds = complaint(r#"[{"cluster_error":"quota","result":"SUCCESS"}]"#);
        assert_eq!(succeeds.as_deref(), Some(text));
        assert_eq!(complaint(r#"[{"cluster_error":"quota","result":"FAILED"}]"#), None);
        let negative = complaint(r#"[{"after_seconds":-1,"result":"SUCCESS"}]"#).unwrap();
        assert_eq!(negative, "after_seconds must be 0 or more, and -1 is not");
    }
}
