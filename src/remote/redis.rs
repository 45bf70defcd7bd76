//! Connections to a Redis or Valkey server, and what its errors mean.
//!
//! Invariant: no address, user or password is in what an error says. A connection that blocks is its
//! caller's alone: others would wait for it.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo as _};
use secrecy::{ExposeSecret as _, SecretString};

use super::words::outside;

/// Time to open a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for an answer of a server that is not asked to wait.
const ANSWER: Duration = Duration::from_secs(10);
/// What is wrong with an address.
const ODD: &str = "is no address of a Redis server: write redis://host:6379/0, rediss:// with TLS, or \
                   redis+unix:///path";

/// Knows a server.
#[derive(Clone)]
pub struct RedisServer(Client);

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
    /// Reads the address of a server, with a password if that is not in it.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(url: &SecretString, password: Option<&SecretString>) -> Result<Self, String> {
        // What says which TLS the process speaks; an error means that somebody said so before.
        rustls::crypto::ring::default_provider().install_default().ok();
        let odd = |_| ODD.to_owned();
        let mut info: ConnectionInfo = url.expose_secret().into_connection_info().map_err(odd)?;
        if let Some(password) = password {
            let login = info.redis_settings().clone().set_password(password.expose_secret());
            info = info.set_redis_settings(login);
        }
        Client::open(info).map(Self).map_err(odd)
    }

    /// Connects.
    ///
    /// # Errors
    /// The server is away, or lets nobody in.
    pub async fn connect(&self) -> Result<MultiplexedConnection, RedisTrouble> {
        self.connect_for(Some(ANSWER)).await
    }

    /// Connects for commands that wait at the server.
    ///
    /// # Errors
    /// As [`RedisServer::connect`].
    pub async fn connect_to_wait(&self) -> Result<MultiplexedConnection, RedisTrouble> {
        self.connect_for(None).await
    }

    async fn connect_for(
        &self,
        answer: Option<Duration>,
    ) -> Result<MultiplexedConnection, RedisTrouble> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(answer);
        Ok(self.0.get_multiplexed_async_connection_with_config(&config).await?)
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
            (ErrorKind::Io, _) => format!("the server of [redis] is away: {}", error.category()),
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
        for url in ["redis://h", "rediss://u:p@h:1/2", "redis+unix:///run/redis.sock"] {
            assert_eq!(format!("{:?}", server(url).unwrap()), "RedisServer");
        }
        for url in ["h:6379", "http://h", "redis://", ""] {
            assert_eq!(server(url).unwrap_err(), ODD, "{url}");
        }
    }
}
