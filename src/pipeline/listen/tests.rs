//! A note while it arrives: in what order, beside whom, and how far ahead it is decoded.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{self, FuturesUnordered};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::pipeline::testing::World;
use crate::stt::{SttError, Transcriber};
use crate::tts::scripted::ScriptedSynthesizer;
use crate::turn::Talker;

const ANY: &LanguageHint = &LanguageHint::ANY;

/// Eleven seconds of speech; three of them are more than an utterance holds.
const SPEECH: &[u8] = include_bytes!("../../../audio-fixtures/en_long.ogg");

/// Tells when the first utterance has come and gone, and hears where each begins.
#[derive(Clone, Default)]
struct Ears {
    came: Arc<Notify>,
    gone: Arc<AtomicBool>,
    /// Whether the first utterance is never heard to its end.
    slow: bool,
}

struct Going(Arc<AtomicBool>);

impl Drop for Going {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[async_trait::async_trait]
impl Transcriber for Ears {
    fn name(&self) -> &'static str {
        "ears"
    }

    async fn transcribe(
        &self,
        utterance: Utterance,
        _: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        let _going = Going(Arc::clone(&self.gone));
        assert_eq!(utterance.vocabulary.words().collect::<Vec<_>>(), ["Ann", "Hark"]);
        if utterance.first {
            self.came.notify_one();
            if self.slow {
                std::future::pending::<()>().await;
            }
            // Later than the second.
            utterance.note.unwrap().key().await.unwrap();
        }
        let text = if utterance.first { "first" } else { "second" };
        Ok(Transcript { text: text.into(), ..Transcript::default() })
    }
}

/// A note whose last part comes only once the first utterance is being heard.
fn arriving_slowly(ears: &Ears, last: Result<Bytes, TurnError>) -> Audio<'static> {
    let came = Arc::clone(&ears.came);
    let last = async move {
        came.notified().await;
        last
    };
    stream::iter([Ok(Bytes::from(SPEECH.repeat(3)))]).chain(stream::once(last)).boxed()
}

#[tokio::test]
async fn the_first_utterance_is_heard_while_the_rest_of_the_note_arrives() {
    let ears = Ears::default();
    let audio = arriving_slowly(&ears, Ok(Bytes::from_static(SPEECH)));
    let world = World::new(ears, ScriptedSynthesizer::new(0, 0.0));
    let listened = listen(world.scene(), audio, ANY).await;
    assert_eq!(listened.heard.unwrap().text, "first second");
    assert!(listened.audio_ms.unwrap() > 44_000.0);
}

#[tokio::test]
async fn a_download_that_fails_ends_what_is_being_heard() {
    let ears = Ears { slow: true, ..Ears::default() };
    let audio = arriving_slowly(&ears, Err(Cause::Deadline.at(Stage::Download)));
    let world = World::new(ears.clone(), ScriptedSynthesizer::new(0, 0.0));
    let listened = listen(world.scene(), audio, ANY).await;
    assert_eq!(listened.heard.unwrap_err().stage, Stage::Download);
    assert!(ears.gone.load(Ordering::Relaxed) && listened.audio_ms.is_none());
}

/// Samples of 8 bits that nobody speaks in: two minutes of them cost many slices.
fn two_minutes() -> Bytes {
    let fmt = b"fmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0";
    let noise = (0..8_000 * 120).map(|at: u32| 120 + (at.wrapping_mul(2_654_435_761) >> 28) as u8);
    [b"RIFF\0\0\0\0WAVE", &fmt[..]].concat().into_iter().chain(noise).collect()
}

fn of(contact: i64, world: &World) -> Scene<'_> {
    Scene { talker: Some(Talker::of_contact(contact)), ..world.scene() }
}

fn at_once(bytes: Bytes) -> Audio<'static> {
    stream::iter([Ok(bytes)]).boxed()
}

/// One worker, as on a machine that is busy.
#[tokio::test]
async fn a_short_note_is_heard_before_costly_ones_that_came_first() {
    let world = World::new(Ears::default(), ScriptedSynthesizer::new(0, 0.0));
    let costly = two_minutes();
    let mut all = FuturesUnordered::new();
    for contact in 1..=8 {
        let (scene, costly) = (of(contact, &world), costly.clone());
        all.push(async move { (contact, listen(scene, at_once(costly), ANY).await) }.boxed());
    }
    let short = listen(of(9, &world), at_once(SPEECH.into()), ANY);
    all.push(short.map(|listened| (9, listened)).boxed());
    let (first, listened) = all.next().await.unwrap();
    assert_eq!((first, listened.heard.unwrap().text.reveal()), (9, "first"));
    // Nobody speaks in the others, which is found out too.
    while let Some((_, listened)) = all.next().await {
        assert_eq!(listened.audio_ms, Some(120_000.0));
    }
}

#[tokio::test]
async fn a_reply_is_made_while_strangers_keep_every_decoder_busy() {
    let world = World::new(Ears::default(), ScriptedSynthesizer::new(0, 0.0));
    let (release, released) = std::sync::mpsc::channel::<()>();
    let mut busy = Box::pin(world.scene().path.decoders.run(move || released.recv().is_ok()));
    assert!(futures_util::poll!(&mut busy).is_pending());
    let english = crate::turn::LanguageCode::english();
    let said = crate::pipeline::reply::say(world.scene(), "Hello.", &english).await;
    assert!(said.unwrap().is_some());
    // What waits for a decoder is known as that.
    let mut waits = Box::pin(listen(world.scene(), at_once(SPEECH.into()), ANY));
    while futures_util::poll!(&mut waits).is_pending() && world.trace.waits_for().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.trace.waits_for(), Some(Stage::Decode));
    drop(release);
    assert_eq!(busy.await, Ok(false));
}

/// A note of ten minutes has 38 MB of samples.
#[tokio::test]
async fn a_long_note_is_not_decoded_far_ahead_of_what_hears_it() {
    let ears = Ears { slow: true, ..Ears::default() };
    let world = World::new(ears, ScriptedSynthesizer::new(0, 0.0));
    let long = at_once(SPEECH.repeat(54).into());
    let listening = listen(world.scene(), long, ANY);
    let a_while = std::time::Duration::from_secs(3);
    assert!(tokio::time::timeout(a_while, listening).await.is_err());
    let decoded = world.trace.sum_ms(Stage::Vad);
    let all = world.trace.records().len();
    assert!(decoded > 0.0 && all < 400, "{all} slices in {decoded} ms");
    assert!(world.scene().path.memory.most_held() < 12 << 20);
}
