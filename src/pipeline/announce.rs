//! The plan in words, before the first tweet leaves: what is read, when it is sent, and what to type to
//! watch it.

use std::fmt::{self, Write};
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use jiff::{Timestamp, ZonedDateTime};

use crate::count::Intake;
use crate::options::{Loops, Pace};
use crate::pipeline::context::Replay;
use crate::report::{Endpoints, rate, seconds};
use crate::tweet::iso_ms;

/// The plan, with what to type to watch it.
pub(crate) fn announcement(replay: &Replay<'_>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_announcement(replay, &mut out);
    out
}

fn write_announcement(replay: &Replay<'_>, out: &mut String) -> fmt::Result {
    let Replay { options, prepared, plan, .. } = replay;
    writeln!(out, "tweetblast {}\n", replay.run)?;
    write_input(replay, out)?;
    write_plan(replay, out)?;
    const LONG: Duration = Duration::from_secs(3_600);
    if plan.duration.is_some_and(|duration| duration > LONG) {
        let how = if prepared.times_ms.is_some() { "--speedup" } else { "--rate" };
        writeln!(out, "             that is long: {how}, --fit 5m or --limit make it shorter")?;
    }
    write_ends(&replay.ends.addresses, out)?;
    if let (Some(limit), None) = (options.input.select.limit, plan.tweets) {
        writeln!(out, "  limit      {} tweets", HumanCount(limit))?;
    }
    if let Some(keys) = options.report.keys {
        writeln!(out, "  keys       {keys}")?;
    }
    writeln!(out)
}

fn write_ends(ends: &Endpoints, out: &mut String) -> fmt::Result {
    if let (Some(mqtt), Some(topic)) = (&ends.mqtt, &ends.mqtt_topic) {
        let (host, port) = mqtt.rsplit_once(':').unwrap_or((mqtt, "1883"));
        writeln!(out, "  mqtt       {mqtt}  watch: mosquitto_sub -h {host} -p {port} -t {topic}")?;
    } else {
        writeln!(out, "  mqtt       off")?;
    }
    let (kafka, topic) = (&ends.kafka, &ends.kafka_topic);
    writeln!(out, "  kafka      {kafka}  read:  kcat -b {kafka} -t {topic} -C -e")?;
    if ends.kafka_embedded {
        writeln!(out, "             embedded: it ends with the replay, unless --hold keeps it up")?;
    }
    Ok(())
}

fn write_plan(replay: &Replay<'_>, out: &mut String) -> fmt::Result {
    let Replay { options, prepared, plan, .. } = replay;
    write!(out, "  plan       {}, {}", plan.asked, prepared.order.name())?;
    match options.pace.loops {
        Loops::Times(1) => {}
        Loops::Times(loops) => write!(out, ", {loops} loops")?,
        Loops::Forever => write!(out, ", over and over")?,
    }
    if let Some(duration) = plan.duration {
        write!(out, ": {}", seconds(duration.as_secs_f64()))?;
    }
    if let Some(per_s) = plan.rate_per_s {
        write!(out, "{} {}", if plan.duration.is_some() { " at" } else { ":" }, rate(per_s))?;
    }
    if let Some(duration) = plan.duration {
        let after = jiff::SignedDuration::try_from(duration.saturating_add(options.pace.delay));
        if let Ok(end) = ZonedDateTime::now().checked_add(after.unwrap_or_default()) {
            write!(out, ", until {}", end.strftime("%Y-%m-%d %H:%M:%S"))?;
        }
    }
    writeln!(out)?;
    let mut notes = Vec::new();
    if plan.spread {
        notes.push("tweets of one second are spread over it (--no-spread keeps the bursts)".to_owned());
    }
    if let Some(max_gap) = plan.schedule.max_gap {
        notes.push(format!("silences are cut to {}", seconds(max_gap.as_secs_f64())));
    }
    if !options.pace.delay.is_zero() {
        notes.push(format!("starts in {}", seconds(options.pace.delay.as_secs_f64())));
    }
    notes.iter().try_for_each(|note| writeln!(out, "             {note}"))
}

/// Most files that the plan names one by one.
const FILES_SHOWN: usize = 8;

fn write_input(replay: &Replay<'_>, out: &mut String) -> fmt::Result {
    let Replay { options, files, prepared, .. } = replay;
    let size = HumanBytes(files.bytes());
    write!(out, "  input      {}: {}, {size}", files.words(), files.framing().name())?;
    if let Some(survey) = prepared.survey {
        let left_out = match prepared.left_out.total() {
            0 => String::new(),
            left_out => format!(" ({} left out)", HumanCount(left_out)),
        };
        write!(out, ", {} tweets to send{left_out}", HumanCount(survey.tweets))?;
    }
    writeln!(out)?;
    if files.count() > 1 && prepared.intakes.len() == files.count() as usize {
        for ((_, file), intake) in files.iter().zip(&prepared.intakes).take(FILES_SHOWN) {
            writeln!(out, "             {}: {}", file.path().display(), intake_words(intake))?;
        }
        if let Some(more) = (files.count() as usize).checked_sub(FILES_SHOWN).filter(|more| *more > 0) {
            writeln!(out, "             and {more} more")?;
        }
    }
    match prepared.times_ms {
        Some((first_ms, last_ms)) if prepared.survey.is_some() => {
            let span = seconds(last_ms.saturating_sub(first_ms) as f64 / 1_000.0);
            let found = prepared.found.map_or("", |found| found.name());
            let (first, last) = (iso_seconds(first_ms), iso_seconds(last_ms));
            writeln!(out, "  times      {first} to {last}, {span}, {found}")
        }
        Some((first_ms, _)) => {
            writeln!(out, "  times      from {}, as the input goes on", iso_seconds(first_ms))
        }
        None if matches!(options.pace.speed, Pace::Speedup(_)) => {
            writeln!(out, "  times      none in the file: spaced evenly (--interval or --rate sets how)")
        }
        None => writeln!(out, "  times      none in the file"),
    }
}

/// What is in a file, in one line.
fn intake_words(intake: &Intake) -> String {
    let mut words = format!("{} tweets", HumanCount(intake.tweets));
    for (kind, rejects) in &intake.rejects {
        let _ = write!(words, ", {} {kind}", HumanCount(rejects.count));
    }
    if intake.unparseable > 0 {
        let _ = write!(words, ", {} unparseable", HumanCount(intake.unparseable));
    }
    words
}

fn iso_seconds(time_ms: i64) -> String {
    Timestamp::from_millisecond(time_ms)
        .map_or_else(|_| iso_ms(time_ms), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_full() {
        assert_eq!(iso_ms(1_219_842_525_007), "2008-08-27T13:08:45.007Z");
        assert_eq!(iso_seconds(1_219_842_525_007), "2008-08-27 13:08:45 UTC");
    }
}
