//! Whatever comes in from outside is read without a panic, and keeps its reader's promises.
//!
//! Inputs are the files of `corpus/`, each as it is and then changed at random a bounded number of times. An input that
//! fails is printed as small as it gets: mend the reader, and keep the input as a file of the corpus.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use secrecy::SecretString;
use serde_json::json;
use starwarden::decide::facts::dates::Unread;
use starwarden::decide::facts::replies::{self, Says};
use starwarden::decide::policy::Policy;
use starwarden::decide::policy::binding::Binding;
use starwarden::decide::policy::diagram::Diagram;
use starwarden::decide::policy::fault::Fault;
use starwarden::decide::ticket::{OwnUsers, Reading};
use starwarden::receive::delivery::{self, ParseError, Parsed};
use starwarden::receive::verify::{VerifyError, sign, verify};

use crate::support::star;

/// How an input is changed.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index, Index),
    Put(Index, &'static str),
    Twice(Index, Index),
    Swap(Index, Index),
}

/// What readers look for.
const WORDS: [&str; 30] = [
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "\r",
    "\t",
    "\0",
    "=",
    ",",
    ":",
    "|",
    "-->",
    "subgraph",
    "end",
    "star:",
    "ticket_id",
    "null",
    "-1",
    "18446744073709551616",
    "9999-12-31",
    "2026-02-30",
    "\u{202e}",
    "é",
    "🌟",
    "Nov",
    "(a|a)*",
    "&lt;",
];

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        (at(), at()).prop_map(|(from, to)| Change::Cut(from, to)),
        (at(), select(&WORDS[..])).prop_map(|(at, word)| Change::Put(at, word)),
        (at(), at()).prop_map(|(from, to)| Change::Twice(from, to)),
        (at(), at()).prop_map(|(from, to)| Change::Swap(from, to)),
    ]
}

fn changed(mut input: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = input.len();
        let at = |index: &Index| index.index(length + 1);
        let range = |one: &Index, other: &Index| {
            let (one, other) = (at(one), at(other));
            one.min(other)..one.max(other).min(one.min(other) + 400)
        };
        match change {
            Change::Flip(index, byte) if length > 0 => input[index.index(length)] ^= byte,
            Change::Flip(..) => {}
            Change::Cut(from, to) => drop(input.drain(range(from, to))),
            Change::Put(index, word) => drop(input.splice(at(index)..at(index), word.bytes())),
            Change::Twice(from, to) => {
                let part = input[range(from, to)].to_vec();
                let end = range(from, to).end;
                drop(input.splice(end..end, part));
            }
            Change::Swap(from, to) if length > 0 => input.swap(from.index(length), to.index(length)),
            Change::Swap(..) => {}
        }
    }
    input
}

/// Tries every file of `corpus/NAME`, and `cases` changed ones.
#[track_caller]
fn try_all(name: &str, cases: u32, reader: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).expect("the corpus").map(|file| file.expect("a file").path());
    let mut corpus: Vec<(String, Vec<u8>)> =
        files.map(|file| (file.display().to_string(), std::fs::read(&file).expect("a file"))).collect();
    corpus.sort();
    assert!(corpus.len() >= 3, "{name} has a corpus");
    for (_, input) in &corpus {
        reader(input);
    }
    let inputs = (select(corpus), prop::collection::vec(change(), 1..12))
        .prop_map(|((_, input), changes)| changed(input, &changes));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&inputs, |input| {
        reader(&input);
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{name}: {error}");
    }
}

fn at() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

#[test]
fn only_a_true_signature_is_taken() {
    let secret = SecretString::from("HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=");
    let window = Duration::from_secs(300);
    try_all("signature", 4_000, |input| {
        let mut parts = input.splitn(3, |byte| *byte == b'\n');
        let (time, signature, body) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        let text = |part: Option<&[u8]>| part.and_then(|part| std::str::from_utf8(part).ok()).map(str::to_owned);
        let (time, signature) = (text(time), text(signature));
        let secrets = [secret.clone()];
        let asked =
            |signature: Option<&str>| verify(signature, time.as_deref(), body, &secrets, window, at()).map(|_| ());
        assert!(asked(signature.as_deref()).is_err(), "nobody who does not know the secret makes one up");
        if let Some(time) = &time {
            // Signed with the secret, it is taken or too old; and not when a byte of the body is another.
            let right = sign(&secret, time, body);
            assert!(matches!(asked(Some(&right)), Ok(()) | Err(VerifyError::Undated | VerifyError::Stale { .. })));
            let other = [body, b" "].concat();
            let changed = verify(Some(&right), Some(time), &other, &secrets, window, at()).map(|_| ());
            assert_eq!(changed, Err(VerifyError::Wrong));
        }
    });
}

#[test]
fn a_signed_delivery_names_a_ticket_or_its_fault() {
    let secret = SecretString::from("a secret");
    try_all("delivery", 4_000, |input| {
        let time = "2026-11-24T12:00:00Z";
        let signature = sign(&secret, time, input);
        let secrets = [secret.clone()];
        let verified = verify(Some(&signature), Some(time), input, &secrets, Duration::from_secs(300), at());
        match delivery::parse(verified.expect("a true signature")) {
            Ok(Parsed::Ticket(told)) => {
                assert!(told.ticket > 0 && told.actor != Some(0) && told.account != Some(0));
                assert!(told.kind == "trigger" || told.kind.starts_with("zen:event-type:ticket."));
            }
            Ok(Parsed::Other { why, .. }) => assert!(!why.is_empty()),
            Err(ParseError::NotJson { line, .. }) => {
                assert!(line <= input.iter().filter(|byte| **byte == b'\n').count() + 1, "line {line} is in it");
                assert!(serde_json::from_slice::<serde_json::Value>(input).is_err());
            }
            Err(ParseError::NoTicket) => {}
        }
    });
}

/// A fault points into the text, between whole characters, and can be drawn.
#[track_caller]
fn points_into(fault: &Fault, text: &str) {
    assert!(text.get(fault.span.clone()).is_some(), "{} at {:?} of {}", fault.message, fault.span, text.len());
    assert!(!fault.message.is_empty());
    assert!(!starwarden::config::policy::drawn(fault, "a file", text).is_empty());
}

#[test]
fn a_diagram_is_read_or_its_faults_are_shown() {
    try_all("diagram", 400, |input| {
        let text = String::from_utf8_lossy(input);
        match Diagram::parse(&text) {
            Ok(diagram) => {
                let ends = diagram.edges.iter().flat_map(|edge| [edge.from, edge.to]);
                assert!(ends.into_iter().all(|node| node < diagram.nodes.len()), "links join nodes that are there");
                assert!(!diagram.to_text().is_empty() || diagram.nodes.is_empty());
            }
            Err(faults) => {
                assert!(!faults.is_empty());
                faults.iter().for_each(|fault| points_into(fault, &text));
            }
        }
    });
}

#[test]
fn a_binding_is_read_or_its_faults_are_shown() {
    let diagram = include_str!("../../config/policy/star.mmd");
    try_all("binding", 400, |input| {
        let text = String::from_utf8_lossy(input);
        if let Err(fault) = Binding::parse(&text) {
            points_into(&fault, &text);
        }
        if let Err(faults) = Policy::parse(&text, diagram) {
            assert!(!faults.is_empty());
            for fault in &faults {
                match fault.document {
                    starwarden::decide::policy::fault::Document::Binding => points_into(fault, &text),
                    starwarden::decide::policy::fault::Document::Diagram => points_into(fault, diagram),
                    starwarden::decide::policy::fault::Document::Examples(_) => {} // Its file is a part of the text.
                }
            }
        }
    });
}

#[test]
fn a_date_that_is_read_stands_in_the_text() {
    let reader = &star().lexicon.dates;
    let stands = |text: &str, why: &Unread| match why {
        Unread::Either(words, [one, other]) => assert!(text.contains(words) && one != other, "{words}"),
        Unread::NoSuchDay(words) => assert!(text.contains(words), "{words}"),
        Unread::Empty | Unread::NoDate | Unread::Several(_) => {}
    };
    try_all("date", 1_500, |input| {
        let text = String::from_utf8_lossy(input);
        for mention in reader.in_words(&text, at()) {
            assert!(text.contains(&mention.sentence), "{:?} in {text:?}", mention.sentence);
            match mention.when {
                Ok(when) => assert!(when.span().is_some_and(|span| span.from <= span.until), "{when:?} in {text:?}"),
                Err(why) => stands(&text, &why),
            }
        }
        for read in [reader.record(&text), reader.answer(&text, at())] {
            read.map_or_else(|why| stands(&text, &why), |read| assert!(read.when.span().is_some(), "{text:?}"));
        }
    });
}

#[test]
fn a_star_line_is_an_answer_a_verb_or_asked_back() {
    let users =
        json!([{ "id": 7001, "name": "Ann Agent", "role": "agent" }, { "id": 5001, "name": "C", "role": "end-user" }]);
    let reading = |text: &str, author: u64, public: bool| {
        Reading {
        comments: serde_json::from_value(json!([{ "id": 1, "author_id": author, "public": public, "body": text, "plain_body": text, "created_at": at() }])).expect("a comment"),
        users: serde_json::from_value(users.clone()).expect("users"),
        ..Reading::default()
    }
    };
    try_all("star", 4_000, |input| {
        let text = String::from_utf8_lossy(input);
        let letters = |text: &str| text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let all = letters(reading(&text, 7001, false).comments[0].text());
        let written = |part: &str| all.contains(&letters(part)); // Blanks and quotes come in one form.
        for reply in replies::read(&reading(&text, 7001, false), &OwnUsers::from_iter([1]), &star().lexicon.languages) {
            match reply.says {
                Says::Answer { fact, value } => assert!(written(&fact) && written(&value), "{fact}={value}"),
                Says::No(why) | Says::Disagree(why) => assert!(written(&why), "{why}"),
                Says::Unreadable(line) => assert!(written(&line), "{line}"),
                Says::Yes | Says::Undo | Says::Agree | Says::Recheck | Says::Stop => {}
            }
        }
        for unheard in [reading(&text, 7001, true), reading(&text, 5001, false), reading(&text, 5001, true)] {
            assert_eq!(
                replies::read(&unheard, &OwnUsers::from_iter([1]), &star().lexicon.languages),
                [],
                "only staff's internal notes count"
            );
        }
        let signed = format!("{text}\nstarwarden · ref 7Q2FMHXA");
        assert_eq!(
            replies::read(&reading(&signed, 7001, false), &OwnUsers::from_iter([7001]), &star().lexicon.languages),
            [],
            "the bot does not hear itself"
        );
    });
}
