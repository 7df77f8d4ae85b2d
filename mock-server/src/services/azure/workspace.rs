use axum::{extract::FromRequestParts, http::request::Parts};

use super::DataPlaneEnvelope;
use crate::{
    kernel::{Here, PathNames, Refusal, Refused},
    store::Place,
};

/// The path of an operation on one Azure ML workspace, below a service's root.
macro_rules! workspace_path {
    ($root:literal, $rest:literal) => {
        concat!(
            $root,
            "/subscriptions/{subscription}/resourceGroups/{resource_group}",
            "/providers/Microsoft.MachineLearningServices/workspaces/{workspace}",
            $rest
        )
    };
}
pub(crate) use workspace_path;

/// The Azure ML workspace that the path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AtWorkspace {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) name: String,
    /// The workspace's own id, a UUID.
    pub(crate) workspace_id: String,
    pub(crate) region: String,
    /// The storage account of the workspace.
    pub(crate) account: String,
    /// Where the runs of the workspace are.
    pub(crate) place: Place,
}

impl AtWorkspace {
    /// The resource id of the workspace.
    pub(crate) fn resource_id(&self) -> String {
        let (subscription, group, name) = (&self.subscription, &self.resource_group, &self.name);
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{name}"
        )
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtWorkspace {
    type Rejection = Refused<DataPlaneEnvelope>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Ok(Here(kernel)) = Here::from_request_parts(parts, state).await;
        let path = PathNames::of(&parts.extensions);
        let [subscription, group, name] = ["subscription", "resource_group", "workspace"]
            .map(|it| path.get(it).unwrap_or_default());
        kernel
            .inspect(|world| {
                let workspace = world.arm.workspace(&subscription, &group, &name)?;
                Ok(workspace.as_scope())
            })
            .map_err(|refusal: Refusal| refusal.into())
    }
}
