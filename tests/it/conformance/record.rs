//! What a turn planned, sent and said is there for its next attempt, the next turn and the archive.

use hark::store::{Archive as _, Draft, Lapsed, Queue as _, Record as _};
use hark::turn::LanguageCode;
use hark::turn::{
    Choice, Content, MediaSource, Outcome, Part, PartState, Quoted, Reason, ReplyMode, Role,
    Uncertainty,
};

use super::{
    Backend, begun, ended, finish, from, heard_in, lease_one, on_every_backend, plan, text,
};

on_every_backend! {
    parts_get_the_next_free_index_and_keep_their_role,
    every_kind_of_content_is_kept,
    a_draft_and_its_language_survive_a_restart,
    a_finished_turn_says_so_to_its_next_attempt,
    the_language_of_a_turn_is_its_contacts,
    the_history_is_of_the_lane_and_without_fallbacks,
    a_question_back_waits_an_hour_for_its_yes,
    how_a_person_wants_to_be_answered_is_remembered,
    turns_are_listed_newest_first,
    a_quoted_message_is_found_in_its_lane_alone,
}

async fn parts_get_the_next_free_index_and_keep_their_role<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    let text = |words: &str| Content::Text(words.into());
    let parts = vec![
        (Role::Answer, Content::Voice("media.1".into())),
        (Role::Beside, text("https://a.example")),
    ];
    let planned = store.plan(&lease, parts.into(), 1_000).await.unwrap();
    store.settle(&lease.turn, 0, Err("too large".to_owned()), 1_000).await.unwrap();
    assert_eq!(plan(&store, &lease, Role::Answer, "in words").await, 2);
    store.settle(&lease.turn, 2, Ok("wamid.out".into()), 1_000).await.unwrap();
    assert_eq!(plan(&store, &lease, Role::Fallback, "sorry").await, 3);
    let part = |index, role, content, state| Part { index, role, content, state, due_ms: 1_000 };
    let expected = [
        Part { state: PartState::Failed, ..planned[0].clone() },
        part(1, Role::Beside, text("https://a.example"), PartState::Planned),
        part(2, Role::Answer, text("in words"), PartState::Sent("wamid.out".into())),
        part(3, Role::Fallback, text("sorry"), PartState::Planned),
    ];
    let mut parts = store.begin(&lease, "hark".into(), 0.0, 1_000).await.unwrap().parts;
    // Some were planned at another time.
    for part in &mut parts {
        part.due_ms = 1_000;
    }
    assert_eq!(parts, expected);
}

async fn every_kind_of_content_is_kept<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    let (title, source) = (|| "title".into(), |url: &str| MediaSource::Url(url.into()));
    let (latitude, longitude) = (-23.5, 46.6);
    let choice = || Choice { id: "1".into(), title: title(), description: Some(title()) };
    let contents = [
        Content::Text("words".into()),
        Content::Voice("media.1".into()),
        Content::Audio(MediaSource::Id("media.2".into())),
        Content::Image { source: source("https://a.example/1.jpg"), caption: Some(title()) },
        Content::Video { source: source("https://a.example/1.mp4"), caption: None },
        Content::Document {
            source: source("https://a.example/1.pdf"),
            caption: None,
            file_name: Some(title()),
        },
        Content::Sticker(MediaSource::Id("media.3".into())),
        Content::Location { latitude, longitude, name: Some(title()), address: None },
        Content::Contact { name: title(), phones: vec!["1555".into()] },
        Content::Buttons { text: title(), buttons: vec![choice()] },
        Content::List { text: title(), button: "open".into(), rows: vec![choice()] },
        Content::Link { text: title(), url: "https://a.example".into(), title: title() },
        Content::Reaction { message: "wamid.1".into(), emoji: "👍".into() },
    ];
    let parts: Vec<_> = contents.iter().map(|content| (Role::Answer, content.clone())).collect();
    let planned = store.plan(&lease, parts.into(), 1_000).await.unwrap();
    assert!(planned.iter().map(|part| &part.content).eq(&contents));
    assert_eq!(store.begin(&lease, "hark".into(), 0.0, 1_000).await.unwrap().parts, planned);
}

async fn a_draft_and_its_language_survive_a_restart<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    let draft = Draft { language: Some("es".into()), ..ended("hola", Outcome::Text) };
    store.draft(&lease, &draft).await.unwrap();
    assert!(store.turns(None, 9).await.unwrap()[0].report.is_none(), "it still runs");
    drop(store);
    let store = backend.open();
    store.reclaim(Lapsed::Predecessor("a".into()), 1_000, 1_000).await.unwrap();
    let lease = lease_one(&store, 1_000).await;
    let begun = store.begin(&lease, "hark".into(), 0.0, 1_000).await.unwrap();
    assert!(!begun.finished);
    assert_eq!(begun.draft, Some(draft.clone()));
    finish(&store, &lease, &begun.draft.unwrap(), 1_000).await;
    store.accept(vec![text("2")], 1_000).await.unwrap();
    assert_eq!(lease_one(&store, 1_000).await.contact_language, Some("es".into()));
}

async fn a_finished_turn_says_so_to_its_next_attempt<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    store.finish(&lease, &ended("hi", Outcome::Text), 1_000).await.unwrap();
    store.reclaim(Lapsed::Predecessor("a".into()), 1_000, 1_000).await.unwrap();
    let again = lease_one(&store, 1_000).await;
    assert!(store.begin(&again, "hark".into(), 0.0, 1_000).await.unwrap().finished);
}

async fn the_language_of_a_turn_is_its_contacts<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    for (written, spoken, expected) in [
        (None, None, None),
        (Some("es"), None, Some("es")),
        (None, None, Some("es")),
        (None, Some("de"), Some("de")),
        (Some("fr"), Some("de"), Some("fr")),
        (None, Some(""), Some("fr")),
    ] {
        let id = format!("{written:?} {spoken:?} {expected:?}");
        let lease = begun(&store, &id, 1_000).await;
        let mut draft = ended("words", Outcome::Text);
        draft.language = written.map(LanguageCode::from);
        draft.report.transcript = spoken.map(heard_in);
        finish(&store, &lease, &draft, 1_000).await;
        store.accept(vec![text(&format!("{id} after"))], 1_000).await.unwrap();
        let after = lease_one(&store, 1_000).await;
        assert_eq!(after.contact_language, expected.map(LanguageCode::from), "{id}");
        store.ack(&after.key()).await.unwrap();
    }
}

async fn the_history_is_of_the_lane_and_without_fallbacks<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let mut lane = None;
    for (id, outcome) in [
        ("one", Outcome::VoiceNote),
        ("two", Outcome::Text),
        ("lost", Outcome::Fallback),
        ("three", Outcome::Question),
    ] {
        let lease = begun(&store, id, 1_000).await;
        finish(&store, &lease, &ended(id, outcome), 1_000).await;
        lane = Some(lease.lane);
    }
    store.accept(vec![from("other", Some("2"), None)], 1_000).await.unwrap();
    let other = lease_one(&store, 1_000).await;
    store.begin(&other, "hark".into(), 0.0, 1_000).await.unwrap();
    finish(&store, &other, &ended("other", Outcome::Text), 1_000).await;
    begun(&store, "runs", 1_000).await;
    let history = store.history(&lane.unwrap(), 2_usize.into(), 1_000).await.unwrap();
    let words: Vec<_> =
        history.exchanges.iter().map(|e| (e.heard.reveal(), e.answered.reveal())).collect();
    assert_eq!(words, [("two", "yes, two"), ("three", "yes, three")]);
    assert_eq!(history.to_confirm, None);
}

async fn a_question_back_waits_an_hour_for_its_yes<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 0).await;
    let mut question = ended("a table", Outcome::Question);
    question.report.reason = Some(Reason::Confirm(Uncertainty::LowProbability));
    finish(&store, &lease, &question, 1_000).await;
    for (now_ms, waits) in [(1_000, true), (3_600_999, true), (3_601_000, false)] {
        let to_confirm =
            store.history(&lease.lane, 0_usize.into(), now_ms).await.unwrap().to_confirm;
        assert_eq!(to_confirm, waits.then(|| "a table".into()), "{now_ms}");
    }
    let lease = begun(&store, "2", 2_000).await;
    finish(&store, &lease, &ended("yes", Outcome::Text), 2_000).await;
    assert_eq!(store.history(&lease.lane, 0_usize.into(), 2_000).await.unwrap().to_confirm, None);
}

async fn how_a_person_wants_to_be_answered_is_remembered<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    for mode in [ReplyMode::Text, ReplyMode::Voice] {
        let lease = begun(&store, mode.name(), 1_000).await;
        store.set_reply_mode(&lease.turn, mode).await.unwrap();
        finish(&store, &lease, &ended("so", Outcome::Text), 1_000).await;
        store.accept(vec![text(&format!("after {}", mode.name()))], 1_000).await.unwrap();
        let after = lease_one(&store, 1_000).await;
        assert_eq!(after.reply_mode, Some(mode));
        store.ack(&after.key()).await.unwrap();
    }
}

async fn turns_are_listed_newest_first<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "1", 1_000).await;
    let mut end = ended("one", Outcome::Text);
    end.report.reason = Some(Reason::Other("of a later version".to_owned()));
    finish(&store, &first, &end, 1_000).await;
    store.accept(vec![from("2", Some("2"), None)], 2_000).await.unwrap();
    let second = lease_one(&store, 2_000).await;
    store.begin(&second, "other".into(), 0.0, 2_000).await.unwrap();
    let turns = store.turns(None, 9).await.unwrap();
    let ids: Vec<_> = turns.iter().map(|row| &row.turn).collect();
    assert_eq!(ids, [&second.turn, &first.turn]);
    assert!(turns[0].report.is_none() && turns[0].heard.is_none());
    let row = &turns[1];
    assert_eq!((row.contact.reveal(), row.agent.as_str()), (crate::harness::PERSON, "hark"));
    assert_eq!((row.queue_ms, row.created_ms, row.attempt), (Some(1.5), 1_000, 1));
    assert_eq!((&row.heard, &row.report), (&end.heard, &Some(end.report)));
    assert_eq!(store.turns(None, 1).await.unwrap().len(), 1);
    let of_one = store.turns(Some("2".to_owned()), 9).await.unwrap();
    assert_eq!(of_one.iter().map(|row| &row.turn).collect::<Vec<_>>(), [&second.turn]);
}

async fn a_quoted_message_is_found_in_its_lane_alone<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "in.1", 1_000).await;
    let parts = vec![
        (Role::Answer, Content::Voice("media.1".into())),
        (Role::Beside, Content::Text("https://a.example".into())),
    ];
    store.plan(&lease, parts.into(), 1_000).await.unwrap();
    for (index, id) in [(0, "out.1"), (1, "out.2")] {
        store.settle(&lease.turn, index, Ok(id.into()), 1_000).await.unwrap();
    }
    finish(&store, &lease, &ended("hi", Outcome::VoiceNote), 1_000).await;
    let (mut note, disposition) = text("in.2");
    note.body = hark::turn::Body::Lost;
    store.accept(vec![(note, disposition), from("in.3", Some("2"), None)], 1_000).await.unwrap();
    let lane = lease.lane;
    let quoted = |ours, words: Option<&str>| {
        Some(Quoted { ours, words: words.map(hark::turn::Personal::from) })
    };
    for (id, expected) in [
        ("in.1", quoted(false, Some("hi"))),
        ("out.1", quoted(true, Some("yes, hi"))),
        ("out.2", quoted(true, Some("https://a.example"))),
        ("in.2", quoted(false, None)),
        ("in.3", None),
        ("in.4", None),
    ] {
        assert_eq!(store.quoted(&lane, &id.into()).await.unwrap(), expected, "{id}");
    }
    let elsewhere = hark::store::Lane { number: "other".into(), ..lane };
    assert_eq!(store.quoted(&elsewhere, &"out.1".into()).await.unwrap(), None);
}
