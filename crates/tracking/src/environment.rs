//! What a job is told about its own run.

mod values;

use std::{collections::BTreeMap, sync::Arc};

use azml_core::{Endpoint, Error, ResourceId, Result, Scope, StaticToken, Transport};
use secrecy::SecretString;
use time::OffsetDateTime;

use crate::{
    AzureMlTracking, ExperimentInfo, ExperimentName, MlflowTracking, Run, RunId, RunRef,
    SpoolOptions, Tracking, azureml::RunToken, spool::Attached,
};

const NAME: &str = "run.from_environment";

/// The run that this process belongs to, as the service that started it tells:
/// in variables of the environment, or in arguments of the command line.
///
/// Neither a login nor a call of the resource manager is needed. The token of
/// the run is renewed before its end.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use azml_core::Transport;
/// use azml_tracking::RunEnvironment;
///
/// # fn demo(transport: Arc<dyn Transport>) -> azml_core::Result<()> {
/// // In a Databricks step, whose script gets `--AZUREML_RUN_ID ID` and its kin:
/// let run = RunEnvironment::from_args(std::env::args())?.open(transport)?;
/// run.log_metric("loss", 0.1)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RunEnvironment {
    run_id: RunId,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    AzureMl {
        base: String,
        workspace: ResourceId,
        experiment: ExperimentName,
        token: SecretString,
        expires_at: Option<OffsetDateTime>,
    },
    Mlflow {
        base: String,
        token: Option<SecretString>,
    },
}

impl RunEnvironment {
    /// Reads the variables of the environment: `AZUREML_*`, or else `MLFLOW_*`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) with the names
    /// of all variables that are missing.
    pub fn from_vars() -> Result<Self> {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let variables: BTreeMap<_, _> = std::env::vars_os().filter_map(utf8).collect();
        Self::from_lookup(|name| variables.get(name).cloned())
    }

    /// Reads the arguments that a script of a Databricks step gets, such as
    /// `--AZUREML_RUN_ID ID`, among any others.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) with the names
    /// of all arguments that are missing.
    pub fn from_args<A: Into<String>>(args: impl IntoIterator<Item = A>) -> Result<Self> {
        let arguments = values::arguments(args.into_iter().map(Into::into));
        Self::from_lookup(|name| arguments.get(name).cloned())
    }

    /// Reads values by their names, such as `AZUREML_RUN_ID`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) with all names
    /// that have no value.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let value = |name: &str| lookup(name).filter(|it| !it.trim().is_empty());
        if value("AZUREML_RUN_ID").is_some() {
            Self::azureml(value)
        } else if value("MLFLOW_RUN_ID").is_some() {
            Self::mlflow(value)
        } else {
            let reason = "neither AZUREML_RUN_ID nor MLFLOW_RUN_ID is set: this is no job; start a \
                          run of your own";
            Err(Error::invalid(NAME, reason))
        }
    }

    fn azureml(value: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let names = [
            "AZUREML_RUN_ID",
            "AZUREML_RUN_TOKEN",
            "AZUREML_ARM_SUBSCRIPTION",
            "AZUREML_ARM_RESOURCEGROUP",
            "AZUREML_ARM_WORKSPACE_NAME",
            "AZUREML_ARM_PROJECT_NAME",
            "AZUREML_SERVICE_ENDPOINT",
        ];
        let [run_id, token, subscription, group, workspace, experiment, base] =
            values::required(NAME, names, &value)?;
        let base = values::base(NAME, "AZUREML_SERVICE_ENDPOINT", "AZUREML_RUN_TOKEN", &base)?;
        let (provider, kind) = ("Microsoft.MachineLearningServices", "workspaces");
        let workspace = ResourceId::new(&subscription, &group, provider, kind, &workspace)
            .map_err(|err| Error::invalid(NAME, format!("AZUREML_ARM_*: {err}")))?;
        let expires_at = match value("AZUREML_RUN_TOKEN_EXPIRY") {
            Some(text) => Some(values::instant(&text).ok_or_else(|| {
                let reason = format!("AZUREML_RUN_TOKEN_EXPIRY: {text:?} is no number of seconds");
                Error::invalid(NAME, reason)
            })?),
            None => values::end_of_token(&token),
        };
        let experiment = ExperimentName::new(experiment);
        let token = token.into();
        let place = Place::AzureMl { base, workspace, experiment, token, expires_at };
        Ok(Self { run_id: RunId::new(run_id), place })
    }

    fn mlflow(value: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let names = ["MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI"];
        let [run_id, uri] = values::required(NAME, names, &value)?;
        let base = values::base(NAME, "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", &uri)?;
        let token = value("MLFLOW_TRACKING_TOKEN").map(SecretString::from);
        Ok(Self { run_id: RunId::new(run_id), place: Place::Mlflow { base, token } })
    }

    /// Id of the run.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// Takes up the run, to log to it. Needs no network.
    ///
    /// # Errors
    ///
    /// As [`Tracking::start_run`].
    pub fn open(self, transport: Arc<dyn Transport>) -> Result<Run> {
        self.open_at(|base| Endpoint::new(base, transport), SpoolOptions::default())
    }

    /// Takes up the run through the endpoint that `endpoint` makes of an address,
    /// with its patience and its clock, and with a spool of one's own.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_at(
        self,
        endpoint: impl FnOnce(String) -> Endpoint,
        spool: SpoolOptions,
    ) -> Result<Run> {
        let Self { run_id, place } = self;
        match place {
            Place::AzureMl { base, workspace, experiment, token, expires_at } => {
                let plain = endpoint(base);
                // Only the name is needed to renew the token.
                let info = ExperimentInfo::new("".into(), experiment.clone());
                let run = RunRef::new(info, run_id.clone());
                let token = RunToken::new(plain.clone(), workspace.clone(), run, token, expires_at);
                // The token of a run is good for one service: the scope does not matter.
                let scope = Scope::new("run");
                let endpoint = plain.with_credential(Arc::new(token), scope);
                let tracking = Tracking::new(AzureMlTracking::new(endpoint, workspace));
                Run::attach(&tracking.with_spool(spool), &experiment, Attached::to(run_id))
            }
            Place::Mlflow { base, token } => {
                let endpoint = endpoint(base);
                let endpoint = match token {
                    Some(token) => endpoint
                        .with_credential(Arc::new(StaticToken::new(token)), Scope::new("run")),
                    None => endpoint,
                };
                let tracking = Tracking::new(MlflowTracking::new(endpoint)).with_spool(spool);
                tracking.attach(&run_id)
            }
        }
    }
}

impl Run {
    /// Takes up the run that this process belongs to, by the variables of the
    /// environment. See [`RunEnvironment`].
    ///
    /// # Errors
    ///
    /// As [`RunEnvironment::from_vars`] and [`RunEnvironment::open`].
    pub fn from_environment(transport: Arc<dyn Transport>) -> Result<Self> {
        RunEnvironment::from_vars()?.open(transport)
    }
}
