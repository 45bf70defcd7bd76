//! `hark doctor`: checks everything a service needs, and says how to fix what is wrong.
//!
//! The checks know nothing of each other, run side by side, each with a time limit, and are
//! printed in one order. Invariant: nothing is sent to anybody, and nothing is changed but what
//! `--fix` registers with 360dialog; a provider is asked for what it knows of a number, a model server for one word,
//! the server of customers for somebody made up.

mod blobs;
mod clock;
mod customers;
mod d360;
mod embeddings;
mod engines;
mod llm;
mod numbers;
mod redis;
mod report;
mod settings;
mod store;
mod stored;
mod tools;
mod webhook;

use std::process::ExitCode;
use std::time::Duration;

use super::Context;
use crate::clock::Clock;
use crate::config::{Config, ConfigErrors};
use crate::registry::ProviderKind;
use crate::remote::http_client;
use crate::turn::LanguageCode;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Print the findings as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Register the webhook of numbers at 360dialog: `server.public_url`, and `webhook_secret`.
    #[arg(long)]
    pub(super) fix: bool,
}

/// A provider, a store or a program that takes longer is a finding.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Exits 0 without findings, 64 if the configuration cannot be used, else 1.
pub(super) async fn run(context: &Context, json: bool, fix: bool) -> anyhow::Result<ExitCode> {
    let joined = stored::join(&context.config, &context.problems).await;
    let (config, places, client) = (&joined.config, &context.places, http_client());
    let numbers = async {
        let (numbers, offsets) = numbers::check(config, &client, fix).await;
        (numbers, clock::check(Clock::System.now_ms(), &offsets))
    };
    let (
        models,
        [voices, tts],
        (numbers, clock),
        llm,
        embeddings,
        customers,
        tools,
        store,
        redis,
        blobs,
        webhook,
    ) = tokio::join!(
        engines::models(config, places),
        engines::voices(config, places),
        numbers,
        llm::check(config, &joined.known),
        embeddings::check(config),
        customers::check(config),
        tools::check(config),
        store::check(config, joined.trouble.as_ref()),
        redis::check(config),
        blobs::check(config, &client),
        webhook::check(config, &client),
    );
    let settings = settings::check(config, &context.problems, &joined.known);
    let entries = joined.check;
    let checks = [
        settings, entries, models, voices, numbers, llm, embeddings, customers, tools, tts, store,
        redis, blobs, clock, webhook,
    ];
    let findings = report::print(&checks, json)?;
    if !context.problems.is_empty() || joined.refused {
        return Ok(ExitCode::from(64));
    }
    Ok(ExitCode::from(u8::from(findings > 0)))
}

/// Says why nothing can be made of the configuration.
pub(super) fn unreadable(problems: &ConfigErrors, json: bool) -> anyhow::Result<ExitCode> {
    report::print(&[settings::unusable(problems)], json)?;
    Ok(ExitCode::from(64))
}

/// Returns the agents that a service would set up, by their place: those of the numbers, else the
/// default.
pub(super) fn agents_in_use(config: &Config) -> Vec<usize> {
    let used = |name: &String| {
        let answers = |own: &Option<String>| own.as_ref().unwrap_or(&config.default_agent) == name;
        config.numbers.iter().any(|number| answers(&number.agent))
            || (config.numbers.is_empty() && *name == config.default_agent)
    };
    (0..config.agents.len()).filter(|index| used(&config.agents[*index].name)).collect()
}

/// Returns the agents that answer real people: on a number that is not a simulator's.
fn agents_of_people(config: &Config) -> Vec<usize> {
    let real = config.numbers.iter().filter(|number| number.provider != ProviderKind::Simulator);
    let names: Vec<&String> =
        real.map(|number| number.agent.as_ref().unwrap_or(&config.default_agent)).collect();
    let used = |index: &usize| names.contains(&&config.agents[*index].name);
    (0..config.agents.len()).filter(used).collect()
}

/// Returns the languages an agent is sure to meet: those it is configured for, else English.
pub(super) fn languages_of(config: &Config, agent: usize) -> Vec<LanguageCode> {
    let speaker = &config.agents[agent];
    let fixed = speaker.language.iter().chain(speaker.languages.iter().flatten());
    let mut languages: Vec<LanguageCode> = fixed.cloned().collect();
    if languages.is_empty() {
        let heard = config.specs(agent).stt;
        let heard = heard.text("language");
        languages.push(heard.map_or_else(LanguageCode::english, LanguageCode::from));
    }
    languages.dedup();
    languages
}
