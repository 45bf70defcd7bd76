//! Has one voice say the sentence, and takes the time.

use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::engines::VoiceEngine;
use super::sentence::sentence_in;
use crate::app::Places;
use crate::audio::{EncodeError, NoteEncoder, OggOpus, Pcm};
use crate::engine::TRIAL_LIMIT;
use crate::registry::Voice;
use crate::tts::{Sentence, Sound, Synthesizer, VoiceRow};

/// Times that the sentence is said after the first, which loads the voice; the quickest counts, since
/// whatever else runs can only make it slower.
const TIMES: usize = 2;

/// Holds what a voice said.
pub(super) struct Trial {
    /// Seconds of work a second of sound.
    pub(super) speed: f64,
    sound: Vec<Pcm>,
}

/// Lets the voice speak.
///
/// # Errors
/// Why it does not.
pub(super) async fn of(
    engine: &VoiceEngine,
    row: &VoiceRow,
    places: &Places,
) -> Result<Trial, String> {
    // Each voice has an engine of its own, so that it takes its memory along when it has spoken.
    let synthesizer = engine.build(places).map_err(|wrong| wrong.to_string())?;
    let sentence = Sentence {
        text: sentence_in(&row.language).to_owned(),
        language: row.language.clone(),
        voice: Some(Voice::Fixed(row.name.clone())),
    };
    let (_, sound) = said(synthesizer.as_ref(), &sentence).await?;
    let seconds = sound.iter().map(Pcm::duration_ms).sum::<f64>() / 1000.0;
    if seconds <= 0.0 {
        return Err("it says nothing".to_owned());
    }
    let mut quickest = f64::INFINITY;
    for _ in 0..TIMES {
        let (took, _) = said(synthesizer.as_ref(), &sentence).await?;
        quickest = quickest.min(took);
    }
    // A tenth of a thousandth is more than a clock knows.
    let speed = (quickest / seconds * 10_000.0).round() / 10_000.0;
    Ok(Trial { speed, sound })
}

/// Returns the seconds that a sentence took, and its sound.
async fn said(
    synthesizer: &dyn Synthesizer,
    sentence: &Sentence,
) -> Result<(f64, Vec<Pcm>), String> {
    let cancel = CancellationToken::new();
    let _cancelled = cancel.clone().drop_guard();
    let started = Instant::now();
    let speaking = async {
        let mut pieces = synthesizer.speak(sentence.clone(), &cancel).await;
        let mut sound = Vec::new();
        while let Some(piece) = pieces.next().await {
            sound.push(match piece.map_err(|error| error.to_string())? {
                Sound::Pcm(pcm) => pcm,
                Sound::Opus(speech) => speech.decode().map_err(|error| error.to_string())?,
            });
        }
        Ok::<_, String>(sound)
    };
    let late = |_late| format!("it is not ready after {} s", TRIAL_LIMIT.as_secs());
    let sound = timeout(TRIAL_LIMIT, speaking).await.map_err(late)??;
    Ok((started.elapsed().as_secs_f64(), sound))
}

impl Trial {
    /// Makes a voice note of it.
    ///
    /// # Errors
    /// What libopus refuses.
    pub(super) fn note(&self) -> Result<OggOpus, EncodeError> {
        let first = self.sound.first().expect("it has said something");
        let mut encoder = NoteEncoder::new(first.rate)?;
        let mut note = Vec::new();
        for pcm in &self.sound {
            note.extend(encoder.push(pcm)?);
        }
        note.extend(encoder.finish()?);
        Ok(OggOpus(Bytes::from(note)))
    }
}
