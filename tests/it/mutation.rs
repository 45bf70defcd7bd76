//! Broken sound files: each is decoded without a panic, in time, and within its limits.
//!
//! Every case is made from a seed: the same number gives the same file again. `make test` runs a few
//! hundred, `make fuzz` as many as one likes.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use codec_core::types::CodecConfig;
use hark::audio::{self, AudioLimits, DecodeError, DecodeStep, SpeechDecoder};
use hark::cli::fixtures;

use crate::harness::sound;

/// Cases of `make test`, and the first one.
const CASES: u64 = 400;
const SEED: u64 = 20_261;

const LIMITS: AudioLimits = AudioLimits { bytes: 1 << 20, seconds: 10 };

/// A decoder that takes longer hangs. Not a measure of speed: the slowest case takes milliseconds.
const LIVENESS: Duration = Duration::from_mins(1);

/// What a decoder says that caught its own panic.
const PANICKED: &str = "the decoder failed on it";

/// How ffmpeg makes a file of each kind.
const KINDS: [(&str, &str); 17] = [
    ("ogg opus", "-c:a libopus -b:a 16k -f ogg"),
    ("ogg opus 5.1", "-ac 6 -c:a libopus -mapping_family 1 -f ogg"),
    ("ogg vorbis", "-ar 16000 -c:a libvorbis -f ogg"),
    ("ogg flac", "-ar 16000 -c:a flac -f ogg"),
    ("webm opus", "-c:a libopus -b:a 16k -f webm"),
    ("webm vorbis", "-ar 16000 -c:a libvorbis -f webm"),
    ("mp4 opus", "-c:a libopus -b:a 16k -f mp4"),
    ("m4a", "-ar 16000 -c:a aac -b:a 32k -f ipod"),
    ("mp4 in fragments", "-ar 16000 -c:a aac -movflags frag_keyframe+empty_moov -f mp4"),
    ("m4a alac", "-ar 16000 -c:a alac -f ipod"),
    ("aac", "-ar 16000 -c:a aac -b:a 32k -f adts"),
    ("mp3", "-ar 16000 -c:a libmp3lame -b:a 32k -f mp3"),
    ("flac", "-ar 16000 -c:a flac -f flac"),
    ("wav", "-ar 16000 -ac 2 -f wav"),
    ("wav adpcm", "-ar 16000 -c:a adpcm_ima_wav -f wav"),
    ("wav a-law", "-ar 8000 -c:a pcm_alaw -f wav"),
    ("aiff", "-ar 16000 -f aiff"),
];

/// Pseudo-random numbers: Vigna's splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ number >> 31
    }

    /// Below `bound`, which may be 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    /// A piece of `length` bytes, of up to 2 000.
    fn piece(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        start..length.min(start + 1 + self.below(2_000))
    }
}

/// A sound file, and what it is.
struct Original {
    kind: &'static str,
    file: Vec<u8>,
}

async fn originals() -> Vec<Original> {
    let note = fixtures::all().into_iter().find(|fixture| fixture.name == "en_yes").unwrap().note;
    let mut originals = vec![Original { kind: "voice note", file: note.to_vec() }];
    for (kind, arguments) in KINDS {
        originals.push(Original { kind, file: sound::converted(&note, arguments).await });
    }
    let speech = audio::decode(&note, LIMITS).unwrap();
    for (kind, in_3gp, config) in
        [("amr", "3gp amr", CodecConfig::amr_nb()), ("amr-wb", "3gp amr-wb", CodecConfig::amr_wb())]
    {
        let file = sound::amr(speech.samples(), &config);
        originals
            .push(Original { kind: in_3gp, file: sound::converted(&file, "-c copy -f 3gp").await });
        originals.push(Original { kind, file });
    }
    originals
}

/// Breaks a file in one of the ways that files break, or are broken.
fn mutate(file: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let length = file.len();
    match random.below(9) {
        0 => {
            for _ in 0..=random.below(20) {
                let at = random.below(length);
                file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8));
            }
        }
        1 => file.truncate(random.below(length)),
        2 => {
            let (piece, at) = (file[random.piece(length)].to_vec(), random.below(length));
            file.splice(at..at, piece);
        }
        3 => drop(file.drain(random.piece(length))),
        4 => {
            let (piece, at) = (file.drain(random.piece(length)).collect::<Vec<_>>(), length);
            let at = random.below(at).min(file.len());
            file.splice(at..at, piece);
        }
        5 => {
            let rubbish: Vec<u8> =
                (0..random.below(300)).map(|_| random.next().to_le_bytes()[0]).collect();
            let at = random.below(length);
            file.splice(at..at, rubbish);
        }
        6 => {
            file.truncate(random.below(length));
            file.extend(&other[random.below(other.len())..]);
        }
        _ => claim(file, random),
    }
}

/// Writes a number that claims too much, or too little; half of them where headers stand.
fn claim(file: &mut [u8], random: &mut Random) {
    let claims = [0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, u64::MAX];
    let claim = match random.below(claims.len() + 2) {
        known if known < claims.len() => claims[known],
        _ => random.next() >> random.below(64),
    };
    let width = [1, 2, 4, 8][random.below(4)];
    let bytes = if random.below(2) == 0 {
        claim.to_le_bytes()[..width].to_vec()
    } else {
        claim.to_be_bytes()[8 - width..].to_vec()
    };
    let near = if random.below(2) == 0 { file.len().min(600) } else { file.len() };
    let at = random.below(near);
    file.iter_mut().skip(at).zip(bytes).for_each(|(place, byte)| *place = byte);
}

/// Gives every Ogg page that is whole a right checksum, without which nobody looks into it.
fn repaged(file: &mut [u8]) {
    let starts: Vec<usize> = file
        .windows(4)
        .enumerate()
        .filter(|(_, four)| *four == b"OggS")
        .map(|(at, _)| at)
        .collect();
    for at in starts {
        let rest = &mut file[at..];
        let Some(segments) = rest.get(26).map(|count| usize::from(*count)) else { continue };
        let Some(lacing) = rest.get(27..27 + segments) else { continue };
        let body: usize = lacing.iter().map(|lace| usize::from(*lace)).sum();
        let Some(page) = rest.get_mut(..27 + segments + body) else { continue };
        page[22..26].fill(0);
        let checksum = page.iter().fold(0u32, |checksum, byte| {
            (0..8).fold(checksum ^ u32::from(*byte) << 24, |checksum, _| {
                checksum << 1 ^ if checksum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
            })
        });
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// The file of a case.
fn case(originals: &[Original], random: &mut Random) -> (&'static str, Vec<u8>) {
    let original = &originals[random.below(originals.len())];
    let other = &originals[random.below(originals.len())];
    let mut file = original.file.clone();
    for _ in 0..=random.below(3) {
        mutate(&mut file, &other.file, random);
    }
    if random.below(4) > 0 {
        repaged(&mut file);
    }
    (original.kind, file)
}

/// Decodes in portions; returns the length in ms.
fn decode(file: &[u8], random: &mut Random) -> Result<f64, DecodeError> {
    let mut decoder = SpeechDecoder::new(LIMITS);
    let mut samples = Vec::new();
    let mut rest = file;
    loop {
        match decoder.advance()? {
            DecodeStep::Speech(speech) => samples.extend_from_slice(speech.samples()),
            DecodeStep::Waits if rest.is_empty() => decoder.end(),
            DecodeStep::Waits => {
                let (portion, later) = rest.split_at((1 + random.below(5_000)).min(rest.len()));
                decoder.push(portion)?;
                rest = later;
            }
            DecodeStep::Over { .. } => break,
        }
    }
    assert!(samples.iter().all(|sample| sample.abs() <= 1.0), "a sample beyond 1");
    Ok(f64::from(u32::try_from(samples.len()).unwrap()) / 16.0)
}

/// Decodes on a thread of its own, which is left behind if it hangs. Returns how long it took.
fn watched(file: Vec<u8>, mut random: Random) -> Result<Duration, String> {
    let (done, outcome) = mpsc::sync_channel(1);
    let worker = thread::spawn(move || {
        let started = Instant::now();
        let decoded = decode(&file, &mut random);
        done.send((decoded, started.elapsed())).ok();
    });
    let (decoded, took) = match outcome.recv_timeout(LIVENESS) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => return Err("it hangs".into()),
        Err(mpsc::RecvTimeoutError::Disconnected) => return Err("a panic came through".into()),
    };
    worker.join().expect("it has sent its outcome");
    match decoded {
        Ok(ms) if ms > f64::from(LIMITS.seconds) * 1000.0 => Err(format!("{ms} ms")),
        Err(error) if error.to_string().contains(PANICKED) => Err(PANICKED.into()),
        _ => Ok(took),
    }
}

/// A number in the environment.
fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "`make fuzz` has no configuration")]
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// The most memory that this process ever held, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0)
        / 1024
}

#[tokio::test]
async fn mutation_of_sound_files_neither_panics_nor_hangs_nor_grows() {
    let originals = originals().await;
    for original in &originals {
        let decoded = audio::decode(&original.file, LIMITS);
        assert!(decoded.is_ok(), "{}: {decoded:?}", original.kind);
    }
    let (first, cases) = (number("HARK_FUZZ_SEED"), number("HARK_FUZZ_CASES"));
    let (first, cases) = (first.unwrap_or(SEED), cases.unwrap_or(CASES));
    let (before, mut slowest) = (peak_mib(), (Duration::ZERO, "none", first));
    let mut failed = Vec::new();
    for seed in first..first + cases {
        let mut random = Random(seed);
        let (kind, file) = case(&originals, &mut random);
        match watched(file, random) {
            Ok(took) => slowest = slowest.max((took, kind, seed)),
            Err(what) => {
                let again = format!("HARK_FUZZ_SEED={seed} HARK_FUZZ_CASES=1 make fuzz");
                eprintln!("{kind}: {what}; again: {again}");
                failed.push(format!("{kind}: {what}; again: {again}"));
            }
        }
    }
    let (took, kind, seed) = slowest;
    eprintln!(
        "{cases} broken files from seed {first}: {} failed; the slowest took {took:?} ({kind}, {seed}); \
         memory {before} MiB before, {} MiB at most",
        failed.len(),
        peak_mib()
    );
    assert!(failed.is_empty(), "{failed:#?}");
}
