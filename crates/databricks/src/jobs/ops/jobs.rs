use azml_core::{Operation, Page, PageToken, Request, Response, Result};

use crate::{
    fault,
    jobs::{Job, JobFilter, JobId, JobRunId, JobSettings, JobUpdate, check, requests, wire},
    wire::{get, next_page, post},
};

pub(in super::super) struct Create<'a>(pub(in super::super) &'a JobSettings);

impl Operation for Create<'_> {
    const NAME: &'static str = "databricks.jobs.create";
    // There is no token for it.
    const IDEMPOTENT: bool = false;
    type Output = JobId;

    fn encode(&self, base: &str) -> Result<Request> {
        check::settings(Self::NAME, self.0)?;
        let body = wire::WireSettings::new(Self::NAME, self.0)?;
        post(Self::NAME, base, "/api/2.2/jobs/create", &body)
    }

    fn decode(&self, response: Response) -> Result<JobId> {
        let body: wire::JobCreated = fault::read(Self::NAME, &response)?;
        Ok(JobId::new(body.job_id.0))
    }
}

/// A job, and where the rest of its lists is.
pub(in super::super) struct Get {
    pub(in super::super) job_id: JobId,
    pub(in super::super) token: Option<PageToken>,
}

impl Operation for Get {
    const NAME: &'static str = "databricks.jobs.get";
    const IDEMPOTENT: bool = true;
    type Output = (Job, Option<PageToken>);

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.2/jobs/get")
            .query("job_id", self.job_id)
            .query_opt("page_token", self.token.as_ref().map(|it| &it.0))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Self::Output> {
        let mut body: wire::WireJob = fault::read(Self::NAME, &response)?;
        let next = next_page(std::mem::take(&mut body.next_page_token));
        Ok((body.into_domain(Self::NAME)?, next))
    }
}

pub(in super::super) struct List<'a> {
    pub(in super::super) filter: &'a JobFilter,
    pub(in super::super) token: Option<PageToken>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "databricks.jobs.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<Job>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.2/jobs/list")
            .query("limit", 100)
            .query_opt("name", self.filter.name.as_ref())
            .query_opt("expand_tasks", self.filter.expand_tasks.then_some(true))
            .query_opt("page_token", self.token.as_ref().map(|it| &it.0))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<Job>> {
        let body: wire::ListJobsResponse = fault::read(Self::NAME, &response)?;
        let jobs = body.jobs.into_iter().map(|it| it.into_domain(Self::NAME));
        Ok(Page::new(jobs.collect::<Result<_>>()?, next_page(body.next_page_token)))
    }
}

pub(in super::super) struct Reset<'a>(
    pub(in super::super) JobId,
    pub(in super::super) &'a JobSettings,
);

impl Operation for Reset<'_> {
    const NAME: &'static str = "databricks.jobs.reset";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        check::settings(Self::NAME, self.1)?;
        let new_settings = wire::WireSettings::new(Self::NAME, self.1)?;
        let body = wire::ChangeBody { job_id: self.0.get(), new_settings, fields_to_remove: &[] };
        post(Self::NAME, base, "/api/2.2/jobs/reset", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Update<'a>(
    pub(in super::super) JobId,
    pub(in super::super) &'a JobUpdate,
);

impl Operation for Update<'_> {
    const NAME: &'static str = "databricks.jobs.update";
    // What is set stays set, and what is gone is gone.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        check::update(Self::NAME, self.1)?;
        let body = wire::ChangeBody {
            job_id: self.0.get(),
            new_settings: wire::WireSettings::new(Self::NAME, &self.1.new_settings)?,
            fields_to_remove: &self.1.fields_to_remove,
        };
        post(Self::NAME, base, "/api/2.2/jobs/update", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct Delete(pub(in super::super) JobId);

impl Operation for Delete {
    const NAME: &'static str = "databricks.jobs.delete";
    // A repeat would be told that the job does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/api/2.2/jobs/delete", &wire::ByJob { job_id: self.0.get() })
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct RunNow<'a> {
    pub(in super::super) job_id: JobId,
    pub(in super::super) run: &'a requests::RunNow,
    /// The same token gives the same run, also after it is over.
    pub(in super::super) token: &'a str,
}

impl Operation for RunNow<'_> {
    const NAME: &'static str = "databricks.jobs.run_now";
    // Thanks to the token.
    const IDEMPOTENT: bool = true;
    type Output = JobRunId;

    fn encode(&self, base: &str) -> Result<Request> {
        check::run_now(Self::NAME, self.run, self.token)?;
        let body = wire::RunNowBody {
            job_id: self.job_id.get(),
            idempotency_token: self.token,
            only: &self.run.only,
            queue: self.run.queue.map(|enabled| wire::Queue { enabled }),
            parameters: &self.run.parameters,
        };
        post(Self::NAME, base, "/api/2.2/jobs/run-now", &body)
    }

    fn decode(&self, response: Response) -> Result<JobRunId> {
        let body: wire::RunCreated = fault::read(Self::NAME, &response)?;
        Ok(JobRunId::new(body.run_id.0))
    }
}
