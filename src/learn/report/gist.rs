//! What a decision says, as far as the report counts it.

use serde::{Deserialize, Serialize};

use crate::decide::facts::fact::Trust;
use crate::decide::facts::source::Source;
use crate::decide::policy::decision::{Answered, Missing, NEEDS_FACTS, NOT_APPLICABLE};

/// What a decision says, as far as the report counts it: nothing of the ticket, so that many decisions say the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gist {
    /// The verdict.
    pub verdict: String,
    /// The kind of request; none where nothing says.
    pub request: Option<String>,
    /// The handbook case; none where nothing says.
    pub workflow: Option<String>,
    /// Facts asked for, each with its question.
    pub asked: Vec<(String, String)>,
    /// Nodes whose question was answered, each with that question.
    pub nodes: Vec<(String, String)>,
    /// Where the answers were read.
    pub sources: Vec<String>,
}

/// Whether a decision gives a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// It does.
    Verdict,
    /// It asks, or the policy does not speak of the ticket.
    None,
}

impl Gist {
    /// The gist of a decision with this verdict; `decision` is its JSON, and what is not there is empty.
    ///
    /// # Errors
    /// Text that is no decision's JSON.
    pub fn of(verdict: &str, decision: &str) -> Result<Gist, serde_json::Error> {
        let said: Said = serde_json::from_str(decision)?;
        let request = said.path.iter().find(|answered| answered.fact == "request").map(|it| it.answer.clone());
        let mut gist = Gist {
            verdict: verdict.to_owned(),
            request,
            workflow: said.workflow,
            asked: said.missing.into_iter().map(|missing| (missing.fact, missing.question)).collect(),
            ..Gist::default()
        };
        for answered in said.path.into_iter().chain(said.beyond) {
            let source = match answered.trust {
                Trust::Stated => "a manager's answer".to_owned(),
                Trust::Inferred => "the customer's words".to_owned(),
                Trust::Recorded => answered.source.sort(),
            };
            if !gist.sources.contains(&source) {
                gist.sources.push(source);
            }
            gist.nodes.push((answered.node, answered.text));
        }
        Ok(gist)
    }

    /// Whether that is a verdict.
    pub fn gives(&self) -> Gives {
        if self.verdict == NEEDS_FACTS || self.verdict == NOT_APPLICABLE { Gives::None } else { Gives::Verdict }
    }
}

/// The answered questions of a decision's JSON as they are counted: without values, quotes and names.
///
/// # Errors
/// Text that is no decision's JSON.
pub fn counted(decision: &str) -> Result<Counted, serde_json::Error> {
    let said: Said = serde_json::from_str(decision)?;
    let bare = |answered: Answered| {
        let source = match answered.trust {
            Trust::Stated | Trust::Inferred => String::new(),
            Trust::Recorded => answered.source.sort(),
        };
        Answered { value: answered.answer.clone(), source: Source::Told(source), quote: None, ..answered }
    };
    let bare = |list: Vec<Answered>| list.into_iter().map(bare).collect();
    Ok(Counted { path: bare(said.path), beyond: bare(said.beyond) })
}

/// See [`counted`].
pub struct Counted {
    /// Up to the first open question.
    pub path: Vec<Answered>,
    /// Past it.
    pub beyond: Vec<Answered>,
}

/// What of a decision's JSON is read.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    path: Vec<Answered>,
    #[serde(default)]
    beyond: Vec<Answered>,
    #[serde(default)]
    missing: Vec<Missing>,
    #[serde(default)]
    workflow: Option<String>,
}
