//! A person who signs in with a browser, on this or another device.

mod ops;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use azml_core::{
    AccessToken, Clock, Cloud, Endpoint, Error, ErrorKind, Operation, Result, RetryPolicy, Scope,
    TokenCredential, TokioClock, Transport,
};
use secrecy::SecretString;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use self::ops::{Answer, Grant, Granted, Start, Token};
use crate::check;

const NEW: &str = "auth.device_code";
/// By this the pause grows when the authority asks for it (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// What to tell the person who is to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCodePrompt {
    /// The code to enter.
    pub user_code: String,
    /// The page to enter it on.
    pub verification_uri: String,
    /// Both in a sentence, in the words of the authority.
    pub message: String,
    /// When the code stops to work.
    pub expires_at: OffsetDateTime,
}

type Prompt = Arc<dyn Fn(&DeviceCodePrompt) + Send + Sync>;

/// A person who signs in with a browser, on this or another device.
///
/// The first token needs the person; later ones, for any scope, come by the
/// refresh token without a word. Dropping the wait loses nothing: the next call
/// goes on with the same code, as long as it works.
///
/// A call through an [`Endpoint`] waits for its token no longer than for an
/// answer. Ask for one token yourself before, so that the person has the time
/// that the code gives.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use azml_core::{Cloud, Result, Session, TokenCredential, Transport};
/// use azml_auth::DeviceCodeCredential;
///
/// # async fn demo(cloud: Cloud, transport: Arc<dyn Transport>) -> Result<()> {
/// let credential = DeviceCodeCredential::new(
///     &cloud,
///     transport.clone(),
///     "organizations",
///     DeviceCodeCredential::AZURE_CLI,
///     |prompt| eprintln!("{}", prompt.message),
/// )?;
/// let session = Session::new(cloud, transport, Arc::new(credential));
/// session.credential().token(&session.cloud().arm_scope()).await?;
/// # Ok(())
/// # }
/// ```
pub struct DeviceCodeCredential {
    authority: Endpoint,
    tenant_id: String,
    client_id: String,
    prompt: Prompt,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    refresh_token: Option<SecretString>,
    pending: Option<Pending>,
}

/// A code that the person has been told.
struct Pending {
    scope: Scope,
    user_code: String,
    device_code: SecretString,
    interval: Duration,
    started_at: OffsetDateTime,
    expires_at: OffsetDateTime,
}

impl fmt::Debug for DeviceCodeCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodeCredential")
            .field("authority", &self.authority.base())
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl DeviceCodeCredential {
    /// The application id of the Azure CLI, which every tenant knows and Azure's
    /// own SDKs sign in developers with.
    pub const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

    /// Somebody of `tenant_id`, who is told by `prompt` where to enter which code.
    ///
    /// `organizations` as the tenant takes a work account of any directory.
    /// `client_id` is an application that may sign in people without a secret,
    /// for example [`AZURE_CLI`](Self::AZURE_CLI).
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a part is empty, the
    /// tenant is no id or domain, or the authority of `cloud` is not an `https` URL.
    pub fn new(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        prompt: impl Fn(&DeviceCodePrompt) + Send + Sync + 'static,
    ) -> Result<Self> {
        let (tenant_id, client_id) = (tenant_id.into(), client_id.into());
        check::authority(NEW, cloud)?;
        check::tenant_id(NEW, &tenant_id)?;
        check::filled(NEW, "client id", &client_id)?;
        let authority = Endpoint::new(cloud.authority.as_str(), transport)
            .with_clock(Arc::new(TokioClock::new()));
        let (prompt, state) = (Arc::new(prompt), Mutex::default());
        Ok(Self { authority, tenant_id, client_id, prompt, state })
    }

    /// Waits on `clock` instead of [`TokioClock`], and tells the age of codes and
    /// tokens by it.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { authority: self.authority.clone().with_clock(clock), ..self }
    }

    fn now(&self) -> OffsetDateTime {
        self.authority.clock().now()
    }

    fn ask<'a>(&'a self, grant: Grant<'a>) -> Token<'a> {
        Token { tenant_id: &self.tenant_id, client_id: &self.client_id, grant }
    }

    /// A token without the person, or `None` when it needs the person again.
    async fn refreshed(&self, state: &mut State, scope: &Scope) -> Result<Option<AccessToken>> {
        let Some(refresh_token) = state.refresh_token.clone() else { return Ok(None) };
        let token = self.ask(Grant::Refresh(&refresh_token, scope));
        match self.authority.call(&token).await {
            Ok(Answer::Granted(granted)) => self.keep(state, granted).map(Some),
            Ok(Answer::Pending | Answer::SlowDown) => Ok(None),
            Err(err) if needs_person(&err) => {
                state.refresh_token = None;
                Ok(None)
            }
            Err(err) => Err(err),
        }
    }

    fn keep(&self, state: &mut State, granted: Granted) -> Result<AccessToken> {
        // Without a new one the old one stays good.
        if granted.refresh_token.is_some() {
            state.refresh_token = granted.refresh_token;
        }
        let expires_at = after(Token::NAME, self.now(), granted.expires_in.max(0).unsigned_abs())?;
        Ok(AccessToken::new(granted.access_token, expires_at))
    }

    async fn start(&self, scope: &Scope) -> Result<Pending> {
        let Self { tenant_id, client_id, .. } = self;
        let started = self.authority.call(&Start { tenant_id, client_id, scope }).await?;
        let started_at = self.now();
        let expires_at = after(Start::NAME, started_at, started.expires_in)?;
        let (user_code, verification_uri) = (started.user_code, started.verification_uri);
        let message = if started.message.is_empty() {
            format!("To sign in, open {verification_uri} and enter the code {user_code}")
        } else {
            started.message
        };
        (self.prompt)(&DeviceCodePrompt {
            user_code: user_code.clone(),
            verification_uri,
            message,
            expires_at,
        });
        Ok(Pending {
            scope: scope.clone(),
            user_code,
            device_code: started.device_code,
            interval: Duration::from_secs(started.interval.max(1)),
            started_at,
            expires_at,
        })
    }

    /// Asks until the person has entered the code, or it has ended.
    async fn wait(&self, pending: &mut Pending) -> Result<Granted> {
        // Asking again is what we do anyway.
        let authority = self.authority.clone().with_retry(RetryPolicy::never());
        loop {
            if pending.expires_at <= self.now() {
                let life = pending.expires_at - pending.started_at;
                let reason = format!(
                    "nobody entered the code {} within {} s; sign in again to get another",
                    pending.user_code,
                    life.whole_seconds()
                );
                return Err(Error::explained(NEW, ErrorKind::Timeout, reason));
            }
            self.authority.clock().sleep(pending.interval).await;
            let answer = authority.call(&self.ask(Grant::DeviceCode(&pending.device_code))).await;
            match answer {
                Ok(Answer::Granted(granted)) => return Ok(granted),
                Ok(Answer::Pending) => (),
                Ok(Answer::SlowDown) => pending.interval = pending.interval.saturating_add(SLOWER),
                Err(err) => match err.kind() {
                    ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Unreachable => {
                        // The person may be entering the code this very moment.
                        let asked = err.service_fault().and_then(|it| it.retry_after);
                        pending.interval = pending.interval.max(asked.unwrap_or_default());
                    }
                    ErrorKind::Timeout if err.service_fault().is_none() => {
                        pending.interval = pending.interval.saturating_add(SLOWER);
                    }
                    _ => return Err(err),
                },
            }
        }
    }
}

/// The instant `seconds` later, which an authority may put beyond the calendar.
fn after(operation: &'static str, at: OffsetDateTime, seconds: u64) -> Result<OffsetDateTime> {
    let span = i64::try_from(seconds).ok().map(time::Duration::seconds);
    span.and_then(|it| at.checked_add(it)).ok_or_else(|| {
        let reason = format!("expires_in: {seconds} s from now is after the year 9999");
        Error::explained(operation, ErrorKind::Decode, reason)
    })
}

/// Whether the authority takes the refresh token no longer, or wants to see the
/// person. Any other refusal may pass, or is none of the sign-in's fault.
fn needs_person(err: &Error) -> bool {
    err.service_fault()
        .is_some_and(|it| matches!(it.code.as_str(), "invalid_grant" | "interaction_required"))
}

#[async_trait]
impl TokenCredential for DeviceCodeCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        let mut state = self.state.lock().await;
        loop {
            if let Some(token) = self.refreshed(&mut state, scope).await? {
                return Ok(token);
            }
            // Whoever gave up waiting has left a code that may still be entered.
            let is_resumed = state.pending.as_ref().is_some_and(|it| self.now() < it.expires_at);
            if !is_resumed {
                state.pending = Some(self.start(scope).await?);
            }
            let Some(pending) = &mut state.pending else { continue };
            let outcome = self.wait(pending).await;
            let is_for_scope = pending.scope == *scope;
            state.pending = None;
            match outcome {
                Ok(granted) => {
                    let token = self.keep(&mut state, granted)?;
                    if is_for_scope {
                        return Ok(token);
                    }
                }
                // It was spent by the call that nobody waited for.
                Err(err) if is_resumed && err.kind() == ErrorKind::Unauthenticated => (),
                Err(err) => return Err(err),
            }
        }
    }
}
