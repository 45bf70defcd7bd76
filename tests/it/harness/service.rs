//! The service under test: in the test's own process, or as the real program in one of its own.

use std::fs::File;
use std::net::SocketAddr;

use hark::app::{App, EnginePool, Hearing, Keeping, Places, Reloader, settle_agents};
use hark::lifecycle::Shutdown;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::setup::{World, free_address};
use super::{LOOK_AGAIN, PATIENCE};

pub(super) enum Service {
    /// Runs by the test's clock.
    Here(Option<Running>),
    /// Can be killed.
    Process(Option<Child>),
}

pub(super) struct Running {
    shutdown: Shutdown,
    reloader: Reloader,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Service {
    pub(super) fn new(process: bool) -> Self {
        if process { Self::Process(None) } else { Self::Here(None) }
    }

    /// Starts it; returns when it answers.
    pub(super) async fn start(&mut self, world: &World) {
        match self {
            Self::Here(running) => *running = Some(start_here(world).await),
            Self::Process(child) => {
                *child = Some(start_process(world, world.address, &[]).await);
            }
        }
    }

    /// Stops it after the turns that run.
    pub(super) async fn stop(&mut self) {
        let Self::Here(running) = self else { panic!("a process is killed, not stopped") };
        let Running { shutdown, task, .. } = running.take().expect("it runs");
        shutdown.stop.cancel();
        tokio::time::timeout(PATIENCE, task).await.expect("it stops").unwrap().unwrap();
    }

    /// Lets it read its configuration again; returns whether it was taken.
    pub(super) async fn reload(&mut self, world: &World) -> bool {
        match self {
            Self::Here(running) => {
                let reloader = &mut running.as_mut().expect("it runs").reloader;
                let (file, environment) = (world.config_path(), world.environment.clone());
                reloader.reload(move || hark::config::read(Some(&file), &environment)).await
            }
            Self::Process(child) => {
                let log = || std::fs::read_to_string(world.log_path()).unwrap();
                let id = child.as_ref().and_then(Child::id).expect("it runs").to_string();
                let before = log().len();
                Command::new("kill").args(["-HUP", &id]).status().await.unwrap();
                let answered = async {
                    loop {
                        let said = log().split_off(before);
                        if said.contains("the configuration was read again") {
                            return true;
                        }
                        if said.contains("the configuration was not read again") {
                            return false;
                        }
                        tokio::time::sleep(LOOK_AGAIN).await;
                    }
                };
                tokio::time::timeout(PATIENCE, answered).await.expect("it reads it")
            }
        }
    }

    /// Returns the id of its process.
    pub(super) fn process(&self) -> u32 {
        let Self::Process(child) = self else { panic!("it runs here") };
        child.as_ref().and_then(Child::id).expect("it runs")
    }

    /// Sends SIGTERM to its process and waits for its end.
    pub(super) async fn terminate(&mut self) {
        let id = self.process().to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        let Self::Process(child) = self else { panic!("it has a process") };
        let mut child = child.take().expect("it runs");
        tokio::time::timeout(PATIENCE, child.wait()).await.expect("it stops").unwrap();
    }

    /// Kills it with SIGKILL.
    pub(super) async fn kill(&mut self) {
        let Self::Process(child) = self else { panic!("only a process can be killed") };
        child.take().expect("it runs").kill().await.unwrap();
    }
}

async fn start_here(world: &World) -> Running {
    let (config, mut problems) = hark::config::read(Some(&world.config_path()), &world.environment);
    let config = config.expect("it can be read");
    settle_agents(&config, &mut problems).await.unwrap();
    problems.or(()).unwrap();
    let listener = TcpListener::bind(world.address).await.unwrap();
    let admin = TcpListener::bind(world.admin).await.unwrap();
    // In a folder that the test configures, if it does.
    let hearing = Hearing { keeping: Keeping::FixedSentences, ..Hearing::default() };
    let pool = EnginePool::new(Places::default(), hearing).by_clock(world.clock.clone());
    let app = App::build(&config, pool, world.clock.clone()).await.unwrap();
    let (shutdown, reloader) = (Shutdown::default(), app.reloader(config));
    let task = tokio::spawn(app.run(listener, Some(admin), shutdown.clone()));
    Running { shutdown, reloader, task }
}

/// Another process of the real program, which serves from the same store.
pub(crate) struct OtherNode {
    process: Option<Child>,
    address: SocketAddr,
}

impl OtherNode {
    /// Starts it with these keys beside those of the world.
    pub(super) async fn start(world: &World, keys: &[(&str, &str)]) -> Self {
        let (address, admin) = (free_address(), free_address().to_string());
        let keys = [&[("HARK__SERVER__ADMIN_LISTEN", admin.as_str())], keys].concat();
        let process = Some(start_process(world, address, &keys).await);
        Self { process, address }
    }

    /// The address of a path of it.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Kills it with SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await.unwrap();
    }

    /// Sends it a signal.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.process.as_ref().and_then(Child::id).expect("it runs").to_string();
        Command::new("kill").args([&format!("-{signal}"), &id]).status().await.unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) {
        let mut process = self.process.take().expect("it runs");
        tokio::time::timeout(PATIENCE, process.wait()).await.expect("it stops").unwrap();
    }
}

async fn start_process(world: &World, address: SocketAddr, keys: &[(&str, &str)]) -> Child {
    let log = File::options().create(true).append(true).open(world.log_path()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hark"))
        .arg("--config")
        .arg(world.config_path())
        .args(["serve", "--listen", &address.to_string()])
        .env("HARK__LOG__LEVEL", "trace")
        .envs(&world.environment)
        .envs(keys.iter().copied())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ready = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "the service ended at its start");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.expect("the service starts");
    child
}
