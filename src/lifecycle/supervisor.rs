//! The supervisor that has started the process, systemd: it is told when the service is ready, reads its
//! configuration again and stops, and, where it watches, that the service lives.
//!
//! The protocol is that of `sd_notify(3)`: lines in one datagram. Invariant: that the service lives is
//! said by who has just seen it, never by a clock alone.

use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram as StdDatagram};
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::time::{Instant, sleep_until, timeout};

/// How long a supervisor may take to take a datagram.
const TAKEN: Duration = Duration::from_secs(1);

/// Tells the supervisor, if there is one.
pub struct Supervisor {
    socket: Option<SocketAddr>,
    /// A service that did not say for so long that it lives is ended.
    watchdog: Option<Duration>,
}

/// Says what is odd about a variable that the supervisor set.
#[derive(Debug, thiserror::Error)]
#[error("{name} is {value:?}: {problem}")]
pub struct SupervisorError {
    name: &'static str,
    value: String,
    problem: String,
}

impl Supervisor {
    /// Reads what a supervisor has set: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    ///
    /// # Errors
    /// One of them is nothing that a supervisor sets.
    pub fn new<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Result<Self, SupervisorError> {
        let set = |name: &'static str| variable(name).filter(|value| !value.is_empty());
        let odd = |name, value: &str, problem: &dyn std::fmt::Display| SupervisorError {
            name,
            value: value.to_owned(),
            problem: problem.to_string(),
        };
        let socket = set("NOTIFY_SOCKET")
            .map(|name| address(name).map_err(|problem| odd("NOTIFY_SOCKET", name, &problem)));
        let number = |name| {
            let value = set(name)
                .map(|text| text.parse::<u64>().map_err(|problem| odd(name, text, &problem)));
            value.transpose()
        };
        let (every, whose) = (number("WATCHDOG_USEC")?, number("WATCHDOG_PID")?);
        // Set for another process, of which this one is a child.
        let ours = whose.is_none_or(|id| id == u64::from(std::process::id()));
        let watchdog = every.filter(|usec| ours && *usec > 0).map(Duration::from_micros);
        Ok(Self { socket: socket.transpose()?, watchdog })
    }

    /// Tells that requests are answered.
    pub async fn ready(&self) {
        self.tell("READY=1\n").await;
    }

    /// Tells that the configuration is being read again; [`Self::ready`] says that it was.
    pub async fn reloading(&self) {
        self.tell(&reloading()).await;
    }

    /// Tells that the service finishes what runs, and ends.
    pub async fn stopping(&self) {
        self.tell("STOPPING=1\n").await;
    }

    /// Tells that the service lives as often as `lives` has seen it within the time that it is given; for
    /// ever.
    pub async fn watch(&self, lives: impl AsyncFn(Duration) -> bool) {
        let Some(watchdog) = self.watchdog else { return std::future::pending().await };
        // One that is late leaves time for another.
        let every = watchdog / 3;
        let mut told = true;
        loop {
            let next = Instant::now() + every;
            let alive = lives(every).await;
            if alive {
                self.tell("WATCHDOG=1\n").await;
            } else if told {
                tracing::error!(
                    watchdog_ms = watchdog.as_secs_f64() * 1000.0,
                    "the store does not answer: the supervisor is not told that hark lives, and may end it"
                );
            }
            told = alive;
            sleep_until(next).await;
        }
    }

    async fn tell(&self, lines: &str) {
        let Some(address) = &self.socket else { return };
        let told = timeout(TAKEN, send(address, lines)).await;
        let told = told.unwrap_or_else(|_late| Err(io::ErrorKind::TimedOut.into()));
        if let Err(error) = told {
            let what = lines.lines().next().unwrap_or_default();
            tracing::warn!(error = %error, what, "the supervisor could not be told");
        }
    }
}

async fn send(address: &SocketAddr, lines: &str) -> io::Result<()> {
    let socket = StdDatagram::unbound()?;
    socket.connect_addr(address)?;
    socket.set_nonblocking(true)?;
    UnixDatagram::from_std(socket)?.send(lines.as_bytes()).await.map(drop)
}

/// Reads the name of a socket: a path, or, behind `@`, what is in no folder.
fn address(name: &str) -> io::Result<SocketAddr> {
    match name.strip_prefix('@') {
        Some(name) => without_a_path(name),
        None if name.starts_with('/') => SocketAddr::from_pathname(name),
        None => Err(io::Error::other("a socket's path is absolute, or begins with @")),
    }
}

#[cfg(target_os = "linux")]
fn without_a_path(name: &str) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn without_a_path(_: &str) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Says it with the time since the system's start, by which systemd knows that it asked before.
#[cfg(target_os = "linux")]
fn reloading() -> String {
    use rustix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::Monotonic);
    format!("RELOADING=1\nMONOTONIC_USEC={}\n", now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)
}

#[cfg(not(target_os = "linux"))]
fn reloading() -> String {
    "RELOADING=1\n".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Supervisor, SupervisorError> {
        Supervisor::new(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
        })
    }

    #[tokio::test]
    async fn whoever_has_no_supervisor_tells_nobody() {
        let nobody = with(&[("NOTIFY_SOCKET", "")]).unwrap();
        nobody.ready().await;
        assert!(nobody.watchdog.is_none());
        let (own, other) = (std::process::id().to_string(), "1");
        let watched = |pid| with(&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", pid)]).unwrap();
        assert_eq!(watched(own.as_str()).watchdog, Some(Duration::from_secs(2)));
        assert_eq!(watched(other).watchdog, None);
        for odd in [("NOTIFY_SOCKET", "notify"), ("WATCHDOG_USEC", "soon")] {
            assert!(with(&[odd]).map(drop).unwrap_err().to_string().starts_with(odd.0));
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_socket_without_a_path_is_told_too() {
        let name = format!("hark-test-{}", std::process::id());
        let here = StdDatagram::bind_addr(&without_a_path(&name).unwrap()).unwrap();
        with(&[("NOTIFY_SOCKET", &format!("@{name}"))]).unwrap().stopping().await;
        let mut lines = [0; 64];
        let length = here.recv(&mut lines).unwrap();
        assert_eq!(&lines[..length], b"STOPPING=1\n");
    }

    #[tokio::test(start_paused = true)]
    async fn only_who_is_seen_to_live_is_said_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let here = StdDatagram::bind(&path).unwrap();
        here.set_nonblocking(true).unwrap();
        let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "3000000")];
        let supervisor = with(&variables).unwrap();
        // The first three times it lives.
        let asked = std::cell::Cell::new(0);
        let lives = async |within: Duration| {
            assert_eq!(within, Duration::from_secs(1));
            asked.set(asked.get() + 1);
            asked.get() <= 3
        };
        timeout(Duration::from_millis(9_500), supervisor.watch(lives)).await.unwrap_err();
        assert_eq!(asked.get(), 10);
        let mut told = 0;
        while let Ok(length) = here.recv(&mut [0; 64]) {
            assert_eq!(length, b"WATCHDOG=1\n".len());
            told += 1;
        }
        assert_eq!(told, 3);
    }
}
