//! `tweetblast bridge --druid`, with a fake Druid that does what a test says.

use std::net::TcpListener;

use crate::bridge::{address, begin};
use crate::common::{Running, free_port};
use crate::fake::FakeDruid;

/// The request that makes a supervisor.
const SUBMIT: &str = "POST /druid/indexer/v1/supervisor {";

/// A place for a bridge with a Kafka of its own.
struct Place {
    dir: tempfile::TempDir,
    port: u16,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), port: free_port() }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// A bridge that may not come up.
    fn begin(&self, druid: &str) -> Running {
        let log = self.path("kafka");
        let kafka = ["--kafka-listen", "127.0.0.1:0", "--kafka-dir", &log];
        begin(self.port, &[&kafka[..], &["--druid", druid]].concat())
    }
}

#[test]
fn a_port_that_is_taken_leaves_nothing_in_druid() {
    let (place, druid) = (Place::new(), FakeDruid::start());
    let _taken = TcpListener::bind(address(place.port)).unwrap();
    let finished = place.begin(&druid.url()).finish();
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains("the port is taken"), "{}", finished.stderr);
    assert_eq!(druid.asked(SUBMIT), 0, "no supervisor was made");
}
