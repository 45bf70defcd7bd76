//! What agents say again and again: where its sound is kept, and which sentences it is.

use std::sync::Arc;

use anyhow::Context as _;

use super::{EnginePool, Keeping};
use crate::agent::{Retrieval, reply};
use crate::clock::Clock;
use crate::config::CacheConfig;
use crate::engine::EngineSpec;
use crate::pipeline::{AgentSetup, said_of};
use crate::registry::{Languages, Phrase, Phrases, ReplyPolicy};
use crate::tts::cache::{CacheLimits, SpokenCache};
use crate::tts::{Sentence, Synthesizer, TtsEngine};
use crate::turn::LanguageCode;

/// Answers of one agent that are made in advance; those after them are made when they are said.
const MOST_ANSWERS: usize = 2_000;

impl EnginePool {
    /// Opens the cache, if this run keeps sound and the configuration says where.
    pub(super) async fn open_cache(&self, config: &CacheConfig) -> anyhow::Result<()> {
        let open = async || {
            let folder = config.folder.clone().or_else(|| self.cache_folder.clone());
            let (bytes, entries) = (config.megabytes.saturating_mul(1_000_000), config.entries);
            if self.keeping == Keeping::Nothing || bytes == 0 || entries == 0 {
                return Ok(None);
            }
            let Some(folder) = folder else {
                tracing::info!("no sentences are kept: cache.folder is not set, nor is HOME");
                return Ok(None);
            };
            let limits = CacheLimits { bytes, entries };
            let open = move || SpokenCache::open(folder, limits, Clock::System);
            let opened = tokio::task::spawn_blocking(open).await.context("opening the cache")?;
            anyhow::Ok(Some(opened.context("starting threads")?))
        };
        self.cache.get_or_try_init(open).await.map(drop)
    }

    fn cache(&self) -> Option<&Arc<SpokenCache>> {
        self.cache.get().and_then(Option::as_ref)
    }

    /// Lets the engine of `spec` say its fixed sentences again, if there is a cache.
    pub(super) fn kept(
        &self,
        made: Arc<dyn Synthesizer>,
        spec: &EngineSpec,
    ) -> Arc<dyn Synthesizer> {
        let Some(cache) = self.cache() else { return made };
        let settings = serde_json::to_string(&spec.own::<TtsEngine>());
        cache.before(made, &settings.expect("keys and values of TOML are JSON"))
    }

    /// Tells an agent's voice what it will say again and again, what is likeliest first.
    pub(super) fn announce(&self, agent: &AgentSetup) {
        if self.cache().is_none() || agent.reply == ReplyPolicy::Text {
            return;
        }
        let (phrases, languages) = (Arc::clone(&agent.phrases), agent.languages.clone());
        let (voices, synthesizer) = (agent.voice.clone(), Arc::clone(&agent.synthesizer));
        let speaks_from_file = agent.responder.wants() == Retrieval::Answer;
        let (rich, knowledge) = (agent.rich, agent.knowledge.clone().filter(|_| speaks_from_file));
        // A large knowledge takes a while to be put into words: no start waits for it.
        tokio::task::spawn_blocking(move || {
            let answers = knowledge.map(|knowledge| knowledge.answers(MOST_ANSWERS));
            let answers = answers.transpose().unwrap_or_else(|error| {
                tracing::warn!(%error, "answers on file are not made in advance");
                None
            });
            let usual = languages.without_words(None);
            let own = own_sentences(&phrases, &languages, speaks_from_file);
            let (usual, others): (Vec<_>, Vec<_>) =
                own.into_iter().partition(|(_, language)| *language == usual);
            let say_own = |(phrase, language): (&Phrase, LanguageCode)| {
                said_of(phrase.in_language(&language), &language, &voices)
            };
            let say = |answer: String| {
                let answer = if rich { reply::words(&answer) } else { answer };
                said_of(&answer, &languages.of_text(&answer, None), &voices)
            };
            let mut fixed: Vec<Sentence> = usual.into_iter().flat_map(say_own).collect();
            fixed.extend(answers.unwrap_or_default().into_iter().flat_map(say));
            fixed.extend(others.into_iter().flat_map(say_own));
            synthesizer.will_say_again(fixed);
        });
    }

    /// Makes what was announced, now and later; never returns.
    pub async fn make_in_advance(&self) {
        match self.cache() {
            Some(cache) => cache.make_in_advance().await,
            None => std::future::pending().await,
        }
    }
}

/// Returns the sentences that hark itself speaks, each with a language that it is spoken in: the
/// agent's, where it has one.
fn own_sentences<'a>(
    phrases: &'a Phrases,
    languages: &Languages,
    speaks_from_file: bool,
) -> Vec<(&'a Phrase, LanguageCode)> {
    let Phrases {
        disclosure,
        no_speech,
        repeat,
        beyond_model,
        broke_off,
        voice_mode,
        no_credits,
        ..
    } = phrases;
    let mut spoken = vec![disclosure, repeat, no_speech, voice_mode, beyond_model, no_credits];
    spoken.push(if speaks_from_file { &phrases.dont_know } else { broke_off });
    let listed = |phrase: &Phrase| match languages {
        Languages::Fixed(language) => vec![language.clone()],
        Languages::Among(languages) => languages.clone(),
        Languages::Any => phrase.languages().cloned().collect(),
    };
    let with_languages =
        |phrase: &'a Phrase| listed(phrase).into_iter().map(move |language| (phrase, language));
    spoken.into_iter().flat_map(with_languages).collect()
}
