//! Generates signals and measures them; compiled for tests only.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the numbers are small and the tests' own"
)]

use crate::audio::SampleRate;

/// Makes a sine of `hz` and `amplitude`, `seconds` long.
pub(in crate::audio) fn tone(rate: u32, hz: f64, seconds: f64, amplitude: f64) -> Vec<f32> {
    let rate = f64::from(rate);
    (0..(seconds * rate).round() as usize)
        .map(|n| (amplitude * (std::f64::consts::TAU * hz * n as f64 / rate).sin()) as f32)
        .collect()
}

/// Makes a gliding tone whose loudness rises and falls once a second.
pub(crate) fn swelling(seconds: u32, rate: SampleRate) -> Vec<f32> {
    let mut phase = 0.0_f64;
    (0..seconds * rate.0)
        .map(|index| {
            let at = f64::from(index) / f64::from(rate.0);
            phase += (180.0 + 60.0 * (at * 3.0).sin()) * std::f64::consts::TAU / f64::from(rate.0);
            (0.4 * (at.fract() * std::f64::consts::PI).sin().powi(2) * phase.sin()) as f32
        })
        .collect()
}

/// Makes uniform pseudo-random numbers in [-1, 1), the same for the same seed.
pub(in crate::audio) fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 40) as f32 / (1u64 << 23) as f32) - 1.0
    }
}

/// Makes a signal that an encoder finds as hard as speech: a gliding glottal pulse train through
/// three moving formants, in syllables with pauses, with breath noise of amplitude `breath`.
pub(in crate::audio) fn speechlike(rate: u32, seconds: f64, breath: f32) -> Vec<f32> {
    let mut random = noise(7);
    let rate = f64::from(rate);
    let mut phase = 0.0;
    let mut state = [[0.0f64; 2]; 3];
    (0..(seconds * rate).round() as usize)
        .map(|n| {
            let t = n as f64 / rate;
            phase += (120.0 + 30.0 * (t * 1.7).sin()) / rate;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase = phase.fract();
            let syllable = (t * 3.1).fract();
            let open =
                if syllable < 0.75 { (syllable / 0.75 * std::f64::consts::PI).sin() } else { 0.0 };
            let voiced = f64::from(u8::from((t * 0.7).fract() < 0.8));
            let source =
                open * (voiced * pulse * 3.0 + f64::from(random() * breath) * (1.5 - voiced));
            let centres = [
                500.0 + 200.0 * (t * 2.3).sin(),
                1500.0 + 500.0 * (t * 1.9).cos(),
                2600.0 + 300.0 * (t * 3.7).sin(),
            ];
            let mut sum = f64::from(random()) * f64::from(breath) * 0.02;
            for (memory, hz) in state.iter_mut().zip(centres) {
                let r = (-std::f64::consts::PI * 90.0 / rate).exp();
                let y = source + 2.0 * r * (std::f64::consts::TAU * hz / rate).cos() * memory[0]
                    - r * r * memory[1];
                *memory = [y, memory[0]];
                sum += y * 0.05;
            }
            sum.clamp(-0.95, 0.95) as f32
        })
        .collect()
}

/// Measures the amplitude of the sine at `hz` in `samples` (Goertzel with a Hann window).
pub(in crate::audio) fn amplitude_at(samples: &[f32], rate: u32, hz: f64) -> f64 {
    let (mut re, mut im, mut sum) = (0.0, 0.0, 0.0);
    for (n, &x) in samples.iter().enumerate() {
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / samples.len() as f64).cos();
        let angle = std::f64::consts::TAU * hz * n as f64 / f64::from(rate);
        re += f64::from(x) * window * angle.cos();
        im += f64::from(x) * window * angle.sin();
        sum += window;
    }
    2.0 * (re * re + im * im).sqrt() / sum
}

/// Computes the root mean square.
pub(in crate::audio) fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len().max(1) as f64)
        .sqrt()
}
