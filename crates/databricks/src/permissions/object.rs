use std::fmt;

use crate::{
    clusters::ClusterId, instance_pools::InstancePoolId, jobs::JobId, policies::PolicyId,
    workspace_objects::ObjectId,
};

word_enum! {
    /// A kind of objects that have permissions.
    PermissionObjectKind {
        /// The right to have tokens, and the like.
        Authorization = "authorization",
        /// Clusters.
        Clusters = "clusters",
        /// Cluster policies.
        ClusterPolicies = "cluster-policies",
        /// Instance pools.
        InstancePools = "instance-pools",
        /// Jobs.
        Jobs = "jobs",
        /// Pipelines of tables.
        Pipelines = "pipelines",
        /// SQL warehouses.
        Warehouses = "warehouses",
        /// Notebooks.
        Notebooks = "notebooks",
        /// Folders of the workspace.
        Directories = "directories",
        /// Files of the workspace.
        Files = "files",
        /// Git folders.
        Repos = "repos",
        /// Experiments.
        Experiments = "experiments",
        /// Registered models.
        RegisteredModels = "registered-models",
        /// Served models.
        ServingEndpoints = "serving-endpoints",
        /// Dashboards.
        Dashboards = "dashboards",
        /// Saved queries.
        Queries = "queries",
        /// Alerts.
        Alerts = "alerts",
    }
}

/// An object that has permissions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PermissionObject {
    /// What it is.
    pub kind: PermissionObjectKind,
    /// Its id.
    pub id: String,
}

impl PermissionObject {
    /// An object of any kind.
    pub fn new(kind: PermissionObjectKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }

    /// A cluster.
    pub fn cluster(id: &ClusterId) -> Self {
        Self::new(PermissionObjectKind::Clusters, id.as_str())
    }

    /// A job.
    pub fn job(id: JobId) -> Self {
        Self::new(PermissionObjectKind::Jobs, id.to_string())
    }

    /// A cluster policy.
    pub fn policy(id: &PolicyId) -> Self {
        Self::new(PermissionObjectKind::ClusterPolicies, id.as_str())
    }

    /// An instance pool.
    pub fn instance_pool(id: &InstancePoolId) -> Self {
        Self::new(PermissionObjectKind::InstancePools, id.as_str())
    }

    /// A notebook.
    pub fn notebook(id: ObjectId) -> Self {
        Self::new(PermissionObjectKind::Notebooks, id.to_string())
    }

    /// A folder of the workspace.
    pub fn directory(id: ObjectId) -> Self {
        Self::new(PermissionObjectKind::Directories, id.to_string())
    }

    /// A file of the workspace.
    pub fn file(id: ObjectId) -> Self {
        Self::new(PermissionObjectKind::Files, id.to_string())
    }

    /// The right to have personal access tokens.
    pub fn tokens() -> Self {
        Self::new(PermissionObjectKind::Authorization, "tokens")
    }
}

impl fmt::Display for PermissionObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.kind, self.id)
    }
}
