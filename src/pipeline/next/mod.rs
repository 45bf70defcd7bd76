//! What follows an error: one ordered table, the first row that fits decides.
//!
//! Pure: an error and the facts of its turn in, the next step out. A test prints the table into
//! ARCHITECTURE.md, so that the words there are the rules that run.

use std::fmt;
use std::time::Duration;

use super::error::{Cause, TurnError};
use super::problem::Problem;
use crate::store::{Lease, StoreError};
use crate::turn::{Retry, Stage};

/// Attempts at an answer; after them the fallback text goes out.
pub(super) const MAX_ATTEMPTS: u32 = 3;

/// Sends of one part that the provider may have taken; after them, and four minutes, it counts as sent.
const MAX_UNCLEAR_SENDS: u32 = 6;

/// How long a turn's sends may be refused while later messages of the person wait behind it: an
/// outage that is over by then costs no answer, and one that is not holds nobody for a day.
const REFUSED_FOR: Duration = Duration::from_hours(1);

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
    /// Since the turn's last part was planned.
    pub(super) sending: Duration,
    pub(super) cancelled: bool,
    /// Whether the number has a template that the turn has not sent.
    pub(super) template: bool,
}

/// Names what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Leave it to whoever leases the message next.
    Leave,
    /// Say what is wrong with the message.
    Tell(Problem),
    /// Count the part as sent and go on with the next.
    CountAsSent,
    /// Send the reply as text.
    Text,
    /// Send the number's template.
    Template,
    /// Send the fallback text.
    FallBack,
    /// Lease the message again; this counted as an attempt. The rules name the first wait.
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
            Self::CountAsSent => ("the message may have arrived and counts as sent", None),
            Self::Text => ("the reply goes out as text", None),
            Self::Template => ("the number's template goes out", None),
            Self::FallBack => ("the fallback text goes out", None),
            Self::GiveUp => {
                tracing::error!(
                    stage.name = stage, error = %error, %rule,
                    "a message could not be answered at all"
                );
                return;
            }
            Self::Leave => (again, Some(Duration::ZERO)),
            Self::Again(wait) | Self::Wait(wait) => (again, Some(*wait)),
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
        error: "a person has taken the conversation over",
        turn: "any",
        next: "leave it to the next lease, which sends nothing new; no attempt is counted",
        fits: |error, _| matches!(error.cause, Cause::Store(StoreError::TakenOver)),
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
        error: "the person has not written for 24 hours",
        turn: "is of a number with a template, and has not sent it",
        next: "send the template",
        fits: |error, facts| error.is_window_shut() && facts.template,
        then: |_| Next::Template,
    },
    ErrorRule {
        error: "the person has not written for 24 hours",
        turn: "any",
        next: "send nothing: the turn is closed as failed, and says so",
        fits: |error, _| error.is_window_shut(),
        then: |_| Next::GiveUp,
    },
    ErrorRule {
        error: "a sixth send of one part that may have arrived",
        turn: "any",
        next: "count the part as sent; the turn's record says why",
        fits: |error, _| error.sending.is_some_and(|send| send.unclear >= MAX_UNCLEAR_SENDS),
        then: |_| Next::CountAsSent,
    },
    ErrorRule {
        error: "a send that may have arrived: no answer, half of one, nonsense, a 5xx without a code \
                (but 503)",
        turn: "any",
        next: "wait for its status, then send it once more: after 8 s, and twice as long each time; no \
               attempt is counted",
        fits: |error, _| error.may_have_arrived(),
        then: |error| Next::Wait(wait(error)),
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
        error: "a send refused for now",
        turn: "has a note and its text, and is in its third attempt or has been sending for an hour",
        next: "send the reply as text",
        fits: |error, facts| {
            matches!(facts.step, Step::Note | Step::Resuming { text: true })
                && error.is_put_off()
                && (facts.attempt >= MAX_ATTEMPTS || facts.sending >= REFUSED_FOR)
        },
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
        error: "ours alone: token, permission or account refused, full queue, the pace of sends",
        turn: "any",
        next: "wait; no attempt is counted",
        fits: |error, _| error.postpones(),
        then: |error| Next::Wait(wait(error)),
    },
    ErrorRule {
        error: "a send refused for now",
        turn: "in its third attempt or later, and has been sending for an hour",
        next: "give up: later messages of the person wait behind it",
        fits: |error, facts| {
            error.is_put_off() && facts.attempt >= MAX_ATTEMPTS && facts.sending >= REFUSED_FOR
        },
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
mod tests;
