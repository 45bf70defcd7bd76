//! The program under siege: a process that is killed and started again on one store.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
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
    /// The sections of its engines.
    pub(crate) engines: &'a str,
    /// `[store] url`; a relative path is in its own folder.
    pub(crate) store: &'a str,
    /// `[log] level`.
    pub(crate) log: &'a str,
}

/// The program, its folder and its addresses.
pub(crate) struct Fort {
    folder: TempDir,
    address: String,
    child: Option<Child>,
    /// The most memory a process of it has held, in MiB.
    peak_mib: u64,
}

impl Fort {
    /// Prepares one that talks to this Graph, with its own engines or scripted ones.
    pub(super) fn new(graph: &str, own_engines: bool) -> Self {
        let engines: &[&str] = if own_engines { &["llm"] } else { &["llm", "stt", "tts"] };
        let scripted = |engine: &&str| format!("[{engine}]\nengine = \"scripted\"\n");
        let engines: String = engines.iter().map(scripted).collect();
        Self::build(&FortSettings { graph, engines: &engines, store: "hark.db", log: "info" })
    }

    /// Prepares one.
    pub(crate) fn build(settings: &FortSettings) -> Self {
        let FortSettings { graph, engines, store, log } = settings;
        let folder = tempfile::tempdir().unwrap();
        // Both are held until both are known, so that they differ.
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [address, admin] = ports.map(|port| port.local_addr().unwrap().to_string());
        let toml = format!(
            "{engines}[log]\nlevel = \"{log}\"\n\
             [server]\nlisten = \"{address}\"\nadmin_listen = \"{admin}\"\n\
             [store]\nurl = \"{store}\"\n[webhook]\nverify_token = \"{VERIFY_TOKEN}\"\n\
             [[numbers]]\nphone_number_id = \"{NUMBER}\"\nprovider = \"simulator\"\n\
             access_token = \"{TOKEN}\"\napp_secret = \"{APP_SECRET}\"\napi_url = \"{graph}\"\n"
        );
        std::fs::write(folder.path().join("hark.toml"), toml).unwrap();
        Self { folder, address, child: None, peak_mib: 0 }
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
        command.env("MALLOC_ARENA_MAX", "2");
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        while TcpStream::connect(&self.address).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "it ended at its start: {}", self.log());
            assert!(began.elapsed() < PATIENCE, "it does not start");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.child = Some(child);
    }

    /// Kills it with SIGKILL.
    pub(crate) async fn kill(&mut self) -> Instant {
        self.peak_mib();
        let mut child = self.child.take().expect("it runs");
        child.kill().await.unwrap();
        Instant::now()
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

    pub(crate) fn log_path(&self) -> PathBuf {
        self.folder.path().join("hark.log")
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_path()).unwrap()).into_owned()
    }

    pub(super) fn log_bytes(&self) -> u64 {
        std::fs::metadata(self.log_path()).unwrap().len()
    }
}
