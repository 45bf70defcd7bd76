//! The audio layer as a whole: sound through a note and back.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the numbers are small and the tests' own"
)]

mod hostile;
mod notes;
mod ogg_opus;

use proptest::prelude::*;

use super::{
    testing::{amplitude_at, noise, rms, speechlike, tone},
    *,
};

fn encode(samples: &[f32], rate: u32) -> Vec<u8> {
    let mut encoder = NoteEncoder::new(SampleRate(rate)).unwrap();
    let pcm = Pcm { samples: samples.to_vec(), rate: SampleRate(rate) };
    let mut bytes = encoder.push(&pcm).unwrap();
    bytes.extend(encoder.finish().unwrap());
    bytes
}

/// Decodes what has been pushed.
fn advanced(decoder: &mut SpeechDecoder) -> Vec<f32> {
    let mut samples = Vec::new();
    while let DecodeStep::Speech(speech) = decoder.advance().unwrap() {
        samples.extend_from_slice(speech.samples());
    }
    samples
}

fn heard(bytes: &[u8]) -> Vec<f32> {
    decode(bytes, AudioLimits::default()).unwrap().samples().to_vec()
}

/// Makes a 16-bit mono WAV.
fn wav(samples: &[f32], rate: u32) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * 2).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((samples.len() as u32 * 2).to_le_bytes());
    bytes.extend(samples.iter().flat_map(|&x| ((x * 32767.0) as i16).to_le_bytes()));
    let size = (bytes.len() as u32 - 8).to_le_bytes();
    bytes[4..8].copy_from_slice(&size);
    bytes
}

/// Splits a note into its pages.
fn pages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> =
        (0..bytes.len() - 3).filter(|&at| &bytes[at..at + 4] == b"OggS").collect();
    starts
        .iter()
        .enumerate()
        .map(|(n, &at)| bytes[at..starts.get(n + 1).copied().unwrap_or(bytes.len())].to_vec())
        .collect()
}

/// Rewrites a page's header and its checksum.
fn repage(page: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut page = page.to_vec();
    change(&mut page);
    page[22..26].fill(0);
    let mut crc = 0u32;
    for &byte in &page {
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            crc = if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
        }
    }
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_tone_comes_back_as_long_as_loud_and_as_high(
        rate in prop_oneof![Just(8_000u32), Just(16_000), Just(22_050), Just(24_000), Just(44_100), Just(48_000)],
        hz in 200.0f64..1_800.0,
        seconds in 0.3f64..2.5,
        amplitude in 0.1f64..0.8,
    ) {
        let input = tone(rate, hz, seconds, amplitude);
        let note = encode(&input, rate);
        let output = heard(&note);
        let wanted = input.len() as f64 / f64::from(rate);
        prop_assert!((output.len() as f64 / 16_000.0 - wanted).abs() < 0.000_2, "{} samples for {wanted} s", output.len());
        prop_assert!((inspect_note(&note).unwrap().duration_ms - wanted * 1e3).abs() < 0.2);
        let loud = rms(&output[1600..]) / (amplitude / 2f64.sqrt());
        prop_assert!((0.8..1.25).contains(&loud), "loudness changed by {loud}");
        let there = amplitude_at(&output[1600..], 16_000, hz);
        for off in [0.8, 0.9, 1.1, 1.25] {
            prop_assert!(there > 3.0 * amplitude_at(&output[1600..], 16_000, hz * off), "{hz} Hz is not the peak");
        }
    }

    #[test]
    fn portions_do_not_change_the_samples(cuts in proptest::collection::vec(1usize..3_000, 1..40)) {
        let input = speechlike(24_000, 1.5, 0.1);
        for bytes in [encode(&input, 24_000), wav(&input, 24_000)] {
            let whole = heard(&bytes);
            let mut decoder = SpeechDecoder::new(AudioLimits::default());
            let mut pieces = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (portion, later) = rest.split_at((*cut).min(rest.len()));
                decoder.push(portion).unwrap();
                pieces.extend(advanced(&mut decoder));
                rest = later;
            }
            decoder.end();
            pieces.extend(advanced(&mut decoder));
            prop_assert_eq!(&pieces, &whole);
        }
    }

    #[test]
    fn end_trim_is_exact(samples in 1usize..5_000) {
        let input = speechlike(16_000, samples as f64 / 16_000.0, 0.1);
        prop_assert_eq!(heard(&encode(&input, 16_000)).len(), input.len());
    }
}
