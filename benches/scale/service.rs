//! The program as processes, and the servers that they share.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hark::bench::Process;
use hark::store::StoreAddress;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::StoreKind;
use super::postgres::{self, Postgres};
use super::redis::Redis;

pub(crate) const NUMBER: &str = "100000000000001";
pub(crate) const SECRET: &str = "scale-app-secret";

/// A start takes no longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A store, and what stands beside it.
pub(crate) struct Backing {
    folder: TempDir,
    /// With the name of the database.
    servers: Option<(Postgres, Redis, String)>,
}

impl Backing {
    /// Makes an empty one.
    pub(crate) fn new(kind: StoreKind) -> anyhow::Result<Self> {
        let servers = (kind == StoreKind::Postgres).then(|| {
            let postgres = Postgres::durable();
            let url = postgres.database();
            (postgres, Redis::start(&["--maxmemory-policy", "noeviction"]), url)
        });
        Ok(Self { folder: tempfile::tempdir()?, servers })
    }

    /// Returns its address.
    pub(crate) fn address(&self) -> StoreAddress {
        match &self.servers {
            Some((_, _, url)) => postgres::address(url, 4),
            None => self.folder.path().join("hark.db").into(),
        }
    }

    /// Returns the processor time that its servers took so far, in milliseconds.
    pub(crate) async fn cpu_ms(&self) -> anyhow::Result<f64> {
        let Some((postgres, redis, _)) = &self.servers else { return Ok(0.0) };
        let child = postgres.sql(
            "postgres",
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
        );
        let status = std::fs::read_to_string(format!("/proc/{child}/status"))?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        let said: String = redis.ask(&["INFO", "server"]).await?;
        let itself = said.lines().find_map(|line| line.strip_prefix("process_id:"));
        let mut sum = 0.0;
        for id in [parent, itself] {
            let id = id.context("a server has a process")?.trim().parse()?;
            sum += Process::of(id).cpu().map_or(0.0, |cpu| cpu.own_ms + cpu.engines_ms);
        }
        Ok(sum)
    }

    /// Returns the bytes of the store, and those that its server has written to its log so far.
    pub(crate) fn bytes(&self) -> anyhow::Result<(f64, f64)> {
        let Some((postgres, _, _)) = &self.servers else {
            let files = ["hark.db", "hark.db-wal"].map(|name| self.folder.path().join(name));
            let sizes = files.iter().map(|file| file.metadata().map_or(0, |file| file.len()));
            #[expect(clippy::cast_precision_loss, reason = "a size for people")]
            return Ok((sizes.sum::<u64>() as f64, 0.0));
        };
        let asked = postgres.sql(
            "hark0",
            "SELECT pg_database_size(current_database()) || ' ' || \
             pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')",
        );
        let (size, log) = asked.split_once(' ').context("two numbers")?;
        Ok((size.parse()?, log.parse()?))
    }

    /// Returns the bytes that Redis holds.
    pub(crate) async fn redis_bytes(&self) -> anyhow::Result<f64> {
        let Some((_, redis, _)) = &self.servers else { return Ok(0.0) };
        let said: String = redis.ask(&["INFO", "memory"]).await?;
        let used = said.lines().find_map(|line| line.strip_prefix("used_memory:"));
        Ok(used.context("Redis says what it holds")?.trim().parse()?)
    }
}

/// One process of the program.
pub(crate) struct Node {
    address: String,
    child: Child,
    _folder: TempDir,
}

impl Node {
    /// Starts one; returns when it takes connections.
    pub(crate) async fn start(backing: &Backing, graph: &str, name: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // Held until both are known, so that they differ.
        let ports =
            [TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?];
        let (address, admin) = (ports[0].local_addr()?.to_string(), ports[1].local_addr()?);
        drop(ports);
        let (store, redis) = match &backing.servers {
            Some((_, redis, url)) => (url.clone(), format!("[redis]\nurl = \"{}\"\n", redis.url())),
            None => (backing.folder.path().join("hark.db").display().to_string(), String::new()),
        };
        let toml = format!(
            "default_agent = \"scale\"\n[[agents]]\nname = \"scale\"\nprompt = \"Answer.\"\n\
             reply = \"text\"\n[stt]\nengine = \"scripted\"\n[llm]\nengine = \"scripted\"\n\
             text = \"We are open from nine to six.\"\n[tts]\nengine = \"scripted\"\n\
             [disclosure]\nenabled = false\n[cache]\nmegabytes = 0\n{redis}\
             [queue]\nburst_ms = 0\nnode = \"{name}\"\n[server]\nlisten = \"{address}\"\nadmin_listen = \"{admin}\"\n\
             [store]\nurl = \"{store}\"\n[webhook]\nverify_token = \"v\"\n\
             [[numbers]]\nphone_number_id = \"{NUMBER}\"\nprovider = \"simulator\"\n\
             access_token = \"t\"\napp_secret = \"{SECRET}\"\napi_url = \"{graph}\"\nmessages_per_second = 1000\n"
        );
        std::fs::write(folder.path().join("hark.toml"), toml)?;
        let log = folder.path().join("hark.log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_hark"));
        command.arg("serve").current_dir(folder.path()).kill_on_drop(true);
        // As in the files of `deploy`.
        command.env("MALLOC_ARENA_MAX", "2").env("HARK__LOG__LEVEL", "warn");
        let child = command.stderr(File::create(&log)?).spawn()?;
        let mut node = Self { address, child, _folder: folder };
        node.answers(&log).await?;
        Ok(node)
    }

    async fn answers(&mut self, log: &Path) -> anyhow::Result<()> {
        let began = Instant::now();
        while TcpStream::connect(&self.address).await.is_err() {
            let ended = self.child.try_wait()?.is_some();
            if ended || began.elapsed() > PATIENCE {
                bail!("it does not start: {}", std::fs::read_to_string(log)?);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Returns the address of its webhook.
    pub(crate) fn webhook(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    fn process(&self) -> Process {
        Process::of(self.child.id().unwrap_or_default())
    }

    /// Returns the processor time that it took so far, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> f64 {
        self.process().cpu().map_or(0.0, |cpu| cpu.own_ms + cpu.engines_ms)
    }

    /// Returns the memory that it holds, in MiB.
    pub(crate) fn memory_mib(&self) -> f64 {
        self.process().memory_mib().map_or(0.0, |(now, _)| now)
    }
}
