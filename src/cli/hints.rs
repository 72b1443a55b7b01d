//! What to type instead: for unknown flags and commands, and for missing values.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use super::exit::UsageError;
use crate::report::{similar, without_secrets};

/// Likely slips that resemble no flag, and what was meant.
const MEANT: [(&str, &str); 9] = [
    ("--file", "a file is named without a flag: tweetblast tweets.json"),
    ("--input", "a file is named without a flag: tweetblast tweets.json"),
    ("-f", "a file is named without a flag: tweetblast tweets.json"),
    ("-i", "a file is named without a flag: tweetblast tweets.json"),
    ("--shuffle", "--order shuffle sends tweets at random"),
    ("--port", "--mqtt-listen PORT and --kafka-listen PORT say where the embedded ones listen"),
    ("-p", "--mqtt-listen PORT and --kafka-listen PORT say where the embedded ones listen"),
    ("--broker", "--kafka HOST:PORT is for Kafka, --mqtt HOST:PORT for MQTT"),
    ("-s", "--speedup 100x is how fast, --speedup max as fast as it goes"),
];

/// In `druid spec` and `druid submit`.
const DRUID: &str = "--druid-kafka HOST:PORT is the address of Kafka as Druid reaches it";

/// For a file after a command that takes none.
const NO_FILE: &str =
    "this command takes no file; tweetblast FILE replays one, tweetblast inspect FILE looks into it";

/// Examples for flags without their value.
const EXAMPLES: [(&str, &str); 15] = [
    ("--json", "--json report.json writes to a file, --json - to standard output"),
    ("--output", "-o tweets.json writes to a file, -o - to standard output"),
    ("--speedup", "--speedup 100x, --speedup max"),
    ("--rate", "--rate 5000/s, --rate 5k/s, --rate 300/m"),
    ("--fit", "--fit 5m"),
    ("--limit", "--limit 5000, --limit 5k"),
    ("--loop", "--loop 3, --loop forever"),
    ("--kafka", "--kafka localhost:9092"),
    ("--mqtt", "--mqtt localhost:1883, --mqtt off"),
    ("--druid", "--druid localhost:8888"),
    ("--fail-if", "--fail-if 'lag.p99>500ms'"),
    ("--map", "--map text=body,time=meta.posted"),
    ("<A.json>...", "tweetblast compare before.json after.json"),
    ("<SHELL>", "tweetblast completions bash"),
    ("<DIR>", "tweetblast man ~/.local/share/man/man1"),
];

/// The same error with what to type instead of the usage line, and without the advice to use `--`: `-5` is rarely
/// the name of a file.
pub(super) fn explained(mut error: Error, arguments: &[OsString], command: &Command) -> Error {
    let text = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let argument = text(&error, ContextKind::InvalidArg);
    error.remove(ContextKind::Usage);
    if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        tips.retain(|tip| !tip.to_string().contains("as a value, use"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    let value = text(&error, ContextKind::InvalidValue);
    if without_secrets(&value) != value {
        error.insert(ContextKind::InvalidValue, ContextValue::String(without_secrets(&value)));
    }
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let meant = || MEANT.iter().find(|(slip, _)| *slip == argument).map(|(_, tip)| (*tip).to_owned());
            let druid = || {
                (argument == "--kafka" && arguments.iter().any(|word| word == "druid"))
                    .then(|| DRUID.to_owned())
            };
            let file = || (!argument.starts_with('-')).then(|| NO_FILE.to_owned());
            if let Some(tip) = single_dash(arguments, command).or_else(meant).or_else(druid).or_else(file) {
                error.remove(ContextKind::SuggestedArg);
                suggest(&mut error, tip);
            }
        }
        ErrorKind::ArgumentConflict if !argument.is_empty() => {
            suggest(&mut error, "leave one of them out".to_owned());
        }
        ErrorKind::MissingRequiredArgument => {
            if let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) {
                let tip = missing.iter().find_map(|flag| example(flag));
                tip.into_iter().for_each(|tip| suggest(&mut error, tip));
            }
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            example(&argument).into_iter().for_each(|tip| suggest(&mut error, tip));
        }
        ErrorKind::InvalidSubcommand => {
            let typed = text(&error, ContextKind::InvalidSubcommand);
            if let Some(name) = similar(&typed, command.get_subcommands().map(Command::get_name)) {
                let names = ContextValue::Strings(vec![name.to_owned()]);
                error.insert(ContextKind::SuggestedSubcommand, names);
            }
        }
        _ => {}
    }
    error
}

/// What a flag may look like with a value; `flag` is as clap names it.
fn example(flag: &str) -> Option<String> {
    let flag = flag.split_whitespace().next()?;
    EXAMPLES.iter().find(|(name, _)| *name == flag).map(|(_, tip)| (*tip).to_owned())
}

fn suggest(error: &mut Error, tip: String) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
}

/// `-speedup` for `--speedup`.
fn single_dash(arguments: &[OsString], command: &Command) -> Option<String> {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str()?.strip_prefix('-'));
    let is_flag = |word: &str| command.get_arguments().any(|argument| argument.get_long() == Some(word));
    let word = words.find(|word| is_flag(word))?;
    Some(format!("a flag of more than a letter has two dashes: --{word}"))
}

/// The command line with a negative value joined to its flag, `--rate=-5`, so that the flag's own parser says what
/// is wrong. `None` if clap complains of something else.
pub(super) fn with_negative_value(error: &Error, arguments: &[OsString]) -> Option<Vec<OsString>> {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_negative =
        |word: &str| word.starts_with('-') && word[1..].starts_with(|c: char| c.is_ascii_digit());
    if error.kind() != ErrorKind::UnknownArgument || !is_negative(unknown) {
        return None;
    }
    let place =
        arguments.iter().position(|word| word.to_str().is_some_and(|word| word.starts_with(unknown)))?;
    let flag = arguments.get(place.checked_sub(1)?)?.to_str()?;
    if !flag.starts_with('-') || flag.contains('=') || is_negative(flag) {
        return None;
    }
    let mut joined = arguments.to_vec();
    let value = joined.remove(place);
    joined[place - 1].push("=");
    joined[place - 1].push(value);
    Some(joined)
}

/// A command that was taken for a file: typed wrongly, or after a flag or a file.
pub(super) fn check_files(files: &[PathBuf], command: &Command) -> Result<(), UsageError> {
    for file in files {
        let Some(typed) = file.to_str().filter(|typed| !typed.contains(['.', '/']) && !file.exists()) else {
            continue;
        };
        let Some(name) = similar(typed, command.get_subcommands().map(Command::get_name)) else { continue };
        let words = match name == typed {
            true => format!("there is no file {typed}; as a command it comes first: tweetblast {typed} ..."),
            false => {
                format!("there is no file {typed}, and no such command: did you mean tweetblast {name}?")
            }
        };
        return Err(UsageError { kind: ErrorKind::InvalidSubcommand, words });
    }
    Ok(())
}
