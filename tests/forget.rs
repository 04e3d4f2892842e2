//! Forgetting: what people wrote on a ticket is gone from every byte of the store, and what was counted stays.

use std::path::Path;

use serde_json::{Value, json};
use starwarden::decide::ticket::{Organization, Reading, Role, User};
use starwarden::demo::helpdesk::Publicity;

use crate::support::{Bot, Desk, desk, event, serve, ticket, tickets, wait_for};

/// Words that stand nowhere else.
fn marker(number: u32) -> String {
    format!("Zq{number:03}Marker")
}

/// Plants a hundred markers wherever people write on a ticket, and waits until the bot has made all it makes of them.
fn planted(bot: &Bot, desk: &Desk, id: u64) {
    let mut reading: Reading = ticket(id, &["transaction_issue_trial"]);
    reading.ticket.subject = format!("{} trial extension", marker(0));
    reading.ticket.description = format!("{} please extend our trial, it ends on 30 Nov 2026.", marker(1));
    reading.ticket.organization_id = Some(1);
    reading.organization = Some(Organization {
        id: 1,
        name: marker(2),
        organization_fields: serde_json::from_value(json!({ "expiration_date": marker(3) })).expect("fields"),
        ..Organization::default()
    });
    reading.users.push(User { id: 5002, name: marker(4), ..User::default() });
    reading.users.push(User { id: 7002, name: marker(5), role: Role::Agent });
    desk.helpdesk.add(reading);
    for number in 10..90 {
        let text = format!("{} We need an extension of the trial until 3 Dec 2026, nobody can push.", marker(number));
        desk.helpdesk.say(id, if number % 2 == 0 { 5002 } else { 5001 }, &text, Publicity::Public);
    }
    bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    bot.notes(desk, id, 1);
    for number in 90..97 {
        let text = format!("star: workflow={}\nstar: disagree {}", marker(number), marker(number));
        desk.helpdesk.say(id, 7002, &text, Publicity::Internal);
    }
    bot.deliver(&event(&format!("later{id}"), id, "comment_added"), &[]);
    bot.at_rest(desk, id);
}

/// How many markers stand in the files of the store.
fn kept(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let store = files.filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("star.db")));
    let bytes: Vec<Vec<u8>> = store.map(|file| std::fs::read(file).expect("a file")).collect();
    let stands = |number: &u32| {
        let marker = marker(*number);
        bytes.iter().any(|bytes| holds(bytes, marker.as_bytes()))
    };
    (0..100).filter(stands).count()
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn decisions(bot: &Bot) -> Value {
    bot.get("/api/v1/decisions").1["decisions"].as_array().map(Vec::len).into()
}

#[test]
fn what_people_wrote_is_gone_from_every_byte_and_what_was_counted_stays() {
    type Way = fn(&Bot, &Desk, &Path);
    let ways: [(&str, Way); 4] = [
        ("by hand", |_, _, folder| {
            let (well, said) = tickets(folder, &["forget", "global/1"]);
            assert!(well && said.contains("what people wrote on global/1 is forgotten"), "{said}");
        }),
        ("deleted for good", |bot, desk, _| {
            desk.helpdesk.delete_for_good(1);
            assert_eq!(bot.deliver(&event("gone", 1, "permanently_deleted"), &[]).0, 200);
        }),
        ("redacted", |bot, desk, _| {
            desk.helpdesk.delete_for_good(1); // So that nothing is read anew.
            assert_eq!(bot.deliver(&event("black", 1, "comment_redacted"), &[]).0, 200);
        }),
        ("found missing", |bot, desk, _| {
            desk.helpdesk.delete_for_good(1);
            bot.deliver(&json!({ "ticket_id": 1 }), &[]);
        }),
    ];
    for (way, forget) in ways {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let bot = serve(&desk, folder.path(), "");
        planted(&bot, &desk, 1);
        assert!(kept(folder.path()) > 3, "{way}: the markers are kept at first: {}", kept(folder.path()));
        let before = decisions(&bot);
        forget(&bot, &desk, folder.path());
        wait_for(&format!("nothing left, {way}"), || (kept(folder.path()) == 0).then_some(()));
        assert_eq!(decisions(&bot), before, "{way}: what was decided stays counted");
    }
}

#[test]
fn nothing_can_be_forgotten_of_what_is_not_kept() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let _bot = serve(&desk, folder.path(), "");
    let (well, said) = tickets(folder.path(), &["forget", "global/9"]);
    assert!(!well && said.contains("nothing is kept of global/9"), "{said}");
}
