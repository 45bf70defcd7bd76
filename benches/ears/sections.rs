//! The parts of the run: who hears what for which tables.

use std::path::PathBuf;

use clap::ValueEnum as _;
use hark::config::Environment;
use tokio_util::sync::CancellationToken;

use crate::clip::{Clip, FIVE};
use crate::ear::Ears;
use crate::line_up::{BEST, FAST, LineUp, UNREFUSING, WHOLE, Way};
use crate::machine::Model;
use crate::race::{Contestant, Track};
use crate::rate;
use crate::report::Report;
use crate::row::Row;
use crate::tables;

/// Names a part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Section {
    /// Words and cost, beside other programs, and what hark asks back about.
    Words,
    /// The language, where it is not told.
    Languages,
    /// Words where nobody speaks.
    Noise,
    /// Names, with a list of them and without.
    Vocabulary,
    /// Windows of the encoder, and beams.
    Margins,
}

/// Positions beyond the sound that are tried, and beams.
const SPARES: [u16; 5] = [8, 32, 64, 96, 128];
const BEAMS: [u8; 3] = [1, 2, 5];

/// Holds what is measured.
pub(crate) struct Measured {
    pub(crate) speech: Vec<Clip>,
    pub(crate) noise: Vec<Clip>,
    /// Names that may be said.
    pub(crate) names: Vec<String>,
    pub(crate) threads: usize,
    pub(crate) rivals: Option<PathBuf>,
    /// Empty for all.
    pub(crate) only: Vec<Section>,
    pub(crate) environment: Environment,
    pub(crate) stop: CancellationToken,
}

impl Measured {
    /// Measures one model; returns the rows of the words and cost, and how often somebody failed.
    pub(crate) async fn model(
        &self,
        model: &Model,
        report: &mut Report,
    ) -> anyhow::Result<(Vec<Row>, usize)> {
        let ears = Ears::new(&self.environment, self.threads)?;
        let (rivals, threads) = (self.rivals.as_deref(), self.threads);
        let run = Run {
            measured: self,
            line_up: LineUp { model, ears, rivals, threads },
            track: Track::new()?,
            speech: self.speech.iter().filter(|clip| knows(model, clip)).cloned().collect(),
        };
        report.add(&format!("## {}\n\n{}", model.name, model.describe()))?;
        let (mut all, mut words) = (Vec::new(), Vec::new());
        for section in Section::value_variants() {
            let included = self.only.is_empty() || self.only.contains(section);
            if included && !self.stop.is_cancelled() {
                let rows = run.section(*section, report, &words).await?;
                let part = section.to_possible_value().map(|part| part.get_name().to_owned());
                report.rows(&model.name, &part.unwrap_or_default(), &rows)?;
                if *section == Section::Words {
                    words.clone_from(&rows);
                }
                all.extend(rows);
            }
        }
        if let Some(failures) = tables::failures(&all) {
            report.add(&format!("### Failures\n\n{failures}"))?;
        }
        Ok((words, all.iter().filter(|row| row.heard.is_err()).count()))
    }
}

/// Measures one model.
struct Run<'a> {
    measured: &'a Measured,
    line_up: LineUp<'a>,
    track: Track,
    speech: Vec<Clip>,
}

impl Run<'_> {
    /// Measures one part; `words` are the rows of the first.
    async fn section(
        &self,
        section: Section,
        report: &mut Report,
        words: &[Row],
    ) -> anyhow::Result<Vec<Row>> {
        match section {
            Section::Words => self.words(report).await,
            Section::Languages => self.languages(report).await,
            Section::Noise => self.noise(report, words).await,
            Section::Vocabulary => self.vocabulary(report).await,
            Section::Margins => self.margins(report).await,
        }
    }

    async fn words(&self, report: &mut Report) -> anyhow::Result<Vec<Row>> {
        let mut contestants = self.line_up.told(&[FAST, BEST, WHOLE]).await?;
        let (others, notes) = self.line_up.rivals().await?;
        let rivals: Vec<String> = others.iter().map(|rival| rival.name.clone()).collect();
        contestants.extend(others);
        let rows = self.race("words", &contestants, &self.speech).await?;
        let notes = notes.join("\n");
        let (basis, table) = (tables::words::basis(&rows), tables::words::table(&rows, &rivals));
        report.add(&format!("### Words and cost\n\n{basis}\n\n{notes}\n\n{table}"))?;
        report.add(&format!(
            "### Gate\n\n{}\nAsked back / of them wrongly / wrongly passed:\n\n{}",
            tables::gate::table(&rows),
            tables::gate::by_logprob(&rows)
        ))?;
        Ok(rows)
    }

    async fn languages(&self, report: &mut Report) -> anyhow::Result<Vec<Row>> {
        if !self.line_up.model.multilingual {
            return Ok(Vec::new());
        }
        let contestants = self.line_up.open(&[FAST, BEST]).await?;
        let of_five = |clip: &&Clip| {
            clip.language.as_ref().is_some_and(|language| FIVE.contains(&language.primary()))
        };
        let clips: Vec<Clip> = self.speech.iter().filter(of_five).cloned().collect();
        let rows = self.race("languages", &contestants, &clips).await?;
        let table = tables::languages::table(&rows);
        report.add(&format!("### Language, one of {}\n\n{table}", FIVE.join(", ")))?;
        Ok(rows)
    }

    async fn noise(&self, report: &mut Report, people: &[Row]) -> anyhow::Result<Vec<Row>> {
        let mut contestants = self.line_up.open(&[FAST, BEST]).await?;
        contestants.push(self.line_up.unrefusing().await?);
        let rows = self.race("noise", &contestants, &self.measured.noise).await?;
        let (people, noise) = (rate::of(people, FAST), rate::of(&rows, UNREFUSING));
        report.add(&format!(
            "### Noise\n\n{}\n{}",
            tables::noise::table(&rows),
            tables::gate::by_no_speech(&people, &noise)
        ))?;
        Ok(rows)
    }

    async fn vocabulary(&self, report: &mut Report) -> anyhow::Result<Vec<Row>> {
        let names = &self.measured.names;
        let contestants = self.line_up.with_names(&[FAST, BEST], names).await?;
        let rows = self.race("vocabulary", &contestants, &self.speech).await?;
        let table = tables::vocabulary::table(&rows, names);
        report.add(&format!("### Vocabulary\n\n{} names are listed.\n\n{table}", names.len()))?;
        Ok(rows)
    }

    async fn margins(&self, report: &mut Report) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for spare in SPARES {
            let mut ways = vec![Way { spare, beams: 1, guard: false }];
            ways.extend(BEAMS.map(|beams| Way { spare, beams, guard: true }));
            let contestants = self.line_up.ways(&ways).await?;
            let title = format!("margin {spare}");
            rows.extend(self.race(&title, &contestants, &self.speech).await?);
        }
        report.add(&format!("### Margins\n\n{}", tables::margins::table(&rows)))?;
        let of = |spare, beams| Way { spare, beams, guard: true }.name();
        let beams = BEAMS.into_iter().filter(|beams| *beams > 1);
        let pairs: Vec<_> =
            beams.flat_map(|beams| SPARES.map(|spare| (of(spare, beams), of(spare, 1)))).collect();
        report.add(&format!("### Beams\n\n{}", tables::margins::beams(&rows, &pairs)))?;
        Ok(rows)
    }

    async fn race(
        &self,
        title: &str,
        contestants: &[Contestant],
        clips: &[Clip],
    ) -> anyhow::Result<Vec<Row>> {
        let title = format!("{} {title}", self.line_up.model.name);
        self.track.run(&title, contestants, clips, self.measured.stop.cancelled()).await
    }
}

/// Returns whether the model knows the recording's language.
fn knows(model: &Model, clip: &Clip) -> bool {
    let english =
        |clip: &Clip| clip.language.as_ref().is_none_or(|language| language.primary() == "en");
    model.multilingual || english(clip)
}
