//! The shipped chart in other hands: a hand-written `match`, CEL, Rego.

use cel::{Context, Program};
use regorus::{CompiledPolicy, Engine};

pub const DAY: i64 = 86_400_000;
pub const GRACE: i64 = 14 * DAY;

/// A ticket of which everything is known.
#[derive(Debug, Clone, Copy)]
pub struct Ticket {
    pub request: Request,
    pub trial: bool,
    pub sales_assisted: bool,
    pub edge_case: bool,
    pub sales_intervened: bool,
    /// Milliseconds since 1970, UTC.
    pub expires_at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    PlanLicense,
    WrongProduct,
    ForceReassociate,
}

impl Request {
    pub fn word(self) -> &'static str {
        match self {
            Request::PlanLicense => "plan_license",
            Request::WrongProduct => "wrong_product",
            Request::ForceReassociate => "force_reassociate",
        }
    }
}

/// The chart as a programmer would write it down once and for all.
#[inline(never)]
pub fn by_hand(ticket: &Ticket, now: i64) -> &'static str {
    let if_more = |at: i64| if at > now + DAY { "no_need" } else { "ok_to_star" };
    match *ticket {
        Ticket { request: Request::WrongProduct, sales_intervened: false, .. } => "wait_for_sales",
        Ticket { request: Request::WrongProduct, sales_intervened: true, .. } => "ok_to_star",
        Ticket { request: Request::ForceReassociate, edge_case: false, .. } => "use_docs",
        Ticket { request: Request::ForceReassociate, edge_case: true, .. } => "ok_to_star",
        Ticket { trial: true, sales_assisted: false, .. } => "no_need",
        Ticket { trial: true, sales_assisted: true, expires_at, .. } => if_more(expires_at),
        Ticket { trial: false, expires_at, .. } if expires_at <= now && now < expires_at + GRACE => {
            if_more(expires_at + GRACE)
        }
        Ticket { trial: false, expires_at, .. } => if_more(expires_at),
    }
}

const CEL: &str = "
request == 'wrong_product' ? (sales_intervened ? 'ok_to_star' : 'wait_for_sales')
: request == 'force_reassociate' ? (edge_case ? 'ok_to_star' : 'use_docs')
: trial && !sales_assisted ? 'no_need'
: !trial && expires_at <= now && now < expires_at + 1209600000
    ? (expires_at + 1209600000 > now + 86400000 ? 'no_need' : 'ok_to_star')
: expires_at > now + 86400000 ? 'no_need' : 'ok_to_star'";

pub fn cel() -> Program {
    Program::compile(CEL).expect("the expression")
}

pub fn cel_context(ticket: &Ticket, now: i64) -> Context<'static, 'static> {
    let mut context = Context::default();
    context.add_variable_from_value("request", ticket.request.word());
    context.add_variable_from_value("trial", ticket.trial);
    context.add_variable_from_value("sales_assisted", ticket.sales_assisted);
    context.add_variable_from_value("edge_case", ticket.edge_case);
    context.add_variable_from_value("sales_intervened", ticket.sales_intervened);
    context.add_variable_from_value("expires_at", ticket.expires_at);
    context.add_variable_from_value("now", now);
    context
}

pub fn rego() -> CompiledPolicy {
    let mut engine = Engine::new();
    engine.add_policy("star.rego".into(), include_str!("star.rego").into()).expect("the policy");
    engine.compile_with_entrypoint(&"data.star.outcome".into()).expect("an entry point")
}

pub fn rego_input(ticket: &Ticket, now: i64) -> regorus::Value {
    let json = serde_json::json!({
        "request": ticket.request.word(), "trial": ticket.trial, "sales_assisted": ticket.sales_assisted,
        "edge_case": ticket.edge_case, "sales_intervened": ticket.sales_intervened, "expires_at": ticket.expires_at, "now": now,
    });
    regorus::Value::from_json_str(&json.to_string()).expect("an input")
}
