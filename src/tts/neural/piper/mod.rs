//! Speaks with Piper's voices: an ONNX graph with a JSON file beside it, many languages.
//!
//! Their phonemes are espeak-ng's, which is GPL-3: a child process, as for its own voices.

mod card;
mod phonemes;

use std::path::Path;

use rten::{Model, NodeId};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView, Tensor};

use self::card::Card;
use super::graph::{self, BadVoice};
use crate::audio::SampleRate;
use crate::tts::TtsError;
use crate::turn::LanguageCode;

/// Returns the language of the voice in `file`, by what is written beside it.
///
/// # Errors
/// No such file, or none of a voice.
pub(super) fn language_of(file: &Path) -> Result<LanguageCode, BadVoice> {
    Ok(card_of(file)?.language())
}

fn card_of(file: &Path) -> Result<Card, BadVoice> {
    Card::read(&file.with_added_extension("json"))
}

/// Speaks with one voice.
pub(super) struct PiperVoice {
    model: Model,
    card: Card,
    symbols: NodeId,
    length: NodeId,
    scales: NodeId,
    /// Only voices of several speakers are told which.
    speaker: Option<NodeId>,
    output: NodeId,
}

impl PiperVoice {
    /// Reads a voice's two files: `NAME.onnx` and `NAME.onnx.json`.
    ///
    /// # Errors
    /// A file that cannot be read or is something else.
    pub(super) fn load(file: &Path) -> Result<Self, BadVoice> {
        let card = card_of(file)?;
        let model = graph::load(file)?;
        let [symbols, length, scales] = graph::nodes(&model, ["input", "input_lengths", "scales"])?;
        let [output] = graph::nodes(&model, ["output"])?;
        let speaker = model.find_node("sid");
        Ok(Self { model, card, symbols, length, scales, speaker, output })
    }

    /// Returns the samples a second.
    pub(super) fn rate(&self) -> SampleRate {
        self.card.rate()
    }

    /// Returns the symbols of a sentence, in pieces that are sounded one after the other.
    ///
    /// # Errors
    /// espeak-ng is missing or fails.
    pub(super) async fn read(&self, text: &str) -> Result<Vec<Vec<i32>>, TtsError> {
        let clauses = phonemes::of(text, self.card.espeak_voice()).await?;
        Ok(self.card.pieces(&clauses))
    }

    /// Sounds a piece.
    ///
    /// # Errors
    /// The graph does something else than Piper's.
    pub(super) fn sound(&self, symbols: &[i32], speed: f32) -> Result<Vec<f32>, BadVoice> {
        let length = i32::try_from(symbols.len()).map_err(BadVoice::failed)?;
        let symbols = NdTensorView::from_data([1, symbols.len()], symbols);
        let scales = NdTensor::from(self.card.scales(speed));
        let mut inputs = vec![
            (self.symbols, symbols.into()),
            (self.length, NdTensor::from([length]).into()),
            (self.scales, scales.into()),
        ];
        inputs.extend(self.speaker.map(|speaker| (speaker, NdTensor::from([0_i32]).into())));
        let output = self.model.run_n(inputs, [self.output], Some(graph::options()));
        let [sound] = output.map_err(BadVoice::failed)?;
        let sound: Tensor<f32> = sound.try_into().map_err(BadVoice::failed)?;
        if sound.shape()[..sound.ndim() - 1].iter().any(|size| *size != 1) {
            return Err(BadVoice::shape(sound.shape()));
        }
        Ok(sound.into_data())
    }
}
