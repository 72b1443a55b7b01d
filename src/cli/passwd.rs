//! `tweetblast passwd`.

use std::io::{IsTerminal, Write, stderr, stdin, stdout};

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::output::STDOUT_FAILED;
use crate::mqtt::hash_password;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tweetblast passwd sensor >> users")]
pub(super) struct PasswdArgs {
    /// Name of the user
    #[arg(value_name = "USER", value_parser = user)]
    user: String,
}

fn user(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains([':', '\n', '#']) {
        true => Err("must be a name without a colon".to_owned()),
        false => Ok(text.to_owned()),
    }
}

impl PasswdArgs {
    /// Reads a password from the terminal, unseen, or from standard input, and prints a line for --mqtt-users.
    pub fn run(self) -> anyhow::Result<()> {
        let password = if stdin().is_terminal() { ask_twice()? } else { line()? };
        ensure!(!password.is_empty(), "the password is empty");
        let hash = hash_password(password.as_bytes()).map_err(|words| anyhow!("{words}"))?;
        writeln!(stdout(), "{}:{hash}", self.user).context(STDOUT_FAILED)
    }
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    stdin().read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask_twice() -> anyhow::Result<String> {
    let before = tcgetattr(stdin()).context("cannot ask for a password")?;
    let mut unseen = before.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    tcsetattr(stdin(), OptionalActions::Now, &unseen).context("cannot ask for a password")?;
    let ask = |words: &str| {
        // Standard output is for the line.
        let _ = write!(stderr(), "{words}");
        let answer = line();
        let _ = writeln!(stderr());
        answer
    };
    let asked = ask("Password: ").and_then(|first| Ok((first, ask("Once more: ")?)));
    tcsetattr(stdin(), OptionalActions::Now, &before).context("cannot give the terminal back")?;
    let (first, second) = asked?;
    ensure!(first == second, "the two passwords differ");
    Ok(first)
}
