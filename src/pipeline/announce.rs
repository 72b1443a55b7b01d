//! The plan as text, before the first tweet is sent: what is read, when it is sent, and which
//! commands watch it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use jiff::ZonedDateTime;

use crate::count::Intake;
use crate::options::{KafkaChoice, Listen, Loops, MqttChoice, Pace};
use crate::pace::Speed;
use crate::pipeline::context::Replay;
use crate::pipeline::input::form::Events;
use crate::pipeline::prepare::Plan;
use crate::report::{Endpoints, Layout, Noun, Page, counted, glued, iso_seconds, rate, seconds};
use crate::tweet::{DayOrder, TimeDecision};

/// The plan, with what to type to watch it.
pub(crate) fn announcement(replay: &Replay<'_>, layout: Layout) -> String {
    let Replay { options, prepared, plan, ends, .. } = replay;
    let mut page = Page::new(layout);
    page.line(format!("tweetblast {}", replay.run));
    page.blank();
    write_input(replay, &mut page);
    write_plan(replay, &mut page);
    const LONG: Duration = Duration::from_secs(3_600);
    if plan.duration.is_some_and(|duration| duration > LONG) {
        let how = if prepared.times_ms.is_some() { "--speedup" } else { "--rate" };
        page.more(format!("that is long: {how}, --fit 5m or --limit make it shorter"));
    }
    write_ends(&ends.addresses, taken_ports(replay), &mut page);
    ends.topic_words.iter().for_each(|words| page.more(words));
    if let (Some(limit), None) = (options.input.select.limit, plan.tweets) {
        page.row("--limit", replay.noun().counted(limit));
    }
    if let Some(keys) = options.report.keys {
        page.row("keys", keys);
    }
    page.blank();
    page.finish()
}

/// When the last tweet leaves, in local time; `None` where the plan does not say.
pub(crate) fn planned_end(replay: &Replay<'_>) -> Option<String> {
    let after = replay.plan.duration?.saturating_add(replay.options.pace.delay);
    let end = ZonedDateTime::now().checked_add(jiff::SignedDuration::try_from(after).ok()?).ok()?;
    Some(end.strftime("%Y-%m-%d %H:%M:%S %Z").to_string())
}

/// Default ports that another program has, so that ours are others.
#[derive(Debug, Clone, Copy, Default)]
struct TakenPorts {
    mqtt: Option<u16>,
    kafka: Option<u16>,
}

fn taken_ports(replay: &Replay<'_>) -> TakenPorts {
    let Replay { options, ends, .. } = replay;
    let mut taken = TakenPorts::default();
    if let (MqttChoice::Embedded(listen), Some(broker)) = (&options.mqtt.broker, &ends.broker) {
        taken.mqtt = taken_port(*listen, broker.addr());
    }
    if let (KafkaChoice::Embedded(kafka), Some(endpoint)) = (&options.kafka.cluster, &ends.endpoint) {
        taken.kafka = taken_port(kafka.listen, endpoint.tls_addr().unwrap_or(endpoint.addr()));
    }
    taken
}

/// The port that was wanted, where another program has it: with Druid the port is that of the last run.
fn taken_port(wanted: Listen, ours: SocketAddr) -> Option<u16> {
    if !wanted.fall_back || wanted.addr.port() == ours.port() {
        return None;
    }
    let bound = TcpListener::bind(wanted.addr);
    bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse).then(|| wanted.addr.port())
}

fn write_ends(ends: &Endpoints, taken: TakenPorts, page: &mut Page) {
    if let (Some(mqtt), Some(topic)) = (&ends.mqtt, &ends.mqtt_topic) {
        let (host, port) = mqtt.rsplit_once(':').unwrap_or((mqtt, "1883"));
        page.row("mqtt", mqtt);
        if let Some(port) = taken.mqtt {
            page.more(format!(
                "{port} is taken by another program: the embedded MQTT broker listens at {mqtt}"
            ));
        }
        page.more(format!("watch: mosquitto_sub -h {host} -p {port} -t {topic}"));
    } else {
        page.row("mqtt", "off");
    }
    let (kafka, topic) = (&ends.kafka, &ends.kafka_topic);
    let embedded =
        if ends.kafka_embedded { " (embedded: it ends with the replay, but for --hold)" } else { "" };
    page.row("kafka", format!("{kafka}{embedded}"));
    if let Some(port) = taken.kafka {
        page.more(format!("{port} is taken by another program: the embedded Kafka listens at {kafka}"));
    }
    page.more(format!("read:  kcat -b {kafka} -t {topic} -C -e"));
}

fn write_plan(replay: &Replay<'_>, page: &mut Page) {
    let Replay { options, prepared, plan, session, .. } = replay;
    let loops = match options.pace.loops {
        Loops::Times(1) => String::new(),
        Loops::Times(loops) => format!(", {}", counted(u64::from(loops), "loop")),
        Loops::Forever => ", in loops without end".to_owned(),
    };
    let duration = plan.duration.map(|duration| format!(": {}", seconds(duration.as_secs_f64())));
    // Without a duration, --rate says it already.
    let says_rate = plan.duration.is_some() || !matches!(options.pace.speed, Pace::Rate(_));
    let per_s = plan
        .rate_per_s
        .filter(|_| says_rate)
        .map(|per_s| format!("{} {}", if plan.duration.is_some() { " at" } else { ":" }, rate(per_s)));
    // Nobody knows when a key is pressed, or Druid is ready.
    let waits = session.control.is_paused() || options.druid.is_some();
    let until = planned_end(replay).filter(|_| !waits).map(|end| format!(", until {}", glued(&end)));
    page.row(
        "plan",
        format!(
            "{}, {}{loops}{}{}{}",
            plan.requested,
            prepared.order.name(),
            duration.unwrap_or_default(),
            per_s.unwrap_or_default(),
            until.unwrap_or_default()
        ),
    );
    if plan.spread {
        page.more(
            replay.noun().of("tweets of the same second are spread over it (--no-spread keeps the bursts)"),
        );
    }
    write_phases(plan, page);
    if let Some(max_gap) = plan.schedule.max_gap {
        page.more(format!("silences are cut to {}", seconds(max_gap.as_secs_f64())));
    }
    if !options.pace.delay.is_zero() {
        page.more(format!("starts in {}", seconds(options.pace.delay.as_secs_f64())));
    }
    if session.control.is_paused() {
        page.more("starts when you press space");
    }
}

/// Most phases that the plan names one by one.
const PHASES_SHOWN: usize = 12;

/// What the profile comes to, part by part, and what is not in the figures.
fn write_phases(plan: &Plan, page: &mut Page) {
    for phase in plan.phases.iter().take(PHASES_SHOWN) {
        let at = seconds(phase.begin.as_secs_f64());
        let time = phase.end.map(|end| end.saturating_sub(phase.begin).as_secs_f64());
        let time = time.map_or(String::new(), |time| format!(", {}", seconds(time)));
        let why = if phase.is_warmup { ": in no figure of time or rate" } else { "" };
        page.more(format!("from {at} on: {}{time}{why}", phase.name));
    }
    if let Some(more @ 1..) = plan.phases.len().checked_sub(PHASES_SHOWN) {
        page.more(format!("and {}", counted(more as u64, "more part")));
    }
    let Speed::Shaped(shape) = plan.schedule.speed else { return };
    if let (Some(whole), Some(planned), Some(within), Some(tweets)) =
        (shape.profile.duration(), plan.duration, shape.profile.tweets(), plan.tweets)
        && tweets < within
    {
        let left = seconds(whole.saturating_sub(planned).as_secs_f64());
        page.more(format!("the input ends {left} before the profile: --loop forever repeats it"));
    }
}

/// Most files that the plan names one by one.
const FILES_SHOWN: usize = 8;

fn write_input(replay: &Replay<'_>, page: &mut Page) {
    let Replay { options, files, prepared, .. } = replay;
    let to_send = prepared.survey.map(|survey| {
        let skipped = match prepared.skipped.total() {
            0 => String::new(),
            skipped => format!(" ({} skipped)", HumanCount(skipped)),
        };
        format!(", {} to send{skipped}", replay.noun().counted(survey.tweets))
    });
    let size = match files.are_live() {
        true => "read as it comes".to_owned(),
        false => HumanBytes(files.own_bytes()).to_string(),
    };
    let to_send = to_send.unwrap_or_default();
    let name = files.words();
    let name = if name == "-" { "standard input" } else { &name };
    page.row("input", format!("{name}: {}, {size}{to_send}", files.framing().words()));
    if files.count() > 1 && prepared.intakes.len() == files.count() as usize {
        for ((_, file), intake) in files.iter().zip(&prepared.intakes).take(FILES_SHOWN) {
            page.more(format!("{}: {}", file.path().display(), intake_words(intake, replay.noun())));
        }
        if let Some(more @ 1..) = (files.count() as usize).checked_sub(FILES_SHOWN) {
            page.more(format!("and {}", counted(more as u64, "more file")));
        }
    }
    if let Some(events) = replay.events.and_then(Events::report) {
        for (number, words) in events.words().into_iter().enumerate() {
            match number {
                0 => page.row("events", words),
                _ => page.more(words),
            }
        }
    }
    let times = match prepared.times_ms {
        Some((first_ms, last_ms)) if prepared.survey.is_some() => {
            let span = seconds(last_ms.saturating_sub(first_ms) as f64 / 1_000.0);
            let found = prepared.found.map_or(String::new(), |found| format!(", {}", found.name()));
            format!("{} to {}, {span}{found}", glued(&iso_seconds(first_ms)), glued(&iso_seconds(last_ms)))
        }
        Some((first_ms, _)) => format!("from {}, in the file's order", iso_seconds(first_ms)),
        None if matches!(options.pace.speed, Pace::Speedup(_)) => {
            "none in the file: spaced evenly (--interval or --rate sets how)".to_owned()
        }
        None => "none in the file".to_owned(),
    };
    page.row("times", times);
    for words in decision_words(&prepared.decisions, replay.noun()) {
        page.more(words);
    }
}

/// How times are read whose spelling leaves it open, once for all files that are alike.
fn decision_words(decisions: &[TimeDecision], noun: Noun) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for decision in decisions {
        let order = decision.order.map(|order| match order {
            DayOrder::DayFirst => "the day comes before the month",
            DayOrder::MonthFirst => "the month comes before the day",
        });
        let unit = decision.unit.map(|unit| format!("numbers count {}", unit.flag()));
        let found: Vec<String> = order.map(str::to_owned).into_iter().chain(unit).collect();
        let whose = match decision.by_first {
            true => noun.of("as in the first tweets; others are rejects"),
            false => "as the file as a whole shows".to_owned(),
        };
        let words = format!("{}, {whose}", found.join(" and "));
        if !found.is_empty() && !all.contains(&words) {
            all.push(words);
        }
    }
    all
}

/// What is in a file, in one line.
fn intake_words(intake: &Intake, noun: Noun) -> String {
    let mut words = vec![noun.counted(intake.tweets)];
    words.extend(intake.rejects.iter().map(|(kind, found)| format!("{} {kind}", HumanCount(found.count))));
    if intake.unparseable > 0 {
        words.push(format!("{} unparseable", HumanCount(intake.unparseable)));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{InputOptions, PaceOptions, ReplayOptions, ReportOptions, Session};
    use crate::pace::Control;
    use crate::pipeline::ends::{Ends, producer_options};
    use crate::pipeline::input::files::Files;
    use crate::pipeline::prepare::{Goal, Preparation, prepare};
    use crate::source::Opening;

    /// The sample's plan.
    fn plan(options: &ReplayOptions, control: Control, layout: Layout) -> String {
        let session = Session { control: control.into(), ..Session::unattended() };
        let opening = &Opening::whole(None);
        let files = Files::open(&options.input.files, opening).unwrap();
        let (files, session, goal) = (&files, &session, Goal::Replay);
        let what = Preparation { files, options, opening, dead_letters: None, goal, session };
        let prepared = prepare(&what).unwrap();
        let plan = Plan::new(options, &prepared);
        let (run, kafka) = ("20260101T000000-abcd", "127.0.0.1:9092");
        let ends = Ends {
            broker: None,
            outside: None,
            endpoint: None,
            producer: producer_options(options, kafka, run),
            unsafe_settings: Vec::new(),
            partitions: 1,
            starts: Default::default(),
            topic_created: true,
            topic_words: Vec::new(),
            addresses: Endpoints {
                mqtt: Some("127.0.0.1:1883".to_owned()),
                mqtt_topic: Some("tweets".to_owned()),
                kafka: kafka.to_owned(),
                kafka_topic: "tweets".to_owned(),
                kafka_embedded: true,
                ..Endpoints::default()
            },
        };
        let (prepared, plan, ends) = (&prepared, &plan, &ends);
        announcement(
            &Replay {
                options,
                files,
                events: None,
                prepared,
                plan,
                ends,
                run,
                enrichment: None,
                dead_letters: None,
                session,
            },
            layout,
        )
    }

    fn options(speed: Pace) -> ReplayOptions {
        ReplayOptions {
            input: InputOptions { files: vec!["data/tweets.json".into()], ..InputOptions::default() },
            pace: PaceOptions { speed, ..PaceOptions::default() },
            report: ReportOptions {
                keys: Some("space pauses and goes on, + and - double and halve the speed, q stops"),
                ..ReportOptions::default()
            },
            ..ReplayOptions::default()
        }
    }

    #[test]
    fn the_plan_at_all_widths() {
        let mut all = String::new();
        for columns in [60, 80, 200] {
            let layout = Layout { columns: Some(columns), colours: false };
            all += &plan(&options(Pace::Speedup(0.1)), Control::new(true), layout);
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn the_end_is_planned_with_its_zone_but_for_waits_that_nobody_knows() {
        let page = plan(&options(Pace::Speedup(100.0)), Control::default(), Layout::default());
        let line = page.lines().find(|line| line.contains("plan")).unwrap();
        let (_, until) = line.split_once(", until ").unwrap_or_else(|| panic!("{page}"));
        let [_, _, zone] = until.split(' ').collect::<Vec<_>>()[..] else { panic!("{until}") };
        assert!(!zone.is_empty() && line.contains("--speedup 100x, oldest first: 6.17 s at 973/s"), "{line}");
        let page = plan(&options(Pace::Speedup(100.0)), Control::new(true), Layout::default());
        assert!(!page.contains("until") && page.contains("starts when you press space"), "{page}");
    }

    #[test]
    fn a_default_port_that_is_taken_is_told_from_one_that_is_not_wanted() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = holder.local_addr().unwrap();
        let ours = SocketAddr::from(([127, 0, 0, 1], taken.port().wrapping_add(1)));
        let wanted = Listen { addr: taken, fall_back: true };
        assert_eq!(taken_port(wanted, ours), Some(taken.port()));
        assert_eq!(taken_port(Listen { fall_back: false, ..wanted }, ours), None);
        assert_eq!(taken_port(wanted, taken), None, "it is ours");
        drop(holder);
        assert_eq!(taken_port(wanted, ours), None, "nobody has it: ours is that of the last run");
        let addresses = Endpoints { kafka: ours.to_string(), kafka_embedded: true, ..Endpoints::default() };
        let mut page = Page::new(Layout::default());
        write_ends(&addresses, TakenPorts { mqtt: None, kafka: Some(9_092) }, &mut page);
        let words = format!("9092 is taken by another program: the embedded Kafka listens at {ours}");
        assert!(page.finish().contains(&words));
    }
}
