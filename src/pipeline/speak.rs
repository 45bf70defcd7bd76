//! Sentences become sound, in order.

use futures_util::future::FutureExt as _;
use futures_util::stream::StreamExt as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::AgentSetup;
use super::error::TurnError;
use super::stage::{Trace, stage_stream};
use crate::audio::Pcm;
use crate::speech_text::spoken;
use crate::tts::Sentence;
use crate::turn::Stage;

/// Speaks sentence by sentence, in order.
pub(super) async fn speak(
    agent: &AgentSetup,
    language: &str,
    mut sentences: mpsc::Receiver<String>,
    pcm: mpsc::Sender<Pcm>,
    trace: &Trace,
    cancel: &CancellationToken,
) -> Result<(), TurnError> {
    while let Some(sentence) = sentences.recv().await {
        let text = spoken(&sentence, language);
        if text.is_empty() {
            continue;
        }
        let sentence = Sentence {
            text,
            language: language.to_owned(),
            voice: agent.voice.for_language(language),
        };
        let sound = agent.synthesizer.speak(sentence, cancel).flatten_stream();
        let mut sound = stage_stream(trace, Stage::Tts, sound);
        while let Some(piece) = sound.next().await {
            if pcm.send(piece?).await.is_err() {
                // The encoder failed; its own error says why.
                return Ok(());
            }
        }
    }
    Ok(())
}
