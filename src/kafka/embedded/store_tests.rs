//! Topics made, removed and found again.

use super::*;

fn open(path: &Path) -> Store {
    Store::open(DataDir::open(path).unwrap(), LogSettings::default()).unwrap()
}

#[test]
fn empty_partitions_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_topic("tweets", 3, false).unwrap();
    store.create_topic("checked", 3, true).unwrap();
    drop(store);
    assert_eq!(open(dir.path()).all_topics(), [("tweets".to_owned(), 3)]);
}

#[test]
fn a_deleted_topic_stays_away() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_topic("tweets", 3, false).unwrap();
    store.delete_topic("tweets").unwrap();
    assert_eq!(store.delete_topic("tweets"), Err(ResponseError::UnknownTopicOrPartition));
    assert!(store.topic("tweets").is_none());
    drop(store);
    assert!(open(dir.path()).all_topics().is_empty());
}

#[test]
fn names_and_numbers_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let long = "x".repeat(250);
    for name in ["", ".", "..", "../up", "a/b", "a b", "tweets\0", "ä", &long] {
        let (error, _) = store.create_topic(name, 1, false).unwrap_err();
        assert_eq!(error, ResponseError::InvalidTopicException, "{name:?}");
    }
    for count in [0, -1, i32::MIN] {
        let (error, _) = store.create_topic("a", count, false).unwrap_err();
        assert_eq!(error, ResponseError::InvalidPartitions);
    }
    let (error, _) = store.create_topic("a", i32::MAX, false).unwrap_err();
    assert_eq!(error, ResponseError::PolicyViolation);
    store.create_topic("a", 1, false).unwrap();
    let (error, _) = store.create_topic("a", 1, false).unwrap_err();
    assert_eq!(error, ResponseError::TopicAlreadyExists);
}

#[test]
fn producer_ids_are_never_given_out_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let store = open(dir.path());
        for _ in 0..1500 {
            assert!(seen.insert(store.next_producer_id().unwrap()));
        }
    }
    let mut ids: Vec<i64> = seen.into_iter().collect();
    ids.sort_unstable();
    let steps = ids.windows(2).filter(|pair| pair[1] - pair[0] > 1_000).count();
    assert!(steps > 4_400, "the next id cannot be guessed: {steps} of 4,499");
}
