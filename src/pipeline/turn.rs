//! One turn with a messenger and a record: what the lanes run.
//!
//! A turn hears, answers and sends in a straight line. Where a step fails, [`next`] decides what
//! follows; the loop in [`Turn::run`] does it.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::answer::{Around, answer};
use super::deliver::{Delivery, FALLBACK_PART};
use super::error::{Cause, TurnError};
use super::hear::{Heard, Unheard, hear};
use super::next::{Facts, MAX_ATTEMPTS, Next, Step, next};
use super::problem::Problem;
use super::reply::Reply;
use super::stage::{Trace, stage, stage_stream};
use super::typing::Typing;
use super::{Pipeline, Route, Scene, language};
use crate::queue::{Handled, JobHandler};
use crate::speech_text::long_links;
use crate::store::{Begun, Draft, Job, StoreError};
use crate::telemetry;
use crate::turn::{Body, LanguageCode, Outcome, Stage, TurnId, TurnReport, Uncertainty};

/// Exchanges of the past that an agent is shown.
const HISTORY: usize = 20;

/// How long a message waits for its number to be active again before it is looked at again.
const UNCONFIGURED: Duration = Duration::from_mins(15);

/// How long a message waits whose turn could not be recorded.
const STORE_RETRY: Duration = Duration::from_secs(1);

#[async_trait]
impl JobHandler for Pipeline {
    async fn handle(&self, job: Job, cancel: CancellationToken) -> Handled {
        let turn = TurnId::of(&job.message.number, &job.message.id);
        let span = tracing::info_span!("turn", turn.id = %turn, attempt = job.attempt);
        async {
            let Some(route) = self.routes.get(&job.message.number) else {
                tracing::warn!("a message waits: its number is paused or not configured");
                return Handled::Postpone(UNCONFIGURED);
            };
            let trace = Trace::start();
            let scene =
                Scene { path: &self.path, agent: &route.agent, trace: &trace, cancel: &cancel };
            let delivery = Delivery::new(self, route, &job, &trace);
            Turn { pipeline: self, route, job: &job, delivery, scene }.handle().await
        }
        .instrument(span)
        .await
    }
}

/// Runs one message to its end.
struct Turn<'a> {
    pipeline: &'a Pipeline,
    route: &'a Route,
    job: &'a Job,
    delivery: Delivery<'a>,
    scene: Scene<'a>,
}

/// A step that failed, with what is needed to go on.
struct Failed {
    error: TurnError,
    step: Step,
    /// What was to be sent or was being resumed.
    draft: Option<Draft>,
}

impl Turn<'_> {
    /// Opens the turn's record, runs it and closes the record.
    async fn handle(&self) -> Handled {
        let (store, now_ms) = (&self.pipeline.store, self.pipeline.clock.now_ms());
        #[expect(clippy::cast_precision_loss, reason = "a wait is far below 2^52 ms")]
        let queue_ms = (now_ms - self.job.received_ms) as f64;
        let (turn, agent) = (&self.delivery.turn, &self.route.agent.name);
        let begun = match store.begin_turn(turn, self.job, agent, queue_ms, now_ms).await {
            Ok(Begun { finished: true, .. }) => return Handled::Done,
            Ok(begun) => begun,
            Err(error) => return unrecorded(&error),
        };
        let typing = Typing::start(&self.route.messenger, &self.job.message.id);
        let ended = self.run(begun).await;
        typing.stop().await;
        let ended = match ended {
            Ok(ended) => ended,
            Err(handled) => return handled,
        };
        telemetry::turn(&ended.report);
        tracing::info!(
            outcome = ended.report.outcome.name(),
            turn.total_ms = ended.report.total_ms,
            turn.overhead_ms = ended.report.overhead_ms,
            "a turn ended"
        );
        match store.finish_turn(turn, &ended, self.pipeline.clock.now_ms()).await {
            Ok(()) => Handled::Done,
            Err(error) => unrecorded(&error),
        }
    }

    /// Resumes or answers, and does what [`next`] says until the turn is over; the error is what
    /// becomes of the message if it is not.
    async fn run(&self, begun: Begun) -> Result<Draft, Handled> {
        let mut ended = match self.resume(begun).await {
            Ok(None) if self.job.attempt > MAX_ATTEMPTS => {
                self.fall_back(format!("gave up after {MAX_ATTEMPTS} attempts")).await
            }
            Ok(None) => self.answer().await,
            Ok(Some(ended)) => Ok(ended),
            Err(failed) => Err(failed),
        };
        loop {
            let Failed { error, step, draft } = match ended {
                Ok(ended) => return Ok(ended),
                Err(failed) => failed,
            };
            let (next, rule) = next(&error, &self.facts(step));
            if let Some(message) = next.message() {
                let stage = error.stage.name();
                tracing::warn!(stage.name = stage, error = %error, %rule, "{message}");
            }
            ended = match next {
                Next::Tell(problem) => self.tell(&problem).await,
                Next::Text => self.send_text(draft, &error, step).await,
                Next::FallBack => self.fall_back(error.to_string()).await,
                Next::Leave => return Err(Handled::Postpone(Duration::ZERO)),
                Next::Wait(wait) => return Err(Handled::Postpone(wait)),
                Next::Again(wait) => return Err(Handled::RetryAfter(self.longer(wait))),
                Next::GiveUp => {
                    let report = self.trace().report(None, String::new(), None, Outcome::Failed);
                    let report = report.because(Some(error.to_string()));
                    Ok(Draft { heard: None, language: None, report })
                }
            };
        }
    }

    /// 1, 4, 16 times what the error asks for, at most 15 minutes unless it asks for more.
    fn longer(&self, wait: Duration) -> Duration {
        let longer = wait * 4_u32.pow((self.job.attempt - 1).min(5));
        longer.min(Duration::from_mins(15)).max(wait)
    }

    fn trace(&self) -> &Trace {
        self.scene.trace
    }

    fn facts(&self, step: Step) -> Facts {
        let age_ms = self.pipeline.clock.now_ms() - self.job.received_ms;
        Facts {
            step,
            attempt: self.job.attempt,
            age: Duration::from_millis(age_ms.try_into().unwrap_or_default()),
            cancelled: self.scene.cancel.is_cancelled(),
        }
    }

    /// Sends what an earlier attempt planned; `None` if nothing of it counts.
    async fn resume(&self, begun: Begun) -> Result<Option<Draft>, Failed> {
        let Begun { parts, draft, .. } = begun;
        match self.delivery.resume(parts).await {
            Ok(outcome) => Ok(outcome.map(|outcome| resumed(self.trace(), draft, outcome))),
            Err(error) => {
                let text = |draft: &Draft| !draft.report.reply.text.is_empty();
                let step = Step::Resuming { text: draft.as_ref().is_some_and(text) };
                Err(Failed { error, step, draft })
            }
        }
    }

    /// Hears the message, asks the agent and speaks within the turn's time, then sends.
    async fn answer(&self) -> Result<Draft, Failed> {
        let answering = |error: TurnError| Failed { error, step: Step::Answering, draft: None };
        // Sending is not part of that time: a send that was cut off may have arrived.
        let made = tokio::time::timeout(self.pipeline.turn_limit, self.make_reply()).await;
        let made = made.unwrap_or_else(|_late| Err(Cause::Deadline.at(Stage::Llm).into()));
        let (heard, reply) = match made {
            Ok(made) => made,
            Err(Unheard::Problem(problem)) => return self.tell(&problem).await,
            Err(Unheard::Failed(error)) => return Err(answering(error)),
        };
        let Heard { text, language, transcript } = heard;
        let tells = transcript.is_some() || language::says_enough(text.reveal());
        let language = tells.then_some(language);
        if let Some(mode) = reply.wish {
            // Kept before the reply goes out: it promises to remember.
            let kept = self.pipeline.store.set_reply_mode(self.job.row, mode).await;
            kept.map_err(|error| answering(error.into()))?;
        }
        let uncertain = transcript.as_ref().and_then(|transcript| transcript.uncertain);
        let Reply { text: said, note, reason, asks_back, .. } = reply;
        let outcome = if asks_back.is_some() { Outcome::Question } else { Outcome::VoiceNote };
        let (note, info) = note.unzip();
        let report = self.trace().report(transcript, said, info, outcome);
        let why = asks_back.or(reason).or(uncertain.map(Uncertainty::as_reason));
        let draft = Draft { heard: Some(text.0), language, report: report.because(why) };
        let Some(note) = note else { return self.send_reply(draft, 0).await };
        // Nobody writes a long address down from hearing it.
        let links = long_links(&draft.report.reply.text).join("\n");
        match self.delivery.voice(note, &links, &draft).await {
            Ok(links_failed) => {
                let report = self.ended(draft.report.clone(), outcome, links_failed);
                Ok(Draft { report, ..draft })
            }
            Err(error) => Err(Failed { error, step: Step::Note, draft: Some(draft) }),
        }
    }

    /// Hears the message and makes the reply.
    async fn make_reply(&self) -> Result<(Heard, Reply), Unheard> {
        let Job { message, contact_id, .. } = self.job;
        let history = async {
            let now_ms = self.pipeline.clock.now_ms();
            let store = &self.pipeline.store;
            store.history(&message.number, *contact_id, HISTORY, now_ms).await
        };
        let (heard, history) = tokio::join!(self.hear_message(), history);
        let heard = heard?;
        let around = Around {
            history: history.map_err(TurnError::from)?,
            reply_mode: self.job.reply_mode,
            contact_name: self.job.contact.profile_name.clone(),
            asked_ms: self.job.received_ms,
        };
        let reply = answer(self.scene, &heard, &around).await?;
        if self.scene.cancel.is_cancelled() {
            // What a cancelled engine left is not an answer.
            return Err(Cause::Stopping.at(Stage::Llm).into());
        }
        Ok((heard, reply))
    }

    /// Gets the words of a message, whatever it is.
    async fn hear_message(&self) -> Result<Heard, Unheard> {
        let (agent, last) = (&self.route.agent, self.job.contact_language.as_ref());
        match &self.job.message.body {
            Body::Text { text } => Ok(Heard::written(agent, text.clone(), last)),
            Body::Audio { media } => {
                let started = self.route.messenger.download(media);
                let bytes = stage(self.trace(), Stage::Download, started).await?;
                let audio = stage_stream(self.trace(), Stage::Download, bytes).boxed();
                hear(self.scene, audio, last).await
            }
            Body::Unsupported | Body::Silent => {
                Err(Unheard::Problem(Problem::Type(self.job.message.raw_type.clone())))
            }
        }
    }

    /// Sends the reply as text after its note failed.
    async fn send_text(
        &self,
        draft: Option<Draft>,
        error: &TurnError,
        step: Step,
    ) -> Result<Draft, Failed> {
        let Some(mut draft) = draft else { return self.fall_back(error.to_string()).await };
        draft.report.audio = None;
        if matches!(step, Step::Resuming { .. }) {
            let text = draft.report.reply.text.clone();
            self.delivery.text(1, &text).await.map_err(sending_text)?;
            return Ok(resumed(self.trace(), Some(draft), Outcome::Text));
        }
        if draft.report.outcome != Outcome::Question {
            let reason = format!("{}_failed: {error}", error.stage.name());
            draft.report.reason = Some(reason);
        }
        self.send_reply(draft, u32::from(error.stage == Stage::Send)).await
    }

    /// Sends the reply as text, from part `index` on.
    async fn send_reply(&self, mut draft: Draft, index: u32) -> Result<Draft, Failed> {
        self.delivery.draft(&draft).await.map_err(sending_text)?;
        let text = draft.report.reply.text.clone();
        self.delivery.text(index, &text).await.map_err(sending_text)?;
        draft.report = self.ended(draft.report, Outcome::Text, None);
        Ok(draft)
    }

    /// Closes a report with what was sent; a question back stays one.
    fn ended(&self, report: TurnReport, outcome: Outcome, beside: Option<String>) -> TurnReport {
        let question = report.outcome == Outcome::Question;
        let outcome = if question { Outcome::Question } else { outcome };
        let reason = if question { report.reason } else { beside.or(report.reason) };
        let now = self.trace().report(report.transcript, report.reply.text, report.audio, outcome);
        now.because(reason)
    }

    /// Tells the person what is wrong with the message.
    async fn tell(&self, problem: &Problem) -> Result<Draft, Failed> {
        let text = problem.phrase(&self.pipeline.path.phrases).in_language(&self.language());
        self.delivery.text(0, text).await.map_err(sending_text)?;
        let report = self.trace().report(None, text.to_owned(), None, problem.outcome());
        Ok(Draft { heard: None, language: None, report: report.because(Some(problem.reason())) })
    }

    /// Sends the fallback text.
    async fn fall_back(&self, reason: String) -> Result<Draft, Failed> {
        let text = self.pipeline.path.phrases.fallback.in_language(&self.language()).to_owned();
        let sent = self.delivery.text(FALLBACK_PART, &text).await;
        sent.map_err(|error| Failed { error, step: Step::Fallback, draft: None })?;
        let report = self.trace().report(None, text, None, Outcome::Fallback);
        let heard = match &self.job.message.body {
            Body::Text { text } => Some(text.reveal().to_owned()),
            _ => None,
        };
        Ok(Draft { heard, language: None, report: report.because(Some(reason)) })
    }

    /// The language of a sentence to somebody whose words are not at hand.
    fn language(&self) -> LanguageCode {
        self.route.agent.languages.without_words(self.job.contact_language.as_ref())
    }
}

fn sending_text(error: TurnError) -> Failed {
    Failed { error, step: Step::Text, draft: None }
}

/// Gives a message back whose turn could not be recorded.
fn unrecorded(error: &StoreError) -> Handled {
    tracing::error!(error = %error, "a turn could not be recorded: its message waits");
    Handled::RetryAfter(STORE_RETRY)
}

/// Closes a turn whose parts an earlier attempt had made.
fn resumed(trace: &Trace, draft: Option<Draft>, outcome: Outcome) -> Draft {
    let now = trace.report(None, String::new(), None, outcome);
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
