//! `tweetblast bridge --druid`: Druid may come late, go away and come back, and what it does holds up nothing. Needs no Druid:
//! a fake one does what a test says.

use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};

use crate::bridge::{address, answer, begin, publish};
use crate::common::{Running, free_port};
use crate::fake::{Away, FakeDruid};
use crate::raw::Raw;

/// The request that makes a supervisor.
const SUBMIT: &str = "POST /druid/indexer/v1/supervisor {";

/// The request for the spec of the one there is.
const ASK: &str = "GET /druid/indexer/v1/supervisor/tweets ";

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
        self.begin_with(druid, &[])
    }

    fn begin_with(&self, druid: &str, arguments: &[&str]) -> Running {
        let (log, report) = (self.path("kafka"), self.path("report.json"));
        let kafka = ["--kafka-listen", "127.0.0.1:0", "--kafka-dir", &log];
        begin(self.port, &[&kafka[..], &["--druid", druid, "--json", &report], arguments].concat())
    }

    /// A bridge that is up, and what it says of Druid at the start.
    fn start(&self, druid: &str) -> (Running, String) {
        let mut bridge = self.begin(druid);
        let line = bridge.wait_for("Druid  ");
        bridge.wait_for("bridging until");
        (bridge, line)
    }

    /// A message that is brought to Kafka.
    fn publish(&self) {
        let mut raw = Raw::connect(address(self.port), "a", 4);
        publish(&mut raw, "t", r#"{"user_id":1}"#, 1, 7);
        assert_eq!(answer(&mut raw, 7), 0x40, "PUBACK");
    }

    /// What the report has of Druid after a stop, and what was said.
    fn end(&self, bridge: Running, messages: u64) -> (Value, String) {
        bridge.signal("TERM");
        let finished = bridge.finish();
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let report: Value =
            serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap();
        assert_eq!(report["ledger"]["delivered"], messages, "{report:#}");
        (report["druid"][0].clone(), finished.stderr)
    }
}

fn count(text: &str, words: &str) -> usize {
    text.matches(words).count()
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

#[test]
fn a_druid_that_comes_later_gets_its_supervisor_and_nobody_waits_for_it() {
    let (place, later) = (Place::new(), free_port());
    let (bridge, line) = place.start(&format!("http://127.0.0.1:{later}"));
    assert!(line.contains("tweets (not submitted)"), "{line}");
    place.publish();
    let druid = FakeDruid::start_at(SocketAddr::from(([127, 0, 0, 1], later)));
    druid.wait_until_asked("COUNT(*)");
    let (table, said) = place.end(bridge, 1);
    assert_eq!((druid.asked(SUBMIT), &table["supervisor"]), (1, &json!("created")), "{said}");
    assert_eq!(
        (count(&said, "does not have the supervisors yet"), count(&said, "Druid is there")),
        (1, 1),
        "{said}"
    );
}

#[test]
fn a_druid_that_is_never_there_costs_no_message() {
    let place = Place::new();
    let (bridge, _) = place.start(&format!("http://127.0.0.1:{}", free_port()));
    place.publish();
    let (table, said) = place.end(bridge, 1);
    assert_eq!((&table["supervisor"], &table["queryable"]), (&json!("not submitted"), &Value::Null));
    assert_eq!(count(&said, "the next start submits them"), 1, "{said}");
}

#[test]
fn a_druid_that_takes_its_time_holds_up_nobody() {
    let (place, druid) = (Place::new(), FakeDruid::start());
    druid.holds("SELECT 1");
    let (bridge, line) = place.start(&druid.url());
    assert!(line.contains("tweets (not submitted)"), "{line}");
    place.publish();
    assert_eq!(druid.asked(SUBMIT), 0);
    druid.lets_go();
    druid.wait_until_asked("COUNT(*)");
    let (table, said) = place.end(bridge, 1);
    assert_eq!((druid.asked(SUBMIT), &table["supervisor"]), (1, &json!("created")), "{said}");
    assert_eq!(count(&said, "Druid is there"), 1, "{said}");
}

#[test]
fn what_druid_refuses_ends_the_bridge_at_the_start_and_is_said_once_later() {
    let (place, druid) = (Place::new(), FakeDruid::start());
    druid.says(ASK, 200, json!({"type": "kafka", "spec": {}}));
    let finished = place.begin(&druid.url()).finish();
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains("was not made by tweetblast"), "{}", finished.stderr);
    // Away at first.
    druid.goes_away("SELECT 1", "/druid/v2", Away::Gateway, 1);
    let asked = druid.asked(ASK);
    let (bridge, _) = place.start(&druid.url());
    druid.wait_until(|druid| druid.asked(ASK) >= asked + 4);
    place.publish();
    druid.recovers(ASK);
    druid.wait_until_asked("COUNT(*)");
    let (table, said) = place.end(bridge, 1);
    assert_eq!((druid.asked(SUBMIT), &table["supervisor"]), (1, &json!("created")), "{said}");
    assert_eq!(count(&said, "Druid does not take the supervisors"), 1, "{said}");
    let words = ["does not have the supervisors yet", "Druid is there"];
    assert_eq!(words.map(|words| count(&said, words)), [1, 1], "{said}");
}

#[test]
fn a_topic_that_druid_refuses_keeps_no_other_away() {
    const OTHER: &str = "GET /druid/indexer/v1/supervisor/a ";
    let routes = ["--topic-map", "a=a", "--topic-map", "#=tweets"];
    let (place, druid) = (Place::new(), FakeDruid::start());
    druid.says(OTHER, 200, json!({"type": "kafka", "spec": {}}));
    let finished = place.begin_with(&druid.url(), &routes).finish();
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains("was not made by tweetblast"), "{}", finished.stderr);
    assert_eq!((druid.asked(SUBMIT), druid.asked("tweets/suspend")), (1, 1), "nothing reads on");
    // Away at first, so that it refuses later.
    druid.goes_away("SELECT 1", "/druid/v2", Away::Gateway, 1);
    let mut bridge = place.begin_with(&druid.url(), &routes);
    bridge.wait_for("bridging until");
    druid.wait_until_asked("COUNT(*)");
    place.publish();
    let (table, said) = place.end(bridge, 1);
    assert_eq!(
        (&table["datasource"], &table["supervisor"]),
        (&json!("a"), &json!("not submitted")),
        "{said}"
    );
    assert_eq!((druid.asked(SUBMIT), druid.asked("tweets/suspend")), (2, 2), "{said}");
    assert_eq!(count(&said, "the next start submits them"), 1, "{said}");
}

#[test]
fn a_druid_that_goes_away_later_holds_up_nobody() {
    let (place, druid) = (Place::new(), FakeDruid::start());
    // The rest of the first look, and all of the second.
    druid.goes_away("COUNT(*)", "/druid/", Away::Gateway, 4);
    let (bridge, line) = place.start(&druid.url());
    assert!(line.contains("tweets (created)"), "{line}");
    druid.wait_until_asked("COUNT(*)");
    place.publish();
    druid.wait_until(|druid| druid.asked("/stats") >= 2);
    let (table, said) = place.end(bridge, 1);
    assert_eq!(table["queryable"], crate::fake::ROWS, "{said}");
    assert_eq!((count(&said, "no word from Druid"), count(&said, "Druid answers again")), (1, 1), "{said}");
}

#[test]
fn before_its_first_row_a_datasource_has_0_and_no_unknown_number() {
    let (place, druid) = (Place::new(), FakeDruid::start());
    druid.says("COUNT(*)", 400, json!({"errorMessage": "Column 'run' not found in any table"}));
    let (bridge, _) = place.start(&druid.url());
    druid.wait_until_asked("COUNT(*)");
    let (table, said) = place.end(bridge, 0);
    assert_eq!(table["queryable"], 0, "{said}");
}
