//! Signing in on another device, from all three sides: the program, the user
//! in front of the page, and the administrator of the mock.

use axum::{Json, response::Html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, PathNames, at_authority};
use crate::{
    kernel::{Here, Kernel, Names, Params, Raw, Refusal, Refused, Site},
    services::entra::{
        state::{self, resource_of},
        wire::{self, Envelope, Form},
    },
};

pub(super) async fn start_v2(
    here: Here,
    site: Site,
    names: PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Answer {
    start(&here, &site, &names, &Form::parse(&body), false)
}

pub(super) async fn start_v1(
    here: Here,
    site: Site,
    names: PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Answer {
    start(&here, &site, &names, &Form::parse(&body), true)
}

pub(super) async fn start_adfs(
    here: Here,
    site: Site,
    names: PathNames,
    Raw(body, _): Raw<Envelope>,
) -> Answer {
    let form = Form::parse(&body);
    let is_v1 = form.get("scope").is_none();
    start(&here, &site, &names, &form, is_v1)
}

fn start(
    Here(kernel): &Here,
    site: &Site,
    Names(path, _): &PathNames,
    form: &Form,
    is_v1: bool,
) -> Answer {
    let client_id = form.required("client_id")?;
    let (resource, scope) = if is_v1 {
        (form.required("resource")?, "openid offline_access")
    } else {
        let scope = form.required("scope")?;
        (resource_of(scope, true)?, scope)
    };
    let (code, entry) = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        state::decide_start(world, &path.tenant, client_id, resource, scope, ctx)
    })?;
    let page = at_authority(site, "common/oauth2/deviceauth");
    Ok(Json(wire::device_json(&code, &entry, &page, is_v1)))
}

#[derive(Deserialize)]
pub(super) struct PageQuery {
    #[serde(default)]
    otc: String,
}

/// The page where a user enters the code.
pub(super) async fn page(Params(query, _): Params<PageQuery, Envelope>) -> Html<String> {
    Html(wire::device_page(&query.otc, None))
}

/// The page when it was sent in.
pub(super) async fn answer_page(Here(kernel): Here, Raw(body, _): Raw<Envelope>) -> Html<String> {
    let form = Form::parse(&body);
    let code = form.get("user_code").or_else(|| form.get("otc")).unwrap_or_default();
    let is_approved = form.get("action") != Some("decline");
    let said = match decide(&kernel, code, is_approved) {
        Ok(()) if is_approved => "You have signed in. You may close this page.".to_owned(),
        Ok(()) => "You have declined. You may close this page.".to_owned(),
        Err(refusal) => refusal.message,
    };
    Html(wire::device_page(code, Some(&said)))
}

fn decide(kernel: &Kernel, user_code: &str, is_approved: bool) -> Result<(), Refusal> {
    kernel.commit(|world, ctx| state::decide_answer(world, user_code, is_approved, ctx))
}

/// What `POST /_mock/device_codes` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceAnswer {
    user_code: String,
    approve: bool,
}

/// Approves or declines in place of the user.
pub(crate) fn answer_device_code(kernel: &Kernel, answer: &DeviceAnswer) -> Result<(), Refusal> {
    decide(kernel, &answer.user_code, answer.approve)
}

/// The sign-ins that users are asked for. Without the secret codes.
pub(crate) fn device_codes(kernel: &Kernel) -> Value {
    kernel.inspect(|world| {
        let all = world.entra.device_codes().map(|it| {
            json!({
                "user_code": it.user_code, "client_id": it.client, "resource": it.resource,
                "state": it.word(), "interval": it.interval,
            })
        });
        json!({ "device_codes": all.collect::<Vec<_>>() })
    })
}
