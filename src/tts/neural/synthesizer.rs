//! Speaks sentences: read as symbols, sounded by a graph on an owned thread, handed on bit by bit.
//!
//! Invariants: sentences take turns on the threads, so that a long one or a slow listener keeps no
//! other waiting; what cannot be said is left out and fails no sentence.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::graph::BadVoice;
use super::hibari::Sounding;
use super::voices::{Loaded, NeuralVoice, NeuralVoices, VoiceChoice};
use crate::registry::Voice;
use crate::threads::Threads;
use crate::tts::espeak::EspeakSynthesizer;
use crate::tts::gap::Gap;
use crate::tts::outlet::Outlet;
use crate::tts::{Sentence, Sound, Synthesizer, TtsError};
use crate::turn::LanguageCode;

/// Silence after a sentence, in milliseconds: what a speaker leaves.
const PAUSE_MS: usize = 250;
/// Silence after what ends with a comma, a colon or in the middle.
const SHORT_PAUSE_MS: usize = 120;

/// Speaks with neural voices, and with espeak-ng where there is none.
pub(super) struct NeuralSynthesizer {
    pub(super) speed: f32,
    pub(super) voice: Option<String>,
    pub(super) voices: NeuralVoices,
    pub(super) espeak: EspeakSynthesizer,
    pub(super) crew: Arc<Crew>,
}

/// Owns the threads that compute.
///
/// Whoever is alone is always computed by the same thread: each that computes keeps memory for it.
pub(super) struct Crew {
    /// A place on a thread. Who waits gets one in turn.
    places: Arc<Semaphore>,
    /// Threads without work, as many as there are places; the last has worked last.
    idle: Arc<Mutex<Vec<Threads>>>,
    /// Pieces that may be in the making: what is computed of each takes six times the room of its sound.
    desks: Arc<Semaphore>,
}

/// Desks for each thread: while one piece is computed, the next is read.
const DESKS: usize = 2;

impl Crew {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// What the system says if it starts one not.
    pub(super) fn start(count: usize) -> io::Result<Self> {
        let started = (0..count).map(|_| Threads::start("voice", 1, 1));
        let idle = Mutex::new(started.collect::<io::Result<Vec<_>>>()?);
        let places = |count| Arc::new(Semaphore::new(count));
        Ok(Self { places: places(count), idle: Arc::new(idle), desks: places(DESKS * count) })
    }

    /// Waits until a piece may be begun; who waits gets a desk in turn.
    async fn desk(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.desks).acquire_owned().await.expect("it is never closed")
    }

    /// Runs a piece of work when its turn has come.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TtsError> {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("it is never closed");
        let thread = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let thread = thread.expect("a place is a thread without work");
        let held =
            CrewPlace { thread: Some(thread.clone()), idle: Arc::clone(&self.idle), _place: place };
        // Work that nobody waits for any more keeps its place until it ends.
        let work = move || {
            let _held = held;
            work()
        };
        thread.run(work).await.map_err(|error| TtsError::Engine(error.to_string()))
    }
}

/// Holds a place, and gives its thread back before it.
struct CrewPlace {
    thread: Option<Threads>,
    idle: Arc<Mutex<Vec<Threads>>>,
    _place: OwnedSemaphorePermit,
}

impl Drop for CrewPlace {
    fn drop(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.thread.take());
    }
}

impl NeuralSynthesizer {
    /// Chooses the voice of a sentence: an agent's own for that language; else the named one, if it
    /// speaks the language; else one that does.
    pub(super) async fn choose(
        &self,
        language: &LanguageCode,
        voice: Option<&Voice>,
    ) -> VoiceChoice<'_> {
        let name = match (voice, &self.voice) {
            (Some(Voice::Fixed(name)), _) => return self.voices.named(name),
            (Some(Voice::Any(name)), _) | (None, Some(name)) => name,
            (None, None) => return self.voices.for_language(language),
        };
        match self.voices.named(name) {
            VoiceChoice::Neural(voice) if voice.speaks(language) => VoiceChoice::Neural(voice),
            VoiceChoice::Espeak if self.espeak.speaks(name, language).await => VoiceChoice::Espeak,
            _ => self.voices.for_language(language),
        }
    }

    /// Loads a voice, once.
    async fn load(&self, voice: &Arc<NeuralVoice>) -> Result<Loaded, TtsError> {
        let wanted = Arc::clone(voice);
        // Reading a file takes as long as the disk does.
        let loaded = voice.loaded.get_or_try_init(|| self.crew.run(move || wanted.load())).await?;
        loaded
            .clone()
            .map_err(|error| TtsError::Engine(format!("voice \"{}\": {error}", voice.name)))
    }
}

#[async_trait]
impl Synthesizer for NeuralSynthesizer {
    fn name(&self) -> &'static str {
        "neural"
    }

    fn is_free(&self) -> bool {
        true
    }

    /// Loads the voices, and has each say a word: the graph's memory is laid out by the first.
    async fn prepare(&self, spoken: &[(LanguageCode, Option<Voice>)]) -> Result<(), TtsError> {
        for (language, voice) in spoken {
            match self.choose(language, voice.as_ref()).await {
                VoiceChoice::Neural(chosen) => {
                    let voice = Some(Voice::Fixed(chosen.name.clone()));
                    let word = Sentence { text: "ok".into(), language: language.clone(), voice };
                    let mut sound = self.speak(word, &CancellationToken::new()).await;
                    while let Some(piece) = sound.next().await {
                        piece?;
                    }
                    debug!(tts.language = %language, tts.voice = chosen.name, "a neural voice speaks");
                }
                VoiceChoice::Espeak => {
                    self.espeak.prepare(&[(language.clone(), voice.clone())]).await?;
                    debug!(tts.language = %language, "espeak-ng speaks");
                }
            }
        }
        Ok(())
    }

    fn revision(&self) -> String {
        format!("{}; {}", self.voices.revision(), self.espeak.revision())
    }

    async fn speak(
        &self,
        sentence: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Sound, TtsError>> {
        let chosen = self.choose(&sentence.language, sentence.voice.as_ref()).await;
        let VoiceChoice::Neural(voice) = chosen else {
            return self.espeak.speak(sentence, cancel).await;
        };
        let loaded = match self.load(voice).await {
            Ok(loaded) => loaded,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let (outlet, sound) = Outlet::open();
        let (crew, speed) = (Arc::clone(&self.crew), self.speed);
        let saying = Saying { crew, loaded, speed, text: sentence.text, outlet };
        tokio::spawn(saying.run(cancel.clone()));
        sound
    }
}

/// Says one sentence.
struct Saying {
    crew: Arc<Crew>,
    loaded: Loaded,
    speed: f32,
    text: String,
    outlet: Outlet,
}

impl Saying {
    /// Speaks until the end, the first error, or until nobody listens any more.
    async fn run(mut self, cancel: CancellationToken) {
        let unwanted = self.outlet.unwanted(&cancel);
        let said = tokio::select! {
            biased;
            () = unwanted => Err(TtsError::Cancelled),
            said = self.say() => said,
        };
        if let Err(error) = said {
            self.outlet.fail(error).await;
        }
    }

    async fn say(&mut self) -> Result<(), TtsError> {
        let rate = self.loaded.rate();
        let mut gap = Gap::new(pause_ms(&self.text));
        let mut samples = Vec::new();
        for piece in self.read().await? {
            // Until it is given back nobody is waited for who listens.
            let desk = self.crew.desk().await;
            let mut step = SoundStep::Begin(piece);
            while let Some(next) = self.sound(step, &mut samples).await? {
                step = next;
                gap.push(&samples, rate, self.outlet.ready());
                self.outlet.send_what_fits(rate)?;
                samples.clear();
            }
            drop(desk);
            self.outlet.send(rate, false).await?;
        }
        gap.finish(rate, self.outlet.ready());
        self.outlet.send(rate, true).await
    }

    /// Returns the symbols of the sentence, piece by piece.
    async fn read(&mut self) -> Result<Vec<Vec<i32>>, TtsError> {
        let text = std::mem::take(&mut self.text);
        match self.loaded.clone() {
            Loaded::Hibari(voice) => self.crew.run(move || voice.read(&text)).await,
            Loaded::Piper(voice) => voice.read(&text).await,
        }
    }

    /// Takes a step on a thread, appends its samples and returns the next step; `None` after the end.
    async fn sound(
        &self,
        step: SoundStep,
        samples: &mut Vec<f32>,
    ) -> Result<Option<SoundStep>, TtsError> {
        let (loaded, speed) = (self.loaded.clone(), self.speed);
        let mut sound = std::mem::take(samples);
        let work = move || {
            let next = step.take(&loaded, speed, &mut sound)?;
            Ok::<_, BadVoice>((next, sound))
        };
        let (next, sound) = self
            .crew
            .run(work)
            .await?
            .map_err(|error| TtsError::Engine(format!("the neural voice: {error}")))?;
        *samples = sound;
        Ok(next)
    }
}

/// Says what of a piece is to be done next.
enum SoundStep {
    /// All of it: these are its symbols.
    Begin(Vec<i32>),
    /// The rest of its sound.
    Sound(Box<Sounding>),
    /// Nothing.
    End,
}

impl SoundStep {
    /// Does it; appends what there is to hear.
    fn take(
        self,
        voice: &Loaded,
        speed: f32,
        sound: &mut Vec<f32>,
    ) -> Result<Option<Self>, BadVoice> {
        let mut sounding = match (self, voice) {
            (Self::End, _) => return Ok(None),
            (Self::Sound(sounding), _) => sounding,
            (Self::Begin(symbols), Loaded::Hibari(voice)) => {
                Box::new(voice.sound(&symbols, speed)?)
            }
            (Self::Begin(symbols), Loaded::Piper(voice)) => {
                *sound = voice.sound(&symbols, speed)?;
                return Ok(Some(Self::End));
            }
        };
        let more = sounding.next(sound);
        Ok(Some(if more { Self::Sound(sounding) } else { Self::End }))
    }
}

/// Returns the silence after a sentence, by the mark that ends it.
fn pause_ms(text: &str) -> usize {
    let end = text.trim_end_matches(|c: char| c.is_whitespace() || "\"'”’)]".contains(c));
    let pauses = end.ends_with(['.', '!', '?', '…', '。', '？', '！']);
    if pauses { PAUSE_MS } else { SHORT_PAUSE_MS }
}
