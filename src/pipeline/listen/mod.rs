//! Listens to a voice note while it arrives: what has been said is transcribed before the rest is
//! there.
//!
//! Invariants: few utterances of a note are transcribed at a time, their words stay in order,
//! nothing is decoded while one waits for that, and whatever fails ends what is under way for the
//! rest. A note is decoded in slices; between two of them others get their turn.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, OptionFuture};
use futures_util::stream::{BoxStream, FuturesOrdered, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::Scene;
use super::error::{Cause, TurnError};
use super::hear::{join, transcribe};
use super::listener::{NoteDecoder, NoteEnd, PIECE};
use super::problem::Problem;
use super::search::{SearchNews, SpeechSearch};
use super::sound_memory::NoteMemory;
use super::stage::StageWait;
use crate::audio::SpeechSpan;
use crate::stt::{LanguageHint, NoteKey, NoteTag, Utterance, Vocabulary};
use crate::turn::{Stage, Transcript};

/// Utterances of one message that are transcribed side by side.
const SIDE_BY_SIDE: usize = 2;

/// Bytes that are read ahead of the decoder in any case; more if nobody needs the memory.
const AHEAD: usize = 32 << 10;

/// Brings audio as it arrives, wrapped by the stage that reads it.
pub(in crate::pipeline) type Audio<'a> = BoxStream<'a, Result<Bytes, TurnError>>;

/// Holds what was heard in one note.
pub(in crate::pipeline) struct Listened {
    /// Length of the audio, silence included, if all of it could be decoded.
    pub(in crate::pipeline) audio_ms: Option<f64>,
    pub(in crate::pipeline) heard: Result<Transcript, TurnError>,
}

/// Decodes while the audio arrives, leaves out what is no speech and has the rest transcribed.
pub(in crate::pipeline) async fn listen(
    scene: Scene<'_>,
    mut audio: Audio<'_>,
    language: &LanguageHint,
) -> Listened {
    let (key, tag) = watch::channel(None);
    let vocabulary = scene.agent.vocabulary.with_contact(scene.contact);
    let search = SpeechSearch::new(&scene.path.decoders, scene.talker, scene.trace);
    let decoder = NoteDecoder::new(scene.path.limits, search.clone(), scene.trace);
    let mut note = ListenedNote {
        scene,
        utterances: Utterances { scene, language, vocabulary, tag: NoteTag(tag), first: true },
        memory: Arc::new(scene.path.memory.note(scene.talker)),
        arrived: Arrived { key: Some(key), ..Arrived::default() },
        decoder: Some(decoder),
        decoder_bytes: 0,
        search,
        searched: false,
        search_bytes: 0,
        search_wait: None,
        waiting: VecDeque::new(),
        heard_bytes: 0,
        end: None,
    };
    let heard = note.words(&mut audio).await;
    Listened { audio_ms: note.end.as_ref().map(|end| end.audio_ms), heard }
}

/// Holds one note while it is heard.
struct ListenedNote<'a> {
    scene: Scene<'a>,
    utterances: Utterances<'a>,
    memory: Arc<NoteMemory>,
    arrived: Arrived,
    /// Is with a worker for a slice at a time; `None` when all is decoded, too.
    decoder: Option<NoteDecoder>,
    /// Bytes of it and of its next slice.
    decoder_bytes: usize,
    search: SpeechSearch,
    /// All of the note was looked at.
    searched: bool,
    /// Bytes of what is looked at, but for what is being decoded.
    search_bytes: usize,
    /// Is there while sound waits to be looked at.
    search_wait: Option<StageWait>,
    /// Utterances that nobody transcribes yet.
    waiting: VecDeque<SpeechSpan>,
    /// Bytes of those that are transcribed.
    heard_bytes: usize,
    end: Option<NoteEnd>,
}

type DecodingSlice<'a> = BoxFuture<'a, Result<(NoteDecoder, Option<NoteEnd>), TurnError>>;

impl<'a> ListenedNote<'a> {
    async fn words(&mut self, audio: &mut Audio<'_>) -> Result<Transcript, TurnError> {
        let (mut transcribing, mut heard) = (FuturesOrdered::new(), Vec::new());
        let mut decoding: Option<DecodingSlice<'a>> = None;
        loop {
            while transcribing.len() < SIDE_BY_SIDE
                && let Some(span) = self.waiting.pop_front()
            {
                let bytes = bytes_of(&span);
                self.heard_bytes += bytes;
                let words = self.utterances.transcribe(span);
                transcribing.push_back(words.map(move |words| (words, bytes)));
            }
            if decoding.is_none() {
                decoding = self.decode();
            }
            let works = decoding.is_some() || self.search_wait.is_some();
            let reads = !self.arrived.all && self.may_read(works);
            tokio::select! {
                piece = audio.next(), if reads => self.arrived.take(piece)?,
                Some(decoded) = OptionFuture::from(decoding.as_mut()) => {
                    decoding = None;
                    self.take_decoded(decoded?);
                }
                news = self.search.news(), if !self.searched => {
                    self.take_news(news.map_err(|error| Cause::from(error).at(Stage::Vad))?);
                }
                Some((words, bytes)) = transcribing.next() => {
                    heard.push(words?);
                    self.heard_bytes -= bytes;
                    self.memory.give_back(bytes);
                }
                else => break,
            }
        }
        let unheard_bytes = self.end.as_ref().map_or(0, |end| end.unheard_bytes);
        let transcript = Transcript { unheard_bytes, ..join(heard) };
        if transcript.text.reveal().is_empty() {
            return Err(Cause::Unheard(Problem::NoSpeech).at(Stage::Stt));
        }
        Ok(transcript)
    }

    /// Takes what the decoder has come to.
    fn take_decoded(&mut self, (decoder, end): (NoteDecoder, Option<NoteEnd>)) {
        self.decoder = end.is_none().then_some(decoder);
        self.decoder_bytes = self.decoder.as_ref().map_or(0, NoteDecoder::held_bytes);
        self.search_bytes = self.search.held_bytes();
        self.search_wait = (!self.search.is_idle()).then(|| self.scene.trace.waits(Stage::Vad));
        if let Some(end) = end {
            self.over(end);
        }
        // Never more than before: the slice has asked for what it may add.
        self.memory.try_hold(self.bytes());
    }

    /// Takes what the search has come to.
    fn take_news(&mut self, news: SearchNews) {
        let before = self.bytes();
        // What is decoded meanwhile counts as that.
        self.search_bytes = news.held_bytes.min(self.search_bytes);
        self.searched = news.over;
        if news.idle {
            self.search_wait = None;
        }
        self.waiting.extend(news.spans);
        // The next slice may wait for memory meanwhile, by a wish that stays.
        self.memory.give_back(before.saturating_sub(self.bytes()));
    }

    /// Returns whether more bytes may come than are decoded; `works` while a slice is.
    fn may_read(&mut self, works: bool) -> bool {
        if self.arrived.bytes < AHEAD {
            return true;
        }
        let may = !works && self.memory.try_hold(self.bytes() + AHEAD);
        if !may && !self.waiting.is_empty() {
            // Whoever is heard must not wait for the rest, which waits for it to be heard.
            self.arrived.key = None;
        }
        may
    }

    /// Returns how much memory the note takes.
    fn bytes(&self) -> usize {
        let waiting: usize = self.waiting.iter().map(bytes_of).sum();
        let sound = self.search_bytes + waiting + self.heard_bytes;
        self.arrived.bytes + self.decoder_bytes + sound
    }

    /// Begins to decode the next slice, if there is any: first it waits for memory, then for a worker.
    /// Nothing is decoded while the search is far behind.
    fn decode(&mut self) -> Option<DecodingSlice<'a>> {
        let idle = self.waiting.is_empty() && !self.search.is_behind();
        let decoder = self.decoder.take_if(|_| idle)?;
        let piece = self.arrived.piece(decoder.is_hungry());
        let last = self.arrived.all && self.arrived.bytes == 0;
        if decoder.is_hungry() && piece.is_empty() && !last {
            self.decoder = Some(decoder);
            return None;
        }
        let (scene, memory) = (self.scene, Arc::clone(&self.memory));
        self.decoder_bytes = decoder.held_bytes() + piece.len();
        let bytes = self.bytes();
        Some(Box::pin(async move {
            let _waits = scene.trace.waits(Stage::Decode);
            memory.hold(bytes).await;
            let work = move || decoder.work(&piece, last);
            let decoded = scene.path.decoders.run_for(scene.talker, work).await;
            let decoded = decoded.map_err(Cause::from).and_then(|slice| Ok(slice?));
            decoded.map_err(|cause| cause.at(Stage::Decode))
        }))
    }

    /// Keeps what there is to say of the note.
    fn over(&mut self, end: NoteEnd) {
        if end.unheard_bytes > 0 {
            tracing::warn!(
                audio.unheard_bytes = end.unheard_bytes,
                audio.duration_ms = end.audio_ms,
                "a part of a voice message could not be heard"
            );
        }
        self.end = Some(end);
    }
}

fn bytes_of(span: &SpeechSpan) -> usize {
    size_of_val(span.speech.samples())
}

/// Holds what has arrived and is not decoded.
#[derive(Default)]
struct Arrived {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// There is no more to come.
    all: bool,
    digest: Sha256,
    /// Is told the digest of the note.
    key: Option<watch::Sender<Option<NoteKey>>>,
}

impl Arrived {
    /// Takes what the download brings.
    fn take(&mut self, piece: Option<Result<Bytes, TurnError>>) -> Result<(), TurnError> {
        if let Some(piece) = piece.transpose()? {
            self.digest.update(&piece);
            self.bytes += piece.len();
            // A copy: the piece may be a small part of a large buffer, which would be kept with it.
            self.pieces.push_back(Bytes::copy_from_slice(&piece));
            return Ok(());
        }
        self.all = true;
        if let Some(key) = &self.key {
            // Nobody may want it.
            let _ = key.send(Some(NoteKey(self.digest.finalize_reset().into())));
        }
        Ok(())
    }

    /// Returns the next bytes if they are `wanted`, none if there are none.
    fn piece(&mut self, wanted: bool) -> Bytes {
        let Some(first) = self.pieces.front_mut().filter(|_| wanted) else { return Bytes::new() };
        let piece = first.split_to(first.len().min(PIECE));
        if first.is_empty() {
            self.pieces.pop_front();
        }
        self.bytes -= piece.len();
        piece
    }
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

#[cfg(test)]
mod tests;
