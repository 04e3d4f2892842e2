//! What is counted and measured, for `GET /metrics`: every name in this one place.
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `starwarden_deliveries_total` | counter | `account`, `result` | deliveries: `accepted`, `duplicate`, `ignored`, `refused`, `not_kept` |
//! | `starwarden_decisions_total` | counter | `account`, `verdict` | decisions recorded |
//! | `starwarden_previews_total` | counter | `account`, `verdict` | previews of what a STAR would get |
//! | `starwarden_looks_total` | counter | `account`, `result` | looks at tickets: `settled`, `again`, `held`, `retry`, `dead`, `stopped` |
//! | `starwarden_api_calls_total` | counter | `method`, `status` | calls to the helpdesk; the status 0 is no answer |
//! | `starwarden_write_seconds` | histogram | `account` | how long the write of note and tags took |
//! | `starwarden_star_to_note_seconds` | histogram | `account` | how long a ticket's first note took, from the event that told of its star |
//! | `starwarden_api_budget_left` | gauge | `account` | calls that may be made at once |
//! | `starwarden_tickets_due` | gauge | `account` | tickets that wait for a look now |
//! | `starwarden_oldest_due_seconds` | gauge | `account` | how long the longest of them has waited |
//! | `starwarden_tickets_to_decide_anew` | gauge | `account` | open tickets that the policy in force has not decided yet |
//! | `starwarden_tickets_dead` | gauge | `account` | dead letters |
//! | `starwarden_account_ready` | gauge | `account` | 1 where the helpdesk takes our credentials |
//! | `starwarden_clock_ahead_seconds` | gauge | `account` | how far the helpdesk's clock is ahead of this machine's |
//! | `starwarden_account_paused` | gauge | `account` | 1 where somebody paused it |
//! | `starwarden_account_held_seconds` | gauge | `account` | how long the helpdesk wants no calls yet |
//! | `starwarden_catch_up_failing` | gauge | `account` | 1 where the last catch-up failed |
//! | `starwarden_untold_total` | counter | `account` | starred tickets that catch-up found and no delivery told of |
//! | `starwarden_tags_not_taken_total` | counter | `account` | writes that the helpdesk took without their tags |
//! | `starwarden_api_token_days_left` | gauge | `account` | days until its API token ends, where one is used |
//! | `starwarden_follow_ups_total` | counter | `destination`, `result` | tries at follow-ups, to `star_issue` and `chat`: `done`, `moot`, `unclear`, `again`, `retry`, `dead` |
//! | `starwarden_follow_ups_due` | gauge | `destination` | follow-ups that wait now |
//! | `starwarden_follow_ups_stuck` | gauge | `destination` | follow-ups a person must see to: unclear ones and dead letters |
//! | `starwarden_destination_ready` | gauge | `destination` | 1 where a destination takes our credentials |
//! | `starwarden_policy_info` | gauge | `policy` | 1, with the hash of the policy in force |
//! | `starwarden_build_info` | gauge | `version` | 1, with the version that runs |
//! | `starwarden_reader_away` | gauge | | 1 while the server of embeddings cannot be used |
//! | `starwarden_reload_failed` | gauge | | 1 while a changed configuration is refused |
//! | `starwarden_store_damaged` | gauge | | 1 where the store's file was not sound when it was last read through |

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::decide::policy::decision::NEEDS_FACTS;
use crate::store::StoreError;
use crate::store::pauses::Paused;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfAccount {
    account: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Result {
    account: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfDestination {
    destination: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Try {
    destination: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Verdict {
    account: String,
    verdict: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Hash {
    policy: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

struct All {
    registry: Registry,
    deliveries: Family<Result, Counter>,
    decisions: Family<Verdict, Counter>,
    previews: Family<Verdict, Counter>,
    looks: Family<Result, Counter>,
    calls: Family<Call, Counter>,
    writes: Family<OfAccount, Histogram>,
    notes: Family<OfAccount, Histogram>,
    budget: Family<OfAccount, Gauge>,
    due: Family<OfAccount, Gauge>,
    oldest: Family<OfAccount, Gauge>,
    anew: Family<OfAccount, Gauge>,
    dead: Family<OfAccount, Gauge>,
    ready: Family<OfAccount, Gauge>,
    paused: Family<OfAccount, Gauge>,
    held: Family<OfAccount, Gauge>,
    catch_up: Family<OfAccount, Gauge>,
    untold: Family<OfAccount, Counter>,
    tags: Family<OfAccount, Counter>,
    token_days: Family<OfAccount, Gauge>,
    ahead: Family<OfAccount, Gauge>,
    follow_ups: Family<Try, Counter>,
    follow_ups_due: Family<OfDestination, Gauge>,
    follow_ups_stuck: Family<OfDestination, Gauge>,
    destinations: Family<OfDestination, Gauge>,
    policy: Family<Hash, Gauge>,
    build: Family<Build, Gauge>,
    reader: Gauge,
    reload: Gauge,
    damaged: Gauge,
}

/// Of the whole process, as the log is.
static ALL: LazyLock<All> = LazyLock::new(|| {
    let seconds: fn() -> Histogram = || Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0]);
    let longer: fn() -> Histogram =
        || Histogram::new([1.0, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0]);
    let mut all = All {
        registry: Registry::with_prefix("starwarden"),
        deliveries: Family::default(),
        decisions: Family::default(),
        previews: Family::default(),
        looks: Family::default(),
        calls: Family::default(),
        writes: Family::new_with_constructor(seconds),
        notes: Family::new_with_constructor(longer),
        budget: Family::default(),
        due: Family::default(),
        oldest: Family::default(),
        anew: Family::default(),
        dead: Family::default(),
        ready: Family::default(),
        paused: Family::default(),
        held: Family::default(),
        catch_up: Family::default(),
        untold: Family::default(),
        tags: Family::default(),
        token_days: Family::default(),
        ahead: Family::default(),
        follow_ups: Family::default(),
        follow_ups_due: Family::default(),
        follow_ups_stuck: Family::default(),
        destinations: Family::default(),
        policy: Family::default(),
        build: Family::default(),
        reader: Gauge::default(),
        reload: Gauge::default(),
        damaged: Gauge::default(),
    };
    let registry = &mut all.registry;
    registry.register("deliveries", "Deliveries by what became of them", all.deliveries.clone());
    registry.register("decisions", "Decisions recorded, by verdict", all.decisions.clone());
    registry.register("previews", "Previews of what a STAR would get, by verdict", all.previews.clone());
    registry.register("looks", "Looks at tickets by how they left them", all.looks.clone());
    registry.register("api_calls", "Calls to the helpdesk by status, 0 for no answer", all.calls.clone());
    registry.register("write_seconds", "How long the write of note and tags took", all.writes.clone());
    registry.register("star_to_note_seconds", "How long a ticket's first note took from its star", all.notes.clone());
    registry.register("api_budget_left", "Calls to the helpdesk that may be made at once", all.budget.clone());
    registry.register("tickets_due", "Tickets that wait for a look now", all.due.clone());
    registry.register("oldest_due_seconds", "How long the longest due ticket has waited", all.oldest.clone());
    registry.register("tickets_to_decide_anew", "Open tickets not decided by the policy in force", all.anew.clone());
    registry.register("tickets_dead", "Dead letters", all.dead.clone());
    registry.register("account_ready", "1 where the helpdesk takes our credentials", all.ready.clone());
    registry.register("account_paused", "1 where somebody paused the account", all.paused.clone());
    registry.register("account_held_seconds", "How long the helpdesk wants no calls yet", all.held.clone());
    registry.register("catch_up_failing", "1 where the last catch-up failed", all.catch_up.clone());
    registry.register("untold", "Starred tickets that no delivery told of", all.untold.clone());
    registry.register("tags_not_taken", "Writes that the helpdesk took without their tags", all.tags.clone());
    registry.register("api_token_days_left", "Days until the API token ends", all.token_days.clone());
    registry.register("clock_ahead_seconds", "How far the helpdesk's clock is ahead of ours", all.ahead.clone());
    registry.register("follow_ups", "Tries at follow-ups by what became of them", all.follow_ups.clone());
    registry.register("follow_ups_due", "Follow-ups that wait now", all.follow_ups_due.clone());
    registry.register("follow_ups_stuck", "Follow-ups a person must see to", all.follow_ups_stuck.clone());
    registry.register("destination_ready", "1 where a destination takes our credentials", all.destinations.clone());
    registry.register("policy_info", "The policy in force", all.policy.clone());
    registry.register("build_info", "The version that runs", all.build.clone());
    registry.register("reader_away", "1 while the server of embeddings cannot be used", all.reader.clone());
    registry.register("reload_failed", "1 while a changed configuration is refused", all.reload.clone());
    registry.register("store_damaged", "1 where the store's file was not sound of late", all.damaged.clone());
    all
});

/// A delivery came to this.
pub fn delivery(account: &str, result: &'static str) {
    ALL.deliveries.get_or_create(&Result { account: account.to_owned(), result }).inc();
}

/// A decision was recorded.
pub fn decision(account: &str, verdict: &str) {
    ALL.decisions.get_or_create(&Verdict { account: account.to_owned(), verdict: verdict.to_owned() }).inc();
}

/// What a STAR would get was asked for.
pub fn preview(account: &str, verdict: &str) {
    ALL.previews.get_or_create(&Verdict { account: account.to_owned(), verdict: verdict.to_owned() }).inc();
}

/// A look left its ticket so.
pub fn look(account: &str, result: &'static str) {
    ALL.looks.get_or_create(&Result { account: account.to_owned(), result }).inc();
}

/// Catch-up found a starred ticket that no delivery told of.
pub fn untold(account: &str) {
    ALL.untold.get_or_create(&OfAccount { account: account.to_owned() }).inc();
}

/// The helpdesk took a write, and not all of its tags.
pub fn tags_not_taken(account: &str) {
    ALL.tags.get_or_create(&OfAccount { account: account.to_owned() }).inc();
}

/// Whether the server of embeddings could be used.
pub fn reader(ready: Ready) {
    ALL.reader.set(i64::from(ready == Ready::No));
}

/// A try at a follow-up came to this.
pub fn follow_up(destination: &'static str, result: &'static str) {
    ALL.follow_ups.get_or_create(&Try { destination, result }).inc();
}

/// A call to the helpdesk was answered; none where no answer came.
pub fn api_call(method: &reqwest::Method, status: Option<u16>) {
    let method = match *method {
        reqwest::Method::GET => "GET",
        reqwest::Method::PUT => "PUT",
        reqwest::Method::POST => "POST",
        reqwest::Method::PATCH => "PATCH",
        _ => "other",
    };
    ALL.calls.get_or_create(&Call { method, status: status.unwrap_or(0) }).inc();
}

/// A write took so long.
pub fn write(account: &str, took: Duration) {
    ALL.writes.get_or_create(&OfAccount { account: account.to_owned() }).observe(took.as_secs_f64());
}

/// A ticket's first note took so long, from the event that told of its star.
pub fn star_to_note(account: &str, took: Duration) {
    ALL.notes.get_or_create(&OfAccount { account: account.to_owned() }).observe(took.as_secs_f64());
}

/// So many calls may be made at once.
pub fn budget_left(account: &str, calls: u32) {
    ALL.budget.get_or_create(&OfAccount { account: account.to_owned() }).set(i64::from(calls));
}

/// The store's file was read through, and this is how it is damaged, if it is.
pub fn store_damaged(how: Option<&StoreError>) {
    ALL.damaged.set(i64::from(how.is_some()));
}

/// So far is each helpdesk's clock ahead of this machine's.
pub fn clocks(ahead: &[(String, chrono::TimeDelta)]) {
    ALL.ahead.clear();
    for (account, ahead) in ahead {
        ALL.ahead.get_or_create(&OfAccount { account: account.clone() }).set(ahead.num_seconds());
    }
}

/// How one account stands when it is asked.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its name.
    pub account: String,
    /// Tickets that wait for a look now.
    pub due: u64,
    /// How long the longest of them has waited.
    pub oldest: Duration,
    /// Open tickets that the policy in force has not decided yet.
    pub anew: u64,
    /// Dead letters.
    pub dead: u64,
    /// Whether the helpdesk takes our credentials.
    pub ready: Ready,
    /// Whether somebody paused it.
    pub paused: Option<Paused>,
    /// Whether the last catch-up went well.
    pub caught_up: Ready,
    /// How long the helpdesk wants no calls yet.
    pub held: Option<Duration>,
    /// How many days its API token has left, where one is used.
    pub token_days: Option<i64>,
}

/// How one destination of follow-ups stands when it is asked.
#[derive(Debug, Clone, Copy)]
pub struct FollowUps {
    /// Which.
    pub destination: &'static str,
    /// Follow-ups that wait now.
    pub due: u64,
    /// Those a person must see to.
    pub stuck: u64,
    /// Whether it takes our credentials.
    pub ready: Ready,
}

/// Whether our credentials are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// It does.
    Yes,
    /// It does not, or was not asked yet.
    No,
}

/// Everything as Prometheus text, with how things stand now.
pub fn text(standings: &[Standing], destinations: &[FollowUps], policy: &str, reload_failed: Option<&str>) -> String {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let of_tickets = [&ALL.due, &ALL.oldest, &ALL.anew, &ALL.dead];
    let of_accounts = [&ALL.ready, &ALL.paused, &ALL.held, &ALL.catch_up, &ALL.token_days];
    for gauge in of_tickets.into_iter().chain(of_accounts) {
        gauge.clear(); // An account that was taken away is not told of any more.
    }
    for standing in standings {
        let of = OfAccount { account: standing.account.clone() };
        ALL.due.get_or_create(&of).set(number(standing.due));
        ALL.oldest.get_or_create(&of).set(number(standing.oldest.as_secs()));
        ALL.anew.get_or_create(&of).set(number(standing.anew));
        ALL.dead.get_or_create(&of).set(number(standing.dead));
        ALL.ready.get_or_create(&of).set(i64::from(standing.ready == Ready::Yes));
        ALL.paused.get_or_create(&of).set(i64::from(standing.paused.is_some()));
        ALL.held.get_or_create(&of).set(number(standing.held.unwrap_or_default().as_secs()));
        ALL.catch_up.get_or_create(&of).set(i64::from(standing.caught_up == Ready::No));
        for counter in [&ALL.untold, &ALL.tags] {
            counter.get_or_create(&of).inc_by(0); // From 0 on, so that the first is a rise.
        }
        let asks = Verdict { account: standing.account.clone(), verdict: NEEDS_FACTS.to_owned() };
        ALL.previews.get_or_create(&asks).inc_by(0);
        if let Some(days) = standing.token_days {
            ALL.token_days.get_or_create(&of).set(days);
        }
    }
    for gauge in [&ALL.follow_ups_due, &ALL.follow_ups_stuck, &ALL.destinations] {
        gauge.clear();
    }
    for FollowUps { destination, due, stuck, ready } in destinations {
        let of = OfDestination { destination };
        ALL.follow_ups_due.get_or_create(&of).set(number(*due));
        ALL.follow_ups_stuck.get_or_create(&of).set(number(*stuck));
        ALL.destinations.get_or_create(&of).set(i64::from(*ready == Ready::Yes));
    }
    ALL.policy.clear();
    ALL.build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
    ALL.policy.get_or_create(&Hash { policy: policy.to_owned() }).set(1);
    ALL.reload.set(i64::from(reload_failed.is_some()));
    let mut text = String::new();
    let _infallible = encode(&mut text, &ALL.registry);
    text
}
