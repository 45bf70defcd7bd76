//! Connections to a Redis or Valkey server or to a cluster of them, and what their errors mean.
//!
//! A server says by itself whether it is one of a cluster. Invariant: no address, user or password is in
//! what an error says. A connection that blocks is its caller's alone: others would wait for it.

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind,
    IntoConnectionInfo as _, Pipeline, RedisFuture, RedisResult, ServerErrorKind, Value,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::words::outside;

/// Time to open a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for an answer of a server that is not asked to wait.
const ANSWER: Duration = Duration::from_secs(10);
/// What is wrong with an address.
const ODD: &str = "is no address of a Redis server: write redis://host:6379/0, rediss:// with TLS, or \
                   redis+unix:///path; of a cluster, redis://host:6379,other:6379";
/// What is wrong with several addresses.
const NO_CLUSTER: &str = "[redis] url names several servers, and the first that answers is of no \
                          cluster: name one";

/// Knows a server, or some of those of a cluster.
#[derive(Clone)]
pub struct RedisServer(Vec<ConnectionInfo>);

/// Asks a server, or those of a cluster.
#[derive(Clone)]
pub enum RedisConnection {
    /// One server has every key.
    One(MultiplexedConnection),
    /// Each has some.
    Cluster(ClusterConnection),
}

impl std::fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisServer")
    }
}

/// Says why a server could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RedisTrouble(pub String);

impl RedisServer {
    /// Reads the address of a server, with a password if that is not in it. Further servers of its
    /// cluster follow it as `,host:port`, for when it is away at the start.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(url: &SecretString, password: Option<&SecretString>) -> Result<Self, String> {
        // What says which TLS the process speaks; an error means that somebody said so before.
        rustls::crypto::ring::default_provider().install_default().ok();
        let odd = |_| ODD.to_owned();
        let url = url.expose_secret();
        // Passwords may have commas.
        let hosts = url.rfind('@').unwrap_or_default();
        let (first, others) = match url[hosts..].find(',') {
            Some(end) => (&url[..hosts + end], Some(&url[hosts + end + 1..])),
            None => (url, None),
        };
        let mut info: ConnectionInfo = first.into_connection_info().map_err(odd)?;
        if let Some(password) = password {
            let login = info.redis_settings().clone().set_password(password.expose_secret());
            info = info.set_redis_settings(login);
        }
        let others = others.into_iter().flat_map(|others| others.split(','));
        let others: Option<Vec<_>> = others.map(|other| of_its_cluster(&info, other)).collect();
        let mut servers = others.ok_or(ODD)?;
        servers.insert(0, info);
        Ok(Self(servers))
    }

    /// Connects.
    ///
    /// # Errors
    /// The server is away, or lets nobody in.
    pub async fn connect(&self) -> Result<RedisConnection, RedisTrouble> {
        self.connect_for(Some(ANSWER)).await
    }

    /// Connects for commands that wait at the server.
    ///
    /// # Errors
    /// As [`RedisServer::connect`].
    pub async fn connect_to_wait(&self) -> Result<RedisConnection, RedisTrouble> {
        self.connect_for(None).await
    }

    async fn connect_for(&self, answer: Option<Duration>) -> Result<RedisConnection, RedisTrouble> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(answer);
        let mut one = self.any(&config).await?;
        if !is_of_a_cluster(&mut one).await? {
            if self.0.len() > 1 {
                return Err(RedisTrouble(NO_CLUSTER.to_owned()));
            }
            return Ok(RedisConnection::One(one));
        }
        let mut cluster =
            ClusterClient::builder(self.0.iter().cloned()).connection_timeout(CONNECT);
        if let Some(answer) = answer {
            cluster = cluster.response_timeout(answer);
        }
        Ok(RedisConnection::Cluster(cluster.build()?.get_async_connection().await?))
    }

    /// Connects to the first that answers.
    async fn any(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let mut tried = None;
        for server in &self.0 {
            let client = Client::open(server.clone())?;
            match client.get_multiplexed_async_connection_with_config(config).await {
                Ok(connection) => return Ok(connection),
                Err(error) => tried = tried.or(Some(error)),
            }
        }
        Err(tried.unwrap_or_else(|| (ErrorKind::InvalidClientConfig, "no server is named").into()))
    }
}

/// Names another server of the cluster that a server is of; `None` if that is no `host:port`.
fn of_its_cluster(first: &ConnectionInfo, other: &str) -> Option<ConnectionInfo> {
    let (name, number) = other.rsplit_once(':')?;
    let number = number.parse().ok()?;
    if name.is_empty() {
        return None;
    }
    let mut addr = first.addr().clone();
    match &mut addr {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            (*host, *port) = (name.to_owned(), number);
        }
        _ => return None,
    }
    Some(first.clone().set_addr(addr))
}

async fn is_of_a_cluster(server: &mut MultiplexedConnection) -> RedisResult<bool> {
    let said = redis::cmd("INFO").arg("cluster").query_async::<String>(server).await;
    match said {
        Ok(said) => Ok(said.contains("cluster_enabled:1")),
        // A user who may not ask is let in nevertheless.
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => Ok(false),
        Err(error) => Err(error),
    }
}

impl RedisConnection {
    /// Returns what `INFO` says, of each server that takes writes.
    ///
    /// # Errors
    /// One does not say.
    pub async fn infos(&mut self) -> Result<Vec<String>, RedisTrouble> {
        let info = redis::cmd("INFO");
        Ok(match self {
            Self::One(server) => vec![info.query_async(server).await?],
            Self::Cluster(servers) => {
                let said: HashMap<String, String> = info.query_async(servers).await?;
                said.into_values().collect()
            }
        })
    }

    /// Names a key of what is beside another's: a transaction may take both.
    pub fn beside(&self, key: &str, word: &str) -> String {
        match self {
            // Braces keep both on one server of a cluster.
            Self::Cluster(_) if !key.contains('{') => format!("{{{key}}}:{word}"),
            _ => format!("{key}:{word}"),
        }
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(server) => server.req_packed_command(command),
            Self::Cluster(servers) => servers.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(server) => server.req_packed_commands(commands, offset, count),
            Self::Cluster(servers) => servers.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(server) => server.get_db(),
            Self::Cluster(servers) => servers.get_db(),
        }
    }
}

impl From<redis::RedisError> for RedisTrouble {
    fn from(error: redis::RedisError) -> Self {
        let told = || outside(error.detail().unwrap_or_else(|| error.category()));
        let code = error.code().unwrap_or_default();
        Self(match (error.kind(), code) {
            (ErrorKind::AuthenticationFailed, _) | (_, "WRONGPASS" | "NOAUTH") => {
                "the server of [redis] lets nobody in with this user and password".to_owned()
            }
            (_, "OOM") => "the server of [redis] is full: raise its maxmemory".to_owned(),
            (_, "READONLY") => {
                "the server of [redis] is a replica that only reads: name its primary".to_owned()
            }
            (_, "NOPERM") => format!("the user of [redis] may not do this: {}", told()),
            (_, "WRONGTYPE") => "its key holds something else: name another stream".to_owned(),
            (ErrorKind::Io, _) if error.is_timeout() => {
                "the server of [redis] does not answer in time".to_owned()
            }
            (ErrorKind::Io, _) => {
                let cause = error.source().map_or_else(told, |cause| outside(&cause.to_string()));
                if cause.contains("invalid peer certificate") {
                    format!(
                        "the certificate of the server of [redis] is not trusted ({cause}): name the \
                         file of its authority's in SSL_CERT_FILE"
                    )
                } else {
                    format!("the server of [redis] is away: {cause}")
                }
            }
            (ErrorKind::ClusterConnectionNotFound, _) | (_, "CLUSTERDOWN") => {
                format!("the cluster of [redis] is away: {}", told())
            }
            _ => format!("the server of [redis] answers {code} {}", told()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_never_shown() {
        let server = |url: &str| RedisServer::new(&SecretString::from(url), None);
        let one = ["redis://h", "rediss://u:p@h:1/2", "redis+unix:///run/redis.sock"];
        for url in one.into_iter().chain(["rediss://u:p@h:1,i:2,[::1]:3", "redis://u:p,q@h"]) {
            assert_eq!(format!("{:?}", server(url).unwrap()), "RedisServer");
        }
        let several = ["redis://h,", "redis://h,i", "redis://h,:1", "redis+unix:///s,h:1"];
        for url in ["h:6379", "http://h", "redis://", ""].into_iter().chain(several) {
            assert_eq!(server(url).unwrap_err(), ODD, "{url}");
        }
    }
}
