//! Ogg/Opus as others write it: lost pages, chains, strange streams, stereo.

use super::*;

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
    let cut_in_header = decode(&note[..30], AudioLimits::default());
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
    assert!(amplitude_at(&output[34_000..], 16_000, 440.0) > 0.3, "sound continues after the gap");
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

/// Decodes stereo with a gain of +6 dB: one channel has a tone, the other nothing.
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
