//! Makes a note while it is spoken: hands the tasks of [`NoteStitcher`] to worker threads.

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;

use super::error::Cause;
use super::speak::SpokenPiece;
use super::stage::Trace;
use crate::audio::{NoteStitcher, OggOpus};
use crate::threads::Threads;
use crate::tts::Sound;
use crate::turn::{NoteInfo, Stage};

/// Longest note, in seconds: nobody listens to more, and what is longer is read as text.
const MAX_SECONDS: u64 = 300;

/// Tasks of one note for each thread: one that runs and one that waits. Each holds a second of sound,
/// and a long note must not fill the queue of all.
const WORKING_A_THREAD: usize = 2;

/// Sound that is encoded in one go while at least as much is still to come, in ms: a processor that
/// sleeps after each tenth of a second takes half as long again. A note that ends is encoded as it comes.
const AT_ONCE_MS: f64 = 500.0;

/// Makes a note of everything from `sound` until it closes; `None` if there is nothing to hear.
///
/// # Errors
/// `TooMuch` beyond [`MAX_SECONDS`], or what encoding fails with.
pub(super) async fn encode(
    workers: &Threads,
    trace: &Trace,
    mut sound: mpsc::Receiver<SpokenPiece>,
) -> Result<Option<(OggOpus, NoteInfo)>, Cause> {
    let Some(first) = sound.recv().await else { return Ok(None) };
    let mut note = match &first.sound {
        Sound::Pcm(pcm) => NoteStitcher::for_pcm(pcm.rate),
        Sound::Opus(speech) => NoteStitcher::for_opus(speech),
    };
    let (mut next, mut more_ms) = (Some(first), 0.0);
    let (mut working, most) = (FuturesUnordered::new(), WORKING_A_THREAD * workers.count());
    loop {
        if let Some(piece) = next.take() {
            more_ms = piece.more_ms;
            match piece.sound {
                Sound::Pcm(pcm) => note.push(&pcm)?,
                Sound::Opus(speech) if note.may_pass(&speech) => note.pass(&speech)?,
                Sound::Opus(speech) => {
                    let trace = trace.clone();
                    let decode = move || trace.measure(Stage::Encode, || speech.decode());
                    note.push(&workers.run(decode).await??)?;
                }
            }
        }
        if note.seconds() > MAX_SECONDS {
            return Err(Cause::TooMuch);
        }
        let least_ms = if more_ms < AT_ONCE_MS { 0.0 } else { AT_ONCE_MS };
        while working.len() < most
            && let Some(task) = note.next_task_of(least_ms)
        {
            let trace = trace.clone();
            working.push(workers.run(move || trace.measure(Stage::Encode, || task.run())));
        }
        tokio::select! {
            came = sound.recv(), if !note.ended() && working.len() < most => match came {
                Some(sound) => next = Some(sound),
                None => note.end()?,
            },
            Some(encoded) = working.next() => note.take(encoded??),
            else => break,
        }
    }
    Ok(note.finish().map(|(file, duration_ms)| described(file, duration_ms)))
}

/// Adds size and mean bitrate to a note.
fn described(file: OggOpus, duration_ms: f64) -> (OggOpus, NoteInfo) {
    let info = NoteInfo::of_file(file.0.len(), duration_ms);
    (file, info)
}

#[cfg(test)]
mod tests;
