use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use async_trait::async_trait;
use azml_core::{
    Error, ErrorKind, PageToken, Poller, Progress, ResourceId, Result, ServiceFault, WaitOptions,
    stream_pages,
};
use azml_workspace::{
    Workspace,
    arm::{LongRunning, OperationStatus},
};
use futures_core::stream::BoxStream;

use super::{
    AttachDatabricks, ComputeName, ComputeTarget, Computes, DatabricksCredentials,
    ProvisioningState, attach::check_name, ops,
};

/// Talks to the computes of one workspace. Cheap to clone.
///
/// Writes go to Azure Resource Manager, reads to the workspace's data plane.
#[derive(Clone, Debug)]
pub struct ComputesClient {
    workspace: Workspace,
}

impl ComputesClient {
    /// A client for the computes of `workspace`.
    pub fn new(workspace: &Workspace) -> Self {
        Self { workspace: workspace.clone() }
    }

    fn id(&self) -> &ResourceId {
        self.workspace.id()
    }
}

#[async_trait]
impl Computes for ComputesClient {
    async fn attach(
        &self,
        name: &ComputeName,
        attach: &AttachDatabricks,
    ) -> Result<Poller<OperationStatus, ComputeTarget>> {
        check_name(name)?;
        attach.check_token()?;
        let resource_id = attach.resource_id(self.workspace.reference())?;
        let arm = self.workspace.arm();
        let call = ops::Attach {
            workspace: self.id(),
            name,
            location: self.workspace.location(),
            resource_id: &resource_id,
            access_token: attach.access_token(),
        };
        let running = arm.call(&call).await?;
        let (this, name, clock) = (self.clone(), name.clone(), arm.clock().clone());
        let is_over = Arc::new(AtomicBool::new(false));
        Ok(Poller::new(ops::ATTACH, WaitOptions::default(), clock, move || {
            let (this, arm) = (this.clone(), arm.clone());
            let (name, running) = (name.clone(), running.clone());
            let is_over = is_over.clone();
            async move {
                // An operation that is over need not be there any longer.
                let running = running.filter(|_| !is_over.load(Relaxed));
                let progress = look(running.as_ref(), &arm).await?;
                is_over.store(progress == Progress::Done(()), Relaxed);
                match progress {
                    Progress::Pending(status) => Ok(Progress::Pending(status)),
                    Progress::Done(()) => judge(this.get(&name).await?),
                }
            }
        }))
    }

    async fn get(&self, name: &ComputeName) -> Result<ComputeTarget> {
        let endpoint = self.workspace.data_plane().await?;
        endpoint.call(&ops::Get { workspace: self.id(), name }).await
    }

    fn list(&self) -> BoxStream<'static, Result<ComputeTarget>> {
        let workspace = self.workspace.clone();
        stream_pages(move |token: Option<PageToken>| {
            let workspace = workspace.clone();
            async move {
                let endpoint = workspace.data_plane().await?;
                let next = token.as_ref().map(|it| it.0.as_str());
                endpoint.call(&ops::List { workspace: workspace.id(), next }).await
            }
        })
    }

    async fn credentials(&self, name: &ComputeName) -> Result<DatabricksCredentials> {
        self.workspace.arm().call(&ops::ListKeys { workspace: self.id(), name }).await
    }

    async fn detach(&self, name: &ComputeName) -> Result<Poller<OperationStatus, ()>> {
        let arm = self.workspace.arm();
        let running = arm.call(&ops::Detach { workspace: self.id(), name }).await?;
        let clock = arm.clock().clone();
        Ok(Poller::new(ops::DETACH, WaitOptions::default(), clock, move || {
            let (arm, running) = (arm.clone(), running.clone());
            async move { look(running.as_ref(), &arm).await }
        }))
    }
}

/// The operation is over; now the target itself has to be usable.
fn judge(target: ComputeTarget) -> Result<Progress<OperationStatus, ComputeTarget>> {
    let kind = match &target.provisioning_state {
        ProvisioningState::Failed => ErrorKind::Other,
        ProvisioningState::Canceled => ErrorKind::Canceled,
        ProvisioningState::Creating | ProvisioningState::Updating => {
            let status = format!("{:?}", target.provisioning_state);
            return Ok(Progress::Pending(OperationStatus::new(status)));
        }
        // A word that we do not know must not keep anybody waiting.
        _ => return Ok(Progress::Done(target)),
    };
    let reason = target.provisioning_errors.into_iter().next();
    let (code, message) = reason.map(|it| (it.code, it.message)).unwrap_or_default();
    Err(Error::service(ops::ATTACH, kind, ServiceFault::new(200, code, message)))
}

/// An answer that named no operation was the end of it.
async fn look(
    running: Option<&LongRunning>,
    arm: &azml_core::Endpoint,
) -> Result<Progress<OperationStatus, ()>> {
    match running {
        Some(running) => running.look(arm).await,
        None => Ok(Progress::Done(())),
    }
}
