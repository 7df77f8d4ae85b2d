//! Signatures that open all of an account.

use super::Fields;
use crate::kernel::{Kind, Refusal};

/// What is signed.
pub(super) fn to_sign(fields: &Fields, account: &str) -> String {
    let mut lines = vec![account];
    lines.extend(fields.lines(&["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]));
    if fields.has_encryption_scope() {
        lines.push(fields.get("ses"));
    }
    lines.push("");
    lines.join("\n")
}

/// Whether it opens containers, or what is in them.
pub(super) fn opens(fields: &Fields, of_container: bool) -> Result<bool, Refusal> {
    if !fields.get("ss").contains('b') {
        let text = "This request is not authorized to perform this operation using this service.";
        return Err(Refusal::new(Kind::Denied, text).with_code("AuthorizationServiceMismatch"));
    }
    if !fields.get("srt").contains(if of_container { 'c' } else { 'o' }) {
        let text =
            "This request is not authorized to perform this operation using this resource type.";
        return Err(Refusal::new(Kind::Denied, text).with_code("AuthorizationResourceTypeMismatch"));
    }
    Ok(true)
}
