//! The built program in a folder of its own, temporary files included: no configuration, no model,
//! no variable but the test's.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A command or a service that takes longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Ears that need no model.
pub(crate) const SCRIPTED: &str = "[stt]\nengine = \"scripted\"\ntext = \"when do you open\"\n";

/// `hark`, not started yet.
pub(crate) struct Hark {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Hark {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { folder, environment: Vec::new() }
    }

    /// Writes a file into the folder the program runs in.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"").await
    }

    /// Runs a command that reads `stdin`.
    pub(crate) async fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().expect("it is piped");
        let feed = async {
            // A command that fails early leaves its input unread.
            input.write_all(stdin).await.ok();
            drop(input);
        };
        let ended = async { tokio::join!(feed, child.wait_with_output()).1 };
        let output = tokio::time::timeout(PATIENCE, ended).await.expect("it ends").unwrap();
        Ran {
            code: output.status.code().expect("no signal ends it"),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts a service and waits until it says where it listens.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Running {
        let mut running = self.spawn(arguments);
        let said = running.said_one_of(&["http.address=", "on http://"]).await;
        running.address = said.chars().take_while(|c| !c.is_whitespace()).collect();
        running
    }

    /// Starts a command that stays.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).stdin(Stdio::null()).spawn().unwrap();
        let said = watch::Sender::new(String::new());
        let mut listening = JoinSet::new();
        listening.spawn(listen(child.stdout.take().expect("it is piped"), said.clone()));
        listening.spawn(listen(child.stderr.take().expect("it is piped"), said.clone()));
        Running { child, said, listening, address: String::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hark"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("TMPDIR", self.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // espeak-ng is found through it.
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Ran {
    /// The standard output as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("stdout is text")
    }

    /// The JSON lines of the standard output, of a command that ended with `code`.
    #[track_caller]
    pub(crate) fn json(&self, code: i32) -> Vec<Value> {
        assert_eq!(self.code, code, "{}{}", self.text(), self.stderr);
        self.text().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// A service that runs; killed when dropped.
pub(crate) struct Running {
    child: Child,
    said: watch::Sender<String>,
    /// Ends with its output.
    listening: JoinSet<()>,
    /// Where it listens, `127.0.0.1:1234`.
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns all that it has printed so far.
    pub(crate) fn said(&self) -> String {
        self.said.borrow().clone()
    }

    /// Waits until it has printed one of `words`; returns what follows in that line.
    pub(crate) async fn said_one_of(&self, words: &[&str]) -> String {
        let found = |said: &String| {
            words.iter().find_map(|word| Some(said.split_once(word)?.1.lines().next()?.to_owned()))
        };
        let mut said = self.said.subscribe();
        let waiting = said.wait_for(|said| found(said).is_some() || said.contains("hark: "));
        let now = tokio::time::timeout(PATIENCE, waiting).await.expect("it starts").unwrap();
        found(&now).unwrap_or_else(|| panic!("it does not start: {}", *now))
    }

    /// Lets it read its configuration again.
    pub(crate) async fn hang_up(&self) {
        self.signal("-HUP").await;
    }

    /// Interrupts it as ctrl-c does and waits for its end; returns all that it printed.
    pub(crate) async fn interrupt(mut self) -> String {
        self.signal("-INT").await;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it stops").unwrap();
        while self.listening.join_next().await.is_some() {}
        self.said()
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("it runs").to_string();
        Command::new("kill").args([signal, &id]).status().await.unwrap();
    }

    /// Stops it as a platform does; returns its exit code.
    pub(crate) async fn stop(mut self) -> i32 {
        self.signal("-TERM").await;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it stops").unwrap().code().expect("it ends by itself")
    }
}

async fn listen(from: impl tokio::io::AsyncRead + Unpin, said: watch::Sender<String>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        said.send_modify(|said| {
            said.push_str(&line);
            said.push('\n');
        });
    }
}
