//! What the services of Azure share: envelopes, gates, the workspace in a path.

use axum::{
    Json,
    extract::FromRequestParts,
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    kernel::{
        Caller, Envelope, Here, Kernel, Kind, Refusal, Refused, Site,
        auth::{self, BadToken, Claims},
        path_part,
    },
    store::Place,
};

/// What tokens for the resource manager are made for. Trailing slashes do not count.
const ARM_AUDIENCES: &[&str] =
    &["https://management.azure.com", "https://management.core.windows.net"];

/// What tokens for Azure ML's data plane may be made for besides those of ARM.
pub(crate) const ML_AUDIENCE: &str = "https://ml.azure.com";

/// The application id of Azure Databricks, which is the audience of its tokens.
pub(crate) const DATABRICKS_AUDIENCE: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";

/// The audience of storage tokens.
pub(crate) const STORAGE_AUDIENCE: &str = "https://storage.azure.com";

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

/// Fixed parts of resource ids, in the case that the tables use.
const FIXED: &[&str] = &[
    "subscriptions",
    "resourceGroups",
    "providers",
    "workspaces",
    "resources",
    "locations",
    "computes",
    "computeOperationsStatus",
    "computeOperationsResults",
    "listKeys",
    "Microsoft.MachineLearningServices",
    "Microsoft.Databricks",
];

/// `path` with the fixed parts of a resource id in the case of the tables.
pub(crate) fn canonical_path(path: &str) -> String {
    if !path.to_ascii_lowercase().contains("/subscriptions") {
        return path.to_owned();
    }
    let canonical = |part: &str| {
        let fixed = FIXED.iter().find(|it| it.eq_ignore_ascii_case(part));
        fixed.map_or_else(|| part.to_owned(), |it| (*it).to_owned())
    };
    path.split('/').map(canonical).collect::<Vec<_>>().join("/")
}

/// ARM: `{"error":{"code","message"}}`.
pub(crate) struct ArmEnvelope;

/// The data plane: ARM's shape and what traces a call.
pub(crate) struct DataPlaneEnvelope;

/// The pipelines service writes its fields with capitals.
pub(crate) struct PipelinesEnvelope;

fn code_of(refusal: &Refusal) -> &str {
    refusal.code_or(match refusal.kind {
        Kind::Malformed | Kind::Invalid | Kind::TooLarge => "UserError",
        Kind::Unauthenticated => "AuthenticationFailed",
        Kind::Denied => "AuthorizationFailed",
        Kind::NotFound => "ResourceNotFound",
        Kind::NoSuchPath => "NotFound",
        Kind::Conflict | Kind::AlreadyExists => "Conflict",
        Kind::PreconditionFailed => "PreconditionFailed",
        Kind::NotEmulated => "NotImplemented",
        Kind::Unrecorded => "ServiceUnavailable",
        Kind::Status(StatusCode::TOO_MANY_REQUESTS) => "TooManyRequests",
        Kind::Status(_) => "ServiceError",
    })
}

impl Envelope for ArmEnvelope {
    fn render(refusal: &Refusal) -> Response {
        let body = json!({ "error": { "code": code_of(refusal), "message": refusal.message } });
        (refusal.status(), Json(body)).into_response()
    }
}

impl Envelope for DataPlaneEnvelope {
    fn render(refusal: &Refusal) -> Response {
        let code = code_of(refusal);
        let body = json!({
            "error": {
                "code": code, "message": refusal.message, "target": null, "details": [],
                "innerError": { "code": code, "innerError": null },
            },
            "correlation": { "operation": null, "request": null },
            "environment": "mock",
            "location": "eastus",
        });
        (refusal.status(), Json(body)).into_response()
    }
}

impl Envelope for PipelinesEnvelope {
    fn render(refusal: &Refusal) -> Response {
        let body = json!({
            "Error": {
                "Code": code_of(refusal), "Message": refusal.message, "Target": null,
                "Details": [], "InnerError": null, "DebugInfo": null,
            },
            "Correlation": {},
        });
        (refusal.status(), Json(body)).into_response()
    }
}

/// The token of a request.
pub(crate) fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Checks a token that Entra made and says whose it is.
pub(crate) fn entra_claims(token: &str, accepts: impl Fn(&str) -> bool) -> Result<Claims, Refusal> {
    let refused = |code: &'static str, text: String| {
        Err(Refusal::new(Kind::Unauthenticated, text).with_code(code))
    };
    match auth::check(token) {
        Err(BadToken::Expired) => refused(
            "ExpiredAuthenticationToken",
            "The access token expiry UTC time is earlier than current UTC time.".into(),
        ),
        Err(BadToken::Unreadable | BadToken::WrongSignature) => {
            refused("InvalidAuthenticationToken", "The access token is invalid.".into())
        }
        Ok(claims) if !accepts(claims.aud.trim_end_matches('/')) => refused(
            "InvalidAuthenticationTokenAudience",
            format!(
                "The access token has been obtained for wrong audience or resource '{}'.",
                claims.aud
            ),
        ),
        Ok(claims) => Ok(claims),
    }
}

fn missing() -> Refusal {
    let text = "Authentication failed. The 'Authorization' header is missing.";
    Refusal::new(Kind::Unauthenticated, text).with_code("AuthenticationFailed")
}

fn is_arm(site: &Site, audience: &str) -> bool {
    let own = site.arm();
    ARM_AUDIENCES.contains(&audience)
        || audience == own
        || audience.strip_suffix("/arm") == Some(own.as_str())
}

/// Lets in whoever has a token for the resource manager.
pub(crate) fn arm_gate(_: &Kernel, site: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let token = bearer(parts).ok_or_else(missing)?;
    entra_claims(token, |it| is_arm(site, it)).map(Caller::from)
}

/// Lets in whoever has a token for the data plane or the resource manager. A
/// run's own token is of the first kind.
pub(crate) fn data_plane_gate(_: &Kernel, site: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let token = bearer(parts).ok_or_else(missing)?;
    entra_claims(token, |it| it == ML_AUDIENCE || is_arm(site, it)).map(Caller::from)
}

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
        let mut named = [const { String::new() }; 3];
        for (slot, name) in named.iter_mut().zip(["subscription", "resource_group", "workspace"]) {
            *slot = path_part(parts, state, name).await.unwrap_or_default();
        }
        let [subscription, group, name] = named;
        kernel
            .inspect(|world| {
                let workspace = world.arm.workspace(&subscription, &group, &name)?;
                Ok(workspace.as_scope())
            })
            .map_err(|refusal: Refusal| refusal.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_parts_of_a_resource_id_are_known_in_any_case() {
        let path = "/Subscriptions/S/resourcegroups/RG/providers/microsoft.databricks/workspaces/W";
        assert_eq!(
            canonical_path(path),
            "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Databricks/workspaces/W"
        );
        assert_eq!(canonical_path("/api/2.0/Workspaces"), "/api/2.0/Workspaces");
    }
}
