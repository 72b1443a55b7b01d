//! Any value, as a record of every form: it is a tweet, texts of a user, a reject, or not JSON, and
//! the payload of a tweet is JSON that can be read back. A value that is JSON from end to end gives
//! the same result with the pruned parser.

use bytes::BytesMut;
use tweetblast::event::PayloadForm;
use tweetblast::source::Frame;
use tweetblast::tweet::{Parser, ParserOptions, Record, Tweet, encode, texts};

fn check_tweet(tweet: &Tweet<'_>) {
    for form in [PayloadForm::Tweet, PayloadForm::Minimal] {
        let mut payload = BytesMut::new();
        encode(tweet, form, None, "run", 7, &mut payload);
        Parser::new().parse(&payload, |record| assert!(record.is_ok(), "{payload:?}"));
    }
}

/// What a record is, as text.
fn words(parser: &mut Parser, frame: Frame<'_>) -> Option<String> {
    parser.parse_frame(frame, |record| match record {
        Ok(Record::Tweet(tweet)) => {
            let mut payload = BytesMut::new();
            encode(&tweet, PayloadForm::Tweet, None, "run", 7, &mut payload);
            Some(format!("{:?} {payload:?}", tweet.shape))
        }
        Ok(Record::Group(group)) => {
            Some(format!("{:?} {:?}", group.user_id, group.items().collect::<Vec<_>>()))
        }
        Ok(Record::Reject(reject)) => Some(reject.name().to_owned()),
        Err(_) => None,
    })
}

pub fn check(input: &[u8]) {
    // One part for the record, one for the `includes` of its page.
    let (bytes, includes) = match input.iter().position(|byte| *byte == 0) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[][..]),
    };
    let frame = Frame { offset: 0, bytes, includes };
    let mut strict = Parser::with_options(ParserOptions { strict: true, ..ParserOptions::default() });
    let whole = words(&mut strict, frame);
    let mut parser = Parser::new();
    assert!(whole.is_none() || words(&mut parser, frame) == whole, "more or less than the whole record has");
    let mut texts_of_user = None;
    parser.parse_frame(frame, |record| match record {
        Ok(Record::Tweet(tweet)) => check_tweet(&tweet),
        Ok(Record::Group(group)) => {
            texts_of_user = Some(group.items().count());
            group.items().filter_map(Result::ok).for_each(|tweet| check_tweet(&tweet));
        }
        Ok(Record::Reject(_)) | Err(_) => {}
    });
    let found = texts(frame).count();
    assert!(texts_of_user.is_none_or(|items| items == found), "slots and items of a user differ");
}
