//! What was done outside the bot, held against what the store and the helpdesk say in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use chrono::{TimeDelta, Utc};
use starwarden::config;
use starwarden::decide::note;
use starwarden::decide::ticket::{Reading, TicketKey};
use starwarden::demo::helpdesk::{BOT_ID, StandIn};
use starwarden::store::Store;
use starwarden::store::decisions::Carried;
use starwarden::store::history::History;
use starwarden::store::operators::{Did, OperatorEvent};
use starwarden::store::watches::Watch;

use super::crowd::Heard;

/// A kind of ticket, and its verdicts by what a manager answers.
#[derive(Debug)]
pub(super) struct Kind {
    pub tag: &'static str,
    pub fact: &'static str,
    pub unanswered: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
}

pub(super) const KINDS: [Kind; 3] = [
    Kind {
        tag: "purchased_wrong_product",
        fact: "sales_intervened",
        unanswered: "wait_for_sales",
        yes: "ok_to_star",
        no: "wait_for_sales",
    },
    Kind {
        tag: "transaction_issue_transfer",
        fact: "edge_case",
        unanswered: "use_docs",
        yes: "ok_to_star",
        no: "use_docs",
    },
    Kind {
        tag: "transaction_issue_trial",
        fact: "sales_assisted",
        unanswered: "needs_facts",
        yes: "needs_facts",
        no: "no_need",
    },
];

/// What was done with one ticket.
#[derive(Debug)]
pub(super) struct Book {
    pub id: u64,
    pub kind: &'static Kind,
    /// How many different deliveries were heard.
    pub deliveries: usize,
    pub answers: u32,
    pub colleague_tags: Vec<String>,
    /// What it is to end in.
    pub verdict: &'static str,
}

impl Book {
    pub(super) fn new(id: u64, kind: &'static Kind) -> Book {
        Book { id, kind, deliveries: 0, answers: 0, colleague_tags: Vec::new(), verdict: kind.unanswered }
    }

    fn key(&self) -> TicketKey {
        TicketKey { account: "global".into(), id: self.id }
    }
}

/// What was done with all of them.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub tickets: BTreeMap<u64, Book>,
    pub heard: Heard,
}

/// What it came to.
pub(super) struct Figures {
    heard: Heard,
    tickets: usize,
    decisions: usize,
    notes: usize,
    overtaken: usize,
    writes: usize,
    writes_tried: usize,
    looks: usize,
    /// Deliveries that were heard and are not kept, and notes that were posted and are not there.
    lost: usize,
    /// Deliveries that are kept twice, and notes that are there twice.
    doubled: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { heard, tickets, decisions, notes, overtaken, writes, writes_tried, looks, lost, doubled } = self;
        write!(
            f,
            "{tickets} tickets, {} deliveries in {} tries and {} repeats, {looks} looks, {decisions} decisions recorded, \
             {notes} posted, {overtaken} overtaken, {writes} writes took effect of {writes_tried} sent; lost {lost}, doubled {doubled}",
            heard.deliveries, heard.tries, heard.repeated
        )
    }
}

impl Books {
    pub(super) fn add(&mut self, other: Books) {
        self.tickets.extend(other.tickets);
        self.heard.deliveries += other.heard.deliveries;
        self.heard.repeated += other.heard.repeated;
        self.heard.tries += other.heard.tries;
    }

    /// What is still going on, if anything is.
    pub(super) async fn at_work(&self, store: &Store, helpdesk: &StandIn) -> Option<String> {
        if helpdesk.on_their_way() > 0 {
            return Some("a write is on its way".into());
        }
        for book in self.tickets.values() {
            let History { watch, failures, .. } = history(store, book).await;
            let at_rest = match watch {
                Watch::Due { at } => at > Utc::now() + TimeDelta::minutes(10),
                Watch::Idle => true,
                Watch::Dead { .. } | Watch::Stopped { .. } => false,
            };
            if !at_rest {
                let failed = failures.iter().rev().take(10).map(|failure| format!("{} {}", failure.at, failure.error));
                return Some(format!("ticket {} is {watch:?}; it failed {:?}", book.id, Vec::from_iter(failed)));
            }
        }
        None
    }

    /// Has every ticket looked at now that failed before and would only be looked at after a while, as an operator may.
    pub(super) async fn look_again(&self, store: &Store) {
        for book in self.tickets.values() {
            let History { watch, last_error, .. } = history(store, book).await;
            let now = Utc::now();
            if last_error.is_some() && matches!(watch, Watch::Due { at } if at > now + TimeDelta::seconds(3)) {
                let (who, ticket, did) = ("the torture".into(), Some(book.key()), Did::LookAgain);
                store.record_operator(&OperatorEvent { at: now, who, ticket, did }).await.expect("a store");
            }
        }
    }

    /// Holds everything against everything; the figures, where nothing is lost and nothing is doubled.
    pub(super) async fn balance(&self, store: &Store, helpdesk: &StandIn, seed: u64) -> Figures {
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
        let policy = config::policy::read(&policy).expect("the policy");
        let tags: BTreeMap<&str, &[String]> = policy
            .binding
            .outcomes
            .iter()
            .map(|(name, it)| (name.get_ref().as_str(), it.add_tags.as_slice()))
            .collect();
        let calls = helpdesk.calls();
        let mut figures = Figures {
            heard: self.heard,
            tickets: self.tickets.len(),
            decisions: 0,
            notes: 0,
            overtaken: 0,
            writes: 0,
            writes_tried: helpdesk.writes(),
            looks: calls.iter().filter(|call| call.path.ends_with("/comments")).count(),
            lost: 0,
            doubled: 0,
        };
        for book in self.tickets.values() {
            let history = history(store, book).await;
            let reading = helpdesk.reading(book.id).expect("the ticket");
            let what = || format!("seed {seed}: {book:?}\n{}", told(&history, &reading));
            let notes = notes(&reading);
            let different: BTreeSet<&str> = notes.iter().map(String::as_str).collect();
            let count = |carried: Carried| history.decisions.iter().filter(|row| row.carried == carried).count();
            let posted: Vec<_> = history.decisions.iter().filter(|row| row.carried == Carried::Posted).collect();
            let recorded: BTreeSet<&str> = posted.iter().map(|row| row.reference.as_str()).collect();
            let (heard, kept) = (book.deliveries, history.deliveries.len());
            let lost = heard.saturating_sub(kept) + recorded.difference(&different).count();
            let doubled = kept.saturating_sub(heard) + notes.len() - different.len();
            assert_eq!((lost, doubled), (0, 0), "nothing is lost, nothing is there twice: {}", what());
            assert_eq!(different, recorded, "each note is a decision that says it was posted: {}", what());
            assert_eq!(count(Carried::Open), 0, "no decision is left open: {}", what());
            let said: Vec<_> = notes
                .iter()
                .map(|note| posted.iter().find(|row| row.reference == *note).expect("recorded").fingerprint.as_str())
                .collect();
            assert!(said.windows(2).all(|two| two[0] != two[1]), "no two notes in a row say the same: {}", what());
            let newest = posted.iter().find(|row| Some(&row.reference) == notes.last()).expect("a note");
            assert_eq!(newest.verdict, book.verdict, "the last note is the last word: {}", what());
            let borne = |tags: &[String]| tags.iter().any(|tag| reading.ticket.tags.contains(tag));
            let verdicts: Vec<&str> = tags.iter().filter(|(_, own)| borne(own)).map(|(name, _)| *name).collect();
            assert_eq!(verdicts, [book.verdict], "one verdict's tags: {}", what());
            assert!(
                book.colleague_tags.iter().all(|tag| reading.ticket.tags.contains(tag)),
                "colleagues' tags: {}",
                what()
            );
            let public = reading.comments.iter().any(|comment| comment.author_id == Some(BOT_ID) && comment.public);
            assert!(!public, "no note is public: {}", what());
            let writes = helpdesk.audits(book.id).len();
            assert_eq!(writes, notes.len(), "one write a note: {}", what());
            figures.decisions += history.decisions.len();
            figures.notes += notes.len();
            figures.overtaken += count(Carried::Overtaken);
            figures.writes += writes;
            figures.lost += lost;
            figures.doubled += doubled;
        }
        figures
    }
}

async fn history(store: &Store, book: &Book) -> History {
    store.history(&book.key()).await.expect("a store").unwrap_or_else(|| panic!("ticket {} is lost", book.id))
}

/// A ticket's story in lines.
fn told(history: &History, reading: &Reading) -> String {
    let mut lines = vec![format!("{:?}, tags {:?}", history.watch, reading.ticket.tags)];
    lines.extend(history.decisions.iter().map(|row| {
        format!("{} decided {} {} {:?} {}", row.decided_at, row.reference, row.verdict, row.carried, row.fingerprint)
    }));
    lines.extend(history.failures.iter().map(|failure| format!("{} failed: {}", failure.at, failure.error)));
    lines.extend(reading.comments.iter().map(|comment| {
        let text = comment.text().trim();
        let (first, last) = (text.lines().next().unwrap_or_default(), text.lines().last().unwrap_or_default());
        format!("{:?} {:?} said: {first} … {last}", comment.created_at, comment.author_id)
    }));
    lines.join("\n")
}

/// The ids in the bot's notes, oldest first.
fn notes(reading: &Reading) -> Vec<String> {
    let own = reading.comments.iter().filter(|comment| comment.author_id == Some(BOT_ID));
    own.map(|comment| note::reference(comment.text()).expect("an id").to_owned()).collect()
}
