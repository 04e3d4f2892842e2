//! A PostgreSQL server of our own: on a port of its own, in a temporary folder, gone when the test process is.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::{Client, NoTls};

/// A server. A shell waits for the end of the pipe from this process, however it ends, and then stops the server and
/// removes its folder.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    options: String,
    _watchdog: Child,
}

/// The server that all tests of this process share.
pub(crate) fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start)
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::start_with("", |_| {})
    }

    /// One with more options, as on its command line, and with more files in its folder of data.
    pub(crate) fn start_with(options: &str, files: impl FnOnce(&Path)) -> Server {
        let folder = tempfile::tempdir().expect("a folder").keep();
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(&folder).status().expect("chown").success());
        }
        let data = folder.join("data");
        let stop = format!(
            "read -r _; {}; rm -rf '{}'",
            words(&as_user("pg_ctl", &["-D", &path(&data), "-m", "immediate", "-w", "stop"])),
            folder.display()
        );
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", &stop]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let watchdog = watchdog.spawn().expect("a shell");
        run(&as_user("initdb", &["-D", &path(&data), "-U", "starwarden", "-A", "trust", "-E", "UTF8", "--no-sync"]));
        files(&data);
        let mut server = Server { folder, port: 0, options: options.to_owned(), _watchdog: watchdog };
        let mut refused = String::new();
        // Another process may take the port just now, and then the next one is ours.
        let port = ports().take(20).find(|port| {
            server.port = *port;
            server.run_server().map_err(|error| refused = error).is_ok()
        });
        assert!(port.is_some(), "PostgreSQL does not start: {refused}");
        eprintln!("PostgreSQL for these tests: port {}, in {}", server.port, server.folder.display());
        server
    }

    /// Starts it again after [`Server::stop`], on the same port.
    pub(crate) fn start_again(&self) {
        self.run_server().expect("PostgreSQL again");
    }

    fn run_server(&self) -> Result<(), String> {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c max_connections=300 -k '{}' {}",
            self.port,
            self.folder.display(),
            self.options
        );
        let (data, log) = (path(&self.folder.join("data")), path(&self.folder.join("log")));
        said(&as_user("pg_ctl", &["-D", &data, "-l", &log, "-o", &options, "-w", "start"]))
            .map_err(|error| error + &std::fs::read_to_string(log).unwrap_or_default())
    }

    /// Stops it as a crash does.
    pub(crate) fn stop(&self) {
        run(&as_user("pg_ctl", &["-D", &path(&self.folder.join("data")), "-m", "immediate", "-w", "stop"]));
    }

    /// A new, empty database.
    pub(crate) async fn database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    pub(crate) async fn execute(&self, database: &str, statements: &str) {
        session(&self.socket(database)).await.batch_execute(statements).await.expect("done");
    }

    /// Where a database is for the test itself, whatever the server asks of those who come from the network.
    pub(crate) fn socket(&self, database: &str) -> String {
        format!("postgres://starwarden@/{database}?host={}&port={}", self.folder.display(), self.port)
    }

    /// Where its data are.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The server's own port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://starwarden@127.0.0.1:{}/{database}", self.port)
    }
}

/// A session of the test's own beside the bot's; it ends when it is dropped.
pub(crate) async fn session(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a server");
    tokio::spawn(connection);
    client
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// Ports to listen on, from those that no program is given that asks for any: such a port stays ours while the server is
/// stopped, and would otherwise be taken by one of the many programs these tests run.
fn ports() -> impl Iterator<Item = u16> {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000; // Linux gives ports from 32,768 on, others from 49,152 on.
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let own = std::process::id().wrapping_mul(37); // Two runs at once begin at different places.
    let next = move || FIRST + own.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % COUNT;
    let ports = std::iter::repeat_with(next).filter_map(|port| u16::try_from(port).ok());
    ports.filter(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout == b"0\n"
}

/// A program of PostgreSQL's and its arguments; the server refuses root, so as `postgres` where we are root.
fn as_user(program: &str, arguments: &[&str]) -> Vec<String> {
    let user: &[&str] = if is_root() { &["runuser", "-u", "postgres", "--"] } else { &[] };
    let program = path(&programs().join(program));
    user.iter().copied().chain([program.as_str()]).chain(arguments.iter().copied()).map(str::to_owned).collect()
}

/// The folder of PostgreSQL's programs: Debian's newest, else the one on the path.
pub(crate) fn programs() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = debian.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    let on_path = || std::env::split_paths(&std::env::var_os("PATH")?).find(|folder| folder.join("initdb").exists());
    newest
        .or_else(on_path)
        .expect("PostgreSQL's programs (initdb): ./tests/run installs them, or: apt-get install postgresql")
}

fn words(command: &[String]) -> String {
    command.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect::<Vec<_>>().join(" ")
}

fn run(command: &[String]) {
    said(command).expect("a program that does well");
}

/// Runs a command; what it said, where it did not do well.
fn said(command: &[String]) -> Result<(), String> {
    let (program, arguments) = command.split_first().expect("a program");
    // Its files, not pipes: the server would keep a pipe open and we would wait for its end.
    let said = tempfile::NamedTempFile::new().expect("a file");
    let to = || Stdio::from(said.reopen().expect("a file"));
    let done =
        Command::new(program).args(arguments).current_dir("/").stdin(Stdio::null()).stdout(to()).stderr(to()).status();
    let text = std::fs::read_to_string(said.path()).unwrap_or_default();
    if done.expect("a program").success() { Ok(()) } else { Err(format!("{}: {text}", words(command))) }
}
