//! Every kind of call the bot makes, tried: what is only a fallback is tried before it is needed.

use crate::config::Mode;
use crate::decide::signature::Signature;
use crate::helpdesk::auth::{Purpose, WORK_SCOPES};
use crate::helpdesk::client::{Helpdesk, Me};
use crate::helpdesk::error::{CallError, Forbidden};

use super::finding::Found;

/// How many starred tickets are read to see whether our user writes by hand too, or another bot does.
const SAMPLES: usize = 3;

/// What to do about a call that failed.
pub(super) fn cure(error: &CallError, scopes: &str) -> String {
    match error {
        CallError::Forbidden(Forbidden::Scopes(missing)) => {
            format!("give the OAuth client the scope {}; the bot's own calls need: {scopes}", missing.join(" "))
        }
        CallError::Forbidden(Forbidden::Role) => {
            "give the agent whose token it is a role that may do this; scopes do not help".to_owned()
        }
        CallError::Forbidden(Forbidden::Unsaid(_)) | CallError::Unauthorized(_) => {
            format!("see that the OAuth client has the scopes {scopes}, and its agent the role")
        }
        CallError::Limited { .. } => "wait for that long, and run it again".to_owned(),
        CallError::Moved { .. } | CallError::NoHelpdesk => "mend base_url".to_owned(),
        CallError::Unreachable(_)
        | CallError::Conflict
        | CallError::Closed
        | CallError::Gone
        | CallError::Failed { .. }
        | CallError::Rejected { .. }
        | CallError::NoTurn(_)
        | CallError::TooLarge { .. }
        | CallError::Unreadable(_) => "run it again; what the helpdesk says stands above".to_owned(),
    }
}

/// Tries to search, to read a ticket with its comments, and to write, with the token of the bot itself.
pub(super) async fn tried(
    helpdesk: &Helpdesk,
    me: &Me,
    star_tags: &[String],
    mode: Mode,
    scopes: Option<&str>,
) -> Vec<(&'static str, Found)> {
    let scopes = Purpose::Work.scopes(scopes.unwrap_or(WORK_SCOPES));
    let wrong = |error: &CallError| Found::wrong(error.to_string(), cure(error, &scopes));
    let mut starred = Vec::new();
    for tag in star_tags {
        match helpdesk.tagged(tag, None).await {
            Ok(page) => starred.extend(page.tickets.into_iter().map(|(id, _)| id)),
            Err(error) => {
                let says = format!("search: {error}; without it catch-up finds no ticket that no delivery told of");
                return vec![("catch-up", Found::wrong(says, cure(&error, &scopes)))];
            }
        }
    }
    let mut found = vec![("catch-up", Found::well(format!("search answers, {} open starred", starred.len())))];
    let Some(first) = starred.first() else {
        found.push(("tickets", Found::well("no open ticket is starred: reading and writing were not tried")));
        return found;
    };
    if let Err(error) = helpdesk.ticket(*first).await {
        found.push(("tickets", wrong(&error)));
        return found;
    }
    let (mut by_hand, mut another) = (None, None);
    for id in starred.iter().take(SAMPLES) {
        match helpdesk.comments(*id).await {
            Ok(thread) => {
                let own = thread.comments.iter().filter(|comment| comment.author_id == Some(me.id));
                by_hand = by_hand.or(own.filter(|it| *it.signature() == Signature::None).map(|_| *id).next());
                let others = thread.comments.iter().filter(|it| !it.public && it.author_id != Some(me.id));
                let signed = others.filter(|it| it.signature().id().is_some()).find_map(|it| it.author_id);
                another = another.or(signed.map(|user| (user, *id)));
            }
            Err(CallError::Gone) => {}
            Err(error) => {
                found.push(("tickets", wrong(&error)));
                return found;
            }
        }
    }
    found.push(("tickets", Found::well("tickets and comments can be read")));
    if let Some(id) = by_hand {
        found.push((
            "the token's user",
            Found::advice(
                format!("{} writes by hand too, on ticket {id}", me.name),
                "give the bot a user of its own: what this person changes on a ticket is told to nobody",
            ),
        ));
    }
    if let Some((user, id)) = another {
        found.push((
            "another bot",
            Found::advice(
                format!("the helpdesk's user {user} leaves notes of another bot of this kind, on ticket {id}"),
                "let one bot work for each helpdesk: two with different policies take back what the other says",
            ),
        ));
    }
    found.push((
        "writing",
        match mode {
            Mode::Shadow => Found::well("nothing is written in shadow mode"),
            Mode::Live => match helpdesk.may_write(*first).await {
                Ok(()) => Found::well("notes and tags may be written"),
                Err(error) => wrong(&error),
            },
        },
    ));
    found
}
