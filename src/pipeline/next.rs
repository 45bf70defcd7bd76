//! What follows an error: one ordered table, the first row that fits decides.
//!
//! Pure: an error and the facts of its turn in, the next step out. A test prints the table into
//! ARCHITECTURE.md, so that the words there are the rules that run.

use std::fmt;
use std::time::Duration;

use super::error::TurnError;
use super::problem::Problem;
use crate::queue::back_off;
use crate::store::Lease;
use crate::turn::{Retry, Stage};

/// Attempts at an answer; after them the fallback text goes out.
pub(super) const MAX_ATTEMPTS: u32 = 3;

/// Limits the sends of one part whose answers make no sense, as from a proxy that rewrites them.
const MAX_BLIND_SENDS: u32 = 6;

/// WhatsApp's window for free answers; nothing is delivered after it.
const WINDOW: Duration = Duration::from_hours(24);

/// Wait before the next attempt where the error names none.
const PAUSE: Duration = Duration::from_secs(2);

/// Names what a turn was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Hearing, thinking or speaking; nothing was planned.
    Answering,
    /// Uploading or sending the note; its text is at hand.
    Note,
    /// Sending a text: the reply, or what is wrong with the message.
    Text,
    /// Sending what an earlier attempt planned; whether a note is among it and its text at hand.
    Resuming { text: bool },
    /// Sending the fallback text.
    Fallback,
}

/// Holds what is known of the turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) step: Step,
    /// 1 on the first try.
    pub(super) attempt: u32,
    /// Since the message was accepted.
    pub(super) age: Duration,
    pub(super) cancelled: bool,
}

/// Names what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Leave it to whoever leases the message next.
    Leave,
    /// Say what is wrong with the message.
    Tell(Problem),
    /// Send the reply as text.
    Text,
    /// Send the fallback text.
    FallBack,
    /// Lease the message again; this counted as an attempt.
    Again(Duration),
    /// Lease the message again; this was no attempt.
    Wait(Duration),
    /// Close the turn as failed.
    GiveUp,
}

impl Next {
    /// Logs it, except where nothing failed that an operator could fix.
    pub(super) fn log(&self, error: &TurnError, rule: &ErrorRule, lease: &Lease) {
        let (stage, again) = (error.stage.name(), "a turn is tried again");
        let (message, wait) = match self {
            Self::Tell(_) => return,
            Self::Text => ("the reply goes out as text", None),
            Self::FallBack => ("the fallback text goes out", None),
            Self::GiveUp => {
                tracing::error!(
                    stage.name = stage, error = %error, %rule,
                    "a message could not be answered at all"
                );
                return;
            }
            Self::Leave => (again, Some(Duration::ZERO)),
            Self::Again(wait) => (again, Some(back_off(*wait, lease.attempt))),
            Self::Wait(wait) => (again, Some(*wait)),
        };
        let after_s = wait.map(|wait| wait.as_secs_f64());
        if let Some(fix) = error.fix() {
            tracing::error!(
                stage.name = stage, number.id = %lease.lane.number, error = %error, fix,
                retry.after_s = after_s, %rule,
                "WhatsApp refuses the number's access token or account: {message}"
            );
            return;
        }
        if error.needs_the_operator() {
            tracing::error!(stage.name = stage, error = %error, %rule, "{message}");
            return;
        }
        tracing::warn!(
            stage.name = stage, error = %error, retry.after_s = after_s, %rule, "{message}"
        );
    }
}

/// Holds one row: when it fits, and what follows.
pub(super) struct ErrorRule {
    error: &'static str,
    turn: &'static str,
    next: &'static str,
    fits: fn(&TurnError, &Facts) -> bool,
    then: fn(&TurnError) -> Next,
}

static RULES: &[ErrorRule] = &[
    ErrorRule {
        error: "any, except of a send",
        turn: "cancelled",
        next: "leave it to the next lease; no attempt is counted",
        fits: |error, facts| facts.cancelled && error.stage != Stage::Send,
        then: |_| Next::Leave,
    },
    ErrorRule {
        error: "the message cannot be heard: damaged, empty, too long, gone, unknown format",
        turn: "is answered",
        next: "tell the person",
        fits: |error, facts| {
            facts.step == Step::Answering && Problem::from_cause(&error.cause).is_some()
        },
        then: |error| Problem::from_cause(&error.cause).map_or(Next::FallBack, Next::Tell),
    },
    ErrorRule {
        error: "of the upload, or a refused send; not our token, permission or account",
        turn: "has a note",
        next: "send the reply as text",
        fits: |error, facts| {
            facts.step == Step::Note
                && !error.postpones()
                && (error.stage == Stage::Upload || is_final(error))
        },
        then: |_| Next::Text,
    },
    ErrorRule {
        error: "final",
        turn: "is resumed with a note and its text at hand",
        next: "send the reply as text",
        fits: |error, facts| facts.step == Step::Resuming { text: true } && is_final(error),
        then: |_| Next::Text,
    },
    ErrorRule {
        error: "final",
        turn: "sends the fallback text",
        next: "give up: the turn is closed as failed",
        fits: |error, facts| facts.step == Step::Fallback && is_final(error),
        then: |_| Next::GiveUp,
    },
    ErrorRule {
        error: "final",
        turn: "any",
        next: "send the fallback text",
        fits: |error, _| is_final(error),
        then: |_| Next::FallBack,
    },
    ErrorRule {
        error: "any other",
        turn: "older than 24 hours",
        next: "give up",
        fits: |_, facts| facts.age > WINDOW,
        then: |_| Next::GiveUp,
    },
    ErrorRule {
        error: "ours alone: token, permission or account refused, full queue, paused number",
        turn: "any",
        next: "wait; no attempt is counted",
        fits: |error, _| error.postpones(),
        then: |error| Next::Wait(wait(error)),
    },
    ErrorRule {
        error: "a send whose answers make no sense",
        turn: "in its sixth attempt or later",
        next: "give up: it may have arrived every time",
        fits: |error, facts| facts.attempt >= MAX_BLIND_SENDS && error.is_blind_send(),
        then: |_| Next::GiveUp,
    },
    ErrorRule {
        error: "any other",
        turn: "is sending",
        next: "the same part again, until the message is 24 hours old",
        fits: |_, facts| facts.step != Step::Answering,
        then: |error| Next::Again(wait(error)),
    },
    ErrorRule {
        error: "any other",
        turn: "in its first or second attempt",
        next: "answer again",
        fits: |_, facts| facts.attempt < MAX_ATTEMPTS,
        then: |error| Next::Again(wait(error)),
    },
    ErrorRule {
        error: "any other",
        turn: "in its third attempt",
        next: "send the fallback text",
        fits: |_, _| true,
        then: |_| Next::FallBack,
    },
];

impl fmt::Display for ErrorRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, turn, next, .. } = self;
        match *turn {
            "any" => write!(f, "{error}: {next}"),
            _ => write!(f, "{error}, the turn {turn}: {next}"),
        }
    }
}

/// Decides what follows `error`, and by which rule.
pub(super) fn next(error: &TurnError, facts: &Facts) -> (Next, &'static ErrorRule) {
    let rule = RULES.iter().find(|rule| (rule.fits)(error, facts));
    let rule = rule.expect("the last rule fits everything");
    ((rule.then)(error), rule)
}

/// Returns whether the same call would fail the same way.
fn is_final(error: &TurnError) -> bool {
    error.retry() == Retry::Never
}

/// Returns how long to wait before the next attempt.
fn wait(error: &TurnError) -> Duration {
    match error.retry() {
        Retry::After(wait) => wait,
        Retry::Never => PAUSE,
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Cause;
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
        Facts { step, attempt: 1, age: Duration::from_secs(1), cancelled: false }
    }

    /// Returns every row, with a case that it decides.
    fn cases() -> Vec<(Cause, Stage, Facts, Next)> {
        let soon = Duration::from_secs(4);
        let passing = || refused(131_056, Retry::After(soon));
        let last = || refused(131_026, Retry::Never);
        let network = || Cause::from(ProviderError::Network("gone".into()));
        let resuming = |text| facts(Step::Resuming { text });
        let old = |step| Facts { age: Duration::from_hours(25), ..facts(step) };
        let two = Duration::from_secs(2);
        vec![
            (
                SttError::Cancelled.into(),
                Stage::Stt,
                Facts { cancelled: true, ..facts(Step::Answering) },
                Next::Leave,
            ),
            (
                DecodeError::Empty.into(),
                Stage::Decode,
                facts(Step::Answering),
                Next::Tell(Problem::EmptyAudio),
            ),
            (network(), Stage::Upload, facts(Step::Note), Next::Text),
            (last(), Stage::Send, resuming(true), Next::Text),
            (last(), Stage::Send, facts(Step::Fallback), Next::GiveUp),
            (Cause::Deadline, Stage::Llm, facts(Step::Answering), Next::FallBack),
            (passing(), Stage::Send, old(Step::Text), Next::GiveUp),
            (refused(190, Retry::After(soon)), Stage::Send, facts(Step::Note), Next::Wait(soon)),
            (
                ProviderError::Unexpected("x".into()).into(),
                Stage::Send,
                Facts { attempt: 6, ..facts(Step::Note) },
                Next::GiveUp,
            ),
            (passing(), Stage::Send, Facts { attempt: 9, ..facts(Step::Note) }, Next::Again(soon)),
            (network(), Stage::Download, facts(Step::Answering), Next::Again(two)),
            (
                network(),
                Stage::Download,
                Facts { attempt: 3, ..facts(Step::Answering) },
                Next::FallBack,
            ),
        ]
    }

    #[test]
    fn every_rule_decides_its_case() {
        for (row, (cause, stage, facts, expected)) in cases().into_iter().enumerate() {
            let error = cause.at(stage);
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
        let wait = Next::Again(Duration::from_secs(5));
        assert_eq!(next(&send, &cancelled(Step::Note)).0, wait);
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
        let sending = &RULES[9];
        let words = "any other, the turn is sending: the same part again, until the message is 24 \
                     hours old";
        assert_eq!(sending.to_string(), words);
        assert_eq!(RULES[5].to_string(), "final: send the fallback text");
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
}
