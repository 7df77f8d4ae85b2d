mod apps;
mod device;

use axum::{
    Json,
    http::Method,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use self::{
    apps::register,
    device::{answer_device_code, device_codes},
};
use super::{
    state::{Grant, Poll, decide_poll, resource_of},
    wire::{self, Endpoints, Envelope, Form, GrantType, Wanted},
};
use crate::kernel::{
    Here, Kernel, Names, Params, Raw, Refused, Route, Service, Site, clock, on, routes::open_to_all,
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("entra", open_to_all, ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("entra.openid", "/{tenant}/v2.0/.well-known/openid-configuration", |it| on(it, openid_v2)),
    Route::get("entra.openid", "/{tenant}/.well-known/openid-configuration", |it| on(it, openid_v1)),
    Route::get("entra.openid", "/adfs/{tenant}/.well-known/openid-configuration", |it| on(it, openid_adfs)),
    Route::get("entra.openid", "/adfs/.well-known/openid-configuration", |it| on(it, openid_adfs)),
    Route::post("entra.token", "/{tenant}/oauth2/v2.0/token", |it| on(it, token_v2)),
    Route::post("entra.token_v1", "/{tenant}/oauth2/token", |it| on(it, token_v1)),
    Route::post("entra.token", "/adfs/{tenant}/oauth2/token", |it| on(it, token_adfs)),
    Route::post("entra.token", "/adfs/oauth2/token", |it| on(it, token_adfs)),
    Route::post("entra.device_code", "/{tenant}/oauth2/v2.0/devicecode", |it| on(it, device::start_v2)),
    Route::post("entra.device_code", "/{tenant}/oauth2/devicecode", |it| on(it, device::start_v1)),
    Route::post("entra.device_code", "/adfs/{tenant}/oauth2/devicecode", |it| on(it, device::start_adfs)),
    Route::post("entra.device_code", "/adfs/oauth2/devicecode", |it| on(it, device::start_adfs)),
    Route::get("entra.device_page", "/{tenant}/oauth2/deviceauth", |it| on(it, device::page)).partial("a page of the mock's own: code, approve, decline"),
    Route::post("entra.device_page", "/{tenant}/oauth2/deviceauth", |it| on(it, device::answer_page)).partial("a page of the mock's own: code, approve, decline"),
    Route::get("entra.keys", "/{tenant}/discovery/v2.0/keys", |it| on(it, keys)),
    Route::get("entra.keys", "/{tenant}/discovery/keys", |it| on(it, keys)),
    Route::get("entra.keys", "/adfs/{tenant}/keys", |it| on(it, keys)),
    Route::get("entra.keys", "/adfs/keys", |it| on(it, keys)),
    Route::get("entra.instance", "/common/discovery/instance", |it| on(it, instance)),
    Route::absent(Method::GET, "entra.authorize", "/{tenant}/oauth2/v2.0/authorize"),
    Route::absent(Method::GET, "entra.authorize", "/{tenant}/oauth2/authorize"),
    Route::absent(Method::GET, "entra.authorize", "/adfs/{tenant}/oauth2/authorize"),
];

/// An address at the authority that the client knows.
fn at_authority(site: &Site, path: &str) -> String {
    format!("{}/{path}", site.entra())
}

/// Below `/adfs` the tenant may be missing.
#[derive(Deserialize)]
struct Path {
    #[serde(default = "adfs")]
    tenant: String,
}

fn adfs() -> String {
    "adfs".to_owned()
}

type PathNames = Names<Path, Envelope>;

/// These documents exist for names that stand for any tenant, too.
fn check_tenant(kernel: &Kernel, named: &str) -> Result<(), Refused<Envelope>> {
    if matches!(named, "common" | "organizations" | "consumers") {
        return Ok(());
    }
    kernel.read(|world, _| world.entra.tenant(named).map(drop))
}

async fn openid_v2(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    check_tenant(&kernel, &path.tenant)?;
    let root = format!("{}/{}", site.entra(), path.tenant);
    Ok(Json(wire::openid_json(&format!("{root}/v2.0"), &Endpoints::v2(&root))))
}

async fn openid_v1(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    check_tenant(&kernel, &path.tenant)?;
    let root = format!("{}/{}", site.entra(), path.tenant);
    let issuer = format!("https://sts.windows.net/{}/", path.tenant);
    Ok(Json(wire::openid_json(&issuer, &Endpoints::v1(&root, "discovery/keys"))))
}

async fn openid_adfs(
    Here(kernel): Here,
    site: Site,
    uri: axum::http::Uri,
    Names(path, _): PathNames,
) -> Answer {
    check_tenant(&kernel, &path.tenant)?;
    let below = uri.path().strip_suffix("/.well-known/openid-configuration");
    let root = format!("{}{}", site.entra(), below.unwrap_or_default());
    Ok(Json(wire::openid_json(&root, &Endpoints::v1(&root, "keys"))))
}

async fn token_v2(
    Here(kernel): Here,
    site: Site,
    Names(path, _): PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Result<Response, Refused<Envelope>> {
    token(&kernel, &site, &path.tenant, &Form::parse(&body), false)
}

async fn token_v1(
    Here(kernel): Here,
    site: Site,
    Names(path, _): PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Result<Response, Refused<Envelope>> {
    token(&kernel, &site, &path.tenant, &Form::parse(&body), true)
}

/// AD FS has one endpoint, and clients send it either parameter.
async fn token_adfs(
    Here(kernel): Here,
    site: Site,
    Names(path, _): PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let form = Form::parse(&body);
    let is_v1 = form.get("resource").is_some() && form.get("scope").is_none();
    token(&kernel, &site, &path.tenant, &form, is_v1)
}

fn token(
    kernel: &Kernel,
    site: &Site,
    tenant: &str,
    form: &Form,
    is_v1: bool,
) -> Result<Response, Refused<Envelope>> {
    let grant_type = form.grant_type()?;
    let client_id = form.required("client_id")?;
    let (grant, wanted) = match grant_type {
        GrantType::ClientCredentials => {
            let proof = form.proof()?;
            let resource = resource(form, is_v1)?;
            let (authority, wall) = (site.entra(), clock::wall());
            let grant: Result<Grant, Refused<Envelope>> = kernel
                .read(|world, _| world.entra.grant(tenant, client_id, &proof, &authority, wall));
            (grant?, Wanted::for_program(resource))
        }
        GrantType::DeviceCode => {
            // The standard and MSAL call it so; version 1 calls it `code`.
            let code = form.get("device_code").or_else(|| form.get("code"));
            let code = code.map_or_else(|| form.required("device_code"), Ok)?;
            let poll = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
                decide_poll(world, tenant, client_id, code, ctx)
            })?;
            match poll {
                Poll::NotYet(refusal) => return Err(refusal.into()),
                Poll::Signed { grant, resource, scope } => {
                    (grant, Wanted::for_user(&resource, &scope))
                }
            }
        }
        GrantType::RefreshToken => {
            let token = wire::read_refresh_token(form.required("refresh_token")?)?;
            let scope = if is_v1 { None } else { form.get("scope") };
            let resource = match (scope, form.get("resource")) {
                (Some(scope), _) => resource_of(scope, true)?,
                (None, Some(resource)) if is_v1 => resource,
                _ => &token.resource,
            };
            let grant: Result<Grant, Refused<Envelope>> =
                kernel.read(|world, _| world.entra.refreshed(tenant, client_id, &token.client));
            // Whoever refreshes wants to do so again.
            let scope = format!("{} offline_access", scope.unwrap_or("openid"));
            (grant?, Wanted::for_user(resource, &scope))
        }
    };
    Ok(Json(wire::token_json(&grant, &wanted, is_v1)).into_response())
}

/// The resource that a program asks for.
fn resource(form: &Form, is_v1: bool) -> Result<&str, Refused<Envelope>> {
    if is_v1 {
        return Ok(form.required("resource")?);
    }
    Ok(resource_of(form.required("scope")?, false)?)
}

async fn keys() -> Json<Value> {
    Json(wire::keys_json())
}

#[derive(Deserialize)]
struct InstanceQuery {
    #[serde(default)]
    authorization_endpoint: String,
}

async fn instance(site: Site, Params(query, _): Params<InstanceQuery, Envelope>) -> Json<Value> {
    // `https://{host}/{tenant}/oauth2/v2.0/authorize`
    let tenant = query.authorization_endpoint.split('/').nth(3).filter(|it| !it.is_empty());
    Json(wire::instance_json(&site, tenant.unwrap_or("common")))
}
