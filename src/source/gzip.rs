//! The members of a gzip file, one after another.
//!
//! What follows the last one is padding if it is zeros (tapes and some tools fill up blocks), and otherwise not
//! gzip: it is not read, and a warning says so, as `gzip -dc` has it.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;

use super::error::name;

/// Unpacks all members.
pub(super) struct GzipMembers<R> {
    path: PathBuf,
    /// The current member; `None` after the last one.
    member: Option<GzDecoder<R>>,
    /// Whether it is the first.
    is_first: bool,
    /// Whether bytes of it have come out.
    has_begun: bool,
}

impl<R: BufRead> GzipMembers<R> {
    pub fn new(path: &Path, input: R) -> Self {
        let member = Some(GzDecoder::new(input));
        Self { path: path.to_owned(), member, is_first: true, has_begun: false }
    }

    /// The member after the one that has ended, if there is one.
    fn next_member(&mut self, ended: GzDecoder<R>) -> io::Result<Option<GzDecoder<R>>> {
        const MAGIC: [u8; 2] = [0x1F, 0x8B];
        let mut input = ended.into_inner();
        loop {
            let bytes = input.fill_buf()?;
            match bytes.iter().position(|byte| *byte != 0) {
                None if bytes.is_empty() => return Ok(None),
                None => {
                    let zeros = bytes.len();
                    input.consume(zeros);
                }
                // The buffer may end between the two.
                Some(at) if MAGIC.starts_with(&bytes[at..bytes.len().min(at + 2)]) => {
                    input.consume(at);
                    return Ok(Some(GzDecoder::new(input)));
                }
                Some(_) => {
                    self.warn();
                    return Ok(None);
                }
            }
        }
    }

    fn warn(&self) {
        tracing::warn!("{}: what follows its gzip data is not gzip, and was not read", name(&self.path));
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(buffer) {
                Ok(0) if !buffer.is_empty() => {
                    if let Some(ended) = self.member.take() {
                        self.member = self.next_member(ended)?;
                    }
                    (self.is_first, self.has_begun) = (false, false);
                }
                Ok(length) => {
                    self.has_begun = true;
                    return Ok(length);
                }
                // Its header is none.
                Err(error)
                    if error.kind() == io::ErrorKind::InvalidInput && !self.is_first && !self.has_begun =>
                {
                    self.warn();
                    self.member = None;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(0)
    }
}
