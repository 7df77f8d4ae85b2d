use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use azml_core::{AccessToken, Cloud, Result, Scope, TokenCredential, Transport};

#[cfg(feature = "certificate")]
use crate::ClientCertificateCredential;
use crate::{
    AzureCliCredential, ChainedCredential, ClientSecretCredential, ManagedIdentity,
    ManagedIdentityCredential, WorkloadIdentityCredential, chain::Found, chain::without_operation,
    variables,
};

/// How long the metadata service of a machine may take to show that it is there.
const PROBE: Duration = Duration::from_secs(5);

/// Whatever identity the place has where the program runs, so that the same
/// program works on a desk, in CI and in Azure.
///
/// Tries in this order, and keeps the first that works:
///
/// 1. *environment*: `AZURE_TENANT_ID` and `AZURE_CLIENT_ID` with
///    `AZURE_CLIENT_SECRET` or `AZURE_CLIENT_CERTIFICATE_PATH`;
/// 2. *workload identity*: the first two with `AZURE_FEDERATED_TOKEN_FILE`;
/// 3. *managed identity*, for at most five seconds where nothing says that there
///    is one (`IDENTITY_ENDPOINT`);
/// 4. *Azure CLI*;
/// 5. *device code*, if [`with_device_code`](Self::with_device_code) was called.
///
/// One that is set up and refused, or not set up in full, ends the search: another
/// identity than the one that was meant would do more harm than an error.
#[derive(Debug)]
pub struct DefaultCredential {
    chain: ChainedCredential,
}

impl DefaultCredential {
    /// The identity of this place in `cloud`. Nothing is sent before the first
    /// token is asked for.
    pub fn new(cloud: &Cloud, transport: &Arc<dyn Transport>) -> Self {
        Self::from_variables(cloud, transport, variables::process)
    }

    fn from_variables(
        cloud: &Cloud,
        transport: &Arc<dyn Transport>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let variable = |name: &str| variable(name).filter(|it| !it.trim().is_empty());
        let workload = match variable("AZURE_FEDERATED_TOKEN_FILE") {
            Some(_) => Found::set_up(WorkloadIdentityCredential::from_variables(
                cloud,
                transport.clone(),
                variable,
            )),
            None => Found::Absent("AZURE_FEDERATED_TOKEN_FILE is not set".to_owned()),
        };
        let identity = match variable("AZURE_CLIENT_ID") {
            Some(id) => ManagedIdentity::ClientId(id),
            None => ManagedIdentity::SystemAssigned,
        };
        let managed = match ManagedIdentityCredential::new(cloud, transport.clone(), identity) {
            // A form that is not known here. Azure sets up Arc and Cloud Shell for all, so
            // that nobody has chosen it.
            Err(err) if variable("IDENTITY_HEADER").is_none() => {
                Found::Absent(without_operation(&err))
            }
            managed => Found::set_up(managed),
        };
        let is_in_app = variable("IDENTITY_ENDPOINT").is_some();
        let probe = if is_in_app { None } else { Some(PROBE) };
        let chain = ChainedCredential::new()
            .with_link("environment", environment(cloud, transport, variable), true, None)
            .with_link("workload identity", workload, true, None)
            .with_link("managed identity", managed, is_in_app, probe)
            .with_link("Azure CLI", Found::set_up(AzureCliCredential::new()), false, None);
        Self { chain }
    }

    /// Asks a person to sign in when nothing else works.
    #[cfg(feature = "device-code")]
    #[must_use]
    pub fn with_device_code(self, credential: crate::DeviceCodeCredential) -> Self {
        let chain =
            self.chain.with_link("device code", Found::Ready(Arc::new(credential)), true, None);
        Self { chain }
    }

    /// What worked, if something has: `environment`, `workload identity`,
    /// `managed identity`, `Azure CLI` or `device code`.
    pub fn chosen(&self) -> Option<&'static str> {
        self.chain.chosen()
    }
}

/// The service principal that the environment names, by secret or certificate.
fn environment(
    cloud: &Cloud,
    transport: &Arc<dyn Transport>,
    variable: impl Fn(&str) -> Option<String>,
) -> Found {
    if variable("AZURE_CLIENT_SECRET").is_some() {
        let transport = transport.clone();
        return Found::set_up(ClientSecretCredential::from_variables(cloud, transport, variable));
    }
    #[cfg(feature = "certificate")]
    if variable("AZURE_CLIENT_CERTIFICATE_PATH").is_some() {
        let transport = transport.clone();
        let credential = ClientCertificateCredential::from_variables(cloud, transport, variable);
        return Found::set_up(credential);
    }
    #[cfg(not(feature = "certificate"))]
    if variable("AZURE_CLIENT_CERTIFICATE_PATH").is_some() {
        return Found::Broken(
            "AZURE_CLIENT_CERTIFICATE_PATH: needs the feature `certificate`, which this program is built without"
                .to_owned(),
        );
    }
    Found::Absent("neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set".to_owned())
}

#[async_trait]
impl TokenCredential for DefaultCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        self.chain.token(scope).await
    }

    fn invalidate(&self, scope: &Scope, rejected: &AccessToken) {
        self.chain.invalidate(scope, rejected);
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing::{Authority, TENANT_ID, arm};

    fn open(authority: &Arc<Authority>, variables: &[(&str, &str)]) -> DefaultCredential {
        let transport: Arc<dyn Transport> = authority.clone();
        DefaultCredential::from_variables(&Cloud::public(), &transport, |name| {
            variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned())
        })
    }

    #[tokio::test]
    async fn a_secret_in_the_environment_comes_first() {
        let authority = Arc::new(Authority::default());
        let variables = [
            ("AZURE_TENANT_ID", TENANT_ID),
            ("AZURE_CLIENT_ID", "app"),
            ("AZURE_CLIENT_SECRET", "fake-secret"),
        ];
        let credential = open(&authority, &variables);
        credential.token(&arm()).await.unwrap();
        assert_eq!(credential.chosen(), Some("environment"));
        let second = credential.token(&arm()).await.unwrap();
        assert_eq!(second.secret.expose_secret(), "fake-token-2");
        assert!(!format!("{credential:?}").contains("fake-secret"));
    }

    #[cfg(feature = "certificate")]
    #[tokio::test]
    async fn a_certificate_in_the_environment_is_used() {
        let authority = Arc::new(Authority::default());
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/certificates/client.pem");
        let variables = [
            ("AZURE_TENANT_ID", TENANT_ID),
            ("AZURE_CLIENT_ID", "app"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", file),
        ];
        let credential = open(&authority, &variables);
        credential.token(&arm()).await.unwrap();
        assert_eq!(credential.chosen(), Some("environment"));
        assert!(authority.seen()[0].1.starts_with("client_assertion="));
    }

    #[tokio::test]
    async fn a_wrong_secret_is_told_and_nothing_else_tried() {
        let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid."}"#;
        let authority = Arc::new(Authority::refusing(refusal));
        let variables = [
            ("AZURE_TENANT_ID", TENANT_ID),
            ("AZURE_CLIENT_ID", "app"),
            ("AZURE_CLIENT_SECRET", "fake-secret"),
        ];
        let err = open(&authority, &variables).token(&arm()).await.unwrap_err();
        assert_eq!(
            err.to_string(),
            "auth.token failed: 401 invalid_client: AADSTS7000215: Invalid."
        );
        assert_eq!(authority.seen().len(), 1);
    }

    #[tokio::test]
    async fn without_variables_the_machine_is_asked_who_it_is() {
        let authority = Arc::new(Authority::default());
        let credential = open(&authority, &[]);
        credential.token(&arm()).await.unwrap();
        assert_eq!(credential.chosen(), Some("managed identity"));
        assert!(authority.seen()[0].0.starts_with("http://169.254.169.254/"));
    }

    #[tokio::test]
    async fn a_busy_metadata_service_is_asked_again_and_remains_who_it_is() {
        for (status, kind) in [(429, ErrorKind::Throttled), (500, ErrorKind::Unavailable)] {
            let authority = Arc::new(Authority::default().then(status, "busy"));
            let credential = open(&authority, &[]);
            let err = credential.token(&arm()).await.unwrap_err();
            assert_eq!((err.kind(), credential.chosen()), (kind, None));
            assert_eq!(
                err.to_string(),
                format!("auth.chain failed: {status}: managed identity: busy")
            );
            credential.token(&arm()).await.unwrap();
            assert_eq!(credential.chosen(), Some("managed identity"));
        }
    }

    #[cfg(feature = "device-code")]
    #[tokio::test(start_paused = true)]
    async fn a_person_is_asked_last() {
        let none = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        let started =
            r#"{"device_code":"d","user_code":"u","verification_uri":"v","expires_in":900}"#;
        let authority = Authority::default().then(400, none).then(200, started);
        let authority = Arc::new(authority);
        let transport: Arc<dyn Transport> = authority.clone();
        let person = crate::DeviceCodeCredential::new(
            &Cloud::public(),
            authority.clone(),
            TENANT_ID,
            "app",
            |_| (),
        );
        // The Azure CLI of the machine that tests is left out.
        let identity = ManagedIdentity::SystemAssigned;
        let managed = ManagedIdentityCredential::new(&Cloud::public(), transport, identity);
        let chain = ChainedCredential::new().with_link(
            "managed identity",
            Found::set_up(managed),
            false,
            Some(PROBE),
        );
        let credential = DefaultCredential { chain }.with_device_code(person.unwrap());
        credential.token(&arm()).await.unwrap();
        assert_eq!(credential.chosen(), Some("device code"));
    }

    #[tokio::test]
    async fn an_identity_that_is_set_up_in_part_is_told_and_nobody_else_signs_in() {
        let missing = concat!(env!("CARGO_MANIFEST_DIR"), "/no/such/file");
        let cases: &[(&[(&str, &str)], &str)] = &[
            (
                &[("AZURE_CLIENT_SECRET", "fake-secret"), ("AZURE_CLIENT_ID", " ")],
                "environment cannot be used; environment: set AZURE_TENANT_ID, AZURE_CLIENT_ID",
            ),
            (
                &[
                    ("AZURE_TENANT_ID", "a/b"),
                    ("AZURE_CLIENT_ID", "app"),
                    ("AZURE_CLIENT_SECRET", "fake-secret"),
                ],
                "environment cannot be used; tenant id: \"a/b\" is none; give the directory's id (a GUID) or one of its domains",
            ),
            (
                &[("AZURE_FEDERATED_TOKEN_FILE", missing), ("AZURE_TENANT_ID", TENANT_ID)],
                "workload identity cannot be used; environment: set AZURE_CLIENT_ID",
            ),
        ];
        for (variables, expected) in cases {
            let authority = Arc::new(Authority::default());
            let credential = open(&authority, variables);
            let err = credential.token(&arm()).await.unwrap_err();
            assert_eq!(err.to_string(), format!("auth.chain failed: {expected}"));
            assert_eq!(err.kind(), ErrorKind::InvalidArgument);
            assert_eq!((credential.chosen(), authority.seen().len()), (None, 0));
        }
    }

    /// `azure_identity` reads the variables of the process, so that this test runs
    /// itself in another one, where there is no Azure CLI either.
    #[tokio::test]
    async fn a_managed_identity_of_an_unknown_form_is_passed_over_with_its_reason() {
        const NAME: &str = "default::tests::\
                            a_managed_identity_of_an_unknown_form_is_passed_over_with_its_reason";
        if std::env::var_os("MSI_ENDPOINT").is_none() {
            let output = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", NAME])
                .env("MSI_ENDPOINT", "http://127.0.0.1:1/msi")
                .env("PATH", "")
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success() && text.contains("1 passed"), "{text}");
            return;
        }
        let authority = Arc::new(Authority::default());
        let err = open(&authority, &[]).token(&arm()).await.unwrap_err();
        let expected = "auth.chain failed: no credential works; \
                        environment: neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set; \
                        workload identity: AZURE_FEDERATED_TOKEN_FILE is not set; \
                        managed identity: CloudShell managed identity isn't supported; Azure CLI: ";
        let text = err.to_string();
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(authority.seen().len(), 0);
    }

    #[tokio::test]
    async fn a_certificate_that_cannot_be_read_is_told_and_nobody_else_signs_in() {
        let authority = Arc::new(Authority::default());
        let variables = [
            ("AZURE_TENANT_ID", TENANT_ID),
            ("AZURE_CLIENT_ID", "app"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", "no/such/file.pem"),
        ];
        let err = open(&authority, &variables).token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
        assert_eq!(authority.seen().len(), 0);
    }
}
