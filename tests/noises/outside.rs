//! Sounds of weather and of machines.

use super::Five;
use super::synth::{Band, Low, Random, mix, render, rich, sine, struck, swell};

pub(super) const NATURE: Five = [
    ("wind", 0.6, wind),
    ("rain", 0.2, rain),
    ("brook", 0.3, brook),
    ("birds", 0.3, birds),
    ("thunder", 0.8, thunder),
];

pub(super) const MACHINES: Five = [
    ("fan", 0.2, fan),
    ("drill", 0.5, drill),
    ("motorcycle", 0.6, motorcycle),
    ("horn", 0.6, horn),
    ("siren", 0.5, siren),
];

/// Gusts into a microphone, and a whistle in a gap.
fn wind(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(41);
    let (mut rumble, mut gap) = (Low::new(120.0), Band::new(520.0, 40.0));
    let mut strength = Low::new(0.8);
    render(seconds, |t| {
        let gust = 0.3 + (60.0 * strength.pass(random.next())).abs() + 0.3 * sine(0.23, t);
        let noise = random.next();
        gust * (4.0 * rumble.pass(noise) + 2.0 * gap.pass(noise) * gust)
    })
}

fn rain(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(42);
    let (mut far, mut drop) = (Band::new(3_500.0, 4_000.0), Band::new(1_900.0, 700.0));
    render(seconds, |_| {
        let splash = if random.next() > 0.99 { 8.0 * random.next() } else { 0.0 };
        far.pass(random.next()) + drop.pass(splash)
    })
}

/// Bubbles, each a short tone that rises.
fn brook(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(43);
    let mut all = render(seconds, |_| 0.0);
    for at in random.times(seconds, 0.02) {
        let (hz, loud) = (random.between(350.0, 1_600.0), random.between(0.1, 1.0));
        let bubble = |t| loud * sine(hz * (1.0 + 4.0 * t), t) * struck(t, 0.002, 0.015);
        mix(&mut all, at, &render(0.1, bubble));
    }
    let mut flow = Band::new(900.0, 1_200.0);
    let under = render(seconds, |_| 0.5 * flow.pass(random.next()));
    mix(&mut all, 0.0, &under);
    all
}

fn birds(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(44);
    let mut all = render(seconds, |_| 0.0);
    for at in random.times(seconds, 0.6) {
        let (hz, way) = (random.between(2_200.0, 4_200.0), random.between(-900.0, 1_400.0));
        for note in [0.0, 0.12, 0.21, 0.3] {
            let chirp = |t: f32| sine(hz + way * (t * 8.0).sin(), t) * swell(t, 0.0, 0.08);
            mix(&mut all, at + note, &render(0.08, chirp));
        }
    }
    all
}

fn thunder(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(45);
    let (mut low, mut crack) = (Low::new(80.0), Band::new(300.0, 300.0));
    render(seconds, |t| {
        let noise = random.next();
        let roll = 0.6 + 0.4 * sine(1.3, t) * sine(0.7, t);
        let strength = struck(t - 0.8, 0.05, 0.9) + 0.7 * struck(t - 3.6, 0.4, 0.8);
        strength * roll * 6.0 * low.pass(noise)
            + 3.0 * crack.pass(noise) * struck(t - 0.8, 0.01, 0.1)
    })
}

/// A fan with a blade that touches something.
fn fan(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(46);
    let (mut air, mut blade) = (Band::new(450.0, 500.0), Band::new(1_400.0, 300.0));
    render(seconds, |t| {
        let noise = random.next();
        let touch = struck((t * 11.0).fract() / 11.0, 0.001, 0.008);
        air.pass(noise) * (1.0 + 0.3 * sine(33.0, t))
            + blade.pass(noise) * touch
            + 0.1 * sine(120.0, t)
    })
}

/// A drill that starts, labours and stops, twice.
fn drill(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(47);
    let (mut speed, mut turns) = (Low::new(1.5), 0.0f32);
    let mut case = [(850.0, 200.0), (2_300.0, 500.0)].map(|(h, w)| Band::new(h, w));
    render(seconds, |t| {
        let on = (t / 3.0).fract() < 0.7;
        let hz = speed.pass(if on { 210.0 } else { 0.0 });
        turns += hz * (1.0 - 0.15 * swell(t % 3.0, 0.8, 1.9)) / 16_000.0;
        let motor = rich(1.0, turns.fract(), 9, 0.6) + 0.4 * random.next();
        case.iter_mut().map(|band| band.pass(motor)).sum::<f32>() * hz / 210.0
    })
}

fn motorcycle(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(48);
    let mut pipe = [(180.0, 90.0), (520.0, 160.0), (1_250.0, 400.0)].map(|(h, w)| Band::new(h, w));
    let mut turns = 0.0f32;
    render(seconds, |t| {
        let throttle = swell(t % 2.4, 0.2, 2.0);
        turns += (35.0 + 70.0 * throttle) / 16_000.0;
        let bang = if turns >= 1.0 { 10.0 + 3.0 * random.next() } else { 0.0 };
        turns = turns.fract();
        let exhaust = bang + 0.3 * random.next();
        (0.4 + throttle) * pipe.iter_mut().map(|band| band.pass(exhaust)).sum::<f32>()
    })
}

/// A car's horn, impatient.
fn horn(seconds: f32) -> Vec<f32> {
    const BLASTS: [(f32, f32); 5] = [(0.4, 0.3), (0.9, 0.9), (2.6, 0.2), (3.0, 0.2), (3.6, 1.6)];
    let mut reed = Band::new(1_800.0, 900.0);
    render(seconds, |t| {
        let blown = BLASTS.iter().any(|(at, long)| (*at..at + long).contains(&t));
        let tone = rich(420.0, t, 10, 0.5) + rich(510.0, t, 10, 0.5);
        reed.pass(if blown { tone } else { 0.0 })
    })
}

/// An ambulance that passes by: two tones, then a wail.
fn siren(seconds: f32) -> Vec<f32> {
    let (mut turns, mut cone) = (0.0f32, Band::new(1_100.0, 700.0));
    render(seconds, |t| {
        let near = 0.2 + swell(t, 0.0, seconds);
        let two = if (t / 0.7).fract() < 0.5 { 435.0 } else { 580.0 };
        let wail = 700.0 + 350.0 * sine(0.5, t);
        turns += (if t < 3.5 { two } else { wail }) * (1.03 - 0.01 * t) / 16_000.0;
        near * cone.pass(rich(1.0, turns.fract(), 6, 0.7))
    })
}
