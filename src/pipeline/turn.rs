//! The turn itself, and the handler that the lanes run.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::StreamExt as _;
use tracing::Instrument as _;

use super::answer::Around;
use super::ask::report;
use super::deliver::Delivery;
use super::error::{Cause, TurnError};
use super::hear::{Heard, Unheard};
use super::phrases::Problem;
use super::reply::Reply;
use super::stage::{Trace, stage, stage_stream};
use super::typing::Typing;
use super::{Pipeline, Route, language};
use crate::queue::{Cancel, Handled, JobHandler, back_off};
use crate::speech_text::long_links;
use crate::store::{Begun, Draft, History, Lease};
use crate::telemetry;
use crate::turn::{Body, Outcome, Reason, Retry, Role, Stage};

/// Attempts at an answer; after them the fallback text goes out.
const MAX_ATTEMPTS: u32 = 3;

/// Times a part is sent whose answers make no sense, as behind a proxy that rewrites them.
const MAX_BLIND_SENDS: u32 = 6;

/// Exchanges of the past that an agent is shown.
const HISTORY: usize = 20;

/// How long the fallback text is tried to be delivered: WhatsApp's window for free answers.
const DELIVERY_WINDOW_MS: i64 = 24 * 60 * 60 * 1000;

impl Pipeline {
    /// Answers one message: hears it, asks the agent and speaks within the turn's time, then sends.
    async fn run_turn(
        &self,
        route: &Route,
        lease: &Lease,
        delivery: &Delivery<'_>,
        cancel: &Cancel,
    ) -> Result<Draft, TurnError> {
        let trace = &delivery.trace;
        let answer = self.answer(route, lease, trace, cancel);
        // Sending is not part of that time: a send that was cut off may have arrived.
        let answer = tokio::time::timeout(self.turn_limit, answer).await;
        let (heard, reply) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(Unheard::Problem(problem))) => {
                return self.tell(route, lease, delivery, problem).await;
            }
            Ok(Err(Unheard::Failed(error))) => return Err(error),
            Err(_elapsed) => return Err(TurnError { stage: Stage::Llm, cause: Cause::Deadline }),
        };
        let Heard { text, language, transcript } = heard;
        let tells = transcript.is_some() || language::says_enough(text.reveal());
        let language = tells.then_some(language);
        if let Some(mode) = reply.wish {
            // Kept before the reply goes out: it promises to remember.
            let kept = self.record.set_reply_mode(&lease.turn, mode).await;
            kept.map_err(|error| TurnError { stage: Stage::Send, cause: error.into() })?;
        }
        let uncertain = transcript.as_ref().and_then(|transcript| transcript.uncertain);
        let asks_back = reply.asks_back.clone();
        let why = asks_back.clone().or_else(|| uncertain.map(Reason::Uncertain));
        let audio = reply.note.as_ref().map(|(_, info)| info.clone());
        let ends = |outcome| if asks_back.is_some() { Outcome::Question } else { outcome };
        let (said, voice_note) = (reply.text.clone(), ends(Outcome::VoiceNote));
        let planned = report(trace, transcript, said, audio, voice_note).because(why.clone());
        let draft = Draft { heard: Some(text), language, report: planned };
        let Sent { text, audio, outcome, reason } =
            self.send_reply(delivery, reply, &draft).await?;
        // What a question back is for must stand in the record, whatever else happened.
        let reason = if asks_back.is_some() { why } else { reason.or(why) };
        let transcript = draft.report.transcript.clone();
        let report = report(trace, transcript, text, audio, ends(outcome)).because(reason);
        Ok(Draft { report, ..draft })
    }

    /// Hears a message and makes the reply.
    async fn answer(
        &self,
        route: &Route,
        lease: &Lease,
        trace: &Trace,
        cancel: &Cancel,
    ) -> Result<(Heard, Reply), Unheard> {
        let (heard, history) =
            tokio::join!(self.hear_message(route, lease, trace, cancel), self.history(lease));
        let heard = heard?;
        let around = Around {
            history: history?,
            reply_mode: lease.reply_mode,
            contact_name: lease.contact.profile_name.clone(),
            asked_ms: lease.first().received_ms,
        };
        let reply = self.path.answer(&route.agent, &heard, around, trace, cancel.token()).await?;
        if let Some(reason) = cancel.reason() {
            // What a cancelled engine left is no answer.
            return Err(TurnError { stage: Stage::Llm, cause: Cause::Cancelled(reason) }.into());
        }
        Ok((heard, reply))
    }

    /// Gets the words of a message, whatever it is.
    async fn hear_message(
        &self,
        route: &Route,
        lease: &Lease,
        trace: &Trace,
        cancel: &Cancel,
    ) -> Result<Heard, Unheard> {
        let last = lease.contact_language.as_deref();
        match &lease.first().body {
            Body::Text { text } => Ok(Heard::written(&route.agent, text.clone(), last)),
            Body::Audio { media } => {
                let started = route.messenger.download(media);
                let bytes = stage(trace, Stage::Download, started).await?;
                let audio = stage_stream(trace, Stage::Download, bytes).boxed();
                self.path.hear(&route.agent, audio, last, trace, cancel.token()).await
            }
            Body::Unsupported | Body::Silent => {
                Err(Unheard::Problem(Problem::Type(lease.first().raw_type.clone())))
            }
        }
    }

    async fn history(&self, lease: &Lease) -> Result<History, TurnError> {
        let history = self.record.history(&lease.lane, HISTORY, self.clock.now_ms()).await;
        history.map_err(|error| TurnError { stage: Stage::Llm, cause: error.into() })
    }

    /// Sends the note; if there is none or the provider does not take it, the text.
    async fn send_reply(
        &self,
        delivery: &Delivery<'_>,
        reply: Reply,
        draft: &Draft,
    ) -> Result<Sent, TurnError> {
        let Reply { text, note, mut reason, .. } = reply;
        if let Some((file, audio)) = note {
            // Nobody writes a long address down from hearing it.
            let links = long_links(&text).join("\n");
            match delivery.voice(file, &links, draft).await {
                Ok(links_failed) => {
                    return Ok(Sent {
                        text,
                        audio: Some(audio),
                        outcome: Outcome::VoiceNote,
                        reason: reason.or(links_failed),
                    });
                }
                // Without an answer the note may be on its way: it is looked for, not doubled.
                Err(error) if error.stage == Stage::Send && error.retry() != Retry::Never => {
                    return Err(error);
                }
                // The note is fine and we are not, as with a token that was refused: it waits.
                Err(error) if error.postpones() => return Err(error),
                Err(error) => {
                    tracing::warn!(
                        stage.name = error.stage.name(), error = %error,
                        "the reply goes out as text"
                    );
                    let said = Some(error.to_string());
                    reason = Some(Reason::Without { stage: error.stage, error: said });
                }
            }
        }
        delivery.draft(draft).await?;
        delivery.text(Role::Answer, &text).await?;
        Ok(Sent { text, audio: None, outcome: Outcome::Text, reason })
    }

    /// Tells the person what is wrong with the message.
    async fn tell(
        &self,
        route: &Route,
        lease: &Lease,
        delivery: &Delivery<'_>,
        problem: Problem,
    ) -> Result<Draft, TurnError> {
        let text = problem.phrase(&self.path.phrases).in_language(&language_of(route, lease));
        delivery.text(Role::Notice, text).await?;
        let report = report(&delivery.trace, None, text.to_owned(), None, problem.outcome());
        Ok(Draft { heard: None, language: None, report: report.because(Some(problem.reason())) })
    }

    /// Sends the fallback text after `error`.
    async fn fall_back(
        &self,
        route: &Route,
        lease: &Lease,
        delivery: &Delivery<'_>,
        reason: Reason,
    ) -> Result<Draft, TurnError> {
        let text = self.path.phrases.fallback.in_language(&language_of(route, lease)).to_owned();
        delivery.text(Role::Fallback, &text).await?;
        let report = report(&delivery.trace, None, text, None, Outcome::Fallback);
        let heard = match &lease.first().body {
            Body::Text { text } => Some(text.clone()),
            _ => None,
        };
        Ok(Draft { heard, language: None, report: report.because(Some(reason)) })
    }

    /// Takes a turn up where an earlier attempt left it, or runs it.
    async fn attempt(
        &self,
        route: &Route,
        lease: &Lease,
        delivery: &Delivery<'_>,
        begun: Begun,
        cancel: &Cancel,
    ) -> Result<Draft, TurnError> {
        match delivery.resume(begun.parts).await {
            Ok(None) => {}
            Ok(Some(outcome)) => return Ok(resumed(&delivery.trace, begun.draft, outcome)),
            Err(error) if error.retry() != Retry::Never => return Err(error),
            // As in a first attempt: a note that is refused goes out as text.
            Err(error) => match begun.draft {
                Some(draft) if !draft.report.reply.text.reveal().is_empty() => {
                    delivery.text(Role::Answer, draft.report.reply.text.reveal()).await?;
                    return Ok(resumed(&delivery.trace, Some(draft), Outcome::Text));
                }
                _ => return self.fall_back(route, lease, delivery, error.reason()).await,
            },
        }
        if lease.attempt > MAX_ATTEMPTS {
            let reason = Reason::GaveUp { attempts: MAX_ATTEMPTS };
            return self.fall_back(route, lease, delivery, reason).await;
        }
        let error = match self.run_turn(route, lease, delivery, cancel).await {
            Ok(ended) => return Ok(ended),
            Err(error) => match cancel.reason() {
                Some(reason) if error.stage != Stage::Send => {
                    return Err(TurnError { cause: Cause::Cancelled(reason), ..error });
                }
                _ => error,
            },
        };
        let may_retry = lease.attempt < MAX_ATTEMPTS || error.postpones();
        // A send without an answer has a part in the store; only that part may be tried again.
        if error.retry() != Retry::Never && (may_retry || error.stage == Stage::Send) {
            return Err(error);
        }
        tracing::warn!(
            stage.name = error.stage.name(), error = %error, "the fallback text goes out"
        );
        self.fall_back(route, lease, delivery, error.reason()).await
    }

    async fn handle_turn(&self, lease: &Lease, cancel: Cancel) -> Result<(), TurnError> {
        let stored = |error| TurnError { stage: Stage::Send, cause: Cause::Store(error) };
        let Some(route) = self.routes.get(&lease.lane.number) else {
            return Err(TurnError { stage: Stage::Send, cause: Cause::Unconfigured });
        };
        let trace = Trace::start();
        let delivery = Delivery::new(self, route, lease, &trace);
        let now_ms = self.clock.now_ms();
        #[expect(clippy::cast_precision_loss, reason = "a wait is far below 2^52 ms")]
        let queue_ms = (now_ms - lease.first().received_ms) as f64;
        let begun =
            self.record.begin(lease, &route.agent.name, queue_ms, now_ms).await.map_err(stored)?;
        if begun.finished {
            return Ok(());
        }
        let typing = Typing::start(&route.messenger, &lease.first().id);
        let ended = self.attempt(route, lease, &delivery, begun, &cancel).await;
        typing.stop().await;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) if self.gives_up(lease, &error) => {
                tracing::error!(error = %error, "a message could not be answered at all");
                let report = report(&trace, None, String::new(), None, Outcome::Failed);
                let report = report.because(Some(error.reason()));
                Draft { heard: None, language: None, report }
            }
            Err(error) => return Err(error),
        };
        telemetry::turn(&ended.report);
        tracing::info!(
            outcome = ended.report.outcome.name(),
            turn.total_ms = ended.report.total_ms,
            turn.overhead_ms = ended.report.overhead_ms,
            "a turn ended"
        );
        let now_ms = self.clock.now_ms();
        let finished = self.record.finish(lease, &ended, now_ms).await;
        finished.map_err(stored)
    }

    /// Whether an error that reached the end of a turn is final: the provider will never take a
    /// message for this person, or the window to answer has closed.
    fn gives_up(&self, lease: &Lease, error: &TurnError) -> bool {
        let window_closed = self.clock.now_ms() - lease.first().received_ms > DELIVERY_WINDOW_MS;
        // A provider whose answers make no sense may well have taken every one of the sends.
        let blind = lease.attempt >= MAX_BLIND_SENDS && error.is_blind_send();
        error.retry() == Retry::Never || window_closed || blind
    }
}

#[async_trait]
impl JobHandler for Pipeline {
    async fn handle(&self, lease: Lease, cancel: Cancel) -> Handled {
        let span = tracing::info_span!("turn", turn.id = %lease.turn, attempt = lease.attempt);
        match self.handle_turn(&lease, cancel).instrument(span.clone()).await {
            Ok(()) => Handled::Done,
            Err(error) => {
                let wait = match error.retry() {
                    Retry::After(wait) => wait,
                    Retry::Never => Duration::from_secs(2),
                };
                let wait = back_off(wait, lease.attempt);
                let _entered = span.enter();
                tracing::warn!(
                    stage.name = error.stage.name(), error = %error,
                    retry.after_s = wait.as_secs_f64(), "a turn is tried again"
                );
                if error.postpones() { Handled::Postpone(wait) } else { Handled::RetryAfter(wait) }
            }
        }
    }
}

/// Closes a turn whose parts an earlier attempt had made.
fn resumed(trace: &Trace, draft: Option<Draft>, outcome: Outcome) -> Draft {
    let now = report(trace, None, String::new(), None, outcome);
    let mut ended = draft.unwrap_or(Draft { heard: None, language: None, report: now });
    if outcome != Outcome::VoiceNote {
        ended.report.audio = None;
    }
    // A question back stays one, with what it is about: the next message may answer it.
    if ended.report.outcome != Outcome::Question || outcome == Outcome::Fallback {
        ended.report.outcome = outcome;
        ended.report.reason = Some(Reason::Resumed);
    }
    ended
}

/// What was sent in the end.
struct Sent {
    text: String,
    audio: Option<crate::turn::NoteInfo>,
    outcome: Outcome,
    reason: Option<Reason>,
}

fn language_of(route: &Route, lease: &Lease) -> String {
    route.agent.languages.without_words(lease.contact_language.as_deref())
}
