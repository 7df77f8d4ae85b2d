//! Begins the spool of a run.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use azml_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::{Inner, Run};
use crate::{
    Durability, ExperimentName, NewRun, SpoolOptions, Tracking,
    spool::{self, Attached, Header, Lock, Parent, Writer},
    upload::{self, Patience, Uploader},
};

const NAME: &str = "run.start";

impl Run {
    pub(crate) fn start(
        tracking: &Tracking,
        experiment: &ExperimentName,
        run: NewRun,
        parent: Option<&Self>,
    ) -> Result<Self> {
        // The parent may be known to the server alone, and with it the experiment.
        if experiment.as_str().is_empty() && parent.is_none() {
            let reason = "experiment name is empty: say to which experiment the run belongs";
            return Err(Error::invalid(NAME, reason));
        }
        for (key, value) in &run.tags {
            tracking.backend().runs().check_tag(key, value)?;
        }
        let parent = match parent {
            Some(parent) => Some(match &parent.0.header.attached_to {
                Some(attached) => Parent::Known(attached.run_id.clone()),
                None => Parent::Local(parent.local_id()),
            }),
            None => run.parent_id.map(Parent::Known),
        };
        let header = Header {
            version: spool::VERSION,
            local_id: run.local_id.unwrap_or_else(Uuid::new_v4),
            destination: tracking.backend().destination(),
            experiment: experiment.to_string(),
            name: run.name,
            tags: run.tags,
            properties: run.properties,
            parent,
            started_at_ms: spool::millis(
                run.started_at.unwrap_or_else(|| tracking.backend().clock().now()),
            ),
            attached_to: None,
        };
        Self::open(tracking, header)
    }

    pub(crate) fn attach(
        tracking: &Tracking,
        experiment: &ExperimentName,
        attached: Attached,
    ) -> Result<Self> {
        let header = Header {
            version: spool::VERSION,
            local_id: Uuid::new_v4(),
            destination: tracking.backend().destination(),
            experiment: experiment.to_string(),
            name: None,
            tags: BTreeMap::new(),
            properties: BTreeMap::new(),
            parent: None,
            started_at_ms: spool::millis(tracking.backend().clock().now()),
            attached_to: Some(attached),
        };
        Self::open(tracking, header)
    }

    fn open(tracking: &Tracking, header: Header) -> Result<Self> {
        let options = tracking.spool();
        let folder = folder(options, header.local_id);
        let failed = |err: io::Error| {
            let reason = format!("the spool cannot begin in {}", folder.display());
            Error::explained(NAME, ErrorKind::Other, reason).with_source(err)
        };
        make(&folder).map_err(failed)?;
        let lock = Lock::of_writer(&folder).map_err(failed)?;
        let lock = lock.ok_or_else(|| {
            Error::invalid(NAME, format!("run {} is being logged already", header.local_id))
        })?;
        let backend = tracking.backend();
        let writer = Writer::create(&folder, header.local_id, options, backend.clock().clone())
            .map_err(failed)?;
        // The header comes last: a folder without one is no run yet.
        header.write(&folder).map_err(failed)?;
        let mut status = None;
        if !options.is_offline {
            // Nobody else knows of the folder.
            let upload_lock = Lock::of_uploader(&folder).map_err(failed)?;
            if let Some(upload_lock) = upload_lock {
                let (uploader, seen) =
                    Uploader::new(backend, &folder, header.clone(), upload_lock, Patience::Endless)
                        .map_err(failed)?;
                let upload = uploader.beside(writer.clone()).follow(options.linger);
                upload::spawn(options.runtime.as_ref(), upload).map_err(failed)?;
                status = Some(seen);
            }
        }
        Ok(Self(Arc::new(Inner {
            tracking: tracking.clone(),
            folder,
            header,
            writer,
            status,
            params: Mutex::default(),
            _lock: lock,
        })))
    }
}

fn folder(options: &SpoolOptions, local_id: Uuid) -> PathBuf {
    match options.durability {
        Durability::None => env::temp_dir().join(format!("azml-spool-{local_id}")),
        _ => options.folder.join(local_id.to_string()),
    }
}

/// Makes a folder that is nobody else's business.
fn make(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
