//! The desk: conversations, tickets, operators, what they say, and the events of all that.

use hark::store::{
    Changed, ConversationSearch, Desk, DeskChange, DeskState, Draft, EventLog, EventSearch,
    NewTicket, OperatorMessage, OperatorRow, Queue as _, Record, StoreError, TicketRow,
    TicketSearch,
};
use hark::turn::{Body, Content, Outcome, Role, TicketEnd, TicketReason, TurnReport, WorkingHours};

use super::{Backend, begun, ended, finish, from, lease_one, on_every_backend, text};

on_every_backend! {
    a_conversation_goes_on_until_nobody_writes,
    a_ticket_silences_the_agent_from_its_next_part_on,
    a_turn_opens_the_ticket_that_it_wants_once,
    a_ticket_that_is_wanted_outlives_the_process,
    a_ticket_goes_to_whoever_is_there,
    what_an_operator_says_waits_in_the_lane_and_is_taken_once,
    two_contacts_that_are_one_have_one_conversation_and_one_ticket,
    events_are_read_in_order_and_let_go,
}

fn operator(id: &str, available: bool) -> OperatorRow {
    OperatorRow {
        id: id.to_owned(),
        name: id.to_uppercase(),
        skills: Vec::new(),
        languages: Vec::new(),
        available,
        hours: None,
        version: 0,
        created_ms: 0,
        tickets: 0,
    }
}

fn new_ticket(id: &str, operator: Option<&str>) -> NewTicket {
    NewTicket {
        id: id.to_owned(),
        reason: TicketReason::Operator,
        summary: Some("angry".into()),
        skill: None,
        operator: operator.map(str::to_owned),
    }
}

/// What an operator is after a change.
#[track_caller]
fn put(change: Changed<OperatorRow>) -> OperatorRow {
    match change {
        Changed::Now(row) => row,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn done<T: std::fmt::Debug>(change: DeskChange<T>) -> T {
    match change {
        DeskChange::Done(row) => row,
        other => panic!("{other:?}"),
    }
}

async fn open_ones(store: &impl Desk) -> Vec<TicketRow> {
    let open = Some(true);
    store.tickets(TicketSearch { open, limit: 9, ..TicketSearch::default() }).await.unwrap()
}

async fn conversations(store: &impl Desk, open: Option<bool>) -> Vec<i64> {
    let search = ConversationSearch { open, limit: 9, ..ConversationSearch::default() };
    store.conversations(search).await.unwrap().iter().map(|row| row.id).collect()
}

async fn types(store: &impl EventLog) -> Vec<String> {
    let events =
        store.events(EventSearch { limit: 999, ..EventSearch::default() }).await.unwrap().events;
    assert!(events.is_sorted_by_key(|event| event.id));
    events.into_iter().map(|event| event.name).collect()
}

async fn a_conversation_goes_on_until_nobody_writes<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![text("1"), from("2", Some("1666"), None)], 1_000).await.unwrap();
    store.accept(vec![text("3")], 5_000).await.unwrap();
    assert_eq!(conversations(&store, Some(true)).await, [1, 2], "the last written in comes first");
    assert_eq!(store.close_conversations(1_001, 6_000).await.unwrap(), 1);
    assert_eq!(conversations(&store, Some(false)).await, [2]);
    store.accept(vec![from("4", Some("1666"), None)], 7_000).await.unwrap();
    assert_eq!(conversations(&store, Some(true)).await, [3, 1]);
    // With an open ticket it stays.
    done(store.open_ticket(1, new_ticket("t", None), 7_000).await.unwrap());
    assert_eq!(store.close_conversations(9_000, 9_000).await.unwrap(), 1);
    assert_eq!(conversations(&store, Some(true)).await, [1]);
    assert_eq!(
        store.open_ticket(3, new_ticket("u", None), 9_000).await.unwrap(),
        DeskChange::Closed
    );
    assert_eq!(
        store.open_ticket(9, new_ticket("u", None), 9_000).await.unwrap(),
        DeskChange::Absent
    );
    let said = store.said(1, 0, 9).await.unwrap();
    assert_eq!(said.iter().map(|said| said.at_ms).collect::<Vec<_>>(), [1_000, 5_000]);
    assert_eq!(store.said(1, 1, 9).await.unwrap(), said[..1]);
    let found = |words: &str| ConversationSearch {
        words: Some(words.to_owned()),
        limit: 9,
        ..ConversationSearch::default()
    };
    let lease = store.lease(&super::lessee("a", i64::MAX), 1, 9_000).await.unwrap().remove(0);
    store.begin(&lease, "hark".into(), 0.0, 9_000).await.unwrap();
    finish(&store, &lease, &ended("Where is it?", Outcome::Text), 9_000).await;
    let by_words = store.conversations(found("WHERE")).await.unwrap();
    assert_eq!(by_words.len(), 1);
    assert!(store.conversations(found("nowhere")).await.unwrap().is_empty());
}

async fn a_ticket_silences_the_agent_from_its_next_part_on<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    let words = |words: &str| vec![(Role::Answer, Content::Text(words.into()))];
    let planned = store.plan(&lease, words("one").into(), 1_000).await.unwrap().remove(0);
    let ticket = done(store.open_ticket(1, new_ticket("t", Some("ann")), 2_000).await.unwrap());
    assert_eq!((ticket.operator.as_deref(), ticket.version), (Some("ann"), 2));
    let refused = store.plan(&lease, words("two").into(), 2_000).await;
    assert!(matches!(refused, Err(StoreError::TakenOver)), "{refused:?}");
    // What was planned before is sent.
    store.settle(&lease.turn, planned.index, Ok("out.1".into()), 2_100).await.unwrap();
    let begun = store.begin(&lease, "hark".into(), 0.0, 2_200).await.unwrap();
    let expected = DeskState { with_person: true, staffed: false, attended: false, ticket: true };
    assert_eq!(begun.desk, expected);
    let closed = store.close_ticket("t", Some(1), TicketEnd::Operator, 3_000).await.unwrap();
    assert_eq!(closed, DeskChange::Stale(2));
    done(store.close_ticket("t", Some(2), TicketEnd::Operator, 3_000).await.unwrap());
    assert_eq!(store.assign("t", None, None, 3_000).await.unwrap(), DeskChange::Closed);
    assert_eq!(store.plan(&lease, words("three").into(), 3_000).await.unwrap().len(), 1);
    let desk = store.begin(&lease, "hark".into(), 0.0, 3_000).await.unwrap().desk;
    assert_eq!(desk, DeskState::default());
}

async fn a_turn_opens_the_ticket_that_it_wants_once<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    put(store.put_operator(operator("ann", true), 500).await.unwrap());
    let lease = begun(&store, "1", 1_000).await;
    let wants = |report: TurnReport| TurnReport { ticket: Some(TicketReason::Doubts), ..report };
    let Draft { heard, language, report } = ended("hm?", Outcome::Question);
    let wanting = Draft { heard, language, report: wants(report) };
    store.finish(&lease, &wanting, 1_100).await.unwrap();
    store.finish(&lease, &wanting, 1_200).await.unwrap();
    let open = open_ones(&store).await;
    assert_eq!(open.len(), 1);
    let ticket = &open[0];
    assert_eq!((ticket.reason, ticket.operator.as_deref()), (TicketReason::Doubts, Some("ann")));
    assert_eq!(ticket.summary, Some("hm?".into()));
    assert_eq!(ticket.turn.as_ref(), Some(&lease.turn.0));
    // A second turn of the same person finds it open.
    done(store.close_ticket(&ticket.id, None, TicketEnd::Idle, 1_300).await.unwrap());
    store.finish(&lease, &wanting, 1_400).await.unwrap();
    assert!(open_ones(&store).await.is_empty(), "a turn has one ticket");
}

async fn a_ticket_that_is_wanted_outlives_the_process<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    let mut wanting = ended("human please", Outcome::VoiceNote);
    wanting.report.ticket = Some(TicketReason::AskedForPerson);
    store.draft(&lease, &wanting).await.unwrap();
    // What the next attempt ends it with does not know why.
    finish(&store, &lease, &ended("human please", Outcome::VoiceNote), 1_100).await;
    let open = open_ones(&store).await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].reason, TicketReason::AskedForPerson);
}

async fn a_ticket_goes_to_whoever_is_there<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![text("1"), from("2", Some("1666"), None)], 1_000).await.unwrap();
    let waits = done(store.open_ticket(1, new_ticket("t", None), 1_000).await.unwrap());
    assert_eq!((waits.operator, waits.assigned_ms), (None, None));
    let away = WorkingHours { timezone: "UTC".into(), days: [].into() };
    let asleep = OperatorRow { hours: Some(away), ..operator("bea", true) };
    put(store.put_operator(asleep, 2_000).await.unwrap());
    assert_eq!(store.assign_waiting(2_000).await.unwrap(), 0);
    let ann = put(store.put_operator(operator("ann", true), 3_000).await.unwrap());
    assert_eq!(open_ones(&store).await[0].operator.as_deref(), Some("ann"));
    done(store.open_ticket(2, new_ticket("u", None), 4_000).await.unwrap());
    assert_eq!(store.operators().await.unwrap()[1].tickets, 2);
    // Who goes leaves nothing behind.
    let stale = store.put_operator(OperatorRow { version: 7, ..ann.clone() }, 5_000).await.unwrap();
    assert_eq!(stale, Changed::Stale(1));
    put(store.put_operator(operator("cai", true), 5_000).await.unwrap());
    assert!(store.remove_operator("ann", 6_000).await.unwrap());
    assert!(!store.remove_operator("ann", 6_000).await.unwrap());
    let now: Vec<_> =
        open_ones(&store).await.into_iter().map(|row| row.operator.unwrap()).collect();
    assert_eq!(now, ["cai", "cai"]);
    assert_eq!(store.close_idle(6_001, 7_000).await.unwrap(), 2);
    assert!(open_ones(&store).await.is_empty());
}

async fn what_an_operator_says_waits_in_the_lane_and_is_taken_once<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    done(store.open_ticket(1, new_ticket("t", Some("ann")), 1_000).await.unwrap());
    let message = OperatorMessage {
        id: "operator:1".into(),
        operator: "ann".into(),
        text: None,
        note: Some(b"OggS".to_vec()),
    };
    let turn = done(store.say(1, message.clone(), 2_000).await.unwrap());
    assert_eq!(done(store.say(1, message, 2_500).await.unwrap()), turn);
    assert!(super::lease(&store, 3_000).await.is_empty(), "the person's own turn runs");
    finish(&store, &lease, &ended("hi", Outcome::Ticket), 3_000).await;
    let theirs = lease_one(&store, 3_000).await;
    assert_eq!(theirs.turn.0, turn);
    let body = &theirs.first().body;
    assert_eq!(*body, Body::Reply { operator: "ann".into(), text: None });
    let note = store.recording(&theirs.lane, &theirs.first().id).await.unwrap();
    assert_eq!(note.as_deref(), Some(&b"OggS"[..]));
    store.begin(&theirs, "hark".into(), 0.0, 3_000).await.unwrap();
    let planned =
        store.plan(&theirs, vec![(Role::Answer, Content::Voice("m".into()))].into(), 3_000).await;
    assert_eq!(planned.unwrap().len(), 1, "an operator is not silenced by the ticket");
    let said = Draft { heard: None, ..ended("Hello, Ann here", Outcome::VoiceNote) };
    finish(&store, &theirs, &said, 3_100).await;
    assert_eq!(store.recording(&theirs.lane, &theirs.first().id).await.unwrap(), None);
    let history = store.history(&theirs.lane, 9.into(), 4_000).await.unwrap().exchanges;
    let said: Vec<_> = history
        .iter()
        .map(|exchange| (exchange.heard.reveal(), exchange.answered.reveal()))
        .collect();
    assert_eq!(said, [("hi", "yes, hi\nyes, Hello, Ann here")]);
}

async fn two_contacts_that_are_one_have_one_conversation_and_one_ticket<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let (phone, id) = (Some("1777"), Some("US.7"));
    store.accept(vec![from("1", phone, None), from("2", None, id)], 1_000).await.unwrap();
    for (conversation, ticket) in [(1, "t"), (2, "u")] {
        done(store.open_ticket(conversation, new_ticket(ticket, None), 1_000).await.unwrap());
    }
    store.accept(vec![from("3", phone, id)], 2_000).await.unwrap();
    let open = open_ones(&store).await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let all = conversations(&store, Some(true)).await;
    assert_eq!(all, [open[0].conversation]);
    let search = ConversationSearch { limit: 9, ..ConversationSearch::default() };
    let both = store.conversations(search).await.unwrap();
    assert!(both.iter().all(|row| row.contact.reveal() == "US.7"), "{both:#?}");
}

async fn events_are_read_in_order_and_let_go<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let written = store.events_written();
    let lease = begun(&store, "1", 1_000).await;
    assert!(written.has_changed().unwrap());
    store.draft(&lease, &ended("hi", Outcome::Text)).await.unwrap();
    store.draft(&lease, &ended("hi", Outcome::Text)).await.unwrap();
    let part = super::plan(&store, &lease, Role::Answer, "yes").await;
    store.settle(&lease.turn, part, Ok("out.1".into()), 1_000).await.unwrap();
    finish(&store, &lease, &ended("hi", Outcome::Text), 1_000).await;
    let all = [
        "whatsapp-business-text-message-received",
        "whatsapp-business-text-message-with-user-info-received",
        "generate-ai-agent-answer-with-user-info",
        "ai-agent-answer-generated",
        "send-whatsapp-business-text-message",
        "whatsapp-business-text-message-sent",
        "turn-ended",
    ];
    assert_eq!(self::types(&store).await, all);
    let types = vec!["turn-ended".into()];
    let search = EventSearch { types, limit: 9, ..EventSearch::default() };
    let page = store.events(search).await.unwrap();
    let found = page.events;
    assert_eq!((found.len(), found[0].id), (1, store.newest_event().await.unwrap()));
    assert_eq!(found[0].conversation, Some(1));
    let newest = store.newest_event().await.unwrap();
    let none =
        EventSearch { types: vec!["credits-low".into()], limit: 9, ..EventSearch::default() };
    let upto = [page.upto, store.events(none).await.unwrap().upto];
    assert_eq!(upto, [newest, newest], "what is not wanted is not looked through again");
    assert_eq!(store.drop_events(1_001, 3).await.unwrap(), 3);
    assert_eq!(store.drop_events(i64::MAX, 99).await.unwrap(), 4);
    assert_eq!(self::types(&store).await, [""; 0]);
}
