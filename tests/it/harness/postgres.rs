//! A PostgreSQL of the test's own, from Debian's package, at a socket in a folder that goes with it.
//!
//! The server ends when the pipe to its keeper does, and its folder with it, so that neither outlives its
//! test however that ends.
//! PostgreSQL refuses to run as root: then the user of Debian's package runs it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use hark::store::StoreAddress;

/// Debian puts the server's programs here, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The number in the name of its socket.
const PORT: u16 = 5432;
/// Stands between two columns: no value has it.
const BETWEEN: &str = "\u{1f}";
/// Runs the server until it is told a word, or nobody holds the pipe any more: then nobody wants its data.
const KEEPER: &str = r#"
    "$1" -D "$2/data" -k "$2" -c listen_addresses='' -c fsync=off -c full_page_writes=off \
        -c shared_buffers=32MB -c max_connections=300 $3 2>>"$2/log" &
    read -r word; kill -QUIT $!; wait; [ -n "$word" ] || rm -rf "$2""#;

/// A server, and the folder of its data.
pub(crate) struct Postgres {
    folder: tempfile::TempDir,
    keeper: Option<Child>,
    databases: AtomicU32,
    /// Arguments beside the usual ones, of which they win.
    arguments: String,
    port: u16,
}

impl Postgres {
    /// Starts a server.
    pub(crate) fn start() -> Self {
        Self::start_with(String::new(), PORT)
    }

    /// Starts one that waits for the disk, as an operator's does.
    pub(crate) fn durable() -> Self {
        let waits = "-c fsync=on -c full_page_writes=on -c max_wal_size=128MB";
        Self::start_with(waits.to_owned(), PORT)
    }

    /// Starts one that listens at a port of this machine, too, with this certificate and its key.
    pub(crate) fn encrypted(port: u16, [certificate, key]: &[PathBuf; 2]) -> Self {
        let folder = certificate.parent().unwrap();
        for file in [folder, certificate.as_path(), key.as_path()] {
            give_away(file);
        }
        let (certificate, key) = (certificate.display(), key.display());
        let arguments = format!(
            "-c listen_addresses=localhost -c port={port} -c ssl=on -c ssl_cert_file={certificate} \
             -c ssl_key_file={key}"
        );
        Self::start_with(arguments, port)
    }

    fn start_with(arguments: String, port: u16) -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        give_away(folder.path());
        copy(&template(), &folder.path().join("data"));
        let databases = AtomicU32::new(0);
        let mut this = Self { folder, keeper: None, databases, arguments, port };
        this.start_again();
        this
    }

    /// Returns the one that a test process shares among its tests.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts it with all that it had, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        let mut keeper = as_its_user("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(program("postgres")).arg(self.folder.path());
        keeper.arg(&self.arguments);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null());
        self.keeper = Some(keeper.spawn().unwrap());
        self.sql("postgres", "SELECT 1");
    }

    /// Kills it at once, as a machine that loses its power does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            keeper.stdin.take().unwrap().write_all(b"keep\n").unwrap();
            keeper.wait().unwrap();
        }
    }

    /// Makes an empty database, and returns its address.
    pub(crate) fn database(&self) -> String {
        let name = format!("hark{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Returns the socket that it listens at.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    /// Writes what it logged and the rows of a database into a folder.
    pub(crate) fn save(&self, database: &str, to: &Path) {
        fs::copy(self.folder.path().join("log"), to.join("postgres.log")).unwrap();
        let mut dump = Command::new("pg_dump");
        dump.args(["-U", "postgres", "-d", database, "-h"]).arg(self.folder.path());
        assert!(dump.arg("-f").arg(to.join("hark.sql")).status().unwrap().success());
    }

    /// Returns the address of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres", self.folder.path().display())
    }

    /// Runs statements in a database, once the server answers; returns what they return as lines.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        loop {
            let mut psql = Command::new("psql");
            psql.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]);
            psql.arg("-h").arg(self.folder.path()).args(["-p", &self.port.to_string()]);
            psql.args(["-d", database, "-c", sql]);
            let done = psql.output().expect("postgresql is not installed: make deps installs it");
            let said = String::from_utf8_lossy(&done.stderr);
            // 2: the server did not answer.
            match done.status.code() {
                Some(0) => return String::from_utf8(done.stdout).unwrap().trim().to_owned(),
                Some(2) => assert!(!said.contains("does not exist"), "{said}"),
                _ => panic!("{sql}: {said}"),
            }
        }
    }
}

/// A store's address.
pub(crate) fn address(url: &str, connections: u32) -> StoreAddress {
    StoreAddress::Postgres { url: url.into(), connections, beside: PathBuf::new() }
}

/// Runs a statement at an address; returns its rows.
#[track_caller]
pub(crate) fn rows(url: &str, sql: &str) -> Vec<Vec<String>> {
    let mut psql = Command::new("psql");
    psql.args([url, "-X", "-A", "-t", "-q", "-F", BETWEEN, "-v", "ON_ERROR_STOP=1", "-c", sql]);
    let ran = psql.output().expect("postgresql is not installed: make deps installs it");
    assert!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
    let table = String::from_utf8(ran.stdout).unwrap();
    let row = |line: &str| line.split(BETWEEN).map(str::to_owned).collect();
    table.lines().map(row).collect()
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            keeper.wait().unwrap();
        }
    }
}

/// Returns a folder with an empty cluster, made once a machine.
fn template() -> PathBuf {
    let name = program("postgres").to_string_lossy().replace('/', "-");
    let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster{name}"));
    let lock = fs::File::create(here.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if here.join("PG_VERSION").exists() {
        return here;
    }
    let making = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
    give_away(making.path());
    let mut initdb = as_its_user(program("initdb"));
    initdb.arg("-D").arg(making.path().join("data"));
    initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
    initdb.args(["--no-sync", "--wal-segsize=4"]).stdout(Stdio::null());
    assert!(initdb.status().unwrap().success());
    copy(&making.path().join("data"), &here);
    here
}

/// Copies a folder, with whose it is.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Finds one of the server's programs: the newest that Debian has, else that of the path.
fn program(name: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir(DEBIAN)
        .map(|folders| folders.map(|folder| folder.unwrap().path()).collect())
        .unwrap_or_default();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .map(|version| version.join("bin").join(name))
        .find(|program| program.exists())
        .unwrap_or_else(|| name.into())
}

/// Returns the user that runs the server, if this one cannot.
fn its_user() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").unwrap().uid();
    if own != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let user = users.lines().map(fields).find(|user| user[0] == "postgres");
    let user = user.expect("postgresql is not installed: make deps installs it");
    Some((user[2].parse().unwrap(), user[3].parse().unwrap()))
}

fn as_its_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = its_user() {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

fn give_away(folder: &Path) {
    if let Some((user, group)) = its_user() {
        chown(folder, Some(user), Some(group)).unwrap();
    }
}
