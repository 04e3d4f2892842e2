//! Systems of record that do not answer for a while, and what becomes of tickets meanwhile.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use starwarden::demo::helpdesk::Publicity;

use crate::support::{copy_policy, desk, event, serve_in, ticket, wait_for};

/// A system that says of every customer that theirs is a trial, or fails; its address.
fn system(fails: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for call in listener.incoming() {
            let mut call = call.expect("a call");
            let _read = call.read(&mut [0_u8; 2048]).expect("a request");
            let body = "{\"plan\":{\"trial\":\"true\"}}";
            let status = if fails.load(Ordering::SeqCst) { "503 Service Unavailable" } else { "200 OK" };
            let length = body.len();
            write!(call, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
                .expect("an answer");
        }
    });
    address
}

#[test]
fn a_moments_silence_of_a_system_turns_no_verdict_and_is_not_the_last_word() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let fails = Arc::new(AtomicBool::new(false));
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy");
    let binding = std::fs::read_to_string(shipped.join("star.toml")).expect("the policy");
    let subscription = "{namespace_id}/gitlab_subscription\"\n";
    assert!(binding.contains(subscription));
    let binding = binding
        .replace(subscription, &format!("{subscription}cache = \"0s\"\nretry_after = \"0s\"\n"))
        .replace("https://gitlab.com/api", &system(fails.clone()));
    let policy = folder.path().join("star.toml");
    copy_policy(folder.path());
    std::fs::write(&policy, binding).expect("a file");
    let environment = [("STARWARDEN__POLICY__FILE", policy.to_str().expect("a name"))];
    let bot = serve_in(&desk, folder.path(), "[lookups.gitlab]\nhosts = [\"127.0.0.1\"]", &environment);
    let kept = |id: u64| bot.get(&format!("/api/v1/tickets/global/{id}")).1;
    let star = |id: u64| {
        desk.helpdesk.add(ticket(id, &[]));
        desk.helpdesk.say(id, 7001, &format!("star: namespace_id={id}, sales_assisted=no"), Publicity::Internal);
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        bot.notes(&desk, id, 1).remove(0)
    };
    assert!(star(1).starts_with("No need for STAR."));
    fails.store(true, Ordering::SeqCst);
    bot.deliver(&event("again", 1, "status_changed"), &[]);
    wait_for("it to be tried again", || {
        kept(1)["last_error"].as_str()?.contains("gitlab_subscription could not be had: it answered 503").then_some(())
    });
    assert_eq!(desk.helpdesk.notes(1).len(), 1, "what the system gave before still stands");
    let asked = star(2);
    assert!(asked.contains("answer"), "who was never answered is asked at once: {asked}");
    wait_for("another look before long", || (kept(2)["watch"]["state"] == "due").then_some(()));
    fails.store(false, Ordering::SeqCst);
    wait_for("its answer", || (kept(1)["watch"]["state"] == "idle").then_some(()));
    assert_eq!(desk.helpdesk.notes(1).len(), 1);
}
