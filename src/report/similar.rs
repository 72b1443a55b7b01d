//! What somebody meant who typed something like it.

/// How alike two words are that one can be taken for the other; 1 is the same.
const ALIKE: f64 = 0.8;

/// The name most like `typed`; `None` where none is.
pub fn similar<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let alike = names.into_iter().map(|name| (strsim::jaro(&typed, name), name));
    let alike = alike.filter(|(likeness, _)| *likeness >= ALIKE);
    alike.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_words() {
        let names = ["inspect", "generate", "compare"];
        for typed in ["inspetc", "Inspect", "inspekt", "inspet"] {
            assert_eq!(similar(typed, names), Some("inspect"), "{typed}");
        }
        for typed in ["", "tweets.json", "import", "data"] {
            assert_eq!(similar(typed, names), None, "{typed}");
        }
    }
}
