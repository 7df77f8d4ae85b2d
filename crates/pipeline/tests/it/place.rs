//! A workspace with Databricks attached.

use azml_compute::{AttachDatabricks, ComputeName, Computes, ComputesClient};
use azml_databricks::{
    Databricks,
    tokens::{NewToken, Tokens},
};
use azml_pipeline::{AzureMlPipelines, DatabricksStep, Pipeline, PipelineData};
use azml_testkit::{DATABRICKS_ORIGIN, SUBSCRIPTION_ID, TestContext};
use azml_workspace::{Workspace, WorkspaceRef};

pub(crate) const COMPUTE: &str = "my-dbx-cluster";

pub(crate) struct Place {
    pub(crate) ctx: TestContext,
    pub(crate) databricks: Databricks,
    pub(crate) workspace: Workspace,
}

impl Place {
    pub(crate) async fn ready() -> Self {
        let ctx = TestContext::new();
        let session = ctx.session();
        let reference = WorkspaceRef::new(SUBSCRIPTION_ID, "rg1", "ws1");
        let workspace = Workspace::get(&session, reference).await.unwrap();
        let databricks = Databricks::from_session(&session, DATABRICKS_ORIGIN);
        let token = databricks.tokens().create(&NewToken::default()).await.unwrap().secret;
        let attach = AttachDatabricks::by_name("dbx-rg", "dbx-ws", token);
        let (computes, name) = (ComputesClient::new(&workspace), ComputeName::new(COMPUTE));
        computes.attach(&name, &attach).await.unwrap().until_done().await.unwrap();
        Self { ctx, databricks, workspace }
    }

    pub(crate) fn azure_ml(&self) -> AzureMlPipelines {
        AzureMlPipelines::new(&self.workspace)
    }
}

/// Two notebooks, the second of which reads what the first one writes.
pub(crate) fn two_notebooks() -> Pipeline {
    let clean = PipelineData::new("clean");
    let step = |name: &str| {
        DatabricksStep::new(name).with_notebook_path(format!("/Shared/{name}")).with_num_workers(1)
    };
    Pipeline::new("wine")
        .with_default_compute(COMPUTE)
        .with_step(step("prepare").with_output(&clean))
        .with_step(step("train").with_input(&clean))
}
