use time::OffsetDateTime;

use super::{ClusterId, TerminationReason};
use crate::ExtraFields;

word_enum! {
    /// What happens to clusters.
    ClusterEventKind {
        /// It is being made.
        Creating = "CREATING",
        /// It is being started.
        Starting = "STARTING",
        /// It is being restarted.
        Restarting = "RESTARTING",
        /// It is being shut down.
        Terminating = "TERMINATING",
        /// Its definition was replaced.
        Edited = "EDITED",
        /// It runs.
        Running = "RUNNING",
        /// Workers come or go, because somebody asked.
        Resizing = "RESIZING",
        /// Workers have come or gone.
        UpsizeCompleted = "UPSIZE_COMPLETED",
        /// The service chose another number of workers.
        AutoscalingStatsReport = "AUTOSCALING_STATS_REPORT",
        /// Machines were lost.
        NodesLost = "NODES_LOST",
        /// The driver answers.
        DriverHealthy = "DRIVER_HEALTHY",
        /// The driver does not answer.
        DriverUnavailable = "DRIVER_UNAVAILABLE",
        /// The driver does not answer in time.
        DriverNotResponding = "DRIVER_NOT_RESPONDING",
        /// Spark on it failed.
        SparkException = "SPARK_EXCEPTION",
        /// Its scripts are being run.
        InitScriptsStarted = "INIT_SCRIPTS_STARTED",
        /// Its scripts have been run.
        InitScriptsFinished = "INIT_SCRIPTS_FINISHED",
        /// It is kept for ever.
        Pinned = "PINNED",
        /// It is no longer kept for ever.
        Unpinned = "UNPINNED",
    }
}

/// Something that happened to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterEvent {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// What happened.
    pub kind: ClusterEventKind,
    /// When.
    pub at: Option<OffsetDateTime>,
    /// Who did it.
    pub user: Option<String>,
    /// Why workers come or go, for example `USER_REQUEST`.
    pub cause: Option<String>,
    /// The number of workers then.
    pub current_num_workers: Option<u32>,
    /// The number of workers it is to have.
    pub target_num_workers: Option<u32>,
    /// Why it was terminated.
    pub reason: Option<TerminationReason>,
    /// Whatever else the service tells.
    pub details: ExtraFields,
}
