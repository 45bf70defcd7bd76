//! Said again, not made again: the sound of sentences that come back is kept on disk, as Opus that
//! goes into a note as it is.
//!
//! Stands before one engine. What is kept are the sentences that were announced as fixed, hark's
//! own and the answers on file. Invariants: no other sentence is ever written down, since it may be
//! about a person; whatever the disk does, a sentence is spoken; nobody waits for a sentence that
//! is made in advance.

mod advance;
mod entry;
mod folder;
#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use self::advance::Planned;
use self::entry::{Keys, SoundKey};
pub use self::folder::CacheLimits;
use self::folder::SoundFolder;
use super::{Sentence, Sound, SpokenBy, Synthesizer, TtsError, Voice};
use crate::audio::{CodedSpeech, NoteEncoder};
use crate::clock::Clock;
use crate::telemetry::{self, COMMIT, VERSION};
use crate::threads::Threads;
use crate::turn::LanguageCode;

/// Sentences that may wait to be written; more are kept when they are said again.
const WRITES: usize = 64;

/// Longest sound that is kept, in samples: a minute at 24 kHz. Sentences last up to 25 s.
const MOST_SAMPLES: usize = 60 * 24_000;

/// Keeps the sound of sentences for all engines.
pub struct SpokenCache {
    folder: Arc<SoundFolder>,
    /// Encodes and writes.
    writer: Threads,
    /// How many sentences are being made that somebody waits for.
    awaited: watch::Sender<usize>,
    planned: Mutex<VecDeque<Planned>>,
    more_planned: Notify,
}

impl SpokenCache {
    /// Opens a folder, which is made if it is not there. Blocks while its files are counted. A disk
    /// that refuses is only logged.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn open(path: PathBuf, limits: CacheLimits, clock: Clock) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            folder: Arc::new(SoundFolder::open(path, limits, clock)),
            writer: Threads::start("kept-sound", 1, WRITES)?,
            awaited: watch::Sender::default(),
            planned: Mutex::default(),
            more_planned: Notify::new(),
        }))
    }

    /// Returns `engine`, made of `settings`, so that its fixed sentences are kept.
    pub fn before(
        self: &Arc<Self>,
        engine: Arc<dyn Synthesizer>,
        settings: &str,
    ) -> Arc<dyn Synthesizer> {
        let (cache, settings, fixed) = (Arc::clone(self), settings.to_owned(), Mutex::default());
        let keys = OnceLock::new();
        Arc::new(CachedSynthesizer(Arc::new(Voiced { engine, cache, settings, keys, fixed })))
    }

    /// Looks a sentence up.
    async fn find(&self, key: SoundKey) -> Option<CodedSpeech> {
        let folder = Arc::clone(&self.folder);
        let found = tokio::task::spawn_blocking(move || folder.read(key)).await;
        // Reading does not panic; if it did, the sentence would be made.
        found.ok().flatten()
    }

    /// Keeps a complete sentence.
    async fn keep(&self, key: SoundKey, sounds: Vec<Sound>) {
        let folder = Arc::clone(&self.folder);
        let kept = self.writer.run(move || {
            if let Some(file) = encoded(&sounds) {
                folder.write(key, &file);
            }
        });
        if let Err(error) = kept.await {
            tracing::debug!(%error, "a sentence is kept when it is said again");
        }
    }
}

/// Makes an Ogg/Opus file of a sentence; `None` if it has no sound, or more than one form of it.
fn encoded(sounds: &[Sound]) -> Option<Bytes> {
    if let [Sound::Opus(speech)] = sounds {
        return Some(speech.file().clone());
    }
    let Some(Sound::Pcm(first)) = sounds.first() else { return None };
    let mut encoder = NoteEncoder::new(first.rate).ok()?;
    let mut file = Vec::new();
    for sound in sounds {
        let Sound::Pcm(pcm) = sound else { return None };
        file.extend(encoder.push(pcm).ok()?);
    }
    file.extend(encoder.finish().ok()?);
    Some(file.into())
}

/// Holds an engine with what is fixed of what it says.
struct Voiced {
    engine: Arc<dyn Synthesizer>,
    cache: Arc<SpokenCache>,
    settings: String,
    keys: OnceLock<Keys>,
    fixed: Mutex<HashSet<SoundKey>>,
}

impl Voiced {
    /// Returns the key of a sentence of this engine, which is warm by the first.
    fn key(&self, sentence: &Sentence) -> SoundKey {
        let keys = self.keys.get_or_init(|| {
            let (engine, revision) = (self.engine.name(), self.engine.revision());
            Keys::new(&[VERSION, COMMIT, engine, &revision, &self.settings])
        });
        keys.of(sentence)
    }
}

/// Says a fixed sentence again where it was made before.
struct CachedSynthesizer(Arc<Voiced>);

#[async_trait]
impl Synthesizer for CachedSynthesizer {
    fn name(&self) -> &str {
        self.0.engine.name()
    }

    async fn warm_up(&self) -> Result<(), TtsError> {
        self.0.engine.warm_up().await
    }

    async fn prepare(&self, spoken: &[(LanguageCode, Option<Voice>)]) -> Result<(), TtsError> {
        self.0.engine.prepare(spoken).await
    }

    fn revision(&self) -> String {
        self.0.engine.revision()
    }

    fn parallel(&self) -> usize {
        self.0.engine.parallel()
    }

    fn will_say_again(&self, fixed: Vec<Sentence>) {
        advance::plan(&self.0, fixed);
    }

    async fn speak(
        &self,
        sentence: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Sound, TtsError>> {
        self.begin(sentence, cancel).await.sound
    }

    async fn begin(&self, sentence: Sentence, cancel: &CancellationToken) -> SpokenBy {
        let (voiced, engine) = (&self.0, self.name().to_owned());
        let key = voiced.key(&sentence);
        let is_fixed = voiced.fixed.lock().unwrap_or_else(PoisonError::into_inner).contains(&key);
        if is_fixed && let Some(speech) = voiced.cache.find(key).await {
            telemetry::cache_asked("hit");
            let sound = stream::iter([Ok(Sound::Opus(speech))]).boxed();
            return SpokenBy { engine, kept: true, sound };
        }
        telemetry::cache_asked(if is_fixed { "miss" } else { "other" });
        let awaited = Awaited::new(&voiced.cache);
        let sound = voiced.engine.speak(sentence, cancel).await;
        let passed_on = PassedOn {
            cache: Arc::clone(&voiced.cache),
            key: is_fixed.then_some(key),
            sound,
            kept: Vec::new(),
            samples: 0,
            cancel: cancel.clone(),
            _awaited: awaited,
        };
        let sound = stream::unfold(passed_on, PassedOn::next).boxed();
        SpokenBy { engine, kept: false, sound }
    }
}

/// Counts as somebody who waits for a sentence while it lives.
struct Awaited(Arc<SpokenCache>);

impl Awaited {
    fn new(cache: &Arc<SpokenCache>) -> Self {
        cache.awaited.send_modify(|count| *count += 1);
        Self(Arc::clone(cache))
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.awaited.send_modify(|count| *count -= 1);
    }
}

/// Passes a sentence's sound on, and keeps a copy if it is fixed and was spoken to its end.
struct PassedOn {
    cache: Arc<SpokenCache>,
    /// `None` if it is not to be kept.
    key: Option<SoundKey>,
    sound: BoxStream<'static, Result<Sound, TtsError>>,
    kept: Vec<Sound>,
    samples: usize,
    cancel: CancellationToken,
    _awaited: Awaited,
}

impl PassedOn {
    async fn next(mut self) -> Option<(Result<Sound, TtsError>, Self)> {
        let next = self.sound.next().await;
        match (&next, self.key) {
            (Some(Ok(sound)), Some(_)) => {
                if let Sound::Pcm(pcm) = sound {
                    self.samples += pcm.samples.len();
                }
                self.kept.push(sound.clone());
                if self.samples > MOST_SAMPLES {
                    self.forget();
                }
            }
            (Some(Err(_)), _) => self.forget(),
            // A cancelled engine may just stop.
            (None, Some(key)) if !self.cancel.is_cancelled() => {
                let (cache, kept) = (Arc::clone(&self.cache), std::mem::take(&mut self.kept));
                tokio::spawn(async move { cache.keep(key, kept).await });
            }
            (Some(Ok(_)) | None, _) => {}
        }
        Some((next?, self))
    }

    fn forget(&mut self) {
        (self.key, self.kept) = (None, Vec::new());
    }
}
