//! What every store must do; one suite for each implementation.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use starwarden::decide::ticket::TicketKey;
use starwarden::learn::report::Sum;
use starwarden::store::budget::Taken;
use starwarden::store::comparisons::{Comparison, Moved, Pair};
use starwarden::store::decisions::{Carried, DecisionRow};
use starwarden::store::deliveries::{NewDelivery, Recorded, Relevance};
use starwarden::store::feedback::{Agreement, Feedback, Opinion, Way};
use starwarden::store::follow_ups::{Came, Destination, FollowUpClaim, Kind, Planned, Stage, TicketIs, Waiting};
use starwarden::store::history::{Backlog, WatchFilter, WatchRow, WatchState};
use starwarden::store::operators::{Did, OperatorEvent};
use starwarden::store::overview::{DecisionFilter, Listed, Standing};
use starwarden::store::pauses::Paused;
use starwarden::store::policies::PolicyVersion;
use starwarden::store::promotions::{NewPromotion, Put, Step, last_standing};
use starwarden::store::retention::Swept;
use starwarden::store::vectors::TextHash;
use starwarden::store::watches::{Claim, DeadLetters, Next, Watch};
use starwarden::store::{Store, StoreError};

use crate::support::postgres;

pub(crate) const LEASE: Duration = Duration::from_secs(60);

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse::<DateTime<Utc>>().expect("an instant") + TimeDelta::seconds(seconds)
}

pub(crate) fn key(id: u64) -> TicketKey {
    TicketKey { account: "global".into(), id }
}

pub(crate) fn delivery(id: u64, unique: Option<&str>, seconds: i64) -> NewDelivery {
    NewDelivery {
        ticket: key(id),
        key: unique.map(str::to_owned),
        kind: "trigger".into(),
        happened_at: None,
        received_at: at(seconds),
        due_at: at(seconds),
        relevance: Relevance::Ours,
    }
}

pub(crate) fn row(reference: &str, carried: Carried) -> DecisionRow {
    DecisionRow {
        reference: reference.into(),
        ticket: key(1),
        decided_at: at(0),
        verdict: "no_need".into(),
        fingerprint: "f".into(),
        decision: "{}".into(),
        note: "n".into(),
        basis: "{}".into(),
        carried,
    }
}

fn settled(look_at: Option<DateTime<Utc>>) -> Next {
    Next::Settled { look_at, policy: "p".into() }
}

async fn claim_one(store: &Store, seconds: i64) -> Claim {
    store.claim("global", at(seconds), LEASE, 10).await.expect("a store").pop().expect("a due ticket")
}

/// Runs a check on every kind of store, each empty.
pub(crate) async fn check<F: Future<Output = ()>>(body: impl Fn(Store) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    eprintln!("on SQLite:");
    body(Store::sqlite(&folder.path().join("star.db")).expect("a store")).await;
    eprintln!("on PostgreSQL:");
    let url = postgres::shared().database().await;
    body(Store::postgres(&url).await.expect("a store")).await;
}

#[tokio::test]
async fn a_repeat_is_known_by_its_key_within_its_ticket_while_it_is_kept() {
    check(|store| async move {
        let day = 24 * 60 * 60;
        let told = |id, key, seconds| {
            let (store, told) = (store.clone(), delivery(id, key, seconds));
            async move { store.record(told).await.expect("kept") }
        };
        assert_eq!(told(1, Some("k"), 0).await, Recorded::Accepted);
        assert_eq!(told(1, Some("k"), 1).await, Recorded::Duplicate);
        assert_eq!(told(1, Some("k"), 60 * day).await, Recorded::Duplicate);
        assert_eq!(store.history(&key(1)).await.expect("read").expect("a ticket").deliveries.len(), 1);
        assert_eq!(told(2, Some("k"), 1).await, Recorded::Accepted, "the id is not signed, and the ticket is");
        let elsewhere = NewDelivery { ticket: TicketKey { account: "us".into(), id: 1 }, ..delivery(1, Some("k"), 0) };
        assert_eq!(store.record(elsewhere).await.expect("kept"), Recorded::Accepted);
        for _ in 0..2 {
            assert_eq!(told(1, None, 2).await, Recorded::Accepted, "without a key nothing is known again");
        }
        let claim = store.claim("global", at(3), LEASE, 10).await.expect("claimed").remove(0);
        store.settle(&claim, settled(None), at(3)).await.expect("settled");
        assert_eq!(told(1, Some("k"), 4).await, Recorded::Duplicate);
        let watch = store.history(&key(1)).await.expect("read").expect("a ticket").watch;
        assert_eq!(watch, Watch::Idle, "a repeat marks nothing");
        store.sweep(at(60 * day), 10).await.expect("swept");
        assert_eq!(told(1, Some("k"), 61 * day).await, Recorded::Accepted);
    })
    .await;
}

#[tokio::test]
async fn each_of_many_at_once_hears_its_own_answer() {
    check(|store| async move {
        let telling: Vec<_> = (0..200)
            .map(|nth| {
                // Forty tickets, four keys each and one of them twice; and a fifth that is only of use where it is watched.
                let (store, ticket) = (store.clone(), nth / 5 + 1);
                let told = match nth % 5 {
                    4 => NewDelivery { relevance: Relevance::OnlyIfWatched, ..delivery(1000 + ticket, Some("k"), 0) },
                    key => delivery(ticket, Some(&format!("k{}", key % 3)), 0),
                };
                tokio::spawn(async move { store.record(told).await.expect("kept") })
            })
            .collect();
        let mut recorded = Vec::new();
        for one in telling {
            recorded.push(one.await.expect("a task"));
        }
        for (nth, of_ticket) in recorded.chunks(5).enumerate() {
            let pair = [of_ticket[0], of_ticket[3]];
            assert!(pair.contains(&Recorded::Accepted) && pair.contains(&Recorded::Duplicate), "{nth}: {pair:?}");
            assert_eq!(of_ticket[1..3], [Recorded::Accepted; 2], "{nth}");
            assert_eq!(of_ticket[4], Recorded::Ignored, "{nth}");
        }
        let claims = store.claim("global", at(0), LEASE, 100).await.expect("claimed");
        assert_eq!(claims.len(), 40);
        assert!(claims.iter().all(|claim| claim.marks == 1), "due already, it is not written again: {claims:?}");
    })
    .await;
}

#[tokio::test]
async fn what_another_process_marks_due_is_heard() {
    let heard = async |mine: Store, others: Store| {
        let wake = mine.wake("global");
        others.mark_due(&key(1), at(0)).await.expect("marked");
        let patience = Duration::from_secs(30);
        tokio::time::timeout(patience, wake.notified()).await.expect("a wake before the clock's");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("star.db");
    heard(Store::sqlite(&file).expect("a store"), Store::sqlite(&file).expect("a store")).await;
    let url = postgres::shared().database().await;
    let open = async || Store::postgres(&url).await.expect("a store");
    heard(open().await, open().await).await;
}

#[tokio::test]
async fn a_burst_is_one_due_ticket_at_its_first_time() {
    check(|store| async move {
        for seconds in [5, 3, 9] {
            store.record(delivery(1, None, seconds)).await.expect("kept");
        }
        assert_eq!(store.next_due("global").await.expect("read"), Some(at(3)));
        assert_eq!(store.claim("global", at(2), LEASE, 10).await.expect("claimed"), []);
        assert_eq!(store.claim("global", at(3), LEASE, 10).await.expect("claimed").len(), 1);
        assert_eq!(store.claim("us", at(3), LEASE, 10).await.expect("claimed"), []);
    })
    .await;
}

#[tokio::test]
async fn one_ticket_is_in_one_pair_of_hands() {
    check(|store| async move {
        for id in 1..=40 {
            store.record(delivery(id, None, 0)).await.expect("kept");
        }
        let takers: Vec<_> = (0..8)
            .map(|_| store.clone())
            .map(|store| tokio::spawn(async move { store.claim("global", at(1), LEASE, 7).await.expect("claimed") }))
            .collect();
        let mut taken = Vec::new();
        for taker in takers {
            taken.extend(taker.await.expect("a taker").into_iter().map(|claim| claim.ticket.id));
        }
        taken.sort_unstable();
        assert_eq!(taken, (1..=40).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ended_passes_on_and_its_old_holder_writes_nothing() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        let old = claim_one(&store, 0).await;
        assert_eq!(store.claim("global", at(59), LEASE, 10).await.expect("claimed"), []);
        store.extend(&old, at(50), LEASE).await.expect("longer");
        assert_eq!(store.claim("global", at(100), LEASE, 10).await.expect("claimed"), []);
        let new = claim_one(&store, 110).await;
        assert_ne!(old.lease, new.lease);
        let lost = |result: Result<(), StoreError>| matches!(result, Err(StoreError::LeaseLost(_)));
        assert!(lost(store.record_decision(&old, &row("A", Carried::Open)).await.map(|_| ())));
        assert!(lost(store.posted(&old, "A", at(111)).await));
        assert!(lost(store.extend(&old, at(111), LEASE).await));
        assert!(lost(store.settle(&old, settled(None), at(111)).await));
        store.record_decision(&new, &row("B", Carried::Open)).await.expect("kept");
        store.settle(&new, settled(None), at(112)).await.expect("settled");
        let history = store.history(&key(1)).await.expect("read").expect("a ticket");
        assert_eq!(history.decisions.iter().map(|row| row.reference.as_str()).collect::<Vec<_>>(), ["B"]);
    })
    .await;
}

#[tokio::test]
async fn a_ticket_is_left_as_the_look_says() {
    check(|store| async move {
        let error = || "broken".to_owned();
        for (next, watch, failures) in [
            (settled(None), Watch::Idle, 0),
            (settled(Some(at(500))), Watch::Due { at: at(500) }, 0),
            (Next::Again { at: at(7) }, Watch::Due { at: at(7) }, 0),
            (Next::Retry { at: at(9), error: error() }, Watch::Due { at: at(9) }, 1),
            (Next::Retry { at: at(9), error: error() }, Watch::Due { at: at(9) }, 2),
            (Next::Again { at: at(9) }, Watch::Due { at: at(9) }, 2),
            (Next::Dead { error: error() }, Watch::Dead { error: error() }, 0),
            (Next::Stopped { why: "closed".into() }, Watch::Stopped { why: "closed".into() }, 0),
        ] {
            store.mark_due(&key(1), at(0)).await.expect("marked");
            let claim = claim_one(&store, 1000).await;
            store.settle(&claim, next.clone(), at(1)).await.expect("settled");
            assert_eq!(store.history(&key(1)).await.expect("read").expect("a ticket").watch, watch, "{next:?}");
            store.mark_due(&key(1), at(0)).await.expect("marked");
            let claim = claim_one(&store, 1000).await;
            assert_eq!(claim.failures, failures, "{next:?}");
            store.settle(&claim, Next::Again { at: at(2) }, at(1)).await.expect("settled");
        }
    })
    .await;
}

#[tokio::test]
async fn what_happens_during_a_look_makes_the_ticket_due_again() {
    check(|store| async move {
        for (next, due) in [
            (settled(None), at(20)),
            (settled(Some(at(500))), at(20)),
            (Next::Stopped { why: "closed".into() }, at(20)),
            (Next::Retry { at: at(90), error: "broken".into() }, at(90)),
        ] {
            store.mark_due(&key(1), at(0)).await.expect("marked");
            let claim = claim_one(&store, 1000).await;
            store.record(delivery(1, None, 10)).await.expect("kept");
            store.settle(&claim, next.clone(), at(20)).await.expect("settled");
            assert_eq!(
                store.history(&key(1)).await.expect("read").expect("a ticket").watch,
                Watch::Due { at: due },
                "{next:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_shows_no_star_matters_only_for_a_watched_ticket() {
    check(|store| async move {
        let unstarred = |seconds| NewDelivery { relevance: Relevance::OnlyIfWatched, ..delivery(1, None, seconds) };
        assert_eq!(store.record(unstarred(0)).await.expect("read"), Recorded::Ignored);
        assert_eq!(store.history(&key(1)).await.expect("read"), None);
        store.record(delivery(1, None, 1)).await.expect("kept");
        assert_eq!(store.record(unstarred(2)).await.expect("kept"), Recorded::Accepted);
        let claim = claim_one(&store, 5).await;
        store.settle(&claim, Next::Stopped { why: "closed".into() }, at(6)).await.expect("settled");
        assert_eq!(store.record(unstarred(7)).await.expect("read"), Recorded::Ignored);
        store.record(delivery(1, None, 8)).await.expect("kept");
        assert_eq!(claim_one(&store, 9).await.failures, 0, "a new star brings a stopped ticket back");
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_kept_once_and_the_newest_carried_one_counts() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        let claim = claim_one(&store, 1).await;
        store.record_decision(&claim, &row("A", Carried::Open)).await.expect("kept");
        store.record_decision(&claim, &row("A", Carried::Open)).await.expect("kept once");
        assert_eq!(store.last_decision(&key(1)).await.expect("read"), None, "an open one may never have been written");
        store.record_decision(&claim, &row("B", Carried::Open)).await.expect("kept");
        store.posted(&claim, "B", at(2)).await.expect("said");
        assert_eq!(store.last_decision(&key(1)).await.expect("read"), Some(row("B", Carried::Posted)));
        store.record_decision(&claim, &row("C", Carried::Shadow)).await.expect("kept");
        assert_eq!(store.last_decision(&key(1)).await.expect("read"), Some(row("C", Carried::Shadow)));
        let history = store.history(&key(1)).await.expect("read").expect("a ticket");
        let carried: Vec<_> = history.decisions.iter().map(|row| (row.reference.as_str(), row.carried)).collect();
        assert_eq!(carried, [("A", Carried::Overtaken), ("B", Carried::Posted), ("C", Carried::Shadow)]);
    })
    .await;
}

#[tokio::test]
async fn feedback_is_kept_once_with_its_verdict_and_the_newest_opinion_counts() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        let claim = claim_one(&store, 1).await;
        for (reference, verdict, seconds) in
            [("A", "needs_facts", 0), ("B", "no_need", 10), ("C", "ok_to_star", 86_400)]
        {
            let row = DecisionRow { verdict: verdict.into(), decided_at: at(seconds), ..row(reference, Carried::Open) };
            store.record_decision(&claim, &row).await.expect("kept");
            store.posted(&claim, reference, at(seconds)).await.expect("posted");
        }
        let said = |reference: &str, opinion: Opinion, way: Way, seconds: i64| Feedback {
            ticket: key(1),
            reference: reference.into(),
            opinion,
            who: "Ann Agent".into(),
            said_at: at(seconds),
            way,
        };
        let disagree = |why: &str| Opinion::Disagree { why: why.into() };
        let (reply, first, next) = (|comment| Way::Reply { comment }, at(0).date_naive(), at(86_400).date_naive());
        let on_b = said("B", disagree("no"), reply(7), 30);
        for (new, feedback) in [
            (1, on_b.clone()),
            (0, on_b.clone()),
            (1, said("B", Opinion::Agree, reply(8), 31)),
            (1, said("C", Opinion::Corrected { to: "no_need".into() }, Way::Tag, 40)),
            (0, said("C", Opinion::Corrected { to: "no_need".into() }, Way::Tag, 50)),
            (1, said("A", Opinion::Agree, reply(6), 5)),
            (0, said("unheard of", Opinion::Agree, reply(9), 60)),
        ] {
            assert_eq!(
                store.record_feedback(std::slice::from_ref(&feedback)).await.expect("kept"),
                new,
                "{feedback:?}"
            );
        }
        assert_eq!(store.agreement(first).await.expect("read"), Agreement { agreed: 1, disagreed: 1 });
        assert_eq!(store.agreement(next).await.expect("read"), Agreement { agreed: 0, disagreed: 1 });
        // A button that is pressed again renews what was said with it.
        for (opinion, seconds) in
            [(Opinion::Agree, 61), (disagree("why"), 62), (Opinion::Agree, 63), (disagree("because"), 64)]
        {
            store.record_feedback(&[said("C", opinion, Way::Console, seconds)]).await.expect("kept");
        }
        let listed = store.disagreements(Some(first), 10).await.expect("read");
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(listed[0].verdict, "ok_to_star");
        assert_eq!(listed[0].feedback, said("C", disagree("because"), Way::Console, 64));
        let all = store.feedback_of(&key(1)).await.expect("read");
        assert_eq!(all.len(), 6);
        assert_eq!((&all[0].feedback, all[0].verdict.as_str()), (&on_b, "no_need"));
        assert_eq!(store.disagreements(Some(first), 0).await.expect("read"), []);
    })
    .await;
}

#[tokio::test]
async fn opinions_at_once_are_each_counted() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        let claim = claim_one(&store, 0).await;
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
        assert_eq!(
            sums.gists[0].1,
            Sum { decisions: 1, tickets: 1, settled: 1, unaided: 1, saved: 0, agreed: 0, disagreed: 1 }
        );
        assert_eq!(sums.waits, [(1, 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_paused_account_keeps_what_comes_and_gives_nothing_out() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        assert!(store.paused().await.expect("read").is_empty());
        store.pause("global", "ann", at(1)).await.expect("paused");
        store.pause("global", "ben", at(2)).await.expect("no change");
        let paused = Paused { by: "ann".into(), since: at(1) };
        assert_eq!(store.paused().await.expect("read"), [("global".to_owned(), paused)].into());
        assert_eq!(store.record(delivery(2, None, 0)).await.expect("kept"), Recorded::Accepted);
        assert_eq!(store.claim("global", at(9), LEASE, 10).await.expect("claimed"), []);
        assert_eq!(store.next_due("global").await.expect("read"), None);
        store.mark_due(&TicketKey { account: "us".into(), id: 1 }, at(0)).await.expect("marked");
        assert_eq!(store.claim("us", at(9), LEASE, 10).await.expect("claimed").len(), 1, "the other account goes on");
        assert!(store.resume("global").await.expect("resumed"));
        assert!(!store.resume("global").await.expect("no change"));
        assert_eq!(store.claim("global", at(9), LEASE, 10).await.expect("claimed").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_budget_is_shared_by_all_who_ask_and_held_for_all() {
    check(|store| async move {
        let ask = async |account: &str, calls: u32, per_minute: u32, seconds: i64| {
            store.take(account, calls, per_minute, at(seconds)).await.expect("an answer")
        };
        let takers: Vec<_> = (0..20)
            .map(|_| store.clone())
            .map(|store| tokio::spawn(async move { store.take("global", 1, 60, at(0)).await.expect("an answer") }))
            .collect();
        let mut left = Vec::new();
        for taker in takers {
            if let Taken::Now { left: more } = taker.await.expect("a taker") {
                left.push(more);
            }
        }
        left.sort_unstable();
        assert_eq!(left, [0, 1, 2, 3, 4, 5], "a tenth of the minute's sixty at once");
        assert_eq!(ask("global", 1, 60, 0).await, Taken::NotBefore(at(1)));
        assert_eq!(ask("global", 3, 60, 0).await, Taken::NotBefore(at(3)));
        assert_eq!(ask("global", 1, 60, 1).await, Taken::Now { left: 0 });
        assert_eq!(ask("us", 1, 60, 0).await, Taken::Now { left: 5 }, "another account's is its own");
        let mut made = 0;
        for second in 100..160 {
            while let Taken::Now { .. } = ask("global", 1, 60, second).await {
                made += 1;
            }
        }
        assert_eq!(made, 65, "a minute's sixty, of which the first six at once");
        store.hold_until("global", at(300)).await.expect("held");
        store.hold_until("global", at(200)).await.expect("no change");
        for calls in [0, 1] {
            assert_eq!(ask("global", calls, 60, 299).await, Taken::Held(at(300)));
        }
        for _ in 0..3 {
            assert_eq!(ask("global", 0, 60, 300).await, Taken::Now { left: 6 }, "to ask costs nothing");
        }
        assert_eq!(ask("global", 1, 60, 300).await, Taken::Now { left: 5 });
        assert_eq!(ask("small", 3, 1, 0).await, Taken::Now { left: 0 }, "a budget below one look");
        assert_eq!(ask("small", 3, 1, 0).await, Taken::NotBefore(at(180)));
    })
    .await;
}

#[tokio::test]
async fn what_a_wrong_clock_wrote_stops_nobody() {
    check(|store| async move {
        let (hour, years) = (3600, 4 * 365 * 86_400);
        for (nth, ahead) in [hour, years].into_iter().enumerate() {
            let account = format!("account {nth}");
            let ticket = TicketKey { account: account.clone(), id: 1 };
            for _ in 0..6 {
                store.take(&account, 1, 60, at(ahead)).await.expect("an answer");
            }
            store.hold_until(&account, at(ahead + 30)).await.expect("held");
            store.mark_due(&ticket, at(0)).await.expect("marked");
            assert_eq!(store.claim(&account, at(ahead), LEASE, 10).await.expect("claimed").len(), 1);
            // The budget's normal wait, and not one more: the burst and a call.
            let mut taken = store.take(&account, 1, 60, at(0)).await.expect("an answer");
            if let Some(again) = taken.again() {
                assert!(again <= at(8), "{ahead} s ahead: {taken:?}");
                taken = store.take(&account, 1, 60, again).await.expect("an answer");
            }
            assert!(matches!(taken, Taken::Now { .. }), "{ahead} s ahead: {taken:?}");
            let claims = store.claim(&account, at(1), LEASE, 10).await.expect("claimed");
            assert_eq!(claims.len(), 1, "{ahead} s ahead: no lease is as long");
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_helpdesk_asked_for_outlives_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("star.db");
    let url = postgres::shared().database().await;
    for nth in 0..2 {
        let stores: [Store; 2] =
            [Store::sqlite(&file).expect("a store"), Store::postgres(&url).await.expect("a store")];
        for store in stores {
            if nth == 0 {
                store.hold_until("global", at(300)).await.expect("held");
            }
            assert_eq!(store.take("global", 1, 60, at(299)).await.expect("asked"), Taken::Held(at(300)));
            for (account, seconds) in [("us", 299), ("global", 300)] {
                let asked = store.take(account, 0, 60, at(seconds)).await.expect("asked");
                assert!(matches!(asked, Taken::Now { .. }), "{account}: {asked:?}");
            }
        }
    }
}

#[tokio::test]
async fn dead_letters_go_back_by_one_or_by_what_they_share() {
    check(|store| async move {
        for (id, error) in [(1, "status 500"), (2, "Timed out"), (3, "status 500"), (4, "")] {
            store.mark_due(&key(id), at(0)).await.expect("marked");
            let claim = claim_one(&store, 1).await;
            let next = if error.is_empty() { settled(None) } else { Next::Dead { error: error.into() } };
            store.settle(&claim, next, at(2)).await.expect("settled");
        }
        let one = DeadLetters { account: Some("global".into()), ticket: Some(1), error_has: None };
        assert_eq!(store.send_back(&one, at(5)).await.expect("sent"), 1);
        assert_eq!(store.send_back(&one, at(5)).await.expect("sent"), 0, "it is no dead letter now");
        assert_eq!(store.next_due("global").await.expect("read"), Some(at(5)));
        let elsewhere = DeadLetters { account: Some("us".into()), ..DeadLetters::default() };
        assert_eq!(store.send_back(&elsewhere, at(5)).await.expect("sent"), 0);
        let like = |text: &str| DeadLetters { error_has: Some(text.into()), ..DeadLetters::default() };
        assert_eq!(store.send_back(&like("%"), at(5)).await.expect("sent"), 0, "a text, no pattern");
        assert_eq!(store.send_back(&like("timed OUT"), at(5)).await.expect("sent"), 1);
        assert_eq!(store.send_back(&DeadLetters::default(), at(5)).await.expect("sent"), 1);
        let back = store.claim("global", at(9), LEASE, 10).await.expect("claimed");
        let mut back: Vec<_> = back.iter().map(|claim| (claim.ticket.id, claim.failures)).collect();
        back.sort_unstable();
        assert_eq!(back, [(1, 0), (2, 0), (3, 0)]);
    })
    .await;
}

#[tokio::test]
async fn watched_tickets_are_listed_by_what_is_asked_and_page_by_page() {
    check(|store| async move {
        for (id, next) in [
            (1, settled(None)),
            (2, settled(Some(at(500)))),
            (3, Next::Dead { error: "broken".into() }),
            (4, Next::Stopped { why: "closed".into() }),
            (5, Next::Retry { at: at(90), error: "slow".into() }),
        ] {
            store.mark_due(&key(id), at(0)).await.expect("marked");
            let claim = claim_one(&store, 1).await;
            let decided = DecisionRow { ticket: key(id), ..row("A", Carried::Shadow) };
            let verdict = if id == 1 { "ok_to_star" } else { "no_need" };
            let decided = DecisionRow { verdict: verdict.into(), ..decided };
            store.record_decision(&claim, &decided).await.expect("kept");
            store.settle(&claim, next, at(2)).await.expect("settled");
        }
        store.mark_due(&TicketKey { account: "us".into(), id: 1 }, at(40)).await.expect("marked");
        let all = WatchFilter::default();
        let state = |state| WatchFilter { state: Some(state), ..WatchFilter::default() };
        for (name, filter, ids) in [
            ("all", all.clone(), vec![1, 2, 3, 4, 5, 1]),
            ("an account", WatchFilter { account: Some("us".into()), ..all.clone() }, vec![1]),
            ("due", state(WatchState::Due), vec![2, 5, 1]),
            ("idle", state(WatchState::Idle), vec![1]),
            ("dead", state(WatchState::Dead), vec![3]),
            ("stopped", state(WatchState::Stopped), vec![4]),
            ("a verdict", WatchFilter { verdict: Some("no_need".into()), ..all.clone() }, vec![2, 3, 4, 5]),
            ("a number", WatchFilter { query: Some("4".into()), ..all.clone() }, vec![4]),
            ("no subject", WatchFilter { query: Some("%".into()), ..all.clone() }, vec![]),
        ] {
            let mut found = Vec::new();
            loop {
                let after = found.last().map(|row: &WatchRow| row.ticket.clone());
                let page = store.watched(&filter, after.as_ref(), 2).await.expect("read");
                assert!(page.len() <= 2, "{name}");
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
            assert_eq!(found.iter().map(|row| row.ticket.id).collect::<Vec<_>>(), ids, "{name}");
        }
        let dead = store.watched(&state(WatchState::Dead), None, 9).await.expect("read").pop().expect("a row");
        let (watch, last_error) = (Watch::Dead { error: "broken".into() }, Some("broken".into()));
        let verdict = Some("no_need".into());
        let (decided_at, valid_until, subject) = (Some(at(0)), None, String::new());
        let told =
            WatchRow { ticket: key(3), watch, failures: 1, last_error, verdict, decided_at, valid_until, subject };
        assert_eq!(dead, told);
        let backlog = store.backlog("global", at(100)).await.expect("read");
        assert_eq!(backlog, Backlog { due: 1, later: 1, in_hand: 0, dead: 1, oldest_due: Some(at(90)) });
        store.claim("global", at(100), LEASE, 10).await.expect("claimed");
        assert_eq!(store.backlog("global", at(101)).await.expect("read").in_hand, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_old_goes_and_what_is_watched_stays() {
    check(|store| async move {
        for (id, next) in [(1, settled(None)), (2, Next::Stopped { why: "closed".into() })] {
            for seconds in [0, 0, 0, 1000] {
                store.record(delivery(id, None, seconds)).await.expect("kept");
            }
            let claim = claim_one(&store, 1).await;
            for (reference, seconds) in [("A", 0), ("B", 1000)] {
                let decided =
                    DecisionRow { ticket: key(id), decided_at: at(seconds), ..row(reference, Carried::Shadow) };
                store.record_decision(&claim, &decided).await.expect("kept");
            }
            store.plan_follow_ups(&key(id), "B", &FOLLOWING).await.expect("planned");
            store.settle(&claim, next, at(2)).await.expect("settled");
        }
        store.mark_due(&key(3), at(0)).await.expect("marked");
        for (seconds, next) in
            [(1, Next::Retry { at: at(2), error: "broken".into() }), (3, Next::Stopped { why: "not ours".into() })]
        {
            let claim = claim_one(&store, seconds).await;
            store.looked(&claim, at(1000)).await.expect("kept");
            store.settle(&claim, next, at(seconds)).await.expect("settled");
        }
        let mut swept = Vec::new();
        loop {
            let gone = store.sweep(at(500), 2).await.expect("swept");
            if gone == Swept::default() {
                break;
            }
            assert!(gone.deliveries <= 2, "a little at a time");
            swept.push(gone);
        }
        let decisions: u64 = swept.iter().map(|gone| gone.decisions).sum();
        assert_eq!(decisions, 1, "the stopped ticket's old one");
        let kept = |id| {
            let store = store.clone();
            async move {
                let history = store.history(&key(id)).await.expect("read").expect("a ticket");
                (history.deliveries.len(), history.decisions.len())
            }
        };
        assert_eq!((kept(1).await.1, kept(2).await.1), (2, 1));
        assert_eq!(swept.iter().map(|gone| (gone.watches, gone.failures)).max(), Some((0, 1)));
        assert_eq!(kept(3).await, (0, 0), "read lately, though nothing hangs on it");
        while store.sweep(at(2000), 2).await.expect("swept").total() > 0 {}
        assert_eq!(kept(1).await, (0, 2), "a watched ticket keeps its decisions");
        assert_eq!(store.history(&key(2)).await.expect("read"), None, "nothing is left of the other");
        let following = async |id| store.follow_ups_of(&key(id)).await.expect("read").len();
        assert_eq!((following(1).await, following(2).await), (3, 0), "what followed goes with its ticket");
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_is_woken_by_what_becomes_due() {
    check(|store| async move {
        let bell = store.wake("global");
        let rung = async |what: &str| {
            tokio::time::timeout(Duration::from_secs(30), bell.notified()).await.unwrap_or_else(|_| panic!("{what}"));
        };
        store.record(delivery(1, None, 0)).await.expect("kept");
        rung("a delivery").await;
        store.mark_due(&key(1), at(0)).await.expect("marked");
        rung("a mark").await;
        store.resume("global").await.expect("resumed");
        rung("a resumed account").await;
        let claim = claim_one(&store, 1).await;
        store.settle(&claim, Next::Dead { error: "broken".into() }, at(2)).await.expect("settled");
        store.send_back(&DeadLetters::default(), at(3)).await.expect("sent");
        rung("a dead letter sent back").await;
    })
    .await;
}

#[tokio::test]
async fn many_at_once_are_all_kept() {
    check(|store| async move {
        let senders: Vec<_> = (0..400)
            .map(|id| (id, store.clone()))
            .map(|(id, store)| tokio::spawn(async move { store.record(delivery(id, None, 0)).await }))
            .collect();
        for sender in senders {
            assert_eq!(sender.await.expect("a sender").expect("kept"), Recorded::Accepted);
        }
        assert_eq!(store.claim("global", at(1), LEASE, 1000).await.expect("claimed").len(), 400);
        store.ready().await.expect("ready");
    })
    .await;
}

#[tokio::test]
async fn a_file_outlives_its_process_and_two_may_open_it_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("star.db");
    let opened: Vec<_> =
        (0..4).map(|_| path.clone()).map(|path| std::thread::spawn(move || Store::sqlite(&path).map(drop))).collect();
    for opening in opened {
        opening.join().expect("a thread").expect("opened");
    }
    Store::sqlite(&path).expect("a store").record(delivery(1, Some("k"), 0)).await.expect("kept");
    let again = Store::sqlite(&path).expect("a store");
    assert_eq!(again.record(delivery(1, Some("k"), 0)).await.expect("read"), Recorded::Duplicate);
}

#[test]
fn a_file_that_cannot_be_used_is_told_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = Store::sqlite(&folder.path().join("nowhere/star.db")).err().expect("no folder").to_string();
    assert!(missing.contains("nowhere/star.db") && missing.contains("folder exists"), "{missing}");
    let newer = folder.path().join("newer.db");
    rusqlite::Connection::open(&newer).expect("a file").pragma_update(None, "user_version", 99).expect("a version");
    let refused = Store::sqlite(&newer).err().expect("newer").to_string();
    assert!(refused.contains("newer version"), "{refused}");
    let other = folder.path().join("text.db");
    std::fs::write(&other, "this is no database, it is a letter to a friend of mine, and a long one").expect("a file");
    assert!(Store::sqlite(&other).is_err());
}

fn told(who: &str, seconds: i64, ticket: Option<u64>, did: Did) -> OperatorEvent {
    OperatorEvent { at: at(seconds), who: who.into(), ticket: ticket.map(key), did }
}

#[tokio::test]
async fn what_operators_did_is_kept_in_order_and_makes_its_ticket_due() {
    check(|store| async move {
        let answer = Did::Answered { fact: "trial".into(), value: "no".into() };
        for event in [
            told("ann", 0, None, Did::SignedIn),
            told("ann", 1, Some(1), answer.clone()),
            told("rob", 2, Some(2), Did::LookAgain),
            told("ann", 3, Some(1), Did::Disagreed { why: "it's in procurement".into() }),
        ] {
            store.record_operator(&event).await.expect("kept");
        }
        let on = store.operators_on(&key(1)).await.expect("events");
        assert_eq!(
            on,
            [
                told("ann", 1, Some(1), answer),
                told("ann", 3, Some(1), Did::Disagreed { why: "it's in procurement".into() })
            ]
        );
        let due = store.claim("global", at(3), LEASE, 10).await.expect("claims");
        assert_eq!(due.iter().map(|claim| claim.ticket.id).collect::<Vec<_>>(), [1, 2], "both are due");
        let newest = store.operator_events(None, 3).await.expect("events");
        assert_eq!(newest.iter().map(|(_, event)| event.at).collect::<Vec<_>>(), [at(3), at(2), at(1)]);
        let older = store.operator_events(newest.last().map(|(number, _)| *number), 3).await.expect("events");
        assert_eq!(
            older.into_iter().map(|(_, event)| event).collect::<Vec<_>>(),
            [told("ann", 0, None, Did::SignedIn)]
        );
    })
    .await;
}

/// A decision on a ticket that went this way, recorded by whoever claims it.
async fn decided(store: &Store, id: u64, reference: &str, verdict: &str, walked: &[&str], seconds: i64) {
    store.mark_due(&key(id), at(seconds)).await.expect("marked");
    let claims = store.claim("global", at(seconds), LEASE, 100).await.expect("claims");
    let claim = claims.into_iter().find(|claim| claim.ticket.id == id).expect("the ticket");
    let valid_until = (verdict == "no_need").then(|| at(seconds + 600));
    let decision = DecisionRow {
        ticket: key(id),
        decided_at: at(seconds),
        verdict: verdict.into(),
        decision: serde_json::json!({ "policy": "p", "walked": walked, "valid_until": valid_until }).to_string(),
        basis: serde_json::json!({ "subject": format!("Ticket {id}") }).to_string(),
        ..row(reference, Carried::Posted)
    };
    for _ in 0..2 {
        store.record_decision(&claim, &decision).await.expect("kept; the second time it is no change");
    }
    store.settle(&claim, settled(None), at(seconds)).await.expect("settled");
}

#[tokio::test]
async fn counts_and_lists_say_what_was_decided() {
    check(|store| async move {
        let day = 86_400;
        decided(&store, 1, "A", "needs_facts", &["S", "T"], 0).await;
        decided(&store, 2, "B", "no_need", &["S", "T", "N"], 10).await;
        decided(&store, 3, "C", "no_need", &["S", "T", "N"], 20).await;
        decided(&store, 1, "D", "ok_to_star", &["S", "P"], day).await;
        let tallies = async |from: i64, to: i64| {
            let tallies = store.tallies(at(from).date_naive(), at(to).date_naive()).await.expect("tallies");
            let mut told: Vec<_> =
                tallies.into_iter().map(|it| (it.verdict, it.nodes.join(">"), it.decisions)).collect();
            told.sort();
            told.into_iter().map(|(verdict, way, count)| format!("{verdict} {way} {count}")).collect::<Vec<_>>()
        };
        assert_eq!(tallies(0, 0).await, ["needs_facts S>T 1", "no_need S>T>N 2"], "each decision once");
        assert_eq!(tallies(0, day).await, ["needs_facts S>T 1", "no_need S>T>N 2", "ok_to_star S>P 1"]);
        assert_eq!(tallies(2 * day, 3 * day).await, [""; 0]);

        let given = |text: &str| Some(text.to_owned());
        for (filter, found) in [
            (DecisionFilter::default(), "DCBA"),
            (DecisionFilter { verdict: given("no_need"), ..DecisionFilter::default() }, "CB"),
            (DecisionFilter { node: given("T"), ..DecisionFilter::default() }, "CBA"),
            (DecisionFilter { node: given("S"), verdict: given("ok_to_star"), ..DecisionFilter::default() }, "D"),
            (DecisionFilter { since: Some(at(20)), ..DecisionFilter::default() }, "DC"),
            (DecisionFilter { node: given("N"), since: Some(at(20)), ..DecisionFilter::default() }, "C"),
            (DecisionFilter { node: given("nowhere"), ..DecisionFilter::default() }, ""),
        ] {
            let mut filter = filter;
            let mut references = String::new();
            loop {
                // By pages of one, so that every place is also where a page begins.
                let page = store.decisions(&filter, 1).await.expect("decisions");
                let Some((place, row)) = page.into_iter().next() else { break };
                references.push_str(&row.reference);
                filter.before = Some(place.to_string().parse().expect("a place reads back"));
            }
            assert_eq!(references, found, "{filter:?}");
        }

        let listed = async |listed: Listed| {
            let tickets = store.tickets(&listed, 0, 10).await.expect("tickets");
            tickets
                .iter()
                .map(|it| format!("{} {} {}", it.ticket.id, it.subject, it.verdict.clone().unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        assert_eq!(listed(Listed::All).await, ["1 Ticket 1 ok_to_star", "3 Ticket 3 no_need", "2 Ticket 2 no_need"]);
        assert_eq!(listed(Listed::Flipping(at(615))).await, ["2 Ticket 2 no_need"]);
        assert_eq!(listed(Listed::OpenQuestions).await, [""; 0], "the newest decision counts");
        assert_eq!(listed(Listed::Number(3)).await, ["3 Ticket 3 no_need"]);
        decided(&store, 4, "E", "needs_facts", &["S", "T"], day + 1).await;
        store.mark_due(&key(2), at(day + 5)).await.expect("marked");
        let standing = store.standing(at(day + 9), at(day + 9)).await.expect("standing");
        assert_eq!(standing, Standing { open_questions: 1, flipping: 2, dead: 0, oldest_due: Some(at(day + 5)) });
        let claim = store.claim("global", at(day + 9), LEASE, 10).await.expect("claims").pop().expect("ticket 2");
        store.settle(&claim, Next::Dead { error: "answered 500".into() }, at(day + 9)).await.expect("settled");
        assert_eq!(listed(Listed::Dead).await, ["2 Ticket 2 no_need"]);
        assert_eq!(store.standing(at(day + 9), at(day + 9)).await.expect("standing").dead, 1);
        let history = store.history(&key(2)).await.expect("a history").expect("the ticket");
        assert_eq!(
            history.failures.iter().map(|it| (it.at, it.error.as_str())).collect::<Vec<_>>(),
            [(at(day + 9), "answered 500")]
        );
    })
    .await;
}

#[tokio::test]
async fn policies_are_kept_in_the_order_they_came_into_force() {
    check(|store| async move {
        let version = |hash: &str, seconds: i64| PolicyVersion {
            hash: hash.into(),
            since: at(seconds),
            binding: format!("binding of {hash}"),
            diagram: format!("diagram of {hash}"),
        };
        for (hash, seconds, order) in [("a", 0, "a0"), ("a", 5, "a0"), ("b", 10, "b10 a0"), ("a", 20, "a20 b10")] {
            store.record_policy(&version(hash, seconds)).await.expect("kept");
            let kept = store.policies(10).await.expect("policies");
            let told: Vec<_> =
                kept.iter().map(|it| format!("{}{}", it.hash, (it.since - at(0)).num_seconds())).collect();
            assert_eq!(told.join(" "), order, "after {hash} at {seconds}");
        }
        assert_eq!(store.policies(1).await.expect("policies"), [version("a", 20)]);
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_another_try_is_brought_forward_by_no_delivery_and_by_whoever_asks() {
    check(|store| async move {
        let broken = || "broken".to_owned();
        for (id, next) in
            [(1, Next::Retry { at: at(90), error: broken() }), (2, Next::Held { at: at(90), why: "it flaps".into() })]
        {
            let watch = async || store.history(&key(id)).await.expect("read").expect("a ticket").watch;
            store.mark_due(&key(id), at(0)).await.expect("marked");
            let claim = claim_one(&store, 1).await;
            store.settle(&claim, next.clone(), at(2)).await.expect("settled");
            store.record(delivery(id, None, 10)).await.expect("kept");
            assert_eq!(watch().await, Watch::Due { at: at(90) }, "{next:?}");
            store.mark_due(&key(id), at(11)).await.expect("marked");
            assert_eq!(watch().await, Watch::Due { at: at(11) }, "{next:?}");
            let claim = claim_one(&store, 12).await;
            store.settle(&claim, settled(None), at(13)).await.expect("settled");
        }
        store.mark_due(&key(3), at(20)).await.expect("marked");
        let claim = claim_one(&store, 20).await;
        store.settle(&claim, Next::Retry { at: at(21), error: broken() }, at(20)).await.expect("settled");
        let claim = claim_one(&store, 21).await;
        store.record(delivery(3, None, 22)).await.expect("kept");
        store.settle(&claim, Next::Dead { error: broken() }, at(23)).await.expect("settled");
        let again = claim_one(&store, 23).await;
        assert_eq!(again.failures, 0, "news during the last look sends a dead letter back, as it does afterwards");
    })
    .await;
}

#[tokio::test]
async fn what_failed_with_a_helpdesk_is_brought_forward_when_it_is_sound_again() {
    check(|store| async move {
        for id in 1..=4 {
            store.mark_due(&key(id), at(0)).await.expect("marked");
            let claim = claim_one(&store, 1).await;
            let next = match id {
                4 => Next::Held { at: at(90), why: "it flaps".into() },
                _ => Next::Retry { at: at(60 + i64::try_from(id).expect("small")), error: "broken".into() },
            };
            store.settle(&claim, next, at(2)).await.expect("settled");
        }
        let due = async || {
            let mut due = Vec::new();
            for id in 1..=4 {
                due.push(store.history(&key(id)).await.expect("read").expect("a ticket").watch);
            }
            due
        };
        let waits = |seconds: [i64; 4]| seconds.map(|seconds| Watch::Due { at: at(seconds) }).to_vec();
        assert_eq!(store.bring_forward("elsewhere", at(10), 9).await.expect("none"), 0);
        assert_eq!(store.bring_forward("global", at(10), 1).await.expect("one"), 1);
        assert_eq!(due().await, waits([10, 62, 63, 90]), "the next of them");
        assert_eq!(store.bring_forward("global", at(11), 9).await.expect("two"), 2);
        assert_eq!(due().await, waits([10, 11, 11, 90]), "what is held back for another reason stays so");
    })
    .await;
}

#[tokio::test]
async fn whoever_the_bot_was_is_kept_by_account() {
    check(|store| async move {
        for (account, user, own) in
            [("global", 7, vec![7]), ("us", 9, vec![9]), ("global", 8, vec![7, 8]), ("global", 7, vec![7, 8])]
        {
            let known = store.known_as(account, user).await.expect("kept");
            assert_eq!(known, own.iter().copied().collect(), "{account} {user}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_moved_since_its_last_look_is_found_and_nothing_else() {
    check(|store| async move {
        let hour = 3600;
        for (id, read, next) in [
            (1, Some(at(100)), settled(None)),
            (2, Some(at(100)), Next::Stopped { why: "solved".into() }),
            (3, Some(at(100)), Next::Dead { error: "broken".into() }),
            (4, None, Next::Dead { error: "broken".into() }),
            (5, Some(at(100)), settled(Some(at(hour)))),
            (6, Some(at(100)), settled(Some(at(300 * hour)))),
        ] {
            store.mark_due(&key(id), at(0)).await.expect("marked");
            let claim = claim_one(&store, 1).await;
            if let Some(read) = read {
                store.looked(&claim, read).await.expect("kept");
            }
            store.settle(&claim, next, at(2)).await.expect("settled");
        }
        store.mark_due(&key(7), at(9)).await.expect("marked");
        for (changed, now, moved) in [
            (99, 101, vec![8]),
            (99, 2 * hour, vec![4, 8]),
            (100, 101, vec![1, 2, 5, 6, 8]),
            (300, hour - 600, vec![1, 2, 6, 8]),
            (300, 2 * hour, vec![1, 2, 3, 4, 6, 8]),
        ] {
            let found: Vec<_> = (1..=8).map(|id| (id, at(changed))).collect();
            let all = store.moved("global", &found, at(now)).await.expect("asked");
            assert_eq!(all, moved, "changed at {changed} s, read at 100 s, asked at {now} s; 8 was never heard of");
        }
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_unconfirmed_until_something_became_of_it() {
    check(|store| async move {
        store.mark_due(&key(1), at(0)).await.expect("marked");
        let claim = claim_one(&store, 1).await;
        assert!(!store.unconfirmed(&key(1)).await.expect("asked"));
        store.record_decision(&claim, &row("A", Carried::Open)).await.expect("recorded");
        assert!(store.unconfirmed(&key(1)).await.expect("asked"));
        store.posted(&claim, "A", at(2)).await.expect("said");
        assert!(!store.unconfirmed(&key(1)).await.expect("asked"));
        assert!(store.record_decision(&claim, &row("B", Carried::Open)).await.expect("recorded"));
        store.overtake(&claim).await.expect("said");
        assert!(!store.unconfirmed(&key(1)).await.expect("asked"));
        for (reference, carried, open) in
            [("A", Carried::Open, false), ("B", Carried::Shadow, false), ("B", Carried::Open, true)]
        {
            let new = store.record_decision(&claim, &row(reference, carried)).await.expect("recorded");
            let unconfirmed = store.unconfirmed(&key(1)).await.expect("asked");
            assert_eq!((new, unconfirmed), (false, open), "{reference} {carried:?}");
        }
        store.overtake(&claim).await.expect("said");
        let decisions = store.history(&key(1)).await.expect("read").expect("a ticket").decisions;
        let carried: Vec<_> = decisions.iter().map(|row| row.carried).collect();
        assert_eq!(carried, [Carried::Posted, Carried::Overtaken]);
        store.record_decision(&claim, &row("C", Carried::Open)).await.expect("recorded");
        let other = claim_one(&store, 100).await;
        assert!(
            matches!(store.overtake(&claim).await, Err(StoreError::LeaseLost(_)))
                && store.unconfirmed(&key(1)).await.expect("asked")
        );
        store.overtake(&other).await.expect("said");
    })
    .await;
}

#[tokio::test]
async fn what_a_candidate_makes_of_decisions_is_counted_once_each_and_listed_where_it_differs() {
    check(|store| async move {
        let pair = |candidate: &str| Pair { policy: "p".into(), candidate: candidate.into() };
        let comparison = |id: u64, reference: &str, candidate: &str, becomes: &str| Comparison {
            ticket: key(id),
            reference: reference.into(),
            decided_at: at(0),
            pair: pair(candidate),
            verdict: "no_need".into(),
            becomes: Some(becomes.into()).filter(|_| !becomes.is_empty()),
            difference: (!becomes.is_empty() && becomes != "no_need").then(|| "{}".into()),
        };
        for (id, reference, candidate, becomes) in [
            (1, "A", "c", "no_need"),
            (1, "B", "c", "ok_to_star"),
            (2, "A", "c", "no_need"),
            (2, "A", "c", "ok_to_star"), // The same decision again: the newer word stands.
            (3, "A", "c", "ok_to_star"),
            (4, "A", "c", ""),           // It could not be told.
            (1, "A", "d", "ok_to_star"), // Another candidate.
        ] {
            store.record_comparison(&comparison(id, reference, candidate, becomes)).await.expect("kept");
        }
        let moved = |becomes: Option<&str>, decisions| Moved {
            verdict: "no_need".into(),
            becomes: becomes.map(str::to_owned),
            decisions,
        };
        let counted = store.moved_verdicts(&pair("c")).await.expect("counted");
        assert_eq!(counted, [moved(None, 1), moved(Some("no_need"), 1), moved(Some("ok_to_star"), 3)]);
        let listed = store.differing(&pair("c"), None, 2).await.expect("listed");
        assert_eq!(listed[0].1, comparison(3, "A", "c", "ok_to_star"), "newest first");
        let older = store.differing(&pair("c"), Some(listed[1].0), 9).await.expect("listed");
        let all: Vec<_> = listed.iter().chain(&older).map(|(_, it)| (it.ticket.id, it.reference.clone())).collect();
        assert_eq!(all, [(3, "A".to_owned()), (2, "A".to_owned()), (1, "B".to_owned())]);
        assert_eq!(store.differing(&pair("e"), None, 9).await.expect("listed"), []);
        assert_eq!(store.sweep(at(1), 4).await.expect("swept").comparisons, 4);
        assert_eq!(
            store.sweep(at(1), 4).await.expect("swept").comparisons,
            2,
            "the one that changed its mind is one row"
        );
    })
    .await;
}

#[tokio::test]
async fn promotions_are_only_ever_added_and_of_two_at_once_one_is_told_it_came_second() {
    check(|store| async move {
        let version = |hash: &str, seconds: i64| PolicyVersion {
            hash: hash.into(),
            since: at(seconds),
            binding: format!("binding of {hash}"),
            diagram: format!("diagram of {hash}"),
        };
        let new = |policy: &str, former: &str, seconds, step, seen| NewPromotion {
            who: "ann".into(),
            policy: version(policy, seconds),
            former: version(former, seconds),
            step,
            seen,
        };
        let forward =
            || Step::Forward { backtest: Some("{}".into()), why: Some("the page changed".into()), asked_by: None };
        assert_eq!(store.newest_promotion().await.expect("read"), None);
        assert_eq!(store.promote(&new("b", "a", 1, forward(), None)).await.expect("put"), Put::InForce);
        assert_eq!(store.promote(&new("c", "a", 2, forward(), None)).await.expect("put"), Put::Overtaken);
        let first = store.newest_promotion().await.expect("read");
        let at_once: Vec<_> = ["c", "d"]
            .map(|policy| (store.clone(), new(policy, "b", 3, forward(), first)))
            .map(|(store, new)| tokio::spawn(async move { store.promote(&new).await.expect("put") }))
            .into();
        let mut put = Vec::new();
        for one in at_once {
            put.push(one.await.expect("a promoter"));
        }
        put.sort_by_key(|put| *put == Put::Overtaken);
        assert_eq!(put, [Put::InForce, Put::Overtaken]);

        let (all, seen) = (store.promotions().await.expect("read"), store.newest_promotion().await.expect("read"));
        let last = last_standing(&all).expect("one").clone();
        assert_eq!((all.len(), &*last.former, last.at, Some(last.number)), (2, "b", at(3), seen));
        let back = Step::Back { undoes: last.number };
        assert_eq!(store.promote(&new("b", &last.policy, 4, back, seen)).await.expect("put"), Put::InForce);
        let all = store.promotions().await.expect("read");
        assert_eq!(last_standing(&all).map(|it| Some(it.number)), Some(first), "one more step back is left");
        let told: Vec<_> = all.iter().map(|it| (&*it.policy, &*it.who)).collect();
        assert_eq!(told, [("b", "ann"), (&*last.policy, "ann"), ("b", "ann")]);
        assert_eq!(store.policy("b").await.expect("read"), Some(version("b", 4)), "in force again since then");
        assert_eq!(store.policy("a").await.expect("read"), Some(version("a", 1)));
        assert_eq!(store.policy("nowhere").await.expect("read"), None);
    })
    .await;
}

const FOLLOWING: [Planned; 3] = [
    Planned { kind: Kind::StarIssue, not_before: None },
    Planned { kind: Kind::Escalation, not_before: None },
    Planned { kind: Kind::AboutToFlip, not_before: None },
];

async fn follow_up(store: &Store, to: Destination, seconds: i64) -> Option<FollowUpClaim> {
    store.claim_follow_up(to, at(seconds), LEASE).await.expect("a store")
}

/// Records a decision, plans what follows it, and has its note stand.
async fn followed(store: &Store, claim: &Claim, reference: &str, seconds: i64) {
    store.record_decision(claim, &row(reference, Carried::Open)).await.expect("kept");
    store.plan_follow_ups(&claim.ticket, reference, &FOLLOWING).await.expect("planned");
    store.posted(claim, reference, at(seconds)).await.expect("posted");
}

async fn stages(store: &Store) -> Vec<(String, Stage)> {
    let all = store.follow_ups_of(&key(1)).await.expect("read");
    all.into_iter().map(|one| (one.reference, one.stage)).collect()
}

#[tokio::test]
async fn what_follows_is_due_once_the_note_stands_and_not_before() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        let claim = claim_one(&store, 0).await;
        store.record_decision(&claim, &row("A", Carried::Open)).await.expect("kept");
        let later = Planned { not_before: Some(at(100)), ..FOLLOWING[2] };
        for _ in 0..2 {
            store.plan_follow_ups(&key(1), "A", &[FOLLOWING[0], later]).await.expect("planned");
        }
        assert_eq!(stages(&store).await, vec![("A".into(), Stage::Planned); 2], "planning again changes nothing");
        assert_eq!(follow_up(&store, Destination::StarIssue, 500).await, None);
        let lost = Claim { lease: "another".into(), ..claim.clone() };
        assert!(matches!(store.posted(&lost, "A", at(9)).await, Err(StoreError::LeaseLost(_))));
        assert_eq!(follow_up(&store, Destination::StarIssue, 500).await, None, "who has no lease makes nothing due");
        for seconds in [10, 20] {
            store.posted(&claim, "A", at(seconds)).await.expect("posted");
        }
        let due = |seconds| ("A".to_owned(), Stage::Due { at: at(seconds), last_error: None });
        assert_eq!(stages(&store).await, [due(10), due(100)]);
        assert_eq!(follow_up(&store, Destination::Chat, 99).await, None);
        store.pause("global", "ann", at(9)).await.expect("paused");
        assert_eq!(follow_up(&store, Destination::StarIssue, 10).await, None, "a paused account rests here too");
        store.resume("global").await.expect("resumed");
        let taken = follow_up(&store, Destination::StarIssue, 10).await.expect("due");
        let expected = (key(1), "A".to_owned(), Kind::StarIssue, 0, TicketIs::Watched);
        assert_eq!((taken.ticket, taken.reference, taken.kind, taken.failures, taken.ticket_is), expected);
        store.settle(&claim, Next::Stopped { why: "solved".into() }, at(30)).await.expect("settled");
        let flips = follow_up(&store, Destination::Chat, 100).await.expect("due");
        assert_eq!((flips.kind, flips.ticket_is), (Kind::AboutToFlip, TicketIs::LeftAlone));
    })
    .await;
}

#[tokio::test]
async fn a_follow_up_is_in_one_pair_of_hands_and_an_old_holder_writes_nothing() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        followed(&store, &claim_one(&store, 0).await, "A", 1).await;
        let takers = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { follow_up(&store, Destination::StarIssue, 2).await })
        });
        let mut taken = Vec::new();
        for taker in takers.collect::<Vec<_>>() {
            taken.extend(taker.await.expect("a taker"));
        }
        let [old] = &taken[..] else { panic!("one has it: {taken:#?}") };
        store.extend_follow_up(old, at(50), LEASE).await.expect("longer");
        assert_eq!(follow_up(&store, Destination::StarIssue, 109).await, None);
        let new = follow_up(&store, Destination::StarIssue, 110).await.expect("passed on");
        let done = Came::Done { what: "#1".into() };
        assert!(matches!(store.extend_follow_up(old, at(111), LEASE).await, Err(StoreError::LeaseLost(_))));
        assert!(matches!(store.settle_follow_up(old, &done, at(111)).await, Err(StoreError::LeaseLost(_))));
        store.settle_follow_up(&new, &done, at(112)).await.expect("settled");
        assert_eq!(stages(&store).await[0].1, Stage::Done { at: at(112), what: "#1".into() });
        assert_eq!(follow_up(&store, Destination::StarIssue, 999).await, None, "it is done once");
    })
    .await;
}

#[tokio::test]
async fn how_a_try_came_out_is_kept_and_what_is_stuck_can_be_sent_back() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        let claim = claim_one(&store, 0).await;
        followed(&store, &claim, "A", 2).await;
        let again = Came::Again { at: at(10), error: "429".into() };
        let retry = Came::Retry { at: at(20), error: "502".into() };
        for (seconds, came, failures) in [(2, &again, 0), (10, &retry, 0), (20, &Came::Dead { error: "503".into() }, 1)]
        {
            assert_eq!(follow_up(&store, Destination::StarIssue, seconds - 1).await, None, "before it is due");
            let taken = follow_up(&store, Destination::StarIssue, seconds).await.expect("due");
            assert_eq!(taken.failures, failures, "{came:?}");
            store.settle_follow_up(&taken, came, at(seconds)).await.expect("settled");
        }
        let chat = follow_up(&store, Destination::Chat, 30).await.expect("due");
        store.settle_follow_up(&chat, &Came::Unclear { why: "two".into() }, at(30)).await.expect("settled");
        let stuck = store.stuck_follow_ups(10).await.expect("read");
        let stuck: Vec<&Stage> = stuck.iter().map(|one| &one.stage).collect();
        let (unclear, dead) =
            (Stage::Unclear { at: at(30), why: "two".into() }, Stage::Dead { at: at(20), error: "503".into() });
        assert_eq!(stuck, [&unclear, &dead]);
        for (to, due, stuck) in [(Destination::StarIssue, 0, 1), (Destination::Chat, 1, 1)] {
            assert_eq!(store.follow_ups_waiting(to, at(30)).await.expect("read"), Waiting { due, stuck }, "{to:?}");
        }
        assert_eq!(store.send_follow_ups_back(&key(2), at(40)).await.expect("sent"), 0);
        assert_eq!(store.send_follow_ups_back(&key(1), at(40)).await.expect("sent"), 2);
        assert_eq!(follow_up(&store, Destination::StarIssue, 40).await.expect("due").failures, 0);
        // A newer decision that stands leaves of the older ones what is done, and nothing else.
        followed(&store, &claim, "B", 50).await;
        let of_a: Vec<Stage> = stages(&store).await.into_iter().filter(|(of, _)| of == "A").map(|(_, it)| it).collect();
        assert_eq!(of_a, vec![Stage::Moot { why: "a newer decision stands".into() }; 3]);
        assert_eq!(follow_up(&store, Destination::StarIssue, 500).await.expect("due").reference, "B");
    })
    .await;
}

#[test]
fn a_new_file_is_for_its_owner_alone_as_are_its_logs() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let _open = Store::sqlite(&folder.path().join("star.db")).expect("a store");
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let file = file.expect("a file");
        assert_eq!(file.metadata().expect("its mode").permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        files += 1;
    }
    assert!(files >= 2, "the file and its log");
}

#[tokio::test]
async fn what_replicas_share_goes_by_the_databases_clock() {
    let url = postgres::shared().database().await;
    let right = Store::postgres(&url).await.expect("a store");
    // To one replica the server shows an hour less: its own clock is an hour ahead.
    let database = url.rsplit('/').next().expect("a name");
    let an_hour_less = "CREATE SCHEMA wrong; CREATE FUNCTION wrong.clock_timestamp() RETURNS timestamptz LANGUAGE sql
        AS $$ SELECT pg_catalog.clock_timestamp() - interval '1 hour' $$";
    postgres::shared().execute(database, an_hour_less).await;
    let options = "?options=-c%20search_path%3Dpublic,wrong,pg_catalog";
    let ahead = Store::postgres(&format!("{url}{options}")).await.expect("a store");
    let (now, hour) = (Utc::now(), TimeDelta::hours(1));
    let its_now = now + hour;

    // What it marks due is due.
    ahead.mark_due(&key(1), its_now).await.expect("marked");
    assert_eq!(right.claim("global", now + TimeDelta::seconds(2), LEASE, 10).await.expect("claimed").len(), 1);
    // What it has in hand passes on when the lease ends, and not before.
    ahead.mark_due(&key(2), its_now).await.expect("marked");
    assert_eq!(ahead.claim("global", its_now + TimeDelta::seconds(2), LEASE, 10).await.expect("claimed").len(), 1);
    let claimed =
        async |seconds| right.claim("global", now + TimeDelta::seconds(seconds), LEASE, 1).await.expect("asked").len();
    assert_eq!((claimed(40).await, claimed(70).await), (0, 1));
    // What it spends is spent, and when to ask again it hears by its own clock.
    for _ in 0..6 {
        assert!(matches!(ahead.take("global", 1, 60, its_now).await.expect("asked"), Taken::Now { .. }));
    }
    for (store, own) in [(&right, now), (&ahead, its_now)] {
        let again = store.take("global", 1, 60, own).await.expect("asked").again().expect("it is spent");
        let wait = again - own;
        assert!(wait > TimeDelta::zero() && wait < TimeDelta::seconds(5), "{wait}");
    }
    let due = ahead.next_due("global").await.expect("asked").expect("one that is in hand");
    assert!(due - its_now > TimeDelta::zero() && due - its_now < TimeDelta::minutes(5), "{}", due - its_now);
}

#[tokio::test]
async fn vectors_are_kept_by_text_and_model_and_go_by_age() {
    check(|store| async move {
        let (hello, bye) = (TextHash::of("hello"), TextHash::of("bye"));
        let both = [hello.clone(), bye.clone()];
        assert_eq!(store.vectors("m1", &both).await.expect("read"), [].into());
        let one = vec![0.5, -1.25, f32::MIN_POSITIVE];
        store.keep_vectors(&key(1), "m1", &[(hello.clone(), one.clone())], at(0)).await.expect("kept");
        let again = [(hello.clone(), vec![9.0]), (bye.clone(), vec![])];
        store.keep_vectors(&key(2), "m1", &again, at(10)).await.expect("kept");
        store.keep_vectors(&key(2), "m2", &[(hello.clone(), vec![2.0])], at(10)).await.expect("kept");
        let kept = [(hello.clone(), one), (bye.clone(), vec![])].into();
        assert_eq!(store.vectors("m1", &both).await.expect("read"), kept, "what was kept first stays");
        assert_eq!(store.vectors("m2", &both).await.expect("read"), [(hello.clone(), vec![2.0])].into());
        assert_eq!(store.sweep(at(5), 10).await.expect("swept").vectors, 1);
        assert_eq!(store.vectors("m1", &both).await.expect("read"), [(bye, vec![])].into());
        store.forget(&key(2)).await.expect("forgotten");
        assert_eq!(store.vectors("m2", &both).await.expect("read"), [].into(), "they go with their ticket");
    })
    .await;
}

#[tokio::test]
async fn refusals_at_sign_in_go_by_age_and_what_people_did_stays() {
    check(|store| async move {
        for (second, did) in
            [(0, Did::SignInRefused), (1, Did::SignedIn), (2, Did::SignInRefused), (20, Did::SignInRefused)]
        {
            store.record_operator(&told("ann", second, None, did)).await.expect("kept");
        }
        assert_eq!(store.sweep(at(10), 1).await.expect("swept").refusals, 1, "a few at a time");
        assert_eq!(store.sweep(at(10), 10).await.expect("swept").refusals, 1);
        assert_eq!(store.sweep(at(10), 10).await.expect("swept").refusals, 0);
        let left = store.operator_events(None, 10).await.expect("read");
        let left: Vec<Did> = left.into_iter().map(|(_, event)| event.did).collect();
        assert_eq!(left, [Did::SignInRefused, Did::SignedIn], "newest first");
    })
    .await;
}

/// A word that nothing but what people wrote holds.
const WORD: &str = "procurement7f3a";

/// A ticket about which people wrote wherever they can.
async fn written_about(store: &Store, id: u64) {
    let words = |what: &str| format!("{what} {WORD} {}", "and more".repeat(2000));
    store.record(NewDelivery { ticket: key(id), ..delivery(id, Some(&format!("k{id}")), 0) }).await.expect("kept");
    let claims = store.claim("global", at(1), LEASE, 10).await.expect("claimed");
    let claim = claims.into_iter().find(|claim| claim.ticket.id == id).expect("the ticket");
    let answered = |fact: &str, trust: &str| {
        serde_json::json!({ "node": fact, "text": "?", "fact": fact, "answer": "no", "value": words("value"), "trust": trust,
            "source": words("source"), "origin": { "note": { "who": words("who"), "at": null } }, "quote": words("quote") })
    };
    let mut recorded = answered("expires_at", "recorded");
    recorded["source"] = "tag trial".into();
    recorded["origin"] = serde_json::json!({ "tag": "trial" });
    let decision = serde_json::json!({ "policy": "p", "walked": ["A"], "workflow": "saas_extension", "valid_until": null,
        "path": [answered("request", "inferred"), recorded], "beyond": [answered("trial", "stated")],
        "against": [{ "fact": "locked_out", "value": "yes", "quote": words("against") }], "illegible": words("illegible"),
        "proposal": { "expires_at": words("proposal") }, "facts": { "trial": { "quote": words("fact") } },
        "missing": [{ "fact": "in_grace", "question": "?", "suggested": words("guess"), "leads_to": {} }] });
    let row = DecisionRow {
        ticket: key(id),
        decision: decision.to_string(),
        note: words("note"),
        basis: serde_json::json!({ "subject": words("subject") }).to_string(),
        ..row("A", Carried::Open)
    };
    store.record_decision(&claim, &row).await.expect("kept");
    store.plan_follow_ups(&key(id), "A", &FOLLOWING[..1]).await.expect("planned");
    store.posted(&claim, "A", at(2)).await.expect("posted");
    let followed = follow_up(store, Destination::StarIssue, 3).await.expect("due");
    store.settle_follow_up(&followed, &Came::Unclear { why: words("why") }, at(3)).await.expect("settled");
    let said = Feedback {
        ticket: key(id),
        reference: "A".into(),
        opinion: Opinion::Disagree { why: words("why") },
        who: words("Ann"),
        said_at: at(4),
        way: Way::Console,
    };
    store.record_feedback(&[said]).await.expect("kept");
    for did in [Did::Disagreed { why: words("why") }, Did::Answered { fact: "trial".into(), value: words("value") }] {
        store.record_operator(&told("ann", 5, Some(id), did)).await.expect("kept");
    }
    let compared = Comparison {
        ticket: key(id),
        reference: "A".into(),
        decided_at: at(0),
        pair: Pair { policy: "p".into(), candidate: "c".into() },
        verdict: "no_need".into(),
        becomes: Some("ok_to_star".into()),
        difference: Some(words("difference")),
    };
    store.record_comparison(&compared).await.expect("kept");
    store.settle(&claim, Next::Dead { error: words("error") }, at(6)).await.expect("settled");
}

async fn counted(store: &Store) -> impl PartialEq + std::fmt::Debug {
    let day = at(0).date_naive();
    (
        store.sums(None).await.expect("read"),
        store.agreement(day).await.expect("read"),
        store.tallies(day, day).await.expect("read"),
        store.moved_verdicts(&Pair { policy: "p".into(), candidate: "c".into() }).await.expect("read"),
    )
}

#[tokio::test]
async fn what_people_wrote_about_a_ticket_can_be_forgotten_and_what_was_counted_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("star.db");
    let on_sqlite = Store::sqlite(&file).expect("a store");
    let url = postgres::shared().database().await;
    let on_postgres = Store::postgres(&url).await.expect("a store");
    for store in [&on_sqlite, &on_postgres] {
        written_about(store, 1).await;
        let before = counted(store).await;
        store.forget(&key(1)).await.expect("forgotten");
        assert_eq!(counted(store).await, before);
        let history = store.history(&key(1)).await.expect("read").expect("it is known still");
        assert_eq!((history.decisions.len(), history.deliveries.len()), (1, 1));
        assert!(!format!("{history:?}").contains(WORD), "{history:?}");
        store.forget(&key(7)).await.expect("nothing is known of it");
        store.erase_traces().await.expect("erased");
    }
    let holds = |name: &str| {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        bytes.windows(WORD.len()).any(|part| part == WORD.as_bytes())
    };
    assert!(!holds("star.db") && !holds("star.db-wal"), "in no page, free or not, and not in the log");
    // PostgreSQL's files, but for the log of the server, which is the server's.
    let session = postgres::session(&url).await;
    session.batch_execute("CHECKPOINT").await.expect("all is in the files");
    let data = session.query_one("SELECT oid::text FROM pg_database WHERE datname = current_database()", &[]).await;
    let data = postgres::shared().data().join("base").join(data.expect("its number").get::<_, String>(0));
    let files: Vec<PathBuf> =
        std::fs::read_dir(data).expect("its files").map(|file| file.expect("a file").path()).collect();
    assert!(files.len() > 100);
    for file in files {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(WORD.len()).any(|part| part == WORD.as_bytes()), "{}", file.display());
    }
}

#[tokio::test]
async fn what_another_policy_decided_is_taken_by_urgency_and_not_before_its_time() {
    check(|store| async move {
        let policy = |hash: &str, seconds| PolicyVersion {
            hash: hash.into(),
            since: at(seconds),
            binding: String::new(),
            diagram: String::new(),
        };
        store.record_policy(&policy("p", 0)).await.expect("kept");
        // Each with its verdict, when time may change it, and how it was left.
        let hour = 3600;
        let left = |seconds: Option<i64>| settled(seconds.map(at));
        let held = Next::Held { at: at(hour), why: "it flaps".into() };
        let tickets = [
            (1, "no_need", Some(9 * hour), left(Some(9 * hour))),
            (2, "needs_facts", None, left(None)),
            (3, "ok_to_star", Some(5 * hour), left(Some(5 * hour))),
            (4, "no_need", Some(2 * hour), left(Some(2 * hour))),
            (5, "ok_to_star", None, left(Some(30))),
            (6, "ok_to_star", None, held),
            (7, "ok_to_star", None, Next::Stopped { why: "closed".into() }),
        ];
        for (id, verdict, valid_until, next) in tickets {
            store.mark_due(&key(id), at(0)).await.expect("due");
            let claim = claim_one(&store, 0).await;
            let decision = serde_json::json!({ "valid_until": valid_until.map(at) }).to_string();
            let decided = DecisionRow { ticket: key(id), verdict: verdict.into(), decision, ..row("A", Carried::Open) };
            store.record_decision(&claim, &decided).await.expect("kept");
            store.settle(&claim, next, at(0)).await.expect("settled");
        }
        store.mark_due(&key(8), at(hour)).await.expect("due, and never decided");
        let taken = async |hash: &str, limit| {
            let taken = store.claim_anew("global", hash, &["no_need"], at(1), LEASE, limit).await.expect("taken");
            taken.into_iter().map(|claim| claim.ticket.id).collect::<Vec<u64>>()
        };
        assert_eq!(taken("p", 10).await, [0; 0], "it decided them itself");
        assert_eq!(taken("q", 10).await, [0; 0], "it is not in force");
        assert!(store.to_decide_anew("p").await.expect("counted").is_empty());
        store.record_policy(&policy("q", 1)).await.expect("kept");
        let open = store.to_decide_anew("q").await.expect("counted");
        assert_eq!(open.into_iter().collect::<Vec<_>>(), [("global".to_owned(), 5)]);
        for expected in [3, 2, 4, 1] {
            assert_eq!(taken("q", 1).await, [expected]);
        }
        assert_eq!(taken("q", 10).await, [0; 0], "what is due soon, or held back, waits for its time");
        assert_eq!(claim_one(&store, 61).await.ticket, key(5));
    })
    .await;
}

#[tokio::test]
async fn what_was_decided_anew_is_taken_once_and_all_of_it_again_when_asked_for() {
    check(|store| async move {
        let policy = PolicyVersion { hash: "q".into(), since: at(0), binding: String::new(), diagram: String::new() };
        store.record_policy(&policy).await.expect("kept");
        for id in 1..=3 {
            store.mark_due(&key(id), at(0)).await.expect("due");
            store.settle(&claim_one(&store, 0).await, settled(None), at(0)).await.expect("settled");
        }
        store.mark_due(&key(4), at(0)).await.expect("due, and never decided");
        let taken = async |seconds| store.claim_anew("global", "q", &[], at(seconds), LEASE, 10).await.expect("taken");
        let claims = taken(1).await;
        assert_eq!(claims.len(), 3);
        assert!(taken(2).await.is_empty(), "they are in hand");
        let decided = Next::Settled { look_at: Some(at(9999)), policy: "q".into() };
        store.settle(&claims[0], decided.clone(), at(3)).await.expect("settled");
        store.mark_due(&claims[1].ticket, at(3)).await.expect("due");
        store.settle(&claims[1], decided.clone(), at(3)).await.expect("settled, and due again");
        let again = Next::Again { at: at(9999) };
        store.settle(&claims[2], again, at(3)).await.expect("given back");
        let ids: Vec<u64> = taken(4).await.iter().map(|claim| claim.ticket.id).collect();
        assert_eq!(ids, [claims[2].ticket.id], "what came to nothing is taken again");
        assert_eq!(store.decide_all_anew().await.expect("marked"), 3);
        assert_eq!(store.to_decide_anew("q").await.expect("counted").get("global"), Some(&3));
        store.pause("global", "ann", at(4)).await.expect("paused");
        assert!(taken(5).await.is_empty());
        store.resume("global").await.expect("resumed");
        let ids: Vec<u64> = taken(5).await.iter().map(|claim| claim.ticket.id).collect();
        assert_eq!(ids, [claims[0].ticket.id], "one is due by itself, one in hand");
    })
    .await;
}

#[tokio::test]
async fn how_long_a_first_note_took_is_kept_once_from_the_first_event_by_one_clock() {
    check(|store| async move {
        // Each with when the event happened by the helpdesk's clock and was received, when its note stood, and how long that was.
        let (second, fast) = (TimeDelta::seconds(1), TimeDelta::seconds(20));
        for (id, happened, received, posted, ahead, took) in [
            (1, Some(0), 1, 4, TimeDelta::zero(), Some(4)),
            (2, None, 1, 4, TimeDelta::zero(), Some(3)),
            (3, Some(20), 1, 4, fast, Some(4)),
            (4, Some(9), 1, 4, second, Some(3)),
            (5, Some(0), 1, -1, TimeDelta::zero(), None),
        ] {
            let told = NewDelivery { happened_at: happened.map(at), ..delivery(id, Some("first"), received) };
            store.record(told).await.expect("kept");
            store.record(delivery(id, Some("second"), received + 1)).await.expect("kept");
            let claim = claim_one(&store, 10).await;
            for (reference, carried) in [("A", Carried::Open), ("B", Carried::Open)] {
                let decided = DecisionRow { ticket: key(id), ..row(reference, carried) };
                store.record_decision(&claim, &decided).await.expect("kept");
                store.posted(&claim, reference, at(posted)).await.expect("posted");
                for expected in [took.filter(|_| reference == "A"), None] {
                    let told = store.star_to_note(&key(id), reference, ahead).await.expect("kept");
                    assert_eq!(told, expected.map(Duration::from_secs), "{id} {reference}");
                }
            }
            store.settle(&claim, settled(None), at(10)).await.expect("settled");
        }
        let sums = store.sums(None).await.expect("counted");
        assert_eq!(sums.notes, [(30, 2), (40, 2)]);
    })
    .await;
}
