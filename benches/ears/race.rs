//! Lets all contestants hear each recording in turn, so that what else the machine does meets all
//! of them alike.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use hark::audio::Speech;
use hark::stt::wer;
use hark::turn::{LanguageCode, Transcript};
use indicatif::{ProgressBar, ProgressStyle};
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

use crate::clip::{Clip, Sound};
use crate::ear::Ear;
use crate::rival::Rival;
use crate::row::{Doubt, Heading, Heard, Row, Took};

/// Hears; named as the tables name it.
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) hears: Hears,
    /// Whether it is told the language that is spoken.
    pub(crate) told: Told,
}

/// Says who hears.
pub(crate) enum Hears {
    Hark(Box<Ear>),
    Rival(Rival),
}

/// Says what a contestant is told of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The one that is spoken, where that is known.
    Language,
    /// Nothing.
    Nothing,
}

/// Runs races; ends early if asked to.
pub(crate) struct Track {
    samples: TempDir,
}

impl Track {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { samples: tempfile::tempdir().context("a folder for samples")? })
    }

    /// Lets `contestants` hear `clips`. Whoever begins changes with each recording. Returns the
    /// rows of those recordings that all have heard once `stop` is over.
    pub(crate) async fn run(
        &self,
        title: &str,
        contestants: &[Contestant],
        clips: &[Clip],
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        let bar = progress(title, clips.len());
        tokio::pin!(stop);
        for (at, clip) in clips.iter().enumerate() {
            bar.set_message(clip.name.clone());
            let heard = self.all(contestants, clip, at);
            tokio::select! {
                biased;
                () = &mut stop => break,
                heard = heard => rows.extend(heard?),
            }
            bar.inc(1);
            if bar.is_hidden() {
                eprintln!("{title}: {} of {}", at + 1, clips.len());
            }
        }
        bar.finish_and_clear();
        Ok(rows)
    }

    /// Lets all hear one recording; the rows are in the contestants' order.
    async fn all(
        &self,
        contestants: &[Contestant],
        clip: &Clip,
        begin: usize,
    ) -> anyhow::Result<Vec<Row>> {
        let sound = clip.open();
        let heading = Arc::new(Heading {
            name: clip.name.clone(),
            language: clip.language.clone(),
            seconds: sound.as_ref().map_or(0.0, |sound| sound.speech.duration_ms() / 1000.0),
            said: wer::normalise(&clip.words),
        });
        let samples = match &sound {
            Ok(sound) => self.write(&sound.speech)?,
            Err(_) => PathBuf::new(),
        };
        let mut rows: Vec<(usize, Row)> = Vec::new();
        for turn in 0..contestants.len() {
            let place = (begin + turn) % contestants.len();
            let contestant = &contestants[place];
            let (took, heard) = match &sound {
                Ok(sound) => contestant.hear(sound, &samples, clip).await,
                Err(problem) => (Took::default(), Err(problem.clone())),
            };
            let (clip, who) = (Arc::clone(&heading), contestant.name.clone());
            rows.push((place, Row { clip, who, took, heard }));
        }
        rows.sort_by_key(|(place, _)| *place);
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// Writes samples where other programs read them.
    fn write(&self, speech: &Speech) -> anyhow::Result<PathBuf> {
        let file = self.samples.path().join("samples.f32");
        let bytes: Vec<u8> = speech.samples().iter().flat_map(|one| one.to_le_bytes()).collect();
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        Ok(file)
    }
}

impl Contestant {
    /// Hears one recording. hark's seconds hold decoding, and finding speech; the others get the
    /// samples.
    async fn hear(
        &self,
        sound: &Sound,
        samples: &Path,
        clip: &Clip,
    ) -> (Took, Result<Heard, String>) {
        let language: Option<&LanguageCode> = match self.told {
            Told::Language => clip.language.as_ref(),
            Told::Nothing => None,
        };
        match &self.hears {
            Hears::Hark(ear) => {
                let (cpu, wall) = (cpu_s(), Instant::now());
                let heard = ear.hear(sound.bytes.clone(), language).await;
                let took = Took { cpu_s: cpu_s() - cpu, wall_s: wall.elapsed().as_secs_f64() };
                let judge = |heard: Transcript| {
                    judge(&clip.words, heard.text.reveal(), Some(Doubt::from(&heard)))
                };
                (took, heard.map(judge))
            }
            Hears::Rival(rival) => match rival.hear(samples, language).await {
                Ok((text, took)) => (took, Ok(judge(&clip.words, &text, None))),
                Err(error) => (Took::default(), Err(error)),
            },
        }
    }
}

/// Counts the words that are wrong.
fn judge(said: &str, text: &str, doubt: Option<Doubt>) -> Heard {
    let wrong = wer::word_errors(said, text).errors;
    Heard { wrong, words: wer::normalise(text), doubt }
}

/// Returns the CPU seconds of this process so far, user and system.
fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "days at most")]
    let seconds = now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9;
    seconds
}

fn progress(title: &str, count: usize) -> ProgressBar {
    let bar = ProgressBar::new(count as u64);
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len}, {eta} left  {msg}");
    bar.set_style(style.expect("it is a template"));
    bar.set_prefix(title.to_owned());
    bar
}
