//! Sounds of things that strike one another.

use super::Five;
use super::synth::{Band, Random, mix, render, sine, struck};

pub(super) const CLICKS: Five = [
    ("knocking", 0.6, knocking),
    ("typing", 0.2, typing),
    ("ticking", 0.1, ticking),
    ("crackling", 0.4, crackling),
    ("door", 0.9, door),
];

/// Makes one strike on something that rings at `hz`.
fn strike(random: &mut Random, hz: [f32; 3], width: f32, half: f32) -> Vec<f32> {
    let mut body = hz.map(|hz| Band::new(hz, width));
    render(0.4, |t| {
        let blow = random.next() * struck(t, 0.0005, half / 6.0);
        body.iter_mut().map(|band| band.pass(blow)).sum::<f32>() + 0.1 * blow
    })
}

/// Three knocks on a wooden door, twice, and four in a hurry.
fn knocking(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(31);
    let mut all = render(seconds, |_| 0.0);
    for at in [0.4, 0.65, 0.9, 2.4, 2.66, 2.9, 4.4, 4.55, 4.7, 4.85] {
        let pitch = random.between(0.95, 1.05);
        let wood = [150.0 * pitch, 420.0 * pitch, 900.0 * pitch];
        mix(&mut all, at, &strike(&mut random, wood, 60.0, 0.04));
    }
    all
}

fn typing(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(32);
    let mut all = render(seconds, |_| 0.0);
    for at in random.times(seconds, 0.14) {
        let pitch = random.between(0.8, 1.2);
        let key = [900.0 * pitch, 2_300.0 * pitch, 4_600.0 * pitch];
        mix(&mut all, at, &strike(&mut random, key, 400.0, 0.015));
        mix(&mut all, at + 0.06, &strike(&mut random, key.map(|hz| hz * 1.3), 600.0, 0.008));
    }
    all
}

fn ticking(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(33);
    let mut all = render(seconds, |_| 0.0);
    for (beat, at) in (0u8..24).map(|beat| (beat, f32::from(beat) * 0.25)) {
        let pitch = if beat % 2 == 0 { 1.0 } else { 0.8 };
        let clock = [1_800.0 * pitch, 3_500.0 * pitch, 5_200.0 * pitch];
        mix(&mut all, at, &strike(&mut random, clock, 150.0, 0.01));
    }
    all
}

/// An old record, or a bad contact.
fn crackling(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(34);
    let mut ring = Band::new(2_500.0, 1_500.0);
    render(seconds, |t| {
        let crack = if random.next() > 0.9985 { 40.0 * random.next() } else { 0.0 };
        ring.pass(crack) + 0.02 * random.next() + 0.05 * sine(33.0, t)
    })
}

/// A door that creaks and slams, and its echo on the stairs.
fn door(seconds: f32) -> Vec<f32> {
    let mut random = Random::new(35);
    let mut all = render(seconds, |_| 0.0);
    let mut hinge =
        [(700.0, 60.0), (1_650.0, 120.0), (2_900.0, 200.0)].map(|(h, w)| Band::new(h, w));
    let mut turns = 0.0f32;
    let creak = render(1.4, |t| {
        turns += (60.0 + 90.0 * t + 25.0 * sine(3.1, t)) / 16_000.0;
        let slip = if turns >= 1.0 { 1.0 } else { 0.0 };
        turns = turns.fract();
        0.8 * hinge.iter_mut().map(|band| band.pass(slip * 6.0)).sum::<f32>()
    });
    mix(&mut all, 0.6, &creak);
    let slam = strike(&mut random, [70.0, 180.0, 500.0], 30.0, 0.12);
    for (late, gain) in
        [(2.2, 1.0), (2.29, 0.5), (2.41, 0.3), (2.56, 0.15), (4.6, 0.8), (4.69, 0.4)]
    {
        let echo: Vec<f32> = slam.iter().map(|sample| sample * gain * 4.0).collect();
        mix(&mut all, late, &echo);
    }
    all
}
