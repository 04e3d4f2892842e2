//! What every store must do; one suite for each implementation.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use starwarden::helpdesk::ticket::TicketKey;
use starwarden::store::decisions::{Carried, DecisionRow};
use starwarden::store::deliveries::{Deliveries, NewDelivery, Recorded, Relevance};
use starwarden::store::feedback::{Agreement, Feedback, Opinion, Way};
use starwarden::store::sqlite::Sqlite;
use starwarden::store::watches::{Claim, Next, Watch};
use starwarden::store::{Store, StoreError};

const LEASE: Duration = Duration::from_secs(60);

fn at(seconds: i64) -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse::<DateTime<Utc>>().expect("an instant") + TimeDelta::seconds(seconds)
}

fn key(id: u64) -> TicketKey {
    TicketKey { account: "global".into(), id }
}

fn delivery(id: u64, unique: Option<&str>, seconds: i64) -> NewDelivery {
    NewDelivery {
        ticket: key(id),
        key: unique.map(str::to_owned),
        kind: "trigger".into(),
        received_at: at(seconds),
        due_at: at(seconds),
        relevance: Relevance::Ours,
    }
}

fn row(reference: &str, carried: Carried) -> DecisionRow {
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

async fn claim_one(store: &dyn Store, seconds: i64) -> Claim {
    store.claim("global", at(seconds), LEASE, 10).await.expect("a store").pop().expect("a due ticket")
}

/// Runs a check on every kind of store, each empty.
async fn check<F: Future<Output = ()>>(body: impl Fn(Arc<dyn Store>) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    body(Arc::new(Sqlite::open(&folder.path().join("star.db")).expect("a store"))).await;
}

#[tokio::test]
async fn a_delivery_is_known_again_by_its_key_within_its_account() {
    check(|store| async move {
        assert_eq!(store.record(delivery(1, Some("k"), 0)).await.expect("kept"), Recorded::Accepted);
        assert_eq!(store.record(delivery(2, Some("k"), 1)).await.expect("kept"), Recorded::Duplicate);
        let elsewhere = NewDelivery { ticket: TicketKey { account: "us".into(), id: 1 }, ..delivery(1, Some("k"), 0) };
        assert_eq!(store.record(elsewhere).await.expect("kept"), Recorded::Accepted);
        for _ in 0..2 {
            assert_eq!(
                store.record(delivery(1, None, 2)).await.expect("kept"),
                Recorded::Accepted,
                "without a key nothing is known again"
            );
        }
        assert_eq!(store.history(&key(2)).await.expect("read"), None, "a duplicate marks nothing");
    })
    .await;
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
        let old = claim_one(&*store, 0).await;
        assert_eq!(store.claim("global", at(59), LEASE, 10).await.expect("claimed"), []);
        store.extend(&old, at(50), LEASE).await.expect("longer");
        assert_eq!(store.claim("global", at(100), LEASE, 10).await.expect("claimed"), []);
        let new = claim_one(&*store, 110).await;
        assert_ne!(old.lease, new.lease);
        let lost = |result: Result<(), StoreError>| matches!(result, Err(StoreError::LeaseLost(_)));
        assert!(lost(store.record_decision(&old, &row("A", Carried::Open)).await));
        assert!(lost(store.posted(&old, "A", at(111)).await));
        assert!(lost(store.extend(&old, at(111), LEASE).await));
        assert!(lost(store.settle(&old, Next::Settled { look_at: None }, at(111)).await));
        store.record_decision(&new, &row("B", Carried::Open)).await.expect("kept");
        store.settle(&new, Next::Settled { look_at: None }, at(112)).await.expect("settled");
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
            (Next::Settled { look_at: None }, Watch::Idle, 0),
            (Next::Settled { look_at: Some(at(500)) }, Watch::Due { at: at(500) }, 0),
            (Next::Again { at: at(7) }, Watch::Due { at: at(7) }, 0),
            (Next::Retry { at: at(9), error: error() }, Watch::Due { at: at(9) }, 1),
            (Next::Retry { at: at(9), error: error() }, Watch::Due { at: at(9) }, 2),
            (Next::Again { at: at(9) }, Watch::Due { at: at(9) }, 2),
            (Next::Dead { error: error() }, Watch::Dead { error: error() }, 0),
            (Next::Stopped { why: "closed".into() }, Watch::Stopped { why: "closed".into() }, 0),
        ] {
            store.mark_due(&key(1), at(0)).await.expect("marked");
            let claim = claim_one(&*store, 1000).await;
            store.settle(&claim, next.clone(), at(1)).await.expect("settled");
            assert_eq!(store.history(&key(1)).await.expect("read").expect("a ticket").watch, watch, "{next:?}");
            store.mark_due(&key(1), at(0)).await.expect("marked");
            let claim = claim_one(&*store, 1000).await;
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
            (Next::Settled { look_at: None }, at(20)),
            (Next::Settled { look_at: Some(at(500)) }, at(20)),
            (Next::Stopped { why: "closed".into() }, at(20)),
            (Next::Retry { at: at(90), error: "broken".into() }, at(90)),
        ] {
            store.mark_due(&key(1), at(0)).await.expect("marked");
            let claim = claim_one(&*store, 1000).await;
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
        let claim = claim_one(&*store, 5).await;
        store.settle(&claim, Next::Stopped { why: "closed".into() }, at(6)).await.expect("settled");
        assert_eq!(store.record(unstarred(7)).await.expect("read"), Recorded::Ignored);
        store.record(delivery(1, None, 8)).await.expect("kept");
        assert_eq!(claim_one(&*store, 9).await.failures, 0, "a new star brings a stopped ticket back");
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_kept_once_and_the_newest_carried_one_counts() {
    check(|store| async move {
        store.record(delivery(1, None, 0)).await.expect("kept");
        let claim = claim_one(&*store, 1).await;
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
        let claim = claim_one(&*store, 1).await;
        for (reference, verdict, seconds) in [("A", "needs_facts", 0), ("B", "no_need", 10), ("C", "ok_to_star", 20)] {
            let row = DecisionRow { verdict: verdict.into(), decided_at: at(seconds), ..row(reference, Carried::Open) };
            store.record_decision(&claim, &row).await.expect("kept");
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
        let (reply, first) = (|comment| Way::Reply { comment }, at(0));
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
        assert_eq!(store.agreement(at(15)).await.expect("read"), Agreement { agreed: 0, disagreed: 1 });
        // A button that is pressed again renews what was said with it.
        for (opinion, seconds) in
            [(Opinion::Agree, 61), (disagree("why"), 62), (Opinion::Agree, 63), (disagree("because"), 64)]
        {
            store.record_feedback(&[said("C", opinion, Way::Console, seconds)]).await.expect("kept");
        }
        let listed = store.disagreements(first, 10).await.expect("read");
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(listed[0].verdict, "ok_to_star");
        assert_eq!(listed[0].feedback, said("C", disagree("because"), Way::Console, 64));
        let all = store.feedback_of(&key(1)).await.expect("read");
        assert_eq!(all.len(), 6);
        assert_eq!((&all[0].feedback, all[0].verdict.as_str()), (&on_b, "no_need"));
        assert_eq!(store.disagreements(first, 0).await.expect("read"), []);
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
        (0..4).map(|_| path.clone()).map(|path| std::thread::spawn(move || Sqlite::open(&path).map(drop))).collect();
    for opening in opened {
        opening.join().expect("a thread").expect("opened");
    }
    Sqlite::open(&path).expect("a store").record(delivery(1, Some("k"), 0)).await.expect("kept");
    let again = Sqlite::open(&path).expect("a store");
    assert_eq!(again.record(delivery(1, Some("k"), 0)).await.expect("read"), Recorded::Duplicate);
}

#[test]
fn a_file_that_cannot_be_used_is_told_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = Sqlite::open(&folder.path().join("nowhere/star.db")).err().expect("no folder").to_string();
    assert!(missing.contains("nowhere/star.db") && missing.contains("folder exists"), "{missing}");
    let newer = folder.path().join("newer.db");
    rusqlite::Connection::open(&newer).expect("a file").pragma_update(None, "user_version", 99).expect("a version");
    let refused = Sqlite::open(&newer).err().expect("newer").to_string();
    assert!(refused.contains("newer version"), "{refused}");
    let other = folder.path().join("text.db");
    std::fs::write(&other, "this is no database, it is a letter to a friend of mine, and a long one").expect("a file");
    assert!(Sqlite::open(&other).is_err());
}
