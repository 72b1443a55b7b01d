//! The words of made-up tweets, by language. Data only.
//!
//! A sentence is a subject, a predicate and an ending, so a dozen of each give thousands of
//! different sentences. In every language all subjects agree with all predicates. No real person,
//! product or event is named.

mod latin;
mod non_latin;

/// One language and its words.
#[derive(Debug)]
pub(in crate::generate) struct Language {
    /// The code that goes into `lang`.
    pub code: &'static str,
    /// How many of a hundred users write in it.
    pub users_percent: u32,
    /// The separator between words and between sentences: nothing in Japanese.
    pub space: &'static str,
    pub subjects: &'static [&'static str],
    pub predicates: &'static [&'static str],
    pub ends: &'static [&'static str],
    pub hashtags: &'static [&'static str],
    /// Display names of users.
    pub names: &'static [&'static str],
}

/// A place where a tweet can be written.
#[derive(Debug)]
pub(in crate::generate) struct City {
    pub id: &'static str,
    pub name: &'static str,
    pub country: &'static str,
    pub country_code: &'static str,
    /// Degrees north and degrees east.
    pub lat: f64,
    pub lon: f64,
}

const fn city(
    id: &'static str,
    name: &'static str,
    country: &'static str,
    country_code: &'static str,
    lat: f64,
    lon: f64,
) -> City {
    City { id, name, country, country_code, lat, lon }
}

pub(in crate::generate) static CITIES: &[City] = &[
    city("01a9a39529b27f36", "Chicago", "United States", "US", 41.85, -87.65),
    city("5d231ed8656fcf5a", "Bristol", "United Kingdom", "GB", 51.45, -2.58),
    city("06ef846bfc783874", "横浜市", "日本", "JP", 35.44, 139.64),
    city("7e21aa2bd4f7d2a9", "부산", "대한민국", "KR", 35.18, 129.07),
    city("0c5e2d1cb5a1f6d3", "Valparaíso", "Chile", "CL", -33.04, -71.61),
    city("68e019afec7d0ba5", "São Paulo", "Brasil", "BR", -23.55, -46.63),
    city("09f6a7707f18e0b1", "Marseille", "France", "FR", 43.30, 5.37),
    city("5e02a0f0d91c76d2", "İzmir", "Türkiye", "TR", 38.42, 27.14),
    city("0a8b3cc1d6d72e94", "الإسكندرية", "مصر", "EG", 31.20, 29.92),
    city("01864a8a64df9dc4", "Melbourne", "Australia", "AU", -37.81, 144.96),
];

/// What people write in the location field of their profile.
pub(in crate::generate) static PROFILE_LOCATIONS: &[&str] = &[
    "between two trains",
    "東のほう",
    "cerca del mar",
    "여기저기",
    "up a hill / down a hill",
    "perto do rio",
    "deniz kıyısı",
    "بين الكتب",
    "51.45, -2.58",
    "🌍",
];

/// Name and page of the programs that tweets are sent with.
pub(in crate::generate) static CLIENTS: &[(&str, &str)] = &[
    ("Birdcage for Phones", "https://example.com/birdcage/phone"),
    ("Birdcage Web", "https://example.com/birdcage"),
    ("Perch", "https://perch.example/app"),
    ("Slow Feather", "https://feather.example"),
    ("ことり", "https://kotori.example/"),
    ("Timed \"Later\" Posts", "https://later.example/about"),
];

/// Hashtags of bursts: made-up events that everybody writes about at once.
pub(in crate::generate) static BURST_TOPICS: &[&str] =
    &["LanternCup", "HarbourLights", "GoldenHeron", "MoonriseLive", "TeapotDay", "SignalFire"];

/// Some are one code point, some several (skin tone, flag, zero-width joiner).
pub(in crate::generate) static EMOJI: &[&str] = &[
    "😀",
    "😂",
    "🥲",
    "😍",
    "🤔",
    "👀",
    "☕️",
    "🌧️",
    "🚂",
    "⚽️",
    "🐈",
    "🌙",
    "🎺",
    "📚",
    "❤️",
    "🔥",
    "✨",
    "🙏🏽",
    "👏🏿",
    "👩‍🚀",
    "👨‍👩‍👧‍👦",
    "🇯🇵",
    "🇧🇷",
    "🏳️‍🌈",
];

/// Rare endings that test a reader: backslashes, tabs, entities, quotes, a slash, bare brackets.
pub(in crate::generate) static ODD_ENDS: &[&str] = &[
    " ¯\\_(ツ)_/¯",
    " (see C:\\temp\\tea.txt)",
    "\n\n— the end —",
    "\n1.\ttea\n2.\tmore tea",
    " \"and/or\" &lt;3",
    " {\"not\": [\"json\"]}",
    " 100% & counting",
];

/// Both halves of screen names; with the number after them they stay within 15 characters.
pub(in crate::generate) static HANDLE_FIRST: &[&str] =
    &["slow", "Late", "quiet", "Odd", "tiny", "Blue", "lucky", "Salt"];
pub(in crate::generate) static HANDLE_SECOND: &[&str] =
    &["Heron", "Kettle", "Ferry", "otter", "Lamp", "fern", "Cloud", "Moth"];

/// Roughly in the order of their shares.
pub(in crate::generate) static LANGUAGES: [&Language; 8] = [
    &latin::ENGLISH,
    &non_latin::JAPANESE,
    &latin::SPANISH,
    &latin::PORTUGUESE,
    &non_latin::ARABIC,
    &non_latin::KOREAN,
    &latin::FRENCH,
    &latin::TURKISH,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_the_languages_add_up_to_a_hundred() {
        let sum: u32 = LANGUAGES.iter().map(|language| language.users_percent).sum();
        assert_eq!(sum, 100);
    }

    #[test]
    fn hashtags_are_one_word() {
        let tags = LANGUAGES.iter().flat_map(|language| language.hashtags).chain(BURST_TOPICS);
        for tag in tags {
            assert!(tag.chars().all(|c| c.is_alphanumeric() || c == '_'), "{tag}");
        }
    }
}
