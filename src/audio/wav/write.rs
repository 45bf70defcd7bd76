//! Writes speech as a WAV file, for servers that hear.

use crate::audio::{SampleRate, Speech};

/// Length of the header before the samples.
const HEADER: usize = 44;
const BYTES_PER_SAMPLE: u32 = 2;

/// Writes speech as a WAV file: 16 kHz, mono, 16 bits, followed by silence up to `least` samples.
///
/// # Panics
/// Beyond 2^31 bytes, 18 hours of speech.
#[must_use]
pub fn wav_of(speech: &Speech, least: usize) -> Vec<u8> {
    let samples = speech.samples();
    let bytes = samples.len().max(least) * BYTES_PER_SAMPLE as usize;
    let length = u32::try_from(bytes).expect("an utterance has 30 s");
    let rate = SampleRate::SPEECH.0;
    let mut file = Vec::with_capacity(HEADER + bytes);
    file.extend(b"RIFF");
    file.extend((length + 36).to_le_bytes());
    // A chunk of 16 bytes: PCM, one channel.
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend((rate * BYTES_PER_SAMPLE).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    #[expect(clippy::cast_possible_truncation, reason = "a sample is within [-1, 1]")]
    let sixteen_bits = |sample: &f32| ((sample * 32_767.0).round() as i16).to_le_bytes();
    file.extend(samples.iter().flat_map(sixteen_bits));
    file.resize(HEADER + bytes, 0);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{AudioLimits, decode};

    #[test]
    fn what_is_written_is_read_back_with_silence_after_it() {
        let samples: Vec<f32> = (-100..=100_i8).map(|step| f32::from(step) / 100.0).collect();
        let file = wav_of(&Speech::new(samples.clone()), 1_000);
        assert_eq!(file.len(), HEADER + 2_000);
        let read = decode(&file, AudioLimits::default()).unwrap();
        let same = |(one, other): (&f32, &f32)| (one - other).abs() < 1e-4;
        assert!(read.samples()[..201].iter().zip(&samples).all(same));
        assert!(read.samples()[201..].iter().all(|sample| *sample == 0.0));
        assert_eq!(read.samples().len(), 1_000);
    }
}
