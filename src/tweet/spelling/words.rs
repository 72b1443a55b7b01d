//! Words in times: months, days of the week, halves of the day, zones.

/// What a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// From 1.
    Month(i64),
    /// A month that is a day of the week in another language: `mar` is March and *martes*.
    PerhapsMonth(i64),
    /// Before noon: 0, after it: 12.
    HalfDay(i64),
    /// A day of the week, or a word between numbers: they repeat what the date says.
    Filler,
}

/// The word without accents and in lower case, as the tables have it.
fn plain(word: &str) -> String {
    let plain = |c: char| match c {
        'á' | 'à' | 'â' | 'ä' | 'ã' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        c => c,
    };
    word.trim_end_matches('.').to_lowercase().chars().map(plain).filter(|c| *c != '.').collect()
}

/// What a word stands for; `None`: it may be a zone.
pub(super) fn word(word: &str) -> Option<Word> {
    let word = plain(word);
    if word == "mar" {
        return Some(Word::PerhapsMonth(3));
    }
    let has = |list: &&str| list.split(' ').any(|name| name == word);
    if let Some(at) = MONTHS.iter().position(has) {
        return Some(Word::Month(at as i64 + 1));
    }
    match &word[..] {
        "am" | "上午" | "午前" | "오전" => Some(Word::HalfDay(0)),
        "pm" | "下午" | "午後" | "오후" => Some(Word::HalfDay(12)),
        _ if FILLERS.iter().any(has) => Some(Word::Filler),
        _ => None,
    }
}

/// The months in English, German, French, Spanish, Italian, Portuguese and Dutch, whole and as they are
/// shortened, without accents.
const MONTHS: [&str; 12] = [
    "jan january januar janner janvier janv enero ene gennaio gen janeiro januari",
    "feb february februar fevrier fevr fev febrero febbraio fevereiro februari",
    "march marz maerz mrz mars marzo marco maart mrt",
    "apr april avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "jun june juni juin junio giugno giu junho",
    "jul july juli juillet juil julio luglio lug julho",
    "aug august aout agosto ago augustus",
    "sep sept september septembre septiembre setiembre settembre set setembro",
    "oct october oktober okt octobre octubre ottobre ott outubro out",
    "nov november novembre noviembre novembro",
    "dec december dezember dez decembre diciembre dic dicembre dezembro",
];

/// Days of the week, and words between the parts of a date.
const FILLERS: [&str; 6] = [
    "mon monday tue tues tuesday wed weds wednesday thu thur thurs thursday fri friday sat saturday sun sunday",
    "mo montag di dienstag mi mittwoch do donnerstag fr freitag sa samstag sonnabend so sonntag",
    "lun lundi mardi mer mercredi jeu jeudi ven vendredi sam samedi dim dimanche",
    "lunes martes mie miercoles jue jueves vie viernes sab sabado dom domingo",
    "lunedi martedi mercoledi giovedi venerdi sabato",
    "at of the on de del den el le um uhr",
];

/// Hours and minutes east of UTC that a zone's word stands for, in minutes; `None`: no such word, or one of
/// zones that are hours apart (`CST`, `IST`, `BST`).
pub(super) fn zone_minutes(word: &str) -> Option<i64> {
    let hours = match word.to_ascii_uppercase().as_str() {
        "Z" | "UTC" | "GMT" | "UT" | "WET" => 0,
        "CET" | "WEST" => 1,
        "CEST" | "EET" | "SAST" => 2,
        "EEST" | "MSK" | "TRT" => 3,
        "PKT" => 5,
        "WIB" => 7,
        "HKT" | "SGT" => 8,
        "KST" | "JST" => 9,
        "AEST" => 10,
        "AEDT" => 11,
        "NZST" => 12,
        "NZDT" => 13,
        "BRT" | "ART" => -3,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" | "AKDT" => -8,
        "AKST" => -9,
        "HST" => -10,
        "ACST" => return Some(9 * 60 + 30),
        _ => return None,
    };
    Some(hours * 60)
}
