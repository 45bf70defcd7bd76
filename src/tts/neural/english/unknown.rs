//! Reads words that no rule reads with hibari's small net, which learned espeak-ng's readings of
//! 225,000 words: brands, foreign names, misspellings.

use rten::{Model, NodeId, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use serde::Deserialize;

use super::files::bad;
use crate::tts::neural::graph::{self, BadVoice};

const FILE: &str = "net for unknown words";
/// Limits how much of a word without end is read.
const MOST_LETTERS: usize = 288;

/// Holds the net.
pub(super) struct Unknown {
    model: Model,
    input: NodeId,
    output: NodeId,
    /// The characters it reads and those it writes; the first has the number 1.
    reads: Vec<char>,
    writes: Vec<char>,
    /// How many characters it reads at once.
    most: usize,
}

#[derive(Deserialize)]
struct Alphabet {
    r#in: Vec<char>,
    out: Vec<char>,
    maxlen: usize,
}

impl Unknown {
    /// Reads the net and its characters.
    pub(super) fn load(net: &'static [u8], alphabet: &[u8]) -> Result<Self, BadVoice> {
        let alphabet: Alphabet =
            serde_json::from_slice(alphabet).map_err(|error| bad(FILE, error))?;
        let model = Model::load_static_slice(net).map_err(|error| bad(FILE, error))?;
        let (&[input], &[output]) = (model.input_ids(), model.output_ids()) else {
            return Err(bad(FILE, "it has not one input and one output"));
        };
        if alphabet.maxlen == 0 {
            return Err(bad(FILE, "it reads no characters"));
        }
        let Alphabet { r#in: reads, out: writes, maxlen: most } = alphabet;
        let net = Self { model, input, output, reads, writes, most };
        net.run(&[1]).map_err(|why| bad(FILE, why))?;
        Ok(net)
    }

    /// Reads a word; what is longer than the net reads, in pieces. `None` if it knows no character.
    pub(super) fn read(&self, word: &str) -> Option<String> {
        let number = |c: char| self.reads.iter().position(|known| *known == c);
        let numbers = word.chars().filter_map(number).take(MOST_LETTERS);
        let numbers: Vec<i32> = numbers.filter_map(|at| i32::try_from(at + 1).ok()).collect();
        let pieces = numbers.chunks(self.most).map(|piece| self.run(piece));
        let sounds = pieces.collect::<Result<String, String>>();
        sounds.ok().filter(|sounds| !sounds.is_empty())
    }

    /// Runs the net, which writes each sound once or more, with nothing between different ones.
    fn run(&self, numbers: &[i32]) -> Result<String, String> {
        let input = NdTensor::from_data([1, numbers.len()], numbers.to_vec());
        let inputs = vec![(self.input, input.into())];
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let run = self.model.run(inputs, &[self.output], Some(graph::options()));
        let value: Value = run.map_err(|error| said(&error))?.remove(0);
        let written: NdTensor<i32, 2> = value.try_into().map_err(|_| "it writes no numbers")?;
        let mut written: Vec<i32> = written.iter().copied().collect();
        written.dedup();
        let sound = |number: &i32| self.writes.get(usize::try_from(*number - 1).ok()?);
        Ok(written.iter().filter_map(sound).collect())
    }
}
