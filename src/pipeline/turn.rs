//! The turn itself, and the handler that the lanes run.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::answer::Around;
use super::ask::report;
use super::deliver::{Delivery, FALLBACK_PART};
use super::error::{Cause, TurnError};
use super::hear::{Heard, Unheard};
use super::problem::Problem;
use super::reply::Reply;
use super::stage::{Trace, stage, stage_stream};
use super::typing::Typing;
use super::{Pipeline, Route};
use crate::queue::{Handled, JobHandler};
use crate::registry::says_enough;
use crate::speech_text::long_links;
use crate::store::{Begun, Draft, History, Job};
use crate::telemetry;
use crate::turn::{Body, Outcome, Retry, Stage, Uncertainty};

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
        job: &Job,
        delivery: &Delivery<'_>,
        cancel: &CancellationToken,
    ) -> Result<Draft, TurnError> {
        let trace = &delivery.trace;
        let answer = self.answer(route, job, trace, cancel);
        // Sending is not part of that time: a send that was cut off may have arrived.
        let answer = tokio::time::timeout(route.turn_limit, answer).await;
        let (heard, reply) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(Unheard::Problem(problem))) => {
                return self.tell(route, job, delivery, problem).await;
            }
            Ok(Err(Unheard::Failed(error))) => return Err(error),
            Err(_elapsed) => return Err(TurnError { stage: Stage::Llm, cause: Cause::Deadline }),
        };
        let Heard { text, language, transcript } = heard;
        let tells = transcript.is_some() || says_enough(text.reveal());
        let language = tells.then_some(language);
        if let Some(mode) = reply.wish {
            // Kept before the reply goes out: it promises to remember.
            let kept = self.store.set_reply_mode(job.row, mode).await;
            kept.map_err(|error| TurnError { stage: Stage::Send, cause: error.into() })?;
        }
        let uncertain = transcript.as_ref().and_then(|transcript| transcript.uncertain);
        let asks_back = reply.asks_back.clone();
        let why = asks_back.clone().or_else(|| uncertain.map(Uncertainty::as_reason));
        let audio = reply.note.as_ref().map(|(_, info)| info.clone());
        let ends = |outcome| if asks_back.is_some() { Outcome::Question } else { outcome };
        let (said, voice_note) = (reply.text.clone(), ends(Outcome::VoiceNote));
        let planned = report(trace, transcript, said, audio, voice_note).because(why.clone());
        let draft = Draft { heard: Some(text.0), language, report: planned };
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
        job: &Job,
        trace: &Trace,
        cancel: &CancellationToken,
    ) -> Result<(Heard, Reply), Unheard> {
        let (heard, history) =
            tokio::join!(self.hear_message(route, job, trace, cancel), self.history(job));
        let heard = heard?;
        let around = Around {
            history: history?,
            reply_mode: job.reply_mode,
            contact_name: job.contact.profile_name.clone(),
            asked_ms: job.received_ms,
        };
        let reply = self.path.answer(&route.agent, &heard, around, trace, cancel).await?;
        if cancel.is_cancelled() {
            // What a cancelled engine left is no answer.
            return Err(TurnError { stage: Stage::Llm, cause: Cause::Stopping }.into());
        }
        Ok((heard, reply))
    }

    /// Gets the words of a message, whatever it is.
    async fn hear_message(
        &self,
        route: &Route,
        job: &Job,
        trace: &Trace,
        cancel: &CancellationToken,
    ) -> Result<Heard, Unheard> {
        let last = job.contact_language.as_deref();
        match &job.message.body {
            Body::Text { text } => Ok(Heard::written(&route.agent, text.clone(), last)),
            Body::Audio { media } => {
                let started = route.messenger.download(media);
                let bytes = stage(trace, Stage::Download, started).await?;
                let audio = stage_stream(trace, Stage::Download, bytes).boxed();
                self.path.hear(&route.agent, audio, last, trace, cancel).await
            }
            Body::Unsupported | Body::Silent => {
                Err(Unheard::Problem(Problem::Type(job.message.raw_type.clone())))
            }
        }
    }

    async fn history(&self, job: &Job) -> Result<History, TurnError> {
        let history =
            self.store.history(&job.message.number, job.contact_id, HISTORY, self.clock.now_ms());
        let history = history.await;
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
        let mut index = 0;
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
                    reason = Some(format!("{}_failed: {error}", error.stage.name()));
                    index = u32::from(error.stage == Stage::Send);
                }
            }
        }
        delivery.draft(draft).await?;
        delivery.text(index, &text).await?;
        Ok(Sent { text, audio: None, outcome: Outcome::Text, reason })
    }

    /// Tells the person what is wrong with the message.
    async fn tell(
        &self,
        route: &Route,
        job: &Job,
        delivery: &Delivery<'_>,
        problem: Problem,
    ) -> Result<Draft, TurnError> {
        let text = problem.phrase(&route.agent.phrases).in_language(&language_of(route, job));
        delivery.text(0, text).await?;
        let report = report(&delivery.trace, None, text.to_owned(), None, problem.outcome());
        Ok(Draft { heard: None, language: None, report: report.because(Some(problem.reason())) })
    }

    /// Sends the fallback text after `error`.
    async fn fall_back(
        &self,
        route: &Route,
        job: &Job,
        delivery: &Delivery<'_>,
        reason: String,
    ) -> Result<Draft, TurnError> {
        let text = route.agent.phrases.fallback.in_language(&language_of(route, job)).to_owned();
        delivery.text(FALLBACK_PART, &text).await?;
        let report = report(&delivery.trace, None, text, None, Outcome::Fallback);
        let heard = match &job.message.body {
            Body::Text { text } => Some(text.reveal().to_owned()),
            _ => None,
        };
        Ok(Draft { heard, language: None, report: report.because(Some(reason)) })
    }

    /// Takes a turn up where an earlier attempt left it, or runs it.
    async fn attempt(
        &self,
        route: &Route,
        job: &Job,
        delivery: &Delivery<'_>,
        begun: Begun,
        cancel: &CancellationToken,
    ) -> Result<Draft, TurnError> {
        match delivery.resume(begun.parts).await {
            Ok(None) => {}
            Ok(Some(outcome)) => return Ok(resumed(&delivery.trace, begun.draft, outcome)),
            Err(error) if error.retry() != Retry::Never => return Err(error),
            // As in a first attempt: a note that is refused goes out as text.
            Err(error) => match begun.draft {
                Some(draft) if !draft.report.reply.text.is_empty() => {
                    delivery.text(1, &draft.report.reply.text).await?;
                    return Ok(resumed(&delivery.trace, Some(draft), Outcome::Text));
                }
                _ => return self.fall_back(route, job, delivery, error.to_string()).await,
            },
        }
        if job.attempt > MAX_ATTEMPTS {
            let reason = format!("gave up after {MAX_ATTEMPTS} attempts");
            return self.fall_back(route, job, delivery, reason).await;
        }
        let error = match self.run_turn(route, job, delivery, cancel).await {
            Ok(ended) => return Ok(ended),
            Err(TurnError { stage, .. }) if cancel.is_cancelled() && stage != Stage::Send => {
                return Err(TurnError { stage, cause: Cause::Stopping });
            }
            Err(error) => error,
        };
        let may_retry = job.attempt < MAX_ATTEMPTS || error.postpones();
        // A send without an answer has a part in the store; only that part may be tried again.
        if error.retry() != Retry::Never && (may_retry || error.stage == Stage::Send) {
            return Err(error);
        }
        tracing::warn!(
            stage.name = error.stage.name(), error = %error, "the fallback text goes out"
        );
        self.fall_back(route, job, delivery, error.to_string()).await
    }

    async fn handle_turn(&self, job: &Job, cancel: CancellationToken) -> Result<(), TurnError> {
        let stored = |error| TurnError { stage: Stage::Send, cause: Cause::Store(error) };
        let Some(route) = self.routes.route(&job.message.number) else {
            return Err(TurnError { stage: Stage::Send, cause: Cause::Unconfigured });
        };
        let trace = Trace::start();
        let delivery = Delivery::new(self, &route, job, &trace);
        let now_ms = self.clock.now_ms();
        #[expect(clippy::cast_precision_loss, reason = "a wait is far below 2^52 ms")]
        let queue_ms = (now_ms - job.received_ms) as f64;
        let begun = self
            .store
            .begin_turn(&delivery.turn, job, &route.agent.name, queue_ms, now_ms)
            .await
            .map_err(stored)?;
        if begun.finished {
            return Ok(());
        }
        let typing = Typing::start(&route.messenger, &job.message.id);
        let ended = self.attempt(&route, job, &delivery, begun, &cancel).await;
        typing.stop().await;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) if self.gives_up(job, &error) => {
                tracing::error!(error = %error, "a message could not be answered at all");
                let report = report(&trace, None, String::new(), None, Outcome::Failed);
                let report = report.because(Some(error.to_string()));
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
        let finished = self.store.finish_turn(&delivery.turn, &ended, now_ms).await;
        finished.map_err(stored)
    }

    /// Whether an error that reached the end of a turn is final: the provider will never take a
    /// message for this person, or the window to answer has closed.
    fn gives_up(&self, job: &Job, error: &TurnError) -> bool {
        let window_closed = self.clock.now_ms() - job.received_ms > DELIVERY_WINDOW_MS;
        // A provider whose answers make no sense may well have taken every one of the sends.
        let blind = job.attempt >= MAX_BLIND_SENDS && error.is_blind_send();
        error.retry() == Retry::Never || window_closed || blind
    }
}

#[async_trait]
impl JobHandler for Pipeline {
    async fn handle(&self, job: Job, cancel: CancellationToken) -> Handled {
        let turn = crate::turn::TurnId::of(&job.message.number, &job.message.id);
        let span = tracing::info_span!("turn", turn.id = %turn, attempt = job.attempt);
        match self.handle_turn(&job, cancel).instrument(span.clone()).await {
            Ok(()) => Handled::Done,
            Err(error) => {
                let wait = match error.retry() {
                    Retry::After(wait) => wait,
                    Retry::Never => Duration::from_secs(2),
                };
                // 1, 4, 16 times what the error asks for, at most 15 minutes unless it asks for
                // more.
                let longer = wait * 4_u32.pow((job.attempt - 1).min(5));
                let wait = longer.min(Duration::from_mins(15)).max(wait);
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
        ended.report.reason = Some("resumed after a restart or a failed send".into());
    }
    ended
}

/// What was sent in the end.
struct Sent {
    text: String,
    audio: Option<crate::turn::NoteInfo>,
    outcome: Outcome,
    reason: Option<String>,
}

fn language_of(route: &Route, job: &Job) -> String {
    route.agent.languages.without_words(job.contact_language.as_deref())
}
