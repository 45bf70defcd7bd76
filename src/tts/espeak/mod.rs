//! Speaks with espeak-ng, a separate program: text in on stdin, a WAV file out on stdout.
//!
//! The voice that is always available: no model, no network, a sentence in milliseconds. Each
//! sentence has its own child process, taken from those that wait (`child`). Invariants: text is
//! never an argument and holds nothing the engine interprets; time and sound are bounded; every
//! child is awaited, also after the turn was cancelled.

mod child;
mod installed;
mod settings;
mod voices;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::gap::Gap;
use super::outlet::Outlet;
use super::{Sentence, Sound, Synthesizer, TtsError, Voice};
use crate::audio::WavStream;
use crate::remote::patience::{Late, Patience};
use crate::turn::LanguageCode;
use child::Children;
pub use settings::Settings;
use voices::VoiceTable;

/// The engine's name in errors.
pub(super) const PROGRAM: &str = "espeak-ng";

/// Longest time for a sentence, without waiting for the reader; the engine takes milliseconds.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Longest time to the first sound.
const FIRST_SOUND: Duration = Duration::from_secs(5);

/// Longest sound of a character, in milliseconds, at the slowest pace that is set: a digit may be a
/// word of several syllables.
const MAX_MS_PER_CHAR: usize = 2_000;

/// Sound that the shortest text may have, in milliseconds.
const LEAST_MS: usize = 5_000;

/// Silence after a sentence, in milliseconds.
const PAUSE_MS: usize = 200;

/// Bytes of the engine's stderr that are quoted.
const MAX_COMPLAINT: u64 = 300;

/// Speaks with espeak-ng.
#[derive(Debug)]
pub struct EspeakSynthesizer {
    settings: Settings,
    children: Arc<Children>,
    voices: OnceCell<VoiceTable>,
    version: OnceCell<String>,
}

impl EspeakSynthesizer {
    /// Makes a synthesizer; starts nothing yet, see [`Synthesizer::warm_up`].
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let children = Children::new(settings.clone());
        Self { settings, children, voices: OnceCell::new(), version: OnceCell::new() }
    }

    /// Chooses the voice of a sentence in `language`: an agent's own for that language, else the
    /// named one if it speaks the language, else one that does.
    async fn voice(
        &self,
        language: &LanguageCode,
        voice: Option<&Voice>,
    ) -> Result<String, TtsError> {
        let voices = self.voices().await?;
        Ok(match (voice, &self.settings.voice) {
            (Some(Voice::Fixed(name)), _) => voices.named(name),
            (Some(Voice::Any(name)), _) | (None, Some(name)) => {
                voices.named_for_language(name, language)
            }
            (None, None) => voices.for_language(language),
        })
    }

    /// Returns whether the engine is here and its voice of that name speaks `language`; what is no
    /// voice's name, it takes for any.
    #[cfg(feature = "tts-neural")]
    pub(super) async fn speaks(&self, voice: &str, language: &LanguageCode) -> bool {
        let voices = self.voices().await;
        voices.is_ok_and(|voices| voices.named_for_language(voice, language) == voice)
    }

    /// Returns the engine's list of voices, which is read once.
    async fn voices(&self) -> Result<&VoiceTable, TtsError> {
        self.voices.get_or_try_init(|| installed::list(&self.settings.program)).await
    }
}

#[async_trait]
impl Synthesizer for EspeakSynthesizer {
    fn name(&self) -> &'static str {
        "espeak"
    }

    fn is_free(&self) -> bool {
        true
    }

    /// Checks the program and the configured voice, and leaves a child waiting for that voice.
    async fn warm_up(&self) -> Result<(), TtsError> {
        let voice = match &self.settings.voice {
            Some(voice) => voice.clone(),
            None => self.voice(&LanguageCode::english(), None).await?,
        };
        let fixed = Some(Voice::Fixed(voice.clone()));
        let sentence =
            Sentence { text: "ok".into(), language: LanguageCode::english(), voice: fixed };
        let mut sound = self.speak(sentence, &CancellationToken::new()).await;
        while let Some(chunk) = sound.next().await {
            chunk?;
        }
        self.children.refill(&voice).await.ok();
        self.version.get_or_try_init(|| installed::version(&self.settings.program)).await?;
        Ok(())
    }

    fn revision(&self) -> String {
        self.version.get().cloned().unwrap_or_default()
    }

    /// Leaves a child waiting for each voice.
    async fn prepare(&self, spoken: &[(LanguageCode, Option<Voice>)]) -> Result<(), TtsError> {
        for (language, voice) in spoken {
            let voice = self.voice(language, voice.as_ref()).await?;
            self.children.refill(&voice).await.ok();
        }
        Ok(())
    }

    async fn speak(
        &self,
        sentence: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Sound, TtsError>> {
        let text = harmless(&sentence.text);
        if text.is_empty() {
            return stream::empty().boxed();
        }
        let voice = match self.voice(&sentence.language, sentence.voice.as_ref()).await {
            Ok(voice) => voice,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let (outlet, sound) = Outlet::open();
        let task = SentenceTask { children: Arc::clone(&self.children), voice, text, outlet };
        tokio::spawn(task.run(cancel.clone()));
        sound
    }
}

/// Speaks one sentence with the engine.
struct SentenceTask {
    children: Arc<Children>,
    voice: String,
    text: String,
    outlet: Outlet,
}

impl SentenceTask {
    /// Speaks until the end, the first error, or until nobody listens any more.
    async fn run(mut self, cancel: CancellationToken) {
        let waiting = self.children.take(&self.voice);
        let was_waiting = waiting.is_some();
        let mut spoken = self.speak_with(waiting, &cancel).await;
        // A waiting child may have been killed unnoticed: that costs a start, but no sentence.
        if was_waiting && matches!(spoken, Err(SpeakFailure::Silent(_))) {
            spoken = self.speak_with(None, &cancel).await;
        }
        if let Err(SpeakFailure::Silent(error) | SpeakFailure::Midway(error)) = spoken {
            self.outlet.fail(error).await;
        }
    }

    /// Speaks with `child`, or with a new one; the child has been awaited when this returns.
    async fn speak_with(
        &mut self,
        child: Option<Child>,
        cancel: &CancellationToken,
    ) -> Result<(), SpeakFailure> {
        let mut child = match child {
            Some(child) => child,
            None => self
                .children
                .start(&self.voice)
                .await
                .map_err(|e| SpeakFailure::Midway(start(e)))?,
        };
        self.outlet.clear();
        let began = Instant::now();
        let unwanted = self.outlet.unwanted(cancel);
        let spoken = tokio::select! {
            biased;
            () = unwanted => Err(TtsError::Cancelled),
            spoken = self.talk(&mut child) => spoken,
        };
        if spoken.is_err() {
            // Killing fails only when it has exited, and then it has been awaited too.
            let _: io::Result<()> = child.kill().await;
        }
        spoken.map_err(|error| match error {
            // A child that was killed fails at once; one that hangs is not waited for twice.
            TtsError::Engine(_) if !self.outlet.has_sent() && began.elapsed() < FIRST_SOUND => {
                SpeakFailure::Silent(error)
            }
            _ => SpeakFailure::Midway(error),
        })
    }

    /// Writes the text, then passes the sound on.
    async fn talk(&mut self, child: &mut Child) -> Result<(), TtsError> {
        let mut patience = Patience::new(TIME_LIMIT);
        patience.expect_within(FIRST_SOUND);
        let mut stdin = child.stdin.take().expect("stdin is piped, and taken only here");
        let mut stdout = child.stdout.take().expect("stdout is piped, and taken only here");
        // The engine reads to the end before it speaks, so this cannot block on our reading.
        // A child that has exited breaks the pipe; its status says more.
        let _: io::Result<()> = patience
            .wait(async {
                stdin.write_all(self.text.as_bytes()).await?;
                stdin.shutdown().await
            })
            .await
            .map_err(late)?;
        drop(stdin);
        self.children.refill(&self.voice);

        let (mut wav, mut gap) = (WavStream::default(), Gap::new(PAUSE_MS));
        let (mut bytes, mut samples) = (vec![0; 8192], Vec::new());
        let (most_ms, mut spoken) = (most_ms(&self.text), 0);
        loop {
            let read = patience.wait(stdout.read(&mut bytes)).await;
            let read = read.map_err(late)?.map_err(engine)?;
            if read == 0 {
                break;
            }
            samples.clear();
            wav.push(&bytes[..read], &mut samples).map_err(engine)?;
            if let Some(rate) = wav.rate() {
                if !samples.is_empty() {
                    patience.expect_within(TIME_LIMIT);
                }
                spoken += samples.len();
                if rate.ms(spoken) > most_ms {
                    return Err(TtsError::Engine(format!("{PROGRAM} speaks without end")));
                }
                gap.push(&samples, rate, self.outlet.ready());
                self.outlet.send(rate, false).await?;
            }
        }
        let status = patience.wait(child.wait()).await.map_err(late)?.map_err(engine)?;
        if !status.success() {
            return Err(self.complaint(child, &mut patience, &status.to_string()).await);
        }
        samples.clear();
        wav.finish(&mut samples).map_err(engine)?;
        if let Some(rate) = wav.rate() {
            gap.push(&samples, rate, self.outlet.ready());
            gap.finish(rate, self.outlet.ready());
            self.outlet.send(rate, true).await?;
        }
        Ok(())
    }

    /// Makes an error of what the engine wrote to stderr.
    async fn complaint(
        &self,
        child: &mut Child,
        patience: &mut Patience,
        status: &str,
    ) -> TtsError {
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            // Without it, the status must be enough.
            let _ = patience.wait(stderr.take(MAX_COMPLAINT).read_to_end(&mut said)).await;
        }
        let said = String::from_utf8_lossy(&said);
        let voice = &self.voice;
        TtsError::Engine(format!("{PROGRAM}, voice {voice:?}: {} ({status})", said.trim()))
    }
}

/// Says how a sentence failed.
enum SpeakFailure {
    /// Before any sound: another child may succeed.
    Silent(TtsError),
    /// With sound sent, or for a reason that another child would meet too.
    Midway(TtsError),
}

/// Removes from `text` what espeak-ng would interpret: `[[` opens phonemes, control characters set
/// voice and pitch.
pub(super) fn harmless(text: &str) -> String {
    let mut text: String =
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    while text.contains("[[") {
        text = text.replace("[[", "[");
    }
    text
}

/// Returns how long a text may sound, in milliseconds.
fn most_ms(text: &str) -> f64 {
    let most = LEAST_MS + MAX_MS_PER_CHAR * text.chars().count();
    #[expect(clippy::cast_precision_loss, reason = "a sentence has thousands of characters")]
    let most = most as f64;
    most
}

fn start(source: io::Error) -> TtsError {
    TtsError::Start { program: PROGRAM, source }
}

fn engine(error: impl std::error::Error) -> TtsError {
    TtsError::Engine(format!("{PROGRAM}: {error}"))
}

fn late(late: Late) -> TtsError {
    let limit = match late {
        Late::Quiet => FIRST_SOUND,
        Late::Total => TIME_LIMIT,
    };
    TtsError::Engine(format!("{PROGRAM} took longer than {} s", limit.as_secs()))
}

#[cfg(test)]
mod tests;
