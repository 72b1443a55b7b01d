//! The command line: flags into plain options, and the commands they call. The only module that
//! knows clap.

mod choices;
mod compare;
mod completions;
mod doctor;
mod druid;
mod ends;
mod exit;
mod generate;
mod input;
mod inspect;
mod keys;
mod output;
mod pace;
mod replay;
mod serve;
mod signals;
mod target;
mod terminal;
mod values;
mod version;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};

use compare::CompareArgs;
use completions::{CompletionsArgs, ManArgs};
use doctor::DoctorArgs;
use druid::DruidCommand;
pub use exit::Exit;
use exit::UsageError;
use generate::GenerateArgs;
use inspect::InspectArgs;
use replay::ReplayArgs;
use serve::ServeArgs;

/// Replays a file of tweets at its original timing, or faster, through MQTT and Kafka, and accounts for
/// every one of them.
///
/// Without --kafka the tweets go to a small Kafka endpoint inside this process, so nothing else
/// has to run. Without a FILE, ./tweets.json or ./data/tweets.json is replayed.
#[derive(Debug, Parser)]
#[command(version, long_version = version::long(), args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    replay: ReplayArgs,
    /// Log what happens inside; -vv logs more, and RUST_LOG stands over both
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = "Report")]
    verbose: u8,
}

const EXAMPLES: &str = "\
Examples:
  tweetblast --speedup 100x                       100 times faster than the tweets were written
  tweetblast tweets.json --rate 5000/s            at a constant rate, ignoring their times
  tweetblast tweets.json --speedup max --json -   as fast as it goes; the report as JSON
  tweetblast inspect tweets.json                  what is in it, and how long a replay takes
  tweetblast --speedup 100x --hold                keep MQTT and Kafka up afterwards, to read from
  tweetblast --kafka localhost:9092 --fit 5m      into a real Kafka, all of it in 5 minutes
  tweetblast --druid http://localhost:8888        until every tweet can be queried in Druid
  tweetblast tweets.json --enrich users.csv       with what a table knows of each user, joined by id

Exit codes: 0 every tweet accounted for; 1 error; 2 usage; 3 not every tweet arrived, or that is unknown;
4 a threshold of --fail-if was crossed; 130 interrupted (still drained and reported; a second Ctrl-C leaves at once).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Generate synthetic tweets; the same seed gives the same bytes
    Generate(GenerateArgs),
    /// Summarize tweet files and estimate how long a replay takes
    Inspect(InspectArgs),
    /// Compare the JSON reports of two runs
    Compare(CompareArgs),
    /// Run the embedded MQTT broker and Kafka without a replay, until Ctrl-C
    Serve(ServeArgs),
    /// Check every hop, send one marker tweet through all of them, and say what is wrong
    Doctor(DoctorArgs),
    /// Manage Druid supervisors: spec, submit, status, suspend, terminate, reset
    Druid(DruidCommand),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
}

impl Cli {
    /// How often -v was given.
    pub fn verbosity(&self) -> u8 {
        self.verbose
    }

    /// Runs the command that was asked for, and says how the process is to end.
    ///
    /// # Errors
    /// With a chain of causes that ends at what the user can change.
    pub fn run(self) -> anyhow::Result<u8> {
        self.dispatch().map_err(|error| match error.downcast::<UsageError>() {
            Ok(usage) => Self::command().error(usage.kind, usage).exit(),
            Err(error) => error,
        })
    }

    fn dispatch(self) -> anyhow::Result<u8> {
        match self.command {
            Some(Command::Generate(args)) => args.run().map(|()| Exit::Balanced as u8),
            Some(Command::Inspect(args)) => args.run(),
            Some(Command::Compare(args)) => args.run().map(|()| Exit::Balanced as u8),
            Some(Command::Serve(args)) => args.run().map(|()| Exit::Balanced as u8),
            Some(Command::Doctor(args)) => args.run(),
            Some(Command::Druid(command)) => command.run().map(|()| Exit::Balanced as u8),
            Some(Command::Completions(args)) => args.run(Self::command()).map(|()| Exit::Balanced as u8),
            Some(Command::Man(args)) => args.run(Self::command()).map(|()| Exit::Balanced as u8),
            None => self.replay.run(),
        }
    }
}
