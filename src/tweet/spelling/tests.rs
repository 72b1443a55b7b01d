use super::*;
use crate::tweet::parse_time;
use proptest::prelude::*;

fn zoned(text: &str) -> Option<(i64, bool)> {
    parse_time(text).map(|stamp| (stamp.ms, stamp.has_zone))
}

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[test]
fn more_digits_than_a_time_has_are_no_time() {
    for text in [" May 7 1111111111111111111111111111111111111110:3", "2020-01-99999999999999999999999"] {
        assert_eq!(zoned(text), None, "{text}");
    }
}

#[test]
fn spellings_that_name_their_zone() {
    for (text, meant) in [
        ("2021-09-22T16:38:35.000Z", "2021-09-22T16:38:35Z"),
        ("2021-09-22t16:38:35z", "2021-09-22T16:38:35Z"),
        ("2021-09-22T16:38:35+00:00", "2021-09-22T16:38:35Z"),
        ("2021-09-22 16:38:35 UTC", "2021-09-22T16:38:35Z"),
        ("2021-09-22 18:38:35 +0200", "2021-09-22T16:38:35Z"),
        ("2021-09-22 22:08:35+5:30", "2021-09-22T16:38:35Z"),
        ("2024-09-21T09:35:21.5Z", "2024-09-21T09:35:21.5Z"),
        ("2020-03-03T24:00:00Z", "2020-03-04T00:00:00Z"),
        ("Mon Dec 23 2013 21:30 GMT-0800 (PST)", "2013-12-24T05:30:00Z"),
        ("Tue Mar 03 2020 10:00:00 GMT+0100 (Central European Standard Time)", "2020-03-03T09:00:00Z"),
        ("Tue Mar 03 2020 10:00:00 GMT+0100 (heure normale d’Europe)", "2020-03-03T09:00:00Z"),
        ("2012-06-0616:25:22AEST", "2012-06-06T06:25:22Z"),
        ("Wed, 27 Aug 2008 13:08:45 +0000", "2008-08-27T13:08:45Z"),
        ("27 August 2008 1:08:45 pm UTC", "2008-08-27T13:08:45Z"),
        ("2020-03-03 10:00:00 +0000 UTC", "2020-03-03T10:00:00Z"),
        ("2020-03-03 10:00:00.123456789 +0100 CET m=+0.000012", "2020-03-03T09:00:00.123Z"),
        ("2020-03-03T10:00:00Z[UTC]", "2020-03-03T10:00:00Z"),
        ("2020-03-03T10:00:00+01:00[Europe/Berlin]", "2020-03-03T09:00:00Z"),
        ("2020-07-03T10:00:00[Europe/Berlin]", "2020-07-03T08:00:00Z"),
        ("2020-07-03 10:00:00 Europe/Berlin", "2020-07-03T08:00:00Z"),
        ("Tue Mar 03 10:00:00 CET 2020", "2020-03-03T09:00:00Z"),
        ("20200303T100000Z", "2020-03-03T10:00:00Z"),
        ("20200303T100000.250+0100", "2020-03-03T09:00:00.25Z"),
        ("2020-W10-2T10:00:00Z", "2020-03-03T10:00:00Z"),
        ("03/Mar/2020:10:00:00 +0000", "2020-03-03T10:00:00Z"),
        ("15/Oct/2020:10:00:00 +0000", "2020-10-15T10:00:00Z"),
        ("Tuesday, 03-Mar-20 10:00:00 GMT", "2020-03-03T10:00:00Z"),
        ("Mar 3, 2020 · 10:00 AM UTC", "2020-03-03T10:00:00Z"),
        ("1625587487", "2021-07-06T16:04:47Z"),
        ("1625587487000", "2021-07-06T16:04:47Z"),
        ("1.625587487e9", "2021-07-06T16:04:47Z"),
        ("/Date(1583229600000)/", "2020-03-03T10:00:00Z"),
        ("/Date(1583229600000+0100)/", "2020-03-03T10:00:00Z"),
        ("/Date(-62135596800000)/", "0001-01-01T00:00:00Z"),
    ] {
        assert_eq!(zoned(text), Some((at(meant), true)), "{text}");
    }
}

#[test]
fn spellings_without_a_zone() {
    for (text, meant) in [
        ("2023-05-25 09:00:00", "2023-05-25T09:00:00Z"),
        ("2019-03-07T14:59:14", "2019-03-07T14:59:14Z"),
        ("2022-02-09T15:03:31.313999", "2022-02-09T15:03:31.313Z"),
        ("2026-07-26 15:18", "2026-07-26T15:18:00Z"),
        ("2023/05/25", "2023-05-25T00:00:00Z"),
        ("2023-5-3 9:05", "2023-05-03T09:05:00Z"),
        ("2023.05.25 09:00", "2023-05-25T09:00:00Z"),
        ("20200303", "2020-03-03T00:00:00Z"),
        ("20200303100058", "2020-03-03T10:00:58Z"),
        ("20200303 100058", "2020-03-03T10:00:58Z"),
        ("2020-063", "2020-03-03T00:00:00Z"),
        ("2020-W53-5", "2021-01-01T00:00:00Z"),
        ("13.04.2020 10:00:00", "2020-04-13T10:00:00Z"),
        ("3/13/2020 1:00 PM", "2020-03-13T13:00:00Z"),
        ("3/13/2020, 1:00:05\u{202f}PM", "2020-03-13T13:00:05Z"),
        ("13/3/2020, 1:00:05 p. m.", "2020-03-13T13:00:05Z"),
        ("03/03/2020 10:00", "2020-03-03T10:00:00Z"),
        ("Nov 4, 2014 4:56:59 PM", "2014-11-04T16:56:59Z"),
        ("Nov 4, 2014 12:05 AM", "2014-11-04T00:05:00Z"),
        ("Nov 4, 2014", "2014-11-04T00:00:00Z"),
        ("March 03, 2020 at 10:00AM", "2020-03-03T10:00:00Z"),
        ("Tuesday, March 3rd, 2020 1pm", "2020-03-03T13:00:00Z"),
        ("10:00 AM · Mar 3, 2020", "2020-03-03T10:00:00Z"),
        ("3 de marzo de 2020 10:00", "2020-03-03T10:00:00Z"),
        ("mar. 3 avr. 2020 10:00", "2020-04-03T10:00:00Z"),
        ("Dienstag, 3. März 2020 um 10:00 Uhr", "2020-03-03T10:00:00Z"),
        ("1er août 2020", "2020-08-01T00:00:00Z"),
        ("2020年3月3日 10:00:00", "2020-03-03T10:00:00Z"),
        ("2020年3月3日 下午1:05", "2020-03-03T13:05:00Z"),
        ("2020. 3. 3. 오후 1:05:00", "2020-03-03T13:05:00Z"),
        ("Tue Mar  3 10:00:00 2020", "2020-03-03T10:00:00Z"),
    ] {
        assert_eq!(zoned(text), Some((at(meant), false)), "{text}");
    }
}

#[test]
fn what_is_no_time_or_leaves_it_open_is_not_read() {
    for text in [
        "",
        "yesterday",
        "Sat",
        "2021",
        "04/05/2021 10:00",
        "04.05.2021",
        "04-05-2021",
        "14/14/2021",
        "3/4/20",
        "2021-13-01",
        "2021-02-30",
        "2021-02-29",
        "2021-366",
        "2021-09-22T25:00",
        "2021-09-22T24:00:01",
        "2021-09-22T16:38:35 in the morning",
        "2014-11-04 10:00:00 CST",
        "2014-11-04 10:00:00 IST",
        "2014-11-04 10:00:00 Turkey Standard Time",
        "2014-11-04 10:00:00 Nowhere/Land",
        "Nov 4",
        "Nov 2014",
        "Nov 4 5 2014",
        "Nov 4 Dec 5 2014",
        "4:56 PM",
        "Nov 4, 2014 16:00 PM",
        "2021-09-22T16:38:35+99:00",
        "0",
        "-5",
        "31536000000000000000000",
        "/Date()/",
        "/Date(x)/",
        ":",
        "é",
        "年",
    ] {
        assert_eq!(zoned(text), None, "{text}");
    }
}

#[test]
fn a_date_of_two_small_numbers_says_in_which_order_it_is_one() {
    let order = |text| parse(text).map(|spelt| spelt.order);
    let apart_ms = at("2020-03-04T00:00:00Z") - at("2020-04-03T00:00:00Z");
    assert_eq!(order("03/04/2020"), Some(DateOrder::Either { apart_ms }));
    assert_eq!(order("13/04/2020 10:00"), Some(DateOrder::DayFirst));
    assert_eq!(order("04-13-2020 10:00"), Some(DateOrder::MonthFirst));
    assert_eq!(order("04.04.2020 10:00"), Some(DateOrder::Fixed));
    assert_eq!(order("2020/03/04"), Some(DateOrder::Fixed));
}

/// Patterns of jiff that a time is written in, and whether they name its zone.
const PATTERNS: [(&str, bool); 14] = [
    ("%a, %d %b %Y %H:%M:%S %z", true),
    ("%Y-%m-%d %H:%M:%S%:z", true),
    ("%Y%m%dT%H%M%S%z", true),
    ("%a %b %d %H:%M:%S %z %Y", true),
    ("%a %b %d %Y %H:%M:%S GMT%z (Somewhere Standard Time)", true),
    ("%Y-%m-%d %H:%M:%S %z UTC", true),
    ("%d/%b/%Y:%H:%M:%S %z", true),
    ("%G-W%V-%uT%H:%M:%S%z", true),
    ("%Y-%jT%H:%M:%S%z", true),
    ("%B %d, %Y at %I:%M:%S %p", false),
    ("%Y/%m/%d %H:%M:%S", false),
    ("%e %B %Y %l:%M:%S%P", false),
    ("%Y年%m月%d日 %H:%M:%S", false),
    ("%A, %d. %B %Y, %H:%M:%S", false),
];

proptest! {
    #[test]
    fn agrees_with_a_calendar_library(ms in -62_135_596_800_000i64..253_402_207_200_000, hours in -14i8..=14) {
        let time = jiff::Timestamp::from_millisecond(ms).unwrap();
        prop_assert_eq!(zoned(&time.to_string()), Some((ms, true)));
        let there = time.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(hours)));
        let second_ms = ms.div_euclid(1_000) * 1_000;
        for (pattern, has_zone) in PATTERNS {
            // A week at the turn of a year is of the other year.
            let there = match (1..=9_998).contains(&there.year()) {
                true => there.clone(),
                false => continue,
            };
            let written = there.strftime(pattern).to_string();
            let shown_ms = if has_zone { second_ms } else { second_ms + i64::from(hours) * 3_600_000 };
            prop_assert_eq!(zoned(&written), Some((shown_ms, has_zone)), "{}", written);
        }
    }

    #[test]
    fn days_and_months_in_either_order_are_read_or_left_open_and_never_swapped(
        ms in 0i64..4_102_444_800_000,
        sign in "[-/.]",
    ) {
        let time = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::from_millisecond(ms).unwrap());
        let second_ms = ms.div_euclid(1_000) * 1_000;
        let (european, american) = (format!("%d{sign}%m{sign}%Y %H:%M:%S"), format!("%-m{sign}%-d{sign}%Y %I:%M:%S %p"));
        for pattern in [european, american] {
            let written = time.strftime(&pattern).to_string();
            let is_open = time.day() <= 12 && time.day() != time.month();
            let expected = (!is_open).then_some((second_ms, false));
            prop_assert_eq!(zoned(&written), expected, "{}", written);
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(
        text: String,
        digits in "[0-9:. +TZPM/年月W()\\[\\]-]{0,40}",
        words in "([A-Z][a-z]{2} |[0-9]{1,4}[ ,:]?){0,8}",
    ) {
        let _ = (parse_time(&text), parse_time(&digits), parse_time(&words));
    }
}
