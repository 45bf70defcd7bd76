//! Sounds that go on as they are: noise, tones, and silence as microphones record it.

use super::Five;
use super::synth::{Band, Low, Random, render, sine};

pub(super) const NOISE: Five = [
    ("white", 0.2, white),
    ("pink", 0.3, pink),
    ("brown", 0.5, brown),
    ("car", 0.4, car),
    ("vacuum", 0.3, vacuum),
];

pub(super) const TONES: Five = [
    ("sine", 0.3, |seconds| render(seconds, |t| sine(440.0, t))),
    ("square", 0.2, |seconds| render(seconds, |t| sine(220.0, t).signum())),
    ("sweep", 0.3, sweep),
    ("keys", 0.3, keys),
    ("ringing", 0.3, ringing),
];

pub(super) const SILENCE: Five = [
    ("digital", 0.0, |seconds| render(seconds, |_| 0.0)),
    ("dither", 3e-5, white),
    ("offset", 0.05, offset),
    ("hum", 2e-3, hum),
    ("room", 4e-3, room),
];

fn white(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(1);
    render(seconds, |_| random.next())
}

/// Halves its power with each octave: a sum of noises that change at different speeds.
fn pink(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(2);
    let mut layers: Vec<Low> = [12.0, 60.0, 300.0, 1_500.0, 7_000.0].map(Low::new).into();
    let gains = [26.0, 12.0, 5.5, 2.4, 1.0];
    render(seconds, |_| layers.iter_mut().zip(gains).map(|(l, g)| g * l.pass(random.next())).sum())
}

fn brown(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(3);
    let mut low = Low::new(20.0);
    render(seconds, |_| low.pass(random.next()))
}

/// The cabin of a car: rolling, an engine that pulls and shifts, a seam of the road now and then.
fn car(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(4);
    let (mut rolling, mut wind, mut seam) = (Low::new(90.0), Band::new(700.0, 900.0), 0.0f32);
    let mut turns = 0.0;
    render(seconds, |t| {
        turns += (28.0 + 14.0 * (t * 0.4).fract()) / 16_000.0;
        let engine = sine(1.0, turns) + 0.6 * sine(2.0, turns) + 0.3 * sine(4.0, turns);
        seam = if (t * 1.7).fract() < 1e-4 { 1.0 } else { seam * 0.998 };
        let noise = random.next();
        6.0 * rolling.pass(noise) * (1.0 + seam) + 0.25 * engine + 1.5 * wind.pass(noise)
    })
}

fn vacuum(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(5);
    let mut bands =
        [(310.0, 60.0), (1_240.0, 300.0), (3_100.0, 900.0)].map(|(h, w)| Band::new(h, w));
    render(seconds, |t| {
        let noise = random.next();
        let air: f32 = bands.iter_mut().map(|band| band.pass(noise)).sum();
        air * (1.0 + 0.4 * sine(0.6, t)) + 0.05 * sine(310.0 + 6.0 * sine(0.5, t), t)
    })
}

fn sweep(seconds: f32) -> Vec<f32> {
    let mut turns = 0.0;
    render(seconds, |t| {
        turns += 150.0 * (20.0f32).powf((t / 3.0).fract()) / 16_000.0;
        sine(1.0, turns)
    })
}

/// A telephone number on the keys of a telephone.
fn keys(seconds: f32) -> Vec<f32> {
    const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS: [f32; 3] = [1_209.0, 1_336.0, 1_477.0];
    const NUMBER: [(usize, usize); 8] =
        [(3, 1), (0, 0), (2, 1), (1, 2), (1, 1), (0, 2), (2, 0), (0, 1)];
    let mut count = 0usize;
    let mut was_on = false;
    render(seconds, |t| {
        let on = (t * 2.5).fract() < 0.5;
        count += usize::from(on && !was_on);
        was_on = on;
        let (row, column) = NUMBER[count % NUMBER.len()];
        if on { sine(ROWS[row], t) + sine(COLUMNS[column], t) } else { 0.0 }
    })
}

/// What one hears while another telephone rings.
fn ringing(seconds: f32) -> Vec<f32> {
    let tone = |t: f32| sine(440.0, t) + sine(480.0, t);
    render(seconds, |t| if (t / 3.0).fract() < 0.4 { tone(t) } else { 0.0 })
}

fn offset(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(6);
    render(seconds, |_| 1.0 + 0.01 * random.next())
}

fn hum(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(7);
    let mains =
        |t| sine(50.0, t) + 0.5 * sine(100.0, t) + 0.3 * sine(150.0, t) + 0.1 * sine(350.0, t);
    render(seconds, |t| mains(t) + 0.1 * random.next())
}

/// The hiss of a microphone in a quiet room, where something moves far away.
fn room(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(8);
    let (mut hiss, mut far) = (Band::new(2_000.0, 3_000.0), Band::new(260.0, 120.0));
    render(seconds, |t| {
        let noise = random.next();
        hiss.pass(noise) + 2.0 * far.pass(noise) * sine(0.31, t).max(0.0)
    })
}
