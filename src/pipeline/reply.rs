//! The way out: the agent's words become a voice note while it still writes them.

use futures_util::future::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::sync::mpsc;

use super::error::{Cause, TurnError};
use super::speak::speak;
use super::stage::{Trace, stage_stream};
use super::{Scene, note};
use crate::agent::{Delta, Question, Usage};
use crate::audio::OggOpus;
use crate::speech_text::sentences_of;
use crate::speech_text::{SentenceSplitter, complete_sentences};
use crate::telemetry;
use crate::turn::{
    LanguageCode, NoteInfo, Outcome, Personal, Reason, ReplyMode, ReplyText, Stage, TicketReason,
    TokenCount, Transcript, TurnReport,
};

/// Sentences written ahead of the voice: all of a long answer. Whoever reads the server does not
/// wait for the voice, since what is spoken may yet be taken back.
const SENTENCES_AHEAD: usize = 1_000;

/// Pieces of sound ahead of the encoder, about 100 ms each. Enough that an engine which is done
/// at once is not held up by the hand-over, and only half a megabyte.
const PCM_AHEAD: usize = 64;

/// Holds what goes back to the person.
#[derive(Default)]
pub(super) struct Reply {
    pub(super) said: ReplyText,
    /// The note, if one was wanted and made.
    pub(super) note: Option<(OggOpus, NoteInfo)>,
    /// Why there is no note although one was wanted, or why the text is not complete.
    pub(super) reason: Option<Reason>,
    /// Why it is a question back instead of an answer, if it is.
    pub(super) asks_back: Option<Reason>,
    /// Why a ticket is opened with it by a rule, if one is.
    pub(super) ticket: Option<TicketReason>,
    /// How the person wants to be answered from now on, if they said so.
    pub(super) wish: Option<ReplyMode>,
    /// The language that the person wants to be answered in from now on, if they said so.
    pub(super) asked_language: Option<LanguageCode>,
}

impl Reply {
    /// Reports the turn as it ends here with what was heard, and returns the note that goes out.
    pub(super) fn report(
        self,
        trace: &Trace,
        transcript: Option<Transcript>,
    ) -> (TurnReport, Option<OggOpus>) {
        let outcome = match &self.note {
            _ if self.asks_back.is_some() => Outcome::Question,
            Some(_) => Outcome::VoiceNote,
            None => Outcome::Text,
        };
        let uncertain = transcript.as_ref().and_then(|transcript| transcript.uncertain);
        let reason = self.asks_back.or(self.reason).or(uncertain.map(Reason::Uncertain));
        let (note, audio) = self.note.unzip();
        let report = trace.report(self.said, outcome, reason);
        (TurnReport { transcript, audio, ticket: self.ticket, ..report }, note)
    }
}

/// Asks the agent and, if it is to be heard, speaks and encodes each sentence as soon as it is
/// written. When the agent takes its words back, the note begins anew.
pub(super) async fn ask_agent(scene: Scene<'_>, question: Question) -> Result<Reply, TurnError> {
    let Scene { agent, trace, cancel, .. } = scene;
    let (language, aloud) = (question.language.clone(), question.aloud);
    let mut counting = TokenWatch { trace, watched: agent.responder.history_tokens().is_some() };
    let answer = agent.responder.respond(question, cancel).flatten_stream();
    let mut deltas = stage_stream(trace, Stage::Llm, answer);
    let ((said, broke_off), note) = loop {
        let (sentences, to_speak) = mpsc::channel(SENTENCES_AHEAD);
        let writing = write(scene, &language, &mut deltas, aloud.then_some(sentences));
        let making = async { Ok(make_note(scene, &language, to_speak).await) };
        match tokio::try_join!(writing, making) {
            Ok(both) => break both,
            Err(Unwritten::Failed(error)) => {
                counting.watched &= cut_off(&error) || cancel.is_cancelled();
                return Err(error);
            }
            Err(Unwritten::TakenBack) => {
                tracing::debug!("what was spoken so far was a thought: the note begins anew");
            }
        }
    };
    counting.watched &= broke_off.as_ref().is_some_and(cut_off);
    trace.spend(|spent| spent.answers += 1);
    let reason = broke_off.map(|error| log_failure("the answer broke off", &error));
    let (note, reason) = match note {
        Ok(note) => (note, reason),
        Err(error) => (None, Some(log_failure("the reply goes out as text", &error))),
    };
    Ok(Reply { said, note, reason, ..Reply::default() })
}

/// Returns whether a failure left an answer behind that went on.
fn cut_off(error: &TurnError) -> bool {
    matches!(error.cause, Cause::Deadline | Cause::Cancelled(_))
}

/// Notes that tokens are missing from the count, if an answer of a language model is dropped before it has
/// ended: the turn's time was over, or it was cancelled.
struct TokenWatch<'a> {
    trace: &'a Trace,
    watched: bool,
}

impl Drop for TokenWatch<'_> {
    fn drop(&mut self) {
        if self.watched {
            self.trace.spend(|spent| spent.count_as(TokenCount::Lost));
        }
    }
}

/// Speaks a finished text; `None` if it has no words.
pub(super) async fn say(
    scene: Scene<'_>,
    text: &str,
    language: &LanguageCode,
) -> Result<Option<(OggOpus, NoteInfo)>, TurnError> {
    let all = sentences_of(text);
    let (sentences, to_speak) = mpsc::channel(all.len().max(1));
    for sentence in all {
        sentences.try_send(sentence).expect("it has room for all of them");
    }
    drop(sentences);
    make_note(scene, language, to_speak).await
}

/// Speaks sentences as they come, and encodes them into one note.
async fn make_note(
    scene: Scene<'_>,
    language: &LanguageCode,
    sentences: mpsc::Receiver<String>,
) -> Result<Option<(OggOpus, NoteInfo)>, TurnError> {
    let (pcm, to_encode) = mpsc::channel(PCM_AHEAD);
    let (spoken, note) = tokio::join!(
        speak(scene, language, sentences, pcm),
        note::encode(&scene.path.encoders, scene.trace, to_encode),
    );
    let note = note.map_err(|cause| {
        let stage = if matches!(cause, Cause::TooMuch) { Stage::Tts } else { Stage::Encode };
        cause.at(stage)
    });
    let note = spoken.and(note)?;
    if let Some((_, info)) = &note {
        scene.trace.spend(|spent| spent.spoken_s += info.duration_ms / 1000.0);
    }
    Ok(note)
}

/// Says why there is no answer from [`write()`].
enum Unwritten {
    Failed(TurnError),
    /// The agent took its words back; the answer follows.
    TakenBack,
}

/// Collects the answer and passes each sentence on. A voice that has failed does not stop it.
/// Of an answer that breaks off the complete sentences count, and a sentence of ours follows; then
/// the error comes with the text.
async fn write(
    scene: Scene<'_>,
    language: &LanguageCode,
    deltas: &mut BoxStream<'_, Result<Delta, TurnError>>,
    sentences: Option<mpsc::Sender<String>>,
) -> Result<(ReplyText, Option<TurnError>), Unwritten> {
    let Scene { agent, trace, cancel, .. } = scene;
    let ending = agent.phrases.broke_off.in_language(language);
    let (mut text, mut splitter) = (String::new(), SentenceSplitter::new());
    let mut beside = ReplyText::default();
    let mut broke_off = None;
    let pass_on = async |sentence: String| {
        if let Some(sentences) = &sentences {
            // Closed: the voice failed and said so; the text still goes out.
            let _voice_failed = sentences.send(sentence).await;
        }
    };
    while let Some(delta) = deltas.next().await {
        match delta {
            Ok(Delta::Text(piece)) => {
                text.push_str(&piece);
                for sentence in splitter.push(&piece) {
                    pass_on(sentence).await;
                }
            }
            Ok(Delta::Extra(extra)) => beside.extras.push(extra),
            Ok(Delta::Ticket(reason)) => beside.open_ticket = Some(reason),
            Ok(Delta::Usage(usage)) => count(scene, usage),
            Ok(Delta::Tool(done)) => trace.tool_called(*done),
            Ok(Delta::Retract) => return Err(Unwritten::TakenBack),
            Err(error) => broke_off = Some(error),
        }
    }
    if let Some(error) = broke_off {
        // What follows the last complete sentence is not spoken.
        let rest = splitter.finish().unwrap_or_default();
        let last = complete_sentences(&rest);
        let text = text.trim_end();
        let whole = text[..text.len() - (rest.len() - last.len())].trim();
        if whole.is_empty() || cancel.is_cancelled() {
            return Err(Unwritten::Failed(error));
        }
        for sentence in [sentences_of(last), sentences_of(ending)].concat() {
            pass_on(sentence).await;
        }
        let text = Personal(format!("{whole} {ending}"));
        return Ok((ReplyText { text, ..beside }, Some(error)));
    }
    if let Some(rest) = splitter.finish() {
        pass_on(rest).await;
    }
    let mut text = text.trim().to_owned();
    if beside.open_ticket.is_some()
        && let Some(promise) = scene.promise(language, !text.is_empty())
    {
        let space = if text.is_empty() { "" } else { " " };
        text = format!("{text}{space}{promise}");
        pass_on(promise).await;
    }
    if text.is_empty() && beside.extras.is_empty() {
        return Err(Unwritten::Failed(Cause::EmptyAnswer.at(Stage::Llm)));
    }
    Ok((ReplyText { text: Personal(text), ..beside }, None))
}

/// Counts the tokens of one answer.
fn count(Scene { agent, trace, .. }: Scene<'_>, usage: Usage) {
    let engine = agent.responder.name();
    telemetry::usage(engine, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens);
    trace.worked(|engines| engines.answered_by(engine));
    trace.spend(|spent| usage.add_to(spent));
}

/// Logs a failure that the turn survives and returns the record's word for it.
pub(super) fn log_failure(message: &str, error: &TurnError) -> Reason {
    tracing::warn!(stage.name = error.stage.name(), error = %error, "{message}");
    let limit = matches!(error.cause, Cause::TooMuch);
    Reason::Without { stage: error.stage, error: limit.then(|| error.cause.to_string()) }
}
