//! What `[tts]` says of espeak-ng, the synthesizer made of it, and a look at what is installed: the
//! program, and a voice for every language and name that an agent speaks by.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::time::timeout;

use super::installed::{self, Installed};
use super::{EspeakSynthesizer, PROGRAM, late};
use crate::engine::{Check, EngineSettings, Wrong};
use crate::remote::patience::Late;
use crate::tts::{Speaker, Synthesizer, TtsDeps, TtsError, TtsSettings, VoiceRow, check_speed};
use crate::turn::LanguageCode;

const INSTALL: &str = "apt-get install espeak-ng";
/// Of the program and its voices; what they say is free.
const LICENCE: &str = "GPL-3.0-or-later";
/// Longest wait for the list of voices.
const LIST_LIMIT: Duration = Duration::from_secs(10);
/// The engine's own pace.
const WORDS_PER_MINUTE: f64 = 175.0;

/// Describes which voice speaks, and how fast.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Settings {
    /// The program, looked up in `PATH` unless it is a path.
    #[serde(skip, default = "program")]
    pub program: PathBuf,
    /// The voice of sentences that name none, e.g. `en-gb+f3`, where it speaks their language;
    /// `None`: by language.
    pub voice: Option<String>,
    /// Pace, 0.5 to 2; 1 as the voice speaks by itself.
    pub speed: f64,
}

fn program() -> PathBuf {
    PathBuf::from(PROGRAM)
}

impl Default for Settings {
    fn default() -> Self {
        Self { program: program(), voice: None, speed: 1.0 }
    }
}

impl Settings {
    /// Returns the pace in words; `None` leaves the engine its own.
    pub(super) fn words_per_minute(&self) -> Option<u32> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be from 0.5 to 2"
        )]
        let words = (WORDS_PER_MINUTE * self.speed).round() as u32;
        ((self.speed - 1.0).abs() > f64::EPSILON).then_some(words)
    }
}

impl EngineSettings for Settings {
    fn check(&self) -> Vec<Wrong> {
        check_speed(self.speed).into_iter().collect()
    }

    /// Names none: all agents share one program.
    fn seen_by(&self) -> Option<&'static [&'static str]> {
        Some(&[])
    }
}

#[async_trait]
impl TtsSettings for Settings {
    fn build(&self, _: &TtsDeps<'_>) -> Result<Arc<dyn Synthesizer>, Wrong> {
        Ok(Arc::new(EspeakSynthesizer::new(self.clone())))
    }

    async fn voices(&self, _: &TtsDeps<'_>) -> Result<Vec<VoiceRow>, TtsError> {
        let row = |(name, language)| VoiceRow {
            engine: "espeak",
            name,
            language,
            licence: LICENCE.to_owned(),
            place: PROGRAM.to_owned(),
        };
        let voices = timeout(LIST_LIMIT, installed::listed(&self.program)).await;
        Ok(voices.map_err(|_| late(Late::Total))??.into_iter().map(row).collect())
    }

    async fn examine(&self, speakers: &[Speaker], _: &TtsDeps<'_>, check: &mut Check) {
        let Some(installed) = installed(check, &self.program).await else { return };
        let before = check.lines.len();
        let mut spoken: Vec<&str> = Vec::new();
        for Speaker { user, named, .. } in speakers {
            for (key, voice) in named.iter().filter(|(_, voice)| !installed.voices.has(voice)) {
                check.error(
                    key,
                    format!("espeak-ng has no voice \"{voice}\": it would take its default"),
                    "use one that `espeak-ng --voices` lists",
                );
            }
            let mute = |language: &&LanguageCode| installed.voices.own_voice(language).is_none();
            for language in user.languages.iter().filter(mute) {
                check.error(
                    format!("{}.tts", user.place),
                    format!(
                        "espeak-ng has no voice for \"{language}\" of agent \"{}\"",
                        user.agent
                    ),
                    "use a [tts] engine that speaks it: espeak-ng would read it out as English",
                );
            }
            spoken.extend(user.languages.iter().map(LanguageCode::as_str));
        }
        spoken.sort_unstable();
        spoken.dedup();
        if check.lines.len() == before {
            let spoken = spoken.join(", ");
            check.well(format!("espeak-ng {}: speaks {spoken}", installed.version));
        }
    }
}

async fn installed(check: &mut Check, program: &Path) -> Option<Installed> {
    let (message, fix) = match timeout(LIST_LIMIT, Installed::find(program)).await {
        Ok(Ok(installed)) if installed.voices.is_empty() => (
            "espeak-ng has no voices: its data is missing".to_owned(),
            "apt-get install --reinstall espeak-ng espeak-ng-data",
        ),
        Ok(Ok(installed)) => return Some(installed),
        Ok(Err(error)) => (error.to_string(), INSTALL),
        Err(_late) => {
            (format!("espeak-ng did not list its voices in {} s", LIST_LIMIT.as_secs()), INSTALL)
        }
    };
    check.error("tts.engine", message, fix);
    None
}
