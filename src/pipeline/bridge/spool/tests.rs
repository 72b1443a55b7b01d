use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

fn options(dir: &Path) -> SpoolOptions {
    SpoolOptions { dir: dir.to_owned(), fsync: Fsync::Never, max_bytes: u64::MAX }
}

fn message(number: u64) -> BridgeMessage {
    BridgeMessage {
        topic: "tweets".into(),
        mqtt_topic: "a/b".into(),
        key: format!("k{}", number % 7).into(),
        payload: format!("message {number} {}", "x".repeat(number as usize % 50)).into(),
        time_ms: number as i64,
    }
}

fn append(spool: &mut Spool, numbers: std::ops::Range<u64>) {
    let messages: Vec<_> = numbers.map(message).collect();
    let mut left = &messages[..];
    while !left.is_empty() {
        let count = spool.append(left.iter()).unwrap();
        assert!(count > 0);
        left = &left[count as usize..];
    }
}

fn read_all(spool: &mut Spool) -> Vec<(u64, BridgeMessage)> {
    std::iter::from_fn(|| spool.read().unwrap()).collect()
}

fn last_file(dir: &Path) -> PathBuf {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "spool")).max().unwrap()
}

#[test]
fn messages_come_back_in_order_after_a_restart_and_those_done_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(options(dir.path())).unwrap();
    append(&mut spool, 0..100);
    assert_eq!((spool.pending(), spool.unread()), (100, 100));
    for (number, read) in read_all(&mut spool) {
        assert_eq!(read, message(number));
        if number < 30 || number == 50 {
            spool.done(number);
        }
    }
    assert_eq!((spool.pending(), spool.unread()), (69, 0));
    spool.close().unwrap();
    drop(spool);
    let mut spool = Spool::open(options(dir.path())).unwrap();
    // 50 is done, and comes again: only where the first that is not done is known.
    assert_eq!((spool.pending(), spool.unread()), (70, 70));
    append(&mut spool, 100..110);
    let read: Vec<u64> = read_all(&mut spool).into_iter().map(|(number, _)| number).collect();
    assert_eq!(read, (30..110).collect::<Vec<_>>());
}

#[test]
fn files_whose_messages_are_done_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(options(dir.path())).unwrap();
    let large = BridgeMessage { payload: vec![b'x'; 900_000].into(), ..message(0) };
    for _ in 0..50 {
        assert_eq!(spool.append(std::iter::once(&large)).unwrap(), 1);
    }
    assert!(spool.bytes() > 2 * SEGMENT_BYTES && spool.segments.len() > 2);
    for number in 0..50 {
        assert_eq!(spool.read().unwrap().unwrap().0, number);
        spool.done(number);
    }
    assert_eq!((spool.segments.len(), spool.pending()), (1, 0));
    spool.tick(Instant::now() + IDLE).unwrap();
    assert_eq!((spool.segments.len(), spool.bytes()), (0, 0));
    append(&mut spool, 50..52);
    assert_eq!(spool.read().unwrap(), Some((50, message(50))));
    drop(spool);
    let mut spool = Spool::open(options(dir.path())).unwrap();
    assert_eq!(read_all(&mut spool).len(), 2);
}

#[test]
fn messages_that_kafka_was_given_already_are_kept_and_not_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(options(dir.path())).unwrap();
    let given: Vec<_> = (0..3).map(message).collect();
    assert_eq!(spool.append_read(given.iter()).unwrap(), (0, 3));
    append(&mut spool, 3..5);
    assert_eq!((spool.pending(), spool.unread()), (5, 2));
    assert_eq!(spool.read().unwrap(), Some((3, message(3))));
    spool.done(0);
    drop(spool);
    let mut spool = Spool::open(options(dir.path())).unwrap();
    assert_eq!(read_all(&mut spool).len(), 5, "after a kill all that are not known to be done");
}

#[test]
fn a_file_cut_at_any_byte_has_all_messages_before_the_cut() {
    let whole = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(options(whole.path())).unwrap();
    append(&mut spool, 0..20);
    drop(spool);
    let file = last_file(whole.path());
    let bytes = std::fs::read(&file).unwrap();
    let mut before = 0;
    for cut in 0..=bytes.len() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(file.file_name().unwrap()), &bytes[..cut]).unwrap();
        let mut spool = Spool::open(options(dir.path())).unwrap();
        let read = read_all(&mut spool);
        for (number, read) in &read {
            assert_eq!(*read, message(*number));
        }
        assert!(read.len() == before || read.len() == before + 1, "cut at {cut}");
        before = read.len();
        append(&mut spool, before as u64..before as u64 + 2);
        assert_eq!(read_all(&mut spool).len(), 2, "cut at {cut}");
    }
    assert_eq!(before, 20);
}

#[test]
fn a_byte_that_changed_is_found_and_the_place_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(options(dir.path())).unwrap();
    append(&mut spool, 0..20);
    drop(spool);
    let file = last_file(dir.path());
    let whole = std::fs::read(&file).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..200 {
        let mut bytes = whole.clone();
        let at = rng.random_range(FILE_HEAD_BYTES as usize..bytes.len());
        bytes[at] ^= 1 << rng.random_range(0..8);
        std::fs::write(&file, &bytes).unwrap();
        let error = Spool::open(options(dir.path())).err().unwrap_or_else(|| panic!("byte {at}"));
        assert!(error.to_string().contains(".spool, byte "), "{error}");
    }
}

#[test]
fn a_full_spool_takes_what_fits_and_the_rest_once_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(SpoolOptions { max_bytes: 2_000, ..options(dir.path()) }).unwrap();
    let messages: Vec<_> = (0..100).map(message).collect();
    let count = spool.append(messages.iter()).unwrap();
    assert!((5..50).contains(&count) && spool.bytes() <= 2_000, "{count}");
    assert_eq!(spool.append(messages.iter()).unwrap(), 0);
    for (number, _) in read_all(&mut spool) {
        spool.done(number);
    }
    spool.tick(Instant::now() + IDLE).unwrap();
    assert_eq!(spool.append(messages.iter()).unwrap(), count);
}

#[test]
fn a_folder_belongs_to_one_bridge() {
    let dir = tempfile::tempdir().unwrap();
    let _spool = Spool::open(options(dir.path())).unwrap();
    let error = Spool::open(options(dir.path())).err().unwrap().to_string();
    assert!(error.contains("in use by another bridge"), "{error}");
}
