//! Music without a singer.

use super::Five;
use super::synth::{Band, Low, Random, mix, render, rich, sine, struck};

pub(super) const MUSIC: Five = [
    ("chords", 0.4, chords),
    ("arpeggio", 0.4, arpeggio),
    ("drums", 0.6, drums),
    ("violin", 0.4, violin),
    ("organ", 0.4, organ),
];

/// Returns the frequency of a note, in semitones from the A below middle C.
fn note(semitones: f32) -> f32 {
    220.0 * (semitones / 12.0).exp2()
}

/// A piano's chords, one every second and a half.
fn chords(seconds: f32) -> Vec<f32> {
    const CHORDS: [[f32; 4]; 4] = [
        [-9.0, 3.0, 7.0, 10.0],
        [-12.0, 0.0, 3.0, 7.0],
        [-16.0, -4.0, 0.0, 3.0],
        [-14.0, -2.0, 2.0, 5.0],
    ];
    let mut all = render(seconds, |_| 0.0);
    for (at, chord) in [0.0, 1.5, 3.0, 4.5].into_iter().zip(CHORDS) {
        for semitones in chord {
            let hz = note(semitones);
            let key = |t| rich(hz, t, 8, 1.4) * struck(t, 0.004, 0.35);
            mix(&mut all, at, &render(1.6, key));
        }
    }
    all
}

/// A plucked guitar, six notes a second.
fn arpeggio(seconds: f32) -> Vec<f32> {
    const NOTES: [f32; 8] = [-9.0, -2.0, 3.0, 7.0, 10.0, 7.0, 3.0, -2.0];
    let mut random = Random::new(11);
    let mut all = render(seconds, |_| 0.0);
    let mut at = 0.0;
    for semitones in NOTES.into_iter().cycle() {
        if at >= seconds {
            break;
        }
        let hz = note(semitones);
        let string = |t| rich(hz, t, 12, 1.0) * struck(t, 0.002, 0.12);
        mix(&mut all, at, &render(0.9, string));
        at += 1.0 / 6.0 * random.between(0.97, 1.03);
    }
    all
}

/// A loop of drums: bass drum, snare, hi-hat.
fn drums(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(12);
    let (mut body, mut metal) = (Band::new(190.0, 120.0), Band::new(6_500.0, 2_500.0));
    render(seconds, |t| {
        let beat = t * 2.0;
        let (bass, snare) = ((beat * 0.5).fract(), (beat * 0.5 + 0.5).fract());
        let hat = (beat * 2.0).fract();
        let noise = random.next();
        let kick = sine(50.0 + 60.0 * (-bass * 30.0).exp(), bass) * struck(bass, 0.003, 0.06);
        kick + (0.3 * noise + 2.0 * body.pass(noise)) * struck(snare, 0.001, 0.05)
            + 1.5 * metal.pass(noise) * struck(hat / 4.0, 0.001, 0.012)
    })
}

/// A melody with the vibrato and the slides of a violin, which detectors take for a voice.
fn violin(seconds: f32) -> Vec<f32> {
    const MELODY: [f32; 10] = [3.0, 5.0, 7.0, 3.0, 10.0, 8.0, 7.0, 5.0, 3.0, -2.0];
    let mut random = Random::new(13);
    let (mut slide, mut turns) = (Low::new(12.0), 0.0f32);
    let mut body =
        [(480.0, 90.0), (1_150.0, 200.0), (2_700.0, 500.0)].map(|(h, w)| Band::new(h, w));
    let mut next = MELODY.into_iter().cycle();
    let (mut semitones, mut beat) = (3.0, 0.0f32);
    render(seconds, |t| {
        if (t / 0.6).floor() > beat {
            beat += 1.0;
            semitones = next.next().unwrap_or_default();
        }
        let hz = note(slide.pass(semitones)) * (1.0 + 0.008 * sine(5.6, t));
        turns += hz / 16_000.0;
        let bow = 2.0 * turns.fract() - 1.0 + 0.03 * random.next();
        let strength = 0.6 + 0.4 * ((t / 0.6).fract() * std::f32::consts::PI).sin();
        strength * body.iter_mut().map(|band| band.pass(bow)).sum::<f32>()
    })
}

/// A pipe organ in a large room.
fn organ(seconds: f32) -> Vec<f32> {
    const CHORDS: [[f32; 3]; 3] = [[-9.0, 3.0, 7.0], [-7.0, 2.0, 10.0], [-12.0, 3.0, 12.0]];
    let mut dry = render(seconds, |_| 0.0);
    for (at, chord) in [0.2, 2.1, 4.0].into_iter().zip(CHORDS) {
        for semitones in chord {
            let hz = note(semitones);
            let pipe = |t| rich(hz, t, 5, 0.8) * struck(t, 0.08, 3.0);
            mix(&mut dry, at, &render(1.9, pipe));
        }
    }
    let mut wet = dry.clone();
    for (late, gain) in [(0.031, 0.6), (0.047, 0.5), (0.083, 0.4), (0.131, 0.3), (0.211, 0.2)] {
        let echo: Vec<f32> = dry.iter().map(|sample| sample * gain).collect();
        mix(&mut wet, late, &echo);
    }
    wet
}
