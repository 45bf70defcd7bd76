//! What fuzzing found stays fixed: every seed of `fuzz/seeds/` as it is, and broken at random. `make
//! fuzz` looks further.
//!
//! Each case is made of a number: the same one gives the same bytes again.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fastrand::Rng;

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use targets::{TARGETS, Target};

/// Broken copies of each seed.
const CASES: u64 = 24;

/// Whoever takes longer hangs. Not a measure of speed: the slowest case takes milliseconds.
const LIVENESS: Duration = Duration::from_mins(1);

struct Random(Rng);

impl Random {
    /// Below `bound`, which may be 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0.usize(..bound.max(1))
    }

    /// A piece of `length` bytes, of up to 2 000.
    fn piece(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length);
        start..length.min(start + 1 + self.below(2_000))
    }
}

/// Breaks an input in one of the ways that inputs break, or are broken.
fn mutate(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let length = input.len();
    match random.below(9) {
        0 => {
            for _ in 0..=random.below(20) {
                let at = random.below(length);
                input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8));
            }
        }
        1 => input.truncate(random.below(length)),
        2 => {
            let (piece, at) = (input[random.piece(length)].to_vec(), random.below(length));
            input.splice(at..at, piece);
        }
        3 => drop(input.drain(random.piece(length))),
        4 => {
            let piece: Vec<u8> = input.drain(random.piece(length)).collect();
            let at = random.below(input.len());
            input.splice(at..at, piece);
        }
        5 => {
            let rubbish: Vec<u8> = (0..random.below(300)).map(|_| random.0.u8(..)).collect();
            let at = random.below(length);
            input.splice(at..at, rubbish);
        }
        6 => {
            input.truncate(random.below(length));
            input.extend(&other[random.below(other.len())..]);
        }
        _ => claim(input, random),
    }
}

/// Writes a number that claims too much, or too little; half of them where headers stand.
fn claim(input: &mut [u8], random: &mut Random) {
    let claims = [0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, u64::MAX];
    let claim = match random.below(claims.len() + 2) {
        known if known < claims.len() => claims[known],
        _ => random.0.u64(..) >> random.below(64),
    };
    let width = [1, 2, 4, 8][random.below(4)];
    let bytes = if random.below(2) == 0 {
        claim.to_le_bytes()[..width].to_vec()
    } else {
        claim.to_be_bytes()[8 - width..].to_vec()
    };
    let near = if random.below(2) == 0 { input.len().min(600) } else { input.len() };
    let at = random.below(near);
    input.iter_mut().skip(at).zip(bytes).for_each(|(place, byte)| *place = byte);
}

/// Returns the seeds of a target, with their names.
fn seeds(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target.name);
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())
    };
    let mut seeds: Vec<_> = fs::read_dir(folder).unwrap().map(read).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    seeds
}

/// Runs a target on a thread of its own, which is left behind if it hangs.
fn watched(target: &Target, input: Vec<u8>) -> Result<(), &'static str> {
    let (run, (done, outcome)) = (target.run, mpsc::sync_channel(1));
    let worker = thread::spawn(move || {
        run(&input);
        done.send(()).ok();
    });
    match outcome.recv_timeout(LIVENESS) {
        Ok(()) => {
            worker.join().expect("it has sent its outcome");
            Ok(())
        }
        Err(mpsc::RecvTimeoutError::Timeout) => Err("hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("fails"),
    }
}

#[test]
fn what_strangers_send_breaks_no_promise() {
    let mut failed = Vec::new();
    for target in &TARGETS {
        let seeds = seeds(target);
        for (at, (name, seed)) in seeds.iter().enumerate() {
            for case in 0..=CASES {
                let mut random = Random(Rng::with_seed((at as u64) << 32 | case));
                let mut input = seed.clone();
                // The first is the seed itself.
                for _ in 0..case.min(1 + random.0.u64(..) % 3) {
                    let other = &seeds[random.below(seeds.len())].1;
                    mutate(&mut input, other, &mut random);
                }
                if let Err(how) = watched(target, input) {
                    failed.push(format!("{} {how} on case {case} of {name}", target.name));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
