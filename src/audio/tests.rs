//! The audio layer as a whole: sound through a note and back, cuts without a seam, hostile bytes.

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
    muxer.finish(rate.granules(samples.len() as u64))
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
            let floor = roughness(&original, at);
            let (serial, stitched) = (roughness(&a, at), roughness(&b, at));
            assert!(stitched < 1.3 * serial.max(floor), "{name}: a click at {at}");
            let near = at..at + 960;
            let lost = snr_db(&original[near.clone()], &a[near.clone()])
                - snr_db(&original[near.clone()], &b[near]);
            assert!(lost < 2.0, "{name}: {lost} dB worse behind {at}");
        }
        assert!(snr_db(&a, &b) > 15.0, "{name}: {} dB apart", snr_db(&a, &b));
        assert!(snr_db(&original, &b) > snr_db(&original, &a) - 0.5, "{name}");
    }
}

#[test]
fn five_minutes_of_hard_speech_fit_into_512_kib() {
    for rate in [16_000, 24_000, 48_000] {
        let note = encode(&speechlike(rate, 285.0, 0.4), rate);
        assert!(note.len() <= limits::MAX_NOTE_BYTES, "{rate} Hz: {} bytes", note.len());
    }
}

#[test]
fn libopus_lags_as_much_as_we_say_at_every_rate() {
    for rate in span::OPUS_RATES {
        let mut encoder =
            opus::Encoder::new(rate, opus::Channels::Mono, opus::Application::Voip).unwrap();
        let lag = encoder.get_lookahead().unwrap();
        assert_eq!(span::lookahead(SampleRate(rate)), lag as usize, "{rate} Hz");
    }
    assert!(matches!(
        SpanEncoder::new(SampleRate(22_050), 0.0),
        Err(EncodeError::Rate { hz: 22_050 })
    ));
}

#[test]
fn a_note_says_what_it_is_and_comes_page_by_page() {
    let rate = SampleRate(22_050);
    let mut encoder = NoteEncoder::new(rate).unwrap();
    let mut bytes = Vec::new();
    let mut portions = 0;
    for samples in speechlike(rate.0, 3.5, 0.1).chunks(2_000) {
        let fresh = encoder.push(&Pcm { samples: samples.to_vec(), rate }).unwrap();
        portions += usize::from(!fresh.is_empty());
        bytes.extend(fresh);
    }
    assert!(portions >= 4, "headers, then a page a second");
    assert!(encoder.push(&Pcm { samples: vec![0.0], rate: SampleRate(8_000) }).is_err());
    bytes.extend(encoder.finish().unwrap());
    let head = inspect_note(&bytes).unwrap();
    assert_eq!((head.channels, head.pre_skip, head.input_rate), (1, 312, 24_000));
    assert_eq!((head.vendor.as_str(), head.ends), ("hark", true));
    assert!((head.duration_ms - 3_500.0).abs() < 0.1, "{head:?}");
    // The `ogg` crate's own reader sees the same packets.
    let mut reader = ogg::PacketReader::new(std::io::Cursor::new(&bytes));
    let packets = std::iter::from_fn(|| reader.read_packet().unwrap()).count();
    assert_eq!(packets, head.packets + 2);
}

#[test]
fn nothing_encodes_to_a_note_of_nothing() {
    let note = encode(&[], 24_000);
    assert_eq!(note_duration_ms(&note), Some(0.0));
    assert_eq!(decode(&note, Limits::default()).unwrap_err(), DecodeError::Empty);
    assert_eq!(decode(&[], Limits::default()).unwrap_err(), DecodeError::Empty);
    let headers = NoteMuxer::new(SampleRate(24_000)).finish(0);
    assert_eq!(decode(&headers.0, Limits::default()).unwrap_err(), DecodeError::Empty);
}

#[test]
fn samples_that_are_no_numbers_do_no_harm() {
    let mut input = tone(24_000, 440.0, 1.0, 0.5);
    input[5_000..5_010].fill(f32::NAN);
    input[9_000] = f32::INFINITY;
    input[9_001] = 1e30;
    let output = heard(&encode(&input, 24_000));
    assert!(output.iter().all(|sample| sample.abs() <= 1.0));
    assert!(amplitude_at(&output[8_000..], 16_000, 440.0) > 0.3);
}

#[test]
fn cuts_fall_into_the_pause() {
    let rate = SampleRate(24_000);
    let mut samples = tone(24_000, 300.0, 2.0, 0.5);
    samples[33_600..36_000].fill(0.0);
    let cut = quiet_cut(&samples, rate);
    assert!((33_600..36_000).contains(&cut) && cut.is_multiple_of(480), "{cut}");
    assert_eq!(quiet_cut(&samples[..479], rate), 0);
    assert_eq!(quiet_cut(&samples[..480], rate), 480);
}

#[test]
fn a_note_without_end_of_stream_page_is_whole() {
    let note = encode(&speechlike(16_000, 2.0, 0.1), 16_000);
    let mut pages = pages(&note);
    let last = pages.pop().unwrap();
    pages.push(repage(&last, |page| page[5] = 0));
    let output = heard(&pages.concat());
    // The packets' own length: no end trim without an end.
    assert!((32_000..32_320).contains(&output.len()), "{}", output.len());
}

#[test]
fn a_cut_off_note_keeps_what_arrived() {
    let note = encode(&speechlike(16_000, 3.0, 0.1), 16_000);
    let output = heard(&note[..note.len() * 3 / 4]);
    assert!((32_000..44_000).contains(&output.len()), "{}", output.len());
    let cut_in_header = decode(&note[..30], Limits::default());
    assert!(matches!(cut_in_header, Err(DecodeError::Corrupt { .. })), "{cut_in_header:?}");
}

#[test]
fn a_lost_page_is_concealed_in_its_length() {
    let input = tone(16_000, 440.0, 4.0, 0.4);
    let note = encode(&input, 16_000);
    let mut pages = pages(&note);
    // Headers, then a page a second.
    pages.remove(3);
    let output = heard(&pages.concat());
    assert_eq!(output.len(), input.len());
    assert!(amplitude_at(&output[34_000..], 16_000, 440.0) > 0.3, "sound goes on behind the hole");
}

#[test]
fn chained_streams_follow_each_other() {
    let (a, b) = (tone(16_000, 440.0, 1.0, 0.4), tone(16_000, 880.0, 1.5, 0.4));
    let first = encode(&a, 16_000);
    for serial in [0u32, 77] {
        let second = pages(&encode(&b, 24_000)).iter().fold(Vec::new(), |mut all, page| {
            all.extend(repage(page, |page| page[14..18].copy_from_slice(&serial.to_le_bytes())));
            all
        });
        let output = heard(&[first.clone(), second].concat());
        assert_eq!(output.len(), a.len() + b.len() * 2 / 3, "serial {serial}");
        assert!(amplitude_at(&output[18_000..30_000], 16_000, 1_320.0) > 0.2);
    }
}

#[test]
fn other_streams_beside_opus_are_passed_over() {
    let note = encode(&tone(16_000, 440.0, 1.0, 0.4), 16_000);
    let pages = pages(&note);
    let stranger = |sequence: u32, flags: u8| {
        repage(&pages[2], |page| {
            page[5] = flags;
            page[14..18].copy_from_slice(&5u32.to_le_bytes());
            page[18..22].copy_from_slice(&sequence.to_le_bytes());
        })
    };
    let mut mixed = stranger(0, 2);
    mixed.extend(&pages[0]);
    mixed.extend(stranger(1, 0));
    mixed.extend(pages[1..].concat());
    assert_eq!(heard(&mixed), heard(&note));
}

/// Stereo with a gain of +6 dB: one channel has a tone, the other nothing.
#[test]
fn stereo_is_mixed_down_and_the_gain_applied() {
    let mut encoder =
        opus::Encoder::new(48_000, opus::Channels::Stereo, opus::Application::Audio).unwrap();
    encoder.set_bitrate(opus::Bitrate::Bits(128_000)).unwrap();
    let both: Vec<f32> =
        tone(48_000, 440.0, 1.0, 0.4).iter().flat_map(|&sample| [sample, 0.0]).collect();
    let head =
        opus_head::OpusHead { channels: 2, gain: 1541, ..opus_head::OpusHead::mono(312, 48_000) };
    let mut writer = ogg::PacketWriter::new(Vec::new());
    let end = ogg::PacketWriteEndInfo::EndPage;
    writer.write_packet(head.to_packet(), 1, end, 0).unwrap();
    writer.write_packet(b"OpusTags\0\0\0\0\0\0\0\0".to_vec(), 1, end, 0).unwrap();
    for (n, frame) in both.chunks_exact(1_920).enumerate() {
        let packet = encoder.encode_vec_float(frame, 1_500).unwrap();
        writer.write_packet(packet, 1, end, 960 * (n as u64 + 1)).unwrap();
    }
    let output = heard(&writer.into_inner());
    let loud = amplitude_at(&output[4_000..12_000], 16_000, 440.0);
    assert!((loud / 0.4 - 1.0).abs() < 0.1, "half for the mix, twice for the gain: {loud}");
}

#[test]
fn every_limit_is_kept_while_decoding() {
    let input = speechlike(16_000, 12.0, 0.1);
    let limits = Limits { seconds: 10, ..Limits::default() };
    for bytes in [encode(&input, 16_000), wav(&input, 16_000)] {
        let refused = decode(&bytes, limits).unwrap_err();
        assert_eq!(refused, DecodeError::TooLong { limit_seconds: 10 });
        let small = Limits { bytes: 1_000, ..limits };
        assert_eq!(decode(&bytes, small).unwrap_err(), DecodeError::TooLarge { limit: 1_000 });
    }
}

#[test]
fn what_is_not_decoded_is_named() {
    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        match decode(bytes, Limits::default()) {
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
    let limits = Limits { seconds: 5, bytes: 1 << 20 };
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
                // The header is where the claims stand.
                let at = below(80);
                bytes[at] = below(256) as u8;
                // Pages with a right checksum reach deeper.
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

/// A few bytes that ask for hours: empty packets, which libopus would conceal one by one.
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
    let refused = decode(&bytes, Limits::default()).unwrap_err();
    assert_eq!(refused, DecodeError::TooLong { limit_seconds: 600 });
}
