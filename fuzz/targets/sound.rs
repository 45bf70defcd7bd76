//! A sound file of any kind: within the limits, and the same however its bytes arrive.

use hark::audio::{self, AudioLimits, DecodeError, DecodeStep, SpeechDecoder};

const LIMITS: AudioLimits = AudioLimits { bytes: 1 << 20, seconds: 10 };

pub(super) fn run(file: &[u8]) {
    let whole = audio::decode(file, LIMITS).map(|speech| speech.samples().to_vec());
    match &whole {
        Ok(samples) => {
            assert!(samples.len() <= 16_000 * 10, "{} samples", samples.len());
            assert!(samples.iter().all(|sample| sample.abs() <= 1.0), "a sample beyond 1");
        }
        Err(error) => assert!(!error.to_string().contains("the decoder failed on it"), "{error}"),
    }
    let pieces = in_pieces(file);
    assert!(pieces == whole, "{} whole, {} in pieces", outcome(&whole), outcome(&pieces));
}

fn in_pieces(file: &[u8]) -> Result<Vec<f32>, DecodeError> {
    let mut decoder = SpeechDecoder::new(LIMITS);
    let (mut samples, mut pieces) = (Vec::new(), super::pieces(file));
    loop {
        match decoder.advance()? {
            DecodeStep::Speech(speech) => samples.extend_from_slice(speech.samples()),
            DecodeStep::Waits => match pieces.next() {
                Some(piece) => decoder.push(piece)?,
                None => decoder.end(),
            },
            DecodeStep::Over { .. } => return Ok(samples),
        }
    }
}

/// Says in a few words what came of a file.
pub(super) fn outcome(decoded: &Result<Vec<f32>, DecodeError>) -> String {
    decoded
        .as_ref()
        .map_or_else(ToString::to_string, |samples| format!("{} samples", samples.len()))
}
