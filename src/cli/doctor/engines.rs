//! Runs the checks that engines have beside their code, each once for the agents it concerns.

use std::sync::Arc;

use super::{agents_in_use, agents_of_people, languages_of};
use crate::app::Places;
use crate::config::{Config, EngineSpecs};
use crate::engine::{self, Check, EngineRole, EngineSettings as _, EngineSpec, EngineUser};
use crate::registry::Override;
use crate::remote::model_client;
use crate::stt::{SttDeps, SttEngine};
use crate::tts::{Speaker, TtsDeps, TtsEngine};

/// Looks at what hears.
pub(super) async fn models(config: &Config, places: &Places) -> Check {
    let mut check = Check::new("models");
    let Places { hark_models, cache } = places.clone();
    let deps = Arc::new(SttDeps { hark_models, cache, ..SttDeps::default() });
    for Group { engine, agents, .. } in groups::<SttEngine>(config, |engines| &engines.stt) {
        let users: Vec<EngineUser> = agents
            .into_iter()
            .map(|index| user::<SttEngine>(config, index, config.agents[index].stt.as_ref()))
            .collect();
        engine.settings().examine(&users, &deps, &mut check).await;
    }
    if check.lines.is_empty() {
        check.skipped("no agent hears with whisper");
    }
    check
}

/// Looks at what speaks; voices on this machine have a check of their own, the first.
pub(super) async fn voices(config: &Config, places: &Places) -> [Check; 2] {
    let (hark_models, cache) = (places.hark_models.as_deref(), places.cache.as_deref());
    let deps = TtsDeps { connect: &model_client, hark_models, cache };
    let (mut voices, mut others) = (Check::new("voices"), Check::new("tts"));
    for Group { engine, agents, .. } in groups::<TtsEngine>(config, |engines| &engines.tts) {
        let ours = matches!(engine, TtsEngine::Espeak(_) | TtsEngine::Neural(_));
        let check = if ours { &mut voices } else { &mut others };
        let speakers: Vec<Speaker> =
            agents.into_iter().map(|index| speaker(config, index)).collect();
        engine.settings().examine(&speakers, &deps, check).await;
    }
    if voices.lines.is_empty() {
        voices.skipped("no agent speaks with a voice of this machine");
    }
    [voices, others]
}

fn speaker(config: &Config, index: usize) -> Speaker {
    let agent = &config.agents[index];
    let user = user::<TtsEngine>(config, index, agent.tts.as_ref());
    let own = agent.voice.names().into_iter();
    let own = own.map(|voice| (format!("agents[{index}].voice"), voice.clone()));
    let spec = config.specs(index).tts;
    let shared = spec.text("voice");
    let shared = shared.map(|voice| (format!("{}.voice", user.section), voice.to_owned()));
    let named = own.chain(shared).collect();
    Speaker { voice: agent.voice.for_language(&user.languages[0]), named, user }
}

/// Holds the agents whose engines are looked at together, by their places.
pub(super) struct Group<R> {
    pub(super) engine: R,
    pub(super) agents: Vec<usize>,
    /// What they agree in; `None` for an agent that is looked at by itself.
    seen: Option<EngineSpec>,
}

/// Groups the agents in use by the engine of one role, in the order of the first agent of each.
pub(super) fn groups<R: EngineRole>(
    config: &Config,
    of: impl Fn(&EngineSpecs) -> &EngineSpec,
) -> Vec<Group<R>> {
    let mut groups: Vec<Group<R>> = Vec::new();
    for index in agents_in_use(config) {
        let engines = config.specs(index);
        let spec = of(&engines);
        let Ok(engine) = engine::read::<R>(spec) else { continue };
        // What is wrong with its keys has been said of the configuration.
        if !engine::check::<R>(spec).is_empty() {
            continue;
        }
        let seen = engine.settings().seen_by().map(|keys| spec.only(keys));
        let same = |group: &&mut Group<R>| group.seen.is_some() && group.seen == seen;
        match groups.iter_mut().find(same) {
            Some(group) => group.agents.push(index),
            None => groups.push(Group { engine, agents: vec![index], seen }),
        }
    }
    groups
}

/// Describes an agent to the engine that is looked at; `own` is what it says of that engine.
pub(super) fn user<R: EngineRole>(
    config: &Config,
    index: usize,
    own: Option<&Override>,
) -> EngineUser {
    let place = format!("agents[{index}]");
    EngineUser {
        agent: config.agents[index].name.clone(),
        section: match own {
            Some(Override::Keys(_)) => format!("{place}.{}", R::SECTION),
            Some(Override::Engine(_)) | None => R::SECTION.to_owned(),
        },
        vocabulary: config.agents[index].vocabulary.clone(),
        languages: languages_of(config, index),
        people: agents_of_people(config).contains(&index),
        place,
    }
}
