//! stub
use std::{collections::BTreeMap, time::Duration};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use crate::{executor::outcomes::Outcome, kernel::{self, Ctx, Decision, Kernel, Refusal, World}};
#[derive(Clone, Debug)] pub(crate) enum ClusterSpec { Existing(String), New(NewCluster) }
impl Default for ClusterSpec { fn default() -> Self { Self::Existing(String::new()) } }
#[derive(Clone, Debug, Default)] pub(crate) struct NewCluster { pub(crate) spark_version: String, pub(crate) node_type_id: String, pub(crate) num_workers: Option<u32>, pub(crate) autoscale: Option<(u32,u32)>, pub(crate) spark_conf: BTreeMap<String,String>, pub(crate) spark_env_vars: BTreeMap<String,String> , pub(crate) x: ()}
#[derive(Clone, Debug, Default)] pub(crate) enum CodeSpec { #[default] None, Notebook{path: String}, PythonFile{path:String}, Jar{main_class:String} }
#[derive(Clone, Debug, Default, Serialize, Deserialize)] pub(crate) struct Library(serde_json::Value);
#[derive(Clone, Debug, Default)] pub(crate) struct TaskSpec { pub(crate) task_key: String, pub(crate) names: Vec<String>, pub(crate) code: CodeSpec, pub(crate) widgets: BTreeMap<String,String>, pub(crate) parameters: Vec<String>, pub(crate) cluster: ClusterSpec, pub(crate) libraries: Vec<Library>, pub(crate) depends_on: Vec<String>, pub(crate) timeout: Option<Duration>, pub(crate) containers: Vec<(String,String)>, pub(crate) x: () }
pub(crate) struct Submission { pub(crate) run_name: String, pub(crate) user: String, pub(crate) tasks: Vec<TaskSpec>, pub(crate) idempotency_token: Option<String>, pub(crate) timeout: Option<Duration>, pub(crate) job_names: Vec<String> }
pub(crate) struct RunView<'a> { pub(crate) started_at: Option<OffsetDateTime>, pub(crate) ended_at: Option<OffsetDateTime>, pub(crate) error: Option<String>, pub(crate) error_trace: Option<String>, pub(crate) message: String, pub(crate) decided: Option<&'a Outcome> }
impl RunView<'_> { pub(crate) fn is_success(&self) -> bool { true } pub(crate) fn is_canceled(&self) -> bool { false } }
pub(crate) fn decide_submit(_: &World, _: u64, _: Submission, _: &mut Ctx<'_>) -> Decision<i64> { Err(Refusal::invalid("")) }
pub(crate) fn run_state(_: &World, _: u64, _: i64) -> Option<RunView<'_>> { None }
pub(crate) fn decide_cancel(_: &World, _: u64, _: i64, _: &mut Ctx<'_>) -> Vec<kernel::Event> { Vec::new() }
pub(crate) async fn log_of(_: &Kernel, _: u64, _: i64) -> String { String::new() }
pub(crate) fn default_user(_: &World, _: u64) -> String { String::new() }
