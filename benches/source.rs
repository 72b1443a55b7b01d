//! Framing: how fast the end of a value is found, compared with memchr over the same bytes (its
//! limit).
//!
//! Rows whose name begins with `real_` read real files, the others generated ones. The input is
//! larger than any cache, as files are, so the bytes have to come from memory.

mod real;
mod settings;

use std::hint::black_box;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::source::{Format, Frames, TableReader};

use real::{RealInput, real_inputs, real_tables};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Unoptimised builds only check that it runs.
const INPUT_BYTES: usize = if cfg!(debug_assertions) { 4 << 20 } else { 256 << 20 };

/// Generated JSON in this form.
fn generated(form: GenerateForm) -> Vec<u8> {
    let mut json = Vec::new();
    // A hundred texts per user, where they are grouped.
    let options = GenerateOptions { tweets: 5_000, users: 50, form, ..GenerateOptions::default() };
    generate(&options, &mut json).expect("a vector takes all bytes");
    json
}

/// The values of a file repeated, one per line or as one array, and their number.
fn again_and_again(json: &[u8], framing: Format) -> (Vec<u8>, usize) {
    let json = std::str::from_utf8(json).expect("JSON is UTF-8").trim();
    let (open, between, close) =
        if framing == Format::Lines { ("", "\n", "\n") } else { ("[", ",\n", "]\n") };
    let (once, values) = match json.strip_prefix('[').and_then(|json| json.strip_suffix(']')) {
        Some(list) => {
            let values: Vec<serde::de::IgnoredAny> = serde_json::from_str(json).expect("an array");
            (list.to_owned(), values.len())
        }
        None => (json.lines().collect::<Vec<_>>().join(between), json.lines().count()),
    };
    let times = (INPUT_BYTES / once.len()).max(1);
    let input = [open, &vec![once.as_str(); times].join(between), close].concat();
    (input.into_bytes(), values * times)
}

fn framing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("source");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    let size = format!("{}MiB", INPUT_BYTES >> 20);
    let mut row = |name: &str, framing: Format, json: &[u8]| {
        let (input, values) = again_and_again(json, framing);
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(format!("memchr_limit/{name}/{size}"), |bencher| {
            bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&input)).count());
        });
        group.bench_function(format!("{name}/{size}"), |bencher| {
            bencher.iter(|| assert_eq!(Frames::new(framing, black_box(&input)).count(), values));
        });
    };
    for (name, form, framing) in [
        ("lines", GenerateForm::Lines, Format::Lines),
        ("lines_full", GenerateForm::FullLines, Format::Lines),
        ("array", GenerateForm::Lines, Format::Array),
        ("array_full", GenerateForm::FullLines, Format::Array),
        ("array_of_users", GenerateForm::Grouped, Format::Array),
    ] {
        row(name, framing, &generated(form));
    }
    for RealInput { name, framing, json, .. } in real_inputs("source") {
        row(name, framing, &json);
    }
}

/// Tables: the rows as JSON lines and their frames, beside a bare loop of the csv crate over the same bytes.
fn tables(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("source");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    let mut row = |name: &str, delimiter: u8, table: &[u8]| {
        let header = memchr::memchr(b'\n', table).map_or(0, |end| end + 1);
        let times = (INPUT_BYTES / 8 / (table.len() - header)).max(1);
        let input = [&table[..header], &table[header..].repeat(times)].concat();
        let records = |input: &[u8]| {
            let mut builder = csv::ReaderBuilder::new();
            let mut reader = builder.delimiter(delimiter).flexible(true).from_reader(input);
            let (mut record, mut records) = (csv::ByteRecord::new(), 0);
            while reader.read_byte_record(&mut record).expect("a slice can be read") {
                records += 1;
            }
            records
        };
        let rows = records(&input);
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(format!("csv_crate/{name}"), |bencher| {
            bencher.iter(|| assert_eq!(records(black_box(&input)), rows));
        });
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (mut table, mut frames) = (TableReader::new(delimiter), 0);
                for piece in black_box(&input).chunks(256 << 10) {
                    frames += Frames::new(Format::Table, &table.push(piece)).count();
                }
                frames += Frames::new(Format::Table, &table.finish()).count();
                assert_eq!(frames, rows);
            });
        });
    };
    for (name, form) in [
        ("table_of_tweets", GenerateForm::FlatTable),
        ("table_of_readings", GenerateForm::ReadingsTable),
        ("table_of_a_web_log", GenerateForm::WeblogTable),
    ] {
        row(name, b',', &generated(form));
    }
    for (name, delimiter, table) in real_tables() {
        row(name, delimiter, &table);
    }
}

criterion_group! {
    name = benches;
    config = settings::criterion();
    targets = framing, tables
}
criterion_main!(benches);
