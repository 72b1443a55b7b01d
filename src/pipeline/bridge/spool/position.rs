//! The note of what is done.

use std::io;
use std::path::Path;

/// Its name. In it: the number of the first message that is not done, and the CRC-32C of that.
const POSITION: &str = "position";

/// Writes down which messages are done.
pub(super) fn write_position(dir: &Path, done_to: u64) -> io::Result<()> {
    let text = done_to.to_string();
    let crc = crc32c::crc32c(text.as_bytes());
    let path = dir.join(POSITION);
    let next = path.with_extension("next");
    std::fs::write(&next, format!("{text} {crc:08x}\n"))?;
    std::fs::rename(next, path)
}

/// 0 where it is not known: then messages come twice, and none is lost.
pub(super) fn read_position(dir: &Path) -> u64 {
    let text = std::fs::read_to_string(dir.join(POSITION)).unwrap_or_default();
    let Some((number, crc)) = text.trim().split_once(' ') else { return 0 };
    let is_whole = u32::from_str_radix(crc, 16) == Ok(crc32c::crc32c(number.as_bytes()));
    number.parse().ok().filter(|_| is_whole).unwrap_or(0)
}
