//! Speaks with the first of several engines that works.
//!
//! Between the pipeline and the engines of a list. A sentence of which nothing was heard goes to the
//! next engine; one that broke off midway fails, since what was heard cannot be taken back.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::{Sentence, Sound, SpokenBy, Synthesizer, TtsError, Voice};
use crate::engine::{EngineCall, Lineup};
use crate::turn::LanguageCode;

type Sounds = BoxStream<'static, Result<Sound, TtsError>>;

/// Speaks with engines in their order.
pub struct FallbackSynthesizer(Lineup<dyn Synthesizer>);

impl FallbackSynthesizer {
    /// Makes one of engines that are warm, as far as they can be.
    pub fn new(lineup: Lineup<dyn Synthesizer>) -> Self {
        Self(lineup)
    }
}

#[async_trait]
impl Synthesizer for FallbackSynthesizer {
    /// Returns the names of all, in order.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Prepares every engine; one that cannot be is left alone for a while.
    async fn prepare(&self, spoken: &[(LanguageCode, Option<Voice>)]) -> Result<(), TtsError> {
        let (mut first, mut ready) = (None, false);
        for member in self.0.members() {
            match member.engine.prepare(spoken).await {
                Ok(()) => ready = true,
                Err(error) => {
                    note(member.circuit.last_resort(), &error);
                    first.get_or_insert(error);
                }
            }
        }
        first.filter(|_| !ready).map_or(Ok(()), Err)
    }

    /// The first is told: it says most of them, and what another one costs may be money.
    fn will_say_again(&self, fixed: Vec<Sentence>) {
        self.0.first().will_say_again(fixed);
    }

    fn parallel(&self) -> usize {
        self.0.first().parallel()
    }

    async fn speak(&self, sentence: Sentence, cancel: &CancellationToken) -> Sounds {
        self.begin(sentence, cancel).await.sound
    }

    async fn begin(&self, sentence: Sentence, cancel: &CancellationToken) -> SpokenBy {
        let mut failed: Option<SpokenBy> = None;
        for (member, call) in self.0.calls() {
            let engine = member.circuit.name.clone();
            let begun = member.engine.begin(sentence.clone(), cancel).await;
            let SpokenBy { kept, mut sound, .. } = begun;
            let Some(first) = sound.next().await else {
                // It says that there is nothing to say.
                call.succeeded();
                return SpokenBy { engine, kept, sound: stream::empty().boxed() };
            };
            let error = match first {
                Ok(first) => return SpokenBy { engine, kept, sound: go_on(first, sound, call) },
                Err(error) => error,
            };
            let cancelled = matches!(error, TtsError::Cancelled);
            note(call, &error);
            let by = SpokenBy { engine, kept, sound: stream::iter([Err(error)]).boxed() };
            if cancelled {
                return by;
            }
            // The first says why.
            failed.get_or_insert(by);
        }
        failed.expect("there is an engine")
    }
}

/// Speaks with the voice that an engine of a list has for itself, whatever the agent's is: that may
/// be another engine's.
pub struct OwnVoice(pub Arc<dyn Synthesizer>);

#[async_trait]
impl Synthesizer for OwnVoice {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn prepare(&self, spoken: &[(LanguageCode, Option<Voice>)]) -> Result<(), TtsError> {
        let languages = spoken.iter().map(|(language, _)| (language.clone(), None));
        self.0.prepare(&languages.collect::<Vec<_>>()).await
    }

    fn will_say_again(&self, fixed: Vec<Sentence>) {
        let own = |sentence| Sentence { voice: None, ..sentence };
        self.0.will_say_again(fixed.into_iter().map(own).collect());
    }

    fn parallel(&self) -> usize {
        self.0.parallel()
    }

    async fn speak(&self, sentence: Sentence, cancel: &CancellationToken) -> Sounds {
        self.0.speak(Sentence { voice: None, ..sentence }, cancel).await
    }

    async fn begin(&self, sentence: Sentence, cancel: &CancellationToken) -> SpokenBy {
        self.0.begin(Sentence { voice: None, ..sentence }, cancel).await
    }
}

/// Notes how a call failed, if that is the engine's.
fn note(call: EngineCall, error: &TtsError) {
    if let Some(fault) = error.fault() {
        call.failed(fault, error);
    }
}

/// Passes a sentence on that has begun, and notes how it ends.
fn go_on(first: Sound, rest: Sounds, call: EngineCall) -> Sounds {
    let all = stream::iter([Ok(first)]).chain(rest);
    stream::unfold((all, Some(call)), |(mut all, call)| async move {
        let next = all.next().await;
        let call = match (&next, call) {
            (Some(Err(error)), Some(call)) => {
                note(call, error);
                None
            }
            (None, Some(call)) => {
                call.succeeded();
                None
            }
            (_, call) => call,
        };
        next.map(|next| (next, (all, call)))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::audio::{Pcm, SampleRate};
    use crate::clock::Clock;
    use crate::engine::{Circuit, Member, Notice};

    type Says = fn() -> Vec<Result<Sound, TtsError>>;

    /// Says what it is given, and keeps how often it was asked.
    struct Mouth(Says, Mutex<usize>);

    #[async_trait]
    impl Synthesizer for Mouth {
        fn name(&self) -> &'static str {
            "mouth"
        }

        async fn speak(&self, _: Sentence, _: &CancellationToken) -> Sounds {
            *self.1.lock().unwrap() += 1;
            stream::iter((self.0)()).boxed()
        }
    }

    fn hum() -> Sound {
        Sound::Pcm(Pcm { samples: vec![0.5; 10], rate: SampleRate(16_000) })
    }

    fn gone() -> TtsError {
        TtsError::Network("gone".into())
    }

    const SPEAKS: Says = || vec![Ok(hum()), Ok(hum())];
    const BREAKS: Says = || vec![Ok(hum()), Err(gone())];
    const FAILS: Says = || vec![Err(gone())];
    const HANGS: Says = || vec![Err(TtsError::Silent { silent_ms: 9 })];
    const NOTHING: Says = Vec::new;
    const CANCELLED: Says = || vec![Err(TtsError::Cancelled)];

    fn mouths(says: &[Says]) -> (FallbackSynthesizer, Vec<Arc<Mouth>>, Clock) {
        let clock = Clock::manual(0);
        let mouths: Vec<_> =
            says.iter().map(|says| Arc::new(Mouth(*says, Mutex::default()))).collect();
        let notice: Notice = Arc::new(|_, _, _| {});
        let members = mouths.iter().enumerate().map(|(at, mouth)| Member {
            engine: Arc::clone(mouth) as Arc<dyn Synthesizer>,
            circuit: Circuit::new("tts", at.to_string(), clock.clone(), Arc::clone(&notice)),
        });
        (FallbackSynthesizer::new(Lineup::new(members.collect())), mouths, clock)
    }

    /// Who speaks a sentence, its pieces of sound, and how it ends.
    async fn say(mouths: &FallbackSynthesizer) -> (String, usize, bool) {
        let sentence = Sentence { text: "hello".into(), language: "en".into(), voice: None };
        let SpokenBy { engine, sound, .. } =
            mouths.begin(sentence, &CancellationToken::new()).await;
        let all: Vec<_> = sound.collect().await;
        (engine, all.iter().filter(|piece| piece.is_ok()).count(), all.iter().all(Result::is_ok))
    }

    fn asked(mouths: &[Arc<Mouth>]) -> Vec<usize> {
        mouths.iter().map(|mouth| *mouth.1.lock().unwrap()).collect()
    }

    #[tokio::test]
    async fn what_failed_before_any_sound_is_said_by_the_next() {
        let (both, counts, clock) = mouths(&[FAILS, SPEAKS]);
        for _ in 0..5 {
            assert_eq!(say(&both).await, ("1".to_owned(), 2, true));
        }
        assert_eq!(asked(&counts), [3, 5], "after three failures it is left alone");
        clock.advance(5_000);
        assert_eq!(say(&both).await.0, "1");
        assert_eq!(asked(&counts), [4, 6], "and tried again after a pause");
        let (both, counts, _) = mouths(&[HANGS, SPEAKS]);
        say(&both).await;
        say(&both).await;
        assert_eq!(asked(&counts), [1, 2], "nobody waits twice for nothing");
    }

    #[tokio::test]
    async fn what_broke_off_midway_is_not_said_again_and_counts() {
        let (both, counts, _) = mouths(&[BREAKS, SPEAKS]);
        for _ in 0..3 {
            assert_eq!(say(&both).await, ("0".to_owned(), 1, false));
        }
        assert_eq!(say(&both).await, ("1".to_owned(), 2, true));
        assert_eq!(asked(&counts), [3, 1]);
    }

    #[tokio::test]
    async fn a_sentence_fails_only_if_all_do() {
        let (both, counts, _) = mouths(&[HANGS, FAILS]);
        for first in ["0", "1"] {
            assert_eq!(say(&both).await, (first.to_owned(), 0, false));
        }
        assert_eq!(asked(&counts), [2, 2]);
    }

    #[tokio::test]
    async fn nothing_to_say_and_nobody_to_say_it_to_are_no_failures() {
        let (both, counts, _) = mouths(&[NOTHING, SPEAKS]);
        assert_eq!(say(&both).await, ("0".to_owned(), 0, true));
        assert_eq!(asked(&counts), [1, 0]);
        let (both, counts, _) = mouths(&[CANCELLED, SPEAKS]);
        for _ in 0..9 {
            assert_eq!(say(&both).await, ("0".to_owned(), 0, false));
        }
        assert_eq!(asked(&counts), [9, 0]);
    }
}
