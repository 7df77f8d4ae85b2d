use std::{fmt, sync::Arc, time::Duration};

use futures_util::{
    future::BoxFuture,
    stream::{self, BoxStream, StreamExt},
};
use time::OffsetDateTime;

use crate::{Clock, Error, ErrorKind, Result};

/// How patiently to wait for something that the service does by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitOptions {
    /// Pause between two looks.
    pub poll_interval: Duration,
    /// Give up after this long, measured from the first look.
    pub timeout: Duration,
}

impl Default for WaitOptions {
    /// Looks every 10 s for at most 20 min.
    fn default() -> Self {
        Self { poll_interval: Duration::from_secs(10), timeout: Duration::from_secs(20 * 60) }
    }
}

impl WaitOptions {
    /// Sets the pause between two looks.
    #[must_use]
    pub fn with_poll_interval(self, poll_interval: Duration) -> Self {
        Self { poll_interval, ..self }
    }

    /// Sets how long to wait altogether.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// What one look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<P, T> {
    /// Not yet, and how far it is.
    Pending(P),
    /// The outcome.
    Done(T),
}

type Look<P, T> = Box<dyn FnMut() -> BoxFuture<'static, Result<Progress<P, T>>> + Send>;

/// Looks again and again until something is done.
///
/// Nothing happens before [`until_done`](Self::until_done) or
/// [`into_stream`](Self::into_stream) is awaited, and the wait ends when the
/// future or the stream is dropped.
#[must_use = "a poller does nothing until it is awaited"]
pub struct Poller<P, T> {
    operation: &'static str,
    options: WaitOptions,
    clock: Arc<dyn Clock>,
    look: Look<P, T>,
    started_at: Option<OffsetDateTime>,
}

impl<P, T> fmt::Debug for Poller<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller")
            .field("operation", &self.operation)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<P, T> Poller<P, T>
where
    P: fmt::Debug + Send + 'static,
    T: Send + 'static,
{
    /// A poller that calls `look` at each try. `operation` names it in errors.
    pub fn new<Fut>(
        operation: &'static str,
        options: WaitOptions,
        clock: Arc<dyn Clock>,
        mut look: impl FnMut() -> Fut + Send + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<Progress<P, T>>> + Send + 'static,
    {
        let look: Look<P, T> = Box::new(move || Box::pin(look()));
        Self { operation, options, clock, look, started_at: None }
    }

    /// Replaces the pause and the timeout.
    pub fn with_options(self, options: WaitOptions) -> Self {
        Self { options, ..self }
    }

    /// Waits for the outcome.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout), which names the last state, or the first
    /// error of a look.
    pub async fn until_done(mut self) -> Result<T> {
        loop {
            match (self.look)().await? {
                Progress::Done(outcome) => return Ok(outcome),
                Progress::Pending(state) => self.pause(&state).await?,
            }
        }
    }

    /// Yields each state on the way, then the outcome. Ends after the outcome or
    /// the first error.
    pub fn into_stream(self) -> BoxStream<'static, Result<Progress<P, T>>> {
        enum At<P, T> {
            Look(Poller<P, T>),
            End,
        }

        // The pause comes after the item, so that a state is seen at once. It
        // needs the state's text, which is made before the item is given away.
        stream::unfold((At::Look(self), None), |(at, last): (_, Option<String>)| async move {
            let At::Look(mut poller) = at else { return None };
            if let Some(last) = last
                && let Err(err) = poller.pause_after(&last).await
            {
                return Some((Err(err), (At::End, None)));
            }
            match (poller.look)().await {
                Ok(Progress::Pending(state)) => {
                    let text = format!("{state:?}");
                    Some((Ok(Progress::Pending(state)), (At::Look(poller), Some(text))))
                }
                done_or_failed => Some((done_or_failed, (At::End, None))),
            }
        })
        .boxed()
    }

    async fn pause(&mut self, state: &P) -> Result<()> {
        let text = format!("{state:?}");
        self.pause_after(&text).await
    }

    async fn pause_after(&mut self, state: &str) -> Result<()> {
        let now = self.clock.now();
        let started_at = *self.started_at.get_or_insert(now);
        let spent: Duration = (now - started_at).try_into().unwrap_or_default();
        let left = self.options.timeout.saturating_sub(spent);
        if left.is_zero() {
            let reason =
                format!("not done after {:?}; the last state was {state}", self.options.timeout);
            return Err(Error::explained(self.operation, ErrorKind::Timeout, reason));
        }
        self.clock.sleep(self.options.poll_interval.min(left)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;
    use tokio::time::Instant;

    use super::*;
    use crate::TokioClock;

    fn poller(looks: u32) -> Poller<u32, &'static str> {
        let mut count = 0;
        let clock = Arc::new(TokioClock::new());
        Poller::new("test.wait", WaitOptions::default(), clock, move || {
            count += 1;
            let progress =
                if count < looks { Progress::Pending(count) } else { Progress::Done("ready") };
            async move { Ok(progress) }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_outcome_is_seen_at_the_first_look_after_it_is_there() {
        let start = Instant::now();
        assert_eq!(poller(4).until_done().await.unwrap(), "ready");
        assert_eq!(start.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn the_stream_shows_each_state_and_then_the_outcome() {
        let seen: Vec<_> = poller(3).into_stream().try_collect().await.unwrap();
        let expected = [Progress::Pending(1), Progress::Pending(2), Progress::Done("ready")];
        assert_eq!(seen, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_on_time_and_names_the_last_state() {
        let options = WaitOptions::default().with_timeout(Duration::from_secs(15));
        let start = Instant::now();
        let err = poller(99).with_options(options).until_done().await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::from_secs(15));
        assert_eq!(err.kind(), ErrorKind::Timeout);
        assert_eq!(err.to_string(), "test.wait failed: not done after 15s; the last state was 3");
    }
}
