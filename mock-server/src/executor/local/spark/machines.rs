//! Which clusters have a JVM, and which give theirs up for others.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{super::ClusterKey, Machine};

/// The machines of all clusters, at most so many at once. One that nobody uses
/// stays warm until another cluster needs its place: the one that was used
/// longest ago goes first.
#[derive(Debug)]
pub(in super::super) struct Machines {
    limit: usize,
    places: Mutex<Places>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Places {
    taken: BTreeMap<ClusterKey, Place>,
    /// Machines that still end.
    ending: usize,
    /// Counts uses, to tell which was last.
    uses: u64,
}

#[derive(Debug, Default)]
struct Place {
    machine: Arc<Machine>,
    users: usize,
    last_use: u64,
}

/// The right to use the machine of a cluster, which stays as long as this.
#[derive(Debug)]
pub(in super::super) struct Lease {
    machines: Arc<Machines>,
    key: ClusterKey,
    pub(in super::super) machine: Arc<Machine>,
}

/// What somebody who wants a machine has to do next.
enum Turn {
    Use(Arc<Machine>),
    /// Ends a machine that nobody uses.
    Evict(Arc<Machine>),
    Wait,
}

impl Machines {
    /// `limit`: how many at once, at least one.
    pub(in super::super) fn new(limit: usize) -> Arc<Self> {
        let (places, changed) = (Mutex::default(), Notify::new());
        Arc::new(Self { limit: limit.max(1), places, changed })
    }

    /// Waits for the machine of a cluster, for as long as all are in use.
    pub(in super::super) async fn lease(self: &Arc<Self>, key: &ClusterKey) -> Lease {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // What changes from here on is not missed.
            changed.as_mut().enable();
            let turn = self.places.lock().turn(key, self.limit);
            match turn {
                Turn::Use(machine) => {
                    return Lease { machines: self.clone(), key: key.clone(), machine };
                }
                Turn::Evict(machine) => self.end(&machine).await,
                Turn::Wait => changed.await,
            }
        }
    }

    /// Ends the machines of clusters that are gone, in the background, and
    /// answers who waits for their ends.
    pub(in super::super) fn end_all(
        self: &Arc<Self>,
        is_wanted: impl Fn(&ClusterKey) -> bool,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        let mut places = self.places.lock();
        let keys: Vec<_> = places.taken.keys().filter(|it| is_wanted(it)).cloned().collect();
        let gone: Vec<_> = keys.iter().filter_map(|it| places.taken.remove(it)).collect();
        places.ending += gone.len();
        drop(places);
        let end = |place: Place| {
            let this = self.clone();
            tokio::spawn(async move { this.end(&place.machine).await })
        };
        gone.into_iter().map(end).collect()
    }

    /// Ends a machine that is counted as ending.
    async fn end(&self, machine: &Machine) {
        // Its place is free again even if nobody waits until it has ended.
        struct Ending<'a>(&'a Machines);
        impl Drop for Ending<'_> {
            fn drop(&mut self) {
                self.0.places.lock().ending -= 1;
                self.0.changed.notify_waiters();
            }
        }
        let _ending = Ending(self);
        machine.end().await;
    }
}

impl Places {
    fn turn(&mut self, key: &ClusterKey, limit: usize) -> Turn {
        self.uses += 1;
        if !self.taken.contains_key(key) && limit <= self.taken.len() + self.ending {
            let idle = self.taken.iter().filter(|(_, it)| it.users == 0);
            let oldest = idle.min_by_key(|(_, it)| it.last_use).map(|(key, _)| key.clone());
            let Some(place) = oldest.and_then(|it| self.taken.remove(&it)) else {
                return Turn::Wait;
            };
            self.ending += 1;
            return Turn::Evict(place.machine);
        }
        let place = self.taken.entry(key.clone()).or_default();
        (place.users, place.last_use) = (place.users + 1, self.uses);
        Turn::Use(place.machine.clone())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut places = self.machines.places.lock();
        // The cluster may be gone, and even be there again with a new machine.
        if let Some(it) = places.taken.get_mut(&self.key)
            && Arc::ptr_eq(&it.machine, &self.machine)
        {
            it.users -= 1;
        }
        drop(places);
        self.machines.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::kernel::WorldId;

    fn key(name: &str) -> ClusterKey {
        ClusterKey { world: WorldId::default(), workspace: 1, cluster_id: name.to_owned() }
    }

    fn has(machines: &Machines, name: &str) -> bool {
        machines.places.lock().taken.contains_key(&key(name))
    }

    #[tokio::test]
    async fn a_cluster_keeps_its_machine_and_shares_it_among_its_tasks() {
        let machines = Machines::new(1);
        let first = machines.lease(&key("a")).await;
        let second = machines.lease(&key("a")).await;
        assert!(Arc::ptr_eq(&first.machine, &second.machine));
        let machine = first.machine.clone();
        drop((first, second));
        assert!(Arc::ptr_eq(&machines.lease(&key("a")).await.machine, &machine));
    }

    #[tokio::test]
    async fn who_finds_all_machines_in_use_waits_until_one_is_idle() {
        let machines = Machines::new(2);
        let (first, second) = (machines.lease(&key("a")).await, machines.lease(&key("b")).await);
        let third = key("c");
        let mut third = std::pin::pin!(machines.lease(&third));
        assert!(third.as_mut().now_or_never().is_none());
        let again = machines.lease(&key("b")).await;
        drop(second);
        assert!(third.as_mut().now_or_never().is_none(), "a task of b goes on");
        drop(again);
        let _third = third.await;
        assert!(!has(&machines, "b"), "its place was taken");
        assert!(has(&machines, "a"));
        drop(first);
    }

    #[tokio::test]
    async fn the_machine_that_was_used_longest_ago_goes_first() {
        let machines = Machines::new(2);
        for name in ["a", "b", "a"] {
            drop(machines.lease(&key(name)).await);
        }
        drop(machines.lease(&key("c")).await);
        assert!(!has(&machines, "b"));
        assert!(has(&machines, "a"));
    }

    #[tokio::test]
    async fn a_cluster_that_is_gone_frees_its_place_although_it_is_in_use() {
        let machines = Machines::new(1);
        let old = machines.lease(&key("a")).await;
        for it in machines.end_all(|_| true) {
            it.await.unwrap();
        }
        let new = machines.lease(&key("a")).await;
        assert!(!Arc::ptr_eq(&old.machine, &new.machine));
        drop(old);
        let other = key("b");
        assert!(machines.lease(&other).now_or_never().is_none(), "the new one is in use");
    }
}
