//! Who may sign in, and how they show that it is them.

mod assertion;
mod certificate;
mod device;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Builder;

pub(super) use self::{
    assertion::Assertion,
    certificate::Certificate,
    device::{
        DeviceCode, LIFE as DEVICE_CODE_LIFE, Poll, decide_answer, decide_poll, decide_start,
    },
};
use crate::{
    kernel::{self, Decision, Kind, Refusal, Secret, World},
    services::arm::TENANT,
};

/// The service principal of every world.
const CLIENT: &str = "55555555-5555-5555-5555-555555555555";
const SECRET: &str = "fake-secret";
/// The federated token that stands for the service principal.
const ASSERTION: &str = "a.b.c";

/// The user of every world, who is an admin of the Databricks workspace too.
pub(super) const USER: &str = "tester@example.com";

/// A name of the tenant's domain.
const DOMAIN: &str = "mock.test";

/// What a token request is for that names no tenant: MSAL drops it below `/adfs`.
const ANY_TENANT: &str = "adfs";

/// Authorities at which users of any tenant sign in.
const OF_ANY_USER: &[&str] = &["common", "organizations"];

/// Programs of Microsoft that sign users in without a secret: Azure CLI, Azure
/// PowerShell, Visual Studio Code.
const PUBLIC_CLIENTS: &[&str] = &[
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "1950a258-227b-4e31-a9cf-717495945fc2",
    "aebc6443-996d-45c2-90f0-388ff96faa56",
];

/// Who may sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entra {
    tenant_id: String,
    /// Applications by their client id.
    clients: BTreeMap<String, Client>,
    /// Sign-ins that users are asked for, by their secret code.
    #[serde(default)]
    device_codes: BTreeMap<String, DeviceCode>,
}

/// What is known of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Client {
    #[serde(default)]
    secret: Option<Secret>,
    /// A federated token that is taken as it is.
    #[serde(default)]
    assertion: Option<Secret>,
    #[serde(default)]
    certificates: Vec<Certificate>,
    #[serde(default)]
    federated: Vec<Federated>,
}

/// A workload that may sign in as an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Federated {
    pub(super) issuer: String,
    pub(super) subject: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// What is known of an application from now on.
    ClientKnown {
        client_id: String,
        client: Box<Client>,
    },
    DeviceCodeIssued {
        code: Secret,
        entry: Box<DeviceCode>,
        at: OffsetDateTime,
    },
    /// Somebody asked whether the user has answered, and has to wait so long
    /// before the next time.
    DeviceCodePolled {
        code: Secret,
        interval: u64,
        at: OffsetDateTime,
    },
    DeviceCodeAnswered {
        user_code: String,
        is_approved: bool,
    },
    DeviceCodeRedeemed {
        code: Secret,
    },
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
    /// The service principal or the user in the directory.
    pub(super) object: String,
    /// The name of the user, if it is one who signs in.
    pub(super) user: Option<String>,
}

/// What an administrator of the mock tells of an application.
pub(super) struct NewClient {
    pub(super) client_id: String,
    pub(super) secret: Option<String>,
    pub(super) certificate: Option<Certificate>,
    pub(super) federated: Option<Federated>,
}

impl Entra {
    pub(crate) fn seeded() -> Self {
        let secret = |it: &str| Some(Secret::from(it.to_owned()));
        let client =
            Client { secret: secret(SECRET), assertion: secret(ASSERTION), ..Client::default() };
        let clients = BTreeMap::from([(CLIENT.to_owned(), client)]);
        Self { tenant_id: TENANT.to_owned(), clients, device_codes: BTreeMap::new() }
    }

    /// The id of the tenant that a path names.
    pub(super) fn tenant(&self, named: &str) -> Result<&str, Refusal> {
        let known = named.eq_ignore_ascii_case(&self.tenant_id)
            || named.eq_ignore_ascii_case(DOMAIN)
            || named == ANY_TENANT;
        known.then_some(self.tenant_id.as_str()).ok_or_else(|| {
            let text = format!(
                "AADSTS90002: Tenant '{named}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            );
            Refusal::new(Kind::Invalid, text).with_code("invalid_request")
        })
    }

    /// The id of the tenant whose users sign in at the authority `named`.
    pub(super) fn tenant_of_users(&self, named: &str) -> Result<&str, Refusal> {
        if OF_ANY_USER.contains(&named) { Ok(&self.tenant_id) } else { self.tenant(named) }
    }

    /// What is known of an application that has something to show.
    fn client(&self, client_id: &str) -> Result<&Client, Refusal> {
        self.clients.get(client_id).ok_or_else(|| self.unknown(client_id))
    }

    /// Lets through programs at which users sign in.
    fn check_public(&self, client_id: &str) -> Result<(), Refusal> {
        let known = PUBLIC_CLIENTS.contains(&client_id) || self.clients.contains_key(client_id);
        known.then_some(()).ok_or_else(|| self.unknown(client_id))
    }

    fn unknown(&self, client_id: &str) -> Refusal {
        let text = format!(
            "AADSTS700016: Application with identifier '{client_id}' was not found in the directory '{}'.",
            self.tenant_id
        );
        Refusal::new(Kind::Invalid, text).with_code("unauthorized_client")
    }

    /// Checks what a program shows. `authority` is where it came to.
    pub(super) fn grant(
        &self,
        tenant: &str,
        client_id: &str,
        proof: &Proof<'_>,
        authority: &str,
        wall: OffsetDateTime,
    ) -> Result<Grant, Refusal> {
        let tenant_id = self.tenant(tenant)?.to_owned();
        let client_id = client_id.to_ascii_lowercase();
        let client = self.client(&client_id)?;
        match proof {
            Proof::Secret(secret) if client.secret.as_deref() != Some(*secret) => {
                let text = format!(
                    "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
                );
                return Err(Refusal::new(Kind::Unauthenticated, text).with_code("invalid_client"));
            }
            Proof::Assertion(text) if client.assertion.as_deref() != Some(*text) => {
                let assertion = Assertion::parse(text)?;
                assertion.check(self, &client_id, client, authority, wall)?;
            }
            Proof::Secret(_) | Proof::Assertion(_) => (),
        }
        let object = object_id(&tenant_id, &client_id);
        Ok(Grant { tenant: tenant_id, client: client_id, object, user: None })
    }

    /// The sign-in of the user at the program `client_id`.
    pub(super) fn grant_of_user(&self, client_id: &str) -> Grant {
        let (tenant, client) = (self.tenant_id.clone(), client_id.to_owned());
        let object = object_id(&tenant, USER);
        Grant { tenant, client, object, user: Some(USER.to_owned()) }
    }

    /// The sign-in that a refresh token stands for.
    pub(super) fn refreshed(
        &self,
        tenant: &str,
        client_id: &str,
        token_client: &str,
    ) -> Result<Grant, Refusal> {
        self.tenant_of_users(tenant)?;
        let client_id = client_id.to_ascii_lowercase();
        self.check_public(&client_id)?;
        if client_id != token_client {
            let text = format!(
                "AADSTS70000: The provided value for the input parameter 'refresh_token' is not valid: it was issued to another client than '{client_id}'."
            );
            return Err(Refusal::invalid(text).with_code("invalid_grant"));
        }
        Ok(self.grant_of_user(&client_id))
    }

    /// The identity of the machine on which the mock runs: the service principal
    /// of every world, by its client id or object id.
    pub(super) fn machine(&self, identity: Option<&str>) -> Option<Grant> {
        let object = object_id(&self.tenant_id, CLIENT);
        // A resource id names an identity, too; the mock does not know which.
        let is_known = identity.is_none_or(|it| {
            it.eq_ignore_ascii_case(CLIENT) || it == object || it.starts_with('/')
        });
        let (tenant, client) = (self.tenant_id.clone(), CLIENT.to_owned());
        is_known.then_some(Grant { tenant, client, object, user: None })
    }

    pub(super) fn device_codes(&self) -> impl Iterator<Item = &DeviceCode> {
        self.device_codes.values()
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::ClientKnown { client_id, client } => {
                self.clients.insert(client_id.clone(), (**client).clone());
            }
            Event::DeviceCodeIssued { code, entry, at } => {
                self.device_codes.retain(|_, it| !it.is_forgotten(*at));
                self.device_codes.insert(code.to_string(), (**entry).clone());
            }
            Event::DeviceCodePolled { code, interval, at } => {
                if let Some(it) = self.device_codes.get_mut(&**code) {
                    it.polled(*interval, *at);
                }
            }
            Event::DeviceCodeAnswered { user_code, is_approved } => {
                let mut all = self.device_codes.values_mut();
                if let Some(it) = all.find(|it| it.user_code == *user_code) {
                    it.answered(*is_approved);
                }
            }
            Event::DeviceCodeRedeemed { code } => {
                if let Some(it) = self.device_codes.get_mut(&**code) {
                    it.redeemed();
                }
            }
        }
    }
}

/// Adds what is new to what is known of an application.
pub(super) fn decide_register(world: &World, new: NewClient) -> Decision<()> {
    let client_id = new.client_id.to_ascii_lowercase();
    if client_id.is_empty() {
        return Err(Refusal::invalid("client_id is required"));
    }
    let mut client = world.entra.clients.get(&client_id).cloned().unwrap_or_default();
    if let Some(secret) = new.secret {
        client.secret = Some(secret.into());
    }
    client.certificates.extend(new.certificate);
    client.federated.extend(new.federated);
    let known = Event::ClientKnown { client_id, client: Box::new(client) };
    Ok((vec![kernel::Event::Entra(known)], ()))
}

/// One client or user has the same id in the directory each time.
fn object_id(tenant_id: &str, name: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(format!("{tenant_id}/{name}")).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The resource that the scopes of a request name.
///
/// Programs ask for all permissions that they have on one resource; those at
/// which a user signs in may ask for some. The scopes that belong to signing in
/// do not count.
pub(super) fn resource_of(scope: &str, is_of_user: bool) -> Result<&str, Refusal> {
    const OF_OPENID: &[&str] = &["openid", "profile", "offline_access", "email"];
    let scopes = scope.split_whitespace().filter(|it| !OF_OPENID.contains(it));
    let mut resources = scopes.map(|it| match it.strip_suffix("/.default") {
        None if is_of_user => it.rsplit_once('/').map(|(resource, _)| resource),
        resource => resource,
    });
    let first = resources.next().flatten().filter(|it| !it.is_empty() && !it.ends_with(":/"));
    if let Some(resource) = first
        && resources.all(|it| is_of_user && it == Some(resource))
    {
        return Ok(resource);
    }
    let text = format!(
        "AADSTS70011: The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
    );
    Err(Refusal::new(Kind::Invalid, text).with_code("invalid_scope"))
}
