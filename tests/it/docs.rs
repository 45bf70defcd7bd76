//! The documents, held to what the program does: their commands are run, their configurations are
//! read, and what they list is compared with the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::harness::TestApp;
use crate::program::Hark;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every page for operators, by name.
fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            pages.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    pages
}

/// The fenced blocks of a language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let (mut blocks, mut inside) = (Vec::new(), None::<(bool, String)>);
    for line in page.lines() {
        match (line.trim_start().strip_prefix("```"), &mut inside) {
            (Some(_), Some((wanted, block))) => {
                if *wanted {
                    blocks.push(std::mem::take(block));
                }
                inside = None;
            }
            (Some(named), None) => inside = Some((named == language, String::new())),
            (None, Some((_, block))) => block.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    assert!(inside.is_none(), "a block is not closed");
    blocks
}

/// The part of a page under a heading of the second order.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).expect(heading);
    rest.split("\n## ").next().unwrap()
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// Runs the rehearsal as a fresh clone would, but for building, which has been done, and for the
/// ports, which must be free.
#[cfg(feature = "model-micro")]
#[tokio::test]
async fn the_rehearsal_ends_with_an_answered_note() {
    let page = page("WHATSAPP.md");
    let rehearsal = blocks(section(&page, "Rehearse without Meta"), "sh");
    let (build, rest) = rehearsal.split_first().expect("it has commands");
    assert!(build.contains("cargo build --release --locked\n"), "{build}");
    let build: String = build
        .lines()
        .filter(|line| line.starts_with("PATH="))
        .map(|line| line.to_owned() + "\n")
        .collect();
    let mut script = format!("set -eu\n{build}{}", rest.concat());
    for port in ["8080", "8090"] {
        assert!(script.contains(port));
        script = script.replace(port, &free_port().to_string());
    }
    // A clone in which hark has been built.
    let clone = tempfile::tempdir().unwrap();
    let release = clone.path().join("target/release");
    fs::create_dir_all(&release).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_hark"), release.join("hark")).unwrap();
    let notes = clone.path().join("audio-fixtures");
    std::os::unix::fs::symlink(root().join("audio-fixtures"), notes).unwrap();

    let file = clone.path().join("rehearsal.sh");
    // Whatever happens, nothing stays behind.
    fs::write(&file, format!("trap 'kill 0' EXIT\n{script}trap - EXIT\n")).unwrap();
    let mut command = tokio::process::Command::new("sh");
    command.arg(&file).current_dir(clone.path()).env("TMPDIR", clone.path());
    command.process_group(0).kill_on_drop(true).stdin(std::process::Stdio::null());
    let output = tokio::time::timeout(crate::program::PATIENCE, command.output());
    let output = output.await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let logged = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{script}\n{said}\n{logged}", output.status);
    for word in ["4711", "outcome   voice_note", "open on Saturday", "\"voice\":true"] {
        assert!(said.contains(word), "no {word} in: {said}\n{logged}");
    }
}

#[cfg(feature = "model-micro")]
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn every_command_that_is_named_exists() {
    let help = Hark::new().run(&["--help"]).await;
    let built: BTreeSet<&str> = help
        .text()
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(built.contains("serve"), "{built:?}");
    let mut named = 0;
    for (name, page) in pages() {
        for line in blocks(&page, "sh").concat().lines() {
            let Some(command) = command_of(line) else { continue };
            assert!(built.contains(command), "{name}: there is no hark {command}: {line}");
            named += 1;
        }
    }
    assert!(named > 10, "only {named} commands were found");
}

/// The command of hark that a line of shell runs, if it does.
fn command_of(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| ["sudo", "until"].contains(word));
    if words.next() != Some("hark") {
        return None;
    }
    match words.next() {
        Some("--config") => words.nth(1),
        Some(flag) if flag.starts_with('-') => None,
        command => command,
    }
}

#[tokio::test]
async fn every_configuration_is_accepted() {
    let mut count = 0;
    for (name, page) in pages() {
        for toml in blocks(&page, "toml") {
            let folder = tempfile::tempdir().unwrap();
            for secret in ["access_token", "app_secret", "verify_token", "api_key"] {
                fs::write(folder.path().join(secret), "secret\n").unwrap();
            }
            let file = folder.path().join("hark.toml");
            fs::write(&file, &toml).unwrap();
            let loaded = hark::config::load(Some(&file), &BTreeMap::default());
            assert!(loaded.is_ok(), "{name}: {}\n{toml}", loaded.unwrap_err());
            count += 1;
        }
    }
    assert!(count >= 2, "only {count} configurations were found");
}

#[test]
fn every_link_leads_to_a_file() {
    for (name, page) in pages() {
        for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            assert!(root().join("docs").join(path).exists(), "{name}: no {target}");
        }
    }
}

#[tokio::test]
async fn the_privacy_page_names_every_column_of_the_store() {
    let app = TestApp::start().await;
    let (page, database) = (page("PRIVACY.md"), app.database());
    let sql = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .unwrap();
    for column in columns {
        let (table, column) = column.unwrap();
        let row = page.lines().find(|line| line.starts_with(&format!("| `{table}` |")));
        let row = row.unwrap_or_else(|| panic!("PRIVACY.md says nothing of the table {table}"));
        assert!(row.contains(&format!("`{column}`")), "PRIVACY.md: no {column} at {table}");
    }
}

/// Counts what the store knows of anybody, in all tables.
fn rows(database: &rusqlite::Connection) -> Vec<u32> {
    let tables = ["contacts", "messages", "turns", "parts", "statuses"];
    let count = |table: &&str| {
        let sql = format!("SELECT count(*) FROM {table}");
        database.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    tables.iter().map(count).collect()
}

#[tokio::test]
async fn the_sql_of_the_privacy_page_deletes_one_person_and_nobody_else() {
    let app = TestApp::start().answers("an answer").await;
    app.text("15550002222", "the other one's words").await;
    app.run_until_idle().await;
    let before = rows(&app.database());
    assert!(before.iter().all(|count| *count > 0), "{before:?}");
    // The person of the page's example.
    app.text("15550001111", "words to be forgotten").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    let sql = blocks(section(&page("PRIVACY.md"), "Delete one person"), "sql");
    assert!(sql.concat().contains("'15550001111'"), "{sql:?}");
    app.database().execute_batch(&sql.concat()).unwrap();
    assert_eq!(rows(&app.database()), before);
    let file = fs::read(app.database().path().unwrap()).unwrap();
    for word in [&b"forgotten"[..], b"15550001111"] {
        assert!(!file.windows(word.len()).any(|bytes| bytes == word), "it is still in the file");
    }
    // The service goes on, and the person starts anew.
    app.text("15550001111", "hello again").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 3);
}

#[tokio::test]
async fn the_sql_of_the_privacy_page_empties_what_is_old_and_keeps_the_rest() {
    let app = TestApp::start().answers("an old answer").await;
    app.text("15550001111", "old words").await;
    app.run_until_idle().await;
    let database = app.database();
    database
        .execute_batch("UPDATE turns SET created_ms = 0; UPDATE messages SET received_ms = 0")
        .unwrap();
    app.text("15550002222", "new words").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    let before = rows(&database);
    let sql = blocks(section(&page("PRIVACY.md"), "Delete what is old"), "sql");
    database.execute_batch(&sql.concat()).unwrap();
    assert_eq!(rows(&database), before);
    let turns = app.turns().await;
    assert_eq!((&turns[0].heard, &turns[1].heard), (&None, &Some("new words".into())));
    let replies: Vec<_> =
        turns.iter().map(|turn| turn.report.clone().unwrap().reply.text).collect();
    assert_eq!(replies, ["", "an old answer"]);
    let bodies = "SELECT count(*) FROM messages WHERE body LIKE '%old words%'";
    assert_eq!(database.query_row(bodies, [], |row| row.get::<_, u32>(0)).unwrap(), 0);
}

#[test]
fn the_deployment_page_names_every_metric() {
    let page = page("DEPLOY.md");
    let source = include_str!("../../src/telemetry/mod.rs");
    let names = source.split('"').filter(|text| text.starts_with("hark_") && text.len() > 6);
    let names: BTreeSet<&str> = names.filter(|name| !name.ends_with('_')).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "DEPLOY.md: no {name}");
    }
}

#[test]
fn blocks_are_read_by_language() {
    let page = "a\n```sh\nx\ny\n```\n```toml\nz\n```\n   ```sh\n   w\n   ```\n";
    assert_eq!(blocks(page, "sh"), ["x\ny\n", "   w\n"]);
    assert_eq!(section("# a\n\n## b\nc\n\n## d\ne\n", "b"), "c\n");
}
