//! Who hears: hark in the ways it can be run, and the other programs.

use std::path::Path;

use hark::models::manifest::{Effort, RunStyle, Window};
use hark::registry::Languages;
use toml::Value;

use crate::clip::FIVE;
use crate::ear::Ears;
use crate::machine::Model;
use crate::race::{Contestant, Hears, Told};
use crate::rival::{Rival, RivalModel};

// The points that `[stt] accuracy` chooses between, and the way before there were any: all that the
// detector takes for a voice, in the window that official models were trained on.
pub(crate) const FAST: &str = "hark, fast";
pub(crate) const BEST: &str = "hark, best";
pub(crate) const WHOLE: &str = "hark, whole window";

/// The way in which most noises reach the model, whose threshold of no speech is open.
pub(crate) const UNREFUSING: &str = "hark, fast, built-in detector, nothing refused";

const PYWHISPERCPP: &str = "pywhispercpp";
const FASTER: &str = "faster-whisper int8, beam 1";
const FASTER_5: &str = "faster-whisper int8, beam 5";

/// Makes contestants of one model.
pub(crate) struct LineUp<'a> {
    pub(crate) model: &'a Model,
    pub(crate) ears: Ears,
    /// What prepare.py has made, if it was asked for.
    pub(crate) rivals: Option<&'a Path>,
    pub(crate) threads: usize,
}

/// Says how a model is run: positions beyond the sound, beams, and whether words that cannot be
/// right are heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) spare: u16,
    pub(crate) beams: u8,
    pub(crate) guard: bool,
}

impl Way {
    /// Names it for the tables.
    pub(crate) fn name(self) -> String {
        let search = if self.beams == 1 { "greedy".into() } else { format!("beam {}", self.beams) };
        let guard = if self.guard { "" } else { ", no guard" };
        format!("+{}, {search}{guard}", self.spare)
    }

    fn change(self, run: &mut RunStyle) {
        let window = Some(Window { spare: self.spare, step: 8 });
        let effort = Effort { window, beams: self.beams };
        (run.fast, run.best) = (effort, effort);
        run.hear_again = self.guard;
    }
}

impl LineUp<'_> {
    /// Makes hark hear in these of its ways, told the language.
    pub(crate) async fn told(&self, names: &[&str]) -> anyhow::Result<Vec<Contestant>> {
        self.harks(names, &Languages::Any, Told::Language).await
    }

    /// Makes hark hear in these of its ways, told the language, with a list of names and without.
    pub(crate) async fn with_names(
        &self,
        ways: &[&str],
        names: &[String],
    ) -> anyhow::Result<Vec<Contestant>> {
        let mut all = Vec::new();
        for (plain, listening) in self.told(ways).await?.into_iter().zip(self.told(ways).await?) {
            all.push(plain);
            let name = format!("{}, names listed", listening.name);
            let Hears::Hark(ear) = listening.hears else { continue };
            let hears = Hears::Hark(Box::new(ear.listening_for(names)));
            all.push(Contestant { name, hears, ..listening });
        }
        Ok(all)
    }

    /// Makes hark hear in these of its ways, for an agent of five languages.
    pub(crate) async fn open(&self, names: &[&str]) -> anyhow::Result<Vec<Contestant>> {
        self.harks(names, &five(), Told::Nothing).await
    }

    /// Makes hark hear the same agent's notes, words or none: nothing is too silent for it.
    pub(crate) async fn unrefusing(&self) -> anyhow::Result<Contestant> {
        let change = |run: &mut RunStyle| run.no_speech = Some(1.0);
        let keys = [("vad", "built-in".into())];
        let ear = self.ears.changed(&self.model.name, &keys, change, five()).await?;
        let hears = Hears::Hark(Box::new(ear));
        Ok(Contestant { name: UNREFUSING.to_owned(), hears, told: Told::Nothing })
    }

    async fn harks(
        &self,
        names: &[&str],
        languages: &Languages,
        told: Told,
    ) -> anyhow::Result<Vec<Contestant>> {
        let mut harks = Vec::new();
        for &name in names {
            let accuracy = if name == BEST { "best" } else { "fast" };
            let mut keys: Vec<(&str, Value)> = vec![("accuracy", accuracy.into())];
            if name == WHOLE {
                keys.extend([("cut_audio_ctx", false.into()), ("vad", "built-in".into())]);
            }
            let ear = self.ears.ear(&self.model.name, &keys, languages.clone()).await?;
            harks.push(Contestant {
                name: name.to_owned(),
                hears: Hears::Hark(Box::new(ear)),
                told,
            });
        }
        Ok(harks)
    }

    /// Makes hark hear in ways that may be others than the manifest's, told the language.
    pub(crate) async fn ways(&self, ways: &[Way]) -> anyhow::Result<Vec<Contestant>> {
        let mut harks = Vec::new();
        for &way in ways {
            let change = move |run: &mut RunStyle| way.change(run);
            let ear = self.ears.changed(&self.model.name, &[], change, Languages::Any).await?;
            let hears = Hears::Hark(Box::new(ear));
            harks.push(Contestant { name: way.name(), hears, told: Told::Language });
        }
        Ok(harks)
    }

    /// Starts the other programs that can be had for this model; says which, and which not.
    pub(crate) async fn rivals(&self) -> anyhow::Result<(Vec<Contestant>, Vec<String>)> {
        let (mut rivals, mut notes) = (Vec::new(), Vec::new());
        let made = self.rivals.map(|folder| (folder, folder.join("venv/bin/python")));
        let Some((folder, python)) = made.filter(|(_, python)| python.exists()) else {
            return Ok((rivals, vec!["- no other program was to be had".into()]));
        };
        let folder = Some(folder.join("ct2").join(&self.model.name));
        let programs = [
            ("pywhispercpp", self.model.file.clone(), vec![(PYWHISPERCPP, 1)]),
            (
                "faster-whisper",
                folder.filter(|folder| folder.join("model.bin").exists()),
                vec![(FASTER, 1), (FASTER_5, 5)],
            ),
        ];
        for (program, model, ways) in programs {
            let Some(model) = model else {
                notes.push(format!("- {program}: not measured, it has no {}", self.model.name));
                continue;
            };
            match Rival::start(&python, &RivalModel { program, model }, self.threads).await {
                Ok((rival, version)) => {
                    notes.push(format!("- {program} {version}"));
                    rivals.extend(ways.into_iter().map(|(name, beam)| Contestant {
                        name: name.to_owned(),
                        hears: Hears::Rival(rival.with_beam(beam)),
                        told: Told::Language,
                    }));
                }
                Err(error) => notes.push(format!("- {program}: not measured, {error:#}")),
            }
        }
        Ok((rivals, notes))
    }
}

fn five() -> Languages {
    Languages::Among(FIVE.map(Into::into).to_vec())
}
