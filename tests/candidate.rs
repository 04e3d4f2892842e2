//! A candidate beside the policy in force: compared, promoted, taken back, by the real binary.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use starwarden::demo::helpdesk::Publicity;
use tempfile::TempDir;

use crate::support::{Bot, Desk, copy_policy, desk, event, postgres, serve_in, ticket, wait_for};

/// A folder with the shipped policy and a candidate that takes it that Sales knows of each purchase of the wrong product; the
/// store is beside it, or elsewhere.
pub(crate) struct Place {
    pub(crate) desk: Desk,
    pub(crate) folder: TempDir,
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Place {
    fn new(store: Option<String>) -> Place {
        Place::with(store, "[\"escalated_to_sales\"]", "[\"escalated_to_sales\", \"purchased_wrong_product\"]")
    }

    /// The same with another candidate: the shipped policy with one text in the place of another.
    pub(crate) fn with(store: Option<String>, from: &str, to: &str) -> Place {
        let place = Place { desk: desk(), folder: tempfile::tempdir().expect("a folder"), environment: Vec::new() };
        copy_policy(place.folder.path());
        std::fs::copy(place.file("star.toml"), place.file("next.toml")).expect("a copy");
        place.change("next.toml", from, to);
        let path = |name| place.file(name).display().to_string();
        let url = store.unwrap_or_else(|| format!("sqlite:{}", path("star.db")));
        let environment = vec![
            ("STARWARDEN__POLICY__FILE", path("star.toml")),
            ("STARWARDEN__POLICY__CANDIDATE", path("next.toml")),
            ("STARWARDEN__STORE__URL", url),
            ("USER", "ann".to_owned()),
        ];
        Place { environment, ..place }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    pub(crate) fn change(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.file(name)).expect("a file");
        assert!(text.contains(from), "{name} has no {from}");
        std::fs::write(self.file(name), text.replace(from, to)).expect("a file");
    }

    pub(crate) fn bot(&self) -> Bot {
        self.bot_with("")
    }

    fn bot_with(&self, configuration: &str) -> Bot {
        let environment: Vec<(&str, &str)> = self.environment.iter().map(|(name, value)| (*name, &**value)).collect();
        serve_in(&self.desk, self.folder.path(), configuration, &environment)
    }

    /// Runs a command on the same configuration: exit code, results, errors.
    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(arguments)
            .arg("--config")
            .arg(self.file("starwarden.toml"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the binary");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    pub(crate) fn status(&self) -> Value {
        let (code, out, errors) = self.run(&["policy", "status", "--format", "json"]);
        assert_eq!(code, Some(0), "{errors}");
        serde_json::from_str(&out).expect("JSON")
    }

    /// A ticket with this tag, starred and decided; how its note begins.
    fn decided(&self, bot: &Bot, id: u64, tag: &str) -> String {
        self.desk.helpdesk.add(ticket(id, &[tag, "trial"]));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        let note = bot.notes(&self.desk, id, 1).remove(0);
        note.split('.').next().unwrap_or_default().to_owned()
    }
}

/// Waits until a bot decides by a policy; what it warns of then.
#[track_caller]
fn decides_by(bot: &Bot, policy: &Value) -> String {
    let ready = wait_for(&format!("a bot that decides by {policy}"), || {
        Some(bot.get("/readyz").1).filter(|body| body["policy"] == *policy)
    });
    ready["warning"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_candidate_decides_beside_the_policy_and_is_never_acted_on() {
    let place = Place::new(None);
    let bot = place.bot();
    assert_eq!(place.decided(&bot, 1, "purchased_wrong_product"), "Wait for Sales");
    assert_eq!(place.decided(&bot, 2, "trial_extension"), "No need for STAR");
    let status = place.status();
    let compared = &status["compared"];
    assert_eq!((&compared["decisions"], &compared["differing"]), (&json!(2), &json!(1)));
    assert_eq!(compared["verdicts"], json!({ "no_need": { "no_need": 1 }, "wait_for_sales": { "ok_to_star": 1 } }));
    let differs = &compared["newest"][0];
    assert_eq!((&differs["number"], &differs["was"]["verdict"]), (&json!(1), &json!("wait_for_sales")));
    assert_eq!((&differs["becomes"]["verdict"], &differs["parts_at"]["node"]), (&json!("ok_to_star"), &json!("WP")));
    let tags = place.desk.helpdesk.reading(1).expect("a ticket").ticket.tags;
    assert!(!tags.contains(&"star_escalation".to_owned()), "{tags:?}");
    assert_eq!(place.desk.helpdesk.notes(1).len(), 1, "the candidate writes nothing");

    place.change("next.toml", "yes_no = \"trial\"", "yes_no = \"trail\"");
    let warned = wait_for("a word on the faulty candidate", || {
        let body = bot.get("/readyz").1;
        body["warning"].as_str().map(str::to_owned)
    });
    assert!(warned.contains("next.toml") && warned.contains("trail"), "{warned}");
    assert_eq!(place.decided(&bot, 3, "purchased_wrong_product"), "Wait for Sales", "the policy goes on");
    let (code, _, errors) = place.run(&["check"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("next.toml:39:10"), "{errors}");
}

#[test]
fn a_ticket_that_only_the_candidate_speaks_of_is_compared_and_left_alone() {
    let place = Place::new(None);
    place.change("next.toml", "tag_any = [\"lr\"]", "tag_any = [\"lr\", \"renewals\"]");
    let bot = place.bot();
    let mut elsewhere = ticket(1, &["trial_extension", "trial", "renewals"]);
    elsewhere.ticket.tags.retain(|tag| tag != "lr");
    elsewhere.ticket.ticket_form_id = None;
    place.desk.helpdesk.add(elsewhere);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let compared = wait_for("a comparison", || {
        Some(place.status()["compared"].clone()).filter(|compared| compared["decisions"] == 1)
    });
    assert_eq!(compared["verdicts"], json!({ "not_applicable": { "no_need": 1 } }));
    assert_eq!((&compared["newest"][0]["number"], &compared["newest"][0]["reference"]), (&json!(1), &json!("")));
    assert_eq!(compared["not_comparable"], 0);
    assert_eq!(place.desk.helpdesk.notes(1), [""; 0], "nothing is written");
}

#[test]
fn what_the_candidate_alone_asks_of_a_system_is_asked_or_told_to_be_missing() {
    let place = Place::new(None);
    let answers = "HTTP/1.1 200 OK\r\nContent-Length: 25\r\nConnection: close\r\n\r\n{\"plan\":{\"trial\":\"true\"}}";
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for call in listener.incoming() {
            let mut call = call.expect("a call");
            let mut head = [0; 2048];
            let read = std::io::Read::read(&mut call, &mut head).expect("a head");
            match head[..read].starts_with(b"GET /2 ") {
                true => silent.push(call), // No answer.
                false => std::io::Write::write_all(&mut call, answers.as_bytes()).expect("an answer"),
            }
        }
    });
    place.change(
        "next.toml",
        "https://gitlab.com/api/v4/namespaces/{namespace_id}/gitlab_subscription",
        &format!("http://127.0.0.1:{port}/{{namespace_id}}"),
    );
    for name in ["star.toml", "next.toml"] {
        place.change(
            name,
            "system = \"gitlab\"\nurl = \"https://gitlab.com/api/v4/namespaces/{namespace_id}\"",
            "system = \"off\"\nurl = \"https://gitlab.com/api/v4/namespaces/{namespace_id}\"",
        );
    }
    place.change(
        "star.toml",
        "system = \"gitlab\"\nurl = \"https://gitlab.com/api/v4/namespaces/{namespace_id}/gitlab_subscription\"",
        "system = \"off\"\nurl = \"https://gitlab.com/api/v4/namespaces/{namespace_id}/gitlab_subscription\"",
    );
    let more = "[lookups.gitlab]\nhosts = [\"127.0.0.1\"]\n";
    let bot = place.bot_with(more);
    for (id, says) in [
        (1, "star: request=plan_license, namespace_id=1, sales_assisted=no"),
        (2, "star: request=plan_license, namespace_id=2, sales_assisted=no"),
    ] {
        place.desk.helpdesk.add(ticket(id, &[]));
        place.desk.helpdesk.say(id, 7001, says, Publicity::Internal);
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        bot.notes(&place.desk, id, 1);
    }
    let compared = wait_for("both", || {
        let compared = place.status()["compared"].clone();
        Some(compared).filter(|compared| compared["decisions"] == 1 && compared["not_comparable"] == 1)
    });
    assert_eq!(compared["verdicts"], json!({ "needs_facts": { "no_need": 1 } }));
    let (_, out, _) = place.run(&["policy", "status"]);
    assert!(out.contains("1 more cannot be compared: a system of record the candidate asks did not answer"), "{out}");
}

#[test]
fn a_promotion_decides_the_next_ticket_and_one_step_back_restores_what_was() {
    let place = Place::new(None);
    let bot = place.bot();
    let before = place.status();
    let next = before["candidate"]["policy"].as_str().expect("a hash").to_owned();
    let (code, _, errors) = place.run(&["policy", "promote", "0123456789"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains(&next), "what is offered is told: {errors}");
    assert_eq!(place.decided(&bot, 1, "purchased_wrong_product"), "Wait for Sales");

    let past = json!({ "id": 9, "tags": ["star_submitted", "lr", "purchased_wrong_product"], "updated_at": "2026-11-24T12:00:00Z" });
    std::fs::write(place.file("past.ndjson"), format!("{past}\n")).expect("a file");
    let tickets = place.file("past.ndjson").display().to_string();
    let (code, out, errors) = place.run(&["policy", "promote", &next[..20], "--tickets", &tickets]);
    assert_eq!((code, out.contains(&next)), (Some(0), true), "{errors}");
    let warned = decides_by(&bot, &json!(next));
    assert!(warned.contains("star.toml is not in force"), "{warned}");
    assert_eq!(place.decided(&bot, 2, "purchased_wrong_product"), "OK to STAR");

    // A file that is edited later waits to be promoted itself, and says so.
    place.change("star.toml", "title = \"Wait for Sales\"", "title = \"Sales first\"");
    place.change("starwarden.toml", "[store]", "# read anew\n[store]");
    let edited = wait_for("the edited file", || {
        Some(place.status()["file"]["policy"].clone()).filter(|policy| *policy != before["in_force"])
    });
    assert_eq!(decides_by(&bot, &json!(next)), warned);

    let (code, out, errors) = place.run(&["policy", "back"]);
    assert_eq!((code, out.contains(before["in_force"].as_str().expect("a hash"))), (Some(0), true), "{errors}");
    decides_by(&bot, &before["in_force"]);
    assert_eq!(
        place.decided(&bot, 3, "purchased_wrong_product"),
        "Wait for Sales",
        "as it was, whatever the file says"
    );
    let history = place.status()["history"].clone();
    let told: Vec<_> = history.as_array().expect("a list").iter().map(|it| (&it["policy"], &it["who"])).collect();
    assert_eq!(told, [(&before["in_force"], &json!("ann")), (&json!(next), &json!("ann"))]);
    assert_eq!(history[1]["backtest"]["against"]["differing"], 1, "with the backtest it was promoted on");
    assert!(place.run(&["policy", "back"]).2.contains("no promotion to take back"));

    let (code, _, errors) = place.run(&["policy", "promote", edited.as_str().expect("a hash")]);
    assert_eq!(code, Some(0), "{errors}");
    decides_by(&bot, &edited);
    assert_eq!(place.decided(&bot, 4, "purchased_wrong_product"), "Sales first");
    drop(bot);
    let again = place.bot();
    decides_by(&again, &edited);
}

#[test]
fn a_backtest_of_another_change_is_refused() {
    let place = Place::new(None);
    drop(place.bot());
    let next = place.status()["candidate"]["policy"].as_str().expect("a hash").to_owned();
    let (policy, other) = (place.file("star.toml").display().to_string(), "tests/cases/older.toml");
    let past = json!({ "id": 9, "tags": ["star_submitted", "lr"], "updated_at": "2026-11-24T12:00:00Z" });
    std::fs::write(place.file("past.ndjson"), format!("{past}\n")).expect("a file");
    let tickets = place.file("past.ndjson").display().to_string();
    for (against, why) in [(Some(other), "the backtest tried sha256:"), (None, "tried one policy alone")] {
        let mut arguments = vec!["backtest", &tickets, "--policy", &policy, "--format", "json"];
        arguments.extend(against.iter().flat_map(|against| ["--against", against]));
        let summary = place.run(&arguments).1;
        std::fs::write(place.file("summary.json"), summary).expect("a file");
        let file = place.file("summary.json").display().to_string();
        let (code, _, errors) = place.run(&["policy", "promote", &next, "--backtest", &file]);
        assert_eq!((code, errors.contains(why)), (Some(1), true), "{errors}");
    }
    assert_eq!(place.status()["history"], json!([]));
}

#[test]
fn replicas_on_one_database_take_a_promotion_alike() {
    let url = tokio::runtime::Runtime::new().expect("a runtime").block_on(postgres::shared().database());
    let place = Place::new(Some(url));
    let replicas = [place.bot(), place.bot()];
    let before = place.status()["in_force"].clone();
    let next = place.status()["candidate"]["policy"].clone();
    let (code, _, errors) = place.run(&["policy", "promote", next.as_str().expect("a hash")]);
    assert_eq!(code, Some(0), "{errors}");
    replicas.iter().for_each(|bot| drop(decides_by(bot, &next)));
    assert_eq!(place.decided(&replicas[1], 1, "purchased_wrong_product"), "OK to STAR");
    assert_eq!(place.run(&["policy", "back"]).0, Some(0));
    replicas.iter().for_each(|bot| drop(decides_by(bot, &before)));
}
