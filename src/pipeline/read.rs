//! Counts what the values of the input are, in the same way in both phases.

use super::ReplayOptions;
use crate::report::Intake;
use crate::source::Frame;
use crate::tweet::{Group, Parser, PayloadForm, Record, Reject, Tweet};

/// What has tweets in it.
pub(super) enum Found<'a> {
    /// One tweet; already counted.
    Tweet(Tweet<'a>),
    /// A user's texts, which whoever looks at them counts.
    Group(Group<'a>),
}

/// Parses a frame, counts it, and shows it to `look` if there are tweets in it.
pub(super) fn read_frame(
    frame: &Frame<'_>,
    options: &ReplayOptions,
    parser: &mut Parser,
    intake: &mut Intake,
    look: impl FnOnce(Found<'_>, &mut Intake),
) {
    intake.frames += 1;
    if frame.bytes.len() > options.max_record_bytes {
        intake.records += 1;
        intake.reject(Reject::TooLarge.name(), frame.offset);
        return;
    }
    parser.parse(frame.bytes, |record| {
        intake.records += u64::from(record.is_ok());
        match record {
            Ok(Record::Tweet(tweet)) => {
                intake.tweet();
                look(Found::Tweet(tweet), intake);
            }
            // Its texts have no bytes of their own to send.
            Ok(Record::Group(_)) if options.payload == PayloadForm::Raw => {
                intake.reject("user-grouped (not with --payload raw)", frame.offset);
            }
            Ok(Record::Group(group)) => look(Found::Group(group), intake),
            Ok(Record::Reject(reject)) => intake.reject(reject.name(), frame.offset),
            Err(_) => intake.unparseable(frame.offset),
        }
    });
}
