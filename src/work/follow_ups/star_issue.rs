//! On the STAR issue: the label, and one comment with the reason and the next step; and away with it when the verdict turns.

use super::named::{self, Named};
use super::{InHand, Stop, words};
use crate::decide::note;
use crate::elsewhere::gitlab::{GitLab, Issue, Moved, Search};
use crate::store::follow_ups::{Came, Kind};

/// Finds the ticket's STAR issue and brings it to where it should be; what is there already is left as it is.
pub(super) async fn bring(in_hand: &InHand<'_>, gitlab: &GitLab, label: &str) -> Result<Came, Stop> {
    let ticket = &in_hand.claim.ticket;
    let us = gitlab.me().await.map_err(Stop::Asking)?;
    let mut issues = Vec::new();
    // GitLab takes an address for one word: whoever looks for the number alone does not find it there.
    for words in [&ticket.id.to_string(), &in_hand.seen.ticket] {
        match gitlab.issues_with(words).await.map_err(Stop::Asking)? {
            Search::All(found) => issues.extend(found),
            Search::TooMany => {
                return Ok(Came::Unclear { why: "a hundred or more open issues may name the ticket".into() });
            }
        }
    }
    issues.sort_by_key(|issue| issue.iid);
    issues.dedup_by_key(|issue| issue.iid);
    let host =
        in_hand.follower.addresses.of(&ticket.account).and_then(|url| named::authority(&url)).unwrap_or_default();
    let issue = match named::among(&issues, ticket, &host) {
        Named::One(issue) => issue,
        Named::None => return Ok(in_hand.not_there("no open issue names the ticket".into())),
        Named::Several(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(|number| format!("#{number}")).collect();
            let why = format!("several open issues name the ticket, and none was touched: {}", numbers.join(", "));
            return Ok(Came::Unclear { why });
        }
    };
    let own = gitlab.comments_of(issue.iid, us).await.map_err(Stop::Asking)?;
    if own.iter().any(|comment| note::reference(comment) == Some(&in_hand.claim.reference)) {
        return Ok(done(gitlab, issue)); // The answer was lost, or somebody was killed, and this is how it ended.
    }
    let labelled = issue.labels.iter().any(|has| has == label);
    let comment = match in_hand.claim.kind {
        Kind::Unlabel => {
            match gitlab.label_moved(issue.iid, label).await.map_err(Stop::Asking)? {
                Some(Moved::Put { by: Some(by) }) if by == us && labelled => {
                    in_hand.still_ours().await?;
                    gitlab.remove_label(issue.iid, label).await.map_err(Stop::Writing)?;
                }
                Some(Moved::Taken { by: Some(by) }) if by == us && !labelled => {} // And then somebody was killed.
                _ => return Ok(Came::Moot { why: "the issue bears no label of ours".into() }),
            }
            words::unlabelled(&in_hand.said(), label)
        }
        Kind::StarIssue | Kind::Escalation | Kind::AboutToFlip | Kind::StillOpen => {
            if !labelled {
                in_hand.still_ours().await?;
                gitlab.add_label(issue.iid, label).await.map_err(Stop::Writing)?;
            }
            words::comment(&in_hand.said(), label)
        }
    };
    in_hand.still_ours().await?;
    gitlab.comment(issue.iid, &comment).await.map_err(Stop::Writing)?;
    Ok(done(gitlab, issue))
}

fn done(gitlab: &GitLab, issue: &Issue) -> Came {
    let what = gitlab.own(&issue.web_url).map_or_else(|| format!("issue #{}", issue.iid), str::to_owned);
    Came::Done { what }
}
