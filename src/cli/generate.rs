//! `tweetblast generate`.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::generate::{GenerateForm, GenerateOptions, generate, generate_users};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tweetblast generate -o tweets.json\n  \
    tweetblast generate --tweets 200000 --form grouped -o big.json\n  \
    tweetblast generate -o tweets.json --users-file users.csv\n  tweetblast generate --tweets 10 -o -")]
pub(super) struct GenerateArgs {
    /// Number of tweets
    #[arg(long, default_value_t = GenerateOptions::default().tweets)]
    tweets: u64,
    /// Mean number of tweets per second of event time
    #[arg(long, default_value_t = GenerateOptions::default().rate_per_s)]
    rate: f64,
    /// Number of users
    #[arg(long, default_value_t = GenerateOptions::default().users)]
    users: u64,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = GenerateOptions::default().seed)]
    seed: u64,
    /// Form of the file
    #[arg(long, value_enum, default_value_t = GenerateForm::Lines)]
    form: GenerateForm,
    /// File to write; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Also write the users as a table (CSV) for --enrich
    ///
    /// Columns: id, screen_name, one of 16 labels, and how often all their tweets were liked and
    /// shared.
    #[arg(long, value_name = "FILE")]
    users_file: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

impl GenerateArgs {
    pub fn run(&self) -> anyhow::Result<()> {
        let options = GenerateOptions {
            tweets: self.tweets,
            rate_per_s: self.rate,
            users: self.users,
            seed: self.seed,
            form: self.form,
        };
        if let Some(users) = &self.users_file {
            if std::path::absolute(users)? == std::path::absolute(&self.output)? {
                bail!("--users-file {} is the file of the tweets: name another one", users.display());
            }
            let made = self.write(users, |out| generate_users(&options, out))?;
            writeln!(std::io::stderr(), "{made} users: {}", users.display())?;
        }
        let path = self.output.display();
        let made = self.write(&self.output, |out| generate(&options, out))?;
        // On standard error: standard output may be the file.
        writeln!(
            std::io::stderr(),
            "{} tweets and {} notices, {} bytes: {path}",
            made.tweets,
            made.notices,
            made.bytes
        )?;
        Ok(())
    }

    /// Has a file written, and says which one it was when that fails.
    fn write<T>(
        &self,
        path: &Path,
        make: impl FnOnce(&mut BufWriter<Box<dyn Write>>) -> std::io::Result<T>,
    ) -> anyhow::Result<T> {
        let name = path.display();
        let sink: Box<dyn Write> = if path.as_os_str() == "-" {
            Box::new(std::io::stdout().lock())
        } else {
            let mut open = OpenOptions::new();
            if self.force {
                open.write(true).create(true).truncate(true);
            } else {
                open.write(true).create_new(true);
            }
            let hint = if !self.force && path.exists() {
                " (it is there already: --force writes over it)"
            } else {
                ""
            };
            Box::new(open.open(path).with_context(|| format!("cannot write {name}{hint}"))?)
        };
        let mut out = BufWriter::with_capacity(1 << 20, sink);
        let made = make(&mut out).with_context(|| format!("cannot write {name}"))?;
        out.flush().with_context(|| format!("cannot write {name}"))?;
        Ok(made)
    }
}
