use serde_json::{Value, json};

use crate::{
    kernel::Secret,
    services::entra::state::{DEVICE_CODE_LIFE, DeviceCode},
};

/// What a program gets to show. Numbers are texts in the first generation.
pub(in super::super) fn device_json(
    code: &Secret,
    entry: &DeviceCode,
    page: &str,
    is_v1: bool,
) -> Value {
    let user_code = &entry.user_code;
    let message = format!(
        "To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."
    );
    let number = |it: u64| if is_v1 { Value::from(it.to_string()) } else { Value::from(it) };
    let mut shown = json!({
        "user_code": user_code, "device_code": &**code, "expires_in": number(DEVICE_CODE_LIFE.as_secs()),
        "interval": number(entry.interval), "message": message, "verification_uri": page,
    });
    if is_v1 {
        shown["verification_url"] = page.into();
    }
    shown
}

/// Where a user enters the code.
pub(in super::super) fn device_page(user_code: &str, said: Option<&str>) -> String {
    let said = said.map_or_else(String::new, |it| format!("<p><b>{}</b></p>", escaped(it)));
    format!(
        "<!DOCTYPE html><title>Sign in</title><h1>Sign in on another device</h1>{said}\
         <form method=\"post\"><label>Code <input name=\"user_code\" value=\"{}\"></label> \
         <button name=\"action\" value=\"approve\">Approve</button> \
         <button name=\"action\" value=\"decline\">Decline</button></form>",
        escaped(user_code)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
