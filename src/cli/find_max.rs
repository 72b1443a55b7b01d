//! `tweetblast find-max`: its flags, and its report.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::exit::UsageError;
use super::input::{InputArgs, is_stream};
use super::json::{JsonArgs, write_report};
use super::keys::{self, Keys};
use super::metrics::{self, MetricsArgs};
use super::output::STDOUT_FAILED;
use super::report::{PageArgs, write_page};
use super::signals::{on_leaving, stop_on_signals};
use super::target::TargetArgs;
use super::{help, resources, values};
use crate::find_max::{FindMaxOptions, find_max};
use crate::limit::Slo;
use crate::metrics::MetricsEndpoint;
use crate::options::{Loops, MqttChoice, PaceOptions, Quiet, ReplayOptions, Session};
use crate::report::{Screen, find_max_page, quantity};

#[derive(Debug, Args)]
#[command(after_help = SHORT, after_long_help = format!("{SHORT}\n\n{HOW}\n\n{}", help::DRUID))]
pub(super) struct FindMaxArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    target: TargetArgs,
    /// Limit that must hold at the rate: 'queryable.p99<10s'
    ///
    /// queryable.p50, p90, p99, p999 or max: from the time at which a tweet is due until Druid counts it. May be given
    /// several times. Each is judged between rollovers, and with them.
    #[arg(long, value_name = "LIMIT", value_parser = slo, help_heading = "Search")]
    slo: Vec<Slo>,
    /// Longest time of a search [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "1h", hide_default_value = true,
        help_heading = "Search")]
    budget: Duration,
    /// Search once for each value of a place in the spec: /ioConfig/taskCount=1,2,4
    #[arg(long, value_name = "PLACE=VALUES", value_parser = sweep, help_heading = "Search")]
    sweep: Option<Sweep>,
    /// Say how many tasks this rate needs: 50000/s
    #[arg(long = "for", value_name = "N/s", value_parser = values::rate, help_heading = "Search")]
    wanted: Option<f64>,
    /// A rough answer in about 3 minutes, without an interval of 2 % or a hold of 5 minutes
    #[arg(long, help_heading = "Search")]
    quick: bool,
    /// Keep the topic, the datasource and the suspended supervisor
    #[arg(hide_short_help = true, long, help_heading = "Search")]
    keep: bool,
    /// Send the input N times, then stop [default: forever]
    #[arg(hide_short_help = true, long = "loop", alias = "loops", value_name = "N|forever", value_parser = values::loops, default_value = "forever",
        hide_default_value = true, help_heading = "Search")]
    loops: Loops,
    #[command(flatten)]
    json: JsonArgs,
    /// Show plain lines in place of the live view
    #[arg(hide_short_help = true, long, help_heading = "Report")]
    no_tui: bool,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Show only the answer
    #[arg(hide_short_help = true, long, short, help_heading = "Report")]
    quiet: bool,
}

/// A place in the spec, and its values.
type Sweep = (String, Vec<Value>);

const SHORT: &str = "\
Examples:
  tweetblast find-max --kafka kafka:9092 --druid druid:8888
          with a file: tweets.json; with a limit:
          --slo 'queryable.p99<10s'; with a table of sizes:
          --sweep /ioConfig/taskCount=1,2,4 --for 50000/s

Exit codes: 0 held and confirmed; 5 the generator was the
limit; 6 breaks at every rollover; 7 not stable;
8 undecided; 1, 2 and 130 as always (--help).";

const HOW: &str = "\
How it goes:
  prepare      a topic and a datasource of its own, and
               --task-duration 5m, so that tasks roll over
  saturate     about 30 s of work always wait, and rows
               processed are counted in blocks of 10 s until
               the 95 % interval of their mean is within 2 %:
               the capacity
  hold         0.95 of it for 5 to 10 minutes, across a
               rollover: the backlog must not grow, and the
               limits must hold; otherwise a lower rate
  cross-check  1.15 of it: what is taken of a live stream
               must be the capacity within 5 %

MQTT is off unless --mqtt asks for it. Ctrl-C shows what is known, and cleans up.

Exit codes:
  0       a rate was held across a rollover, and confirmed
  1       an error
  2       usage
  5       the generator, Kafka or the input was the limit
  6       a rate was held, but every rollover breaks a limit
  7       not stable: Druid's capacity changed meanwhile
  8       undecided: no rate was held, or --budget was over
  130     stopped by Ctrl-C; what was known is shown";

impl FindMaxArgs {
    /// Searches, and shows what was found.
    pub fn run(self) -> anyhow::Result<u8> {
        self.input.check()?;
        self.target.check()?;
        resources::ensure(1)?;
        let files = self.input.files()?;
        if let Some(stream) = files.iter().find(|file| is_stream(file)) {
            let words = format!(
                "{}: find-max repeats its input, and a pipe is read once: name a file",
                stream.display()
            );
            return Err(UsageError::value(words).into());
        }
        let mut json = self.json.open(&files)?;
        let mut page = self.page.open(&files, self.json.force)?;
        let quiet = if self.quiet { Quiet::Verdict } else { Quiet::No };
        let endpoint = self.metrics.start()?;
        let session = Session {
            stop: stop_on_signals()?,
            quiet,
            metrics: endpoint.as_ref().map(MetricsEndpoint::metrics),
            ..Session::new(Screen::new(self.json.is_on_stdout(), self.quiet).without_view(self.no_tui))
        };
        let screen = session.screen.clone();
        let keys = if screen.has_view() { Keys::listen(&session) } else { None };
        metrics::announce(endpoint.as_ref(), &screen);
        on_leaving(|| {
            Some("stopped at once: the topic and the datasource of the search are still there".into())
        });
        let mut options = self.into_options(files);
        options.replay.report.keys = keys.as_ref().map(|_| keys::OF_SEARCH);
        let report = find_max(&options, &session)?;
        // Keys typed from now on are for the next program.
        drop(keys);
        let written = json.as_mut().map_or(Ok(()), |out| write_report(&report, out));
        let page_written = page.as_mut().map_or(Ok(()), |out| write_page(&report, out));
        screen.say(&find_max_page(&report, screen.layout()));
        written?;
        page_written?;
        metrics::wait_for_last_scrape(endpoint.as_ref(), &session);
        screen.written().context(STDOUT_FAILED)?;
        Ok(report.exit_code)
    }

    fn into_options(self, files: Vec<PathBuf>) -> FindMaxOptions {
        let has_mqtt = self.target.names_mqtt();
        let mut target = self.target.options();
        if !has_mqtt {
            target.mqtt.broker = MqttChoice::Off;
        }
        FindMaxOptions {
            replay: ReplayOptions {
                input: self.input.options(files),
                pace: PaceOptions { loops: self.loops, ..PaceOptions::default() },
                ..target
            },
            slos: self.slo,
            budget: self.budget,
            keep: self.keep,
            quick: self.quick,
            sweep: self.sweep,
            wanted_per_s: self.wanted,
        }
    }
}

/// A limit on the time to queryable: `queryable.p99<10s`.
fn slo(text: &str) -> Result<Slo, String> {
    const SHARES: [(&str, f64); 5] =
        [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)];
    const LOOKS_LIKE: &str = "must be a limit such as queryable.p99<10s, with p50, p90, p99, p999 or max";
    let (metric, limit) = text.split_once('<').ok_or(LOOKS_LIKE)?;
    let name = metric.trim().strip_prefix("queryable.").ok_or(LOOKS_LIKE)?;
    let (_, share) = SHARES.iter().find(|(quantile, _)| *quantile == name).ok_or(LOOKS_LIKE)?;
    let limit = limit.trim();
    let limit_s = quantity::seconds(limit).filter(|limit_s| *limit_s > 0.0).ok_or(LOOKS_LIKE)?;
    match limit.ends_with(|last: char| last.is_ascii_digit()) {
        true => Err(format!("{limit} needs a unit: {limit}s")),
        false => Ok(Slo { expression: text.trim().to_owned(), share: *share, limit_s }),
    }
}

/// A place in the spec and its values, each JSON or else a string.
fn sweep(text: &str) -> Result<Sweep, String> {
    const LOOKS_LIKE: &str = "must be a place and its values, such as /ioConfig/taskCount=1,2,4";
    let (place, values) =
        text.split_once('=').filter(|(place, _)| place.starts_with('/')).ok_or(LOOKS_LIKE)?;
    let values: Vec<&str> = values.split(',').map(str::trim).collect();
    if values.iter().any(|value| value.is_empty()) {
        return Err(LOOKS_LIKE.to_owned());
    }
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| text.into());
    Ok((place.to_owned(), values.into_iter().map(value).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_of_the_time_to_queryable_and_have_a_unit() {
        let limit = slo("queryable.p99 < 10s").unwrap();
        assert_eq!((limit.share, limit.limit_s), (0.99, 10.0));
        assert_eq!(slo("queryable.max<500ms").unwrap().limit_s, 0.5);
        for wrong in
            ["queryable.p99>10s", "lag.p99<1s", "queryable.p95<1s", "queryable.p99<", "queryable.p99<0s"]
        {
            assert!(slo(wrong).unwrap_err().contains("such as"), "{wrong}");
        }
        assert_eq!(slo("queryable.p99<10").unwrap_err(), "10 needs a unit: 10s");
    }

    #[test]
    fn a_sweep_is_a_place_with_values() {
        let (place, values) = sweep("/ioConfig/taskCount=1,2,4").unwrap();
        assert_eq!((place.as_str(), values), ("/ioConfig/taskCount", vec![1.into(), 2.into(), 4.into()]));
        let (_, values) = sweep("/ioConfig/taskDuration=PT5M,PT1H").unwrap();
        assert_eq!(values, [Value::from("PT5M"), Value::from("PT1H")]);
        for wrong in ["taskCount=1", "/ioConfig/taskCount", "/ioConfig/taskCount=", "/a=1,,2"] {
            assert!(sweep(wrong).unwrap_err().contains("such as"), "{wrong}");
        }
    }
}
