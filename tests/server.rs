//! What the server gives a sender: time, room, turns; and how it ends. By raw sockets, as the troublesome use them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chrono::Utc;
use secrecy::SecretString;
use starwarden::receive::verify::{sign, timestamp};

use crate::support::{Bot, SECRET, desk, event, serve, serve_at, serve_under, ticket, wait_for};

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
    (&slow_body).write_all(format!("{FORGED}Content-Length: 900\r\n\r\n{{").as_bytes()).expect("a write");
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
        .write_all(format!("{FORGED}Connection: close\r\nContent-Length: 1100000\r\n\r\n").as_bytes())
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
fn who_reads_no_answer_keeps_nobody_waiting_and_is_closed() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_at(&desk, folder.path(), &format!("{QUICK}\nconnections = 16"), "", &[]);
    let asked = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(700); // 15 MB of answers.
    let deaf: Vec<TcpStream> = (0..16).map(|_| connect(&bot)).collect();
    for stream in &deaf {
        stream.set_nonblocking(true).expect("a socket");
        let mut stream = stream;
        let _as_much_as_fits = stream.write(asked.as_bytes());
    }
    assert_eq!(ask(&bot), 200, "the health of a bot whose connections are all taken");
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200, "a delivery beside them");
    wait_for("all to be closed", || deaf.iter().all(is_closed).then_some(()));
}

/// Whether the other side has closed it, though there is more to read; it must not block.
fn is_closed(mut stream: &TcpStream) -> bool {
    stream.take_error().expect("a socket").is_some()
        || stream.write(b"\r\n").is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
}

#[test]
fn who_holds_most_gives_way_to_who_has_just_come() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_at(&desk, folder.path(), "connections = 8\nhead_timeout = \"60s\"", "", &[]);
    // No time-out ends these before the test does: they are closed for others, the longest-waiting first.
    let first: Vec<TcpStream> = (0..4).map(|_| connect(&bot)).collect();
    let second: Vec<TcpStream> = (0..3).map(|_| connect(&bot)).collect();
    assert_eq!(ask(&bot), 200);
    assert!(first.iter().all(|stream| answer(stream).is_empty()));
    let mut last = second.last().expect("one");
    last.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("a write");
    assert!(answer(last).contains("200 OK"), "it is one of the four that came last");
}

/// A delivery whose body never ends, with a header that could be a signature.
const FORGED: &str = "POST /webhooks/zendesk/global HTTP/1.1\r\nHost: a\r\nX-Zendesk-Webhook-Signature: Quv38XAfu9ZaMGBsk0NSntquALrZBp815j0203kelQA=\r\nX-Zendesk-Webhook-Signature-Timestamp: 2026-11-26T10:00:00Z\r\n";

#[test]
fn a_crowd_from_one_part_of_the_net_gives_way_before_others() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_at(&desk, folder.path(), "connections = 8\nhead_timeout = \"5m\"", "", &[]);
    let quiet = connect(&bot); // It has waited for longer than all the others.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let crowd: Vec<TcpStream> = (1..=7)
        .map(|nth| {
            runtime.block_on(async {
                let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
                socket.bind(([127, 1, 0, nth], 0).into()).expect("an address of this machine");
                let to = bot.url.trim_start_matches("http://").parse().expect("an address");
                let stream = socket.connect(to).await.expect("a connection").into_std().expect("a socket");
                stream.set_nonblocking(false).expect("a socket");
                stream
            })
        })
        .collect();
    for _ in 0..5 {
        assert_eq!(ask(&bot), 200);
    }
    wait_for("one of the crowd to be closed", || crowd.iter().any(is_closed).then_some(()));
    (&quiet).write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("a write");
    assert!(answer(&quiet).starts_with("HTTP/1.1 200"));
}

#[test]
fn what_bears_no_signature_is_refused_before_its_body_comes() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    for account in ["global", "nobody"] {
        let stream = connect(&bot);
        let head = format!("POST /webhooks/zendesk/{account} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
        (&stream).write_all(head.as_bytes()).expect("a write");
        assert!(answer(&stream).starts_with("HTTP/1.1 401"), "{account}");
    }
}

#[test]
fn memory_is_bounded_however_bodies_are_framed() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_at(&desk, folder.path(), "request_timeout = \"90s\"", "", &[]);
    assert_eq!(ask(&bot), 200);
    let before = bot.memory_peak();
    let crumbs: &str = &"1\r\nx\r\n".repeat(300_000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let stream = connect(&bot);
                stream.set_read_timeout(Some(Duration::from_secs(90))).expect("a time-out");
                let head = format!("{FORGED}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
                let _refused_on_the_way = (&stream).write_all(format!("{head}{crumbs}0\r\n\r\n").as_bytes());
                let answer = answer(&stream);
                assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
            });
        }
    });
    let grown = bot.memory_peak() - before;
    assert!(grown < 20 << 10, "{grown} kB for four small bodies in many pieces");
}

#[test]
fn bodies_of_one_address_leave_room_for_deliveries() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    assert_eq!(ask(&bot), 200);
    let before = bot.memory_peak();
    let halves: Vec<TcpStream> = (0..60).map(|_| connect(&bot)).collect();
    for stream in &halves {
        let mut stream = stream;
        stream.write_all(format!("{FORGED}Content-Length: 1000001\r\n\r\n").as_bytes()).expect("a write");
        let _refused_on_the_way = stream.write_all(&[b' '; 1_000_000]);
    }
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200, "a usual delivery finds room");
    let refused = wait_for("one that found no room", || {
        halves.iter().find_map(|stream| {
            stream.set_nonblocking(true).expect("a socket");
            let mut begins = [0; 512];
            let mut stream = stream;
            let read = stream.read(&mut begins).ok().filter(|read| *read > 0)?;
            Some(String::from_utf8_lossy(&begins[..read]).into_owned())
        })
    });
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 5"), "{refused}");
    let grown = bot.memory_peak() - before;
    assert!(grown < 40 << 10, "{grown} kB for 60 MB of bodies");
}

#[test]
fn pages_leave_room_for_health_and_deliveries() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_at(&desk, folder.path(), "request_timeout = \"60s\"", "", &[]);
    let form = "POST /try HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\na";
    let slow: Vec<TcpStream> = (0..64).map(|_| connect(&bot)).collect();
    for mut stream in &slow {
        stream.write_all(form.as_bytes()).expect("a write");
    }
    wait_for("pages to be full", || (bot.get("/assets/console.css").0 == 503).then_some(()));
    assert_eq!(ask(&bot), 200);
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200);
}

#[test]
fn connections_are_no_more_than_the_files_that_may_be_open() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let mut shell = Command::new("sh");
    let limited = shell.args(["-c", "ulimit -n 200; exec \"$@\"", "sh"]);
    let bot = serve_under(limited, &desk, folder.path(), "head_timeout = \"5m\"");
    let held: Vec<TcpStream> = (0..300).map(|_| connect(&bot)).collect();
    for nth in 1..10 {
        desk.helpdesk.add(ticket(nth, &["purchased_wrong_product"]));
        assert_eq!(bot.deliver(&event(&nth.to_string(), nth, "tags_changed"), &[]).0, 200);
    }
    (1..10).for_each(|nth| drop(bot.notes(&desk, nth, 1)));
    drop(held);
}

#[test]
fn a_head_is_for_one_host_and_no_larger_than_it_says() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let long = |bytes: usize| {
        let rest = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Long: \r\n\r\n".len();
        format!("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Long: {}\r\n\r\n", "a".repeat(bytes - rest))
    };
    for (status, head) in [
        ("200", long(32 << 10)),
        ("431", long((32 << 10) + 1)),
        ("431", long(40 << 10)),
        ("400", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n".into()),
        ("400", "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n".into()),
        ("200", "GET /healthz HTTP/1.0\r\n\r\n".into()),
    ] {
        let stream = connect(&bot);
        let _closed_on_the_way = (&stream).write_all(head.as_bytes());
        let answer = answer(&stream);
        assert_eq!(answer.get(9..12), Some(status), "a head of {} bytes: {answer}", head.len());
    }
}

#[test]
fn a_delivery_is_no_larger_than_it_says() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let at = timestamp(Utc::now());
    for (bytes, status) in [(1 << 20, "200"), ((1 << 20) + 1, "413")] {
        let said = "{\"ticket_id\":1}";
        let body = format!("{said}{}", " ".repeat(bytes - said.len()));
        let signature = sign(&SecretString::from(SECRET), &at, body.as_bytes());
        let chunks: Vec<String> = body
            .as_bytes()
            .chunks(50_000)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
            .collect();
        let framed = [
            format!("Content-Length: {bytes}\r\n\r\n{body}"),
            format!("Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunks.concat()),
        ];
        for rest in framed {
            let head = "POST /webhooks/zendesk/global HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
            let signed =
                format!("X-Zendesk-Webhook-Signature: {signature}\r\nX-Zendesk-Webhook-Signature-Timestamp: {at}\r\n");
            let stream = connect(&bot);
            let _closed_on_the_way = (&stream).write_all(format!("{head}{signed}{rest}").as_bytes());
            let answer = answer(&stream);
            assert_eq!(answer.get(9..12), Some(status), "{bytes} bytes, {}: {answer}", &rest[..20]);
        }
    }
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
    (&stuck).write_all(format!("{FORGED}Content-Length: 900\r\n\r\n{{").as_bytes()).expect("a write");
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
