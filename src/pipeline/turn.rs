//! One turn with a messenger and a record.
//!
//! A turn hears, answers and sends in a straight line. Where a step fails, [`next`] decides what
//! follows, and the loop in [`Turn::run`] does it.

use std::time::Duration;

use super::ahead::AheadOfTurn;
use super::deliver::Delivery;
use super::error::TurnError;
use super::hear::Heard;
use super::kept::TurnSounds;
use super::next::{Facts, MAX_ATTEMPTS, Next, Step, next};
use super::opening::Opening;
use super::problem::Problem;
use super::reply::Reply;
use super::template::is_unusable;
use super::typing::ReadMarks;
use super::{Pipeline, Route, Scene, takeover};
use crate::queue::{Cancel, Handled, News, back_off};
use crate::speech_text::long_links;
use crate::store::{Begun, Credit, Draft, Lease};
use crate::turn::{
    Body, Content, LanguageCode, Outcome, Part, PartState, Personal, Reason, Role, Stage,
    TurnReport,
};

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
    /// Tells that its person has sent more.
    pub(super) news: &'a News,
    pub(super) marks: ReadMarks,
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
                Next::Template => self.send_template(draft).await,
                Next::FallBack => self.fall_back(error.reason()).await,
                Next::Leave => return Err(Handled::Postpone(Duration::ZERO)),
                Next::Wait(wait) => return Err(Handled::Postpone(wait)),
                Next::Again(wait) => return Err(Handled::RetryIn(wait)),
                Next::GiveUp => Ok(self.given_up(&error)),
            };
        }
    }

    /// Gathers what decides on an error.
    fn facts(&self, step: Step) -> Facts {
        let (attempt, age) = (self.lease.attempt, self.pipeline.age(self.lease));
        let sending = self.planned_ms.map(|planned_ms| self.pipeline.since(planned_ms));
        let (sending, cancelled) = (sending.unwrap_or_default(), self.cancel.reason().is_some());
        let template = self.route.template.is_some() && step != Step::Fallback;
        Facts { step, attempt, age, sending, cancelled, template }
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
            matches!(part.state, PartState::Planned | PartState::InDoubt { .. })
                && matches!(part.content, Content::Voice(_))
        };
        let note = parts.iter().any(is_note);
        let lost = parts.iter().filter(|part| part.is_lost_note()).count();
        let unclear = parts.iter().find_map(|part| match &part.state {
            PartState::Assumed(error) => Some(Reason::Unclear(error.clone())),
            _ => None,
        });
        match self.delivery.resume(parts).await {
            Ok(None) if lost > 0 && !self.is_for_a_person() => match draft {
                Some(draft) if !says_something(&draft) => Ok(None),
                Some(draft) if lost == 1 && is_unusable(&draft) => {
                    self.say_again(draft).await.map(Some)
                }
                Some(draft) => self.send_lost(draft).await.map(Some),
                None => Ok(None),
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

    /// Returns the language that the person asked for, if the agent has it.
    pub(super) fn asked_language(&self) -> Option<LanguageCode> {
        self.route.agent.languages.offered(self.lease.asked_language.as_ref()?)
    }

    /// Returns what is said before the reply, if the person is to be told.
    pub(super) fn opening(&self, language: &LanguageCode) -> Option<Opening> {
        Opening::due(self.route, language, self.told_ms, self.pipeline.clock.now_ms())
    }

    /// Sends the note with its links, or the text where there is no note.
    pub(super) async fn send(
        &self,
        delivery: Delivery<'_>,
        heard: Heard,
        reply: Reply,
        opening: Option<Opening>,
    ) -> Result<Draft, Failed> {
        let Heard { text, language, transcript, .. } = heard;
        let shows = transcript.is_some() || self.route.agent.languages.are_told_by(text.reveal());
        let (mut report, note) = reply.report(self.scene.trace, transcript);
        report.disclosure = opening.map(|opening| opening.text);
        let draft = Draft { heard: Some(text), language: shows.then_some(language), report };
        let Some(note) = note else { return self.send_as_text(delivery, draft).await };
        // Nobody writes a long address down from hearing it.
        let links = long_links(draft.report.reply.text.reveal()).join("\n");
        let sent = delivery.voice(note.clone(), &links, &draft).await;
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
        self.send_as_text(self.delivery, draft).await
    }

    /// Sends the words of a note that an earlier attempt made and that did not go through.
    pub(super) async fn send_lost(&self, draft: Draft) -> Result<Draft, Failed> {
        let sent = self.delivery.text(Role::Answer, &draft.report.words()).await;
        sent.map_err(during(Step::Text))?;
        self.follow(&draft).await?;
        Ok(self.resumed(Some(draft), Outcome::Text, None))
    }

    /// Sends the reply as text.
    async fn send_as_text(
        &self,
        delivery: Delivery<'_>,
        mut draft: Draft,
    ) -> Result<Draft, Failed> {
        if draft.report.outcome != Outcome::Question {
            draft.report.outcome = Outcome::Text;
        }
        delivery.draft(&draft).await.map_err(during(Step::Text))?;
        if let Err(error) = delivery.written(&draft).await {
            return Err(Failed { error, step: Step::Text, draft: Some(draft) });
        }
        let refused = self.follow(&draft).await?;
        Ok(self.sent(draft, refused))
    }

    /// Closes a report after its last part was sent; `refused` is why one beside it was not.
    pub(super) fn sent(&self, draft: Draft, refused: Option<Reason>) -> Draft {
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
    pub(super) fn resumed(
        &self,
        draft: Option<Draft>,
        outcome: Outcome,
        unclear: Option<Reason>,
    ) -> Draft {
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
    pub(super) fn language(&self) -> LanguageCode {
        self.asked_language().unwrap_or_else(|| {
            self.route.agent.languages.without_words(self.lease.contact_language.as_ref())
        })
    }
}

/// Returns whether the words of the reply are at hand.
fn says_something(draft: &Draft) -> bool {
    !draft.report.reply.text.reveal().is_empty()
}
