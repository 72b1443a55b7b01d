//! Guesses what a file without JSON is, so that a message can name it.

use crate::scan::container_end;

/// What it is, and what to do about it: empty, or starting with a separator.
pub type Form = (&'static str, &'static str);

/// What begins as JSON does.
pub const BROKEN: &str = "broken JSON";

/// What begins as nothing that is known.
pub const TEXT: &str = "text, not JSON";

/// Compressed files and archives that are not read: their signatures, what each is, and what a tar archive is in
/// which it is found. The signatures are those of each format's description.
const PACKED: [(&[u8], Form, Form); 12] = [
    (
        b"BZh",
        ("a bzip2 file", "; unpack it on the way: bzcat FILE | tweetblast -"),
        ("a tar archive of bzip2 files", "; unpack them on the way: tar xOf FILE | bzcat | tweetblast -"),
    ),
    (
        b"\xfd7zXZ\0",
        ("an xz file", "; unpack it on the way: xzcat FILE | tweetblast -"),
        ("a tar archive of xz files", "; unpack them on the way: tar xOf FILE | xzcat | tweetblast -"),
    ),
    (
        b"]\0\0",
        ("an LZMA file", "; unpack it on the way: xzcat --format=lzma FILE | tweetblast -"),
        ("a tar archive of LZMA files", UNPACK_FIRST),
    ),
    (
        b"\x04\x22\x4d\x18",
        ("an lz4 file", "; unpack it on the way: lz4 -dc FILE | tweetblast -"),
        ("a tar archive of lz4 files", "; unpack them on the way: tar xOf FILE | lz4 -dc | tweetblast -"),
    ),
    (
        b"LZIP",
        ("an lzip file", "; unpack it on the way: lzip -dc FILE | tweetblast -"),
        ("a tar archive of lzip files", "; unpack them on the way: tar xOf FILE | lzip -dc | tweetblast -"),
    ),
    (
        b"\x1f\x9d",
        ("a file made by compress", "; unpack it on the way: gzip -dc FILE | tweetblast -"),
        ("a tar archive of files made by compress", UNPACK_FIRST),
    ),
    (
        b"\x89LZO\0",
        ("an lzop file", "; unpack it on the way: lzop -dc FILE | tweetblast -"),
        ("a tar archive of lzop files", UNPACK_FIRST),
    ),
    (
        b"\xff\x06\0\0sNaPpY",
        ("a Snappy file", "; unpack it first"),
        ("a tar archive of Snappy files", UNPACK_FIRST),
    ),
    (
        b"PK\x03\x04",
        ("a zip archive", "; unpack it on the way: unzip -p FILE | tweetblast -"),
        ("a tar archive of zip archives", UNPACK_FIRST),
    ),
    (b"PK\x05\x06", ("an empty zip archive", ""), ("a tar archive of zip archives", UNPACK_FIRST)),
    (
        b"7z\xbc\xaf\x27\x1c",
        ("a 7-Zip archive", "; unpack it on the way: 7z x -so FILE | tweetblast -"),
        ("a tar archive of 7-Zip archives", UNPACK_FIRST),
    ),
    (
        b"Rar!\x1a\x07",
        ("a RAR archive", "; unpack it on the way: unrar p -inul FILE | tweetblast -"),
        ("a tar archive of RAR archives", UNPACK_FIRST),
    ),
];

const UNPACK_FIRST: &str = "; unpack it first: tar xf FILE";

/// Other signatures at the start of files.
const SIGNATURES: [(&[u8], Form); 13] = [
    (b"\xff\xfe", ("UTF-16 text", "; convert it on the way: iconv -f UTF-16 -t UTF-8 FILE | tweetblast -")),
    (b"\xfe\xff", ("UTF-16 text", "; convert it on the way: iconv -f UTF-16 -t UTF-8 FILE | tweetblast -")),
    (b"\x89PNG", ("a PNG image", "")),
    (b"\xff\xd8\xff", ("a JPEG image", "")),
    (b"GIF8", ("a GIF image", "")),
    (b"RIFF", ("a WebP image or a sound", "")),
    (b"%PDF", ("a PDF document", "")),
    (b"SQLite format 3\0", ("an SQLite database", "; export its rows as JSON first")),
    (b"PAR1", ("a Parquet file", "; convert it to JSON lines first")),
    (b"Obj\x01", ("an Avro file", "; convert it to JSON lines first")),
    (b"\x7fELF", ("a program", "")),
    (b"<?xml", ("XML", "")),
    (b"<", ("HTML or XML", "")),
];

/// Whether a file of this form, with this hint, is one that nobody means to replay, where it is one of several.
pub fn has_no_tweets(form: &str, hint: &str) -> bool {
    (hint.is_empty() && form != BROKEN) || form == TABLE.0
}

/// A table among files of tweets: it is about their users, or a copy of them.
pub const TABLE: Form = ("a table (CSV)", "; name it by itself: tweetblast FILE");

/// The same in a tar archive, whose other files are read one after another.
pub const TABLE_IN_TAR: &str = "a table (CSV): tar xOf ARCHIVE NAME | tweetblast - reads it";

/// What compressed file or archive begins like this, if it is one that is not read. Its bytes may have JSON in
/// them, line by line: an archive may only store its files.
pub fn packed(head: &[u8]) -> Option<Form> {
    packed_row(head).map(|(_, form, _)| form)
}

/// What a tar archive is, in which a file begins like this.
pub fn packed_in_tar(head: &[u8]) -> Option<Form> {
    packed_row(head).map(|(.., form)| form)
}

fn packed_row(head: &[u8]) -> Option<(&'static [u8], Form, Form)> {
    // A text may begin with BZh, too.
    let is_bzip2 = || head.get(3).is_none_or(u8::is_ascii_digit);
    let row = PACKED.iter().find(|(signature, ..)| head.starts_with(signature))?;
    (row.0 != b"BZh" || is_bzip2()).then_some(*row)
}

/// What `head` looks like: the first bytes of a file without a JSON object on any line.
pub fn looks_like(head: &[u8]) -> Form {
    let signature = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature));
    if let Some(form) = packed(head).or(signature.map(|(_, form)| *form)) {
        return form;
    }
    if head.contains(&0) {
        return ("binary data", "");
    }
    let start = head.trim_ascii_start();
    if let Some(form) = wrapped(start) {
        return form;
    }
    if start.starts_with(b"{") || start.starts_with(b"[") {
        return (BROKEN, "");
    }
    (TEXT, "")
}

/// JSON, or nearly, with something around each record.
fn wrapped(start: &[u8]) -> Option<Form> {
    const PYTHON: &str =
        "; write them with json.dumps (of tweepy's objects: their _json) instead of print or str";
    let lines = || start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let (first, is_name) = (lines().next()?, |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_');
    if start.starts_with(b"\x1e") {
        return Some((
            "a JSON text sequence (RFC 7464)",
            "; take its marks out: tr -d '\\036' <FILE | tweetblast -",
        ));
    }
    if start.starts_with(b"{'") || start.starts_with(b"{u'") || start.starts_with(b"[{'") {
        return Some(("Python dictionaries, not JSON", PYTHON));
    }
    let name_end = first.iter().position(|byte| !is_name(byte) && *byte != b'[').unwrap_or(first.len());
    let is_object = name_end > 0 && first[name_end..].starts_with(b"(") && first.contains(&b'=');
    if is_object {
        return Some(("Python objects, not JSON", PYTHON));
    }
    let is_event =
        |line: &[u8]| [&b"data:"[..], b"event:", b"id:", b"retry:"].iter().any(|name| line.starts_with(name));
    if is_event(first) && lines().any(|line| line.starts_with(b"data:")) {
        return Some((
            "server-sent events (SSE), not JSON",
            "; take the JSON out of them: sed -n 's/^data: *//p' FILE | tweetblast -",
        ));
    }
    if first.starts_with(b"\"{\\\"") || first.starts_with(b"\"{}") {
        return Some(("JSON inside strings", "; unpack them: jq -c fromjson FILE | tweetblast -"));
    }
    let object = memchr::memchr(b'{', first)?;
    let has_object = object > 0 && container_end(first, object) == Some(first.len());
    has_object.then_some((
        "JSON after something else on the line",
        "; take that away: sed 's/^[^{]*//' FILE | tweetblast -",
    ))
}
