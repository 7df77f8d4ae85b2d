//! What an administrator of the mock tells of applications.

use serde::Deserialize;

use crate::{
    kernel::{Kernel, Refusal},
    services::entra::state::{Certificate, Federated, NewClient, decide_register},
};

/// What `POST /_mock/apps` takes. It adds to what is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct App {
    client_id: String,
    secret: Option<String>,
    /// A certificate as PEM.
    certificate: Option<String>,
    federated: Option<Workload>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Workload {
    issuer: String,
    subject: String,
}

/// Makes an application known, or more of it.
pub(crate) fn register(kernel: &Kernel, app: App) -> Result<(), Refusal> {
    let App { client_id, secret, certificate, federated } = app;
    let certificate = certificate.map(|it| Certificate::from_pem(&it)).transpose();
    let certificate = certificate.map_err(|it| Refusal::invalid(format!("certificate: {it}")))?;
    let federated = federated.map(|Workload { issuer, subject }| Federated { issuer, subject });
    let new = NewClient { client_id, secret, certificate, federated };
    kernel.commit(|world, _| decide_register(world, new))
}
