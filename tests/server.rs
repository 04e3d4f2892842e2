//! What the server gives a sender: time, room, turns; and how it ends. By raw sockets, as the troublesome use them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{Bot, desk, event, serve, serve_at, ticket, wait_for};

const QUICK: &str = "head_timeout = \"1s\"\nrequest_timeout = \"2s\"";

fn connect(bot: &Bot) -> TcpStream {
    let stream = TcpStream::connect(bot.url.trim_start_matches("http://")).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    stream
}

/// What comes back until the other side closes; nothing where it closed without a word.
fn answer(mut stream: &TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection was kept: {error}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Asks on a connection of its own; the status.
fn ask(bot: &Bot) -> u16 {
    let stream = connect(bot);
    (&stream).write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("a write");
    answer(&stream).get(9..12).and_then(|status| status.parse().ok()).expect("a status")
}

#[test]
fn slow_and_overlong_senders_are_closed_and_the_others_served() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_at(&desk, folder.path(), QUICK, "", &[]);
    let slow_head = connect(&bot);
    (&slow_head).write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ").expect("a write");
    let slow_body = connect(&bot);
    (&slow_body)
        .write_all(b"POST /webhooks/zendesk/global HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{")
        .expect("a write");
    let idle = connect(&bot);
    assert_eq!(ask(&bot), 200);
    assert!(!answer(&slow_head).contains("200 OK"));
    assert_eq!(answer(&idle), "");
    assert!(answer(&slow_body).starts_with("HTTP/1.1 408"));

    let long_head = connect(&bot);
    let _closed_on_the_way = (&long_head)
        .write_all(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "a".repeat(64 << 10)).as_bytes());
    assert!(!answer(&long_head).contains("200 OK"));
    let long_body = connect(&bot);
    (&long_body)
        .write_all(b"POST /webhooks/zendesk/global HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1100000\r\n\r\n")
        .expect("a write");
    let _closed_on_the_way = (&long_body).write_all(&vec![b' '; 1_100_000]);
    assert!(answer(&long_body).starts_with("HTTP/1.1 413"));
    assert_eq!(ask(&bot), 200);
}

#[test]
fn more_connections_than_there_is_room_for_wait() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_at(&desk, folder.path(), &format!("{QUICK}\nconnections = 2"), "", &[]);
    let (one, two) = (connect(&bot), connect(&bot));
    let third = connect(&bot);
    (&third).write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("a write");
    assert!(answer(&third).starts_with("HTTP/1.1 200"), "served when the idle two are closed");
    assert_eq!((answer(&one), answer(&two)), (String::new(), String::new()));
}

#[test]
fn an_address_that_asks_too_much_is_told_to_wait() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_at(&desk, folder.path(), "requests_per_second_per_address = 1", "", &[]);
    let answers: Vec<u16> = (0..30).map(|_| ask(&bot)).collect();
    assert!(answers[..10].iter().all(|status| *status == 200), "a burst is let through: {answers:?}");
    assert!(answers.contains(&429), "{answers:?}");
    wait_for("its next turn", || (ask(&bot) == 200).then_some(()));
}

#[test]
fn a_stop_loses_nothing_and_waits_for_nobody_for_ever() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let mut bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    let stuck = connect(&bot);
    (&stuck)
        .write_all(b"POST /webhooks/zendesk/global HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{")
        .expect("a write");
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200);
    let begun = std::time::Instant::now();
    assert_eq!(bot.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "a stop takes 10 s at most");
    let bot = serve(&desk, folder.path(), "");
    bot.notes(&desk, 1, 1);
}

/// A certificate for localhost, of its own making.
fn certificate(folder: &Path, name: &str) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn tls_is_spoken_and_the_certificate_changed_while_it_runs() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    certificate(folder.path(), "the first");
    let bot = serve_at(&desk, folder.path(), "tls_certificate = \"certificate.pem\"\ntls_key = \"key.pem\"", "", &[]);
    assert!(bot.url.starts_with("https://"), "{}", bot.url);
    let shown = || {
        let output = Command::new("curl")
            .args(["-sSv", "--cacert", "certificate.pem", &format!("{}/healthz", bot.url)])
            .current_dir(folder.path())
            .output()
            .expect("curl");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let first = shown();
    assert!(first.contains("{\"status\":\"ok\"}") && first.contains("CN=the first"), "{first}");
    certificate(folder.path(), "the second");
    wait_for("the new certificate", || {
        Some(shown()).filter(|shown| shown.contains("CN=the second") && shown.contains("\"ok\""))
    });
    let plain = TcpStream::connect(bot.url.trim_start_matches("https://")).expect("a connection");
    (&plain).write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").expect("a write");
    assert!(!answer(&plain).contains("200 OK"), "not without TLS");
}
