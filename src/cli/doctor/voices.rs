//! espeak-ng: there, and with a voice for every language and name that an agent speaks by.

use std::path::Path;

use super::report::Check;
use super::{TIME_LIMIT, agents_in_use, languages_of, section_of};
use crate::config::Config;
use crate::tts::espeak::{EspeakSettings, Installed};

const INSTALL: &str = "apt-get install espeak-ng";

pub(super) async fn check(config: &Config) -> Check {
    let mut check = Check::new("voices");
    let speakers: Vec<usize> = agents_in_use(config)
        .into_iter()
        .filter(|index| config.engines(*index).is_ok_and(|own| own.tts.engine == "espeak"))
        .collect();
    if speakers.is_empty() {
        check.skipped("no agent speaks with espeak-ng");
        return check;
    }
    let program = EspeakSettings::default().program;
    let Some(installed) = installed(&mut check, &program).await else { return check };
    let mut spoken = Vec::new();
    for index in speakers {
        named(&mut check, config, index, &installed);
        let languages = languages_of(config, index);
        for language in languages.iter().filter(|language| !installed.speaks(language)) {
            let agent = &config.agents[index].name;
            check.error(
                format!("agents[{index}].tts"),
                format!("espeak-ng has no voice for \"{language}\" of agent \"{agent}\""),
                "use a [tts] engine that speaks it: espeak-ng would read it out as English",
            );
        }
        spoken.extend(languages);
    }
    spoken.sort_unstable();
    spoken.dedup();
    if !check.has_findings() {
        let spoken = spoken.join(", ");
        check.well(format!("espeak-ng {}: speaks {spoken}", installed.version));
    }
    check
}

async fn installed(check: &mut Check, program: &Path) -> Option<Installed> {
    let (message, fix) = match tokio::time::timeout(TIME_LIMIT, Installed::find(program)).await {
        Ok(Ok(installed)) if installed.is_mute() => (
            "espeak-ng has no voices: its data is missing".to_owned(),
            "apt-get install --reinstall espeak-ng espeak-ng-data",
        ),
        Ok(Ok(installed)) => return Some(installed),
        Ok(Err(error)) => (error.to_string(), INSTALL),
        Err(_late) => {
            (format!("espeak-ng did not list its voices in {} s", TIME_LIMIT.as_secs()), INSTALL)
        }
    };
    check.error("tts.engine", message, fix);
    None
}

/// The voices that an agent names, for all languages or for one each.
fn named(check: &mut Check, config: &Config, index: usize, installed: &Installed) {
    let agent = &config.agents[index];
    let own = agent.voice.names().into_iter();
    let own = own.map(|voice| (format!("agents[{index}].voice"), voice.clone()));
    let section = section_of(agent.tts.as_ref(), index, "tts");
    let shared = config.engines(index).ok().and_then(|engines| engines.tts.voice);
    let shared = shared.map(|voice| (format!("{section}.voice"), voice));
    for (key, voice) in own.chain(shared) {
        if !installed.has(&voice) {
            check.error(
                key,
                format!("espeak-ng has no voice \"{voice}\": it would take its default"),
                "use one that `espeak-ng --voices` lists",
            );
        }
    }
}
