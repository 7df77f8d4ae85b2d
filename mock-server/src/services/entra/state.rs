use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Builder;

use crate::{
    kernel::{Kind, Refusal},
    services::arm::TENANT,
};

/// The service principal of every world.
const CLIENT: &str = "55555555-5555-5555-5555-555555555555";
const SECRET: &str = "fake-secret";
/// The federated token that stands for the service principal.
const ASSERTION: &str = "a.b.c";

/// What a token request is for that names no tenant: MSAL drops it below `/adfs`.
const ANY_TENANT: &str = "adfs";

/// Who may sign in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entra {
    tenant_id: String,
    /// Applications by their client id.
    clients: BTreeMap<String, Client>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Client {
    secret: String,
    assertion: String,
}

impl std::fmt::Debug for Entra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clients: Vec<&String> = self.clients.keys().collect();
        f.debug_struct("Entra")
            .field("tenant_id", &self.tenant_id)
            .field("clients", &clients)
            .finish()
    }
}

/// How a program shows that it is who it says.
pub(super) enum Proof<'a> {
    Secret(&'a str),
    Assertion(&'a str),
}

/// What a token is to say, by ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) tenant: String,
    pub(super) client: String,
    /// The service principal in the directory.
    pub(super) object: String,
}

impl Entra {
    pub(crate) fn seeded() -> Self {
        let client = Client { secret: SECRET.into(), assertion: ASSERTION.into() };
        let clients = BTreeMap::from([(CLIENT.to_owned(), client)]);
        Self { tenant_id: TENANT.to_owned(), clients }
    }

    /// The id of the tenant that a path names.
    pub(super) fn tenant(&self, named: &str) -> Result<&str, Refusal> {
        let known = named.eq_ignore_ascii_case(&self.tenant_id) || named == ANY_TENANT;
        known.then_some(self.tenant_id.as_str()).ok_or_else(|| {
            let text = format!(
                "AADSTS90002: Tenant '{named}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            );
            Refusal::new(Kind::Invalid, text).with_code("invalid_request")
        })
    }

    /// Checks what a program shows.
    pub(super) fn grant(
        &self,
        tenant: &str,
        client_id: &str,
        proof: &Proof<'_>,
    ) -> Result<Grant, Refusal> {
        let tenant_id = self.tenant(tenant)?.to_owned();
        let client_id = client_id.to_ascii_lowercase();
        let Some(client) = self.clients.get(&client_id) else {
            let text = format!(
                "AADSTS700016: Application with identifier '{client_id}' was not found in the directory '{tenant_id}'."
            );
            return Err(Refusal::new(Kind::Invalid, text).with_code("unauthorized_client"));
        };
        let wrong = match proof {
            Proof::Secret(secret) if *secret != client.secret => format!(
                "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
            ),
            Proof::Assertion(assertion) if *assertion != client.assertion => format!(
                "AADSTS700027: The certificate or token with which the client assertion for app '{client_id}' was made is not registered on the application."
            ),
            Proof::Secret(_) | Proof::Assertion(_) => {
                let object = object_id(&tenant_id, &client_id);
                return Ok(Grant { tenant: tenant_id, client: client_id, object });
            }
        };
        Err(Refusal::new(Kind::Unauthenticated, wrong).with_code("invalid_client"))
    }
}

/// One client has the same id in the directory each time it signs in.
fn object_id(tenant_id: &str, client_id: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(format!("{tenant_id}/{client_id}")).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The resource that the scopes of a request name.
///
/// Programs ask for all permissions that they have on one resource. The scopes
/// that belong to signing in do not count.
pub(super) fn resource_of(scope: &str) -> Result<&str, Refusal> {
    const OF_OPENID: &[&str] = &["openid", "profile", "offline_access", "email"];
    let mut scopes = scope.split_whitespace().filter(|it| !OF_OPENID.contains(it));
    let resource = scopes.next().and_then(|it| it.strip_suffix("/.default"));
    if let (Some(resource), None) = (resource.filter(|it| !it.is_empty()), scopes.next()) {
        return Ok(resource);
    }
    let text = format!(
        "AADSTS70011: The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
    );
    Err(Refusal::new(Kind::Invalid, text).with_code("invalid_scope"))
}
