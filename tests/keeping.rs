//! The store as a file on somebody's disk: where it is, whose it is, how it is left, and what is not in it.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chrono::Utc;
use starwarden::decide::ticket::TicketKey;
use starwarden::store::Store;

use crate::support::{configure, desk, event, serve_in, ticket, wait_for};

/// The bot as it is started from a folder, with its words in a file; it ends when this is dropped.
struct Started {
    child: Child,
    log: std::path::PathBuf,
}

impl Started {
    fn from(folder: &Path, config: &Path, log: &str) -> Started {
        let log = folder.join(log);
        let mut serve = Command::new(env!("CARGO_BIN_EXE_starwarden"));
        serve.args(["serve", "--config"]).arg(config).current_dir(folder).stdout(Stdio::null());
        let child = serve.stderr(std::fs::File::create(&log).expect("a file")).spawn().expect("the binary");
        Started { child, log }
    }

    fn said(&self) -> String {
        let mut said = String::new();
        std::fs::File::open(&self.log).expect("its words").read_to_string(&mut said).expect("text");
        said
    }

    #[track_caller]
    fn first_line(&self) -> String {
        wait_for("its first words", || self.said().split_once('\n').map(|(line, _)| line.to_owned()))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

fn key(id: u64) -> TicketKey {
    TicketKey { account: "global".into(), id }
}

#[tokio::test]
async fn a_ticket_that_a_dead_process_had_in_hand_is_looked_at_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::sqlite(&folder.path().join("star.db")).expect("a store");
    store.mark_due(&key(1), Utc::now()).await.expect("marked");
    let claims = store.claim("global", Utc::now(), Duration::from_secs(100), 10).await.expect("claimed");
    assert_eq!(claims.len(), 1);
    drop(store);
    tokio::task::spawn_blocking(move || {
        let desk = desk();
        desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
        let bot = serve_in(&desk, folder.path(), "", &[]);
        bot.notes(&desk, 1, 1);
    })
    .await
    .expect("a note long before the lease ends");
}

#[test]
fn a_clean_stop_leaves_everything_in_the_one_file() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    let mut bot = serve_in(&desk, folder.path(), "", &[]);
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200);
    bot.notes(&desk, 1, 1);
    bot.at_rest(&desk, 1);
    assert_eq!(bot.stop(), Some(0));
    let copy = folder.path().join("copy.db");
    std::fs::copy(folder.path().join("star.db"), &copy).expect("a copy of the one file");
    let file = rusqlite::Connection::open(&copy).expect("a file");
    let count = |table: &str| file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    assert_eq!((count("deliveries"), count("decisions")), (Ok(1), Ok(1)));
    let log = folder.path().join("star.db-wal");
    assert!(!log.exists() || log.metadata().expect("a file").len() == 0, "nothing is left in the log");
}

#[test]
fn a_damaged_file_is_named_as_damaged_with_what_to_do() {
    let desk = desk();
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let damages: [(&str, Damage); 4] = [
        ("cut short", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("another's head", |bytes| [&b"this is no database"[..], &bytes[19..]].concat()),
        ("its schema overwritten", |mut bytes| {
            bytes[100..4096].fill(0xff);
            bytes
        }),
        ("a letter", |_| b"this is no database, it is a letter to a friend of mine, and a long one".repeat(99)),
    ];
    for (what, damage) in damages {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("star.db");
        drop(Store::sqlite(&file).expect("a store"));
        wait_for("the file to be closed", || {
            (!folder.path().join("star.db-wal").exists()).then_some(()).or_else(|| {
                let open = rusqlite::Connection::open(&file).ok()?;
                open.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
                    .ok()
                    .filter(|it| *it == 0)?;
                Some(())
            })
        });
        for log in ["star.db-wal", "star.db-shm"] {
            let _not_there = std::fs::remove_file(folder.path().join(log));
        }
        let bytes = std::fs::read(&file).expect("the file");
        std::fs::write(&file, damage(bytes)).expect("damaged");
        let config = configure(&desk, folder.path(), "", "");
        for verb in [&["serve"][..], &["tickets", "list"], &["doctor"]] {
            let done = Command::new("timeout")
                .args(["20", env!("CARGO_BIN_EXE_starwarden")])
                .args(verb)
                .arg("--config")
                .arg(&config)
                .output()
                .expect("the binary");
            let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
            let told = said.contains("is damaged") && said.contains("star.db") && said.contains("starwarden backup");
            assert!(!done.status.success() && told, "{what}, {verb:?}: {said}");
        }
    }
}

#[test]
fn damage_to_what_is_seldom_read_is_found_by_the_bot_itself() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("star.db");
    let mut bot = serve_in(&desk, folder.path(), "", &[]);
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200);
    bot.notes(&desk, 1, 1);
    wait_for("a green /readyz", || (bot.get("/readyz").0 == 200).then_some(()));
    assert!(bot.text("/metrics").contains("\nstarwarden_store_damaged 0\n"));
    assert_eq!(bot.stop(), Some(0));
    // A page that nothing reads when it starts or works.
    let open = rusqlite::Connection::open(&file).expect("the store");
    let page = "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = 'comparisons'";
    let number = |query: &str| open.query_row(query, [], |row| row.get::<_, u32>(0)).expect("a number") as usize;
    let (page, size) = (number(page), number("PRAGMA page_size"));
    drop(open);
    let mut bytes = std::fs::read(&file).expect("the file");
    bytes[(page - 1) * size..page * size].fill(0xa5);
    std::fs::write(&file, bytes).expect("damaged");
    let bot = serve_in(&desk, folder.path(), "", &[("RUST_LOG", "info")]);
    let told = wait_for("a red /readyz", || Some(bot.get("/readyz")).filter(|(status, _)| *status == 503)).1;
    let faults = told["faults"].to_string();
    assert!(
        faults.contains("star.db") && faults.contains("is damaged") && faults.contains("starwarden backup"),
        "{told}"
    );
    assert!(bot.text("/metrics").contains("\nstarwarden_store_damaged 1\n"));
    let log = std::fs::read_to_string(folder.path().join("log")).expect("its log");
    assert!(log.contains("could not be read through"), "{log}");
    let verb = |arguments: &[&str]| {
        let config = folder.path().join("starwarden.toml");
        let mut verb = Command::new(env!("CARGO_BIN_EXE_starwarden"));
        verb.args(arguments).arg("--config").arg(config).output().expect("the binary")
    };
    let copy = folder.path().join("copy.db").display().to_string();
    assert!(!verb(&["backup", &copy]).status.success() && !Path::new(&copy).exists(), "no copy of damage");
    let told = verb(&["doctor"]).stdout;
    assert!(String::from_utf8_lossy(&told).contains("is damaged"), "{}", String::from_utf8_lossy(&told));
}

#[test]
fn the_file_is_beside_the_configuration_wherever_the_bot_is_started() {
    let (desk, home, elsewhere) =
        (desk(), tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let config = configure(&desk, home.path(), "", "");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let absolute = format!("sqlite:{}", home.path().join("star.db").display());
    std::fs::write(&config, text.replace(&absolute, "sqlite:star.db")).expect("a relative place");
    let bot = Started::from(elsewhere.path(), &config, "first");
    let line = bot.first_line();
    let place = home.path().join("star.db").display().to_string();
    assert!(line.contains(&place) && line.contains("new"), "the first line names the store: {line}");
    assert!(home.path().join("star.db").exists() && !elsewhere.path().join("star.db").exists());

    let mut second = Started::from(elsewhere.path(), &config, "second");
    let status = wait_for("the second to be refused", || second.child.try_wait().expect("its end"));
    let said = second.said();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(&place) && said.contains("another"), "{said}");

    drop(bot);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let store = Store::sqlite(&home.path().join("star.db")).expect("a store");
    for id in 1..=3 {
        runtime.block_on(store.mark_due(&key(id), Utc::now())).expect("marked");
    }
    drop(store);
    let line = Started::from(elsewhere.path(), &config, "third").first_line();
    assert!(line.contains(&place) && line.contains("3 tickets"), "and how many tickets it knows: {line}");
}

#[test]
fn what_signs_sessions_is_in_no_store_and_in_no_copy() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let mut bot = serve_in(&desk, folder.path(), "", &[]);
    let file = folder.path().join("star.db-session-key");
    let key = std::fs::read(&file).expect("a key beside the store");
    assert_eq!(file.metadata().expect("its mode").permissions().mode() & 0o777, 0o600);
    assert!(key.trim_ascii().len() >= 32, "{key:?}");
    let copy = folder.path().join("copy.db");
    let done = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(["backup", "--config"])
        .arg(folder.path().join("starwarden.toml"))
        .arg(&copy)
        .output()
        .expect("the binary");
    assert!(done.status.success());
    assert_eq!(bot.stop(), Some(0));
    for kept in [copy, folder.path().join("star.db")] {
        let bytes = std::fs::read(&kept).expect("a file");
        assert!(!bytes.windows(key.trim_ascii().len()).any(|part| part == key.trim_ascii()), "{kept:?}");
        let file = rusqlite::Connection::open(&kept).expect("a file");
        assert!(file.prepare("SELECT * FROM own_keys").is_err(), "no keys are in {kept:?}");
    }
    let again = serve_in(&desk, folder.path(), "", &[]);
    assert_eq!(std::fs::read(&file).expect("the key"), key, "it is made once");
    drop(again);
}
