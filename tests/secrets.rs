//! A secret is never shown, whatever goes wrong.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::Value;
use starwarden::config;
use starwarden::config::secret::blotted;
use starwarden::demo::helpdesk::Publicity;

use crate::support::postgres::{self, Server};
use crate::support::tools::{run, said};
use crate::support::{SECRET, desk, event, serve_at, serve_in, ticket, wait_for};

#[test]
fn no_value_of_a_configuration_is_shown_with_its_faults() {
    for (text, kept) in [
        ("client_secret = \"s3cret\"", "client_secret ="),
        ("oauth_tokn = \"s3cret\"", "oauth_tokn ="),
        ("accounts.a.auth.oauth_tokn = \"s3cret\"", "accounts.a.auth.oauth_tokn ="),
        ("\"oauth_token\" = \"s3cret\"", ""),
        ("oauth_token \"s3cret\"", ""),
        ("oauth_token: s3cret", ""),
        ("s3cret", ""),
        ("s3cret=", ""),
        ("s3cret==", ""),
        ("# oauth_token = \"s3cret\"", ""),
        ("mode = \"live\" # s3cret", "mode ="),
        ("[accounts.a] # s3cret", ""),
        ("auth = { email = \"a@b\", api_tokn = \"s3cret\" }", "auth ="),
        ("webhook_secrets = [\"env:A\", \"s3cret\"]", "webhook_secrets ="),
        ("hooks = [\n  \"one\",\n  \"s3cret\" ]\nmode = 1", "\nmode ="),
        ("hooks = [[\n\"]\",\n[s3cret]\n]]\nmode = 1", "\nmode ="),
        ("hooks = [\ns3cret = 1\n]\nmode = 1", "\nmode ="),
        ("token = \"\"\"\n[s3cret]\nkey = s3cret\n\"\"\"\nmode = 1", "\nmode ="),
        ("token = '''a\n\"s3cret\n'''\nmode = 1", "\nmode ="),
        ("token = \"a\\\"[\" # [\nmode = \"s3cret\"", "\nmode ="),
        ("oauth_token = 's3cret unclosed\nmode = 1", "\nmode ="),
        ("port = 53cre7", "port ="),
        ("url = \"postgres://star:s3cret@db/star\"", "url ="),
        ("[accounts.global]\nkey = \"s3cret\"", "[accounts.global]\nkey ="),
        ("[[s3cret]]\nkey = 1", "\nkey ="),
        ("[s3cret]\n[work]", "\n[work]"),
        ("🦊 = \"s3cret 🦊\"\nmode = 1", "\nmode ="),
    ] {
        let blotted = blotted(text);
        assert_eq!(blotted.len(), text.len(), "places stay: {blotted}");
        assert!(
            !blotted.contains("s3cret") && !blotted.contains("53cre7") && blotted.contains(kept),
            "{text}\n{blotted}"
        );
    }
    let shipped = include_str!("../config/starwarden.toml");
    let blotted = blotted(shipped);
    for line in shipped.lines().filter(|line| line.starts_with('[')) {
        assert!(
            blotted.contains(line.split(" #").next().expect("a header").trim_end()) || line.contains('#'),
            "{line}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_secret_is_hidden_wherever_it_is_put(line in 0_usize..200, place in 0_usize..120, quote in "[\"'`\\[{= ]{0,3}") {
        let shipped = include_str!("../config/starwarden.toml");
        let mut lines: Vec<String> = shipped.lines().map(str::to_owned).collect();
        let line = line % lines.len();
        let Some(equals) = lines[line].find('=') else { return Ok(()) };
        // Somewhere in a value, with whatever is around it.
        let value = lines[line].split_off(equals + 1);
        let at = value.char_indices().map(|(at, _)| at).nth(place % value.chars().count().max(1)).unwrap_or(0);
        let (before, after) = value.split_at(at);
        lines[line] = format!("{}{before}{quote}S3CRET{after}", lines[line]);
        prop_assert!(!blotted(&lines.join("\n")).contains("S3CRET"), "{}", lines[line]);
    }
}

#[test]
fn what_stands_in_the_wrong_place_is_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("starwarden.toml");
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
    let account = "[accounts.global]\nbase_url = \"https://example.zendesk.com\"\n";
    let secrets = "webhook_secrets = [\"w\"]\n";
    for (text, says) in [
        (format!("{account}{secrets}auth = \"s3cret\"\n"), "write a table of keys and values"),
        (
            format!("{account}webhook_secrets = [[\"s3cret\"]]\n[accounts.global.auth]\noauth_token = \"t\"\n"),
            "a list of them",
        ),
        (
            format!(
                "store = \"postgres://star:s3cret@db/star\"\n{account}{secrets}[accounts.global.auth]\noauth_token = \"t\"\n"
            ),
            "write a table of keys and values",
        ),
        (
            format!("{account}{secrets}[accounts.global.auth]\noauth_token = {{ s = \"s3cret\" }}\n"),
            "a secret is a text",
        ),
        (format!("{account}{secrets}[accounts.global.auth]\noauth_tokn = \"s3cret\"\n"), "unknown key `oauth_tokn`"),
        (format!("{account}{secrets}mode = \"a s3cret that is long enough\"\n"), "none of those that may stand here"),
        (format!("{account}{secrets}replay_window = \"a s3cret that is long enough\"\n"), "is not a span of time"),
        (format!("{account}{secrets}requests_per_minute = \"s3cret\"\n"), "a text stands here"),
    ] {
        let (top, rest) = text.split_at(text.find('[').expect("a table"));
        std::fs::write(&file, format!("{top}[policy]\nfile = \"{}\"\n{rest}", policy.display())).expect("a file");
        let error = config::read(&file, std::iter::empty()).map(|_| ()).expect_err("a fault").to_string();
        assert!(error.contains(says) && !error.contains("s3cret"), "{error}");
        let by_environment = [("STARWARDEN__ACCOUNTS__GLOBAL__MODE".to_owned(), "live".to_owned())].into_iter();
        let error = config::read(&file, by_environment).map(|_| ()).expect_err("a fault");
        assert!(!format!("{error:#}").contains("s3cret"), "{error:#}");
    }
}

#[test]
fn a_secret_from_the_environment_is_a_text_whatever_it_looks_like() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("starwarden.toml");
    let text = "[policy]\nfile = \"star.toml\"\n[accounts.global]\nbase_url = \"https://example.zendesk.com\"\nwebhook_secrets = [\"w\"]\n[accounts.global.auth]\nclient_id = \"starwarden\"\n";
    std::fs::write(&file, text).expect("a file");
    for (given, read) in [("12345", "12345"), ("0x1f", "0x1f"), ("true", "true"), ("1_000", "1_000"), ("\"4\"", "4")] {
        let environment = [
            ("STARWARDEN__ACCOUNTS__GLOBAL__AUTH__CLIENT_SECRET".to_owned(), given.to_owned()),
            ("STARWARDEN__ACCOUNTS__GLOBAL__WEBHOOK_SECRETS".to_owned(), given.to_owned()),
            ("STARWARDEN__ACCOUNTS__GLOBAL__AUTH__CLIENT_ID".to_owned(), "12345".to_owned()),
        ];
        let settings =
            config::read(&file, environment.into_iter()).unwrap_or_else(|error| panic!("{given}: {error:#}"));
        let account = &settings.accounts["global"];
        assert_eq!(account.auth.client_id.as_deref(), Some("12345"), "a text that looks like a number");
        for secret in [account.auth.client_secret.as_ref().expect("one"), &account.webhook_secrets[0]] {
            assert_eq!(secret.read(folder.path()).expect("a secret").expose_secret(), read);
        }
    }
}

/// Every secret of the configuration below, and the password behind its hash.
const SECRETS: [&str; 13] = [
    SECRET,
    "webhook-s3cret-older-8Kd",
    "webhook-s3cret-of-us-3Ws",
    "demo-token",
    "client-s3cret-5Qv+/=",
    "session-s3cret-that-is-long-enough-1Zp",
    "program-s3cret-7Lm",
    "provider-s3cret-2Hn",
    "lookup-s3cret-9Tb",
    "issues-s3cret-4Fk",
    "hook-s3cret-6Jc",
    "api-s3cret-0Rg",
    "a password of ann's 4Xy",
];

/// Whose token for the API is: with `/token:` a name of a length that leaves the token as it is in base64, and so in sight.
const EMAIL: &str = "robot@example.com";

/// All that a run of the bot shows, writes or keeps, by where it was seen.
struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    fn add(&mut self, place: &str, shown: impl Into<Vec<u8>>) {
        self.0.push((place.to_owned(), shown.into()));
    }

    fn command(&mut self, command: &mut Command) -> String {
        let done = command.output().expect("a command");
        self.add(&format!("{command:?}").replace('"', ""), said(&done));
        said(&done)
    }

    /// No secret is anywhere: as it is, in base64, or as it stands in an address.
    #[track_caller]
    fn is_clean(&self, secrets: &[&str]) {
        assert!(self.0.len() > 20);
        for (place, shown) in &self.0 {
            for secret in secrets {
                let address: String = url_encoded(secret);
                for form in [(*secret).to_owned(), STANDARD.encode(secret), address] {
                    let here = shown.windows(form.len()).any(|window| window == form.as_bytes());
                    assert!(!here, "{place} shows {secret}: {}", String::from_utf8_lossy(shown));
                }
            }
        }
    }
}

fn url_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[test]
fn no_secret_is_seen_anywhere_a_bot_leaves_traces() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let [webhook, older, of_us, token, client, session, program, provider, lookup, issues, hook, api, password] =
        SECRETS;
    let hash = run(Command::new("bash")
        .args(["-c", "printf '%s' \"$1\" | \"$0\" hash-password"])
        .arg(env!("CARGO_BIN_EXE_starwarden"))
        .arg(password));
    let extra = format!(
        "base_url = \"{url}\"\nwebhook_secrets = [\"{webhook}\", \"{older}\"]\n[accounts.global.auth]\noauth_token = \"{token}\"\n\
         [accounts.us]\nbase_url = \"{url}\"\nwebhook_secrets = [\"{of_us}\"]\n[accounts.us.auth]\nclient_id = \"starwarden\"\nclient_secret = \"{client}\"\n\
         [accounts.eu]\nbase_url = \"{url}\"\nwebhook_secrets = [\"{older}\"]\n[accounts.eu.auth]\nemail = \"{EMAIL}\"\napi_token = \"{api}\"\n\
         [star_issues]\ngitlab = \"{url}\"\nproject = \"star/warden\"\ntoken = \"{issues}\"\n\
         [chat]\nwebhook_url = \"{url}/hooks/{hook}\"\n\
         [console]\nsession_secret = \"{session}\"\n[console.users.ann]\npassword_hash = \"{hash}\"\nrole = \"act\"\n\
         [console.tokens.reports]\ntoken = \"{program}\"\n\
         [console.oidc]\nissuer = \"http://127.0.0.1:1\"\nclient_id = \"star\"\nclient_secret = \"{provider}\"\nread = [\"*\"]\n\
         [lookups.gitlab]\ntoken = \"{lookup}\"\nhosts = [\"127.0.0.1\"]\n",
        url = desk.url,
        hash = hash.trim(),
    );
    let server = "public_url = \"http://127.0.0.1:9\"";
    let mut bot = serve_at(&desk, folder.path(), server, &extra, &[("RUST_LOG", "trace")]);
    let mut seen = Seen(Vec::new());
    let file = folder.path().join("starwarden.toml");

    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    for (id, said) in [
        (2, "star: trial=yes, sales_assisted=no"), // What goes to the STAR issue,
        (3, "star: trial=no, in_grace=no, expires_at=2020-01-01"), // and to the chat.
    ] {
        desk.helpdesk.add(ticket(id, &[]));
        desk.helpdesk.say(id, 7001, said, Publicity::Internal);
        seen.add(
            "an answer to a delivery",
            bot.deliver(&event(&format!("f{id}"), id, "comment_added"), &[]).1.to_string(),
        );
    }
    for (signed, invocation) in [(true, "one"), (true, "one"), (false, "two")] {
        let headers = [("X-Zendesk-Webhook-Invocation-Id", invocation)];
        let answer = match signed {
            true => bot.deliver(&event("e1", 1, "tags_changed"), &headers),
            false => bot.post("/webhooks/zendesk/us", b"{}".to_vec(), &headers),
        };
        seen.add("an answer to a delivery", answer.1.to_string());
    }
    seen.add("the note", bot.notes(&desk, 1, 1).concat());
    wait_for("a refused account", || (bot.get("/readyz").0 == 503).then_some(()));

    // The console, as somebody who mistypes and then signs in.
    let jar = folder.path().join("cookies");
    let secretly = folder.path().join("password");
    let curl = |path: &str, more: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["-sS", "-i", "-b"]).arg(&jar).arg("-c").arg(&jar).args(more).arg(format!("{}{path}", bot.url));
        command
    };
    for typed in [format!("{password}x"), password.to_owned()] {
        std::fs::write(&secretly, typed).expect("a file");
        let from = format!("password@{}", secretly.display());
        seen.command(&mut curl("/sign-in", &["--data-urlencode", "name=ann", "--data-urlencode", &from]));
    }
    for path in ["/", "/tickets", "/tickets/global/1", "/decisions", "/policy", "/try", "/record", "/nowhere"] {
        let page = seen.command(&mut curl(path, &[]));
        assert!(path == "/nowhere" || page.starts_with("HTTP/1.1 200"), "{path}: {page}");
    }
    for path in ["/sign-in", "/sign-in/oidc", "/metrics", "/readyz", "/healthz", "/api/v1/openapi.json"] {
        seen.command(&mut curl(path, &[]));
    }
    let header = folder.path().join("header");
    std::fs::write(&header, format!("Authorization: Bearer {program}")).expect("a file");
    let as_program = format!("@{}", header.display());
    for path in ["/api/v1/tickets/global/1", "/api/v1/decisions", "/api/v1/openapi.json", "/metrics"] {
        let answer = seen.command(&mut curl(path, &["-H", &as_program]));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    // The other verbs, where all is well and where it is not.
    let starwarden = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starwarden"));
        command.args(arguments).env("STARWARDEN_CONFIG", &file).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command
    };
    for (ticket, kind) in [("global/2", "star_issue"), ("global/3", "escalation")] {
        wait_for(&format!("the {kind} refused"), || {
            let told = seen.command(&mut starwarden(&["tickets", "show", ticket, "--format", "json"]));
            let told: Value =
                told.lines().find_map(|line| serde_json::from_str(line).ok().filter(|it: &Value| it["id"].is_u64()))?;
            let follow_up = told["follow_ups"].as_array()?.iter().find(|one| one["kind"] == kind)?.clone();
            ["last_error", "why", "error"].iter().any(|word| follow_up[word].is_string()).then_some(())
        });
    }
    let copy = folder.path().join("copy.db").display().to_string();
    for arguments in [
        &["check"][..],
        &["doctor"],
        &["doctor", "--format", "json"],
        &["setup", "--account", "global", "--apply"],
        &["setup", "--account", "us", "--apply"],
        &["setup", "--account", "eu", "--apply"],
        &["report"],
        &["backup", &copy],
    ] {
        seen.command(&mut starwarden(arguments));
    }
    let sound = std::fs::read_to_string(&file).expect("the configuration");
    let told = |line: &str| {
        let figures = curl("/metrics", &["-H", &as_program]).output().expect("curl").stdout;
        String::from_utf8_lossy(&figures).contains(line).then_some(())
    };
    for (from, to) in
        [("[console]", "[console"), ("[store]", "[sore]"), (of_us, ""), ("oauth_token = ", "oauth_tokens = ")]
    {
        std::fs::write(&file, sound.replacen(from, to, 1)).expect("a file");
        bot.signal("HUP");
        wait_for("the refusal", || told("starwarden_reload_failed 1"));
        seen.command(&mut curl("/readyz", &["-H", &as_program]));
        seen.command(&mut starwarden(&["check"]));
        seen.command(&mut starwarden(&["doctor"]));
        std::fs::write(&file, &sound).expect("a file");
        bot.signal("HUP");
        wait_for("the mending", || told("starwarden_reload_failed 0"));
    }
    let settings = config::read(&file, std::iter::empty()).expect("the configuration");
    seen.add("what a panic or a debugger's print would show", format!("{settings:#?}"));
    let mut broken = TcpStream::connect(bot.url.trim_start_matches("http://")).expect("a connection");
    broken.write_all(b"GET / HTT").expect("a write");
    drop(broken);
    let log = || std::fs::read_to_string(folder.path().join("log")).expect("the log");
    wait_for("what is told at `debug`", || log().contains("a connection broke off").then_some(()));
    assert_eq!(bot.stop(), Some(0));

    let log = log();
    seen.add("the log", log);
    for kept in ["star.db", "copy.db"] {
        seen.add(kept, std::fs::read(folder.path().join(kept)).expect(kept));
    }
    seen.is_clean(&SECRETS);
}

#[test]
fn the_stores_password_is_not_seen_either() {
    const RIGHT: &str = "store-s3cret-8Wn";
    const WRONG: &str = "store-s3cret-mistyped-1Ud";
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let server = Server::start_with("", |data| {
        std::fs::write(data.join("pg_hba.conf"), "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
            .expect("a file");
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(server.execute("postgres", &format!("ALTER ROLE starwarden PASSWORD '{RIGHT}'")));
    runtime.block_on(server.execute("postgres", "CREATE DATABASE star"));
    let url = |password: &str, place: &str| format!("postgres://starwarden:{password}@127.0.0.1:{place}/star");
    let port = server.port().to_string();
    let mut seen = Seen(Vec::new());
    let right = url(RIGHT, &port);
    let mut bot = serve_in(&desk, folder.path(), "", &[("RUST_LOG", "trace"), ("STARWARDEN__STORE__URL", &right)]);
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    seen.add("an answer to a delivery", bot.deliver(&event("e1", 1, "tags_changed"), &[]).1.to_string());
    seen.add("the note", bot.notes(&desk, 1, 1).concat());
    let pages = |seen: &mut Seen| {
        for path in ["/", "/tickets/global/1", "/metrics", "/readyz"] {
            seen.add(path, bot.text(path));
        }
    };
    pages(&mut seen);
    server.stop();
    seen.add(
        "an answer to a delivery that is refused",
        bot.deliver(&event("e2", 1, "tags_changed"), &[]).1.to_string(),
    );
    wait_for("a red /readyz", || (bot.get("/readyz").0 == 503).then_some(()));
    pages(&mut seen);
    server.start_again();
    wait_for("a green /readyz", || (bot.get("/readyz").0 == 200).then_some(()));
    let commands: [&[&str]; 6] =
        [&["check"], &["doctor"], &["tickets", "list"], &["report"], &["backup", "copy.db"], &["serve"]];
    for (url, says) in [
        (url(RIGHT, &port), None),
        (url(WRONG, &port), Some("password authentication failed")),
        (url(RIGHT, "no-port"), Some("store.url cannot be read")),
        (url(RIGHT, "1"), Some("the PostgreSQL server at 127.0.0.1:1 cannot be used")),
        (format!("postgre://starwarden:{RIGHT}@127.0.0.1/star"), Some("store.url is not one this version can use")),
    ] {
        // Where all is well the last of them would go on for ever.
        for arguments in commands.iter().take(if says.is_some() { 6 } else { 5 }) {
            let mut command = Command::new(env!("CARGO_BIN_EXE_starwarden"));
            command
                .args(*arguments)
                .current_dir(folder.path())
                .env("STARWARDEN_CONFIG", folder.path().join("starwarden.toml"));
            command.env("STARWARDEN__STORE__URL", &url).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
            let done = command.output().expect("a command");
            // The command itself, as `{:?}` shows it, has the password in its environment.
            seen.add(&format!("{arguments:?}, {says:?}"), said(&done));
            let told = says.is_none_or(|says| {
                *arguments == ["check"] || *arguments == ["backup", "copy.db"] || said(&done).contains(says)
            });
            assert!(told, "{arguments:?}, {says:?}: {}", said(&done));
        }
    }
    assert_eq!(bot.stop(), Some(0));
    seen.add("the log", std::fs::read(folder.path().join("log")).expect("the log"));
    let mut dump = Command::new(postgres::programs().join("pg_dump"));
    seen.add("the database", run(dump.arg(server.socket("star"))));
    seen.is_clean(&[RIGHT, WRONG]);
}
