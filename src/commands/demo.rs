//! `demo`: everything embedded, over real HTTP on both sides.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::Utc;
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::bot::{self, Outside};
use super::front::Front;
use super::loaded::{Loaded, Opened};
use super::reader::ReaderChoice;
use super::reload::Refused;
use super::screen::{Screen, Tone};
use super::serve::signal;
use super::terminal::print_painted;
use super::{Done, ExitAs, print};
use crate::config::policy::{drawn, learn};
use crate::config::{Mode, Work};
use crate::console::sign_in::Admission;
use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::NEEDS_FACTS;
use crate::decide::policy::examples::joined;
use crate::demo::admin::SIGNING_SECRET;
use crate::demo::elsewhere::{self, Elsewhere};
use crate::demo::helpdesk::{Publicity, StandIn};
use crate::demo::pages;
use crate::demo::samples::{self, Sample};
use crate::elsewhere::gitlab::GitLab;
use crate::helpdesk::auth::{Credentials, WORK_SCOPES};
use crate::receive::verify;
use crate::server::{Patience, Server};
use crate::store::Store;
use crate::work::embedder::Reads;
use crate::work::follow_ups::To;
use crate::work::rule::Rules;

/// The account's name here.
const ACCOUNT: &str = "demo";

/// Where the console is, where that port is free: the same address each time.
const USUAL_PORT: u16 = 8377;

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
    /// [default: 127.0.0.1:8377, or any port where that is taken]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    reader: ReaderChoice,
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
        let desk = listener(self.listen).await?;
        let base_url = format!("http://{}", desk.local_addr()?);
        let tickets = samples.iter().map(|sample| format!("#   {}  {}\n", sample.reading.ticket.id, sample.name));
        let configuration = include_str!("../demo/starwarden.toml").replace("{base_url}", &base_url);
        print(&configuration.replace("{tickets}", tickets.collect::<String>().trim_end()));
        let (changed, mut changes) = mpsc::unbounded_channel();
        let router = helpdesk.router().merge(pages::of_tickets(helpdesk.clone(), changed));
        // As the helpdesk's own trigger does: whoever set up a webhook hears of a note that is written in the browser.
        tokio::spawn(async move {
            let http = Client::new();
            while let Some(id) = changes.recv().await {
                for webhook in helpdesk.webhooks() {
                    let Some(endpoint) = webhook.get("endpoint").and_then(Json::as_str) else { continue };
                    let body = json!({ "ticket_id": id });
                    let _told_by_catch_up = deliver(&http, endpoint, &SIGNING_SECRET.into(), &body).await;
                }
            }
        });
        axum::serve(desk, router).with_graceful_shutdown(signal()).await?;
        Ok(ExitCode::SUCCESS)
    }

    async fn play(self) -> anyhow::Result<ExitCode> {
        let policy = Arc::new(shipped_policy()?);
        let embedder = self.reader.embedder()?;
        if let Err(error) = embedder.learn(&policy, &|_, _| {}).await {
            eprintln!("words are read by the built-in vectors: {error}");
        }
        let helpdesk = StandIn::new();
        let desk = TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
        let base_url = format!("http://{}", desk.local_addr()?);
        let (changed, mut changes) = mpsc::unbounded_channel();
        let router = helpdesk.router().merge(pages::of_tickets(helpdesk.clone(), changed));
        tokio::spawn(async move { axum::serve(desk, router).await });
        let elsewhere = gitlab(&base_url).await?;
        let listener = listener(self.listen).await?;
        let console = format!("http://{}", listener.local_addr()?);
        let webhook = format!("{console}/webhooks/zendesk/{ACCOUNT}");
        let screen = Screen::of_stdout();
        print(&format!("{}\n\n", screen.fit(INTRODUCTION)));

        let folder = Folder::new()?;
        let store = Store::sqlite(&folder.0.join("starwarden.db"))?;
        let secret = SecretString::from("a demo's own secret");
        let account = Opened {
            name: ACCOUNT.into(),
            base_url: base_url.clone(),
            credentials: Credentials::Client {
                id: "starwarden".into(),
                secret: "demo".into(),
                scopes: WORK_SCOPES.into(),
            },
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
            reads: Reads { server: embedder, ..Reads::default() },
            work: Work::default(),
            admission: Admission::Open,
            certified: None,
        };
        let bot = tokio::spawn(bot::run(server, store, loaded, outside, Front::of_this_machine()?));

        let good =
            Play { screen, helpdesk: &helpdesk, policy: &policy, webhook: &webhook, secret: &secret }.samples().await?;
        if !self.once {
            print_painted(&screen.fit(&format!(
                "\nAnswer a note as a manager would: open {base_url}/agent/tickets/112\nEnd with Ctrl-C.\n\nOpen {console}/"
            )));
            print("\n");
            let delivered = tokio::spawn(async move {
                let http = Client::new();
                while let Some(id) = changes.recv().await {
                    let _told_by_catch_up = deliver(&http, &webhook, &secret, &json!({ "ticket_id": id })).await;
                }
            });
            signal().await;
            delivered.abort();
        }
        let _bot_gone = stop.send(true);
        bot.await.context("the bot broke off")??;
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// What the demo shows, in two sentences.
const INTRODUCTION: &str = "GitLab staff star customers' tickets for a manager's attention (STAR), and over half do not qualify. \
    Here twelve starred tickets arrive at a stand-in helpdesk; the bot reads each, walks the handbook's flowchart, and leaves one \
    internal note and one tag.";

/// Where deliveries are taken: as asked, or at the usual port, or at any where that one is taken.
async fn listener(asked: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    match asked {
        Some(place) => TcpListener::bind(place)
            .await
            .with_context(|| format!("{place} cannot be listened on: name another with --listen, or port 0 for any")),
        None => match TcpListener::bind(("127.0.0.1", USUAL_PORT)).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind("127.0.0.1:0").await.context("no port is free"),
        },
    }
}

/// A stand-in GitLab with a STAR issue for each sample.
async fn gitlab(helpdesk: &str) -> anyhow::Result<To> {
    let stand_in = Elsewhere::default();
    for sample in samples::at(Utc::now()).context("the samples cannot be read")? {
        let id = sample.reading.ticket.id;
        stand_in.add_issue(&format!("STAR: {}", sample.name), &format!("Ticket: {helpdesk}/agent/tickets/{id}"));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
    let there = format!("http://{}", listener.local_addr()?);
    let router = stand_in.router().merge(pages::of_issues(stand_in));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let gitlab = GitLab::new(there.parse()?, elsewhere::PROJECT, elsewhere::TOKEN.into(), PATIENCE)?;
    Ok(To::StarIssues { gitlab, label: "unstarred".into() })
}

/// Puts a sample at the helpdesk, with what a manager answered on it.
fn add(helpdesk: &StandIn, sample: &Sample) {
    helpdesk.add(sample.reading.clone());
    if let Some(answer) = &sample.answer {
        helpdesk.say(sample.reading.ticket.id, 7001, answer, Publicity::Internal);
    }
}

/// The samples on their way through the bot, as they are shown.
struct Play<'a> {
    screen: Screen,
    helpdesk: &'a StandIn,
    policy: &'a Policy,
    webhook: &'a str,
    secret: &'a SecretString,
}

impl Play<'_> {
    /// Sends every sample through, and shows what became of it; whether all ended as their files say.
    async fn samples(&self) -> anyhow::Result<bool> {
        let http = Client::new();
        let samples = samples::at(Utc::now()).context("the samples cannot be read")?;
        let mut sent = Vec::new();
        for (index, sample) in samples.iter().enumerate() {
            add(self.helpdesk, sample);
            // Both shapes, in turn: an event subscription's and a trigger's.
            let id = sample.reading.ticket.id;
            let body = if index % 2 == 0 { event(sample) } else { json!({ "ticket_id": id.to_string() }) };
            deliver(&http, self.webhook, self.secret, &body).await?;
            sent.push(Instant::now());
        }
        let (mut summary, mut right) = (String::new(), 0);
        for (sample, sent) in samples.iter().zip(&sent) {
            let id = sample.reading.ticket.id;
            let note = wait_for_note(self.helpdesk, id, *sent).await;
            let verdict = ended(self.helpdesk, self.policy, id);
            let as_said = verdict.as_deref() == Some(sample.expect.as_str()) && note.is_some();
            right += usize::from(as_said);
            print_painted(&self.landed(sample, note.as_deref(), verdict.as_deref()));
            let mark = if as_said { "" } else { " ✗ not as its file says" };
            let title = verdict.as_deref().map_or_else(|| "no note".to_owned(), |verdict| self.title(verdict));
            summary.push_str(&format!("- {id} {title:<16} {}{mark}\n", sample.name));
        }
        let heading = self.screen.fit(&format!("{right} of {} samples ended as their files say", samples.len()));
        let heading = self.screen.paint(Tone::Heading, &heading);
        print_painted(&format!("\n{heading}\n{}\n", self.screen.fit(&summary)));
        Ok(right == samples.len())
    }

    /// A ticket with the note that landed on it.
    fn landed(&self, sample: &Sample, note: Option<&str>, verdict: Option<&str>) -> String {
        let id = sample.reading.ticket.id;
        let heading = self.screen.paint(Tone::Aside, &self.screen.fit(&format!("Ticket {id}: {}", sample.name)));
        let note = note.unwrap_or("(no note)").trim();
        let (first, rest) = note.split_once('\n').unwrap_or((note, ""));
        let first = self.screen.paint(self.tone(verdict), &self.screen.fit(first));
        format!("{heading}\n{first}\n{}\n\n", self.screen.fit(rest))
    }

    /// A verdict as the policy calls it.
    fn title(&self, verdict: &str) -> String {
        let outcome = self.policy.binding.outcomes.iter().find(|(name, _)| name.get_ref() == verdict);
        outcome.map_or_else(|| verdict.to_owned(), |(_, outcome)| outcome.title.clone())
    }

    fn tone(&self, verdict: Option<&str>) -> Tone {
        let outcome = self.policy.binding.outcomes.iter().find(|(name, _)| Some(name.get_ref().as_str()) == verdict);
        match outcome {
            Some((_, outcome)) if outcome.dismisses() => Tone::Dismisses,
            Some((name, _)) if name.get_ref() == NEEDS_FACTS => Tone::Asks,
            Some(_) => Tone::Escalates,
            None => Tone::Asks,
        }
    }
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
    let policy = Policy::parse(&joined(binding, EXAMPLES.into_iter()), diagram).map_err(|faults| {
        anyhow::Error::msg(faults.iter().map(|fault| drawn(fault, "policy/star", binding)).collect::<String>())
    })?;
    learn(&policy);
    Ok(policy)
}

/// Its examples by language, in the order in which a folder's files are read.
const EXAMPLES: [(&str, &str); 9] = [
    ("de", include_str!("../../config/policy/examples/de.toml")),
    ("en", include_str!("../../config/policy/examples/en.toml")),
    ("es", include_str!("../../config/policy/examples/es.toml")),
    ("fr", include_str!("../../config/policy/examples/fr.toml")),
    ("it", include_str!("../../config/policy/examples/it.toml")),
    ("ja", include_str!("../../config/policy/examples/ja.toml")),
    ("ko", include_str!("../../config/policy/examples/ko.toml")),
    ("pt", include_str!("../../config/policy/examples/pt.toml")),
    ("zh", include_str!("../../config/policy/examples/zh.toml")),
];

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
