//! Times that are there and could not be read: what is said of them, and when that is an error.

use std::collections::BTreeMap;

use indicatif::HumanCount;

use super::prepared::{Goal, Preparation};
use crate::count::{Intake, RejectCount, UnreadTimes};
use crate::options::{OrderBy, Pace, ReplayOptions};
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::files::Files;
use crate::pipeline::input::time_pattern::{other_pattern_of, pattern_of};
use crate::report::{Noun, UnreadTimesReport, place};
use crate::tweet::Unread;

/// The unread times of all files; `None`: there are none.
pub(crate) fn unread_report(files: &Files, intakes: &[Intake]) -> Option<UnreadTimesReport> {
    let (file, first) =
        (0..).zip(intakes).find_map(|(file, intake)| Some((file, intake.unread_times.as_ref()?)))?;
    let all = intakes.iter().filter_map(|intake| intake.unread_times.as_ref());
    let (mut tweets, mut without_time) = (0, 0);
    all.for_each(|unread| {
        tweets += unread.tweets;
        without_time += unread.without_time;
    });
    Some(UnreadTimesReport {
        tweets,
        without_time,
        field: first.field.clone(),
        example: first.example.clone(),
        reason: first.reason,
        file: files.get(file).path().display().to_string(),
        offset: first.first_offset,
        line: files.line(file, first.first_offset),
        advice: advice(first),
    })
}

/// What was mended in all files, by kind, with the first line.
pub(crate) fn mended_report(files: &Files, intakes: &[Intake]) -> BTreeMap<&'static str, RejectCount> {
    let mut mended = Intake::sum(intakes).mended;
    for (what, found) in &mut mended {
        let file = (0..).zip(intakes).find(|(_, intake)| intake.mended.contains_key(what));
        found.first_line = file.and_then(|(file, _)| files.line(file, found.first_offset));
    }
    mended
}

/// What to type.
fn advice(unread: &UnreadTimes) -> String {
    let plain = serde_json::from_str::<String>(&unread.example).unwrap_or_else(|_| unread.example.clone());
    let format = "--time-format says how it is written, such as '%d/%m/%Y %H:%M:%S', s or ms".to_owned();
    match unread.reason {
        reason if reason == Unread::Zone.name() => {
            "--time-zone says where its zone is, such as Europe/Madrid".to_owned()
        }
        reason if reason == Unread::Unit.name() => {
            "--time-format s, ms, us or ns says what the number counts".to_owned()
        }
        reason if reason == Unread::Format.name() => "it is not written as --time-format says".to_owned(),
        _ => match pattern_of(&plain) {
            Some(pattern) => match other_pattern_of(&pattern, &plain) {
                Some(other) => {
                    format!(
                        "day or month may come first: --time-format '{pattern}' or --time-format '{other}'"
                    )
                }
                None => format!("--time-format '{pattern}'"),
            },
            None => format,
        },
    }
}

/// Says which times could not be read.
///
/// # Errors
/// When a replay needs the times, and those of most tweets could not be read.
pub(super) fn check_unread(preparation: &Preparation<'_>, intakes: &[Intake]) -> Result<(), ReplayError> {
    let Preparation { files, options, goal, .. } = *preparation;
    let Some(unread) = unread_report(files, intakes) else { return Ok(()) };
    let tweets: u64 = intakes.iter().map(|intake| intake.tweets).sum();
    let noun = options.noun();
    if goal == Goal::Replay && unread.without_time * 2 > tweets && needs_times(options) {
        let input = if unread.file == "-" { "standard input".to_owned() } else { unread.file.clone() };
        return Err(ReplayError::UnreadTimes { input, words: words(&unread, tweets, noun) });
    }
    tracing::warn!("{}", words(&unread, tweets, noun));
    Ok(())
}

fn words(unread: &UnreadTimesReport, tweets: u64, noun: Noun) -> String {
    let UnreadTimesReport { field, example, advice, .. } = unread;
    let place = place(unread.line, unread.offset);
    let (count, tweets) = (HumanCount(unread.tweets), noun.counted(tweets));
    format!(
        "the times of {count} of {tweets} cannot be read; the first is {field}: {example} ({place}); {advice}"
    )
}

/// Whether the order or the pace depends on the tweets' times.
fn needs_times(options: &ReplayOptions) -> bool {
    let paces = match options.pace.speed {
        Pace::Speedup(_) => options.pace.interval.is_none(),
        Pace::Fit(_) => true,
        Pace::Rate(_) | Pace::Profile(_) | Pace::Max => false,
    };
    match options.input.order {
        Some(OrderBy::Shuffle) => options.input.select.by_time(),
        Some(OrderBy::File) => options.input.select.by_time() || paces,
        None | Some(OrderBy::Time | OrderBy::Window(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_what_to_type() {
        let advice_on = |example: &str, why: Unread| {
            advice(&UnreadTimes {
                tweets: 1,
                without_time: 1,
                field: "at".to_owned(),
                example: example.to_owned(),
                reason: why.name(),
                first_offset: 0,
            })
        };
        let both = "day or month may come first: --time-format '%d/%m/%Y' or --time-format '%m/%d/%Y'";
        assert_eq!(advice_on(r#""03/04/2020""#, Unread::DayOrder), both);
        assert_eq!(
            advice_on(r#""3-4-20""#, Unread::Spelling),
            "day or month may come first: --time-format '%d-%m-%y' or --time-format '%m-%d-%y'"
        );
        assert!(advice_on(r#""10:00 IST""#, Unread::Zone).contains("--time-zone"));
        assert!(advice_on("17", Unread::Unit).contains("--time-format s, ms, us or ns"));
        assert!(advice_on(r#""soon""#, Unread::Spelling).contains("--time-format"));
    }
}
