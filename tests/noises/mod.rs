//! Makes forty recordings without a word in them: eight kinds, five of each, the same every time.
//!
//! Shared by the tests and by the benches. They are as voice-like as such sounds get in a room and
//! on a street, so that some pass the detector of voices and whatever hears must not find words.

mod breath;
mod music;
mod outside;
mod steady;
mod strikes;
mod synth;

use hark::audio::{AudioLimits, Speech, decode};
use synth::RATE;

/// Length of each, in seconds.
const SECONDS: f32 = 6.0;

/// Makes samples at 16 kHz of a length in seconds.
type Maker = fn(f32) -> Vec<f32>;

/// Five sounds of a kind: name, loudest sample, how it is made.
type Five = [(&'static str, f32, Maker); 5];

const RECORDINGS: [(&str, Five); 8] = [
    ("noise", steady::NOISE),
    ("tone", steady::TONES),
    ("silence", steady::SILENCE),
    ("music", music::MUSIC),
    ("breath", breath::BREATH),
    ("clicks", strikes::CLICKS),
    ("nature", outside::NATURE),
    ("machine", outside::MACHINES),
];

/// Returns every recording with its name, such as `music/organ`.
pub(crate) fn recordings() -> Vec<(String, Speech)> {
    let all = RECORDINGS.iter().flat_map(|(kind, five)| five.iter().map(move |one| (kind, one)));
    all.map(|(kind, (name, peak, make))| {
        let samples = synth::to_peak(make(SECONDS), *peak);
        (format!("{kind}/{name}"), speech(&samples))
    })
    .collect()
}

/// Has hark decode `samples` at 16 kHz, as a WAV file.
fn speech(samples: &[f32]) -> Speech {
    let limits = AudioLimits { bytes: 1 << 24, seconds: 600 };
    decode(&wav(samples), limits).expect("our own WAV file is decoded")
}

/// Writes `samples` at 16 kHz as a WAV file of 32-bit floats, which keeps the faintest.
pub(crate) fn wav(samples: &[f32]) -> Vec<u8> {
    let bytes = u32::try_from(samples.len() * 4).expect("a recording is short");
    let mut file = Vec::with_capacity(44 + samples.len() * 4);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(bytes + 36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x03\0\x01\0");
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(RATE * 4).to_le_bytes());
    file.extend_from_slice(b"\x04\0\x20\0data");
    file.extend_from_slice(&bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}
