//! The command line: flags into plain options, and the commands they call. The only module that
//! knows clap.

mod bridge;
mod bridge_druid;
mod choices;
mod compare;
mod completions;
mod doctor;
mod druid;
mod ends;
mod exit;
mod find_max;
mod generate;
mod help;
mod hints;
mod input;
mod inspect;
mod json;
mod keys;
mod metrics;
mod output;
mod pace;
mod passwd;
mod piped;
mod replay;
mod report;
mod resources;
mod serve;
mod signals;
mod supervisor;
mod target;
mod tasks;
mod terminal;
#[cfg(test)]
mod tests;
mod values;
mod version;

use std::ffi::OsString;
use std::io::Write;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};

use bridge::BridgeArgs;
use compare::CompareArgs;
use completions::{CompletionsArgs, ManArgs};
use doctor::DoctorArgs;
use druid::DruidCommand;
pub use exit::Exit;
use find_max::FindMaxArgs;
use generate::GenerateArgs;
use inspect::InspectArgs;
use output::STDOUT_FAILED;
use passwd::PasswdArgs;
use replay::ReplayArgs;
use report::ReportArgs;
use serve::ServeArgs;

pub use crate::report::with_causes;

use crate::pipeline::ReplayError;

/// Replay tweets at their original timing, or faster, into MQTT and Kafka
///
/// Every tweet is accounted for. Without --kafka the tweets go to a small Kafka endpoint inside this process,
/// so nothing else has to run. Without a FILE, standard input is replayed, or ./tweets.json or
/// ./data/tweets.json.
#[derive(Debug, Parser)]
#[command(version, long_version = version::long(), args_conflicts_with_subcommands = true, max_term_width = 100, after_help = help::SHORT,
    after_long_help = help::reference())]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    replay: ReplayArgs,
    /// Log what happens inside; -vv logs more
    ///
    /// RUST_LOG overrides both.
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = "Report")]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Generate synthetic tweets: any number, in any form
    Generate(GenerateArgs),
    /// Summarize tweet files and estimate how long a replay takes
    Inspect(Box<InspectArgs>),
    /// Compare the JSON reports of two runs, or of many
    Compare(CompareArgs),
    /// Show the JSON reports of runs as one HTML page
    Report(ReportArgs),
    /// Run the embedded MQTT and Kafka without a replay
    Serve(Box<ServeArgs>),
    /// Bring what others publish over MQTT to Kafka
    Bridge(Box<BridgeArgs>),
    /// Check every hop, send one tweet through all, say what is wrong
    Doctor(Box<DoctorArgs>),
    /// Find the highest rate that a Druid sustains
    FindMax(Box<FindMaxArgs>),
    /// Manage the Druid supervisors that read the topic
    Druid(DruidCommand),
    /// Print a line for --mqtt-users
    Passwd(PasswdArgs),
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

    /// Reads the command line.
    ///
    /// # Errors
    /// When it cannot be read, with what to type; when help or the version is asked for.
    pub fn from_command_line() -> Result<Self, clap::Error> {
        Self::read(&std::env::args_os().collect::<Vec<OsString>>())
    }

    fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let read = Self::try_parse_from(arguments).or_else(|error| {
            hints::with_negative_value(&error, arguments).map_or(Err(error), Self::try_parse_from)
        });
        read.map_err(|error| hints::explained(error, arguments, &Self::command()))
    }

    /// Runs the command that was asked for, and says how the process is to end.
    ///
    /// # Errors
    /// With a chain of causes that ends at what the user can change.
    pub fn run(self) -> anyhow::Result<u8> {
        let error = match self.dispatch() {
            Ok(exit_code) => return Ok(exit_code),
            Err(error) => error,
        };
        if let Some(stopped @ ReplayError::Stopped) = error.downcast_ref() {
            let _ = writeln!(std::io::stderr(), "tweetblast: {stopped}");
            return Ok(Exit::Interrupted as u8);
        }
        match exit::usage(error) {
            Ok(usage) => {
                clap::Error::raw(usage.kind, format!("{usage}{MORE}")).with_cmd(&Self::command()).exit()
            }
            Err(error) => Err(error),
        }
    }

    fn dispatch(self) -> anyhow::Result<u8> {
        signals::survive_file_limit()?;
        match self.command {
            Some(Command::Generate(args)) => args.run().map(|()| Exit::Balanced as u8),
            Some(Command::Inspect(args)) => args.run(),
            Some(Command::Compare(args)) => args.run(),
            Some(Command::Report(args)) => args.run().map(|()| Exit::Balanced as u8),
            Some(Command::Serve(args)) => args.run().map(|()| Exit::Balanced as u8),
            Some(Command::Bridge(args)) => args.run(),
            Some(Command::Doctor(args)) => args.run(),
            Some(Command::FindMax(args)) => args.run(),
            Some(Command::Druid(command)) => match command.run() {
                // All that it does to files is to print.
                Err(error) if error.is::<std::io::Error>() => Err(error.context(STDOUT_FAILED)),
                done => done.map(|()| Exit::Balanced as u8),
            },
            Some(Command::Passwd(args)) => args.run().map(|()| Exit::Balanced as u8),
            Some(Command::Completions(args)) => args.run(Self::command()).map(|()| Exit::Balanced as u8),
            Some(Command::Man(args)) => args.run(Self::command()).map(|()| Exit::Balanced as u8),
            None => {
                hints::check_files(self.replay.named_files(), &Self::command())?;
                self.replay.run()
            }
        }
    }
}

/// As at the end of clap's own errors.
const MORE: &str = "\n\nFor more information, try '--help'.\n";
