//! The words of dates, by language: as a policy writes them, and as they are looked up.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

/// The words with which one language dates things; `[languages.NAME.dates]` of a policy.
///
/// A `*` at the end of a word stands for any ending; ` … ` between two for up to some words of the same sentence.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateWords {
    /// The names of the twelve months, January first; several names of one between commas.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    months: Names<12>,
    /// The names of the seven days, Monday first.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    weekdays: Names<7>,
    /// Words for numbers: `two = 2`.
    #[serde(default)]
    numbers: BTreeMap<String, u32>,
    /// Words for lengths of time.
    #[serde(default)]
    units: BTreeMap<Unit, Vec<String>>,
    /// Words for days, with how many days from the day of writing they are: `tomorrow = 1`.
    #[serde(default)]
    days: BTreeMap<String, i64>,
    /// The same for words that mean the end of the day: `tonight = 0`.
    #[serde(default)]
    nights: BTreeMap<String, i64>,
    /// All other words, by what they do.
    #[serde(default)]
    words: BTreeMap<Class, Vec<String>>,
}

impl DateWords {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.months.0.is_empty() || !self.words.is_empty()
    }
}

/// As many names as there are, or none.
#[derive(Debug, Clone, Default)]
struct Names<const COUNT: usize>(Vec<String>);

impl<'de, const COUNT: usize> Deserialize<'de> for Names<COUNT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        if !names.is_empty() && names.len() != COUNT {
            return Err(D::Error::custom(format!("there are {COUNT} of them, and these are {}", names.len())));
        }
        Ok(Names(names))
    }
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// A day of the calendar.
    Day,
    /// Seven days, from Monday.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

/// What a word does for a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    // Parts of dates.
    /// Before a length of time that is still to pass: `in` two days.
    In,
    /// Behind such a length: two days `from now`.
    Ahead,
    /// Behind a length of time that remains: two days `left`.
    Left,
    /// Before one: `noch` zwei Tage.
    LeftBefore,
    /// Behind a length of time that has passed: two days `ago`.
    Ago,
    /// Before one: `vor` zwei Tagen.
    AgoBefore,
    /// Makes a length of time uncertain: `less than` two days.
    Vague,
    /// Of this week, month or year.
    This,
    /// Of the one after it.
    Next,
    /// Of the one before it.
    Last,
    /// The last day of what follows: `end of` May.
    EndOf,
    /// The last day of this month.
    MonthEnd,
    /// The last day of this year.
    YearEnd,
    /// The end of a day: `EOD`.
    DayEnd,
    /// Late on a day: `night`.
    Night,
    /// The start or the end of a day.
    Midnight,
    /// 12:00.
    Noon,
    /// Behind an hour before noon.
    Am,
    /// Behind an hour after noon.
    Pm,
    /// Behind an hour: `18 Uhr`.
    Hour,
    /// Behind the number of a year: `年`.
    YearMark,
    /// Behind the number of a month: `月`.
    MonthMark,
    /// Behind the number of a day: `日`.
    DayMark,
    /// Behind the number of a day: `th`.
    Ordinal,
    /// Before the number of a day alone: `am` 20.
    OnDay,
    /// Between a day and its month: `of`.
    Of,
    // Words around dates.
    /// Begins a range: `from`.
    From,
    /// Ends a range: `until`.
    To,
    /// Before a date that has passed: `since`.
    Since,
    /// Before a date by which something else must be done: `before`.
    Before,
    /// Before the latest date at which something happens: `by`.
    By,
    /// What this program is about: `licence`.
    Licence,
    /// What ends too, and is no licence: `certificate`, `invoice`.
    Other,
    /// It ends, of nothing but licences and the like: `expires`.
    Expires,
    /// It has: `expired`.
    Expired,
    /// The name of such an end: `expiry date`.
    Expiry,
    /// It ends, of anything: `stops`.
    Ends,
    /// It has ended, of anything: `stopped`.
    Ended,
    /// The end of anything: `end`.
    End,
    /// It holds up to a date: `valid`.
    Valid,
    /// Between two dates it runs: `term`.
    Term,
    /// It began: `started`, `bought`.
    Started,
    /// It was renewed or paid.
    Renewed,
    /// It shall be longer: `extend`.
    Wish,
    /// It has been made longer: `was extended`.
    Extended,
    /// It must be paid or renewed: `due`.
    Due,
    /// Something else that happened: `locked`.
    Happened,
    /// The newer of two licences.
    New,
    /// The older of two licences, or the one in use.
    Former,
    /// It is not taken: `cannot be uploaded`.
    Refused,
    /// Begins a condition: `if`.
    If,
    /// Somebody else says so: `as you say`.
    Disputes,
    /// Begins a question about what is so: `does`.
    Asks,
    /// Turns the word behind it into its opposite.
    Denies,
    /// Begins another clause, which denies no longer: `but`.
    But,
    /// Begins another clause.
    And,
    /// Says nothing.
    Light,
}

/// What one word or phrase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// The month, from 1.
    Month(u32),
    /// The day of the week, from 0 for Monday.
    Weekday(u32),
    Number(u32),
    Unit(Unit),
    /// A day, counted from the day of writing.
    Day(i64),
    /// The end of one.
    Night(i64),
    Word(Class),
    /// The first part of a phrase in two parts, by its number.
    Opens(Class, usize),
    /// The second.
    Closes(usize),
}

/// The words of all languages of a policy.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// By the first word; the longest first.
    phrases: HashMap<String, Vec<Phrase>>,
    /// Words by what they begin with, under the first bytes of that; the longest first.
    stems: HashMap<[u8; STEM], Vec<(String, Vec<Sense>)>>,
    /// Phrases of scripts without blanks, by their first letter; the longest first.
    unspaced: HashMap<char, Vec<(String, Vec<Sense>)>>,
    /// Long words that are known when misspelt, under their first bytes.
    misspelt: HashMap<[u8; STEM], Vec<String>>,
}

#[derive(Debug)]
struct Phrase {
    rest: Vec<String>,
    senses: Vec<Sense>,
}

/// What of a stem it is looked up by, bytes; none is shorter.
const STEM: usize = 2;

/// The shortest word that is known when misspelt, letters.
const SHORTEST_MISSPELT: usize = 6;

fn head(word: &str) -> Option<[u8; STEM]> {
    word.as_bytes().first_chunk().copied()
}

impl Vocabulary {
    pub(super) fn new<'a>(languages: impl Iterator<Item = &'a DateWords>) -> Vocabulary {
        let mut senses: BTreeMap<String, Vec<Sense>> = BTreeMap::new();
        let mut pairs = 0;
        let mut add = |text: &str, sense: Sense| {
            let text = text.trim().to_lowercase();
            let mut one = |text: &str, sense: Sense| {
                let known = senses.entry(text.to_owned()).or_default();
                if !text.is_empty() && !known.contains(&sense) {
                    known.push(sense);
                }
            };
            match (text.split_once(" … "), sense) {
                (Some((opens, closes)), Sense::Word(class)) => {
                    pairs += 1;
                    one(opens, Sense::Opens(class, pairs));
                    one(closes, Sense::Closes(pairs));
                }
                _ => one(&text, sense),
            }
        };
        for language in languages {
            for (names, month) in language.months.0.iter().zip(1..) {
                names.split(',').for_each(|name| add(name, Sense::Month(month)));
            }
            for (names, day) in language.weekdays.0.iter().zip(0..) {
                names.split(',').for_each(|name| add(name, Sense::Weekday(day)));
            }
            language.numbers.iter().for_each(|(word, number)| add(word, Sense::Number(*number)));
            for (unit, words) in &language.units {
                words.iter().for_each(|word| add(word, Sense::Unit(*unit)));
            }
            language.days.iter().for_each(|(word, days)| add(word, Sense::Day(*days)));
            language.nights.iter().for_each(|(word, days)| add(word, Sense::Night(*days)));
            for (class, words) in &language.words {
                words.iter().for_each(|word| add(word, Sense::Word(*class)));
            }
        }
        let mut vocabulary = Vocabulary::default();
        senses.into_iter().for_each(|(text, senses)| vocabulary.take(&text, senses));
        vocabulary.phrases.values_mut().for_each(|all| all.sort_by_key(|one| std::cmp::Reverse(one.rest.len())));
        vocabulary.stems.values_mut().for_each(|all| all.sort_by_key(|one| std::cmp::Reverse(one.0.len())));
        vocabulary.unspaced.values_mut().for_each(|all| all.sort_by_key(|one| std::cmp::Reverse(one.0.len())));
        vocabulary
    }

    fn take(&mut self, text: &str, senses: Vec<Sense>) {
        let Some(first) = text.chars().next() else { return };
        if super::cut::unspaced(first) {
            self.unspaced.entry(first).or_default().push((text.to_owned(), senses));
            return;
        }
        let word = text.trim_end_matches('*');
        let long = !text.contains(' ') && word.chars().count() >= SHORTEST_MISSPELT;
        if let Some(head) = head(word).filter(|_| long && senses.iter().any(known_misspelt)) {
            self.misspelt.entry(head).or_default().push(text.to_owned());
        }
        match text.strip_suffix('*').filter(|stem| !stem.contains(' ')) {
            Some(stem) => {
                let head = head(stem).unwrap_or_default();
                self.stems.entry(head).or_default().push((stem.to_owned(), senses));
            }
            None => {
                let mut words = super::cut::words(text);
                let first = words.next().unwrap_or_default();
                self.phrases.entry(first).or_default().push(Phrase { rest: words.collect(), senses });
            }
        }
    }

    /// What the longest phrase says that begins with `word` and goes on as `next` does, and how many words follow.
    pub(super) fn phrase<'n>(&self, word: &str, next: impl Fn(usize) -> Option<&'n str>) -> Option<(&[Sense], usize)> {
        let fits = |phrase: &&Phrase| {
            phrase.rest.iter().zip(0..).all(|(wanted, at)| match (wanted.strip_suffix('*'), next(at)) {
                (Some(stem), Some(word)) => word.starts_with(stem),
                (None, Some(word)) => word == wanted,
                (_, None) => false,
            })
        };
        let found = self.phrases.get(word).and_then(|phrases| phrases.iter().find(fits));
        found.map(|phrase| (phrase.senses.as_slice(), phrase.rest.len())).or_else(|| Some((self.stem(word)?, 0)))
    }

    fn stem(&self, word: &str) -> Option<&[Sense]> {
        let (_, senses) = self.stems.get(&head(word)?)?.iter().find(|(stem, _)| word.starts_with(stem.as_str()))?;
        Some(senses)
    }

    /// What the longest phrase says that a text in a script without blanks begins with, and its length in bytes.
    pub(super) fn leading(&self, text: &str) -> Option<(&[Sense], usize)> {
        let phrases = self.unspaced.get(&text.chars().next()?)?;
        let (phrase, senses) = phrases.iter().find(|(phrase, _)| text.starts_with(phrase.as_str()))?;
        Some((senses, phrase.len()))
    }

    /// What a word says that is one slip away from a long word for a licence or its end.
    pub(super) fn misspelt(&self, word: &str) -> Option<&[Sense]> {
        if word.len() < SHORTEST_MISSPELT || !word.is_ascii() {
            return None;
        }
        let near = self.misspelt.get(&head(word)?)?.iter().find(|text| match text.strip_suffix('*') {
            Some(stem) => one_slip(word.as_bytes(), stem.as_bytes(), |rest, meant| rest.starts_with(meant)),
            None => one_slip(word.as_bytes(), text.as_bytes(), |rest, meant| rest == meant),
        })?;
        match near.strip_suffix('*') {
            Some(stem) => self.stem(stem),
            None => self.phrase(near, |_| None).map(|(senses, _)| senses),
        }
    }
}

/// Whether one letter is too many, too few, wrong, or changed places with the next; `goes_on` compares what follows it.
fn one_slip(word: &[u8], meant: &[u8], goes_on: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let same = word.iter().zip(meant).take_while(|(one, other)| one == other).count();
    let (word, meant) = (word.get(same..).unwrap_or_default(), meant.get(same..).unwrap_or_default());
    let (word_rest, meant_rest) = (word.get(1..).unwrap_or_default(), meant.get(1..).unwrap_or_default());
    let swapped = || match (word, meant) {
        ([a, b, word @ ..], [c, d, meant @ ..]) => (a, b) == (d, c) && goes_on(word, meant),
        _ => false,
    };
    goes_on(word_rest, meant_rest) || goes_on(word_rest, meant) || goes_on(word, meant_rest) || swapped()
}

fn known_misspelt(sense: &Sense) -> bool {
    matches!(
        sense,
        Sense::Month(_) | Sense::Word(Class::Licence | Class::Expires | Class::Expired | Class::Expiry | Class::Valid)
    )
}
