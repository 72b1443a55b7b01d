//! Any bytes as a table with each delimiter: in pieces its rows are those of the whole, each on the line where it
//! begins, and what is not a row says why.

use tweetblast::source::TableReader;

pub fn check(file: &[u8]) {
    for delimiter in *b",;\t|" {
        let whole = read(file, delimiter, usize::MAX);
        for piece in [1, 7] {
            // One byte at a time takes long.
            if file.len() < 4_096 * piece {
                assert!(read(file, delimiter, piece) == whole, "in pieces of {piece}");
            }
        }
        for line in whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match line.strip_prefix(b"{") {
                Some(_) => {
                    let object: Result<serde_json::Map<String, serde_json::Value>, _> =
                        serde_json::from_slice(line);
                    assert!(
                        object.is_ok_and(|object| !object.is_empty()),
                        "{}",
                        String::from_utf8_lossy(line)
                    );
                }
                None => assert!(line.ends_with(b")"), "{}", String::from_utf8_lossy(line)),
            }
        }
        // A lone carriage return ends a row, too.
        if !file.contains(&b'\r') {
            let ends = file.iter().filter(|byte| **byte == b'\n').count();
            let lines = whole.iter().filter(|byte| **byte == b'\n').count();
            let has_end = file.is_empty() || file.ends_with(b"\n");
            assert!(
                lines == ends + usize::from(!has_end) || lines == ends,
                "{lines} lines for {ends} line ends"
            );
        }
    }
}

fn read(file: &[u8], delimiter: u8, piece: usize) -> Vec<u8> {
    let mut table = TableReader::new(delimiter);
    let mut json: Vec<u8> = file.chunks(piece).flat_map(|piece| table.push(piece)).collect();
    json.extend(table.finish());
    json
}
