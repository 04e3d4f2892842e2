//! In the chat: one short message, unless the moment for it has passed.

use chrono::TimeDelta;

use super::{InHand, Stop, words};
use crate::elsewhere::chat::Chat;
use crate::store::follow_ups::{Came, Kind};

/// How long the word of an escalation is news.
const NEWS: TimeDelta = TimeDelta::days(1);

/// Says the message that is due.
pub(super) async fn say(in_hand: &InHand<'_>, chat: &Chat) -> Result<Came, Stop> {
    let now = in_hand.still_ours().await?;
    let (message, until) = match in_hand.claim.kind {
        Kind::Escalation => (words::escalation(&in_hand.said()), Some(in_hand.row.decided_at + NEWS)),
        Kind::AboutToFlip => (words::about_to_flip(&in_hand.said()), in_hand.decision.valid_until),
        Kind::StillOpen => (words::still_open(&in_hand.said()), Some(in_hand.row.decided_at + NEWS)),
        Kind::StarIssue | Kind::Unlabel => return Ok(Came::Moot { why: "no chat's business".into() }),
    };
    if until.is_none_or(|until| now >= until) {
        return Ok(Came::Moot { why: "the moment for it has passed".into() });
    }
    chat.say(&message).await.map_err(Stop::Writing)?;
    Ok(Came::Done { what: "said in the chat".into() })
}
