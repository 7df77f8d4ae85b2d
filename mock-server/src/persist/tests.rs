use std::{io, path::Path, sync::Arc, time::Duration};

use rusqlite::Connection;

use super::*;
use crate::kernel::{MockCloud, Refusal, World, WorldId, log::VERSION};

fn open(folder: &Path) -> MockCloud {
    let (log, worlds) = Sqlite::open(folder, Durability::Normal).unwrap();
    cloud(log, worlds)
}

fn cloud(log: Sqlite, worlds: Vec<(WorldId, World)>) -> MockCloud {
    MockCloud::builder().with_log(Arc::new(log)).with_worlds(worlds).build().unwrap()
}

fn set_rules(cloud: &MockCloud, names: &[&str]) -> Result<(), String> {
    let rules: Vec<_> =
        names.iter().map(|it| serde_json::json!({"task": it, "result": "SUCCESS"})).collect();
    cloud.set_outcomes(&rules.into())
}

fn world(cloud: &MockCloud) -> World {
    cloud.kernel().inspect(World::clone)
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    set_rules(&first, &["a", "b"]).unwrap();
    first.advance(Duration::from_secs(60));
    let wanted = world(&first);
    drop(first);

    let (log, worlds) = Sqlite::open(folder.path(), Durability::Full).unwrap();
    assert_eq!(worlds, [(WorldId::default(), wanted)]);
    let second = cloud(log, worlds);
    assert_eq!(second.kernel().clock.offset(), Duration::from_secs(60));
}

#[tokio::test]
async fn each_world_is_kept_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let other = WorldId("t1".to_owned());
    first.shared.world(&other).unwrap();
    drop(first);
    let (_log, worlds) = Sqlite::open(folder.path(), Durability::Normal).unwrap();
    let names: Vec<_> = worlds.into_iter().map(|(id, _)| id).collect();
    assert_eq!(names, [WorldId::default(), other]);
}

#[tokio::test]
async fn a_reset_is_remembered_and_ids_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    set_rules(&first, &["a"]).unwrap();
    first.kernel().reset(7).await.unwrap();
    let wanted = world(&first);
    assert_eq!((wanted.epoch, wanted.seed, wanted.outcomes.len()), (1, 7, 0));
    drop(first);
    assert_eq!(world(&open(folder.path())), wanted);
}

#[tokio::test]
async fn a_snapshot_takes_the_place_of_the_records_up_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let (log, worlds) = Sqlite::open(folder.path(), Durability::Normal).unwrap();
    let log = Arc::new(log.with_snapshot_after(2000));
    let builder = MockCloud::builder().with_log(log.clone()).with_worlds(worlds);
    let first = builder.build().unwrap();
    for number in 0..100 {
        set_rules(&first, &[&format!("task-{number}")]).unwrap();
    }
    let wanted = world(&first);
    assert_eq!(log.count("snapshots"), Ok(1));
    assert!(log.count("records").unwrap() < 100);
    drop((first, log));
    assert_eq!(world(&open(folder.path())), wanted);
}

#[tokio::test]
async fn what_was_written_before_a_restart_counts_for_the_next_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    set_rules(&first, &["a"; 100]).unwrap();
    drop(first);
    let (log, worlds) = Sqlite::open(folder.path(), Durability::Normal).unwrap();
    let log = Arc::new(log.with_snapshot_after(2000));
    let second = MockCloud::builder().with_log(log.clone()).with_worlds(worlds).build().unwrap();
    assert_eq!(log.count("snapshots"), Ok(0));
    set_rules(&second, &["b"]).unwrap();
    assert_eq!(log.count("snapshots"), Ok(1));
}

#[tokio::test]
async fn a_failed_append_has_not_happened_and_nothing_is_taken_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (log, worlds) = Sqlite::open(folder.path(), Durability::Normal).unwrap();
    let log = Arc::new(log);
    let builder = MockCloud::builder().with_log(log.clone()).with_worlds(worlds);
    let cloud = builder.build().unwrap();
    set_rules(&cloud, &["kept"]).unwrap();
    let wanted = world(&cloud);

    // As a full disk does: the statement fails, and what it wrote is undone.
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON records
        BEGIN SELECT raise(ABORT, 'database or disk is full'); END";
    log.execute(trigger).unwrap();
    let text = set_rules(&cloud, &["lost"]).unwrap_err();
    assert_eq!(
        text,
        format!(
            "nothing was changed: the log {} took no record (database or disk is full); \
             the mock is read-only until it is restarted",
            folder.path().join("log.sqlite").display()
        )
    );
    assert_eq!(world(&cloud), wanted);

    // A later record would follow one that the log does not have.
    log.execute("DROP TRIGGER full").unwrap();
    assert_eq!(set_rules(&cloud, &["later"]).unwrap_err(), text);
    assert_eq!(cloud.kernel().read::<_, Refusal>(|world, _| Ok(world.clone())), Ok(wanted.clone()));

    drop((cloud, log));
    let restarted = open(folder.path());
    assert_eq!(world(&restarted), wanted);
    set_rules(&restarted, &["again"]).unwrap();
}

#[tokio::test]
async fn a_torn_end_of_the_file_costs_no_earlier_record() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    set_rules(&first, &["kept"]).unwrap();
    let wanted = world(&first);
    // What a process leaves that dies while it writes: the files as they are,
    // and half a page behind them.
    let copy = tempfile::tempdir().unwrap();
    for name in ["log.sqlite", "log.sqlite-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let wal = copy.path().join("log.sqlite-wal");
    let mut bytes = std::fs::read(&wal).unwrap();
    bytes.extend_from_within(32..2000);
    std::fs::write(&wal, bytes).unwrap();
    assert_eq!(world(&open(copy.path())), wanted);
}

#[tokio::test]
async fn a_second_process_on_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let err = Sqlite::open(folder.path(), Durability::Normal).unwrap_err();
    assert_eq!(err.kind(), io::ErrorKind::ResourceBusy);
    let text = format!("the folder {} is in use by another azml-mock", folder.path().display());
    assert_eq!(err.to_string(), text);
}

#[tokio::test]
async fn what_a_later_version_wrote_is_refused() {
    let later =
        [("UPDATE records SET version = 99", 99, VERSION), ("PRAGMA user_version = 7", 7, 2)];
    for (change, found, known) in later {
        let folder = tempfile::tempdir().unwrap();
        let (log, worlds) = Sqlite::open(folder.path(), Durability::Normal).unwrap();
        let log = Arc::new(log);
        let builder = MockCloud::builder().with_log(log.clone()).with_worlds(worlds);
        drop(builder.build().unwrap());
        log.execute(change).unwrap();
        drop(log);
        let err = Sqlite::open(folder.path(), Durability::Normal).unwrap_err();
        assert_eq!(
            err.to_string(),
            format!(
                "{} was written by a later azml-mock (version {found}, this one reads up to {known}): \
                 use that one, or another folder",
                folder.path().join("log.sqlite").display()
            )
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_log() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let _cloud = open(&folder);
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for name in ["log.sqlite", "log.sqlite-wal"] {
        let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_folder_of_the_first_tables_is_read_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    set_rules(&first, &["a", "b"]).unwrap();
    first.shared.world(&WorldId("t1".to_owned())).unwrap();
    let wanted = world(&first);
    drop(first);
    let file = Connection::open(folder.path().join("log.sqlite")).unwrap();
    file.execute_batch(
        "ALTER TABLE records RENAME TO new;
        CREATE TABLE records (world TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL,
            next_id INTEGER NOT NULL, version INTEGER NOT NULL, events BLOB NOT NULL,
            PRIMARY KEY (world, seq)) WITHOUT ROWID;
        INSERT INTO records SELECT world, seq, at, next_id, version, events FROM new;
        DROP TABLE new; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(file);
    for _ in 0..2 {
        assert_eq!(world(&open(folder.path())), wanted);
    }
}
