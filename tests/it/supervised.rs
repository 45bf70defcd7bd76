//! A supervisor, as systemd is one, hears how the service is: over a real socket, of the real program.

use std::path::PathBuf;
use std::time::Duration;

use tokio::net::UnixDatagram;

use crate::program::{Hark, PATIENCE, Running, SCRIPTED};

/// A number, so that there is something to serve.
const NUMBER: &str = "[[numbers]]\nphone_number_id = \"106540352242922\"\nprovider = \"simulator\"\n\
    access_token = \"token\"\napp_secret = \"secret\"\napi_url = \"http://127.0.0.1:9\"\n";

/// Plays systemd.
struct Listener {
    socket: UnixDatagram,
}

impl Listener {
    fn bind(path: PathBuf) -> Self {
        Self { socket: UnixDatagram::bind(path).unwrap() }
    }

    /// Waits for what is said next, pings left out.
    async fn hears(&self) -> String {
        loop {
            let said = self.hears_any().await;
            if said != "WATCHDOG=1\n" {
                return said;
            }
        }
    }

    async fn hears_any(&self) -> String {
        let mut lines = [0; 512];
        let received = tokio::time::timeout(PATIENCE, self.socket.recv(&mut lines));
        let length = received.await.expect("it says something").unwrap();
        String::from_utf8(lines[..length].to_vec()).unwrap()
    }
}

/// Starts a service that is watched with this patience.
async fn started(watchdog: Duration) -> (Hark, Listener, Running) {
    let hark = Hark::new().file("hark.toml", format!("{SCRIPTED}{NUMBER}"));
    let listener = Listener::bind(hark.path("notify"));
    let socket = hark.path("notify").display().to_string();
    let hark = hark
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", &watchdog.as_micros().to_string())
        .env("HARK__SERVER__ADMIN_LISTEN", "");
    let running = hark.start(&["serve", "--listen", "127.0.0.1:0"]).await;
    (hark, listener, running)
}

#[tokio::test]
async fn it_hears_when_the_service_is_ready_reads_again_and_stops() {
    let (_hark, listener, running) = started(Duration::from_mins(1)).await;
    assert_eq!(listener.hears().await, "READY=1\n");
    let client = hark::remote::http_client();
    assert_eq!(client.get(running.url("/readyz")).send().await.unwrap().status(), 200);
    running.hang_up().await;
    let said = listener.hears().await;
    let at = said.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&said);
    assert!(at.trim_end().parse::<u64>().unwrap() > 0);
    assert_eq!(listener.hears().await, "READY=1\n");
    running.said_one_of(&["the configuration was read again"]).await;
    assert_eq!(running.stop().await, 0);
    assert_eq!(listener.hears().await, "STOPPING=1\n");
}

#[tokio::test]
async fn it_hears_that_the_service_lives_as_long_as_the_store_answers() {
    let (hark, listener, running) = started(Duration::from_millis(600)).await;
    for _ in 0..3 {
        while listener.hears_any().await != "WATCHDOG=1\n" {}
    }
    // Nobody can write any more: the thread that writes waits.
    let other = rusqlite::Connection::open(hark.path("hark.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    running.said_one_of(&["the supervisor is not told that hark lives"]).await;
    // What was said before it stood still.
    while listener.socket.try_recv(&mut [0; 64]).is_ok() {}
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(listener.hears_any().await, "WATCHDOG=1\n", "it goes on by itself");
}
