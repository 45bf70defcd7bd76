//! The store on PostgreSQL: one that waits for its disk, one that does not, one that is away.

use super::{findings, good, hark, is, whatsapp};
use crate::harness::postgres::Postgres;

#[tokio::test]
async fn a_database_server_is_tried_and_asked_whether_it_waits_for_its_disk() {
    let (_simulator, api) = whatsapp().await;
    let toml = |url: &str| format!("{}[store]\nurl = \"{url}\"\n", good(&api));
    let server = Postgres::start();
    let url = server.database();
    let ran = hark(&toml(&url)).run(&["doctor"]).await;
    assert!(ran.text().contains("writable, and its synchronous_commit is on"), "{}", ran.text());
    server.sql("hark0", "ALTER DATABASE hark0 SET synchronous_commit = off");
    let found = findings(&hark(&toml(&url)), 1).await;
    is(&found, &[("store.url", "warning", "synchronous_commit is off", "switch it on")]);
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(server.sql("hark0", tables), "0", "the doctor leaves no trace");
    let away = hark(&toml("postgres://hark:hidden@127.0.0.1:1/hark"));
    let ran = away.run(&["doctor"]).await;
    assert!(ran.code != 0 && !ran.text().contains("hidden"), "{}", ran.text());
    assert!(ran.text().contains("could not be opened"), "{}", ran.text());
}
