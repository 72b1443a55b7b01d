//! Any bytes get an answer or end their connection, and do nothing else.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{ApiKey, BrokerId, FetchRequest, FetchResponse, RequestKind, TopicName};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::answer;
use crate::kafka::embedded::answer::Part;
use crate::kafka::embedded::apis::{APIS, Api};
use crate::kafka::embedded::batch::{check_produced, tests::batch};
use crate::kafka::embedded::data_dir::DataDir;
use crate::kafka::embedded::groups::Groups;
use crate::kafka::embedded::log::LogSettings;
use crate::kafka::embedded::options::{Fsync, Limits};
use crate::kafka::embedded::request::{ConnectionError, Parsed, parse};
use crate::kafka::embedded::shape::generate::Generator;
use crate::kafka::embedded::state::{EndpointState, Peer};
use crate::kafka::embedded::store::Store;

/// A broker without threads, and a client.
struct EndpointScene {
    _dir: tempfile::TempDir,
    _client: TcpStream,
    broker: EndpointState,
    peer: Peer,
}

impl EndpointScene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(DataDir::open(dir.path()).unwrap(), LogSettings::default()).unwrap();
        let groups = Groups::open(dir.path(), &store.dir().scratch(), Fsync::Never).unwrap();
        store.create_topic("tweets", 2, false).unwrap();
        let broker = EndpointState::new(store, groups, Limits::default(), 2, None, None);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, addr) = listener.accept().unwrap();
        let waiter: Arc<crate::kafka::embedded::waiters::Waiter> = Arc::default();
        waiter.close(); // nothing here is to wait
        Self { _dir: dir, _client: client, broker, peer: Peer { stream, addr, at: None, waiter } }
    }

    /// The length of the answer, if there is one.
    fn send(&self, bytes: Vec<u8>) -> Result<Option<usize>, ConnectionError> {
        let answer = answer(&self.broker, &self.peer, parse(bytes)?)?;
        if let Some(answer) = &answer {
            let Part::Bytes(begin) = &answer.parts[0] else { panic!("no length") };
            assert_eq!(u32::from_be_bytes(*begin.first_chunk().unwrap()) as usize, answer.bytes() - 4);
        }
        Ok(answer.map(|answer| answer.bytes()))
    }
}

/// A request in which every field is well formed, with values that often make sense.
fn request(api: &Api, version: i16, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let good = batch(&[1_000, 1_001, 1_002], None);
    let mut bytes = [(api.key as i16).to_be_bytes(), version.to_be_bytes()].concat();
    bytes.extend(7i32.to_be_bytes());
    bytes.extend(b"\0\x02me");
    let flexible = api.is_flexible(version);
    if flexible {
        bytes.push(0);
    }
    let long = "x".repeat(300);
    let mut generator = Generator {
        rng,
        version,
        flexible,
        texts: &["tweets", "g", "", "consumer", "range", "1", "no/slash", "cleanup.policy", "delete", &long],
        blobs: &[&good, b"", b"junk", &good[..40]],
        numbers: &[0, 1, 2, -1, -2, -3, 1_001, 10_000, i64::MAX, i64::MIN],
    };
    bytes.extend(generator.body(api.fields));
    bytes
}

fn all_versions() -> impl Iterator<Item = (&'static Api, i16)> {
    APIS.iter().flat_map(|api| (api.min_version..=api.max_version).map(move |version| (api, version)))
}

#[test]
fn every_well_formed_request_of_every_version_is_answered() {
    let scene = EndpointScene::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (api, version) in all_versions() {
        let mut answered = 0;
        for _ in 0..150 {
            match scene.send(request(api, version, &mut rng)) {
                Ok(_) => answered += 1,
                // acks=0 with a refused batch, or null in a field that does not allow it.
                Err(ConnectionError::UnacknowledgedRefusal(_) | ConnectionError::Malformed(_)) => {}
                Err(error) => panic!("{:?} version {version}: {error}", api.key),
            }
        }
        assert!(answered > 20, "{:?} version {version}: {answered}", api.key);
    }
}

#[test]
fn the_table_of_fields_agrees_with_the_codecs() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for (api, version) in all_versions() {
        let mut decoded = 0;
        for _ in 0..100 {
            let header_bytes = if api.is_flexible(version) { 13 } else { 12 };
            let mut body = Bytes::from(request(api, version, &mut rng)).split_off(header_bytes);
            // Null in a field that does not allow it does not decode.
            if RequestKind::decode(api.key, &mut body, version).is_ok() {
                assert!(body.is_empty(), "{:?} version {version}: {} bytes left", api.key, body.len());
                decoded += 1;
            }
        }
        assert!(decoded > 10, "{:?} version {version}", api.key);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_requests_end_their_connection_at_most(seed in any::<u64>()) {
        let scene = EndpointScene::new();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for (api, version) in all_versions() {
            let mut bytes = request(api, version, &mut rng);
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(4..bytes.len());
                match rng.random_range(0..4) {
                    0 => bytes.truncate(at),
                    1 => bytes[at] = rng.random(),
                    2 => bytes[at] ^= 1 << rng.random_range(0..8),
                    _ => bytes.insert(at, 0xff),
                }
                if bytes.len() < 10 {
                    break;
                }
            }
            if let Err(error @ ConnectionError::Encode { .. }) = scene.send(bytes) {
                panic!("{error}");
            }
        }
    }

    #[test]
    fn random_bytes_end_their_connection_at_most(
        key in -2i16..70,
        version in -1i16..14,
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let scene = EndpointScene::new();
        let bytes = [&key.to_be_bytes()[..], &version.to_be_bytes(), &rest].concat();
        if let Err(error @ ConnectionError::Encode { .. }) = scene.send(bytes) {
            panic!("{error}");
        }
    }
}

#[test]
fn a_fetch_answer_is_what_the_codec_would_make_of_it() {
    let scene = EndpointScene::new();
    let topic = scene.broker.store.topic("tweets").unwrap();
    let records = batch(&[1_000, 1_001, 1_002], None);
    let partition = topic.partition(1).unwrap();
    partition.append(&check_produced(&records).unwrap(), &records).unwrap();
    let stored = Bytes::from(partition.log().slice(0, 1).unwrap().read().unwrap());
    let api = Api::find(ApiKey::Fetch as i16).unwrap();
    for version in api.min_version..=api.max_version {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let Ok(Parsed::Request(r)) = parse(request(api, version, &mut rng)) else { panic!("{version}") };
        let wanted = [(0, 0), (1, 1), (1, 9), (7, 0)];
        let wanted = wanted.map(|(p, o)| FetchPartition::default().with_partition(p).with_fetch_offset(o));
        let topics =
            FetchTopic::default().with_topic(TopicName("tweets".into())).with_partitions(wanted.to_vec());
        let ask = FetchRequest::default().with_max_bytes(1 << 20).with_topics(vec![topics]);
        let mut bytes = Vec::new();
        for part in &super::fetch::fetched(&scene.broker, &scene.peer, &r, ask).unwrap() {
            match part {
                Part::Bytes(part) => bytes.extend_from_slice(part),
                Part::Slice(slice) => bytes.extend(slice.read().unwrap()),
            }
        }
        let data = |index, end, error, records| {
            PartitionData::default()
                .with_partition_index(index)
                .with_error_code(error)
                .with_high_watermark(end)
                .with_last_stable_offset(if end < 0 { -1 } else { end })
                .with_log_start_offset(if end < 0 { -1 } else { 0 })
                .with_preferred_read_replica(BrokerId(-1))
                .with_aborted_transactions(None)
                .with_records(Some(records))
        };
        let partitions = vec![
            data(0, 0, 0, Bytes::new()),
            data(1, 3, 0, stored.clone()),
            data(1, -1, 1, Bytes::new()),
            data(7, -1, 3, Bytes::new()),
        ];
        let topic = FetchableTopicResponse::default()
            .with_topic(TopicName("tweets".into()))
            .with_partitions(partitions);
        let expected = r.frame(&FetchResponse::default().with_responses(vec![topic])).unwrap();
        assert_eq!(bytes, expected, "version {version}");
    }
}
