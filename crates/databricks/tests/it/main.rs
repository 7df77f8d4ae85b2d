//! Every call of the client, in-process against the mock cloud.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod jobs;

use azml_databricks::Databricks;
use azml_testkit::{DATABRICKS_ORIGIN, TestContext};

/// The workspace of the default world, as the service principal.
fn databricks(ctx: &TestContext) -> Databricks {
    Databricks::from_session(&ctx.session(), DATABRICKS_ORIGIN)
}
