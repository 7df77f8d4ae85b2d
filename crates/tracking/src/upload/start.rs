//! Makes the run at the server, once.

use azml_core::{Error, ErrorKind, Result};

use super::{NAME, Uploader, pause::is_ambiguous};
use crate::{
    ExperimentName, NewRun, RunId, RunRef,
    spool::{self, Attached, Parent, State},
};

impl Uploader {
    /// The run at the server, which is made if it is not there.
    pub(super) async fn ensure_run(&mut self) -> Result<RunRef> {
        if let Some(run) = &self.run {
            return Ok(run.clone());
        }
        loop {
            match self.find_or_start().await {
                Ok(run) => {
                    self.state.is_creating = false;
                    self.state.run_id = Some(run.id.clone());
                    self.state.experiment_id = Some(run.experiment.id.clone());
                    self.state.data_container.clone_from(&run.data_container);
                    self.save();
                    self.run = Some(run.clone());
                    self.succeed();
                    return Ok(run);
                }
                Err(err) => self.wait_after(err).await?,
            }
        }
    }

    async fn find_or_start(&mut self) -> Result<RunRef> {
        if let Some(attached) = self.header.attached_to.clone() {
            return self.find(attached).await;
        }
        let name = ExperimentName::new(self.header.experiment.as_str());
        if let (Some(id), Some(experiment)) = (&self.state.run_id, &self.state.experiment_id) {
            let experiment = crate::ExperimentInfo::new(experiment.clone(), name);
            let container = self.state.data_container.clone();
            return Ok(RunRef::new(experiment, id.clone()).with_data_container(container));
        }
        let experiment = match &self.header.parent {
            Some(Parent::Known(id)) if name.as_str().is_empty() => {
                let parent = self.backend.runs().get(id).await?;
                self.backend.experiments().get(&parent.experiment_id).await?
            }
            _ => self.backend.experiments().get_or_create(&name).await?,
        };
        let mut run = NewRun::new()
            .with_local_id(self.header.local_id)
            .with_started_at(spool::instant(self.header.started_at_ms));
        run.name.clone_from(&self.header.name);
        run.tags.clone_from(&self.header.tags);
        run.properties.clone_from(&self.header.properties);
        run.parent_id = self.parent(&experiment).await?;

        let (runs, local_id) = (self.backend.runs(), self.header.local_id);
        let mut found = None;
        if self.state.is_creating {
            found = runs.find_started(&experiment, local_id).await?;
        } else {
            self.state.is_creating = true;
            self.save();
        }
        let info = match found {
            Some(info) => info,
            None => match runs.start(&experiment, &run).await {
                Ok(info) => info,
                Err(err) => {
                    if is_ambiguous(err.kind()) {
                        // It may be there and not be seen yet.
                        self.pause.sleep(self.limits.settles_within).await;
                    } else {
                        self.state.is_creating = false;
                        self.save();
                    }
                    return Err(err);
                }
            },
        };
        Ok(RunRef::new(experiment, info.id).with_data_container(info.data_container))
    }

    /// A run that somebody else has started.
    async fn find(&self, attached: Attached) -> Result<RunRef> {
        let Attached { run_id, experiment_id, data_container } = attached;
        if let (Some(id), false) = (experiment_id, self.header.experiment.is_empty()) {
            let name = ExperimentName::new(self.header.experiment.as_str());
            let experiment = crate::ExperimentInfo::new(id, name);
            return Ok(RunRef::new(experiment, run_id).with_data_container(data_container));
        }
        let info = self.backend.runs().get(&run_id).await?;
        let experiment = if self.header.experiment.is_empty() {
            self.backend.experiments().get(&info.experiment_id).await?
        } else {
            let name = ExperimentName::new(self.header.experiment.as_str());
            crate::ExperimentInfo::new(info.experiment_id, name)
        };
        Ok(RunRef::new(experiment, info.id).with_data_container(info.data_container))
    }

    /// The id of the run that this one is a part of.
    async fn parent(&self, experiment: &crate::ExperimentInfo) -> Result<Option<RunId>> {
        let local_id = match &self.header.parent {
            None => return Ok(None),
            Some(Parent::Known(id)) => return Ok(Some(id.clone())),
            Some(Parent::Local(local_id)) => *local_id,
        };
        // While it is spooled, its folder lies beside this one.
        let beside = self.folder.with_file_name(local_id.to_string());
        if let Some(id) = State::read(&beside).ok().and_then(|it| it.run_id) {
            return Ok(Some(id));
        }
        let found = self.backend.runs().find_started(experiment, local_id).await?;
        let Some(parent) = found else {
            let reason = "the run that it is a part of is not made yet";
            return Err(Error::explained(NAME, ErrorKind::Unavailable, reason));
        };
        Ok(Some(parent.id))
    }
}
