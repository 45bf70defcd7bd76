//! The turn itself, and the handler that the lanes run.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::StreamExt as _;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument as _;

use super::ask::report;
use super::deliver::{Delivery, FALLBACK_PART};
use super::error::{Cause, TurnError};
use super::hear::{Heard, Unheard};
use super::phrases::Problem;
use super::reply::Reply;
use super::stage::{Trace, stage, stage_stream};
use super::{Pipeline, ReplyPolicy, Route};
use crate::agent::Question;
use crate::provider::Messenger;
use crate::queue::{Handled, JobHandler};
use crate::store::{Begun, Draft, Job};
use crate::telemetry;
use crate::turn::{Body, MessageId, Outcome, Retry, Stage};

/// Attempts at an answer; after them the fallback text goes out.
const MAX_ATTEMPTS: u32 = 3;

/// Times a part is sent whose answers make no sense, as behind a proxy that rewrites them.
const MAX_BLIND_SENDS: u32 = 6;

/// Exchanges of the past that an agent is shown.
const HISTORY: usize = 20;

/// WhatsApp takes "typing" away after 25 s.
const TYPING_EVERY: Duration = Duration::from_secs(20);

/// How long the end of a turn waits for the call that shows it.
const TYPING_END: Duration = Duration::from_millis(500);

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
        let answer = tokio::time::timeout(self.turn_limit, answer).await;
        let (heard, reply) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(Unheard::Problem(problem))) => {
                return self.tell(route, job, delivery, problem).await;
            }
            Ok(Err(Unheard::Failed(error))) => return Err(error),
            Err(_elapsed) => return Err(TurnError { stage: Stage::Llm, cause: Cause::Deadline }),
        };
        let Heard { text, transcript, .. } = heard;
        let uncertain = transcript.as_ref().and_then(|transcript| transcript.uncertain);
        let audio = reply.note.as_ref().map(|(_, info)| info.clone());
        let planned = report(trace, transcript, reply.text.clone(), audio, Outcome::VoiceNote);
        let draft = Draft { heard: Some(text.0), report: planned };
        let Sent { text, audio, outcome, reason } =
            self.send_reply(delivery, reply, &draft).await?;
        let reason = reason.or_else(|| uncertain.map(|why| format!("uncertain: {}", why.name())));
        let transcript = draft.report.transcript;
        let report = report(trace, transcript, text, audio, outcome).because(reason);
        Ok(Draft { heard: draft.heard, report })
    }

    /// Hears a message and makes the reply.
    async fn answer(
        &self,
        route: &Route,
        job: &Job,
        trace: &Trace,
        cancel: &CancellationToken,
    ) -> Result<(Heard, Reply), Unheard> {
        let agent = &route.agent;
        let (heard, history) =
            tokio::join!(self.hear_message(route, job, trace, cancel), self.history(job));
        let heard = heard?;
        let aloud = match agent.reply {
            ReplyPolicy::Voice => true,
            ReplyPolicy::Reciprocal => heard.transcript.is_some(),
            ReplyPolicy::Text => false,
        };
        let question = Question {
            heard: heard.text.clone(),
            spoken: heard.spoken(),
            language: heard.language.clone(),
            history: history?,
            contact_name: job.contact.profile_name.clone(),
            asked_ms: job.received_ms,
            aloud,
        };
        let reply = self.path.reply(agent, question, aloud, trace, cancel).await?;
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
        let language = route.agent.language.clone().or_else(|| job.contact_language.clone());
        match &job.message.body {
            Body::Text { text } => Ok(Heard::written(text.clone(), language)),
            Body::Audio { media } => {
                let started = route.messenger.download(media);
                let bytes = stage(trace, Stage::Download, started).await?;
                let audio = stage_stream(trace, Stage::Download, bytes).boxed();
                self.path.hear(&route.agent, audio, language, trace, cancel).await
            }
            Body::Unsupported | Body::Silent => {
                Err(Unheard::Problem(Problem::Type(job.message.raw_type.clone())))
            }
        }
    }

    async fn history(&self, job: &Job) -> Result<Vec<crate::turn::Exchange>, TurnError> {
        let history = self.store.history(&job.message.number, job.contact_id, HISTORY).await;
        history.map_err(|error| TurnError { stage: Stage::Llm, cause: error.into() })
    }

    /// Sends the note; if there is none or the provider does not take it, the text.
    async fn send_reply(
        &self,
        delivery: &Delivery<'_>,
        reply: Reply,
        draft: &Draft,
    ) -> Result<Sent, TurnError> {
        let Reply { text, note, mut reason } = reply;
        let mut index = 0;
        if let Some((file, audio)) = note {
            match delivery.voice(file, draft).await {
                Ok(()) => {
                    return Ok(Sent {
                        text,
                        audio: Some(audio),
                        outcome: Outcome::VoiceNote,
                        reason,
                    });
                }
                // Without an answer the note may be on its way: it is looked for, not doubled.
                Err(error) if error.stage == Stage::Send && error.retry() != Retry::Never => {
                    return Err(error);
                }
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
        let text = problem.phrase(&self.path.phrases).in_language(&language_of(route, job));
        delivery.text(0, text).await?;
        let report = report(&delivery.trace, None, text.to_owned(), None, problem.outcome());
        Ok(Draft { heard: None, report: report.because(Some(problem.reason())) })
    }

    /// Sends the fallback text after `error`.
    async fn fall_back(
        &self,
        route: &Route,
        job: &Job,
        delivery: &Delivery<'_>,
        reason: String,
    ) -> Result<Draft, TurnError> {
        let text = self.path.phrases.fallback.in_language(&language_of(route, job)).to_owned();
        delivery.text(FALLBACK_PART, &text).await?;
        let report = report(&delivery.trace, None, text, None, Outcome::Fallback);
        let heard = match &job.message.body {
            Body::Text { text } => Some(text.reveal().to_owned()),
            _ => None,
        };
        Ok(Draft { heard, report: report.because(Some(reason)) })
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
        let Some(route) = self.routes.get(&job.message.number) else {
            return Err(TurnError { stage: Stage::Send, cause: Cause::Unconfigured });
        };
        let trace = Trace::start();
        let delivery = Delivery::new(self, route, job, &trace);
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
        let typing = Typing::start(route, &job.message.id);
        let ended = self.attempt(route, job, &delivery, begun, &cancel).await;
        typing.stop().await;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) if self.gives_up(job, &error) => {
                tracing::error!(error = %error, "a message could not be answered at all");
                let report = report(&trace, None, String::new(), None, Outcome::Failed);
                Draft { heard: None, report: report.because(Some(error.to_string())) }
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
    let mut ended = draft.unwrap_or(Draft { heard: None, report: now });
    ended.report.outcome = outcome;
    if outcome != Outcome::VoiceNote {
        ended.report.audio = None;
    }
    ended.report.reason = Some("resumed after a restart or a failed send".into());
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
    let language = route.agent.language.clone().or_else(|| job.contact_language.clone());
    language.unwrap_or_else(|| "en".into())
}

/// Shows the person that the message was read and is being answered, until the turn ends.
struct Typing {
    /// Stops the task also when the turn panics.
    stop: DropGuard,
    task: tokio::task::JoinHandle<()>,
}

impl Typing {
    fn start(route: &Route, message: &MessageId) -> Self {
        let stop = CancellationToken::new();
        let (messenger, message) = (std::sync::Arc::clone(&route.messenger), message.clone());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                show_typing(messenger.as_ref(), &message).await;
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = tokio::time::sleep(TYPING_EVERY) => {}
                }
            }
        });
        Self { stop: stop.drop_guard(), task }
    }

    /// Lets a call that is under way end, so that its connection stays usable, but not for long.
    async fn stop(self) {
        let Self { stop, mut task } = self;
        drop(stop);
        if tokio::time::timeout(TYPING_END, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// A turn does not depend on it, so a failure is only worth a line.
async fn show_typing(messenger: &dyn Messenger, message: &MessageId) {
    if let Err(error) = messenger.read_and_typing(message).await {
        tracing::warn!(error = %error, "the message could not be marked as read");
    }
}
