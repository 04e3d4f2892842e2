//! Follow-ups: the STAR issue and the chat, on a stand-in for both.

use std::path::Path;

use chrono::Utc;
use serde_json::{Value, json};
use starwarden::decide::ticket::{Comment, TicketKey};
use starwarden::demo::elsewhere::{Elsewhere, PROJECT, TOKEN, Trouble, US, WEBHOOK};
use starwarden::demo::helpdesk::Publicity;
use starwarden::elsewhere::gitlab::Issue;
use starwarden::work::follow_ups::named::{Named, among};

use crate::support::{Bot, Desk, desk, postgres, serve, serve_in, ticket, wait_for};

/// A GitLab project and a chat on a port of their own.
struct Other {
    elsewhere: Elsewhere,
    url: String,
    _runtime: tokio::runtime::Runtime,
}

fn other() -> Other {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let elsewhere = Elsewhere::default();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = elsewhere.router();
    runtime.spawn(async move { axum::serve(listener, router).await });
    Other { elsewhere, url, _runtime: runtime }
}

impl Other {
    /// Both switched on, and nothing waited for longer than a test may take.
    fn config(&self) -> String {
        format!(
            "[work]\ntries = 3\nanswer_within = \"1s\"\nlease = \"2s\"\n\
             [star_issues]\ngitlab = \"{}\"\nproject = \"{PROJECT}\"\ntoken = \"{TOKEN}\"\n\
             [chat]\nwebhook_url = \"{}{WEBHOOK}\"\n",
            self.url, self.url
        )
    }

    fn writes(&self) -> Vec<String> {
        self.elsewhere.calls().into_iter().filter(|call| !call.starts_with("GET")).collect()
    }
}

/// A ticket that needs no STAR, by the policy: a trial that is not sales assisted.
const NO_NEED: &str = "star: trial=yes, sales_assisted=no";
/// One that is OK to STAR.
const OK: &str = "star: trial=no, in_grace=no, expires_at=2020-01-01";

/// Stars a ticket on which a manager said this already, and waits for the note.
fn starred(bot: &Bot, desk: &Desk, id: u64, said: &str) -> String {
    let mut reading = ticket(id, &[]);
    reading.ticket.subject = "Zebra crossing".into();
    let mut comment = Comment::of(said);
    comment.id = 900_000 + id;
    comment.author_id = Some(7001);
    comment.created_at = Some(Utc::now() - chrono::TimeDelta::hours(1));
    reading.comments.push(comment);
    desk.helpdesk.add(reading);
    assert_eq!(bot.deliver(&json!({ "ticket_id": id }), &[]).0, 200);
    let note = bot.notes(desk, id, 1).remove(0);
    starwarden::decide::note::reference(&note).expect("an id").to_owned()
}

/// Where a ticket's follow-up stands, once it stands somewhere else than planned or due.
#[track_caller]
fn settled(bot: &Bot, id: u64, kind: &str) -> Value {
    wait_for(&format!("the end of {kind} of ticket {id}"), || {
        let told = bot.get(&format!("/api/v1/tickets/global/{id}")).1;
        let all = told["follow_ups"].as_array().cloned().unwrap_or_default();
        all.into_iter()
            .find(|one| one["kind"] == kind && !["planned", "due"].contains(&one["state"].as_str().unwrap_or("")))
    })
}

#[test]
fn the_star_issue_gets_its_label_and_one_comment() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    other.elsewhere.add_issue("STAR: another ticket, 1234567", "");
    let issue = other.elsewhere.add_issue("STAR", &format!("Please look at {}/agent/tickets/123456", desk.url));
    other.elsewhere.add_comment(issue, 7, "Looking. starwarden · ref ABCDEFGH");
    let bot = serve(&desk, folder.path(), &other.config());
    let reference = starred(&bot, &desk, 123_456, NO_NEED);
    let end = settled(&bot, 123_456, "star_issue");
    assert_eq!(
        (end["state"].as_str(), end["what"].as_str()),
        (Some("done"), Some(format!("{}/{PROJECT}/-/issues/2", other.url).as_str()))
    );
    let kept = other.elsewhere.issue(issue).expect("the issue");
    assert_eq!(kept.labels, ["unstarred"]);
    let [_, (author, comment)] = kept.comments.as_slice() else { panic!("one comment of ours: {kept:#?}") };
    assert_eq!(*author, US);
    insta::assert_snapshot!(comment.replace(&desk.url, "https://example.zendesk.com").replace(&reference, "REFERENCE"));
    assert_eq!(other.elsewhere.issue(1).expect("the other").labels, Vec::<String>::new());
    assert_eq!(other.elsewhere.said(), Vec::<String>::new(), "no STAR is no news");
}

#[test]
fn what_went_wrong_is_tried_again_and_never_doubled() {
    const LOST: Trouble = Trouble::LostAnswer;
    std::thread::scope(|all| {
        for (name, troubles) in [
            ("lost answers", &[LOST, LOST] as &[Trouble]),
            ("failures", &[Trouble::Status(500), Trouble::Status(503)]),
            ("a limit", &[Trouble::Limited(1)]),
            ("silence", &[Trouble::Silence, Trouble::Silence]),
        ] {
            all.spawn(move || done_once(name, troubles));
        }
    });
}

/// The STAR issue is brought to where it should be in spite of these troubles.
fn done_once(name: &str, troubles: &[Trouble]) {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let issue = other.elsewhere.add_issue("STAR #123456", "");
    other.elsewhere.make_trouble(troubles);
    let bot = serve(&desk, folder.path(), &other.config());
    starred(&bot, &desk, 123_456, NO_NEED);
    assert_eq!(settled(&bot, 123_456, "star_issue")["state"], "done", "{name}");
    let kept = other.elsewhere.issue(issue).expect("the issue");
    assert_eq!((kept.labels.len(), kept.comments.len()), (1, 1), "{name}: {kept:#?}");
}

#[test]
fn killed_between_the_comment_and_its_record_it_is_found_again() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let issue = other.elsewhere.add_issue("STAR 123456", "");
    other.elsewhere.add_label(issue, "unstarred"); // So that the comment is the one write.
    other.elsewhere.make_trouble(&[Trouble::Silence]);
    let mut bot = serve(&desk, folder.path(), &other.config());
    starred(&bot, &desk, 123_456, NO_NEED);
    let comments = || other.elsewhere.issue(issue).expect("the issue").comments.len();
    wait_for("the comment", || (comments() == 1).then_some(()));
    bot.kill();
    let bot = serve(&desk, folder.path(), &other.config());
    assert_eq!(settled(&bot, 123_456, "star_issue")["state"], "done");
    assert_eq!(comments(), 1);
}

#[test]
fn two_replicas_write_one_comment_each_ticket() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = runtime.block_on(postgres::shared().database());
    let tickets = 123_451..=123_458_u64;
    for id in tickets.clone() {
        other.elsewhere.add_issue(&format!("STAR {id}"), "");
    }
    let replica = |folder: &Path| serve_in(&desk, folder, &other.config(), &[("STARWARDEN__STORE__URL", &url)]);
    let (one, second) = (replica(folder.path()), replica(folder.path()));
    for id in tickets.clone() {
        starred(if id % 2 == 0 { &one } else { &second }, &desk, id, NO_NEED);
    }
    for id in tickets.clone() {
        assert_eq!(settled(&one, id, "star_issue")["state"], "done");
    }
    for issue in 1..=tickets.count() {
        let kept = other.elsewhere.issue(issue).expect("the issue");
        assert_eq!((kept.labels.len(), kept.comments.len()), (1, 1), "{kept:#?}");
    }
}

#[test]
fn what_is_unclear_is_left_alone_and_shown_until_somebody_sends_it_back() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let both = [1, 2].map(|_| other.elsewhere.add_issue("STAR for 123456", ""));
    let bot = serve(&desk, folder.path(), &other.config());
    starred(&bot, &desk, 123_456, NO_NEED);
    starred(&bot, &desk, 223_456, NO_NEED);
    let end = settled(&bot, 123_456, "star_issue");
    assert_eq!(end["state"], "unclear", "{end}");
    assert_eq!(end["why"], "several open issues name the ticket, and none was touched: #1, #2");
    assert_eq!(settled(&bot, 223_456, "star_issue")["why"], "no open issue names the ticket");
    assert_eq!(other.writes(), Vec::<String>::new(), "nothing was touched");
    let today = bot.text("/");
    assert!(today.contains("several open issues name the ticket"), "{today}");
    for issue in both {
        assert_eq!(other.elsewhere.issue(issue).expect("the issue").comments.len(), 0);
    }
    let issue = other.elsewhere.add_issue("STAR", "ZD 223456");
    bot.press(223_456, "try-again");
    wait_for("the comment", || (other.elsewhere.issue(issue)?.comments.len() == 1).then_some(()));
}

#[test]
fn who_is_refused_waits_and_says_so_and_the_tickets_are_worked_all_the_same() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let issue = other.elsewhere.add_issue("STAR 123456", "");
    let wrong = other.config().replace(TOKEN, "file:gitlab-token");
    std::fs::write(folder.path().join("gitlab-token"), "another").expect("a file");
    let bot = serve(&desk, folder.path(), &wrong);
    starred(&bot, &desk, 123_456, NO_NEED);
    let says = |line: &str| bot.text("/metrics").contains(line).then_some(());
    wait_for("the refusal", || says("starwarden_destination_ready{destination=\"star_issue\"} 0"));
    wait_for("the chat to be well", || says("starwarden_destination_ready{destination=\"chat\"} 1"));
    assert_eq!(bot.get("/readyz").0, 200, "it is not the bot's job that is lacking");
    starred(&bot, &desk, 123_457, OK);
    assert_eq!(settled(&bot, 123_457, "escalation")["state"], "done", "the other destination goes on");
    std::fs::write(folder.path().join("gitlab-token"), TOKEN).expect("a file");
    wait_for("the comment, with the right token", || (other.elsewhere.issue(issue)?.comments.len() == 1).then_some(()));
}

#[test]
fn a_dead_letter_is_told_and_a_redirect_is_not_followed() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    other.elsewhere.add_issue("STAR 123456", "");
    other.elsewhere.make_trouble(&[Trouble::Elsewhere; 3]);
    let bot = serve(&desk, folder.path(), &other.config());
    starred(&bot, &desk, 123_456, NO_NEED);
    let end = settled(&bot, 123_456, "star_issue");
    assert_eq!((end["state"].as_str(), end["error"].as_str()), (Some("dead"), Some("it answered with status 307")));
    let metrics = bot.text("/metrics");
    for line in [
        "starwarden_follow_ups_stuck{destination=\"star_issue\"} 1",
        "starwarden_follow_ups_total{destination=\"star_issue\",result=\"retry\"} 2",
        "starwarden_follow_ups_total{destination=\"star_issue\",result=\"dead\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    assert!(bot.text("/tickets/global/123456").contains("it answered with status 307"));
}

#[test]
fn the_chat_hears_of_what_is_urgent_in_the_policys_words() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), &other.config());
    let soon = (Utc::now() + chrono::TimeDelta::hours(25)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let ok = starred(&bot, &desk, 1, OK);
    let flips = starred(&bot, &desk, 2, &format!("star: trial=no, in_grace=yes, grace_ends_at={soon}"));
    for (id, kind) in [(1, "escalation"), (2, "about_to_flip")] {
        assert_eq!(settled(&bot, id, kind)["state"], "done", "{kind}");
    }
    let said = other.elsewhere.said();
    let of = |reference: &str| said.iter().filter(|text| text.ends_with(reference)).collect::<Vec<_>>();
    let ([ok], [flips]) = (&of(&ok)[..], &of(&flips)[..]) else { panic!("one message each: {said:#?}") };
    assert!(ok.starts_with("OK to STAR: ticket global 1."), "{ok}");
    assert!(flips.starts_with("About to flip: ticket global 2 is \"No need for STAR\" until "), "{flips}");
    for text in [ok, flips] {
        assert!(text.contains(&format!("{}/agent/tickets/", desk.url)), "{text}");
        assert!(!text.contains("Zebra"), "a customer's words: {text}");
    }
}

#[test]
fn only_the_newest_decision_acts() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), &other.config());
    starred(&bot, &desk, 123_456, NO_NEED); // Its issue is not there yet.
    desk.helpdesk.say(123_456, 7001, "star: sales_assisted=yes, expires_at=2020-01-01", Publicity::Internal);
    bot.deliver(&json!({ "ticket_id": 123_456 }), &[]);
    bot.notes(&desk, 123_456, 2);
    let issue = other.elsewhere.add_issue("STAR 123456", "");
    assert_eq!(settled(&bot, 123_456, "star_issue")["state"], "moot");
    assert_eq!(settled(&bot, 123_456, "escalation")["state"], "done");
    assert_eq!(other.elsewhere.issue(issue).expect("the issue").comments.len(), 0);
}

/// What turns [`NO_NEED`] into a verdict that escalates.
const TURNED: &str = "star: sales_assisted=yes, expires_at=2020-01-01";

/// A manager says more on a ticket.
fn said(bot: &Bot, desk: &Desk, id: u64, words: &str) {
    desk.helpdesk.say(id, 7001, words, Publicity::Internal);
    bot.deliver(&json!({ "ticket_id": id }), &[]);
}

#[test]
fn a_label_of_ours_goes_when_the_verdict_turns_and_comes_back_with_it() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let issue = other.elsewhere.add_issue("STAR 123456", "");
    let bot = serve(&desk, folder.path(), &other.config());
    starred(&bot, &desk, 123_456, NO_NEED);
    assert_eq!(settled(&bot, 123_456, "star_issue")["state"], "done");
    let kept = || other.elsewhere.issue(issue).expect("the issue");
    assert_eq!(kept().labels, ["unstarred"]);
    said(&bot, &desk, 123_456, TURNED);
    assert_eq!(settled(&bot, 123_456, "unlabel")["state"], "done");
    let turned = kept();
    assert_eq!((turned.labels.len(), turned.comments.len()), (0, 2), "{turned:#?}");
    let newest = bot.notes(&desk, 123_456, 2).pop().expect("a note");
    let reference = starwarden::decide::note::reference(&newest).expect("an id");
    let comment = turned.comments[1].1.replace(&desk.url, "https://example.zendesk.com");
    insta::assert_snapshot!(comment.replace(reference, "REFERENCE"));
    said(&bot, &desk, 123_456, "star: sales_assisted=no");
    wait_for("the label and its comment", || (kept().labels.len() == 1 && kept().comments.len() == 3).then_some(()));
    let ways: Vec<&str> = kept().moves.iter().map(|(_, way, _)| *way).collect();
    assert_eq!(ways, ["add", "remove", "add"]);
}

#[test]
fn a_label_that_somebody_else_put_on_or_took_away_is_theirs() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let [theirs, ours] = [123_456, 123_457].map(|id| other.elsewhere.add_issue(&format!("STAR {id}"), ""));
    other.elsewhere.add_label(theirs, "unstarred");
    let bot = serve(&desk, folder.path(), &other.config());
    for (id, issue) in [(123_456, theirs), (123_457, ours)] {
        starred(&bot, &desk, id, NO_NEED);
        assert_eq!(settled(&bot, id, "star_issue")["state"], "done");
        if issue == ours {
            other.elsewhere.remove_label(issue, "unstarred");
        }
        said(&bot, &desk, id, TURNED);
        assert_eq!(settled(&bot, id, "unlabel")["why"], "the issue bears no label of ours");
        assert_eq!(other.elsewhere.issue(issue).expect("the issue").comments.len(), 1);
    }
    assert_eq!(other.elsewhere.issue(theirs).expect("the issue").labels, ["unstarred"]);
}

#[test]
fn a_label_is_taken_away_once_whatever_goes_wrong() {
    std::thread::scope(|all| {
        for troubles in [[Trouble::LostAnswer; 2], [Trouble::Status(503); 2], [Trouble::Silence; 2]] {
            all.spawn(move || {
                let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
                let issue = other.elsewhere.add_issue("STAR 123456", "");
                let config = other.config();
                let (issues_alone, _) = config.split_once("[chat]").expect("both");
                let bot = serve(&desk, folder.path(), issues_alone);
                starred(&bot, &desk, 123_456, NO_NEED);
                assert_eq!(settled(&bot, 123_456, "star_issue")["state"], "done");
                other.elsewhere.make_trouble(&troubles);
                said(&bot, &desk, 123_456, TURNED);
                assert_eq!(settled(&bot, 123_456, "unlabel")["state"], "done", "{troubles:?}");
                let kept = other.elsewhere.issue(issue).expect("the issue");
                assert_eq!((kept.moves.len(), kept.comments.len()), (2, 2), "{troubles:?}: {kept:#?}");
            });
        }
    });
}

#[test]
fn who_disagrees_is_not_talked_over() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), &other.config().replace("tries = 3", "tries = 8"));
    starred(&bot, &desk, 123_456, NO_NEED); // Its issue is not there yet.
    desk.helpdesk.say(123_456, 7001, "star: disagree the trial is sales assisted", Publicity::Internal);
    bot.deliver(&json!({ "ticket_id": 123_456 }), &[]);
    let end = settled(&bot, 123_456, "star_issue");
    assert_eq!(
        (end["state"].as_str(), end["why"].as_str()),
        (Some("moot"), Some("somebody disagreed with the decision"))
    );
}

#[test]
fn the_doctor_tells_how_both_stand() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    drop(serve(&desk, folder.path(), &other.config()));
    let sound = std::fs::read_to_string(folder.path().join("starwarden.toml")).expect("the configuration");
    for (from, to, says) in [
        ("", "", "STAR issues             we are user 41 in support/star, label unstarred"),
        ("", "", "chat                    its address is readable"),
        (TOKEN, "another", "put a token with the scope api into star_issues.token"),
        (PROJECT, "support/elsewhere", "support/elsewhere: it answered with status 404"),
        ("[chat]\nwebhook_url = \"", "[chat]\nwebhook_url = \"file:nowhere/", "chat.webhook_url: the secret file"),
    ] {
        let file = folder.path().join("starwarden.toml");
        std::fs::write(&file, sound.replacen(from, to, 1)).expect("a file");
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(["doctor", "--config"])
            .arg(&file)
            .output()
            .expect("the binary");
        let told = String::from_utf8(run.stdout).expect("text");
        assert!(told.contains(says), "{says} in {told}");
    }
    assert_eq!(other.writes(), Vec::<String>::new(), "it only asks");
}

/// Which of these issues is ticket 123456's at help.example.com.
#[track_caller]
fn check(texts: &[&str], expected: &str) {
    let issues: Vec<Issue> = (1..)
        .zip(texts)
        .map(|(iid, text)| {
            let (title, description) = text.split_once('|').unwrap_or((text, ""));
            Issue {
                iid,
                title: title.into(),
                description: Some(description.into()),
                labels: Vec::new(),
                web_url: String::new(),
            }
        })
        .collect();
    let ticket = TicketKey { account: "global".into(), id: 123_456 };
    let found = match among(&issues, &ticket, "help.example.com") {
        Named::One(issue) => issue.iid.to_string(),
        Named::None => "none".into(),
        Named::Several(all) => format!("{all:?}"),
    };
    assert_eq!(found, expected, "{texts:#?}");
}

#[test]
fn an_issue_is_a_tickets_where_it_holds_its_address_or_its_very_number() {
    for (texts, expected) in [
        (&["STAR|https://help.example.com/agent/tickets/123456"] as &[&str], "1"),
        (&["STAR|see [it](https://help.example.com/agent/tickets/123456)."], "1"),
        (&["STAR|<https://HELP.example.com/agent/tickets/123456?brand=1#c2>"], "1"),
        (&["https://help.example.com/hc/en-us/requests/123456"], "1"),
        (&["STAR|https://other.example.com/agent/tickets/123456"], "none"),
        (&["STAR|https://help.example.com.evil.example/agent/tickets/123456"], "none"),
        (&["STAR|https://help.example.com/agent/tickets/1234567"], "none"),
        (&["STAR|https://help.example.com/agent/tickets/1 about 123456"], "none"),
        (&["STAR #123456"], "1"),
        (&["Ticket 123456: renewal"], "1"),
        (&["ZD123456"], "none"),
        (&["STAR (123456)."], "1"),
        (&["1234567"], "none"),
        (&["0123456"], "none"),
        (&["1.123456"], "none"),
        (&["123456.5"], "none"),
        (&["licence-123456"], "none"),
        (&["gitlab-org/gitlab/issues/123456"], "none"),
        (&["no number", "still none"], "none"),
        (&["STAR 123456", "STAR again 123456"], "[1, 2]"),
        (&["STAR 123456", "STAR|https://help.example.com/agent/tickets/123456"], "2"),
        (&["a|https://help.example.com/agent/tickets/123456", "b|https://help.example.com/tickets/123456"], "[1, 2]"),
    ] {
        check(texts, expected);
    }
}

#[test]
fn secrets_and_addresses_are_refused_in_words_that_do_not_show_them() {
    let (desk, other, folder) = (desk(), other(), tempfile::tempdir().expect("a folder"));
    drop(serve(&desk, folder.path(), &other.config()));
    let sound = std::fs::read_to_string(folder.path().join("starwarden.toml")).expect("the configuration");
    for (from, to, says) in [
        (other.url.as_str(), "http://gitlab.example.com", "not https, and secrets are sent there"),
        ("[chat]\nwebhook_url = \"http://", "[chat]\nwebhook_url = \"hook/", "chat.webhook_url: this is no address"),
        ("[chat]\n", "[chat]\ncolour = 1\n", "unknown key `colour`"),
        (PROJECT, "https://gitlab.com/support/star", "star_issues.project names none"),
    ] {
        let file = folder.path().join("changed.toml");
        std::fs::write(&file, sound.replacen(from, to, 1)).expect("a file");
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(["serve", "--config"])
            .arg(&file)
            .output()
            .expect("the binary");
        let told = String::from_utf8(run.stderr).expect("text");
        assert!(!run.status.success() && told.contains(says), "{says} in {told}");
        for secret in ["a-secret-address", TOKEN] {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
}
