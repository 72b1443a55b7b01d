//! Guesses what a file without JSON is, so that a message can name it.

/// What it is, and what to do about it: empty, or starting with a separator.
pub type Form = (&'static str, &'static str);

/// Signatures at the start of files (each from its format's description).
const SIGNATURES: [(&[u8], Form); 17] = [
    (b"\xff\xfe", ("UTF-16 text", "; convert it first: iconv -f UTF-16 -t UTF-8 FILE")),
    (b"\xfe\xff", ("UTF-16 text", "; convert it first: iconv -f UTF-16 -t UTF-8 FILE")),
    (b"BZh", ("a bzip2 file", "; unpack it on the way: bzcat FILE | tweetblast -")),
    (b"\xfd7zXZ\0", ("an xz file", "; unpack it on the way: xzcat FILE | tweetblast -")),
    (b"PK\x03\x04", ("a zip archive", "; unpack it first: unzip FILE")),
    (b"7z\xbc\xaf\x27\x1c", ("a 7-Zip archive", "; unpack it first: 7z x FILE")),
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

/// What `head` looks like: the first bytes of a file without a JSON object on any line.
pub fn looks_like(head: &[u8]) -> Form {
    if let Some((_, form)) = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        return *form;
    }
    if head.get(257..262) == Some(b"ustar") {
        return ("a tar archive", "; unpack it first: tar xf FILE");
    }
    if head.contains(&0) {
        return ("binary data", "");
    }
    let start = head.trim_ascii_start();
    if start.starts_with(b"{'") || start.starts_with(b"{u'") {
        return ("Python dictionaries, not JSON", "; write them with json.dumps instead of print or str");
    }
    if start.starts_with(b"{") || start.starts_with(b"[") {
        return ("broken JSON", "");
    }
    let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let (first, second) = (lines.next().unwrap_or_default(), lines.next());
    let separated = |by: u8| {
        let count = |line: &[u8]| line.iter().filter(|byte| **byte == by).count();
        count(first) > 0 && second.is_none_or(|second| count(second) >= count(first))
    };
    if separated(b'\t') {
        ("a table separated by tabs (TSV)", "; convert its rows to JSON first")
    } else if separated(b',') || separated(b';') {
        ("a table (CSV)", "; convert its rows to JSON first")
    } else {
        ("text, no JSON", "")
    }
}
