//! A certificate for servers of this machine, of an authority that no machine knows.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What `openssl` is told, each in the folder.
const MAKE: [&str; 3] = [
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout \
     authority.key -out authority.pem",
    "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out \
     server.csr",
    "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile \
     names -out server.pem",
];

/// Files in PEM.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    /// Makes them anew.
    pub(crate) fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("names"), "subjectAltName = DNS:localhost\n").unwrap();
        for line in MAKE {
            let mut openssl = Command::new("openssl");
            openssl.args(line.split(' ')).current_dir(folder.path()).stderr(Stdio::null());
            let made = openssl.status().expect("openssl comes with ca-certificates: make deps");
            assert!(made.success(), "{line}");
        }
        Self(folder)
    }

    /// The authority's certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.0.path().join("authority.pem")
    }

    /// That of a server, and its key.
    pub(crate) fn server(&self) -> [PathBuf; 2] {
        ["server.pem", "server.key"].map(|name| self.0.path().join(name))
    }
}
