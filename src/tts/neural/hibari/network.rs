//! Runs hibari's network: phonemes in, a description of every 12.5 ms of sound out.

use rten::{Model, NodeId, Value};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};

use crate::tts::neural::graph::{self, BadVoice};

/// Bins of a frame: those of the spectrum of 1,200 samples.
pub(super) const BINS: usize = 601;

/// Names of the outputs, in the order of [`Frames`]' fields.
const OUTPUTS: [&str; 6] = ["lh", "theta", "ln", "lr", "phi", "f0"];

/// Names of the inputs.
const INPUTS: [&str; 2] = ["ids", "speed"];

/// Returns whether a graph has the inputs and outputs.
pub(super) fn has_its_nodes(model: &Model) -> bool {
    graph::nodes(model, INPUTS).is_ok() && graph::nodes(model, OUTPUTS).is_ok()
}

/// Holds the network, ready to run.
pub(super) struct Network {
    model: Model,
    symbols: NodeId,
    speed: NodeId,
    outputs: [NodeId; 6],
}

/// Describes sound, frame by frame.
pub(super) struct Frames {
    /// Logarithm of how loud the pitch and its harmonics are.
    pub(super) voiced: Spectra,
    /// How far they are turned: the inverse hyperbolic tangent of half turns.
    pub(super) turn: Spectra,
    /// Logarithm of how loud noise is.
    pub(super) noise: Spectra,
    /// Logarithm of how loud sound with a phase of its own is.
    pub(super) free: Spectra,
    /// That phase in radians.
    pub(super) phase: Spectra,
    /// Pitch in Hz of each frame.
    pub(super) pitch: Vec<f32>,
}

/// Holds a value for each bin of each frame, the bins of one frame apart.
pub(super) struct Spectra {
    values: Vec<f32>,
    frames: usize,
}

impl Spectra {
    /// Reads an output.
    fn read(value: Value, frames: usize) -> Result<Self, BadVoice> {
        let tensor: NdTensor<f32, 3> = value.try_into().map_err(BadVoice::failed)?;
        if tensor.shape() != [1, BINS, frames] {
            return Err(BadVoice::shape(&tensor.shape()));
        }
        Ok(Self { values: tensor.into_data(), frames })
    }

    /// Copies a frame's bins.
    pub(super) fn copy_frame(&self, frame: usize, bins: &mut [f32]) {
        let of_frame = self.values[frame..].iter().step_by(self.frames);
        for (bin, value) in bins.iter_mut().zip(of_frame) {
            *bin = *value;
        }
    }
}

impl Network {
    /// Finds the inputs and outputs of a graph.
    ///
    /// # Errors
    /// The graph has others.
    pub(super) fn new(model: Model) -> Result<Self, BadVoice> {
        let [symbols, speed] = graph::nodes(&model, INPUTS)?;
        let outputs = graph::nodes(&model, OUTPUTS)?;
        Ok(Self { model, symbols, speed, outputs })
    }

    /// Describes how `symbols` sound when they are said `speed` times as fast.
    ///
    /// # Errors
    /// The graph does something else than hibari's.
    pub(super) fn run(&self, symbols: &[i32], speed: f32) -> Result<Frames, BadVoice> {
        let symbols = NdTensorView::from_data([1, symbols.len()], symbols);
        let speed = NdTensor::from([speed]);
        let inputs = vec![(self.symbols, symbols.into()), (self.speed, speed.into())];
        let outputs = self.model.run_n(inputs, self.outputs, Some(graph::options()));
        let [voiced, turn, noise, free, phase, pitch] = outputs.map_err(BadVoice::failed)?;
        let pitch: NdTensor<f32, 2> = pitch.try_into().map_err(BadVoice::failed)?;
        let pitch = pitch.into_data();
        let read = |value| Spectra::read(value, pitch.len());
        let (voiced, turn, noise) = (read(voiced)?, read(turn)?, read(noise)?);
        let (free, phase) = (read(free)?, read(phase)?);
        Ok(Frames { voiced, turn, noise, free, phase, pitch })
    }
}
