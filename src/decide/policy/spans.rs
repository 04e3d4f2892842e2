//! Spans of time in the words of a picture: `24h`, `48 hrs`, `2 days`, `a week`.

use std::sync::LazyLock;

use regex::Regex;

const HOUR: i64 = 3_600_000;

/// Units behind digits alone: `24h`.
const LETTERS: [(&str, i64); 3] = [("h", HOUR), ("d", 24 * HOUR), ("w", 7 * 24 * HOUR)];

/// What a unit is called, and how many milliseconds it has.
const UNITS: [(&str, i64); 6] = [
    ("hours?|hrs?|stunden?|std|heures?|horas?", HOUR),
    ("days?|tage?n?|jours?|d[ií]as?", 24 * HOUR),
    ("weeks?|wks?|wochen?|semaines?|semanas?", 7 * 24 * HOUR),
    ("months?|monate?n?|mois|mes(?:es)?", 30 * 24 * HOUR),
    ("minutes?|mins?|minuten?", HOUR / 60),
    ("years?|yrs?|jahre?n?", 365 * 24 * HOUR),
];

/// Numbers as words.
const NUMBERS: [(&str, i64); 13] = [
    ("an?|one|eine?[mnrs]?|une?", 1),
    ("two|zwei|deux|dos", 2),
    ("three|drei|trois|tres", 3),
    ("four|vier|quatre|cuatro", 4),
    ("five|fünf|cinq|cinco", 5),
    ("six|sechs", 6),
    ("seven|sieben|sept|siete", 7),
    ("ten|zehn|dix|diez", 10),
    ("twelve|zwölf|douze|doce", 12),
    ("fourteen|vierzehn", 14),
    ("twenty|zwanzig|vingt|veinte", 20),
    ("thirty|dreißig|trente|treinta", 30),
    ("half an?|halb\\w*", 0),
];

struct Spelling {
    whole: Regex,
    units: Vec<(Regex, i64)>,
    numbers: Vec<(Regex, i64)>,
}

static SPELLING: LazyLock<Option<Spelling>> = LazyLock::new(|| {
    let alternatives = |all: &[(&str, i64)]| all.iter().map(|(text, _)| *text).collect::<Vec<_>>().join("|");
    let (numbers, units, letters) = (alternatives(&NUMBERS), alternatives(&UNITS), alternatives(&LETTERS));
    let one = |text: &str| Regex::new(&format!("(?i)^(?:{text})$")).ok();
    let each =
        |all: &[(&str, i64)]| all.iter().map(|(text, value)| Some((one(text)?, *value))).collect::<Option<Vec<_>>>();
    let digits = format!(r"(?<digits>[0-9]+(?:[.,][0-9]+)?)[\s\u{{a0}}-]*(?<unit>{units}|{letters})");
    let worded = format!(r"(?<number>{numbers})[\s\u{{a0}}-]+(?<units>{units})");
    Some(Spelling {
        whole: Regex::new(&format!(r"(?i)\b(?:{digits}|{worded})\b")).ok()?,
        units: each(&[UNITS.as_slice(), &LETTERS].concat())?,
        numbers: each(&NUMBERS)?,
    })
});

/// The spans a text names, each with its words and its milliseconds; `1 day and 12 hours` is one.
pub(super) fn told(text: &str) -> Vec<(String, i64)> {
    let Some(spelling) = SPELLING.as_ref() else { return Vec::new() };
    let mut told: Vec<(std::ops::Range<usize>, i64)> = Vec::new();
    for found in spelling.whole.captures_iter(text) {
        let (Some(whole), Some(number), Some(unit)) =
            (found.get(0), found.name("digits").or(found.name("number")), found.name("unit").or(found.name("units")))
        else {
            continue;
        };
        let find =
            |all: &[(Regex, i64)], text: &str| all.iter().find(|(one, _)| one.is_match(text)).map(|(_, value)| *value);
        let Some(unit) = find(&spelling.units, unit.as_str()) else { continue };
        let millis = match find(&spelling.numbers, number.as_str()) {
            Some(0) => unit / 2,
            Some(number) => number.saturating_mul(unit),
            None => decimal(number.as_str(), unit),
        };
        match told.last_mut() {
            Some((before, sum)) if joins(text.get(before.end..whole.start()).unwrap_or_default()) => {
                before.end = whole.end();
                *sum = sum.saturating_add(millis);
            }
            _ => told.push((whole.range(), millis)),
        }
    }
    told.into_iter().map(|(range, millis)| (text.get(range).unwrap_or_default().to_owned(), millis)).collect()
}

/// A span as a binding has it: `24h`, `3d`.
pub(super) fn written(millis: i64) -> String {
    match millis {
        whole if whole % (24 * HOUR) == 0 && whole > 48 * HOUR => format!("{}d", whole / (24 * HOUR)),
        whole if whole % HOUR == 0 => format!("{}h", whole / HOUR),
        odd => humantime::format_duration(std::time::Duration::from_millis(odd.unsigned_abs())).to_string(),
    }
}

/// Whether what stands between two spans makes them one.
fn joins(between: &str) -> bool {
    ["", ",", "and", "und", "et", "y", "+"].contains(&between.trim().to_lowercase().as_str())
}

/// `1.5` of a unit, in milliseconds.
fn decimal(number: &str, unit: i64) -> i64 {
    let number = number.replace(',', ".");
    let (whole, part) = number.split_once('.').unwrap_or((&number, ""));
    let whole = whole.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(unit);
    let digits = part.len().min(6);
    let part = part.get(..digits).and_then(|part| part.parse::<i64>().ok()).unwrap_or(0);
    let scale = 10_i64.saturating_pow(u32::try_from(digits).unwrap_or(0));
    whole.saturating_add(part.saturating_mul(unit) / scale)
}
