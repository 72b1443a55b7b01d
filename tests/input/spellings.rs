//! The reader of times against two independent ones: thousands of spellings, and what dateutil and pandas made
//! of them (`tests/times/spellings.py`). Each kind of difference is listed here with its reason.

use std::collections::BTreeMap;
use std::io::Read;

use tweetblast::tweet::parse_time;

/// A spelling in the table.
struct Spelling {
    kind: String,
    text: String,
    /// What the two others read: milliseconds, and whether they found a zone.
    others: [Option<(i64, bool)>; 2],
}

fn table() -> Vec<Spelling> {
    let mut text = String::new();
    let packed = &include_bytes!("../times/spellings.tsv.gz")[..];
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let read = |words: &str| {
        let ms = words.strip_suffix(['Z', 'L'])?.parse().unwrap();
        Some((ms, words.ends_with('Z')))
    };
    let spelling = |line: &str| {
        let [kind, text, dateutil, pandas] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        Spelling { kind: kind.to_owned(), text: text.to_owned(), others: [read(dateutil), read(pandas)] }
    };
    text.lines().map(spelling).collect()
}

/// How a reading of ours may stand to those of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    /// As one of the others has it, or none of the three reads it.
    Same,
    /// None of the others reads it.
    OnlyOurs,
    /// We leave it open, and another reads it.
    LeftOpen,
    /// The same clock, and only one side knows the zone.
    OtherZone,
    /// Another time.
    Different,
}

fn relation(spelling: &Spelling) -> Relation {
    let ours = parse_time(&spelling.text).map(|stamp| (stamp.ms, stamp.has_zone));
    let others = spelling.others.iter().flatten();
    match ours {
        None if spelling.others == [None, None] => Relation::Same,
        None => Relation::LeftOpen,
        Some(_) if spelling.others == [None, None] => Relation::OnlyOurs,
        Some(ours) if others.clone().any(|other| *other == ours) => Relation::Same,
        Some((_, has_zone)) if others.clone().any(|(_, zoned)| *zoned != has_zone) => Relation::OtherZone,
        Some(_) => Relation::Different,
    }
}

/// The differences, and why each is right. Kinds that are not listed have none.
const DIFFERENCES: &[(&str, Relation, &str)] = &[
    ("Japanese", Relation::OnlyOurs, "words for year, month and day"),
    (
        "ambiguous zone word",
        Relation::LeftOpen,
        "IST and CST are of several zones; dateutil takes the time as one without a zone",
    ),
    (
        "american",
        Relation::LeftOpen,
        "where both numbers may be the month, both take the first one; we ask the file",
    ),
    ("end of day", Relation::OnlyOurs, "24:00:00 is the end of the day in ISO 8601"),
    ("epoch ms", Relation::OnlyOurs, "numbers in texts are counts since 1970"),
    ("epoch s", Relation::OnlyOurs, "numbers in texts are counts since 1970"),
    (
        "european",
        Relation::LeftOpen,
        "where both numbers may be the month, both take the first one; we ask the file",
    ),
    ("go", Relation::OnlyOurs, "the zone's name behind its offset"),
    ("incomplete", Relation::LeftOpen, "both fill in a year, a month or a day that nobody has written"),
    ("iso day of year", Relation::OnlyOurs, "the day of the year, of ISO 8601"),
    ("iso week", Relation::OnlyOurs, "the day of a week, of ISO 8601"),
    ("java zoned", Relation::OnlyOurs, "the place in brackets"),
    ("javascript", Relation::OnlyOurs, "the zone's name in brackets"),
    ("log", Relation::OnlyOurs, "a colon between date and time"),
    ("month in French", Relation::OnlyOurs, "both know English only"),
    ("month in German", Relation::OnlyOurs, "both know English only"),
    ("month in Spanish", Relation::OnlyOurs, "both know English only"),
    ("nitter", Relation::OnlyOurs, "a dot between date and time"),
    (
        "two-digit year",
        Relation::LeftOpen,
        "20/03/04 may begin with its year, and nobody writes which century it is in",
    ),
    ("zone word", Relation::OtherZone, "CET and EST are of one zone; dateutil leaves them out"),
];

#[test]
fn thousands_of_spellings_are_read_as_independent_readers_do_but_for_what_is_listed() {
    let table = table();
    assert!(table.len() > 3_000, "{}", table.len());
    let mut found: BTreeMap<(&str, Relation), Vec<&Spelling>> = BTreeMap::new();
    for spelling in &table {
        found.entry((&spelling.kind, relation(spelling))).or_default().push(spelling);
    }
    found.retain(|(_, relation), _| *relation != Relation::Same);
    let listed =
        |kind: &str, relation| DIFFERENCES.iter().any(|listed| (listed.0, listed.1) == (kind, relation));
    let mut unlisted = String::new();
    for ((kind, relation), spellings) in &found {
        if !listed(kind, *relation) {
            let first = spellings[0];
            unlisted += &format!(
                "{kind}: {relation:?} {} times, as {:?}: ours {:?}, the others' {:?}\n",
                spellings.len(),
                first.text,
                parse_time(&first.text),
                first.others
            );
        }
    }
    assert!(unlisted.is_empty(), "differences without a reason:\n{unlisted}");
    for (kind, relation, why) in DIFFERENCES {
        assert!(found.contains_key(&(*kind, *relation)), "{kind} is not {relation:?} any more: {why}");
    }
}
