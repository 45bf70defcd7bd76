//! Turns sentences into sound: some are spoken side by side, all are heard in order.
//!
//! Sits between the sentences and the note. Every sentence has its own stream; the first passes its
//! sound on at once, a later one buffers up to [`AHEAD`] pieces until its place has come. The first
//! failure ends them all: the reply goes out as text and should not wait.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::FutureExt as _;
use futures_util::stream::{self, FuturesUnordered, Stream, StreamExt as _};
use tokio::sync::{mpsc, oneshot};

use super::error::{Cause, TurnError};
use super::stage::stage_stream;
use super::{Opening, Scene};
use crate::registry::Voices;
use crate::speech_text::{sentences_of, spoken};
use crate::tts::{Sentence, Sound, SpokenBy, TtsError};
use crate::turn::{LanguageCode, Stage};
use crate::written;

/// Pieces of sound that a sentence buffers until its place has come: 10 s, one megabyte. The rest
/// waits at the server.
const AHEAD: usize = 100;

/// Longest text in bytes that is spoken in one go; no sentence is longer.
const LONG: usize = 1_000;

/// Most characters of a note, which is longer than its five minutes then at any pace: no voice begins
/// to say what is not sent.
pub const MAX_CHARS: usize = 6_000;

/// Time that no voice is faster than, in ms a character: 25 a second, where people say 15.
const LEAST_MS_A_CHAR: usize = 40;

/// Holds a piece of the reply's sound.
pub(super) struct SpokenPiece {
    pub(super) sound: Sound,
    /// Least sound that follows, in ms, as far as sentences are known. A voice that is faster than any
    /// we know, or fails, gives less.
    pub(super) more_ms: f64,
}

/// Speaks all sentences and sends their sound to `sound` in order. Where `language` is not known, the
/// first sentence that tells it does: see [`spoken_in`]. The scene's opening comes before the first
/// words; alone it is not said.
pub(super) async fn speak(
    scene: Scene<'_>,
    language: &LanguageCode,
    mut sentences: mpsc::Receiver<String>,
    sound: mpsc::Sender<SpokenPiece>,
) -> Result<(), TurnError> {
    let Scene { agent, trace, mut opening, .. } = scene;
    let side_by_side = agent.synthesizer.parallel().max(1);
    let (mut chars, unsaid) = (0, AtomicUsize::new(0));
    let mut voices = FuturesUnordered::new();
    let (first, mut comes) = oneshot::channel();
    first.send(()).expect("its place is still at hand");
    let mut all_come = false;
    let mut language = language.clone();
    let mut pieces: VecDeque<Sentence> = VecDeque::new();
    loop {
        while voices.len() < side_by_side
            && let Some(sentence) = pieces.pop_front()
        {
            let left = SoundLeft { chars: chars_of(&sentence), said_ms: 0.0, unsaid: &unsaid };
            let spoken = stage_stream(trace, Stage::Tts, begin(scene, sentence).flatten_stream());
            let (next, after) = oneshot::channel();
            let places = (std::mem::replace(&mut comes, after), next);
            voices.push(hand_on(spoken, places, left, &sound));
        }
        tokio::select! {
            next = sentences.recv(), if !all_come && voices.len() < side_by_side => match next {
                Some(sentence) => {
                    let said = said_of_sentence(&sentence, &mut language, &agent.voice);
                    if !said.is_empty()
                        && let Some(Opening { text, language }) = opening.take()
                    {
                        let opening = said_of(text, language, &agent.voice);
                        unsaid.fetch_add(opening.iter().map(chars_of).sum(), Ordering::Relaxed);
                        pieces.extend(opening);
                    }
                    let more = said.iter().map(chars_of).sum();
                    unsaid.fetch_add(more, Ordering::Relaxed);
                    chars += more;
                    if chars > MAX_CHARS {
                        return Err(Cause::TooMuch.at(Stage::Tts));
                    }
                    pieces.extend(said);
                }
                None => all_come = true,
            },
            Some(handed) = voices.next() => {
                if handed? == ControlFlow::Break(()) {
                    return Ok(());
                }
            }
            else => return Ok(()),
        }
    }
}

/// Returns what is spoken of a text in `language`, cut as an answer is, in an agent's voices.
pub fn said_of(text: &str, language: &LanguageCode, voices: &Voices) -> Vec<Sentence> {
    let mut language = language.clone();
    let said = |sentence: &String| said_of_sentence(sentence, &mut language, voices);
    sentences_of(text).iter().flat_map(said).collect()
}

/// Returns what is spoken of a sentence.
fn said_of_sentence(sentence: &str, known: &mut LanguageCode, voices: &Voices) -> Vec<Sentence> {
    let language = spoken_in(known, sentence);
    let voice = voices.for_language(&language);
    let said = |text| Sentence { text, language: language.clone(), voice: voice.clone() };
    pieces_of(&spoken(sentence, &language)).into_iter().map(said).collect()
}

/// Has a sentence spoken, and notes by which engine once there is sound; what was made before costs nothing.
async fn begin(
    Scene { agent, trace, cancel, .. }: Scene<'_>,
    sentence: Sentence,
) -> impl Stream<Item = Result<Sound, TtsError>> + Send {
    let chars = chars_of(&sentence) as u64;
    let SpokenBy { engine, kept, sound } = agent.synthesizer.begin(sentence, cancel).await;
    let mut engine = Some(engine);
    sound.inspect(move |piece| {
        if let (Ok(_), Some(engine)) = (piece, engine.take()) {
            trace.worked(|engines| engines.spoken_by(&engine));
            if !kept {
                trace.spend(|spent| spent.spoken_chars += chars);
            }
        }
    })
}

/// Returns the language that a sentence is spoken in: `known`, which the first sentence that tells
/// its language sets if it is not; until then English.
pub fn spoken_in(known: &mut LanguageCode, sentence: &str) -> LanguageCode {
    if known.is_unknown() {
        *known = told_by(sentence);
    }
    if known.is_unknown() { LanguageCode::english() } else { known.clone() }
}

/// Returns the language that a sentence tells, if it does.
fn told_by(sentence: &str) -> LanguageCode {
    let written = written::language(sentence, |_| true);
    written.told().map_or(LanguageCode::UNKNOWN, LanguageCode::from)
}

/// Splits a text into what is spoken in one go: a sentence, or each sentence of a long text such as a
/// table.
fn pieces_of(text: &str) -> Vec<String> {
    match text.len() {
        0 => Vec::new(),
        1..=LONG => vec![text.to_owned()],
        _ => sentences_of(text),
    }
}

fn chars_of(sentence: &Sentence) -> usize {
    sentence.text.chars().count()
}

/// Reckons the least sound that is still to come after each piece of one sentence.
struct SoundLeft<'a> {
    chars: usize,
    said_ms: f64,
    /// Characters of all sentences whose place has not come.
    unsaid: &'a AtomicUsize,
}

impl SoundLeft<'_> {
    fn place_has_come(&self) {
        self.unsaid.fetch_sub(self.chars, Ordering::Relaxed);
    }

    /// Adds to a piece what follows it.
    fn before(&mut self, sound: Sound) -> SpokenPiece {
        if let Sound::Pcm(pcm) = &sound {
            self.said_ms += pcm.rate.ms(pcm.samples.len());
        }
        let least_ms =
            |chars: usize| f64::from(u32::try_from(chars * LEAST_MS_A_CHAR).unwrap_or(0));
        let rest_ms = (least_ms(self.chars) - self.said_ms).max(0.0);
        let more_ms = rest_ms + least_ms(self.unsaid.load(Ordering::Relaxed));
        SpokenPiece { sound, more_ms }
    }
}

/// Passes a sentence's sound on when its place has come, and then signals the next place; `Break`
/// if nobody takes it.
async fn hand_on(
    spoken: impl Stream<Item = Result<Sound, TurnError>> + Unpin,
    (mut comes, next): (oneshot::Receiver<()>, oneshot::Sender<()>),
    mut left: SoundLeft<'_>,
    sound: &mpsc::Sender<SpokenPiece>,
) -> Result<ControlFlow<()>, TurnError> {
    let mut spoken = spoken.fuse();
    let mut kept = Vec::new();
    loop {
        tokio::select! {
            biased;
            // The previous place is never dropped without this one.
            _passed = &mut comes => break,
            Some(piece) = spoken.next(), if kept.len() < AHEAD => kept.push(piece?),
        }
    }
    left.place_has_come();
    let mut pieces = stream::iter(kept).map(Ok).chain(spoken);
    while let Some(piece) = pieces.next().await {
        if sound.send(left.before(piece?)).await.is_err() {
            // The encoder failed; its own error says why.
            return Ok(ControlFlow::Break(()));
        }
    }
    // Nobody listens once the reply has failed.
    let _failed = next.send(());
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use futures_util::stream::BoxStream;
    use tokio::sync::Notify;
    use tokio_util::sync::CancellationToken;

    use super::super::testing::World;
    use super::*;
    use crate::audio::{Pcm, SampleRate};
    use crate::stt::scripted::ScriptedTranscriber;
    use crate::tts::Synthesizer;

    /// Pieces of each sentence.
    const PIECES: usize = 3 * AHEAD;

    /// Says "a" only when the test opens it, fails on "x"; counts the pieces of all others.
    #[derive(Default)]
    struct Gated {
        open: Arc<Notify>,
        given: Arc<AtomicUsize>,
    }

    #[async_trait]
    impl Synthesizer for Gated {
        fn name(&self) -> &'static str {
            "gated"
        }

        fn parallel(&self) -> usize {
            2
        }

        async fn speak(
            &self,
            sentence: Sentence,
            _: &CancellationToken,
        ) -> BoxStream<'static, Result<Sound, TtsError>> {
            let (open, given) = (Arc::clone(&self.open), Arc::clone(&self.given));
            let letter = sentence.text.bytes().next().unwrap();
            if letter == b'x' {
                return stream::iter([Err(TtsError::Empty)]).boxed();
            }
            let pieces = stream::iter(0..PIECES).then(move |piece| {
                let (open, given) = (Arc::clone(&open), Arc::clone(&given));
                async move {
                    match (letter, piece) {
                        (b'a', 0) => open.notified().await,
                        (b'a', _) => {}
                        _ => {
                            given.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    let samples = vec![f32::from(letter)];
                    Ok(Sound::Pcm(Pcm { samples, rate: SampleRate(24_000) }))
                }
            });
            pieces.boxed()
        }
    }

    /// A world in which nothing is heard.
    fn world(synthesizer: Gated) -> World {
        World::new(ScriptedTranscriber::new("", HashMap::new()), synthesizer)
    }

    #[test]
    fn a_table_is_spoken_sentence_by_sentence_and_a_sentence_in_one_go() {
        let row = "Tea, green: three euros and fifty cents a cup. ";
        let table = row.repeat(40);
        let pieces = pieces_of(&table);
        assert_eq!(pieces.len(), 40);
        assert_eq!(pieces.concat().len(), table.len() - 40);
        assert_eq!(pieces_of("One. Two."), ["One. Two."]);
        assert!(pieces_of("").is_empty());
    }

    #[test]
    fn a_sentence_tells_its_language_or_none() {
        assert_eq!(told_by("Wir öffnen um neun Uhr."), "de");
        assert!(told_by("42!").is_unknown());
    }

    async fn sentences(texts: &[&str]) -> mpsc::Receiver<String> {
        let (sentences, to_speak) = mpsc::channel(8);
        for text in texts {
            sentences.send((*text).to_owned()).await.unwrap();
        }
        to_speak
    }

    #[tokio::test]
    async fn later_sentences_keep_a_bounded_part_and_their_place() {
        let gated = Gated::default();
        let (open, given) = (Arc::clone(&gated.open), Arc::clone(&gated.given));
        let world = world(gated);
        let to_speak = sentences(&["a.", "b.", "c."]).await;
        let (sound, mut heard) = mpsc::channel(1);
        let english = LanguageCode::english();
        let speaking = speak(world.scene(), &english, to_speak, sound);
        let listening = async {
            while given.load(Ordering::Relaxed) < AHEAD {
                tokio::task::yield_now().await;
            }
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(given.load(Ordering::Relaxed), AHEAD, "and \"c\" has not begun");
            open.notify_one();
            let mut letters = Vec::new();
            while let Some(SpokenPiece { sound: Sound::Pcm(pcm), .. }) = heard.recv().await {
                letters.extend(pcm.samples);
            }
            letters
        };
        let (spoken, letters) = tokio::join!(speaking, listening);
        spoken.unwrap();
        let expected = [b'a', b'b', b'c'].map(|letter| vec![f32::from(letter); PIECES]).concat();
        assert!(letters == expected);
    }

    #[tokio::test]
    async fn a_piece_tells_how_much_sound_follows_it_at_least() {
        let world = World::new(
            ScriptedTranscriber::new("", HashMap::new()),
            crate::tts::scripted::ScriptedSynthesizer::new(0, 0.0),
        );
        let to_speak = sentences(&["one two three.", "four."]).await;
        let (sound, mut heard) = mpsc::channel(64);
        speak(world.scene(), &LanguageCode::english(), to_speak, sound).await.unwrap();
        let (mut pieces, mut left_ms) = (Vec::new(), 0.0);
        while let Some(piece) = heard.recv().await {
            let Sound::Pcm(pcm) = piece.sound else { unreachable!("it hums samples") };
            pieces.push((pcm.duration_ms(), piece.more_ms));
        }
        for (ms, more_ms) in pieces.iter().rev() {
            assert!(*more_ms <= left_ms, "{more_ms} of {left_ms} ms");
            left_ms += ms;
        }
        assert!(pieces[0].1 > 400.0 && pieces.last().unwrap().1 < 1.0, "{pieces:?}");
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_waiting_by_the_sentence_before() {
        let world = world(Gated::default());
        let to_speak = sentences(&["a.", "x.", "c."]).await;
        let (sound, _heard) = mpsc::channel(1);
        let english = LanguageCode::english();
        let spoken = speak(world.scene(), &english, to_speak, sound);
        assert_eq!(spoken.await.unwrap_err().stage, Stage::Tts);
    }

    #[tokio::test]
    async fn time_in_which_a_sentence_waits_for_its_turn_is_not_the_engines() {
        let gated = Gated::default();
        let open = Arc::clone(&gated.open);
        let world = world(gated);
        let to_speak = sentences(&["b.", "a."]).await;
        let (sound, mut heard) = mpsc::channel(1);
        open.notify_one();
        let english = LanguageCode::english();
        let speaking = speak(world.scene(), &english, to_speak, sound);
        // The encoder takes nothing for a while; by then both have given what they can.
        let listening = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            while heard.recv().await.is_some() {}
        };
        let (spoken, ()) = tokio::join!(speaking, listening);
        spoken.unwrap();
        let sum = world.trace.sum_ms(Stage::Tts);
        assert!(sum < 150.0, "{sum} ms of {}", world.trace.elapsed_ms());
    }
}
