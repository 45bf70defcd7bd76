//! Looks for the speech in one note beside its decoding: whoever decodes puts sound in, a worker looks
//! at it until none is left, and the note is told.
//!
//! Sits between the decoder and the ears. Invariants: one worker at a time has the segmenter, sound is
//! looked at in its order, and a search that cannot go on says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::listener::SLICE;
use super::stage::Trace;
use crate::audio::{Segmenter, Speech, SpeechSpan};
use crate::threads::{RunError, Threads};
use crate::turn::{Stage, Talker};

/// Bytes of sound that may wait for the search while more is decoded: two seconds.
const BEHIND: usize = 128 << 10;

/// Is the search in one note. Clones share it.
#[derive(Clone)]
pub(super) struct SpeechSearch(Arc<SearchedNote>);

struct SearchedNote {
    state: Mutex<SearchState>,
    /// Speech was found, nothing is left to look at, or it cannot go on.
    news: Notify,
    workers: Threads,
    talker: Option<Talker>,
    trace: Trace,
}

struct SearchState {
    /// `None` while a worker has it, and at the end.
    segmenter: Option<Segmenter>,
    waiting: VecDeque<Speech>,
    /// No more sound comes.
    over: bool,
    found: Vec<SpeechSpan>,
    /// Bytes of sound that the segmenter keeps.
    kept_bytes: usize,
    /// How it ended, if it has.
    ended: Option<Result<(), RunError>>,
}

/// Tells what the search has come to.
pub(super) struct SearchNews {
    /// Speech that is complete, in order.
    pub(super) spans: Vec<SpeechSpan>,
    /// Bytes of what is looked at or waits for that.
    pub(super) held_bytes: usize,
    /// Nothing is left to look at for now.
    pub(super) idle: bool,
    /// All of the note was looked at.
    pub(super) over: bool,
}

impl SpeechSearch {
    /// Begins the search in a note of `talker`.
    pub(super) fn new(workers: &Threads, talker: Option<Talker>, trace: &Trace) -> Self {
        let state = SearchState {
            segmenter: Some(Segmenter::new()),
            waiting: VecDeque::new(),
            over: false,
            found: Vec::new(),
            kept_bytes: 0,
            ended: None,
        };
        Self(Arc::new(SearchedNote {
            state: Mutex::new(state),
            news: Notify::new(),
            workers: workers.clone(),
            talker,
            trace: trace.clone(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, SearchState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next sound of the note.
    pub(super) fn put(&self, speech: Speech) {
        let mut state = self.state();
        state.waiting.push_back(speech);
        self.go_on(state);
    }

    /// Ends the note.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.over = true;
        self.go_on(state);
    }

    /// Returns whether nothing more is to be decoded before some of it was looked at.
    pub(super) fn is_behind(&self) -> bool {
        speech_bytes(&self.state().waiting) > BEHIND
    }

    /// Returns whether nothing is left to look at for now.
    pub(super) fn is_idle(&self) -> bool {
        self.state().is_idle()
    }

    /// Returns how many bytes of sound it holds.
    pub(super) fn held_bytes(&self) -> usize {
        self.state().held_bytes()
    }

    /// Waits for news.
    ///
    /// # Errors
    /// If no worker looks at what is left.
    pub(super) async fn news(&self) -> Result<SearchNews, RunError> {
        self.0.news.notified().await;
        let mut state = self.state();
        let over = state.ended.transpose()?.is_some();
        let spans = std::mem::take(&mut state.found);
        Ok(SearchNews { spans, held_bytes: state.held_bytes(), idle: state.is_idle(), over })
    }

    /// Has a worker look at what waits, unless one does.
    fn go_on(&self, mut state: MutexGuard<'_, SearchState>) {
        let Some(segmenter) = state.segmenter.take() else { return };
        drop(state);
        let worker = SearchWorker { search: self.clone() };
        let work = move || worker.work(segmenter);
        if let Err(error) = self.0.workers.begin_for(self.0.talker, work) {
            self.fail(error);
        }
    }

    fn fail(&self, error: RunError) {
        self.state().ended = Some(Err(error));
        self.0.news.notify_one();
    }
}

/// Looks at what waits, on a worker thread. A panic ends the search.
struct SearchWorker {
    search: SpeechSearch,
}

impl Drop for SearchWorker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.search.fail(RunError::Died);
        }
    }
}

impl SearchWorker {
    fn work(self, mut segmenter: Segmenter) {
        let SearchedNote { news, trace, .. } = &*self.search.0;
        let began = Instant::now();
        loop {
            let mut state = self.search.state();
            let Some(speech) = state.waiting.pop_front() else {
                if state.over {
                    drop(state);
                    let spans = trace.measure(Stage::Vad, || segmenter.finish());
                    let mut state = self.search.state();
                    state.found.extend(spans);
                    (state.kept_bytes, state.ended) = (0, Some(Ok(())));
                } else {
                    state.segmenter = Some(segmenter);
                }
                break news.notify_one();
            };
            // Still held, by the worker now.
            state.kept_bytes += size_of_val(speech.samples());
            drop(state);
            let spans = trace.measure(Stage::Vad, || segmenter.push(&speech));
            let mut state = self.search.state();
            state.kept_bytes = segmenter.held_bytes();
            if !spans.is_empty() {
                state.found.extend(spans);
                news.notify_one();
            }
            if began.elapsed() > SLICE {
                state.segmenter = Some(segmenter);
                break self.search.go_on(state);
            }
        }
    }
}

impl SearchState {
    fn is_idle(&self) -> bool {
        self.ended.is_some() || (self.segmenter.is_some() && self.waiting.is_empty())
    }

    fn held_bytes(&self) -> usize {
        self.kept_bytes + speech_bytes(&self.waiting)
    }
}

fn speech_bytes(speech: &VecDeque<Speech>) -> usize {
    speech.iter().map(|speech| size_of_val(speech.samples())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{AudioLimits, DecodeStep, SpeechDecoder};

    fn searching(threads: &Threads) -> (SpeechSearch, Trace) {
        let trace = Trace::start();
        (SpeechSearch::new(threads, None, &trace), trace)
    }

    /// Puts eleven seconds of speech in, as they are decoded.
    fn put_all(search: &SpeechSearch) {
        let mut decoder = SpeechDecoder::new(AudioLimits { bytes: 1 << 20, seconds: 60 });
        decoder.push(include_bytes!("../../audio-fixtures/en_long.ogg")).unwrap();
        decoder.end();
        while let DecodeStep::Speech(speech) = decoder.advance().unwrap() {
            search.put(speech);
        }
    }

    #[tokio::test]
    async fn all_that_was_put_in_is_looked_at_before_the_end_is_told() {
        let threads = Threads::start("test", 2, 64).unwrap();
        let (search, trace) = searching(&threads);
        put_all(&search);
        search.end();
        let mut found = Vec::new();
        let last = loop {
            let news = search.news().await.unwrap();
            found.extend(news.spans.iter().map(|span| span.speech.duration_ms()));
            if news.over {
                break news;
            }
        };
        assert!(last.idle && last.held_bytes == 0 && search.is_idle());
        assert!(matches!(found[..], [one] if one > 8_000.0), "{found:?}");
        assert!(trace.sum_ms(Stage::Vad) > 0.0);
    }

    #[tokio::test]
    async fn a_search_that_no_worker_takes_says_so() {
        let threads = Threads::start("test", 1, 0).unwrap();
        let (search, _trace) = searching(&threads);
        search.end();
        assert_eq!(search.news().await.err(), Some(RunError::Busy));
    }
}
