//! The scans for the ends of values. In tests the bytes are counted that they look at, and a test says how many
//! these may be: a loop without an end and a scan that is repeated for each element fail there, without a clock.

#[cfg(not(test))]
pub use crate::scan::{container_end, strict_end};

#[cfg(test)]
pub use counted::{container_end, steps_of, strict_end};

/// Counts a step of a loop, or this many bytes that are looked at.
#[inline(always)]
#[cfg_attr(not(test), expect(unused_variables, reason = "only tests count"))]
pub fn step(bytes: usize) {
    #[cfg(test)]
    counted::add(bytes);
}

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    use crate::scan::{self, Broken, string_end};

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
        static MOST: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    pub fn add(bytes: usize) {
        STEPS.set(STEPS.get() + bytes);
        assert!(STEPS.get() <= MOST.get(), "more than {} steps", MOST.get());
    }

    /// The steps that `work` takes.
    ///
    /// # Panics
    /// When it takes more than `most`.
    pub fn steps_of(most: usize, work: impl FnOnce()) -> usize {
        STEPS.set(0);
        MOST.set(most);
        work();
        MOST.set(usize::MAX);
        STEPS.get()
    }

    pub fn container_end(bytes: &[u8], start: usize) -> Option<usize> {
        let end = scan::container_end(bytes, start);
        add(end.unwrap_or_else(|| stops_at(bytes, start)) - start + 1);
        end
    }

    pub fn strict_end(bytes: &[u8], start: usize) -> Result<usize, Broken> {
        let end = scan::strict_end(bytes, start);
        add(end.unwrap_or_else(|broken| broken.position(bytes.len())) - start + 1);
        end
    }

    /// Where the scan for the end of a container gives up.
    fn stops_at(bytes: &[u8], start: usize) -> usize {
        let (mut depth, mut at) = (0usize, start);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => match string_end(bytes, at) {
                    Some(end) => {
                        at = end;
                        continue;
                    }
                    None => return memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end),
                },
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth <= 1 => return at,
                b'}' | b']' => depth -= 1,
                b'\\' => return at,
                _ => {}
            }
            at += 1;
        }
        at
    }
}
