//! Makes all voices equally loud, by EBU R128.
//!
//! Sits around an engine. A sentence is heard while it is spoken, so its own loudness is known too
//! late: it gets the gain that the voice's earlier sentences ask for. Voices that cost nothing but our
//! own time say a few words before the first person hears them. What comes as Opus passes as it is.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use ebur128::{EbuR128, Mode};
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::{Sentence, Sound, Synthesizer, TtsError, Voice};
use crate::audio::{Pcm, SampleRate};
use crate::turn::LanguageCode;

/// Loudness of speech in LUFS: -16 for stereo, as podcasts and assistants have it, is -19 for one
/// channel, which is played by both speakers.
const LOUDNESS: f64 = -19.0;

/// Largest change of a voice, up or down: 15 dB. What asks for more is no voice.
const MOST_DB: f64 = 15.0;

/// Largest sample after the change, so that no voice is clipped for being loud.
const HEADROOM: f32 = 0.89;

/// Seconds of a voice that its loudness is the mean of: older sentences fade.
const REMEMBERED_S: f64 = 30.0;

/// What a voice says to be measured: engines read numbers in every language.
const TRIAL: &str = "1, 2, 3, 4, 5, 6, 7, 8.";

/// Evens an engine's voices.
pub struct Levelled {
    inner: Arc<dyn Synthesizer>,
    levels: Levels,
}

impl Levelled {
    /// Evens the voices of `inner`.
    pub fn new(inner: Arc<dyn Synthesizer>) -> Self {
        Self { inner, levels: Levels::default() }
    }

    /// Returns how loud a voice was lately, if it was heard.
    fn level(&self, key: &Key) -> Option<Loudness> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }
}

/// Names a voice: what the engine chooses it by.
type Key = (LanguageCode, Option<String>);

fn key_of(language: &LanguageCode, voice: Option<&Voice>) -> Key {
    (language.clone(), voice.map(|voice| voice.name().to_owned()))
}

/// Remembers how loud each voice is.
type Levels = Arc<Mutex<HashMap<Key, Loudness>>>;

/// Describes how loud a voice was lately.
#[derive(Clone, Copy, Debug)]
struct Loudness {
    /// Mean of 10 to the power of a tenth of the loudness.
    energy: f64,
    seconds: f64,
    peak: f32,
}

impl Loudness {
    /// Returns what samples are multiplied by.
    fn gain(self) -> f32 {
        let change = (LOUDNESS - 10.0 * self.energy.log10()).clamp(-MOST_DB, MOST_DB);
        #[expect(clippy::cast_possible_truncation, reason = "0.18 to 5.6")]
        let gain = 10_f64.powf(change / 20.0) as f32;
        gain.min(HEADROOM / self.peak.max(f32::MIN_POSITIVE))
    }

    /// Adds what was heard since.
    fn and(self, later: Self) -> Self {
        let kept = self.seconds.min(REMEMBERED_S);
        let seconds = kept + later.seconds;
        let energy = (self.energy * kept + later.energy * later.seconds) / seconds;
        Self { energy, seconds, peak: self.peak.max(later.peak) }
    }
}

#[async_trait]
impl Synthesizer for Levelled {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn warm_up(&self) -> Result<(), TtsError> {
        self.inner.warm_up().await
    }

    /// Has voices of this machine speak, so that the first sentence is as loud as the next.
    async fn prepare(&self, spoken: &[(LanguageCode, Option<Voice>)]) -> Result<(), TtsError> {
        self.inner.prepare(spoken).await?;
        if !self.inner.is_free() {
            return Ok(());
        }
        for (language, voice) in spoken {
            if self.level(&key_of(language, voice.as_ref())).is_some() {
                continue;
            }
            let (language, voice) = (language.clone(), voice.clone());
            let sentence = Sentence { text: TRIAL.to_owned(), language, voice };
            let mut sound = self.speak(sentence, &CancellationToken::new()).await;
            // A voice that cannot speak is told of when somebody wants to hear it.
            while let Some(Ok(_)) = sound.next().await {}
        }
        Ok(())
    }

    fn is_free(&self) -> bool {
        self.inner.is_free()
    }

    fn will_say_again(&self, fixed: Vec<Sentence>) {
        self.inner.will_say_again(fixed);
    }

    fn revision(&self) -> String {
        format!("{}, {LOUDNESS} LUFS", self.inner.revision())
    }

    fn parallel(&self) -> usize {
        self.inner.parallel()
    }

    async fn speak(
        &self,
        sentence: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Sound, TtsError>> {
        let key = key_of(&sentence.language, sentence.voice.as_ref());
        let levels = Arc::clone(&self.levels);
        let gain = self.level(&key).map_or(1.0, Loudness::gain);
        let sound = self.inner.speak(sentence, cancel).await;
        Evened { sound, gain, meter: None, levels, key }.boxed()
    }
}

/// Passes one sentence on, louder or softer, and measures it.
struct Evened {
    sound: BoxStream<'static, Result<Sound, TtsError>>,
    gain: f32,
    meter: Option<Meter>,
    levels: Levels,
    key: Key,
}

impl Evened {
    /// Measures samples as the engine made them, and changes them.
    fn even(&mut self, Pcm { samples, rate }: &mut Pcm) {
        if self.meter.is_none() {
            self.meter = Meter::start(*rate);
        }
        if let Some(meter) = &mut self.meter {
            meter.hear(samples);
        }
        for sample in samples {
            *sample = (*sample * self.gain).clamp(-1.0, 1.0);
        }
    }

    /// Remembers how loud the sentence was.
    fn finish(&mut self) {
        let Some(heard) = self.meter.take().and_then(Meter::finish) else { return };
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = levels.get(&self.key).map_or(heard, |before| before.and(heard));
        levels.insert(self.key.clone(), level);
    }
}

impl Stream for Evened {
    type Item = Result<Sound, TtsError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut piece = ready!(self.sound.poll_next_unpin(cx));
        match &mut piece {
            Some(Ok(Sound::Pcm(pcm))) => self.even(pcm),
            Some(_) => {}
            None => self.finish(),
        }
        Poll::Ready(piece)
    }
}

/// Measures one sentence.
struct Meter {
    r128: EbuR128,
    rate: SampleRate,
    samples: usize,
    peak: f32,
}

impl Meter {
    /// Starts; `None` at a rate that has no such measure.
    fn start(rate: SampleRate) -> Option<Self> {
        let r128 = EbuR128::new(1, rate.0, Mode::I).ok()?;
        Some(Self { r128, rate, samples: 0, peak: 0.0 })
    }

    fn hear(&mut self, samples: &[f32]) {
        self.samples += samples.len();
        self.peak = samples.iter().fold(self.peak, |peak, sample| peak.max(sample.abs()));
        self.r128.add_frames_f32(samples).expect("one channel has frames of one sample");
    }

    /// Returns the measure; `None` of what is too short or too quiet for one: less than 0.4 s.
    fn finish(self) -> Option<Loudness> {
        let loudness = self.r128.loudness_global().ok().filter(|loudness| loudness.is_finite())?;
        let seconds = self.rate.ms(self.samples) / 1000.0;
        Some(Loudness { energy: 10_f64.powf(loudness / 10.0), seconds, peak: self.peak })
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use futures_util::stream;

    use super::*;

    /// Speaks a tone; the text says how loud.
    struct Tone;

    #[async_trait]
    impl Synthesizer for Tone {
        fn name(&self) -> &'static str {
            "tone"
        }

        async fn speak(
            &self,
            sentence: Sentence,
            _: &CancellationToken,
        ) -> BoxStream<'static, Result<Sound, TtsError>> {
            let loud: f32 = sentence.text.parse().unwrap();
            #[expect(clippy::cast_precision_loss, reason = "at most a second")]
            let sample = |at: usize| loud * (TAU * 500.0 * at as f32 / 16_000.0).sin();
            let samples: Vec<f32> = (0..16_000).map(sample).collect();
            let pieces = samples.chunks(1_600).map(|piece| {
                Ok(Sound::Pcm(Pcm { samples: piece.to_vec(), rate: SampleRate(16_000) }))
            });
            stream::iter(pieces.collect::<Vec<_>>()).boxed()
        }
    }

    async fn peak(levelled: &Levelled, loud: &str, voice: &str) -> f32 {
        let voice = Some(Voice::Fixed(voice.to_owned()));
        let sentence = Sentence { text: loud.to_owned(), language: "en".into(), voice };
        let mut sound = levelled.speak(sentence, &CancellationToken::new()).await;
        let mut peak = 0.0_f32;
        while let Some(piece) = sound.next().await {
            let Sound::Pcm(pcm) = piece.unwrap() else { unreachable!("it is PCM") };
            peak = pcm.samples.iter().fold(peak, |peak, sample| peak.max(sample.abs()));
        }
        peak
    }

    #[tokio::test]
    async fn a_voice_is_as_loud_as_others_after_its_first_sentence() {
        let levelled = Levelled::new(Arc::new(Tone));
        assert!((peak(&levelled, "0.05", "soft").await - 0.05).abs() < 1e-4);
        assert!((peak(&levelled, "0.9", "loud").await - 0.9).abs() < 1e-4);
        let (soft, loud) =
            (peak(&levelled, "0.05", "soft").await, peak(&levelled, "0.9", "loud").await);
        // A tone of -19 LUFS has a peak of about -15 dB.
        assert!((soft / loud - 1.0).abs() < 0.02, "{soft} {loud}");
        assert!((0.14..0.18).contains(&soft), "{soft}");
    }

    #[test]
    fn no_gain_clips_and_what_is_no_voice_changes_little() {
        let level = |energy_db: f64, peak| {
            Loudness { energy: 10_f64.powf(energy_db / 10.0), seconds: 1.0, peak }.gain()
        };
        assert!((level(-29.0, 0.1) - 3.162).abs() < 0.01);
        assert!((level(-29.0, 0.5) - HEADROOM / 0.5).abs() < 1e-6);
        assert!((level(-90.0, 0.001) - 5.623).abs() < 0.01);
        assert!((level(-19.0, 0.0) - 1.0).abs() < 1e-6);
    }
}
