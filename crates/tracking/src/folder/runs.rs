use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs, io,
};

use async_trait::async_trait;
use azml_core::{Error, ErrorKind, Result};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    FolderTracking, files,
    store::{StoredError, StoredExperiment, StoredMetric, StoredRun},
};
use crate::{
    ExperimentId, ExperimentInfo, ExperimentName, ExperimentView, Experiments, Metric, MetricKey,
    Metrics, NewRun, PendingMetric, RunEnd, RunId, RunInfo, RunQuery, RunRef, RunStatus, Runs,
    spool,
};

#[async_trait]
impl Experiments for FolderTracking {
    async fn get_or_create(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        const NAME: &str = "folder.experiments.create";
        if name.as_str().is_empty() {
            return Err(Error::invalid(NAME, "experiment name is empty: give it a name"));
        }
        // The id follows from the name, so that two who make one make the same.
        let id = id_of(name);
        let file = self.experiment_file(&id);
        if let Some(found) = files::read::<StoredExperiment>(NAME, &file)? {
            return Ok(found.into());
        }
        let made =
            StoredExperiment { id: ExperimentId::new(id), name: name.clone(), is_archived: false };
        files::write(NAME, &file, &made)?;
        Ok(made.into())
    }

    async fn get(&self, id: &ExperimentId) -> Result<ExperimentInfo> {
        self.experiment("folder.experiments.get", id.as_str()).map(ExperimentInfo::from)
    }

    async fn find(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        self.experiment("folder.experiments.find", &id_of(name)).map(ExperimentInfo::from)
    }

    fn list(&self, view: ExperimentView) -> BoxStream<'static, Result<ExperimentInfo>> {
        const NAME: &str = "folder.experiments.list";
        let list = || {
            let names = files::names(NAME, &self.root.join("experiments"))?;
            let ids = names.iter().filter_map(|it| it.strip_suffix(".json"));
            ids.map(|id| self.experiment(NAME, id).map(ExperimentInfo::from)).collect::<Result<_>>()
        };
        let is_wanted = move |it: &ExperimentInfo| match view {
            ExperimentView::Active => !it.is_archived,
            ExperimentView::Archived => it.is_archived,
            ExperimentView::All => true,
        };
        let found: Result<Vec<ExperimentInfo>> = list();
        streamed(found.map(|it| it.into_iter().filter(is_wanted).collect()))
    }

    async fn archive(&self, id: &ExperimentId) -> Result<()> {
        self.set_archived("folder.experiments.archive", id, true)
    }

    async fn unarchive(&self, id: &ExperimentId) -> Result<()> {
        self.set_archived("folder.experiments.unarchive", id, false)
    }
}

#[async_trait]
impl Runs for FolderTracking {
    async fn start(&self, experiment: &ExperimentInfo, run: &NewRun) -> Result<RunInfo> {
        const NAME: &str = "folder.runs.start";
        if !run.properties.is_empty() {
            return Err(Error::invalid(NAME, "a folder has no properties; use tags"));
        }
        self.experiment(NAME, experiment.id.as_str())?;
        // As at Azure ML: a second start with the same id is the same run.
        let id = RunId::new(run.local_id.unwrap_or_else(Uuid::new_v4).to_string());
        if let Some(found) = files::read::<StoredRun>(NAME, &self.run_file(&id))? {
            return Ok(found.into());
        }
        let now = spool::millis(self.clock.now());
        let made = StoredRun {
            id: id.clone(),
            experiment_id: experiment.id.clone(),
            local_id: run.local_id,
            name: run.name.clone(),
            parent_id: run.parent_id.clone(),
            status: RunStatus::Running.word().to_owned(),
            created_at: now,
            started_at: run.started_at.map_or(now, spool::millis),
            ended_at: None,
            error: None,
            is_deleted: false,
            tags: run.tags.clone(),
            params: BTreeMap::new(),
        };
        files::write(NAME, &self.run_file(&id), &made)?;
        Ok(made.into())
    }

    async fn find_started(&self, _: &ExperimentInfo, local_id: Uuid) -> Result<Option<RunInfo>> {
        let id = RunId::new(local_id.to_string());
        let found = files::read::<StoredRun>("folder.runs.find", &self.run_file(&id))?;
        Ok(found.map(RunInfo::from))
    }

    async fn get(&self, id: &RunId) -> Result<RunInfo> {
        self.stored_run("folder.runs.get", id).map(RunInfo::from)
    }

    fn list(
        &self,
        experiment: &ExperimentInfo,
        query: &RunQuery,
    ) -> BoxStream<'static, Result<RunInfo>> {
        let (id, query) = (experiment.id.clone(), query.clone());
        streamed(self.select("folder.runs.list", move |it| {
            it.experiment_id == id
                && (query.has_children || it.parent_id.is_none())
                && query.tags.iter().all(|(key, value)| it.tags.get(key) == Some(value))
                && query.status.as_ref().is_none_or(|wanted| wanted.word() == it.status)
                && query.properties.is_empty()
        }))
    }

    fn children(&self, run: &RunRef) -> BoxStream<'static, Result<RunInfo>> {
        let id = run.id.clone();
        streamed(self.select("folder.runs.children", move |it| it.parent_id.as_ref() == Some(&id)))
    }

    async fn set_tags(&self, run: &RunRef, tags: &BTreeMap<String, String>) -> Result<()> {
        self.change_run("folder.runs.set_tags", &run.id, |it| {
            it.tags.extend(tags.clone());
            Ok(())
        })
    }

    async fn remove_tags(&self, run: &RunRef, keys: &[String]) -> Result<()> {
        self.change_run("folder.runs.remove_tags", &run.id, |it| {
            it.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    async fn set_properties(&self, _: &RunRef, _: &BTreeMap<String, String>) -> Result<()> {
        Err(Error::invalid("folder.runs.set_properties", "a folder has no properties; use tags"))
    }

    async fn log_params(&self, run: &RunRef, params: &BTreeMap<String, String>) -> Result<()> {
        const NAME: &str = "folder.runs.log_params";
        self.change_run(NAME, &run.id, |it| {
            for (key, value) in params {
                if let Some(before) = it.params.get(key).filter(|before| *before != value) {
                    let reason = format!(
                        "param \"{key}\" has the value \"{before}\" and cannot become \"{value}\""
                    );
                    return Err(Error::invalid(NAME, reason));
                }
            }
            it.params.extend(params.clone());
            Ok(())
        })
    }

    async fn end(&self, run: &RunRef, end: &RunEnd, ended_at: OffsetDateTime) -> Result<()> {
        self.change_run("folder.runs.end", &run.id, |it| {
            let status = match end {
                RunEnd::Finished => RunStatus::Finished,
                RunEnd::Canceled => RunStatus::Killed,
                RunEnd::Failed(reason) => {
                    let (code, message) = (reason.code.clone(), reason.message.clone());
                    it.error = Some(StoredError { code, message });
                    RunStatus::Failed
                }
            };
            status.word().clone_into(&mut it.status);
            it.ended_at = Some(spool::millis(ended_at));
            Ok(())
        })
    }

    async fn delete(&self, run: &RunRef) -> Result<()> {
        self.set_deleted("folder.runs.delete", run, true)
    }

    async fn restore(&self, run: &RunRef) -> Result<()> {
        self.set_deleted("folder.runs.restore", run, false)
    }
}

#[async_trait]
impl Metrics for FolderTracking {
    async fn log(&self, run: &RunRef, metrics: &[PendingMetric]) -> Result<()> {
        const NAME: &str = "folder.metrics.log";
        self.stored_run(NAME, &run.id)?;
        let mut lines = Vec::new();
        for it in metrics {
            serde_json::to_writer(&mut lines, &StoredMetric::new(it))
                .map_err(|err| Error::local(NAME, ErrorKind::Other, err))?;
            lines.push(b'\n');
        }
        files::append(NAME, &self.metrics_file(&run.id), &lines)
    }

    async fn keys(&self, run: &RunRef) -> Result<Vec<MetricKey>> {
        let all = self.stored_metrics("folder.metrics.keys", &run.id)?;
        let keys: BTreeSet<MetricKey> = all.into_iter().map(|it| it.key).collect();
        Ok(keys.into_iter().collect())
    }

    fn history(&self, run: &RunRef, key: &MetricKey) -> BoxStream<'static, Result<Metric>> {
        let all = self.stored_metrics("folder.metrics.history", &run.id);
        streamed(all.map(|it| it.into_iter().filter(|it| it.key == *key).collect()))
    }
}

impl FolderTracking {
    fn experiment(&self, operation: &'static str, id: &str) -> Result<StoredExperiment> {
        let is_plain = !id.is_empty() && id.bytes().all(|it| it.is_ascii_hexdigit());
        let file = self.experiment_file(id);
        let found = if is_plain { files::read(operation, &file)? } else { None };
        found.ok_or_else(|| {
            let reason = format!("{} has no such experiment", self.root.display());
            Error::explained(operation, ErrorKind::NotFound, reason)
        })
    }

    fn set_archived(
        &self,
        operation: &'static str,
        id: &ExperimentId,
        is_archived: bool,
    ) -> Result<()> {
        let found = self.experiment(operation, id.as_str())?;
        let file = self.experiment_file(id.as_str());
        files::write(operation, &file, &StoredExperiment { is_archived, ..found })
    }

    fn set_deleted(&self, operation: &'static str, run: &RunRef, is_deleted: bool) -> Result<()> {
        self.change_run(operation, &run.id, |it| {
            it.is_deleted = is_deleted;
            Ok(())
        })
    }

    /// The runs that `is_wanted`, the latest first.
    fn select(
        &self,
        operation: &'static str,
        is_wanted: impl Fn(&StoredRun) -> bool,
    ) -> Result<Vec<RunInfo>> {
        let mut found = Vec::new();
        for name in files::names(operation, &self.root.join("runs"))? {
            let file = self.run_file(&RunId::new(name));
            // One without a file is about to be made.
            if let Some(run) = files::read::<StoredRun>(operation, &file)?
                && !run.is_deleted
                && is_wanted(&run)
            {
                found.push(run);
            }
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.started_at));
        Ok(found.into_iter().map(RunInfo::from).collect())
    }

    pub(super) fn stored_metrics(
        &self,
        operation: &'static str,
        id: &RunId,
    ) -> Result<Vec<Metric>> {
        self.stored_run(operation, id)?;
        let file = self.metrics_file(id);
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(err) => return Err(files::failed(operation, &file, err)),
        };
        let mut seen = HashSet::new();
        let lines = text.split(|it| *it == b'\n');
        // A line that a dead process has left unfinished was written again.
        let stored = lines.filter_map(|it| serde_json::from_slice::<StoredMetric<'_>>(it).ok());
        let new = stored.filter(|it| seen.insert(it.id()));
        Ok(new.filter_map(|it| it.metric()).collect())
    }
}

/// The id of the experiment of a name.
fn id_of(name: &ExperimentName) -> String {
    // Two hashes of 32 bits, from different starts: enough for names of people.
    let hash = |seed| {
        let mut hasher = crc32fast::Hasher::new_with_initial(seed);
        hasher.update(name.as_str().as_bytes());
        hasher.finalize()
    };
    format!("{:08x}{:08x}", hash(0), hash(0x9E37_79B9))
}

fn streamed<T: Send + 'static>(found: Result<Vec<T>>) -> BoxStream<'static, Result<T>> {
    match found {
        Ok(found) => stream::iter(found.into_iter().map(Ok)).boxed(),
        Err(err) => stream::iter([Err(err)]).boxed(),
    }
}
