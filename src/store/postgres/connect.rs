//! How a connection to PostgreSQL is made: the address, TLS, and what every session is set to.

use std::path::PathBuf;
use std::time::Duration;

use ::postgres::config::{Config, Host, SslMode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use super::session::PgSession;
use crate::store::StoreError;

/// Time to open a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a machine that was cut off may leave what is sent unanswered.
const UNANSWERED: Duration = Duration::from_secs(10);
/// A process that stops within a transaction keeps others waiting no longer than its four seconds.
pub(super) const SETTINGS: &str =
    "SET idle_in_transaction_session_timeout = '4s'; SET lock_timeout = '10s';
     SET TIME ZONE 'UTC'; SET client_min_messages = 'warning'";
const READ_ONLY: &str = "; SET default_transaction_read_only = on";

/// Makes connections to one database.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    read_only: bool,
    /// The address without its password.
    name: String,
}

impl Connector {
    /// Reads `postgres://user:password@host:port/database`, with `?sslmode=` `disable`, `prefer`
    /// (the default, but for servers of this machine) or `require`, and `?sslrootcert=` with a file in
    /// PEM.
    ///
    /// # Errors
    /// `Open` with what is wrong with it.
    pub(super) fn new(address: &str, read_only: bool) -> Result<Self, StoreError> {
        // What says which TLS the process speaks; an error means that somebody said so before.
        rustls::crypto::ring::default_provider().install_default().ok();
        let unnamed = |cause: String| StoreError::Open { path: "[store] url".to_owned(), cause };
        let mut url = Url::parse(address).map_err(|error| unnamed(error.to_string()))?;
        let mut root: Option<PathBuf> = None;
        let (mut kept, mut names_tls) = (Vec::new(), false);
        for (key, value) in url.query_pairs().into_owned() {
            names_tls |= key.starts_with("ssl");
            match (key.as_str(), value.as_str()) {
                ("sslrootcert", _) => root = Some(value.into()),
                // A certificate is always looked at.
                ("sslmode", "verify-ca" | "verify-full") => kept.push((key, "require".to_owned())),
                _ => kept.push((key, value)),
            }
        }
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
        let mut config: Config =
            url.as_str().parse().map_err(|error| unnamed(super::said(&error)))?;
        config.connect_timeout(CONNECT).tcp_user_timeout(UNANSWERED);
        config.application_name("hark");
        // Debian's server has a certificate that nobody knows, and on this machine nobody is in between.
        if !names_tls && is_here(&config) {
            config.ssl_mode(SslMode::Disable);
        }
        let name = name(&config);
        let tls = match tls(&config, root) {
            Ok(tls) => MakeRustlsConnect::new(tls),
            Err(cause) => return Err(StoreError::Open { path: name, cause }),
        };
        Ok(Self { config, tls, read_only, name })
    }

    /// Returns the address without its password.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Connects. Blocks for up to 5 s an address.
    ///
    /// # Errors
    /// `Open` with what the server or the system says.
    pub(super) fn connect(&self) -> Result<PgSession, StoreError> {
        let failed = |cause| StoreError::Open { path: self.name.clone(), cause };
        let client = self.config.connect(self.tls.clone());
        let client = client.map_err(|error| failed(advised(super::said(&error))))?;
        let session = PgSession::new(client);
        let read_only = if self.read_only { READ_ONLY } else { "" };
        let set = session.run(&format!("{SETTINGS}{read_only}"));
        set.map_err(|error| failed(error.to_string()))?;
        Ok(session)
    }
}

/// Returns whether the server is on this machine.
fn is_here(config: &Config) -> bool {
    let here = ["localhost", "127.0.0.1", "::1", "[::1]"];
    let is_here = |host: &Host| matches!(host, Host::Tcp(host) if here.contains(&host.as_str()));
    config.get_hosts().iter().all(is_here)
}

/// Says of a certificate that is refused what to do.
fn advised(said: String) -> String {
    if !said.contains("invalid peer certificate") {
        return said;
    }
    format!(
        "its certificate is not trusted ({said}): name the file of its authority's certificate in \
         [store] url, as ?sslrootcert=FILE"
    )
}

fn name(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(Host::Unix(folder)) => folder.display().to_string(),
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().map(|port| format!(":{port}")).unwrap_or_default();
    format!("postgres://{host}{port}/{}", config.get_dbname().unwrap_or_default())
}

fn tls(config: &Config, root: Option<PathBuf>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match root {
        Some(file) => {
            let unread =
                |error: &dyn std::fmt::Display| format!("sslrootcert {}: {error}", file.display());
            let certificates =
                CertificateDer::pem_file_iter(&file).map_err(|error| unread(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unread(&error))?;
                roots.add(certificate).map_err(|error| unread(&error))?;
            }
        }
        None if config.get_ssl_mode() == SslMode::Disable => {}
        None => {
            // One that cannot be read is not needed, or the connection says that it was.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
