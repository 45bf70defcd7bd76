//! Streams of WAV in pieces of any size.

use super::*;
use crate::audio::SampleRate;

/// Makes a file with a header as espeak-ng writes it into a pipe, with a chunk to be skipped.
fn file(format: [u16; 3], data: &[u8]) -> Vec<u8> {
    let [tag, channels, bits] = format;
    let mut file = b"RIFF\x24\xf0\xff\x7fWAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(22_050_u32.to_le_bytes());
    file.extend((22_050 * u32::from(channels * bits) / 8).to_le_bytes());
    file.extend((channels * bits / 8).to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data\0\xf0\xff\x7f");
    file.extend(data);
    file
}

#[track_caller]
fn check(bytes: &[u8], new: impl Fn() -> WavStream, expected: &[f32]) {
    for size in 1..=bytes.len() {
        let (mut wav, mut out) = (new(), Vec::new());
        for piece in bytes.chunks(size) {
            wav.push(piece, &mut out).unwrap();
        }
        wav.finish(&mut out).unwrap();
        assert_eq!(wav.rate(), Some(SampleRate(22_050)), "pieces of {size}");
        assert_eq!(out, expected, "pieces of {size}");
    }
}

#[test]
fn any_split_of_the_bytes_gives_the_same_samples() {
    let samples = [0, 16_384, -32_768, 1, -1].map(i16::to_le_bytes).concat();
    let expected = [0.0, 0.5, -1.0, 1.0 / 32_768.0, -1.0 / 32_768.0];
    check(&file([1, 1, 16], &samples), WavStream::default, &expected);
    let raw = || WavStream::raw(RawPcm::mono(SampleRate(22_050))).unwrap();
    check(&samples, raw, &expected);
}

#[test]
fn every_width_is_read_and_channels_are_mixed() {
    check(&file([1, 1, 8], &[128, 192, 0]), WavStream::default, &[0.0, 0.5, -1.0]);
    let fine = 0.5 + 9.0 / 2f32.powi(23);
    check(&file([1, 1, 24], &[9, 0, 64, 0, 0, 128]), WavStream::default, &[fine, -1.0]);
    check(&file([1, 1, 32], &[0, 0, 0, 192]), WavStream::default, &[-0.5]);
    let floats = [0.25, f32::NAN, 7.0].map(f32::to_le_bytes).concat();
    check(&file([3, 1, 32], &floats), WavStream::default, &[0.25, 0.0, 1.0]);
    let stereo = [16_384, 0, -16_384, 16_384].map(i16::to_le_bytes).concat();
    check(&file([1, 2, 16], &stereo), WavStream::default, &[0.25, 0.0]);
}

#[test]
fn what_is_no_wav_is_refused() {
    let refuse = |bytes: &[u8]| {
        let (mut wav, mut out) = (WavStream::default(), Vec::new());
        let pushed = wav.push(bytes, &mut out).and_then(|()| wav.finish(&mut out));
        pushed.unwrap_err().to_string()
    };
    assert_eq!(refuse(b"Error: no such voice"), "corrupt audio: WAV: no RIFF header");
    assert_eq!(
        refuse(b"RIFF....WAVEdata\0\0\0\0"),
        "corrupt audio: WAV: no format before the data"
    );
    let endless = [b"RIFF....WAVELIST\xff\xff\xff\xff".as_slice(), &vec![0; 1 << 20]].concat();
    assert_eq!(refuse(&endless), "corrupt audio: WAV: the header is too long");
    assert_eq!(refuse(&file([0x31, 1, 8], &[0])), "unsupported audio: WAV with GSM");
    assert_eq!(refuse(&file([2, 1, 4], &[0])), "unsupported audio: WAV with ADPCM");
    assert_eq!(refuse(&file([1, 9, 16], &[0])), "unsupported audio: 9 channels");
}

/// Joins a file of three samples, of a size that is `claimed`, and what stands behind them.
fn followed(claimed: u32, behind: &[u8]) -> Vec<u8> {
    let mut bytes = file([1, 1, 16], &[1, 0, 2, 0, 3, 0]);
    let size = bytes.len() - 10;
    bytes[size..size + 4].copy_from_slice(&claimed.to_le_bytes());
    bytes.extend(behind);
    bytes
}

#[test]
fn what_stands_behind_the_samples_is_not_heard() {
    let expected = [1.0, 2.0, 3.0].map(|sample: f32| sample / 32_768.0);
    let of = |name: &[u8], body: &[u8]| {
        let size = u32::try_from(body.len()).unwrap().to_le_bytes();
        [name, &size, body].concat()
    };
    for behind in [
        of(b"LIST", b"INFOISFT\x04\0\0\0hark"),
        of(b"C2PA", b"\0\0\0\x20jumb\0\0\0\x18jumdc2pa"),
        of(b"id3 ", b"ID3\x03\0\0\0\0\0\x02.."),
        of(b"bext", &[7; 602]),
        [of(b"cue ", &[1; 28]), of(b"LIST", b"adtllabl....")].concat(),
        of(b"LIST", b"INFOx"),
    ] {
        for claimed in [6, 0, 0x7fff_f000, u32::MAX] {
            check(&followed(claimed, &behind), WavStream::default, &expected);
        }
    }
    // A name that is not known ends samples whose length is.
    check(&followed(6, &of(b"what", &[9; 20])), WavStream::default, &expected);
}

#[test]
fn what_begins_in_the_last_samples_ends_them_however_it_arrives() {
    // Found by fuzzing: the size of the samples ends within the head of what follows.
    for (claimed, behind) in [(8, file([1, 1, 16], &[])), (10, b"LIST\x04\0\0\0abcd".to_vec())] {
        let expected = [1.0, 2.0, 3.0].map(|sample: f32| sample / 32_768.0);
        check(&followed(claimed, &behind), WavStream::default, &expected);
    }
}

#[test]
fn one_file_behind_the_other_is_heard_at_the_rate_of_the_first() {
    let expected = [1.0, 2.0, 3.0, 0.5]
        .map(|sample: f32| if sample < 1.0 { sample } else { sample / 32_768.0 });
    let second = file([1, 1, 16], &[0, 64]);
    for claimed in [6, 0, 0x7fff_f000, u32::MAX] {
        check(&followed(claimed, &second), WavStream::default, &expected);
    }
    let mut faster = file([1, 2, 16], &vec![0; 4 * 44_100]);
    let rate = faster.windows(4).position(|four| four == 22_050_u32.to_le_bytes()).unwrap();
    faster[rate..rate + 4].copy_from_slice(&44_100_u32.to_le_bytes());
    let (mut wav, mut out) = (WavStream::default(), Vec::new());
    wav.push(&followed(0, &faster), &mut out).unwrap();
    wav.finish(&mut out).unwrap();
    assert_eq!((wav.rate(), out.len()), (Some(SampleRate(22_050)), 3 + 22_050));
}

#[test]
fn samples_without_a_header_may_be_stored_in_any_usual_way() {
    let raw = |kind, channels, bytes: &[u8]| {
        let raw = RawPcm { kind, channels, rate: SampleRate(8_000) };
        let (mut wav, mut out) = (WavStream::raw(raw).unwrap(), Vec::new());
        wav.push(bytes, &mut out).unwrap();
        wav.finish(&mut out).unwrap();
        out
    };
    assert_eq!(raw(RawKind::Big16, 1, &[0x40, 0, 0xc0, 0]), [0.5, -0.5]);
    assert_eq!(raw(RawKind::Little16, 2, &[0, 0x40, 0, 0]), [0.25]);
    assert_eq!(raw(RawKind::Float32, 1, &0.25f32.to_le_bytes()), [0.25]);
    assert!((raw(RawKind::MuLaw, 1, &[0x90])[0] - 0.5).abs() < 0.02);
    assert!((raw(RawKind::ALaw, 1, &[0xa5])[0] - 0.5).abs() < 0.02);
}
