use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azml_core::{AccessToken, Cloud, Result, Scope, TokenCredential, Transport};
use azure_identity::{ManagedIdentityCredentialOptions, UserAssignedId};

use crate::{
    azure::{Carrier, Uncached, client_options},
    check, variables,
};

const NEW: &str = "auth.managed_identity";
/// The variable by which other Azure SDKs find the metadata service elsewhere.
const METADATA_ORIGIN: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// Which identity of the machine or app to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagedIdentity {
    /// The one that the machine or app itself has.
    #[default]
    SystemAssigned,
    /// The user-assigned one with this client id.
    ClientId(String),
    /// The user-assigned one with this object id.
    ObjectId(String),
    /// The user-assigned one with this ARM id.
    ResourceId(String),
}

/// The identity that Azure has given to the machine or app that the program
/// runs on.
///
/// Asks the service at `IDENTITY_ENDPOINT` where that variable is set (App
/// Service, Functions, Container Apps), else the metadata service of the virtual
/// machine, whose origin `AZURE_POD_IDENTITY_AUTHORITY_HOST` can replace.
pub struct ManagedIdentityCredential {
    identity: ManagedIdentity,
    credential: Uncached,
}

impl fmt::Debug for ManagedIdentityCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentityCredential")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl ManagedIdentityCredential {
    /// An identity of the place where the program runs.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty id,
    /// and in places whose form of managed identity `azure_identity` does not
    /// know, such as Azure Arc or a compute target of Azure ML.
    pub fn new(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        identity: ManagedIdentity,
    ) -> Result<Self> {
        let origin = variables::process(METADATA_ORIGIN).filter(|it| !it.trim().is_empty());
        Self::at(cloud, transport, identity, origin)
    }

    pub(crate) fn at(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        identity: ManagedIdentity,
        metadata_origin: Option<String>,
    ) -> Result<Self> {
        let user_assigned_id = match identity.clone() {
            ManagedIdentity::SystemAssigned => None,
            ManagedIdentity::ClientId(id) => Some(("client id", UserAssignedId::ClientId(id))),
            ManagedIdentity::ObjectId(id) => Some(("object id", UserAssignedId::ObjectId(id))),
            ManagedIdentity::ResourceId(id) => {
                Some(("resource id", UserAssignedId::ResourceId(id)))
            }
        };
        if let Some((
            field,
            UserAssignedId::ClientId(id)
            | UserAssignedId::ObjectId(id)
            | UserAssignedId::ResourceId(id),
        )) = &user_assigned_id
        {
            check::filled(NEW, field, id)?;
        }
        let authority = cloud.authority.clone();
        let carrier = Carrier::new(transport).with_metadata(metadata_origin);
        let credential = Uncached::new(NEW, move || {
            azure_identity::ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: user_assigned_id.clone().map(|it| it.1),
                client_options: client_options(&authority, carrier.clone()),
            }))
        })?;
        Ok(Self { identity, credential })
    }
}

#[async_trait]
impl TokenCredential for ManagedIdentityCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        self.credential.token(scope).await
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use azml_core::ErrorKind;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing::{Authority, arm};

    fn open(authority: &Arc<Authority>, identity: ManagedIdentity) -> ManagedIdentityCredential {
        ManagedIdentityCredential::at(&Cloud::public(), authority.clone(), identity, None).unwrap()
    }

    #[tokio::test]
    async fn the_metadata_service_is_asked_for_the_identity() {
        let cases = [
            (ManagedIdentity::SystemAssigned, ""),
            (ManagedIdentity::ClientId("app".to_owned()), "&client_id=app"),
            (ManagedIdentity::ObjectId("object".to_owned()), "&object_id=object"),
            (ManagedIdentity::ResourceId("/r".to_owned()), "&msi_res_id=%2Fr"),
        ];
        for (identity, parameter) in cases {
            let authority = Arc::new(Authority::default());
            let token = open(&authority, identity).token(&arm()).await.unwrap();
            assert_eq!(token.secret.expose_secret(), "fake-token-1");
            assert_eq!(token.expires_at.year(), 2100);
            let expected = format!(
                "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2019-08-01\
                 &resource=https%3A%2F%2Fmanagement.azure.com{parameter}"
            );
            assert_eq!(authority.seen()[0].0, expected);
            assert_eq!(authority.header(0, "metadata").as_deref(), Some("true"));
        }
    }

    #[tokio::test]
    async fn the_metadata_service_can_be_elsewhere() {
        let authority = Arc::new(Authority::default());
        let origin = Some("http://127.0.0.1:1/".to_owned());
        let credential = ManagedIdentityCredential::at(
            &Cloud::public(),
            authority.clone(),
            ManagedIdentity::SystemAssigned,
            origin,
        );
        credential.unwrap().token(&arm()).await.unwrap();
        let address = &authority.seen()[0].0;
        assert!(
            address.starts_with("http://127.0.0.1:1/metadata/identity/oauth2/token?"),
            "{address}"
        );
    }

    #[tokio::test]
    async fn a_machine_without_the_identity_says_so_and_is_asked_once() {
        let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        let authority = Arc::new(Authority::default().then(400, body));
        let err = open(&authority, ManagedIdentity::default()).token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated);
        assert_eq!(err.to_string(), "auth.token failed: 400 invalid_request: Identity not found");
        assert_eq!(authority.seen().len(), 1);
    }

    #[tokio::test]
    async fn each_token_is_a_new_one() {
        let authority = Arc::new(Authority::default());
        let credential = open(&authority, ManagedIdentity::default());
        credential.token(&arm()).await.unwrap();
        assert_eq!(credential.token(&arm()).await.unwrap().secret.expose_secret(), "fake-token-2");
    }

    #[test]
    fn an_empty_id_is_refused() {
        let authority = Arc::new(Authority::default());
        let identity = ManagedIdentity::ClientId(String::new());
        let err = ManagedIdentityCredential::new(&Cloud::public(), authority, identity);
        assert_eq!(
            err.unwrap_err().to_string(),
            "auth.managed_identity failed: client id: is empty; give it a value"
        );
    }

    /// `azure_identity` reads the variables of the process, so that this test runs
    /// itself in another one.
    #[tokio::test]
    async fn app_service_is_asked_at_its_own_address_with_its_own_header() {
        const NAME: &str = "managed_identity::tests::\
                            app_service_is_asked_at_its_own_address_with_its_own_header";
        if std::env::var_os("IDENTITY_ENDPOINT").is_none() {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", NAME])
                .env("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi")
                .env("IDENTITY_HEADER", "fake-header")
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success() && text.contains("1 passed"), "{text}");
            return;
        }
        let authority = Arc::new(Authority::default());
        let token = open(&authority, ManagedIdentity::default()).token(&arm()).await.unwrap();
        assert_eq!(token.secret.expose_secret(), "fake-token-1");
        let expected = "http://127.0.0.1:1/msi?api-version=2019-08-01\
                        &resource=https%3A%2F%2Fmanagement.azure.com";
        assert_eq!(authority.seen()[0].0, expected);
        assert_eq!(authority.header(0, "x-identity-header").as_deref(), Some("fake-header"));
    }
}
