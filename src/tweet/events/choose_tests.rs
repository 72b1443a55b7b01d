use super::*;

fn choose(records: &[&str]) -> EventChoice {
    let mut sample = EventSample::default();
    records.iter().for_each(|record| sample.add(record.as_bytes()));
    sample.choose(&WantedFields::default(), &TimeOptions::default())
}

/// Time, its runner-up, key and id.
fn words(records: &[&str]) -> [String; 4] {
    let choice = choose(records);
    let field =
        |field: &Option<ChosenField>| field.as_ref().map_or("-".to_owned(), |field| field.field.clone());
    let runner_up = choice.time.as_ref().and_then(|time| time.runner_up.clone()).unwrap_or("-".to_owned());
    [field(&choice.time), runner_up, field(&choice.key), field(&choice.id)]
}

#[test]
fn the_event_is_known_by_its_own_time_and_not_by_that_of_an_account() {
    let record =
        r#"{"created_at":"2009-01-05T10:00:00Z","login_time":"2020-03-03 10:00:00","user":"ann","size":7}"#;
    assert_eq!(words(&[record; 3])[..3], ["login_time", "created_at", "user"]);
    let nested = r#"{"user":{"id":7,"created_at":"2009-01-05T10:00:00Z"},"seen":{"at":{"time":1583229600}}}"#;
    assert_eq!(words(&[nested; 3])[..3], ["seen.at.time", "user.created_at", "user.id"]);
}

#[test]
fn a_beginning_comes_before_an_end_whatever_they_are_called() {
    let record = r#"{"arrival_time":"2020-03-03 10:30:00","departure_time":"2020-03-03 10:00:00"}"#;
    assert_eq!(words(&[record])[..2], ["departure_time", "arrival_time"]);
    let record = r#"{"end_ts":1583229700,"start_ts":1583229600}"#;
    assert_eq!(words(&[record])[..2], ["start_ts", "end_ts"]);
}

#[test]
fn a_value_that_is_not_a_time_makes_its_field_no_time() {
    let record = r#"{"time":"slow","date":"","ts":0,"when":{"a":1},"updated":1583229600123}"#;
    assert_eq!(words(&[record])[..2], ["updated", "-"]);
    // Numbers under a name of another kind are no times; a text that is a date is.
    assert_eq!(words(&[r#"{"id":1583229600,"size":"1583229600","x":"03-Mar-2020 10:00"}"#])[0], "x");
    assert_eq!(words(&[r#"{"id":1583229600,"size":"1583229600"}"#])[0], "-");
}

#[test]
fn times_of_before_2001_and_dates_with_the_day_first_are_read_as_the_sample_shows() {
    assert_eq!(
        words(&[r#"{"time":"804571201","host":"a"}"#, r#"{"time":"804571209","host":"a"}"#])[0],
        "time"
    );
    assert_eq!(words(&[r#"{"day":"x","date":"03/04/2020"}"#])[0], "date", "which it is, the file decides");
}

#[test]
fn an_id_that_repeats_is_the_key_and_one_that_does_not_is_the_id() {
    let sensors: Vec<String> =
        (0..20).map(|n| format!(r#"{{"time":{},"id":{},"t":1}}"#, 1_583_229_600 + n, n % 4)).collect();
    let sensors: Vec<&str> = sensors.iter().map(|record| &record[..]).collect();
    assert_eq!(words(&sensors), ["time", "-", "id", "-"]);
    let rows: Vec<String> =
        (0..20).map(|n| format!(r#"{{"time":{},"id":{n}}}"#, 1_583_229_600 + n)).collect();
    let rows: Vec<&str> = rows.iter().map(|record| &record[..]).collect();
    assert_eq!(words(&rows), ["time", "-", "-", "id"]);
}

#[test]
fn a_changed_row_has_its_key_after_or_before_the_change() {
    let changed =
        r#"{"before":{"id":1},"after":{"id":1,"n":"x"},"source":{"server_id":3},"ts_ms":1583229600123}"#;
    let deleted = r#"{"before":{"id":2},"after":null,"source":{"server_id":3},"ts_ms":1583229600124}"#;
    let choice = choose(&[changed, changed, deleted]);
    assert_eq!(choice.key.unwrap().field, "after.id or before.id");
    assert_eq!(choice.fields.key.len(), 2);
}

#[test]
fn action_lines_do_not_count() {
    let choice =
        choose(&[r#"{"index":{"_id":"1"}}"#, r#"{"time":"2020-03-03T10:00:00Z"}"#, r#"{"create":{}}"#]);
    assert_eq!((choice.records, choice.time.unwrap().records), (1, 1));
}

#[test]
fn what_the_user_names_is_taken() {
    let mut sample = EventSample::default();
    sample.add(br#"{"time":"2020-03-03T10:00:00Z","Date":"2020-03-03","Time":"10:00","user":"ann","x":7,"a":1,"b":2}"#);
    let path = |path: &str| crate::tweet::parse_path(path).unwrap();
    let time = TimePath { first: path("Date"), second: Some(path("Time")) };
    let wanted = WantedFields { time: Some(time), key: Some(path("x")), id: None };
    let choice = sample.choose(&wanted, &TimeOptions::default());
    assert_eq!(choice.time.unwrap().field, "Date+Time");
    assert_eq!((choice.key.unwrap().field, choice.fields.key), ("x".to_owned(), vec![path("x")]));
    assert!(choice.fields.usual.is_empty(), "the user has said what an event is");
}
