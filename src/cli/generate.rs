//! `tweetblast generate`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::exit::{UsageError, no_effect};
use super::output::{Output, is_stdout};
use super::values;
use crate::generate::{GenerateForm, GenerateOptions, generate, generate_users};
use crate::report::counted;
use crate::source::Format;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tweetblast generate -o tweets.json
  tweetblast generate --tweets 1M --form grouped -o big.json
  tweetblast generate -o tweets.json --users-file users.csv
  tweetblast generate --form readings --format csv -o r.csv
  tweetblast generate --tweets 10 -o -")]
pub(super) struct GenerateArgs {
    /// Number of tweets, readings or requests [default: 6,000]
    #[arg(long, short_alias = 'n', aliases = ["limit", "count"], default_value = "6,000", hide_default_value = true,
        value_name = "N", value_parser = values::count::<u64>(1..=values::MOST))]
    tweets: u64,
    /// Mean rate of their own times: 10/s, 300/m [default: 10/s]
    #[arg(long, value_name = "N/s", value_parser = values::rate)]
    rate: Option<f64>,
    /// Number of users, devices or clients [default: 1,500]
    #[arg(long, default_value = "1,500", hide_default_value = true, value_name = "N",
        value_parser = values::count::<u64>(1..=u64::from(u32::MAX)))]
    users: u64,
    /// The same seed gives the same bytes [default: 1]
    #[arg(long, default_value = "1", hide_default_value = true, value_name = "N",
        value_parser = values::count::<u64>(0..=u64::MAX))]
    seed: u64,
    /// What a record is [default: v11]
    #[arg(long, value_enum, default_value_t = RecordForm::V11, hide_default_value = true)]
    form: RecordForm,
    /// Layout of the file [default: the first that the form has]
    ///
    /// v11 has lines, array, objects and pages; v2 has page-lines and lines; flat, readings and weblog
    /// have lines and csv; each other form has one.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// File to write; - is standard output
    #[arg(short, long, value_name = "FILE|-")]
    output: PathBuf,
    /// Also write the users as a table (CSV) for --enrich
    ///
    /// Columns: id, screen_name, one of 16 labels, and how often they were liked, shared and mentioned in all.
    #[arg(long, value_name = "FILE")]
    users_file: Option<PathBuf>,
    /// Overwrite files that are there already
    #[arg(long)]
    force: bool,
}

/// What a record is. Those that are hidden are older names, each of a form and its layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RecordForm {
    /// Twitter API v1.1, 1 KB per tweet
    #[value(name = "v11", alias = "lines")]
    V11,
    /// The same with all fields of the API, 2.5 KB per tweet
    #[value(name = "v11-full", alias = "full-lines")]
    V11Full,
    /// Twitter API v2, with the authors of a page or a tweet beside them
    #[value(name = "v2", alias = "v2-pages")]
    V2,
    /// Twitter API v2, with the author inside each tweet
    #[value(name = "v2-flat")]
    V2Flat,
    /// A user with their texts, without times
    Grouped,
    /// A tweet of an account archive
    Archive,
    /// Activity streams
    ActivityStreams,
    /// A hand-made flat object
    Flat,
    /// Readings of sensors: --users is the number of devices
    Readings,
    /// The log of a web server: --users is the number of clients
    Weblog,
    #[value(hide = true)]
    Array,
    #[value(hide = true)]
    Objects,
    #[value(hide = true)]
    Search,
    #[value(name = "v2-stream", hide = true)]
    V2Stream,
}

impl RecordForm {
    /// The layouts that it can have, the usual one first.
    fn layouts(self) -> &'static [(Format, GenerateForm)] {
        match self {
            RecordForm::V11 => &[
                (Format::Lines, GenerateForm::Lines),
                (Format::Array, GenerateForm::Array),
                (Format::Objects, GenerateForm::Objects),
                (Format::Pages, GenerateForm::Search),
            ],
            RecordForm::V11Full => &[(Format::Lines, GenerateForm::FullLines)],
            RecordForm::V2 => {
                &[(Format::PageLines, GenerateForm::V2Pages), (Format::Lines, GenerateForm::V2Stream)]
            }
            RecordForm::V2Flat => &[(Format::Lines, GenerateForm::V2Flat)],
            RecordForm::Grouped => &[(Format::Array, GenerateForm::Grouped)],
            RecordForm::Archive => &[(Format::Script, GenerateForm::Archive)],
            RecordForm::ActivityStreams => &[(Format::Lines, GenerateForm::ActivityStreams)],
            RecordForm::Flat => {
                &[(Format::Lines, GenerateForm::Flat), (Format::Table, GenerateForm::FlatTable)]
            }
            RecordForm::Readings => {
                &[(Format::Lines, GenerateForm::Readings), (Format::Table, GenerateForm::ReadingsTable)]
            }
            RecordForm::Weblog => {
                &[(Format::Lines, GenerateForm::Weblog), (Format::Table, GenerateForm::WeblogTable)]
            }
            RecordForm::Array => &[(Format::Array, GenerateForm::Array)],
            RecordForm::Objects => &[(Format::Objects, GenerateForm::Objects)],
            RecordForm::Search => &[(Format::Pages, GenerateForm::Search)],
            RecordForm::V2Stream => &[(Format::Lines, GenerateForm::V2Stream)],
        }
    }
}

impl GenerateArgs {
    /// What is to be made.
    fn options(&self) -> Result<GenerateOptions, UsageError> {
        let defaults = GenerateOptions::default();
        let layouts = self.form.layouts();
        let asked = |(format, _): &&(Format, GenerateForm)| self.format.is_none_or(|asked| *format == asked);
        let Some((_, form)) = layouts.iter().find(asked) else {
            let formats: Vec<&str> = layouts.iter().map(|(format, _)| format.flag()).collect();
            let form = self.form.to_possible_value();
            let form = form.as_ref().map_or("", PossibleValue::get_name);
            let words = format!("--form {form} can be had with --format {}", formats.join(" or "));
            return Err(UsageError::conflict(words));
        };
        if *form == GenerateForm::Grouped {
            no_effect(&[("--rate", self.rate.is_some())], "with --form grouped, which has no times")?;
        }
        Ok(GenerateOptions {
            tweets: self.tweets,
            rate_per_s: self.rate.unwrap_or(defaults.rate_per_s),
            users: self.users,
            seed: self.seed,
            form: *form,
        })
    }

    pub fn run(&self) -> anyhow::Result<()> {
        let options = self.options()?;
        options.check().map_err(UsageError::value)?;
        if let Some(users) = &self.users_file {
            if options.form.noun() != "tweet" {
                let words = "--users-file is about the authors of tweets: not with --form readings or weblog";
                return Err(UsageError::conflict(words.to_owned()).into());
            }
            let is_same = std::path::absolute(users)? == std::path::absolute(&self.output)?;
            if is_same || (is_stdout(users) && is_stdout(&self.output)) {
                let words =
                    format!("--users-file {} is the file of the tweets: name another one", users.display());
                return Err(UsageError::conflict(words).into());
            }
        }
        // Both before either is written.
        let open = |flag, path| Output::create(flag, path, &[], self.force);
        let users = self.users_file.as_deref().map(|path| open("--users-file", path)).transpose()?;
        let tweets = open("--output", &self.output)?;
        // On standard error: standard output may be the file.
        let mut say = std::io::stderr();
        if let Some(users) = users {
            let name = users.name();
            let made = write(users, |out| generate_users(&options, out))?;
            writeln!(say, "{}: {name}", counted(made, "user"))?;
        }
        let name = tweets.name();
        let made = write(tweets, |out| generate(&options, out))?;
        let events = counted(made.tweets, options.form.noun());
        let notices = match options.form.noun() {
            "tweet" => format!(" and {}", counted(made.notices, "notice")),
            _ => String::new(),
        };
        writeln!(say, "{events}{notices}, {}: {name}", counted(made.bytes, "byte"))?;
        Ok(())
    }
}

/// Has a file written. Where that fails, nothing of it stays, or the message says that a part does.
fn write<T>(
    output: Output,
    make: impl FnOnce(&mut BufWriter<&mut Output>) -> std::io::Result<T>,
) -> anyhow::Result<T> {
    let mut output = output;
    let mut out = BufWriter::with_capacity(1 << 20, &mut output);
    let made = make(&mut out).and_then(|made| out.flush().map(|()| made));
    // What could not be written is not tried again.
    drop(out.into_parts());
    output.keep();
    made.map_err(|error| {
        let rest = if output.give_up() { "; a part of it is written" } else { "" };
        anyhow::Error::new(error).context(format!("cannot write to {}{rest}", output.name()))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct OnlyGenerate {
        #[command(flatten)]
        generate: GenerateArgs,
    }

    fn options(flags: &str) -> Result<GenerateOptions, UsageError> {
        let arguments = ["generate", "-o", "-"].into_iter().chain(flags.split_whitespace());
        OnlyGenerate::parse_from(arguments).generate.options()
    }

    #[test]
    fn without_flags_it_is_what_the_library_does_by_default() {
        assert_eq!(options("").unwrap(), GenerateOptions::default());
    }

    #[test]
    fn a_form_has_its_layouts_and_the_older_names_mean_what_they_did() {
        for (flags, form) in [
            ("--form v11 --format array", GenerateForm::Array),
            ("--form v2", GenerateForm::V2Pages),
            ("--form v2 --format lines", GenerateForm::V2Stream),
            ("--format objects", GenerateForm::Objects),
            ("--format pages", GenerateForm::Search),
            ("--form lines", GenerateForm::Lines),
            ("--form full-lines", GenerateForm::FullLines),
            ("--form array", GenerateForm::Array),
            ("--form search", GenerateForm::Search),
            ("--form v2-pages", GenerateForm::V2Pages),
            ("--form v2-stream", GenerateForm::V2Stream),
            ("--form archive --format archive", GenerateForm::Archive),
            ("--form flat --format csv", GenerateForm::FlatTable),
            ("--form readings", GenerateForm::Readings),
            ("--form weblog --format csv", GenerateForm::WeblogTable),
        ] {
            assert_eq!(options(flags).unwrap().form, form, "{flags}");
        }
        let refused = options("--form v2 --format array").unwrap_err().words;
        assert_eq!(refused, "--form v2 can be had with --format page-lines or lines");
        assert!(options("--form grouped --rate 5/s").unwrap_err().words.contains("no times"));
    }
}
