//! One turn with a messenger and a record.
//!
//! A turn hears, answers and sends in a straight line. Where a step fails, [`next`] decides what
//! follows, and the loop in [`Turn::run`] does it.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use super::ahead::AheadOfTurn;
use super::answer::{Around, answer};
use super::deliver::Delivery;
use super::error::{Cause, TurnError};
use super::hear::Heard;
use super::kept::TurnSounds;
use super::next::{Facts, MAX_ATTEMPTS, Next, Step, next};
use super::opening::Opening;
use super::problem::Problem;
use super::reply::Reply;
use super::{AgentSetup, Pipeline, Route, Scene, takeover};
use crate::queue::{Cancel, Handled, back_off};
use crate::speech_text::long_links;
use crate::store::{Begun, Credit, Draft, HistoryLimits, Lease};
use crate::turn::{
    Body, Content, LanguageCode, Outcome, Part, PartState, Personal, Reason, Role, Stage,
    TurnReport,
};

/// Exchanges of the past that are looked up for an agent that counts no tokens.
const HISTORY: usize = 20;
/// Most exchanges for one that does.
const MOST_HISTORY: usize = 500;
/// Most bytes of a token, by the estimate of `agent::prompt`: what is beyond them is not read there.
const TOKEN_BYTES: usize = 3;

/// Runs the messages of one lease to their end.
pub(super) struct Turn<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) route: &'a Route,
    pub(super) lease: &'a Lease,
    pub(super) delivery: Delivery<'a>,
    pub(super) scene: Scene<'a>,
    pub(super) ahead: AheadOfTurn<'a>,
    pub(super) cancel: &'a Cancel,
    /// When the person was last told that a machine speaks.
    pub(super) told_ms: Option<i64>,
    /// When an earlier attempt planned the last part.
    pub(super) planned_ms: Option<i64>,
    /// Whether an answer may be paid.
    pub(super) credit: Credit,
    pub(super) sounds: &'a TurnSounds,
}

/// Holds a step that failed, and what is needed to go on.
pub(super) struct Failed {
    pub(super) error: TurnError,
    pub(super) step: Step,
    /// What was to be sent or was being resumed.
    pub(super) draft: Option<Draft>,
}

/// Makes an error the failure of `step`, after which nothing is left to send.
pub(super) fn during(step: Step) -> impl Fn(TurnError) -> Failed {
    move |error| Failed { error, step, draft: None }
}

impl Turn<'_> {
    /// Resumes or answers, and does what [`next`] says until the turn is over. The error says what
    /// becomes of the messages if it is not.
    pub(super) async fn run(&self, begun: Begun) -> Result<Draft, Handled> {
        let kept = begun.draft.clone();
        self.scene.trace.spend(|spent| spent.add(&begun.spent));
        let mut ended = match self.resume(begun).await {
            Ok(None) if self.is_for_a_person() => self.leave_to_a_person(kept).await,
            Ok(None) if self.lease.attempt > MAX_ATTEMPTS => {
                self.fall_back(Reason::GaveUp { attempts: MAX_ATTEMPTS }).await
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
            let (mut next, rule) = next(&error, &self.facts(step));
            if let Next::Again(wait) = &mut next {
                let failures = &self.pipeline.failures;
                *wait = back_off(*wait, failures.count(&self.lease.turn, self.lease.attempt));
            }
            next.log(&error, rule, self.lease);
            let next = if self.is_for_a_person() { takeover::only_theirs(next) } else { next };
            ended = match next {
                Next::Tell(problem) => self.tell(&problem).await,
                Next::CountAsSent => {
                    self.delivery.count_as_sent(&error).await;
                    self.go_on(step).await
                }
                Next::Text => {
                    self.delivery.give_up(&error).await;
                    self.send_text(draft, &error, step).await
                }
                Next::FallBack => self.fall_back(error.reason()).await,
                Next::Leave => return Err(Handled::Postpone(Duration::ZERO)),
                Next::Wait(wait) => return Err(Handled::Postpone(wait)),
                Next::Again(wait) => return Err(Handled::RetryIn(wait)),
                Next::GiveUp => Ok(self.ended("", Outcome::Failed, error.reason())),
            };
        }
    }

    /// Gathers what decides on an error.
    fn facts(&self, step: Step) -> Facts {
        let (attempt, age) = (self.lease.attempt, self.pipeline.age(self.lease));
        let sending = self.planned_ms.map(|planned_ms| self.pipeline.since(planned_ms));
        let (sending, cancelled) = (sending.unwrap_or_default(), self.cancel.reason().is_some());
        Facts { step, attempt, age, sending, cancelled }
    }

    /// Sends what is left of the turn after a part that counts as sent.
    async fn go_on(&self, step: Step) -> Result<Draft, Failed> {
        let (record, now_ms) = (&self.pipeline.record, self.pipeline.clock.now_ms());
        let begun = record.begin(self.lease, self.route.used(), 0.0, now_ms).await;
        let begun = begun.map_err(TurnError::from).map_err(during(step))?;
        let ended = self.resume(begun).await?;
        Ok(ended.unwrap_or_else(|| self.ended("", Outcome::Failed, Reason::Resumed)))
    }

    /// Sends what an earlier attempt planned; `None` if nothing of it counts.
    async fn resume(&self, begun: Begun) -> Result<Option<Draft>, Failed> {
        let Begun { parts, draft, .. } = begun;
        let is_note = |part: &Part| {
            matches!(part.state, PartState::Planned | PartState::InDoubt(_))
                && matches!(part.content, Content::Voice(_))
        };
        let note = parts.iter().any(is_note);
        let lost = parts.iter().any(Part::is_lost_note);
        let unclear = parts.iter().find_map(|part| match &part.state {
            PartState::Assumed(error) => Some(Reason::Unclear(error.clone())),
            _ => None,
        });
        match self.delivery.resume(parts).await {
            Ok(None) if lost && !self.is_for_a_person() => match draft {
                Some(draft) if says_something(&draft) => self.send_lost(draft).await.map(Some),
                _ => Ok(None),
            },
            Ok(None) => Ok(None),
            Ok(Some(outcome)) => {
                let refused = match &draft {
                    Some(draft) if outcome != Outcome::Fallback => self.follow(draft).await?,
                    _ => None,
                };
                Ok(Some(self.resumed(draft, outcome, unclear.or(refused))))
            }
            Err(error) => {
                let text = draft.as_ref().is_some_and(says_something);
                let step = Step::Resuming { text: note && text };
                Err(Failed { error, step, draft })
            }
        }
    }

    /// Hears the messages, asks the agent and speaks within the turn's time, then sends.
    async fn answer(&self) -> Result<Draft, Failed> {
        let make_reply = async {
            let heard = join_all(self.lease.messages.iter().map(|message| self.hear(message)));
            let now_ms = self.pipeline.clock.now_ms();
            let history = self.pipeline.record.history(&self.lease.lane, self.remembers(), now_ms);
            let about = try_join_all(self.lease.messages.iter().map(|message| self.about(message)));
            let writer =
                self.pipeline.customers.find(self.lease.lane.contact_id, &self.lease.contact);
            let (heard, history, about, customer) = tokio::join!(heard, history, about, writer);
            let (mut heard, mut history, mut about) = (Heard::join(heard)?, history?, about?);
            self.tell_deeds(&mut history, &mut heard, &mut about).await?;
            let pictures = self.see(&mut about).await;
            let around = Around {
                history,
                about,
                pictures,
                reply_mode: self.lease.reply_mode,
                contact_name: self.lease.contact.profile_name.clone(),
                customer,
                asked_ms: self.lease.first().received_ms,
                desk: self.scene.desk,
                attempt: self.lease.attempt,
                credit: self.credit,
            };
            // What they speak and what they want to hear may differ: the record keeps the former.
            let spoken = heard.language.clone();
            let heard =
                Heard { language: self.asked_language().unwrap_or(heard.language), ..heard };
            let opening = self.opening(&heard.language);
            let scene = Scene { opening: opening.as_ref(), ..self.scene };
            let reply = answer(scene, &heard, &around).await?;
            let heard = Heard { language: spoken, ..heard };
            match self.cancel.reason() {
                // What a cancelled engine left is not an answer.
                Some(reason) => Err(Cause::Cancelled(reason).at(Stage::Llm)),
                None => Ok((heard, reply, opening)),
            }
        };
        // Sending is not part of that time: a send that was cut off may have arrived.
        let mut make_reply = std::pin::pin!(make_reply);
        let made = tokio::time::timeout(self.route.turn_limit, &mut make_reply).await;
        let made = made.unwrap_or_else(|_late| {
            Err(Cause::Deadline.at(self.scene.trace.waits_for().unwrap_or(Stage::Llm)))
        });
        let (heard, reply, opening) = made.map_err(during(Step::Answering))?;
        if let Some(mode) = reply.wish {
            // Kept before the reply goes out: it promises to remember.
            let kept = self.pipeline.record.set_reply_mode(&self.lease.turn, mode).await;
            kept.map_err(TurnError::from).map_err(during(Step::Answering))?;
        }
        if let Some(language) = &reply.asked_language {
            let kept = self.pipeline.record.set_asked_language(&self.lease.turn, language).await;
            kept.map_err(TurnError::from).map_err(during(Step::Answering))?;
        }
        self.send(heard, reply, opening).await
    }

    /// Returns how much of the conversation the agent can be shown.
    fn remembers(&self) -> HistoryLimits {
        let AgentSetup { responder, memory, .. } = &*self.route.agent;
        let limits = match responder.history_tokens() {
            Some(tokens) => HistoryLimits {
                bytes: (tokens as usize).saturating_mul(TOKEN_BYTES),
                ..MOST_HISTORY.into()
            },
            None => HISTORY.into(),
        };
        HistoryLimits { session_ms: memory.session_ms(), ..limits }
    }

    /// Returns the language that the person asked for, if the agent has it.
    fn asked_language(&self) -> Option<LanguageCode> {
        self.route.agent.languages.offered(self.lease.asked_language.as_ref()?)
    }

    /// Returns what is said before the reply, if the person is to be told.
    fn opening(&self, language: &LanguageCode) -> Option<Opening> {
        Opening::due(self.route, language, self.told_ms, self.pipeline.clock.now_ms())
    }

    /// Sends the note with its links, or the text where there is no note.
    async fn send(
        &self,
        heard: Heard,
        reply: Reply,
        opening: Option<Opening>,
    ) -> Result<Draft, Failed> {
        let Heard { text, language, transcript } = heard;
        let shows = transcript.is_some() || self.route.agent.languages.are_told_by(text.reveal());
        let (mut report, note) = reply.report(self.scene.trace, transcript);
        report.disclosure = opening.map(|opening| opening.text);
        let draft = Draft { heard: Some(text), language: shows.then_some(language), report };
        let Some(note) = note else { return self.send_as_text(draft).await };
        // Nobody writes a long address down from hearing it.
        let links = long_links(draft.report.reply.text.reveal()).join("\n");
        let sent = self.delivery.voice(note.clone(), &links, &draft).await;
        if sent.as_ref().err().is_none_or(TurnError::may_have_arrived) {
            self.sounds.note_sent(note);
        }
        match sent {
            Ok(refused) => {
                let refused = refused.or(self.follow(&draft).await?);
                Ok(self.sent(draft, refused))
            }
            Err(error) => Err(Failed { error, step: Step::Note, draft: Some(draft) }),
        }
    }

    /// Sends the reply as text after its note failed.
    async fn send_text(
        &self,
        draft: Option<Draft>,
        error: &TurnError,
        step: Step,
    ) -> Result<Draft, Failed> {
        let Some(mut draft) = draft else { return self.fall_back(error.reason()).await };
        draft.report.audio = None;
        if draft.report.outcome != Outcome::Question {
            let said = Some(error.cause.to_string());
            draft.report.reason = Some(Reason::Without { stage: error.stage, error: said });
        }
        if step != Step::Note {
            self.delivery.draft(&draft).await.map_err(during(Step::Text))?;
            return self.send_lost(draft).await;
        }
        self.send_as_text(draft).await
    }

    /// Sends the words of a note that an earlier attempt made and that did not go through.
    async fn send_lost(&self, draft: Draft) -> Result<Draft, Failed> {
        let sent = self.delivery.text(Role::Answer, &draft.report.words()).await;
        sent.map_err(during(Step::Text))?;
        self.follow(&draft).await?;
        Ok(self.resumed(Some(draft), Outcome::Text, None))
    }

    /// Sends the reply as text.
    async fn send_as_text(&self, mut draft: Draft) -> Result<Draft, Failed> {
        if draft.report.outcome != Outcome::Question {
            draft.report.outcome = Outcome::Text;
        }
        self.delivery.draft(&draft).await.map_err(during(Step::Text))?;
        let sent = self.delivery.written(&draft).await;
        sent.map_err(during(Step::Text))?;
        let refused = self.follow(&draft).await?;
        Ok(self.sent(draft, refused))
    }

    /// Closes a report after its last part was sent; `refused` is why one beside it was not.
    fn sent(&self, draft: Draft, refused: Option<Reason>) -> Draft {
        let TurnReport { transcript, reply, disclosure, audio, ticket, outcome, reason, .. } =
            draft.report;
        let reason = if outcome == Outcome::Question { reason } else { refused.or(reason) };
        let report = self.scene.trace.report(reply, outcome, reason);
        Draft { report: TurnReport { transcript, disclosure, audio, ticket, ..report }, ..draft }
    }

    /// Tells the person what is wrong with the message.
    async fn tell(&self, problem: &Problem) -> Result<Draft, Failed> {
        let language = self.language();
        let text = problem.phrase(&self.route.agent.phrases).in_language(&language);
        let mut ended = self.ended(text, problem.outcome(), problem.reason());
        ended.report.disclosure = self.opening(&language).map(|opening| opening.text);
        self.delivery.draft(&ended).await.map_err(during(Step::Text))?;
        let sent = self.delivery.text(Role::Notice, &ended.report.words()).await;
        sent.map_err(during(Step::Text))?;
        Ok(self.sent(ended, None))
    }

    /// Sends the fallback text.
    async fn fall_back(&self, reason: Reason) -> Result<Draft, Failed> {
        let language = self.language();
        let (text, ticket) = self.fallback_words(&language, &reason);
        self.delivery.text(Role::Fallback, &text).await.map_err(during(Step::Fallback))?;
        let heard = match &self.lease.first().body {
            Body::Text { text } => Some(text.clone()),
            _ => None,
        };
        let mut ended = self.ended(&text, Outcome::Fallback, reason);
        ended.report.ticket = ticket;
        Ok(Draft { heard, ..ended })
    }

    /// Makes the record of a turn that ends with a sentence of ours.
    pub(super) fn ended(&self, text: &str, outcome: Outcome, reason: Reason) -> Draft {
        let report = self.scene.trace.report(Personal::from(text), outcome, Some(reason));
        Draft { heard: None, language: None, report }
    }

    /// Closes a turn whose parts an earlier attempt had made; `unclear` is why one of them is only
    /// taken for sent.
    fn resumed(&self, draft: Option<Draft>, outcome: Outcome, unclear: Option<Reason>) -> Draft {
        let mut ended = draft.unwrap_or_else(|| self.ended("", outcome, Reason::Resumed));
        ended.report.spent = self.scene.trace.spent();
        if outcome != Outcome::VoiceNote {
            ended.report.audio = None;
        }
        if outcome == Outcome::Fallback {
            ended.report.disclosure = None;
        }
        // A question back stays one, with what it is about: the next message may answer it.
        if ended.report.outcome != Outcome::Question || outcome == Outcome::Fallback {
            ended.report.outcome = outcome;
            let lost = |reason: &Reason| {
                let refused = matches!(reason, Reason::Without { stage: Stage::Send, .. });
                refused || reason.is_instead() || matches!(reason, Reason::Undelivered { .. })
            };
            let why = unclear.or(ended.report.reason.take().filter(lost));
            ended.report.reason = Some(why.unwrap_or(Reason::Resumed));
        }
        ended
    }

    /// Returns the language of a sentence to somebody whose words are not at hand.
    fn language(&self) -> LanguageCode {
        self.asked_language().unwrap_or_else(|| {
            self.route.agent.languages.without_words(self.lease.contact_language.as_ref())
        })
    }
}

/// Returns whether the words of the reply are at hand.
fn says_something(draft: &Draft) -> bool {
    !draft.report.reply.text.reveal().is_empty()
}
