//! Decisions: made once, recorded before they are acted on, never made anew for a page.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::counts::Said;
use super::database::{Outcome, values};
use super::watches::Claim;
use super::{Store, StoreError, counts, follow_ups, hands};
use crate::decide::ticket::TicketKey;

/// A decision as it is kept: made once, recorded before it is acted on, never made anew for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// The short id its note carries.
    pub reference: String,
    /// Which ticket.
    pub ticket: TicketKey,
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// Its verdict, for lists.
    pub verdict: String,
    /// What about it makes a note worth writing: two decisions with the same fingerprint say the same.
    pub fingerprint: String,
    /// The decision, as JSON in the shape of the interface.
    pub decision: String,
    /// The note, as text.
    pub note: String,
    /// What it was decided on, as JSON: [`crate::decide::basis::Basis`].
    pub basis: String,
    /// What became of it.
    pub carried: Carried,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// Recorded; whether the helpdesk has it is not known yet.
    Open,
    /// Its note stands on the ticket.
    Posted,
    /// Shadow mode: recorded only.
    Shadow,
    /// Overtaken by a newer decision before it was written.
    Overtaken,
}

impl Carried {
    /// Its word in a row.
    fn word(self) -> &'static str {
        match self {
            Carried::Open => "open",
            Carried::Posted => "posted",
            Carried::Shadow => "shadow",
            Carried::Overtaken => "overtaken",
        }
    }

    fn read(word: &str) -> Outcome<Carried> {
        match word {
            "open" => Ok(Carried::Open),
            "posted" => Ok(Carried::Posted),
            "shadow" => Ok(Carried::Shadow),
            "overtaken" => Ok(Carried::Overtaken),
            _ => Err(StoreError::odd("decision state")),
        }
    }
}

const OVERTAKE: &str = "UPDATE decisions SET carried = 'overtaken'
    WHERE account = $1 AND ticket = $2 AND carried = 'open' AND reference <> $3";

const OPEN_AGAIN: &str = "UPDATE decisions SET carried = 'open'
    WHERE account = $1 AND ticket = $2 AND reference = $3 AND carried <> 'posted'";

const RECORD: &str = "INSERT INTO decisions
        (account, ticket, reference, decided_at, verdict, carried, kind, walked, fingerprint, note, decision, basis)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";

/// What the newest decision says stands beside its ticket.
const BESIDE: &str = "UPDATE watches SET verdict = $3, decided_at = $4, valid_until = $5, subject = $6
    WHERE account = $1 AND ticket = $2";

const ON_DESK: &str = "UPDATE watches SET deadline = $3, locked_out = $4, organization = $5
    WHERE account = $1 AND ticket = $2";

const POSTED: &str = "UPDATE decisions SET carried = 'posted', posted_at = coalesce(posted_at, $4)
    WHERE account = $1 AND ticket = $2 AND reference = $3";

const LAST: &str = "SELECT reference, decided_at, verdict, fingerprint, decision, note, carried, basis, account, ticket
    FROM decisions WHERE account = $1 AND ticket = $2 AND carried IN ('posted', 'shadow') ORDER BY id DESC LIMIT 1";

const UNCONFIRMED: &str = "SELECT 1 FROM decisions WHERE account = $1 AND ticket = $2 AND carried = 'open' LIMIT 1";

impl Store {
    /// Keeps a decision, before it is acted on; durable when it returns. Whether it is new: the same reference again is
    /// kept once, and is open again where it was overtaken or of shadow mode and is now to be acted on. Older open
    /// decisions of the ticket become [`Carried::Overtaken`] in the same breath.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where the ticket has been claimed anew or given back, and then nothing is written; a
    /// store that cannot be used.
    pub async fn record_decision(&self, claim: &Claim, row: &DecisionRow) -> Result<bool, StoreError> {
        let (claim, row) = (claim.clone(), row.clone());
        let (said, basis, kind) = (row.said()?, row.titled()?, counts::kind(&row.verdict, &row.decision)?);
        let walked = serde_json::to_string(&said.walked).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        self.transaction(move |t| async move {
            let (account, id) = (&row.ticket.account, row.ticket.id);
            let which = values![account, id, &row.reference];
            t.run(OVERTAKE, which.clone()).await?;
            if row.carried == Carried::Open {
                t.run(OPEN_AGAIN, which.clone()).await?;
            }
            let found = values![row.decided_at, &row.verdict, row.carried.word(), kind, walked];
            let told = values![&row.fingerprint, &row.note, &row.decision, &row.basis];
            let new = t.run(RECORD, [which, found, told].concat()).await? > 0;
            if new {
                hands::let_go(&t, &row.ticket, &row.verdict).await?;
                let beside = values![account, id, &row.verdict, row.decided_at, said.valid_until, basis.subject];
                t.run(BESIDE, beside).await?;
                let (deadline, locked_out) = (basis.deadline, u64::from(basis.locked_out));
                t.run(ON_DESK, values![account, id, deadline, locked_out, basis.organization]).await?;
                match row.carried {
                    Carried::Posted | Carried::Shadow => counts::place(&t, &row.ticket, &row.reference).await?,
                    Carried::Open | Carried::Overtaken => {}
                }
            }
            claim.still_held(&t).await?;
            Ok(new)
        })
        .await
    }

    /// Says that a decision's note stands on the claimed ticket, as was known first at `at`; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where the ticket has been claimed anew or given back, and then nothing is written:
    /// whoever has the ticket now finds out from its comments. A store that cannot be used.
    pub async fn posted(&self, claim: &Claim, reference: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (claim, reference, due_at) = (claim.clone(), reference.to_owned(), self.shared(at));
        self.transaction(move |t| async move {
            let TicketKey { account, id } = &claim.ticket;
            t.run(POSTED, values![account, *id, &reference, at]).await?;
            counts::place(&t, &claim.ticket, &reference).await?;
            follow_ups::begin(&t, &claim.ticket, &reference, due_at).await?;
            claim.still_held(&t).await
        })
        .await
    }

    /// Says of what is open on the claimed ticket that it was overtaken, where an older note says again what holds;
    /// durable when it returns.
    ///
    /// # Errors
    /// As [`Store::posted`].
    pub async fn overtake(&self, claim: &Claim) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.transaction(move |t| async move {
            t.run(OVERTAKE, values![&claim.ticket.account, claim.ticket.id, ""]).await?;
            claim.still_held(&t).await
        })
        .await
    }

    /// The ticket's newest decision that was posted or, in shadow mode, recorded.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn last_decision(&self, ticket: &TicketKey) -> Result<Option<DecisionRow>, StoreError> {
        self.one(LAST, values![&ticket.account, ticket.id]).await?.map(DecisionRow::of).transpose()
    }

    /// Whether a decision of the ticket is still [`Carried::Open`]: a write of ours may be on its way.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn unconfirmed(&self, ticket: &TicketKey) -> Result<bool, StoreError> {
        let open: Option<(i64,)> = self.one(UNCONFIRMED, values![&ticket.account, ticket.id]).await?;
        Ok(open.is_some())
    }
}

/// Reference, when, verdict, fingerprint, decision, note, what became of it, basis, account, ticket.
pub(super) type Columns = (String, DateTime<Utc>, String, String, String, String, String, String, String, u64);

/// What of a decision's basis lists go by.
#[derive(Debug, Default, Deserialize)]
struct Titled {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    organization: Option<String>,
    #[serde(default)]
    deadline: Option<DateTime<Utc>>,
    #[serde(default)]
    locked_out: bool,
}

impl DecisionRow {
    pub(super) fn of(columns: Columns) -> Outcome<DecisionRow> {
        let (reference, decided_at, verdict, fingerprint, decision, note, carried, basis, account, id) = columns;
        let (ticket, carried) = (TicketKey { account, id }, Carried::read(&carried)?);
        Ok(DecisionRow { reference, ticket, decided_at, verdict, fingerprint, decision, note, basis, carried })
    }

    pub(super) fn said(&self) -> Outcome<Said> {
        counts::said(&self.decision)
    }

    fn titled(&self) -> Outcome<Titled> {
        serde_json::from_str(&self.basis).map_err(|error| StoreError::Corrupt(format!("a decision's basis: {error}")))
    }
}
