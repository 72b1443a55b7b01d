//! `tweetblast completions` and `tweetblast man`: made from the definition of the flags itself.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

const INSTALL: &str = "Examples:
  tweetblast completions bash \\
    > ~/.local/share/bash-completion/completions/tweetblast
  tweetblast completions zsh > ~/.zfunc/_tweetblast
  tweetblast completions fish \\
    > ~/.config/fish/completions/tweetblast.fish";

#[derive(Debug, Args)]
#[command(after_help = INSTALL)]
pub(super) struct CompletionsArgs {
    /// Shell to complete for
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    /// Writes the script to standard output.
    pub fn run(&self, mut command: Command) -> anyhow::Result<()> {
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        std::io::Write::write_all(&mut std::io::stdout(), &script)?;
        Ok(())
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tweetblast man ~/.local/share/man/man1\n  man tweetblast")]
pub(super) struct ManArgs {
    /// Folder to write the pages to; created if missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl ManArgs {
    /// Writes one page per command, named as `man` looks for them: `tweetblast-inspect.1`.
    pub fn run(&self, command: Command) -> anyhow::Result<()> {
        let dir = self.dir.display();
        std::fs::create_dir_all(&self.dir).with_context(|| format!("cannot create {dir}"))?;
        clap_mangen::generate_to(command, &self.dir).with_context(|| format!("cannot write to {dir}"))?;
        Ok(())
    }
}
