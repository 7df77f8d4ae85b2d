use azml_core::{Operation, Request, RequestBuilder, Response, Result};
use http::Method;

use super::{ManagedToken, OnBehalfToken, TokenFilter, wire};
use crate::{
    fault,
    tokens::{NewToken, TokenId, TokenUpdate, ops::lifetime_seconds, wire::UpdateRequest},
    wire::{get, post},
};

const TOKENS: &str = "/api/2.0/token-management/tokens";

fn at(operation: &'static str, method: Method, base: &str, id: &TokenId) -> RequestBuilder {
    RequestBuilder::new(operation, method, base).path(TOKENS).segment(id.as_str())
}

pub(super) struct CreateOnBehalf<'a>(pub(super) &'a str, pub(super) &'a NewToken);

impl Operation for CreateOnBehalf<'_> {
    const NAME: &'static str = "databricks.token_management.create_obo_token";
    const IDEMPOTENT: bool = false;
    type Output = OnBehalfToken;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::CreateRequest {
            application_id: self.0,
            comment: self.1.comment.as_deref(),
            lifetime_seconds: lifetime_seconds(Self::NAME, self.1)?,
            scopes: &self.1.scopes,
        };
        post(Self::NAME, base, "/api/2.0/token-management/on-behalf-of/tokens", &body)
    }

    fn decode(&self, response: Response) -> Result<OnBehalfToken> {
        let body: wire::CreateResponse = fault::read(Self::NAME, &response)?;
        Ok(OnBehalfToken { secret: body.token_value, token: body.token_info.into() })
    }
}

pub(super) struct List<'a>(pub(super) &'a TokenFilter);

impl Operation for List<'_> {
    const NAME: &'static str = "databricks.token_management.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<ManagedToken>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, TOKENS)
            .query_opt("created_by_id", self.0.created_by.as_ref())
            .query_opt("created_by_username", self.0.created_by_username.as_ref())
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<ManagedToken>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        Ok(body.token_infos.into_iter().map(Into::into).collect())
    }
}

pub(super) struct Get<'a>(pub(super) &'a TokenId);

impl Operation for Get<'_> {
    const NAME: &'static str = "databricks.token_management.get";
    const IDEMPOTENT: bool = true;
    type Output = ManagedToken;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<ManagedToken> {
        let body: wire::GetResponse = fault::read(Self::NAME, &response)?;
        Ok(body.token_info.into())
    }
}

pub(super) struct Update<'a>(pub(super) &'a TokenId, pub(super) &'a TokenUpdate);

impl Operation for Update<'_> {
    const NAME: &'static str = "databricks.token_management.update";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = UpdateRequest::new(Self::NAME, self.1)?;
        at(Self::NAME, Method::PATCH, base, self.0).json(&body).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Delete<'a>(pub(super) &'a TokenId);

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.token_management.delete";
    // A repeat would be told that the token does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::DELETE, base, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use azml_core::ErrorKind;

    use super::*;
    use crate::testing::check;

    #[test]
    fn every_call_is_as_saved() {
        let (id, robot) =
            (TokenId::new("0123456789abcdef"), "44444444-4444-4444-4444-444444444444");
        let new = NewToken::default()
            .with_comment("for the robot")
            .with_lifetime(Duration::from_secs(3600));
        let made =
            check("token-management/create-obo-token", &CreateOnBehalf(robot, &new)).unwrap();
        assert_eq!(made.token.owner, Some("1234567890123456".into()));
        assert!(!format!("{made:?}").contains("dapi-fake"));
        let filter = TokenFilter::default().with_created_by_username("someone@example.test");
        let found = check("token-management/list", &List(&filter)).unwrap();
        assert_eq!(found[0].info.scopes, ["sql", "jobs"]);
        assert_eq!(check("token-management/get", &Get(&id)).unwrap(), found[0]);
        let update = TokenUpdate::default().with_comment("for all");
        check("token-management/update", &Update(&id, &update)).unwrap();
        check("token-management/delete", &Delete(&id)).unwrap();

        let missing = TokenId::new("fedcba9876543210");
        for err in [
            check("token-management/get-missing", &Get(&missing)).unwrap_err(),
            check("token-management/delete-missing", &Delete(&missing)).unwrap_err(),
        ] {
            assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
        }
    }
}
