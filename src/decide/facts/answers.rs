//! What managers' replies come to: facts they state, proposals they take or refuse, opinions on a verdict.

use chrono::{DateTime, Utc};

use super::gather::Stated;
use super::replies::{Reply, Says, VERBS};
use crate::decide::near::nearest;
use crate::decide::ticket::Noted;

/// What replies come to.
#[derive(Debug, Default)]
pub struct Answers {
    /// What is stated, the later behind the earlier.
    pub stated: Vec<Stated>,
    /// One sentence for each line that could not be used.
    pub problems: Vec<String>,
    /// When a proposal was refused last.
    pub refused: Option<DateTime<Utc>>,
    /// The replies; a yes or no to a verdict is agreement or disagreement.
    pub replies: Vec<Reply>,
}

/// What one reply did, to be undone.
enum Did {
    Stated(Vec<Stated>),
    Refused(Option<DateTime<Utc>>),
    Nothing,
}

/// Goes through replies, oldest first; `note` is our newest note before each, as far as it is known what that said.
pub fn of<'a>(replies: Vec<Reply>, note: impl Fn(&Reply) -> Option<&'a Noted>) -> Answers {
    let mut answers = Answers::default();
    let mut done: Vec<(String, Did)> = Vec::new();
    for mut reply in replies {
        let state = |fact: &str, value: &str| {
            let (fact, value) = (fact.to_owned(), value.to_owned());
            Stated { fact, value, source: reply.source.clone() }
        };
        let did = match (&reply.says, note(&reply)) {
            (Says::Answer { fact, value }, _) if value.eq_ignore_ascii_case("unknown") => {
                for (_, did) in &mut done {
                    if let Did::Stated(stated) = did {
                        stated.retain(|stated| stated.fact != *fact);
                    }
                }
                Did::Nothing
            }
            (Says::Answer { fact, value }, _) => Did::Stated(vec![state(fact, value)]),
            (Says::Yes, Some(Noted::Proposed(proposal))) => {
                Did::Stated(proposal.iter().map(|(fact, value)| state(fact, value)).collect())
            }
            (Says::No(_), Some(Noted::Proposed(_))) => Did::Refused(reply.at),
            (Says::Yes, Some(Noted::Decided)) => {
                reply.says = Says::Agree;
                Did::Nothing
            }
            (Says::No(why), Some(Noted::Decided)) => {
                reply.says = Says::Disagree(why.clone());
                Did::Nothing
            }
            (Says::Yes | Says::No(_), note) => {
                let said = if reply.says == Says::Yes { "yes" } else { "no" };
                let fact = match note {
                    Some(Noted::Asked(Some(fact))) => fact.as_str(),
                    Some(Noted::Asked(None) | Noted::Decided | Noted::Proposed(_)) | None => "trial",
                };
                answers.problems.push(format!(
                    "“star: {said}” answers no proposal ({}): write the answer itself, like star: {fact}=…",
                    reply.source
                ));
                Did::Nothing
            }
            (Says::Undo, _) => {
                let last = done.iter().rposition(|(who, did)| *who == reply.who && !matches!(did, Did::Nothing));
                match last {
                    Some(last) => drop(done.remove(last)),
                    None => answers.problems.push(format!(
                        "“star: undo” finds no line of yours to take back ({}): take one answer back with star: \
                         trial=unknown",
                        reply.source
                    )),
                }
                Did::Nothing
            }
            (Says::Unreadable(line), _) => {
                let help = match nearest(line.split_whitespace().next().unwrap_or_default(), &VERBS) {
                    Some(verb) => format!("did you mean star: {verb}?"),
                    None => "write it like star: trial=yes".to_owned(),
                };
                answers.problems.push(format!("I cannot read “star: {line}” ({}): {help}", reply.source));
                Did::Nothing
            }
            (Says::Agree | Says::Disagree(_) | Says::Recheck | Says::Stop, _) => Did::Nothing,
        };
        done.push((reply.who.clone(), did));
        answers.replies.push(reply);
    }
    for (_, did) in done {
        match did {
            Did::Stated(stated) => answers.stated.extend(stated),
            Did::Refused(at) => answers.refused = at.or(answers.refused),
            Did::Nothing => {}
        }
    }
    answers
}
