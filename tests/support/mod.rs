//! What several tests need: a stand-in helpdesk on a port, the real binary beside it, signed deliveries.

pub(crate) mod contract;
pub(crate) mod middleman;
pub(crate) mod postgres;
pub(crate) mod tools;
pub(crate) mod wire;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use chrono::Utc;
use secrecy::SecretString;
use serde_json::{Value, json};
use starwarden::decide::facts::gather::Stated;
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge::{self, Judged};
use starwarden::decide::policy::Policy;
use starwarden::decide::ticket::{OwnUsers, Reading};
use starwarden::demo::helpdesk::StandIn;
use starwarden::receive::verify::{sign, timestamp};

/// The shipped binding with its examples, as a policy's text has them.
pub(crate) const BINDING: &str = concat!(
    include_str!("../../config/policy/star.toml"),
    "\n#: examples de\n",
    include_str!("../../config/policy/examples/de.toml"),
    "\n#: examples en\n",
    include_str!("../../config/policy/examples/en.toml"),
    "\n#: examples es\n",
    include_str!("../../config/policy/examples/es.toml"),
    "\n#: examples fr\n",
    include_str!("../../config/policy/examples/fr.toml"),
    "\n#: examples it\n",
    include_str!("../../config/policy/examples/it.toml"),
    "\n#: examples ja\n",
    include_str!("../../config/policy/examples/ja.toml"),
    "\n#: examples ko\n",
    include_str!("../../config/policy/examples/ko.toml"),
    "\n#: examples pt\n",
    include_str!("../../config/policy/examples/pt.toml"),
    "\n#: examples zh\n",
    include_str!("../../config/policy/examples/zh.toml")
);
pub(crate) const CHART: &str = include_str!("../../config/policy/star.mmd");

/// The shipped policy, read once for all tests: its many expressions take half a second without optimisation.
pub(crate) fn star() -> &'static Policy {
    static STAR: LazyLock<Policy> = LazyLock::new(|| Policy::parse(BINDING, CHART).expect("the shipped policy"));
    &STAR
}

/// What the shipped policy makes of a ticket with this stated besides; the bot is user 9001.
pub(crate) fn judged(reading: &Reading, stated: &[Stated], now: &str) -> Judged {
    let ids = Ids::new(&star().binding, &Ids::default());
    let now = now.parse().expect("an instant");
    judge::ticket(star(), &ids, Some(reading), &[], stated, &OwnUsers::from_iter([9001]), now)
}

/// Copies the shipped policy's binding, diagram and examples into a folder.
pub(crate) fn copy_policy(to: &Path) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy");
    for name in ["star.toml", "star.mmd"] {
        std::fs::copy(shipped.join(name), to.join(name)).expect("a copy");
    }
    std::fs::create_dir_all(to.join("examples")).expect("a folder");
    for file in std::fs::read_dir(shipped.join("examples")).expect("the examples") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join("examples").join(file.file_name())).expect("a copy");
    }
}

pub(crate) const SECRET: &str = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=";

/// Waits until `done` gives something, or fails with `what` after 30 s.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "waited 30 s for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A stand-in helpdesk on a port of its own.
pub(crate) struct Desk {
    pub(crate) helpdesk: StandIn,
    pub(crate) url: String,
    seen: contract::Seen,
    _runtime: tokio::runtime::Runtime,
}

impl Desk {
    /// Answers as the real helpdesk never does are meant, up to here.
    pub(crate) fn odd_answers_are_meant(&self) {
        self.seen.taken();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let found = self.seen.taken();
        assert!(found.is_empty() || std::thread::panicking(), "not as the helpdesk's API has it: {found:#?}");
    }
}

pub(crate) fn desk() -> Desk {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let helpdesk = StandIn::new();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = contract::Seen::default();
    let router = seen.on(helpdesk.router());
    runtime.spawn(async move { axum::serve(listener, router).await });
    Desk { helpdesk, url, seen, _runtime: runtime }
}

/// The real binary, serving; it is killed when dropped.
pub(crate) struct Bot {
    child: Child,
    pub(crate) url: String,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// What is different from the usual account, as TOML lines.
pub(crate) fn serve(desk: &Desk, folder: &Path, extra: &str) -> Bot {
    serve_in(desk, folder, extra, &[])
}

/// The same, with variables in its environment; with `RUST_LOG`, its log is the file `log` in the folder.
pub(crate) fn serve_in(desk: &Desk, folder: &Path, extra: &str, environment: &[(&str, &str)]) -> Bot {
    serve_at(desk, folder, "", extra, environment)
}

/// The same, with lines for its `[server]`.
pub(crate) fn serve_at(desk: &Desk, folder: &Path, server: &str, extra: &str, environment: &[(&str, &str)]) -> Bot {
    let file = configure(desk, folder, server, extra);
    run(Command::new(env!("CARGO_BIN_EXE_starwarden")).args(["serve", "--config"]).arg(&file), folder, environment)
}

/// The usual bot, run by another program, whose arguments come first; that program must become the bot's own process.
pub(crate) fn serve_under(program: &mut Command, desk: &Desk, folder: &Path, server: &str) -> Bot {
    let file = configure(desk, folder, server, "");
    run(program.args([env!("CARGO_BIN_EXE_starwarden"), "serve", "--config"]).arg(&file), folder, &[])
}

/// Writes the configuration; where it is.
pub(crate) fn configure(desk: &Desk, folder: &Path, server: &str, extra: &str) -> PathBuf {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
    let base_url = if extra.contains("base_url") { String::new() } else { format!("base_url = \"{}\"\n", desk.url) };
    let secrets = if extra.contains("webhook_secrets") {
        String::new()
    } else {
        format!("webhook_secrets = [\"{SECRET}\", \"an older one\"]\n")
    };
    let auth = if extra.contains(".auth") {
        ""
    } else {
        "[accounts.global.auth]\nclient_id = \"starwarden\"\nclient_secret = \"demo\"\n"
    };
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n{server}\n[store]\nurl = \"sqlite:{}\"\n[policy]\nfile = \"{}\"\n[accounts.global]\n{base_url}{secrets}requests_per_minute = 6000\ncatch_up_every = \"off\"\n{extra}\n{auth}",
        folder.join("star.db").display(),
        policy.display(),
    );
    let file = folder.join("starwarden.toml");
    std::fs::write(&file, config).expect("a file");
    file
}

/// Runs a bot and waits until it listens.
fn run(command: &mut Command, folder: &Path, environment: &[(&str, &str)]) -> Bot {
    let log = match environment.iter().any(|(name, _)| *name == "RUST_LOG") {
        true => Stdio::from(std::fs::File::create(folder.join("log")).expect("a file")),
        false => Stdio::inherit(),
    };
    let mut child = command
        .env("RUST_LOG", "off")
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the binary");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let url = line.trim().strip_prefix("listening on ").expect("its address").to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // A connection each, as the helpdesk has: one kept open is closed by the bot after a while, perhaps as it is used.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
    Bot { child, url, http, runtime }
}

/// A signed delivery to the bot at `url`, not sent yet.
pub(crate) fn signed(
    http: &reqwest::Client,
    url: &str,
    body: &Value,
    headers: &[(&str, &str)],
) -> reqwest::RequestBuilder {
    let body = body.to_string();
    let at = timestamp(Utc::now());
    let signature = sign(&SecretString::from(SECRET), &at, body.as_bytes());
    let mut all = vec![
        ("X-Zendesk-Webhook-Signature", signature.as_str()),
        ("X-Zendesk-Webhook-Signature-Timestamp", at.as_str()),
    ];
    all.extend_from_slice(headers);
    request(http, url, "/webhooks/zendesk/global", body.into_bytes(), &all)
}

fn request(
    http: &reqwest::Client,
    url: &str,
    path: &str,
    body: Vec<u8>,
    headers: &[(&str, &str)],
) -> reqwest::RequestBuilder {
    let call = http.post(format!("{url}{path}")).body(body);
    headers.iter().fold(call, |call, (name, value)| call.header(*name, *value))
}

impl Bot {
    /// Sends a signed delivery; status and answer.
    pub(crate) fn deliver(&self, body: &Value, headers: &[(&str, &str)]) -> (u16, Value) {
        self.answer(self.signed(body, headers))
    }

    /// Sends a signed delivery; status and one header of the answer.
    pub(crate) fn deliver_for(&self, body: &Value, header: &str) -> (u16, Option<String>) {
        let answer = self.runtime.block_on(self.signed(body, &[]).send()).expect("an answer");
        let header = answer.headers().get(header).map(|value| value.to_str().expect("text").to_owned());
        (answer.status().as_u16(), header)
    }

    fn signed(&self, body: &Value, headers: &[(&str, &str)]) -> reqwest::RequestBuilder {
        signed(&self.http, &self.url, body, headers)
    }

    fn request(&self, path: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> reqwest::RequestBuilder {
        request(&self.http, &self.url, path, body, headers)
    }

    pub(crate) fn post(&self, path: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> (u16, Value) {
        self.answer(self.request(path, body, headers))
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        self.answer(self.http.get(format!("{}{path}", self.url)))
    }

    /// A page as it is.
    pub(crate) fn text(&self, path: &str) -> String {
        let call = self.http.get(format!("{}{path}", self.url));
        self.runtime.block_on(async { call.send().await.expect("an answer").text().await.expect("text") })
    }

    /// Presses a button on a ticket's page, as whoever is on this machine.
    #[track_caller]
    pub(crate) fn press(&self, ticket: u64, button: &str) {
        let page = format!("{}/tickets/global/{ticket}", self.url);
        let pressed = self.runtime.block_on(async {
            let shown = self.http.get(&page).send().await.expect("an answer");
            let session = shown.headers()["set-cookie"].to_str().expect("text").to_owned();
            let text = shown.text().await.expect("text");
            let token = text.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next());
            let call = self.http.post(format!("{page}/{button}")).form(&[("csrf", token.expect("a form's token"))]);
            let cookie = session.split(';').next().expect("a cookie");
            call.header("cookie", cookie).send().await.expect("an answer").status()
        });
        assert!(pressed.is_success(), "{button}: {pressed}");
    }

    fn answer(&self, call: reqwest::RequestBuilder) -> (u16, Value) {
        self.runtime.block_on(async {
            let answer = call.send().await.expect("an answer");
            let status = answer.status().as_u16();
            (status, answer.json().await.unwrap_or_default())
        })
    }

    /// Waits for the bot's first `count` notes on a ticket.
    #[track_caller]
    pub(crate) fn notes(&self, desk: &Desk, ticket: u64, count: usize) -> Vec<String> {
        wait_for(&format!("{count} notes on ticket {ticket}"), || {
            Some(desk.helpdesk.notes(ticket)).filter(|notes| notes.len() >= count)
        })
    }

    /// Waits until there is nothing left to do on a ticket: its watch rests, and no write is on its way at the helpdesk.
    ///
    /// A delivery is recorded, and its ticket due, before it is answered; so what was delivered before is over by then,
    /// and what has not happened does not happen any more.
    #[track_caller]
    pub(crate) fn at_rest(&self, desk: &Desk, ticket: u64) {
        wait_for(&format!("rest on ticket {ticket}"), || {
            let rests = ["idle", "stopped"].map(Value::from).contains(&self.kept(ticket)["watch"]["state"]);
            (rests && desk.helpdesk.on_their_way() == 0).then_some(())
        });
    }

    /// All that is kept of a ticket.
    pub(crate) fn kept(&self, ticket: u64) -> Value {
        self.get(&format!("/api/v1/tickets/global/{ticket}")).1
    }

    /// The most memory it has had, kB.
    pub(crate) fn memory_peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Sends it a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().expect("kill");
        assert!(told.success());
    }

    /// Ends it as systemd does; its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().expect("an end").code()
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a running bot");
        let _status = self.child.wait();
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Runs the binary in a folder: exit code, results, errors.
pub(crate) fn starwarden_in<A: AsRef<OsStr>>(folder: &Path, arguments: &[A]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .current_dir(folder)
        .env_remove("STARWARDEN_CONFIG")
        .args(arguments)
        .output()
        .expect("the binary");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Runs `starwarden tickets …` beside the bot of a folder: whether it went well, and what it said.
pub(crate) fn tickets(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let (verb, rest) = arguments.split_first().expect("a verb");
    let done = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(["tickets", verb, "--config"])
        .arg(folder.join("starwarden.toml"))
        .args(rest)
        .env("USER", "ann")
        .output()
        .expect("the binary");
    let said = String::from_utf8(done.stdout).expect("text") + &String::from_utf8(done.stderr).expect("text");
    (done.status.success(), said)
}

/// A starred ticket with these tags besides, last touched an hour ago.
pub(crate) fn ticket(id: u64, tags: &[&str]) -> Reading {
    let mut all = vec!["star_submitted", "lr"];
    all.extend_from_slice(tags);
    let at = Utc::now() - chrono::TimeDelta::hours(1);
    let ticket = json!({ "id": id, "subject": "Help", "description": "Please help.", "status": "open", "tags": all, "ticket_form_id": 360000071293_u64,
        "requester_id": 5001, "assignee_id": 7001, "created_at": at, "updated_at": at });
    Reading { ticket: serde_json::from_value(ticket).expect("a ticket"), ..Reading::default() }
}

/// An event as a subscription sends it.
pub(crate) fn event(id: &str, ticket: u64, kind: &str) -> Value {
    json!({ "type": format!("zen:event-type:ticket.{kind}"), "account_id": 22129848, "id": id, "time": null, "zendesk_event_version": "2022-11-06",
        "subject": format!("zen:ticket:{ticket}"), "event": {},
        "detail": { "id": ticket.to_string(), "status": "OPEN", "priority": null, "tags": ["star_submitted", "lr"], "organization_id": null, "actor_id": "7001" } })
}
