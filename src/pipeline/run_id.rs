//! The id that distinguishes a run from others.

use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;

/// Short, sortable by time, and never the same twice: the second, and a random tail to distinguish
/// two runs in one second.
pub(crate) fn new_run_id() -> String {
    const TAIL: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = random_u64();
    let tail = std::iter::repeat_with(|| {
        random = random.rotate_right(5);
        char::from(TAIL[(random % 32) as usize])
    });
    let second = Timestamp::now().strftime("%Y%m%dT%H%M%S").to_string();
    format!("{second}-{}", tail.take(4).collect::<String>())
}

/// Different each time, in this process and in others.
pub(crate) fn random_u64() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_need_no_escapes_and_differ() {
        let ids: std::collections::HashSet<String> = (0..100).map(|_| new_run_id()).collect();
        assert!(ids.len() > 95, "four random characters: {}", ids.len());
        for id in ids {
            assert_eq!(id.len(), 20);
            assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{id}");
        }
    }
}
