//! What a turn does when a person has the conversation: it hears, and leaves the answer to them; or
//! it brings what they said.
//!
//! The store decides who has a conversation, when a turn begins and again when its parts are planned:
//! whatever happens in between, the agent and the operator never both answer.

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};

use super::Scene;
use super::error::{Cause, TurnError};
use super::hear::{Heard, hear};
use super::next::{MAX_ATTEMPTS, Next, Step};
use super::problem::Problem;
use super::turn::{Failed, Turn, during};
use crate::audio::{OggOpus, inspect_note};
use crate::registry::Phrases;
use crate::store::{DeskState, Draft, Lease};
use crate::turn::{
    Body, LanguageCode, NoteInfo, Outcome, Personal, Reason, Retry, Role, Stage, TicketReason,
    TurnReport,
};

/// Returns what the person is told when a ticket is opened; `None` where nobody could take it.
pub(super) fn promise<'a>(
    desk: DeskState,
    phrases: &'a Phrases,
    language: &LanguageCode,
) -> Option<&'a str> {
    let phrase = if desk.attended { &phrases.person_coming } else { &phrases.nobody_there };
    desk.staffed.then(|| phrase.in_language(language)).filter(|text| !text.is_empty())
}

/// Leaves out what would be said beside a person: the turn then ends without it.
pub(super) fn only_theirs(next: Next) -> Next {
    match next {
        Next::Tell(_) | Next::Text | Next::FallBack => Next::GiveUp,
        next => next,
    }
}

/// What a turn brings that was made before.
enum Brought<'a> {
    /// A note, which the record has.
    Note,
    /// Words.
    Words(&'a Personal),
}

impl Scene<'_> {
    /// Returns what is said with a ticket that the agent opens; nothing more if it `said` something
    /// and somebody is there.
    pub(super) fn promise(&self, language: &LanguageCode, said: bool) -> Option<String> {
        let told = said && self.desk.attended || self.desk.ticket;
        let promise = promise(self.desk, &self.agent.phrases, language)?;
        (!told).then(|| promise.to_owned())
    }
}

impl Turn<'_> {
    /// Returns whether the agent is silent in this turn.
    pub(super) fn is_for_a_person(&self) -> bool {
        is_for_a_person(self.scene.desk, self.lease)
    }

    /// Returns the fallback sentence, and why a ticket is opened with it: where the agent has failed a
    /// person answers, if there are people.
    pub(super) fn fallback_words(
        &self,
        language: &LanguageCode,
        reason: &Reason,
    ) -> (String, Option<TicketReason>) {
        let text = self.route.agent.phrases.fallback.in_language(language);
        let failing =
            matches!(reason, Reason::Failed { stage: Stage::Llm, .. } | Reason::GaveUp { .. });
        let promise = self.scene.promise(language, false).filter(|_| failing);
        let Some(promise) = promise else { return (text.to_owned(), None) };
        let ended = text.ends_with(['.', '!', '?']);
        let stop = if ended { "" } else { "." };
        (format!("{text}{stop} {promise}"), Some(TicketReason::AgentFailed))
    }

    /// Sends what the operator said, or hears the person and leaves the answer to an operator; `kept`
    /// is what an earlier attempt heard.
    pub(super) async fn leave_to_a_person(&self, kept: Option<Draft>) -> Result<Draft, Failed> {
        let follows = matches!(self.lease.first().body, Body::FollowUp { .. });
        if let Some(given) = given(self.lease).filter(|_| !(follows && self.scene.desk.with_person))
        {
            if self.lease.attempt > MAX_ATTEMPTS {
                let gave_up = Reason::GaveUp { attempts: MAX_ATTEMPTS };
                return Ok(self.ended("", Outcome::Failed, gave_up));
            }
            return self.bring(given).await;
        }
        let mut ended = self.scene.trace.report(Personal::default(), Outcome::Ticket, None);
        if follows {
            return Ok(Draft { heard: None, language: None, report: ended });
        }
        if let Some(Draft { heard: Some(heard), language, report }) = kept {
            ended.transcript = report.transcript;
            return Ok(Draft { heard: Some(heard), language, report: ended });
        }
        let heard = join_all(self.lease.messages.iter().map(|message| self.hear(message))).await;
        match Heard::join(heard) {
            Ok(Heard { text, language, transcript, .. }) => {
                let report = self.scene.trace.report(Personal::default(), Outcome::Ticket, None);
                let report = TurnReport { transcript, ..report };
                Ok(Draft { heard: Some(text), language: Some(language), report })
            }
            Err(error) => {
                let lasting =
                    Problem::from_cause(&error.cause).is_some() || error.retry() == Retry::Never;
                if !lasting && self.lease.attempt < MAX_ATTEMPTS {
                    return Err(during(Step::Answering)(error));
                }
                // Whoever has the ticket listens to the sound itself.
                ended.reason = Some(error.reason());
                Ok(Draft { heard: None, language: None, report: ended })
            }
        }
    }

    /// Sends what an operator said, or the words of a note.
    async fn bring(&self, given: Brought<'_>) -> Result<Draft, Failed> {
        let (record, lane) = (&self.pipeline.record, &self.lease.lane);
        let (note, words) = match given {
            Brought::Note => {
                let note = record.recording(lane, &self.lease.first().id).await;
                (note.map_err(TurnError::from).map_err(during(Step::Text))?, Personal::default())
            }
            Brought::Words(words) => (None, words.clone()),
        };
        if note.is_none() && words.reveal().is_empty() {
            // It was sent, and its delivery failed: it is not kept beyond that.
            return Ok(self.ended("", Outcome::Failed, Reason::MediaGone));
        }
        let outcome = if note.is_some() { Outcome::VoiceNote } else { Outcome::Text };
        let report = self.scene.trace.report(words, outcome, None);
        let mut draft = Draft { heard: None, language: None, report };
        let Some(note) = note.map(Bytes::from) else {
            let words = draft.report.words();
            self.delivery.draft(&draft).await.map_err(during(Step::Text))?;
            return match self.delivery.text(Role::Answer, &words).await {
                Ok(()) => Ok(self.brought(draft)),
                Err(error) => Err(Failed { error, step: Step::Text, draft: Some(draft) }),
            };
        };
        draft.report.audio = Some(described(&note).map_err(during(Step::Note))?);
        let sent = self.delivery.voice(OggOpus(note.clone()), "", &draft);
        // What was said is what the agent knows of it, and how it is found.
        let (sent, words) = tokio::join!(sent, self.words_of(note.clone()));
        if let Err(error) = sent {
            return Err(Failed { error, step: Step::Note, draft: Some(draft) });
        }
        self.sounds.note_sent(OggOpus(note));
        draft.report.reply.text = words.unwrap_or(draft.report.reply.text);
        Ok(self.brought(draft))
    }

    /// Transcribes what an operator said; `None` if that cannot be done.
    async fn words_of(&self, note: Bytes) -> Option<Personal> {
        let language = self.lease.contact_language.as_ref();
        let audio = stream::iter([Ok(note)]).boxed();
        match hear(self.scene, audio, language).await {
            Ok(heard) => Some(heard.text),
            Err(error) => {
                tracing::warn!(error = %error, "what an operator said is not written down");
                None
            }
        }
    }

    /// Closes the report of what an operator said.
    fn brought(&self, draft: Draft) -> Draft {
        let TurnReport { reply, audio, outcome, .. } = draft.report;
        let report = self.scene.trace.report(reply, outcome, None);
        Draft { report: TurnReport { audio, ..report }, ..draft }
    }
}

/// Returns whether the agent is silent in a turn.
pub(super) fn is_for_a_person(desk: DeskState, lease: &Lease) -> bool {
    desk.with_person || given(lease).is_some()
}

/// Returns what a turn brings instead of an answer, if it does: what an operator said, which may be
/// spoken, or the words of a note that was not played.
fn given(lease: &Lease) -> Option<Brought<'_>> {
    match &lease.first().body {
        Body::Reply { text, .. } => Some(text.as_ref().map_or(Brought::Note, Brought::Words)),
        Body::FollowUp { text } => Some(Brought::Words(text)),
        _ => None,
    }
}

/// Describes a note that was made before.
fn described(note: &Bytes) -> Result<NoteInfo, TurnError> {
    let head = inspect_note(note).map_err(|error| Cause::from(error).at(Stage::Upload))?;
    Ok(NoteInfo::of_file(note.len(), head.duration_ms))
}
