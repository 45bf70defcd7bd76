//! What is measured, and how: the arguments of `hark bench`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use url::Url;

use super::super::fixtures;
use crate::bench::{Recording, Workload};

#[derive(clap::Args)]
#[command(subcommand_negates_reqs = true)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(super) sent: Sent,
    #[command(flatten)]
    pub(super) plan: LoadPlan,
    #[command(flatten)]
    pub(super) own: Own,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(subcommand)]
    pub(super) target: Option<BenchTarget>,
}

#[derive(clap::Subcommand)]
pub(super) enum BenchTarget {
    /// Drive a service that runs, from outside: signed webhooks, and the Graph that it talks to.
    Serve(Served),
}

/// The voice notes that are sent.
#[derive(Clone, clap::Args)]
pub(in crate::cli) struct Sent {
    /// Send the audio files of this folder; a `.txt` beside one has what is said in it [default:
    /// the voice notes that are built in].
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) fixtures: Option<PathBuf>,
    /// Send ten seconds of speech, the same each time.
    #[arg(long, global = true, conflicts_with = "fixtures")]
    pub(super) ten_seconds: bool,
}

impl Sent {
    /// Reads them; with them comes what is wrong with others.
    pub(super) fn recordings(&self) -> anyhow::Result<(Vec<Recording>, Vec<String>)> {
        let built_in = |fixture: fixtures::Fixture| {
            Recording::new(fixture.name, fixture.note, Some(fixture.transcript.to_owned()))
        };
        let (recordings, problems) = match &self.fixtures {
            Some(folder) => {
                Recording::of_folder(folder).with_context(|| folder.display().to_string())?
            }
            None if self.ten_seconds => {
                let long = fixtures::all().into_iter().find(|fixture| fixture.name == "en_long");
                let long = built_in(long.context("en_long is not built in")?);
                let ten = long.and_then(|long| long.first(10)).map_err(anyhow::Error::msg)?;
                (vec![ten], Vec::new())
            }
            None => {
                let all = fixtures::all().into_iter().map(built_in);
                (all.collect::<Result<_, _>>().map_err(anyhow::Error::msg)?, Vec::new())
            }
        };
        let folder = self.fixtures.as_deref().unwrap_or_else(|| "the built-in ones".as_ref());
        ensure!(
            !recordings.is_empty(),
            "no voice note that can be sent in {} (--fixtures): {}",
            folder.display(),
            if problems.is_empty() {
                "it has no audio files".to_owned()
            } else {
                problems.join("; ")
            }
        );
        Ok((recordings, problems))
    }

    /// Returns these as arguments.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        if let Some(folder) = &self.fixtures {
            arguments.extend(["--fixtures".into(), folder.into()]);
        }
        if self.ten_seconds {
            arguments.push("--ten-seconds".into());
        }
        arguments
    }
}

/// How many of them are sent, and how.
#[derive(clap::Args)]
pub(super) struct LoadPlan {
    /// Voice notes that are measured in each step.
    #[arg(long, value_name = "N", default_value_t = 100, global = true)]
    pub(super) turns: usize,
    /// Voice notes before, which are not counted [default: 10, or twice the contacts].
    #[arg(long, value_name = "N", global = true)]
    pub(super) warm_up: Option<usize>,
    /// Contacts who each wait for the answer before their next note; `1..16` is a step for 1, 2, 4,
    /// 8 and 16 [default: 1].
    #[arg(long, value_name = "N|A..B", global = true)]
    concurrency: Option<Steps<usize>>,
    /// Notes a second, each from somebody else, whether or not others are answered; `1..8` doubles
    /// from step to step.
    #[arg(long, value_name = "R|A..B", global = true, conflicts_with = "concurrency")]
    rate: Option<Steps<f64>>,
    /// Before all others, one more contact sends so many notes at once, which are not counted.
    #[arg(long, value_name = "N", default_value_t = 0, global = true)]
    pub(super) beside: usize,
    /// An answer that takes longer is an error.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, global = true)]
    pub(super) patience: u64,
}

impl LoadPlan {
    /// Returns how notes are sent, step by step.
    pub(super) fn workloads(&self) -> Vec<Workload> {
        match (&self.rate, &self.concurrency) {
            (Some(Steps(rates)), _) => rates.iter().copied().map(Workload::Rate).collect(),
            (None, Some(Steps(people))) => {
                people.iter().copied().map(Workload::Concurrency).collect()
            }
            (None, None) => vec![Workload::Concurrency(1)],
        }
    }
}

/// The service that `hark bench` starts.
#[derive(clap::Args)]
pub(super) struct Own {
    /// Agent that answers [default: the configured `default_agent`].
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    /// Measure this in place of what is configured.
    #[arg(long, value_name = "NAME", conflicts_with = "agent")]
    pub(super) profile: Option<Profile>,
}

/// What can be measured wherever hark runs, and is the same there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// Ten seconds in, ten seconds out, by engines that keep a pace: what is left is hark's own time.
    Paced,
}

/// Where the figures go besides the table.
#[derive(clap::Args)]
pub(super) struct Output {
    /// Write everything that was measured.
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) json: Option<PathBuf>,
    /// Write a page for a browser.
    #[arg(long, value_name = "FILE.html", global = true)]
    pub(super) report: Option<PathBuf>,
    /// Say what is slower than it was in this JSON of an earlier bench, and exit with 1 if anything
    /// is.
    #[arg(long, value_name = "OLD.json", global = true)]
    pub(super) compare: Option<PathBuf>,
}

/// A service that runs already.
#[derive(clap::Args)]
pub(super) struct Served {
    /// Its webhook, e.g. `http://127.0.0.1:8080/webhook`.
    pub(super) url: Url,
    /// Signs the webhooks: the number's `app_secret`.
    #[arg(long, value_name = "S")]
    pub(super) app_secret: String,
    /// The number that is written to.
    #[arg(long, value_name = "N")]
    pub(super) phone_number_id: String,
    /// Where the simulated Graph listens: the number's `api_url`.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub(super) listen: String,
    /// The service's process on this machine: adds its memory and processor time.
    #[arg(long, value_name = "ID")]
    pub(super) pid: Option<u32>,
    /// Its store on this machine: adds the stages and words of its turns.
    #[arg(long, value_name = "FILE")]
    pub(super) store: Option<PathBuf>,
}

/// One value, or some that double from the first to the last.
#[derive(Clone, Debug, PartialEq)]
struct Steps<T>(Vec<T>);

impl<T: FromStr + Copy + PartialOrd + std::ops::Add<Output = T> + Default> FromStr for Steps<T> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "give one number above zero, or two as in 1..16";
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (first, last) = first.parse::<T>().ok().zip(last.parse().ok()).ok_or(WRONG)?;
        // This also refuses what is no number.
        if !(first > T::default() && last >= first) {
            return Err(WRONG);
        }
        let mut steps = vec![first];
        let mut next = first + first;
        while next < last && steps.len() < 64 {
            steps.push(next);
            next = next + next;
        }
        if last > first {
            steps.push(last);
        }
        Ok(Self(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_double_and_end_with_the_last() {
        let steps = |text: &str| text.parse::<Steps<usize>>().map(|steps| steps.0);
        assert_eq!(steps("4"), Ok(vec![4]));
        assert_eq!(steps("1..16"), Ok(vec![1, 2, 4, 8, 16]));
        assert_eq!(steps("3..10"), Ok(vec![3, 6, 10]));
        for wrong in ["0", "-1", "4..2", "x", "1..", ""] {
            assert!(steps(wrong).is_err(), "{wrong}");
        }
        let rates = |text: &str| text.parse::<Steps<f64>>().map(|steps| steps.0);
        assert_eq!(rates("0.5..2"), Ok(vec![0.5, 1.0, 2.0]));
        assert!(rates("NaN").is_err());
        assert!(rates("1..inf").map_or(true, |rates| rates.len() < 70));
    }
}
