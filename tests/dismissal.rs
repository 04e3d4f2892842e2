//! When a ticket may be dismissed: its way is known, it is understood, and nobody speaks against it.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use starwarden::decide::facts::gather::Stated;
use starwarden::decide::facts::said::{Said, Speaker, Understanding, Words};
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::policy::Policy;
use starwarden::decide::policy::decision::{Decision, LeadsTo};
use starwarden::decide::ticket::{Noted, OwnUsers, Reading};

fn star() -> &'static Policy {
    static STAR: LazyLock<Policy> = LazyLock::new(|| {
        Policy::parse(include_str!("../config/policy/star.toml"), include_str!("../config/policy/star.mmd"))
            .expect("sound")
    });
    &STAR
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn now() -> DateTime<Utc> {
    at("2026-11-26T10:00:00Z")
}

/// What somebody says: `locked_out=yes 0.8`; with a name in front it is a colleague.
fn said(text: &str, hour: u32) -> Said {
    let (by, text) = text.split_once(": ").map_or((None, text), |(name, text)| (Some(name), text));
    let (answer, confidence) = text.split_once(' ').expect("an answer and how sure it is");
    let (fact, answer) = answer.split_once('=').expect("fact=answer");
    let by = by.map_or(Speaker::Customer, |name| Speaker::Colleague { name: name.into() });
    let confidence = confidence.parse().expect("a number");
    let at = at(&format!("2026-11-26T{hour:02}:00:00Z"));
    Said { fact: fact.into(), answer: answer.into(), confidence, quote: format!("{fact} {answer}"), by, at }
}

/// A ticket of the day.
#[derive(Debug, Default, Clone)]
struct Case {
    tags: &'static [&'static str],
    record: Option<&'static str>,
    words: &'static str,
    said: &'static [&'static str],
    dark: bool,
    /// Managers' lines, each with its hour; the customer writes at 6.
    lines: &'static [(u32, &'static str)],
    /// Our own note, with its hour and what it said.
    note: Option<(u32, Noted)>,
}

impl Case {
    fn reading(&self) -> Reading {
        let mut tags = vec!["star_submitted", "lr"];
        tags.extend(self.tags);
        let mut comments: Vec<Value> = self
            .lines
            .iter()
            .map(|(hour, line)| {
                json!({ "id": 100 + hour, "author_id": 7001, "public": false, "body": line, "created_at": format!("2026-11-26T{hour:02}:30:00Z") })
            })
            .collect();
        if let Some((hour, _)) = &self.note {
            comments.push(
                json!({ "id": 9, "author_id": 9001, "public": false, "body": "Probably.\nstarwarden · ref ABCDEFGH",
                "created_at": format!("2026-11-26T{hour:02}:15:00Z") }),
            );
        }
        comments.sort_by_key(|comment| comment["created_at"].as_str().map(str::to_owned));
        let organization =
            self.record.map(|date| json!({ "id": 77, "organization_fields": { "expiration_date": date } }));
        let reading = json!({
            "ticket": { "id": 1, "status": "open", "tags": tags, "description": self.words, "created_at": "2026-11-26T06:00:00Z" },
            "organization": organization, "comments": comments,
            "users": [{ "id": 7001, "name": "Ann Agent", "role": "agent" }, { "id": 9001, "name": "Bot", "role": "agent" }],
        });
        let mut reading: Reading = serde_json::from_value(reading).expect("a reading");
        let understood = match (self.dark, self.words) {
            (true, _) => Understanding::Dark { why: "written in Korean, which I cannot read".into() },
            (false, "" | "help") => Understanding::Nothing,
            (false, _) => Understanding::Read,
        };
        reading.words =
            Some(Words { said: self.said.iter().map(|text| said(text, 6)).collect(), understood, read_by: None });
        reading.notes = self.note.iter().map(|(_, noted)| ("ABCDEFGH".to_owned(), noted.clone())).collect();
        reading
    }

    fn decide(&self) -> Decision {
        decide(&self.reading())
    }
}

fn decide(reading: &Reading) -> Decision {
    let ids = Ids::new(&star().binding, &Ids::default());
    judge::ticket(star(), &ids, Some(reading), &[], &[], &OwnUsers::from_iter([9001]), now()).decision
}

fn dismissed(decision: &Decision) -> bool {
    star().outcome(&decision.verdict).is_some_and(|outcome| outcome.dismisses())
}

fn asks(decision: &Decision) -> Option<&str> {
    decision.missing.first().map(|missing| missing.fact.as_str())
}

const FAR: Option<&str> = Some("2027-06-30");
const ASSOCIATE: &[&str] = &["transaction_issue_associate_namespace"];

#[test]
fn a_far_record_dismisses_who_asks_calmly_and_nobody_who_is_locked_out() {
    let calm = Case {
        record: FAR,
        words: "Please prolong our licence before the summer",
        said: &["request=plan_license 0.95"],
        ..Case::default()
    };
    assert_eq!(calm.decide().verdict, "no_need", "{:#?}", calm.decide());

    let cry = Case {
        words: "Everything is locked since this morning",
        said: &["request=plan_license 0.95", "locked_out=yes 0.6"],
        ..calm.clone()
    };
    let asked = cry.decide();
    assert_eq!(
        (asked.verdict.as_str(), asked.likely.as_deref(), asks(&asked)),
        ("needs_facts", None, Some("expires_at")),
        "{asked:#?}"
    );
    assert_eq!(asked.missing[0].question, "When did the licence that no longer works end?");
    assert_eq!(asked.missing[0].suggested, None, "the record is perhaps about another licence");
    let against: Vec<(&str, &str, Option<&str>)> =
        asked.against.iter().map(|it| (it.fact.as_str(), it.value.as_str(), it.quote.as_deref())).collect();
    assert_eq!(against, [("locked_out", "yes", Some("locked_out yes"))]);
    assert_eq!(asked.against[0].source.to_string(), "customer, 26 Nov 2026");

    let weak = Case { said: &["request=plan_license 0.95", "locked_out=yes 0.11"], ..cry.clone() };
    assert_eq!(weak.decide().verdict, "needs_facts", "a weak guess is enough to speak against");
    let nothing = Case { said: &["request=plan_license 0.95", "locked_out=yes 0.09"], ..cry.clone() };
    assert_eq!(nothing.decide().verdict, "no_need");

    let answered = Case { lines: &[(7, "star: expires_at=2027-06-30")], ..cry.clone() };
    assert_eq!(answered.decide().verdict, "no_need", "they have seen the cry: {:#?}", answered.decide());
    let before = Case { lines: &[(5, "star: expires_at=2027-06-30")], ..cry.clone() };
    assert_eq!(before.decide().verdict, "needs_facts", "the cry came later: {:#?}", before.decide());

    let tagged = Case {
        tags: &["unexpected_license_downgrade"],
        lines: &[(5, "star: trial=no")],
        words: "Please look at this",
        said: &[],
        ..calm.clone()
    };
    assert_eq!(tagged.decide().verdict, "needs_facts", "{:#?}", tagged.decide());
}

#[test]
fn a_self_started_trial_is_dismissed_until_somebody_pays_or_sales_runs_it() {
    let trial = Case {
        tags: &["trial", "trial_extension"],
        words: "Our trial ended last night, nobody can work",
        said: &["trial=yes 0.95", "locked_out=yes 0.7"],
        ..Case::default()
    };
    assert_eq!(trial.decide().verdict, "no_need", "{:#?}", trial.decide());

    let mine =
        Case { said: &["trial=yes 0.95", "locked_out=yes 0.7", "Ann Agent: sales_assisted=yes 0.8"], ..trial.clone() };
    let asked = mine.decide();
    assert_eq!((asked.verdict.as_str(), asks(&asked)), ("needs_facts", Some("sales_assisted")), "{asked:#?}");
    assert_eq!(asked.missing[0].suggested.as_deref(), Some("yes"));

    let paid = Case {
        tags: &["trial"],
        words: "We converted in September, invoice paid, 90 people stand still",
        said: &["request=plan_license 0.9", "trial=no 0.8", "locked_out=yes 0.9"],
        ..Case::default()
    };
    assert_eq!(paid.decide().verdict, "needs_facts", "{:#?}", paid.decide());
    let weakly = Case { said: &["request=plan_license 0.9", "trial=no 0.25"], ..paid };
    assert_eq!(weakly.decide().verdict, "needs_facts", "{:#?}", weakly.decide());
}

#[test]
fn a_question_that_is_understood_is_deflected_and_one_in_the_dark_is_not() {
    let how = Case {
        tags: ASSOCIATE,
        words: "How do I link the subscription?",
        said: &["edge_case=no 0.7"],
        ..Case::default()
    };
    assert_eq!(how.decide().verdict, "use_docs", "{:#?}", how.decide());
    let tried =
        Case { words: "I did every step twice, the group stays grey", said: &["edge_case=yes 0.3"], ..how.clone() };
    let asked = tried.decide();
    assert_eq!((asked.verdict.as_str(), asked.likely.as_deref()), ("needs_facts", Some("ok_to_star")), "{asked:#?}");
    let surer = Case { said: &["edge_case=yes 0.8"], ..tried };
    assert_ne!(surer.decide().verdict, "use_docs");
    let dark = Case { words: "그룹을 연결하는 방법은 무엇입니까?", said: &[], dark: true, ..how };
    let asked = dark.decide();
    assert_eq!((asked.verdict.as_str(), asked.likely.as_deref()), ("needs_facts", None), "{asked:#?}");
    assert_eq!(asked.illegible.as_deref(), Some("written in Korean, which I cannot read"));
    assert_eq!(asks(&asked), Some("edge_case"));
    let seen = Case { lines: &[(7, "star: edge_case=no")], ..dark };
    assert_eq!(seen.decide().verdict, "use_docs", "somebody has read it");
}

#[test]
fn given_facts_are_stated_and_turn_the_keys_of_their_way() {
    let ids = Ids::new(&star().binding, &Ids::default());
    let stated: Vec<Stated> = [("trial", "no"), ("in_grace", "no"), ("expires_at", "2027-06-30")]
        .map(|(fact, value)| Stated { fact: fact.into(), value: value.into(), source: Source::Given(Given::Option) })
        .into();
    let decision = judge::ticket(star(), &ids, None, &[], &stated, &OwnUsers::none(), now()).decision;
    assert_eq!(decision.verdict, "no_need", "{decision:#?}");
}

#[test]
fn a_date_in_words_on_the_same_side_holds_the_verdict_until_it_is_not() {
    let contract = Case {
        record: FAR,
        words: "Our contract ends 17 Dec 2026.",
        said: &["request=plan_license 0.95"],
        ..Case::default()
    };
    let decision = contract.decide();
    assert_eq!(
        (decision.verdict.as_str(), decision.valid_until),
        ("no_need", Some(at("2026-12-16T00:00:00Z"))),
        "{decision:#?}"
    );
    let soon = Case { tags: &["premium_customer"], words: "Our contract ends 27 Nov 2026.", ..contract.clone() };
    let asked = soon.decide();
    assert_eq!((asked.verdict.as_str(), asked.likely.as_deref()), ("needs_facts", Some("ok_to_star")), "{asked:#?}");
    assert_eq!(asked.against[0].value, "2026-11-27T00:00:00Z");
    let grace = Case { words: "Our contract ended on 20 Nov 2026.", ..contract };
    assert_eq!(grace.decide().verdict, "needs_facts", "another answer on the way, wherever it ends");
}

#[test]
fn nothing_said_is_nothing_understood() {
    let help = Case { record: FAR, words: "help", ..Case::default() };
    let asked = help.decide();
    assert_eq!(
        (asked.verdict.as_str(), asks(&asked), asked.likely.as_deref()),
        ("needs_facts", Some("request"), None),
        "{asked:#?}"
    );
    let stated = Case { lines: &[(7, "star: request=plan_license")], ..help };
    assert_eq!(stated.decide().verdict, "no_need");
}

#[test]
fn one_word_takes_what_the_newest_note_proposes() {
    let soon = Case {
        record: FAR,
        tags: &["premium_customer"],
        words: "Our contract ends 27 Nov 2026.",
        said: &["request=plan_license 0.95"],
        ..Case::default()
    };
    let noted = Noted::of(&soon.decide());
    let proposal = Case { note: Some((8, noted.clone())), ..soon.clone() };
    assert_eq!(proposal.decide().likely.as_deref(), Some("ok_to_star"));
    for (line, verdict) in [
        ("star: yes", "ok_to_star"),
        ("STAR : Yes.", "ok_to_star"),
        ("star：yes", "ok_to_star"),
        ("“star: yes”", "ok_to_star"),
        ("\u{a0}Star:\u{a0}yes, thanks!", "ok_to_star"),
        ("star: no that is the old contract", "needs_facts"),
        ("star: yes\nstar: undo", "needs_facts"),
        ("star: expires_at=2027-06-30", "no_need"),
        ("star: expires_at=2027-06-30\nstar: expires_at=unknown", "needs_facts"),
    ] {
        let lines: &'static [(u32, &'static str)] = Box::leak(Box::new([(9, line)]));
        let case = Case { lines, ..proposal.clone() };
        assert_eq!(case.decide().verdict, verdict, "{line}: {:#?}", case.decide());
    }
    let refused = Case { lines: &[(9, "star: no that is the old contract")], ..proposal.clone() };
    assert_eq!(refused.decide().likely, None, "what was refused is not proposed again");
    for (noted, complains) in [(Noted::Decided, false), (Noted::Asked(Some("expires_at".into())), true), (noted, false)]
    {
        for line in ["star: yes", "star: no because"] {
            let lines: &'static [(u32, &'static str)] = Box::leak(Box::new([(9, line)]));
            let case = Case { note: Some((8, noted.clone())), lines, ..soon.clone() };
            let ids = Ids::new(&star().binding, &Ids::default());
            let judged =
                judge::ticket(star(), &ids, Some(&case.reading()), &[], &[], &OwnUsers::from_iter([9001]), now());
            assert_eq!(!judged.problems.is_empty(), complains, "{line} to {noted:?}: {:?}", judged.problems);
        }
    }
}

#[test]
fn a_line_that_starts_like_one_to_the_bot_is_never_passed_over_in_silence() {
    let case = Case { record: FAR, words: "Please prolong", said: &["request=plan_license 0.95"], ..Case::default() };
    for line in ["star:", "star: maybe", "star: trial", "STAR： hello", "star: trial=perhaps", "star trial=perhaps"] {
        let lines: &'static [(u32, &'static str)] = Box::leak(Box::new([(9, line)]));
        let reading = Case { lines, ..case.clone() }.reading();
        let ids = Ids::new(&star().binding, &Ids::default());
        let judged = judge::ticket(star(), &ids, Some(&reading), &[], &[], &OwnUsers::none(), now());
        assert!(!judged.problems.is_empty(), "{line}");
    }
}

const FACTS: [(&str, &[&str]); 6] = [
    ("request", &["plan_license", "wrong_product", "force_reassociate"]),
    ("trial", &["yes", "no"]),
    ("sales_assisted", &["yes", "no"]),
    ("edge_case", &["yes", "no"]),
    ("sales_intervened", &["yes", "no"]),
    ("locked_out", &["yes", "no"]),
];

/// What somebody says at some hour of the morning.
fn word() -> impl Strategy<Value = Said> {
    (0..FACTS.len(), any::<prop::sample::Index>(), 0.0..1.0_f64, any::<bool>(), 0_u32..10).prop_map(
        |(fact, answer, confidence, colleague, hour)| {
            let (fact, answers) = FACTS[fact];
            let answer = answers[answer.index(answers.len())];
            let by = if colleague { Speaker::Colleague { name: "Ann".into() } } else { Speaker::Customer };
            let at = at(&format!("2026-11-26T{hour:02}:00:00Z"));
            Said { fact: fact.into(), answer: answer.into(), confidence, quote: "so".into(), by, at }
        },
    )
}

/// Made tickets of which a tag says what they are about.
fn ticket() -> impl Strategy<Value = Case> {
    let tags: &'static [&'static [&'static str]] = &[
        &["transaction_issue_renewal_help"],
        &["trial_extension", "trial"],
        &["trial_extension", "com_sales_assisted_trial"],
        &["transaction_issue_associate_namespace"],
        &["purchased_wrong_product"],
        &["purchased_wrong_product", "escalated_to_sales"],
        &["transaction_issue_licensing"],
        &["transaction_issue_licensing", "premium_customer"],
        &["unexpected_license_downgrade", "ultimate_customer"],
    ];
    let records: &'static [Option<&'static str>] =
        &[None, FAR, Some("2026-11-20"), Some("2026-11-01"), Some("2026-11-26"), Some("n/a")];
    let lines: &'static [&'static [(u32, &'static str)]] =
        &[&[], &[(7, "star: trial=no")], &[(7, "star: sales_assisted=no")], &[(7, "star: expires_at=2027-01-01")]];
    (prop::sample::select(tags), prop::sample::select(records), prop::sample::select(lines))
        .prop_map(|(tags, record, lines)| Case { tags, record, lines, words: "We write this.", ..Case::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_never_add_a_dismissal(case in ticket(), words in proptest::collection::vec(word(), 0..6)) {
        let silent = case.decide();
        let mut reading = case.reading();
        reading.words = Some(Words { said: words, understood: Understanding::Read, read_by: None });
        let spoken = decide(&reading);
        prop_assert!(dismissed(&silent) || !dismissed(&spoken), "{:#?}\n{:#?}", reading.words, spoken);
        prop_assert!(spoken.missing.len() <= 2);
        prop_assert!(spoken.verdict != "needs_facts" || !spoken.missing.is_empty(), "{:#?}", spoken);
        for outcomes in spoken.missing.iter().flat_map(|missing| missing.leads_to.outcomes()) {
            prop_assert!(outcomes.iter().all(|outcome| spoken.possible.contains(outcome)), "{:#?}", spoken);
        }
        let likely = spoken.likely.as_deref().and_then(|likely| star().outcome(likely));
        prop_assert!(spoken.against.is_empty() || likely.is_none_or(|likely| !likely.dismisses()), "{:#?}", spoken);
    }

    #[test]
    fn a_word_against_always_takes_a_dismissal_away(
        case in ticket(), words in proptest::collection::vec(word(), 0..4), place in any::<prop::sample::Index>(), confidence in 0.2..1.0_f64
    ) {
        let mut reading = case.reading();
        reading.words = Some(Words { said: words.clone(), understood: Understanding::Read, read_by: None });
        let decision = decide(&reading);
        if dismissed(&decision) {
            let answered: Vec<_> = decision.path.iter().filter(|it| FACTS.iter().any(|(name, _)| *name == it.fact)).collect();
            let against = if answered.is_empty() || confidence < 0.4 {
                ("locked_out".to_owned(), "yes".to_owned())
            } else {
                let answered = answered[place.index(answered.len())];
                let (_, answers) = FACTS.iter().find(|(name, _)| *name == answered.fact).expect("a fact");
                (answered.fact.clone(), (*answers.iter().find(|word| **word != answered.answer).expect("another")).to_owned())
            };
            let is = |fact: &str, answer: &str| decision.path.iter().any(|it| it.fact == fact && it.answer == answer);
            let trial = is("trial", "yes") && is("sales_assisted", "no");
            prop_assume!(!(against.0 == "locked_out" && trial), "of a trial nobody pays for it is not heard");
            let mut words = words;
            let (fact, answer) = against;
            words.push(Said { fact, answer, confidence, quote: "so".into(), by: Speaker::Customer, at: at("2026-11-26T09:59:00Z") });
            reading.words = Some(Words { said: words, understood: Understanding::Read, read_by: None });
            let spoken = decide(&reading);
            prop_assert!(!dismissed(&spoken), "{:#?}\n{:#?}", reading.words, spoken);
        }
    }

    #[test]
    fn what_is_proposed_comes_of_it(case in ticket(), words in proptest::collection::vec(word(), 0..5)) {
        let mut reading = case.reading();
        reading.words = Some(Words { said: words, understood: Understanding::Read, read_by: None });
        let decision = decide(&reading);
        prop_assert_eq!(decision.likely.is_some(), !decision.proposal.is_empty(), "{:#?}", decision);
        if let Some(likely) = &decision.likely {
            let stated: Vec<Stated> = decision
                .proposal
                .iter()
                .map(|(fact, value)| Stated { fact: fact.clone(), value: value.clone(), source: Source::Given(Given::Form) })
                .collect();
            let ids = Ids::new(&star().binding, &Ids::default());
            let taken = judge::ticket(star(), &ids, Some(&reading), &[], &stated, &OwnUsers::none(), now()).decision;
            prop_assert_eq!(&taken.verdict, likely, "{:#?}\n{:#?}", decision, taken);
        }
    }
}

#[test]
fn an_instants_answers_cover_all_time() {
    let case = Case {
        words: "Please prolong",
        said: &["request=plan_license 0.95", "trial=no 0.9"],
        tags: &["premium_customer"],
        ..Case::default()
    };
    let decision = case.decide();
    let LeadsTo::Stretches(stretches) = &decision.missing[0].leads_to else { panic!("{decision:#?}") };
    let shown: Vec<String> = stretches
        .iter()
        .map(|it| {
            format!(
                "{}..{} {}",
                it.from.map_or("-".into(), |at| at.to_rfc3339()),
                it.until.map_or("-".into(), |at| at.to_rfc3339()),
                it.outcomes.join("|")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "-..2026-11-13T10:00:01+00:00 ok_to_star",
            "2026-11-13T10:00:01+00:00..2026-11-26T10:00:01+00:00 no_need",
            "2026-11-26T10:00:01+00:00..2026-11-27T10:00:01+00:00 ok_to_star",
            "2026-11-27T10:00:01+00:00..- no_need",
        ]
    );
}
