//! The API as a program uses it, the commands beside a service, and a second number.

use hark::simulator::{Door, Simulator, SimulatorSettings};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, TestApp};

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct ApiAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl ApiAnswer {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks that it is a problem of a kind, and returns its words.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["type"], format!("urn:hark:problem:{kind}"), "{}", self.body);
        assert_eq!(self.body["status"], status);
        self.body["detail"].as_str().unwrap().to_owned()
    }
}

/// A request to the API.
pub(crate) struct ApiCall(reqwest::RequestBuilder);

impl ApiCall {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    /// Sends a form.
    pub(crate) fn form(self, form: reqwest::multipart::Form) -> Self {
        Self(self.0.multipart(form))
    }

    /// Sends a body of this type whose length is not announced.
    pub(crate) fn stream(self, kind: &str, body: reqwest::Body) -> Self {
        Self(self.0.header("Content-Type", kind).body(body))
    }

    pub(crate) fn body(self, body: String) -> Self {
        Self(self.0.body(body))
    }

    /// Names the version that is changed.
    pub(crate) fn of_version(self, version: u64) -> Self {
        self.header("If-Match", &format!("\"{version}\""))
    }

    pub(crate) async fn send(self) -> ApiAnswer {
        let answer = self.0.timeout(PATIENCE).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.unwrap();
        ApiAnswer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }
}

impl TestApp {
    /// A request of whoever has this token.
    pub(crate) fn api(&self, token: &str, method: Method, path: &str) -> ApiCall {
        let url = self.url(&format!("/api/v1{path}"));
        ApiCall(self.client.request(method, url).bearer_auth(token))
    }

    pub(crate) fn api_get(&self, token: &str, path: &str) -> ApiCall {
        self.api(token, Method::GET, path)
    }

    pub(crate) fn api_post(&self, token: &str, path: &str, body: &Value) -> ApiCall {
        self.api(token, Method::POST, path).json(body)
    }

    /// Gets what is no JSON object: its type and its text.
    pub(crate) async fn api_text(&self, token: &str, path: &str) -> (String, String) {
        let ApiCall(call) = self.api_get(token, path);
        let answer = call.timeout(PATIENCE).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, answer.text().await.unwrap())
    }

    /// Sends bytes and returns the beginning of what is answered.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let address = self.url("").replace("http://", "");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await;
        let read = read.expect("an answer").unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    /// Runs a command of the program on the service's configuration; returns its JSON lines.
    pub(crate) async fn hark(&self, arguments: &[&str]) -> Vec<Value> {
        let ran = self.run(arguments).await;
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{arguments:?}: {said}");
        let lines = String::from_utf8(ran.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Runs a command that the configuration does not allow, and that names this key.
    pub(crate) async fn hark_fails(&self, arguments: &[&str], key: &str) {
        let ran = self.run(arguments).await;
        assert_eq!(ran.status.code(), Some(64), "{ran:?}");
        assert!(String::from_utf8_lossy(&ran.stdout).contains(key), "{ran:?}");
    }

    async fn run(&self, arguments: &[&str]) -> std::process::Output {
        let ran = Command::new(env!("CARGO_BIN_EXE_hark"))
            .arg("--config")
            .arg(self.world.config_path())
            .args(arguments)
            .arg("--json")
            .envs(&self.world.environment)
            .output();
        tokio::time::timeout(PATIENCE, ran).await.expect("it ends").unwrap()
    }

    /// Makes a token with a role.
    pub(crate) async fn token(&self, role: &str) -> String {
        let made = self.hark(&["token", "create", "--role", role, "--name", "test"]).await;
        made[0]["token"].as_str().unwrap().to_owned()
    }

    /// Another number's WhatsApp; returns also what adds the number.
    pub(crate) async fn second_number(
        &self,
        id: &str,
        secret: &str,
        token: &str,
    ) -> (Simulator, Value) {
        self.other_number(Door::Meta, id, secret, token).await
    }

    /// The same behind either door.
    pub(crate) async fn other_number(
        &self,
        door: Door,
        id: &str,
        secret: &str,
        token: &str,
    ) -> (Simulator, Value) {
        let (path, provider, signs) = match door {
            Door::Meta => ("/webhook", "simulator", "app_secret"),
            Door::D360 => ("/webhook/360dialog", "360dialog", "signature_secret"),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let settings = SimulatorSettings {
            webhook: self.url(path).parse().unwrap(),
            app_secret: secret.into(),
            door,
            phone_number_id: id.into(),
            access_token: Some(token.into()),
            public_url: None,
            clock: self.world.clock.clone(),
            id_seed: format!("test{id}"),
        };
        let simulator = Simulator::new(settings, self.client.clone());
        tokio::spawn(simulator.clone().serve(listener, CancellationToken::new()));
        let number = json!({
            "phone_number_id": id, "provider": provider, "access_token": token,
            signs: secret, "api_url": api,
        });
        (simulator, number)
    }

    /// The bytes of the store's files, and of what lies beside them.
    pub(crate) fn store_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        let store = files.filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("hark.db"))
        });
        store.flat_map(|path| std::fs::read(path).unwrap()).collect()
    }
}

/// Whether some bytes are part of others.
pub(crate) fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|part| part == word.as_bytes())
}
