//! Each whisper model: found, whole, the file that was published, and of the agent's languages.

use super::report::Check;
use super::{agents_in_use, agents_of_people, languages_of, section_of};
use crate::app::Places;
use crate::config::{Config, Stt};
use crate::turn::LanguageCode;

/// The model that is built in is made for the demo.
const BETTER: &str = "run `hark models pull base` and set [stt] model = \"base\"";

/// One model and who hears with it.
struct Wanted {
    /// Where the key `model` stands.
    section: String,
    stt: Stt,
    agents: Vec<String>,
    languages: Vec<LanguageCode>,
    /// Whether real people are heard with it.
    people: bool,
}

pub(super) async fn check(config: &Config, places: &Places) -> Check {
    let wanted = wanted(config);
    if wanted.is_empty() {
        let mut check = Check::new("models");
        check.skipped("no agent hears with whisper");
        return check;
    }
    let places = places.clone();
    // The whole model is read for its checksum.
    let read = tokio::task::spawn_blocking(move || {
        let mut check = Check::new("models");
        for wanted in wanted {
            look_at(&mut check, &wanted, &places);
        }
        check
    });
    read.await.unwrap_or_else(|_panicked| {
        let mut check = Check::new("models");
        check.error("stt.model", "the model could not be looked at", BETTER);
        check
    })
}

/// The distinct models of the agents in use.
fn wanted(config: &Config) -> Vec<Wanted> {
    let people = agents_of_people(config);
    let mut all: Vec<Wanted> = Vec::new();
    for index in agents_in_use(config) {
        let Ok(engines) = config.engines(index) else { continue };
        if engines.stt.engine != "whisper" {
            continue;
        }
        let agent = &config.agents[index];
        let stt = engines.stt;
        let same = |known: &Wanted| {
            (&known.stt.model, &known.stt.models_dir) == (&stt.model, &stt.models_dir)
        };
        let place = all.iter().position(same).unwrap_or_else(|| {
            all.push(Wanted {
                section: section_of(agent.stt.as_ref(), index, "stt"),
                stt: stt.clone(),
                agents: Vec::new(),
                languages: Vec::new(),
                people: false,
            });
            all.len() - 1
        });
        let place = &mut all[place];
        place.agents.push(agent.name.clone());
        place.languages.extend(languages_of(config, index));
        place.people |= people.contains(&index);
    }
    for wanted in &mut all {
        wanted.languages.sort_unstable();
        wanted.languages.dedup();
    }
    all
}

#[cfg(not(feature = "stt-whisper"))]
fn look_at(check: &mut Check, wanted: &Wanted, _: &Places) {
    check.error(
        format!("{}.engine", wanted.section),
        "\"whisper\" is not part of this build",
        "build hark with the cargo feature stt-whisper",
    );
}

#[cfg(feature = "stt-whisper")]
fn look_at(check: &mut Check, wanted: &Wanted, places: &Places) {
    use crate::models::{built_in, find, manifest};
    use crate::stt::whisper::knows;

    let key = format!("{}.model", wanted.section);
    let (stt, agents) = (&wanted.stt, wanted.agents.join(", "));
    let found = find(
        &stt.model,
        stt.models_dir.as_deref(),
        places.hark_models.as_deref(),
        places.cache.as_deref(),
    );
    let checked = found.and_then(|source| Ok((source.check()?, source)));
    let ((file, header), source) = match checked {
        Ok(checked) => checked,
        Err(error) => return broken(check, &key, &error.to_string()),
    };
    if !header.has_weights() {
        return check.error(key, format!("{file} has no weights: it hears nothing"), BETTER);
    }
    let before = check.findings().count();
    for language in wanted.languages.iter().filter(|language| !knows(&header, language)) {
        check.error(
            &key,
            format!("{file} does not know \"{language}\" (agents: {agents})"),
            "use a multilingual model, for instance: hark models pull base",
        );
    }
    let known = manifest::find(&source);
    let sum = match &known {
        None => "its checksum is not on file".to_owned(),
        Some(known) => match checksum(&source) {
            Err(error) => {
                let fix = "put the model on a disk that can be read, and fast";
                return check.error(key, format!("{file}: {error}"), fix);
            }
            Ok(sum) if sum == known.sha256 => "checksum right".to_owned(),
            Ok(_) => {
                let message = format!("{file} is damaged, or another model than {}", known.name);
                let fix = if known.name == built_in::NAME {
                    format!("set {key} = \"{}\": that one is built in", known.name)
                } else {
                    format!("run `hark models pull {}`, or rename your own file", known.name)
                };
                return check.error(key, message, fix);
            }
        },
    };
    let small = known.as_ref().is_some_and(|known| known.name == built_in::NAME);
    if small && wanted.people {
        let message = format!(
            "{} is made for the demo and hears hardly any real person (agents: {agents})",
            built_in::NAME
        );
        check.warning(&key, message, BETTER);
    }
    if before == check.findings().count() {
        let languages = wanted.languages.join(", ");
        check.well(format!("{file} (agents: {agents}): whole, {sum}, knows {languages}"));
    }
}

/// A model's error ends in the command that helps, where one does.
#[cfg(feature = "stt-whisper")]
fn broken(check: &mut Check, key: &str, error: &str) {
    let command = error.rsplit_once('\n').or_else(|| error.rsplit_once("; run `"));
    match command {
        Some((message, command)) => {
            check.error(key, message, format!("run `{}`", command.trim_end_matches('`')));
        }
        None => check.error(key, error, BETTER),
    }
}

/// Reading takes no longer; the largest model has 3 GB.
#[cfg(feature = "stt-whisper")]
const READ_TIME_LIMIT: std::time::Duration = std::time::Duration::from_mins(2);

/// The SHA-256 of a model, in hexadecimal.
#[cfg(feature = "stt-whisper")]
fn checksum(source: &crate::models::ModelSource) -> std::io::Result<String> {
    use std::io::Read as _;

    use sha2::{Digest as _, Sha256};

    use crate::models::ModelSource;

    let mut sum = Sha256::new();
    match source {
        ModelSource::Bytes { bytes, .. } => sum.update(bytes),
        ModelSource::Path(path) => {
            let mut file = std::fs::File::open(path)?;
            let mut piece = vec![0; 1 << 20];
            let started = std::time::Instant::now();
            loop {
                if started.elapsed() > READ_TIME_LIMIT {
                    return Err(std::io::ErrorKind::TimedOut.into());
                }
                match file.read(&mut piece)? {
                    0 => break,
                    read => sum.update(&piece[..read]),
                }
            }
        }
    }
    Ok(hex::encode(sum.finalize()))
}
