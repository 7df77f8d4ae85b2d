//! Experiments: runs that belong together.

use std::fmt;

use async_trait::async_trait;
use azml_core::{Error, Result, string_id};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};

string_id! {
    /// Identifies an experiment. Opaque: a number on some servers, a UUID on others.
    ExperimentId
}

string_id! {
    /// Names an experiment within its server or workspace.
    ExperimentName
}

/// What the server tells about an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ExperimentInfo {
    /// Id.
    pub id: ExperimentId,
    /// Name.
    pub name: ExperimentName,
    /// Whether it was archived: it is there, but no list shows it.
    pub is_archived: bool,
}

impl ExperimentInfo {
    /// An experiment that is known to exist.
    pub fn new(id: ExperimentId, name: ExperimentName) -> Self {
        Self { id, name, is_archived: false }
    }
}

/// Which experiments to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExperimentView {
    /// Those that are not archived.
    #[default]
    Active,
    /// Those that are archived.
    Archived,
    /// Both.
    All,
}

/// The experiments of one server or workspace.
#[async_trait]
pub trait Experiments: fmt::Debug + Send + Sync {
    /// Makes the experiment `name`, or finds it if it is there.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before
    /// anything is sent, for a name that the server does not take.
    async fn get_or_create(&self, name: &ExperimentName) -> Result<ExperimentInfo>;

    /// Describes an experiment.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such experiment exists.
    async fn get(&self, id: &ExperimentId) -> Result<ExperimentInfo>;

    /// Finds an experiment by its name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such experiment exists.
    async fn find(&self, name: &ExperimentName) -> Result<ExperimentInfo>;

    /// Lists experiments.
    fn list(&self, view: ExperimentView) -> BoxStream<'static, Result<ExperimentInfo>> {
        let _ = view;
        let err = Error::invalid("experiments.list", "this backend cannot list experiments");
        stream::iter([Err(err)]).boxed()
    }

    /// Archives an experiment: no list shows it any more, nor its runs.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such experiment exists.
    async fn archive(&self, id: &ExperimentId) -> Result<()> {
        let _ = id;
        Err(Error::invalid("experiments.archive", "this backend cannot archive experiments"))
    }

    /// Brings an archived experiment back.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when it is gone for good.
    async fn unarchive(&self, id: &ExperimentId) -> Result<()> {
        let _ = id;
        Err(Error::invalid("experiments.unarchive", "this backend cannot archive experiments"))
    }
}

const _: fn(&dyn Experiments) = |_| ();
