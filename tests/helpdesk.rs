//! What a real helpdesk does that an invented one does not: entities, authors who are nobody, merges, long tickets.

use std::io::Cursor;

use serde_json::{Value, json};
use starwarden::commands::each;
use starwarden::decide::line::WithFacts;
use starwarden::decide::loose;
use starwarden::decide::signature;
use starwarden::decide::ticket::{Comment, User};
use starwarden::demo::helpdesk::{BOT_ID, Publicity};

use crate::support::{desk, event, serve, star, ticket};

/// What is decided on a renewal whose licence ends far away by its field, with these comments and this description.
fn decided_on(description: &str, comments: &Value) -> Value {
    let line = json!({
        "id": "x", "now": "2026-11-24T12:00:00Z",
        "ticket": { "id": 1, "subject": "Help", "description": description, "status": "open", "requester_id": 5001,
            "tags": ["star_submitted", "lr", "transaction_issue_renewal_help"],
            "custom_fields": [{ "id": 360000000001_u64, "value": "2031-03-01" }], "created_at": "2026-11-23T12:00:00Z" },
        "comments": comments,
        "users": [{ "id": 5001, "name": "Casey", "role": "end-user" }, { "id": 7001, "name": "Ann", "role": "agent" }],
    });
    let now = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let mut written = Vec::new();
    each::decide(star(), now, WithFacts::None, &mut Cursor::new(line.to_string().into_bytes()), &mut written)
        .expect("a decision");
    serde_json::from_slice(&written).expect("JSON")
}

fn decided(comments: &Value) -> Value {
    decided_on("", comments)
}

fn said(author: i64, public: bool, text: &str) -> Value {
    json!({ "id": 1, "author_id": author, "public": public, "plain_body": text, "created_at": "2026-11-23T12:00:00Z" })
}

/// Everything of a decision but the words it quotes.
fn verdict(decision: &Value) -> (String, Value, Value) {
    let mut against = decision["against"].clone();
    for said in against.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        said.remove("confidence"); // A subject beside the same words makes them a little surer or less.
    }
    (decision["verdict"].as_str().unwrap_or_default().to_owned(), decision["possible"].clone(), against)
}

#[test]
fn an_entity_in_plain_body_is_the_character_it_stands_for() {
    let plain = "We bought the wrong product by mistake.";
    let right = verdict(&decided(&json!([said(5001, true, plain)])));
    assert_eq!(right.0, "needs_facts");
    for hard in [
        "We bought the&nbsp;wrong&nbsp;product by&nbsp;mistake.",
        "We bought the&#160;wrong&#xA0;product by mistake.",
        "We bought the\u{a0}wrong\u{a0}product by\u{a0}mistake.",
        "We bought the &#119;rong product by mistake.",
    ] {
        assert_eq!(verdict(&decided(&json!([said(5001, true, hard)]))), right, "{hard}");
        assert_eq!(verdict(&decided_on(hard, &json!([]))), right, "as the description: {hard}");
    }
    for (line, verdict) in [
        ("star: trial=no,&nbsp;expires_at=2020-01-01", "ok_to_star"),
        ("&nbsp;star: trial=no, expires_at=2020-01-01", "ok_to_star"),
        ("star: trial=no,&nbsp;expires_at=2020-01-01&nbsp;", "ok_to_star"),
        // No command, but words of a colleague, who speaks against a dismissal.
        ("&lt;star: trial=no, expires_at=2020-01-01", "needs_facts"),
        ("&amp;nbsp;star: trial=no, expires_at=2020-01-01", "needs_facts"),
    ] {
        let decision = decided(&json!([said(7001, false, line)]));
        assert_eq!(decision["verdict"], verdict, "{line}: {decision}");
        assert!(decision["problems"].is_null(), "{line}: {decision}");
        assert!(!decision.to_string().contains("&nbsp;") || line.contains("&amp;"), "{line}: {decision}");
    }
}

#[test]
fn a_text_is_decoded_once_and_comes_back_as_it_was() {
    for (written, read) in [
        ("Tom &amp; Ann &lt;b&gt;", "Tom & Ann <b>"),
        ("&amp;nbsp;", "&nbsp;"),
        ("a &quot;b&quot; &#39;c&#39; &euro;", "a \"b\" 'c' €"),
        ("AT&T and & and &unknown;", "AT&T and & and &unknown;"),
    ] {
        let comment: Comment = serde_json::from_value(json!({ "plain_body": written })).expect("a comment");
        assert_eq!(comment.text(), read);
        let again: Comment = serde_json::from_value(json!(comment)).expect("a comment");
        assert_eq!(again, comment, "{written}");
    }
    for (given, read) in [
        (json!({ "body": "a&nbsp;b", "plain_body": null }), "a b"),
        (json!({ "html_body": "<div><p>a</p><p>b&amp;c<br>d</p></div>" }), "a\nb&c\nd\n"),
        (json!({ "html_body": "<p>a</p>", "body": "a", "plain_body": "a" }), "a"),
        (json!({ "body": null }), ""),
    ] {
        let comment: Comment = serde_json::from_value(given.clone()).expect("a comment");
        assert_eq!(comment.text(), read, "{given}");
    }
}

#[test]
fn what_is_copied_from_another_ticket_is_nobodys_word_on_this_one() {
    let command = "star: trial=no, expires_at=2020-01-01";
    let product = "We bought the wrong product by mistake.";
    for heading in [
        "Request #77 \"Licence\" was closed and merged into this request. Last comment in request #77:",
        "Request #77 \"Licence\" was closed and merged into this request.\n\nLast comment in request #77:",
        "Requests #77 \"A\", #78 \"B\" were closed and merged into this request. Last comment in request #77:",
        "Ticket #77 \"Licence\" has been closed and merged into this ticket.",
        "This request was closed and merged into request #55 \"Licence\".",
        "Anfrage #77 „Lizenz“ wurde geschlossen und mit dieser Anfrage zusammengeführt. Letzter Kommentar in Anfrage #77:",
        "---------- Forwarded message ---------",
    ] {
        let internal = decided(&json!([said(7001, false, &format!("{heading}\n\n{command}"))]));
        assert_eq!(internal["verdict"], "no_need", "{heading}: {internal}");
        let above =
            decided(&json!([said(7001, false, &format!("{command}\n\n{heading}\n\nstar: expires_at=2031-03-01"))]));
        assert_eq!(above["verdict"], "ok_to_star", "what stands above is the agent's own: {heading}: {above}");
        let public = decided(&json!([said(5001, true, &format!("{heading}\n\n{product}"))]));
        assert_eq!(public["verdict"], "no_need", "{heading}: {public}");
    }
    for via in [
        json!({ "channel": "web", "source": { "from": {}, "to": {}, "rel": "merge" } }),
        json!({ "channel": "system", "source": { "rel": "problem" } }),
        json!({ "channel": "side_conversation", "source": { "from": {}, "to": {}, "rel": null } }),
    ] {
        let mut comment = said(7001, false, command);
        comment["via"] = via.clone();
        assert_eq!(decided(&json!([comment]))["verdict"], "no_need", "{via}");
    }
    let follow_up = format!("This is a follow-up to your previous request #12 \"wrong product\"\n\n{product}");
    assert_eq!(decided(&json!([said(5001, true, &follow_up)]))["verdict"], "needs_facts", "their new words count");
    let quoted =
        "This is a follow-up to your previous request #12 \"We bought the wrong product by mistake\"\n\nThanks!";
    assert_eq!(decided(&json!([said(5001, true, quoted)]))["verdict"], "no_need", "the old subject does not");
    for own in ["See #77 and #78:", "I merged #77 by hand", "Issue #77: see #77"] {
        let decision = decided(&json!([said(7001, false, &format!("{own}\n{command}"))]));
        assert_eq!(decision["verdict"], "ok_to_star", "{own} is an agent's own sentence");
    }
}

#[test]
fn whoever_is_nobody_hides_nothing() {
    for id in [json!(-1), json!(null), json!("nobody"), json!(0), json!(1.5), json!({})] {
        let mut comment = said(5001, true, "x");
        comment["author_id"] = id.clone();
        let decision = decided(&json!([comment, said(7001, false, "star: trial=no, expires_at=2020-01-01")]));
        assert_eq!(decision["verdict"], "ok_to_star", "{id}: {decision}");
    }
    let user: User = serde_json::from_value(json!({ "id": "7001", "role": "agent" })).expect("a user");
    assert_eq!(user.id, 7001);
}

#[test]
fn what_cannot_be_read_is_left_out_and_named() {
    #[derive(serde::Deserialize)]
    struct Page {
        comments: Vec<Comment>,
        #[serde(default)]
        users: Vec<User>,
    }
    let page = json!({ "comments": [{ "id": 1 }, { "id": 2, "created_at": "yesterday" }, { "id": 3, "public": 7 }, 4, { "id": 5 }],
        "users": [{ "id": -1 }, { "id": 7001, "name": { "first": "Ann" } }, { "id": 7002 }] });
    let read = loose::from_json::<Page>(page).expect("a page");
    assert_eq!(read.read.comments.iter().map(|comment| comment.id).collect::<Vec<_>>(), [1, 5]);
    assert_eq!(read.read.users.iter().map(|user| user.id).collect::<Vec<_>>(), [7002]);
    let named = ["comments[1].created_at", "comments[1].public", "comments[1]", "users[0].id", "users[0].name"];
    assert_eq!(read.left_out, named, "each where it stands by then");
    for (odd, at) in
        [(json!({ "comments": 1 }), "comments"), (json!({}), "the whole of it"), (json!([]), "the whole of it")]
    {
        assert_eq!(loose::from_json::<Page>(odd.clone()).err().as_deref(), Some(at), "{odd}");
    }
}

#[test]
fn a_comment_by_the_helpdesk_itself_or_one_that_is_odd_keeps_no_ticket_from_its_note() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    desk.helpdesk.say_as_given(1, json!({ "author_id": -1, "body": "x", "public": false }));
    desk.helpdesk.say_as_given(1, json!({ "author_id": 7001, "body": 5, "public": false, "created_at": "odd" }));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    assert!(bot.notes(&desk, 1, 1)[0].starts_with("Wait for Sales."));
    bot.at_rest(&desk, 1);
    assert_eq!(desk.helpdesk.notes(1).len(), 1);
    desk.odd_answers_are_meant();
}

#[test]
fn on_a_ticket_of_more_than_a_thousand_comments_there_is_one_note_and_the_newest_answer_counts() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    for number in 0..1005 {
        desk.helpdesk.say(1, 7001, &format!("internal {number}"), Publicity::Internal);
    }
    desk.helpdesk.say(1, 7001, "star: request=plan_license, trial=no, expires_at=2020-01-01", Publicity::Internal);
    desk.helpdesk.touch(1, 60);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    assert!(bot.notes(&desk, 1, 1)[0].starts_with("OK to STAR"), "the newest answer is read");
    for look in 0..3 {
        bot.deliver(&event(&format!("again {look}"), 1, "comment_added"), &[]);
        bot.at_rest(&desk, 1);
    }
    assert_eq!(desk.helpdesk.notes(1).len(), 1);
}

#[test]
fn a_note_that_was_posted_is_never_posted_again_whatever_becomes_of_it() {
    type Change = fn(&mut Vec<Comment>);
    let reshaped: [(&str, Change); 5] = [
        ("removed", |comments| comments.retain(|comment| comment.author_id != Some(BOT_ID))),
        ("redacted", |comments| put(comments, |_| "▇▇▇▇▇▇▇▇".into())),
        ("with a footer", |comments| put(comments, |text| format!("{text}\n-- \nSent by Helpdesk #12, ref ABCDEFGH"))),
        ("in markup", |comments| put(comments, |text| text.replace(" · ref ", "_ &middot; **ref**&nbsp;`") + "`_")),
        ("without its id", |comments| put(comments, |text| text.get(..text.len() - 8).expect("a text").to_owned())),
    ];
    for (what, change) in reshaped {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let bot = serve(&desk, folder.path(), "");
        desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
        bot.deliver(&event("e1", 1, "tags_changed"), &[]);
        bot.notes(&desk, 1, 1);
        bot.at_rest(&desk, 1);
        desk.helpdesk.change(1, |reading| change(&mut reading.comments));
        desk.helpdesk.touch(1, 60);
        let writes = desk.helpdesk.writes();
        for look in 0..3 {
            bot.deliver(&event(&format!("{what} {look}"), 1, "comment_added"), &[]);
            bot.at_rest(&desk, 1);
        }
        assert_eq!(desk.helpdesk.writes(), writes, "{what}: {:?}", desk.helpdesk.notes(1));
        // And when something else holds, that is said once.
        desk.helpdesk.say(1, 7001, "star: request=plan_license, trial=no, expires_at=2020-01-01", Publicity::Internal);
        for look in 0..3 {
            bot.deliver(&event(&format!("{what} later {look}"), 1, "comment_added"), &[]);
            bot.at_rest(&desk, 1);
        }
        assert_eq!(desk.helpdesk.writes(), writes + 1, "{what}");
    }
}

/// Writes the bot's notes anew.
fn put(comments: &mut [Comment], change: impl Fn(&str) -> String) {
    for comment in comments.iter_mut().filter(|comment| comment.author_id == Some(BOT_ID)) {
        let mut changed = Comment::of(change(comment.text()));
        (changed.id, changed.author_id, changed.created_at) = (comment.id, comment.author_id, comment.created_at);
        *comment = changed;
    }
}

#[test]
fn a_notes_id_is_found_wherever_it_stands() {
    for (text, id) in [
        ("starwarden · ref 7Q2FMHXA", Some("7Q2FMHXA")),
        ("No need.\n\nDetails · starwarden · ref 7Q2FMHXA\n\n--\nA footer, ref ABCDEFGH\n", Some("7Q2FMHXA")),
        ("_starwarden · **ref** `7Q2FMHXA`_", Some("7Q2FMHXA")),
        ("starwarden\n·\nref\n7Q2FMHXA.", Some("7Q2FMHXA")),
        ("> starwarden · ref AAAAAAAA\nstarwarden · ref 7Q2FMHXA", Some("7Q2FMHXA")),
        ("starwarden · ref 7Q2FMHXA2", None),
        ("starwarden · ref 7q2fmhxa", None),
        ("starwarden · ref 10101010", None),
        ("my ref 7Q2FMHXA", None),
        ("", None),
    ] {
        assert_eq!(signature::in_text(text), id, "{text}");
    }
}

#[test]
fn a_person_whose_token_the_bot_uses_is_heard() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &[]));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    bot.at_rest(&desk, 1);
    desk.helpdesk.say(1, BOT_ID, "star: stop", Publicity::Internal);
    bot.deliver(&json!({ "ticket_id": 1 }), &[]);
    bot.at_rest(&desk, 1);
    assert_eq!(bot.kept(1)["watch"]["state"], "stopped", "{}", bot.kept(1));
}
