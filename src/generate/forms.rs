//! Assembles tweets into a file: one per line, one array, pages, texts grouped by user, … Keeps
//! only a buffer of about 64 KiB and the tweets of one page, so memory does not grow with the
//! number of tweets.

use std::io::{self, Write};

use rand::RngExt;

use super::arrivals::{Arrivals, START_MS};
use super::json::{Escape, string};
use super::output::FormWriter;
use super::status::{Status, Writers, ZIPF_EXPONENT};
use super::{GenerateForm, GenerateOptions, GenerateSummary, events, write, write_other, write_v2};

/// Writes the file that `options` ask for.
pub(super) fn write_file(
    options: &GenerateOptions,
    writers: Writers,
    out: &mut impl Write,
) -> io::Result<GenerateSummary> {
    let mut output = FormWriter::new(out);
    let form = options.form;
    let (before, behind) = around(form);
    output.buffer.extend_from_slice(before);
    if form.is_table() {
        output.buffer.extend_from_slice(&header(form));
        output.buffer.extend_from_slice(behind);
    }
    match form {
        GenerateForm::Readings
        | GenerateForm::ReadingsTable
        | GenerateForm::Weblog
        | GenerateForm::WeblogTable => events::write(options, &mut output)?,
        GenerateForm::Grouped => groups(options, writers, &mut output)?,
        GenerateForm::V2Pages => records(options, writers, &mut output, &mut Pages::default())?,
        _ => records(options, writers, &mut output, &mut single(form))?,
    }
    // An empty file of lines has no line.
    if output.done.records > 0 || behind.contains(&b']') {
        output.buffer.extend_from_slice(behind);
    }
    output.flush()?;
    output.out.flush()?;
    Ok(output.done)
}

/// The bytes before the first record of a form, and after the last.
fn around(form: GenerateForm) -> (&'static [u8], &'static [u8]) {
    match form {
        GenerateForm::Array | GenerateForm::Grouped => (b"[", b"]\n"),
        GenerateForm::Search => {
            (b"{\"statuses\":[\n", b"],\"search_metadata\":{\"query\":\"sample\",\"completed_in\":0.087}}\n")
        }
        GenerateForm::Archive => (b"window.YTD.tweets.part0 = [\n", b"\n]\n"),
        GenerateForm::FlatTable => (b"", b"\r\n"),
        _ => (b"", b"\n"),
    }
}

/// The names of a table's columns.
fn header(form: GenerateForm) -> Vec<u8> {
    match form {
        GenerateForm::ReadingsTable => events::header(&events::READING),
        GenerateForm::WeblogTable => events::header(&events::REQUEST),
        _ => events::header(&write_other::FLAT),
    }
}

/// How the tweets of a form are put into records.
trait Records {
    /// The bytes between two records.
    fn separator(&self) -> &'static [u8];
    /// Whether notices are mixed in.
    fn has_notices(&self) -> bool;
    /// Takes the next tweet; appends a record when one is full.
    fn tweet<W: Write>(
        &mut self,
        status: Status,
        escape: Escape,
        output: &mut FormWriter<'_, W>,
    ) -> io::Result<()>;
    /// Appends the last record, if it is not full.
    fn finish<W: Write>(&mut self, _: &mut FormWriter<'_, W>) -> io::Result<()> {
        Ok(())
    }
}

/// Appends one tweet as JSON.
type Spell = fn(&mut Vec<u8>, &Status, Escape) -> io::Result<()>;

/// One record per tweet.
struct Single {
    spell: Spell,
    separator: &'static [u8],
    has_notices: bool,
}

fn single(form: GenerateForm) -> Single {
    let (spell, separator, has_notices): (Spell, &[u8], bool) = match form {
        GenerateForm::FullLines => (write::full_tweet, b"\n", true),
        GenerateForm::Array => (write::tweet, b",\n", true),
        GenerateForm::Objects => (write_other::pretty, b"", true),
        GenerateForm::Search => (write::tweet, b",\n", false),
        GenerateForm::V2Stream => (write_v2::streamed, b"\r\n", false),
        GenerateForm::V2Flat => (write_v2::flattened, b"\n", false),
        GenerateForm::Archive => (write_other::archived, b",\n", false),
        GenerateForm::ActivityStreams => (write_other::activity, b"\n", false),
        GenerateForm::Flat => (write_other::flat, b"\n", false),
        GenerateForm::FlatTable => (write_other::flat_row, b"\r\n", false),
        _ => (write::tweet, b"\n", true),
    };
    Single { spell, separator, has_notices }
}

impl Records for Single {
    fn separator(&self) -> &'static [u8] {
        self.separator
    }

    fn has_notices(&self) -> bool {
        self.has_notices
    }

    fn tweet<W: Write>(
        &mut self,
        status: Status,
        escape: Escape,
        output: &mut FormWriter<'_, W>,
    ) -> io::Result<()> {
        output.separate(self.separator);
        (self.spell)(&mut output.buffer, &status, escape)
    }
}

/// Most tweets of a page, as in the API's recent search.
const PAGE_TWEETS: usize = 100;

/// One record for every [`PAGE_TWEETS`] tweets.
#[derive(Default)]
struct Pages {
    statuses: Vec<Status>,
    escape: Option<Escape>,
}

impl Records for Pages {
    fn separator(&self) -> &'static [u8] {
        b"\n"
    }

    fn has_notices(&self) -> bool {
        false
    }

    fn tweet<W: Write>(
        &mut self,
        status: Status,
        escape: Escape,
        output: &mut FormWriter<'_, W>,
    ) -> io::Result<()> {
        self.statuses.push(status);
        self.escape.get_or_insert(escape);
        if self.statuses.len() == PAGE_TWEETS { self.finish(output) } else { Ok(()) }
    }

    fn finish<W: Write>(&mut self, output: &mut FormWriter<'_, W>) -> io::Result<()> {
        // A page has one spelling, that of its first tweet.
        let Some(escape) = self.escape.take() else { return Ok(()) };
        output.separate(self.separator());
        write_v2::page(&mut output.buffer, &self.statuses, escape)?;
        self.statuses.clear();
        Ok(())
    }
}

/// Tweets in the order they were written, except for a few that come a second or two late, and the
/// notices among them.
fn records<W: Write>(
    options: &GenerateOptions,
    mut writers: Writers,
    output: &mut FormWriter<'_, W>,
    form: &mut impl Records,
) -> io::Result<()> {
    let arrivals = Arrivals::new(options.rate_per_s, options.seed);
    let mut omitted = 0;
    let mut deletable = None;
    for (n, arrival) in (0..options.tweets).zip(arrivals) {
        let mut ms = arrival.ms;
        if writers.rng.random_ratio(1, 200) {
            ms = (ms - writers.rng.random_range(1_000..2_000)).max(START_MS);
        }
        // An odd factor visits every low part before it repeats one: ids stay unique up to four
        // million tweets per millisecond.
        let status = writers.status(ms, n.wrapping_mul(0x0025_45F5), arrival.topic);
        let (id, user_id) = (status.id, status.user.id);
        form.tweet(status, writers.escape(), output)?;
        output.count(ms)?;

        if writers.rng.random_ratio(1, 400)
            && let Some((id, user_id)) = deletable
            && form.has_notices()
        {
            output.separate(form.separator());
            write::delete_notice(&mut output.buffer, id, user_id, arrival.ms)?;
            output.done.notices += 1;
        }
        // A stream is capped when many people write at once.
        if arrival.topic.is_some() && writers.rng.random_ratio(1, 100) {
            omitted += writers.rng.random_range(1..60);
            if form.has_notices() {
                output.separate(form.separator());
                write::limit_notice(&mut output.buffer, omitted, arrival.ms)?;
                output.done.notices += 1;
            }
        }
        if deletable.is_none() || writers.rng.random_ratio(1, 100) {
            deletable = Some((id, user_id));
        }
    }
    form.finish(output)?;
    if output.done.tweets < options.tweets {
        return Err(super::invalid(
            "event time runs past the year 2080, where tweet ids end: \
             ask for fewer tweets or a higher rate",
        ));
    }
    Ok(())
}

/// All texts of one user after another, `[{"id": 1608, "tweets": ["text", ...]}, ...]`, on one line
/// and without times.
fn groups<W: Write>(
    options: &GenerateOptions,
    mut writers: Writers,
    output: &mut FormWriter<'_, W>,
) -> io::Result<()> {
    let weight = |rank: u64| ((rank + 1) as f64).powf(-ZIPF_EXPONENT);
    let all: f64 = (0..options.users).map(weight).sum();
    let stride = stride(options.users);
    let mut sum = 0.0;
    for n in 0..options.users {
        // Ranks are visited in a scattered order, or the file would go from the busiest user to the
        // quietest.
        let rank = (u128::from(n) * u128::from(stride) % u128::from(options.users)) as u64;
        sum += weight(rank);
        let is_last = n + 1 == options.users;
        // Shares of a running sum: rounding moves a tweet to the next user, and loses none.
        let until = if is_last { options.tweets } else { (options.tweets as f64 * (sum / all)) as u64 };
        let count = until.min(options.tweets).saturating_sub(output.done.tweets);
        if count == 0 {
            continue;
        }
        let user = writers.user(rank);
        let escape = writers.escape();
        output.separate(b", ");
        write!(output.buffer, "{{\"id\": {}, \"tweets\": [", user.id)?;
        for nth in 0..count {
            if nth > 0 {
                output.buffer.extend_from_slice(b", ");
            }
            let text = writers.text(&user);
            string(&mut output.buffer, &text.text, escape);
            output.flush_if_full()?;
        }
        output.buffer.extend_from_slice(b"]}");
        output.done.tweets += count;
    }
    Ok(())
}

/// A step that visits every number below `users` once: the first from the golden section on that
/// shares no factor with it.
fn stride(users: u64) -> u64 {
    let start = (users as f64 * 0.618) as u64;
    (start.max(1)..).find(|&step| gcd(step, users) == 1).unwrap_or(1)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stride_visits_each_user_once() {
        for users in [1, 2, 3, 10, 97, 1_500] {
            let mut ranks: Vec<u64> = (0..users).map(|n| n * stride(users) % users).collect();
            ranks.sort_unstable();
            assert!(ranks.into_iter().eq(0..users), "{users} users");
        }
    }
}
