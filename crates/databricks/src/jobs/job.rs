use time::OffsetDateTime;

use super::{JobId, JobSettings};

/// A saved job.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// Its id.
    pub job_id: JobId,
    /// Who made it.
    pub creator_user_name: String,
    /// Who its runs act as.
    pub run_as_user_name: String,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// Its definition. In a listing it has tasks and clusters only if they were asked
    /// for, and at most 100 of each.
    pub settings: JobSettings,
    /// Whether this is not all of it, as in a listing.
    pub has_more: bool,
}
