//! Sounds to listen to: what espeak-ng says, what ffmpeg makes of it, and what nobody said.

use std::f64::consts::TAU;
use std::process::Stdio;

use codec_core::codecs::amr::AmrCodec;
use codec_core::types::{CodecConfig, FrameKind, VariableRateCodec as _};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Rate of the sounds made here, samples a second.
pub(crate) const RATE: usize = 16_000;

/// What a voice of espeak-ng says, as a WAV file of 22.05 kHz.
pub(crate) async fn spoken(voice: &str, text: &str) -> Vec<u8> {
    // To a pipe espeak-ng writes a length that is not true.
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let how = ["-v", voice, "-s", "160", "-w", output.to_str().unwrap(), "--", text];
    run("espeak-ng", &how, &[]).await;
    std::fs::read(output).unwrap()
}

/// A sound file in another format, as ffmpeg's `arguments` say, which end in `-f` and a format.
pub(crate) async fn converted(file: &[u8], arguments: &str) -> Vec<u8> {
    // MP4 is written by going back in the file, so that a pipe will not do.
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let output = output.to_str().unwrap();
    let quiet = "-nostdin -loglevel error -y -i pipe:0".split(' ');
    let arguments: Vec<&str> = quiet.chain(arguments.split(' ')).chain([output]).collect();
    run("ffmpeg", &arguments, file).await;
    std::fs::read(output).unwrap()
}

/// Runs an installed program to its good end.
async fn run(program: &str, arguments: &[&str], input: &[u8]) {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().unwrap_or_else(|error| panic!("{program}: {error}; run `make deps`"));
    let mut stdin = child.stdin.take().unwrap();
    let feed = async {
        // ffmpeg leaves early once it has read what it needs.
        stdin.write_all(input).await.ok();
        drop(stdin);
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), feed);
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// An AMR file of 16 kHz samples, with pauses that are not sent.
pub(crate) fn amr(samples: &[f32], config: &CodecConfig) -> Vec<u8> {
    let mut codec = AmrCodec::new(config).unwrap();
    codec.set_allow_dtx(true);
    let variant = codec.variant();
    // Every second sample is 8 kHz: that high sounds fold over does not matter here.
    let step = 16_000 / variant.sample_rate() as usize;
    #[expect(clippy::cast_possible_truncation, reason = "samples are in -1 to 1")]
    let narrow: Vec<i16> =
        samples.iter().step_by(step).map(|sample| (sample * 32_767.0) as i16).collect();
    let mut file = variant.storage_magic().to_vec();
    for samples in narrow.chunks_exact(variant.frame_samples()) {
        let frame = codec.encode_frame(samples).unwrap();
        let kind = match frame.kind {
            FrameKind::Speech => frame.mode,
            FrameKind::ComfortNoise => variant.sid_frame_type(),
            FrameKind::NoData | FrameKind::Lost => 15,
        };
        file.push(kind << 3 | 4);
        file.extend(frame.data);
    }
    file
}

/// A WAV file of samples from -1 to 1: mono, 16 bits.
pub(crate) fn wav(samples: &[f64]) -> Vec<u8> {
    let bytes = u32::try_from(2 * samples.len()).unwrap();
    let rate = u32::try_from(RATE).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    for number in [16, 1 | 1 << 16, rate, 2 * rate, 2 | 16 << 16] {
        file.extend(number.to_le_bytes());
    }
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    for sample in samples {
        #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
        let sample = (sample * 32_767.0).clamp(-32_767.0, 32_767.0) as i16;
        file.extend(sample.to_le_bytes());
    }
    file
}

/// `seconds` of a function of time in seconds.
#[expect(clippy::cast_precision_loss, reason = "a minute of samples")]
fn over(seconds: usize, mut sound: impl FnMut(f64) -> f64) -> Vec<f64> {
    (0..seconds * RATE).map(|n| sound(n as f64 / RATE as f64)).collect()
}

/// Every frequency equally loud; `loud` is the largest amplitude.
pub(crate) fn white_noise(seconds: usize, loud: f64) -> Vec<f64> {
    let mut random = random(1);
    over(seconds, |_| loud * random())
}

/// Louder the lower, as wind and traffic: white noise through Paul Kellet's filter of three poles.
pub(crate) fn pink_noise(seconds: usize, loud: f64) -> Vec<f64> {
    let (mut random, mut poles) = (random(2), [0.0_f64; 3]);
    over(seconds, |_| {
        let white = random();
        let filter = [(0.99765, 0.099_046), (0.963, 0.296_516_4), (0.57, 1.052_691_3)];
        for (pole, (keep, take)) in poles.iter_mut().zip(filter) {
            *pole = keep * *pole + take * white;
        }
        // The sum reaches about 5.
        loud * 0.2 * (poles.iter().sum::<f64>() + 0.1848 * white)
    })
}

/// Chords of a guitar or a piano, two a second: each note with its overtones, struck and dying.
pub(crate) fn chords(seconds: usize) -> Vec<f64> {
    let roots = [220.0, 174.6, 261.6, 196.0];
    over(seconds, |t| {
        let (root, since) = (turn(&roots, t * 2.0), (t * 2.0).fract() / 2.0);
        let note = |ratio: f64| {
            let overtone = |n: f64| (TAU * root * ratio * n * t).sin() / (n * n);
            (1..=6).map(f64::from).map(overtone).sum::<f64>()
        };
        0.12 * (-5.0 * since).exp() * [1.0, 1.25, 1.5, 2.0].map(note).iter().sum::<f64>()
    })
}

/// A tune of single notes, four a second, with vibrato: what is nearest to a voice.
pub(crate) fn tune(seconds: usize) -> Vec<f64> {
    let steps = [0.0, 4.0, 7.0, 12.0, 11.0, 7.0, 5.0, 2.0, 0.0, 9.0, 5.0, 4.0];
    let mut phase = 0.0;
    over(seconds, |t| {
        let (step, since) = (turn(&steps, t * 4.0), (t * 4.0).fract());
        let hz = 262.0 * 2.0_f64.powf(step / 12.0);
        phase += hz * (1.0 + 0.01 * (TAU * 5.5 * t).sin()) / 16_000.0;
        let swell = (std::f64::consts::PI * since).sin();
        let overtone = |n: f64| (TAU * phase * n).sin() / n;
        0.2 * swell * (1..=5).map(f64::from).map(overtone).sum::<f64>()
    })
}

/// Which of `notes` is played at `beat`, one after the other and again.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a minute of beats")]
fn turn(notes: &[f64], beat: f64) -> f64 {
    notes[beat as usize % notes.len()]
}

/// A whistle that goes up and down through all of speech's frequencies, every 3 s.
pub(crate) fn sweeps(seconds: usize) -> Vec<f64> {
    let mut phase = 0.0;
    over(seconds, |t| {
        let up = 1.0 - (2.0 * (t / 3.0).fract() - 1.0).abs();
        phase += 100.0 * 40.0_f64.powf(up) / 16_000.0;
        0.3 * (TAU * phase).sin()
    })
}

/// Knocks, three a second: a few milliseconds of noise each.
pub(crate) fn knocks(seconds: usize) -> Vec<f64> {
    let mut random = random(3);
    over(seconds, |t| 0.8 * random() * (-300.0 * (t * 3.0).fract() / 3.0).exp())
}

/// Pseudo-random numbers from -1 to 1, the same for the same seed.
fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX) * 2.0 - 1.0
    }
}
