//! One look at one ticket: read, decide, and write where something changed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::Instrument;

use super::candidate;
use super::clock::{self, HelpdeskTime};
use super::embedder::{Away, Heard};
use super::feedback;
use super::follow_ups::plan;
use super::loops::{self, Again, Said};
use super::operators;
use super::retry::backoff;
use super::tags::Missing;
use super::troubles::{self, Doing, Trouble};
use super::{Account, Shared};
use crate::config::Mode;
use crate::decide::basis::Basis;
use crate::decide::facts::expiry;
use crate::decide::facts::replies::{self, Reply};
use crate::decide::facts::sources::{self, Ids};
use crate::decide::guard::{self, Earlier, Seen};
use crate::decide::judge::{self, Judged};
use crate::decide::note::{self, Subject};
use crate::decide::policy::Policy;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS, NOT_APPLICABLE};
use crate::decide::reader::read::BUILT_IN;
use crate::decide::reference::{self, fingerprint, posted, reference};
use crate::decide::ticket::{Noted, Reading, Record, TicketKey};
use crate::elsewhere::lookups::Rank;
use crate::helpdesk::client::{Reach, Thread, Turn, Update, Written};
use crate::helpdesk::error::CallError;
use crate::metrics;
use crate::store::decisions::{Carried, DecisionRow};
use crate::store::feedback::Feedback;
use crate::store::follow_ups::Destination;
use crate::store::watches::{Claim, Next};
use crate::store::{Store, StoreError};

/// The time in which a ticket may be written upon only so often.
const FLAP: TimeDelta = TimeDelta::minutes(10);

/// How soon a ticket is looked at again whose facts a system of record did not give this time.
const ASKED_AGAIN: TimeDelta = TimeDelta::minutes(2);

/// How soon a ticket is looked at again whose words the server of embeddings could not read.
const READ_AGAIN: TimeDelta = TimeDelta::minutes(30);

/// For how long words that it could not read turn no verdict.
const UNREAD: TimeDelta = TimeDelta::hours(1);

/// How soon is looked at a ticket again whose tags the helpdesk did not take.
const TAGS_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// How soon a ticket is looked at again of which no more can be made.
const DAY: TimeDelta = TimeDelta::days(1);
/// How soon a ticket is looked at again whose dismissal waits for a clock that is set right.
const DOUBTED_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// What a look came to.
pub(super) struct Looked {
    pub next: Next,
    /// Why the whole account is to rest, where the helpdesk refuses us or is away.
    pub refused: Option<String>,
}

impl Looked {
    fn so(next: Next) -> Looked {
        Looked { next, refused: None }
    }
}

/// Looks at a ticket, and writes note and tags where something changed.
pub(super) async fn at(shared: &Shared, account: &Account, claim: &Claim) -> Result<Looked, StoreError> {
    let policy = shared.rule.now(); // One policy from the first question to the note.
    let store = &shared.store;
    let fails = Fails { account, claim };
    let id = claim.ticket.id;
    let looked = match account.helpdesk.ticket(id).await {
        Ok(looked) => looked,
        Err(error @ CallError::Gone) => {
            // What people wrote on a ticket that is no more is not kept.
            store.forget(&claim.ticket).await?;
            return Ok(stopped(error.to_string()));
        }
        Err(error) => return Ok(fails.with(Doing::Reading, &error).await),
    };
    account.troubles.let_through(id, Doing::Reading);
    let time = HelpdeskTime::of(looked.server_time, account.helpdesk.ahead().now());
    let server_time = time.now();
    let ids = Ids::new(&policy.binding, &account.ids);
    let (kept, last) = tokio::join!(store.looked(claim, server_time), store.last_decision(&claim.ticket));
    kept?;
    let last = last?;
    let not_ours = sources::not_ours(&policy.binding, &ids, &looked.ticket);
    if let (Some(why), None) = (&not_ours, &last) {
        candidate::beyond(shared, account, &policy, &claim.ticket, looked).await;
        return Ok(stopped(why.clone())); // Its comments are none of our business.
    }
    let Thread { comments, users: people, read, reach } = match account.helpdesk.comments(id).await {
        Ok(thread) => thread,
        Err(error) => return Ok(fails.with(Doing::Reading, &error).await),
    };
    let mut users = looked.users;
    users.extend(people);
    let seen = Seen {
        updated_at: looked.ticket.updated_at.unwrap_or(server_time),
        server_time,
        // Of a ticket that is longer than what is read, the count says nothing.
        comments_counted: looked.ticket.comment_count.filter(|_| reach == Reach::Whole),
        comments_read: read,
    };
    let mut reading =
        Reading { ticket: looked.ticket, organization: looked.organization, comments, users, ..Reading::default() };
    let own = account.own_users();
    reading.records = account.systems.records(Rank::InForce, &policy, &ids, &reading, own, time.now()).await;
    let said = operators::replies(&store.operators_on(&claim.ticket).await?);
    if !posted(&reading, own).is_empty() {
        reading.notes = noted(store, &claim.ticket).await?;
    }
    let now = time.now();
    let Heard { words, away } = account.embedder.words(&policy, &ids, &reading, own, &claim.ticket, now).await?;
    reading.words = words;
    let judged = judge::ticket(&policy, &ids, Some(&reading), &said, &[], own, now);
    store.record_feedback(&feedback::replied(&reading, own, &claim.ticket, &judged.replies, now)).await?;
    if let (Some(why), Some(last)) = (not_ours, &last) {
        if posted(&reading, own).last() == Some(&last.reference) {
            let tags = &reading.ticket.tags;
            let last_word = feedback::corrected(&policy, &claim.ticket, &last.reference, &last.verdict, tags, now);
            store.record_feedback(last_word.as_slice()).await?;
        }
        return Ok(stopped(why));
    }
    if let Some(stop) = replies::stop(&judged.replies) {
        let when = stop.at.map(|at| format!(", {}", expiry::exact(at))).unwrap_or_default();
        return Ok(stopped(format!("{} said stop{when}", stop.who)));
    }
    if judged.decision.verdict == NOT_APPLICABLE {
        return Ok(stopped("the policy does not speak of it".into()));
    }
    let fingerprint = fingerprint(&judged.decision, &judged.problems);
    let (reading, said, judged, policy, ids) = (&reading, &said, &judged, &*policy, &ids);
    let decided = Decided {
        shared,
        policy,
        ids,
        account,
        claim,
        reading,
        seen,
        said,
        judged,
        away,
        fingerprint,
        last,
        now,
        time,
    };
    match account.mode {
        Mode::Shadow => decided.record().await,
        Mode::Live => decided.act(&fails).await,
    }
}

/// What our notes on a ticket said, by their references.
pub(super) async fn noted(store: &Store, ticket: &TicketKey) -> Result<BTreeMap<String, Noted>, StoreError> {
    let decisions = store.history(ticket).await?.map(|history| history.decisions).unwrap_or_default();
    let said = |row: DecisionRow| {
        let decision: Decision = serde_json::from_str(&row.decision).ok()?;
        Some((row.reference, Noted::of(&decision)))
    };
    Ok(decisions.into_iter().filter_map(said).collect())
}

/// A decision that is made, with all that is needed to act on it.
struct Decided<'a> {
    shared: &'a Shared,
    policy: &'a Policy,
    ids: &'a Ids,
    account: &'a Account,
    claim: &'a Claim,
    reading: &'a Reading,
    /// How fresh it is.
    seen: Seen,
    /// What operators said at the console.
    said: &'a [Reply],
    judged: &'a Judged,
    /// Why not all words were read by the server of embeddings, where it was needed.
    away: Option<Away>,
    fingerprint: String,
    /// The newest decision that was carried out.
    last: Option<DecisionRow>,
    /// When it was decided, by the helpdesk's clock.
    now: DateTime<Utc>,
    time: HelpdeskTime,
}

impl Decided<'_> {
    /// Shadow mode: kept where it is another than the last, and nothing is written.
    async fn record(&self) -> Result<Looked, StoreError> {
        if self.last.as_ref().is_none_or(|row| row.fingerprint != self.fingerprint) && self.turned_unread().is_none() {
            let before = self.last.as_ref().map(|row| row.reference.as_str());
            let (row, _) = self.row(before, Carried::Shadow)?;
            self.compare(&row).await;
            if self.shared.store.record_decision(self.claim, &row).await? {
                metrics::decision(&self.account.name, &row.verdict);
            }
        }
        Ok(self.settled())
    }

    /// Live mode: written where the ticket does not say so already, the moment is right, and the ticket does not flap.
    async fn act(mut self, fails: &Fails<'_>) -> Result<Looked, StoreError> {
        let store = &self.shared.store;
        let said = self.said_before().await?;
        let newest = said.newest.as_deref();
        if let Some(newest) = newest
            && let Some(says) = self.stands(newest, said.before.as_deref()).await?
        {
            return match says {
                Stands::Right => self.right(newest, fails).await,
                Stands::Corrected => self.rest().await,
            };
        }
        let Some(updated_at) = self.reading.ticket.updated_at else {
            return Ok(fails.again_or_dead("the ticket has no updated_at".into(), None));
        };
        if let Some(why) = self.doubted() {
            return Ok(Looked::so(Next::Held { at: Utc::now() + DOUBTED_AGAIN, why }));
        }
        match self.again().await? {
            Again::Write => {}
            Again::NotBefore(there) => {
                return Ok(Looked::so(Next::Held { at: self.time.here(there), why: self.undone().await? }));
            }
            Again::NoMore => return Ok(Looked::so(Next::Dead { error: self.undone().await? })),
        }
        if let Some(at) = self.held(&said) {
            let why = format!("{} notes in 10 minutes: the ticket flaps and is held back", self.account.work.notes);
            return Ok(Looked::so(Next::Held { at, why }));
        }
        if let Some(wait) = self.wait().await? {
            return Ok(Looked::so(Next::Again { at: Utc::now() + wait }));
        }
        // What the records gave before may still hold: nobody is asked anew for a moment's silence.
        if let Some(why) = self.turned_unread() {
            tracing::warn!(ticket = %self.claim.ticket, "the verdict that stood is kept: {why}");
            return Ok(self.settled()); // Not held: whoever says something on it is heard.
        }
        if let Some(error) = self.silent()
            && self.last.as_ref().is_some_and(|row| row.verdict != NEEDS_FACTS)
            && self.claim.failures.saturating_add(1) < self.account.work.tries
        {
            return Ok(fails.again_or_dead(error, None));
        }
        let turn = match self.account.helpdesk.turn().await {
            Ok(turn) => turn,
            Err(error) => return Ok(fails.with(Doing::Writing, &error).await),
        };
        if store.paused().await?.contains_key(&self.account.name) {
            return Ok(Looked::so(Next::Again { at: Utc::now() })); // It is due when the pause ends.
        }
        let (row, html_body) = self.row(newest, Carried::Open)?;
        self.compare(&row).await;
        // Before any action, so that each action has its reason.
        if store.record_decision(self.claim, &row).await? {
            metrics::decision(&self.account.name, &row.verdict);
        }
        let on = &self.account.follow_ups;
        let before = match on.contains(&Destination::StarIssue) && plan::escalates(&self.judged.decision, self.policy) {
            true => store.follow_ups_of(&self.claim.ticket).await?,
            false => Vec::new(),
        };
        let planned = plan::of(&self.judged.decision, self.policy, on, &before, self.now);
        if !planned.is_empty() {
            store.plan_follow_ups(&self.claim.ticket, &row.reference, &planned).await?;
        }
        // The last word before the write: who has lost the ticket meanwhile does not write.
        store.extend(self.claim, Utc::now(), self.account.work.lease).await?;
        let update = Update {
            html_body: Some(html_body),
            tags: tags(self.reading, &self.judged.decision),
            updated_stamp: updated_at,
        };
        self.write(turn, &row, &update, fails).await
    }

    /// Nothing is to be written. What was recorded since the newest note and never confirmed was overtaken, once no fresh
    /// change can be its write.
    async fn rest(&self) -> Result<Looked, StoreError> {
        if self.shared.store.unconfirmed(&self.claim.ticket).await? {
            if let Some(wait) = self.wait().await? {
                return Ok(Looked::so(Next::Again { at: Utc::now() + wait }));
            }
            self.shared.store.overtake(self.claim).await?;
        }
        Ok(self.settled())
    }

    /// Our newest note says what holds. So do its tags, or they are put back.
    async fn right(&self, newest: &str, fails: &Fails<'_>) -> Result<Looked, StoreError> {
        let (tags, id) = (&self.account.tags, self.claim.ticket.id);
        let missing = &self.judged.decision.tags.add;
        let Some(updated_stamp) = self.reading.ticket.updated_at.filter(|_| !missing.is_empty()) else {
            tags.there(id, newest);
            return self.rest().await;
        };
        if let Some(wait) = self.wait().await? {
            return Ok(Looked::so(Next::Again { at: Utc::now() + wait }));
        }
        let ticket = &self.claim.ticket;
        let named = missing.join(", ");
        match tags.missing(id, newest) {
            Missing::Write => tracing::warn!(%ticket, tags = named, "tags of a note are missing and are put back"),
            Missing::TakenOff => {
                tracing::info!(%ticket, tags = named, "tags of a note were taken off and stay off");
                return self.rest().await;
            }
            Missing::NotTaken => {
                let why = format!("the helpdesk does not take the tag {named}: see that the agent's role may set tags");
                let at = self.time.here(self.judged.decision.valid_until.unwrap_or(self.now + DAY).min(self.now + DAY));
                return Ok(Looked::so(Next::Held { at, why }));
            }
        }
        let turn = match self.account.helpdesk.turn().await {
            Ok(turn) => turn,
            Err(error) => return Ok(fails.with(Doing::Writing, &error).await),
        };
        self.shared.store.extend(self.claim, Utc::now(), self.account.work.lease).await?;
        let all = self.reading.ticket.tags.iter().chain(missing).cloned().collect();
        let update = Update { html_body: None, tags: all, updated_stamp };
        match self.account.helpdesk.update(turn, id, &update).await {
            Ok(written) => {
                self.account.troubles.let_through(id, Doing::Writing);
                Ok(self.taken(newest, &written))
            }
            Err(error) => Ok(fails.with(Doing::Writing, &error).await),
        }
    }

    /// What a write leaves to do: its tags are compared with those that the answer has.
    fn taken(&self, reference: &str, written: &Written) -> Looked {
        let (ticket, wanted) = (&self.claim.ticket, &self.judged.decision.tags.add);
        let Some(there) = &written.tags else { return self.settled() };
        let missing: Vec<&str> = wanted.iter().filter(|tag| !there.contains(tag)).map(String::as_str).collect();
        if missing.is_empty() {
            self.account.tags.there(ticket.id, reference);
            return self.settled();
        }
        tracing::warn!(%ticket, tags = missing.join(", "), "the helpdesk took the write, and not these tags");
        metrics::tags_not_taken(&self.account.name);
        self.account.tags.not_taken(ticket.id, reference);
        Looked::so(Next::Again { at: Utc::now() + TAGS_AGAIN })
    }

    /// Whether our newest note may stand as it is; a correction of it by tag is kept.
    async fn stands(&self, newest: &str, before: Option<&str>) -> Result<Option<Stands>, StoreError> {
        let kept = self.last.as_ref().filter(|row| row.reference == newest);
        // Its id tells; and where the note before it is out of sight (a long ticket, a redaction), what is kept of it.
        let says = newest == reference(&self.claim.ticket, &self.fingerprint, before)
            || kept.is_some_and(|row| row.fingerprint == self.fingerprint);
        let verdict = &self.judged.decision.verdict;
        let said = if says { Some(verdict) } else { kept.map(|row| &row.verdict) };
        let correction = said.and_then(|said| self.corrected(newest, said));
        self.shared.store.record_feedback(correction.as_slice()).await?;
        // What somebody has put right is not said again; only another verdict speaks.
        let corrected = correction.is_some() && said == Some(verdict);
        Ok(if corrected { Some(Stands::Corrected) } else { says.then_some(Stands::Right) })
    }

    /// A correction by tag of the newest note.
    fn corrected(&self, newest: &str, verdict: &str) -> Option<Feedback> {
        let tags = &self.reading.ticket.tags;
        feedback::corrected(self.policy, &self.claim.ticket, newest, verdict, tags, self.now)
    }

    /// What of ours was said on the ticket, by its notes and by what is kept.
    ///
    /// What is kept as posted was posted, whether or not its note can be seen: it may be redacted, removed, or too far back.
    async fn said_before(&mut self) -> Result<SaidBefore, StoreError> {
        let store = &self.shared.store;
        let own = self.account.own_users();
        let mut seen = posted(self.reading, own);
        if let Some(newest) = seen.last()
            && self.last.as_ref().is_none_or(|row| row.reference != *newest || row.carried != Carried::Posted)
        {
            self.stands_now(newest, self.now).await?; // Where its answer was lost, this is the answer.
            self.last = store.last_decision(&self.claim.ticket).await?;
        }
        let mut hidden = Vec::new();
        let unreadable = self.reading.own_comments(own).filter(|comment| comment.signature().id().is_none());
        let unreadable = unreadable.filter_map(|comment| comment.created_at).max();
        let is_seen = |row: &DecisionRow| seen.contains(&row.reference);
        if unreadable.is_some() || self.last.as_ref().is_some_and(|row| row.carried == Carried::Posted && !is_seen(row))
        {
            let kept = store.history(&self.claim.ticket).await?.map(|history| history.decisions).unwrap_or_default();
            // A note whose id cannot be read is the one that was sent before it and never confirmed.
            if let Some(row) = kept.iter().rfind(|row| row.carried == Carried::Open)
                && unreadable.is_some_and(|at| at >= row.decided_at - TimeDelta::seconds(2))
            {
                self.stands_now(&row.reference, self.now).await?;
                self.last = store.last_decision(&self.claim.ticket).await?;
            }
            hidden.extend(
                kept.iter().filter(|row| row.carried == Carried::Posted && !is_seen(row)).map(|row| row.decided_at),
            );
            // A note that the store never heard of came after all that it knows.
            let known = |newest: &String| kept.iter().any(|row| row.reference == *newest);
            if let Some(last) = self.last.as_ref().filter(|row| row.carried == Carried::Posted && !is_seen(row))
                && seen.last().is_none_or(known)
            {
                seen.push(last.reference.clone());
            }
        }
        let newest = seen.pop();
        Ok(SaidBefore { newest, before: seen.pop(), hidden })
    }

    /// A note is known to stand on the ticket since then.
    async fn stands_now(&self, reference: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let store = &self.shared.store;
        store.posted(self.claim, reference, at).await?;
        if self.last.is_none() {
            let ahead = self.account.helpdesk.ahead().now().unwrap_or_default();
            let took = store.star_to_note(&self.claim.ticket, reference, ahead).await?;
            took.into_iter().for_each(|took| metrics::star_to_note(&self.account.name, took));
        }
        Ok(())
    }

    /// Why this is not written: it dismisses, and what time it is cannot be told.
    fn doubted(&self) -> Option<String> {
        let dismisses = self.policy.outcome(&self.judged.decision.verdict).is_some_and(|outcome| outcome.dismisses());
        clock::doubt(self.account.helpdesk.ahead().now()).filter(|_| dismisses)
    }

    /// Whether what is decided was said too often already, for somebody takes it back each time.
    async fn again(&self) -> Result<Again, StoreError> {
        let own = self.reading.own_comments(self.account.own_users()).count();
        if own < loops::FEWEST {
            return Ok(Again::Write);
        }
        // What was said before a person answered, or asked for another look, is forgiven.
        let since = self.judged.replies.iter().filter_map(|reply| reply.at).max();
        let history = self.shared.store.history(&self.claim.ticket).await?;
        let rows = history.map(|history| history.decisions).unwrap_or_default();
        let posted = rows.iter().filter(|row| row.carried == Carried::Posted);
        let since = posted.filter(|row| since.is_none_or(|since| row.decided_at > since));
        let said: Vec<Said<'_>> = since.map(|row| Said { at: row.decided_at, fingerprint: &row.fingerprint }).collect();
        Ok(loops::again(&said, &self.fingerprint, self.now))
    }

    /// What goes back and forth, in a sentence.
    async fn undone(&self) -> Result<String, StoreError> {
        let says = self.policy.title(&self.judged.decision.verdict);
        let was = self.last.as_ref().map_or(says, |row| self.policy.title(&row.verdict));
        let between = if was == says { format!("`{says}`") } else { format!("`{was}` and `{says}`") };
        let who = match reference::of_another_bot(self.reading, self.account.own_users()) {
            Some(other) => format!("the helpdesk's user {other} leaves notes of another bot of this kind here"),
            None if self.has_notes_of_others().await? => {
                "another bot of this kind writes as our user, with a store of its own".to_owned()
            }
            None => "an automation, or somebody, takes each back".to_owned(),
        };
        Ok(format!("it goes back and forth on {between}: {who}; end that, then `tickets recheck`"))
    }

    /// Whether notes of our user are on the ticket that our store never heard of.
    async fn has_notes_of_others(&self) -> Result<bool, StoreError> {
        let history = self.shared.store.history(&self.claim.ticket).await?;
        let rows = history.map(|history| history.decisions).unwrap_or_default();
        let seen = posted(self.reading, self.account.own_users());
        Ok(seen.iter().any(|id| rows.iter().all(|row| row.reference != *id)))
    }

    /// Until when the ticket is held back, where our notes on it came too often: those that are seen, and those that are not.
    fn held(&self, said: &SaidBefore) -> Option<DateTime<Utc>> {
        let own = self.reading.own_comments(self.account.own_users());
        let written = own.filter_map(|comment| comment.created_at).chain(said.hidden.iter().copied());
        let mut recent: Vec<_> = written.filter(|at| *at > self.seen.server_time - FLAP).collect();
        recent.sort_unstable();
        let most = usize::try_from(self.account.work.notes).unwrap_or(usize::MAX);
        let frees = recent.len().checked_sub(most).and_then(|index| recent.get(index))?;
        Some(self.time.here(*frees + FLAP) + TimeDelta::seconds(1))
    }

    async fn wait(&self) -> Result<Option<TimeDelta>, StoreError> {
        // Only for a fresh change does it matter whether a write of ours is unaccounted for.
        let Some(wait) = guard::wait(&self.seen, Earlier::Unconfirmed) else { return Ok(None) };
        let unconfirmed = self.shared.store.unconfirmed(&self.claim.ticket).await?;
        Ok(if unconfirmed { Some(wait) } else { guard::wait(&self.seen, Earlier::Settled) })
    }

    async fn compare(&self, row: &DecisionRow) {
        let Decided { shared, account, policy, reading, said, judged, .. } = self;
        candidate::compare(shared, account, policy, reading, said, &judged.decision, row).await;
    }

    fn settled(&self) -> Looked {
        let ask_again = self.silent().map(|_| Utc::now() + ASKED_AGAIN);
        let read_again = self.away.as_ref().map(|_| Utc::now() + READ_AGAIN);
        let valid_until = self.judged.decision.valid_until.map(|until| self.time.here(until));
        let look_at = valid_until.into_iter().chain(ask_again).chain(read_again).min();
        Looked::so(Next::Settled { look_at, policy: self.policy.hash.clone() })
    }

    /// Why the server of embeddings is away, where only that turns the verdict that stood: by what it had read, the verdict
    /// would stand. What speaks against a dismissal counts at once, whoever read it, and a managers' line does; and what is
    /// not read for long is read by the built-in vectors, for it may be a cry.
    fn turned_unread(&self) -> Option<String> {
        let (away, last) = (self.away.as_ref()?, self.last.as_ref()?);
        let Judged { decision, .. } = self.judged;
        let lately = self.now - away.unread_since < UNREAD;
        if decision.verdict == last.verdict || !decision.against.is_empty() {
            return None;
        }
        let stands = match &away.kept {
            Some(kept) => {
                let reading = Reading { words: Some(kept.clone()), ..self.reading.clone() };
                let own = self.account.own_users();
                let judged = judge::ticket(self.policy, self.ids, Some(&reading), self.said, &[], own, self.now);
                judged.decision.verdict == last.verdict && lately
            }
            None if self.judged.replies.iter().any(|reply| reply.at.is_some_and(|at| at > last.decided_at)) => false,
            None => serde_json::from_str::<Decision>(&last.decision)
                .is_ok_and(|said| said.reader.is_some_and(|reader| reader != BUILT_IN)),
        };
        stands.then(|| away.why.clone())
    }

    /// The system of record that did not answer, where facts are missing for which it may have been asked.
    fn silent(&self) -> Option<String> {
        let open = self.judged.decision.verdict == NEEDS_FACTS;
        let (name, why) = self.reading.records.iter().find_map(|(name, record)| match record {
            Record::Silent(why) => Some((name, why)),
            Record::Found(_) | Record::Failed(_) => None,
        })?;
        open.then(|| format!("the record {name} could not be had: {why}"))
    }

    /// The decision as it is kept, and its note as HTML; `before` is the note it follows.
    fn row(&self, before: Option<&str>, carried: Carried) -> Result<(DecisionRow, String), StoreError> {
        let Judged { decision, facts, spoken, problems, .. } = self.judged;
        let reference = reference(&self.claim.ticket, &self.fingerprint, before);
        let link = self.shared.public_url.as_ref().map(|url| {
            let TicketKey { account, id } = &self.claim.ticket;
            format!("{}/tickets/{account}/{id}", url.trim_end_matches('/'))
        });
        let note = note::write(&Subject {
            policy: self.policy,
            ids: self.ids,
            decision,
            facts,
            spoken,
            reading: Some(self.reading),
            problems,
            was: self.last.as_ref().map(|row| row.verdict.as_str()),
            reference: Some(&reference),
            link: link.as_deref(),
            now: self.now,
        });
        let odd = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
        let row = DecisionRow {
            reference,
            ticket: self.claim.ticket.clone(),
            decided_at: self.now,
            verdict: decision.verdict.clone(),
            fingerprint: self.fingerprint.clone(),
            decision: serde_json::to_string(decision).map_err(odd)?,
            note: note.text(),
            basis: serde_json::to_string(&Basis::of(self.judged, self.reading, self.policy)).map_err(odd)?,
            carried,
        };
        Ok((row, note.html()))
    }

    /// The one guarded write.
    async fn write(
        &self,
        turn: Turn,
        row: &DecisionRow,
        update: &Update,
        fails: &Fails<'_>,
    ) -> Result<Looked, StoreError> {
        let ticket: &TicketKey = &self.claim.ticket;
        let begun = Instant::now();
        let span = tracing::info_span!("write", %ticket);
        let written = self.account.helpdesk.update(turn, ticket.id, update).instrument(span).await;
        metrics::write(&self.account.name, begun.elapsed());
        match written {
            Ok(written) => {
                let audit = written.audit;
                tracing::info!(%ticket, verdict = row.verdict, reference = row.reference, audit, "note and tags are written");
                self.account.troubles.let_through(ticket.id, Doing::Writing);
                self.stands_now(&row.reference, Utc::now()).await?;
                Ok(self.taken(&row.reference, &written))
            }
            Err(error) => Ok(fails.with(Doing::Writing, &error).await),
        }
    }
}

/// How our newest note stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It says what holds.
    Right,
    /// Somebody put another verdict's tags in the place of its own.
    Corrected,
}

/// What of ours was said on a ticket before.
struct SaidBefore {
    /// The id of what was said last.
    newest: Option<String>,
    /// The id of the note before that, as far as it is seen.
    before: Option<String>,
    /// When those decisions were made that were posted and are not to be seen any more.
    hidden: Vec<DateTime<Utc>>,
}

/// All tags the ticket is to have: those it has, without other verdicts', with this one's.
fn tags(reading: &Reading, decision: &Decision) -> Vec<String> {
    let kept = reading.ticket.tags.iter().filter(|tag| !decision.tags.remove.contains(tag));
    kept.chain(&decision.tags.add).cloned().collect()
}

fn stopped(why: String) -> Looked {
    Looked::so(Next::Stopped { why })
}

/// What a failed call means for the ticket, and for the whole account.
struct Fails<'a> {
    account: &'a Account,
    claim: &'a Claim,
}

impl Fails<'_> {
    async fn with(&self, doing: Doing, error: &CallError) -> Looked {
        match error {
            CallError::Closed | CallError::Gone => stopped(error.to_string()),
            CallError::Limited { retry_after, .. } => later(*retry_after),
            CallError::NoTurn(_) => later(Duration::from_secs(1)),
            CallError::Conflict => self.again_or_dead(error.to_string(), None),
            CallError::Unauthorized(why) => {
                self.alone_or_all(doing, Trouble::Refused, format!("{}: {why}", troubles::refused(doing)), None).await
            }
            CallError::Forbidden(why) => {
                self.alone_or_all(doing, Trouble::Refused, format!("{}: {why}", troubles::refused(doing)), None).await
            }
            CallError::NoHelpdesk | CallError::Moved { .. } => rests(error.to_string()),
            CallError::Failed { retry_after, .. } => {
                self.alone_or_all(doing, Trouble::Failed, error.to_string(), *retry_after).await
            }
            CallError::Unreachable(_)
            | CallError::Unreadable(_)
            | CallError::TooLarge { .. }
            | CallError::Rejected { .. } => self.alone_or_all(doing, Trouble::Failed, error.to_string(), None).await,
        }
    }

    /// The trouble may be this ticket's alone, and then it must not stop the others; or the whole helpdesk's, and then it
    /// must not make dead letters of all. Whether the helpdesk still takes us is asked, and what became of others counts.
    async fn alone_or_all(&self, doing: Doing, trouble: Trouble, error: String, asked: Option<Duration>) -> Looked {
        if trouble == Trouble::Failed {
            self.account.recovery.failed(tokio::time::Instant::now());
        }
        match self.account.helpdesk.me().await {
            Ok(_) => {}
            Err(CallError::Limited { retry_after, .. }) => return later(retry_after),
            Err(CallError::NoTurn(_)) => return later(Duration::from_secs(1)),
            Err(of_all) => return rests(of_all.to_string()),
        }
        self.account.troubles.with(self.claim.ticket.id, doing, trouble, Instant::now());
        match self.account.troubles.of_account(Instant::now()) {
            Some(why) => rests(format!("{why} ({error})")),
            None => self.again_or_dead(error, asked),
        }
    }

    fn again_or_dead(&self, error: String, asked: Option<Duration>) -> Looked {
        let failures = self.claim.failures.saturating_add(1);
        Looked::so(if failures >= self.account.work.tries {
            Next::Dead { error }
        } else {
            let wait = backoff(failures, fastrand::u64(..)).max(asked.unwrap_or_default());
            Next::Retry { at: Utc::now() + wait, error }
        })
    }
}

/// The whole account is to rest, and the ticket with it: not the ticket's failure.
fn rests(why: String) -> Looked {
    Looked { refused: Some(why), ..later(super::PATIENCE) }
}

/// A look that could not be ended by a defect, ours or the store's: it counts as the ticket's failure, for it may well
/// happen every time.
pub(super) fn defect(account: &Account, claim: &Claim, error: String) -> Looked {
    Fails { account, claim }.again_or_dead(error, None)
}

/// Not the ticket's failure: it is looked at again after so long.
fn later(wait: Duration) -> Looked {
    Looked::so(Next::Again { at: Utc::now() + wait })
}
