use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, request::Parts},
    response::Response,
};

use super::{DEFAULT_WORKSPACE, Databricks, Envelope, workspace_of};
use crate::{
    kernel::{Caller, Here, Kernel, Kind, Refusal, Refused, Site, World, addresses::Place},
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

/// Lets in the owner of a token of the workspace, and whoever has an Entra
/// token for Databricks and is a principal of the workspace.
pub(crate) fn gate(kernel: &Kernel, _: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let Some(token) = bearer(parts) else {
        let text = "Credential was not sent or was of an unsupported type for this API.";
        return Err(Refusal::new(Kind::Unauthenticated, text).with_code("401"));
    };
    // A JWT has three parts; a personal access token has one.
    let claims = match token.split('.').count() {
        3 => Some(entra_claims(token, |it| it == DATABRICKS_AUDIENCE).map_err(unlike_azure)?),
        _ => None,
    };
    kernel.read(|world, now| {
        let AtDatabricks(workspace) = AtDatabricks::of(world, parts.extensions.get())?;
        let state = workspace_of(world, workspace)?;
        let Some(claims) = &claims else { return by_token(state, token, now) };
        let name = if claims.upn.is_empty() { &claims.appid } else { &claims.upn };
        match state.principals.get(name) {
            Some(_) => Ok(Caller::from(claims.clone())),
            None => Err(denied("This user is not a member of the workspace.")),
        }
    })
}

fn by_token(state: &Databricks, token: &str, now: time::OffsetDateTime) -> Result<Caller, Refusal> {
    let owner = state.tokens.owner(token, now).or_else(|| state.jobs.token_owner(token));
    let Some(name) = owner.map(str::to_owned) else { return Err(denied("Invalid access token.")) };
    let object_id = state.principals.get(&name).map_or_else(String::new, |it| it.id.to_string());
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
