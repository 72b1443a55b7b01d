//! Who may come in: users and the hashes of their passwords, as `tweetblast passwd` writes them.

use std::collections::BTreeMap;
use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Longest password: MQTT counts it in 16 bits.
const PASSWORD_MAX_BYTES: usize = u16::MAX as usize;

/// Users by name.
#[derive(Clone, PartialEq, Eq)]
pub struct MqttUsers {
    hashes: BTreeMap<String, String>,
    /// What the password of an unknown user is compared with, so that it takes as long as that of a known one.
    decoy: String,
}

impl MqttUsers {
    /// Reads lines of `USER:HASH`; empty ones and those that begin with # are skipped.
    ///
    /// # Errors
    /// With the number of a line that cannot be read. What is in it is not shown.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut hashes = BTreeMap::new();
        for (at, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = at + 1;
            let (user, hash) =
                line.split_once(':').filter(|(user, _)| !user.is_empty()).ok_or_else(|| {
                    format!("line {number} is not USER:HASH; `tweetblast passwd USER` prints such a line")
                })?;
            if PasswordHash::new(hash).is_err() {
                return Err(format!("line {number} has no hash; `tweetblast passwd USER` makes one"));
            }
            if hashes.insert(user.to_owned(), hash.to_owned()).is_some() {
                return Err(format!("line {number} names a user for the second time"));
            }
        }
        Ok(Self { hashes, decoy: hash_password(b"")? })
    }

    /// Whether this user has this password. Takes tens of milliseconds of CPU.
    pub fn has(&self, user: &str, password: &[u8]) -> bool {
        let known = self.hashes.get(user);
        let Ok(hash) = PasswordHash::new(known.unwrap_or(&self.decoy)) else { return false };
        let fits = Argon2::default().verify_password(password, &hash).is_ok();
        fits && known.is_some()
    }
}

impl fmt::Debug for MqttUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MQTT users", self.hashes.len())
    }
}

/// Argon2id of a password, with a random salt, as text.
///
/// # Errors
/// When it is longer than MQTT can carry, or the system has no random numbers.
pub fn hash_password(password: &[u8]) -> Result<String, String> {
    if password.len() > PASSWORD_MAX_BYTES {
        return Err(format!("a password has at most {PASSWORD_MAX_BYTES} bytes"));
    }
    let hash = Argon2::default().hash_password(password);
    hash.map(|hash| hash.to_string()).map_err(|error| format!("cannot hash the password: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_comes_in_with_the_right_password_alone() {
        let hash = hash_password("påss".as_bytes()).unwrap();
        assert!(hash.starts_with("$argon2id$") && hash != hash_password("påss".as_bytes()).unwrap());
        let users = MqttUsers::read(&format!("# ours\n\nme:{hash}\n")).unwrap();
        assert!(users.has("me", "påss".as_bytes()));
        assert!(!users.has("me", b"pass") && !users.has("me", b"") && !users.has("you", "påss".as_bytes()));
        assert!(!users.has("you", b""), "the decoy is nobody's password");
        assert!(!format!("{users:?}").contains("argon2"));
    }

    #[test]
    fn a_wrong_line_is_named_and_not_shown() {
        let hash = hash_password(b"x").unwrap();
        for (text, line) in [
            ("s3cret".to_owned(), "line 1"),
            ("\nme:s3cret".to_owned(), "line 2"),
            (format!(":{hash}"), "line 1"),
            (format!("a:{hash}\na:{hash}"), "line 2"),
        ] {
            let error = MqttUsers::read(&text).unwrap_err();
            assert!(error.starts_with(line) && !error.contains("s3cret"), "{error}");
        }
    }
}
