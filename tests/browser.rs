//! The console in a real browser: its journeys, a hostile ticket, and what the browser itself has to say.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use starwarden::decide::ticket::{Attachment, Comment, Organization, User};
use starwarden::demo::helpdesk::Publicity;

use crate::support::tools::library;
use crate::support::{Bot, Desk, copy_policy, desk, event, serve, serve_in, ticket};

const SCRIPT: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>";

/// Texts that stand out too little from what lies behind them, by WCAG's measure of contrast, level AA.
const FAINT: &str = r#"
const numbers = text => text.match(/[\d.]+/g).map(Number);
const light = colour => colour.slice(0, 3).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, nth) => sum + c * [0.2126, 0.7152, 0.0722][nth], 0);
const contrast = (one, other) => { const [high, low] = [light(one), light(other)].sort((a, b) => b - a); return (high + 0.05) / (low + 0.05); };
const behind = element => {
    for (; element; element = element.parentElement) {
        const colour = numbers(getComputedStyle(element).backgroundColor);
        if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
};
const faint = [];
const check = (text, style, ground) => {
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = contrast(numbers(style.color), ground);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${text.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
};
for (const element of document.querySelectorAll('body *')) {
    const typed = element.matches('input, select, textarea');
    const says = typed || [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!says || element.closest('svg') || !element.checkVisibility()) continue;
    check(element.textContent || element.name, getComputedStyle(element), behind(element));
    if (element.placeholder) check(element.placeholder, getComputedStyle(element, '::placeholder'), behind(element));
}
for (const node of document.querySelectorAll('.chart .node')) {
    const words = node.querySelector('.words');
    check(words.textContent, getComputedStyle(words), numbers(getComputedStyle(node.querySelector('.outline')).fill));
}
return faint;
"#;

/// Everything on the page that can be pressed, typed into or scrolled, in the order in which it is read.
const STOPS: &str = r#"
window.stops = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
    .filter(element => element.checkVisibility());
return stops.length;
"#;

/// Which of them has the keys, and whether that is seen.
const FOCUSED: &str = r#"
const element = document.activeElement, shape = element.querySelector('.outline');
const style = getComputedStyle(element), drawn = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
return [stops.indexOf(element), drawn || (shape !== null && parseFloat(getComputedStyle(shape).strokeWidth) >= 4), element.outerHTML.slice(0, 120)];
"#;

/// Nodes of the way's end that are out of sight in the chart, and whether the facts reach past their window.
const OUT_OF_SIGHT: &str = r#"
const window = document.querySelector('.picture').getBoundingClientRect(), facts = document.querySelector('.facts');
const inside = shape => shape.left >= window.left && shape.right <= window.right;
const end = [...document.querySelectorAll(`.chart .node.lit[href$="node=${arguments[0]}"]`)];
return [end.length, end.filter(node => !inside(node.querySelector('.outline').getBoundingClientRect())).length, facts.scrollWidth > facts.clientWidth];
"#;

/// Chromedriver on a port of its own; it is killed when dropped.
struct Driver {
    child: Child,
    port: u16,
    /// Where it goes on to speak: it would end where nobody listens.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    fn start() -> Driver {
        let mut child = Command::new("chromedriver")
            .arg("--port=0") // It takes a free one itself, so that nobody else can, and tells which.
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver; tests/run installs it");
        let mut said = BufReader::new(child.stdout.take().expect("its output")).lines();
        let lines = said.by_ref().map_while(Result::ok);
        let mut told = lines
            .filter_map(|line| line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok());
        let port = told.next().expect("chromedriver's port");
        Driver { child, port, _said: said }
    }

    async fn open(&self, profile: &Path) -> Client {
        let mut wanted = Capabilities::new();
        let profile = format!("--user-data-dir={}", profile.display());
        wanted.insert(
            "goog:chromeOptions".into(),
            json!({ "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", profile] }),
        );
        wanted.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL", "performance": "ALL" }));
        let begun = Instant::now();
        loop {
            let builder = ClientBuilder::new(HttpConnector::new()).capabilities(wanted.clone()).to_owned();
            match builder.connect(&format!("http://127.0.0.1:{}", self.port)).await {
                Ok(client) => return client,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "chromedriver: {error}"),
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Own(&'static str, Value);

impl WebDriverCompatibleCommand for Own {
    fn endpoint(
        &self,
        base: &reqwest::Url,
        session: Option<&str>,
    ) -> Result<reqwest::Url, <reqwest::Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &reqwest::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.1.to_string()))
    }
}

struct Page {
    client: Client,
    bot: String,
    screenshots: PathBuf,
}

impl Page {
    async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.bot)).await.expect("a page");
    }

    async fn find(&self, css: &str) -> Element {
        self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Waits until the page says these words: a click may still be under way.
    async fn says(&self, words: &str) {
        let begun = Instant::now();
        loop {
            let body = self.client.find(Locator::Css("body")).await;
            let text = match body {
                Ok(body) => body.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if text.contains(words) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(15), "the page does not say {words:?}:\n{text}");
            tokio::task::yield_now().await;
        }
    }

    async fn eval(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("a value")
    }

    /// A picture of the whole page, kept for people to look at.
    async fn picture(&self, name: &str) {
        let wide =
            self.eval("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]").await;
        assert!(wide[0].as_i64() <= wide[1].as_i64(), "{name} is wider than its window: {wide}");
        let whole = Own(
            "goog/cdp/execute",
            json!({ "cmd": "Page.captureScreenshot", "params": { "captureBeyondViewport": true } }),
        );
        let shot = self.client.issue_cmd(whole).await.expect("a screenshot");
        use base64::Engine;
        let png =
            base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().expect("data")).expect("a picture");
        std::fs::write(self.screenshots.join(format!("{name}.png")), png).expect("a file");
    }

    /// What axe-core, the common checker of accessibility, finds wrong, with everything unfolded.
    async fn accessible(&self, name: &str, axe: &str) {
        self.eval(axe).await;
        let check = "const done = arguments[0]; document.querySelectorAll('details').forEach(it => it.open = true); \
                     axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations.map(it => `${it.id}: ${it.nodes[0].html}`)))";
        let found = self.client.execute_async(check, Vec::new()).await.expect("a value");
        assert_eq!(found, json!([]), "{name}: what axe finds");
    }

    /// Every text can be read by who sees little.
    async fn readable(&self, name: &str) {
        assert_eq!(self.eval(FAINT).await, json!([]), "{name}: texts of too little contrast");
    }

    /// The Tab key alone leads to everything, in order, and shows where it is.
    async fn by_keyboard(&self, name: &str) {
        let wanted = self.eval(STOPS).await.as_i64().expect("a number");
        let tab = |kind: &str| json!({ "type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
        let mut reached = -1;
        for _ in 0..wanted * 6 {
            for kind in ["rawKeyDown", "keyUp"] {
                let press = json!({ "cmd": "Input.dispatchKeyEvent", "params": tab(kind) });
                self.client.issue_cmd(Own("goog/cdp/execute", press)).await.expect("a key");
            }
            let at = self.eval(FOCUSED).await;
            let place = at[0].as_i64().expect("a place");
            // A date has several stops of its own.
            assert!(place == reached || place == reached + 1, "{name}: after {reached} of {wanted} comes {at}");
            assert_eq!(at[1], true, "{name}: nobody sees that the keys are at {at}");
            reached = place;
            if reached + 1 == wanted {
                return;
            }
        }
        panic!("{name}: the keys come to {reached} of {wanted} and no further");
    }

    async fn scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let command = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.client.issue_cmd(Own("goog/cdp/execute", command)).await.expect("a colour scheme");
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.client.issue_cmd(Own("se/log", json!({ "type": kind }))).await.expect("a log");
        log.as_array().cloned().unwrap_or_default()
    }
}

/// A ticket whose every text is an attack.
fn hostile(id: u64, tags: &[&str]) -> starwarden::decide::ticket::Reading {
    let mut reading = ticket(id, tags);
    reading.ticket.subject = format!("{SCRIPT} extend our trial");
    reading.ticket.description = format!("Please extend our trial {SCRIPT}");
    reading.ticket.organization_id = Some(1);
    reading.organization = Some(Organization { id: 1, name: format!("Acme {SCRIPT}"), ..Organization::default() });
    reading.users.push(User { id: 5002, name: format!("Mallory {SCRIPT}"), ..User::default() });
    let mut comment = Comment::of(format!("trial extension {SCRIPT}"));
    comment.id = 1;
    comment.author_id = Some(5002);
    comment.public = true;
    comment.created_at = reading.ticket.created_at;
    comment.attachments =
        vec![Attachment { file_name: format!("screenshot {SCRIPT}.png"), content_type: "image/png".into() }];
    reading.comments.push(comment);
    reading
}

fn starred(bot: &Bot, desk: &Desk, reading: starwarden::decide::ticket::Reading) {
    let id = reading.ticket.id;
    desk.helpdesk.add(reading);
    assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]).0, 200);
    bot.notes(desk, id, 1);
}

/// Opens a browser on a bot and goes through a journey. The browser may complain of `expected` answers and of nothing
/// else, and may ask nobody but the bot.
fn browse(bot: &Bot, expected: &[&str], journey: impl AsyncFnOnce(&Page)) {
    let screenshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&screenshots).expect("a folder");
    let (driver, profile) = (Driver::start(), tempfile::tempdir().expect("a folder"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = driver.open(profile.path()).await;
        client.set_window_size(1200, 900).await.expect("a window");
        let page = Page { client, bot: bot.url.clone(), screenshots };
        journey(&page).await;
        let complaints = page.log("browser").await.into_iter().filter(|entry| entry["level"] == "SEVERE");
        let unexpected = |entry: &Value| !expected.iter().any(|words| entry["message"].to_string().contains(words));
        let errors: Vec<Value> = complaints.filter(unexpected).collect();
        assert!(errors.is_empty(), "the browser complains: {errors:#?}");
        for entry in page.log("performance").await {
            let message: Value = serde_json::from_str(entry["message"].as_str().expect("a message")).expect("JSON");
            let message = &message["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url = message["params"]["request"]["url"].as_str().expect("a URL");
                let ours = url.starts_with(&page.bot) || url.starts_with("data:") || url.starts_with("chrome");
                assert!(ours, "a request to elsewhere: {url}");
            }
        }
        page.client.close().await.expect("an end");
    });
}

#[test]
fn a_manager_finds_their_way_through_the_console() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let candidate = format!("{}/tests/cases/older.toml", env!("CARGO_MANIFEST_DIR"));
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__POLICY__CANDIDATE", &candidate)]);
    starred(&bot, &desk, ticket(1, &["purchased_wrong_product"]));
    starred(&bot, &desk, hostile(2, &["trial_extension"]));
    browse(&bot, &[], async |page: &Page| {
        journeys(page, &bot, &desk).await;
        looks(page).await;
    });
}

#[test]
fn people_sign_in_and_see_what_they_may_do() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let hash = starwarden::console::sign_in::hash("correct horse").expect("a hash");
    let user =
        |name: &str, role: &str| format!("[console.users.{name}]\npassword_hash = \"{hash}\"\nrole = \"{role}\"\n");
    let auth = "[accounts.global.auth]\noauth_token = \"demo-token\"\n";
    let bot = serve(&desk, folder.path(), &format!("{auth}{}{}", user("ann", "act"), user("rob", "read")));
    starred(&bot, &desk, ticket(1, &["purchased_wrong_product"]));
    // A refused sign-in is answered with 401, which the browser logs.
    browse(&bot, &["401 (Unauthorized)"], async |page: &Page| {
        let sign_in = async |name: &str, password: &str| {
            page.eval("document.querySelector('input[name=name]').value = ''").await;
            page.find("input[name='name']").await.send_keys(name).await.expect("typed");
            page.find("input[name='password']").await.send_keys(&format!("{password}\n")).await.expect("typed");
        };
        page.go("/tickets/global/1").await;
        page.says("Sign in").await;
        assert_eq!(page.eval("return document.activeElement.name").await, "name", "what is first is ready to type in");
        page.picture("sign-in").await;
        sign_in("ann", "a guess").await;
        page.says("Name or password is wrong.").await;
        page.picture("sign-in-refused").await;
        assert_eq!(
            page.eval("return document.querySelector('input[name=name]').value").await,
            "ann",
            "what was typed stays"
        );
        assert_eq!(page.eval("return document.activeElement.name").await, "password", "what is to be typed again");
        sign_in("ann", "correct horse").await;
        page.says("Look again").await; // On the page that was wanted, with its buttons.
        page.says("ann").await;
        page.click("form.who button").await;
        page.says("Sign in").await;
        page.go("/").await;
        page.says("Sign in").await; // The session is over.
        sign_in("rob", "correct horse").await;
        page.says("Decided today").await;
        page.go("/tickets/global/1").await;
        page.says("The way through the chart").await;
        assert_eq!(
            page.eval("return document.querySelectorAll('main form').length").await,
            0,
            "who reads has no buttons"
        );
        page.picture("ticket-reader").await;
        page.go("/record").await;
        for said in ["ann was refused at sign-in", "ann signed in", "ann signed out", "rob signed in"] {
            page.says(said).await;
        }
    });
}

#[test]
fn what_changed_of_the_policy_is_shown_line_by_line() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let own = |name: &str| folder.path().join(name);
    copy_policy(folder.path());
    let policy = own("star.toml").display().to_string();
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__POLICY__FILE", &policy)]);
    let before = bot.get("/readyz").1["policy"].as_str().expect("a hash").to_owned();
    let chart = std::fs::read_to_string(own("star.mmd")).expect("the chart");
    let changed = chart.replace("Pass[Ok to STAR]", "Pass[Off to the manager on call]");
    assert_ne!(chart, changed);
    std::fs::write(own("star.mmd"), changed).expect("a file");
    crate::support::wait_for("the new policy", || (bot.get("/readyz").1["policy"] != before.as_str()).then_some(()));
    browse(&bot, &[], async |page: &Page| {
        page.go("/policy").await;
        page.says(&before["sha256:".len()..][..12]).await;
        page.click("#versions ~ ol summary").await;
        let lines = |class: &str| {
            format!(
                "return [...document.querySelectorAll('#versions ~ ol .{class}')].map(line => line.textContent.trim()).join('\\n')"
            )
        };
        let (added, removed) = (page.eval(&lines("added")).await, page.eval(&lines("removed")).await);
        assert!(
            added.as_str().is_some_and(|line| line.starts_with('+') && line.contains("Off to the manager on call")),
            "{added}"
        );
        assert!(removed.as_str().is_some_and(|line| line.starts_with('-') && line.contains("Ok to STAR")), "{removed}");
        assert_eq!(added.as_str().map(|lines| lines.lines().count()), Some(1), "one line changed: {added}");
        page.picture("policy-changed").await;
    });
}

/// What the API says, asked from within the browser's runtime.
fn asked(bot: &Bot, path: &str) -> Value {
    tokio::task::block_in_place(|| bot.get(path).1)
}

async fn journeys(page: &Page, bot: &Bot, desk: &Desk) {
    page.go("/").await;
    page.says("Waiting for an answer").await;
    // The hostile ticket is text wherever it is shown.
    page.click("a[href='/tickets/global/2']").await;
    for words in [&format!("{SCRIPT} extend our trial"), &format!("Acme {SCRIPT}")] {
        page.says(words).await;
    }
    assert_eq!(
        page.eval("return [document.images.length, ...[...document.scripts].map(it => it.src.split('?')[0])]").await,
        json!([0, format!("{}/assets/console.js", page.bot)])
    );
    page.picture("ticket-hostile").await;
    // A question is answered; the bot looks again and its note names who said so.
    page.click("form[action$='/answer'] button[value='no']").await;
    page.says("Your answer is kept.").await;
    let notes = tokio::task::block_in_place(|| bot.notes(desk, 2, 2));
    assert!(notes[1].contains("somebody on this machine, console, "), "the note names its source: {}", notes[1]);
    page.go("/tickets/global/2").await;
    page.says("somebody on this machine answered").await;
    // Agree, disagree, look again, stop.
    page.go("/tickets/global/1").await;
    page.click("button[formaction$='/agree']").await;
    page.says("kept that you agree").await;
    page.find("input[name='why']").await.send_keys("the renewal is in procurement").await.expect("typed");
    page.click("form[action$='/disagree'] button:not([formaction])").await;
    page.says("disagreed: the renewal is in procurement").await;
    page.click("button[formaction$='/look-again']").await;
    page.says("The bot ").await;
    page.click("button[formaction$='/stop']").await;
    page.says("follows this ticket no more").await;
    tokio::task::block_in_place(|| {
        crate::support::wait_for("the stop", || {
            (bot.get("/api/v1/tickets/global/1").1["watch"]["state"] == "stopped").then_some(())
        });
    });
    page.picture("ticket").await;
    // The chart leads to a node's tickets, by mouse and by keyboard.
    page.go("/policy").await;
    page.picture("policy").await;
    page.find(".chart a.node[href$='node=WP']").await.send_keys("\u{e007}").await.expect("entered");
    page.says("global/1").await;
    page.picture("decisions").await;
    // Try it: a verdict at once, and nothing is written.
    let before = asked(bot, "/api/v1/decisions");
    page.go("/try").await;
    page.click("main details summary").await;
    page.find("select[name='fact.trial']").await.select_by_label("Yes").await.expect("chosen");
    page.find("select[name='fact.sales_assisted']").await.select_by_label("No").await.expect("chosen");
    page.click("main form > button").await;
    page.says("No need for STAR").await;
    page.picture("try").await;
    page.go("/try").await;
    page.find("textarea").await.send_keys("{\"tags\": 5").await.expect("typed");
    page.click("main form > button").await;
    page.says("This is not a ticket").await;
    assert_eq!(asked(bot, "/api/v1/decisions"), before, "nothing was written");
    page.go("/record").await;
    page.says("somebody on this machine disagreed: the renewal is in procurement on global/1").await;
    page.picture("record").await;
    candidates(page).await;
    // By keyboard the first stop is past the menu.
    page.go("/").await;
    page.find("body").await.send_keys("\t").await.expect("a key");
    assert_eq!(page.eval("return document.activeElement.className").await, "skip");
}

/// A candidate is looked at, tried on a past ticket, put in force, and taken back.
async fn candidates(page: &Page) {
    page.go("/policy").await;
    page.click("a[href='/shadow']").await;
    page.says("As tickets are decided").await;
    page.click("a[href='/backtest']").await;
    let past = json!({ "ticket": ticket(9, &[]).ticket, "facts": { "trial": "no", "expires_at": "2026-11-11" }, "now": "2026-11-24T12:00:00Z" });
    page.find("textarea").await.send_keys(&past.to_string()).await.expect("typed");
    page.click("main form.stack > button").await;
    page.says("1 verdict would differ").await;
    page.picture("backtest-tried").await;
    page.find("form[action='/promotion/confirm'] textarea[name='why']")
        .await
        .send_keys("the page changed")
        .await
        .expect("typed");
    page.click("form[action='/promotion/confirm'] button").await;
    page.says("Put it in force?").await;
    page.picture("promotion-asked").await;
    page.click("form[action='/promotion/promote'] button").await;
    page.says("Put in force: every replica").await;
    page.says("the page changed").await;
    page.says("on a backtest of 1 ticket: 1 verdict differs").await;
    page.click("#history ~ ol details summary").await;
    page.picture("promotion-made").await;
    page.click("form[action='/promotion/back'] button").await;
    page.says("The former policy is in force again").await;
    page.go("/record").await;
    page.says("somebody on this machine took the newest promotion back").await;
}

/// Every page in the dark and on a phone.
async fn looks(page: &Page) {
    let axe = std::fs::read_to_string(library("axe-core", "4.14.1").join("axe.min.js")).expect("axe-core");
    for (name, path) in [
        ("today", "/"),
        ("tickets", "/tickets"),
        ("ticket", "/tickets/global/2"),
        ("ticket-sales", "/tickets/global/1"),
        ("policy", "/policy"),
        ("decisions", "/decisions"),
        ("preview", "/preview"),
        ("try", "/try"),
        ("record", "/record"),
        ("tickets-none", "/tickets?find=nothing"),
        ("ticket-tapped", "/tickets/global/2?answer=trial%3Dyes"),
        ("examples", "/policy/words?fact=trial"),
        ("shadow", "/shadow"),
        ("backtest", "/backtest"),
        ("promotion", "/promotion"),
        ("report", "/report"),
    ] {
        for scheme in ["light", "dark"] {
            for (device, width) in [("desk", 1440), ("tablet", 768), ("phone", 390)] {
                let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
                let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size });
                page.client.issue_cmd(Own("goog/cdp/execute", command)).await.expect("a size");
                page.scheme(scheme).await;
                page.go(path).await;
                let name = format!("{name}-{scheme}-{device}");
                page.accessible(&name, &axe).await;
                if device == "tablet" {
                    continue;
                }
                page.go(path).await;
                page.picture(&name).await;
                page.readable(&name).await;
                if path == "/tickets/global/1" {
                    let seen = page.client.execute(OUT_OF_SIGHT, vec![json!("WP")]).await.expect("a value");
                    assert_eq!(
                        seen,
                        json!([1, 0, false]),
                        "{name}: the way's end, and every column of the facts, are seen"
                    );
                }
                // What is to be confirmed has the keys at once.
                if (scheme, device) == ("light", "desk") && !path.contains("answer=") {
                    page.by_keyboard(&name).await;
                }
            }
        }
    }
}

/// A ticket of who is locked out, and what a manager on call does with it.
#[test]
fn a_manager_on_call_sees_what_is_to_be_done_now() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    starred(&bot, &desk, ticket(1, &["purchased_wrong_product", "escalated_to_sales"]));
    let mut soon = ticket(2, &["trial_extension", "sm_sales_assisted_trial"]);
    soon.ticket.subject = "Trial ends tonight".into();
    desk.helpdesk.add(soon);
    desk.helpdesk.say(2, 7001, &format!("star: expires_at={}", chrono::Utc::now().date_naive()), Publicity::Internal);
    assert_eq!(bot.deliver(&event("e2", 2, "tags_changed"), &[]).0, 200);
    crate::support::wait_for("a verdict", || {
        (bot.kept(2)["decisions"][0]["decision"]["verdict"] == "ok_to_star").then_some(())
    });
    starred(&bot, &desk, ticket(3, &[]));
    browse(&bot, &[], async |page: &Page| {
        // What must I do now? First what has a deadline, then what has none.
        page.go("/").await;
        let order = "return [...document.querySelectorAll('#now ~ .rows .number')].map(it => it.textContent)";
        assert_eq!(page.eval(order).await, json!(["global/2", "global/1"]));
        page.says(" left").await;
        page.says("as of ").await;
        page.picture("desk").await;
        page.click("#t-global-2 button[aria-label^='Take it']").await;
        page.says("global/2 is yours. Others see it.").await;
        page.says("yours since ").await;
        page.click("#t-global-2 button[formaction$='/agree']").await;
        page.says("Thank you: kept that you agree with global/2.").await;
        page.says("you agreed").await;
        assert_eq!(page.eval("return document.querySelectorAll('#t-global-2 [formaction$=agree]').length").await, 0);
        page.click("#t-global-2 button[formaction$='/done']").await;
        page.says("global/2 is done.").await;
        assert_eq!(page.eval(order).await, json!(["global/1"]));
        // A question is answered in its row.
        page.eval("document.querySelector('#t-global-3 input[name=value]').value = '2020-01-01'").await;
        page.click("#t-global-3 form[action$='/answer'] button").await;
        page.says("Your answer on global/3 is kept.").await;
        tokio::task::block_in_place(|| bot.notes(&desk, 3, 2));
        // Why this verdict?
        page.go("/").await;
        page.click("#t-global-1 a.go").await;
        for said in ["Sales has intervened", "The way through the chart", "What is known"] {
            page.says(said).await;
        }
        page.picture("desk-why").await;
        // Without its script the page says the same.
        let off = json!({ "cmd": "Emulation.setScriptExecutionDisabled", "params": { "value": true } });
        page.client.issue_cmd(Own("goog/cdp/execute", off)).await.expect("no scripts");
        page.go("/").await;
        page.says("global/1").await;
    });
}

#[test]
fn an_answer_is_one_tap_away_and_a_date_is_put_right() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    starred(&bot, &desk, ticket(1, &["transaction_issue_renewal_help"]));
    // A date that makes no sense is answered with 400, which the browser logs.
    browse(&bot, &["400 (Bad Request)"], async |page: &Page| {
        page.go("/tickets/global/1?answer=trial%3Dyes#answer").await;
        page.says("You chose in the note").await;
        page.says("Is this request for a trial? Yes").await;
        page.picture("tapped").await;
        assert_eq!(asked(&bot, "/api/v1/tickets/global/1")["answers"], json!([]), "an address changes nothing");
        page.click(".tapped button").await;
        page.says("Your answer is kept.").await;
        tokio::task::block_in_place(|| bot.notes(&desk, 1, 2));
        page.says("It was decided anew with it").await; // The page finds out by itself.
        // A date is picked; one that makes no sense keeps the page and what was typed.
        page.go("/tickets/global/1").await;
        page.click("details.right summary").await;
        let set = |value: &str| {
            format!(
                "const form = document.querySelector('details.right input[name=fact][value=expires_at]').form; \
                 form.elements.value.type = 'text'; form.elements.value.value = '{value}'; form.noValidate = true; form.submit()"
            )
        };
        page.eval(&set("soon")).await;
        page.says("write it like 2026-11-30").await;
        assert_eq!(
            page.eval("return document.querySelector('[aria-invalid=true]').getAttribute('value')").await,
            "soon"
        );
        page.picture("date-refused").await;
        page.eval(&set("2020-02-02")).await;
        page.says("Your answer is kept.").await;
        let notes = tokio::task::block_in_place(|| bot.notes(&desk, 1, 3));
        assert!(notes[2].contains("2 Feb 2020"), "{}", notes[2]);
    });
}

#[test]
fn a_policy_is_promoted_with_its_differences_in_sight() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    copy_policy(folder.path());
    let chart = std::fs::read_to_string(folder.path().join("star.mmd")).expect("the chart");
    let changed = chart.replace("Pass[Ok to STAR]", "Pass[Off to the manager on call]");
    std::fs::write(folder.path().join("star.mmd"), changed).expect("a file");
    let candidate = folder.path().join("star.toml").display().to_string();
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__POLICY__CANDIDATE", &candidate)]);
    browse(&bot, &[], async |page: &Page| {
        page.go("/promotion").await;
        page.says("“Ok to STAR” now reads “Off to the manager on call”").await;
        page.click(".chart .node.other").await; // It is marked in the chart, and leads to its decisions as any other.
        page.go("/promotion").await;
        page.picture("promotion-diff").await;
        page.find("textarea[name='why']").await.send_keys("the handbook changed").await.expect("typed");
        page.click("form[action='/promotion/confirm'] > button").await;
        page.says("None was run on it.").await;
        page.says("the handbook changed").await;
        page.click("form[action='/promotion/promote'] button").await;
        page.says("Put in force").await;
        page.says("promotion 1, without a backtest").await;
        page.picture("promotion-done").await;
    });
}
