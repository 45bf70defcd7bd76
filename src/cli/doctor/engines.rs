//! Runs the checks that engines have beside their code, each once for the agents it concerns.

use std::sync::Arc;

use super::{agents_in_use, agents_of_people, languages_of};
use crate::app::Places;
use crate::config::Config;
use crate::engine::{
    self, Check, EngineRole, EngineSettings as _, EngineSpec, EngineUser, OneEngine,
};
use crate::remote::model_client;
use crate::stt::{SttDeps, SttEngine};
use crate::tts::{Speaker, TtsDeps, TtsEngine};

/// Looks at what hears.
pub(super) async fn models(config: &Config, places: &Places) -> Check {
    let mut check = Check::new("models");
    let Places { hark_models, cache } = places.clone();
    let deps = Arc::new(SttDeps { hark_models, cache, ..SttDeps::default() });
    for Group { engine, users, .. } in groups::<SttEngine>(config) {
        let users: Vec<EngineUser> =
            users.iter().map(|user| user.described::<SttEngine>(config)).collect();
        engine.settings().examine(&users, &deps, &model_client, &mut check).await;
    }
    order::<SttEngine>(config, "hears", &mut check);
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
    for Group { engine, users, .. } in groups::<TtsEngine>(config) {
        let ours = matches!(engine, TtsEngine::Espeak(_) | TtsEngine::Neural(_));
        let check = if ours { &mut voices } else { &mut others };
        let speakers: Vec<Speaker> = users.iter().map(|user| speaker(config, user)).collect();
        engine.settings().examine(&speakers, &deps, check).await;
    }
    order::<TtsEngine>(config, "speaks", &mut others);
    if voices.lines.is_empty() {
        voices.skipped("no agent speaks with a voice of this machine");
    }
    [voices, others]
}

/// Says in which order the engines of each agent's list are asked.
fn order<R: EngineRole>(config: &Config, does: &str, check: &mut Check) {
    for index in agents_in_use(config) {
        let specs = config.specs(index);
        let each = specs.of::<R>().each().unwrap_or_default();
        if each.len() > 1 {
            let names: Vec<String> =
                each.iter().map(|one| one.label::<R>(one.spec.engine())).collect();
            let (agent, names) = (&config.agents[index].name, names.join(", then "));
            check.well(format!("agent {agent}: {does} with {names}"));
        }
    }
}

fn speaker(config: &Config, user: &ListedUser) -> Speaker {
    let (index, described) = (user.agent, user.described::<TtsEngine>(config));
    let agent = &config.agents[index];
    // An engine of a list that has a voice for itself does without the agent's.
    let own_voice = user.one.has_own("voice");
    let own = agent.voice.names().into_iter().filter(|_| !own_voice);
    let place = config.agent_place(index);
    let own = own.map(|voice| (format!("{place}.voice"), voice.clone()));
    let shared = user.one.spec.text("voice");
    let shared = shared.map(|voice| (format!("{}.voice", described.section), voice.to_owned()));
    let named = own.chain(shared).collect();
    let voice = agent.voice.for_language(&described.languages[0]).filter(|_| !own_voice);
    Speaker { voice, named, user: described }
}

/// Holds the agents whose engines are looked at together, in their order.
pub(super) struct Group<R> {
    pub(super) engine: R,
    pub(super) users: Vec<ListedUser>,
    /// What they agree in; `None` for an agent that is looked at by itself.
    seen: Option<EngineSpec>,
}

/// Names an agent by its place, and the engine of its list that is looked at.
pub(super) struct ListedUser {
    pub(super) agent: usize,
    one: OneEngine,
}

/// Groups the engines of the agents in use by what the doctor sees of them, in the order of the first
/// agent of each.
pub(super) fn groups<R: EngineRole>(config: &Config) -> Vec<Group<R>> {
    let mut groups: Vec<Group<R>> = Vec::new();
    for agent in agents_in_use(config) {
        for one in config.specs(agent).of::<R>().each().unwrap_or_default() {
            let Ok(engine) = engine::read::<R>(&one.spec) else { continue };
            // What is wrong with its keys has been said of the configuration.
            if !engine::check::<R>(&one.spec).is_empty() {
                continue;
            }
            let seen = engine.settings().seen_by().map(|keys| one.spec.only(keys));
            let same = |group: &&mut Group<R>| group.seen.is_some() && group.seen == seen;
            let user = ListedUser { agent, one };
            match groups.iter_mut().find(same) {
                Some(group) => group.users.push(user),
                None => groups.push(Group { engine, users: vec![user], seen }),
            }
        }
    }
    groups
}

impl ListedUser {
    /// Describes the agent to the engine that is looked at.
    pub(super) fn described<R: EngineRole>(&self, config: &Config) -> EngineUser {
        let (index, agent) = (self.agent, &config.agents[self.agent]);
        let place = config.agent_place(index);
        EngineUser {
            agent: agent.name.clone(),
            section: config.engine_section::<R>(index, &self.one),
            vocabulary: agent.vocabulary.clone(),
            languages: languages_of(config, index),
            people: agents_of_people(config).contains(&index),
            place,
        }
    }
}
