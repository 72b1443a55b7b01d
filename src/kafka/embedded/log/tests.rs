//! The log on disk: appended to, read, torn, damaged, and reopened.

use std::fs::OpenOptions;
use std::sync::atomic::AtomicU64;

use super::super::batch::{HEADER_BYTES, check_produced, tests::batch};
use super::*;

/// The only file of a log without retention.
const LOG_FILE: &str = "00000000000000000000.log";

fn open(dir: &Path) -> Result<Log, EndpointError> {
    Log::open(dir, &LogSettings::default())
}

fn append(log: &mut Log, bytes: &[u8]) -> Result<i64, Refusal> {
    log.append(&check_produced(bytes)?, bytes)
}

fn read(log: &Log, offset: i64, max_bytes: usize) -> Vec<u8> {
    log.slice(offset, max_bytes).unwrap().read().unwrap()
}

fn base_offset(bytes: &[u8]) -> i64 {
    BatchHeader::parse(bytes.first_chunk::<HEADER_BYTES>().unwrap()).unwrap().base_offset
}

fn tail(dir: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(dir.join(LOG_FILE)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn batches_come_back_whole_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    assert!(read(&log, 0, 100).is_empty());
    let bytes = batch(&[10, 20, 30], None);
    for i in 0..4 {
        assert_eq!(append(&mut log, &bytes).unwrap(), i * 3);
    }
    let two = read(&log, 4, bytes.len() * 3 - 1);
    assert_eq!((base_offset(&two), two.len()), (3, bytes.len() * 2));
    assert_eq!(base_offset(&two[bytes.len()..]), 6);
    assert_eq!(read(&log, 11, 1).len(), bytes.len());
    assert_eq!(read(&log, 0, usize::MAX).len(), bytes.len() * 4);
    assert!(read(&log, 12, 100).is_empty());
    assert_eq!(log.slice(13, 1).unwrap_err(), ResponseError::OffsetOutOfRange);
    assert_eq!(log.slice(-1, 1).unwrap_err(), ResponseError::OffsetOutOfRange);
}

#[test]
fn reopening_keeps_messages_and_recognises_duplicates() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    for i in 0..7 {
        append(&mut log, &batch(&[1, 2], Some((5, 0, i * 2)))).unwrap();
    }
    drop(log);
    let mut log = open(dir.path()).unwrap();
    assert_eq!(log.next_offset(), 14);
    assert_eq!(append(&mut log, &batch(&[1, 2], Some((5, 0, 12)))).unwrap(), 12);
    assert_eq!(append(&mut log, &batch(&[1, 2], Some((5, 0, 4)))).unwrap(), 4);
    let gap = append(&mut log, &batch(&[1, 2], Some((5, 0, 16)))).unwrap_err();
    assert_eq!(gap.error, ResponseError::OutOfOrderSequenceNumber);
    assert_eq!(log.next_offset(), 14);
    assert_eq!(append(&mut log, &batch(&[1, 2], Some((5, 0, 14)))).unwrap(), 14);
}

#[test]
fn every_torn_tail_is_cut_off() {
    let good = batch(&[1, 2, 3], Some((5, 0, 0)));
    let mut next = batch(&[4, 5], Some((5, 0, 3)));
    let stamped = stamp(&next, 3);
    next[..STAMPED_BYTES].copy_from_slice(&stamped);
    for tail_bytes in (1..next.len()).map(|n| next[..n].to_vec()) {
        let dir = tempfile::tempdir().unwrap();
        append(&mut open(dir.path()).unwrap(), &good).unwrap();
        tail(dir.path(), &tail_bytes);
        let mut log = open(dir.path()).unwrap();
        assert_eq!(log.next_offset(), 3);
        let length = std::fs::metadata(dir.path().join(LOG_FILE)).unwrap().len();
        assert_eq!(length, good.len() as u64);
        // The batch that was cut off had no effect on the state of its producer.
        assert_eq!(append(&mut log, &batch(&[4, 5], Some((5, 0, 3)))).unwrap(), 3);
        assert_eq!(open(dir.path()).unwrap().next_offset(), 5);
    }
}

#[test]
fn an_end_that_no_kill_leaves_is_refused_and_cut_off_where_it_is_to_be_repaired() {
    let good = batch(&[1, 2, 3], None);
    let mut next = batch(&[4, 5], None);
    let stamped = stamp(&next, 3);
    next[..STAMPED_BYTES].copy_from_slice(&stamped);
    let mut flipped = next.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut zeroed = next.clone();
    zeroed[30..].fill(0);
    let random = b"ten bytes!".to_vec();
    // The last one begins as a batch does, but offset 5 was acknowledged.
    let cut = next[..next.len() - 1].to_vec();
    for (tail_bytes, end) in
        [(flipped, 3), (zeroed, 3), (vec![0; 5000], 3), (random, 3), (good.clone(), 3), (cut, 5)]
    {
        let dir = tempfile::tempdir().unwrap();
        append(&mut open(dir.path()).unwrap(), &good).unwrap();
        tail(dir.path(), &tail_bytes);
        let open = |repair| {
            let settings = LogSettings { repair, ..LogSettings::default() };
            Log::open_listed(dir.path(), &settings, Some((0, end)))
        };
        match open(false) {
            Err(EndpointError::DamagedLog { position, offset, .. }) => {
                assert_eq!((position, offset), (good.len() as u64, 3));
            }
            other => panic!("{other:?}"),
        }
        let bytes = fs::metadata(dir.path().join(LOG_FILE)).unwrap().len();
        assert_eq!(bytes, (good.len() + tail_bytes.len()) as u64, "left alone");
        assert_eq!(open(true).unwrap().next_offset(), 3);
        assert_eq!(fs::metadata(dir.path().join(LOG_FILE)).unwrap().len(), good.len() as u64);
    }
}

#[test]
fn what_should_be_there_and_is_not_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let open = |listed, repair| {
        Log::open_listed(dir.path(), &LogSettings { repair, ..LogSettings::default() }, Some(listed))
    };
    let is_lost =
        |opened: Result<Log, EndpointError>| matches!(opened, Err(EndpointError::LostMessages { .. }));
    assert!(is_lost(open((0, 0), false)), "no file at all");
    append(&mut Log::open(dir.path(), &LogSettings::default()).unwrap(), &batch(&[1, 2], None)).unwrap();
    for (listed, is_fine) in [((0, 2), true), ((0, 1), true), ((0, 3), false), ((-1, 2), false)] {
        assert_eq!(is_lost(open(listed, false)), !is_fine, "{listed:?}");
        assert_eq!(open(listed, true).unwrap().next_offset(), 2, "{listed:?}");
    }
    fs::write(dir.path().join(LOG_FILE), "").unwrap();
    assert!(is_lost(open((0, 2), false)), "emptied");
    fs::remove_file(dir.path().join(LOG_FILE)).unwrap();
    assert!(is_lost(open((0, 2), false)), "removed");
    // Offsets that were given out are not given out again.
    assert_eq!(append(&mut open((0, 2), true).unwrap(), &batch(&[1], None)).unwrap(), 2);
}

#[test]
fn files_that_are_gone_or_cut_while_they_are_open_are_noticed_and_nothing_more_is_taken() {
    let spoils: [fn(&Path); 4] = [
        |file| fs::remove_file(file).unwrap(),
        |file| fs::rename(file, file.with_extension("moved")).unwrap(),
        |file| {
            fs::copy(file, file.with_extension("copy"))
                .and_then(|_| fs::rename(file.with_extension("copy"), file))
                .unwrap()
        },
        |file| OpenOptions::new().write(true).open(file).unwrap().set_len(10).unwrap(),
    ];
    for spoil in spoils {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path()).unwrap();
        append(&mut log, &batch(&[1, 2], None)).unwrap();
        assert_eq!(log.check_files(), None);
        spoil(&dir.path().join(LOG_FILE));
        assert!(log.check_files().unwrap().starts_with(LOG_FILE));
        let refusal = append(&mut log, &batch(&[3], None)).unwrap_err();
        assert_eq!(refusal.error, ResponseError::KafkaStorageError);
    }
}

#[test]
fn a_flipped_byte_before_good_batches_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    let bytes = batch(&[1, 2, 3], None);
    for _ in 0..4 {
        append(&mut log, &bytes).unwrap();
    }
    let path = dir.path().join(LOG_FILE);
    let whole = std::fs::read(&path).unwrap();
    for at in bytes.len()..2 * bytes.len() {
        if (bytes.len() + 12..bytes.len() + 16).contains(&at) {
            continue; // the leader epoch: outside the CRC, and not used
        }
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&path, &damaged).unwrap();
        match open(dir.path()) {
            Err(EndpointError::DamagedLog { position, offset, .. }) => {
                assert_eq!((position, offset), (bytes.len() as u64, 3));
            }
            other => panic!("byte {at}: {other:?}"),
        }
        assert_eq!(std::fs::read(&path).unwrap(), damaged, "a refused log is left alone");
    }
}

#[test]
fn a_failed_write_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    let first = batch(&[1], Some((5, 0, 0)));
    append(&mut log, &first).unwrap();
    // Half a batch is in the file and cannot be cut off: a file opened only for reading fails to
    // write and to cut.
    let path = dir.path().join(LOG_FILE);
    let writable = std::mem::replace(&mut log.segments[0].file, Arc::new(File::open(&path).unwrap()));
    let second = batch(&[2], Some((5, 0, 1)));
    for _ in 0..2 {
        let refusal = append(&mut log, &second).unwrap_err();
        assert_eq!(refusal.error, ResponseError::KafkaStorageError);
    }
    (&*writable).write_all(&second[..30]).unwrap();
    assert_eq!(log.next_offset(), 1);
    log.segments[0].file = writable;
    assert_eq!(append(&mut log, &second).unwrap(), 1);
    assert_eq!(read(&log, 0, usize::MAX).len(), first.len() + second.len());
    assert_eq!(open(dir.path()).unwrap().next_offset(), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_refuses_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    append(&mut log, &batch(&[1], Some((5, 0, 0)))).unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap(); // every write: no space left
    let writable = std::mem::replace(&mut log.segments[0].file, Arc::new(full));
    let second = batch(&[2], Some((5, 0, 1)));
    assert_eq!(append(&mut log, &second).unwrap_err().error, ResponseError::KafkaStorageError);
    log.segments[0].file = writable;
    assert_eq!(append(&mut log, &second).unwrap(), 1);
    assert_eq!(open(dir.path()).unwrap().next_offset(), 2);
}

#[test]
fn times_are_found_to_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    assert!(log.at_max_timestamp().is_none());
    append(&mut log, &batch(&[10, 20, 30], None)).unwrap();
    append(&mut log, &batch(&[25, 50, 40], None)).unwrap();
    append(&mut log, &batch(&[50, 45], None)).unwrap();
    let at = |ms| log.at_time(ms).map(|found| found.record().unwrap());
    assert_eq!(at(0), Some((0, 10)));
    assert_eq!(at(11), Some((1, 20)));
    assert_eq!(at(30), Some((2, 30)));
    assert_eq!(at(31), Some((4, 50)));
    assert_eq!(at(51), None);
    assert_eq!(log.at_max_timestamp().unwrap().record().unwrap(), (4, 50));
}

#[test]
fn a_deleted_log_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    log.mark_deleted();
    let refusal = append(&mut log, &batch(&[1], None)).unwrap_err();
    assert_eq!(refusal.error, ResponseError::UnknownTopicOrPartition);
}

/// Small files: a batch of 1,000 records is about 7 kB, a file 64 KiB, and 640 KiB are kept.
fn retaining() -> LogSettings {
    LogSettings { retention_bytes: Some(640 << 10), ..LogSettings::default() }
}

fn thousand(first_ms: i64, producer: Option<(i64, i16, i32)>) -> Vec<u8> {
    batch(&(first_ms..first_ms + 1_000).collect::<Vec<_>>(), producer)
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn retention_removes_the_oldest_and_says_what_nobody_has_read() {
    let dir = tempfile::tempdir().unwrap();
    let settings = retaining();
    let mut log = Log::open(dir.path(), &settings).unwrap();
    let kept_bytes = |log: &Log| log.segments.iter().map(|segment| segment.bytes).sum::<u64>();
    for i in 0..300 {
        append(&mut log, &thousand(i * 1_000, Some((5, 0, i as i32 * 1_000)))).unwrap();
        log.mark_read(100_000);
    }
    assert!((640 << 10..800 << 10).contains(&kept_bytes(&log)));
    let start = log.start_offset();
    assert!(start > 100_000 && start < 300_000);
    let removed = |what: &AtomicU64| what.load(Ordering::Relaxed) as i64;
    assert_eq!(removed(&settings.removed.records), start);
    assert_eq!(removed(&settings.removed.unread), start - 100_000);
    assert_eq!(log.slice(start - 1, 1).unwrap_err(), ResponseError::OffsetOutOfRange);
    assert_eq!(log.at_time(0).unwrap().record().unwrap(), (start, start));
    assert_eq!(log.at_max_timestamp().unwrap().record().unwrap(), (299_999, 299_999));

    // Everything that is left is read across files, and is still there after a restart.
    let names = files(dir.path());
    assert!(names.len() > 5);
    drop(log);
    let mut log = Log::open(dir.path(), &settings).unwrap();
    assert_eq!((log.start_offset(), log.next_offset(), files(dir.path())), (start, 300_000, names));
    let mut offset = start;
    while offset < 300_000 {
        let slice = log.slice(offset, 100_000).unwrap();
        assert_eq!(base_offset(&slice.read().unwrap()), offset);
        offset = slice.end_offset;
    }
    assert_eq!(append(&mut log, &thousand(299_000, Some((5, 0, 299_000)))).unwrap(), 299_000, "known still");
}

#[test]
fn retention_waits_for_what_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), &retaining()).unwrap();
    log.set_follower(Some(0));
    for i in 0..300 {
        append(&mut log, &thousand(i, None)).unwrap();
    }
    assert_eq!(log.start_offset(), 0);
    log.set_follower(Some(50_000));
    append(&mut log, &thousand(0, None)).unwrap();
    assert!((30_000..=50_000).contains(&log.start_offset()), "{}", log.start_offset());
    log.set_follower(None);
    append(&mut log, &thousand(0, None)).unwrap();
    assert!(log.start_offset() > 150_000, "{}", log.start_offset());
}

#[test]
fn what_is_being_read_may_be_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), &retaining()).unwrap();
    let first = thousand(0, None);
    append(&mut log, &first).unwrap();
    let slice = log.slice(0, 1).unwrap();
    for i in 0..300 {
        append(&mut log, &thousand(i, None)).unwrap();
    }
    assert!(log.start_offset() > 0);
    assert_eq!(slice.read().unwrap()[STAMPED_BYTES..], first[STAMPED_BYTES..]);
}

#[test]
fn damage_in_an_older_file_and_missing_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), &retaining()).unwrap();
    for i in 0..50 {
        append(&mut log, &thousand(i, None)).unwrap();
    }
    drop(log);
    let names = files(dir.path());
    let second = dir.path().join(&names[1]);
    let whole = fs::read(&second).unwrap();
    // At the end of a file that is not the last there cannot be a torn tail.
    fs::write(&second, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(open(dir.path()), Err(EndpointError::DamagedLog { path, .. }) if path == second));
    assert_eq!(fs::read(&second).unwrap().len(), whole.len() - 1, "left alone");
    fs::remove_file(&second).unwrap();
    let refused = open(dir.path());
    assert!(matches!(refused, Err(EndpointError::MissingMessages { offset, .. }) if offset > 0));
}

#[test]
fn every_fsync_policy_stores_the_same() {
    for fsync in [Fsync::Never, Fsync::Every(std::time::Duration::from_secs(1)), Fsync::Always] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), &LogSettings { fsync, ..retaining() }).unwrap();
        for i in 0..30 {
            append(&mut log, &thousand(i, None)).unwrap();
        }
        assert_eq!(log.take_unsynced().is_some(), fsync != Fsync::Always, "{fsync:?}");
        assert!(log.take_unsynced().is_none());
        assert_eq!(open(dir.path()).unwrap().next_offset(), 30_000);
    }
}
