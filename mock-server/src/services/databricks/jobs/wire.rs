//! Written from the published API reference, never from the client crates.

mod answers;
mod described;
mod export;
mod jobs;
mod requests;
mod tasks;

pub(super) use self::{
    answers::{RunPage, describe_output, describe_run, describe_task_run, result},
    export::view_of,
    jobs::{Page, describe_job},
    requests::{
        CancelAllBody, ChangeBody, ExportQuery, GetJobQuery, GetQuery, JobBody, JobsQuery,
        RepairBody, RunBody, RunNowBody, RunsQuery, integer, order, submitted, text,
    },
};
