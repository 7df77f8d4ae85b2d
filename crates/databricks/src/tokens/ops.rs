use std::time::Duration;

use azml_core::{Error, Operation, Request, RequestBuilder, Response, Result};
use http::Method;

use super::{CreatedToken, NewToken, TokenId, TokenInfo, TokenUpdate, wire};
use crate::{
    fault,
    wire::{get, post},
};

pub(super) struct Create<'a>(pub(super) &'a NewToken);

impl Operation for Create<'_> {
    const NAME: &'static str = "databricks.tokens.create";
    const IDEMPOTENT: bool = false;
    type Output = CreatedToken;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::CreateRequest {
            comment: self.0.comment.as_deref(),
            lifetime_seconds: lifetime_seconds(Self::NAME, self.0)?,
            scopes: &self.0.scopes,
        };
        post(Self::NAME, base, "/api/2.0/token/create", &body)
    }

    fn decode(&self, response: Response) -> Result<CreatedToken> {
        let body: wire::CreateResponse = fault::read(Self::NAME, &response)?;
        Ok(CreatedToken { secret: body.token_value, info: body.token_info.into() })
    }
}

/// How long the token is good. 0 would be for ever.
pub(crate) fn lifetime_seconds(operation: &'static str, token: &NewToken) -> Result<Option<u64>> {
    let seconds = token.lifetime.as_ref().map(Duration::as_secs);
    if seconds == Some(0) {
        let reason = "lifetime: is less than a second; make it longer or leave it out";
        return Err(Error::invalid(operation, reason));
    }
    Ok(seconds)
}

pub(super) struct Update<'a>(pub(super) &'a TokenId, pub(super) &'a TokenUpdate);

impl Operation for Update<'_> {
    const NAME: &'static str = "databricks.tokens.update";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::UpdateRequest::new(Self::NAME, self.1)?;
        RequestBuilder::new(Self::NAME, Method::PATCH, base)
            .path("/api/2.0/token")
            .segment(self.0.as_str())
            .json(&body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct List;

impl Operation for List {
    const NAME: &'static str = "databricks.tokens.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<TokenInfo>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/token/list").build()
    }

    fn decode(&self, response: Response) -> Result<Vec<TokenInfo>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        Ok(body.token_infos.into_iter().map(Into::into).collect())
    }
}

pub(super) struct Delete<'a>(pub(super) &'a TokenId);

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.tokens.delete";
    // A repeat would be told that the token does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::DeleteRequest { token_id: self.0.as_str() };
        post(Self::NAME, base, "/api/2.0/token/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing::check;

    #[test]
    fn every_call_is_as_saved() {
        let new = NewToken::default()
            .with_comment("for azure ml")
            .with_lifetime(Duration::from_secs(7200));
        let created = check("tokens/create", &Create(&new)).unwrap();
        assert_eq!(created.secret.expose_secret(), "dapi-fake-0001");
        assert!(!format!("{created:?}").contains("dapi-fake-0001"));

        let found = check("tokens/list", &List).unwrap();
        assert_eq!(found[0], created.info);
        assert_eq!(found[1].expires_at, None);
        check("tokens/delete", &Delete(&created.info.token_id)).unwrap();
        let update = TokenUpdate::default().with_comment("for writing");
        check("tokens/update", &Update(&created.info.token_id, &update)).unwrap();
        let scoped = NewToken::default()
            .with_comment("for reading")
            .with_lifetime(Duration::from_secs(3600))
            .with_scopes(["sql", "jobs"]);
        let created = check("tokens/create-scopes", &Create(&scoped)).unwrap();
        assert_eq!(created.info.scopes, ["sql", "jobs"]);
    }

    #[test]
    fn a_token_that_would_not_live_is_refused() {
        let new = NewToken::default().with_lifetime(Duration::from_millis(900));
        assert!(Create(&new).encode("https://adb-1.test").is_err());
    }
}
