use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use azml_core::{ErrorKind, TokioClock};
use proptest::prelude::*;

use super::{
    segment::{Disk, RealDisk},
    *,
};

const RUN: uuid::Uuid = uuid::Uuid::from_u128(0x5fa3_2699_a9c9_4c7d);

fn writer(folder: &Path, options: &SpoolOptions) -> Arc<Writer> {
    Writer::create(folder, RUN, options, Arc::new(TokioClock::new())).unwrap()
}

fn log(writer: &Writer, key: &str, value: f64) -> azml_core::Result<()> {
    writer.named_point(key, None, value, || Ok(()))
}

/// Everything that can be read, in short.
fn read(folder: &Path, from: Position) -> (Vec<String>, Reader) {
    let mut found = Vec::new();
    let mut reader = Reader::new(folder, RUN, from);
    let mut keys: std::collections::HashMap<u32, String> =
        reader.keys().unwrap().into_iter().collect();
    while reader
        .next(|record, _| {
            match record {
                Record::Key { id, name } => drop(keys.insert(id, name.into_owned())),
                Record::Point(it) => {
                    found.push(format!("{} {} {}", keys[&it.key], it.step, it.value));
                }
                Record::Tag { key, value } => found.push(format!("tag {key} {value}")),
                Record::Gap { points } => found.push(format!("gap {points}")),
                other => found.push(format!("{other:?}")),
            }
            true
        })
        .unwrap()
    {}
    (found, reader)
}

#[test]
fn what_is_logged_is_read_in_order_from_any_place_on() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), &SpoolOptions::new());
    log(&writer, "loss", 0.5).unwrap();
    log(&writer, "loss", 0.25).unwrap();
    let (found, reader) = read(folder.path(), Position::START);
    assert_eq!(found, ["loss 0 0.5", "loss 1 0.25"]);
    // The tail is followed while the run logs.
    writer.named_point("loss", Some(9), 0.125, || Ok(())).unwrap();
    log(&writer, "loss", 0.0).unwrap();
    let (found, _) = read(folder.path(), reader.position());
    assert_eq!(found, ["loss 9 0.125", "loss 10 0"]);
    assert_eq!(writer.pending(), 4);
}

#[test]
fn points_go_on_in_the_next_segment_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new().with_max_bytes(8 << 20);
    let writer = writer(folder.path(), &options);
    let key = writer.key("loss");
    for step in 0..60_000 {
        writer.point(key, None, f64::from(step)).unwrap();
    }
    let (found, reader) = read(folder.path(), Position::START);
    assert!((0..60_000).all(|it| found[it] == format!("loss {it} {it}")));
    assert!(reader.position().segment >= 2);
}

#[test]
fn many_threads_lose_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), &SpoolOptions::new());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let writer = &writer;
            scope.spawn(move || {
                for _ in 0..5_000 {
                    log(writer, &format!("series {thread}"), 1.0).unwrap();
                }
            });
        }
    });
    let (mut found, _) = read(folder.path(), Position::START);
    found.sort_unstable();
    let expected =
        (0..4).flat_map(|it| (0..5_000).map(move |step| format!("series {it} {step} 1")));
    let mut expected: Vec<_> = expected.collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_torn_tail_is_cut_at_whatever_byte_it_was_torn() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), &SpoolOptions::new());
    for value in 1..21 {
        log(&writer, "loss", f64::from(value)).unwrap();
        writer.record(&Record::Tag { key: "t".into(), value: "some text".into() }).unwrap();
    }
    drop(writer);
    let path = segment::path(folder.path(), 0);
    let mut whole = fs::read(&path).unwrap();
    let (all, reader) = read(folder.path(), Position::START);
    assert_eq!(all.len(), 40);
    let end = usize::try_from(reader.position().offset).unwrap();
    // Some zeros behind it are as good as many.
    whole.truncate(end + 64);
    let mut seen = all.len();
    for torn in (segment::HEAD..end).rev() {
        // A power cut leaves zeros, or what was there before, behind what was written.
        for garbage in [0, 0xA5] {
            let mut bytes = whole.clone();
            bytes[torn..].fill(garbage);
            fs::write(&path, &bytes).unwrap();
            let (found, _) = read(folder.path(), Position::START);
            assert_eq!(found, all[..found.len()], "torn at byte {torn}");
            assert!(found.len() == seen || found.len() + 1 == seen, "torn at byte {torn}");
            if garbage != 0 {
                seen = found.len();
            }
        }
        // A file can be cut as well.
        OpenOptions::new().write(true).open(&path).unwrap().set_len(torn as u64).unwrap();
        assert_eq!(read(folder.path(), Position::START).0, all[..seen], "cut at byte {torn}");
    }
    assert_eq!(seen, 0);
}

#[test]
fn bytes_that_rot_in_the_middle_cost_one_segment_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), &SpoolOptions::new());
    let key = writer.key("loss");
    for step in 0..20_000 {
        writer.point(key, None, f64::from(step)).unwrap();
    }
    let path = segment::path(folder.path(), 0);
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(segment::HEAD as u64 + 4000)).unwrap();
    file.write_all(&[0xFF; 3]).unwrap();
    let (found, reader) = read(folder.path(), Position::START);
    assert_eq!(reader.damaged(), 1);
    assert_eq!(found.first().unwrap(), "loss 0 0");
    assert_eq!(found.last().unwrap(), "loss 19999 19999");
}

#[test]
fn a_full_spool_refuses_and_takes_more_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new().with_max_bytes(1 << 20).with_when_full(WhenFull::Refuse);
    let writer = writer(folder.path(), &options);
    let mut accepted = 0_u32;
    let refused = loop {
        match log(&writer, "loss", f64::from(accepted)) {
            Ok(()) => accepted += 1,
            Err(err) => break err,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Throttled);
    let (found, reader) = read(folder.path(), Position::START);
    assert_eq!(found.len() as u64, writer.pending());
    assert_eq!(u64::from(accepted), writer.pending());
    // What is at the server needs no room.
    for index in 0..reader.position().segment {
        fs::remove_file(segment::path(folder.path(), index)).unwrap();
    }
    keeper::prepare(&writer);
    while log(&writer, "loss", 1.0).is_err() {}
}

#[test]
fn the_end_of_a_run_finds_room_in_a_full_spool() {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new().with_max_bytes(1 << 20).with_when_full(WhenFull::Refuse);
    let writer = writer(folder.path(), &options);
    while log(&writer, "loss", 1.0).is_ok() {}
    let end = Record::End { end: crate::RunEnd::failed("the disk is full"), at_ms: 1 };
    writer.record(&end).unwrap();
    let (found, _) = read(folder.path(), Position::START);
    assert!(found.last().unwrap().starts_with("End"));
}

#[test]
fn a_log_call_waits_for_room_and_goes_on_as_soon_as_there_is_some() {
    let folder = tempfile::tempdir().unwrap();
    let patience = Duration::from_secs(20);
    let options =
        SpoolOptions::new().with_max_bytes(1 << 20).with_when_full(WhenFull::Block(patience));
    let writer = writer(folder.path(), &options);
    let logged = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for value in 0..40_000 {
                log(&writer, "loss", f64::from(value)).unwrap();
                logged.fetch_add(1, SeqCst);
            }
        });
        let mut next = 0;
        while logged.load(SeqCst) < 40_000 {
            let (_, reader) = read(folder.path(), Position::start_of(next));
            while next < reader.position().segment {
                fs::remove_file(segment::path(folder.path(), next)).unwrap();
                next += 1;
            }
            keeper::prepare(&writer);
            std::thread::yield_now();
        }
        assert!(next > 2);
    });
}

#[test]
fn the_oldest_points_go_when_that_is_wanted_and_the_gap_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new().with_max_bytes(1 << 20).with_when_full(WhenFull::DropOldest);
    let writer = writer(folder.path(), &options);
    for value in 0..200_000 {
        if value == 10_000 {
            writer.record(&Record::Tag { key: "kept".into(), value: "yes".into() }).unwrap();
        }
        log(&writer, "loss", f64::from(value)).unwrap();
    }
    let (found, _) = read(folder.path(), Position::START);
    let points = found.iter().filter(|it| it.starts_with("loss")).count() as u64;
    let gaps = found.iter().filter_map(|it| it.strip_prefix("gap ")?.parse::<u64>().ok());
    assert_eq!(points + gaps.sum::<u64>(), 200_000);
    assert_eq!(writer.dropped() + points, 200_000);
    assert_eq!(writer.pending(), points + 1);
    assert_eq!(found.iter().filter(|it| *it == "tag kept yes").count(), 1);
    assert_eq!(found.last().unwrap(), "loss 199999 199999");
}

/// Gives room for so many segments.
#[derive(Debug)]
struct SmallDisk(AtomicUsize);

impl Disk for SmallDisk {
    fn create(&self, path: &Path, len: usize) -> io::Result<File> {
        let left = self.0.fetch_update(SeqCst, SeqCst, |it| it.checked_sub(1));
        left.map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        RealDisk.create(path, len)
    }
}

#[test]
fn a_full_disk_is_an_error_of_the_call_and_what_was_accepted_stays() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(SmallDisk(AtomicUsize::new(2)));
    let options = SpoolOptions { disk: disk.clone(), ..SpoolOptions::new() };
    let options = options.with_when_full(WhenFull::Block(Duration::from_millis(1)));
    let writer = writer(folder.path(), &options);
    let mut accepted = 0_u64;
    let refused = loop {
        match log(&writer, "loss", 1.0) {
            Ok(()) => accepted += 1,
            Err(err) => break err,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Other);
    let cause = std::error::Error::source(&refused).unwrap();
    assert_eq!(cause.to_string(), io::Error::from(io::ErrorKind::StorageFull).to_string());
    assert_eq!(read(folder.path(), Position::START).0.len() as u64, accepted);
    // Somebody made room.
    disk.0.store(1, SeqCst);
    keeper::prepare(&writer);
    while log(&writer, "loss", 2.0).is_err() {}
    assert_eq!(
        read(folder.path(), Position::START).0.last().unwrap().split(' ').next_back(),
        Some("2")
    );
}

#[test]
fn callers_that_want_it_wait_for_the_disk_together() {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new().with_durability(Durability::Disk);
    let writer = writer(folder.path(), &options);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    log(&writer, "loss", 1.0).unwrap();
                }
            });
        }
    });
    assert_eq!(read(folder.path(), Position::START).0.len(), 80);
}

#[test]
fn nothing_is_logged_after_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), &SpoolOptions::new());
    let end = Record::End { end: crate::RunEnd::Finished, at_ms: 1 };
    writer.record(&end).unwrap();
    for late in [log(&writer, "loss", 1.0), writer.record(&end)] {
        assert_eq!(late.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_lock_is_held_by_one_and_a_sign_of_life_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::of_writer(folder.path()).unwrap();
    assert!(lock.is_some());
    assert!(Lock::of_writer(folder.path()).unwrap().is_none());
    assert_eq!(last_beat(folder.path()), None);
    state::beat(folder.path(), 1_795_364_647_583);
    assert_eq!(last_beat(folder.path()), Some(1_795_364_647_583));
    drop(lock);
    assert!(Lock::of_writer(folder.path()).unwrap().is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Point(u8, Option<i64>, u64),
    Tag(String),
    /// The reader takes so many records.
    Read(u8),
    /// The reader begins anew where it is, as after a crash.
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_u8, any::<Option<i64>>(), any::<u64>())
            .prop_map(|(key, step, bits)| Step::Point(key, step, bits)),
        1 => "\\PC{0,2000}".prop_map(Step::Tag),
        2 => any::<u8>().prop_map(Step::Read),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Against the simplest model there is: a list.
    #[test]
    fn writing_and_reading_in_any_order_is_a_queue(
        steps in prop::collection::vec(any_step(), 1..100),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path(), &SpoolOptions::new());
        let (mut model, mut next_steps) = (std::collections::VecDeque::new(), [0_i64; 4]);
        let mut reader = Reader::new(folder.path(), RUN, Position::START);
        let mut keys = std::collections::HashMap::new();
        let mut take = |reader: &mut Reader, model: &mut std::collections::VecDeque<_>| {
            let mut is_fine = true;
            let more = reader.next(|record, _| {
                let found = match record {
                    Record::Key { id, name } => {
                        keys.insert(id, name.into_owned());
                        return true;
                    }
                    Record::Point(it) => (keys[&it.key].clone(), it.step, it.value.to_bits()),
                    Record::Tag { value, .. } => (value.into_owned(), -1, 0),
                    other => panic!("{other:?}"),
                };
                is_fine &= model.pop_front() == Some(found);
                true
            });
            assert!(is_fine);
            more.unwrap()
        };
        for step in steps {
            match step {
                Step::Point(key, step, bits) => {
                    let name = format!("k{key}");
                    writer.named_point(&name, step, f64::from_bits(bits), || Ok(())).unwrap();
                    let next = &mut next_steps[usize::from(key)];
                    let step = step.unwrap_or(*next);
                    *next = step.saturating_add(1);
                    model.push_back((name, step, bits));
                }
                Step::Tag(value) => {
                    writer.record(&Record::Tag { key: "t".into(), value: (&*value).into() }).unwrap();
                    model.push_back((value, -1, 0));
                }
                Step::Read(count) => for _ in 0..count {
                    take(&mut reader, &mut model);
                },
                Step::Reopen => {
                    reader = Reader::new(folder.path(), RUN, reader.position());
                }
            }
        }
        while take(&mut reader, &mut model) {}
        prop_assert!(model.is_empty());
    }
}
