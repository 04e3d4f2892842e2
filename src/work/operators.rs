//! What operators did at the console, in the terms of managers' replies: the loop performs both alike.

use crate::decide::facts::replies::{Reply, Says};
use crate::decide::facts::source::Source;
use crate::store::operators::{Did, OperatorEvent};

/// The events as replies, each with its source.
pub fn replies(events: &[OperatorEvent]) -> Vec<Reply> {
    events.iter().filter_map(reply).collect()
}

fn reply(event: &OperatorEvent) -> Option<Reply> {
    let source = Source::Console { who: event.who.clone(), at: event.at };
    // No comment has the number 0.
    Some(Reply { says: says(&event.did)?, source, who: event.who.clone(), comment: 0, at: Some(event.at) })
}

/// What somebody did, as a manager would reply it; none where no reply does that.
pub fn says(did: &Did) -> Option<Says> {
    Some(match did {
        Did::LookAgain => Says::Recheck,
        Did::Answered { fact, value } => Says::Answer { fact: fact.clone(), value: value.clone() },
        Did::Refused => Says::No(String::new()),
        Did::Agreed => Says::Agree,
        Did::Disagreed { why } => Says::Disagree(why.clone()),
        Did::Stopped => Says::Stop,
        Did::SignedIn
        | Did::SignInRefused
        | Did::SignedOut { .. }
        | Did::Forgot
        | Did::Proposed { .. }
        | Did::Promoted { .. }
        | Did::SteppedBack { .. }
        | Did::LookAgainAtAll { .. }
        | Did::SentBack { .. }
        | Did::Paused { .. }
        | Did::Resumed { .. }
        | Did::TriedAgain
        | Did::Took
        | Did::Finished
        | Did::GaveBack => return None,
    })
}
