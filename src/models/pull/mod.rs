//! Gets a model or a voice: from a row of the manifest or the catalogue, or an address and a SHA-256,
//! to a file that is exactly that.
//!
//! Sits beside [`find`](super::find), which only reads. Invariant: nothing gets the model's name
//! whose sum, and size where it is known before, are not those that were asked for, so neither
//! the server nor the way to it is trusted, and redirects may lead anywhere. No token is sent. Where no
//! SHA-256 is known, that is true of what comes after the first time: see [`lock`](super::lock).

mod answer;
mod copy;
mod error;
mod part;
mod wanted;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, RANGE};
use reqwest::{Client, Response};
use tokio::time::{sleep, timeout};
use url::Url;

use self::answer::Answer;
pub use self::error::PullError;
use self::part::PartFile;
pub use self::wanted::Wanted;
use super::installed::{self, Condition};
use super::lock::{LockedFile, ModelLock};
use super::sum::Sum;
use crate::remote::patience::Patience;
use crate::remote::words::error_chain;
use crate::turn::Retry;

/// Names where the official models are.
pub const HUGGING_FACE: &str = "https://huggingface.co";

/// Fewer bytes than this in [`Pace::stall`] are silence: it bounds the time of a download.
const TRICKLE: u64 = 16 * 1024;
/// A try that got this far counts as a first one, so that a bad line gets a large model too.
const PROGRESS: u64 = 1 << 20;
/// The longest that a server may ask us to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long the end of an answer is waited for when all bytes are there.
const LINGER: Duration = Duration::from_secs(1);

/// Sets how patient a download is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Tries in a row that bring nothing.
    pub tries: u32,
    /// Pause after the first; each next is twice as long.
    pub first_wait: Duration,
    /// The longest silence.
    pub stall: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { tries: 5, first_wait: Duration::from_secs(1), stall: Duration::from_secs(30) }
    }
}

/// Reports how a download goes.
#[derive(Debug)]
pub enum Progress<'a> {
    /// It begins.
    Begin {
        /// Bytes that are there from an earlier time.
        done: u64,
        /// Bytes of the model.
        of: u64,
    },
    /// So many bytes are there.
    At(u64),
    /// It failed and will be tried again.
    Again {
        /// Why.
        problem: &'a PullError,
        /// After this long.
        wait: Duration,
    },
    /// Its SHA-256 was written down, to hold the file to it from now on.
    Pinned {
        /// In hexadecimal.
        sha256: &'a str,
    },
}

/// Says how a model came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// It was there, complete.
    Already,
    /// It was downloaded.
    Downloaded,
}

/// Describes a download.
pub struct Pull<'a> {
    /// Follows redirects to other hosts, and asks for no compression.
    pub client: &'a Client,
    /// Where the model goes; made if need be.
    pub folder: &'a Path,
    /// How patient it is.
    pub pace: Pace,
}

impl Pull<'_> {
    /// Returns where the file will be.
    pub fn target(&self, wanted: &Wanted) -> PathBuf {
        self.folder.join(&wanted.file)
    }

    /// Gets what is `wanted`, unless it is there already; a file that differs is replaced. `report` hears
    /// how it goes.
    ///
    /// # Errors
    /// See [`PullError`]. What has arrived is kept and continued by the next call, unless it is
    /// known to be wrong.
    pub async fn pull(
        &self,
        wanted: &Wanted,
        mut report: impl FnMut(Progress<'_>),
    ) -> Result<Pulled, PullError> {
        if !wanted.pin {
            return Ok(self.get(wanted, &mut report).await?.0);
        }
        let known = ModelLock::read(self.folder)?.get(&wanted.file).cloned();
        let (pulled, sha256) = self.get(&wanted.held_to(known.as_ref()), &mut report).await?;
        let sha256 = match sha256 {
            Some(sha256) => sha256,
            None => self.sum_of(wanted).await?,
        };
        if known.is_none_or(|known| known.sha256 != sha256) {
            let is = LockedFile { sha256: sha256.clone(), from: wanted.url.to_string() };
            ModelLock::pin(self.folder, &wanted.file, is)?;
            report(Progress::Pinned { sha256: &sha256 });
        }
        Ok(pulled)
    }

    /// Gets it, unless it is there; returns the SHA-256 of what came.
    async fn get(
        &self,
        wanted: &Wanted,
        report: &mut impl FnMut(Progress<'_>),
    ) -> Result<(Pulled, Option<String>), PullError> {
        if self.is_there(wanted).await? {
            return Ok((Pulled::Already, None));
        }
        let file = wanted.path();
        let bytes = match (wanted.bytes, &file) {
            (Some(bytes), _) => bytes,
            (None, Some(file)) => copy::size(file).await?,
            (None, None) => {
                answer::size(&self.ask(&wanted.url, Some("bytes=0-0")).await?, &wanted.url)?
            }
        };
        let mut part = PartFile::open(self.folder, wanted, bytes).await?;
        // Whoever had the part until now may just have finished.
        if part.done() == 0 && self.is_there(wanted).await? {
            part.remove().await?;
            return Ok((Pulled::Already, None));
        }
        // What is known by no sum must not be made of two.
        if wanted.sum == Sum::Unknown || file.is_some() {
            part.restart(wanted).await?;
        }
        report(Progress::Begin { done: part.done(), of: bytes });
        let filled = match &file {
            Some(file) => copy::fill(file, &mut part, report).await,
            None => self.fill(wanted, &mut part, report).await,
        };
        if let Err(problem) = filled {
            if matches!(problem, PullError::TooLong { .. }) || part.done() == 0 {
                part.remove().await?;
            }
            return Err(problem);
        }
        Ok((Pulled::Downloaded, Some(part.finish(wanted).await?)))
    }

    /// Fetches until `part` is complete, as often as it takes and the pace allows.
    async fn fill(
        &self,
        wanted: &Wanted,
        part: &mut PartFile,
        report: &mut impl FnMut(Progress<'_>),
    ) -> Result<(), PullError> {
        let (mut failures, began_with) = (0, part.done());
        while part.missing() > 0 {
            let before = part.done();
            let fetched = self.fetch(wanted, part, report).await;
            part.flush().await?;
            let Err(problem) = fetched else { continue };
            // A machine without a way out would wait for nothing; a line that failed may come back.
            if part.done() == began_with && matches!(problem, PullError::Unreachable { .. }) {
                return Err(problem);
            }
            failures = if part.done() >= before + PROGRESS { 1 } else { failures + 1 };
            let least = match problem.retry() {
                Retry::After(least) if failures < self.pace.tries => least,
                _ => return Err(problem),
            };
            let wait = least.max(self.pace.first_wait * (1 << (failures - 1)));
            report(Progress::Again { problem: &problem, wait });
            sleep(wait).await;
        }
        Ok(())
    }

    /// Returns whether the folder has the complete model; of what is known by no sum nobody can tell.
    async fn is_there(&self, wanted: &Wanted) -> Result<bool, PullError> {
        let (target, bytes, sum) = (self.target(wanted), wanted.bytes, wanted.sum.clone());
        if sum == Sum::Unknown {
            return Ok(false);
        }
        let checking = move || match installed::check(&target, bytes, &sum) {
            Ok(condition) => Ok(condition == Condition::Good),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(PullError::disk(&target, bytes.unwrap_or_default(), error)),
        };
        tokio::task::spawn_blocking(checking).await.expect("reading a file does not panic")
    }

    /// Returns the SHA-256 of the file that is there.
    async fn sum_of(&self, wanted: &Wanted) -> Result<String, PullError> {
        let target = self.target(wanted);
        let reading =
            move || installed::sha256(&target).map_err(|error| PullError::disk(&target, 0, error));
        tokio::task::spawn_blocking(reading).await.expect("reading a file does not panic")
    }

    /// Makes one request for what is missing of `part` and writes what comes.
    async fn fetch(
        &self,
        wanted: &Wanted,
        part: &mut PartFile,
        report: &mut impl FnMut(Progress<'_>),
    ) -> Result<(), PullError> {
        let url = &wanted.url;
        let rest = (part.done() > 0).then(|| format!("bytes={}-", part.done()));
        let mut response = self.ask(url, rest.as_deref()).await?;
        let mut answer = Answer::read(&response, url, part, part.done())?;
        if answer == Answer::AnotherRange {
            response = self.ask(url, None).await?;
            answer = Answer::read(&response, url, part, 0)?;
        }
        let announced = answer::announced(&response);
        let mut first = true;
        // A large model takes hours on a slow line: only silence ends it.
        let mut patience = Patience::new(Duration::MAX);
        patience.expect_within(self.pace.stall);
        let mut arrived = 0;
        loop {
            let whole = !first && part.missing() == 0;
            let chunk = next(&mut response, &mut patience).await;
            let bytes = chunk.as_deref().unwrap_or_default();
            if std::mem::take(&mut first) {
                answer.judge(bytes, announced, url, part)?;
                if answer == Answer::FromTheStart && part.done() > 0 {
                    part.restart(wanted).await?;
                }
            }
            if bytes.len() as u64 > part.missing() {
                return Err(PullError::TooLong { url: url.to_string(), bytes: part.bytes() });
            }
            match &chunk {
                Ok(bytes) => part.write(bytes).await?,
                // What comes of the connection after the last byte does not matter.
                Err(_) if whole => return Ok(()),
                Err(reason) => return Err(broke_off(part, reason.clone())),
            }
            report(Progress::At(part.done()));
            arrived += bytes.len() as u64;
            if part.missing() == 0 {
                patience.expect_within(LINGER);
            } else if arrived >= TRICKLE {
                patience.expect_within(self.pace.stall);
                arrived = 0;
            }
        }
    }

    async fn ask(&self, url: &Url, range: Option<&str>) -> Result<Response, PullError> {
        // A packed answer would not be the file.
        let mut request = self.client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        let no_answer = |reason| PullError::NoAnswer { host: answer::host(url), reason };
        match timeout(self.pace.stall, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_redirect() => {
                Err(PullError::Redirect { host: answer::host(url) })
            }
            Ok(Err(error)) if error.is_connect() => {
                // Perhaps one that the mirror sends us to.
                let host = answer::host(error.url().unwrap_or(url));
                Err(PullError::Unreachable { host, reason: error_chain(error) })
            }
            Ok(Err(error)) => Err(no_answer(error_chain(error))),
            Err(_) => Err(no_answer(format!("silence for {:?}", self.pace.stall))),
        }
    }
}

/// Reads the next bytes of a body; the error says why there are none.
async fn next(response: &mut Response, patience: &mut Patience) -> Result<Bytes, String> {
    match patience.wait(response.chunk()).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err("the server ended it".into()),
        Ok(Err(error)) => Err(error_chain(error)),
        Err(_) => Err("hardly anything arrives".into()),
    }
}

fn broke_off(part: &PartFile, reason: String) -> PullError {
    PullError::BrokeOff { done: part.done(), bytes: part.bytes(), reason }
}
