//! Looks at a model for the doctor: found, complete, the file that was published, and of the
//! agents' languages.

use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::Settings;
use super::device;
use super::prompt::{self, Prompts};
use super::transcriber::knows;
use crate::engine::{Check, EngineUser};
use crate::models::manifest::RunStyle;
use crate::models::{ModelError, ModelSource, built_in, manifest};
use crate::stt::{SttDeps, Vocabulary};
use crate::turn::LanguageCode;

/// The model that is built in is made for the demo.
const BETTER: &str = "run `hark models pull base` and set [stt] model = \"base\"";
/// Reading takes no longer; the largest model has 3 GB.
const READ_TIME_LIMIT: Duration = Duration::from_mins(2);

/// Looks at the model that `users` hear with.
pub(super) async fn examine(
    settings: &Settings,
    users: &[EngineUser],
    deps: &Arc<SttDeps>,
    check: &mut Check,
) {
    let (settings, users, deps) = (settings.clone(), users.to_vec(), Arc::clone(deps));
    let name = check.name;
    // The whole model is read for its checksum.
    let read = tokio::task::spawn_blocking(move || {
        let mut check = Check::new(name);
        look_at(&settings, &users, &deps, &mut check);
        check.lines
    });
    match read.await {
        Ok(lines) => check.lines.extend(lines),
        Err(_panicked) => check.error("stt.model", "the model could not be checked", BETTER),
    }
}

/// Says what the model computes on.
fn device_of(settings: &Settings, section: &str, check: &mut Check) {
    match (settings.card(), device::BACKEND) {
        (Err(wrong), _) => check.wrong(section, wrong),
        (Ok(Some(card)), _) => {
            let (free, total) = (card.memory.0 >> 20, card.memory.1 >> 20);
            check.well(format!("hears on {card}, {free} of {total} MiB free"));
        }
        (Ok(None), _) if !settings.gpu => {
            check.well(format!("hears on the processor: {section}.gpu is false"));
        }
        (Ok(None), None) => check.well("hears on the processor: this build knows no graphics card"),
        (Ok(None), Some(backend)) => check.warning(
            format!("{section}.gpu"),
            format!("no graphics card is found by {backend}: the processor hears"),
            "look at the driver, and at what a container or systemd lets hark see: docs/GPU.md",
        ),
    }
}

fn look_at(settings: &Settings, users: &[EngineUser], deps: &SttDeps, check: &mut Check) {
    device_of(settings, &users[0].section, check);
    let key = format!("{}.model", users[0].section);
    let agents: Vec<&str> = users.iter().map(|user| user.agent.as_str()).collect();
    let agents = agents.join(", ");
    let checked = settings.find(deps).and_then(|source| Ok((source.check()?, source)));
    let ((file, header), source) = match checked {
        Ok(checked) => checked,
        Err(error) => return broken(check, key, &error),
    };
    if !header.has_weights() {
        return check.error(key, format!("{file} has no weights: it hears nothing"), BETTER);
    }
    let before = check.lines.len();
    let mut languages: Vec<&LanguageCode> = users.iter().flat_map(|user| &user.languages).collect();
    languages.sort_unstable();
    languages.dedup();
    for language in languages.iter().filter(|language| !knows(&header, language)) {
        check.error(
            &key,
            format!("{file} does not know \"{language}\" (agents: {agents})"),
            "use a multilingual model, for instance: hark models pull base",
        );
    }
    let known = manifest::find(&source);
    let room = known.map_or_else(RunStyle::default, |known| known.run).prompt_tokens;
    if let Err(error) = vocabularies(&source, room, users, check) {
        return broken(check, key, &error);
    }
    let sum = match &known {
        None => "its checksum is not on file",
        Some(known) => match checksum(&source) {
            Err(error) => {
                let fix = "put the model on a disk that can be read, and fast";
                return check.error(key, format!("{file}: {error}"), fix);
            }
            Ok(sum) if sum == known.sha256 => "checksum right",
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
    let small = known.is_some_and(|known| known.name == built_in::NAME);
    if small && users.iter().any(|user| user.people) {
        let message = format!(
            "{} is made for the demo and hears hardly any real person (agents: {agents})",
            built_in::NAME
        );
        check.warning(&key, message, BETTER);
    }
    if check.lines.len() == before {
        let languages: Vec<&str> = languages.iter().map(|code| code.as_str()).collect();
        let languages = languages.join(", ");
        check.well(format!("{file} (agents: {agents}): whole, {sum}, knows {languages}"));
    }
}

/// Names the words of each agent's list that the model has no room for.
fn vocabularies(
    source: &ModelSource,
    room: usize,
    users: &[EngineUser],
    check: &mut Check,
) -> Result<(), ModelError> {
    if users.iter().all(|user| user.vocabulary.is_empty()) {
        return Ok(());
    }
    let prompts = Prompts::read(source, room)?;
    for user in users {
        let vocabulary = Vocabulary::of_agent(&user.vocabulary, &[]);
        let cut = prompt::cut(prompts.as_ref(), &vocabulary);
        if cut.is_empty() {
            continue;
        }
        let (message, fix) = if prompts.is_some() {
            let fix = "put what is said most at the front of the list, and take off the rest";
            (format!("the model has no room for: {}", cut.join(", ")), fix)
        } else {
            ("the model was made without: it takes no words".to_owned(), BETTER)
        };
        check.warning(format!("{}.vocabulary", user.place), message, fix);
    }
    Ok(())
}

fn broken(check: &mut Check, key: String, error: &ModelError) {
    match error.command() {
        Some(command) => check.error(key, error.problem(), format!("run `{command}`")),
        None => check.error(key, error.problem(), BETTER),
    }
}

/// Computes the SHA-256 of a model, in hexadecimal.
fn checksum(source: &ModelSource) -> std::io::Result<String> {
    let mut sum = Sha256::new();
    match source {
        ModelSource::Bytes { bytes, .. } => sum.update(bytes),
        ModelSource::Path(path) => {
            let mut file = std::fs::File::open(path)?;
            let mut piece = vec![0; 1 << 20];
            let started = Instant::now();
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
