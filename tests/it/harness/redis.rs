//! A Redis of the test's own, from Debian's package, at a socket in a folder that goes with it.

use std::process::{Child, Command, Stdio};

use redis::{FromRedisValue, RedisResult};
use tempfile::TempDir;

/// A server that is killed with its test.
pub(crate) struct Redis {
    folder: TempDir,
    server: Option<Child>,
    arguments: Vec<String>,
}

impl Redis {
    /// Starts a server with these arguments beside the usual ones.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut this = Self { folder: tempfile::tempdir().unwrap(), server: None, arguments };
        this.start_again();
        this
    }

    /// Starts it, empty.
    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.current_dir(self.folder.path());
        command.args(["--port", "0", "--unixsocket", "redis.sock", "--save", ""]);
        command.args(&self.arguments).stdout(Stdio::null());
        let started = command.spawn();
        self.server = Some(started.expect("redis-server is not installed: make deps installs it"));
    }

    /// Kills it, with all that it had.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
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
