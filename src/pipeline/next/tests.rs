//! Every row of the table with a case that it decides, and the table in ARCHITECTURE.md.

use super::super::error::{Cause, Sending};
use super::*;
use crate::audio::DecodeError;
use crate::provider::ProviderError;
use crate::store::StoreError;
use crate::stt::SttError;
use crate::threads::RunError;

fn refused(code: i64, retry: Retry) -> Cause {
    let title = "no".to_owned();
    let fix = (code == 190).then_some("a new token");
    ProviderError::Refused { code, http_status: 400, title, retry, fix }.into()
}

fn facts(step: Step) -> Facts {
    let (age, sending) = (Duration::from_secs(1), Duration::ZERO);
    Facts { step, attempt: 1, age, sending, cancelled: false, template: false }
}

/// Returns every row, with a case that it decides.
fn cases() -> Vec<(TurnError, Facts, Next)> {
    let soon = Duration::from_secs(4);
    let passing = || refused(131_056, Retry::After(soon));
    let last = || refused(131_026, Retry::Never);
    let network = || Cause::from(ProviderError::Network("gone".into()));
    let resuming = |text| facts(Step::Resuming { text });
    let old = |step| Facts { age: Duration::from_hours(25), ..facts(step) };
    let two = Duration::from_secs(2);
    let send = |cause: Cause| cause.at(Stage::Send);
    let cut =
        |unclear| TurnError { sending: Some(Sending { part: 0, unclear }), ..send(network()) };
    let late = |step| Facts { attempt: 3, sending: REFUSED_FOR, ..facts(step) };
    let third = |step| Facts { attempt: 3, ..facts(step) };
    let (answering, no_text) = (facts(Step::Answering), facts(Step::Text));
    let cancelled = Facts { cancelled: true, ..answering };
    let with_template = Facts { template: true, ..facts(Step::Note) };
    let eight = Duration::from_secs(8);
    vec![
        (Cause::from(SttError::Cancelled).at(Stage::Stt), cancelled, Next::Leave),
        (TurnError::from(StoreError::TakenOver), no_text, Next::Leave),
        (
            Cause::from(DecodeError::Empty).at(Stage::Decode),
            answering,
            Next::Tell(Problem::EmptyAudio),
        ),
        (TurnError::from(StoreError::WindowShut), with_template, Next::Template),
        (send(refused(131_047, Retry::Never)), no_text, Next::GiveUp),
        (cut(6), resuming(true), Next::CountAsSent),
        (cut(1), old(Step::Note), Next::Wait(eight)),
        (network().at(Stage::Upload), facts(Step::Note), Next::Text),
        (send(last()), resuming(true), Next::Text),
        (send(passing()), third(Step::Resuming { text: true }), Next::Text),
        (send(last()), facts(Step::Fallback), Next::GiveUp),
        (Cause::Deadline.at(Stage::Llm), answering, Next::FallBack),
        (send(passing()), old(Step::Text), Next::GiveUp),
        (send(refused(190, Retry::After(soon))), late(Step::Note), Next::Wait(soon)),
        (send(passing()), late(Step::Text), Next::GiveUp),
        (send(passing()), no_text, Next::Again(soon)),
        (network().at(Stage::Download), answering, Next::Again(two)),
        (network().at(Stage::Download), third(Step::Answering), Next::FallBack),
    ]
}

#[test]
fn every_rule_decides_its_case() {
    for (row, (error, facts, expected)) in cases().into_iter().enumerate() {
        let (next, rule) = next(&error, &facts);
        assert!(std::ptr::eq(rule, &raw const RULES[row]), "{error}, {facts:?}: {rule}");
        assert_eq!(next, expected, "{error}, {facts:?}");
    }
    assert_eq!(cases().len(), RULES.len());
}

#[test]
fn a_cancelled_turn_sends_nothing_and_a_send_that_began_is_settled() {
    let cancelled = |step| Facts { cancelled: true, ..facts(step) };
    let store = TurnError::from(StoreError::Closed);
    assert_eq!(next(&store, &cancelled(Step::Answering)).0, Next::Leave);
    let send = Cause::Deadline.at(Stage::Send);
    let wait = Next::Wait(Duration::from_secs(8));
    assert_eq!(next(&send, &cancelled(Step::Note)).0, wait);
}

#[test]
fn a_status_is_waited_for_longer_with_each_send() {
    let unclear = |unclear| {
        let sending = Some(Sending { part: 0, unclear });
        let error = TurnError { sending, ..Cause::Deadline.at(Stage::Send) };
        next(&error, &facts(Step::Text)).0
    };
    let waits = [8, 16, 32, 64, 128].map(|s| Next::Wait(Duration::from_secs(s)));
    assert_eq!([1, 2, 3, 4, 5].map(unclear), waits);
}

#[test]
fn a_refused_text_is_followed_by_the_fallback_and_that_by_nothing() {
    let refused = || refused(131_026, Retry::Never).at(Stage::Send);
    for step in [Step::Text, Step::Resuming { text: false }] {
        assert_eq!(next(&refused(), &facts(step)).0, Next::FallBack, "{step:?}");
    }
    assert_eq!(next(&refused(), &facts(Step::Fallback)).0, Next::GiveUp);
}

#[test]
fn what_is_refused_for_ever_is_let_go_after_an_hour_and_an_outage_is_waited_for() {
    let later = |step, cause: Cause| {
        let facts = Facts { attempt: 7, sending: REFUSED_FOR, ..facts(step) };
        next(&cause.at(Stage::Send), &facts).0
    };
    let passing = |code| refused(code, Retry::After(Duration::from_secs(2)));
    for step in [Step::Text, Step::Fallback, Step::Resuming { text: false }] {
        for code in [0, 131_000, 131_016, 130_429] {
            assert_eq!(later(step, passing(code)), Next::GiveUp, "{step:?} {code}");
        }
        let away = Cause::from(ProviderError::Unreachable("no route".into()));
        assert_eq!(later(step, away), Next::Again(Duration::from_secs(2)), "{step:?}");
    }
    // A wait of an hour that the provider asks for costs the text no attempt of its own.
    let second = Facts { attempt: 2, sending: REFUSED_FOR, ..facts(Step::Note) };
    assert_eq!(next(&passing(131_016).at(Stage::Send), &second).0, Next::Text);
}

#[test]
fn a_message_that_always_panics_ends_with_the_fallback() {
    let after = |attempt| {
        let panicked = Cause::from(RunError::Died).at(Stage::Decode);
        next(&panicked, &Facts { attempt, ..facts(Step::Answering) }).0
    };
    assert_eq!(after(1), Next::Again(Duration::from_secs(2)));
    assert_eq!(after(MAX_ATTEMPTS), Next::FallBack);
}

#[test]
fn a_log_line_names_the_rule_in_words() {
    let sending = &RULES[15];
    let words = "any other, the turn is sending: the same part again, until the message is 24 \
                 hours old";
    assert_eq!(sending.to_string(), words);
    assert_eq!(RULES[11].to_string(), "final: send the fallback text");
}

/// The table of ARCHITECTURE.md; with `HARK_DOCS=write` it is written first.
#[test]
fn the_table_is_in_the_architecture() {
    let mut table = "| the error is | the turn | what follows |\n|---|---|---|\n".to_owned();
    let head = table.clone();
    for ErrorRule { error, turn, next, .. } in RULES {
        table += &format!("| {error} | {turn} | {next} |\n");
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md");
    let mut page = std::fs::read_to_string(file).unwrap();
    #[expect(clippy::disallowed_methods, reason = "make docs says so")]
    if std::env::var("HARK_DOCS").as_deref() == Ok("write") {
        let (before, rest) = page.split_once(&head).unwrap();
        let rest = rest.split_once("\n\n").unwrap().1;
        page = format!("{before}{table}\n{rest}");
        std::fs::write(file, &page).unwrap();
    }
    assert!(page.contains(&table), "ARCHITECTURE.md has an old table; run: make docs");
}
