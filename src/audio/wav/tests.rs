//! Streams of WAV in pieces of any size.

use super::*;

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
        assert_eq!(wav.rate(), Some(SampleRate(22_050)), "pieces of {size}");
        assert_eq!(out, expected, "pieces of {size}");
    }
}

#[test]
fn any_split_of_the_bytes_gives_the_same_samples() {
    let samples = [0, 16_384, -32_768, 1, -1].map(i16::to_le_bytes).concat();
    let expected = [0.0, 0.5, -1.0, 1.0 / 32_768.0, -1.0 / 32_768.0];
    check(&file([1, 1, 16], &samples), WavStream::default, &expected);
    check(&samples, || WavStream::raw(SampleRate(22_050)), &expected);
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
    let refuse =
        |bytes: &[u8]| WavStream::default().push(bytes, &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(refuse(b"Error: no such voice"), "corrupt audio: WAV: no RIFF header");
    assert_eq!(
        refuse(b"RIFF....WAVEdata\0\0\0\0"),
        "corrupt audio: WAV: no format before the data"
    );
    let endless =
        [b"RIFF....WAVELIST\xff\xff\xff\xff".as_slice(), &[0; MAX_STREAM_HEADER]].concat();
    assert_eq!(refuse(&endless), "corrupt audio: WAV: the header is too long");
    assert_eq!(refuse(&file([0x31, 1, 8], &[0])), "unsupported audio: WAV with GSM");
    assert_eq!(refuse(&file([2, 1, 4], &[0])), "unsupported audio: WAV with ADPCM");
    assert_eq!(refuse(&file([1, 9, 16], &[0])), "unsupported audio: 9 channels");
}
