//! Events and spans of `tracing` as what a run logs.

use std::{fmt, sync::Arc};

use azml_core::{Error, Result};
use time::OffsetDateTime;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::{LookupSpan, SpanRef},
};

use crate::Run;

type OnError = Arc<dyn Fn(&Error) + Send + Sync>;

/// Logs fields of events and spans to a run: those called `metric.NAME`,
/// `param.NAME` and `tag.NAME`.
///
/// A field `step` is the step of the metrics beside it; an event without one has that
/// of the innermost span that has one. As with everything that is logged to a
/// [`Run`], no event waits for a network.
///
/// ```no_run
/// use azml_tracking::{Run, TrackingLayer};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// # fn demo(run: Run) {
/// let subscriber = tracing_subscriber::registry().with(TrackingLayer::new(run));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!(param.alpha = 0.5, tag.stage = "test");
///     for epoch in 0..10 {
///         let _epoch = tracing::info_span!("epoch", step = epoch).entered();
///         tracing::info!(metric.loss = 1.0 / f64::from(epoch + 1), "an epoch is over");
///     }
/// });
/// # }
/// ```
#[derive(Clone)]
pub struct TrackingLayer {
    run: Run,
    spans_from: Option<Level>,
    on_error: OnError,
}

impl fmt::Debug for TrackingLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackingLayer")
            .field("run", &self.run)
            .field("spans_from", &self.spans_from)
            .finish_non_exhaustive()
    }
}

impl TrackingLayer {
    /// Logs to `run`.
    pub fn new(run: Run) -> Self {
        Self { run, spans_from: None, on_error: Arc::new(|_| ()) }
    }

    /// Also logs how many seconds each span took of `level` or a graver one, as the
    /// metric `NAME.seconds`.
    #[must_use]
    pub fn with_span_times(self, level: Level) -> Self {
        Self { spans_from: Some(level), ..self }
    }

    /// Tells `on_error` of what cannot be logged, for example a name that the server
    /// does not take. Nothing hears of it otherwise, because an event cannot fail.
    #[must_use]
    pub fn with_on_error(self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        Self { on_error: Arc::new(on_error), ..self }
    }

    fn log(&self, fields: &Fields, step: Option<i64>) {
        for (key, value) in &fields.metrics {
            self.tell(match step {
                Some(step) => self.run.log_metric_at(key, *value, step),
                None => self.run.log_metric(key, *value),
            });
        }
        for (key, value) in &fields.params {
            self.tell(self.run.log_param(*key, value));
        }
        for (key, value) in &fields.tags {
            self.tell(self.run.set_tag(*key, value.as_str()));
        }
    }

    fn tell(&self, logged: Result<()>) {
        if let Err(err) = logged {
            (self.on_error)(&err);
        }
    }

    fn now(&self) -> OffsetDateTime {
        self.run.now()
    }
}

/// What is kept of a span while it lives.
struct Kept {
    step: Option<i64>,
    began_at: OffsetDateTime,
}

fn step_of<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<i64> {
    // The span itself comes first, then what is around it.
    span.scope().find_map(|it| it.extensions().get::<Kept>()?.step)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TrackingLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let kept = Kept { step: fields.step, began_at: self.now() };
        span.extensions_mut().insert(kept);
        self.log(&fields, step_of(&span));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if fields.step.is_some()
            && let Some(kept) = span.extensions_mut().get_mut::<Kept>()
        {
            kept.step = fields.step;
        }
        self.log(&fields, step_of(&span));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if fields.is_empty() {
            return;
        }
        let around = || step_of(&context.event_span(event)?);
        self.log(&fields, fields.step.or_else(around));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(level) = self.spans_from else { return };
        if *span.metadata().level() > level {
            return;
        }
        let step = step_of(&span);
        let began_at = span.extensions().get::<Kept>().map(|it| it.began_at);
        let Some(began_at) = began_at else { return };
        let seconds = (self.now() - began_at).as_seconds_f64();
        let key = format!("{}.seconds", span.name());
        self.tell(match step {
            Some(step) => self.run.log_metric_at(&key, seconds, step),
            None => self.run.log_metric(&key, seconds),
        });
    }
}

/// The fields that mean something here.
#[derive(Default)]
struct Fields {
    step: Option<i64>,
    metrics: Vec<(&'static str, f64)>,
    params: Vec<(&'static str, String)>,
    tags: Vec<(&'static str, String)>,
}

impl Fields {
    fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.params.is_empty() && self.tags.is_empty()
    }

    fn number(&mut self, field: &Field, value: f64) {
        match field.name().strip_prefix("metric.") {
            Some(key) => self.metrics.push((key, value)),
            None => self.text(field, || value.to_string()),
        }
    }

    fn text(&mut self, field: &Field, value: impl FnOnce() -> String) {
        if let Some(key) = field.name().strip_prefix("param.") {
            self.params.push((key, value()));
        } else if let Some(key) = field.name().strip_prefix("tag.") {
            self.tags.push((key, value()));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a metric is the nearest number")]
impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            "step" => self.step = Some(value),
            name if name.starts_with("metric.") => self.number(field, value as f64),
            _ => self.text(field, || value.to_string()),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match (field.name(), i64::try_from(value)) {
            ("step", Ok(value)) => self.step = Some(value),
            (name, _) if name.starts_with("metric.") => self.number(field, value as f64),
            _ => self.text(field, || value.to_string()),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.text(field, || value.to_string());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, || value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, || format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::{FolderTracking, Metric, Tracking, testing};

    #[tokio::test(start_paused = true)]
    async fn fields_of_events_and_spans_become_what_a_run_logs() {
        let folder = tempfile::tempdir().unwrap();
        let tracking = Tracking::new(FolderTracking::new(folder.path()));
        let (_spool, tracking) = testing::spooled(tracking);
        let run = tracking.start_run("layer").unwrap();
        let errors: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = errors.clone();
        let layer = TrackingLayer::new(run.clone())
            .with_span_times(Level::INFO)
            .with_on_error(move |err| kept.lock().unwrap().push(err.to_string()));
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        tracing::info!(param.alpha = 0.5, param.name = "a", tag.stage = "test", other = 1);
        tracing::info!(param.alpha = 0.6, "it was another");
        tracing::info!("nothing to log");
        tracing::info!(metric.free = 1);
        tracing::info!(metric.free = 2.5);
        for step in 0..2_u32 {
            let span = tracing::info_span!("epoch", step, metric.rate = 0.1);
            let _entered = span.enter();
            tracing::debug_span!("inner").in_scope(|| tracing::info!(metric.loss = 1.0));
            tracing::info!(metric.loss = 2.0, step = 7);
            tokio::time::advance(Duration::from_millis(1500)).await;
        }
        drop(guard);
        run.finish().unwrap();
        run.sync(testing::PATIENCE).await.unwrap();

        let remote = run.connect().await.unwrap();
        let info = remote.info().await.unwrap();
        assert_eq!((info.params["alpha"].as_str(), info.params["name"].as_str()), ("0.5", "a"));
        assert_eq!(info.tags["stage"], "test");
        assert_eq!(errors.lock().unwrap().len(), 1);
        let all = remote.metrics().await.unwrap();
        let values = |key: &str| -> Vec<(i64, f64)> {
            all[&key.into()].iter().map(|Metric { step, value, .. }| (*step, *value)).collect()
        };
        assert_eq!(values("free"), [(0, 1.0), (1, 2.5)]);
        assert_eq!(values("rate"), [(0, 0.1), (1, 0.1)]);
        assert_eq!(values("loss"), [(0, 1.0), (1, 1.0), (7, 2.0), (7, 2.0)]);
        assert_eq!(values("epoch.seconds"), [(0, 1.5), (1, 1.5)]);
        assert_eq!(all.len(), 4);
    }
}
