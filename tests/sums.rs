//! What a store has counted is what a plain count of all that it keeps finds, whatever happened and in whatever order.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use starwarden::decide::facts::gather::Stated;
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::ticket::OwnUsers;
use starwarden::learn::report::Sum;
use starwarden::learn::report::gist::Gist;
use starwarden::store::Store;
use starwarden::store::decisions::{Carried, DecisionRow};
use starwarden::store::feedback::{Agreement, Feedback, Opinion, Way};
use starwarden::store::watches::{Claim, Next};

use crate::store::{at, check, delivery, key, row};
use crate::support::star;

const TICKETS: u64 = 12;
const HOUR: i64 = 3_600;

/// Which decision: its ticket and its reference.
type Name = (u64, String);

/// What was seen of a decision when it first counted, which stays when others go.
#[derive(Debug, Clone, Copy)]
struct Place {
    opens: bool,
    settles: bool,
    waited: Option<u64>,
}

/// What the store does not tell again.
#[derive(Default)]
struct Books {
    posted: BTreeMap<Name, DateTime<Utc>>,
    places: BTreeMap<Name, Place>,
}

/// Everything a report rests on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    gists: BTreeMap<String, [u64; 5]>,
    waits: BTreeMap<u64, u64>,
    agreement: Agreement,
    disagreements: Vec<Name>,
}

/// Counts one by one.
async fn recounted(store: &dyn Store, books: &mut Books, since: NaiveDate) -> Counted {
    let mut counted = Counted::default();
    let mut listed = Vec::new();
    for id in 1..=TICKETS {
        let Some(history) = store.history(&key(id)).await.expect("read") else { continue };
        let feedback = store.feedback_of(&key(id)).await.expect("read");
        let (mut before, mut verdict_before) = (false, false);
        for row in &history.decisions {
            if !matches!(row.carried, Carried::Posted | Carried::Shadow) {
                continue;
            }
            let name = (id, row.reference.clone());
            let given = row.verdict != "needs_facts";
            let place = books.places.entry(name.clone()).or_insert(Place {
                opens: !before,
                settles: given && !verdict_before,
                waited: None,
            });
            (before, verdict_before) = (true, verdict_before || given);
            let (posted, starred) = (books.posted.get(&name), history.deliveries.first());
            if let (true, None, Some(posted), Some(starred)) = (place.settles, place.waited, posted, starred) {
                place.waited = u64::try_from((*posted - starred.received_at).num_seconds()).ok();
            }
            if row.decided_at.date_naive() < since {
                continue;
            }
            let of_it = feedback.iter().map(|row| &row.feedback).filter(|it| it.reference == row.reference);
            let newest = of_it.max_by_key(|it| it.said_at).map(|it| it.opinion == Opinion::Agree);
            let sum = counted.gists.entry(gist(&row.verdict, &row.decision)).or_default();
            let more = [
                true,
                place.opens,
                place.settles && newest != Some(false),
                newest == Some(true),
                newest == Some(false),
            ];
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += u64::from(more));
            if let Some(waited) = place.waited {
                *counted.waits.entry(waited).or_default() += 1;
            }
            match newest.filter(|_| given) {
                Some(true) => counted.agreement.agreed += 1,
                Some(false) => {
                    counted.agreement.disagreed += 1;
                    listed.push((row.decided_at, name));
                }
                None => {}
            }
        }
    }
    listed.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    counted.disagreements = listed.into_iter().map(|(_, name)| name).collect();
    counted
}

/// What the report reads.
async fn read(store: &dyn Store, since: NaiveDate) -> Counted {
    let sums = store.sums(Some(since)).await.expect("read");
    let gists = sums.gists.into_iter().map(|(gist, sum)| {
        let Sum { decisions, tickets, saved, agreed, disagreed } = sum;
        (serde_json::to_string(&gist).expect("a gist"), [decisions, tickets, saved, agreed, disagreed])
    });
    let disagreements = store.disagreements(Some(since), 1_000).await.expect("read");
    Counted {
        gists: gists.collect(),
        waits: sums.waits.into_iter().collect(),
        agreement: store.agreement(since).await.expect("read"),
        disagreements: disagreements.into_iter().map(|it| (it.feedback.ticket.id, it.feedback.reference)).collect(),
    }
}

/// A decision of the kind with this number.
fn decision(kind: u64) -> (&'static str, Value) {
    let answered = |node: &str, fact: &str, answer: &str, trust: &str, source: &str| json!({ "node": node, "text": format!("{node}?"), "fact": fact, "answer": answer, "value": answer, "trust": trust, "source": source });
    let request = answered("A", "request", "plan_license", "recorded", "nothing on the ticket: says otherwise");
    let (verdict, path, missing) = match kind % 3 {
        0 => (
            "needs_facts",
            json!([]),
            json!([{ "fact": "trial", "question": "For a trial?", "suggested": null, "leads_to": {} }]),
        ),
        1 => ("no_need", json!([request, answered("T", "trial", "yes", "stated", "Ann Agent, note")]), json!([])),
        _ => (
            "ok_to_star",
            json!([request, answered("Y", "in_grace", "no", "recorded", "expired 19 Nov + 14 days of grace")]),
            json!([]),
        ),
    };
    let workflow = kind.is_multiple_of(2).then_some("saas_extension");
    let beyond = json!([answered("H", "expires_at", "no", "inferred", "description")]);
    (
        verdict,
        json!({ "path": path, "beyond": beyond, "missing": missing, "workflow": workflow, "policy": "p", "walked": [] }),
    )
}

/// What a decision says, read again in another way.
fn gist(verdict: &str, decision: &str) -> String {
    let decision: Value = serde_json::from_str(decision).expect("a decision");
    let list = |name: &str| decision[name].as_array().cloned().unwrap_or_default();
    let answered = [list("path"), list("beyond")].concat();
    let pairs = |list: &[Value], one: &str, other: &str| -> Vec<Value> {
        list.iter().map(|it| json!([it[one], it[other]])).collect()
    };
    let source = |it: &Value| match it["source"].as_str().expect("a source") {
        "Ann Agent, note" => "a manager's answer",
        "description" => "the customer's words",
        "nothing on the ticket: says otherwise" => "nothing on the ticket",
        "expired 19 Nov + 14 days of grace" => "reckoned from the expiry",
        other => panic!("{other}"),
    };
    let request = answered.iter().find(|it| it["fact"] == "request").map(|it| it["answer"].clone());
    let gist = starwarden::learn::report::gist::Gist {
        verdict: verdict.into(),
        request: request.and_then(|it| it.as_str().map(str::to_owned)),
        workflow: decision["workflow"].as_str().map(str::to_owned),
        asked: serde_json::from_value(pairs(&list("missing"), "fact", "question").into()).expect("pairs"),
        nodes: serde_json::from_value(pairs(&answered, "node", "text").into()).expect("pairs"),
        sources: answered.iter().map(|it| source(it).to_owned()).collect(),
    };
    serde_json::to_string(&gist).expect("a gist")
}

async fn claimed(store: &dyn Store, id: u64, seconds: i64) -> Claim {
    store.mark_due(&key(id), at(seconds)).await.expect("marked");
    let claims = store.claim("global", at(seconds), crate::store::LEASE, 100).await.expect("claims");
    claims.into_iter().find(|claim| claim.ticket.id == id).expect("the ticket")
}

#[tokio::test]
async fn sums_are_what_a_recount_finds() {
    check(|store| async move {
        let mut books = Books::default();
        let mut chance = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = |below: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) % below
        };
        let first = at(0);
        for step in 0..150_i64 {
            let (seconds, id) = (step * HOUR, 1 + next(TICKETS));
            if next(2) == 0 {
                store.record(delivery(id, None, seconds)).await.expect("kept");
            }
            let claim = claimed(&*store, id, seconds).await;
            let (verdict, made) = decision(next(6));
            let reference = format!("R{step}");
            let carried = if next(4) == 0 { Carried::Shadow } else { Carried::Open };
            let recorded = DecisionRow {
                ticket: key(id),
                decided_at: at(seconds),
                verdict: verdict.into(),
                decision: made.to_string(),
                ..row(&reference, carried)
            };
            for _ in 0..2 {
                store.record_decision(&claim, &recorded).await.expect("kept");
            }
            // Some are posted, twice even, also what was shadow; some are judged before, some after, some over again.
            let judge = async |reference: &str, nth: i64, agree: bool| {
                let opinion = if agree { Opinion::Agree } else { Opinion::Disagree { why: "no".into() } };
                let who = "Ann Agent".into();
                let said_at = at(seconds + nth);
                let feedback =
                    Feedback { ticket: key(id), reference: reference.into(), opinion, who, said_at, way: Way::Console };
                store.record_feedback(&[feedback]).await.expect("kept");
            };
            if next(3) == 0 {
                judge(&reference, 1, next(2) == 0).await;
            }
            if next(4) > 0 {
                for late in [2, 9] {
                    store.posted(&claim, &reference, at(seconds + late)).await.expect("posted");
                }
                books.posted.entry((id, reference.clone())).or_insert(at(seconds + 2));
            }
            for nth in 3..3 + i64::try_from(next(3)).expect("small") {
                judge(&reference, nth, next(2) == 0).await;
            }
            let end =
                if next(3) == 0 { Next::Stopped { why: "solved".into() } } else { Next::Settled { look_at: None } };
            store.settle(&claim, end, at(seconds + 10)).await.expect("settled");
            for since in [first, at(seconds - 20 * HOUR)] {
                let expected = recounted(&*store, &mut books, since.date_naive()).await;
                assert_eq!(read(&*store, since.date_naive()).await, expected, "after step {step}, since {since}");
            }
            if step % 40 == 39 {
                // Removal: what is old of stopped tickets goes, the rest stays counted as it was.
                store.sweep(at(seconds - 24 * HOUR), 3).await.expect("swept");
                let expected = recounted(&*store, &mut books, first.date_naive()).await;
                assert_eq!(read(&*store, first.date_naive()).await, expected, "after a sweep at step {step}");
            }
        }
        let full = read(&*store, first.date_naive()).await;
        assert!(full.gists.len() > 4 && full.waits.len() > 1 && full.disagreements.len() > 5, "{full:#?}");
        for id in 1..=TICKETS {
            let claim = claimed(&*store, id, 1_000 * HOUR).await;
            store.settle(&claim, Next::Stopped { why: "solved".into() }, at(1_000 * HOUR)).await.expect("settled");
        }
        while store.sweep(at(2_000 * HOUR), 7).await.expect("swept").total() > 0 {}
        assert_eq!(read(&*store, first.date_naive()).await, Counted::default(), "nothing is left");
    })
    .await;
}

#[tokio::test]
async fn opinions_at_once_are_each_counted() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        let claim = claimed(&*store, 1, 0).await;
        store.record_decision(&claim, &row("A", Carried::Open)).await.expect("kept");
        let mut saying = Vec::new();
        for nth in 0..20 {
            let sayer = store.clone();
            let opinion = if nth % 2 == 0 { Opinion::Agree } else { Opinion::Disagree { why: "no".into() } };
            let who = format!("agent {nth}");
            let said =
                Feedback { ticket: key(1), reference: "A".into(), opinion, who, said_at: at(nth), way: Way::Console };
            saying.push(tokio::spawn(async move { sayer.record_feedback(&[said]).await.map(drop) }));
            if nth == 10 {
                store.posted(&claim, "A", at(1)).await.expect("posted");
            }
        }
        for one in saying {
            one.await.expect("a task").expect("kept");
        }
        let day = at(0).date_naive();
        assert_eq!(
            store.agreement(day).await.expect("read"),
            Agreement { agreed: 0, disagreed: 1 },
            "the newest counts"
        );
        let sums = store.sums(None).await.expect("read");
        assert_eq!(sums.gists[0].1, Sum { decisions: 1, tickets: 1, saved: 0, agreed: 0, disagreed: 1 });
        assert_eq!(sums.waits, [(1, 1)]);
    })
    .await;
}

#[test]
fn a_gist_tells_no_date_whatever_an_answer_follows_from() {
    let now = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let policy = star();
    let ids = Ids::new(&policy.binding, &Ids::default());
    let mut reckoned = 0;
    for expires in ["2026-11-01", "2026-11-20", "2026-11-25", "2026-12-20", "2027-11-24"] {
        for also in [&[][..], &[("grace_ends_at", "2026-12-15")]] {
            let given = [("request", "plan_license"), ("trial", "no"), ("expires_at", expires)];
            let stated = |(fact, value): (&str, &str)| Stated {
                fact: fact.to_owned(),
                value: value.to_owned(),
                source: starwarden::decide::facts::source::Source::Tag("a".into()),
            };
            let stated: Vec<Stated> = given.into_iter().chain(also.iter().copied()).map(stated).collect();
            let decision = judge::ticket(policy, &ids, None, &[], &stated, &OwnUsers::none(), now).decision;
            let mut decision = serde_json::to_value(&decision).expect("JSON");
            for answered in decision["path"].as_array_mut().expect("a path") {
                answered["trust"] = json!("recorded");
            }
            let gist = Gist::of("no_need", &decision.to_string()).expect("a decision");
            assert!(gist.sources.iter().all(|source| !source.contains(char::is_numeric)), "{expires}: {gist:?}");
            reckoned += gist.sources.iter().filter(|source| *source == "reckoned from the expiry").count();
        }
    }
    assert!(reckoned > 0);
}
