//! Tables as people write them, and the additions of each user.

use super::*;
use crate::event::PayloadForm;
use crate::tweet::{Parser, Record, encode};

fn load_all(files: &[(&str, &[u8])], key: Option<&str>) -> Result<Enrichment, String> {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, bytes)| {
            std::fs::write(dir.path().join(name), bytes).unwrap();
            dir.path().join(name)
        })
        .collect();
    Enrichment::load(&paths, key, &Opening::whole(None)).map_err(|error| error.to_string())
}

fn load(text: &str) -> Enrichment {
    load_all(&[("users", text.as_bytes())], None).unwrap()
}

fn of(enrichment: &Enrichment, id: i64) -> String {
    let extra = enrichment.of(Some(id)).unwrap();
    let name = extra.screen_name.as_deref().map(|name| format!("{} ", String::from_utf8_lossy(name)));
    name.unwrap_or_default() + std::str::from_utf8(&extra.members).unwrap()
}

fn columns(enrichment: &Enrichment) -> String {
    let words: Vec<_> = enrichment.columns().map(|(name, kind)| format!("{name} {}", kind.name())).collect();
    words.join(", ")
}

fn rejects(enrichment: &Enrichment) -> Vec<(u64, &str)> {
    enrichment.files()[0].first_rejects.iter().map(|row| (row.line, row.reason.as_str())).collect()
}

#[test]
fn blanks_around_names_and_values_of_a_csv_are_dropped() {
    let all = load("id, mbti_personality ,pers_id\r\n123,infj, 8\r\n9007199254740993,infp,9\r\n");
    assert_eq!(of(&all, 123), r#","mbti_personality":"infj","pers_id":8"#);
    assert_eq!(of(&all, 9_007_199_254_740_993), r#","mbti_personality":"infp","pers_id":9"#);
    assert_eq!((columns(&all), all.users()), ("mbti_personality text, pers_id long".into(), 2));
    assert!(all.of(Some(124)).is_none() && all.of(None).is_none());
}

#[test]
fn a_column_of_a_csv_holds_numbers_when_all_its_fields_do() {
    let all = load(
        "\u{feff}id;n;d;b;t;long;zip;gap\n1;5129311938;1.5;True;x \"y\";12345678901234567890;007;\n\
         2;-9223372036854775808;2;FALSE;\"a;b\nc\";1;123;NaN\n",
    );
    assert_eq!(
        of(&all, 1),
        r#","n":5129311938,"d":1.5,"b":true,"t":"x \"y\"","long":"12345678901234567890","zip":"007""#
    );
    assert_eq!(
        of(&all, 2),
        r#","n":-9223372036854775808,"d":2,"b":false,"t":"a;b\nc","long":"1","zip":"123""#
    );
    assert_eq!(columns(&all), "n long, d double, b boolean, t text, long text, zip text");
}

#[test]
fn json_is_an_array_or_one_object_a_line_and_keeps_its_types() {
    let array = load(
        r#"[
        {"screen_name": "u\u00e9", "location": "NaN", "verified": false, "total": 5129311938, "x": 0.5, "id": 7},
        {"id": "8", "tags": ["a", 1], "gone": null, "bare": NaN, "far": -Infinity, "text": "NaN, \"NaN"}
    ]"#,
    );
    assert_eq!(of(&array, 7), r#""ué" ,"verified":false,"total":5129311938,"x":0.5"#);
    assert_eq!(of(&array, 8), r#","tags":["a",1],"text":"NaN, \"NaN""#);
    assert_eq!(columns(&array), "verified boolean, total long, x double, tags text, text text");
    let lines = load("{\"id\":7,\"a\":1}\n{\"user_id\":8,\"id\":1,\"a\":2.5}\n");
    assert_eq!((of(&lines, 8), columns(&lines)), (r#","a":2.5"#.into(), "a double".into()));
}

#[test]
fn fields_of_the_payload_are_not_overwritten_and_only_the_name_fills_in() {
    let all = load(
        "user_id,id,screen_name,lang,seq,run,created_at,timestamp,tweet,label,,label,a b\n5,1,12,en,2,r,x,y,z,q,0,w,1\n",
    );
    assert_eq!(of(&all, 5), r#""12" ,"label":"q","a b":1"#);
    let skipped: Vec<_> = all.files()[0].skipped_columns.keys().map(String::as_str).collect();
    assert_eq!(skipped, ["", "created_at", "id", "lang", "run", "seq", "timestamp", "tweet"]);
    let objects = load(r#"[{"id":1,"a":{"b":1},"c":[[1]],"d":1}]"#);
    assert_eq!((of(&objects, 1), objects.files()[0].skipped_columns.len()), (r#","d":1"#.into(), 2));
}

#[test]
fn every_field_of_the_payload_is_one_that_no_column_takes() {
    let json = r#"{"created_at":"Wed Aug 27 13:08:45 +0000 2008","id_str":"6","text":"a","lang":"en","retweet_count":1,
        "user":{"id":9,"screen_name":"u"},"favorite_count":2,"entities":{"hashtags":[]},"geo":{"coordinates":[4,7]}}"#;
    let mut payload = bytes::BytesMut::new();
    Parser::new().parse(json.as_bytes(), |record| match record {
        Ok(Record::Tweet(tweet)) => encode(&tweet, PayloadForm::Tweet, None, "r", 0, &mut payload),
        other => panic!("{other:?}"),
    });
    let fields = serde_json::from_slice::<Row>(&payload).unwrap().0;
    assert_eq!(fields.len(), 14);
    assert!(fields.iter().all(|(name, _)| is_own_field(name)), "{fields:?}");
}

#[test]
fn rows_that_cannot_be_used_are_told_with_their_line() {
    let all =
        load_all(&[("u", b"id,a\n1,x\n\n,y\nabc,z\n-4,z\n3\n2,\"q\nr\"\n4,\xFF\n1608.0,w\n1,new\n")], None);
    let all = all.unwrap();
    let told = [
        (4, "no user's id"),
        (5, "id is \"abc\", no user's id"),
        (6, "id is \"-4\", no user's id"),
        (7, "1 fields, the header has 2"),
        (10, "not in UTF-8"),
    ];
    assert_eq!(rejects(&all), told);
    assert_eq!(of(&all, 1), r#","a":"new""#);
    assert!(all.of(Some(1_608)).is_some());
    let file = &all.files()[0];
    assert_eq!((file.rows, file.users, file.rejects, file.duplicate_ids), (9, 3, 5, 1));
    assert_eq!(file.rows, file.users + file.rejects + file.duplicate_ids);

    let crlf = load("id,a\r\n1,x\r\n\r\n,y\r\n,z\r\n");
    assert_eq!(rejects(&crlf), [(4, "no user's id"), (5, "no user's id")]);

    let all = load("{\"id\":1,\"a\":1}\n{\"id\":\n[3]\n{\"a\":2}\n\n{\"id\":1e30}\n{\"id\":2}\n");
    let told = [(2, "not JSON"), (3, "no object"), (4, "no user's id"), (6, "id is 1e+30, no user's id")];
    assert_eq!(rejects(&all), told);
    assert!(all.files()[0].words()[0].ends_with("line 2: not JSON; skipped"));
}

#[test]
fn several_files_say_all_they_know_and_the_later_one_counts() {
    let files: [(&str, &[u8]); 3] = [
        ("a.csv", b"id,x,y\n1,10,a\n2,20,b\n"),
        ("b.json", br#"[{"id":2,"y":"c","z":1.5,"screen_name":"n"},{"id":3,"z":2}]"#),
        ("c.csv", b"id,x\n4,1\n"),
    ];
    let all = load_all(&files, None).unwrap();
    assert_eq!(of(&all, 1), r#","x":10,"y":"a""#);
    assert_eq!(of(&all, 2), r#""n" ,"x":20,"y":"c","z":1.5"#);
    assert_eq!(of(&all, 4), r#","x":1"#);
    assert_eq!((columns(&all), all.users()), ("x long, y text, z double".into(), 4));
    assert_eq!(all.files().iter().map(|file| file.users).sum::<u64>(), 5);
}

#[test]
fn what_cannot_be_joined_is_said_with_what_to_do() {
    let wrong = |bytes: &[u8]| load_all(&[("users.csv", bytes)], None).unwrap_err();
    assert!(wrong(b"name,age\nx,1\n").contains("users.csv has no column user_id, id_str, id"));
    assert!(wrong(b"name,age\nx,1\n").contains("its columns are name, age; --enrich-key COLUMN"));
    assert!(wrong(b"[{\"name\":1}]").contains("its columns are name"));
    let by_id: Vec<String> = (0..100_000).map(|id| format!("\"{id}\":{{\"a\":1}}")).collect();
    assert!(wrong(format!("{{{}}}", by_id.join(",")).as_bytes()).contains("its columns are 0, 1, 2"));
    assert!(wrong(&b"a,".repeat(100_000)).contains("no row"));
    let doubled = load("{\"a\":1,\"id\":5,\"b\":2,\"a\":3}");
    assert_eq!(of(&doubled, 5), r#","a":3,"b":2"#);
    assert!(wrong(b" \n").contains("is empty") && wrong(b"").contains("is empty"));
    assert!(wrong(b"id,a\n").contains("no row with a user's id (there are none)"));
    assert!(wrong(b"id,a\nx,1\n").contains("(line 2: id is \"x\", no user's id)"));
    assert!(wrong(b"\xff\xfei\0d\0").contains("iconv"));
    assert!(wrong(b"[").contains("--enrich: "));
    let missing = Enrichment::load(&["/nowhere/u.csv".into()], None, &Opening::whole(None)).unwrap_err();
    assert!(format!("{:#}", anyhow::Error::from(missing)).contains("--enrich: cannot read /nowhere/u.csv"));
    let other = load_all(&[("u", b"uid,id\n7,1\n")], Some("UID")).unwrap();
    assert!(other.of(Some(7)).is_some() && other.of(Some(1)).is_none());
    assert!(load_all(&[("u", b"id\n1\n")], Some("uid")).unwrap_err().contains("no column uid"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text in "[\\[{\"}\\],:;id1N\na \\\\]{0,60}") {
        let _ = load_all(&[("a", &bytes)], None);
        let _ = load_all(&[("b", text.as_bytes())], None);
        let _ = load_all(&[("c", &[b"id,a\n", &bytes[..]].concat())], None);
    }
}

#[test]
fn every_user_is_a_row_of_the_table() {
    let all = load("id,screen_name,label\n9007199254740993,b,infp\n12,,intj\n");
    let rows = String::from_utf8(all.rows("r-1")).unwrap();
    assert_eq!(
        rows,
        "{\"user_id\":12,\"label\":\"intj\",\"run\":\"r-1\"}\n\
         {\"user_id\":9007199254740993,\"screen_name\":\"b\",\"label\":\"infp\",\"run\":\"r-1\"}\n"
    );
}
