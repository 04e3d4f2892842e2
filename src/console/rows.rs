//! Tickets in lists: why each has its verdict, how long there is, whose it is, and what can be said of it in its row.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Room;
use super::answers::{self, Question};
use super::links::link;
use super::page::{MayAct, Problem};
use super::session::{Role, Session};
use super::words::{self, When};
use crate::decide::basis::Basis;
use crate::decide::facts::expiry;
use crate::decide::note::capital;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS};
use crate::decide::ticket::TicketKey;
use crate::store::decisions::{Carried, DecisionRow};
use crate::store::follow_ups::FollowUp;
use crate::store::hands::{Hand, Said};
use crate::store::overview::ListedTicket;
use crate::store::watches::Watch;
use crate::store::{Store, StoreError};

/// A ticket or a decision in a list.
#[derive(Default)]
pub(super) struct Row {
    pub link: String,
    pub key: String,
    /// The row's name within the page.
    pub id: String,
    pub subject: String,
    pub organization: Option<String>,
    /// Where the ticket is at the helpdesk.
    pub helpdesk: Option<String>,
    pub verdict: String,
    pub tone: &'static str,
    pub locked_out: bool,
    /// Why, in the note's words.
    pub reason: String,
    /// How long there is.
    pub left: Option<Left>,
    /// Who has it, at the helpdesk and here; where it stands.
    pub told: Vec<String>,
    pub when: Option<When>,
    pub says: Says,
}

/// How long there is until a deadline, and when that is.
pub(super) struct Left {
    pub words: String,
    pub when: When,
}

/// What can be said of a ticket in its row.
#[derive(Default)]
pub(super) struct Says {
    pub buttons: Vec<Button>,
    /// Whose it is, where somebody else can take it over.
    pub take_over: Option<String>,
    /// What taking the proposal means.
    pub proposal: Option<String>,
    /// The decision that the buttons speak of.
    pub reference: String,
    pub questions: Vec<Question>,
}

/// What can be said of a ticket with one button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Button {
    /// It is mine.
    Take,
    /// Nothing is left to do.
    Done,
    /// It is nobody's, or not done after all.
    GiveBack,
    /// The verdict is right.
    Agree,
}

impl Says {
    /// Whether there is a button at all.
    pub(super) fn something(&self) -> bool {
        !self.buttons.is_empty() || self.take_over.is_some() || !self.questions.is_empty()
    }

    pub(super) fn take(&self) -> bool {
        self.buttons.contains(&Button::Take)
    }

    pub(super) fn done(&self) -> bool {
        self.buttons.contains(&Button::Done)
    }

    pub(super) fn give_back(&self) -> bool {
        self.buttons.contains(&Button::GiveBack)
    }

    pub(super) fn agree(&self) -> bool {
        self.buttons.contains(&Button::Agree)
    }
}

/// Tickets as rows, with what their newest decisions say.
pub(super) async fn of(
    room: &Room,
    session: &Session,
    tickets: Vec<ListedTicket>,
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Problem> {
    let (store, policy) = (&room.console.store, room.console.rule.now());
    let keys: Vec<TicketKey> = tickets.iter().map(|listed| listed.ticket.clone()).collect();
    let newest = store.newest_decisions(&keys).await?.into_iter();
    let newest: BTreeMap<TicketKey, DecisionRow> = newest.map(|row| (row.ticket.clone(), row)).collect();
    let agreed = store.agreed_with(&keys).await?;
    let may_act = if session.role >= Role::Act { MayAct::Yes } else { MayAct::No };
    let row = |listed: ListedTicket| {
        let decided = newest.get(&listed.ticket);
        let helpdesk = room.console.addresses.ticket(&listed.ticket);
        let agreed = decided.and_then(|decided| {
            let of_it = |said: &&(TicketKey, String, String)| said.0 == listed.ticket && said.1 == decided.reference;
            agreed.iter().rev().find(of_it).map(|(_, _, who)| who.clone())
        });
        let mut row = row(listed, decided, agreed, &policy, &session.name, now);
        if !may_act.yes() {
            row.says = Says::default();
        }
        Row { helpdesk, ..row }
    };
    Ok(tickets.into_iter().map(row).collect())
}

fn row(
    listed: ListedTicket,
    decided: Option<&DecisionRow>,
    agreed: Option<String>,
    policy: &Policy,
    me: &str,
    now: DateTime<Utc>,
) -> Row {
    let decision = decided.and_then(|row| serde_json::from_str::<Decision>(&row.decision).ok());
    let basis: Basis = decided.and_then(|row| serde_json::from_str(&row.basis).ok()).unwrap_or_default();
    let verdict = listed.verdict.clone().unwrap_or_default();
    let tone = words::tone(policy, &verdict);
    let open = matches!(listed.watch, Watch::Due { .. } | Watch::Idle);
    let looking = matches!(listed.watch, Watch::Due { at } if at <= now);
    let mut told = Vec::new();
    told.extend(basis.assignee.as_ref().map(|name| format!("assigned to {name}")));
    told.extend(listed.hand.as_ref().map(|hand| held(hand, me)));
    told.extend(agreed.as_ref().map(|who| format!("{} agreed", you(who, me))));
    match (&listed.watch, looking) {
        (_, true) => told.push("the bot is looking at it".into()),
        (Watch::Dead { .. } | Watch::Stopped { .. }, _) => told.push(words::watch(&listed.watch, now)),
        (Watch::Due { .. } | Watch::Idle, _) => {}
    }
    let hand = listed.hand.as_ref();
    let (mine, others) = match hand {
        Some(hand) if hand.said == Said::Mine => (hand.who == me, (hand.who != me).then(|| hand.who.clone())),
        Some(_) | None => (false, None),
    };
    let is_done = hand.is_some_and(|hand| hand.said == Said::Done);
    let decides = open && decided.is_some() && !is_done;
    let asks = verdict == NEEDS_FACTS && !looking;
    let buttons = [
        (Button::Take, decides && hand.is_none()),
        (Button::Done, decides && hand.is_some()),
        (Button::GiveBack, open && (mine || is_done)),
        (Button::Agree, decides && verdict != NEEDS_FACTS && agreed.is_none()),
    ];
    let buttons = buttons.into_iter().filter_map(|(button, there)| there.then_some(button)).collect();
    let says = Says {
        buttons,
        take_over: others.filter(|_| decides),
        proposal: decision.as_ref().filter(|_| asks && decides).and_then(|it| answers::proposal(policy, it)),
        reference: decided.map(|row| row.reference.clone()).unwrap_or_default(),
        questions: decision
            .as_ref()
            .filter(|_| asks && decides)
            .map(|decision| answers::questions(policy, decision))
            .unwrap_or_default(),
    };
    Row {
        link: link(&listed.ticket),
        key: listed.ticket.to_string(),
        id: format!("t-{}-{}", listed.ticket.account, listed.ticket.id),
        tone,
        verdict: if verdict.is_empty() { verdict } else { words::verdict(policy, &verdict) },
        reason: decided
            .map(|row| {
                let reason = reason(&row.note, policy.title(&row.verdict));
                decision.as_ref().map_or(reason.clone(), |decision| as_of(now, reason, decision, row.decided_at))
            })
            .unwrap_or_default(),
        left: listed.deadline.map(|at| Left { words: left(at, tone, now), when: When::of(at) }),
        locked_out: listed.locked_out,
        subject: listed.subject,
        organization: listed.organization,
        told,
        says,
        ..Row::default()
    }
}

impl Row {
    pub(super) fn of_follow_up(follow_up: &FollowUp, now: DateTime<Utc>) -> Row {
        Row {
            link: link(&follow_up.ticket),
            key: follow_up.ticket.to_string(),
            subject: words::follow_up(follow_up.kind).to_owned(),
            told: vec![words::stage(&follow_up.stage, now)],
            ..Row::default()
        }
    }

    pub(super) fn of_decision(row: &DecisionRow, policy: &Policy) -> Row {
        let basis: Basis = serde_json::from_str(&row.basis).unwrap_or_default();
        let unwritten = (row.carried != Carried::Posted).then(|| words::carried(row.carried).to_owned());
        Row {
            link: link(&row.ticket),
            key: row.ticket.to_string(),
            subject: basis.subject,
            organization: basis.organization,
            verdict: words::verdict(policy, &row.verdict),
            tone: words::tone(policy, &row.verdict),
            locked_out: basis.locked_out,
            reason: reason(&row.note, policy.title(&row.verdict)),
            told: unwritten.into_iter().collect(),
            when: Some(When::of(row.decided_at)),
            ..Row::default()
        }
    }
}

/// A reason with the spans of time in it as they are now: the note has them as of when it was written.
fn as_of(now: DateTime<Utc>, reason: String, decision: &Decision, decided_at: DateTime<Utc>) -> String {
    let answers = decision.path.iter().chain(&decision.beyond).map(|answered| &answered.value);
    let ends = answers.chain(decision.proposal.values()).filter_map(|value| DateTime::parse_from_rfc3339(value).ok());
    ends.map(|at| at.to_utc()).filter(|at| (*at > now) == (*at > decided_at)).fold(reason, |reason, at| {
        let length = |from: DateTime<Utc>| expiry::length((at - from).num_milliseconds());
        reason.replacen(&length(decided_at), &length(now), 1)
    })
}

/// How long there is: `4 h 12 min left`, `ended 2 d ago`.
fn left(at: DateTime<Utc>, tone: &str, now: DateTime<Utc>) -> String {
    let length = expiry::length((at - now).num_milliseconds());
    match at > now {
        true if tone == "dismisses" => format!("holds for {length}"),
        true => format!("{length} left"),
        false => format!("ended {length} ago"),
    }
}

/// Who has a ticket in hand, for `me`.
pub(super) fn held(hand: &Hand, me: &str) -> String {
    let since = expiry::exact(hand.at);
    match hand.said {
        Said::Mine if hand.who == me => format!("yours since {since}"),
        Said::Mine => format!("{} has it since {since}", hand.who),
        Said::Done => format!("{} said done, {since}", you(&hand.who, me)),
    }
}

fn you<'a>(who: &'a str, me: &str) -> &'a str {
    if who == me { "you" } else { who }
}

/// What a button on a row came to, as the address of the list says it.
#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: String,
    #[serde(default)]
    on: String,
}

impl Told {
    /// That in a sentence; none where no button was pressed.
    pub(super) async fn sentence(&self, store: &Store) -> Result<Option<String>, StoreError> {
        let key = || {
            let (account, id) = self.on.rsplit_once('/')?;
            Some(TicketKey { account: account.to_owned(), id: id.parse().ok()? })
        };
        let Some(ticket) = key() else { return Ok(None) };
        Ok(match self.done.as_str() {
            "take" => Some(format!("{ticket} is yours. Others see it.")),
            "held" => {
                let hand = store.hand(&ticket).await?;
                hand.map(|hand| format!("{ticket} is not yours: {}.", held(&hand, "")))
            }
            "done" => Some(format!("{ticket} is done. A new verdict brings it back.")),
            "give-back" => Some(format!("{ticket} is open to everybody again.")),
            "agree" => Some(format!("Thank you: kept that you agree with {ticket}.")),
            "yes" | "answer" => {
                Some(format!("Your answer on {ticket} is kept. The bot looks at the ticket with it within seconds."))
            }
            "stale" => Some(format!("{ticket} was decided anew meanwhile: read it again before you answer.")),
            _ => None,
        })
    }
}

/// The first line of a note without the verdict's title in front: what follows it as the reason.
fn reason(note: &str, title: &str) -> String {
    let first = note.lines().next().unwrap_or_default();
    let titled = first.strip_prefix("**").and_then(|rest| rest.strip_prefix(title)?.split_once("**"));
    let (guess, line) = titled.map_or(("", first), |(guess, rest)| (guess.trim_matches([',', '.', ' ']), rest.trim()));
    let line = line.replace("**", "");
    if guess.is_empty() { line } else { format!("{}: {line}", capital(guess)) }
}
