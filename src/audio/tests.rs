//! The audio layer as a whole: sound through a note and back, cuts without a seam, hostile bytes.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{
    signals::{amplitude_at, noise, rms, speechlike, tone},
    *,
};

fn encode(samples: &[f32], rate: u32) -> Vec<u8> {
    let mut encoder = NoteEncoder::new(SampleRate(rate)).unwrap();
    let pcm = Pcm { samples: samples.to_vec(), rate: SampleRate(rate) };
    let mut bytes = encoder.push(&pcm).unwrap();
    bytes.extend(encoder.finish().unwrap());
    bytes
}

/// Encodes in spans cut at `cuts`, each primed with `prime_ms` of the sound before it.
fn encode_stitched(samples: &[f32], rate: u32, cuts: &[usize], prime_ms: u32) -> OggOpus {
    let rate = SampleRate(rate);
    let mut muxer = NoteMuxer::new(rate);
    let bounds: Vec<usize> =
        std::iter::once(0).chain(cuts.iter().copied()).chain([samples.len()]).collect();
    for (n, pair) in bounds.windows(2).enumerate() {
        let mut span = SpanEncoder::new(rate, rate.ms(pair[0])).unwrap();
        let preroll = (rate.0 * prime_ms / 1000) as usize;
        span.prime(&samples[pair[0].saturating_sub(preroll)..pair[0]]).unwrap();
        muxer.push(span.push(&samples[pair[0]..pair[1]]).unwrap());
        if n + 2 == bounds.len() {
            muxer.push(span.finish().unwrap());
        }
    }
    muxer.finish(samples.len() as u64)
}

fn heard(bytes: &[u8]) -> Vec<f32> {
    decode(bytes, Limits::default()).unwrap().samples().to_vec()
}

/// 16-bit mono WAV.
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

/// Signal to noise ratio of `other` against `reference` in dB.
fn snr_db(reference: &[f32], other: &[f32]) -> f64 {
    let difference: Vec<f32> = reference.iter().zip(other).map(|(a, b)| a - b).collect();
    20.0 * (rms(reference) / rms(&difference).max(1e-9)).log10()
}

/// Energy of the first difference in the 40 ms after `at`: a click shows in it.
fn roughness(samples: &[f32], at: usize) -> f64 {
    let window = &samples[at - 160..at + 640];
    window.windows(2).map(|pair| f64::from(pair[1] - pair[0]).powi(2)).sum()
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
            let mut decoder = SpeechDecoder::new(Limits::default());
            let mut pieces = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (portion, later) = rest.split_at((*cut).min(rest.len()));
                pieces.extend_from_slice(decoder.push(portion).unwrap().samples());
                rest = later;
            }
            pieces.extend_from_slice(decoder.finish().unwrap().samples());
            prop_assert_eq!(&pieces, &whole);
        }
    }

    #[test]
    fn end_trim_is_exact(samples in 1usize..5_000) {
        let input = speechlike(16_000, samples as f64 / 16_000.0, 0.1);
        prop_assert_eq!(heard(&encode(&input, 16_000)).len(), input.len());
    }
}

#[test]
fn stitched_spans_have_no_seam() {
    let rate = 24_000;
    let frame = 480;
    for (name, input) in [
        ("speech", speechlike(rate, 10.0, 0.1)),
        ("tone", tone(rate, 440.0, 10.0, 0.4)),
        ("high tone", tone(rate, 2_900.0, 10.0, 0.4)),
    ] {
        let cuts: Vec<usize> = [83, 170, 251, 333, 420].map(|n| n * frame).to_vec();
        let serial = encode(&input, rate);
        let OggOpus(stitched) = encode_stitched(&input, rate, &cuts, span::PRIME_MS);
        let (a, b) = (inspect_note(&serial).unwrap(), inspect_note(&stitched).unwrap());
        assert_eq!((a.packets, a.duration_ms), (b.packets, b.duration_ms), "{name}");
        let growth = stitched.len() as f64 / serial.len() as f64;
        assert!(growth < 1.05, "{name}: {growth} times the bytes");

        let (a, b) = (heard(&serial), heard(&stitched));
        assert_eq!(a.len(), b.len(), "{name}");
        let original: Vec<f32> = {
            let mut resampler = Resampler::new(SampleRate(rate), SampleRate::SPEECH);
            let mut out = resampler.push(&input);
            out.extend(resampler.finish());
            out
        };
        for cut in &cuts {
            let at = cut * 2 / 3;
            let (rough_a, rough_b) = (roughness(&a, at), roughness(&b, at));
            let floor = roughness(&original, at).max(1e-3);
            eprintln!(
                "{name} at {at}: rough {rough_a:.4} {rough_b:.4} {floor:.4} snr {:.1} orig {:.1}/{:.1}",
                snr_db(&a[at..at + 960], &b[at..at + 960]),
                snr_db(&original[at..at + 960], &a[at..at + 960]),
                snr_db(&original[at..at + 960], &b[at..at + 960])
            );
            assert!(rough_b < 1.5 * rough_a.max(floor), "{name}: a click at {at}: {rough_b} {rough_a}");
        }
        let ratio = snr_db(&a, &b);
        eprintln!("{name}: total snr {ratio:.1}, orig {:.1}/{:.1}, growth {growth:.4}", snr_db(&original, &a), snr_db(&original, &b));
    }
}

#[test]
fn five_minutes_of_hard_speech_fit_into_512_kib() {
    for rate in [16_000, 24_000, 48_000] {
        let note = encode(&speechlike(rate, 285.0, 0.4), rate);
        let at_60 = encode(&speechlike(rate, 60.0, 0.4), rate);
        eprintln!("{rate}: 285 s {} bytes, 60 s {}", note.len(), at_60.len());
        assert!(note.len() <= limits::MAX_NOTE_BYTES, "{rate} Hz: {} bytes", note.len());
    }
}
