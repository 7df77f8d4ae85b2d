//! What Azure ML would be sent, with ids that are the same each time.

use std::{collections::HashMap, sync::Arc};

use azml_core::{Error, ErrorKind};
use serde::{Serialize, Serializer};

use crate::{
    Pipeline, Result, SubmitOptions,
    choices::Chosen,
    plan::{Choices, Plan, SourceBody},
    snapshot::{Snapshot, unreadable},
    wire,
};

/// The datastore that every workspace begins with.
const USUAL_DATASTORE: &str = "workspaceblobstore";

/// About what a step takes.
const STEP_BYTES: usize = 6 * 1024;

/// What would be sent, with the ids that the service would have given.
#[derive(Debug)]
pub(crate) struct Wire<'a> {
    pub(crate) plan: Plan<'a>,
    choices: Choices,
    continue_on_step_failure: bool,
    pub(crate) module_ids: Vec<String>,
    source_ids: Vec<String>,
}

/// The bodies, which lie in what they are made of.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    submission: wire::Submission<'a>,
    #[serde(rename = "Modules")]
    modules: Vec<&'a wire::Module<'a>>,
}

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let submission = self.plan.submission(
            self.continue_on_step_failure,
            &self.choices,
            &self.module_ids,
            &self.source_ids,
        );
        let modules = self.plan.modules.iter().map(|it| &it.body).collect();
        Document { submission, modules }.serialize(serializer)
    }
}

pub(super) fn document(
    pipeline: &Pipeline,
    options: &SubmitOptions,
    chosen: &Chosen,
) -> Result<String> {
    let wire = Wire::new(pipeline, options, chosen)?;
    let mut text = Vec::with_capacity(STEP_BYTES * pipeline.steps.len());
    serde_json::to_writer(&mut text, &wire).map_err(failed)?;
    Ok(String::from_utf8(text).map_err(failed)?)
}

fn failed(err: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::local("pipelines.to_wire", ErrorKind::InvalidArgument, err)
}

impl<'a> Wire<'a> {
    pub(crate) fn new(
        pipeline: &'a Pipeline,
        options: &SubmitOptions,
        chosen: &Chosen,
    ) -> Result<Self> {
        let folders = folders(pipeline)?;
        let contents: Vec<_> =
            folders.iter().map(|it| it.as_ref().map(|it| it.content_hash.clone())).collect();
        let datastore = pipeline.default_datastore.as_deref().unwrap_or(USUAL_DATASTORE);
        let mut nodes = Counter::new("node");
        let mut plan = Plan::new(pipeline, datastore, &contents, || nodes.next());

        let mut ids = Counter::new("module");
        let (mut module_ids, mut known) = (Vec::new(), HashMap::new());
        let (mut snapshots, mut trees) = (Counter::new("snapshot"), HashMap::new());
        for module in &mut plan.modules {
            if let Some(folder) = &folders[module.step] {
                // Folders that hold the same have one snapshot.
                let id = trees.entry(&folder.tree.hash).or_insert_with(|| snapshots.next());
                module.body.storage_id = Some(id.clone());
            }
        }
        for module in &plan.modules {
            let hash = module.body.identifier_hash.as_str();
            let id = known.entry(hash).or_insert_with(|| ids.next());
            module_ids.push(id.clone());
        }
        let source_ids = source_ids(&plan);
        let choices = Choices {
            description: chosen.description.clone(),
            assignments: chosen.assignments(),
            data_paths: plan.data_paths(&chosen.data_paths),
            regenerate_outputs: options.regenerate_outputs,
        };
        let continue_on_step_failure = pipeline.continue_on_step_failure;
        Ok(Self { plan, choices, continue_on_step_failure, module_ids, source_ids })
    }
}

/// The folders of local scripts, each read once.
fn folders(pipeline: &Pipeline) -> Result<Vec<Option<Arc<Snapshot>>>> {
    let mut known = HashMap::new();
    let folders = pipeline.steps.iter().map(|step| {
        let Some(folder) = &step.code.source_directory else { return Ok(None) };
        if let Some(snapshot) = known.get(folder) {
            return Ok(Some(Arc::clone(snapshot)));
        }
        let snapshot = Snapshot::read(folder).map_err(|err| unreadable(&step.name, &err))?;
        let snapshot = Arc::new(snapshot);
        known.insert(folder, Arc::clone(&snapshot));
        Ok(Some(snapshot))
    });
    folders.collect()
}

fn source_ids(plan: &Plan<'_>) -> Vec<String> {
    let (mut data, mut datasets) = (Counter::new("data"), Counter::new("dataset"));
    let mut known = HashMap::new();
    let ids = plan.sources.iter().map(|source| match &source.body {
        SourceBody::DataPath(_) => String::new(),
        body => known
            .entry(body.key())
            .or_insert_with(|| match body {
                SourceBody::Dataset(_) => datasets.next(),
                _ => data.next(),
            })
            .clone(),
    });
    ids.collect()
}

struct Counter {
    word: &'static str,
    count: usize,
}

impl Counter {
    fn new(word: &'static str) -> Self {
        Self { word, count: 0 }
    }

    fn next(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.word, self.count)
    }
}
