//! `setup`: the webhook and the trigger that tell us of starred tickets, made or mended at the helpdesk.

pub(super) mod plan;
mod signing;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::doctor;
use super::doctor::finding::Found;
use super::loaded::credentials;
use super::{ConfigFile, Done, ExitAs, print};
use crate::config;
use crate::helpdesk::auth::{Purpose, WORK_SCOPES};
use crate::helpdesk::client::Helpdesk;
use crate::helpdesk::error::CallError;
use crate::work::star_tags;
use plan::{Step, Told, Wanted};

/// Make or mend webhook and trigger at the helpdesk, so that it tells the bot of starred tickets
///
/// Without --apply it only shows what is to be done.
///
/// It makes one webhook, and one trigger that sends it the number of every open ticket with the star's tag. Run again,
/// it mends what somebody changed and makes nothing twice. What it did not make it never touches.
/// The webhook's signing secret is put into the file that `webhook_secrets` names.
#[derive(Debug, clap::Args)]
pub(super) struct Setup {
    #[command(flatten)]
    config: ConfigFile,
    /// The account, as the configuration names it: [accounts.NAME]
    #[arg(long, value_name = "NAME")]
    account: String,
    /// Do it; without, it is only shown
    #[arg(long)]
    apply: bool,
    /// Subscribe to ticket events instead of a trigger: more deliveries, and managers' answers are seen at once
    #[arg(long)]
    events: bool,
    /// Take away what setup made
    #[arg(long, conflicts_with = "events")]
    remove: bool,
}

/// Whether things are done, or only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apply {
    Yes,
    No,
}

impl Setup {
    pub(super) fn run(self) -> Done {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("the runtime cannot start").exit_as(1)?;
        runtime.block_on(self.set_up()).exit_as(1)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn set_up(self) -> anyhow::Result<()> {
        let file = self.config.file()?;
        let settings = config::read(&file, std::env::vars())?;
        let home = file.parent().unwrap_or(Path::new("."));
        let name = &self.account;
        let account = settings.accounts.get(name).with_context(|| {
            let there: Vec<&str> = settings.accounts.keys().map(String::as_str).collect();
            format!("there is no account {name}; the configuration has {}", there.join(", "))
        })?;
        let public_url = settings.server.public_url.as_deref();
        let public_url = public_url.context("server.public_url is not set: the helpdesk must know where to deliver")?;
        if let Found::Wrong { says, cure } = doctor::public_url(Some(public_url)) {
            bail!("server.public_url: {says}; {cure}"); // Before anybody is asked.
        }
        let policy = config::policy::read(&settings.policy.file)?;
        let told = if self.events { Told::ByEvents } else { Told::ByTrigger };

        let helpdesk = Helpdesk::with(&account.base_url, credentials(&account.auth, home)?, Purpose::Setup)?;
        let me = helpdesk.me().await.context("the helpdesk does not say who we are")?;
        let wanted = Wanted::new(name, public_url, star_tags(&policy), told, Some(me.id));
        let webhooks = helpdesk.webhooks().await.context("webhooks cannot be listed")?;
        let triggers = helpdesk.triggers().await.context("triggers cannot be listed")?;
        let steps = match self.remove {
            true => wanted.removal(&webhooks, &triggers),
            false => {
                if let Some(rival) = wanted.rival(&webhooks) {
                    bail!(
                        "the webhook \"{}\" ({}) sends to {} already and is not ours: remove it, or rename it \"{}\" to hand it over",
                        rival.name,
                        rival.id,
                        rival.endpoint,
                        wanted.webhook.name
                    );
                }
                wanted.steps(&webhooks, &triggers)
            }
        };
        print(&format!("{name}: {}\n", account.base_url));
        if account.auth.client_id.is_some() {
            let work = account.auth.scopes.as_deref().unwrap_or(WORK_SCOPES);
            let besides: Vec<String> = Purpose::Setup.scopes("").split(' ').map(str::to_owned).collect();
            print(&format!(
                "  scopes of the OAuth client: {work}; for setup and doctor {} besides\n",
                besides.join(" ")
            ));
        }
        if steps.is_empty() {
            print(match self.remove {
                true => "  nothing of ours is there\n",
                false => "  webhook and trigger are as they should be\n",
            });
        }
        for step in &steps {
            print(&format!("  {step}{}\n", details(step, &wanted)));
            if self.apply {
                carry_out(step, &helpdesk, &wanted).await.with_context(|| format!("could not {step}"))?;
            }
        }
        if !self.apply && !steps.is_empty() {
            print("nothing is done yet: add --apply to do it\n");
        } else if !self.remove {
            let webhooks = helpdesk.webhooks().await.context("webhooks cannot be listed")?;
            if let [webhook, ..] = wanted.own(&webhooks).as_slice() {
                let secret = helpdesk.signing_secret(&webhook.id).await.context("the signing secret cannot be read")?;
                let kept = signing::keep(
                    &secret,
                    &account.webhook_secrets,
                    home,
                    if self.apply { Apply::Yes } else { Apply::No },
                )?;
                print(&format!("  signing secret: {kept}\n"));
            }
        }
        Ok(())
    }
}

/// What a step's own words leave out.
fn details(step: &Step, wanted: &Wanted) -> String {
    match step {
        Step::MakeWebhook => format!(" \"{}\" to {}", wanted.webhook.name, wanted.webhook.endpoint),
        Step::MakeTrigger => format!(" \"{}\"", wanted.trigger("").title),
        Step::RemoveTrigger(_) | Step::RemoveWebhook(_) | Step::MendWebhook(..) | Step::MendTrigger(..) => {
            String::new()
        }
    }
}

async fn carry_out(step: &Step, helpdesk: &Helpdesk, wanted: &Wanted) -> anyhow::Result<()> {
    match step {
        Step::RemoveTrigger(trigger) => helpdesk.remove_trigger(trigger.id).await?,
        Step::RemoveWebhook(webhook) => helpdesk.remove_webhook(&webhook.id).await?,
        Step::MakeWebhook => drop(helpdesk.make_webhook(&wanted.webhook).await?),
        Step::MendWebhook(webhook, _) => helpdesk.mend_webhook(&webhook.id, &wanted.webhook).await?,
        Step::MakeTrigger => {
            let webhook = ours(helpdesk, wanted).await?;
            match helpdesk.make_trigger(&wanted.trigger(&webhook)).await {
                Err(CallError::Rejected { status: 422, .. }) => {
                    helpdesk.make_trigger(&wanted.of_whomever().trigger(&webhook)).await?;
                }
                made => made?,
            }
        }
        Step::MendTrigger(trigger, _) => {
            let webhook = ours(helpdesk, wanted).await?;
            match helpdesk.mend_trigger(trigger.id, &wanted.trigger(&webhook)).await {
                Err(CallError::Rejected { status: 422, .. }) => {
                    helpdesk.mend_trigger(trigger.id, &wanted.of_whomever().trigger(&webhook)).await?;
                }
                mended => mended?,
            }
        }
    }
    Ok(())
}

/// The id of our webhook of the right kind, which the step before has made if it was not there.
async fn ours(helpdesk: &Helpdesk, wanted: &Wanted) -> anyhow::Result<String> {
    let webhooks = helpdesk.webhooks().await?;
    let own = wanted.own(&webhooks).into_iter().find(|it| it.by_trigger() == wanted.webhook.by_trigger());
    Ok(own.context("the webhook is not there")?.id.clone())
}
