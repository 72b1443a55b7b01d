//! Puts tweets together into a file: one a line, one array, or texts grouped by user. Nothing is
//! kept but a buffer of some 64 KiB, so memory does not grow with the number of tweets.

use std::io::{self, Write};

use rand::RngExt;

use super::arrivals::{Arrivals, START_MS};
use super::json::string;
use super::status::{Writers, ZIPF_EXPONENT};
use super::{GenerateForm, GenerateOptions, Generated, write};

/// Written out when it holds this much.
const BUFFER_BYTES: usize = 64 * 1024;

/// What lies between the start of a file and its end, and how much has been written.
struct Output<'a, W> {
    out: &'a mut W,
    buffer: Vec<u8>,
    done: Generated,
}

impl<W: Write> Output<'_, W> {
    fn flush_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.done.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Whatever stands between two records; nothing before the first.
    fn separate(&mut self, separator: &[u8]) {
        if self.done.records > 0 {
            self.buffer.extend_from_slice(separator);
        }
        self.done.records += 1;
    }
}

/// Writes the file that `options` ask for.
pub(super) fn write_file(
    options: &GenerateOptions,
    writers: Writers,
    out: &mut impl Write,
) -> io::Result<Generated> {
    let buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
    let mut output = Output { out, buffer, done: Generated::default() };
    match options.form {
        GenerateForm::Lines => {
            records(options, writers, &mut output, b"\n")?;
            if output.done.records > 0 {
                output.buffer.push(b'\n');
            }
        }
        GenerateForm::Array => {
            output.buffer.push(b'[');
            records(options, writers, &mut output, b",\n")?;
            output.buffer.extend_from_slice(b"]\n");
        }
        GenerateForm::Grouped => {
            output.buffer.push(b'[');
            groups(options, writers, &mut output)?;
            output.buffer.extend_from_slice(b"]\n");
        }
    }
    output.flush()?;
    output.out.flush()?;
    Ok(output.done)
}

/// Tweets in the order they were written, but for a few that come a second or two late, and the
/// notices among them.
fn records<W: Write>(
    options: &GenerateOptions,
    mut writers: Writers,
    output: &mut Output<'_, W>,
    separator: &[u8],
) -> io::Result<()> {
    let arrivals = Arrivals::new(options.rate_per_s, options.seed);
    let mut left_out = 0;
    let mut deletable = None;
    for (n, arrival) in (0..options.tweets).zip(arrivals) {
        let mut ms = arrival.ms;
        if writers.rng.random_ratio(1, 200) {
            ms = (ms - writers.rng.random_range(1_000..2_000)).max(START_MS);
        }
        // An odd factor visits every low part before it repeats one: ids stay unique up to four
        // million tweets a millisecond.
        let status = writers.status(ms, n.wrapping_mul(0x0025_45F5), arrival.topic);
        output.separate(separator);
        write::tweet(&mut output.buffer, &status, writers.escape())?;
        output.done.tweets += 1;
        output.done.first_ms = Some(output.done.first_ms.map_or(ms, |first| first.min(ms)));
        output.done.last_ms = Some(output.done.last_ms.map_or(ms, |last| last.max(ms)));

        if writers.rng.random_ratio(1, 400)
            && let Some((id, user_id)) = deletable
        {
            output.separate(separator);
            write::delete_notice(&mut output.buffer, id, user_id, arrival.ms)?;
            output.done.notices += 1;
        }
        // A stream is capped when everybody writes at once.
        if arrival.topic.is_some() && writers.rng.random_ratio(1, 100) {
            left_out += writers.rng.random_range(1..60);
            output.separate(separator);
            write::limit_notice(&mut output.buffer, left_out, arrival.ms)?;
            output.done.notices += 1;
        }
        if deletable.is_none() || writers.rng.random_ratio(1, 100) {
            deletable = Some((status.id, status.user.id));
        }
        output.flush_if_full()?;
    }
    if output.done.tweets < options.tweets {
        return Err(super::invalid(
            "event time runs past the year 2080, where tweet ids end: \
             ask for fewer tweets or a higher rate",
        ));
    }
    Ok(())
}

/// All texts of one user after the other, `[{"id": 1608, "tweets": ["text", ...]}, ...]`, on one
/// line and without any time.
fn groups<W: Write>(
    options: &GenerateOptions,
    mut writers: Writers,
    output: &mut Output<'_, W>,
) -> io::Result<()> {
    let weight = |rank: u64| ((rank + 1) as f64).powf(-ZIPF_EXPONENT);
    let all: f64 = (0..options.users).map(weight).sum();
    let stride = stride(options.users);
    let mut sum = 0.0;
    for n in 0..options.users {
        // Ranks in an order of their own, or the file would go from the busiest to the quietest.
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
