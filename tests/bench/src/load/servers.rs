//! Processes that are measured.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What deliveries are signed with.
pub const SECRET: &str = "a benchmark's own secret";

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A process that serves; it is killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a command that says on its first line where it listens.
    pub fn start(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").expect("where it listens");
        Server { address: address.parse().expect("an address"), child }
    }

    /// The bare handler.
    pub fn bare() -> Server {
        Server::start(Command::new(std::env::current_exe().expect("this program")).arg(super::bare::ARGUMENT))
    }

    /// The bot as it ships, on a store, for a helpdesk, with a budget of so many calls a minute.
    pub fn starwarden(folder: &Path, store: &str, helpdesk: &str, per_minute: u32) -> Server {
        let policy = root().join("config/policy/star.toml");
        let configuration = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"{store}\"\n[policy]\nfile = \"{}\"\n\
             [accounts.global]\nbase_url = \"{helpdesk}\"\nwebhook_secrets = [\"{SECRET}\"]\ncatch_up_every = \"off\"\n\
             requests_per_minute = {per_minute}\n[accounts.global.auth]\noauth_token = \"demo-token\"\n",
            policy.display()
        );
        let file = folder.join("starwarden.toml");
        std::fs::write(&file, configuration).expect("a file");
        let mut command = Command::new(root().join("target/dist/starwarden"));
        // Its log goes where nobody reads, and is written all the same.
        Server::start(command.args(["serve", "--config"]).arg(&file).stderr(Stdio::null()))
    }

    /// What it has spent, µs of CPU, as the kernel counts it: in hundredths of a second.
    pub fn spent(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("a process");
        let after_its_name = stat.rsplit(')').next().expect("a name");
        let ticks =
            after_its_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number"));
        ticks.sum::<f64>() * 1e4
    }

    /// What it takes of memory, MiB: now, and at most so far.
    pub fn memory(&self) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
            line.trim_end_matches("kB").trim().parse::<f64>().expect("a number") / 1024.0
        };
        Memory { now: of("VmRSS:"), peak: of("VmHWM:") }
    }
}

/// Memory of a process, MiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub now: f64,
    pub peak: f64,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A folder on the disk the repository is on, for memory would make any store fast.
pub fn folder() -> tempfile::TempDir {
    let target = root().join("target");
    std::fs::create_dir_all(&target).expect("a folder");
    tempfile::tempdir_in(target).expect("a folder")
}
