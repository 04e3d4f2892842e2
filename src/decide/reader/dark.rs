//! Where a reader is in the dark: a script, a language or words that its examples do not have.

use std::collections::BTreeMap;

use super::example::Example;
use super::text;
use super::vectors::Vocabulary;

/// What the examples light up.
#[derive(Debug, Clone, Default)]
pub(super) struct Lit {
    /// The scripts with enough examples.
    pub scripts: Vec<Script>,
    /// The least share of a text's words that must be known.
    pub least: f64,
}

/// A script that people write in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Script {
    Latin,
    Japanese,
    Chinese,
    Korean,
    Cyrillic,
    Greek,
    Arabic,
    Hebrew,
    Thai,
    Indian,
    Other,
}

/// How many examples make a script a known one.
const ENOUGH: usize = 10;

/// How many words nobody needs to understand: `help`, a name.
const FEW: usize = 3;

impl Lit {
    /// What these examples light up.
    pub(super) fn by(examples: &[Example]) -> Lit {
        let mut counts: BTreeMap<Script, usize> = BTreeMap::new();
        examples.iter().filter_map(|example| script(&example.says)).for_each(|it| *counts.entry(it).or_default() += 1);
        let scripts = counts.into_iter().filter(|&(_, count)| count >= ENOUGH).map(|(script, _)| script).collect();
        Lit { scripts, least: LEAST }
    }

    /// Why a text cannot be read, in words; none where it can.
    pub(super) fn dark(&self, says: &str, vocabulary: &Vocabulary) -> Option<String> {
        let script = script(says)?;
        if !self.scripts.contains(&script) {
            return Some(format!("written in {}, of which I have no examples", script.name()));
        }
        if script != Script::Latin {
            return None; // The others tell a language from the next by themselves.
        }
        let (mut known, mut all) = (0, 0);
        for sentence in text::sentences(says) {
            let (some, of) = vocabulary.known(sentence);
            (known, all) = (known + some, all + of);
        }
        let share = super::calibrate::f64_of(known) / super::calibrate::f64_of(all.max(1));
        (all > FEW && share < self.least).then(|| "in words that are like none of my examples".to_owned())
    }
}

/// By measurement: nine of ten examples left out have more, and nearly every text in another language less.
const LEAST: f64 = 0.41;

impl Script {
    fn of(character: char) -> Option<Script> {
        Some(match character {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
            '\u{3040}'..='\u{30ff}' => Script::Japanese,
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => Script::Chinese,
            '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' => Script::Korean,
            '\u{400}'..='\u{52f}' => Script::Cyrillic,
            '\u{370}'..='\u{3ff}' => Script::Greek,
            '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => Script::Arabic,
            '\u{590}'..='\u{5ff}' => Script::Hebrew,
            '\u{e00}'..='\u{e7f}' => Script::Thai,
            '\u{900}'..='\u{dff}' => Script::Indian,
            other if other.is_alphabetic() && !other.is_ascii() => Script::Other,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Script::Latin => "Latin letters",
            Script::Japanese => "Japanese",
            Script::Chinese => "Chinese",
            Script::Korean => "Korean",
            Script::Cyrillic => "Cyrillic letters",
            Script::Greek => "Greek",
            Script::Arabic => "Arabic letters",
            Script::Hebrew => "Hebrew",
            Script::Thai => "Thai",
            Script::Indian => "an Indian script",
            Script::Other => "letters I do not know",
        }
    }
}

/// The script of a text: the rarest in use that has a third of its letters, so that English words in a Japanese mail do not
/// make it Latin; kana make Chinese characters Japanese.
fn script(says: &str) -> Option<Script> {
    let mut counts: BTreeMap<Script, usize> = BTreeMap::new();
    says.chars().filter_map(Script::of).for_each(|script| *counts.entry(script).or_default() += 1);
    if counts.contains_key(&Script::Japanese) {
        let han = counts.remove(&Script::Chinese).unwrap_or(0);
        *counts.entry(Script::Japanese).or_default() += han;
    }
    let all: usize = counts.values().sum();
    // A character of a script without an alphabet says as much as several letters.
    let other = counts.iter().filter(|&(script, count)| *script != Script::Latin && count * 5 >= all);
    let foreign = other.max_by_key(|&(_, count)| count).map(|(&script, _)| script);
    foreign.or_else(|| counts.contains_key(&Script::Latin).then_some(Script::Latin))
}
