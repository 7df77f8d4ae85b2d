use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, header::AUTHORIZATION, request::Parts},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use super::{DEFAULT_WORKSPACE, Databricks, Envelope, scim::decide_join, workspace_of};
use crate::{
    kernel::{
        Caller, Here, Kernel, Kind, Refusal, Refused, Site, World, addresses::Place, auth::Claims,
    },
    services::azure::{DATABRICKS_AUDIENCE, bearer, entra_claims},
};

/// The workspace whose name the client used, or the default one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtDatabricks(pub(crate) u64);

impl AtDatabricks {
    fn of(world: &World, place: Option<&Place>) -> Result<Self, Refusal> {
        let Some(Place::Databricks { host }) = place else { return Ok(Self(DEFAULT_WORKSPACE)) };
        let named = world.arm.databricks().find(|it| it.host.eq_ignore_ascii_case(host));
        let missing = || Refusal::not_found(format!("There is no workspace at {host}"));
        named.map(|it| Self(it.workspace_id)).ok_or_else(missing)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtDatabricks {
    type Rejection = Refused<Envelope>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Ok(Here(kernel)) = Here::from_request_parts(parts, state).await;
        Ok(kernel.inspect(|world| Self::of(world, parts.extensions.get()))?)
    }
}

/// What a service principal of Azure shows besides its token: which workspace
/// it means, and that it may manage it.
const RESOURCE_ID: &str = "x-databricks-azure-workspace-resource-id";
const MANAGEMENT_TOKEN: &str = "x-databricks-azure-sp-management-token";

/// Lets in the owner of a token of the workspace, and whoever has an Entra
/// token for Databricks and is a principal of the workspace.
pub(crate) fn gate(kernel: &Kernel, site: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let Some(token) = shown(parts) else {
        let text = "Credential was not sent or was of an unsupported type for this API.";
        return Err(Refusal::new(Kind::Unauthenticated, text).with_code("401"));
    };
    let AtDatabricks(workspace) =
        kernel.inspect(|world| AtDatabricks::of(world, parts.extensions.get()))?;
    // A JWT has three parts; a personal access token has one.
    if token.split('.').count() != 3 {
        return kernel.read(|world, now| by_token(workspace_of(world, workspace)?, &token, now));
    }
    let own = workspace.to_string();
    let claims = entra_claims(&token, |it| it == DATABRICKS_AUDIENCE || it == own);
    let claims = claims.map_err(unlike_azure)?;
    let is_owner = manages(kernel, site, parts, workspace, &claims)?;
    let caller = Caller::from(claims);
    if is_owner {
        kernel
            .commit::<_, Refusal>(|world, ctx| decide_join(world, workspace, &caller.name, ctx))?;
    }
    kernel.read(|world, _| match workspace_of(world, workspace)?.principals.get(&caller.name) {
        Some(it) if it.is_active() => Ok(caller),
        _ => Err(denied("This user is not a member of the workspace.")),
    })
}

/// The token of a request. Old clients send it as the password of `token`.
fn shown(parts: &Parts) -> Option<String> {
    if let Some(token) = bearer(parts) {
        return Some(token.to_owned());
    }
    let (scheme, code) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let text = String::from_utf8(BASE64.decode(code.trim()).ok()?).ok()?;
    let password = text.strip_prefix("token:").filter(|_| scheme.eq_ignore_ascii_case("basic"));
    password.map(str::to_owned)
}

/// Whether the caller has shown that the workspace is its own in Azure.
fn manages(
    kernel: &Kernel,
    site: &Site,
    parts: &Parts,
    workspace: u64,
    claims: &Claims,
) -> Result<bool, Refusal> {
    let header = |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok());
    if let Some(resource) = header(RESOURCE_ID) {
        let named = kernel.inspect(|world| {
            let named = world.arm.databricks_by_id(resource);
            named.map(|it| it.workspace_id)
        });
        if named != Some(workspace) {
            let text = format!("The workspace {resource} is not this one");
            return Err(Refusal::invalid(text));
        }
    }
    let Some(token) = header(MANAGEMENT_TOKEN) else { return Ok(false) };
    let own = site.arm();
    let is_management = |it: &str| it.starts_with("https://management.") || it.starts_with(&own);
    // Members need not show it, so a wrong one keeps nobody out who is one.
    let Ok(management) = entra_claims(token, is_management) else { return Ok(false) };
    Ok(header(RESOURCE_ID).is_some()
        && !claims.appid.is_empty()
        && management.appid == claims.appid)
}

fn by_token(state: &Databricks, token: &str, now: time::OffsetDateTime) -> Result<Caller, Refusal> {
    let owner = state.tokens.owner(token, now).or_else(|| state.jobs.token_owner(token));
    let owner = owner.and_then(|it| state.principals.get(it)).filter(|it| it.is_active());
    let Some(it) = owner else { return Err(denied("Invalid access token.")) };
    let (name, object_id) = (it.name().to_owned(), it.id.to_string());
    Ok(Caller { name, object_id, tenant_id: String::new(), run_id: None })
}

fn denied(text: &str) -> Refusal {
    Refusal::new(Kind::Denied, text)
}

/// Entra's refusals in the codes of Databricks.
fn unlike_azure(refusal: Refusal) -> Refusal {
    Refusal { code: None, ..refusal }
}

/// Adds the workspace's number and a number of the request.
pub(crate) fn finish(kernel: &Kernel, place: Option<&Place>, response: &mut Response) {
    let headers = response.headers_mut();
    if let Ok(AtDatabricks(workspace)) = kernel.inspect(|world| AtDatabricks::of(world, place)) {
        headers.insert("x-databricks-org-id", workspace.into());
    }
    let id = HeaderValue::try_from(uuid::Uuid::new_v4().to_string());
    headers.insert("x-request-id", id.expect("a UUID is legal in a header"));
}
