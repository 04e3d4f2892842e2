//! How well words are read: on tickets that nobody wrote examples for, and by the reader's own measure.
//!
//! `tests/cases/blind` was written by somebody who knew neither code nor examples. What it gave in the first run stands in the
//! CHANGELOG; since then it holds what was reached, and whatever it holds must stay true: nobody is dismissed who must not be.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use starwarden::decide::facts::fact::{Facts, Finding};
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge::{self, Judged};
use starwarden::decide::policy::Policy;
use starwarden::decide::reader::Reader;
use starwarden::decide::reader::example::{By, Example};
use starwarden::decide::ticket::{OwnUsers, Reading};

use crate::support::star;

/// One line of a file of tickets.
#[derive(Deserialize)]
struct Case {
    id: String,
    now: DateTime<Utc>,
    #[serde(flatten)]
    reading: Reading,
}

/// What is true of a ticket.
#[derive(Deserialize)]
struct Label {
    lang: String,
    workflow: Option<String>,
    workflow_ok: Vec<Option<String>>,
    request: String,
    trial: String,
    never: Vec<String>,
    truth: String,
    truth_ok: Vec<String>,
}

fn lines<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
}

fn judged(case: &Case) -> Judged {
    let ids = Ids::new(&star().binding, &Ids::default());
    judge::ticket(star(), &ids, Some(&case.reading), &[], &[], &OwnUsers::from_iter([9001]), case.now)
}

fn dismisses(verdict: &str) -> bool {
    star().outcome(verdict).is_some_and(|outcome| outcome.dismisses())
}

fn word(facts: &Facts, name: &str) -> Option<String> {
    facts.get(name).and_then(Finding::word).map(str::to_owned)
}

/// The same ticket of a customer whose organisation has renewed.
fn renewed(line: &str) -> Option<Case> {
    let mut whole: Value = serde_json::from_str(line).expect("a line");
    let known = !whole["organization"].is_null();
    whole["organization"] =
        json!({ "id": 77, "name": "Example", "organization_fields": { "expiration_date": "2027-06-30" } });
    whole["ticket"]["organization_id"] = json!(77);
    (!known).then(|| serde_json::from_value(whole).expect("a case"))
}

#[test]
fn nobody_is_dismissed_who_must_not_be_nor_is_it_proposed() {
    let text = include_str!("cases/blind/tickets.ndjson");
    let labels: Vec<Label> = lines(include_str!("cases/blind/tickets-labels.ndjson"));
    let cases: Vec<Case> = lines(text);
    assert_eq!((cases.len(), labels.len()), (160, 160));
    let (mut right, mut of) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    let mut questions = 0;
    for ((case, label), line) in cases.iter().zip(&labels).zip(text.lines()) {
        let paid = label.request == "plan_license" && label.trial != "yes";
        for case in std::iter::once(None).chain(renewed(line).filter(|_| paid).map(Some)) {
            let case =
                case.as_ref().unwrap_or(&cases[labels.iter().position(|it| std::ptr::eq(it, label)).expect("it")]);
            let Judged { decision, .. } = judged(case);
            let good = decision.verdict == label.truth || label.truth_ok.contains(&decision.verdict);
            assert!(!label.never.contains(&decision.verdict), "{}: {}", case.id, decision.verdict);
            assert!(!dismisses(&decision.verdict) || good, "{}: {}", case.id, decision.verdict);
            let proposed = decision.likely.as_ref().is_some_and(|likely| label.never.contains(likely));
            assert!(!proposed, "{} proposes {:?}", case.id, decision.likely);
            assert!(decision.missing.len() <= 2, "{}", case.id);
            questions += decision.missing.len();
        }
        let facts = judged(case).facts;
        let mut count = |what, is: bool| {
            *of.entry(what).or_default() += 1;
            *right.entry(what).or_default() += usize::from(is);
        };
        let case_read = word(&facts, "workflow");
        let fits = case_read == label.workflow || label.workflow_ok.contains(&case_read);
        count(if label.lang == "en" { "case, English" } else { "case, others" }, fits);
        count("request", word(&facts, "request").as_ref() == Some(&label.request));
        if label.trial != "unknown" {
            count("trial", word(&facts, "trial").as_ref() == Some(&label.trial));
        }
    }
    assert!(questions > 0);
    for (what, least) in [("case, English", 0.65), ("case, others", 0.75), ("request", 0.94), ("trial", 0.88)] {
        let share =
            f64::from(u32::try_from(right[what]).expect("few")) / f64::from(u32::try_from(of[what]).expect("few"));
        assert!(share >= least, "{what}: {} of {}", right[what], of[what]);
    }
}

#[test]
fn who_is_locked_out_is_dismissed_in_no_language_and_calm_people_are_in_each() {
    let of = |text: &str| {
        let cases: Vec<Case> = lines(text);
        cases.iter().map(|case| (case.id.clone(), judged(case).decision.verdict)).collect::<Vec<_>>()
    };
    for (id, verdict) in of(include_str!("cases/blind/lockouts.ndjson")) {
        assert!(!dismisses(&verdict), "{id}: {verdict}");
    }
    let calm = of(include_str!("cases/blind/calm.ndjson"));
    for (language, calm) in ["en", "de", "fr", "es", "pt", "it", "ja", "ko", "zh"].into_iter().zip(calm.chunks(13)) {
        let dismissed = calm.iter().filter(|(_, verdict)| dismisses(verdict)).count();
        assert!(dismissed > 0, "{language}: {calm:?}");
    }
}

#[test]
fn requests_of_every_day_are_not_turned_away() {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Urgent>,
    }
    #[derive(Deserialize)]
    struct Urgent {
        says: String,
        #[serde(default)]
        tags: Vec<String>,
        expires: Option<String>,
    }
    let File { cases } = toml::from_str(include_str!("cases/turned_away.toml")).expect("cases");
    assert_eq!(cases.len(), 49);
    for Urgent { says, tags, expires } in cases {
        let (subject, description) = says.split_once(" | ").expect("subject | description");
        let tags: Vec<String> = ["star_submitted", "lr"].map(str::to_owned).into_iter().chain(tags).collect();
        let case = json!({ "id": says, "now": "2026-11-24T12:00:00Z",
            "ticket": { "id": 1, "subject": subject, "description": description, "status": "open", "tags": tags, "created_at": "2026-11-24T09:00:00Z" },
            "organization": expires.map(|date| json!({ "organization_fields": { "expiration_date": date } })) });
        let verdict = judged(&serde_json::from_value(case).expect("a case")).decision.verdict;
        assert!(!dismisses(&verdict), "{verdict}: {says}");
    }
}

/// A policy that knows these examples alone.
fn taught(examples: &str) -> Result<Policy, Vec<starwarden::decide::policy::fault::Fault>> {
    let binding = include_str!("../config/policy/star.toml");
    Policy::parse(&format!("{binding}\n#: examples en\n{examples}"), include_str!("../config/policy/star.mmd"))
}

#[test]
fn an_example_that_cannot_be_used_is_a_fault_with_its_place() {
    let example = |more: &str| format!("[[example]]\nsays = \"Help us\"\nby = \"customer\"\n{more}\n");
    for (examples, told) in [
        (example("trail = \"yes\""), "trail"),
        (example("trial = \"perhaps\""), "perhaps"),
        (example("").replace("customer", "passer-by"), "passer-by"),
        ("[[example]]\nby = \"customer\"\n".to_owned(), "says"),
    ] {
        let faults = taught(&examples).expect_err(&examples);
        assert!(faults.iter().any(|fault| fault.message.contains(told)), "{examples}: {faults:?}");
    }
    assert!(taught(&example("trial = \"yes\"")).is_ok());
}

#[test]
fn a_changed_example_is_a_changed_policy() {
    let hash =
        |says: &str| taught(&format!("[[example]]\nsays = \"{says}\"\nby = \"customer\"\n")).expect("sound").hash;
    assert_ne!(hash("Please extend our trial"), hash("Please extend our licence"));
    assert_eq!(hash("Please extend our trial"), hash("Please extend our trial"));
}

fn example(says: &str, fact: &str, answer: &str) -> Example {
    let answers = BTreeMap::from([(fact.to_owned(), answer.to_owned())]);
    Example { language: "en".into(), says: says.into(), by: By::Customer, answers }
}

#[test]
fn what_is_learned_is_the_same_each_time_and_comes_back_from_its_bytes() {
    let examples: Vec<Example> = (0..40)
        .flat_map(|n| {
            [
                example(&format!("please extend our trial {n} days"), "trial", "yes"),
                example(&format!("our paid licence {n} fails"), "trial", "no"),
            ]
        })
        .collect();
    let (one, again) = (Reader::learn(&examples), Reader::learn(&examples));
    assert_eq!(one.to_bytes(), again.to_bytes());
    let kept = Reader::from_bytes(&one.to_bytes(), &examples).expect("whole");
    assert_eq!(kept.to_bytes(), one.to_bytes());
    let cut = one.to_bytes();
    assert!(Reader::from_bytes(&cut[..cut.len() - 1], &examples).is_none(), "what is not whole is learned anew");
    let answers = one.text("Could you please extend our trial?", By::Customer);
    let surest = answers.iter().max_by(|a, b| a.confidence.total_cmp(&b.confidence)).expect("an answer");
    assert_eq!((surest.fact, surest.answer, surest.quote), ("trial", "yes", "Could you please extend our trial?"));
    assert!(surest.confidence > 0.5 && surest.confidence <= 1.0, "{surest:?}");
}

#[test]
fn what_no_example_lights_up_is_not_understood_and_the_note_says_so() {
    for words in ["Наша лицензия истекла, никто не может работать.", "رخصتنا انتهت ولا يمكن لأحد العمل"]
    {
        let case = json!({ "id": "x", "now": "2026-11-26T10:00:00Z",
            "ticket": { "id": 1, "subject": "", "description": words, "status": "open", "tags": ["star_submitted", "lr", "transaction_issue_renewal_help"], "created_at": "2026-11-26T06:00:00Z" },
            "organization": { "organization_fields": { "expiration_date": "2027-06-30" } } });
        let decision = judged(&serde_json::from_value(case).expect("a case")).decision;
        assert_eq!(decision.verdict, "needs_facts", "{words}");
        assert!(
            decision.illegible.as_ref().is_some_and(|why| why.contains("of which I have no examples")),
            "{decision:?}"
        );
    }
}
