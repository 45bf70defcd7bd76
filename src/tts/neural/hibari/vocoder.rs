//! Makes sound of what hibari's network describes, frame by frame as somebody listens.
//!
//! Three parts are added in the spectrum of each frame: pulses of the pitch, as loud and as turned
//! as the network says; noise; and what has a phase of its own. Frames of 1,200 samples overlap to
//! a quarter. Pure: the same frames and seed make the same samples.

use std::f32::consts::{PI, TAU};
use std::f64;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::network::{BINS, Frames};

/// Samples a second.
pub(super) const RATE: u16 = 24_000;

/// Samples of a frame's spectrum, and from one frame to the next.
const WINDOW: usize = 1_200;
const HOP: usize = 300;

/// The same as a number.
const WINDOW_F: f32 = 1_200.0;

/// Frame `n` lies around sample `n * HOP`: so many of its samples come before.
const BEFORE: usize = WINDOW / 2;

/// Frames that are sounded at a time: 0.5 s.
const AT_ONCE: usize = 40;

/// Pitch in Hz below which there is no voice.
const VOICED: f32 = 40.0;

/// No harmonic of a pulse is above it, in Hz.
const HIGHEST: f32 = 11_000.0;

/// Largest logarithm of a loudness; what is above is a mistake of the network.
const LOUDEST: f32 = 7.0;

/// Holds what does not change from one sentence to the next.
#[derive(Clone)]
pub(super) struct Vocoder {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Arc<[f32]>,
}

impl Vocoder {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        #[expect(clippy::cast_precision_loss, reason = "at most 1200")]
        let hann = |at: usize| 0.5 - 0.5 * (TAU * at as f32 / WINDOW_F).cos();
        Self {
            forward: planner.plan_fft_forward(WINDOW),
            inverse: planner.plan_fft_inverse(WINDOW),
            window: (0..WINDOW).map(hann).collect(),
        }
    }

    /// Starts to sound `frames`.
    pub(super) fn sound(&self, frames: Frames, seed: u64) -> Sounding {
        Sounding {
            vocoder: self.clone(),
            random: fastrand::Rng::with_seed(seed),
            pulses: pulses(&frames.pitch),
            frames,
            next: 0,
            sum: vec![0.0; WINDOW],
            weight: vec![0.0; WINDOW],
            values: std::array::from_fn(|_| vec![0.0; BINS]),
            spectrum: vec![Complex32::ZERO; BINS],
            samples: vec![0.0; WINDOW],
        }
    }
}

/// Sounds one sentence, bit by bit.
pub(in crate::tts::neural) struct Sounding {
    vocoder: Vocoder,
    random: fastrand::Rng,
    frames: Frames,
    pulses: Vec<f32>,
    next: usize,
    /// Overlapping frames from the first sample of the last one on, and the squares of their windows.
    sum: Vec<f32>,
    weight: Vec<f32>,
    /// One frame of each of the network's spectra, and room for the sum of all.
    values: [Vec<f32>; 5],
    spectrum: Vec<Complex32>,
    samples: Vec<f32>,
}

impl Sounding {
    /// Appends the next samples to `sound`; returns whether more follow.
    pub(in crate::tts::neural) fn next(&mut self, sound: &mut Vec<f32>) -> bool {
        let all = self.frames.pitch.len();
        for frame in self.next..all.min(self.next + AT_ONCE) {
            self.pulses_of(frame);
            self.add_frame(frame);
            // The first two reach back to before the beginning.
            let from = if frame < BEFORE / HOP { HOP } else { 0 };
            self.take(HOP, from, sound);
            self.next = frame + 1;
        }
        if self.next < all {
            return true;
        }
        if all > 0 {
            self.take(BEFORE, BEFORE.saturating_sub(all * HOP), sound);
        }
        false
    }

    /// Appends the first `count` samples to `sound`, without the first `skip` of them: no other frame
    /// will reach them.
    fn take(&mut self, count: usize, skip: usize, sound: &mut Vec<f32>) {
        let done = self.sum.iter().zip(&self.weight).take(count).skip(skip);
        sound.extend(done.map(|(sum, weight)| sum / weight.max(1e-11)));
        for kept in [&mut self.sum, &mut self.weight] {
            kept.copy_within(count.., 0);
            kept[WINDOW - count..].fill(0.0);
        }
    }

    /// Leaves the spectrum of the pulses around `frame` in `self.spectrum`.
    fn pulses_of(&mut self, frame: usize) {
        let Vocoder { forward, window, .. } = &self.vocoder;
        for (at, (sample, window)) in self.samples.iter_mut().zip(window.iter()).enumerate() {
            // Twice the mean of the window is 1: a harmonic is as loud as its logarithm says.
            *sample = mirrored(&self.pulses, frame * HOP + at) * window / (WINDOW_F / 4.0);
        }
        forward
            .process(&mut self.samples, &mut self.spectrum)
            .expect("the plan is for such lengths");
    }

    /// Makes the spectrum of `frame` from that of its pulses, and adds its sound to the sum.
    fn add_frame(&mut self, frame: usize) {
        let Frames { voiced, turn, noise, free, phase, .. } = &self.frames;
        for (spectra, values) in [voiced, turn, noise, free, phase].iter().zip(&mut self.values) {
            spectra.copy_frame(frame, values);
        }
        let [voiced, turn, noise, free, phase] = &self.values;
        let loud = |logarithm: f32| logarithm.min(LOUDEST).exp();
        for (bin, sum) in self.spectrum.iter_mut().enumerate() {
            let turned = Complex32::from_polar(loud(voiced[bin]), PI * turn[bin].tanh());
            let hiss = normal(&mut self.random) * loud(noise[bin]);
            *sum = *sum * turned + hiss + Complex32::from_polar(loud(free[bin]), phase[bin]);
        }
        // A real signal has none.
        self.spectrum[0].im = 0.0;
        self.spectrum[BINS - 1].im = 0.0;
        let Vocoder { inverse, window, .. } = &self.vocoder;
        inverse
            .process(&mut self.spectrum, &mut self.samples)
            .expect("the plan is for such lengths");
        for (at, window) in window.iter().enumerate() {
            self.sum[at] += self.samples[at] * window / WINDOW_F;
            self.weight[at] += window * window;
        }
    }
}

/// Returns the sample that is `at` positions after the one that is [`BEFORE`] the first; at both ends
/// sound goes on as in a mirror.
fn mirrored(samples: &[f32], at: usize) -> f32 {
    let Some(last) = samples.len().checked_sub(1) else { return 0.0 };
    let at = at.abs_diff(BEFORE);
    let at = if at > last { (2 * last).saturating_sub(at) } else { at };
    samples[at]
}

/// Returns two independent normal values as one complex number.
fn normal(random: &mut fastrand::Rng) -> Complex32 {
    let loudness = (-2.0 * (1.0 - random.f32()).ln()).sqrt();
    Complex32::from_polar(loudness, TAU * random.f32())
}

/// Returns pulses of the pitch, sample by sample: every harmonic up to [`HIGHEST`] is as loud as the
/// others. Silence where there is no voice.
fn pulses(pitch: &[f32]) -> Vec<f32> {
    let mut pulses = Vec::with_capacity(pitch.len() * HOP);
    let mut turns = 0.0_f64;
    for (frame, here) in pitch.iter().enumerate() {
        let before = pitch[frame.saturating_sub(1)];
        let after = pitch[(frame + 1).min(pitch.len() - 1)];
        for at in 0..HOP {
            // A frame's pitch is that of its middle.
            #[expect(clippy::cast_precision_loss, reason = "at most 300")]
            let way = (at as f32 + 0.5) / HOP as f32 - 0.5;
            let other = if way < 0.0 { before } else { after };
            let hz = here + (other - here) * way.abs();
            turns = (turns + f64::from(hz.max(VOICED)) / f64::from(RATE)).fract();
            #[expect(clippy::cast_possible_truncation, reason = "from 0 to one turn")]
            let angle = (turns * f64::consts::TAU) as f32;
            pulses.push(if hz > VOICED { pulse(hz, angle) } else { 0.0 });
        }
    }
    pulses
}

/// Returns the sum of the cosines of `angle` and its multiples up to [`HIGHEST`] for a pitch of `hz`.
fn pulse(hz: f32, angle: f32) -> f32 {
    let harmonics = (HIGHEST / hz).floor() + 0.5;
    let below = 2.0 * (0.5 * angle).sin();
    let sum = if below.abs() > 2e-3 { (harmonics * angle).sin() / below } else { harmonics };
    sum - 0.5
}
