//! What agents know: read before it is kept, whole or not at all.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::record::{page, uncursor};
use super::{Behind, Office, time};
use crate::http::api::{
    ApiRefusal, EntrySource, HitView, KnowledgeApi, ListPart, PageQuery, PassageView, SourceView,
    UploadedFile, limit,
};
use crate::knowledge::{
    Knowledge, KnowledgeError, KnowledgeSource, Passage, SourceFile, SourceKey,
};
use crate::registry::Agent;
use crate::store::{Library as _, SourceRow};

/// Most files of one agent that are in the store.
const MOST_FILES: usize = 10_000;

#[async_trait]
impl KnowledgeApi for Office {
    async fn sources(&self, agent: &str) -> Result<Vec<SourceView>, ApiRefusal> {
        let agent = self.find_agent(agent).await?;
        let stored = self.store.sources(&agent.name).await?;
        let known = self.known(&agent).await?;
        let keys: HashMap<SourceKey, &SourceRow> =
            stored.iter().map(|row| (row.key, row)).collect();
        let of_files = known.iter().flat_map(|known| known.list());
        let of_files = of_files.filter(|indexed| !keys.contains_key(&indexed.key));
        let mut all: Vec<SourceView> = of_files
            .map(|indexed| SourceView {
                name: indexed.name,
                source: EntrySource::File,
                passages: indexed.passages,
                bytes: None,
                added_at: None,
            })
            .collect();
        all.extend(stored.iter().map(view));
        Ok(all)
    }

    async fn add_sources(
        &self,
        agent: &str,
        files: Vec<UploadedFile>,
    ) -> Result<Vec<SourceView>, ApiRefusal> {
        let agent = self.find_agent(agent).await?;
        let of_config = names_of_files(&agent).await?;
        if let Some(twice) = files.iter().find(|file| of_config.contains(&file.name)) {
            return Err(read_only(&agent, &twice.name));
        }
        let mut names = HashSet::new();
        if let Some(twice) = files.iter().find(|file| !names.insert(file.name.as_str())) {
            let name = &twice.name;
            let problem = format!("{name} is there twice: give them names of their own");
            return Err(ApiRefusal::invalid("", problem));
        }
        let before = self.store.sources(&agent.name).await?;
        if of_config.len() + before.len() + files.len() > MOST_FILES {
            let problem = format!("an agent knows at most {MOST_FILES} files: join some");
            return Err(ApiRefusal::invalid("", problem));
        }
        let read = tokio::task::spawn_blocking(move || {
            let read = files.into_iter().map(|UploadedFile { name, contents }| {
                Ok((contents.len(), KnowledgeSource::read(&name, &contents)?))
            });
            read.collect::<Result<Vec<_>, KnowledgeError>>()
        });
        let read = read.await.map_err(|_panicked| {
            ApiRefusal::invalid("", "a file is built so that reading it fails: save it anew")
        })?;
        let read = read.map_err(|error| ApiRefusal::invalid("", error.to_string()))?;
        let now_ms = self.clock.now_ms();
        let mut added = Vec::new();
        for (bytes, KnowledgeSource { name, key, passages }) in read {
            let row = SourceRow {
                id: 0,
                agent: agent.name.clone(),
                name,
                key,
                bytes: bytes as u64,
                passages: u32::try_from(passages.len()).unwrap_or(u32::MAX),
                added_ms: now_ms,
            };
            added.push(view(&row));
            self.store.put_source(row, passages).await?;
        }
        self.live().await;
        Ok(added)
    }

    async fn remove_source(&self, agent: &str, name: &str) -> Result<(), ApiRefusal> {
        let agent = self.find_agent(agent).await?;
        if !self.store.remove_source(&agent.name, name).await? {
            if names_of_files(&agent).await?.contains(name) {
                return Err(read_only(&agent, name));
            }
            return Err(ApiRefusal::NotFound(format!("file {name} that {} knows", agent.name)));
        }
        self.live().await;
        Ok(())
    }

    async fn source_passages(
        &self,
        agent: &str,
        name: &str,
        query: PageQuery,
    ) -> Result<ListPart<PassageView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let from: Option<usize> = match query.cursor.as_deref().map(uncursor).transpose()? {
            Some(place) => Some(place.parse().map_err(|_odd| super::record::odd_cursor())?),
            None => None,
        };
        let agent = self.find_agent(agent).await?;
        let known = self.known(&agent).await?;
        let of_name =
            |known: &Arc<Knowledge>| known.list().into_iter().find(|indexed| indexed.name == name);
        let unknown = || ApiRefusal::NotFound(format!("file {name} that {} knows", agent.name));
        let known = known.ok_or_else(unknown)?;
        let file = of_name(&known).ok_or_else(unknown)?;
        let from = from.map_or(0, |place| place + 1);
        let passages =
            known.passages_of(file.key, from, limit + 1).map_err(|error| index_failed(&error))?;
        let placed = (from..).zip(passages).collect();
        Ok(page(
            placed,
            limit,
            |(place, _)| place.to_string(),
            |(_, passage)| passage_view(passage),
        ))
    }

    async fn search(
        &self,
        agent: &str,
        question: &str,
        most: usize,
    ) -> Result<Vec<HitView>, ApiRefusal> {
        let agent = self.find_agent(agent).await?;
        let Some(known) = self.known(&agent).await? else { return Ok(Vec::new()) };
        let meaning = match self.embedder().await.filter(|_| known.meant() > 0) {
            Some(embedder) => embedder.meaning(question).await,
            None => None,
        };
        let language = agent.languages(None).of_text(question, None);
        let question = question.to_owned();
        let search = move || known.top(&question, &language, meaning.as_ref(), most);
        let hits =
            tokio::task::spawn_blocking(search).await.map_err(|_panicked| ApiRefusal::Late)?;
        Ok(hits.map_err(|error| index_failed(&error))?.into_iter().map(hit_view).collect())
    }
}

impl Office {
    /// Returns an agent by its name, from the configuration or the store.
    async fn find_agent(&self, name: &str) -> Result<Agent, ApiRefusal> {
        let config = self.config().await;
        let stored = self.stored().await?.agents;
        let mut all = stored.into_iter().chain(config.agents);
        let found = all.find(|agent| agent.name == name);
        found.ok_or_else(|| ApiRefusal::NotFound(super::agents::AGENT.to_owned()))
    }

    /// Takes from an agent that is gone what it was given to know.
    pub(super) async fn forget_known(&self, agent: &str) -> Result<(), ApiRefusal> {
        for source in self.store.sources(agent).await? {
            self.store.remove_source(agent, &source.name).await?;
        }
        match &self.behind {
            Behind::Service(agents) => agents.pool().forget_known(agent).await,
            Behind::Nothing { pool, .. } => pool.forget_known(agent).await,
        }
        Ok(())
    }
}

/// Returns the names of the files that an agent itself names.
async fn names_of_files(agent: &Agent) -> Result<HashSet<String>, ApiRefusal> {
    let paths = agent.knowledge.clone().unwrap_or_default();
    let opened = tokio::task::spawn_blocking(move || SourceFile::open(&paths)).await;
    let (files, _) =
        opened.map_err(|_panicked| ApiRefusal::Late)?.map_err(|error| index_failed(&error))?;
    Ok(files.into_iter().map(|file| file.name).collect())
}

/// Says that a file is the configuration's.
fn read_only(agent: &Agent, name: &str) -> ApiRefusal {
    let what = format!("the file {name} of agent {}", agent.name);
    ApiRefusal::ReadOnly { what, file: "the configuration".to_owned() }
}

/// Says that a file of the configuration cannot be read, or SQLite fails.
fn index_failed(error: &KnowledgeError) -> ApiRefusal {
    ApiRefusal::Unreadable(error.to_string())
}

fn view(row: &SourceRow) -> SourceView {
    SourceView {
        name: row.name.clone(),
        source: EntrySource::Store,
        passages: row.passages as usize,
        bytes: Some(row.bytes),
        added_at: Some(time(row.added_ms)),
    }
}

fn passage_view(passage: Passage) -> PassageView {
    let Passage { question, answer, place, .. } = passage;
    PassageView { question, answer, place }
}

fn hit_view(hit: crate::knowledge::Hit) -> HitView {
    HitView {
        file: hit.source.file,
        place: hit.source.place,
        question: hit.question,
        answer: hit.answer,
        score: hit.score,
        coverage: hit.coverage,
        similarity: hit.similarity,
    }
}
