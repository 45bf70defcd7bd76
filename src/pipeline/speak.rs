//! Sentences become sound: some side by side, heard in order.
//!
//! Between the sentences and the note. Every sentence is spoken by a voice of its own; the first
//! hands its sound on at once, a later one keeps up to [`AHEAD`] pieces until its turn has come.
//! The first failure ends them all: the reply goes out as text, and should not wait.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use futures_util::future::FutureExt as _;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::AgentSetup;
use super::error::TurnError;
use super::stage::{Trace, stage_stream};
use crate::speech_text::{SentenceSplitter, spoken};
use crate::tts::{Sentence, Sound};
use crate::turn::Stage;

/// Pieces of sound that a sentence keeps until its turn: 10 s, a megabyte. More waits at the
/// server.
const AHEAD: usize = 100;

/// Bytes from which on a text is spoken sentence by sentence: more than any sentence has.
const LONG: usize = 1_000;

/// Speaks all sentences; their sound goes to `sound` in their order.
pub(super) async fn speak(
    agent: &AgentSetup,
    language: &str,
    mut sentences: mpsc::Receiver<String>,
    sound: mpsc::Sender<Sound>,
    trace: &Trace,
    cancel: &CancellationToken,
) -> Result<(), TurnError> {
    let side_by_side = agent.synthesizer.parallel().max(1);
    let mut voices = FuturesUnordered::new();
    let (mut all_come, mut turn) = (false, Turn::first());
    let mut pieces = VecDeque::new();
    loop {
        while voices.len() < side_by_side
            && let Some(text) = pieces.pop_front()
        {
            let voice = agent.voice.for_language(language);
            let sentence = Sentence { text, language: language.to_owned(), voice };
            let spoken = agent.synthesizer.speak(sentence, cancel).flatten_stream();
            let spoken = stage_stream(trace, Stage::Tts, spoken);
            let (mine, next) = turn.then();
            turn = next;
            voices.push(hand_on(spoken, mine, &sound));
        }
        tokio::select! {
            next = sentences.recv(), if !all_come && voices.len() < side_by_side => match next {
                Some(sentence) => pieces.extend(pieces_of(&spoken(&sentence, language))),
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

/// What is spoken in one go: a sentence, or the sentences that a whole table has become.
fn pieces_of(text: &str) -> Vec<String> {
    if text.len() <= LONG {
        return Some(text.to_owned()).filter(|text| !text.is_empty()).into_iter().collect();
    }
    let mut splitter = SentenceSplitter::new();
    let mut pieces = splitter.push(text);
    pieces.extend(splitter.finish());
    pieces
}

/// A sentence's place in the order: it waits for the one before and tells the one behind.
struct Turn {
    /// `None`: nothing stands before it.
    before: Option<oneshot::Receiver<()>>,
    /// `None`: nothing stands behind it yet.
    behind: Option<oneshot::Sender<()>>,
}

impl Turn {
    fn first() -> Self {
        Self { before: None, behind: None }
    }

    /// This turn and the one behind it.
    fn then(self) -> (Self, Self) {
        let (behind, before) = oneshot::channel();
        let next = Self { before: Some(before), behind: None };
        (Self { behind: Some(behind), ..self }, next)
    }

    /// Comes back when the one before has handed everything on.
    async fn comes(&mut self) {
        if let Some(before) = self.before.take() {
            // The one before is never dropped without this one.
            let _passed = before.await;
        }
    }

    /// Lets the one behind begin.
    fn passes(self) {
        if let Some(behind) = self.behind {
            // Nobody listens once the reply has failed.
            let _failed = behind.send(());
        }
    }
}

/// Hands a sentence's sound on when its turn has come; `Break` if nobody takes it.
async fn hand_on<S: Stream<Item = Result<Sound, TurnError>> + Unpin>(
    mut spoken: S,
    mut turn: Turn,
    sound: &mpsc::Sender<Sound>,
) -> Result<ControlFlow<()>, TurnError> {
    let mut kept = Vec::new();
    let mut ended = false;
    {
        let comes = turn.comes();
        tokio::pin!(comes);
        loop {
            tokio::select! {
                biased;
                () = &mut comes => break,
                piece = spoken.next(), if !ended && kept.len() < AHEAD => match piece {
                    Some(piece) => kept.push(piece?),
                    None => ended = true,
                },
            }
        }
    }
    let rest = async |spoken: &mut S| if ended { None } else { spoken.next().await };
    let mut kept = kept.into_iter();
    loop {
        let piece = match kept.next() {
            Some(piece) => piece,
            None => match rest(&mut spoken).await {
                Some(piece) => piece?,
                None => break,
            },
        };
        if sound.send(piece).await.is_err() {
            // The encoder failed; its own error says why.
            return Ok(ControlFlow::Break(()));
        }
    }
    turn.passes();
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use futures_util::stream::{self, BoxStream};
    use tokio::sync::Notify;

    use super::*;
    use crate::agent::scripted::ScriptedResponder;
    use crate::audio::{Pcm, SampleRate};
    use crate::registry::{Gate, Languages, Phrases, ReplyPolicy, Voices};
    use crate::stt::scripted::ScriptedTranscriber;
    use crate::tts::{Synthesizer, TtsError};

    /// Pieces of each sentence.
    const PIECES: usize = 3 * AHEAD;

    /// Says "a" only when told to, fails on "x"; counts the pieces of all others.
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

    fn agent(synthesizer: Gated) -> AgentSetup {
        AgentSetup {
            name: "test".into(),
            languages: Languages::Any,
            reply: ReplyPolicy::Voice,
            gate: Gate::default(),
            voice: Voices::default(),
            phrases: Arc::new(Phrases::default()),
            transcriber: Arc::new(ScriptedTranscriber::new("", HashMap::new())),
            responder: Arc::new(ScriptedResponder::new(None, 0, 0.0)),
            synthesizer: Arc::new(synthesizer),
        }
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
        let (agent, trace, cancel) = (agent(gated), Trace::start(), CancellationToken::new());
        let to_speak = sentences(&["a.", "b.", "c."]).await;
        let (sound, mut heard) = mpsc::channel(1);
        let speaking = speak(&agent, "en", to_speak, sound, &trace, &cancel);
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
            while let Some(Sound::Pcm(pcm)) = heard.recv().await {
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
    async fn a_failure_is_not_kept_waiting_by_the_sentence_before() {
        let (agent, trace) = (agent(Gated::default()), Trace::start());
        let cancel = CancellationToken::new();
        let to_speak = sentences(&["a.", "x.", "c."]).await;
        let (sound, _heard) = mpsc::channel(1);
        let spoken = speak(&agent, "en", to_speak, sound, &trace, &cancel);
        assert_eq!(spoken.await.unwrap_err().stage, Stage::Tts);
    }

    #[tokio::test]
    async fn time_in_which_a_sentence_waits_for_its_turn_is_not_the_engines() {
        let gated = Gated::default();
        let open = Arc::clone(&gated.open);
        let (agent, trace, cancel) = (agent(gated), Trace::start(), CancellationToken::new());
        let to_speak = sentences(&["b.", "a."]).await;
        let (sound, mut heard) = mpsc::channel(1);
        open.notify_one();
        let speaking = speak(&agent, "en", to_speak, sound, &trace, &cancel);
        // The encoder takes nothing for a while: both have given what they may by then.
        let listening = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            while heard.recv().await.is_some() {}
        };
        let (spoken, ()) = tokio::join!(speaking, listening);
        spoken.unwrap();
        let sum = trace.sum_ms(Stage::Tts);
        assert!(sum < 150.0, "{sum} ms of {}", trace.elapsed_ms());
    }
}
