use super::*;

#[test]
fn the_place_where_a_record_breaks_is_that_of_the_first_wrong_byte() {
    let (at, why) = break_in(br#"{"a":1 "b":2}"#);
    assert_eq!((at, &why[..]), (7, "expected `,` or `}`"));
    let (at, why) = break_in(b"{\"a\":\n[1,\n \"x");
    assert_eq!((at, &why[..]), (12, "the record ends inside a string"));
    assert_eq!(break_in(b"{\"a\":\"\xff\"}").0, 6);
}

#[test]
fn words_are_quoted_for_a_shell_where_they_need_it() {
    assert_eq!(quoted("text=a.b,time=c"), "text=a.b,time=c");
    assert_eq!(quoted("%d/%m/%Y %H:%M"), "'%d/%m/%Y %H:%M'");
    assert_eq!(quoted("it's"), r"'it'\''s'");
}
