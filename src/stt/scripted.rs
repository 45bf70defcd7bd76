//! Answers with given texts instead of transcribing.
//!
//! Replaces whisper in demos and tests. A message has one text, so only its first utterance returns
//! it; the later ones are empty, and joining them gives the text once.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{LanguageHint, NoteKey, SttDeps, SttError, SttSettings, Transcriber, Utterance};
use crate::engine::{Check, Connect, EngineSettings, EngineUser, Wrong};
use crate::turn::{LanguageCode, Segment, Transcript, Uncertainty};

/// Describes what is heard, whatever is said.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Settings {
    pub text: String,
    pub uncertain: Option<Uncertainty>,
}

impl EngineSettings for Settings {}

#[async_trait]
impl SttSettings for Settings {
    fn build(&self, deps: &SttDeps, _: Connect<'_>) -> Result<Arc<dyn Transcriber>, Wrong> {
        let mut known = deps.known.clone();
        known.extend(deps.fixtures.map(|fixtures| fixtures()).unwrap_or_default());
        let scripted = ScriptedTranscriber::new(&self.text, known);
        Ok(Arc::new(scripted.doubting(self.uncertain)))
    }

    async fn examine(&self, _: &[EngineUser], _: &Arc<SttDeps>, _: Connect<'_>, _: &mut Check) {}
}

/// Answers with the text known for a note, else with one fixed text.
pub struct ScriptedTranscriber {
    text: String,
    known: HashMap<NoteKey, String>,
    uncertain: Option<Uncertainty>,
}

impl ScriptedTranscriber {
    /// Makes a transcriber that answers `known` notes with their own text and every other note with
    /// `text`; says so in the log.
    pub fn new(text: impl Into<String>, known: HashMap<NoteKey, String>) -> Self {
        tracing::warn!(
            stt.known_notes = known.len(),
            "the transcriber is scripted: it does not recognise speech and answers with given texts"
        );
        Self { text: text.into(), known, uncertain: None }
    }

    /// Marks everything it returns as uncertain.
    #[must_use]
    pub fn doubting(mut self, uncertain: Option<Uncertainty>) -> Self {
        self.uncertain = uncertain;
        self
    }
}

#[async_trait]
impl Transcriber for ScriptedTranscriber {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn transcribe(
        &self,
        utterance: Utterance,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        let key = async {
            match &utterance.note {
                Some(note) if utterance.first => note.key().await,
                _ => None,
            }
        };
        let key = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(SttError::Cancelled),
            key = key => key,
        };
        let known = key.and_then(|key| self.known.get(&key));
        let text = if utterance.first { known.unwrap_or(&self.text).trim() } else { "" };
        let segment = Segment {
            start_ms: utterance.offset_ms,
            end_ms: utterance.offset_ms + utterance.speech.duration_ms(),
            text: text.into(),
        };
        Ok(Transcript {
            text: text.into(),
            language: match utterance.language {
                LanguageHint::Known(language)
                | LanguageHint::Guess { likely: Some(language), .. } => language,
                LanguageHint::Guess { likely: None, .. } => LanguageCode::english(),
            },
            no_speech_prob: 0.0,
            segments: if text.is_empty() { Vec::new() } else { vec![segment] },
            uncertain: self.uncertain,
            confidence: Some(if self.uncertain.is_some() { 0.3 } else { 1.0 }),
            ..Transcript::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;
    use crate::audio::Speech;
    use crate::stt::{NoteTag, Vocabulary};

    fn utterance(note: &[u8], first: bool) -> Utterance {
        Utterance {
            vocabulary: Vocabulary::default(),
            speech: Speech::silence(16_000),
            offset_ms: 500.0,
            language: LanguageHint::Known("es".into()),
            note: Some(NoteTag(watch::channel(Some(NoteKey::from_note(note))).1)),
            first,
            talker: None,
        }
    }

    #[tokio::test]
    async fn known_notes_get_their_own_text_and_others_the_fixed_one() {
        let known = HashMap::from([(NoteKey::from_note(b"fixture"), " hola \n".to_owned())]);
        let stt = ScriptedTranscriber::new("hello", known);
        let cancel = CancellationToken::new();
        let heard = stt.transcribe(utterance(b"fixture", true), &cancel).await.unwrap();
        assert_eq!((heard.text.reveal(), heard.language.as_str()), ("hola", "es"));
        assert_eq!((heard.segments[0].start_ms, heard.segments[0].end_ms), (500.0, 1500.0));
        let heard = stt.transcribe(utterance(b"other", true), &cancel).await.unwrap();
        assert_eq!(heard.text, "hello");
    }

    #[tokio::test]
    async fn only_the_first_utterance_of_a_note_has_words() {
        let stt = ScriptedTranscriber::new("hello", HashMap::new());
        let cancel = CancellationToken::new();
        let heard = stt.transcribe(utterance(b"a", false), &cancel).await.unwrap();
        assert_eq!((heard.text.reveal(), heard.segments.len()), ("", 0));
        cancel.cancel();
        let gone = stt.transcribe(utterance(b"a", true), &cancel).await;
        assert!(matches!(gone, Err(SttError::Cancelled)));
    }
}
