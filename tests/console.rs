//! The console from outside: who comes in, what forms must bear, what every answer carries, what can be read.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::Utc;
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::{Value, json};

use crate::support::{Bot, desk, event, serve, serve_in, ticket, wait_for};

const PASSWORD: &str = "correct horse battery";

/// An answer as a browser sees it.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .filter_map(|line| line.split(';').next())
            .find(|pair| pair.starts_with(&format!("{name}=")))
            .map(str::to_owned)
    }

    fn csrf(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"csrf\" value=\"").expect("a form's token");
        rest.split('"').next().expect("a token").to_owned()
    }

    fn location(&self) -> &str {
        self.headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default()
    }
}

/// A browser without a mind of its own: it follows nothing and keeps the cookies it is told to.
struct Visitor {
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    url: String,
}

impl Visitor {
    fn of(bot: &Bot) -> Visitor {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Visitor { http, runtime, url: bot.url.clone() }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        self.send(self.http.get(url), headers)
    }

    fn post(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        self.send(self.http.post(format!("{}{path}", self.url)).form(fields), headers)
    }

    fn send(&self, mut call: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> Answer {
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        self.runtime.block_on(async {
            let answer = call.send().await.expect("an answer");
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Answer { status, headers, body: answer.text().await.expect("text") }
        })
    }

    fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("name", name), ("password", password), ("to", "/tickets")], &[])
    }
}

fn users() -> String {
    let hash = starwarden::console::sign_in::hash(PASSWORD).expect("a hash");
    format!(
        "[console.users.ann]\npassword_hash = \"{hash}\"\nrole = \"act\"\n[console.users.rob]\npassword_hash = \"{hash}\"\nrole = \"read\"\n\
         [console.tokens.reports]\ntoken = \"a-token-for-reports\"\n"
    )
}

#[test]
fn every_answer_keeps_the_browser_on_a_short_leash() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let visitor = Visitor::of(&bot);
    for path in ["/", "/policy", "/try", "/assets/console.css", "/tickets/global/77", "/api/v1/decisions"] {
        let answer = visitor.get(path, &[]);
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!((header("x-content-type-options"), header("referrer-policy")), ("nosniff", "same-origin"), "{path}");
        assert!(answer.body.len() < 100_000 && !answer.body.contains("<script>"), "{path}");
    }
    assert!(!visitor.get("/policy", &[]).body.contains("style="), "no style of its own");
}

#[test]
fn on_loopback_it_is_open_to_this_machine_and_elsewhere_closed_without_sign_in() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let visitor = Visitor::of(&bot);
    assert_eq!(visitor.get("/", &[]).status, 200);
    for path in ["/", "/api/v1/decisions"] {
        assert_eq!(visitor.get(path, &[("host", "evil.example")]).status, 403, "a name that only leads here: {path}");
    }
    let (listen, public_url) = ("STARWARDEN__SERVER__LISTEN", "STARWARDEN__SERVER__PUBLIC_URL");
    for (name, value, status) in [
        (listen, "0.0.0.0:0", 403),
        (public_url, "https://star.example.com", 403),
        (public_url, "http://10.0.0.1:8080", 403),
        (public_url, "http://127.0.0.1.evil.example", 403),
        (public_url, "http://127.0.0.1@evil.example", 403),
        (public_url, "127.0.0.1", 403),
        (public_url, "http://127.0.0.1:18080", 200),
        (public_url, "http://localhost:18080/", 200),
        (public_url, "http://[::1]:18080", 200),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut bot = serve_in(&desk, folder.path(), "", &[(name, value)]);
        bot.url = bot.url.replace("0.0.0.0", "127.0.0.1");
        let visitor = Visitor::of(&bot);
        for path in ["/", "/tickets", "/api/v1/decisions"] {
            assert_eq!(visitor.get(path, &[]).status, status, "{name}={value} {path}");
            for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:18080", "10.0.0.1", ""] {
                assert_eq!(visitor.get(path, &[("host", host)]).status, 403, "{name}={value} {path} as {host}");
            }
        }
        let told = visitor.get("/", &[]).body;
        assert!(status == 200 || told.contains("could be reached from elsewhere"), "why it is closed: {told}");
        assert_eq!(visitor.get("/healthz", &[]).status, 200, "deliveries are taken all the same");
    }
}

#[test]
fn people_sign_in_with_a_password_and_may_what_their_role_says() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    let bot =
        serve(&desk, folder.path(), &format!("[accounts.global.auth]\noauth_token = \"demo-token\"\n{}", users()));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let visitor = Visitor::of(&bot);
    let sent = visitor.get("/tickets", &[]);
    assert_eq!((sent.status, sent.location()), (303, "/sign-in?to=%2Ftickets"));
    assert_eq!(visitor.get("/sign-in", &[]).status, 200);
    for (name, password) in [("ann", "wrong"), ("nobody", PASSWORD), ("ann", "")] {
        let refused = visitor.sign_in(name, password);
        assert!(refused.status == 401 && refused.cookie("starwarden").is_none(), "{name}");
    }
    let read = visitor.sign_in("rob", PASSWORD).cookie("starwarden").expect("a session");
    let act = visitor.sign_in("ann", PASSWORD);
    assert_eq!((act.status, act.location()), (303, "/tickets"));
    let line = act.headers.get(SET_COOKIE).expect("a cookie").to_str().expect("text");
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax"), "{line}");
    let act = act.cookie("starwarden").expect("a session");
    let page = visitor.get("/tickets/global/1", &[("cookie", &act)]);
    assert!(page.body.contains("Look again") && page.body.contains("ann"), "{}", page.body);
    let agree = |cookie: &str, csrf: &str| {
        visitor.post("/tickets/global/1/agree", &[("csrf", csrf)], &[("cookie", cookie)]).status
    };
    let reading = visitor.get("/tickets/global/1", &[("cookie", &read)]);
    assert!(!reading.body.contains("Look again"), "whoever may only read sees no buttons");
    assert_eq!(agree(&read, &reading.csrf()), 403, "and could not press them");
    for (cookie, csrf) in [(act.as_str(), ""), (&act, &reading.csrf()), ("", &page.csrf())] {
        assert_ne!(agree(cookie, csrf), 200, "a form of somebody else's");
    }
    let forged = format!("{}x", act);
    assert_eq!(visitor.get("/", &[("cookie", &forged)]).status, 303, "a session that was not signed here");
    assert_eq!(agree(&act, &page.csrf()), 303);
    let record = visitor.get("/record", &[("cookie", &act)]).body;
    for said in ["ann</b> agreed", "ann</b> signed in", "somebody unknown</b> was refused", "rob</b> signed in"] {
        assert!(record.contains(said), "{said}: {record}");
    }
    assert!(!record.contains(PASSWORD));
    let out = visitor.post("/sign-out", &[("csrf", &page.csrf())], &[("cookie", &act)]);
    assert_eq!((out.status, out.cookie("starwarden").as_deref()), (303, Some("starwarden=")));
    // Away with other sites' addresses, as forms send them.
    for (to, lands) in [("//evil.example", "/"), ("/\t/evil.example", "/"), ("/pol\u{1}icy", "/pol%01icy")] {
        let answer = visitor.post("/sign-in", &[("name", "rob"), ("password", PASSWORD), ("to", to)], &[]);
        assert_eq!(answer.location(), lands, "{to}");
    }
    // Programs have tokens.
    for (sent, status) in [("Bearer a-token-for-reports", 200), ("Bearer wrong", 401), ("Bearer ", 401), ("", 401)] {
        assert_eq!(visitor.get("/api/v1/decisions", &[("authorization", sent)]).status, status, "{sent:?}");
    }
    assert_eq!(
        visitor.get("/", &[("authorization", "Bearer a-token-for-reports")]).status,
        303,
        "pages are for people"
    );
}

#[test]
fn guessing_is_slow_and_keeps_nobody_out() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot =
        serve(&desk, folder.path(), &format!("[accounts.global.auth]\noauth_token = \"demo-token\"\n{}", users()));
    let visitor = Visitor::of(&bot);
    let tries: Vec<u16> = (0..6).map(|_| visitor.sign_in("ann", "guess").status).collect();
    assert_eq!(tries, [401; 6]);
    for nth in 0..3 {
        assert_eq!(visitor.sign_in(&format!("made up {nth}"), "guess").status, 401);
    }
    let begun = std::time::Instant::now();
    let right = visitor.sign_in("ann", PASSWORD);
    assert_eq!(right.status, 303, "the right one gets in");
    assert!(begun.elapsed() >= std::time::Duration::from_secs(2), "and not before its turn");
    let record = visitor.get("/record", &[("cookie", &right.cookie("starwarden").expect("a session"))]).body;
    assert_eq!(
        record.matches("was refused at sign-in").count(),
        2,
        "one for ann and one for all made-up names: {record}"
    );
    // So many wait at once, and no more.
    let waiting: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..16).map(|_| scope.spawn(|| Visitor::of(&bot).sign_in("ann", "guess").status)).collect();
        tries.into_iter().map(|one| one.join().expect("an answer")).collect()
    });
    assert!(waiting.contains(&429), "{waiting:?}");
}

#[tokio::test]
async fn refused_sign_ins_are_counted_by_address_and_by_name_from_there() {
    use starwarden::console::attempts::{Attempts, Turn};
    let (now, soon) = (std::time::Instant::now(), std::time::Duration::from_secs(1));
    let [here, there] = [std::net::IpAddr::from([192, 0, 2, 1]), std::net::IpAddr::from([192, 0, 2, 2])];
    let all = Attempts::default();
    let at_once = |from, name: &str, at| matches!(all.turn(from, name, at), Turn::Now);
    for nth in 0..200 {
        assert!(at_once(here, "ann", now), "good sign-in {nth}");
        all.succeeded(here, "ann");
    }
    assert_eq!((0..10).filter(|_| at_once(here, "ann", now)).count(), 5, "of one name, however many are under way");
    assert_eq!((0..100).filter(|nth| at_once(here, &format!("guess {nth}"), now)).count(), 20, "of one address");
    assert!(at_once(there, "ann", now), "what others do elsewhere keeps nobody waiting");
    assert!(!at_once(here, "rob", now + soon) && at_once(here, "rob", now + 70 * soon), "until the minute is over");
    for nth in 0..30_000_u32 {
        all.turn(std::net::IpAddr::from(nth.to_be_bytes()), &format!("guess {nth}"), now);
    }
    assert!(at_once([198, 51, 100, 7].into(), "ann", now), "and were it thirty thousand addresses");
}

#[test]
fn a_session_ends_when_it_is_signed_out_of_or_its_user_goes_or_may_less() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let key = "a key of thirty-two characters or more";
    let auth = "[accounts.global.auth]\noauth_token = \"demo-token\"\n";
    let extra = format!("{auth}[console]\nsession_secret = \"{key}\"\n{}", users());
    let mut bot = serve(&desk, folder.path(), &extra);
    let status = |bot: &Bot, cookie: &str| Visitor::of(bot).get("/try", &[("cookie", cookie)]).status;
    let visitor = Visitor::of(&bot);
    let [one, two, rob] =
        ["ann", "ann", "rob"].map(|name| visitor.sign_in(name, PASSWORD).cookie("starwarden").expect("a session"));
    let csrf = visitor.get("/try", &[("cookie", &one)]).csrf();
    visitor.post("/sign-out", &[("csrf", &csrf)], &[("cookie", &one)]);
    assert_eq!([&one, &two, &rob].map(|cookie| status(&bot, cookie)), [303, 200, 200], "signed out of one alone");
    assert_eq!(bot.stop(), Some(0));
    let bot = serve(&desk, folder.path(), &extra);
    assert_eq!([&one, &two, &rob].map(|cookie| status(&bot, cookie)), [303, 200, 200], "after a restart too");
    let press = |cookie: &str| {
        let visitor = Visitor::of(&bot);
        let csrf = visitor.get("/try", &[("cookie", cookie)]).csrf();
        visitor.post("/promotion/back", &[("csrf", &csrf)], &[("cookie", cookie)]).status
    };
    assert_ne!(press(&two), 403);
    let file = folder.path().join("starwarden.toml");
    let text = std::fs::read_to_string(&file).expect("the configuration");
    std::fs::write(&file, text.replacen("role = \"act\"", "role = \"read\"", 1)).expect("a file");
    wait_for("the lower role", || (press(&two) == 403).then_some(()));
    let (before, after) =
        (text.find("[console.users.rob]").expect("rob"), text.find("[console.tokens").expect("tokens"));
    std::fs::write(&file, format!("{}{}", &text[..before], &text[after..])).expect("a file");
    wait_for("the end of rob's session", || (status(&bot, &rob) == 303).then_some(()));
    assert_eq!(status(&bot, &two), 200);
    // Whoever has the key makes none that lasts longer than one that was begun here.
    let made = |hours: i64| {
        let exp = chrono::Utc::now().timestamp() + hours * 3600;
        let claims = json!({ "sub": "ann", "by": "password", "csrf": format!("made {hours}"), "exp": exp });
        let key = jsonwebtoken::EncodingKey::from_secret(key.as_bytes());
        format!(
            "starwarden={}",
            jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("a token")
        )
    };
    assert_eq!([11, 13, 30 * 8766].map(|hours| status(&bot, &made(hours))), [200, 303, 303]);
}

#[test]
fn after_sign_in_people_stay_here() {
    use starwarden::console::sign_in::own;
    for (to, lands) in [
        ("/policy", "/policy"),
        ("/tickets?query=a+b&cursor=%2F", "/tickets?query=a+b&cursor=%2F"),
        ("", "/"),
        ("policy", "/"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("\t//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/..//evil.example", "/"),
        ("/a/../..//evil.example", "/"),
        ("/.//evil.example", "/"),
        ("/%2e%2e//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\u{0}\u{7f}\u{85}b", "/a%00%7F%C2%85b"),
        ("/pol\u{202e}icy", "/pol%E2%80%AEicy"),
    ] {
        assert_eq!(own(to), lands, "{to:?}");
    }
}

#[test]
fn any_sign_of_a_proxy_closes_what_is_open_to_this_machine() {
    use std::io::{Read, Write};
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let visitor = Visitor::of(&bot);
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-anything", "1"),
        ("forwarded", "for=192.0.2.1"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "127.0.0.1"),
        ("cf-connecting-ip", "192.0.2.1"),
    ] {
        for path in ["/", "/promotion", "/api/v1/decisions"] {
            let answer = visitor.get(path, &[(name, value)]);
            assert_eq!(answer.status, 403, "{name}: {path}");
            assert!(path.starts_with("/api") || answer.body.contains("public_url"), "what to set: {}", answer.body);
        }
    }
    // nginx as it is shipped says nothing but its version of HTTP; a browser says whose page a form is on.
    let mut stream = std::net::TcpStream::connect(bot.url.trim_start_matches("http://")).expect("a connection");
    stream.write_all(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").expect("a write");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.0 403"), "{answer}");
    let page = visitor.get("/try", &[]);
    let (cookie, csrf) = (page.cookie("starwarden").expect("a session"), page.csrf());
    for (origin, status) in [("https://star.example.com", 403), ("null", 403), (&*bot.url, 200)] {
        let answer = visitor.post("/try", &[("csrf", &csrf)], &[("cookie", &cookie), ("origin", origin)]);
        assert_eq!(answer.status, status, "{origin}");
    }
}

#[test]
fn a_closed_console_tells_strangers_one_word() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let closed = serve_in(&desk, folder.path(), "", &[("STARWARDEN__SERVER__PUBLIC_URL", "https://star.example.com")]);
    let folder = tempfile::tempdir().expect("a folder");
    let extra = format!("[accounts.global.auth]\noauth_token = \"demo-token\"\n{}", users());
    let signs_in = serve(&desk, folder.path(), &extra);
    for bot in [&closed, &signs_in] {
        let visitor = Visitor::of(bot);
        wait_for("readiness", || (visitor.get("/readyz", &[]).status == 200).then_some(()));
        assert_eq!(visitor.get("/readyz", &[]).body, "{\"status\":\"ready\"}");
        let metrics = visitor.get("/metrics", &[]);
        assert!(metrics.status == 401 && !metrics.body.contains("global"), "{}", metrics.body);
        assert!([401, 403].contains(&visitor.get("/api/v1/openapi.json", &[]).status));
    }
    let token = [("authorization", "Bearer a-token-for-reports")];
    let visitor = Visitor::of(&signs_in);
    assert!(visitor.get("/readyz", &token).body.contains("sha256:"));
    assert!(visitor.get("/metrics", &token).body.contains("account=\"global\""));
    assert_eq!(visitor.get("/api/v1/openapi.json", &token).status, 200);
}

/// A stand-in OpenID provider whose every id token is signed with a key made for it.
mod provider {
    use std::sync::{Arc, Mutex};

    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use axum::extract::{Form, State};
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    /// What the next id token says, and what it was asked with.
    #[derive(Default)]
    pub(super) struct Says {
        pub(super) claims: Value,
        pub(super) verifier: String,
        /// How often it was asked what it is.
        pub(super) asked: u32,
    }

    pub(super) struct Provider {
        pub(super) issuer: String,
        pub(super) says: Arc<Mutex<Says>>,
        _runtime: tokio::runtime::Runtime,
    }

    struct Desk {
        issuer: String,
        key: EcdsaKeyPair,
        says: Arc<Mutex<Says>>,
    }

    pub(super) fn start() -> Provider {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let says = Arc::new(Mutex::new(Says::default()));
        let desk = Arc::new(Desk { issuer: issuer.clone(), key, says: says.clone() });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .with_state(desk);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Provider { issuer, says, _runtime: runtime }
    }

    async fn configuration(State(desk): State<Arc<Desk>>) -> Json<Value> {
        desk.says.lock().expect("a lock").asked += 1;
        let at = |path: &str| format!("{}{path}", desk.issuer);
        Json(
            json!({ "issuer": desk.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"), "jwks_uri": at("/keys") }),
        )
    }

    async fn keys(State(desk): State<Arc<Desk>>) -> Json<Value> {
        let point = desk.key.public_key().as_ref();
        let part = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        Json(
            json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one", "x": part(1), "y": part(33) }] }),
        )
    }

    async fn token(
        State(desk): State<Arc<Desk>>,
        Form(asked): Form<std::collections::BTreeMap<String, String>>,
    ) -> Json<Value> {
        let mut says = desk.says.lock().expect("a lock");
        says.verifier = asked.get("code_verifier").cloned().unwrap_or_default();
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let head = part(&json!({ "alg": "ES256", "typ": "JWT", "kid": "one" }));
        let signed = format!("{head}.{}", part(&says.claims));
        let signature = desk.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        Json(json!({ "id_token": format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())) }))
    }
}

#[test]
fn people_sign_in_with_an_openid_provider() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use sha2::{Digest, Sha256};

    let provider = provider::start();
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let extra = format!(
        "[accounts.global.auth]\noauth_token = \"demo-token\"\n[console.oidc]\nissuer = \"{}\"\nclient_id = \"starwarden\"\nclient_secret = \"shared\"\n\
         act = [\"support/managers\"]\nread = [\"support\"]\n",
        provider.issuer
    );
    let bot = serve_in(&desk, folder.path(), &extra, &[("STARWARDEN__SERVER__PUBLIC_URL", "http://star.test")]);
    let visitor = Visitor::of(&bot);
    let good = json!({ "iss": provider.issuer, "aud": "starwarden", "sub": "42", "preferred_username": "ann", "groups_direct": ["support/managers"], "exp": chrono::Utc::now().timestamp() + 60 });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let cases = [
        ("a manager", good.clone(), 303, "act"),
        ("one of support", with("groups_direct", json!(["support"])), 303, "read"),
        ("somebody else", with("groups_direct", json!(["sales"])), 401, ""),
        ("no groups at all", with("groups_direct", Value::Null), 401, ""),
        ("for another client", with("aud", json!("other")), 401, ""),
        ("from another issuer", with("iss", json!("https://evil.example")), 401, ""),
        ("ended", with("exp", json!(chrono::Utc::now().timestamp() - 3600)), 401, ""),
        ("of another sign-in", with("nonce", json!("another")), 401, ""),
        ("for several and nobody of them", with("aud", json!(["starwarden", "other"])), 401, ""),
        ("made for another", with("azp", json!("other")), 401, ""),
        ("made for us", with("azp", json!("starwarden")), 303, "act"),
    ];
    for (what, mut claims, status, role) in cases {
        let away = visitor.get("/sign-in/oidc?to=/policy", &[]);
        let flow = away.cookie("starwarden_flow").expect("a flow");
        let to = reqwest::Url::parse(away.location()).expect("a URL");
        let asked: BTreeMap<String, String> = to.query_pairs().into_owned().collect();
        assert_eq!(asked["redirect_uri"], "http://star.test/sign-in/callback");
        if claims.get("nonce").is_none() {
            claims["nonce"] = json!(asked["nonce"]);
        }
        provider.says.lock().expect("a lock").claims = claims;
        let back = |state: &str, flow: &str| {
            visitor.get(&format!("/sign-in/callback?code=c&state={state}"), &[("cookie", flow)])
        };
        assert_eq!(back("another", &flow).status, 401, "{what}: a state that was not ours");
        assert_eq!(back(&asked["state"], "").status, 401, "{what}: another browser");
        let home = back(&asked["state"], &flow);
        assert_eq!(home.status, status, "{what}");
        let verifier = provider.says.lock().expect("a lock").verifier.clone();
        assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), asked["code_challenge"], "{what}: PKCE");
        let session = home.cookie("starwarden");
        assert_eq!(session.is_some(), status == 303, "{what}");
        if let Some(session) = session {
            assert_eq!(home.location(), "/policy");
            let page = visitor.get("/try", &[("cookie", &session)]);
            assert!(page.status == 200 && page.body.contains("ann"), "{what}");
            let act = visitor.post("/tickets/global/1/agree", &[("csrf", &page.csrf())], &[("cookie", &session)]);
            assert_eq!(act.status, if role == "act" { 404 } else { 403 }, "{what}: its role is {role}");
        }
    }
    for _ in 0..20 {
        assert_eq!(visitor.get("/sign-in/oidc", &[]).status, 303);
    }
    assert_eq!(provider.says.lock().expect("a lock").asked, 1, "what it says of itself is good for minutes");
}

#[test]
fn a_faulty_console_configuration_is_told() {
    for (lines, told) in [
        (
            "[console.users.ann]\npassword_hash = \"secret\"\nrole = \"act\"\n",
            "console.users.ann.password_hash is no argon2 hash",
        ),
        (
            "[console.oidc]\nissuer = \"https://x\"\nclient_id = \"c\"\nclient_secret = \"s\"\n",
            "console.oidc lets nobody in",
        ),
        (
            "[console.oidc]\nissuer = \"https://x\"\nclient_id = \"c\"\nclient_secret = \"s\"\nread = [\"*\"]\n",
            "console.oidc needs server.public_url",
        ),
        ("[console.users.ann]\npassword = \"p\"\n", "unknown key"),
        (
            "[console.oidc]\nissuer = \"http://idp.example\"\nclient_id = \"c\"\nclient_secret = \"s\"\nact = [\"*\"]\n",
            "console.oidc.issuer: this address is not https",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
        let config = format!(
            "[policy]\nfile = {policy:?}\n[accounts.a]\nbase_url = \"https://a\"\nwebhook_secrets = [\"s\"]\n[accounts.a.auth]\noauth_token = \"t\"\n{lines}"
        );
        let file = folder.path().join("starwarden.toml");
        std::fs::write(&file, config).expect("a file");
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(["check", "--config"])
            .arg(&file)
            .output()
            .expect("the binary");
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && error.contains(told), "{told}: {error}");
    }
}

#[test]
fn notes_link_to_their_tickets_page_where_we_have_an_address() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__SERVER__PUBLIC_URL", "https://star.test/")]);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let reading = desk.helpdesk.reading(1).expect("the ticket");
    let html = wait_for("the note", || reading.comments.last()?.html_body.clone());
    assert!(html.contains("https://star.test/tickets/global/1"), "{html}");
}

/// The relative luminance of `#rrggbb`, by WCAG 2.2.
fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("a colour")) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

#[test]
fn every_text_has_the_contrast_of_wcag_aa_in_both_schemes() {
    let style = starwarden::console::assets::STYLE;
    let block = |from: &str| -> BTreeMap<String, String> {
        let (_, rest) = style.split_once(from).expect("a block");
        let (inside, _) = rest.split_once('}').expect("its end");
        let pairs = inside.split(';').filter_map(|line| line.trim().split_once(": "));
        pairs.filter(|(name, _)| name.starts_with("--")).map(|(name, value)| (name.into(), value.into())).collect()
    };
    let light = block(":root {");
    let mut dark = light.clone();
    dark.extend(block("(prefers-color-scheme: dark) {\n  :root {"));
    assert_ne!(light["--page"], dark["--page"]);
    let texts = [
        ("--text", "--page"),
        ("--text", "--card"),
        ("--calm", "--page"),
        ("--calm", "--card"),
        ("--link", "--page"),
        ("--link", "--card"),
        ("--button-text", "--button"),
        ("--text", "--node"),
        ("--lit-text", "--lit"),
        ("--asks-text", "--asks"),
        ("--dismisses-text", "--dismisses"),
        ("--escalates-text", "--escalates"),
        ("--other-text", "--other"),
        ("--good-text", "--good"),
        ("--bad-text", "--bad"),
    ];
    let shapes = [
        ("--edge", "--card"),
        ("--edge", "--page"),
        ("--focus", "--page"),
        ("--focus", "--card"),
        ("--lit-line", "--card"),
    ];
    for (scheme, colours) in [("light", light), ("dark", dark)] {
        for (pairs, least) in [(&texts[..], 4.5), (&shapes[..], 3.0)] {
            for (over, under) in pairs {
                let (one, other) = (luminance(&colours[*over]), luminance(&colours[*under]));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(contrast >= least, "{scheme}: {over} on {under} has {contrast:.2}, and {least} is the least");
            }
        }
    }
}

#[test]
fn a_policy_is_put_in_force_by_who_may_act_and_by_a_form_of_ours() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let candidate = format!("{}/tests/cases/older.toml", env!("CARGO_MANIFEST_DIR"));
    let bot = serve_in(&desk, folder.path(), &users(), &[("STARWARDEN__POLICY__CANDIDATE", &candidate)]);
    let visitor = Visitor::of(&bot);
    let in_force = || {
        let told = visitor.get("/readyz", &[("authorization", "Bearer a-token-for-reports")]).body;
        serde_json::from_str::<Value>(&told).expect("JSON")["policy"].clone()
    };
    let before = in_force();
    let session = |name| visitor.sign_in(name, PASSWORD).cookie("starwarden").expect("a session");
    let (ann, rob) = (session("ann"), session("rob"));
    let page = visitor.get("/promotion", &[("cookie", &ann)]);
    let (_, rest) = page.body.split_once("name=\"hash\" value=\"").expect("what is offered");
    let hash = rest.split('"').next().expect("a hash").to_owned();
    let seen = visitor.get("/promotion", &[("cookie", &rob)]);
    assert!(!seen.body.contains("/promotion/confirm") && seen.body.contains(&hash), "they may read alone");
    for (who, csrf, why) in [(&rob, seen.csrf(), "may read"), (&ann, "forged".into(), "not our form")] {
        let fields = [("csrf", &*csrf), ("hash", &*hash)];
        assert_eq!(visitor.post("/promotion/promote", &fields, &[("cookie", who)]).status, 403, "{why}");
        assert_eq!(visitor.post("/promotion/back", &fields[..1], &[("cookie", who)]).status, 403, "{why}");
    }
    let csrf = page.csrf();
    let promote = |hash: &str, backtest: &str| {
        let fields = [("csrf", &*csrf), ("hash", hash), ("backtest", backtest), ("why", "the page changed")];
        visitor.post("/promotion/promote", &fields, &[("cookie", &ann)])
    };
    assert_eq!(promote("sha256:0000000000", "").status, 400, "not what was offered");
    assert_eq!(promote(&hash, "{}").status, 400, "no backtest");
    let silent = [("csrf", &*csrf), ("hash", &*hash)];
    let refused = visitor.post("/promotion/promote", &silent, &[("cookie", &ann)]);
    assert!(refused.status == 400 && refused.body.contains("Say why"), "{}", refused.body);
    let asked = visitor.post("/promotion/confirm", &silent, &[("cookie", &ann)]).body;
    assert!(asked.contains("None was run on it.") && asked.contains("lines changed"), "{asked}");
    assert_eq!(in_force(), before, "nothing happened so far");
    assert_eq!(promote(&hash, "").location(), "/promotion?done=promote");
    let page = visitor.get("/promotion?done=promote", &[("cookie", &ann)]).body;
    let (_, force) = page.split_once("id=\"force\"").expect("what is in force");
    let force = force.split("</section>").next().expect("the section");
    assert!(force.contains(&*hash), "at once: {force}");
    assert!(!page.contains(&format!("value=\"{hash}\"")), "it is not offered again");
    wait_for("the candidate in force", || (in_force() == *hash).then_some(()));
    let told = visitor.get("/record", &[("cookie", &rob)]).body;
    assert!(told.contains(&format!("<b>ann</b> put the policy {} in force", &hash["sha256:".len()..][..12])), "{told}");
    let history = visitor.get("/promotion", &[("cookie", &rob)]).body;
    assert!(history.contains("the page changed") && history.contains("without a backtest"), "{history}");
    assert_eq!(
        visitor.post("/promotion/back", &[("csrf", &csrf)], &[("cookie", &ann)]).location(),
        "/promotion?done=back"
    );
    wait_for("the former policy", || (in_force() == before).then_some(()));
}

#[test]
fn what_is_given_is_read_by_the_ids_of_the_account_that_is_chosen() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "fields = { expires_on = 4711 }\n");
    let visitor = Visitor::of(&bot);
    let mut given = serde_json::to_value(ticket(9, &[]).ticket).expect("JSON");
    given["custom_fields"] = json!([{ "id": 4711, "value": "2020-01-01" }]);
    let given = json!({ "ticket": given, "facts": { "trial": "no", "in_grace": "no" }, "now": "2026-11-24T12:00:00Z" });
    let given = given.to_string();
    for (path, field) in [("/try", "ticket"), ("/backtest", "tickets")] {
        let page = visitor.get(path, &[]);
        assert!(page.body.contains("<option selected>global</option>"), "the only account is proposed: {}", page.body);
        let (csrf, cookie) = (page.csrf(), page.cookie("starwarden").expect("a session"));
        let told = |account: &str| {
            let fields = [("csrf", csrf.as_str()), ("account", account), (field, &given)];
            visitor.post(path, &fields, &[("cookie", &cookie)])
        };
        assert!(told("global").body.contains(">OK to STAR</span>"), "{path}: {}", told("global").body);
        assert!(!told("").body.contains(">OK to STAR</span>"), "{path}: the policy's own field is another");
        let gone = told("gone");
        assert!(gone.status == 400 && gone.body.contains("No account is called “gone”"), "{path}: {}", gone.body);
    }
}

/// The starred ticket 1, with what follows from an expiry five days ago.
fn lapsed() -> starwarden::decide::ticket::Reading {
    let mut reading = ticket(1, &["transaction_issue_renewal_help"]);
    reading.ticket.organization_id = Some(9);
    let expired = (chrono::Utc::now() - chrono::TimeDelta::days(5)).format("%Y-%m-%d").to_string();
    let organization = json!({ "id": 9, "name": "Acme", "organization_fields": { "expiration_date": expired } });
    reading.organization = Some(serde_json::from_value(organization).expect("an organisation"));
    reading
}

#[test]
fn facts_that_follow_from_others_are_shown_as_the_decision_has_them() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(lapsed());
    let bot = serve(&desk, folder.path(), "");
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let page = Visitor::of(&bot).get("/tickets/global/1", &[]).body;
    for fact in ["in_grace</span></th><td>Yes</td><td>on record: expired", "grace_ends_at</span></th><td>"] {
        assert!(page.contains(fact), "{fact}: {page}");
    }
    let mut trial = ticket(2, &["trial_extension", "trial"]);
    trial.ticket.subject = "Our trial".into();
    desk.helpdesk.add(trial);
    bot.deliver(&event("e2", 2, "tags_changed"), &[]);
    bot.notes(&desk, 2, 1);
    let page = Visitor::of(&bot).get("/tickets/global/2", &[]).body;
    assert!(page.contains("in_grace: not on the way to this verdict"), "{page}");
}

#[test]
fn what_managers_said_and_did_since_the_note_is_told() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(lapsed());
    let bot = serve(&desk, folder.path(), "");
    bot.deliver(&event("e0", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let run = |arguments: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(arguments)
            .arg("--config")
            .arg(folder.path().join("starwarden.toml"))
            .output()
            .expect("the binary");
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    };
    let visitor = Visitor::of(&bot);
    for (number, line, told) in [
        (1, "star: agree", "agreed"),
        (2, "star: disagree the renewal is in procurement", "disagreed: the renewal is in procurement"),
        (3, "star: stop", "not followed any more: Ann Agent said stop, "),
    ] {
        desk.helpdesk.say(1, 7001, line, starwarden::demo::helpdesk::Publicity::Internal);
        bot.deliver(&event(&format!("e{number}"), 1, "comment_added"), &[]);
        let who = if number == 3 { "" } else { "Ann Agent" };
        wait_for(told, || {
            let (page, shown) = (visitor.get("/tickets/global/1", &[]).body, run(&["tickets", "show", "1"]));
            let (_, line) = page.split_once("What happened").expect("the time line");
            let says = |text: &str| text.lines().any(|line| line.contains(told) && line.contains(who));
            (says(line) && says(&shown)).then_some(())
        });
    }
    let (page, shown) =
        (visitor.get("/tickets/global/1", &[]).body, run(&["tickets", "show", "1", "--format", "json"]));
    assert_eq!(page.matches("disagreed: the renewal").count(), 1, "once: {page}");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let said = |nth: usize| (shown["opinions"][nth]["who"].clone(), shown["opinions"][nth]["opinion"].clone());
    assert_eq!((said(0), said(1)), ((json!("Ann Agent"), json!("agree")), (json!("Ann Agent"), json!("disagree"))));
    // What is done at the command line stands in the record too.
    run(&["tickets", "pause", "--by", "ann", "global"]);
    let today = visitor.get("/", &[]).body;
    assert!(today.contains("class=\"warning\"") && today.contains("global is paused by ann"), "{today}");
    run(&["tickets", "resume", "--by", "rob", "global"]);
    let record = visitor.get("/record", &[]).body;
    for told in ["<b>ann</b> paused global", "<b>rob</b> ended the pause of global"] {
        assert!(record.contains(told), "{told}: {record}");
    }
}

#[test]
fn what_needs_a_manager_is_listed_first() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    // A connection each: one kept open is closed by the bot after a while, perhaps as it is used.
    let today = || Visitor::of(&bot).get("/", &[]).body;
    assert!(today().contains("no open STAR is valid"));
    for id in 1..=17 {
        let mut urgent = ticket(id, &["purchased_wrong_product", "escalated_to_sales"]);
        urgent.ticket.subject = format!("Urgent {id}");
        desk.helpdesk.add(urgent);
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        bot.notes(&desk, id, 1);
    }
    let listed = || {
        let page = today();
        let (_, section) = page.split_once("To do now").expect("the section");
        section.split_once("</section>").expect("its end").0.to_owned()
    };
    let first = listed();
    let place = |id: u64| first.find(&format!("href=\"/tickets/global/{id}\""));
    assert!(place(1).is_some() && place(1) < place(2) && place(2) < place(3), "who waits longest first: {first}");
    assert!(
        first.contains("Urgent 15<") && !first.contains("Urgent 16<") && first.contains("There are more"),
        "{first}"
    );
    // What is decided otherwise since, or over, needs nobody, and stands before nobody.
    for id in 2..=17 {
        desk.helpdesk.change(id, |reading| match id % 2 {
            0 => reading.ticket.status = "closed".into(),
            _ => reading.ticket.tags.retain(|tag| tag != "escalated_to_sales"),
        });
        bot.deliver(&event(&format!("f{id}"), id, "tags_changed"), &[]);
    }
    wait_for("the one that is left", || {
        let listed = listed();
        (listed.contains("Urgent 1<") && listed.matches("Urgent").count() == 1).then_some(())
    });
}

#[test]
fn forms_offer_the_answers_there_are() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(lapsed());
    let bot = serve(&desk, folder.path(), "");
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let visitor = Visitor::of(&bot);
    let page = visitor.get("/tickets/global/1", &[]);
    // First what the verdict rests on, each with what holds now.
    let (_, form) = page.body.split_once("Put something right").expect("the form");
    let form = form.split_once("</details>").expect("its end").0;
    let place = |words: &str| form.find(words).unwrap_or_else(|| panic!("{words}: {form}"));
    assert!(place("Is this request for a trial? Now: No") < place("Is it GitLab.com or self-managed? Now: "), "{form}");
    assert!(place("value=\"trial=yes\"") < place("value=\"deployment=saas\""), "{form}");
    assert!(form.contains("When does the plan or licence expire? <span class=\"calm\">Now: "), "{form}");
    assert!(form.contains("<input type=\"date\" name=\"value\""), "dates are picked: {form}");
    assert!(!form.contains("value=\"deployment\">"), "a fact with fixed answers is not typed: {form}");
    let (csrf, cookie) = (page.csrf(), page.cookie("starwarden").expect("a session"));
    let state = |fields: &[(&str, &str)]| {
        visitor.post("/tickets/global/1/answer", &[&[("csrf", &*csrf)], fields].concat(), &[("cookie", &cookie)])
    };
    for (fields, says) in [
        (&[("answer", "trial=perhaps")][..], "the answers are yes, no"),
        (&[("fact", "deployment"), ("value", "perhaps")], "the answers are saas, self_managed"),
        (&[("fact", "expires_at"), ("value", "soon")], "write it like 2026-11-30"),
        (&[("answer", "")], "Choose an answer"),
        (&[("fact", "expires_at"), ("value", "")], "Give an answer"),
    ] {
        let refused = state(fields);
        assert!(refused.status == 400 && refused.body.contains(says), "{fields:?}: {}", refused.body);
        assert!(refused.body.contains("What happened"), "the ticket's page stays: {}", refused.body);
    }
    let kept = state(&[("fact", "expires_at"), ("value", "soon")]).body;
    assert!(kept.contains("value=\"soon\"") && kept.contains("aria-invalid=\"true\""), "what was typed stays: {kept}");
    assert!(state(&[("answer", "trial=yes")]).location().starts_with("/tickets/global/1?done=answer&was="));
    assert!(bot.notes(&desk, 1, 2)[1].contains("somebody on this machine, console, "), "the answer is on the ticket");

    let tried = visitor.get("/try", &[]).body;
    let place = |words: &str| tried.find(words).unwrap_or_else(|| panic!("{words}: {tried}"));
    for (fact, answer) in [("deployment", "saas"), ("screenshot", "yes"), ("trial", "no")] {
        let (_, list) = tried.split_once(&format!("<select name=\"fact.{fact}\">")).unwrap_or_else(|| panic!("{fact}"));
        assert!(
            list.split_once("</select>").expect("its end").0.contains(&format!("<option value=\"{answer}\">")),
            "{fact}"
        );
    }
    assert!(place("fact.trial") < place("fact.deployment"), "the chart's questions come first");
    let verdicts = visitor.get("/decisions", &[]).body;
    assert_eq!(verdicts.matches(">Answers needed</option>").count(), 1, "{verdicts}");
}

#[test]
fn before_anything_is_compared_the_shadow_says_so() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let candidate = format!("{}/tests/cases/older.toml", env!("CARGO_MANIFEST_DIR"));
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__POLICY__CANDIDATE", &candidate)]);
    let page = Visitor::of(&bot).get("/shadow", &[]).body;
    assert!(page.contains("No ticket was decided since the candidate was configured."), "{page}");
    assert!(!page.contains("No decision differs") && !page.contains("<table"), "{page}");
}

#[test]
fn sessions_are_signed_with_no_key_that_somebody_could_guess() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("star.db-session-key"), "").expect("a key, as a full disk may leave it");
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
    let file = folder.path().join("starwarden.toml");
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite:{}\"\n[policy]\nfile = {policy:?}\n[accounts.a]\nbase_url = \"http://127.0.0.1:1\"\nwebhook_secrets = [\"s\"]\n[accounts.a.auth]\noauth_token = \"t\"\n",
        folder.path().join("star.db").display()
    );
    std::fs::write(&file, config).expect("a file");
    let done = std::process::Command::new("timeout")
        .args(["20", env!("CARGO_BIN_EXE_starwarden"), "serve", "--config"])
        .arg(&file)
        .output()
        .expect("the binary");
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(1) && told.contains("which signs sessions, is too short"), "{told}");
}

#[test]
fn a_filer_sees_what_a_star_would_get_by_number_or_address() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), &users());
    wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
    let mut unstarred = ticket(4711, &["purchased_wrong_product"]);
    unstarred.ticket.tags.retain(|tag| tag != "star_submitted");
    unstarred.ticket.created_at = Some(Utc::now());
    desk.helpdesk.add(unstarred);
    let visitor = Visitor::of(&bot);
    let rob = visitor.sign_in("rob", PASSWORD).cookie("starwarden").expect("a session");
    let csrf = visitor.get("/preview?ticket=4711", &[("cookie", &rob)]).csrf();
    let asked = |named: &str| {
        let fields = [("csrf", &*csrf), ("ticket", named), ("reason", "<script>alert(1)</script>")];
        visitor.post("/preview", &fields, &[("cookie", &rob)])
    };
    for path in [
        "agent/tickets/4711",
        "tickets/4711",
        "hc/en-us/requests/4711?page=2",
        "agent/#/tickets/4711",
        "api/v2/tickets/4711.json",
    ] {
        let told = asked(&format!("{}/{path}", desk.url));
        assert!(told.body.contains("global/4711: <span"), "{path}: {}", told.body);
    }
    for number in ["4711", "#4711", " 4711 "] {
        let told = asked(number).body;
        assert!(told.contains("global/4711: <span class=\"tag ") && told.contains("Wait for Sales"), "{told}");
        assert!(told.contains("<li>The ticket is") && !told.contains("<script>alert"), "{told}");
    }
    for (named, why) in [
        ("https://elsewhere.example/agent/tickets/4711", "a helpdesk that is configured here"),
        (&format!("{}/agent/users/4711", desk.url), "a helpdesk that is configured here"),
        ("", "a helpdesk that is configured here"),
        ("77", "Ticket global/77 is not there, or not for us to see."),
    ] {
        let told = asked(named);
        assert!(told.status == 200 && told.body.contains(why), "{named}: {}", told.body);
    }
    assert_eq!(desk.helpdesk.writes(), 0);
    let forged = [("csrf", "forged"), ("ticket", "4711")];
    assert_eq!(visitor.post("/preview", &forged, &[("cookie", &rob)]).status, 403);
    let json = [("content-type", "application/json")];
    assert_eq!(bot.post("/api/v1/preview", b"{\"ticket_id\": 4711}".to_vec(), &json).0, 401, "not signed in");
}

#[test]
fn an_address_where_nothing_is_says_so_to_people_and_to_programs() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let visitor = Visitor::of(&bot);
    let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let page = visitor.get("/nope", &browser);
    assert!(page.status == 404 && page.body.contains("<h1>Nothing here</h1>"), "{}", page.body);
    for (path, headers) in [("/api/nope", &browser[..]), ("/api/v1/nope", &[]), ("/nope", &[])] {
        let told = visitor.get(path, headers);
        let json: Value = serde_json::from_str(&told.body).expect("JSON");
        assert!(told.status == 404 && json["error"].is_string(), "{path}: {}", told.body);
    }
}

#[test]
fn what_is_watched_is_listed_by_verdict_state_and_words_page_by_page() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    for id in 1..=103 {
        let mut one = ticket(id, if id == 7 { &[] } else { &["purchased_wrong_product"] });
        one.ticket.subject = if id == 9 { "Of ACME".into() } else { "Help".into() };
        desk.helpdesk.add(one);
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    }
    (1..=103).for_each(|id| drop(bot.notes(&desk, id, 1)));
    let listed = |asked: &str| {
        let (status, body) = bot.get(&format!("/api/v1/tickets{asked}"));
        assert_eq!(status, 200, "{asked}: {body}");
        let ids = body["tickets"].as_array().expect("a list").iter().map(|it| it["id"].as_u64().expect("a number"));
        (ids.collect::<Vec<u64>>(), body["next_cursor"].clone())
    };
    wait_for("all looks to be over", || (listed("?state=idle").0.len() == 100).then_some(()));
    let (first, next) = listed("");
    assert_eq!((first, &next), ((1..=100).collect(), &json!("global/100")));
    assert_eq!(listed("?cursor=global/100&verdict="), (vec![101, 102, 103], Value::Null));
    assert_eq!(listed("?verdict=needs_facts").0, [7]);
    assert_eq!(listed("?query=acme").0, [9]);
    assert_eq!(listed("?query=42").0, [42]);
    assert_eq!(listed("?query=%25").0, [0; 0], "words, no pattern");
    assert_eq!(listed("?state=dead").0, [0; 0]);
    let one = bot.get("/api/v1/tickets?query=9").1["tickets"][0].clone();
    assert_eq!((&one["subject"], &one["verdict"]), (&json!("Of ACME"), &json!("wait_for_sales")));
    for asked in ["?state=open", "?cursor=100"] {
        assert_eq!(bot.get(&format!("/api/v1/tickets{asked}")).0, 400, "{asked}");
    }
}

#[test]
fn the_document_says_who_may_and_what_is_beside_the_api() {
    for (console, security) in [("", json!([])), (&*users(), json!([{ "token": [] }, { "session": [] }]))] {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let bot = serve(&desk, folder.path(), console);
        let token = [("authorization", "Bearer a-token-for-reports")];
        let told = Visitor::of(&bot).get("/api/v1/openapi.json", &token).body;
        let document: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(document["security"], security);
        assert_eq!(document["servers"][0]["url"], "/");
        let paths = document["paths"].as_object().expect("paths");
        for path in
            ["/webhooks/zendesk/{account}", "/healthz", "/readyz", "/metrics", "/api/v1/tickets", "/api/v1/preview"]
        {
            assert!(paths.contains_key(path), "{path}");
        }
        assert_eq!(document["paths"]["/healthz"]["get"]["security"], json!([]), "open to all");
    }
}

#[test]
fn the_report_can_be_taken_along() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), &users());
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let visitor = Visitor::of(&bot);
    let rob = visitor.sign_in("rob", PASSWORD).cookie("starwarden").expect("a session");
    let page = visitor.get("/report?days=7", &[("cookie", &rob)]).body;
    assert!(page.contains("href=\"/report/download?days=7\""), "{page}");
    let csv = wait_for("the verdict", || {
        let told = visitor.get("/report/download?days=7", &[("cookie", &rob)]);
        assert_eq!(told.headers["content-disposition"], "attachment; filename=\"star-report-7-days.csv\"");
        Some(told.body).filter(|csv| csv.contains("tickets_decided_without_a_person,,1"))
    });
    assert!(csv.contains("verdicts,wait_for_sales,Wait for Sales,1"), "{csv}");
    assert_eq!(visitor.get("/report/download", &[]).status, 303, "who is not signed in is sent to sign in");
}

#[test]
fn a_ticket_is_taken_by_one_and_done_until_it_is_decided_anew() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let users = users().replace("role = \"read\"", "role = \"act\"");
    let bot = serve(&desk, folder.path(), &format!("[accounts.global.auth]\noauth_token = \"demo-token\"\n{users}"));
    let mut lapsed = lapsed();
    lapsed.ticket.tags.push("escalated_to_sales".into());
    lapsed.ticket.tags.push("purchased_wrong_product".into());
    desk.helpdesk.add(lapsed);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let visitor = Visitor::of(&bot);
    let session = |name| visitor.sign_in(name, PASSWORD).cookie("starwarden").expect("a session");
    let (ann, rob) = (session("ann"), session("rob"));
    let today = |who: &str| visitor.get("/", &[("cookie", who)]).body;
    let press = |who: &str, act: &str, from: &str| {
        let csrf = visitor.get("/", &[("cookie", who)]).csrf();
        let fields = [("csrf", &*csrf), ("back", "/"), ("from", from)];
        let to = visitor.post(&format!("/tickets/global/1/{act}"), &fields, &[("cookie", who)]).location().to_owned();
        visitor.get(&to, &[("cookie", who)]).body
    };
    assert!(press(&ann, "take", "").contains("global/1 is yours. Others see it."));
    assert!(today(&ann).contains("yours since ") && today(&rob).contains("ann has it since "));
    let second = press(&rob, "take", "");
    assert!(second.contains("global/1 is not yours: ann has it since "), "{second}");
    assert!(second.contains("Take it over from ann"), "{second}");
    assert!(press(&rob, "take", "ann").contains("global/1 is yours."));
    assert!(press(&rob, "done", "").contains("global/1 is done."));
    assert!(today(&ann).contains("no open STAR is valid"), "what is done is not to do");
    let done = visitor.get("/tickets?show=done", &[("cookie", &ann)]).body;
    assert!(done.contains("rob said done, ") && done.contains("Give back"), "{done}");
    let record = visitor.get("/record", &[("cookie", &ann)]).body;
    assert!(
        record.contains("<b>rob</b> said it is done on") && record.contains("<b>ann</b> took the ticket on"),
        "{record}"
    );
    // A newer decision brings it back, and it is nobody's with another verdict.
    desk.helpdesk.change(1, |reading| reading.ticket.tags.retain(|tag| tag != "escalated_to_sales"));
    bot.deliver(&event("e2", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 2);
    wait_for("the ticket among those that are not done", || {
        let done = visitor.get("/tickets?show=done", &[("cookie", &ann)]).body;
        done.contains("Nobody said done").then_some(())
    });
}

#[test]
fn tickets_are_found_by_words_and_verdict() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let mut first = lapsed();
    first.ticket.subject = "Renewal 100% stuck".into();
    desk.helpdesk.add(first);
    let mut second = ticket(2, &["purchased_wrong_product", "escalated_to_sales"]);
    second.ticket.subject = "Wrong quote".into();
    desk.helpdesk.add(second);
    for id in [1, 2] {
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        bot.notes(&desk, id, 1);
    }
    let visitor = Visitor::of(&bot);
    let verdict = bot.kept(1)["decisions"][0]["decision"]["verdict"].clone();
    let of_the_first = format!("show=verdict-{}", verdict.as_str().expect("a verdict"));
    let found = |query: &str| {
        let page = visitor.get(&format!("/tickets?{query}"), &[]);
        (page.body.contains("Renewal 100% stuck"), page.body.contains("Wrong quote"), page.status)
    };
    for (query, linking, quote) in [
        ("find=renewal", true, false),
        ("find=QUOTE", false, true),
        ("find=acme", true, false), // Its organisation.
        ("find=100%25", true, false),
        ("find=%25", true, false), // A sign like any other.
        ("find=global/2", false, true),
        ("find=nothing", false, false),
        ("show=verdict-ok_to_star", false, true),
        (&*of_the_first, true, false),
        ("", true, true),
    ] {
        assert_eq!(found(query), (linking, quote, 200), "{query}");
    }
    assert_eq!(visitor.get("/tickets?find=%232", &[]).location(), "/tickets/global/2");
    let none = visitor.get("/tickets?find=nothing", &[]).body;
    assert!(none.contains("No open ticket has “nothing” in its number, subject or organisation."), "{none}");
    let tabs = visitor.get("/tickets", &[]).body;
    assert!(tabs.contains("OK to STAR <b>1</b>"), "{tabs}");
}

#[test]
fn an_answer_from_the_note_is_confirmed_before_it_counts() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let auth = "[accounts.global.auth]\noauth_token = \"demo-token\"\n";
    let bot = serve(&desk, folder.path(), &format!("{auth}{}", users()));
    desk.helpdesk.add(lapsed());
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let visitor = Visitor::of(&bot);
    let link = "/tickets/global/1?answer=trial%3Dyes";
    let to = visitor.get(link, &[]).location().to_owned();
    assert_eq!(to, "/sign-in?to=%2Ftickets%2Fglobal%2F1%3Fanswer%3Dtrial%253Dyes", "the whole address is kept");
    let fields = [("name", "ann"), ("password", PASSWORD), ("to", link)];
    let signed_in = visitor.post("/sign-in", &fields, &[]);
    assert_eq!(signed_in.location(), link);
    let cookie = signed_in.cookie("starwarden").expect("a session");
    let page = visitor.get(link, &[("cookie", &cookie)]);
    assert!(page.body.contains("Is this request for a trial? Yes") && page.body.contains(">Confirm<"), "{}", page.body);
    let kept = || visitor.get("/api/v1/tickets/global/1", &[("cookie", &cookie)]).body;
    assert!(kept().contains("\"answers\":[]"), "an address changes nothing: {}", kept());
    let odd = visitor.get("/tickets/global/1?answer=trial%3Dperhaps", &[("cookie", &cookie)]).body;
    assert!(odd.contains("cannot be taken") && !odd.contains(">Confirm<"), "{odd}");
    let gone = visitor.get("/tickets/global/1?answer=yes", &[("cookie", &cookie)]).body;
    assert!(gone.contains("Nothing is proposed any more") && !gone.contains(">Confirm<"), "{gone}");
    let csrf = page.csrf();
    let fields = [("csrf", &*csrf), ("answer", "trial=yes")];
    visitor.post("/tickets/global/1/answer", &fields, &[("cookie", &cookie)]);
    assert!(bot.notes(&desk, 1, 2)[1].contains("ann, console, "), "the answer is on the ticket");
}

#[test]
fn a_promotion_takes_two_people_where_that_is_configured() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let candidate = format!("{}/tests/cases/older.toml", env!("CARGO_MANIFEST_DIR"));
    let users = users().replace("role = \"read\"", "role = \"act\"");
    let auth = "[accounts.global.auth]\noauth_token = \"demo-token\"\n";
    let environment = [("STARWARDEN__POLICY__CANDIDATE", &*candidate), ("STARWARDEN__POLICY__SECOND_PERSON", "true")];
    let bot = serve_in(&desk, folder.path(), &format!("{auth}{users}"), &environment);
    let visitor = Visitor::of(&bot);
    let session = |name| visitor.sign_in(name, PASSWORD).cookie("starwarden").expect("a session");
    let (ann, rob) = (session("ann"), session("rob"));
    let promote = |who: &str, why: &str| {
        let page = visitor.get("/promotion", &[("cookie", who)]);
        let (_, rest) =
            page.body.split_once("name=\"hash\" value=\"").unwrap_or_else(|| panic!("{}: {}", page.status, page.body));
        let (csrf, hash) = (page.csrf(), rest.split('"').next().expect("a hash").to_owned());
        let fields = [("csrf", &*csrf), ("hash", &*hash), ("why", why)];
        visitor.post("/promotion/promote", &fields, &[("cookie", who)]).location().to_owned()
    };
    assert_eq!(promote(&ann, "the page changed"), "/promotion?done=wait");
    assert_eq!(promote(&ann, "the page changed again"), "/promotion?done=wait", "one person is not two");
    let waits = visitor.get("/promotion", &[("cookie", &rob)]).body;
    assert!(waits.contains("ann asked for it") && waits.contains("the page changed again"), "{waits}");
    assert_eq!(promote(&rob, "so do I"), "/promotion?done=promote");
    let history = visitor.get("/promotion", &[("cookie", &rob)]).body;
    assert!(history.contains("<b>rob</b> promoted") && history.contains("asked for by ann"), "{history}");
}

#[test]
fn words_and_known_tickets_can_be_tried() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(lapsed());
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    let visitor = Visitor::of(&bot);
    let page = visitor.get("/try", &[]);
    let (csrf, cookie) = (page.csrf(), page.cookie("starwarden").expect("a session"));
    let tried = |text: &str| visitor.post("/try", &[("csrf", &csrf), ("ticket", text)], &[("cookie", &cookie)]).body;
    let words = tried("Please extend our trial, nobody can log in any more.");
    assert!(words.contains("A customer&#x27;s words") || words.contains("A customer&#39;s words"), "{words}");
    assert!(words.contains("<q>“") && words.contains("% sure"), "what was read, and in which words: {words}");
    for text in ["1", "#1", "global/1", "https://example.zendesk.com/agent/tickets/1"] {
        let known = tried(text);
        assert!(known.contains("No need for STAR") && known.contains("The facts that are kept of global/1"), "{known}");
    }
    assert!(tried("77").contains("No ticket 77 is known here"));
    assert!(tried("{\"tags\": 5").contains("This is not a ticket"));
}
