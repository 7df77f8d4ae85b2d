//! MLflow's rules over the store of runs.

mod checks;
mod experiments;
mod logging;
mod models;
mod registry;
mod runs;
pub(super) mod search;
mod sources;
mod versions;

pub(super) use self::{
    experiments::{
        NewExperiment, decide_experiment, decide_experiment_state, decide_experiment_tag,
        decide_experiment_untag, decide_rename, experiment, experiment_ids,
    },
    logging::{
        Logged, Measured, decide_batch, decide_inputs, decide_model_record, decide_one,
        decide_outputs,
    },
    models::{
        NewLoggedModel, decide_logged_model, decide_logged_patch, decide_logged_untag, logged,
    },
    registry::{
        decide_alias, decide_alias_removal, decide_registered, decide_registered_description,
        decide_registered_name, decide_registered_removal, decide_registered_tag,
        decide_registered_untag, latest_versions, registered, version, version_by_alias,
    },
    runs::{
        NewRun, decide_deletion, decide_new_run, decide_runs_deleted, decide_runs_restored,
        decide_untag, decide_update, run,
    },
    sources::{Locations, local_path, scheme},
    versions::{
        NewVersion, decide_new_version, decide_stage, decide_version_description,
        decide_version_removal, decide_version_tag, decide_version_untag, download_uri,
    },
};
