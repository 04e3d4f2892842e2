//! Whose words count: quoted mails, signatures and notes of ours are not the customer's; a screenshot is.

use serde_json::{Value, json};
use starwarden::decide::facts::fact::{Finding, Trust};
use starwarden::decide::judge::Judged;
use starwarden::decide::ticket::Reading;

use crate::support;

/// A starred ticket with this description and these comments.
fn ticket(description: &str, comments: Value) -> Reading {
    let whole = json!({
        "ticket": { "id": 1, "subject": "Help", "description": description, "status": "open", "tags": ["star_submitted", "lr"],
            "requester_id": 5001, "created_at": "2026-11-24T09:00:00Z" },
        "comments": comments,
        "users": [{ "id": 5001, "name": "Casey", "role": "end-user" }, { "id": 7001, "name": "Ann Agent", "role": "agent" }],
    });
    serde_json::from_value(whole).expect("a reading")
}

fn judged(reading: &Reading) -> Judged {
    support::judged(reading, &[], "2026-11-24T12:00:00Z")
}

#[test]
fn words_of_others_are_not_the_customers() {
    const ASKS: &str = "please extend our trial";
    for (text, counts) in [
        (format!("Hello,\n{ASKS}\nRegards\nCasey"), true),
        // Quoted replies.
        (format!("> {ASKS}\nNo thanks."), false),
        (format!("See below.\n  > > {ASKS}"), false),
        (format!("{ASKS}\n> Hello"), true),
        // Headings of quoted mails.
        (format!("Thanks\nOn Mon, 23 Nov 2026 at 10:00, Ann <ann@example.com> wrote:\n{ASKS}"), false),
        (format!("Thanks\nOn Mon, 23 Nov 2026 at 10:00, Ann Agent\n<ann@example.com> wrote:\n{ASKS}"), false),
        (format!("Danke\nAm 23.11.2026 um 10:00 schrieb Ann Agent:\n{ASKS}"), false),
        (format!("Danke\nAm 23.11.2026 um 10:00 schrieb Ann Agent\n<ann@example.com>:\n{ASKS}"), false),
        (format!("Thanks\n-----Original Message-----\nFrom: Ann\n{ASKS}"), false),
        (format!("Thanks\n----- Original message -----\n{ASKS}"), false),
        (format!("Danke\n-----Ursprüngliche Nachricht-----\n{ASKS}"), false),
        (format!("FYI\n---------- Forwarded message ---------\n{ASKS}"), false),
        (format!("Thanks\n________________________________\nFrom: Ann\n{ASKS}"), false),
        (format!("Thanks\nFrom: Ann Agent <ann@example.com>\nSent: Monday\n{ASKS}"), false),
        (format!("Danke\nVon: Ann Agent <ann@example.com>\nGesendet: Montag\n{ASKS}"), false),
        (format!("From: now on\n{ASKS}"), true),
        (format!("##- Please type your reply above this line -##\n{ASKS}"), false),
        // Signatures.
        (format!("Thanks\n-- \nCasey, {ASKS} Ltd"), false),
        (format!("Help.\nKind regards,\nCasey\n{ASKS}"), false),
        (format!("Hilfe.\nMit freundlichen Grüßen\nCasey\n{ASKS}"), false),
        (format!("Help.\nSent from my phone\n{ASKS}"), false),
        (format!("Best\n{ASKS}"), true), // A greeting, for nothing stands above it.
        (format!("Best would be: {ASKS}"), true),
        // Notes of ours, and what stands above them.
        (format!("{ASKS}\n\nstarwarden · ref 7Q2FMHXA\n"), false),
        (format!("Why\nI guess yes\n\nstarwarden · ref 7Q2FMHXA\n{ASKS}"), true),
    ] {
        let found = judged(&ticket(&text, Value::Null)).facts["trial"].word() == Some("yes");
        assert_eq!(found, counts, "{text}");
    }
}

#[test]
fn what_is_denied_or_over_is_no_request_and_a_question_by_a_denial_is() {
    for (text, asked) in [
        ("We need no trial extension.", false),
        ("We do not want you to extend our trial.", false),
        ("A trial extension is not needed.", false),
        ("Wir brauchen keine Verlängerung der Testphase.", false),
        ("Can't you extend our trial?", true),
        ("Why not extend our trial?", true),
        ("We cannot renew in time, so please extend our trial.", true),
        ("Could you not extend our trial?", true),
        ("Would it not be possible to extend our trial?", true),
        ("Bitte verlängern Sie unsere Testphase.", true),
    ] {
        let judged = judged(&ticket(text, Value::Null));
        let extension = judged.facts["workflow"].word().is_some_and(|case| case.ends_with("_extension"));
        let of_a_trial = judged.facts["trial"].word() == Some("yes");
        assert!(if asked { of_a_trial } else { !extension }, "{text}: {:?}", judged.facts["workflow"]);
    }
}

#[test]
fn a_german_ticket_is_read_with_its_quote() {
    let judged = judged(&ticket(
        "Guten Morgen,\nunsere Lizenz läuft am 30. November 2026 ab. Wir brauchen keine Verlängerung der Testphase.\nMit freundlichen Grüßen",
        Value::Null,
    ));
    let expires = judged.facts["expires_at"].known().expect("a date");
    assert_eq!(expires.value.to_string(), "2026-11-30T00:00:00Z");
    assert_eq!(expires.quote.as_deref().expect("a quote"), "Guten Morgen, unsere Lizenz läuft am 30. November 2026 ab");
    // That it denies a trial is not read surely: it is no record, and so dismisses nobody.
    assert!(judged.facts["trial"].known().is_none_or(|fact| fact.trust == Trust::Inferred));
}

/// A comment with files, as `name type`.
fn comment(id: u64, author: u64, body: &str, files: &[&str]) -> Value {
    let file = |file: &&str| {
        let (name, kind) = file.split_once(' ').expect("name type");
        json!({ "id": 1, "file_name": name, "content_type": kind, "size": 1, "content_url": "https://example.com/f" })
    };
    let files: Vec<Value> = files.iter().map(file).collect();
    json!({ "id": id, "author_id": author, "body": body, "public": true, "created_at": format!("2026-11-2{id}T10:00:00Z"), "attachments": files })
}

#[test]
fn a_screenshot_is_the_customers_picture_since_it_was_asked_for() {
    const ASKED: &str = "Please send a screenshot of Admin -> Dashboard.";
    let (customer, staff) = (5001, 7001);
    for (comments, found) in [
        (json!([]), None),
        (json!([comment(1, customer, "Hi", &["dashboard.png image/png"])]), Some("dashboard.png (customer, 21 Nov)")),
        (json!([comment(1, customer, "Hi", &["log.txt text/plain"])]), None),
        (json!([comment(1, customer, "Hi", &["image001.png image/png", "logo.png image/png"])]), None),
        (json!([comment(1, staff, "Like this", &["example.png image/png"])]), None),
        (json!([comment(1, customer, "Hi", &["old.png image/png"]), comment(2, staff, ASKED, &[])]), None),
        (
            json!([comment(1, staff, ASKED, &[]), comment(2, customer, "Here", &["admin.jpg image/jpeg"])]),
            Some("admin.jpg (customer, 22 Nov)"),
        ),
        (
            json!([
                comment(1, customer, "a", &["one.png image/png"]),
                comment(2, customer, "b", &["two.png image/png"])
            ]),
            Some("two.png (customer, 22 Nov)"),
        ),
        (
            json!([comment(1, staff, "Which licence is it?", &[]), comment(2, customer, "This", &["l.png image/png"])]),
            Some("l.png (customer, 22 Nov)"),
        ),
        // A picture that is announced and did not come.
        (json!([comment(1, staff, ASKED, &[]), comment(2, customer, "Screenshot is attached", &[])]), None),
        (json!([comment(1, staff, "The screenshot is attached", &[])]), None),
    ] {
        let judged = judged(&ticket("Please help.", comments.clone()));
        let shown = match &judged.facts["screenshot"] {
            Finding::Known(fact) => Some(fact.cited()),
            Finding::Conflict(_) | Finding::Unknown { .. } => None,
        };
        assert_eq!(shown.as_deref(), found, "{comments}");
    }
}

#[test]
fn the_policys_own_word_is_a_guess_until_the_ticket_is_understood() {
    for (text, tags, said) in [
        ("Please help.", &[][..], "plan_license (Inferred)"),
        ("Please help.", &["transaction_issue_renewal_help"], "plan_license (Recorded)"),
        ("We bought the wrong product by mistake.", &["purchased_wrong_plan"], "wrong_product (Recorded)"),
        ("We bought the wrong product by mistake.", &[], "wrong_product (Inferred)"),
    ] {
        let mut reading = ticket(text, Value::Null);
        reading.ticket.tags.extend(tags.iter().map(|tag| (*tag).to_owned()));
        let judged = judged(&reading);
        let fact = judged.facts["request"].known().expect("a request");
        assert_eq!(format!("{} ({:?})", fact.value, fact.trust), said, "{text} {tags:?}");
    }
}
