use std::{io, sync::Arc, time::Duration};

use parking_lot::Mutex;
use proptest::prelude::*;

use super::user::{Step, User, steps};
use crate::kernel::{
    MockCloud, World, WorldId, admin,
    clock::EPOCH,
    log::{Log, Memory, Record},
};

/// Runs `test` where time stands still unless somebody waits.
fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime needs nothing");
    runtime.block_on(test)
}

fn cloud(log: Arc<dyn Log>) -> MockCloud {
    MockCloud::builder().with_log(log).build().expect("a temporary folder can be made")
}

fn world(cloud: &MockCloud) -> World {
    cloud.kernel().inspect(World::clone)
}

fn replayed(records: &[Record]) -> World {
    World::replay(World::genesis(0, EPOCH), records).expect("each record follows the one before")
}

/// Looks every `pause` until `span` is over.
async fn watch(user: &User, span: Duration, pause: Duration) {
    let mut left = span;
    while !left.is_zero() {
        let pause = pause.min(left);
        tokio::time::advance(pause).await;
        user.look();
        left -= pause;
    }
}

/// What the properties say of a history is worth nothing if there is none.
#[test]
fn every_step_does_something() {
    use Step::{
        Attach, CancelPipeline, CancelRun, CreateCluster, CreateRun, CreateToken, LogMetric, Reset,
        SetRules, Skip, SubmitPipeline, SubmitRun, TerminateCluster, Wait,
    };
    in_virtual_time(async {
        let log = Arc::new(Memory::default());
        let mut user = User::of(cloud(log.clone()));
        let (wait_for_the_cluster, wait_for_the_compute) = (Wait(300), Wait(10));
        let steps = [
            SetRules(2),
            CreateCluster(0),
            wait_for_the_cluster,
            SubmitRun(0),
            CancelRun(0),
            SubmitRun(1),
            Skip(60),
            TerminateCluster(0),
            Attach,
            wait_for_the_compute,
            SubmitPipeline(0),
            CancelPipeline(0),
            CreateRun,
            LogMetric(0),
            CreateToken(9),
            Reset,
        ];
        for step in &steps {
            let before = log.records().len();
            assert_eq!(user.take(step).await, 200, "{step:?}");
            user.look();
            assert!(before < log.records().len(), "{step:?} left no record");
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_log_replays_to_the_same_world(steps in steps()) {
        in_virtual_time(async {
            let log = Arc::new(Memory::default());
            let mut user = User::of(cloud(log.clone()));
            for step in &steps {
                user.take(step).await;
            }
            prop_assert_eq!(replayed(&log.records()), world(&user.cloud));
            Ok(())
        })?;
    }

    #[test]
    fn an_export_is_the_world(steps in steps()) {
        in_virtual_time(async {
            let mut user = User::of(MockCloud::new());
            for step in &steps {
                user.take(step).await;
            }
            prop_assert_eq!(admin::import(&user.cloud.export()), Ok(world(&user.cloud)));
            Ok(())
        })?;
    }

    #[cfg(feature = "persist")]
    #[test]
    fn what_is_written_down_can_be_read_back(steps in steps()) {
        in_virtual_time(async {
            let log = Arc::new(Memory::default());
            let mut user = User::of(cloud(log.clone()));
            for step in &steps {
                user.take(step).await;
            }
            for record in log.records() {
                let bytes = rmp_serde::to_vec_named(&record.events).unwrap();
                let read: Vec<crate::kernel::Event> = rmp_serde::from_slice(&bytes).unwrap();
                prop_assert_eq!(read, record.events);
            }
            let world = world(&user.cloud);
            let bytes = rmp_serde::to_vec_named(&world).unwrap();
            let read: World = rmp_serde::from_slice(&bytes).unwrap();
            prop_assert_eq!(read, world);
            Ok(())
        })?;
    }

    #[test]
    fn looking_often_or_seldom_makes_the_same_history(steps in steps(), pause in 1..60_u64) {
        let history = |pause: Option<u64>| in_virtual_time(async {
            let log = Arc::new(Memory::default());
            let mut user = User::of(cloud(log.clone()));
            for step in &steps {
                match (step, pause) {
                    (Step::Wait(seconds), Some(pause)) => {
                        let span = Duration::from_secs((*seconds).into());
                        watch(&user, span, Duration::from_secs(pause)).await;
                    }
                    _ => drop(user.take(step).await),
                }
            }
            user.look();
            log.records()
        });
        prop_assert_eq!(history(Some(pause)), history(None));
    }

    #[test]
    fn a_failed_append_has_not_happened(steps in steps(), fails in proptest::collection::vec(1..6_u64, 1..6)) {
        in_virtual_time(async {
            let log = Arc::new(Failing::new(fails));
            let mut user = User::of(cloud(log.clone()));
            log.begin();
            for step in &steps {
                let refused_before = log.refused();
                let before = log.records().len();
                let status = user.take(step).await;
                // Whatever was answered, the world is what the log says.
                prop_assert_eq!(replayed(&log.records()), world(&user.cloud));
                let is_new = before < log.records().len();
                if status == 200 && !is_new && !matches!(step, Step::Wait(_)) {
                    prop_assert_eq!(log.refused(), refused_before, "{:?} was not kept", step);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_copy_of_a_world_stays_as_it_is(steps in steps(), more in steps()) {
        in_virtual_time(async {
            let log = Arc::new(Memory::default());
            let mut user = User::of(cloud(log.clone()));
            for step in &steps {
                user.take(step).await;
            }
            let (copy, length) = (world(&user.cloud), log.records().len());
            for step in &more {
                user.take(step).await;
            }
            // The later records lead from the copy to the world.
            let records = log.records();
            prop_assert_eq!(replayed(&records[..length]), copy.clone());
            let led = World::replay(copy, &records[length..]).unwrap();
            prop_assert_eq!(led, world(&user.cloud));
            Ok(())
        })?;
    }
}

/// A log that takes all but some records.
#[derive(Debug)]
struct Failing {
    state: Mutex<FailingState>,
}

#[derive(Debug)]
struct FailingState {
    records: Vec<Record>,
    /// After how many records the next one fails, each time.
    gaps: Vec<u64>,
    left: Option<u64>,
    refused: u64,
}

impl Failing {
    fn new(gaps: Vec<u64>) -> Self {
        let state = FailingState { records: Vec::new(), gaps, left: None, refused: 0 };
        Self { state: Mutex::new(state) }
    }

    /// Takes everything until now.
    fn begin(&self) {
        let state = &mut *self.state.lock();
        state.left = state.gaps.pop();
    }

    fn records(&self) -> Vec<Record> {
        self.state.lock().records.clone()
    }

    fn refused(&self) -> u64 {
        self.state.lock().refused
    }
}

impl Log for Failing {
    fn append(&self, record: &Record) -> io::Result<()> {
        let state = &mut *self.state.lock();
        match &mut state.left {
            Some(0) => {
                state.left = state.gaps.pop();
                state.refused += 1;
                return Err(io::Error::other("the disk is full"));
            }
            Some(left) => *left -= 1,
            None => (),
        }
        assert_eq!(record.world, WorldId::default());
        state.records.push(record.clone());
        Ok(())
    }
}
