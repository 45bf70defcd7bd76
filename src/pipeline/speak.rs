//! Sentences become sound: some side by side, heard in order.
//!
//! Between the sentences and the note. Every sentence is spoken by a voice of its own; the first
//! hands its sound on at once, a later one keeps up to [`AHEAD`] pieces until its turn has come.
//! The first failure ends them all: the reply goes out as text, and should not wait.

use std::ops::ControlFlow;

use futures_util::future::FutureExt as _;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::AgentSetup;
use super::error::TurnError;
use super::stage::{Trace, stage_stream};
use crate::speech_text::spoken;
use crate::tts::{Sentence, Sound, Voice};
use crate::turn::Stage;

/// Pieces of sound that a sentence keeps until its turn: 10 s, a megabyte. More waits at the
/// server.
const AHEAD: usize = 100;

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
    loop {
        tokio::select! {
            next = sentences.recv(), if !all_come && voices.len() < side_by_side => {
                let Some(sentence) = next else {
                    all_come = true;
                    continue;
                };
                let text = spoken(&sentence, language);
                if text.is_empty() {
                    continue;
                }
                let voice = voice(agent, language);
                let sentence = Sentence { text, language: language.to_owned(), voice };
                let spoken = agent.synthesizer.speak(sentence, cancel).flatten_stream();
                let spoken = stage_stream(trace, Stage::Tts, spoken);
                let (mine, next) = turn.then();
                turn = next;
                voices.push(hand_on(spoken, mine, &sound));
            }
            Some(handed) = voices.next() => {
                if handed? == ControlFlow::Break(()) {
                    return Ok(());
                }
            }
            else => return Ok(()),
        }
    }
}

/// The agent's voice for a language.
fn voice(agent: &AgentSetup, language: &str) -> Option<Voice> {
    let own = agent.voice.by_language.get(language).cloned().map(Voice::Fixed);
    own.or_else(|| agent.voice.any.clone().map(Voice::Any))
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
