//! `demo`: everything embedded, over real HTTP on both sides.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::Utc;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::bot::{self, Outside};
use super::front::Front;
use super::loaded::{Loaded, Opened};
use super::reload::Refused;
use super::serve::signal;
use super::{Done, ExitAs, print};
use crate::config::{Mode, Work, policy::drawn};
use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::demo::elsewhere::{self, Elsewhere};
use crate::demo::helpdesk::{Publicity, StandIn};
use crate::demo::samples::{self, Sample};
use crate::elsewhere::gitlab::GitLab;
use crate::helpdesk::auth::Credentials;
use crate::receive::verify;
use crate::server::{Patience, Server};
use crate::store::sqlite::Sqlite;
use crate::work::follow_ups::To;
use crate::work::rule::Rules;

/// The account's name here.
const ACCOUNT: &str = "demo";

/// How long a sample may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Show the bot at work on sample tickets, with a stand-in helpdesk
///
/// Everything is embedded and stays on this machine: a helpdesk with sample tickets, signed deliveries over HTTP, the real
/// receiver, worker and console. Each verdict and note is printed as it lands. Exit code 1 where a sample does not end as
/// its file says.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Stop when the samples are done
    #[arg(long)]
    once: bool,
    /// The stand-in helpdesk alone, on --listen, with a configuration for a bot of your own on standard output
    #[arg(long, conflicts_with = "once")]
    helpdesk_only: bool,
    /// Where deliveries are taken, or with --helpdesk-only where the helpdesk is; port 0 for any
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

impl Demo {
    pub(super) fn run(self) -> Done {
        let runtime = tokio::runtime::Runtime::new().context("the runtime cannot start").exit_as(1)?;
        match self.helpdesk_only {
            true => runtime.block_on(self.helpdesk()).exit_as(1),
            false => runtime.block_on(self.play()).exit_as(1),
        }
    }

    /// The stand-in helpdesk with its tickets, until it is told to stop.
    async fn helpdesk(self) -> anyhow::Result<ExitCode> {
        let helpdesk = StandIn::new();
        let samples = samples::at(Utc::now()).context("the samples cannot be read")?;
        for sample in &samples {
            add(&helpdesk, sample);
        }
        let desk =
            TcpListener::bind(self.listen).await.with_context(|| format!("{} cannot be listened on", self.listen))?;
        let base_url = format!("http://{}", desk.local_addr()?);
        let tickets = samples.iter().map(|sample| format!("#   {}  {}\n", sample.reading.ticket.id, sample.name));
        let configuration = include_str!("../demo/starwarden.toml").replace("{base_url}", &base_url);
        print(&configuration.replace("{tickets}", tickets.collect::<String>().trim_end()));
        axum::serve(desk, helpdesk.router()).with_graceful_shutdown(signal()).await?;
        Ok(ExitCode::SUCCESS)
    }

    async fn play(self) -> anyhow::Result<ExitCode> {
        let policy = Arc::new(shipped_policy()?);
        let helpdesk = StandIn::new();
        let desk = TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
        let base_url = format!("http://{}", desk.local_addr()?);
        let router = helpdesk.router();
        tokio::spawn(async move { axum::serve(desk, router).await });
        let (elsewhere, there) = gitlab(&base_url).await?;
        let listener =
            TcpListener::bind(self.listen).await.with_context(|| format!("{} cannot be listened on", self.listen))?;
        let webhook = format!("http://{}/webhooks/zendesk/{ACCOUNT}", listener.local_addr()?);
        let console = format!("http://{}/", listener.local_addr()?);
        print(&format!(
            "stand-in helpdesk  {base_url}\nstand-in GitLab    {there}\nreceiver           {webhook}\nconsole            {console}\n"
        ));

        let folder = Folder::new()?;
        let store = Arc::new(Sqlite::open(&folder.0.join("starwarden.db"))?);
        let secret = SecretString::from("a demo's own secret");
        let account = Opened {
            name: ACCOUNT.into(),
            base_url,
            credentials: Credentials::Client { id: "starwarden".into(), secret: "demo".into() },
            secrets: vec![secret.clone()],
            account_id: None,
            replay_window: Duration::from_secs(300),
            catch_up_every: None,
            requests_per_minute: 6_000,
            mode: Mode::Live,
            ids: Ids::default(),
            systems: Arc::default(),
            work: Work::default(),
        };
        let (stop, stopping) = watch::channel(false);
        let (_nothing_changes, changed) = mpsc::channel(1);
        let outside = Outside { changed, refused: Refused::default(), stop: stopping };
        let server = Server { listener, tls: None, connections: 64, rate: None, patience: Patience::default() };
        let loaded = Loaded {
            rules: Rules::of_file("the demo's own policy", policy.clone()),
            accounts: vec![account],
            to: vec![elsewhere],
            work: Work::default(),
            certified: None,
        };
        let bot = tokio::spawn(bot::run(server, store, loaded, outside, Front::of_this_machine()?));

        let good = samples_through(&helpdesk, &policy, &webhook, &secret).await?;
        if !self.once {
            print("\nStill listening; end with Ctrl-C.\n");
            signal().await;
        }
        let _bot_gone = stop.send(true);
        bot.await.context("the bot broke off")??;
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// A stand-in GitLab with a STAR issue for each sample, and where it is.
async fn gitlab(helpdesk: &str) -> anyhow::Result<(To, String)> {
    let stand_in = Elsewhere::default();
    for sample in samples::at(Utc::now()).context("the samples cannot be read")? {
        let id = sample.reading.ticket.id;
        stand_in.add_issue(&format!("STAR: {}", sample.name), &format!("Ticket: {helpdesk}/agent/tickets/{id}"));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
    let there = format!("http://{}", listener.local_addr()?);
    let router = stand_in.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let gitlab = GitLab::new(there.parse()?, elsewhere::PROJECT, elsewhere::TOKEN.into(), PATIENCE)?;
    Ok((To::StarIssues { gitlab, label: "unstarred".into() }, there))
}

/// Puts a sample at the helpdesk, with what a manager answered on it.
fn add(helpdesk: &StandIn, sample: &Sample) {
    helpdesk.add(sample.reading.clone());
    if let Some(answer) = &sample.answer {
        helpdesk.say(sample.reading.ticket.id, 7001, answer, Publicity::Internal);
    }
}

/// Sends every sample through, and shows what became of it; whether all ended as their files say.
async fn samples_through(
    helpdesk: &StandIn,
    policy: &Policy,
    webhook: &str,
    secret: &SecretString,
) -> anyhow::Result<bool> {
    let http = Client::new();
    let samples = samples::at(Utc::now()).context("the samples cannot be read")?;
    let mut sent = Vec::new();
    for (index, sample) in samples.iter().enumerate() {
        add(helpdesk, sample);
        // Both shapes, in turn: an event subscription's and a trigger's.
        let body =
            if index % 2 == 0 { event(sample) } else { json!({ "ticket_id": sample.reading.ticket.id.to_string() }) };
        deliver(&http, webhook, secret, &body).await?;
        sent.push(Instant::now());
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["ticket", "what it shows", "verdict", "why", "time", ""]);
    let mut right = 0;
    for (sample, sent) in samples.iter().zip(&sent) {
        let id = sample.reading.ticket.id;
        let note = wait_for_note(helpdesk, id, *sent).await;
        let took = format!("{:.1} s", sent.elapsed().as_secs_f64());
        let verdict = ended(helpdesk, policy, id);
        let as_said = verdict.as_deref() == Some(sample.expect.as_str()) && note.is_some();
        right += usize::from(as_said);
        let note = note.unwrap_or_else(|| "(no note)".into());
        print(&format!("\n── ticket {id}: {} ──\n{}\n", sample.name, note.trim()));
        let why = note.lines().next().unwrap_or_default().split_once(". ").map_or("", |(_, why)| why).to_owned();
        let mark = if as_said { "✓".to_owned() } else { format!("✗ {} expected", sample.expect) };
        table.add_row([id.to_string(), sample.name.clone(), verdict.unwrap_or_else(|| "none".into()), why, took, mark]);
    }
    print(&format!("\n{table}\n{right} of {} samples ended as their files say\n", samples.len()));
    Ok(right == samples.len())
}

/// Waits for the bot's one note on a ticket.
async fn wait_for_note(helpdesk: &StandIn, id: u64, since: Instant) -> Option<String> {
    while since.elapsed() < PATIENCE {
        if let Some(note) = helpdesk.notes(id).pop() {
            return Some(note);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// The verdict a ticket bears: the one whose tags it has, where that is one, and one note.
fn ended(helpdesk: &StandIn, policy: &Policy, id: u64) -> Option<String> {
    let reading = helpdesk.reading(id)?;
    let borne = policy.binding.outcomes.iter().filter(|(_, outcome)| {
        !outcome.add_tags.is_empty() && outcome.add_tags.iter().all(|tag| reading.ticket.tags.contains(tag))
    });
    let names: Vec<&String> = borne.map(|(name, _)| name.get_ref()).collect();
    match (names.as_slice(), helpdesk.notes(id).len()) {
        ([one], 1) => Some((*one).clone()),
        _ => None,
    }
}

/// An event as a subscription sends it.
fn event(sample: &Sample) -> Json {
    let ticket = &sample.reading.ticket;
    json!({
        "type": "zen:event-type:ticket.tags_changed",
        "id": format!("sample-{}", ticket.id),
        "account_id": 1,
        "time": Utc::now(),
        "zendesk_event_version": "2022-11-06",
        "subject": format!("zen:ticket:{}", ticket.id),
        "detail": { "id": ticket.id.to_string(), "actor_id": "7001", "status": ticket.status.to_uppercase(), "tags": ticket.tags },
        "event": { "added": { "tags": ["star_submitted"] }, "removed": { "tags": [] } },
    })
}

async fn deliver(http: &Client, webhook: &str, secret: &SecretString, body: &Json) -> anyhow::Result<()> {
    let body = body.to_string();
    let timestamp = verify::timestamp(Utc::now());
    let signature = verify::sign(secret, &timestamp, body.as_bytes());
    let call = http
        .post(webhook)
        .header("X-Zendesk-Webhook-Signature", signature)
        .header("X-Zendesk-Webhook-Signature-Timestamp", timestamp);
    call.body(body).send().await?.error_for_status().context("the receiver refused a delivery")?;
    Ok(())
}

/// The policy as shipped, built in so that the demo needs no files.
fn shipped_policy() -> anyhow::Result<Policy> {
    let (binding, diagram) =
        (include_str!("../../config/policy/star.toml"), include_str!("../../config/policy/star.mmd"));
    Policy::parse(binding, diagram).map_err(|faults| {
        anyhow::Error::msg(faults.iter().map(|fault| drawn(fault, "policy/star", binding)).collect::<String>())
    })
}

/// A folder of our own, gone when the demo is.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Folder> {
        let name = format!("starwarden-demo-{}-{}", std::process::id(), Utc::now().timestamp_micros());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let path: &Path = &self.0;
        let _left_behind = std::fs::remove_dir_all(path);
    }
}
