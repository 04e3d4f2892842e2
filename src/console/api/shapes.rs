//! What the API takes and gives.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::decide::basis::Basis;
use crate::decide::facts::replies::Says;
use crate::decide::policy::decision::Decision as Decided;
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::decisions::{Carried, DecisionRow};
use crate::store::feedback::{Feedback, FeedbackRow};
use crate::store::follow_ups::{FollowUp, Kind, Stage};
use crate::store::history::{History, WatchRow};
use crate::store::operators::OperatorEvent;
use crate::store::watches::Watch;
use crate::work::operators;

/// Why a request was refused.
#[derive(Serialize, ToSchema)]
pub(super) struct Refusal {
    /// What is wrong, in a sentence.
    pub error: String,
}

/// A watched ticket in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedTicket {
    /// The account's name in the configuration.
    account: String,
    /// The helpdesk's number.
    id: u64,
    /// Its subject line, a customer's words; empty before the first decision.
    subject: String,
    /// Where it stands.
    watch: ApiWatch,
    /// The verdict of its newest decision. Null: none was made yet.
    verdict: Option<String>,
    /// When that was made.
    decided_at: Option<DateTime<Utc>>,
    /// When the passing of time alone may change it.
    valid_until: Option<DateTime<Utc>>,
    /// How often it has failed in a row.
    failures: u32,
    /// What went wrong last, where the last look failed.
    last_error: Option<String>,
}

/// Watched tickets, by account and number.
#[derive(Serialize, ToSchema)]
pub(super) struct Tickets {
    pub tickets: Vec<ListedTicket>,
    /// The cursor of the next ones; null at the end.
    pub next_cursor: Option<String>,
}

/// A ticket with all that is kept of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiTicket {
    /// The account's name in the configuration.
    account: String,
    /// The helpdesk's number.
    id: u64,
    /// Where it stands.
    watch: ApiWatch,
    /// What went wrong last, where the last look failed.
    last_error: Option<String>,
    /// Deliveries, oldest first.
    events: Vec<Event>,
    /// Decisions, oldest first.
    decisions: Vec<RecordedDecision>,
    /// What managers answered, oldest first.
    answers: Vec<Answer>,
    /// What people thought of decisions, oldest first.
    opinions: Vec<ApiOpinion>,
    /// What decisions brought about elsewhere, oldest first.
    follow_ups: Vec<ApiFollowUp>,
}

/// What somebody thought of a decision.
#[derive(Serialize, ToSchema)]
struct ApiOpinion {
    /// The decision's short id.
    reference: String,
    /// `agree`, `disagree` or `corrected`.
    opinion: &'static str,
    /// With `disagree`: why, in their words. With `corrected`: the verdict that was put in its place.
    detail: String,
    /// Who.
    who: String,
    /// When.
    at: DateTime<Utc>,
    /// How they said so: `reply`, `console` or `tag`.
    way: &'static str,
}

/// What a decision brings about elsewhere.
#[derive(Serialize, ToSchema)]
struct ApiFollowUp {
    /// The decision's short id.
    reference: String,
    /// What: `star_issue`, `unlabel`, `escalation`, `about_to_flip` or `still_open`.
    #[schema(value_type = String)]
    kind: Kind,
    #[serde(flatten)]
    stands: ApiStage,
}

/// Where a follow-up stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
enum ApiStage {
    /// Its decision's note is not known to stand yet.
    Planned,
    /// To be done from then on.
    Due { at: DateTime<Utc>, last_error: Option<String> },
    /// Done.
    Done { at: DateTime<Utc>, what: String },
    /// Needed no longer.
    Moot { why: String },
    /// Nothing was done; a person must see to it.
    Unclear { at: DateTime<Utc>, why: String },
    /// A dead letter.
    Dead { at: DateTime<Utc>, error: String },
}

/// Where a ticket stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
enum ApiWatch {
    /// To be looked at from then on.
    Due { at: DateTime<Utc> },
    /// Nothing to do until something happens.
    Idle,
    /// A dead letter.
    Dead { error: String },
    /// Watched no longer.
    Stopped { why: String },
}

/// A delivery.
#[derive(Serialize, ToSchema)]
struct Event {
    /// What happened, as the sender names it.
    kind: String,
    /// When it was received.
    received_at: DateTime<Utc>,
}

/// A manager's answer.
#[derive(Serialize, ToSchema)]
struct Answer {
    /// The fact.
    fact: String,
    /// Its value, as written.
    value: String,
    /// Who said so, and where.
    source: String,
    /// When.
    at: Option<DateTime<Utc>>,
}

/// A decision as it was recorded.
#[derive(Serialize, ToSchema)]
pub(super) struct RecordedDecision {
    /// The account's name.
    account: String,
    /// The ticket's number.
    ticket: u64,
    /// The short id its note carries.
    reference: String,
    /// When it was made.
    decided_at: DateTime<Utc>,
    /// What became of it: `open`, `posted`, `shadow` or `overtaken`.
    #[schema(value_type = String)]
    carried: Carried,
    /// The decision.
    #[schema(inline)]
    decision: Decided,
    /// The note, as text.
    note: String,
}

/// Decisions, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Decisions {
    pub decisions: Vec<RecordedDecision>,
    /// The cursor of the next ones; null at the end.
    pub next_cursor: Option<String>,
}

impl ApiTicket {
    pub(crate) fn of(
        ticket: TicketKey,
        history: History,
        events: &[OperatorEvent],
        feedback: Vec<FeedbackRow>,
        follow_ups: Vec<FollowUp>,
    ) -> Result<ApiTicket, StoreError> {
        let basis: Basis =
            history.decisions.last().and_then(|row| serde_json::from_str(&row.basis).ok()).unwrap_or_default();
        let mut answers: Vec<Answer> = operators::replies(events)
            .iter()
            .chain(basis.replies.iter().filter(|reply| reply.comment != 0))
            .filter_map(|reply| match &reply.says {
                Says::Answer { fact, value } => Some(Answer {
                    fact: fact.clone(),
                    value: value.clone(),
                    source: reply.source.to_string(),
                    at: reply.at,
                }),
                Says::Yes
                | Says::No(_)
                | Says::Undo
                | Says::Agree
                | Says::Disagree(_)
                | Says::Recheck
                | Says::Stop
                | Says::Unreadable(_) => None,
            })
            .collect();
        answers.sort_by_key(|answer| answer.at);
        Ok(ApiTicket {
            account: ticket.account,
            id: ticket.id,
            watch: ApiWatch::of(history.watch),
            last_error: history.last_error,
            events: history
                .deliveries
                .into_iter()
                .map(|delivery| Event { kind: delivery.kind, received_at: delivery.received_at })
                .collect(),
            decisions: history.decisions.into_iter().map(RecordedDecision::of).collect::<Result<_, _>>()?,
            answers,
            opinions: feedback.into_iter().map(|row| ApiOpinion::of(row.feedback)).collect(),
            follow_ups: follow_ups.into_iter().map(ApiFollowUp::of).collect(),
        })
    }
}

impl ListedTicket {
    pub(super) fn of(row: WatchRow) -> ListedTicket {
        let TicketKey { account, id } = row.ticket;
        ListedTicket {
            account,
            id,
            subject: row.subject,
            watch: ApiWatch::of(row.watch),
            verdict: row.verdict,
            decided_at: row.decided_at,
            valid_until: row.valid_until,
            failures: row.failures,
            last_error: row.last_error,
        }
    }
}

impl ApiWatch {
    fn of(watch: Watch) -> ApiWatch {
        match watch {
            Watch::Due { at } => ApiWatch::Due { at },
            Watch::Idle => ApiWatch::Idle,
            Watch::Dead { error } => ApiWatch::Dead { error },
            Watch::Stopped { why } => ApiWatch::Stopped { why },
        }
    }
}

impl ApiOpinion {
    fn of(said: Feedback) -> ApiOpinion {
        ApiOpinion {
            opinion: said.opinion.word(),
            detail: said.opinion.detail().to_owned(),
            way: said.way.word(),
            reference: said.reference,
            who: said.who,
            at: said.said_at,
        }
    }
}

impl ApiFollowUp {
    fn of(follow_up: FollowUp) -> ApiFollowUp {
        ApiFollowUp {
            reference: follow_up.reference,
            kind: follow_up.kind,
            stands: match follow_up.stage {
                Stage::Planned => ApiStage::Planned,
                Stage::Due { at, last_error } => ApiStage::Due { at, last_error },
                Stage::Done { at, what } => ApiStage::Done { at, what },
                Stage::Moot { why } => ApiStage::Moot { why },
                Stage::Unclear { at, why } => ApiStage::Unclear { at, why },
                Stage::Dead { at, error } => ApiStage::Dead { at, error },
            },
        }
    }
}

impl RecordedDecision {
    pub(super) fn of(row: DecisionRow) -> Result<RecordedDecision, StoreError> {
        let decision = serde_json::from_str(&row.decision)
            .map_err(|error| StoreError::Corrupt(format!("decision {}: {error}", row.reference)))?;
        Ok(RecordedDecision {
            account: row.ticket.account,
            ticket: row.ticket.id,
            reference: row.reference,
            decided_at: row.decided_at,
            carried: row.carried,
            decision,
            note: row.note,
        })
    }
}
