//! Signing in on another device: a program shows a code, a user enters it
//! elsewhere, and the program asks until that has happened.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Entra, Event, Grant};
use crate::kernel::{self, Ctx, Decision, Kind, Refusal, Secret, World, clock::later};

/// How long a user has.
pub(in super::super) const LIFE: Duration = Duration::from_secs(900);

/// How long a program waits between two questions, in seconds.
const INTERVAL: u64 = 5;

/// By how much it has to wait longer when it did not wait, in seconds.
const PENALTY: u64 = 5;

/// How long an ended code is told from one that never was.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// A sign-in that a user is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeviceCode {
    pub(in super::super) user_code: String,
    pub(in super::super) client: String,
    pub(in super::super) resource: String,
    /// What was asked for, as it was written.
    pub(in super::super) scope: String,
    pub(in super::super) expires_at: OffsetDateTime,
    pub(in super::super) interval: u64,
    polled_at: Option<OffsetDateTime>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Pending,
    Approved,
    Declined,
    Redeemed,
}

impl DeviceCode {
    pub(super) fn is_forgotten(&self, at: OffsetDateTime) -> bool {
        later(self.expires_at, REMEMBERED) < at
    }

    pub(super) fn polled(&mut self, interval: u64, at: OffsetDateTime) {
        (self.interval, self.polled_at) = (interval, Some(at));
    }

    pub(super) fn answered(&mut self, is_approved: bool) {
        self.state = if is_approved { State::Approved } else { State::Declined };
    }

    pub(super) fn redeemed(&mut self) {
        self.state = State::Redeemed;
    }

    /// One word for how it is doing.
    pub(in super::super) fn word(&self) -> &'static str {
        match self.state {
            State::Pending => "pending",
            State::Approved => "approved",
            State::Declined => "declined",
            State::Redeemed => "redeemed",
        }
    }
}

/// What a program learns when it asks.
pub(in super::super) enum Poll {
    Signed { grant: Grant, resource: String, scope: String },
    NotYet(Refusal),
}

/// Asks a user to sign in. The answer is the secret code and what it is for.
pub(in super::super) fn decide_start(
    world: &World,
    tenant: &str,
    client_id: &str,
    resource: &str,
    scope: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<(Secret, DeviceCode)> {
    world.entra.tenant_of_users(tenant)?;
    let client = client_id.to_ascii_lowercase();
    world.entra.check_public(&client)?;
    let code = Secret::from(format!("{}{}", ctx.draw_uuid().simple(), ctx.draw_uuid().simple()));
    let state = if ctx.settings.device_codes_by_hand { State::Pending } else { State::Approved };
    let entry = DeviceCode {
        user_code: user_code(ctx),
        client,
        resource: resource.to_owned(),
        scope: scope.to_owned(),
        expires_at: later(ctx.now, LIFE),
        interval: INTERVAL,
        polled_at: None,
        state,
    };
    let boxed = Box::new(entry.clone());
    let issued = Event::DeviceCodeIssued { code: code.clone(), entry: boxed, at: ctx.now };
    Ok((vec![kernel::Event::Entra(issued)], (code, entry)))
}

/// Nine letters and digits that are not taken for each other.
fn user_code(ctx: &mut Ctx<'_>) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let bytes = ctx.draw_uuid().into_bytes();
    bytes.iter().take(9).map(|it| char::from(LETTERS[usize::from(it & 31)])).collect()
}

/// Answers a program that asks whether the user has signed in.
pub(in super::super) fn decide_poll(
    world: &World,
    tenant: &str,
    client_id: &str,
    code: &str,
    ctx: &Ctx<'_>,
) -> Decision<Poll> {
    world.entra.tenant_of_users(tenant)?;
    let Entra { device_codes, .. } = &world.entra;
    let entry = device_codes
        .get(code)
        .filter(|it| it.client.eq_ignore_ascii_case(client_id))
        .ok_or_else(|| {
            refused(
                "bad_verification_code",
                "AADSTS70018: Invalid verification code: the 'device_code' is not known for this client.",
            )
        })?;
    let secret = || Secret::from(code.to_owned());
    match entry.state {
        State::Redeemed => {
            return Err(refused(
                "invalid_grant",
                "AADSTS54005: OAuth2 device code was already redeemed, please retry with a new valid code.",
            ));
        }
        State::Approved if ctx.now < entry.expires_at => {
            let redeemed = kernel::Event::Entra(Event::DeviceCodeRedeemed { code: secret() });
            let signed = Poll::Signed {
                grant: world.entra.grant_of_user(&entry.client),
                resource: entry.resource.clone(),
                scope: entry.scope.clone(),
            };
            return Ok((vec![redeemed], signed));
        }
        State::Declined => {
            return Err(refused(
                "authorization_declined",
                "AADSTS65004: User declined to consent to access the app.",
            ));
        }
        State::Approved | State::Pending => (),
    }
    if entry.expires_at <= ctx.now {
        let text = "AADSTS70019: The verification code expired. Have the user retry the sign-in.";
        return Err(refused("expired_token", text));
    }
    let pause = Duration::from_secs(entry.interval);
    let is_early = entry.polled_at.is_some_and(|it| ctx.now < later(it, pause));
    let (interval, refusal) = if is_early {
        let text = format!(
            "AADSTS70016: OAuth 2.0 device flow error. The client asks more often than once in {} seconds. Slow down.",
            entry.interval
        );
        (entry.interval + PENALTY, refused("slow_down", &text))
    } else {
        let text =
            "AADSTS70016: OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
        (entry.interval, refused("authorization_pending", text))
    };
    let polled = Event::DeviceCodePolled { code: secret(), interval, at: ctx.now };
    Ok((vec![kernel::Event::Entra(polled)], Poll::NotYet(refusal)))
}

/// Lets the user approve or decline what shows `user_code`.
pub(in super::super) fn decide_answer(
    world: &World,
    user_code: &str,
    is_approved: bool,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let wanted: String =
        user_code.to_ascii_uppercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let mut all = world.entra.device_codes();
    let found = all.find(|it| it.user_code == wanted && ctx.now < it.expires_at);
    let Some(entry) = found else {
        let text = format!("no program shows the code {user_code:?}, or it has expired");
        return Err(Refusal::not_found(text));
    };
    if !matches!(entry.state, State::Pending) {
        let text = format!("the code {wanted} is {} already", entry.word());
        return Err(Refusal::conflict(text));
    }
    let user_code = entry.user_code.clone();
    let answered = Event::DeviceCodeAnswered { user_code, is_approved };
    Ok((vec![kernel::Event::Entra(answered)], ()))
}

fn refused(code: &'static str, text: &str) -> Refusal {
    Refusal::new(Kind::Invalid, text).with_code(code)
}
