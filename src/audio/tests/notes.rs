//! Notes that we encode: no seams, exact lengths, sizes that play in place.

use super::*;

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

/// Measures the signal-to-noise ratio of `other` against `reference` in dB.
fn snr_db(reference: &[f32], other: &[f32]) -> f64 {
    let difference: Vec<f32> = reference.iter().zip(other).map(|(a, b)| a - b).collect();
    20.0 * (rms(reference) / rms(&difference).max(1e-9)).log10()
}

/// Measures the energy of the first difference in the 40 ms after `at`: a click shows in it.
fn roughness(samples: &[f32], at: usize) -> f64 {
    let window = &samples[at - 160..at + 640];
    window.windows(2).map(|pair| f64::from(pair[1] - pair[0]).powi(2)).sum()
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
            assert!(lost < 2.0, "{name}: {lost} dB worse after {at}");
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
    assert_eq!(head.comments.len(), 2, "{head:?}");
    assert_eq!(head.comments[0], "SYNTHETIC_SPEECH=1");
    assert!((head.duration_ms - 3_500.0).abs() < 0.1, "{head:?}");
    // The `ogg` crate's own reader sees the same packets.
    let mut reader = ogg::PacketReader::new(std::io::Cursor::new(&bytes));
    let packets = std::iter::from_fn(|| reader.read_packet().unwrap()).count();
    assert_eq!(packets, head.packets + 2);
}

#[test]
fn nothing_encodes_to_a_note_of_nothing() {
    let note = encode(&[], 24_000);
    assert!(inspect_note(&note).unwrap().duration_ms.abs() < f64::EPSILON);
    assert_eq!(decode(&note, AudioLimits::default()).unwrap_err(), DecodeError::Empty);
    assert_eq!(decode(&[], AudioLimits::default()).unwrap_err(), DecodeError::Empty);
    let headers = NoteMuxer::new(SampleRate(24_000)).finish(0);
    assert_eq!(decode(&headers.0, AudioLimits::default()).unwrap_err(), DecodeError::Empty);
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
