use axum::{
    Json,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::{Request, claims, client_of, decide_secret, decide_secret_deletion, whose},
    wire::{self, Envelope, Form, SecretBody},
};
use crate::{
    kernel::{
        Body, Caller, Here, Kernel, Names, Raw, Refusal, Refused, Route, Service, Site, on,
        routes::open_to_all,
    },
    services::{
        arm::TENANT,
        databricks::{
            self,
            gate::{AtDatabricks, finish, gate},
            scim::ADMIN,
            wellknown::base_of,
            workspace_of,
        },
    },
};

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    Route::get("databricks.oidc.discovery", "/oidc/.well-known/oauth-authorization-server", |it| on(it, discovery)),
    Route::get("databricks.oidc.discovery", "/oidc/.well-known/openid-configuration", |it| on(it, discovery)),
    Route::get("databricks.oidc.keys", "/oidc/jwks.json", |it| on(it, keys)),
    Route::post("databricks.oidc.token", "/oidc/v1/token", |it| on(it, token)).without_bodies()
        .partial("client credentials and token exchange only; scopes limit nothing"),
    Route::absent(Method::GET, "databricks.oidc.authorize", "/oidc/v1/authorize"),
    Route::get("databricks.oidc.entra", "/oidc/oauth2/v2.0/authorize", |it| on(it, to_entra)),
    Route::get("databricks.oidc.aad", "/aad/auth", |it| on(it, to_entra)),
    Route::get("databricks.oidc.metadata", "/metadata-service/token", |it| on(it, metadata)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.oidc", open_to_all, ROUTES).finished_by(finish);

const ONE: &str = "/api/2.0/accounts/servicePrincipals/{id}/credentials/secrets/{secret_id}";
const ALL: &str = "/api/2.0/accounts/servicePrincipals/{id}/credentials/secrets";

#[rustfmt::skip]
static SECRET_ROUTES: &[Route] = &[
    Route::post("databricks.service_principal_secrets.create", ALL, |it| on(it, create)).without_bodies(),
    Route::get("databricks.service_principal_secrets.list", ALL, |it| on(it, list)),
    Route::delete("databricks.service_principal_secrets.delete", ONE, |it| on(it, delete)),
];

pub(crate) static SECRETS: Service = Service::new::<databricks::Envelope>(
    "databricks.service_principal_secrets",
    gate,
    SECRET_ROUTES,
)
.finished_by(finish);

async fn discovery(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
) -> Json<Value> {
    Json(wire::discovery_json(&base_of(&kernel, &site, workspace)))
}

async fn keys() -> Json<Value> {
    Json(wire::keys_json())
}

async fn token(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
    headers: HeaderMap,
    Raw(body, _): Raw<Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let form = Form::read(&body, authorization);
    let request = form.request()?;
    let issuer = format!("{}/oidc", base_of(&kernel, &site, workspace));
    let claims = kernel.read::<_, Refused<Envelope>>(|world, now| {
        let state = workspace_of(world, workspace)?;
        let name = whose(state, &request, now)?;
        Ok(claims(state, workspace, &name, &issuer))
    })?;
    let (token, _) = wire::mint(claims);
    let is_exchanged = !matches!(request, Request::Credentials { .. });
    let answer = Json(wire::token_json(&token, form.scope(), is_exchanged));
    Ok(([(header::CACHE_CONTROL, "no-store")], answer).into_response())
}

/// Where people sign in.
async fn to_entra(site: Site, uri: axum::http::Uri) -> Response {
    let query = uri.query().map_or_else(String::new, |it| format!("?{it}"));
    let to = format!("{}/{TENANT}/oauth2/v2.0/authorize{query}", site.entra());
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

/// A token for tools on the same machine, in place of a sign-in.
async fn metadata(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
    headers: HeaderMap,
) -> Result<Json<Value>, Refused<databricks::Envelope>> {
    if headers.get("x-databricks-metadata-version").is_none_or(|it| it != "1") {
        let text = "The header X-Databricks-Metadata-Version must be 1";
        return Err(Refusal::invalid(text).into());
    }
    let (token, expires_at) = token_of(&kernel, &site, workspace, ADMIN)?;
    Ok(Json(wire::metadata_json(&token, expires_at)))
}

fn token_of(
    kernel: &Kernel,
    site: &Site,
    workspace: u64,
    name: &str,
) -> Result<(String, time::OffsetDateTime), Refusal> {
    let issuer = format!("{}/oidc", base_of(kernel, site, workspace));
    let claims = kernel.read::<_, Refusal>(|world, _| {
        Ok(claims(workspace_of(world, workspace)?, workspace, name, &issuer))
    })?;
    Ok(wire::mint(claims))
}

#[derive(Deserialize)]
struct ById {
    id: String,
    #[serde(default)]
    secret_id: String,
}

type Answer = Result<Json<Value>, Refused<databricks::Envelope>>;
type ByIdNames = Names<ById, databricks::Envelope>;

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): ByIdNames,
    Body(body, _): Body<SecretBody, databricks::Envelope>,
) -> Answer {
    let lifetime = body.lifetime()?;
    let secret = kernel.commit::<_, Refusal>(|world, ctx| {
        decide_secret(world, workspace, &path.id, lifetime, &caller.name, ctx)
    })?;
    let mut answer = wire::secret_json(&secret);
    answer["secret"] = json!(&*secret.value);
    Ok(Json(answer))
}

async fn list(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): ByIdNames,
) -> Answer {
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        state.principals.check_admin(&caller.name)?;
        let secrets = state.oidc.secrets_of(&client_of(state, &path.id)?);
        let secrets: Vec<Value> = secrets.iter().map(wire::secret_json).collect();
        Ok(Json(if secrets.is_empty() { json!({}) } else { json!({ "secrets": secrets }) }))
    })
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): ByIdNames,
) -> Answer {
    kernel.commit::<_, Refusal>(|world, _| {
        decide_secret_deletion(world, workspace, (&path.id, path.secret_id), &caller.name)
    })?;
    Ok(Json(json!({})))
}
