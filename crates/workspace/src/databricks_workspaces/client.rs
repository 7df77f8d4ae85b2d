use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use async_trait::async_trait;
use azml_core::{
    Endpoint, Error, ErrorKind, PageToken, Poller, Progress, ResourceId, Result, ServiceFault,
    Session, WaitOptions, stream_pages,
};
use futures_core::stream::BoxStream;

use super::{DatabricksWorkspace, DatabricksWorkspaces, ops, wire::Document};
use crate::{
    WorkspaceRef,
    arm::{LongRunning, OperationStatus},
    workspaces,
};

const PROVIDER: &str = "Microsoft.Databricks";
const TYPE: &str = "workspaces";

/// Talks to Azure Resource Manager about Databricks workspaces. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DatabricksWorkspacesClient {
    arm: Endpoint,
}

impl DatabricksWorkspacesClient {
    /// A client for all that the session's identity may see.
    pub fn new(session: &Session) -> Self {
        Self { arm: workspaces::arm(session) }
    }

    fn pages(
        &self,
        subscription_id: &str,
        resource_group: Option<&str>,
    ) -> BoxStream<'static, Result<DatabricksWorkspace>> {
        let arm = self.arm.clone();
        let (subscription_id, resource_group) =
            (subscription_id.to_owned(), resource_group.map(str::to_owned));
        stream_pages(move |token: Option<PageToken>| {
            let arm = arm.clone();
            let (subscription_id, resource_group) =
                (subscription_id.clone(), resource_group.clone());
            async move {
                let next = token.map(|it| it.0);
                let list = ops::List {
                    subscription_id: &subscription_id,
                    resource_group: resource_group.as_deref(),
                    next: next.as_deref(),
                };
                arm.call(&list).await
            }
        })
    }

    /// Writes the resource back with another link.
    async fn change(
        &self,
        id: &ResourceId,
        link: Option<&ResourceId>,
    ) -> Result<Poller<OperationStatus, DatabricksWorkspace>> {
        let found = self.arm.call(&ops::Get(id)).await?;
        let running = if found.workspace.link.as_ref() == link {
            None
        } else {
            let body = found.with_link(ops::CREATE_OR_UPDATE, link)?;
            self.arm.call(&ops::CreateOrUpdate { id, body: &body }).await?
        };
        let (arm, id, clock) = (self.arm.clone(), id.clone(), self.arm.clock().clone());
        let is_over = Arc::new(AtomicBool::new(false));
        Ok(Poller::new(ops::CREATE_OR_UPDATE, WaitOptions::default(), clock, move || {
            let (arm, id, running) = (arm.clone(), id.clone(), running.clone());
            let is_over = is_over.clone();
            async move { look(&arm, &id, running.as_ref(), &is_over).await }
        }))
    }
}

/// The operation has to be over, and then the workspace usable.
async fn look(
    arm: &Endpoint,
    id: &ResourceId,
    running: Option<&LongRunning>,
    is_over: &AtomicBool,
) -> Result<Progress<OperationStatus, DatabricksWorkspace>> {
    // An operation that is over need not be there any longer.
    if let Some(running) = running.filter(|_| !is_over.load(Relaxed)) {
        if let Progress::Pending(status) = running.look(arm).await? {
            return Ok(Progress::Pending(status));
        }
        is_over.store(true, Relaxed);
    }
    let Document { workspace, .. } = arm.call(&ops::Get(id)).await?;
    let state = workspace.provisioning_state.clone().unwrap_or_default();
    let kind = match state.as_str() {
        "" | "Succeeded" | "Created" | "Ready" => return Ok(Progress::Done(workspace)),
        "Failed" => ErrorKind::Other,
        "Canceled" | "Cancelled" => ErrorKind::Canceled,
        _ => return Ok(Progress::Pending(OperationStatus { status: state })),
    };
    let text = "the service left the workspace in this state and gave no reason";
    Err(Error::service(ops::CREATE_OR_UPDATE, kind, ServiceFault::new(200, state, text)))
}

/// The id must be that of a Databricks workspace.
fn check(operation: &'static str, id: &ResourceId) -> Result<()> {
    let is_databricks = id.provider().eq_ignore_ascii_case(PROVIDER)
        && id.resource_type().eq_ignore_ascii_case(TYPE);
    if !is_databricks {
        let text = format!(
            "id: {id} is no Databricks workspace; give the id of a {PROVIDER}/{TYPE} resource"
        );
        return Err(Error::invalid(operation, text));
    }
    Ok(())
}

#[async_trait]
impl DatabricksWorkspaces for DatabricksWorkspacesClient {
    fn list(&self, subscription_id: &str) -> BoxStream<'static, Result<DatabricksWorkspace>> {
        self.pages(subscription_id, None)
    }

    fn list_in_group(
        &self,
        subscription_id: &str,
        resource_group: &str,
    ) -> BoxStream<'static, Result<DatabricksWorkspace>> {
        self.pages(subscription_id, Some(resource_group))
    }

    async fn get(&self, id: &ResourceId) -> Result<DatabricksWorkspace> {
        check(ops::GET, id)?;
        Ok(self.arm.call(&ops::Get(id)).await?.workspace)
    }

    async fn set_link(
        &self,
        id: &ResourceId,
        workspace: &ResourceId,
    ) -> Result<Poller<OperationStatus, DatabricksWorkspace>> {
        check(ops::CREATE_OR_UPDATE, id)?;
        WorkspaceRef::try_from(workspace)?;
        self.change(id, Some(workspace)).await
    }

    async fn clear_link(
        &self,
        id: &ResourceId,
    ) -> Result<Poller<OperationStatus, DatabricksWorkspace>> {
        check(ops::CREATE_OR_UPDATE, id)?;
        self.change(id, None).await
    }
}
