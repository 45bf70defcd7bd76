//! What the configuration says, beyond that it loads: what is missing, made up or open to all.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::report;
use super::{agents_of_people, languages_of};
use crate::config::{Config, ConfigErrors};
use crate::engine::{Check, CheckLine};
use crate::registry::Disclosure;
use crate::turn::LanguageCode;

/// Starts with the keys that cannot be used.
pub(super) fn unusable(problems: &ConfigErrors) -> Check {
    let mut check = Check::new("configuration");
    check.lines.extend(problems.iter().map(report::unreadable).map(CheckLine::Found));
    check
}

/// Looks at what is left of it beside the keys in `problems`; `known` is how many passages each agent
/// was given by `hark knowledge`.
pub(super) fn check(
    config: &Config,
    problems: &ConfigErrors,
    known: &HashMap<String, usize>,
) -> Check {
    let mut check = unusable(problems);
    let numbers_wrong = problems.iter().any(|problem| problem.key.starts_with("numbers"));
    if !numbers_wrong && config.numbers.is_empty() {
        check.error(
            "numbers",
            "no business number is configured",
            "add a [[numbers]] table with phone_number_id, access_token and app_secret",
        );
    }
    let people = agents_of_people(config);
    if !people.is_empty() {
        webhook(&mut check, config);
    }
    for agent in &people {
        made_up(&mut check, config, *agent, known);
    }
    open_to_all(&mut check, config);
    if !check.has_findings() {
        let numbers = config.numbers.iter().filter(|number| number.version.is_none()).count();
        let agents = config.agents.iter().filter(|agent| agent.version.is_none()).count();
        let origin = config.origins.find("");
        check.well(format!("{origin} is read; numbers: {numbers}, agents: {agents}"));
    }
    if !config.numbers.is_empty() {
        disclosure(&mut check, config, &people);
    }
    check
}

/// Says when people are told that a machine speaks. Where nobody is, that is the operator's to know,
/// and may be right.
fn disclosure(check: &mut Check, config: &Config, people: &[usize]) {
    let Disclosure { enabled, every_days } = config.disclosure;
    let told_in = |language: &LanguageCode| {
        let found = config.messages.disclosure.find(language);
        found.is_some_and(|(own, text)| own.is(language) && !text.trim().is_empty())
    };
    let of_agent = |agent: &usize| languages_of(config, *agent);
    let mut mute: Vec<LanguageCode> = people.iter().flat_map(of_agent).collect();
    mute.retain(|language| enabled && !told_in(language));
    mute.dedup();
    for language in mute {
        check.warning(
            "messages.disclosure",
            format!("has no text in \"{language}\": that a machine speaks is said in English"),
            format!("write {language} = \"...\" into [messages.disclosure]"),
        );
    }
    match (enabled, every_days) {
        (true, 0) => check.well("people are told once that a machine speaks"),
        (true, days) => {
            check.well(format!("people are told every {days} days that a machine speaks"));
        }
        (false, _) => check.skipped(
            "disclosure.enabled is false: hark tells nobody that a machine speaks, as the EU's AI \
             Act, article 50, asks",
        ),
    }
}

/// Checks what Meta needs to send its webhooks here.
fn webhook(check: &mut Check, config: &Config) {
    if config.webhook.verify_token.is_none() {
        check.error(
            "webhook.verify_token",
            "is missing: Meta's handshake will be refused",
            "set verify_token or verify_token_file in [webhook], and type the same word into \
             Meta's webhook form",
        );
    }
    if let Some(url) = &config.server.public_url
        && url.scheme() != "https"
    {
        check.error(
            "server.public_url",
            "does not begin with https: Meta sends webhooks to no other address",
            "put a proxy with a certificate in front of hark and write its https address",
        );
    }
}

/// Looks for what would tell real people things that are only meant for a trial.
fn made_up(check: &mut Check, config: &Config, index: usize, known: &HashMap<String, usize>) {
    let (agent, place) = (&config.agents[index], config.agent_place(index));
    let engines = config.specs(index);
    let knows = agent.knowledge.is_some() || known.contains_key(&agent.name);
    if engines.llm.engine() == "faq" && !knows {
        check.warning(
            format!("{place}.knowledge"),
            format!(
                "agent \"{}\" tells real people about the made-up shop of the demo",
                agent.name
            ),
            "give the agent knowledge = [\"faq.csv\"] of your own, or hark knowledge add, or a language \
             model: [llm] engine = \"openai\"",
        );
    }
    for (section, spec, own) in [
        ("stt", &engines.stt, &agent.stt),
        ("llm", &engines.llm, &agent.llm),
        ("tts", &engines.tts, &agent.tts),
    ] {
        let each = spec.each().unwrap_or_default();
        if each.iter().any(|one| one.spec.engine() == "scripted") {
            let key = match own {
                Some(_) => format!("{place}.{section}"),
                None => format!("{section}.engine"),
            };
            let message =
                format!("agent \"{}\" meets real people with an engine made for tests", agent.name);
            check.warning(&key, message, format!("use another engine than \"scripted\" for {key}"));
        }
    }
}

/// Looks for files with secrets that every user of this machine can read; each is named once.
#[cfg(unix)]
fn open_to_all(check: &mut Check, config: &Config) {
    use std::os::unix::fs::PermissionsExt as _;

    /// Read permission of everyone.
    const OTHERS_READ: u32 = 0o004;
    let mut files: BTreeMap<&Path, &str> = BTreeMap::new();
    for (key, origin) in config.origins.secrets() {
        files.entry(Path::new(origin)).or_insert(key);
    }
    for (file, key) in files {
        // A variable's name is not a file.
        let Ok(about) = file.metadata() else { continue };
        if about.is_file() && about.permissions().mode() & OTHERS_READ != 0 {
            let file = file.display();
            check.warning(
                key,
                format!("every user of this machine can read the secret in {file}"),
                format!("chmod 600 {file}"),
            );
        }
    }
}

#[cfg(not(unix))]
fn open_to_all(_: &mut Check, _: &Config) {}
