//! Kept sentences on real folders: said again as they were, bounded, and never in anybody's way.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::audio::{Pcm, SampleRate, testing::swelling};

const ROOMY: CacheLimits = CacheLimits { bytes: 1_000_000, entries: 1_000 };
const RATE: SampleRate = SampleRate(24_000);

/// Speaks a second of sound in ten pieces, and counts how often it began.
#[derive(Default)]
struct Counting {
    begun: AtomicUsize,
    /// Time before each piece.
    pace: Duration,
    /// Fails after so many pieces.
    fails_after: Option<usize>,
}

impl Counting {
    fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Synthesizer for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    async fn speak(
        &self,
        _: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Sound, TtsError>> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let samples = swelling(1, RATE);
        let pieces: Vec<Vec<f32>> = samples.chunks(2_400).map(<[f32]>::to_vec).collect();
        let (pace, fails_after, cancel) = (self.pace, self.fails_after, cancel.clone());
        let pieces = stream::iter(pieces.into_iter().enumerate()).then(move |(at, samples)| {
            let cancel = cancel.clone();
            async move {
                tokio::time::sleep(pace).await;
                match fails_after {
                    _ if cancel.is_cancelled() => None,
                    Some(most) if at >= most => Some(Err(TtsError::Empty)),
                    _ => Some(Ok(Sound::Pcm(Pcm { samples, rate: RATE }))),
                }
            }
        });
        // Cancelled, it ends as if it had said all.
        pieces
            .take_while(|piece| std::future::ready(piece.is_some()))
            .filter_map(std::future::ready)
            .boxed()
    }
}

/// Holds a cache before one engine.
struct Kept {
    folder: TempDir,
    cache: Arc<SpokenCache>,
    engine: Arc<Counting>,
    voice: Arc<dyn Synthesizer>,
}

fn sentence(text: &str) -> Sentence {
    Sentence { text: text.to_owned(), language: "en".into(), voice: None }
}

impl Kept {
    fn new(engine: Counting) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), engine)
    }

    /// Begins on a folder that may have something in it; "fixed" and "also fixed" are known.
    fn in_folder(folder: TempDir, engine: Counting) -> Self {
        let cache = SpokenCache::open(folder.path().to_owned(), ROOMY, Clock::System).unwrap();
        let engine = Arc::new(engine);
        let voice = cache.before(engine.clone(), "{}");
        voice.will_say_again(vec![sentence("fixed"), sentence("also fixed")]);
        Self { folder, cache, engine, voice }
    }

    fn again(self) -> Self {
        Self::in_folder(self.folder, Counting::default())
    }

    /// Says a text to its end, and waits until it is kept, if it is.
    async fn say(&self, text: &str) -> Vec<Result<Sound, TtsError>> {
        let said = self.voice.speak(sentence(text), &CancellationToken::new()).await;
        let said = said.collect().await;
        self.settled().await;
        said
    }

    async fn settled(&self) {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.cache.writer.run(|| ()).await.unwrap();
    }

    /// Says a text that is kept.
    async fn say_kept(&self, text: &str) -> CodedSpeech {
        match self.say(text).await.pop() {
            Some(Ok(Sound::Opus(speech))) => speech,
            other => panic!("{other:?} is not kept"),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    }
}

#[tokio::test]
async fn a_fixed_sentence_is_made_once_and_sounds_the_same() {
    let kept = Kept::new(Counting::default());
    assert_eq!(kept.say("fixed").await.len(), 10);
    let speech = kept.say_kept("fixed").await;
    assert_eq!(kept.engine.begun(), 1);
    let heard = speech.coded_granules() - u64::from(speech.pre_skip()) - speech.padding_granules();
    assert_eq!(heard, 48_000, "a second");
    #[expect(clippy::cast_precision_loss, reason = "a second of samples")]
    let power = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    let (made, again) = (swelling(1, RATE), speech.decode().unwrap().samples);
    assert!((power(&made) / power(&again) - 1.0).abs() < 0.2, "as loud");
    let kept = kept.again();
    assert_eq!(kept.say_kept("fixed").await.packets(), speech.packets());
    assert_eq!(kept.engine.begun(), 0, "after a start too");
}

#[tokio::test]
async fn what_is_not_fixed_is_made_each_time_and_never_written() {
    let kept = Kept::new(Counting::default());
    for _ in 0..2 {
        assert_eq!(kept.say("your order is on its way, Ann").await.len(), 10);
    }
    assert_eq!((kept.engine.begun(), kept.files().len()), (2, 0));
}

#[tokio::test]
async fn a_sentence_that_broke_off_is_not_kept() {
    let kept = Kept::new(Counting { fails_after: Some(5), ..Counting::default() });
    assert!(kept.say("fixed").await.last().unwrap().is_err());
    assert_eq!(kept.files().len(), 0);

    let kept = Kept::new(Counting::default());
    let cancel = CancellationToken::new();
    let mut said = kept.voice.speak(sentence("fixed"), &cancel).await;
    said.next().await.unwrap().unwrap();
    cancel.cancel();
    assert!(said.next().await.is_none(), "this engine just stops");
    kept.settled().await;
    assert_eq!(kept.files().len(), 0);
}

#[tokio::test]
async fn a_damaged_cut_or_foreign_file_is_removed_and_the_sentence_made_again() {
    let kept = Kept::new(Counting::default());
    kept.say("fixed").await;
    kept.say("also fixed").await;
    let key = kept.cache.planned.lock().unwrap()[0].key;
    let path = kept.folder.path().join(key.file_name());
    let whole = fs::read(&path).unwrap();
    let another = kept.files().into_iter().find(|file| *file != path).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    let broken = [
        damaged,
        whole[..whole.len() - 1].to_vec(),
        whole[..20].to_vec(),
        Vec::new(),
        fs::read(another).unwrap(),
        [&whole[..], b"more"].concat(),
        vec![0; 3_000_000],
    ];
    for (at, bytes) in broken.iter().enumerate() {
        fs::write(&path, bytes).unwrap();
        assert!(kept.cache.find(key).await.is_none(), "{at}");
        assert!(!path.exists(), "{at}");
        assert_eq!(kept.say("fixed").await.len(), 10, "{at}");
        kept.say_kept("fixed").await;
    }
    // Nor does anything that is no file harm.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(kept.say("fixed").await.len(), 10);
    assert_eq!(kept.say("fixed").await.len(), 10);
}

#[tokio::test]
async fn opus_of_a_server_is_kept_as_it_is() {
    let kept = Kept::new(Counting::default());
    kept.say("fixed").await;
    let speech = kept.say_kept("fixed").await;
    let key = kept.cache.planned.lock().unwrap()[1].key;
    kept.cache.keep(key, vec![Sound::Opus(speech.clone())]).await;
    assert_eq!(kept.say_kept("also fixed").await.file(), speech.file());
    kept.cache.keep(key, Vec::new()).await;
    assert_eq!(kept.say_kept("also fixed").await.file(), speech.file(), "nothing is not kept");
}

/// Opens a folder by a clock of the test's, and writes sentences of a thousand bytes.
fn small(folder: &Path, limits: CacheLimits, clock: &Clock) -> (SoundFolder, Vec<SoundKey>) {
    let keys = Keys::new(&["x"]);
    let keys = (0..30).map(|n| keys.of(&sentence(&n.to_string()))).collect();
    (SoundFolder::open(folder.to_owned(), limits, clock.clone()), keys)
}

fn held(folder: &Path, keys: &[SoundKey]) -> Vec<usize> {
    let is_there = |at: &usize| folder.join(keys[*at].file_name()).exists();
    (0..keys.len()).filter(is_there).collect()
}

#[tokio::test]
async fn what_was_not_said_for_longest_goes_first() {
    let made = Kept::new(Counting::default());
    made.say("fixed").await;
    let sound = made.say_kept("fixed").await.file().clone();
    let (temporary, clock) = (tempfile::tempdir().unwrap(), Clock::manual(1_700_000_000_000));
    let path = temporary.path();
    let limits = CacheLimits { bytes: 1_000_000, entries: 10 };
    let (folder, keys) = small(path, limits, &clock);
    let write = |at: usize| {
        folder.write(keys[at], &sound);
        clock.advance(60_000);
    };
    // A file is as old as the system says, not the test's clock: reading it sets that right.
    (0..10).for_each(|at| {
        write(at);
        assert!(folder.read(keys[at]).is_some());
    });
    assert_eq!(held(path, &keys), (0..10).collect::<Vec<_>>());
    assert!(folder.read(keys[0]).is_some() && !folder.has_room());
    write(10);
    // Down to nine tenths: the two oldest go, and the one that was just said stays.
    assert_eq!(held(path, &keys), [0, 3, 4, 5, 6, 7, 8, 9, 10]);
    drop(folder);

    let size = fs::metadata(path.join(keys[0].file_name())).unwrap().len();
    let (folder, _) = small(path, CacheLimits { bytes: 5 * size, ..ROOMY }, &clock);
    assert_eq!(held(path, &keys).len(), 4, "lower limits hold from the start on");
    assert!(folder.has_room());
    fs::write(path.join("readme"), "somebody's").unwrap();
    fs::write(path.join("1-2.part"), "left behind").unwrap();
    let (_late, _) = small(path, ROOMY, &Clock::manual(clock.now_ms() + i64::from(u32::MAX)));
    assert!(path.join("readme").exists() && path.join("1-2.part").exists());
    let later = Clock::manual(Clock::System.now_ms() + 2 * 60 * 60 * 1000);
    let (_later, _) = small(path, ROOMY, &later);
    assert!(path.join("readme").exists() && !path.join("1-2.part").exists());
}

#[tokio::test]
async fn two_processes_share_a_folder() {
    let one = Kept::new(Counting::default());
    let cache = SpokenCache::open(one.folder.path().to_owned(), ROOMY, Clock::System).unwrap();
    let engine = Arc::new(Counting::default());
    let other = cache.before(engine.clone(), "{}");
    other.will_say_again(vec![sentence("fixed")]);
    one.say("fixed").await;
    let said: Vec<_> =
        other.speak(sentence("fixed"), &CancellationToken::new()).await.collect().await;
    assert!(matches!(said[..], [Ok(Sound::Opus(_))]));
    fs::remove_file(&one.files()[0]).unwrap();
    assert_eq!(one.say("fixed").await.len(), 10, "what the other removed is made again");
    one.say_kept("fixed").await;
    assert_eq!((one.engine.begun(), engine.begun()), (2, 0));
}

#[tokio::test]
async fn a_folder_that_cannot_be_costs_no_sentence() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/spoken");
    let cache = SpokenCache::open(path, ROOMY, Clock::System).unwrap();
    let (engine, no_room) = (Arc::new(Counting::default()), !cache.folder.has_room());
    let voice = cache.before(engine.clone(), "{}");
    voice.will_say_again(vec![sentence("fixed")]);
    for _ in 0..2 {
        let said = voice.speak(sentence("fixed"), &CancellationToken::new()).await;
        assert_eq!(said.collect::<Vec<_>>().await.len(), 10);
    }
    assert!(no_room && engine.begun() == 2);
}

#[tokio::test]
async fn fixed_sentences_are_made_in_advance_and_only_while_nobody_waits() {
    let pace = Duration::from_millis(20);
    let kept = Kept::new(Counting { pace, ..Counting::default() });
    let person = async {
        // The first is being made when somebody comes.
        while kept.engine.begun() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut said = kept.voice.speak(sentence("hello Ann"), &CancellationToken::new()).await;
        assert!(said.next().await.unwrap().is_ok());
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!((kept.engine.begun(), kept.files().len()), (2, 0), "it waits");
        drop(said);
        while kept
            .files()
            .iter()
            .filter(|file| entry::is_ours(&file.file_name().unwrap().to_string_lossy()))
            .count()
            < 2
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = kept.cache.make_in_advance() => unreachable!("it runs for ever"),
        () = person => {}
    }
    assert_eq!(kept.engine.begun(), 4, "stopped, heard by a person, and both again");
    kept.say_kept("fixed").await;
    kept.say_kept("also fixed").await;
}

#[tokio::test]
async fn an_engine_that_fails_is_left_alone_until_it_is_needed() {
    let kept = Kept::new(Counting { fails_after: Some(0), ..Counting::default() });
    let advance = kept.cache.make_in_advance();
    assert!(tokio::time::timeout(Duration::from_secs(1), advance).await.is_err());
    assert_eq!(kept.engine.begun(), 1);
}
