//! The text that a scrape gets.

use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::bridge::write_bridge;
use super::histogram::Buckets;
use super::process::Process;
use super::run::{Metrics, RunSources, SearchMetrics, ServingNow, Shown};
use super::writer::Writer;
use crate::count::{Counters, OutageHop};
use crate::report::Ledger;

/// A line of the ledger: its name here, what it is, and where it is.
type Line = (&'static str, &'static str, fn(&Ledger) -> Option<u64>);

/// Lines that are known while a run goes on.
const LINES: [Line; 11] = [
    ("published_tweets", "Tweets that left", |l| Some(l.published)),
    ("received_tweets", "Tweets that came back from the MQTT broker", |l| l.received),
    ("mqtt_lost_tweets", "Tweets that the MQTT broker overwrote or dropped", |l| l.mqtt_lost),
    ("duplicate_tweets", "Tweets that the MQTT broker gave twice and that Kafka has twice", |l| l.duplicates),
    ("foreign_messages", "Messages of other publishers", |l| l.foreign),
    ("foreign_delivered_messages", "Messages of others that Kafka acknowledged", |l| l.foreign_delivered),
    ("foreign_failed_messages", "Messages of others that Kafka did not take", |l| l.foreign_failed),
    ("foreign_lost_messages", "Messages of others that were overwritten", |l| l.foreign_lost),
    ("delivered_tweets", "Tweets that Kafka acknowledged", |l| Some(l.delivered)),
    ("failed_tweets", "Tweets that Kafka did not acknowledge", |l| Some(l.failed)),
    ("queryable_tweets", "Rows of the run that Druid counts", |l| l.queryable),
];

/// Lines about the input, which a stream shows at its end only.
const OF_THE_INPUT: [Line; 6] = [
    ("frames", "JSON values in the input", |l| Some(l.frames)),
    ("records", "Frames that parsed", |l| Some(l.records)),
    ("unparseable_frames", "Frames that did not parse", |l| Some(l.unparseable)),
    ("items", "What the records held", |l| Some(l.items)),
    ("rejects", "Items that are not tweets", |l| Some(l.rejects)),
    ("tweets", "Items that are tweets", |l| Some(l.tweets)),
];

/// Lines that are known at the end of a run.
const AT_THE_END: [Line; 3] = [
    ("loops", "How often the input was replayed", |l| Some(l.loops)),
    ("read_back_tweets", "Tweets that were read back from Kafka", |l| l.read_back),
    ("removed_unread_messages", "Messages that retention removed before anybody had read them", |l| {
        l.removed_unread
    }),
];

/// A reason for tweets that were not sent, and how many those are.
type Reason = (&'static str, fn(&Ledger) -> u64);

const SKIPPED: [Reason; 5] = [
    ("limit", |l| l.skipped_by.limit),
    ("range", |l| l.skipped_by.range),
    ("duplicate_id", |l| l.skipped_by.duplicate_id),
    ("duration", |l| l.skipped_by.duration),
    ("stop", |l| l.skipped_by.stop),
];

/// All of it, as OpenMetrics.
pub(super) fn exposition(metrics: &Metrics) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("tweetblast");
    registry.register_collector(Box::new(Collected(metrics.shown())));
    let mut own = Registry::default();
    own.register_collector(Box::new(OfProcess));
    let (mut text, mut of_process) = (String::new(), String::new());
    encode(&mut text, &registry)?;
    prometheus_client::encoding::text::encode_registry(&mut of_process, &own)?;
    Ok(of_process + &text)
}

#[derive(Debug)]
struct Collected(Shown);

impl Collector for Collected {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut out = Writer(encoder);
        let or_unknown = |value: Option<&'static str>| value.unwrap_or("unknown");
        out.info(
            "build",
            "Version of tweetblast",
            &[
                ("version", env!("CARGO_PKG_VERSION")),
                ("commit", or_unknown(option_env!("TWEETBLAST_COMMIT"))),
                ("profile", or_unknown(option_env!("TWEETBLAST_PROFILE"))),
                ("rustc", or_unknown(option_env!("TWEETBLAST_RUSTC"))),
            ],
        )?;
        if let Some(run) = &self.0.run {
            write_run(&mut out, run, self.0.ledger.as_ref())?;
        }
        if let Some(search) = &self.0.search {
            write_search(&mut out, search)?;
        }
        if let Some(bridge) = &self.0.bridge {
            write_bridge(&mut out, bridge)?;
        }
        self.0.serving.as_ref().map_or(Ok(()), |serving| write_serving(&mut out, serving))
    }
}

fn write_run(out: &mut Writer<'_>, run: &RunSources, at_end: Option<&Ledger>) -> Result<(), Error> {
    let label = run.label.as_deref().unwrap_or_default();
    out.info("run", "The run", &[("run", &run.run), ("label", label)])?;
    out.gauge(
        "run_ended",
        "1: the counters are those of the ledger at the end",
        f64::from(u8::from(at_end.is_some())),
    )?;
    let so_far = run.ledger();
    let ledger = at_end.unwrap_or(&so_far);
    if at_end.is_some() || run.intake.is_some() {
        write_lines(out, &OF_THE_INPUT, ledger)?;
    }
    write_lines(out, &LINES, ledger)?;
    if let Some(ledger) = at_end {
        write_lines(out, &AT_THE_END, ledger)?;
        let skipped = SKIPPED.map(|(reason, count)| (reason, count(ledger) as f64));
        out.each(
            ("skipped_tweets", "Tweets not sent on purpose", None),
            MetricType::Counter,
            "reason",
            &skipped,
        )?;
    }
    for (name, help, value) in [
        ("planned_tweets", "Tweets to be sent", run.planned_tweets.map(|tweets| tweets as f64)),
        ("planned_tweets_per_second", "Tweets per second as planned", run.planned_per_s),
        (
            "in_flight_tweets",
            "Tweets sent, and neither acknowledged nor failed",
            Some(waiting(ledger.published, ledger.delivered + ledger.failed)),
        ),
        (
            "backlog_tweets",
            "Tweets acknowledged and not queryable",
            ledger.queryable.map(|rows| waiting(ledger.delivered, rows)),
        ),
    ] {
        if let Some(value) = value {
            out.gauge(name, help, value)?;
        }
    }
    write_hops(out, &run.counters)?;
    write_times(out, run)
}

fn write_lines(out: &mut Writer<'_>, lines: &[Line], ledger: &Ledger) -> Result<(), Error> {
    for (name, help, value) in lines {
        if let Some(value) = value(ledger) {
            out.counter(name, help, value)?;
        }
    }
    Ok(())
}

fn waiting(came: u64, went: u64) -> f64 {
    came.saturating_sub(went) as f64
}

fn write_hops(out: &mut Writer<'_>, counters: &Counters) -> Result<(), Error> {
    let blocked = [
        ("feed", &counters.feed_blocked_ns),
        ("pace", &counters.mqtt_blocked_ns),
        ("bridge", &counters.bridge_blocked_ns),
        ("kafka", &counters.kafka_blocked_ns),
    ]
    .map(|(hop, counter)| (hop, counter.time().as_secs_f64()));
    let descriptor = ("hop_blocked", "Time that a hop was blocked by the next one", Some(&Unit::Seconds));
    out.each(descriptor, MetricType::Counter, "hop", &blocked)?;
    let outages = counters.outages.all();
    let of = |hop: OutageHop| outages.iter().filter(move |outage| outage.hop == hop);
    let hops = [OutageHop::Mqtt, OutageHop::Kafka];
    let all = hops.map(|hop| (hop.name(), of(hop).count() as f64));
    let open = hops.map(|hop| (hop.name(), of(hop).filter(|outage| outage.ended.is_none()).count() as f64));
    out.each(("outages", "What was away, the first 200", None), MetricType::Counter, "hop", &all)?;
    out.each(("open_outages", "What is away", None), MetricType::Gauge, "hop", &open)
}

fn write_times(out: &mut Writer<'_>, run: &RunSources) -> Result<(), Error> {
    if let Some(live) = run.counters.live.all() {
        out.histogram(
            "lag",
            "Send time - intended send time, up to the last whole second",
            &Buckets::of(&live.lag_us),
        )?;
        out.histogram(
            "acknowledged",
            "Kafka's delivery report - send time, up to the last whole second",
            &Buckets::of(&live.acked_us),
        )?;
    }
    if let Some(queryable) = &run.queryable {
        let (from_intended_us, from_ack_us) = queryable.all_us();
        out.histogram(
            "queryable",
            "Time to queryable: the query that counted it - intended send time",
            &Buckets::of(&from_intended_us),
        )?;
        out.histogram(
            "acknowledged_to_queryable",
            "The query that counted it - Kafka's delivery report",
            &Buckets::of(&from_ack_us),
        )?;
    }
    Ok(())
}

fn write_search(out: &mut Writer<'_>, search: &SearchMetrics) -> Result<(), Error> {
    out.counter("search_processed_rows", "Rows that Druid's tasks have processed", search.processed)?;
    out.counter("search_queryable_rows", "Rows that Druid counts", search.queryable)?;
    out.gauge(
        "search_asked_rows_per_second",
        "Rows per second that are asked for; 0: none are written",
        search.asked_per_s,
    )?;
    if let Some(capacity) = search.capacity_per_s {
        out.gauge(
            "search_capacity_rows_per_second",
            "Rows per second that the tasks process in overload",
            capacity,
        )?;
    }
    let descriptor = ("search_phase", "The part of the search that runs", None);
    out.each(descriptor, MetricType::Gauge, "phase", &[(search.phase, 1.0)])
}

fn write_serving(out: &mut Writer<'_>, serving: &ServingNow) -> Result<(), Error> {
    out.gauge("kafka_clients", "Clients of the embedded Kafka", serving.kafka_clients as f64)?;
    let each = |value: fn(&(String, u64, u64)) -> u64| -> Vec<(&str, f64)> {
        serving.topics.iter().map(|topic| (topic.0.as_str(), value(topic) as f64)).collect()
    };
    let (messages, bytes) = (each(|topic| topic.1), each(|topic| topic.2));
    let descriptor = ("kafka_messages", "Messages that a topic has got", None);
    out.each(descriptor, MetricType::Counter, "topic", &messages)?;
    let descriptor = ("kafka_log", "What a topic keeps on disk", Some(&Unit::Bytes));
    out.each(descriptor, MetricType::Gauge, "topic", &bytes)?;
    let Some(mqtt) = &serving.mqtt else { return Ok(()) };
    out.gauge("mqtt_clients", "Clients of the embedded MQTT broker", mqtt.clients as f64)?;
    out.counter("mqtt_delivered_messages", "Messages handed to MQTT clients", mqtt.delivered)?;
    let descriptor = ("mqtt_unread", "What MQTT clients have not read", &Unit::Bytes);
    out.in_unit(descriptor, MetricType::Gauge, mqtt.unread_bytes as f64)
}

/// Named as every exporter names it.
#[derive(Debug)]
struct OfProcess;

impl Collector for OfProcess {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let Process { cpu_s, resident_bytes, started_s } = Process::now();
        let mut out = Writer(encoder);
        out.in_unit(("process_cpu", "CPU time", &Unit::Seconds), MetricType::Counter, cpu_s)?;
        if let Some(bytes) = resident_bytes {
            let descriptor = ("process_resident_memory", "Resident memory", &Unit::Bytes);
            out.in_unit(descriptor, MetricType::Gauge, bytes as f64)?;
        }
        if let Some(started_s) = started_s {
            let descriptor = ("process_start_time", "Start, since 1970", &Unit::Seconds);
            out.in_unit(descriptor, MetricType::Gauge, started_s)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{MqttNow, ServingNow};

    #[test]
    fn a_search_and_a_server_show_what_they_do_and_nothing_of_a_run() {
        let metrics = Metrics::default();
        let now = SearchMetrics {
            phase: "hold",
            processed: 70,
            queryable: 60,
            asked_per_s: 12.5,
            capacity_per_s: Some(13.0),
        };
        metrics.search(now);
        let text = exposition(&metrics).unwrap();
        for line in [
            "tweetblast_search_phase{phase=\"hold\"} 1.0",
            "tweetblast_search_processed_rows_total 70",
            "tweetblast_search_queryable_rows_total 60",
            "tweetblast_search_asked_rows_per_second 12.5",
            "tweetblast_search_capacity_rows_per_second 13.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(!text.contains("published"), "{text}");
        let mqtt = Some(MqttNow { clients: 1, delivered: 2, unread_bytes: 3 });
        let topics = vec![("a\"b".to_owned(), 4, 5)];
        metrics.serve(ServingNow { mqtt, kafka_clients: 6, topics });
        let text = exposition(&metrics).unwrap();
        for line in [
            "tweetblast_kafka_clients 6.0",
            "tweetblast_kafka_messages_total{topic=\"a\\\"b\"} 4.0",
            "tweetblast_mqtt_delivered_messages_total 2",
            "tweetblast_mqtt_unread_bytes 3.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    #[test]
    fn a_run_whose_input_is_not_known_shows_it_at_its_end() {
        let metrics = Metrics::default();
        metrics.begin(RunSources { run: "r".into(), ..RunSources::default() });
        let text = exposition(&metrics).unwrap();
        assert!(text.contains("tweetblast_published_tweets_total 0") && !text.contains("frames_total"));
        metrics.end(&Ledger { frames: 9, loops: 1, ..Ledger::default() });
        let text = exposition(&metrics).unwrap();
        assert!(text.contains("tweetblast_frames_total 9") && text.contains("tweetblast_run_ended 1.0"));
        assert!(text.ends_with("# EOF\n"));
    }
}
