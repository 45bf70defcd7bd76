//! Files that are made to cost: broken, cut, endless, and far richer than speech ever is.

use fastrand::Rng;

use super::graph::LyingGraph;
use crate::harness::sound;
use crate::harness::update::fixture;

/// Broken files.
const BROKEN: usize = 40;
/// How ffmpeg makes a note cost much: at a rate and in channels that nobody speaks in.
const RICH: &str = "-af apad=pad_dur=20 -ar 384000 -ac 8 -c:a flac -f flac";

/// Lets the Graph keep them; returns their addresses.
pub(super) async fn keep(graph: &LyingGraph, seed: u64) -> Vec<String> {
    let mut random = Rng::with_seed(seed);
    let note = fixture("en_hours.ogg");
    let mut files = vec![
        note[..note.len() / 2].to_vec(),
        [&note[..200], &vec![0; 8 << 20]].concat(),
        note.repeat(30),
        b"OggS".repeat(1 << 20),
        sound::converted(&note, RICH).await,
    ];
    for _ in 0..BROKEN {
        let mut file = note.clone();
        for _ in 0..random.usize(1..20) {
            let at = random.usize(..file.len());
            file[at] = random.u8(..);
        }
        files.push(file);
    }
    let keep = |(number, file)| graph.keep(&format!("hostile-{number}"), file);
    files.into_iter().enumerate().map(keep).collect()
}
