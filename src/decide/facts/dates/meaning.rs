//! What each date in people's words dates.

use chrono::{DateTime, Utc};

use super::clauses::{self, Boundary, Ends, Sentence};
use super::clock::Unsaid;
use super::cues::{self, Cue, Way};
use super::spelled::{self, Spelled, What};
use super::tokens::{self, Kind, Token};
use super::vocabulary::{Class, Unit, Vocabulary};
use super::{Context, Means, Mention, Tense, Unread, When, Which, resolve};

/// How many dates of one text are weighed, so that the longest takes no longer than a page.
const MOST: usize = 60;

pub(super) fn mentions(text: &str, vocabulary: &Vocabulary, written: DateTime<Utc>) -> Vec<Mention> {
    let mut tokens = tokens::read(text, vocabulary);
    let mut dates = spelled::all(&tokens);
    dates.truncate(MOST);
    if dates.is_empty() {
        return Vec::new();
    }
    let sentences = clauses::sentences(text, &tokens, &dates);
    let dated = |sentence: &Sentence| dates.iter().any(|date| sentence.from <= date.from && date.from < sentence.to);
    for sentence in sentences.iter().filter(|sentence| dated(sentence)) {
        for token in tokens.get_mut(sentence.from..sentence.to).unwrap_or_default() {
            if let (Kind::Word(word), true) = (&token.kind, token.senses.is_empty()) {
                token.senses = vocabulary.misspelt(word).unwrap_or_default();
            }
        }
    }
    let mut found: Vec<Mention> = Vec::new();
    for sentence in sentences.into_iter().filter(dated) {
        let cues = cues::all(&tokens, sentence, &dates);
        let speech = Speech { text, tokens: &tokens, dates: &dates, sentence, cues };
        let mut started = None;
        for date in dates.iter().filter(|date| sentence.from <= date.from && date.from < sentence.to) {
            let (means, tense) = speech.means(date);
            let base = started.filter(|_| matches!(date.what, What::Length(_, Unit::Year | Unit::Month)));
            let context = Context { written: base.unwrap_or(written), tense, unsaid: Unsaid::Anywhere };
            let when = resolve::resolve(date, speech.words(date.from, date.to), &context);
            if matches!(when, Err(Unread::NoDate)) {
                continue;
            }
            if let (Means::Started, Ok(When::Day(day))) = (means, &when) {
                started = Some(day.and_time(written.time()).and_utc());
            }
            let means = if tense == Tense::Past && passes(&when, written) { Means::Disputed } else { means };
            let sentence = speech.words(sentence.from, sentence.to).trim().to_owned();
            found.push(Mention { when, means, sentence });
        }
    }
    found
}

/// The verbs for an end.
const ENDS: [Class; 4] = [Class::Expires, Class::Expired, Class::Ends, Class::Ended];

/// What a cue costs that is surely a date's own.
const NEAR: usize = 2;

/// Whether a date is still to come, of which is said that it has passed; people write before midnight of other zones.
fn passes(when: &Result<When, Unread>, written: DateTime<Utc>) -> bool {
    let span = when.as_ref().ok().and_then(When::span);
    span.is_some_and(|span| span.from > written + chrono::Duration::days(2))
}

/// One sentence with what is known of it.
struct Speech<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    dates: &'a [Spelled],
    sentence: Sentence,
    cues: Vec<Cue>,
}

/// What stands directly before a date, or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Led {
    To,
    From,
    Since,
    Before,
    By,
    Nothing,
}

/// What a verb or a name speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// A licence, and the token that says so.
    Licence(usize),
    Other,
    Nothing,
}

impl<'a> Speech<'a> {
    fn words(&self, from: usize, to: usize) -> &'a str {
        let at = self.tokens.get(from).map_or(0, |token| token.at);
        let end = to.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.end);
        self.text.get(at..end).unwrap_or_default()
    }

    fn has(&self, date: &Spelled) -> bool {
        self.sentence.from <= date.from && date.from < self.sentence.to
    }

    /// What a date means, and whether that has passed.
    fn means(&self, date: &Spelled) -> (Means, Tense) {
        let led = self.led(date);
        // `Last year our licence expired on 30 Nov` is long over.
        let last_year = |other: &Spelled| other.what == What::Ahead(-1, Unit::Year);
        let own: Vec<&Spelled> = self.dates.iter().filter(|other| self.has(other)).collect();
        if own.len() > 1 && own.into_iter().any(last_year) {
            return (Means::Unknown, Tense::Past);
        }
        if let Some(of_range) = self.of_range(date) {
            return (of_range, Tense::Unsaid);
        }
        if matches!(date.what, What::Remaining(..)) && matches!(self.about(date.from), About::Licence(_)) {
            return (self.ends(date, None, self.about(date.from)), Tense::Ahead);
        }
        let best = self.best(date);
        let wishes = |cue: &Cue| cue.class == Class::Wish;
        let wish = self.cues.iter().any(wishes);
        // `Extend our licence, which is valid until …` and `send us one valid until …` differ in what is wished.
        let holds = best.is_some_and(|(cue, way)| {
            let (from, to) = clauses::clause(self.tokens, self.sentence, self.dates, cue.last);
            let wished = self.cues.iter().filter(|cue| wishes(cue)).any(|wish| (from..to).contains(&wish.from));
            cue.class == Class::Valid && way.over.is_none() && !wished
        });
        let near = |way: Way| way.cost <= NEAR;
        match (led, best) {
            (Led::Before, _) => (Means::Unknown, Tense::Unsaid),
            (Led::By, best) if !best.is_some_and(|(cue, way)| ENDS.contains(&cue.class) && near(way)) => {
                (Means::Unknown, Tense::Unsaid)
            }
            (Led::To, _) if wish && !holds => (Means::Wished, Tense::Ahead),
            (_, None) => (self.alone(date, led), Tense::Ahead),
            (_, Some((cue, way))) => self.by(cue, way, date, led),
        }
    }

    /// What a date means by the cue that is nearest to it.
    fn by(&self, cue: Cue, way: Way, date: &Spelled, led: Led) -> (Means, Tense) {
        let about = self.about(cue.last);
        let past = if led == Led::Since { Tense::Past } else { Tense::Ahead };
        let ends = || self.ends(date, Some((cue, way)), about);
        match (cue.class, led) {
            (Class::Expires | Class::Ends | Class::Expired | Class::Ended, Led::To | Led::From) => {
                (Means::Unknown, Tense::Unsaid)
            }
            (Class::Expires | Class::Expired | Class::Expiry, _) if about == About::Other => (Means::Unknown, past),
            (Class::Expires, _) => (ends(), past),
            (Class::Expired, _) => (ends(), Tense::Past),
            (Class::Expiry, _) => (ends(), Tense::Unsaid),
            (Class::Ends | Class::Ended | Class::End, _) if !matches!(about, About::Licence(_)) => {
                (Means::Unknown, past)
            }
            (Class::Ends, _) => (ends(), past),
            (Class::Ended, _) => (ends(), Tense::Past),
            (Class::End, _) => (ends(), Tense::Unsaid),
            (Class::Valid | Class::Extended, Led::To) if about != About::Other => (ends(), Tense::Ahead),
            (Class::Renewed, Led::To) if about != About::Other => (Means::Ends(Which::New), Tense::Ahead),
            (Class::Valid | Class::Started | Class::Term, Led::From) => (Means::Started, Tense::Unsaid),
            (Class::Started, Led::Nothing | Led::Since) => (Means::Started, Tense::Unsaid),
            (Class::Renewed, _) => (Means::Renewed, Tense::Past),
            (Class::Wish, _) => (Means::Wished, Tense::Ahead),
            (Class::Due, _) if matches!(about, About::Licence(_)) => (ends(), Tense::Ahead),
            (Class::Due, _) => (Means::Due, Tense::Ahead),
            (Class::Happened, _) => (Means::Unknown, Tense::Past),
            _ => (Means::Unknown, Tense::Unsaid),
        }
    }

    /// What a date means that no cue is near: `our licence until 30 Nov`.
    fn alone(&self, date: &Spelled, led: Led) -> Means {
        let (from, _) = clauses::clause(self.tokens, self.sentence, self.dates, date.from);
        let before = self.tokens.get(from..date.from).unwrap_or_default();
        let Some(licence) = before.iter().rposition(|token| token.is(Class::Licence)) else { return Means::Unknown };
        let rest = before.get(licence + 1..).unwrap_or_default();
        let words = rest.iter().filter(|token| !cues::passes(token)).count();
        let denied = before.iter().any(|token| token.any(&[Class::Denies, Class::Other]));
        let about = About::Licence(from + licence);
        if led == Led::To && words == 0 && !denied { self.ends(date, None, about) } else { Means::Unknown }
    }

    /// That it ends: of which licence, and whether that is in doubt.
    fn ends(&self, date: &Spelled, by: Option<(Cue, Way)>, about: About) -> Means {
        if self.disputed(date, by) {
            return Means::Disputed;
        }
        let at = by.map_or(date.from, |(cue, _)| cue.from);
        let own = clauses::clause(self.tokens, self.sentence, self.dates, at);
        let named = match about {
            About::Licence(at) => clauses::clause(self.tokens, self.sentence, self.dates, at),
            About::Other | About::Nothing => own,
        };
        let says = |(from, to): (usize, usize), class: Class| {
            self.tokens.get(from..to).unwrap_or_default().iter().any(|token| token.is(class))
        };
        // `The licence (valid until …) is refused`: what follows the parenthesis is said of it, too.
        let behind = clauses::clause(self.tokens, self.sentence, self.dates, (own.1 + 1).min(self.sentence.to));
        let next = (behind.0, behind.1.max(behind.0));
        let former = says(named, Class::Former) || says(own, Class::Former);
        Means::Ends(match () {
            () if former => Which::Former,
            () if says(own, Class::Refused) || says(named, Class::Refused) || says(next, Class::Refused) => {
                Which::Refused
            }
            () if says(named, Class::New) || says(own, Class::New) => Which::New,
            () => Which::One,
        })
    }

    /// Whether it is denied, said under a condition, asked, or called somebody else's word.
    fn disputed(&self, date: &Spelled, by: Option<(Cue, Way)>) -> bool {
        let at = by.map_or(date.from, |(cue, _)| cue.last);
        let clause = |at: usize| clauses::clause(self.tokens, self.sentence, self.dates, at);
        let within = |(from, to): (usize, usize)| self.tokens.get(from..to).unwrap_or_default();
        let disputes = |bounds: (usize, usize)| within(bounds).iter().any(|token| token.is(Class::Disputes));
        let (own, dated) = (clause(at), clause(date.from));
        let next = clause((dated.1 + 1).min(self.sentence.to));
        let has_date = self.dates.iter().any(|date| (next.0..next.1).contains(&date.from));
        if disputes(own) || disputes(dated) || !has_date && disputes(next) {
            return true;
        }
        let sentence = within((self.sentence.from, self.sentence.to));
        let asks = sentence.iter().find(|token| token.mark().is_none()).is_some_and(|token| token.is(Class::Asks));
        if asks && self.sentence.ends == Ends::Asking {
            return true;
        }
        let Some((cue, way)) = by else { return false };
        let (from, _) = clauses::clause(self.tokens, self.sentence, self.dates, cue.from.min(date.from));
        let condition = from.checked_sub(1).and_then(|before| self.tokens.get(before));
        if condition.is_some_and(|token| clauses::boundary(token) == Some(Boundary::If)) {
            return true;
        }
        if way.over == Some(Boundary::But) {
            return false;
        }
        let denies = |token: &Token<'_>| token.is(Class::Denies);
        let before = self.tokens.get(from..cue.from).unwrap_or_default().iter().rev();
        let near = before.take(3).take_while(|token| cues::passes(token)).any(denies);
        let (first, last) = (cue.from.min(date.from), (cue.last + 1).max(date.from));
        let in_date = |at: &usize| date.from <= *at && *at < date.to;
        let mut inner = (first..last).filter(|at| !in_date(at)).filter_map(|at| self.tokens.get(at));
        let between = inner.any(denies);
        near || between || self.tokens.get(cue.last + 1).is_some_and(denies)
    }

    /// The cue that is nearest.
    fn best(&self, date: &Spelled) -> Option<(Cue, Way)> {
        let way = |cue: &Cue| Some((*cue, cues::way(self.tokens, self.sentence, self.dates, cue, date)?));
        self.cues.iter().filter_map(way).min_by_key(|(_, way)| way.cost)
    }

    /// What leads to a date, or follows it where prepositions do.
    fn led(&self, date: &Spelled) -> Led {
        let class = |token: &Token<'_>| match () {
            () if token.is(Class::To) => Some(Led::To),
            () if token.is(Class::Before) => Some(Led::Before),
            () if token.is(Class::By) => Some(Led::By),
            () if token.is(Class::Since) => Some(Led::Since),
            () if token.is(Class::From) => Some(Led::From),
            () => None,
        };
        let silent = |token: &&Token<'_>| {
            token.any(&[Class::Light, Class::OnDay, Class::Of, Class::EndOf, Class::In])
                || matches!(token.mark(), Some('"' | ':' | '=' | '\'' | '\n' | '*'))
        };
        let first = self.tokens.get(date.from).and_then(class).filter(|led| matches!(led, Led::Since | Led::To));
        let before = self.tokens.get(self.sentence.from..date.from).unwrap_or_default();
        let leading = before.iter().rev().take(4).find(|token| class(token).is_some() || !silent(token));
        let behind = self.tokens.get(date.to).filter(|token| self.follows(token));
        first.or_else(|| leading.and_then(class)).or_else(|| behind.and_then(class)).unwrap_or(Led::Nothing)
    }

    /// Whether a word follows what it leads to: Japanese and Korean ones do.
    fn follows(&self, token: &Token<'_>) -> bool {
        matches!(&token.kind, Kind::Word(word) if word.chars().next().is_some_and(super::cut::unspaced))
    }

    /// What is spoken of: the first licence or other thing of the clause, else the last one said before it.
    fn about(&self, at: usize) -> About {
        let (from, to) =
            clauses::clause(self.tokens, self.sentence, self.dates, at.min(self.sentence.to.saturating_sub(1)));
        let noun = |at: usize| {
            let token = self.tokens.get(at)?;
            match () {
                () if token.is(Class::Licence) => Some(About::Licence(at)),
                () if token.is(Class::Other) => Some(About::Other),
                () => None,
            }
        };
        (from..to).find_map(noun).or_else(|| (0..from).rev().find_map(noun)).unwrap_or(About::Nothing)
    }

    /// What a date means as the start or the end of a range; none where it is of none.
    fn of_range(&self, date: &Spelled) -> Option<Means> {
        let at = self.dates.iter().position(|other| other == date)?;
        let (before, after) = (at.checked_sub(1).and_then(|at| self.dates.get(at)), self.dates.get(at + 1));
        let starts = after.filter(|after| self.joined(date, after));
        let ends = before.filter(|before| self.joined(before, date));
        let (first, is_end) = match (starts, ends) {
            (_, Some(first)) => (first, true),
            (Some(_), None) => (date, false),
            (None, None) => return None,
        };
        let nearest = self.best(first);
        // `expires on 28 Nov - 3 days …`: no range begins behind a verb for its end.
        let single =
            nearest.is_some_and(|(cue, way)| ENDS.contains(&cue.class) && cue.last < first.from && way.cost == 0);
        if single && self.led(first) != Led::From {
            return is_end.then_some(Means::Unknown);
        }
        if self.cues.iter().any(|cue| cue.class == Class::Wish) {
            return Some(if is_end { Means::Wished } else { Means::Unknown });
        }
        let about = self.about(first.from);
        let term = self.cues.iter().any(|cue| matches!(cue.class, Class::Term | Class::Valid));
        let licence = matches!(about, About::Licence(_)) || term && about == About::Nothing;
        Some(match (licence, is_end) {
            (false, _) => Means::Unknown,
            (true, false) => Means::Started,
            (true, true) => self.ends(date, None, about),
        })
    }

    /// Whether two dates are the ends of a range: `A - B`, `A to B`.
    fn joined(&self, first: &Spelled, second: &Spelled) -> bool {
        let Some(between) = self.tokens.get(first.to..second.from) else { return false };
        let joins = |token: &Token<'_>| token.is(Class::To) || token.mark() == Some('-');
        let silent =
            |token: &Token<'_>| token.any(&[Class::Light, Class::OnDay, Class::From]) || token.mark() == Some('"');
        second.from < self.sentence.to
            && first.from >= self.sentence.from
            && between.iter().filter(|token| joins(token)).count() == 1
            && between.iter().all(|token| joins(token) || silent(token))
    }
}
