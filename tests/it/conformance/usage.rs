//! What turns used and cost: at the prices of their end, summed by what is asked for, and kept for the
//! books when a person is forgotten.

use hark::store::{
    Books as _, FreshNotes, Lapsed, Memories as _, People as _, Queue as _, Record as _, UsageDay,
    UsageKey, UsageSearch,
};
use hark::turn::{Outcome, Role, Spent, TokenCount};
use hark::usage::{CreditScope, PriceBook};

use super::credits::{books, open, sums};
use super::{Backend, begun, ended, finish, from, lease_one, on_every_backend, plan, text};
use crate::harness::{NUMBER, PERSON};

on_every_backend! {
    a_turn_keeps_the_prices_of_its_end,
    what_attempts_spent_adds_up,
    sums_are_made_by_what_is_asked_for,
    who_is_forgotten_leaves_sums_and_who_is_two_has_one,
    notes_on_a_conversation_cost_too,
}

fn prices(message: &str) -> PriceBook {
    let book = format!(
        r#"{{"currency":"EUR","llm":{{"m":{{"input":"1000","output":"2"}}}},"message":"{message}"}}"#
    );
    serde_json::from_str(&book).unwrap()
}

async fn a_turn_keeps_the_prices_of_its_end<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    // Seven tokens of a model, as the end has them, and a message.
    let answer = async |id: &str| {
        let lease = begun(&store, id, 1_000).await;
        let index = plan(&store, &lease, Role::Answer, "yes").await;
        store
            .settle(&lease.turn, index, Ok(format!("out.{id}").as_str().into()), 1_000)
            .await
            .unwrap();
        let mut end = ended("hi", Outcome::Text);
        end.report.spent.by.answered_by("openai/m");
        finish(&store, &lease, &end, 1_000).await;
    };
    let of_currency = async |currency: Option<&str>| {
        let all = sums(&store, &[]).await;
        let sum = all.into_iter().find(|sum| sum.currency.as_deref() == currency);
        sum.map(|sum| (sum.turns, sum.cost_micros, sum.unknown))
    };
    answer("before").await;
    assert_eq!(of_currency(None).await, Some((1, 0, 1)));
    assert_eq!(store.add_prices(prices("0.5"), 1_000).await.unwrap(), 1);
    answer("one").await;
    assert_eq!(of_currency(Some("EUR")).await, Some((1, 507_000, 0)));
    assert_eq!(store.add_prices(prices("2"), 2_000).await.unwrap(), 2);
    answer("two").await;
    assert_eq!(of_currency(Some("EUR")).await, Some((2, 507_000 + 2_007_000, 0)));
    assert_eq!(of_currency(None).await, Some((1, 0, 1)));
    let versions = store.prices().await.unwrap();
    let kept: Vec<_> = versions.iter().map(|row| (row.version, row.created_ms)).collect();
    assert_eq!(kept, [(2, 2_000), (1, 1_000)]);
    assert_eq!(versions[1].book, prices("0.5"));
}

async fn what_attempts_spent_adds_up<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.add_prices(prices("0"), 1_000).await.unwrap();
    let lease = begun(&store, "1", 1_000).await;
    let mut lost = Spent { prompt_tokens: 3, tokens: TokenCount::Lost, ..Spent::default() };
    lost.by.answered_by("openai/m");
    store.spent(&lease, &lost).await.unwrap();
    store.reclaim(Lapsed::Predecessor("a".into()), 1_000, 1_000).await.unwrap();
    let again = lease_one(&store, 1_000).await;
    let begun = store.begin(&again, "hark".into(), 0.0, 1_000).await.unwrap();
    assert_eq!(begun.spent, lost);
    assert!(begun.draft.is_none());
    assert!(store.spent(&lease, &lost).await.is_err(), "a later attempt has begun");
    let mut end = ended("hi", Outcome::Text);
    end.report.spent.add(&begun.spent);
    finish(&store, &again, &end, 1_000).await;
    let sum = &sums(&store, &[]).await[0];
    assert_eq!((sum.used.prompt_tokens, sum.cost_micros, sum.unknown), (10, 10_000, 1));
}

async fn sums_are_made_by_what_is_asked_for<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    for (id, phone, agent, at_ms) in
        [("1", "1", "a", 0), ("2", "1", "b", 99), ("3", "2", "a", 100), ("4", "2", "a", 250)]
    {
        store.accept(vec![from(id, Some(phone), None)], at_ms).await.unwrap();
        let lease = lease_one(&store, at_ms).await;
        store.begin(&lease, agent.into(), 0.0, at_ms).await.unwrap();
        finish(&store, &lease, &ended("hi", Outcome::Text), at_ms).await;
    }
    let day = |name: &str, from_ms, until_ms| UsageDay { name: name.to_owned(), from_ms, until_ms };
    let search = UsageSearch {
        days: vec![day("one", 0, 100), day("two", 100, 200)],
        by: vec![UsageKey::Agent, UsageKey::Day],
        limit: 9,
        ..UsageSearch::default()
    };
    let shown = async |search: UsageSearch| {
        let rows = store.usage(search).await.unwrap();
        let shown = rows.into_iter().map(|row| {
            let keys = [row.agent, row.day, row.contact.map(|contact| contact.0)];
            (keys.into_iter().flatten().collect::<Vec<_>>().join(" "), row.turns)
        });
        shown.collect::<Vec<_>>()
    };
    let row = |keys: &str, turns| (keys.to_owned(), turns);
    let by_agent = [row("a one", 1), row("a two", 1), row("b one", 1)];
    assert_eq!(shown(search.clone()).await, by_agent);
    let page = UsageSearch { limit: 1, offset: 1, ..search.clone() };
    assert_eq!(shown(page).await, by_agent[1..2]);
    let by_person = UsageSearch { by: vec![UsageKey::Contact], ..search.clone() };
    assert_eq!(shown(by_person.clone()).await, [row("1", 2), row("2", 1)]);
    let of_one = UsageSearch { contact: Some("1".to_owned()), ..by_person.clone() };
    assert_eq!(shown(of_one).await, [row("1", 2)]);
    let of_agent = UsageSearch { agent: Some("b".to_owned()), by: Vec::new(), ..search.clone() };
    assert_eq!(shown(of_agent).await, [row("", 1)]);
    let nobody = UsageSearch { number: Some("9".to_owned()), by: Vec::new(), ..search };
    assert_eq!(shown(nobody).await, []);
}

async fn who_is_forgotten_leaves_sums_and_who_is_two_has_one<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    open(&store, CreditScope::Number, NUMBER, 9).await;
    let lease = begun(&store, "1", 1_000).await;
    finish(&store, &lease, &ended("hi", Outcome::Text), 1_000).await;
    // The phone number becomes the alias of a user id that is known.
    for (id, phone) in [("2", None), ("3", Some(PERSON))] {
        store.accept(vec![from(id, phone, Some("US.1"))], 1_000).await.unwrap();
        let lease = lease_one(&store, 1_000).await;
        store.begin(&lease, "hark".into(), 0.0, 1_000).await.unwrap();
        finish(&store, &lease, &ended("hi", Outcome::Text), 1_000).await;
    }
    let by_person = async || {
        let rows = sums(&store, &[UsageKey::Contact]).await;
        rows.into_iter().map(|row| (row.contact, row.turns, row.credits)).collect::<Vec<_>>()
    };
    assert_eq!(by_person().await, [(Some("US.1".into()), 3, 3)]);
    let running = begun(&store, "4", 1_000).await;
    assert_eq!(books(&store, NUMBER).await, (6, 1, 3));
    assert!(store.forget(running.lane.contact_id).await.unwrap());
    assert_eq!(books(&store, NUMBER).await, (6, 0, 3), "its turn gives back what it reserved");
    assert_eq!(by_person().await, [(None, 3, 3)]);
    // Their message comes again, and is a new one: the books keep both.
    let lease = begun(&store, "1", 1_000).await;
    finish(&store, &lease, &ended("hi", Outcome::Text), 1_000).await;
    assert_eq!(by_person().await, [(None, 3, 3), (Some(PERSON.into()), 1, 1)]);
}

async fn notes_on_a_conversation_cost_too<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.add_prices(prices("0"), 1_000).await.unwrap();
    store.accept(vec![text("1")], 1_000).await.unwrap();
    let lane = lease_one(&store, 1_000).await.lane;
    let mut spent = Spent { prompt_tokens: 40, ..Spent::default() };
    spent.by.answered_by("m");
    let notes = FreshNotes { agent: "hark", text: "wants a table".into(), spent };
    store.note(&lane, notes.clone(), 1_000, 2_000).await.unwrap();
    store.note(&lane, notes.clone(), 1_000, 3_000).await.unwrap();
    let sum = &sums(&store, &[UsageKey::Agent, UsageKey::Contact]).await[0];
    assert_eq!((sum.turns, sum.used.prompt_tokens, sum.cost_micros), (0, 80, 80_000));
    assert_eq!((sum.agent.as_deref(), sum.contact.clone()), (Some("hark"), Some(PERSON.into())));
    assert!(store.forget(lane.contact_id).await.unwrap());
    store.note(&lane, notes, 1_000, 4_000).await.unwrap();
    let sum = &sums(&store, &[UsageKey::Contact]).await[0];
    assert_eq!((&sum.contact, sum.used.prompt_tokens), (&None, 120));
}
