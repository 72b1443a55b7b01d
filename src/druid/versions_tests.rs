//! What the documentation of Druid 34 to 38 says about specs, answers and settings, and that nothing removed there is
//! generated or needed. Written from the upgrade notes and the pages "Supervisor" and "Supervisor API"; not recordings of
//! such a Druid. 35 and 36 remove nothing of a spec; of 39 there are no notes yet (2026-11).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::spec::tests::options;
use super::{SpecOptions, SupervisorStatus, TaskRows, make_spec};
use crate::event::PayloadForm;

/// Version, and a place in a supervisor's spec that it does not have any more.
const REMOVED: [(u32, &str); 8] = [
    // Release notes of 37, "Streaming ingestion parser" (#19173, #19166): inputFormat is in its place.
    (37, "/spec/dataSchema/parser"),
    (37, "/dataSchema/parser"),
    // Upgrade notes of 37, "Removed ParseSpec" (#19239) and "defaultProcessingRate" (#19028).
    (37, "/spec/dataSchema/parseSpec"),
    (37, "/spec/ioConfig/autoScalerConfig/defaultProcessingRate"),
    // Upgrade notes of 34: the more accurate estimate is the only one (#17936), publishing is always incremental.
    (34, "/spec/tuningConfig/useMaxMemoryEstimates"),
    (34, "/spec/context/IS_INCREMENTAL_HANDOFF_SUPPORTED"),
    // Release notes of 31 (#16758): firehoses.
    (31, "/spec/ioConfig/firehose"),
    (31, "/ioConfig/firehose"),
];

/// What every version needs for a Kafka supervisor: the "Required" rows of the tables.
const REQUIRED: [&str; 8] = [
    "/type",
    "/spec/dataSchema/dataSource",
    "/spec/dataSchema/timestampSpec",
    "/spec/dataSchema/dimensionsSpec",
    "/spec/ioConfig/topic",
    "/spec/ioConfig/inputFormat",
    "/spec/ioConfig/consumerProperties/bootstrap.servers",
    "/spec/tuningConfig/type",
];

/// Version, and the beginning of a line in the settings of a server that it does not know any more, or does not start with.
const REMOVED_SETTINGS: [(u32, &str); 8] = [
    // Upgrade notes of 38: tasks (#19500) and segments (#19377) are not told by ZooKeeper any more.
    (38, "druid.indexer.runner.type=remote"),
    (38, "druid.indexer.runner.maxZnodeBytes"),
    (38, "druid.indexer.runner.taskShutdownLinkTimeout"),
    (38, "druid.indexer.runner.compressZnodes"),
    (38, "druid.zk.paths.indexer."),
    (38, "druid.announcer."),
    (38, "druid.serverview.type=batch"),
    // Upgrade notes of 32 (incompatible changes): SQL-compliant values only.
    (32, "druid.generic."),
];

#[test]
fn our_settings_of_servers_have_nothing_that_a_version_has_removed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/druid");
    let mut files = 0;
    for server in
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        for file in std::fs::read_dir(server).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_none_or(|extension| extension != "properties") {
                continue;
            }
            files += 1;
            let settings = std::fs::read_to_string(&file).unwrap();
            for (version, begin) in REMOVED_SETTINGS {
                let found = settings.lines().find(|line| line.trim_start().starts_with(begin));
                assert_eq!(found, None, "{}: not in Druid {version}", file.display());
            }
            // Since 35 it is no extension any more (#18394), and later versions do not find it.
            assert!(!settings.contains("druid-multi-stage-query"), "{}", file.display());
        }
    }
    assert!(files >= 5, "{files}");
}

#[test]
fn our_specs_have_what_every_version_needs_and_nothing_that_one_has_removed() {
    for form in [PayloadForm::Tweet, PayloadForm::Minimal, PayloadForm::Raw] {
        let spec = make_spec(&SpecOptions { form, ..options() });
        for place in REQUIRED {
            // A dot is part of a name, a slash is not.
            assert!(spec.pointer(place).is_some(), "{form:?}: {place}");
        }
        for (version, place) in REMOVED {
            assert_eq!(spec.pointer(place), None, "{form:?}: {place} is not in Druid {version}");
        }
    }
}

/// The answers with the keys that later versions add, and those that only some versions have.
#[test]
fn answers_of_later_versions_are_read_and_none_of_their_new_keys_is_needed() {
    let later = json!({"id": "tweets", "payload": {
        "dataSource": "tweets", "stream": "tweets", "partitions": 2, "replicas": 1, "durationSeconds": 300,
        "activeTasks": [
            {"id": "a", "startingOffsets": {"0": 0}, "startTime": "2026-01-30T21:21:41.696Z", "remainingSeconds": 479,
             "type": "ACTIVE", "currentOffsets": {"0": 5}, "lag": {"0": 1}},
            {"id": "b", "startingOffsets": {"1": 0}, "startTime": "2026-01-30T21:21:41.696Z", "remainingSeconds": 479,
             "type": "ACTIVE", "currentOffsets": {"1": 7}, "lag": {"1": 0}}],
        "publishingTasks": [{"id": "c", "startingOffsets": {"0": 0}, "type": "PUBLISHING"}],
        "latestOffsets": {"0": 6, "1": 7}, "minimumLag": {"0": 1, "1": 0}, "aggregateLag": 1,
        "offsetsLastUpdated": "2026-01-30T22:13:19.335Z", "suspended": false, "healthy": true, "state": "RUNNING",
        "detailedState": "RUNNING", "recentErrors": [], "aNewKey": {"of": "a later version"}}});
    let status = SupervisorStatus::of(&later);
    assert_eq!((status.state.as_str(), status.partitions), ("RUNNING", 2));
    assert_eq!(status.offsets, BTreeMap::from([(0, 5), (1, 7)]));
    assert_eq!((status.reading, status.publishing), (vec!["a".into(), "b".into()], vec!["c".to_owned()]));

    let without = |key: &str| {
        let mut answer: Value = later.clone();
        answer["payload"].as_object_mut().unwrap().remove(key);
        SupervisorStatus::of(&answer)
    };
    for key in ["dataSource", "replicas", "durationSeconds", "minimumLag", "aggregateLag", "aNewKey"] {
        assert_eq!(without(key), SupervisorStatus::of(&later), "{key} is not read");
    }

    let stats = json!({"0": {"a": {"movingAverages": {}, "totals": {"buildSegments": {
        "processed": 5, "processedBytes": 500, "processedWithError": 0, "thrownAway": 0, "unparseable": 1}}}},
        "1": {"b": {"totals": {"buildSegments": {"processed": 7}}}}});
    let groups = TaskRows::by_group(&stats);
    let processed: Vec<(usize, u64)> = groups
        .iter()
        .flat_map(|(group, tasks)| tasks.values().map(|rows| (*group, rows.processed)))
        .collect();
    assert_eq!(processed, [(0, 5), (1, 7)]);
}
