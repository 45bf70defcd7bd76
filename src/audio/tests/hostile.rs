//! Hostile bytes: limits, the names of refused formats, a short fuzz loop.

use super::*;

#[test]
fn every_limit_is_kept_while_decoding() {
    let input = speechlike(16_000, 12.0, 0.1);
    let limits = AudioLimits { seconds: 10, ..AudioLimits::default() };
    for bytes in [encode(&input, 16_000), wav(&input, 16_000)] {
        let refused = decode(&bytes, limits).unwrap_err();
        assert_eq!(refused, DecodeError::TooLong { limit_seconds: 10 });
        let small = AudioLimits { bytes: 1_000, ..limits };
        assert_eq!(decode(&bytes, small).unwrap_err(), DecodeError::TooLarge { limit: 1_000 });
    }
}

#[test]
fn what_is_not_decoded_is_named() {
    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        match decode(bytes, AudioLimits::default()) {
            Err(DecodeError::Unsupported { what }) => assert_eq!(what, expected),
            other => panic!("{other:?}"),
        }
    }
    check(b"#!AMR_MC1.0\n\0\0\0\x02", "AMR with several channels");
    check(b"#!EVS_MC1.0\n", "EVS");
    check(b"%PDF-1.7 and so on", "PDF");
    check(&[0x5a; 5_000], "unknown");
    let six = encode(&tone(16_000, 440.0, 0.1, 0.4), 16_000);
    check(&repage(&pages(&six)[0], |page| page[28 + 9] = 6), "Opus with 6 channels");
    check(&wav(&[0.0; 100], 1_000_000), "a sample rate of 1000000 Hz");
}

/// Truncates, flips bits, and splices; whatever comes is refused or stays within the limits.
#[test]
fn hostile_bytes_neither_panic_nor_grow() {
    let sound = speechlike(16_000, 2.5, 0.1);
    let limits = AudioLimits { seconds: 5, bytes: 1 << 20 };
    let sources = [encode(&sound, 16_000), wav(&sound[..8_000], 16_000)];
    let mut random = noise(42);
    let mut below =
        move |bound: usize| ((f64::from(random()) * 0.5 + 0.5) * bound as f64) as usize % bound;
    for round in 0..400 {
        let mut bytes = sources[round % 2].clone();
        match round / 2 % 4 {
            0 => bytes.truncate(below(bytes.len())),
            1 => {
                for _ in 0..=below(20) {
                    let at = below(bytes.len());
                    bytes[at] ^= 1 << below(8);
                }
            }
            2 => {
                let (from, to) = (below(bytes.len()), below(bytes.len()));
                let piece = bytes[from.min(to)..from.max(to)].to_vec();
                let at = below(bytes.len());
                bytes.splice(at..at, piece);
            }
            _ => {
                // The claims are in the header.
                let at = below(80);
                bytes[at] = below(256) as u8;
                // Pages with a correct checksum reach deeper.
                if round % 2 == 0 {
                    bytes = pages(&bytes).iter().flat_map(|page| repage_if_whole(page)).collect();
                }
            }
        }
        if let Ok(speech) = decode(&bytes, limits) {
            assert!(speech.duration_ms() <= 5_000.0, "round {round}");
            assert!(speech.samples().iter().all(|sample| sample.abs() <= 1.0), "round {round}");
        }
        let _ = inspect_note(&bytes);
    }
}

fn repage_if_whole(page: &[u8]) -> Vec<u8> {
    if page.len() > 27 { repage(page, |_| {}) } else { page.to_vec() }
}

/// Feeds a few bytes that ask for hours, empty packets, which libopus would conceal one by one.
#[test]
fn a_small_file_cannot_unfold_beyond_the_limit() {
    let pages = pages(&encode(&tone(16_000, 440.0, 0.1, 0.4), 16_000));
    let mut bytes = pages[..2].concat();
    for sequence in 2..2_000u32 {
        let mut page = pages[2][..27].to_vec();
        page[26] = 255;
        page.extend([0; 255]);
        bytes.extend(repage(&page, |page| {
            page[5] = 0;
            page[18..22].copy_from_slice(&sequence.to_le_bytes());
        }));
    }
    let refused = decode(&bytes, AudioLimits::default()).unwrap_err();
    assert_eq!(refused, DecodeError::TooLong { limit_seconds: 600 });
}
