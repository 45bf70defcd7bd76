//! Who takes over at any moment of a running turn.

use std::collections::BTreeMap;
use std::time::Duration;

use hark::simulator::{PersonMessage, PersonSays};
use hark::turn::Outcome;
use serde_json::json;

use super::{Tokens, asked_for, operator};
use crate::harness::TestApp;

/// Persons whose turns run, and are taken over, unless `HARK_RACES` says how many.
const RACES: usize = 60;

/// The agent needs some milliseconds for its answer, and people take over after none to some more: of
/// each conversation either the agent answered or the operator did, in order, and never both.
#[tokio::test]
async fn a_takeover_at_any_moment_leaves_one_answer() {
    let app = TestApp::start().thinks_ms(30).await;
    let tokens = Tokens::of(&app).await;
    operator(&app, &tokens.admin, "Ann").await;
    let races = asked_for("HARK_RACES").unwrap_or(RACES);
    // Who answered, by the moment of the takeover.
    let mut table: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for race in 0..races {
        let moment_ms = race as u64 % 20 * 4;
        let person = format!("1555000{race:04}");
        let says = PersonSays::Text(format!("question {race}"));
        app.deliver(PersonMessage::new(&person, says)).await;
        tokio::time::sleep(Duration::from_millis(moment_ms)).await;
        let list = format!("/conversations?contact={person}");
        let list = app.api_get(&tokens.operator, &list).send().await.expect(200);
        let id = list["items"][0]["id"].clone();
        let opened = app.api_post(&tokens.operator, "/tickets", &json!({ "conversation": id }));
        opened.send().await.expect(201);
        let path = format!("/conversations/{}/messages", id.as_str().unwrap());
        let words = json!({ "text": format!("operator {race}") });
        app.api_post(&tokens.operator, &path, &words).send().await.expect(202);
        app.run_until_idle().await;

        let turns = app.turns().await;
        let turn = turns.iter().rev().find(|turn| turn.heard.is_some()).unwrap();
        let outcome = turn.report.as_ref().unwrap().outcome;
        let sent: Vec<_> =
            app.sent().into_iter().filter(|message| message.contact == person).collect();
        let last = sent.last().unwrap();
        assert_eq!(last.text.as_deref(), Some(&*format!("operator {race}")), "{sent:#?}");
        match outcome {
            Outcome::Ticket => {
                assert_eq!(sent.len(), 1, "the agent was silent: {sent:#?}");
                table.entry(moment_ms).or_default().1 += 1;
            }
            Outcome::VoiceNote => {
                assert_eq!(sent.len(), 2, "the agent answered before: {sent:#?}");
                table.entry(moment_ms).or_default().0 += 1;
            }
            other => panic!("{other:?}: {sent:#?}"),
        }
    }
    let (agent, people) = table.values().fold((0, 0), |(a, p), (b, q)| (a + b, p + q));
    assert_eq!(agent + people, races);
    assert!(agent > 0 && people > 0, "{agent} answered by the agent, {people} by a person");
    println!("taken over after ms: answered by the agent, by a person; both: 0, nobody: 0");
    for (moment_ms, (agent, people)) in table {
        println!("{moment_ms:>3} {agent:>3} {people:>3}");
    }
}
