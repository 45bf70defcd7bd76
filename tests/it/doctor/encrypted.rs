//! PostgreSQL and Redis over TLS: whose certificate is not known is refused, with what to do.

use tokio::net::TcpListener;

use super::{findings, good, hark, is, whatsapp};
use crate::harness::certificates::Certificates;
use crate::harness::postgres::Postgres;
use crate::harness::redis::Redis;

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_database_behind_tls_is_named_with_its_authority() {
    let (_simulator, api) = whatsapp().await;
    let certificates = Certificates::make();
    let authority = certificates.authority().display().to_string();
    let port = free_port().await;
    let server = Postgres::encrypted(port, &certificates.server());
    server.sql("postgres", "CREATE DATABASE hark");
    let with = |query: &str| {
        let url = format!("postgres://postgres@localhost:{port}/hark{query}");
        hark(&format!("{}[store]\nurl = \"{url}\"\n", good(&api)))
    };
    // On this machine nobody is in between.
    let is_encrypted = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                        WHERE application_name = 'hark'";
    let authority = format!("sslrootcert={authority}");
    for (query, encrypted) in [
        ("", "f"),
        (&*format!("?{authority}"), "t"),
        (&format!("?sslmode=require&{authority}"), "t"),
    ] {
        let hark = with(query);
        let service = hark.start(&["serve"]).await;
        let is = server.sql("hark", is_encrypted);
        assert!(!is.is_empty() && is.lines().all(|is| is == encrypted), "{query}: {is}");
        let ran = hark.run(&["doctor"]).await;
        assert!(ran.text().contains("writable, and its"), "{query}: {}", ran.text());
        assert_eq!(service.stop().await, 0);
    }
    let found = findings(&with("?sslmode=require"), 1).await;
    is(&found, &[("store.url", "error", "UnknownIssuer): name the file", "[store] url")]);
}

#[tokio::test]
async fn a_redis_behind_tls_needs_an_authority_that_the_machine_knows() {
    let (_simulator, api) = whatsapp().await;
    let certificates = Certificates::make();
    let port = free_port().await.to_string();
    let [certificate, key] = certificates.server().map(|file| file.display().to_string());
    let authority = certificates.authority().display().to_string();
    let server = Redis::start(
        &[
            ["--tls-port", &port, "--tls-auth-clients", "no", "--tls-ca-cert-file", &authority],
            ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--bind", "127.0.0.1"],
        ]
        .concat(),
    );
    let user = ["ACL", "SETUSER", "hark", "on", ">secret", "~*", "&*", "+@all"];
    let _: () = server.ask(&user).await.unwrap();
    let with = |login: &str| {
        let url = format!("rediss://{login}@localhost:{port}/3");
        hark(&format!("{}[redis]\nurl = \"{url}\"\n", good(&api)))
    };
    let found = findings(&with("hark:secret"), 1).await;
    is(&found, &[("redis.url", "error", "is not trusted", "SSL_CERT_FILE")]);
    let ran = with("hark:secret").env("SSL_CERT_FILE", &authority).run(&["doctor"]).await;
    assert!(ran.text().contains("the server of [redis] answers"), "{}", ran.text());
    let found = findings(&with("hark:wrong").env("SSL_CERT_FILE", &authority), 1).await;
    is(&found, &[("redis.url", "error", "lets nobody in", "password")]);
}
