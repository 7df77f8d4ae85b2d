//! The calls, each described without doing it. `workspace` is the ARM id, which
//! is also the path under which all services of the workspace answer.

mod content;
mod published;

use std::collections::BTreeMap;

use azml_core::{Operation, Request, RequestBuilder, Response, Result, azure, read_json};
use http::Method;
use serde::Serialize;
use serde_json::Value;

pub(super) use self::{
    content::{CreateSnapshot, GetBlobs, SaveDataset},
    published::{
        CreatePublished, GetPublished, ListPublished, RunsOfPublished, SetPublishedStatus,
        SubmitPublished,
    },
};
use super::wire;
use crate::{PipelineRunId, StepOutput};

const PIPELINES: &str = "/pipelines/v1.0";

fn pipelines(name: &'static str, method: Method, base: &str, workspace: &str) -> RequestBuilder {
    RequestBuilder::new(name, method, base).path(PIPELINES).segments(workspace)
}

pub(super) struct ListDataTypes<'a> {
    pub(super) workspace: &'a str,
}

impl Operation for ListDataTypes<'_> {
    const NAME: &'static str = "pipelines.data_types.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<String>;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace).path("/DataTypes").build()
    }

    fn decode(&self, response: Response) -> Result<Vec<String>> {
        let types: Vec<wire::DataType> = azure::read(Self::NAME, &response)?;
        Ok(types.into_iter().map(|it| it.id).collect())
    }
}

pub(super) struct ModuleByHash<'a> {
    pub(super) workspace: &'a str,
    pub(super) hash: &'a str,
}

impl Operation for ModuleByHash<'_> {
    const NAME: &'static str = "pipelines.modules.by_hash";
    const IDEMPOTENT: bool = true;
    type Output = wire::Entity;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/Modules/Hash")
            .segment(self.hash)
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Entity> {
        let answer: wire::ModuleAnswer = azure::read(Self::NAME, &response)?;
        Ok(answer.data)
    }
}

pub(super) struct CreateModule<'a> {
    pub(super) workspace: &'a str,
    pub(super) body: &'a crate::wire::Module<'a>,
}

impl Operation for CreateModule<'_> {
    const NAME: &'static str = "pipelines.modules.create";
    /// A second module of the same hash would do no harm: either can be used.
    const IDEMPOTENT: bool = true;
    type Output = wire::Entity;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::POST, base, self.workspace)
            .path("/Modules")
            .json(self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Entity> {
        azure::read(Self::NAME, &response)
    }
}

pub(super) struct GetModule<'a> {
    pub(super) workspace: &'a str,
    pub(super) id: &'a str,
}

impl Operation for GetModule<'_> {
    const NAME: &'static str = "pipelines.modules.get";
    const IDEMPOTENT: bool = true;
    type Output = wire::Entity;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/Modules")
            .segment(self.id)
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Entity> {
        let answer: wire::ModuleAnswer = azure::read(Self::NAME, &response)?;
        Ok(answer.data)
    }
}

pub(super) struct DataSourceByHash<'a> {
    pub(super) workspace: &'a str,
    pub(super) hash: &'a str,
}

impl Operation for DataSourceByHash<'_> {
    const NAME: &'static str = "pipelines.data_sources.by_hash";
    const IDEMPOTENT: bool = true;
    type Output = wire::Entity;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/DataSources/Hash")
            .segment(self.hash)
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Entity> {
        azure::read(Self::NAME, &response)
    }
}

pub(super) struct CreateDataSource<'a> {
    pub(super) workspace: &'a str,
    pub(super) body: &'a crate::wire::DataSource,
}

impl Operation for CreateDataSource<'_> {
    const NAME: &'static str = "pipelines.data_sources.create";
    /// As with modules.
    const IDEMPOTENT: bool = true;
    type Output = wire::Entity;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::POST, base, self.workspace)
            .path("/DataSources")
            .json(self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Entity> {
        azure::read(Self::NAME, &response)
    }
}

pub(super) struct GetGraph<'a> {
    pub(super) workspace: &'a str,
    pub(super) id: &'a str,
}

impl Operation for GetGraph<'_> {
    const NAME: &'static str = "pipelines.graphs.get";
    const IDEMPOTENT: bool = true;
    /// As it came, to be sent again.
    type Output = Value;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/Graphs")
            .segment(self.id)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Value> {
        azure::read(Self::NAME, &response)
    }
}

pub(super) struct GetGraphInterface<'a> {
    pub(super) workspace: &'a str,
    pub(super) id: &'a str,
}

impl Operation for GetGraphInterface<'_> {
    const NAME: &'static str = "pipelines.graphs.interface";
    const IDEMPOTENT: bool = true;
    /// As it came, to be sent again.
    type Output = Value;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/Graphs")
            .segment(self.id)
            .path("/Interface")
            .build()
    }

    fn decode(&self, response: Response) -> Result<Value> {
        azure::read(Self::NAME, &response)
    }
}

pub(super) struct CreateRun<'a, T> {
    pub(super) workspace: &'a str,
    pub(super) experiment: &'a str,
    pub(super) body: &'a T,
}

impl<T: Serialize + Sync> Operation for CreateRun<'_, T> {
    const NAME: &'static str = "pipelines.runs.create";
    /// A run that is never submitted costs nothing and never starts.
    const IDEMPOTENT: bool = true;
    type Output = wire::Run;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::POST, base, self.workspace)
            .path("/PipelineRuns/Unsubmitted/CreationInfoWithGraph")
            .query("experimentName", self.experiment)
            .json(self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Run> {
        azure::read(Self::NAME, &response)
    }
}

pub(super) struct SubmitRun<'a> {
    pub(super) workspace: &'a str,
    pub(super) id: &'a PipelineRunId,
}

impl Operation for SubmitRun<'_> {
    const NAME: &'static str = "pipelines.runs.submit";
    /// Whether the service refuses to start a run twice is not documented.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::POST, base, self.workspace)
            .path("/PipelineRuns/Submit")
            .segment(self.id.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(super) struct GetRun<'a> {
    pub(super) workspace: &'a str,
    pub(super) id: &'a PipelineRunId,
}

impl Operation for GetRun<'_> {
    const NAME: &'static str = "pipelines.runs.get";
    const IDEMPOTENT: bool = true;
    type Output = wire::Run;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/PipelineRuns")
            .segment(self.id.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Run> {
        azure::read(Self::NAME, &response)
    }
}

pub(super) struct Cancel<'a> {
    pub(super) workspace: &'a str,
    pub(super) id: &'a PipelineRunId,
}

impl Operation for Cancel<'_> {
    const NAME: &'static str = "pipelines.runs.cancel";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::DELETE, base, self.workspace)
            .path("/PipelineRuns")
            .segment(self.id.as_str())
            .path("/Execution")
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

/// Declares a question about one node of a run's graph.
macro_rules! node_question {
    ($(#[$doc:meta])* $type:ident, $name:literal, $path:literal, $output:ty, $decode:expr) => {
        $(#[$doc])*
        pub(super) struct $type<'a> {
            pub(super) workspace: &'a str,
            pub(super) run: &'a PipelineRunId,
            pub(super) node: &'a str,
        }

        impl Operation for $type<'_> {
            const NAME: &'static str = $name;
            const IDEMPOTENT: bool = true;
            type Output = $output;

            fn encode(&self, base: &str) -> Result<Request> {
                pipelines(Self::NAME, Method::POST, base, self.workspace)
                    .path("/PipelineRuns")
                    .segment(self.run.as_str())
                    .path($path)
                    .json(&[self.node])
                    .build()
            }

            fn decode(&self, response: Response) -> Result<$output> {
                azure::expect_success(Self::NAME, &response)?;
                $decode(Self::NAME, &response)
            }
        }
    };
}

node_question! {
    /// What the code printed: the whole body is the text.
    Stdout, "pipelines.runs.stdout", "/Graph/Shareable/STDOUT", String, text
}
node_question! {
    /// What the code printed as errors.
    Stderr, "pipelines.runs.stderr", "/Graph/Shareable/STDERR", String, text
}
node_question! {
    /// What the service says about the job.
    JobLog, "pipelines.runs.job_log", "/Graph/Shareable/JobLog", String, text
}
node_question! {
    /// Where the outputs lie.
    Outputs, "pipelines.runs.outputs", "/Outputs", Vec<StepOutput>, outputs
}

#[expect(clippy::unnecessary_wraps, reason = "has the shape of its siblings")]
fn text(_: &'static str, response: &Response) -> Result<String> {
    Ok(String::from_utf8_lossy(response.body()).into_owned())
}

fn outputs(name: &'static str, response: &Response) -> Result<Vec<StepOutput>> {
    let outputs: BTreeMap<String, wire::Output> = read_json(name, response.body())?;
    // The port that only keeps steps in order holds no data.
    let data = outputs.into_iter().filter(|it| !it.0.starts_with("_run_after_"));
    Ok(data.filter_map(|(name, it)| it.into_step_output(name)).collect())
}

#[cfg(test)]
mod tests;
