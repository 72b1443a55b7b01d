//! Whole tables, and the same in pieces.

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};
use proptest::prelude::*;
use serde_json::Value;

use super::super::super::steps::steps_of;
use super::*;

fn json(table: &str) -> String {
    in_pieces(table.as_bytes(), b',', &[usize::MAX])
}

/// The JSON lines of a table that comes in pieces of these lengths.
fn in_pieces(table: &[u8], delimiter: u8, lengths: &[usize]) -> String {
    let (mut reader, mut out) = (TableReader::new(delimiter), Vec::new());
    let (mut rest, mut lengths) = (table, lengths.iter().cycle());
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
        out.extend(reader.push(piece));
        rest = later;
    }
    out.extend(reader.finish());
    String::from_utf8(out).unwrap()
}

#[test]
fn each_record_is_on_the_line_where_its_row_begins() {
    let table = "\u{feff}id,\"text\"\r\n\r\n1,\"two\nlines\"\r\n2,\"a \"\"b\"\"\"\n\n3,x";
    let expected = "\n\n{\"id\":1,\"text\":\"two\\nlines\"}\n\n{\"id\":2,\"text\":\"a \\\"b\\\"\"}\n\n{\"id\":3,\"text\":\"x\"}\n";
    assert_eq!(json(table), expected);
    assert_eq!(json("a,b\r1,2\r3,4\r"), "\n{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n");
    assert_eq!(
        json("a,b\n1,\"\n\",\"\n"),
        "\n1,\" (a quote in it is not closed)\n\",\" (1 cell, the header has 2)\n"
    );
}

#[test]
fn a_row_that_does_not_fit_costs_itself_alone_and_says_why() {
    let table = "a,b\n1,2\n1,2,3\n4\n,\n  \na,b\n5,6\n";
    let expected = "\n{\"a\":1,\"b\":2}\n1,2,3 (3 cells, the header has 2)\n4 (1 cell, the header has 2)\n\n\n\n{\"a\":5,\"b\":6}\n";
    assert_eq!(json(table), expected);
}

#[test]
fn a_quote_that_is_not_closed_costs_its_line_alone() {
    for (broken, lines) in [("2,\"open", 1), ("\"open,2", 1), ("2,\"open\nand, more", 2)] {
        let table = format!("a,b\n1,x\n{broken}\n3,\"y\"\n4,\"two\nlines\"\n5,z\n");
        let json = json(&table);
        let junk = json.lines().filter(|line| line.ends_with("not closed)")).count();
        assert!(junk >= 1 && junk <= lines, "{json}");
        for row in [
            "{\"a\":1,\"b\":\"x\"}",
            "{\"a\":3,\"b\":\"y\"}",
            "{\"a\":4,\"b\":\"two\\nlines\"}",
            "{\"a\":5,\"b\":\"z\"}",
        ] {
            assert!(json.contains(row), "{row} is missing: {json}");
        }
        assert_eq!(json.matches('\n').count(), table.matches('\n').count());
    }
}

#[test]
fn no_object_in_a_broken_row_can_be_taken_for_a_record() {
    assert_eq!(
        json("a,b\n{\"id\":1,\"x\":2},3,4\n"),
        "\n[\"id\":1,\"x\":2},3,4 (4 cells, the header has 2)\n"
    );
}

#[test]
fn quotes_that_never_close_cost_time_in_proportion_to_the_table() {
    // Each line opens a quote that the next one closes and opens again.
    let table = format!("a,b\n{}", "x\",\"y\n".repeat(100_000));
    let mut reader = TableReader::new(b',');
    let out = [reader.push(table.as_bytes()), reader.finish()].concat();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 100_001);
    assert!(
        reader.rows.wasted() < 17 * table.len() + (34 << 20),
        "{} bytes for nothing",
        reader.rows.wasted()
    );
}

#[test]
fn a_long_row_in_small_pieces_costs_time_in_proportion_to_its_length() {
    let long = "aé€😀,".repeat(20_000);
    let rows: [(&str, Vec<u8>); 6] = [
        ("plain", format!("{long}\n").into()),
        ("plain, not UTF-8", [b"\xff", long.as_bytes(), b"\n"].concat()),
        ("quoted", format!("\"{long}\",\"{long}\"\n").into()),
        ("quoted, over many lines", format!("1,\"{}\"\n", long.replace(',', "\n")).into()),
        ("quotes in a cell", format!("1,\"{}\"\n", long.replace(',', "\"\"")).into()),
        ("a quote that is not closed", format!("1,\"{}\n", long.replace(',', "\n")).into()),
    ];
    for (name, row) in rows {
        let table = [b"a,b\n1,2\n", &row[..], b"3,\"4\"\n"].concat();
        for length in [1, 7, 1_000, table.len()] {
            let mut lines = 0;
            let steps = steps_of(12 * table.len(), || {
                let mut reader = TableReader::new(b',');
                let mut out: Vec<u8> = table.chunks(length).flat_map(|piece| reader.push(piece)).collect();
                out.extend(reader.finish());
                lines = memchr_iter(b'\n', &out).count();
            });
            assert_eq!(lines, memchr_iter(b'\n', &table).count(), "{name}");
            println!("{name} in pieces of {length}: {steps} steps for {} bytes", table.len());
        }
    }
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,8}",
        2 => any::<i32>().prop_map(|number| number.to_string()),
        2 => Just(String::new()),
        3 => "[a\"\n\r,;é\\\\ ]{0,12}",
    ]
}

fn table() -> impl Strategy<Value = (u8, Vec<Vec<String>>)> {
    (prop::sample::select(vec![b',', b';', b'\t', b'|']), 2usize..6).prop_flat_map(|(delimiter, columns)| {
        (Just(delimiter), prop::collection::vec(prop::collection::vec(cell(), columns), 0..20))
    })
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_as_it_was(
        (delimiter, rows) in table(),
        crlf in any::<bool>(),
        lengths in prop::collection::vec(1usize..40, 1..5),
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
        let columns = rows.first().map_or(2, Vec::len);
        writer.write_record((0..columns).map(|at| format!("c{at}"))).unwrap();
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let bytes = writer.into_inner().unwrap();
        let out = in_pieces(&bytes, delimiter, &[usize::MAX]);
        prop_assert_eq!(&in_pieces(&bytes, delimiter, &lengths), &out);
        let expected: Vec<&Vec<String>> = rows.iter().filter(|row| row.iter().any(|cell| !cell.is_empty())).collect();
        let found: Vec<Value> =
            out.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            for (at, cell) in expected.iter().enumerate() {
                let text = match found.get(format!("c{at}")) {
                    None => String::new(),
                    Some(Value::String(text)) => text.clone(),
                    Some(number) => number.to_string(),
                };
                let is_same = text == *cell || text == cell.trim();
                prop_assert!(is_same, "{:?} is not {:?}", text, cell);
            }
        }
    }

    #[test]
    fn any_text_in_pieces_is_that_in_one_and_has_as_many_lines(
        text in "[ab,\"\n\r1]{0,200}",
        lengths in prop::collection::vec(1usize..20, 1..5),
    ) {
        let whole = in_pieces(text.as_bytes(), b',', &[usize::MAX]);
        prop_assert_eq!(&in_pieces(text.as_bytes(), b',', &lengths), &whole);
        let records = |text: &str| {
            let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let mut record = ByteRecord::new();
            std::iter::from_fn(|| reader.read_byte_record(&mut record).unwrap().then(|| record.len())).count()
        };
        // Without quotes there is nothing to be broken by them.
        if !text.contains(['"', '\r']) {
            let lines = whole.lines().filter(|line| !line.is_empty()).count();
            prop_assert!(lines <= records(&text));
            prop_assert_eq!(whole.matches('\n').count(), text.lines().count());
        }
    }
}
