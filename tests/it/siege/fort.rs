//! The program under siege: a process that is killed and started again on one store.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::harness::{APP_SECRET, NUMBER, TOKEN, VERIFY_TOKEN};
use crate::program::PATIENCE;

/// How one is built.
pub(crate) struct FortSettings<'a> {
    /// The Graph API it talks to.
    pub(crate) graph: &'a str,
    /// The sections of its engines, and others.
    pub(crate) sections: &'a str,
    /// `[store] url`; a relative path is in its own folder.
    pub(crate) store: &'a str,
    /// `[log] level`.
    pub(crate) log: &'a str,
}

/// Kills a process when nobody holds the pipe any more: it does not outlive a test that was killed.
const KEEPER: &str = r#"read -r word || kill -KILL "$1""#;

/// The program, its folder and its addresses.
pub(crate) struct Fort {
    folder: TempDir,
    address: String,
    child: Option<Child>,
    keeper: Option<std::process::Child>,
    /// The most memory a process of it has held, in MiB.
    peak_mib: u64,
}

impl Fort {
    /// Prepares one that talks to this Graph, with its own engines or scripted ones.
    pub(super) fn new(graph: &str, own_engines: bool) -> Self {
        let engines: &[&str] = if own_engines { &["llm"] } else { &["llm", "stt", "tts"] };
        let scripted = |engine: &&str| format!("[{engine}]\nengine = \"scripted\"\n");
        let engines: String = engines.iter().map(scripted).collect();
        // Its books look for an answer to each message.
        let sections = format!("{engines}[queue]\nburst_ms = 0\n");
        let settings = FortSettings { graph, sections: &sections, store: "hark.db", log: "info" };
        Self::build(&settings, tempfile::tempdir().unwrap())
    }

    /// Prepares one that has this folder.
    pub(crate) fn build(settings: &FortSettings, folder: TempDir) -> Self {
        let FortSettings { graph, sections, store, log } = settings;
        // Both are held until both are known, so that they differ.
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [address, admin] = ports.map(|port| port.local_addr().unwrap().to_string());
        let toml = format!(
            "{sections}[log]\nlevel = \"{log}\"\n\
             [server]\nlisten = \"{address}\"\nadmin_listen = \"{admin}\"\n\
             [store]\nurl = \"{store}\"\n[webhook]\nverify_token = \"{VERIFY_TOKEN}\"\n\
             [[numbers]]\nphone_number_id = \"{NUMBER}\"\nprovider = \"simulator\"\n\
             access_token = \"{TOKEN}\"\napp_secret = \"{APP_SECRET}\"\napi_url = \"{graph}\"\n"
        );
        std::fs::write(folder.path().join("hark.toml"), toml).unwrap();
        Self { folder, address, child: None, keeper: None, peak_mib: 0 }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// Starts it; returns when it takes connections.
    pub(crate) async fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hark"));
        command.arg("serve").current_dir(self.folder.path()).stderr(log).kill_on_drop(true);
        // As in the files of `deploy`.
        command.env("MALLOC_ARENA_MAX", "2").env("TZ", "UTC");
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        while TcpStream::connect(&self.address).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "it ended at its start: {}", self.log());
            assert!(began.elapsed() < PATIENCE, "it does not start");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut keeper = std::process::Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(child.id().expect("it runs").to_string());
        keeper.stdin(Stdio::piped()).stderr(Stdio::null());
        self.keeper = Some(keeper.spawn().unwrap());
        self.child = Some(child);
    }

    /// Kills it with SIGKILL.
    pub(crate) async fn kill(&mut self) -> Instant {
        self.peak_mib();
        let mut child = self.child.take().expect("it runs");
        child.kill().await.unwrap();
        let killed = Instant::now();
        if let Some(mut keeper) = self.keeper.take() {
            keeper.stdin.take().unwrap().write_all(b"gone\n").unwrap();
            keeper.wait().unwrap();
        }
        killed
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs").to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args([&format!("-{signal}"), &id]).status().unwrap().success());
    }

    /// Lets its folder stay, and returns it.
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    /// The most memory it has ever held, in MiB.
    pub(super) fn peak_mib(&mut self) -> u64 {
        self.peak_mib = self.peak_mib.max(self.memory_mib("VmHWM:"));
        self.peak_mib
    }

    /// A line of the process's memory, in MiB.
    pub(super) fn memory_mib(&self, key: &str) -> u64 {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// One of its files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.path("hark.log")
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_path()).unwrap()).into_owned()
    }

    pub(super) fn log_bytes(&self) -> u64 {
        std::fs::metadata(self.log_path()).unwrap().len()
    }
}
