use azml_core::{Error, Operation, Request, Response, Result};

use crate::{
    clusters::{ClusterId, ClusterSize, ClusterUpdate, NewCluster, wire},
    fault,
    wire::post,
};

pub(in super::super) struct Create<'a> {
    pub(in super::super) cluster: &'a NewCluster,
    /// The same token gives the same cluster.
    pub(in super::super) token: Option<&'a str>,
}

impl Operation for Create<'_> {
    const NAME: &'static str = "databricks.clusters.create";
    // Thanks to the token.
    const IDEMPOTENT: bool = true;
    type Output = ClusterId;

    fn encode(&self, base: &str) -> Result<Request> {
        if self.token.is_some_and(|it| it.is_empty() || 64 < it.chars().count()) {
            let reason =
                "idempotency_token: has not 1 to 64 characters; shorten it or leave it out";
            return Err(Error::invalid(Self::NAME, reason));
        }
        let cluster = wire::ClusterSpec::new(Self::NAME, self.cluster)?;
        let body = wire::CreateRequest { cluster, idempotency_token: self.token };
        post(Self::NAME, base, "/api/2.1/clusters/create", &body)
    }

    fn decode(&self, response: Response) -> Result<ClusterId> {
        let body: wire::CreateResponse = fault::read(Self::NAME, &response)?;
        Ok(ClusterId::new(body.cluster_id))
    }
}

pub(in super::super) struct Edit<'a>(
    pub(in super::super) &'a ClusterId,
    pub(in super::super) &'a NewCluster,
);

impl Operation for Edit<'_> {
    const NAME: &'static str = "databricks.clusters.edit";
    // A running cluster restarts: once is enough.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let cluster = wire::ClusterSpec::new(Self::NAME, self.1)?;
        let body = wire::EditRequest { cluster_id: self.0.as_str(), cluster };
        post(Self::NAME, base, "/api/2.1/clusters/edit", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Start<'a>(pub(in super::super) &'a ClusterId);

impl Operation for Start<'_> {
    const NAME: &'static str = "databricks.clusters.start";
    // The service refuses to start what is not terminated.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ById { cluster_id: self.0.as_str() };
        post(Self::NAME, base, "/api/2.1/clusters/start", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

/// What the service calls "delete" keeps the definition.
pub(in super::super) struct Delete<'a>(pub(in super::super) &'a ClusterId);

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.clusters.delete";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ById { cluster_id: self.0.as_str() };
        post(Self::NAME, base, "/api/2.1/clusters/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct PermanentDelete<'a>(pub(in super::super) &'a ClusterId);

impl Operation for PermanentDelete<'_> {
    const NAME: &'static str = "databricks.clusters.permanent_delete";
    // A repeat would be told that the cluster does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ById { cluster_id: self.0.as_str() };
        post(Self::NAME, base, "/api/2.1/clusters/permanent-delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Update<'a>(
    pub(in super::super) &'a ClusterId,
    pub(in super::super) &'a ClusterUpdate,
);

impl Operation for Update<'_> {
    const NAME: &'static str = "databricks.clusters.update";
    // A running cluster restarts: once is enough.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let ClusterUpdate { fields, removed } = self.1;
        let names: Vec<&str> = fields.names().chain(removed.iter().map(String::as_str)).collect();
        if names.is_empty() {
            let reason = "update: changes nothing; set or remove a field";
            return Err(Error::invalid(Self::NAME, reason));
        }
        let update_mask = names.join(",");
        let body =
            wire::UpdateRequest { cluster_id: self.0.as_str(), update_mask, cluster: fields };
        post(Self::NAME, base, "/api/2.1/clusters/update", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Restart<'a> {
    pub(in super::super) cluster_id: &'a ClusterId,
    pub(in super::super) restart_user: Option<&'a str>,
}

impl Operation for Restart<'_> {
    const NAME: &'static str = "databricks.clusters.restart";
    // Once is enough.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let (cluster_id, restart_user) = (self.cluster_id.as_str(), self.restart_user);
        let body = wire::RestartRequest { cluster_id, restart_user };
        post(Self::NAME, base, "/api/2.1/clusters/restart", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Resize<'a>(
    pub(in super::super) &'a ClusterId,
    pub(in super::super) ClusterSize,
);

impl Operation for Resize<'_> {
    const NAME: &'static str = "databricks.clusters.resize";
    // While it is on its way to the size, the service refuses to hear of it again.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        if let ClusterSize::Autoscale(it) = self.1
            && it.max_workers < it.min_workers
        {
            let reason = "autoscale: max_workers is less than min_workers; swap them";
            return Err(Error::invalid(Self::NAME, reason));
        }
        let body = wire::ResizeRequest::new(self.0.as_str(), self.1);
        post(Self::NAME, base, "/api/2.1/clusters/resize", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Pin<'a>(pub(in super::super) &'a ClusterId);

impl Operation for Pin<'_> {
    const NAME: &'static str = "databricks.clusters.pin";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ById { cluster_id: self.0.as_str() };
        post(Self::NAME, base, "/api/2.1/clusters/pin", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Unpin<'a>(pub(in super::super) &'a ClusterId);

impl Operation for Unpin<'_> {
    const NAME: &'static str = "databricks.clusters.unpin";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ById { cluster_id: self.0.as_str() };
        post(Self::NAME, base, "/api/2.1/clusters/unpin", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct ChangeOwner<'a>(
    pub(in super::super) &'a ClusterId,
    pub(in super::super) &'a str,
);

impl Operation for ChangeOwner<'_> {
    const NAME: &'static str = "databricks.clusters.change_owner";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::OwnerRequest { cluster_id: self.0.as_str(), owner_username: self.1 };
        post(Self::NAME, base, "/api/2.1/clusters/change-owner", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}
