use std::{borrow::Cow, marker::PhantomData};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Why a request is not carried out, in terms that every service has.
///
/// Rules refuse in these terms; the [`Envelope`] of the service that was asked
/// words them. So a decision that spans two services can use `?` on both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    /// The service's own code where it is more exact than the kind tells.
    pub(crate) code: Option<Cow<'static, str>>,
    pub(crate) message: String,
    /// Seconds for a `Retry-After` header.
    pub(crate) retry_after: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The body or the query cannot be read.
    Malformed,
    Invalid,
    Unauthenticated,
    Denied,
    NotFound,
    /// The service has no such path.
    NoSuchPath,
    Conflict,
    AlreadyExists,
    PreconditionFailed,
    TooLarge,
    /// The real service has this operation; the mock does not emulate it.
    NotEmulated,
    /// The log did not take the record, so nothing has happened.
    Unrecorded,
    /// A planned fault with a status of its own.
    Status(StatusCode),
}

impl Refusal {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), retry_after: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// Uses `code` in place of the code that the kind stands for.
    #[must_use]
    pub(crate) fn with_code(self, code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// The code to show, `default` unless the refusal has its own.
    pub(crate) fn code_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.code.as_deref().unwrap_or(default)
    }

    /// The status that most services use for this kind.
    pub(crate) fn status(&self) -> StatusCode {
        match self.kind {
            Kind::Malformed | Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::Denied => StatusCode::FORBIDDEN,
            Kind::NotFound | Kind::NoSuchPath => StatusCode::NOT_FOUND,
            Kind::Conflict | Kind::AlreadyExists => StatusCode::CONFLICT,
            Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::NotEmulated => StatusCode::NOT_IMPLEMENTED,
            Kind::Unrecorded => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Status(status) => status,
        }
    }
}

/// How one family of services words a refusal.
pub(crate) trait Envelope: Send + Sync + 'static {
    fn render(refusal: &Refusal) -> Response;
}

/// A refusal on its way out through the envelope `E`. What handlers return.
pub(crate) struct Refused<E>(pub(crate) Refusal, PhantomData<fn() -> E>);

impl<E> From<Refusal> for Refused<E> {
    fn from(refusal: Refusal) -> Self {
        Self(refusal, PhantomData)
    }
}

impl<E: Envelope> IntoResponse for Refused<E> {
    fn into_response(self) -> Response {
        render::<E>(&self.0)
    }
}

/// Renders `refusal` and adds what no envelope may leave out: a service that
/// says 429 or 503 always says when to come back.
pub(crate) fn render<E: Envelope>(refusal: &Refusal) -> Response {
    let mut response = E::render(refusal);
    let asked = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => Some(refusal.retry_after.unwrap_or(1)),
        _ => refusal.retry_after,
    };
    if let Some(seconds) = asked {
        response.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
    }
    response
}
