use axum::{Json, http::Method, routing::on};
use serde::Deserialize;
use serde_json::Value;

use super::{
    state::resource_of,
    wire::{self, Endpoints, Envelope, Form},
};
use crate::kernel::{
    Here, Kernel, Names, Params, Raw, Refused, Route, Service, Site, routes::open_to_all,
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
    Route::get("entra.keys", "/{tenant}/discovery/v2.0/keys", |it| on(it, keys)),
    Route::get("entra.keys", "/{tenant}/discovery/keys", |it| on(it, keys)),
    Route::get("entra.keys", "/adfs/{tenant}/keys", |it| on(it, keys)),
    Route::get("entra.keys", "/adfs/keys", |it| on(it, keys)),
    Route::get("entra.instance", "/common/discovery/instance", |it| on(it, instance)),
    Route::absent(Method::POST, "entra.device_code", "/{tenant}/oauth2/v2.0/devicecode"),
    Route::absent(Method::POST, "entra.device_code", "/{tenant}/oauth2/devicecode"),
    Route::absent(Method::POST, "entra.device_code", "/adfs/{tenant}/oauth2/devicecode"),
    Route::absent(Method::GET, "entra.managed_identity", "/metadata/identity/oauth2/token"),
];

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
    Names(path, _): PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Answer {
    token(&kernel, &path.tenant, &body, false)
}

async fn token_v1(
    Here(kernel): Here,
    Names(path, _): PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Answer {
    token(&kernel, &path.tenant, &body, true)
}

/// AD FS has one endpoint, and clients send it either parameter.
async fn token_adfs(
    Here(kernel): Here,
    Names(path, _): PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Answer {
    let is_v1 = Form::parse(&body).get("scope").is_none();
    token(&kernel, &path.tenant, &body, is_v1)
}

fn token(kernel: &Kernel, tenant: &str, body: &[u8], is_v1: bool) -> Answer {
    let form = Form::parse(body);
    form.check_grant_type()?;
    let client_id = form.required("client_id")?;
    let proof = form.proof()?;
    let resource =
        if is_v1 { form.required("resource")? } else { resource_of(form.required("scope")?)? };
    let grant: Result<_, Refused<Envelope>> =
        kernel.read(|world, _| world.entra.grant(tenant, client_id, &proof));
    Ok(Json(wire::token_json(&grant?, resource, is_v1)))
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
