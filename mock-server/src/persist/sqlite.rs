use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::kernel::{
    Event, World, WorldId,
    clock::EPOCH,
    log::{Log, Record, VERSION},
};

/// The shape of the tables. Raise it when a table changes.
const TABLES: i64 = 2;

/// After how many bytes of records the world itself is written down.
const SNAPSHOT_AFTER: u64 = 64 << 20;

/// After how many pages the database takes in what was written ahead. A page
/// is written again with every record that it gets: it is taken in full.
const CHECKPOINT_AFTER: i64 = 4000;

/// Records are only ever added at the end: without an index, the last page is
/// all that changes.
const RECORDS: &str = "
    CREATE TABLE records (
        number INTEGER PRIMARY KEY,
        world TEXT NOT NULL,
        seq INTEGER NOT NULL,
        at TEXT NOT NULL,
        next_id INTEGER NOT NULL,
        version INTEGER NOT NULL,
        events BLOB NOT NULL
    );";

const SNAPSHOTS: &str = "
    CREATE TABLE snapshots (
        world TEXT PRIMARY KEY NOT NULL,
        seq INTEGER NOT NULL,
        version INTEGER NOT NULL,
        content BLOB NOT NULL
    );";

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub(crate) enum Durability {
    /// The death of the process.
    Normal,
    /// A power cut, too.
    Full,
}

/// A log in one file, used by one process.
pub(crate) struct Sqlite {
    state: Mutex<State>,
    file: PathBuf,
    snapshot_after: u64,
    /// Held as long as the folder is used.
    _lock: File,
}

struct State {
    connection: Connection,
    /// Bytes of records since each world was written down as a whole.
    grown: BTreeMap<WorldId, u64>,
    /// Why nothing more is taken.
    failed: Option<String>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens or begins the log in `folder` and tells which worlds it holds.
    ///
    /// # Errors
    ///
    /// Fails in one clear line when another process uses the folder, or when a
    /// later version has written there.
    pub(crate) fn open(
        folder: &Path,
        sync: Durability,
    ) -> io::Result<(Self, Vec<(WorldId, World)>)> {
        make_private_folder(folder).map_err(|err| told(folder, &err))?;
        let lock = lock(folder)?;
        let file = folder.join("log.sqlite");
        make_private(&file).map_err(|err| told(&file, &err))?;
        let connection = connect(&file, sync).map_err(|err| told(&file, &err))?;
        check_version(&connection, &file)?;
        let worlds = worlds(&connection, &file)?;
        let grown = lengths(&connection).map_err(|err| told(&file, &err))?;
        let state = State { connection, grown, failed: None };
        let snapshot_after = SNAPSHOT_AFTER;
        Ok((Self { state: Mutex::new(state), file, snapshot_after, _lock: lock }, worlds))
    }

    #[cfg(test)]
    pub(crate) fn with_snapshot_after(self, bytes: u64) -> Self {
        Self { snapshot_after: bytes, ..self }
    }

    /// Lets a test look at, or break, the tables.
    #[cfg(test)]
    pub(crate) fn execute(&self, statement: &str) -> rusqlite::Result<()> {
        self.state.lock().connection.execute_batch(statement)
    }

    #[cfg(test)]
    pub(crate) fn count(&self, table: &str) -> rusqlite::Result<i64> {
        let statement = format!("SELECT count(*) FROM {table}");
        self.state.lock().connection.query_row(&statement, [], |row| row.get(0))
    }
}

impl Log for Sqlite {
    fn append(&self, record: &Record) -> io::Result<()> {
        let state = &mut *self.state.lock();
        if let Some(reason) = &state.failed {
            return Err(io::Error::other(reason.clone()));
        }
        match insert(&state.connection, record) {
            Ok(bytes) => {
                *state.grown.entry(record.world.clone()).or_default() += bytes;
                Ok(())
            }
            Err(err) => {
                let reason = format!(
                    "nothing was changed: the log {} took no record ({err}); \
                     the mock is read-only until it is restarted",
                    self.file.display()
                );
                tracing::error!("{reason}");
                state.failed = Some(reason.clone());
                Err(io::Error::other(reason))
            }
        }
    }

    fn offer(&self, id: &WorldId, world: &World) {
        let state = &mut *self.state.lock();
        let Some(grown) = state.grown.get_mut(id) else { return };
        if *grown < self.snapshot_after {
            return;
        }
        // A failure costs disk space and nothing else, so it is tried again
        // after as many bytes.
        *grown = 0;
        if let Err(err) = snapshot(&mut state.connection, id, world) {
            tracing::warn!(%err, "the log could not be made shorter");
        }
    }

    fn flush(&self) -> io::Result<()> {
        let state = self.state.lock();
        let done = state.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        done.map_err(|err| told(&self.file, &err))
    }
}

/// Makes sure that no other process uses `folder`.
fn lock(folder: &Path) -> io::Result<File> {
    let file = File::create(folder.join("lock")).map_err(|err| told(folder, &err))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let text = format!("the folder {} is in use by another azml-mock", folder.display());
            Err(io::Error::new(io::ErrorKind::ResourceBusy, text))
        }
        Err(TryLockError::Error(err)) => Err(told(folder, &err)),
    }
}

/// Makes the folder so that nobody else may look into it. One that is there
/// keeps the mode that its owner gave it.
fn make_private_folder(folder: &Path) -> io::Result<()> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Makes the file so that nobody else may read it: it holds secrets. The files
/// that the database makes beside it get the same mode.
fn make_private(file: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

fn connect(file: &Path, sync: Durability) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    let synchronous = match sync {
        Durability::Normal => "NORMAL",
        Durability::Full => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_AFTER)?;
    Ok(connection)
}

/// Begins an empty file; refuses one of a later version.
fn check_version(connection: &Connection, file: &Path) -> io::Result<()> {
    let sql = |err: rusqlite::Error| told(file, &err);
    let found: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql)?;
    if found == 0 {
        let begin = format!("BEGIN; {RECORDS} {SNAPSHOTS} PRAGMA user_version = {TABLES}; COMMIT;");
        return connection.execute_batch(&begin).map_err(sql);
    }
    if found == 1 {
        // Records had an order of their own, by world and number.
        let change = format!(
            "BEGIN; ALTER TABLE records RENAME TO old; {RECORDS}
            INSERT INTO records (world, seq, at, next_id, version, events)
                SELECT world, seq, at, next_id, version, events FROM old ORDER BY world, seq;
            DROP TABLE old; PRAGMA user_version = {TABLES}; COMMIT;"
        );
        connection.execute_batch(&change).map_err(sql)?;
    }
    if TABLES < found {
        return Err(too_new(file, found, TABLES));
    }
    let newest = "SELECT max(version) FROM
        (SELECT max(version) AS version FROM records UNION ALL SELECT max(version) FROM snapshots)";
    let newest: Option<i64> = connection.query_row(newest, [], |row| row.get(0)).map_err(sql)?;
    match newest {
        Some(newest) if i64::from(VERSION) < newest => Err(too_new(file, newest, VERSION.into())),
        _ => Ok(()),
    }
}

fn too_new(file: &Path, found: i64, known: i64) -> io::Error {
    let text = format!(
        "{} was written by a later azml-mock (version {found}, this one reads up to {known}): \
         use that one, or another folder",
        file.display()
    );
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// All worlds, as the records say that they are now.
fn worlds(connection: &Connection, file: &Path) -> io::Result<Vec<(WorldId, World)>> {
    let sql = |err: rusqlite::Error| told(file, &err);
    let names = "SELECT world FROM snapshots UNION SELECT world FROM records";
    let mut statement = connection.prepare(names).map_err(sql)?;
    let names = statement.query_map([], |row| row.get(0)).map_err(sql)?;
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(sql)?;
    let opened = names.into_iter().map(|name| {
        let id = WorldId(name);
        world(connection, &id).map(|world| (id, world)).map_err(|err| told(file, &err))
    });
    opened.collect()
}

fn world(connection: &Connection, id: &WorldId) -> io::Result<World> {
    let kept: Option<Vec<u8>> = connection
        .query_row("SELECT content FROM snapshots WHERE world = ?1", [&id.0], |row| row.get(0))
        .optional()
        .map_err(io::Error::other)?;
    let mut world = match kept {
        Some(bytes) => rmp_serde::from_slice(&bytes).map_err(io::Error::other)?,
        // The first record tells how the world began.
        None => World::genesis(0, EPOCH),
    };
    let statement = "SELECT seq, at, next_id, version, events FROM records
        WHERE world = ?1 AND ?2 < seq ORDER BY number";
    let mut statement = connection.prepare(statement).map_err(io::Error::other)?;
    let after = number(world.seq)?;
    let mut rows = statement.query(params![id.0, after]).map_err(io::Error::other)?;
    while let Some(row) = rows.next().map_err(io::Error::other)? {
        world.follow(&record(id, row)?)?;
    }
    Ok(world)
}

/// How long the records of each world are that no snapshot has replaced yet.
fn lengths(connection: &Connection) -> rusqlite::Result<BTreeMap<WorldId, u64>> {
    let statement = "SELECT world, sum(length(events)) FROM records GROUP BY world";
    let mut statement = connection.prepare(statement)?;
    let lengths = statement.query_map([], |row| {
        let bytes: i64 = row.get(1)?;
        Ok((WorldId(row.get(0)?), u64::try_from(bytes).unwrap_or_default()))
    })?;
    lengths.collect()
}

fn record(id: &WorldId, row: &rusqlite::Row<'_>) -> io::Result<Record> {
    let (seq, at, next_id, version): (i64, String, i64, u32) =
        <_>::try_from(row).map_err(io::Error::other)?;
    let events: Vec<u8> = row.get("events").map_err(io::Error::other)?;
    let unsigned = |it: i64| u64::try_from(it).map_err(io::Error::other);
    Ok(Record {
        seq: unsigned(seq)?,
        world: id.clone(),
        at: OffsetDateTime::parse(&at, &Rfc3339).map_err(io::Error::other)?,
        next_id: unsigned(next_id)?,
        version,
        events: rmp_serde::from_slice::<Vec<Event>>(&events).map_err(io::Error::other)?,
    })
}

/// Writes one record and says how long it is.
fn insert(connection: &Connection, record: &Record) -> io::Result<u64> {
    let events = rmp_serde::to_vec_named(&record.events).map_err(io::Error::other)?;
    let statement = "INSERT INTO records (world, seq, at, next_id, version, events)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut statement = connection.prepare_cached(statement).map_err(io::Error::other)?;
    let at = record.at.format(&Rfc3339).map_err(io::Error::other)?;
    let (seq, next_id) = (number(record.seq)?, number(record.next_id)?);
    statement
        .execute(params![record.world.0, seq, at, next_id, record.version, events])
        .map_err(io::Error::other)?;
    Ok(events.len() as u64)
}

/// Writes the world down as a whole and forgets how it came about.
fn snapshot(connection: &mut Connection, id: &WorldId, world: &World) -> io::Result<()> {
    let content = rmp_serde::to_vec_named(world).map_err(io::Error::other)?;
    let seq = number(world.seq)?;
    let mut write = || {
        let change = connection.transaction()?;
        change.execute(
            "INSERT OR REPLACE INTO snapshots (world, seq, version, content) VALUES (?1, ?2, ?3, ?4)",
            params![id.0, seq, VERSION, content],
        )?;
        change.execute("DELETE FROM records WHERE world = ?1 AND seq <= ?2", params![id.0, seq])?;
        change.commit()
    };
    write().map_err(io::Error::other)
}

fn number(it: u64) -> io::Result<i64> {
    i64::try_from(it).map_err(io::Error::other)
}

/// `err`, and which file or folder it is about.
fn told(path: &Path, err: &dyn fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {err}", path.display()))
}
