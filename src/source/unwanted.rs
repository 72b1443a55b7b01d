//! Files beside the tweets in a folder or an archive, which nobody means to replay.

use std::path::{Component, Path};

use super::error::name;

/// Why a file is skipped, judging by its name; `None`: it may have tweets.
pub fn unwanted(path: &Path) -> Option<&'static str> {
    let is_hidden = |part: Component<'_>| match part {
        Component::Normal(part) => {
            part.as_encoded_bytes().starts_with(b".") || part.as_encoded_bytes() == b"__MACOSX"
        }
        _ => false,
    };
    let file = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let (stem, extension) = file.rsplit_once('.').unwrap_or((&file, ""));
    let is_text = matches!(extension, "" | "txt" | "md" | "rst" | "html" | "pdf");
    const CHECKSUMS: [&str; 9] =
        ["md5", "md5sum", "sha1", "sha1sum", "sha256", "sha256sum", "sha512", "sha512sum", "sfv"];
    const SUMS: [&str; 6] = ["md5sums", "sha1sums", "sha256sums", "sha512sums", "checksums", "checksum"];
    const TEXTS: [&str; 6] = ["readme", "license", "licence", "copying", "notice", "changelog"];
    match () {
        () if path.components().any(is_hidden) => Some("hidden"),
        () if CHECKSUMS.contains(&extension) || (is_text && SUMS.contains(&stem)) => Some("checksums"),
        () if matches!(extension, "asc" | "sig") => Some("a signature"),
        () if is_text && TEXTS.contains(&stem) => Some("about the others"),
        () => None,
    }
}

/// The files of a folder or an archive that were skipped, and how many were not.
#[derive(Debug, Default)]
pub struct SkippedFiles {
    names: Vec<(String, &'static str)>,
    /// Skipped beyond those whose names are kept.
    more: u64,
    pub read: u64,
}

/// Names that are kept for the message.
const NAMES: usize = 5;

impl SkippedFiles {
    /// Notes one, with the reason.
    pub fn add(&mut self, path: &Path, why: &'static str) {
        if self.names.len() < NAMES {
            self.names.push((path.display().to_string(), why));
        } else {
            self.more += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The first of them with their reasons, for a message.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = self.names.iter().map(|(name, why)| format!("{name} ({why})")).collect();
        if self.more > 0 {
            words.push(format!("{} more", indicatif::HumanCount(self.more)));
        }
        words.join(", ")
    }

    /// Warns of them.
    pub fn remark(&self, folder: &Path) {
        if !self.is_empty() {
            tracing::warn!("{}: skipped {}", name(folder), self.words());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_about_the_others_are_known_and_no_other() {
        for (name, why) in [
            ("README", Some("about the others")),
            ("a/Readme.md", Some("about the others")),
            ("readme.json", None),
            ("tweets.json.md5", Some("checksums")),
            ("SHA256SUMS", Some("checksums")),
            ("checksums.txt", Some("checksums")),
            ("tweets.json.asc", Some("a signature")),
            ("._tweets.json", Some("hidden")),
            ("__MACOSX/tweets.json", Some("hidden")),
            ("./2021/01/00.json.gz", None),
            ("../tweets.json", None),
            ("notices.jsonl", None),
            ("tweets", None),
        ] {
            assert_eq!(unwanted(Path::new(name)), why, "{name}");
        }
    }

    #[test]
    fn only_the_first_are_named() {
        let mut skipped = SkippedFiles::default();
        (0..7).for_each(|number| skipped.add(Path::new(&format!("{number}")), "empty"));
        assert_eq!(skipped.words(), "0 (empty), 1 (empty), 2 (empty), 3 (empty), 4 (empty), 2 more");
    }
}
