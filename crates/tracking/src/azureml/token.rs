//! The token with which the code of a run talks to the services.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use azml_core::{
    AccessToken, Endpoint, Error, ErrorKind, Operation, ResourceId, Result, Scope, StaticToken,
    TokenCredential,
};
use secrecy::SecretString;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::history::GetToken;
use crate::RunRef;

/// Hands out the token that the run was started with, and renews it from then on.
#[derive(Debug)]
pub(crate) struct RunToken {
    /// Without a credential.
    endpoint: Endpoint,
    workspace: ResourceId,
    run: RunRef,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    token: AccessToken,
    is_handed_out: bool,
}

impl RunToken {
    pub(crate) fn new(
        endpoint: Endpoint,
        workspace: ResourceId,
        run: RunRef,
        token: SecretString,
        expires_at: Option<OffsetDateTime>,
    ) -> Self {
        // Without a known end the service will tell.
        let expires_at = expires_at.unwrap_or(PrimitiveDateTime::MAX.assume_utc());
        let token = AccessToken::new(token, expires_at);
        Self { endpoint, workspace, run, state: Mutex::new(State { token, is_handed_out: false }) }
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

#[async_trait]
impl TokenCredential for RunToken {
    /// A cache in front asks again only shortly before the end.
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        let State { token, is_handed_out } =
            self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if token.expires_at <= self.endpoint.clock().now() {
            let reason = format!(
                "the token of run {} ended at {}, and only one that is good can be renewed",
                self.run.id, token.expires_at
            );
            return Err(Error::explained(GetToken::NAME, ErrorKind::Unauthenticated, reason));
        }
        if !is_handed_out {
            self.set(State { token: token.clone(), is_handed_out: true });
            return Ok(token);
        }
        let present = Arc::new(StaticToken::new(token.secret));
        let endpoint = self.endpoint.clone().with_credential(present, scope.clone());
        let renewed =
            endpoint.call(&GetToken { workspace: &self.workspace, run: &self.run }).await?;
        self.set(State { token: renewed.clone(), is_handed_out: true });
        Ok(renewed)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use std::time::Duration;

    use azml_core::TokenCache;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{RunId, testing, testing::Script};

    #[tokio::test(start_paused = true)]
    async fn the_token_of_a_run_is_renewed_before_its_end() {
        let script = Arc::new(Script::default().then("history/runs-token"));
        let endpoint = script.endpoint();
        let clock = endpoint.clock().clone();
        let run = RunRef::new(testing::experiment("exp-part2b"), RunId::new("r1"));
        let expires_at = clock.now() + Duration::from_secs(3600);
        let token =
            RunToken::new(endpoint, testing::workspace(), run, "first".into(), Some(expires_at));
        assert!(!format!("{token:?}").contains("first"));
        let (cache, scope) = (TokenCache::new(Arc::new(token), clock), Scope::new("run"));
        for _ in 0..2 {
            let token = cache.token(&scope).await.unwrap();
            assert_eq!(token.secret.expose_secret(), "first");
        }
        tokio::time::advance(Duration::from_secs(3600 - 200)).await;
        let token = cache.token(&scope).await.unwrap();
        assert_eq!(token.secret.expose_secret(), "fake-run-token");
        assert_eq!(script.asked(), ["GET token"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_has_ended_is_said_to_have_ended() {
        let script = Arc::new(Script::default());
        let run = RunRef::new(testing::experiment("e"), RunId::new("r1"));
        let end = Some(datetime!(2020-01-01 0:00 UTC));
        let token =
            RunToken::new(script.endpoint(), testing::workspace(), run, "first".into(), end);
        let err = token.token(&Scope::new("run")).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated);
        assert!(script.asked().is_empty());
    }
}
