//! What a test asks for before its service starts, and the world that is built from it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering};

use hark::clock::Clock;
use hark::config::Environment;
use hark::remote::http_client;
use hark::simulator::{Door, FaultPlan, Simulator, SimulatorSettings};
use hark::store::{Access, SqlStore, StoreAddress};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::postgres::{self, Postgres};
use super::service::Service;
use super::{APP_SECRET, NUMBER, TOKEN, TestApp, VERIFY_TOKEN};

/// Configuration keys over the scripted defaults.
#[derive(Default)]
pub(crate) struct Setup {
    keys: Environment,
    process: bool,
    door: Door,
    faults: FaultPlan,
}

impl Setup {
    /// What every voice note is heard as.
    pub(crate) fn hears(self, text: &str) -> Self {
        self.set("stt.text", text)
    }

    /// What the agent answers; without it, it repeats what it heard.
    pub(crate) fn answers(self, text: &str) -> Self {
        self.set("llm.text", text)
    }

    /// Lets the agent think before its first word.
    pub(crate) fn thinks_ms(self, ms: u64) -> Self {
        self.set("llm.first_token_ms", &ms.to_string())
    }

    /// Sets a configuration key, e.g. `numbers.1.status`.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        let name = format!("HARK__{}", key.to_uppercase().replace('.', "__"));
        self.keys.insert(name, value.to_owned());
        self
    }

    /// Sets a variable of the environment under its own name.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.keys.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs the real program in its own process, by the system's clock, so that it can be killed.
    pub(crate) fn in_a_process(mut self) -> Self {
        self.process = true;
        self
    }

    /// Keeps the store in this database.
    pub(crate) fn on_database(self, url: &str) -> Self {
        self.set("store.url", url)
    }

    /// Keeps the store in a database of the server that the test process shares.
    pub(crate) fn on_postgres(self) -> Self {
        self.on_database(&Postgres::shared().database())
    }

    /// Lets the simulator break things.
    pub(crate) fn faults(mut self, plan: &str) -> Self {
        self.faults = FaultPlan::read(plan).unwrap();
        self
    }

    /// Reaches the test's number through 360dialog, which signs its webhooks.
    pub(crate) fn over_360dialog(mut self) -> Self {
        self.door = Door::D360;
        self.set("numbers.0.provider", "360dialog").set("numbers.0.signature_secret", APP_SECRET)
    }

    async fn build(mut self) -> TestApp {
        #[expect(clippy::disallowed_methods, reason = "a choice of who runs the tests")]
        let everywhere = std::env::var(EVERY_STORE).is_ok_and(|store| store == "postgres");
        if everywhere && !self.keys.contains_key(STORE_URL) {
            self = self.on_postgres();
        }
        let simulator_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = simulator_listener.local_addr().unwrap();
        let address = free_address();
        let world = World::new(self.keys, self.process, address, api);
        let client = http_client();
        let path = if self.door == Door::D360 { "/webhook/360dialog" } else { "/webhook" };
        let settings = SimulatorSettings {
            webhook: format!("http://{address}{path}").parse().unwrap(),
            app_secret: APP_SECRET.into(),
            door: self.door,
            phone_number_id: NUMBER.into(),
            access_token: Some(TOKEN.into()),
            public_url: None,
            clock: world.clock.clone(),
            id_seed: "test".to_owned(),
        };
        let simulator = Simulator::with_faults(settings, client.clone(), self.faults, 1);
        let handle = simulator.clone();
        tokio::spawn(simulator.serve(simulator_listener, CancellationToken::new()));
        let mut service = Service::new(self.process);
        service.start(&world).await;
        let store = SqlStore::open(world.store(), Access::Inspect).unwrap();
        TestApp { service, world, store, simulator: handle, client, seen: Cell::new(0) }
    }
}

impl IntoFuture for Setup {
    type Output = TestApp;
    type IntoFuture = Pin<Box<dyn Future<Output = TestApp>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.build())
    }
}

/// An address to listen on before and after a restart: below the ports that the system gives to
/// outgoing connections, so that none of them takes it in between.
pub(super) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        // Two runs of the tests, whose process ids are close, begin at different places.
        let start = u16::try_from(std::process::id() % 60 * 200).unwrap();
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if std::net::TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Stands before what a test adds to the file.
const ADDED: &str = "\n# added\n";

/// The key that says where the store is.
const STORE_URL: &str = "HARK__STORE__URL";
/// Names another store than a file for every test that asks for none: `postgres`.
const EVERY_STORE: &str = "HARK_TEST_STORE";

/// What outlives a restart of the service.
pub(super) struct World {
    folder: TempDir,
    pub(super) environment: Environment,
    pub(super) address: SocketAddr,
    /// Where it has its metrics.
    pub(super) admin: SocketAddr,
    /// Where the simulator answers.
    pub(super) api: SocketAddr,
    pub(super) clock: Clock,
    store: &'static str,
    /// A database server's, in the place of the file.
    server: Option<String>,
}

impl World {
    fn new(
        mut environment: Environment,
        process: bool,
        address: SocketAddr,
        api: SocketAddr,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, admin) = (String::new(), free_address());
        let admin_key = "HARK__SERVER__ADMIN_LISTEN".to_owned();
        environment.insert(admin_key, admin.to_string());
        // Each message is answered by itself, unless a test is about more.
        environment.entry("HARK__QUEUE__BURST_MS".to_owned()).or_insert_with(|| "0".to_owned());
        let server = environment.get(STORE_URL).filter(|url| url.contains("://")).cloned();
        for engine in ["stt", "llm", "tts"] {
            writeln!(file, "[{engine}]\nengine = \"scripted\"").unwrap();
        }
        write!(
            file,
            "[disclosure]\nenabled = false\n[cache]\nmegabytes = 0\n\
             [store]\nurl = \"hark.db\"\n[webhook]\nverify_token = \"{VERIFY_TOKEN}\"\n\
             [[numbers]]\nphone_number_id = \"{NUMBER}\"\nprovider = \"simulator\"\n\
             access_token = \"{TOKEN}\"\napp_secret = \"{APP_SECRET}\"\n\
             api_url = \"http://{api}\"\nmessages_per_second = 1000\n"
        )
        .unwrap();
        std::fs::write(folder.path().join("hark.toml"), file).unwrap();
        let now_ms = Clock::System.now_ms();
        let clock = if process { Clock::System } else { Clock::manual(now_ms) };
        Self { folder, environment, address, admin, api, clock, store: "hark.db", server }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces what an earlier call added to the file.
    pub(super) fn add_to_config(&self, toml: &str) {
        let file = std::fs::read_to_string(self.config_path()).unwrap();
        let (base, _added) = file.split_once(ADDED).unwrap_or((&file, ""));
        std::fs::write(self.config_path(), format!("{base}{ADDED}{toml}")).unwrap();
    }

    pub(super) fn config_path(&self) -> PathBuf {
        self.folder.path().join("hark.toml")
    }

    /// Where a service in a process of its own logs to, at its most talkative.
    pub(super) fn log_path(&self) -> PathBuf {
        self.folder.path().join("hark.log")
    }

    pub(super) fn database_path(&self) -> PathBuf {
        self.folder.path().join(self.store)
    }

    /// Where the service has its store.
    pub(super) fn store(&self) -> StoreAddress {
        match &self.server {
            Some(url) => postgres::address(url, 2),
            None => self.database_path().into(),
        }
    }

    /// Lets the service run on another database from its next start on.
    pub(super) fn use_store(&mut self, name: &'static str) {
        self.store = name;
        self.server = self.server.take().map(|_| Postgres::shared().database());
        let path = self.database_path().display().to_string();
        self.environment.insert(STORE_URL.to_owned(), self.server.clone().unwrap_or(path));
    }

    /// The address of its database, if that is a server's.
    pub(super) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }
}
