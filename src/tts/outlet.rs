//! Sends an engine's samples: chunks of equal length, in a bounded channel, up to a limit.
//!
//! Sits between the reader of an engine's sound and the stream that `speak` returned. Time spent
//! here is the listener's, not the engine's.

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Sound, TtsError};
use crate::audio::{Pcm, SampleRate};

/// Longest sound of one sentence, in seconds; sentences are cut at about 25 s of speech.
pub(super) const MAX_SECONDS: usize = 120;

/// Chunks are 1/10 s.
const CHUNKS_PER_SECOND: usize = 10;

/// Chunks that may wait for the listener: 1.6 s. A program's pipe or a socket holds as much again.
const CHUNKS_AHEAD: usize = 16;

/// Sends one sentence's sound.
#[derive(Debug)]
pub(super) struct Outlet {
    chunks: mpsc::Sender<Result<Sound, TtsError>>,
    ready: Vec<f32>,
    sent: usize,
}

impl Outlet {
    /// Makes an outlet, and the stream of what it sends.
    pub(super) fn open() -> (Self, BoxStream<'static, Result<Sound, TtsError>>) {
        let (chunks, reader) = mpsc::channel(CHUNKS_AHEAD);
        let sound =
            stream::unfold(reader, |mut reader| async { Some((reader.recv().await?, reader)) });
        (Self { chunks, ready: Vec::new(), sent: 0 }, sound.boxed())
    }

    /// Waits until the sentence is cancelled or nobody listens any more.
    pub(super) fn unwanted(&self, cancel: &CancellationToken) -> impl Future<Output = ()> + use<> {
        let (chunks, cancel) = (self.chunks.clone(), cancel.clone());
        async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = chunks.closed() => {}
            }
        }
    }

    /// Returns whether something was sent, which cannot be taken back.
    pub(super) fn has_sent(&self) -> bool {
        self.sent > 0
    }

    /// Drops what was not sent, to begin again.
    pub(super) fn clear(&mut self) {
        self.ready.clear();
    }

    /// Returns the buffer for samples, to be filled before [`Outlet::send`].
    pub(super) fn ready(&mut self) -> &mut Vec<f32> {
        &mut self.ready
    }

    /// Sends the complete chunks, at the `end` the rest too; waits for the listener.
    ///
    /// # Errors
    /// `Cancelled` if nobody listens, `Engine` if the sentence is too long.
    pub(super) async fn send(&mut self, rate: SampleRate, end: bool) -> Result<(), TtsError> {
        let mut from = 0;
        while let Some(chunk) = self.cut(&mut from, rate, end)? {
            self.hand_on(Ok(chunk)).await?;
        }
        self.ready.drain(..from);
        Ok(())
    }

    /// Sends the complete chunks that the listener has room for.
    ///
    /// # Errors
    /// As [`Outlet::send`].
    #[cfg(feature = "tts-neural")]
    pub(super) fn send_what_fits(&mut self, rate: SampleRate) -> Result<(), TtsError> {
        let mut from = 0;
        while self.chunks.capacity() > 0
            && let Some(chunk) = self.cut(&mut from, rate, false)?
        {
            self.chunks.try_send(Ok(chunk)).map_err(|_| TtsError::Cancelled)?;
        }
        self.ready.drain(..from);
        Ok(())
    }

    /// Cuts the next complete chunk, at the `end` the rest too.
    fn cut(
        &mut self,
        from: &mut usize,
        rate: SampleRate,
        end: bool,
    ) -> Result<Option<Sound>, TtsError> {
        let per_second = usize::try_from(rate.0).unwrap_or(usize::MAX);
        let size = (per_second / CHUNKS_PER_SECOND).max(1);
        let left = self.ready.len() - *from;
        if left < size && (!end || left == 0) {
            return Ok(None);
        }
        let to = *from + left.min(size);
        self.sent += to - *from;
        if self.sent > MAX_SECONDS * per_second {
            let limit = format!("one sentence is longer than {MAX_SECONDS} s of sound");
            return Err(TtsError::Engine(limit));
        }
        let samples = self.ready[*from..to].to_vec();
        *from = to;
        Ok(Some(Sound::Pcm(Pcm { samples, rate })))
    }

    /// Sends a sentence that is already complete.
    ///
    /// # Errors
    /// `Cancelled` if nobody listens.
    pub(super) async fn send_whole(&mut self, sound: Sound) -> Result<(), TtsError> {
        self.sent += 1;
        self.hand_on(Ok(sound)).await
    }

    /// Ends the sentence with an error; if the listener is gone, nobody needs it.
    pub(super) async fn fail(&self, error: TtsError) {
        let _gone: Result<(), TtsError> = self.hand_on(Err(error)).await;
    }

    async fn hand_on(&self, sound: Result<Sound, TtsError>) -> Result<(), TtsError> {
        self.chunks.send(sound).await.map_err(|_| TtsError::Cancelled)
    }
}
