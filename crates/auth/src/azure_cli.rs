use std::{ffi::OsStr, fmt, io, process::Output, process::Stdio, sync::Arc, time::Duration};

use async_trait::async_trait;
use azml_core::{AccessToken, Result, Scope, TokenCredential};
use azure_identity::{AzureCliCredentialOptions, Executor};
use tokio::process::Command;

use crate::{azure::Uncached, check};

const NEW: &str = "auth.azure_cli";
/// The Azure CLI may need seconds to start, and asks nothing of anybody.
const LIMIT: Duration = Duration::from_secs(60);

/// Whoever has signed in with the Azure CLI (`az login`).
pub struct AzureCliCredential {
    tenant_id: Option<String>,
    credential: Uncached,
}

impl fmt::Debug for AzureCliCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureCliCredential")
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

impl AzureCliCredential {
    /// Whoever has signed in, in the tenant of the CLI's current account.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn new() -> Result<Self> {
        Self::through(None, Arc::new(Bounded))
    }

    /// Whoever has signed in, in another tenant.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when
    /// `tenant_id` is no id or domain.
    pub fn for_tenant(tenant_id: impl Into<String>) -> Result<Self> {
        let tenant_id = tenant_id.into();
        check::tenant_id(NEW, &tenant_id)?;
        Self::through(Some(tenant_id), Arc::new(Bounded))
    }

    fn through(tenant_id: Option<String>, executor: Arc<dyn Executor>) -> Result<Self> {
        let tenant = tenant_id.clone();
        let credential = Uncached::new(NEW, move || {
            let mut options = AzureCliCredentialOptions::default();
            options.tenant_id.clone_from(&tenant);
            options.executor = Some(executor.clone());
            azure_identity::AzureCliCredential::new(Some(options))
        })?;
        Ok(Self { tenant_id, credential })
    }
}

#[async_trait]
impl TokenCredential for AzureCliCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        self.credential.token(scope).await
    }
}

/// Runs a program that ends with the wait for it, and within a minute.
#[derive(Debug)]
struct Bounded;

#[async_trait]
impl Executor for Bounded {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let output =
            Command::new(program).args(args).stdin(Stdio::null()).kill_on_drop(true).output();
        tokio::time::timeout(LIMIT, output).await.unwrap_or_else(|_| {
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {LIMIT:?}")))
        })
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use azml_core::ErrorKind;
    use parking_lot::Mutex;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing::{TENANT_ID, arm};

    /// Answers in place of the CLI and keeps the command.
    #[derive(Debug, Default)]
    struct Shell {
        status: i32,
        stdout: &'static str,
        stderr: &'static str,
        command: Mutex<String>,
    }

    #[async_trait]
    impl Executor for Shell {
        async fn run(&self, _: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
            args[1].to_str().unwrap().clone_into(&mut self.command.lock());
            Ok(Output {
                status: std::process::ExitStatus::from_raw(self.status << 8),
                stdout: self.stdout.into(),
                stderr: self.stderr.into(),
            })
        }
    }

    #[tokio::test]
    async fn the_cli_is_asked_for_a_token_of_the_tenant() {
        let shell = Arc::new(Shell {
            stdout: r#"{"accessToken":"fake-token","expires_on":4102444800,"tokenType":"Bearer"}"#,
            ..Shell::default()
        });
        let credential =
            AzureCliCredential::through(Some(TENANT_ID.to_owned()), shell.clone()).unwrap();
        let token = credential.token(&arm()).await.unwrap();
        assert_eq!(token.secret.expose_secret(), "fake-token");
        assert_eq!(token.expires_at.year(), 2100);
        assert_eq!(
            *shell.command.lock(),
            format!(
                "cd /bin && az account get-access-token -o json \
                 --scope https://management.azure.com/.default --tenant {TENANT_ID}"
            )
        );
    }

    #[tokio::test]
    async fn whoever_has_not_signed_in_is_told_to() {
        let stderr = "ERROR: Please run 'az login' to setup account.\n";
        let shell = Arc::new(Shell { status: 1, stderr, ..Shell::default() });
        let credential = AzureCliCredential::through(None, shell).unwrap();
        let err = credential.token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated);
        let text = err.to_string();
        assert!(text.ends_with("Please run 'az login' to setup account"), "{text}");
    }

    #[tokio::test]
    async fn a_missing_cli_is_named() {
        let shell = Arc::new(Shell { status: 127, ..Shell::default() });
        let credential = AzureCliCredential::through(None, shell).unwrap();
        let err = credential.token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated);
        let text = err.to_string();
        assert!(text.contains("az not found on PATH"), "{text}");
    }

    #[tokio::test]
    async fn a_program_is_run_without_input() {
        let args = [OsStr::new("-c"), OsStr::new("cat; echo out; echo problem >&2; exit 3")];
        let output = Bounded.run(OsStr::new("/bin/sh"), &args).await.unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((output.stdout, output.stderr), (b"out\n".to_vec(), b"problem\n".to_vec()));
    }

    #[test]
    fn a_tenant_is_checked() {
        assert!(AzureCliCredential::for_tenant("a b; rm").is_err());
    }
}
