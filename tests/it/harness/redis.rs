//! A Redis of the test's own, from Debian's package, at a socket in a folder that goes with it.
//!
//! The server is killed when the pipe to its keeper ends, so that it does not outlive its test however that
//! ends.

use std::process::{Child, Command, Stdio};

use redis::{FromRedisValue, RedisResult};
use tempfile::TempDir;

/// Runs the server until nobody holds the pipe any more.
const KEEPER: &str = r#"redis-server "$@" & read -r word; kill -KILL $!; wait"#;

/// A server that is killed with its test.
pub(crate) struct Redis {
    folder: TempDir,
    keeper: Option<Child>,
    arguments: Vec<String>,
}

impl Redis {
    /// Starts a server with these arguments beside the usual ones.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut this = Self { folder: tempfile::tempdir().unwrap(), keeper: None, arguments };
        this.start_again();
        this
    }

    /// Starts it, empty.
    pub(crate) fn start_again(&mut self) {
        let there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        there.expect("redis-server is not installed: make deps installs it");
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).current_dir(self.folder.path());
        keeper.args(["--port", "0", "--unixsocket", "redis.sock", "--save", ""]);
        keeper.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::null());
        // What the shell says of the killing.
        self.keeper = Some(keeper.stderr(Stdio::null()).spawn().unwrap());
    }

    /// Kills it, with all that it had.
    pub(crate) fn kill(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            keeper.wait().unwrap();
        }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}/redis.sock", self.folder.path().display())
    }

    /// Asks it something, once it answers.
    pub(crate) async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let client = redis::Client::open(self.url()).unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        loop {
            let asked = async {
                let mut connection = client.get_multiplexed_async_connection().await?;
                command.query_async(&mut connection).await
            };
            match asked.await {
                Err(error) if error.is_io_error() || error.code() == Some("LOADING") => {
                    tokio::task::yield_now().await;
                }
                answered => return answered,
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
