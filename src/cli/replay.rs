//! The replay itself: its flags, and its report.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::{ArgAction, Args};
use indicatif::HumanCount;

use super::exit::{Exit, UsageError, no_effect};
use super::input::InputArgs;
use super::json::{JsonArgs, NUMBER};
use super::keys::{self, Keys};
use super::metrics::{self, MetricsArgs};
use super::output::{Output, STDOUT_FAILED};
use super::pace::PaceArgs;
use super::report::{PageArgs, write_page};
use super::signals::{note_continuations, on_leaving, stop_on_signals};
use super::target::TargetArgs;
use super::{inspect, resources, values};
use crate::count::Counters;
use crate::event::PayloadForm;
use crate::metrics::MetricsEndpoint;
use crate::options::{
    Enrich, InputOptions, KafkaOptions, KeyBy, MessageOptions, PaceOptions, Quiet, ReplayOptions,
    ReportOptions, Session,
};
use crate::pace::{Control, StampTime};
use crate::pipeline::{PAYLOAD_WITHOUT_RUN, replay};
use crate::report::{Screen, Threshold, counted, metrics_help, summary_page, verdict_line, write_json};

#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    pace: PaceArgs,
    /// Wait this long before the first tweet
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::wait, help_heading = "Pace")]
    delay: Option<Duration>,
    /// Keep the first seconds out of the figures: 30s
    ///
    /// Tweets that are intended in this time are sent and accounted for, and are not in rate, lag, acks and time to
    /// queryable: connections and caches that are new make them slower.
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::duration, help_heading = "Pace")]
    warmup: Option<Duration>,
    /// Wait for the space key before the first tweet
    #[arg(hide_short_help = true, long, help_heading = "Pace")]
    start_paused: bool,

    #[command(flatten)]
    target: TargetArgs,
    /// Keep embedded MQTT and Kafka up until Ctrl-C
    #[arg(hide_short_help = true, long, help_heading = "Send to")]
    hold: bool,
    /// Number of Kafka producers working in parallel [default: 1]
    #[arg(hide_short_help = true, long, default_value = "1", hide_default_value = true, value_name = "N",
        value_parser = values::count::<usize>(1..=64), help_heading = "Kafka")]
    producers: usize,
    /// How long to wait for Kafka's acknowledgements after the last tweet [default: no limit; 20s after
    /// Ctrl-C]
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::wait, help_heading = "Kafka")]
    drain_timeout: Option<Duration>,
    /// Read the tweets back from Kafka at the end, and compare; with the embedded Kafka this is always done
    #[arg(hide_short_help = true, long, help_heading = "Kafka")]
    verify: bool,
    /// Allow -X properties with which Kafka may lose tweets or store them twice; the run is then unproven
    #[arg(hide_short_help = true, long = "unsafe", help_heading = "Kafka")]
    allow_unsafe: bool,

    /// Join a table of users to their tweets: CSV with a header, or JSON
    ///
    /// Its columns are added to each tweet of the user, and to Druid's. Can be given several times.
    #[arg(hide_short_help = true, long, value_name = "FILE", help_heading = "Messages")]
    enrich: Vec<PathBuf>,
    /// Column of the --enrich tables with the user's id [default: user_id, id_str or id]
    #[arg(hide_short_help = true, long, value_name = "COLUMN", help_heading = "Messages")]
    enrich_key: Option<String>,
    /// What a message holds [default: tweet]
    #[arg(hide_short_help = true, long, value_enum, default_value_t = PayloadForm::Tweet, hide_default_value = true,
        help_heading = "Messages")]
    payload: PayloadForm,
    /// Which time the field `timestamp` holds [default: send]
    #[arg(hide_short_help = true, long, value_enum, help_heading = "Messages")]
    timestamp: Option<StampTime>,
    /// Which time Kafka stores with a message: when the event was, or when it is sent [default: send]
    ///
    /// With event, Kafka may remove what is older than its retention at once.
    #[arg(hide_short_help = true, long, value_enum, default_value_t = StampTime::Send, hide_default_value = true,
        help_heading = "Messages")]
    kafka_timestamp: StampTime,
    /// Kafka key: tweets with the same key stay in order [default: user]
    #[arg(hide_short_help = true, long, value_enum, default_value_t = KeyBy::User, hide_default_value = true,
        help_heading = "Messages")]
    key: KeyBy,

    #[command(flatten)]
    json: JsonArgs,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Link to the dashboard, shown at the end; {run} in it becomes the run's id [default:
    /// TWEETBLAST_DASHBOARD of the environment]
    #[arg(hide_short_help = true, long, value_name = "URL", value_parser = values::link, help_heading = "Report")]
    dashboard: Option<String>,
    /// A name for this run in the report
    #[arg(hide_short_help = true, long, value_name = "WORDS", help_heading = "Report")]
    label: Option<String>,
    /// Fail with exit code 4 if this is so: 'lag.p99>500ms'
    #[arg(long, value_name = "EXPR", long_help = metrics_help(), help_heading = "Report",
        conflicts_with = "dry_run")]
    fail_if: Vec<Threshold>,
    /// Write what was not delivered; it can be replayed
    ///
    /// One JSON per line with the reason and the byte offset: records that are not tweets, frames that are not
    /// JSON, tweets that Kafka did not take.
    #[arg(
        hide_short_help = true,
        long,
        alias = "dead-letters",
        value_name = "FILE",
        help_heading = "Report"
    )]
    dead_letter: Option<PathBuf>,
    /// Replay this many times, one after another: --json 'run-{number}.json' [default: 1]
    ///
    /// Each run has a report of its own, with its number in the place of {number}; `tweetblast compare` tells by several runs
    /// what is noise. The exit code is the first that is not 0.
    #[arg(hide_short_help = true, long, default_value = "1", hide_default_value = true, value_name = "N",
        value_parser = values::count::<u32>(1..=1_000), conflicts_with_all = ["hold", "dead_letter", "dry_run"],
        help_heading = "Report")]
    repeat: u32,
    /// Show what is in the input and how long it would take
    ///
    /// Nothing is sent. With --json the document is that of `tweetblast inspect --json`.
    #[arg(hide_short_help = true, long, help_heading = "Report")]
    dry_run: bool,
    /// Show plain lines in place of the live view
    #[arg(hide_short_help = true, long, help_heading = "Report")]
    no_tui: bool,
    /// Show only the verdict; -qq shows nothing
    #[arg(long, short, alias = "silent", action = ArgAction::Count, help_heading = "Report")]
    quiet: u8,
}

impl ReplayArgs {
    /// The files that were named.
    pub fn named_files(&self) -> &[PathBuf] {
        self.input.named()
    }

    /// Replays, reports, and holds if asked to; with --repeat again and again. The exit code is the first that is
    /// not 0.
    pub fn run(self) -> anyhow::Result<u8> {
        self.check()?;
        resources::ensure(self.producers)?;
        let stop = stop_on_signals()?;
        if self.repeat == 1 {
            return self.run_once(stop);
        }
        if self.input.files()?.iter().any(|file| file.as_os_str() == "-") {
            return Err(UsageError::value(
                "--repeat reads the input again, and standard input can be read once",
            )
            .into());
        }
        let mut exit_code = Exit::Balanced as u8;
        for number in 1..=self.repeat {
            let mut run = self.clone();
            run.json.set_number(number);
            run.page.set_number(number);
            let code = run.run_once(stop.clone())?;
            exit_code = if exit_code == Exit::Balanced as u8 { code } else { exit_code };
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(exit_code)
    }

    fn run_once(self, stop: Arc<AtomicBool>) -> anyhow::Result<u8> {
        let files = self.input.files()?;
        let read = [&files[..], &self.enrich].concat();
        let mut json = self.json.open(&read)?;
        let mut page = self.page.open(&read, self.json.force)?;
        let dashboard = match &self.dashboard {
            Some(link) => Some(link.clone()),
            None => dashboard_of_environment()?,
        };
        let dry_run = self.dry_run;
        let dead_letters = match &self.dead_letter {
            Some(path) if !dry_run => Some(Output::create("--dead-letter", path, &read, self.json.force)?),
            _ => None,
        };
        let (hold, start_paused) = (self.hold, self.start_paused);
        let endpoint = if dry_run { None } else { self.metrics.start()? };
        let quiet = Quiet::of(self.quiet);
        let session = Session {
            stop,
            control: Arc::new(Control::new(start_paused)),
            quiet,
            metrics: endpoint.as_ref().map(MetricsEndpoint::metrics),
            ..Session::new(
                Screen::new(self.json.is_on_stdout(), quiet != Quiet::No).without_view(self.no_tui),
            )
        };
        let counters = session.counters.clone();
        on_leaving(move || counters.get().map(|counters| unacknowledged(counters)));
        let screen = &session.screen;
        let mut options = self.into_options(files);
        if dry_run {
            return inspect::run(&options, &session, json.as_mut());
        }
        options.report.dashboard = dashboard;
        options.report.dead_letters = dead_letters.as_ref().and_then(Output::dead_letters);
        metrics::announce(endpoint.as_ref(), screen);
        note_continuations(session.control.stops().continued())?;

        // Where nobody sees what a key did, none is listened to.
        let keys = match start_paused || (screen.is_terminal() && screen.shows_progress()) {
            true => Keys::listen(&session),
            false => None,
        };
        if keys.is_none() && start_paused {
            let words = "--start-paused waits for the space key, and there is no terminal to press it in: --delay TIME \
                         waits without one";
            return Err(UsageError::value(words).into());
        }
        options.report.keys = keys.as_ref().map(|_| keys::WORDS);
        let replayed = replay(&options, &session)?;
        [&json, &page, &dead_letters].into_iter().flatten().for_each(Output::keep);
        let report = &replayed.report;
        let holds = hold && !report.interrupted && report.error.is_none();
        // Keys typed from now on are for the next program.
        let keys = keys.filter(|_| holds);
        let written = json.as_mut().map_or(Ok(()), |out| write_json(report, out));
        let page_written = page.as_mut().map_or(Ok(()), |out| write_page(report, out));
        // On a terminal the last line says it; elsewhere standard error has it, whatever the screen is.
        let is_seen = session.quiet != Quiet::All && stdout().is_terminal() && stderr().is_terminal();
        if let Some(error) = report.error.as_ref().filter(|_| !is_seen) {
            let _ = writeln!(stderr(), "error: {error}");
        }
        for threshold in report.thresholds.iter().filter(|threshold| threshold.failed && !is_seen) {
            let (expression, measured) = (&threshold.expression, threshold.measured());
            let was = if threshold.not_measured.is_some() { "" } else { "it was " };
            let _ = writeln!(stderr(), "error: --fail-if {expression}: {was}{measured}");
        }
        // Last, so that the verdict is the last line that is seen.
        match session.quiet {
            Quiet::No => screen.say(&summary_page(report, screen.layout())),
            Quiet::Verdict => screen.say(&verdict_line(report, screen.layout())),
            Quiet::All => {}
        }
        written.context("cannot write the report (--json)")?;
        page_written?;
        let exit_code = report.exit_code;
        if holds {
            let (mqtt, kafka) = (&report.endpoints.mqtt, &report.endpoints.kafka);
            let or_q = if keys.is_some() { " or q" } else { "" };
            let mqtt = mqtt.as_ref().map_or(String::new(), |mqtt| format!("MQTT {mqtt} and "));
            if session.quiet == Quiet::No {
                screen.say(&format!("\nholding: {mqtt}Kafka {kafka} stay up until Ctrl-C{or_q}\n"));
            }
            replayed.hold(&session);
        }
        drop(keys);
        metrics::wait_for_last_scrape(endpoint.as_ref(), &session);
        replayed.close()?;
        screen.written().context(STDOUT_FAILED)?;
        Ok(exit_code)
    }

    /// Refuses what cannot be, and flags that would be ignored.
    pub(super) fn check(&self) -> Result<(), UsageError> {
        self.input.check()?;
        self.pace.check()?;
        self.target.check_safety(self.allow_unsafe)?;
        self.target.check()?;
        if self.payload != PayloadForm::Tweet && self.target.has_outside_mqtt() {
            return Err(UsageError::conflict(PAYLOAD_WITHOUT_RUN));
        }
        if self.payload != PayloadForm::Tweet && !self.enrich.is_empty() {
            let words = "--enrich adds columns to our own payload: not with --payload raw or minimal";
            return Err(UsageError::conflict(words));
        }
        if self.payload == PayloadForm::Raw {
            let timestamp = ("--timestamp", self.timestamp.is_some());
            no_effect(&[timestamp], "with --payload raw, which is sent as it is")?;
        }
        if self.warmup.zip(self.pace.profile_time()).is_some_and(|(warmup, profile)| warmup >= profile) {
            return Err(UsageError::value(
                "--warmup takes all of --profile: make it shorter, or the profile longer",
            ));
        }
        if self.repeat > 1 && self.json.path().is_some_and(|path| !path.to_string_lossy().contains(NUMBER)) {
            let words = format!("--repeat writes a report for each run: --json 'run-{NUMBER}.json'");
            return Err(UsageError::value(words));
        }
        if self.repeat > 1 && !self.page.has_number() {
            let words = format!("--repeat writes a page for each run: --report 'run-{NUMBER}.html'");
            return Err(UsageError::value(words));
        }
        if self.dry_run {
            no_effect(&[("--report", self.page.is_given())], "with --dry-run, which sends nothing")?;
        }
        if self.enrich.is_empty() {
            no_effect(&[("--enrich-key", self.enrich_key.is_some())], "without --enrich FILE")?;
        }
        if self.target.is_all_outside() {
            no_effect(
                &[("--hold", self.hold)],
                "with --kafka and --mqtt: there is nothing in this process to keep up",
            )?;
        }
        Ok(())
    }

    fn into_options(self, files: Vec<PathBuf>) -> ReplayOptions {
        let target = self.target.options();
        ReplayOptions {
            input: InputOptions {
                enrich: Enrich { files: self.enrich, key: self.enrich_key },
                ..self.input.options(files)
            },
            pace: PaceOptions {
                delay: self.delay.unwrap_or_default(),
                warmup: self.warmup.unwrap_or_default(),
                ..self.pace.options()
            },
            message: MessageOptions {
                payload: self.payload,
                timestamp: self.timestamp.unwrap_or(StampTime::Send),
                kafka_timestamp: self.kafka_timestamp,
                key: self.key,
                ..MessageOptions::default()
            },
            kafka: KafkaOptions {
                producers: self.producers,
                drain_timeout: self.drain_timeout,
                allow_unsafe: self.allow_unsafe,
                verify: self.verify,
                ..target.kafka
            },
            report: ReportOptions {
                hash_input: self.json.is_given() || self.page.is_given(),
                label: self.label,
                fail_if: self.fail_if,
                ..ReportOptions::default()
            },
            ..target
        }
    }
}

/// What a run loses that exits at once.
fn unacknowledged(counters: &Counters) -> String {
    let (sent, settled) = (counters.published.get(), counters.delivered.get() + counters.failed.get());
    let pending = HumanCount(sent.saturating_sub(settled));
    let sent = counted(sent, "tweet");
    format!("stopped at once: {pending} of {sent} not acknowledged by Kafka, and there is no report")
}

/// Where the stack says that its dashboard is.
fn dashboard_of_environment() -> Result<Option<String>, UsageError> {
    const NAME: &str = "TWEETBLAST_DASHBOARD";
    match std::env::var(NAME) {
        Ok(link) if !link.trim().is_empty() => {
            values::link(link.trim()).map(Some).map_err(|words| UsageError::value(format!("{NAME} {words}")))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct OnlyReplay {
        #[command(flatten)]
        replay: ReplayArgs,
    }

    #[test]
    fn without_flags_it_is_what_the_library_does_by_default() {
        // The library takes free ports.
        let ports = ["tweetblast", "--mqtt-listen", "127.0.0.1:0", "--kafka-listen", "127.0.0.1:0"];
        let flags = OnlyReplay::parse_from(ports).replay.into_options(Vec::new());
        assert_eq!(format!("{flags:#?}"), format!("{:#?}", ReplayOptions::default()));
    }
}
