//! The parts that recordings are made of: random numbers, filters, shapes in time.

#![expect(clippy::cast_precision_loss, reason = "a recording has far fewer than 2^24 samples")]

use std::f32::consts::{PI, TAU};

/// Samples a second.
pub(super) const RATE: u32 = 16_000;
pub(super) const HZ: f32 = 16_000.0;

/// Gives pseudo-random numbers, the same for the same seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns the next in [-1, 1).
    pub(super) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 40) as f32 / (1u64 << 23) as f32) - 1.0
    }

    /// Returns the next between `low` and `high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() + 1.0) / 2.0
    }

    /// Makes times in seconds below `seconds` that are about `apart` from one another.
    pub(super) fn times(&mut self, seconds: f32, apart: f32) -> Vec<f32> {
        let mut times = Vec::new();
        let mut at = self.between(0.1, apart);
        while at < seconds {
            times.push(at);
            at += apart * self.between(0.5, 1.5);
        }
        times
    }
}

/// Lets one band of frequencies through.
pub(super) struct Band {
    gain: f32,
    feedback: [f32; 2],
    past: [f32; 2],
}

impl Band {
    /// Makes a resonance around `hz` that is `width` Hz wide.
    pub(super) fn new(hz: f32, width: f32) -> Self {
        let radius = (-PI * width / HZ).exp();
        let feedback = [2.0 * radius * (TAU * hz / HZ).cos(), -radius * radius];
        Self { gain: 1.0 - radius, feedback, past: [0.0; 2] }
    }

    pub(super) fn pass(&mut self, sample: f32) -> f32 {
        let [a, b] = self.feedback;
        let now = self.gain * sample + a * self.past[0] + b * self.past[1];
        self.past = [now, self.past[0]];
        now
    }
}

/// Lets what is below a frequency through.
pub(super) struct Low(f32, f32);

impl Low {
    pub(super) fn new(hz: f32) -> Self {
        Self(1.0 - (-TAU * hz / HZ).exp(), 0.0)
    }

    pub(super) fn pass(&mut self, sample: f32) -> f32 {
        self.1 += self.0 * (sample - self.1);
        self.1
    }
}

/// Renders a sound from its value at each time in seconds.
pub(super) fn render(seconds: f32, sound: impl FnMut(f32) -> f32) -> Vec<f32> {
    let times = (0..=u32::MAX).map(|n| n as f32 / HZ);
    times.take_while(|t| *t < seconds).map(sound).collect()
}

/// Adds `sound` to `to` from `at` seconds on.
pub(super) fn mix(to: &mut [f32], at: f32, sound: &[f32]) {
    let skipped = render(at, |_| 0.0).len().min(to.len());
    for (sample, more) in to[skipped..].iter_mut().zip(sound) {
        *sample += more;
    }
}

/// Scales samples so that the loudest is `peak`.
pub(super) fn to_peak(mut samples: Vec<f32>, peak: f32) -> Vec<f32> {
    let loudest = samples.iter().fold(f32::MIN_POSITIVE, |most, s| most.max(s.abs()));
    for sample in &mut samples {
        *sample *= peak / loudest;
    }
    samples
}

/// Returns a sine of `hz` at `t`.
pub(super) fn sine(hz: f32, t: f32) -> f32 {
    (TAU * (hz * t).fract()).sin()
}

/// Returns a tone of `hz` with the overtones of a reed or a string at `t`.
pub(super) fn rich(hz: f32, t: f32, overtones: u8, fall: f32) -> f32 {
    (1..=overtones).map(f32::from).map(|n| sine(hz * n, t) * n.powf(-fall)).sum()
}

/// Rises from 0 to 1 in `attack` seconds and then falls by half every `half` seconds.
pub(super) fn struck(t: f32, attack: f32, half: f32) -> f32 {
    if t < 0.0 { 0.0 } else { (t / attack).min(1.0) * (-t.max(0.0) / half).exp2() }
}

/// Rises and falls once between `from` and `to`, as a breath does.
pub(super) fn swell(t: f32, from: f32, to: f32) -> f32 {
    let part = (t - from) / (to - from);
    if (0.0..1.0).contains(&part) { (part * PI).sin().powi(2) } else { 0.0 }
}
