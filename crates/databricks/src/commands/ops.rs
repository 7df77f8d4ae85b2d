use azml_core::{Error, Operation, Request, Response, Result};

use super::{Command, CommandContext, CommandId, CommandLanguage, ContextId, ContextStatus, wire};
use crate::{
    clusters::ClusterId,
    fault,
    wire::{get, post},
};

pub(super) struct CreateContext<'a>(pub(super) &'a ClusterId, pub(super) &'a CommandLanguage);

impl Operation for CreateContext<'_> {
    const NAME: &'static str = "databricks.commands.create_context";
    const IDEMPOTENT: bool = false;
    type Output = ContextId;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::CreateRequest { cluster_id: self.0.as_str(), language: self.1.as_str() };
        post(Self::NAME, base, "/api/1.2/contexts/create", &body)
    }

    fn decode(&self, response: Response) -> Result<ContextId> {
        let body: wire::Made = fault::read(Self::NAME, &response)?;
        Ok(body.id.into())
    }
}

pub(super) struct GetContextStatus<'a>(pub(super) &'a CommandContext);

impl Operation for GetContextStatus<'_> {
    const NAME: &'static str = "databricks.commands.context_status";
    const IDEMPOTENT: bool = true;
    type Output = ContextStatus;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/1.2/contexts/status")
            .query("clusterId", &self.0.cluster_id)
            .query("contextId", &self.0.context_id)
            .build()
    }

    fn decode(&self, response: Response) -> Result<ContextStatus> {
        let body: wire::StatusResponse = fault::read(Self::NAME, &response)?;
        Ok(body.status.into())
    }
}

pub(super) struct DestroyContext<'a>(pub(super) &'a CommandContext);

impl Operation for DestroyContext<'_> {
    const NAME: &'static str = "databricks.commands.destroy_context";
    // A repeat would be told that the context does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/api/1.2/contexts/destroy", &wire::Place::new(self.0, None))
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Execute<'a>(pub(super) &'a CommandContext, pub(super) &'a str);

impl Operation for Execute<'_> {
    const NAME: &'static str = "databricks.commands.execute";
    // A repeat would run it twice.
    const IDEMPOTENT: bool = false;
    type Output = CommandId;

    fn encode(&self, base: &str) -> Result<Request> {
        if self.1.is_empty() {
            return Err(Error::invalid(Self::NAME, "command: is empty; give it some code"));
        }
        let body = wire::ExecuteRequest {
            place: wire::Place::new(self.0, None),
            language: self.0.language.as_str(),
            command: self.1,
        };
        post(Self::NAME, base, "/api/1.2/commands/execute", &body)
    }

    fn decode(&self, response: Response) -> Result<CommandId> {
        let body: wire::Made = fault::read(Self::NAME, &response)?;
        Ok(body.id.into())
    }
}

pub(super) struct Status<'a>(pub(super) &'a CommandContext, pub(super) &'a CommandId);

impl Operation for Status<'_> {
    const NAME: &'static str = "databricks.commands.status";
    const IDEMPOTENT: bool = true;
    type Output = Command;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/1.2/commands/status")
            .query("clusterId", &self.0.cluster_id)
            .query("contextId", &self.0.context_id)
            .query("commandId", self.1)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Command> {
        Ok(fault::read::<wire::CommandResponse>(Self::NAME, &response)?.into())
    }
}

pub(super) struct Cancel<'a>(pub(super) &'a CommandContext, pub(super) &'a CommandId);

impl Operation for Cancel<'_> {
    const NAME: &'static str = "databricks.commands.cancel";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::Place::new(self.0, Some(self.1));
        post(Self::NAME, base, "/api/1.2/commands/cancel", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;

    use super::*;
    use crate::{
        commands::{Cell, CommandResult, CommandStatus},
        testing::check,
    };

    fn context() -> CommandContext {
        let (cluster, context) = ("0101-000000-abcd1234".into(), "1234567890123456789".into());
        CommandContext::new(cluster, context, CommandLanguage::Python)
    }

    fn command() -> CommandId {
        "0123456789abcdef0123456789abcdef".into()
    }

    #[test]
    fn every_call_is_as_saved() {
        let (context, command) = (context(), command());
        let create = CreateContext(&context.cluster_id, &context.language);
        assert_eq!(check("commands/create-context", &create).unwrap(), context.context_id);
        let status = check("commands/context-status", &GetContextStatus(&context)).unwrap();
        assert_eq!(status, ContextStatus::Running);
        let execute = Execute(&context, "print(1)");
        assert_eq!(check("commands/execute", &execute).unwrap(), command);
        check("commands/cancel", &Cancel(&context, &command)).unwrap();
        check("commands/destroy-context", &DestroyContext(&context)).unwrap();
    }

    #[test]
    fn every_result_is_told_apart() {
        let (context, command) = (context(), command());
        let status = Status(&context, &command);
        let text = check("commands/status", &status).unwrap();
        assert_eq!(text.status, CommandStatus::Finished);
        assert_eq!(text.result, Some(CommandResult::Text("1".to_owned())));
        let running = check("commands/status-running", &status).unwrap();
        assert_eq!((running.status.is_terminal(), running.result), (false, None));
        let canceled = check("commands/status-canceled", &status).unwrap();
        assert_eq!(canceled.status, CommandStatus::Canceled);
        let image = check("commands/status-image", &status).unwrap().result.unwrap();
        assert_eq!(image, CommandResult::Image("/plots/fake.png".to_owned()));

        let failed = check("commands/status-failed", &status).unwrap().result.unwrap();
        let CommandResult::Error { cause: Some(cause), .. } = failed else { panic!("{failed:?}") };
        assert!(cause.ends_with("ValueError: boom\n"));
        let table = check("commands/status-table", &status).unwrap().result.unwrap();
        let CommandResult::Table { columns, rows, is_truncated: false } = table else {
            panic!("{table:?}")
        };
        assert_eq!(columns[1].name, "name");
        assert_eq!(rows[1], [Cell::Integer(2), Cell::Null]);
    }

    #[test]
    fn a_result_of_another_shape_is_given_as_it_came() {
        let body =
            r#"{"id":"a","status":"Finished","results":{"resultType":"table","schema":"x"}}"#;
        let response = http::Response::builder().status(200).body(body.into()).unwrap();
        let result = Status(&context(), &command()).decode(response).unwrap().result.unwrap();
        let json = r#"{"resultType":"table","schema":"x"}"#.to_owned();
        assert_eq!(result, CommandResult::Unknown { kind: "table".to_owned(), json });
    }

    #[test]
    fn a_refusal_of_version_1_2_is_read() {
        let mut context = context();
        let create = CreateContext(&context.cluster_id, &context.language);
        let err = check("commands/create-context-terminated", &create).unwrap_err();
        insta::assert_snapshot!(err, @"databricks.commands.create_context failed: 400: ClusterNotRunningException: Cluster 0101-000000-abcd1234 is not running");
        context.context_id = "9999".into();
        let err = check("commands/context-status-missing", &GetContextStatus(&context));
        assert_eq!(err.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
