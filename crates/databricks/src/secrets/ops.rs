use azml_core::{Error, ErrorKind, Operation, Request, Response, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretSlice};

use super::{
    NewSecretScope, ScopeBackend, SecretAcl, SecretKey, SecretMetadata, SecretScope,
    SecretScopeName, SecretValue, wire,
};
use crate::{
    fault,
    wire::{get, post},
};

const MAX_VALUE: usize = 128 * 1024;
const MAX_NAME: usize = 128;

/// The group that alone may be named when a scope is made.
const ALL_USERS: &str = "users";

fn check_name(operation: &'static str, field: &str, name: &str) -> Result<()> {
    let is_legal = |it: char| it.is_alphanumeric() || "_-@.".contains(it);
    if !name.is_empty() && name.chars().count() <= MAX_NAME && name.chars().all(is_legal) {
        return Ok(());
    }
    let reason =
        format!("{field}: {name:?} is no name; use 1 to 128 letters, digits and _, -, @, .");
    Err(Error::invalid(operation, reason))
}

pub(super) struct CreateScope<'a>(pub(super) &'a NewSecretScope);

impl Operation for CreateScope<'_> {
    const NAME: &'static str = "databricks.secrets.create_scope";
    // A repeat would find its own scope in the way.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let NewSecretScope { name, is_managed_by_all_users, key_vault } = self.0;
        check_name(Self::NAME, "name", name.as_str())?;
        let backend = match key_vault {
            None => ScopeBackend::Databricks,
            Some(_) => ScopeBackend::AzureKeyVault,
        };
        let body = wire::CreateScopeRequest {
            scope: name.as_str(),
            initial_manage_principal: is_managed_by_all_users.then_some(ALL_USERS),
            scope_backend_type: backend.as_str(),
            backend_azure_keyvault: key_vault.as_ref().map(Into::into),
        };
        post(Self::NAME, base, "/api/2.0/secrets/scopes/create", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct ListScopes;

impl Operation for ListScopes {
    const NAME: &'static str = "databricks.secrets.list_scopes";
    const IDEMPOTENT: bool = true;
    type Output = Vec<SecretScope>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/secrets/scopes/list").build()
    }

    fn decode(&self, response: Response) -> Result<Vec<SecretScope>> {
        let body: wire::ListScopesResponse = fault::read(Self::NAME, &response)?;
        Ok(body.scopes.into_iter().map(Into::into).collect())
    }
}

pub(super) struct DeleteScope<'a>(pub(super) &'a SecretScopeName);

impl Operation for DeleteScope<'_> {
    const NAME: &'static str = "databricks.secrets.delete_scope";
    // A repeat would be told that the scope does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ByScope { scope: self.0.as_str() };
        post(Self::NAME, base, "/api/2.0/secrets/scopes/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Put<'a> {
    pub(super) scope: &'a SecretScopeName,
    pub(super) key: &'a SecretKey,
    pub(super) value: &'a SecretValue,
}

impl Operation for Put<'_> {
    const NAME: &'static str = "databricks.secrets.put";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        check_name(Self::NAME, "key", self.key.as_str())?;
        let (text, bytes, len) = match self.value {
            SecretValue::Text(it) => (Some(it.expose_secret()), None, it.expose_secret().len()),
            SecretValue::Bytes(it) => {
                let bytes = it.expose_secret();
                (None, Some(STANDARD.encode(bytes)), bytes.len())
            }
        };
        if MAX_VALUE < len {
            let reason =
                format!("value: has {len} bytes and at most 128 KiB go; keep it in a file");
            return Err(Error::invalid(Self::NAME, reason));
        }
        let body = wire::PutRequest {
            scope: self.scope.as_str(),
            key: self.key.as_str(),
            string_value: text,
            bytes_value: bytes,
        };
        post(Self::NAME, base, "/api/2.0/secrets/put", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Get<'a>(pub(super) &'a SecretScopeName, pub(super) &'a SecretKey);

impl Operation for Get<'_> {
    const NAME: &'static str = "databricks.secrets.get";
    const IDEMPOTENT: bool = true;
    type Output = SecretSlice<u8>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/secrets/get")
            .query("scope", self.0)
            .query("key", self.1)
            .build()
    }

    fn decode(&self, response: Response) -> Result<SecretSlice<u8>> {
        let body: wire::GetResponse = fault::read(Self::NAME, &response)?;
        // The error of the decoder would show a character of the secret.
        let bytes = STANDARD.decode(body.value.expose_secret()).map_err(|_| {
            Error::explained(Self::NAME, ErrorKind::Decode, "the value is no base64")
        })?;
        Ok(bytes.into())
    }
}

pub(super) struct List<'a>(pub(super) &'a SecretScopeName);

impl Operation for List<'_> {
    const NAME: &'static str = "databricks.secrets.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<SecretMetadata>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/secrets/list").query("scope", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<Vec<SecretMetadata>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        Ok(body.secrets.into_iter().map(Into::into).collect())
    }
}

pub(super) struct Delete<'a>(pub(super) &'a SecretScopeName, pub(super) &'a SecretKey);

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.secrets.delete";
    // A repeat would be told that the secret does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ByKey { scope: self.0.as_str(), key: self.1.as_str() };
        post(Self::NAME, base, "/api/2.0/secrets/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct PutAcl<'a>(pub(super) &'a SecretScopeName, pub(super) &'a SecretAcl);

impl Operation for PutAcl<'_> {
    const NAME: &'static str = "databricks.secrets.put_acl";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::PutAclRequest {
            scope: self.0.as_str(),
            principal: &self.1.principal,
            permission: &self.1.permission,
        };
        post(Self::NAME, base, "/api/2.0/secrets/acls/put", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct GetAcl<'a>(pub(super) &'a SecretScopeName, pub(super) &'a str);

impl Operation for GetAcl<'_> {
    const NAME: &'static str = "databricks.secrets.get_acl";
    const IDEMPOTENT: bool = true;
    type Output = SecretAcl;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/secrets/acls/get")
            .query("scope", self.0)
            .query("principal", self.1)
            .build()
    }

    fn decode(&self, response: Response) -> Result<SecretAcl> {
        Ok(fault::read::<wire::WireAcl>(Self::NAME, &response)?.into())
    }
}

pub(super) struct ListAcls<'a>(pub(super) &'a SecretScopeName);

impl Operation for ListAcls<'_> {
    const NAME: &'static str = "databricks.secrets.list_acls";
    const IDEMPOTENT: bool = true;
    type Output = Vec<SecretAcl>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/secrets/acls/list").query("scope", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<Vec<SecretAcl>> {
        let body: wire::ListAclsResponse = fault::read(Self::NAME, &response)?;
        Ok(body.items.into_iter().map(Into::into).collect())
    }
}

pub(super) struct DeleteAcl<'a>(pub(super) &'a SecretScopeName, pub(super) &'a str);

impl Operation for DeleteAcl<'_> {
    const NAME: &'static str = "databricks.secrets.delete_acl";
    // A repeat would be told that there is no right.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ByPrincipal { scope: self.0.as_str(), principal: self.1 };
        post(Self::NAME, base, "/api/2.0/secrets/acls/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use time::macros::datetime;

    use super::*;
    use crate::{secrets::SecretPermission, testing::check};

    const VAULT: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1/providers/Microsoft.KeyVault/vaults/fake";

    #[test]
    fn every_call_is_as_saved() {
        let (team, key) = (SecretScopeName::new("team"), SecretKey::new("key.pem"));
        let scope = NewSecretScope::new("team").managed_by_all_users();
        check("secrets/create-scope", &CreateScope(&scope)).unwrap();
        let vault =
            NewSecretScope::new("vault").in_key_vault(VAULT, "https://fake.vault.azure.net/");
        check("secrets/create-scope-azure-key-vault", &CreateScope(&vault)).unwrap();
        let scopes = check("secrets/list-scopes", &ListScopes).unwrap();
        assert_eq!(scopes[0].backend, ScopeBackend::Databricks);
        assert_eq!(scopes[1].key_vault, vault.key_vault);
        check("secrets/delete-scope", &DeleteScope(&team)).unwrap();

        let password = SecretKey::new("password");
        let value = SecretValue::from(SecretString::from("fake-password"));
        check("secrets/put", &Put { scope: &team, key: &password, value: &value }).unwrap();
        assert!(!format!("{value:?}").contains("fake-password"));
        let value = SecretValue::from(SecretSlice::from(b"fake-key".to_vec()));
        check("secrets/put-bytes", &Put { scope: &team, key: &key, value: &value }).unwrap();
        let read = check("secrets/get", &Get(&team, &password)).unwrap();
        assert_eq!(read.expose_secret(), b"fake-password");
        assert!(!format!("{read:?}").contains("102"));
        let found = check("secrets/list", &List(&team)).unwrap();
        assert_eq!(found[0].key, key);
        assert_eq!(found[0].updated_at, Some(datetime!(2023-11-14 22:13:20 UTC)));
        check("secrets/delete", &Delete(&team, &key)).unwrap();

        let acl = SecretAcl::new("users", SecretPermission::Read);
        check("secrets/put-acl", &PutAcl(&team, &acl)).unwrap();
        assert_eq!(check("secrets/get-acl", &GetAcl(&team, "users")).unwrap(), acl);
        assert_eq!(check("secrets/list-acls", &ListAcls(&team)).unwrap(), [acl]);
        check("secrets/delete-acl", &DeleteAcl(&team, "users")).unwrap();
    }

    #[test]
    fn what_is_missing_and_what_is_there_already_are_told_apart() {
        let (team, nowhere) = (SecretScopeName::new("team"), SecretScopeName::new("nowhere"));
        let nothing = SecretKey::new("nothing");
        for err in [
            check("secrets/get-missing", &Get(&team, &nothing)).unwrap_err(),
            check("secrets/delete-missing", &Delete(&team, &nothing)).unwrap_err(),
            check("secrets/delete-scope-missing", &DeleteScope(&nowhere)).unwrap_err(),
            check("secrets/list-scope-missing", &List(&nowhere)).unwrap_err(),
            check("secrets/get-acl-missing", &GetAcl(&team, "nobody@example.test")).unwrap_err(),
        ] {
            assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
        }
    }

    #[test]
    fn names_and_values_beyond_the_limits_are_refused_unsent() {
        let scope = NewSecretScope::new("a b");
        assert!(CreateScope(&scope).encode("https://adb-1.test").is_err());
        let value = SecretValue::from(SecretString::from("x".repeat(128 * 1024 + 1)));
        let (scope, key) = (SecretScopeName::new("s"), SecretKey::new("k"));
        let put = Put { scope: &scope, key: &key, value: &value };
        let err = put.encode("https://adb-1.test").unwrap_err();
        insta::assert_snapshot!(err, @"databricks.secrets.put failed: value: has 131073 bytes and at most 128 KiB go; keep it in a file");
    }

    #[test]
    fn a_value_that_cannot_be_read_is_not_shown() {
        let body = r#"{"key":"k","value":"fake secret!"}"#;
        let response = http::Response::builder().status(200).body(body.into()).unwrap();
        let (scope, key) = (SecretScopeName::new("s"), SecretKey::new("k"));
        let err = Get(&scope, &key).decode(response).unwrap_err();
        assert!(!format!("{err:?}").contains("fake"));
    }
}
