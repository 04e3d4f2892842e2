//! Checks of one account at its helpdesk, in the order in which a person would mend what they find.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::calls;
use super::finding::Found;
use crate::commands::loaded::credentials;
use crate::commands::setup::plan::{Told, Wanted};
use crate::config::Account;
use crate::config::secret::Secret;
use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::decide::ticket::Role;
use crate::helpdesk::auth::{API_TOKENS_END, Credentials, Purpose, WORK_SCOPES};
use crate::helpdesk::client::{Helpdesk, Me};
use crate::helpdesk::error::CallError;
use crate::helpdesk::settings::{Came, Failure};
use crate::work::conditions;
use crate::work::star_tags;

/// How far our clock may be from the helpdesk's, seconds; signatures are dated by theirs and aged by ours.
const MOST_SKEW: i64 = 30;

/// One account, and what is known before its helpdesk is asked.
pub(super) struct Checkup<'a> {
    pub name: &'a str,
    pub account: &'a Account,
    pub home: &'a Path,
    pub policy: Option<&'a Policy>,
    pub public_url: Option<&'a str>,
}

type Findings = Vec<(&'static str, Found)>;

impl Checkup<'_> {
    pub(super) async fn run(&self) -> Findings {
        let mut findings = vec![("webhook secrets", self.secrets())];
        let credentials = match credentials(&self.account.auth, self.home) {
            Ok(credentials) => credentials,
            Err(error) => {
                let cure = if self.is_unset() { "export it where the bot runs" } else { "put it there" };
                findings.push(("credentials", Found::wrong(format!("{error:#}"), self.in_auth(cure))));
                return findings;
            }
        };
        let work = Helpdesk::new(&self.account.base_url, credentials.clone());
        let taken: Result<Me, CallError> = match &work {
            Ok(helpdesk) => helpdesk.me().await,
            Err(error) => Err(CallError::Unreachable(error.to_string())),
        };
        let first = |what: &str| Found::Unchecked { says: what.into() };
        if let Some(away) = self.away(&taken) {
            findings.push(("helpdesk", away));
            findings.push(("credentials", first("reach the helpdesk first")));
            findings.push(("the helpdesk's settings", first("reach the helpdesk first")));
            return findings;
        }
        findings.push(("helpdesk", self.answers(&taken)));
        findings.push(("credentials", self.taken(&taken, &credentials)));
        let (Ok(helpdesk), Ok(me)) = (work, taken) else {
            findings.push(("the helpdesk's settings", first("mend the credentials first")));
            return findings;
        };
        findings.push(("clock", clock(me.server_time)));
        if let Some(policy) = self.policy {
            let scopes = self.account.auth.scopes.as_deref();
            findings.extend(calls::tried(&helpdesk, &me, &star_tags(policy), self.account.mode, scopes).await);
        }
        match Helpdesk::with(&self.account.base_url, credentials, Purpose::Look) {
            Ok(helpdesk) => self.settings(&helpdesk, &mut findings).await,
            Err(error) => findings.push(("scopes", Found::wrong(error.to_string(), "see base_url"))),
        }
        findings
    }

    fn in_auth(&self, what: &str) -> String {
        format!("{what}: [accounts.{}.auth] says where it is read", self.name)
    }

    /// Whether a variable that the credentials are read from is not set.
    fn is_unset(&self) -> bool {
        let auth = &self.account.auth;
        let secrets = [&auth.client_secret, &auth.oauth_token, &auth.api_token].into_iter().flatten();
        secrets.filter_map(Secret::variable).any(|name| std::env::var_os(name).is_none())
    }

    fn secrets(&self) -> Found {
        let secrets = &self.account.webhook_secrets;
        for secret in secrets {
            if let Err(error) = secret.read(self.home) {
                let setup = format!("starwarden setup --account {} --apply", self.name);
                let cure = match secret.variable() {
                    Some(_) => {
                        format!("export it, or write file:PATH and run {setup}, which fetches it into that file")
                    }
                    None => format!("{setup} fetches it into a file: secret"),
                };
                return Found::wrong(format!("{error:#}"), cure);
            }
        }
        match secrets.len() {
            1 => Found::well("one, readable"),
            many => Found::advice(format!("{many}, readable"), "take the old ones out when the rotation is over"),
        }
    }

    /// That it answers, and by which name where that is another than ours.
    fn answers(&self, taken: &Result<Me, CallError>) -> Found {
        let at = &self.account.base_url;
        let own = at.parse::<reqwest::Url>().ok().and_then(|url| url.host_str().map(str::to_owned));
        match taken.as_ref().ok().and_then(|me| me.host.clone()).filter(|host| Some(host) != own.as_ref()) {
            Some(other) => Found::well(format!("{at} answers, and names itself {other}")),
            None => Found::well(format!("{at} answers")),
        }
    }

    /// Where the helpdesk does not answer as one does, whoever we are.
    fn away(&self, taken: &Result<Me, CallError>) -> Option<Found> {
        let at = &self.account.base_url;
        let says = match taken {
            Ok(_) | Err(CallError::Unauthorized(_) | CallError::Forbidden(_)) => return None,
            Err(CallError::Unreachable(why)) => format!("{at} cannot be reached: {why}"),
            Err(CallError::Gone | CallError::NoHelpdesk) => {
                format!("there is no helpdesk at {at}: is the subdomain right?")
            }
            Err(CallError::Moved { to }) => {
                let cure = format!("put {to} into accounts.{}.base_url", self.name);
                return Some(Found::wrong(format!("{at} has moved to {to}"), cure));
            }
            Err(
                error @ (CallError::Conflict
                | CallError::Closed
                | CallError::Limited { .. }
                | CallError::Failed { .. }
                | CallError::Rejected { .. }
                | CallError::NoTurn(_)
                | CallError::TooLarge { .. }
                | CallError::Unreadable(_)),
            ) => format!("{at}: {error}"),
        };
        Some(Found::wrong(says, format!("see accounts.{}.base_url and the way there", self.name)))
    }

    fn taken(&self, taken: &Result<Me, CallError>, credentials: &Credentials) -> Found {
        let me = match taken {
            Ok(me) => me,
            Err(error @ (CallError::Unauthorized(_) | CallError::Forbidden(_))) => {
                let scopes = Purpose::Work.scopes(self.account.auth.scopes.as_deref().unwrap_or(WORK_SCOPES));
                return Found::wrong(
                    format!("the helpdesk refuses them: {error}"),
                    self.in_auth(&format!(
                        "put the right ones there, and see that the client may have the scopes {scopes}"
                    )),
                );
            }
            Err(error) => {
                return Found::wrong(
                    error.to_string(),
                    format!("see accounts.{}.base_url and the way there", self.name),
                );
            }
        };
        let role = match me.role {
            Role::Admin => "admin",
            Role::Agent => "agent",
            Role::EndUser => {
                let says = format!("we are {} (user {}), who is no agent", me.name, me.id);
                return Found::wrong(says, self.in_auth("put the credentials of an agent there"));
            }
        };
        let email = me.email.as_ref().map(|email| format!(", {email}")).unwrap_or_default();
        let who = format!("we are {}{email}, {role} (user {})", me.name, me.id);
        match credentials {
            Credentials::ApiToken { .. } => Found::advice(
                format!("{who}, by an API token; {}", conditions::token_ends(API_TOKENS_END, Utc::now())),
                "move to an OAuth client before that day",
            ),
            Credentials::Client { .. } | Credentials::Bearer(_) => Found::well(who),
        }
    }

    /// What needs more scopes than the bot itself.
    async fn settings(&self, helpdesk: &Helpdesk, findings: &mut Findings) {
        let webhooks = match helpdesk.webhooks().await {
            Ok(webhooks) => webhooks,
            Err(error) => {
                let look = Purpose::Look.scopes(self.account.auth.scopes.as_deref().unwrap_or(WORK_SCOPES));
                let cure = format!("give the client these for setup and doctor: {look}");
                findings.push(("scopes", Found::wrong(error.to_string(), cure)));
                return;
            }
        };
        findings.push(("scopes", Found::well("webhooks and triggers can be read")));
        let Some(policy) = self.policy else {
            findings.push(("forms and fields", Found::Unchecked { says: "mend the policy first".into() }));
            return;
        };
        let ids = Ids::new(&policy.binding, &self.account.ids());
        findings.push(("forms", self.there("forms", &ids.forms, helpdesk.forms().await)));
        findings.push(("fields", self.there("fields", &ids.fields, helpdesk.fields().await)));
        let star_tags = star_tags(policy);
        findings.push(("star tag", tag(&star_tags, helpdesk.tags().await)));

        let Some(public_url) = self.public_url else {
            findings.push(("webhook", Found::Unchecked { says: "set server.public_url first".into() }));
            return;
        };
        let setup = format!("starwarden setup --account {} --apply", self.name);
        let told = |told| Wanted::new(self.name, public_url, star_tags.clone(), told, None);
        let by_events = told(Told::ByEvents).own(&webhooks).first().is_some_and(|webhook| !webhook.by_trigger());
        let wanted = told(if by_events { Told::ByEvents } else { Told::ByTrigger });
        let own = wanted.own(&webhooks);
        let Some(webhook) = own.first() else {
            findings.push(("webhook", Found::wrong(format!("there is none named \"{}\"", wanted.webhook.name), setup)));
            return;
        };
        let amiss = wanted.amiss(webhook);
        let found = match amiss.is_empty() {
            true => Found::well(format!("\"{}\" sends to {}", webhook.name, webhook.endpoint)),
            false => Found::wrong(format!("\"{}\" is not as it should be: {}", webhook.name, amiss.join(", ")), &setup),
        };
        findings.push(("webhook", found));
        if !by_events {
            findings.push(("trigger", trigger(helpdesk, &wanted, &webhook.id, &setup).await));
        }
        findings.push(("deliveries", deliveries(helpdesk, &webhook.id).await));
    }

    /// Whether every id that the policy can ask for exists at the helpdesk.
    fn there(
        &self,
        table: &str,
        named: &std::collections::BTreeMap<String, Vec<u64>>,
        there: Result<Vec<u64>, CallError>,
    ) -> Found {
        let there = match there {
            Ok(there) => there,
            Err(error) => return Found::wrong(error.to_string(), calls::cure(&error, WORK_SCOPES)),
        };
        let none = named.iter().filter(|(_, ids)| !ids.is_empty() && !ids.iter().any(|id| there.contains(id)));
        let none: Vec<&str> = none.map(|(name, _)| name.as_str()).collect();
        match none.is_empty() {
            true => {
                Found::well(format!("{} of the policy's are there", named.values().filter(|it| !it.is_empty()).count()))
            }
            false => Found::wrong(
                format!("no active one has the ids of {}", none.join(", ")),
                format!("put this helpdesk's own ids into [accounts.{}.{table}]", self.name),
            ),
        }
    }
}

fn clock(theirs: Option<DateTime<Utc>>) -> Found {
    let Some(theirs) = theirs else {
        return Found::advice("the helpdesk's answers have no date", "compare the clocks by hand");
    };
    let skew = (Utc::now() - theirs).num_seconds();
    match skew.abs() <= MOST_SKEW {
        true => Found::well(format!("within {MOST_SKEW} s of the helpdesk's")),
        false => Found::wrong(
            format!("{} s {} the helpdesk's", skew.abs(), if skew > 0 { "ahead of" } else { "behind" }),
            "set this machine's clock by NTP: a signature's age is told by it",
        ),
    }
}

fn tag(star_tags: &[String], seen: Result<Vec<String>, CallError>) -> Found {
    let named = star_tags.join(" or ");
    match seen {
        Ok(seen) if star_tags.iter().any(|tag| seen.contains(tag)) => Found::well(format!("tickets bear {named}")),
        Ok(_) => Found::advice(
            format!("no ticket of late bears {named}"),
            "see that the STAR app sets this tag, or name the right one in the policy's applies_to",
        ),
        Err(error) => Found::wrong(error.to_string(), calls::cure(&error, WORK_SCOPES)),
    }
}

async fn trigger(helpdesk: &Helpdesk, wanted: &Wanted, webhook: &str, setup: &str) -> Found {
    let triggers = match helpdesk.triggers().await {
        Ok(triggers) => triggers,
        Err(error) => return Found::wrong(error.to_string(), calls::cure(&error, "triggers:read")),
    };
    match wanted.own_triggers(&triggers).first() {
        None => Found::wrong("nothing tells the webhook of starred tickets", setup),
        Some(trigger) => {
            let amiss = wanted.trigger_amiss(trigger, webhook);
            match amiss.is_empty() {
                true => Found::well(format!("\"{}\" is active", trigger.title)),
                false => {
                    Found::wrong(format!("\"{}\" is not as it should be: {}", trigger.title, amiss.join(", ")), setup)
                }
            }
        }
    }
}

async fn deliveries(helpdesk: &Helpdesk, webhook: &str) -> Found {
    let invocations = match helpdesk.invocations(webhook).await {
        Ok(invocations) => invocations,
        Err(error) => return Found::wrong(error.to_string(), "look at the webhook's activity in the helpdesk"),
    };
    let failed: Vec<_> = invocations.iter().filter(|one| matches!(one.came(), Came::Failed(_))).collect();
    let under_way = invocations.iter().filter(|one| one.came() == Came::UnderWay).count();
    let Some(newest) = failed.first() else {
        let under_way = if under_way > 0 { format!(", {under_way} under way") } else { String::new() };
        return Found::well(format!("none of the newest {} failed{under_way}", invocations.len()));
    };
    let mut newest = (*newest).clone();
    if newest.status_code.is_none() && !newest.id.is_empty() {
        newest.status_code = helpdesk.answered(webhook, &newest.id).await.ok().flatten();
    }
    let (Came::Failed(failure), status) = (newest.came(), newest.status_code) else {
        return Found::well(format!("none of the newest {} failed", invocations.len()));
    };
    let with = status.map(|status| format!(", with status {status}")).unwrap_or_default();
    Found::wrong(
        format!("{} of the newest {} {}{with}", failed.len(), invocations.len(), failed_how(&failure)),
        mend_delivery(&failure, status),
    )
}

fn failed_how(failure: &Failure) -> String {
    match failure {
        Failure::Refused => "were refused by the bot".into(),
        Failure::Unable => "met a bot that could not keep them".into(),
        Failure::TimedOut => "failed: the bot did not answer in time".into(),
        Failure::CircuitBroken => "were not sent: too many failed, so the helpdesk sends none for a while".into(),
        Failure::Throttled => "were not sent: the helpdesk sends no more than so many a minute".into(),
        Failure::Unsaid => "failed".into(),
        Failure::Other(word) => format!("failed, as the helpdesk says: {word}"),
    }
}

/// What to do, by the newest that failed.
fn mend_delivery(failure: &Failure, status: Option<u16>) -> &'static str {
    match (failure, status) {
        (_, Some(401)) => "the secret is another than the webhook's: run starwarden setup --apply",
        (Failure::Refused, _) => "see the bot's log for why it refused them; a proxy before it may refuse too",
        (Failure::Unable, _) => "see that the bot runs and its store can be written",
        (Failure::TimedOut, _) => "see that the bot has room to answer within ten seconds, and what stands before it",
        (Failure::CircuitBroken, _) => "mend what failed before; the helpdesk goes on by itself some minutes later",
        (Failure::Throttled, _) => "use the trigger instead of setup --events, which sends less",
        (Failure::Unsaid | Failure::Other(_), _) => {
            "see that the bot runs and server.public_url leads to it; tickets are found by catch-up meanwhile"
        }
    }
}
