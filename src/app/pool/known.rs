//! What agents know: their files and what the store has for them, read once and shared by all versions
//! of an agent, and what that means to the embedding model.
//!
//! Invariant: of what has changed only the change is read, indexed and asked about.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex as AsyncMutex, Notify, OnceCell};
use tokio::time::timeout;

use super::EnginePool;
use super::agent::own_knowledge;
use crate::clock::Clock;
use crate::config::Config;
use crate::knowledge::{
    Embedder, EmbeddingSettings, Knowledge, KnowledgeError, KnowledgeSource, SourceFile, SourceKey,
};
use crate::registry::Agent;
use crate::remote::model_client;
use crate::store::{Library, SourceRow, WordsKey};
use crate::telemetry;

/// Passages that are read from the store at once.
const PAGE: usize = 1_000;
/// Between two tries to learn what passages mean: the first wait, and the longest.
const TRY_AGAIN: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Texts that are refused one by one before a server is left alone that took none.
const REFUSED: usize = 8;
/// Time to open a connection to the embeddings server.
const CONNECT: Duration = Duration::from_secs(2);
/// Days after which a vector that nobody used is forgotten.
const KEPT_DAYS: i64 = 90;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Holds what agents know.
#[derive(Default)]
pub(super) struct Known {
    library: Option<Arc<dyn Library>>,
    /// By the agents' names. Held while one changes, so that no second one is made of the same.
    by_agent: AsyncMutex<HashMap<String, Arc<Knowledge>>>,
    changed: Notify,
    /// Made with the first agent; `None` if no server is configured.
    embedder: OnceCell<Option<Arc<Embedder>>>,
}

impl Known {
    /// Knows what a store has, too.
    pub(super) fn with(library: Arc<dyn Library>) -> Self {
        Self { library: Some(library), ..Self::default() }
    }

    /// Returns what an agent knows, with what is kept of its meaning; `None` if nothing was ever given
    /// to it.
    ///
    /// # Errors
    /// A [`KnowledgeError`] for a file that cannot be read, or what the store says.
    pub(super) async fn of(
        &self,
        agent: &Agent,
        embedder: Option<&Embedder>,
        clock: &Clock,
    ) -> anyhow::Result<Option<Arc<Knowledge>>> {
        let stored = match &self.library {
            Some(library) => library.sources(&agent.name).await?,
            None => Vec::new(),
        };
        let mut by_agent = self.by_agent.lock().await;
        if agent.knowledge.is_none() && stored.is_empty() {
            by_agent.remove(&agent.name);
            return Ok(None);
        }
        let paths = agent.knowledge.clone().unwrap_or_default();
        let files = blocking(move || open(&paths)).await?;
        let wanted: HashSet<SourceKey> =
            files.iter().map(SourceFile::key).chain(stored.iter().map(|row| row.key)).collect();
        let base = match by_agent.get(&agent.name) {
            Some(known) if known.sources() == wanted => return Ok(Some(Arc::clone(known))),
            Some(known) => Arc::clone(known),
            None => Arc::new(Knowledge::new()?),
        };
        let has = base.sources();
        let mut new = Vec::new();
        for row in stored.iter().filter(|row| !has.contains(&row.key)) {
            new.push(self.read(row).await?);
        }
        let changed = blocking(move || {
            // Files first: they stand first where two passages are worth the same.
            let mut sources = Vec::new();
            for file in files.iter().filter(|file| !has.contains(&file.key())) {
                sources.push(file.read()?);
            }
            sources.append(&mut new);
            base.changed(&wanted, sources)
        });
        let known = Arc::new(changed.await?);
        if let (Some(embedder), Some(library)) = (embedder, &self.library) {
            learn(&known, embedder, library.as_ref(), clock, LearnFrom::Store).await?;
        }
        by_agent.insert(agent.name.clone(), Arc::clone(&known));
        self.changed.notify_one();
        Ok(Some(known))
    }

    /// Reads a file of the store.
    async fn read(&self, row: &SourceRow) -> anyhow::Result<KnowledgeSource> {
        let library = self.library.as_ref().context("a source comes from a store")?;
        let (mut passages, count) = (Vec::new(), row.passages as usize);
        while passages.len() < count {
            let from = u32::try_from(passages.len()).unwrap_or(u32::MAX);
            let page = library.passages(row.id, from, PAGE).await?;
            anyhow::ensure!(!page.is_empty(), "{} was replaced while it was read", row.name);
            passages.extend(page);
        }
        Ok(KnowledgeSource { name: row.name.clone(), key: row.key, passages })
    }

    /// Returns who tells what texts mean, if the configuration names a server.
    async fn embedder(&self, settings: &EmbeddingSettings, clock: &Clock) -> Option<Arc<Embedder>> {
        let make = async || {
            let notice = Arc::new(telemetry::engine_noticed);
            let made = Embedder::new(settings, model_client(CONNECT), clock.clone(), notice);
            made.map(Arc::new)
        };
        self.embedder.get_or_init(make).await.clone()
    }

    /// Learns what passages mean, those that come later too; never returns.
    async fn learn(&self, clock: &Clock) {
        let mut wait = TRY_AGAIN;
        loop {
            let changed = self.changed.notified();
            match self.learn_all(clock).await {
                Ok(()) => {
                    wait = TRY_AGAIN;
                    changed.await;
                }
                Err(error) => {
                    if wait == TRY_AGAIN {
                        tracing::warn!("some passages are found by their words alone: {error:#}");
                    } else {
                        tracing::debug!("what passages mean is not known yet: {error:#}");
                    }
                    let sooner = timeout(wait, changed).await.is_ok();
                    wait = if sooner { TRY_AGAIN } else { LONGEST_WAIT.min(wait * 2) };
                }
            }
        }
    }

    async fn learn_all(&self, clock: &Clock) -> anyhow::Result<()> {
        let embedder = self.embedder.get().and_then(Option::as_ref);
        let (Some(embedder), Some(library)) = (embedder, &self.library) else { return Ok(()) };
        let all: Vec<_> = self.by_agent.lock().await.values().cloned().collect();
        let mut learned = anyhow::Ok(0);
        for known in all {
            // What one agent's passages are refused for is no other's trouble.
            let own = learn(&known, embedder, library.as_ref(), clock, LearnFrom::Server).await;
            learned = learned.and_then(|before| Ok(before + own?));
        }
        // Where more is kept something may have to go.
        if learned? > 0 {
            library.forget_vectors(clock.now_ms() / DAY_MS - KEPT_DAYS).await?;
        }
        Ok(())
    }
}

impl EnginePool {
    /// Returns the same, whose agents know also what a store has for them, unless they know another's.
    #[must_use]
    pub fn with_library(self, library: Arc<dyn Library>) -> Self {
        if self.known.library.is_some() {
            return self;
        }
        Self { known: Known::with(library), ..self }
    }

    /// Returns what an agent knows: what was given to it, else what its engine brings along.
    ///
    /// # Errors
    /// A file that cannot be read, or what the store says.
    pub(in crate::app) async fn known(
        &self,
        config: &Config,
        agent: &Agent,
    ) -> anyhow::Result<Option<Arc<Knowledge>>> {
        let embedder = self.embedder(&config.embeddings).await;
        let known = self.known.of(agent, embedder.as_deref(), &self.clock).await?;
        if known.is_some() {
            return Ok(known);
        }
        let only = config.with_stored(Vec::new(), vec![agent.clone()]);
        let index = only.agent_index(&agent.name).context("it was just put there")?;
        Ok(own_knowledge(&only.specs(index).llm)?)
    }

    /// Returns who tells what texts mean, if the configuration names a server.
    pub(in crate::app) async fn embedder(
        &self,
        settings: &EmbeddingSettings,
    ) -> Option<Arc<Embedder>> {
        self.known.embedder(settings, &self.clock).await
    }

    /// Drops what an agent knew that is gone.
    pub(in crate::app) async fn forget_known(&self, agent: &str) {
        self.known.by_agent.lock().await.remove(agent);
    }

    /// Learns what passages mean; never returns.
    pub(in crate::app) async fn learn_meanings(&self) {
        self.known.learn(&self.clock).await;
    }
}

/// A passage whose meaning is to be known: its row, its words and their key.
struct Meant {
    row: i64,
    key: WordsKey,
    text: String,
}

/// Says who tells what passages mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LearnFrom {
    /// The store, as far as it has it.
    Store,
    /// The store, and the server for the rest.
    Server,
}

/// Learns what passages of one agent mean; returns how many the server was asked about.
async fn learn(
    known: &Arc<Knowledge>,
    embedder: &Embedder,
    library: &dyn Library,
    clock: &Clock,
    from: LearnFrom,
) -> anyhow::Result<usize> {
    let (mut after, mut asked) = (i64::MIN, 0);
    loop {
        let looked = Arc::clone(known);
        let unmeant = blocking(move || looked.unmeant(after, PAGE)).await?;
        let Some((last, _)) = unmeant.last() else { return Ok(asked) };
        after = *last;
        let meant = unmeant.into_iter().map(|(row, text)| Meant { row, key: key(&text), text });
        let all: Vec<Meant> = meant.collect();
        let keys = all.iter().map(|meant| meant.key).collect();
        let kept = library.vectors(embedder.model(), keys, clock.now_ms() / DAY_MS).await?;
        let vector = |meant: &Meant| Some((meant.row, kept.get(&meant.key)?.clone()));
        known.learn(all.iter().filter_map(vector).collect())?;
        if from == LearnFrom::Server {
            let unknown: Vec<Meant> =
                all.into_iter().filter(|meant| !kept.contains_key(&meant.key)).collect();
            asked += unknown.len();
            ask(known, embedder, library, clock, unknown).await?;
        }
    }
}

/// Asks the server what passages mean, and keeps it.
async fn ask(
    known: &Knowledge,
    embedder: &Embedder,
    library: &dyn Library,
    clock: &Clock,
    unknown: Vec<Meant>,
) -> anyhow::Result<()> {
    let (mut refused, mut taken) = (Vec::new(), false);
    let mut batches: Vec<&[Meant]> = unknown.chunks(Embedder::BATCH).rev().collect();
    while let Some(batch) = batches.pop() {
        let texts: Vec<String> = batch.iter().map(|meant| meant.text.clone()).collect();
        let vectors = match embedder.embed(&texts).await {
            Ok(vectors) => vectors,
            // The half without the text that it is about is taken; that text itself is found by its words.
            Err(error) if error.may_be_of_one() => {
                match batch.split_at(batch.len() / 2) {
                    ([], _) => refused.push(error),
                    (first, second) => batches.extend([second, first]),
                }
                // Who refuses every text is not asked about all of them.
                if !taken && refused.len() >= REFUSED {
                    break;
                }
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        taken = true;
        let keyed = batch.iter().map(|meant| meant.key).zip(vectors.iter().cloned());
        let day = clock.now_ms() / DAY_MS;
        library.keep_vectors(embedder.model(), keyed.collect(), day).await?;
        known.learn(batch.iter().map(|meant| meant.row).zip(vectors).collect())?;
    }
    refused.pop().map_or(Ok(()), |error| Err(error.into()))
}

/// Opens the files that an agent names.
fn open(paths: &[PathBuf]) -> Result<Vec<SourceFile>, KnowledgeError> {
    let (files, left_out) = SourceFile::open(paths)?;
    for path in left_out {
        let file = path.display().to_string();
        tracing::info!(file, "left out of a folder of knowledge: it is of no type that is read");
    }
    Ok(files)
}

fn key(text: &str) -> WordsKey {
    WordsKey(Sha256::digest(text).into())
}

/// Does what takes a while on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KnowledgeError> + Send + 'static,
) -> anyhow::Result<T> {
    let done = tokio::task::spawn_blocking(work).await.context("reading knowledge")?;
    Ok(done?)
}
