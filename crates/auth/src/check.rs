//! What is refused before anything is sent.

use azml_core::{Cloud, Error, Result};

/// A part that must not be empty.
pub(crate) fn filled(operation: &'static str, field: &str, value: &str) -> Result<()> {
    if value.trim().is_empty() {
        return Err(Error::invalid(operation, format!("{field}: is empty; give it a value")));
    }
    Ok(())
}

/// A tenant is a GUID, a domain, or a word like `organizations`.
pub(crate) fn tenant_id(operation: &'static str, value: &str) -> Result<()> {
    filled(operation, "tenant id", value)?;
    let is_good = value.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.'));
    if !is_good {
        let reason = format!(
            "tenant id: {value:?} is none; give the directory's id (a GUID) or one of its domains"
        );
        return Err(Error::invalid(operation, reason));
    }
    Ok(())
}

/// Secrets go to the authority, so that nobody may listen on the way.
pub(crate) fn authority(operation: &'static str, cloud: &Cloud) -> Result<()> {
    if !cloud.authority.starts_with("https://") {
        let reason = format!(
            "authority: {:?} does not begin with https://; set AZURE_AUTHORITY_HOST, or give the cloud another",
            cloud.authority
        );
        return Err(Error::invalid(operation, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_an_id_or_a_domain() {
        for good in ["22222222-2222-2222-2222-222222222222", "a.onmicrosoft.com", "organizations"] {
            tenant_id("auth.test", good).unwrap();
        }
        let err = tenant_id("auth.test", "a/b").unwrap_err();
        assert_eq!(
            err.to_string(),
            "auth.test failed: tenant id: \"a/b\" is none; give the directory's id (a GUID) or one of its domains"
        );
        assert!(tenant_id("auth.test", " ").is_err());
    }

    #[test]
    fn an_authority_is_reached_by_https() {
        let cloud = Cloud::public().with_authority("http://login.a.test");
        assert!(authority("auth.test", &cloud).is_err());
        authority("auth.test", &Cloud::public()).unwrap();
    }
}
