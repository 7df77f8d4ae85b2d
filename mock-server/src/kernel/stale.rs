//! Reads that show the world as it was before the last change, for clients
//! that must live with services which are only eventually consistent.

use std::future::Future;

tokio::task_local! {
    static STALE: bool;
}

/// Runs a handler; with `is_stale` its reads see the world before the last change.
pub(crate) async fn scope<F: Future>(is_stale: bool, handler: F) -> F::Output {
    if is_stale { STALE.scope(true, handler).await } else { handler.await }
}

/// Whether the current handler is to see the past.
pub(crate) fn is_wanted() -> bool {
    STALE.try_with(|it| *it).unwrap_or(false)
}
