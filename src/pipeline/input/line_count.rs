//! The lines of places in a file, which the reader counts in bytes.

/// Counts on from the place before, so that places in the order of the input cost one pass.
#[derive(Default)]
pub(crate) struct LineCount {
    file: u32,
    offset: usize,
    /// Line ends before it.
    ends: u64,
}

impl LineCount {
    /// The line of a byte of this file, from 1.
    pub fn of(&mut self, file: u32, bytes: &[u8], offset: usize) -> u64 {
        if self.file != file || offset < self.offset {
            *self = Self { file, ..Self::default() };
        }
        let between = bytes.get(self.offset..offset).unwrap_or_default();
        self.ends += memchr::memchr_iter(b'\n', between).count() as u64;
        self.offset = offset.min(bytes.len());
        self.ends + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_on_from_the_one_before() {
        let (bytes, mut lines) = (b"a\nb\n\nc", LineCount::default());
        assert_eq!([0, 2, 5, 2, 5].map(|offset| lines.of(0, bytes, offset)), [1, 2, 4, 2, 4]);
        assert_eq!((lines.of(1, bytes, 2), lines.of(0, bytes, 5)), (2, 4));
    }
}
