use super::*;
use crate::options::{InputOptions, Session};
use crate::pipeline::inspect;
use crate::report::{Inspection, Layout, inspection_page};

/// What is found in 1,000 records of 40 bytes, of which the one at `place` has a member `seq` itself.
fn found(place: usize) -> Inspection {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("late.jsonl");
    let record = |n: usize| match n == place {
        true => format!("{{\"time\":{},\"device\":\"d1\",\"seq\":77}}\n", 1_583_229_600 + n),
        false => format!("{{\"time\":{},\"device\":\"d{}\"}}\n", 1_583_229_600 + n, n % 3),
    };
    std::fs::write(&file, (0..1_000).map(record).collect::<String>()).unwrap();
    let input = InputOptions { files: vec![file], ..InputOptions::default() };
    let options = ReplayOptions { input, ..ReplayOptions::default() };
    inspect(&options, &Session::unattended()).unwrap().0
}

#[test]
fn a_record_with_one_of_our_names_beyond_the_searched_part_is_shown_with_its_place_and_what_to_type() {
    // Beyond the sample, but searched.
    let early = found(RECORDS + 10);
    assert_eq!((early.tweets, early.events.unwrap().seq_name), (1_000, "_seq"));
    let late = found(900);
    assert!(late.rejects_by_kind.values().all(|kind| kind.first_offset > NAMES_BYTES), "it was searched");
    assert_eq!((late.tweets, late.rejects, late.events.as_ref().unwrap().seq_name), (999, 1, "seq"));
    let page = inspection_page(&late, Layout::default());
    let line = page.lines().find(|line| line.contains("named as one of ours")).unwrap();
    assert!(
        line.contains("the first at line 901, byte ") && line.contains(": --payload raw sends"),
        "{line}"
    );
}
