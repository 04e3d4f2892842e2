//! The store over TLS: to a server whose certificate the system trusts, and to no other.

use std::path::Path;
use std::process::Command;

use chrono::Utc;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::support::postgres::{self, Server};
use crate::support::tools::{run, said};
use crate::support::{configure, desk, event, serve_in, ticket, wait_for};

/// An authority of our own, in a folder: `ca.pem`, and `server.pem` with `server.key` for this machine.
fn authority() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let openssl = |words: &str| run(Command::new("openssl").args(words.split(' ')).current_dir(folder.path()));
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let name = folder.path().file_name().expect("a name").to_string_lossy(); // Each authority has its own.
    openssl(&format!("req -x509 {key} -days 2 -subj /CN={name} -keyout ca.key -out ca.pem"));
    openssl(&format!("req {key} -subj /CN=server -keyout server.key -out server.csr"));
    std::fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1").expect("a file");
    openssl("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem");
    folder
}

/// A server that takes nobody from the network without TLS, with the certificate of an authority.
fn server(authority: &Path) -> Server {
    Server::start_with("-c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key", |data| {
        std::fs::write(data.join("pg_hba.conf"), "local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
            .expect("a file");
        for file in ["server.pem", "server.key"] {
            // As the user whose server it is, and so that nobody else reads the key.
            run(Command::new("cp").arg(authority.join(file)).arg(data.join(file)));
            run(Command::new("chown").arg("--reference").arg(data).arg(data.join(file)));
            run(Command::new("chmod").arg("600").arg(data.join(file)));
        }
    })
}

fn database(server: &Server, runtime: &Runtime) -> (String, Client) {
    runtime.block_on(server.execute("postgres", "CREATE DATABASE star"));
    let url = format!("postgres://starwarden@localhost:{}/star?sslmode=require", server.port());
    (url, runtime.block_on(postgres::session(&server.socket("star"))))
}

#[test]
fn over_tls_deliveries_are_recorded_and_notifications_heard() {
    let (desk, folder, runtime) = (desk(), tempfile::tempdir().expect("a folder"), Runtime::new().expect("a runtime"));
    let authority = authority();
    let server = server(authority.path());
    let (url, session) = database(&server, &runtime);
    let trusted = authority.path().join("ca.pem").display().to_string();
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__STORE__URL", &url), ("SSL_CERT_FILE", &trusted)]);
    for id in 1..=10 {
        desk.helpdesk.add(ticket(id, &["purchased_wrong_product"]));
    }
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200);
    bot.notes(&desk, 1, 1);
    let secret = "SELECT coalesce(query LIKE 'LISTEN%', false), ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
        WHERE application_name = 'starwarden'";
    let connections = runtime.block_on(session.query(secret, &[])).expect("an answer");
    let connections: Vec<(bool, bool)> = connections.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(connections.iter().all(|(_, secret)| *secret), "every connection is secret: {connections:?}");
    assert_eq!(connections.iter().filter(|(listens, _)| *listens).count(), 1, "one listens: {connections:?}");
    // By the clock alone each of these would be looked at when the last poll is a quarter of a minute old.
    let mut told = 1;
    wait_for("nine tickets after each other, each told of by a notification", || {
        if told > 1 && desk.helpdesk.notes(told).is_empty() {
            return None;
        }
        told += 1;
        let due = format!(
            "INSERT INTO watches (account, ticket, state, due_at, marks) VALUES ('global', {told}, 'due', {}, 1);
             NOTIFY starwarden_due, 'global'",
            Utc::now().timestamp_millis()
        );
        (told > 10 || runtime.block_on(session.batch_execute(&due)).is_err()).then_some(())
    });
    assert!((1..=10).all(|id| desk.helpdesk.notes(id).len() == 1));
}

#[test]
fn a_server_on_this_machine_is_reached_by_its_socket_without_tls() {
    let (desk, folder, runtime) = (desk(), tempfile::tempdir().expect("a folder"), Runtime::new().expect("a runtime"));
    let server = postgres::shared();
    runtime.block_on(server.execute("postgres", "CREATE DATABASE by_socket"));
    for (nth, sslmode) in (1..).zip(["prefer", "disable"]) {
        let url = format!("{}&sslmode={sslmode}", server.socket("by_socket"));
        let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__STORE__URL", &url)]);
        desk.helpdesk.add(ticket(nth, &["purchased_wrong_product"]));
        assert_eq!(bot.deliver(&event(&format!("e{nth}"), nth, "tags_changed"), &[]).0, 200, "{sslmode}");
        bot.notes(&desk, nth, 1);
    }
}

#[test]
fn a_server_whose_certificate_is_not_trusted_is_refused() {
    let (desk, folder, runtime) = (desk(), tempfile::tempdir().expect("a folder"), Runtime::new().expect("a runtime"));
    let (theirs, another) = (authority(), authority());
    let server = server(theirs.path());
    let (url, session) = database(&server, &runtime);
    let done = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(["tickets", "list", "--config"])
        .arg(configure(&desk, folder.path(), "", ""))
        .env("STARWARDEN__STORE__URL", &url)
        .env("SSL_CERT_FILE", another.path().join("ca.pem"))
        .output()
        .expect("the binary");
    assert_eq!(done.status.code(), Some(1));
    assert!(said(&done).contains("invalid peer certificate: UnknownIssuer"), "{}", said(&done));
    let tables =
        runtime.block_on(session.query("SELECT FROM pg_tables WHERE schemaname = 'public'", &[])).expect("an answer");
    assert_eq!(tables.len(), 0, "nothing was told to it");
}
