//! Made-up events that are not tweets, each with a time, a key and an id: readings of sensors and the log of a web
//! server, as JSON lines or as a table.
//!
//! Sensors report in turn and at regular times, until their gateway is offline for a while. Requests to a web server
//! arrive as tweets do: after the hour of the day, and in bursts.

use std::io::{self, Write};

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Zipf};

use super::arrivals::{Arrivals, START_MS};
use super::json::{Escape, string};
use super::output::FormWriter;
use super::status::ZIPF_EXPONENT;
use super::table::put_cell;
use super::user::log_uniform;
use super::{GenerateForm, GenerateOptions};

/// The columns of a reading; the first three are its time, key and id.
pub(super) const READING: [&str; 7] =
    ["time", "device_id", "reading_id", "gateway", "temperature_c", "humidity_percent", "battery_v"];

/// The columns of a request; the first three are its time, key and id.
pub(super) const REQUEST: [&str; 9] =
    ["time", "client_ip", "request_id", "method", "path", "status", "bytes", "duration_ms", "user_agent"];

/// What is in one column of an event.
enum Cell {
    Text(String),
    Number(String),
    Empty,
}

impl Cell {
    fn text(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }

    fn number(number: impl ToString) -> Self {
        Cell::Number(number.to_string())
    }
}

/// Writes all events of a form.
///
/// # Errors
/// Those of `output`, and when the times run past the year 2080.
pub(super) fn write<W: Write>(options: &GenerateOptions, output: &mut FormWriter<'_, W>) -> io::Result<()> {
    match options.form {
        GenerateForm::Readings | GenerateForm::ReadingsTable => {
            let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
            rng.set_stream(super::STREAM_CONTENT);
            let ticks = Ticks::new(options);
            put_all(options, output, ticks, &READING, |number, ms| reading(&mut rng, options, number, ms))
        }
        _ => {
            let mut clients = Clients::new(options)?;
            let arrivals = Arrivals::new(options.rate_per_s, options.seed).map(|arrival| arrival.ms);
            put_all(options, output, arrivals, &REQUEST, |number, ms| clients.request(number, ms))
        }
    }
}

/// Writes an event at each of `times`; a few are said a second or two late.
fn put_all<W: Write, const N: usize>(
    options: &GenerateOptions,
    output: &mut FormWriter<'_, W>,
    times: impl Iterator<Item = u64>,
    names: &[&str; N],
    mut event: impl FnMut(u64, u64) -> [Cell; N],
) -> io::Result<()> {
    let is_table = options.form.is_table();
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    rng.set_stream(u64::MAX);
    for (number, mut ms) in (0..options.tweets).zip(times) {
        if rng.random_ratio(1, 200) {
            ms = (ms - rng.random_range(1_000..2_000)).max(START_MS);
        }
        output.separate(b"\n");
        match is_table {
            true => put_row(&mut output.buffer, &event(number, ms)),
            false => put_object(&mut output.buffer, names, &event(number, ms)),
        }
        output.count(ms)?;
    }
    match output.done.tweets < options.tweets {
        true => {
            Err(super::invalid("event time runs past the year 2080: ask for fewer events or a higher rate"))
        }
        false => Ok(()),
    }
}

fn put_object<const N: usize>(out: &mut Vec<u8>, names: &[&str; N], cells: &[Cell; N]) {
    let mut between = b'{';
    for (name, cell) in names.iter().zip(cells) {
        if matches!(cell, Cell::Empty) {
            continue;
        }
        out.push(between);
        string(out, name, Escape::Raw);
        out.push(b':');
        match cell {
            Cell::Text(text) => string(out, text, Escape::Raw),
            Cell::Number(number) => out.extend_from_slice(number.as_bytes()),
            Cell::Empty => {}
        }
        between = b',';
    }
    out.push(b'}');
}

fn put_row(out: &mut Vec<u8>, cells: &[Cell]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match cell {
            Cell::Text(text) | Cell::Number(text) => put_cell(out, text),
            Cell::Empty => {}
        }
    }
}

/// Appends the names of columns.
pub(super) fn header(names: &[&str]) -> Vec<u8> {
    names.join(",").into_bytes()
}

/// A time with milliseconds, as in `2024-03-09T18:00:00.123Z`.
fn time(ms: u64) -> Cell {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    Cell::Text(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// The gateway is online this long at a time, in seconds of event time.
const ONLINE_S: f64 = 600.0;
/// Then it is offline, evenly between these two.
const OFFLINE_MIN_S: f64 = 10.0;
const OFFLINE_MAX_S: f64 = 60.0;

/// The times of readings: evenly spaced but for some jitter, with gaps.
struct Ticks {
    rng: ChaCha8Rng,
    /// Between two readings while the gateway is online.
    step_s: f64,
    number: u64,
    /// Time offline so far, and for how many gaps.
    offline_s: f64,
    gaps: u64,
}

impl Ticks {
    fn new(options: &GenerateOptions) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        rng.set_stream(super::STREAM_ARRIVALS);
        // With the gaps, the mean is the rate asked for.
        let online = ONLINE_S / (ONLINE_S + (OFFLINE_MIN_S + OFFLINE_MAX_S) / 2.0);
        Self { rng, step_s: online / options.rate_per_s, number: 0, offline_s: 0.0, gaps: 0 }
    }
}

impl Iterator for Ticks {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        const JITTER: f64 = 0.6;
        let online_s = (self.number as f64 + self.rng.random::<f64>() * JITTER) * self.step_s;
        // Where a step is longer than that, the gateway is offline between any two readings, and nobody sees it.
        if self.step_s < ONLINE_S && online_s / ONLINE_S >= (self.gaps + 1) as f64 {
            self.gaps += 1;
            self.offline_s += self.rng.random_range(OFFLINE_MIN_S..OFFLINE_MAX_S);
        }
        self.number += 1;
        let ms = START_MS + ((online_s + self.offline_s) * 1_000.0) as u64;
        (ms < super::snowflake::END_MS).then_some(ms)
    }
}

/// A reading: warm in the afternoon, and a little other for each device.
fn reading(rng: &mut ChaCha8Rng, options: &GenerateOptions, number: u64, ms: u64) -> [Cell; 7] {
    const GATEWAYS: u64 = 7;
    const DAY_MS: u64 = 86_400_000;
    let device = number % options.users;
    let mut own = ChaCha8Rng::seed_from_u64(options.seed);
    own.set_stream(super::STREAM_FIRST_USER.wrapping_add(device));
    let (offset, charge) = (own.random_range(-6.0..6.0), own.random_range(2.9..3.3));
    let day = (ms % DAY_MS) as f64 / DAY_MS as f64;
    let warmth = 4.0 * ((day - 0.375) * std::f64::consts::TAU).sin();
    let temperature = 18.0 + offset + warmth + rng.random_range(-0.3..0.3);
    let humidity = (62.0 - 2.0 * warmth - offset + rng.random_range(-2.0..2.0)).clamp(5.0, 100.0);
    let age_days = (ms - START_MS) as f64 / DAY_MS as f64;
    let battery = (charge - 0.000_5 * age_days + rng.random_range(-0.01..0.01)).max(2.2);
    // A sensor that fails now and then.
    let has_humidity = !rng.random_ratio(1, 50);
    [
        time(ms),
        Cell::Text(format!("sensor-{device:04}")),
        Cell::number(number + 1),
        Cell::Text(format!("gw-{}", device % GATEWAYS + 1)),
        Cell::Number(format!("{temperature:.2}")),
        if has_humidity { Cell::Number(format!("{humidity:.1}")) } else { Cell::Empty },
        Cell::Number(format!("{battery:.3}")),
    ]
}

/// Those who ask a web server for something.
struct Clients {
    rng: ChaCha8Rng,
    users: u64,
    by_rank: Zipf<f64>,
}

const PATHS: [&str; 10] = [
    "/",
    "/about",
    "/api/v1/items",
    "/api/v1/items/",
    "/api/v1/search?q=",
    "/assets/app.js",
    "/assets/style.css",
    "/favicon.ico",
    "/login",
    "/robots.txt",
];

const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_3) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.3 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0",
    "curl/8.6.0",
    "ExampleBot/2.1 (+https://example.com/bot)",
    "\"monitor\", every minute",
];

impl Clients {
    fn new(options: &GenerateOptions) -> io::Result<Self> {
        let by_rank = Zipf::new(options.users as f64, ZIPF_EXPONENT);
        let by_rank = by_rank.map_err(|_| super::invalid("the number of users must lie above 0"))?;
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        rng.set_stream(super::STREAM_CONTENT);
        Ok(Self { rng, users: options.users, by_rank })
    }

    fn request(&mut self, number: u64, ms: u64) -> [Cell; 9] {
        let client = (self.by_rank.sample(&mut self.rng) as u64).clamp(1, self.users) - 1;
        let rng = &mut self.rng;
        let path = PATHS[rng.random_range(0..PATHS.len())];
        let path = match path.ends_with(['/', '=']) && path.len() > 1 {
            true => format!("{path}{}", log_uniform(rng, 12)),
            false => path.to_owned(),
        };
        let (method, status) = match rng.random_range(0..1_000) {
            0..6 => ("GET", 500 + rng.random_range(0..4)),
            6..40 => ("GET", 404),
            40..55 => ("POST", 401),
            55..120 => ("POST", 201),
            120..220 => ("GET", 304),
            _ => ("GET", 200),
        };
        let bytes = if status == 304 { 0 } else { 200 + log_uniform(rng, 17) };
        // In tenths of a millisecond.
        let duration = 3 + log_uniform(rng, 15);
        let agent = AGENTS[(client % AGENTS.len() as u64) as usize];
        // An odd factor visits every number before it repeats one.
        let id = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        [
            time(ms),
            Cell::Text(address(client)),
            Cell::Text(format!("req-{id:016x}")),
            Cell::text(method),
            Cell::Text(path),
            Cell::number(status),
            Cell::number(bytes),
            Cell::Number(format!("{}.{}", duration / 10, duration % 10)),
            Cell::text(agent),
        ]
    }
}

/// The address of a client, in a range that nobody has: for benchmarks (RFC 2544), and for documentation (RFC 3849).
fn address(client: u64) -> String {
    match client {
        0..0x2_0000 => format!("198.{}.{}.{}", 18 + (client >> 16), client >> 8 & 0xFF, client & 0xFF),
        _ => format!("2001:db8::{:x}:{:x}", client >> 16, client & 0xFFFF),
    }
}
