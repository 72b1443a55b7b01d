//! Any bytes are answered or end their connection, and never more than that.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::RequestKind;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::answer;
use crate::kafka::embedded::apis::{APIS, Api};
use crate::kafka::embedded::batch::tests::batch;
use crate::kafka::embedded::broker::{Broker, Peer};
use crate::kafka::embedded::data_dir::DataDir;
use crate::kafka::embedded::groups::Groups;
use crate::kafka::embedded::log::LogSettings;
use crate::kafka::embedded::options::{Fsync, Limits};
use crate::kafka::embedded::request::{ConnectionError, parse};
use crate::kafka::embedded::shape::generate::Generator;
use crate::kafka::embedded::store::Store;

/// A broker without threads, and a client.
struct Scene {
    _dir: tempfile::TempDir,
    _client: TcpStream,
    broker: Broker,
    peer: Peer,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(DataDir::open(dir.path()).unwrap(), LogSettings::default()).unwrap();
        let groups = Groups::open(dir.path(), &store.dir().scratch(), Fsync::Never).unwrap();
        store.create_topic("tweets", 2, false).unwrap();
        let broker = Broker::new(store, groups, Limits::default(), 2, None);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, addr) = listener.accept().unwrap();
        let waiter: Arc<crate::kafka::embedded::waiters::Waiter> = Arc::default();
        waiter.close(); // nothing here is to wait
        Self { _dir: dir, _client: client, broker, peer: Peer { stream, addr, waiter } }
    }

    /// The length of the answer, if there is one.
    fn send(&self, bytes: Vec<u8>) -> Result<Option<usize>, ConnectionError> {
        let answer = answer(&self.broker, &self.peer, parse(bytes)?)?;
        if let Some(answer) = &answer {
            let (length, rest) = answer.frame.split_first_chunk().unwrap();
            assert_eq!(u32::from_be_bytes(*length) as usize, rest.len());
        }
        Ok(answer.map(|answer| answer.frame.len()))
    }
}

/// A request whose every field is well formed, with values that often mean something.
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
    let scene = Scene::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (api, version) in all_versions() {
        let mut answered = 0;
        for _ in 0..150 {
            match scene.send(request(api, version, &mut rng)) {
                Ok(_) => answered += 1,
                // acks=0 with something refused; or null where it may not be.
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
            // Null where it may not be does not decode.
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
        let scene = Scene::new();
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
        let scene = Scene::new();
        let bytes = [&key.to_be_bytes()[..], &version.to_be_bytes(), &rest].concat();
        if let Err(error @ ConnectionError::Encode { .. }) = scene.send(bytes) {
            panic!("{error}");
        }
    }
}
