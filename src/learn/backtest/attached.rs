//! The summary of a backtest of two policies, as a promotion takes it along.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::comparison::Matrix;

/// What is told of a backtest that a policy was promoted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The summary as it was written.
    pub json: String,
    /// The hash of the first policy.
    pub policy: String,
    /// The hash of the policy against it.
    pub against: String,
    /// How many past tickets were decided.
    pub tickets: u64,
    /// On how many the verdicts differ.
    pub differing: u64,
    /// Of the first policy's verdict, the second's.
    pub matrix: Matrix,
}

#[derive(Deserialize)]
struct Whole {
    summary: Box<RawValue>,
}

#[derive(Deserialize)]
struct Summary {
    policy: String,
    tally: Tally,
    against: Option<Against>,
}

#[derive(Deserialize)]
struct Tally {
    tickets: u64,
}

#[derive(Deserialize)]
struct Against {
    policy: String,
    differing: u64,
    matrix: Matrix,
}

impl Attached {
    /// Reads what `backtest --against --format json` wrote, or its summary alone.
    ///
    /// # Errors
    /// In one sentence: text that is neither, or a backtest of one policy alone.
    pub fn read(text: &str) -> Result<Attached, String> {
        let whole = serde_json::from_str::<Whole>(text).ok();
        let json = whole.as_ref().map_or(text.trim(), |whole| whole.summary.get());
        let not_one = |error| format!("this is no backtest, as `backtest --against --format json` writes it: {error}");
        let Summary { policy, tally, against } = serde_json::from_str(json).map_err(not_one)?;
        let Some(against) = against else {
            return Err("this backtest tried one policy alone: run it with --against".into());
        };
        Ok(Attached {
            json: json.to_owned(),
            policy,
            against: against.policy,
            tickets: tally.tickets,
            differing: against.differing,
            matrix: against.matrix,
        })
    }
}
