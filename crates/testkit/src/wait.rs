use std::{fmt, time::Duration};

use tokio::time::{Instant, sleep};

/// Looks until `look` finds what it wants, at most for 30 seconds. For tests
/// with sockets and processes, where time cannot be virtual.
///
/// # Panics
///
/// Panics with the last thing seen when the time is over.
pub async fn wait_for<T, Seen: fmt::Debug, Look: Future<Output = Result<T, Seen>>>(
    what: &str,
    mut look: impl FnMut() -> Look,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if deadline <= Instant::now() => {
                panic!("waited 30 s for {what}; the last look saw {seen:?}");
            }
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}
