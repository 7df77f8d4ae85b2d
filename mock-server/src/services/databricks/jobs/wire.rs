//! Written from the published API reference, never from the client crates.

mod answers;
mod requests;

pub(super) use self::{
    answers::{describe_job, describe_output, describe_run, describe_task_run},
    requests::{GetQuery, JobBody, JobsQuery, RunBody, RunNowBody, RunsQuery, SubmitBody},
};
