use azml_core::{Operation, Page, PageToken, Request, Response, Result};

use crate::{
    fault,
    jobs::{
        ExportedView, ExportedViews, JobId, JobRun, JobRunId, JobRunOutput, RepairId, RepairRun,
        RunFilter, SubmitRun, check, wire,
    },
    wire::{get, millis_of, next_page, post},
};

pub(in super::super) struct Submit<'a> {
    pub(in super::super) run: &'a SubmitRun,
    /// The same token gives the same run, also after it is over.
    pub(in super::super) token: &'a str,
}

impl Operation for Submit<'_> {
    const NAME: &'static str = "databricks.jobs.runs.submit";
    // Thanks to the token.
    const IDEMPOTENT: bool = true;
    type Output = JobRunId;

    fn encode(&self, base: &str) -> Result<Request> {
        check::submit(Self::NAME, self.run, self.token)?;
        let body = wire::SubmitBody::new(Self::NAME, self.run, self.token)?;
        post(Self::NAME, base, "/api/2.2/jobs/runs/submit", &body)
    }

    fn decode(&self, response: Response) -> Result<JobRunId> {
        let body: wire::RunCreated = fault::read(Self::NAME, &response)?;
        Ok(JobRunId::new(body.run_id.0))
    }
}

/// A run, and where its further tasks are.
pub(in super::super) struct GetRun {
    pub(in super::super) run_id: JobRunId,
    pub(in super::super) with_history: bool,
    pub(in super::super) token: Option<PageToken>,
}

impl Operation for GetRun {
    const NAME: &'static str = "databricks.jobs.runs.get";
    const IDEMPOTENT: bool = true;
    type Output = (JobRun, Option<PageToken>);

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.2/jobs/runs/get")
            .query("run_id", self.run_id)
            .query_opt("include_history", self.with_history.then_some(true))
            .query_opt("page_token", self.token.as_ref().map(|it| &it.0))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Self::Output> {
        let mut body: wire::WireRun = fault::read(Self::NAME, &response)?;
        let next = next_page(std::mem::take(&mut body.next_page_token));
        Ok((body.into_domain(Self::NAME)?, next))
    }
}

pub(in super::super) struct GetOutput(pub(in super::super) JobRunId);

impl Operation for GetOutput {
    const NAME: &'static str = "databricks.jobs.runs.get_output";
    const IDEMPOTENT: bool = true;
    type Output = JobRunOutput;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.2/jobs/runs/get-output").query("run_id", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<JobRunOutput> {
        fault::read::<wire::OutputResponse>(Self::NAME, &response)?.into_domain(Self::NAME)
    }
}

pub(in super::super) struct Export<'a>(
    pub(in super::super) JobRunId,
    pub(in super::super) &'a ExportedViews,
);

impl Operation for Export<'_> {
    const NAME: &'static str = "databricks.jobs.runs.export";
    const IDEMPOTENT: bool = true;
    type Output = Vec<ExportedView>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.2/jobs/runs/export")
            .query("run_id", self.0)
            .query("views_to_export", self.1)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<ExportedView>> {
        let body: wire::ExportResponse = fault::read(Self::NAME, &response)?;
        Ok(body.views.into_iter().map(Into::into).collect())
    }
}

pub(in super::super) struct Cancel(pub(in super::super) JobRunId);

impl Operation for Cancel {
    const NAME: &'static str = "databricks.jobs.runs.cancel";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/api/2.2/jobs/runs/cancel", &wire::ByRun { run_id: self.0.get() })
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct CancelAll(pub(in super::super) JobId);

impl Operation for CancelAll {
    const NAME: &'static str = "databricks.jobs.runs.cancel_all";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ByJob { job_id: self.0.get() };
        post(Self::NAME, base, "/api/2.2/jobs/runs/cancel-all", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Repair<'a>(
    pub(in super::super) JobRunId,
    pub(in super::super) &'a RepairRun,
);

impl Operation for Repair<'_> {
    const NAME: &'static str = "databricks.jobs.runs.repair";
    // A repeat would be another repair.
    const IDEMPOTENT: bool = false;
    type Output = RepairId;

    fn encode(&self, base: &str) -> Result<Request> {
        check::repair(Self::NAME, self.1)?;
        let body = wire::RepairBody {
            run_id: self.0.get(),
            rerun_tasks: &self.1.rerun_tasks,
            rerun_all_failed_tasks: self.1.rerun_all_failed_tasks,
            rerun_dependent_tasks: self.1.rerun_dependent_tasks,
            latest_repair_id: self.1.latest_repair_id.map(RepairId::get),
            parameters: &self.1.parameters,
        };
        post(Self::NAME, base, "/api/2.2/jobs/runs/repair", &body)
    }

    fn decode(&self, response: Response) -> Result<RepairId> {
        let body: wire::RepairCreated = fault::read(Self::NAME, &response)?;
        Ok(RepairId::new(body.repair_id.0))
    }
}

pub(in super::super) struct DeleteRun(pub(in super::super) JobRunId);

impl Operation for DeleteRun {
    const NAME: &'static str = "databricks.jobs.runs.delete";
    // A repeat would be told that the run does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/api/2.2/jobs/runs/delete", &wire::ByRun { run_id: self.0.get() })
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct ListRuns<'a> {
    pub(in super::super) filter: &'a RunFilter,
    pub(in super::super) token: Option<PageToken>,
}

impl Operation for ListRuns<'_> {
    const NAME: &'static str = "databricks.jobs.runs.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<JobRun>;

    fn encode(&self, base: &str) -> Result<Request> {
        check::run_filter(Self::NAME, self.filter)?;
        let yes = |it: bool| it.then_some(true);
        get(Self::NAME, base, "/api/2.2/jobs/runs/list")
            .query_opt("job_id", self.filter.job_id)
            .query_opt("active_only", yes(self.filter.active_only))
            .query_opt("completed_only", yes(self.filter.completed_only))
            .query_opt("run_type", self.filter.run_type.as_ref())
            .query_opt("start_time_from", self.filter.started_from.map(millis_of))
            .query_opt("start_time_to", self.filter.started_to.map(millis_of))
            .query_opt("expand_tasks", yes(self.filter.expand_tasks))
            .query_opt("page_token", self.token.as_ref().map(|it| &it.0))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<JobRun>> {
        let body: wire::ListRunsResponse = fault::read(Self::NAME, &response)?;
        let runs = body.runs.into_iter().map(|it| it.into_domain(Self::NAME));
        Ok(Page::new(runs.collect::<Result<_>>()?, next_page(body.next_page_token)))
    }
}
