//! Hashtags of a tweet: as its record lists them, or found in its text where the record does not
//! list any (users with their texts, hand-made files, archives and v2 without entities).
//!
//! The rule is Twitter's own, from its public `twitter-text` library: letters, marks, digits and
//! underscores, with at least one letter, after `#` or `＃`, not inside a word or a URL. A
//! consequence: `#a#b` has no hashtag at all.

use super::json::Json;
use super::members::{Each, Hashtag};

/// Where the hashtags of a tweet are.
#[derive(Debug, Clone, Copy, Default)]
pub enum Hashtags<'a> {
    /// The record says nothing about hashtags: those in the text, if any.
    #[default]
    InText,
    /// The record's array: objects with a `text` or a `tag`, or texts.
    Listed(Json<'a, Each<Hashtag>>),
    /// The record has entities, without hashtags among them.
    None,
}

/// The hashtags in a text, without their signs, in order; duplicates are kept.
pub fn hashtags_in(text: &str) -> impl Iterator<Item = &str> {
    // The full-width sign is EF BC 83; other characters begin with EF, too.
    memchr::memchr2_iter(b'#', 0xEF, text.as_bytes()).filter_map(move |at| hashtag_at(text, at))
}

fn hashtag_at(text: &str, at: usize) -> Option<&str> {
    let (before, behind) = text.split_at_checked(at)?;
    let tag = behind.strip_prefix(['#', '＃'])?;
    if before.chars().next_back().is_some_and(|last| last == '&' || is_part(last)) {
        return None;
    }
    let (tag, rest) = tag.split_at(tag.find(|c| !is_part(c)).unwrap_or(tag.len()));
    let ends_well = !rest.starts_with(['#', '＃']) && !rest.starts_with("://");
    let has_letter = tag.contains(|c: char| c.is_alphabetic() || is_mark(c));
    (ends_well && has_letter && !ends_in_url(before.as_bytes())).then_some(tag)
}

/// Whether a `#` after `before` is part of an address: `https://a.b/#c`, `a.bc/#d`.
fn ends_in_url(before: &[u8]) -> bool {
    // Longer than any address in a tweet, but bounded: texts may be long and full of signs.
    const LONGEST: usize = 512;
    let is_url = |byte: &u8| byte.is_ascii_graphic() && !b"\"'<>(){}[],;!".contains(byte);
    let tail = &before[before.len().saturating_sub(LONGEST)..];
    let url = tail.rsplit(|byte| !is_url(byte)).next().and_then(|url| std::str::from_utf8(url).ok());
    let Some((url, (host, _))) = url.and_then(|url| Some((url, url.split_once('/')?))) else { return false };
    let is_domain = |host: &str| {
        host.rsplit_once('.').is_some_and(|(name, top)| {
            name.ends_with(|c: char| c.is_ascii_alphanumeric())
                && top.len() >= 2
                && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
    };
    url.contains("://") || is_domain(host)
}

/// Whether a hashtag may contain this character.
fn is_part(c: char) -> bool {
    // Signs inside words: joiners, middle dots, the dashes and marks of Hebrew, Tibetan and
    // Japanese.
    const WITHIN: &[char] = &[
        '_', '·', '\u{5BE}', '\u{5F3}', '\u{5F4}', '\u{F0B}', '\u{F0C}', '\u{200C}', '\u{200D}', '〃', '〜',
        '\u{309B}', '\u{309C}', '゠', '・', '\u{A67E}', '～',
    ];
    c.is_alphanumeric() || (if c.is_ascii() { c == '_' } else { WITHIN.contains(&c) || is_mark(c) })
}

/// Marks that the standard library does not count as alphabetic, of scripts in common use: accents,
/// the viramas and nuktas of India and its neighbours, tone signs.
fn is_mark(c: char) -> bool {
    const MARKS: &[(u32, u32)] = &[
        (0x300, 0x36F),
        (0x483, 0x487),
        (0x591, 0x5AF),
        (0x610, 0x61A),
        (0x64B, 0x65F),
        (0x6D6, 0x6DC),
        (0x6DF, 0x6E8),
        (0x6EA, 0x6ED),
        (0x93C, 0x93C),
        (0x94D, 0x954),
        (0x9BC, 0x9BC),
        (0x9CD, 0x9CD),
        (0xA3C, 0xA3C),
        (0xA4D, 0xA4D),
        (0xABC, 0xABC),
        (0xACD, 0xACD),
        (0xB3C, 0xB3C),
        (0xB4D, 0xB4D),
        (0xBCD, 0xBCD),
        (0xC4D, 0xC4D),
        (0xCBC, 0xCBC),
        (0xCCD, 0xCCD),
        (0xD3B, 0xD3C),
        (0xD4D, 0xD4D),
        (0xDCA, 0xDCA),
        (0xE38, 0xE3A),
        (0xE47, 0xE4E),
        (0xEB8, 0xEBA),
        (0xEC8, 0xECE),
        (0xF39, 0xF39),
        (0xF84, 0xF84),
        (0x1037, 0x103A),
        (0x17C9, 0x17D3),
        (0x17DD, 0x17DD),
        (0x3099, 0x309A),
        (0xFE20, 0xFE2F),
    ];
    let c = u32::from(c);
    MARKS.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(text: &str) -> Vec<&str> {
        hashtags_in(text).collect()
    }

    #[test]
    fn in_the_scripts_that_people_write_in() {
        for (text, expected) in [
            (
                "After \"today\"\n#AmericaFirst #Trump2016  https://t.co/PPsyxGPdFc",
                vec!["AmericaFirst", "Trump2016"],
            ),
            ("방송 #방탄소년단 화이팅 #아이유😀", vec!["방탄소년단", "아이유"]),
            ("😀#tag️ #ok👍🏽", vec!["tag", "ok"]),
            ("全角 ＃ｈａｓｈｔａｇ１２３ できました！#日本語。", vec!["ｈａｓｈｔａｇ１２３", "日本語"]),
            ("#メ～テレ #サッカー #ﾊｯｼｭﾀｸﾞ #各〃", vec!["メ～テレ", "サッカー", "ﾊｯｼｭﾀｸﾞ", "各〃"]),
            ("#महात्मा_१२३४ #தமிழ் #ශ්‍රීලංකා #বাংলা", vec!["महात्मा_१२३४", "தமிழ்", "ශ්‍රීලංකා", "বাংলা"]),
            ("#ผู้เริ่ม #မြင့်မြတ်သော #បេះដូង #བོད་སྐད", vec!["ผู้เริ่ม", "မြင့်မြတ်သော", "បេះដូង", "བོད་སྐད"]),
            ("#برنامه_نویسی #سلام٤٠٦ #עַל־יְדֵי", vec!["برنامه_نویسی", "سلام٤٠٦", "עַל־יְדֵי"]),
            (
                "#año #Čeština #il·lusió #e\u{301}te\u{301}",
                vec!["año", "Čeština", "il·lusió", "e\u{301}te\u{301}"],
            ),
        ] {
            assert_eq!(tags(text), expected, "{text}");
        }
    }

    #[test]
    fn not_inside_words_addresses_and_numbers() {
        for text in [
            "a#b",
            "#a#b",
            "#a＃b",
            "日本語#日本語",
            "#123",
            "On the #16 bus",
            "#_ #1_2 #〃",
            "#",
            "##",
            "# a",
            "#️⃣ 1",
            "&#39;it",
            "https://x.yz/#a",
            "see twitter.com/#a",
            "#http://x.yz",
            "https://x.yz/a?b=c#d",
            "＃",
            "！ｅ",
        ] {
            assert_eq!(tags(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn whatever_else_stands_around_it() {
        assert_eq!(
            tags(":#a ;#b ,#c .#d (#e) \"#f\" and/#g &amp;#h ##i"),
            ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
        );
        assert_eq!(tags("#1a, #a1. #a-b #a's #a: #a"), ["1a", "a1", "a", "a", "a", "a"]);
        assert_eq!(tags("https://t.co/x #a https://t.co/x\n#b (https://t.co/x)#c"), ["a", "b", "c"]);
    }

    #[test]
    fn a_long_text_full_of_signs_does_not_take_forever() {
        assert_eq!(hashtags_in(&"#a.".repeat(60_000)).count(), 60_000);
        assert_eq!(hashtags_in(&"#".repeat(60_000)).count(), 0);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, mixed in "[#＃a1_ 한é&/:.]{0,24}") {
            for text in [&text, &mixed] {
                for tag in hashtags_in(text) {
                    prop_assert!(!tag.is_empty() && text.contains(tag) && tag.chars().all(is_part));
                }
            }
        }
    }
}
