//! The way in: bytes of a voice note become words.

use std::time::Duration;

use super::error::TurnError;
use super::listen::{Audio, Listened, listen};
use super::problem::Problem;
use super::stage::stage;
use super::{AgentSetup, Scene};
use crate::agent::Spoken;
use crate::registry::Languages;
use crate::stt::{LanguageHint, SttError, Utterance};
use crate::turn::{LanguageCode, Personal, Segment, Stage, Transcript, Uncertainty};
use crate::written::Redaction;

/// Wait for a place in the transcriber's queue, and how often it is waited: then the message waits
/// in the store for a quieter time.
const BUSY_RETRY: Duration = Duration::from_millis(100);
const BUSY_TRIES: u32 = 100;

/// Holds what the agent is to answer.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Heard {
    pub(super) text: Personal,
    /// What to answer in.
    pub(super) language: LanguageCode,
    pub(super) transcript: Option<Transcript>,
    /// Length of the sound, milliseconds; 0 of written words.
    pub(super) audio_ms: f64,
}

impl Heard {
    /// Takes written words; `last` is the language of the person's last message.
    pub(super) fn written(agent: &AgentSetup, text: Personal, last: Option<&LanguageCode>) -> Self {
        let language = agent.languages.of_text(text.reveal(), last);
        Self { text, language, transcript: None, audio_ms: 0.0 }
    }

    /// Joins the messages of one turn, oldest first, as if their sound were one. Those without words
    /// count only if none has any: then the first says what is wrong. What failed for another reason
    /// fails all, so that no message is left unheard.
    pub(super) fn join(mut all: Vec<Result<Self, TurnError>>) -> Result<Self, TurnError> {
        let failed = |error: &TurnError| Problem::from_cause(&error.cause).is_none();
        if let Some(at) = all.iter().position(|one| one.as_ref().is_err_and(failed)) {
            return all.swap_remove(at);
        }
        let joined = all.into_iter().reduce(|before, next| match (before, next) {
            (Ok(Self { mut text, transcript, audio_ms, .. }), Ok(next)) => {
                text.0.push('\n');
                text.0.push_str(next.text.reveal());
                let next_spoken = next.transcript.map(|spoken| later(spoken, audio_ms));
                let spoken: Vec<_> = transcript.into_iter().chain(next_spoken).collect();
                let transcript = (!spoken.is_empty()).then(|| join(spoken));
                let audio_ms = audio_ms + next.audio_ms;
                Ok(Self { text, language: next.language, transcript, audio_ms })
            }
            (Ok(words), Err(_)) | (Err(_), Ok(words)) => Ok(words),
            (Err(first), Err(_)) => Err(first),
        });
        joined.expect("a lease holds a message")
    }

    /// Describes how well it was heard; `None` if it was written.
    pub(super) fn spoken(&self) -> Option<Spoken> {
        self.transcript.as_ref().map(|transcript| Spoken {
            language: transcript.language.clone(),
            confidence: transcript.confidence,
            uncertain: transcript.uncertain,
        })
    }
}

/// Tells what the transcriber may expect; `last` is the language of the person's last message.
pub(super) fn hint(languages: &Languages, last: Option<&LanguageCode>) -> LanguageHint {
    match languages {
        Languages::Fixed(language) => LanguageHint::Known(language.clone()),
        Languages::Among(among) => LanguageHint::Guess {
            likely: Some(languages.without_words(last)),
            among: among.clone(),
        },
        Languages::Any => LanguageHint::Guess { likely: last.cloned(), among: Vec::new() },
    }
}

/// Decodes and transcribes while the audio arrives. `last` is the language of the person's last
/// message.
pub(super) async fn hear(
    scene: Scene<'_>,
    audio: Audio<'_>,
    last: Option<&LanguageCode>,
) -> Result<Heard, TurnError> {
    let (languages, started_ms) = (&scene.agent.languages, scene.trace.elapsed_ms());
    let Listened { audio_ms, heard } = listen(scene, audio, &hint(languages, last)).await;
    let transcript = without(scene.path.redaction, heard?);
    tracing::info!(
        audio_ms,
        language = %transcript.language,
        words = transcript.text.reveal().split_whitespace().count(),
        confidence = transcript.confidence.map(f64::from),
        uncertain = transcript.uncertain.map(Uncertainty::name),
        took_ms = scene.trace.elapsed_ms() - started_ms,
        "heard"
    );
    Ok(Heard {
        text: transcript.text.clone(),
        language: languages.of_speech(&transcript.language, last),
        transcript: Some(transcript),
        audio_ms: audio_ms.unwrap_or_default(),
    })
}

/// Moves what was said to where its sound begins.
fn later(mut transcript: Transcript, by_ms: f64) -> Transcript {
    for segment in &mut transcript.segments {
        segment.start_ms += by_ms;
        segment.end_ms += by_ms;
    }
    transcript
}

/// Takes out what is not to be kept or sent on. A number may go through several pieces: then they
/// become one.
fn without(redaction: Redaction, transcript: Transcript) -> Transcript {
    let Some(text) = redaction.of(transcript.text.reveal()).map(Personal) else {
        return transcript;
    };
    let whole = |segments: &[Segment]| {
        let (first, last) = (segments.first()?, segments.last()?);
        Some(Segment { start_ms: first.start_ms, end_ms: last.end_ms, text: text.clone() })
    };
    let segments = whole(&transcript.segments).into_iter().collect();
    Transcript { text, segments, ..transcript }
}

/// Transcribes one utterance. While the transcriber is busy it waits some seconds for a place:
/// what was downloaded and decoded is not thrown away at once.
pub(super) async fn transcribe(
    scene: Scene<'_>,
    utterance: Utterance,
) -> Result<Transcript, TurnError> {
    let Scene { agent, trace, cancel, recorded, .. } = scene;
    if let Some(recorded) = recorded {
        // What is heard may cost: not before the turn is on disk.
        recorded.wait().await;
    }
    trace.spend(|spent| spent.heard_s += utterance.speech.duration_ms() / 1000.0);
    let work = async {
        for _ in 0..BUSY_TRIES {
            match agent.transcriber.transcribe(utterance.clone(), cancel).await {
                Err(SttError::Busy) => tokio::time::sleep(BUSY_RETRY).await,
                result => return result,
            }
        }
        Err(SttError::Busy)
    };
    let heard = stage(trace, Stage::Stt, work).await?;
    let by = heard.by.as_deref().unwrap_or(agent.transcriber.name());
    trace.worked(|engines| engines.heard_by(by));
    Ok(heard)
}

/// Joins the transcripts of one message's utterances. Where one has words, those without any say
/// nothing about the message: they were a noise.
pub(super) fn join(mut transcripts: Vec<Transcript>) -> Transcript {
    if transcripts.iter().any(|transcript| !transcript.text.reveal().trim().is_empty()) {
        transcripts.retain(|transcript| !transcript.text.reveal().trim().is_empty());
    }
    let mut joined = Transcript::default();
    for transcript in transcripts {
        if joined.language.is_unknown() {
            joined.language = transcript.language;
        }
        let text = transcript.text.reveal().trim();
        if !joined.text.0.is_empty() && !text.is_empty() {
            joined.text.0.push(' ');
        }
        joined.text.0.push_str(text);
        joined.no_speech_prob = joined.no_speech_prob.max(transcript.no_speech_prob);
        joined.segments.extend(transcript.segments);
        joined.unheard_bytes += transcript.unheard_bytes;
        joined.uncertain = joined.uncertain.or(transcript.uncertain);
        // The least sure utterance says how sure the message is.
        joined.confidence = match (joined.confidence, transcript.confidence) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::error::Cause;

    fn heard(text: &str, language: &str, uncertain: Option<Uncertainty>) -> Transcript {
        let no_speech_prob = if text.is_empty() { 1.0 } else { 0.1 };
        let (text, language) = (text.into(), language.into());
        let confidence = Some(1.0);
        Transcript {
            text,
            language,
            no_speech_prob,
            uncertain,
            confidence,
            ..Transcript::default()
        }
    }

    #[test]
    fn the_transcriber_is_told_what_is_likely() {
        let codes = |codes: &[&str]| codes.iter().map(|&code| code.into()).collect();
        let guess = |likely: &str, among: &[&str]| LanguageHint::Guess {
            likely: Some(likely.into()),
            among: codes(among),
        };
        let two = Languages::Among(codes(&["en", "es"]));
        assert_eq!(hint(&two, Some(&"es".into())), guess("es", &["en", "es"]));
        assert_eq!(hint(&two, Some(&"de".into())), guess("en", &["en", "es"]));
        assert_eq!(hint(&Languages::Any, Some(&"de".into())), guess("de", &[]));
        let fixed = Languages::Fixed("fr".into());
        assert_eq!(hint(&fixed, Some(&"de".into())), LanguageHint::Known("fr".into()));
    }

    #[track_caller]
    fn joined(all: Vec<Result<Heard, Problem>>) -> Result<Heard, Problem> {
        let unheard = |problem| Cause::Unheard(problem).at(Stage::Stt);
        let joined = Heard::join(all.into_iter().map(|one| one.map_err(unheard)).collect());
        joined.map_err(|error| Problem::from_cause(&error.cause).expect("it is a problem"))
    }

    fn written(text: &str, language: &str) -> Heard {
        Heard { text: text.into(), language: language.into(), transcript: None, audio_ms: 0.0 }
    }

    fn spoken(text: &str, language: &str) -> Heard {
        let transcript = Some(heard(text, language, None));
        Heard { transcript, ..written(text, language) }
    }

    #[test]
    fn messages_of_one_turn_are_joined_and_stay_written_or_spoken() {
        let texts = joined(vec![Ok(written("one", "en")), Ok(written("dos", "es"))]);
        assert_eq!(texts, Ok(written("one\ndos", "es")));
        let two = || spoken("two", "en");
        let both = joined(vec![Ok(written("one", "en")), Ok(two()), Ok(written("drei", "de"))]);
        let transcript = two().transcript;
        assert_eq!(both, Ok(Heard { transcript, ..written("one\ntwo\ndrei", "de") }));
        let voices = joined(vec![Ok(spoken("one", "en")), Ok(two())]);
        let transcript = spoken("one two", "en").transcript;
        assert_eq!(voices, Ok(Heard { transcript, ..written("one\ntwo", "en") }));
    }

    #[test]
    fn words_of_a_later_note_are_where_its_sound_is() {
        let note = |text: &str| {
            let mut note = Heard { audio_ms: 1_500.0, ..spoken(text, "en") };
            let segment = Segment { start_ms: 100.0, end_ms: 900.0, text: text.into() };
            note.transcript.as_mut().unwrap().segments.push(segment);
            Ok(note)
        };
        let joined = joined(vec![note("one"), Ok(written("two", "en")), note("three")]).unwrap();
        let segments = joined.transcript.unwrap().segments;
        let times: Vec<_> = segments.iter().map(|at| (at.start_ms, at.end_ms)).collect();
        assert_eq!((times, joined.audio_ms), (vec![(100.0, 900.0), (1_600.0, 2_400.0)], 3_000.0));
    }

    #[test]
    fn a_message_that_could_not_be_heard_yet_is_not_answered_away() {
        let busy = || Err(Cause::Busy.at(Stage::Stt));
        let empty = || Err(Cause::Unheard(Problem::EmptyAudio).at(Stage::Stt));
        for all in [vec![Ok(written("one", "en")), busy()], vec![empty(), busy()]] {
            assert!(matches!(Heard::join(all), Err(TurnError { cause: Cause::Busy, .. })));
        }
    }

    #[test]
    fn a_problem_counts_only_where_no_message_has_words() {
        let (empty, long) = (|| Err(Problem::EmptyAudio), || Err(Problem::TooLong));
        let words = || Ok(written("one", "en"));
        assert_eq!(joined(vec![empty(), words()]), words());
        assert_eq!(joined(vec![words(), empty()]), words());
        assert_eq!(joined(vec![long(), empty()]), Err(Problem::TooLong));
        assert_eq!(joined(vec![empty(), long()]), Err(Problem::EmptyAudio));
    }

    #[test]
    fn a_noise_beside_words_casts_no_doubt_on_them() {
        let noise = || heard("", "la", Some(Uncertainty::NoSpeech));
        let words = || heard(" hello ", "en", None);
        let joined = join(vec![noise(), words(), words()]);
        assert_eq!(joined, heard("hello hello", "en", None));
        assert_eq!(join(vec![noise(), noise()]), noise());
        let doubtful = heard("mumble", "en", Some(Uncertainty::LowProbability));
        assert_eq!(join(vec![words(), doubtful]).uncertain, Some(Uncertainty::LowProbability));
    }
}
