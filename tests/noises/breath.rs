//! Sounds of people that are no words.

use super::Five;
use super::synth::{Band, Random, mix, render, struck, swell};

pub(super) const BREATH: Five = [
    ("calm", 0.05, calm),
    ("close", 0.4, close),
    ("panting", 0.2, panting),
    ("snoring", 0.3, snoring),
    ("coughing", 0.6, coughing),
];

/// Sends noise through a mouth: `places` are its resonances and how open they are.
fn mouth(random: &mut Random, places: &mut [Band]) -> f32 {
    let air = random.next();
    places.iter_mut().map(|place| place.pass(air)).sum::<f32>() + 0.02 * air
}

fn places(all: [(f32, f32); 3]) -> [Band; 3] {
    all.map(|(hz, width)| Band::new(hz, width))
}

/// In through the nose and out through the mouth, every three seconds.
fn calm(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(21);
    let mut nose = places([(900.0, 500.0), (2_100.0, 900.0), (5_200.0, 1_500.0)]);
    let mut lips = places([(600.0, 300.0), (1_300.0, 500.0), (2_600.0, 900.0)]);
    render(seconds, |t| {
        let at = t % 3.0;
        mouth(&mut random, &mut nose) * swell(at, 0.1, 1.2)
            + 1.5 * mouth(&mut random, &mut lips) * swell(at, 1.3, 2.6)
    })
}

/// Into the microphone, which the air overdrives.
fn close(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(22);
    let mut lips = places([(110.0, 150.0), (480.0, 250.0), (1_500.0, 600.0)]);
    render(seconds, |t| {
        let blow = mouth(&mut random, &mut lips) * swell(t % 2.2, 0.2, 1.5);
        (12.0 * blow).tanh()
    })
}

fn panting(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(23);
    let mut throat = places([(650.0, 160.0), (1_250.0, 220.0), (2_500.0, 400.0)]);
    render(seconds, |t| {
        let at = t % 0.55;
        mouth(&mut random, &mut throat) * (swell(at, 0.0, 0.25) + 0.6 * swell(at, 0.27, 0.53))
    })
}

/// A palate that flaps thirty times a second while air is drawn in.
fn snoring(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(24);
    let mut throat = places([(240.0, 80.0), (620.0, 140.0), (1_700.0, 400.0)]);
    let mut turns = 0.0f32;
    render(seconds, |t| {
        let at = t % 3.0;
        turns += (26.0 + 14.0 * swell(at, 0.2, 1.6)) / 16_000.0;
        let flap = struck(turns.fract() / 30.0, 0.001, 0.004);
        let drawn = (8.0 * flap + 0.5) * random.next();
        let air = throat.iter_mut().map(|place| place.pass(drawn)).sum::<f32>();
        air * swell(at, 0.2, 1.6) + 0.2 * random.next() * 0.3 * swell(at, 1.7, 2.8)
    })
}

fn coughing(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(25);
    let mut all = render(seconds, |_| 0.0);
    for at in [0.5, 0.95, 2.6, 2.95, 3.4, 5.1] {
        let pitch = random.between(0.9, 1.15);
        let mut throat =
            places([(580.0 * pitch, 120.0), (1_350.0 * pitch, 200.0), (2_900.0 * pitch, 500.0)]);
        let cough = render(0.35, |t| {
            mouth(&mut random, &mut throat) * (struck(t, 0.004, 0.05) + 0.4 * swell(t, 0.12, 0.34))
        });
        mix(&mut all, at, &cough);
    }
    all
}
