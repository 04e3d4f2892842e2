//! What the store has counted, as a report takes it.

use chrono::NaiveDate;

use crate::learn::report::{Disagreement, Tally};
use crate::store::feedback::{FeedbackRow, Opinion};
use crate::store::{Store, StoreError};

/// What was counted from a day on, UTC, with up to `listed` disagreements; of all that is kept where there is no such day.
///
/// # Errors
/// A store that cannot be used.
pub async fn tally(store: &Store, since: Option<NaiveDate>, listed: usize) -> Result<Tally, StoreError> {
    let (sums, disagreements) = tokio::try_join!(store.sums(since), store.disagreements(since, listed))?;
    let mut tally = Tally::default();
    for (gist, sum) in &sums.gists {
        tally.add(gist, *sum);
    }
    for (seconds, tickets) in sums.waits {
        tally.waited(seconds, tickets);
    }
    for (tenths, tickets) in sums.notes {
        tally.noted(tenths, tickets);
    }
    tally.answered_once(sums.answered_once);
    for row in disagreements {
        tally.disagreed(disagreement(row));
    }
    Ok(tally)
}

fn disagreement(FeedbackRow { feedback, verdict }: FeedbackRow) -> Disagreement {
    Disagreement {
        way: feedback.way.word().to_owned(),
        account: feedback.ticket.account,
        ticket: feedback.ticket.id,
        reference: feedback.reference,
        verdict,
        why: match feedback.opinion {
            Opinion::Agree => String::new(),
            Opinion::Disagree { why } => why,
            Opinion::Corrected { to } => format!("corrected to {}", to.replace('_', " ")),
        },
        who: feedback.who,
        at: feedback.said_at,
    }
}
