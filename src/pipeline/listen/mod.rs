//! Listens to a voice note while it arrives: what has been said is transcribed before the rest is
//! there.
//!
//! Invariants: few utterances of a note are transcribed at a time, their words stay in order, and
//! whatever fails ends what is under way for the rest.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, FuturesOrdered, StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::error::{Cause, TurnError};
use super::hear::{join, transcribe};
use super::problem::Problem;
use super::stage::Trace;
use super::{Scene, VoicePath};
use crate::audio::{DecodeError, Segmenter, SpeechDecoder, SpeechEnd, SpeechSpan};
use crate::stt::{LanguageHint, NoteKey, NoteTag, Utterance, Vocabulary};
use crate::turn::{Stage, Transcript};

/// Utterances of one message that are transcribed side by side.
const SIDE_BY_SIDE: usize = 2;

/// Bytes that are decoded at a time: some seconds of a voice note, for which other notes wait
/// milliseconds.
const PIECE: usize = 16 << 10;

/// Brings audio as it arrives, wrapped by the stage that reads it.
pub(super) type Audio<'a> = BoxStream<'a, Result<Bytes, TurnError>>;

/// Holds what was heard in one note.
pub(super) struct Listened {
    /// Length of the audio, silence included, if all of it could be decoded.
    pub(super) audio_ms: Option<f64>,
    pub(super) heard: Result<Transcript, TurnError>,
}

/// Decodes while the audio arrives, leaves out what is no speech and has the rest transcribed.
pub(super) async fn listen(
    scene: Scene<'_>,
    audio: Audio<'_>,
    language: &LanguageHint,
) -> Listened {
    let mut audio_ms = None;
    let heard = words(scene, audio, language, &mut audio_ms).await;
    Listened { audio_ms, heard }
}

async fn words(
    scene: Scene<'_>,
    audio: Audio<'_>,
    language: &LanguageHint,
    audio_ms: &mut Option<f64>,
) -> Result<Transcript, TurnError> {
    let (key, tag) = watch::channel(None);
    let vocabulary = scene.agent.vocabulary.with_contact(scene.contact);
    let mut utterances = Utterances { scene, language, vocabulary, tag: NoteTag(tag), first: true };
    let mut arriving = arriving(scene.path, audio, scene.trace).boxed();
    let (mut waiting, mut unheard_bytes) = (VecDeque::new(), 0);
    let (mut transcribing, mut heard) = (FuturesOrdered::new(), Vec::new());
    loop {
        while transcribing.len() < SIDE_BY_SIDE
            && let Some(span) = waiting.pop_front()
        {
            transcribing.push_back(utterances.transcribe(span));
        }
        tokio::select! {
            Some(found) = arriving.next() => {
                let Gathered { spans, end } = found?;
                waiting.extend(spans);
                if let Some(end) = end {
                    // Nobody may want it.
                    let _ = key.send(Some(end.note));
                    *audio_ms = Some(end.audio_ms);
                    unheard_bytes = end.unheard_bytes;
                    if unheard_bytes > 0 {
                        tracing::warn!(
                            audio.unheard_bytes = unheard_bytes,
                            audio.duration_ms = end.audio_ms,
                            "a part of a voice message could not be heard"
                        );
                    }
                }
            }
            Some(transcript) = transcribing.next() => heard.push(transcript?),
            else => break,
        }
    }
    let transcript = Transcript { unheard_bytes, ..join(heard) };
    if transcript.text.reveal().is_empty() {
        return Err(Cause::Unheard(Problem::NoSpeech).at(Stage::Stt));
    }
    Ok(transcript)
}

/// Makes utterances of the speech of one note.
struct Utterances<'a> {
    scene: Scene<'a>,
    language: &'a LanguageHint,
    vocabulary: Vocabulary,
    tag: NoteTag,
    first: bool,
}

impl<'a> Utterances<'a> {
    fn transcribe(&mut self, span: SpeechSpan) -> BoxFuture<'a, Result<Transcript, TurnError>> {
        let utterance = Utterance {
            speech: span.speech,
            offset_ms: span.start_ms,
            language: self.language.clone(),
            note: Some(self.tag.clone()),
            first: std::mem::replace(&mut self.first, false),
            talker: self.scene.talker,
            vocabulary: self.vocabulary.clone(),
        };
        Box::pin(transcribe(self.scene, utterance))
    }
}

/// Holds the speech that a piece of a note has completed; `end` comes with the last.
struct Gathered {
    spans: Vec<SpeechSpan>,
    end: Option<NoteEnd>,
}

/// Holds what is known of a note once all of it is there.
struct NoteEnd {
    audio_ms: f64,
    note: NoteKey,
    unheard_bytes: u64,
}

/// Decodes the audio piece by piece and finds the speech in it.
fn arriving<'a>(
    path: &'a VoicePath,
    audio: Audio<'a>,
    trace: &Trace,
) -> impl stream::Stream<Item = Result<Gathered, TurnError>> + Send + 'a {
    let state = Some((Listener::new(path, trace), audio));
    stream::try_unfold(state, move |state| async move {
        let Some((mut listener, mut audio)) = state else { return Ok(None) };
        let mut spans = Vec::new();
        while let Some(mut bytes) = audio.try_next().await? {
            while !bytes.is_empty() {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                let found;
                (listener, found) = on_worker(path, move || listener.push(&piece)).await?;
                spans.extend(found);
            }
            if !spans.is_empty() {
                return Ok(Some((Gathered { spans, end: None }, Some((listener, audio)))));
            }
        }
        let found = on_worker(path, move || listener.finish()).await?;
        Ok(Some((found, None)))
    })
}

/// Decodes on a thread of its own.
async fn on_worker<T: Send + 'static>(
    path: &VoicePath,
    work: impl FnOnce() -> Result<T, DecodeError> + Send + 'static,
) -> Result<T, TurnError> {
    let decoded = async { Ok(path.workers.run(work).await??) };
    decoded.await.map_err(|cause: Cause| cause.at(Stage::Decode))
}

/// Decodes one note and finds its speech; handed to a worker with each piece and back.
struct Listener {
    decoder: SpeechDecoder,
    segmenter: Segmenter,
    audio_ms: f64,
    digest: Sha256,
    trace: Trace,
}

impl Listener {
    fn new(path: &VoicePath, trace: &Trace) -> Self {
        Self {
            decoder: SpeechDecoder::new(path.limits),
            segmenter: Segmenter::new(),
            audio_ms: 0.0,
            digest: Sha256::new(),
            trace: trace.clone(),
        }
    }

    fn push(mut self, bytes: &[u8]) -> Result<(Self, Vec<SpeechSpan>), DecodeError> {
        self.digest.update(bytes);
        let speech = self.trace.measure(Stage::Decode, || self.decoder.push(bytes))?;
        let spans = self.trace.measure(Stage::Vad, || self.segmenter.push(&speech));
        self.audio_ms += speech.duration_ms();
        Ok((self, spans))
    }

    fn finish(mut self) -> Result<Gathered, DecodeError> {
        let SpeechEnd { speech, unheard_bytes } =
            self.trace.measure(Stage::Decode, || self.decoder.finish())?;
        let spans = self.trace.measure(Stage::Vad, || {
            let mut spans = self.segmenter.push(&speech);
            spans.extend(self.segmenter.finish());
            spans
        });
        let audio_ms = self.audio_ms + speech.duration_ms();
        let note = NoteKey(self.digest.finalize().into());
        Ok(Gathered { spans, end: Some(NoteEnd { audio_ms, note, unheard_bytes }) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::Notify;
    use tokio_util::sync::CancellationToken;

    use super::super::testing::World;
    use super::*;
    use crate::stt::{SttError, Transcriber};
    use crate::tts::scripted::ScriptedSynthesizer;

    /// Eleven seconds of speech; three of them are more than an utterance holds.
    const SPEECH: &[u8] = include_bytes!("../../audio-fixtures/en_long.ogg");

    /// Tells when the first utterance has come and gone, and hears where each begins.
    #[derive(Clone, Default)]
    struct Ears {
        came: Arc<Notify>,
        gone: Arc<AtomicBool>,
        /// Whether the first utterance is never heard to its end.
        slow: bool,
    }

    struct Going(Arc<AtomicBool>);

    impl Drop for Going {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[async_trait::async_trait]
    impl Transcriber for Ears {
        fn name(&self) -> &'static str {
            "ears"
        }

        async fn transcribe(
            &self,
            utterance: Utterance,
            _: &CancellationToken,
        ) -> Result<Transcript, SttError> {
            let _going = Going(Arc::clone(&self.gone));
            assert_eq!(utterance.vocabulary.words().collect::<Vec<_>>(), ["Ann", "Hark"]);
            if utterance.first {
                self.came.notify_one();
                if self.slow {
                    std::future::pending::<()>().await;
                }
                // Later than the second.
                utterance.note.unwrap().key().await.unwrap();
            }
            let text = if utterance.first { "first" } else { "second" };
            Ok(Transcript { text: text.into(), ..Transcript::default() })
        }
    }

    /// A note whose last part comes only once the first utterance is being heard.
    fn arriving_slowly(ears: &Ears, last: Result<Bytes, TurnError>) -> Audio<'static> {
        let came = Arc::clone(&ears.came);
        let last = async move {
            came.notified().await;
            last
        };
        stream::iter([Ok(Bytes::from(SPEECH.repeat(3)))]).chain(stream::once(last)).boxed()
    }

    #[tokio::test]
    async fn the_first_utterance_is_heard_while_the_rest_of_the_note_arrives() {
        let ears = Ears::default();
        let audio = arriving_slowly(&ears, Ok(Bytes::from_static(SPEECH)));
        let world = World::new(ears, ScriptedSynthesizer::new(0, 0.0));
        let listened = listen(world.scene(), audio, &LanguageHint::ANY).await;
        assert_eq!(listened.heard.unwrap().text, "first second");
        assert!(listened.audio_ms.unwrap() > 44_000.0);
    }

    #[tokio::test]
    async fn a_download_that_fails_ends_what_is_being_heard() {
        let ears = Ears { slow: true, ..Ears::default() };
        let audio = arriving_slowly(&ears, Err(Cause::Deadline.at(Stage::Download)));
        let world = World::new(ears.clone(), ScriptedSynthesizer::new(0, 0.0));
        let listened = listen(world.scene(), audio, &LanguageHint::ANY).await;
        assert_eq!(listened.heard.unwrap_err().stage, Stage::Download);
        assert!(ears.gone.load(Ordering::Relaxed) && listened.audio_ms.is_none());
    }
}
