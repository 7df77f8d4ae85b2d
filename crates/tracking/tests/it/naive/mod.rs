//! Against the simplest server there is: it stores all that it is sent, twice if it
//! is sent twice, shows it late, and answers as a die falls.

mod server;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use azml_core::Clock;
use azml_tracking::{Metric, Run, RunEnd, Spool, SpoolOptions, Tracking};
use proptest::prelude::*;
use time::OffsetDateTime;
use tokio::time::Instant;

use self::server::{Fate, LATE, Naive};
use crate::harness::{PATIENCE, corpse};

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Done),
        1 => Just(Fate::Unreachable),
        1 => Just(Fate::Busy),
        1 => Just(Fate::LostBefore),
        2 => Just(Fate::LostAfter),
        2 => Just(Fate::Half),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Point(u8),
    Param(u8),
    Tag(u8),
    /// So many seconds pass.
    Wait(u8),
    /// The process dies, and another one brings what it has left.
    Die,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_u8).prop_map(Step::Point),
        1 => any::<u8>().prop_map(Step::Param),
        1 => any::<u8>().prop_map(Step::Tag),
        2 => (0..100_u8).prop_map(Step::Wait),
        1 => Just(Step::Die),
    ]
}

/// What was accepted, as the server should have it.
#[derive(Debug, Default)]
struct Accepted {
    points: Vec<(String, i64, u64)>,
    params: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

/// Goes as the time of tokio goes, from one runtime to the next.
#[derive(Debug)]
struct LongClock(Mutex<(OffsetDateTime, Instant)>);

impl LongClock {
    /// Goes on in this runtime.
    fn go_on(&self) {
        self.0.lock().unwrap().1 = Instant::now();
    }

    /// Stands still until it goes on.
    fn stop(&self) {
        let now = self.now();
        self.0.lock().unwrap().0 = now;
    }
}

#[async_trait]
impl Clock for LongClock {
    fn now(&self) -> OffsetDateTime {
        let (at, since) = *self.0.lock().unwrap();
        at + since.elapsed()
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// Logs until the end, or until it dies.
async fn live(tracking: &Tracking, steps: Vec<Step>) -> (Run, Accepted, bool) {
    let options = tracking.spool().clone().with_runtime(tokio::runtime::Handle::current());
    let run = tracking.clone().with_spool(options).start_run("e").unwrap();
    let mut accepted = Accepted::default();
    for (step, it) in (0..).zip(steps) {
        match it {
            Step::Point(key) => {
                let (key, value) = (format!("m{key}"), f64::from(step));
                run.log_metric_at(&key, value, i64::from(step)).unwrap();
                accepted.points.push((key, i64::from(step), value.to_bits()));
            }
            Step::Param(key) => {
                run.log_param(format!("p{key}"), key).unwrap();
                accepted.params.insert(format!("p{key}"), key.to_string());
            }
            Step::Tag(value) => {
                run.set_tag("t", value.to_string()).unwrap();
                accepted.tags.insert("t".to_owned(), value.to_string());
            }
            Step::Wait(seconds) => {
                tokio::time::sleep(Duration::from_secs(seconds.into())).await;
            }
            Step::Die => return (run, accepted, true),
        }
    }
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    (run, accepted, false)
}

fn in_no_time<F: Future>(clock: &LongClock, work: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        clock.go_on();
        let output = work.await;
        clock.stop();
        output
    })
    // Whatever is under way ends here, at whatever place it is.
}

fn live_and_perhaps_die(fates: Vec<Fate>, steps: Vec<Step>) {
    let start = time::macros::datetime!(2026-01-01 00:00 UTC);
    let clock = Arc::new(LongClock(Mutex::new((start, Instant::now()))));
    let server = Naive::new(fates, clock.clone());
    let spool = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new().with_folder(spool.path());
    let tracking = Tracking::new(server.clone()).with_spool(options);
    let (_run, mut accepted, is_dead) = in_no_time(&clock, live(&tracking, steps));
    if is_dead {
        let dead = corpse(spool.path());
        in_no_time(&clock, async {
            tokio::time::sleep(LATE).await;
            while !Spool::recover(dead.path(), &tracking).await.unwrap().failed.is_empty() {}
        });
    }
    let kept = server.kept.lock().unwrap();
    let point =
        |it: &(OffsetDateTime, Metric)| (it.1.key.to_string(), it.1.step, it.1.value.to_bits());
    let mut points: Vec<_> = kept.points.iter().map(point).collect();
    points.sort();
    accepted.points.sort();
    assert_eq!(points, accepted.points);
    assert_eq!(kept.params.iter().cloned().collect::<BTreeMap<_, _>>(), accepted.params);
    assert_eq!(kept.tags.iter().cloned().collect::<BTreeMap<_, _>>(), accepted.tags);
    assert_eq!(kept.runs.len(), 1, "{:?}", kept.runs);
    let end = if is_dead { RunEnd::Canceled } else { RunEnd::Finished };
    assert!(!kept.ends.is_empty() && kept.ends.iter().all(|it| *it == end), "{:?}", kept.ends);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_happens_each_point_is_stored_once(
        fates in prop::collection::vec(any_fate(), 0..40),
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        live_and_perhaps_die(fates, steps);
    }
}
