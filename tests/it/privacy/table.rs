//! Turns as one table: whole, over pages, as CSV and as JSON.

use serde_json::Value;

use crate::harness::{PERSON, TestApp};

/// Reads a table of the API.
async fn table(app: &TestApp, token: &str, query: &str) -> (String, String) {
    app.api_text(token, &format!("/turns?{query}")).await
}

#[tokio::test]
async fn all_turns_are_a_table_however_many() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let operator = app.token("operator").await;
    for turn in 0..7 {
        app.text(PERSON, &format!("=question \"{turn}\", please")).await;
    }
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 7);
    let (kind, text) = table(&app, &operator, "format=csv").await;
    assert_eq!(kind, "text/csv; charset=utf-8; header=present");
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let header = rows.headers().unwrap().clone();
    let heard = header.iter().position(|name| name == "heard").unwrap();
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 7);
    // Newest first, and no formula.
    assert_eq!(&rows[0][heard], "'=question \"6\", please");
    let (kind, text) = table(&app, &operator, "format=json").await;
    let turns: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!((kind.as_str(), turns.len()), ("application/json", 7));
    let list = app.api_get(&operator, "/turns").send().await.expect(200);
    assert_eq!(list["items"].as_array().unwrap(), &turns);
    let (_, none) = table(&app, &operator, "format=json&number=1").await;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&none).unwrap(), Vec::<Value>::new());
    let (_, found) = table(&app, &operator, "format=csv&q=%223%22").await;
    assert_eq!(found.lines().count(), 2);
    let whole = app.api_get(&operator, "/turns?format=csv&limit=3").send().await;
    assert!(whole.problem(400, "malformed").contains("a table is whole"));
}

#[tokio::test]
async fn a_table_goes_on_over_pages() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let operator = app.token("operator").await;
    app.text(PERSON, "question").await;
    app.run_until_idle().await;
    app.sent();
    let more = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
        INSERT INTO turns (id, number, contact_id, message, agent, attempt, created_ms)
        SELECT 'made-' || i, number, contact_id, 'made-' || i, agent, 1, created_ms + i FROM turns, n";
    app.sql(more);
    let (_, text) = table(&app, &operator, "format=csv").await;
    assert_eq!(text.lines().count(), 1202);
    let (_, text) = table(&app, &operator, "format=json").await;
    let turns: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(turns.len(), 1201);
    let ids: std::collections::HashSet<_> = turns.iter().map(|turn| &turn["id"]).collect();
    assert_eq!(ids.len(), 1201);
}
