//! `hark models pull`: one model or voice, with a bar for people and two lines for logs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use url::Url;

use super::shown::{Shown, bar};
use super::target::{PullTarget, Purpose, address, hugging_face, sha256};
use super::{Context, built_in, places, print, voice_places, wrong_usage};
use crate::models::lock::LOCK;
use crate::models::pull::{Pace, Pull, PullError, Pulled, Wanted};
use crate::models::sum::Sum;
use crate::models::voices::CARD;
use crate::models::{built_in as in_program, in_cache};
use crate::remote::download_client;
use crate::turn::Retry;

const WHERE: &str = "The file goes where hark looks for models: into [stt] models_dir, for voices [tts] \
voices_dir, else into the folder that HARK_MODELS names, else into hark/models in the user's cache folder. \
A file of its name that is in one of them already is replaced there. Its path is printed on stdout.\n\n\
Of some voices no SHA-256 is published: the first pull compares the MD5, shows the SHA-256 of what came, \
and writes it into models.lock beside the file, which later pulls and `hark models verify` hold it to.";

#[derive(clap::Args)]
#[command(after_help = WHERE)]
pub(super) struct Arguments {
    /// Name of a model or a voice, e.g. `base` or `de_DE-kerstin-low`; `hark models list` has them
    /// all, with --voices the voices. Or the address of another model in whisper.cpp's format, or
    /// the address or path of another Piper voice, each with its --sha256.
    #[arg(value_parser = PullTarget::read, value_name = "NAME|URL|FILE")]
    model: PullTarget,
    /// SHA-256 of what hark does not know, 64 hexadecimal digits. A voice may have a second one, of
    /// the .onnx.json beside it; without it, the first that comes is kept to.
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    sha256: Vec<String>,
    /// Accept a licence that asks for something, such as credit; hark says which.
    #[arg(long, alias = "accept-license")]
    accept_licence: bool,
    /// Folder for the file.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Server with the same paths, instead of Hugging Face. It need not be trusted: the checksum
    /// is part of hark.
    #[arg(long, value_name = "URL", value_parser = address)]
    mirror: Option<Url>,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { model: target, sha256, accept_licence, dir, mirror } = arguments;
    if let Some(name) = is_built_in(&target) {
        eprintln!("{name} is part of this program: there is nothing to pull");
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = target.wanted(&sha256, mirror.as_ref())?;
    let terms = target.terms();
    if let Some(terms) = terms.as_ref().filter(|_| !accept_licence) {
        wrong_usage(&format!(
            "its licence has to be accepted: {terms}\nadd --accept-licence if you will keep to it"
        ));
    }
    let looked_in = match target.purpose() {
        Purpose::Speak { .. } => voice_places(context),
        Purpose::Hear | Purpose::Nothing => places(context),
    };
    let main = wanted.iter().find(|one| !one.file.ends_with(CARD)).expect("there is a file");
    let folder = match dir {
        Some(dir) => dir,
        None => folder(context, &target, &looked_in, &main.file)?,
    };
    let client = download_client();
    let pull = Pull { client: &client, folder: &folder, pace: Pace::default() };
    for one in &wanted {
        let shown = Shown { wanted: one, licence: target.licence(), bar: bar() };
        let pulled = pull.pull(one, |progress| shown.show(&progress)).await;
        shown.bar.finish_and_clear();
        let pulled = pulled.map_err(|error| explained(error, &target, &wanted, &pull))?;
        let right = match &one.sum {
            Sum::Unknown => "",
            Sum::Sha256(_) | Sum::Md5(_) | Sum::Pinned(_) => ", and its checksum is right",
        };
        let done = match pulled {
            Pulled::Already => "is there already",
            Pulled::Downloaded => "is complete",
        };
        eprintln!("{} {done}{right}", one.file);
    }
    let path = pull.target(main);
    eprintln!("{}", advice(&target, &looked_in, &path));
    if let Some(terms) = terms {
        eprintln!("licence {terms}");
    } else if target.licence().is_none() && matches!(target.purpose(), Purpose::Speak { .. }) {
        eprintln!("hark does not know its licence: look at it before it speaks for a business");
    }
    print::line(&path.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Returns its name, if it is part of this program.
fn is_built_in(target: &PullTarget) -> Option<&'static str> {
    match target {
        PullTarget::Model(model) => built_in(model).map(|_| &*model.name),
        PullTarget::Voice(voice) => in_program::graph(&voice.name).map(|_| &*voice.name),
        PullTarget::Address(_) | PullTarget::File(_) => None,
    }
}

/// Returns where the file goes, so that hark finds it, and no damaged one before it.
fn folder(
    context: &Context,
    target: &PullTarget,
    looked_in: &[PathBuf],
    file: &str,
) -> anyhow::Result<PathBuf> {
    let has_it = |folder: &&PathBuf| folder.join(file).is_file();
    if let Some(folder) = looked_in.iter().find(has_it) {
        return Ok(folder.clone());
    }
    let (config, places) = (&context.config, &context.places);
    let named = match target.purpose() {
        Purpose::Speak { .. } => config.tts.text("voices_dir"),
        Purpose::Hear | Purpose::Nothing => config.stt.text("models_dir"),
    };
    let chosen = named.map(PathBuf::from).or_else(|| places.hark_models.clone());
    let cache = || places.cache.as_deref().map(in_cache);
    chosen.or_else(cache).context(
        "this user has no cache folder ($XDG_CACHE_HOME, $HOME): name a folder with --dir, \
         HARK_MODELS or [stt] models_dir",
    )
}

/// Adds to an error what can be done about it.
fn explained(
    error: PullError,
    target: &PullTarget,
    wanted: &[Wanted],
    pull: &Pull<'_>,
) -> anyhow::Error {
    match (error.retry(), &error) {
        (_, PullError::Unreachable { .. }) => {
            anyhow!("{error}\n{}", ways_around(target, wanted, pull))
        }
        (Retry::After(_), _) => {
            anyhow!("{error}\nrun the same command again, and it goes on from there")
        }
        (Retry::Never, PullError::Checksum { expected: Sum::Pinned(_), file, .. }) => anyhow!(
            "{error}; to take the other file, remove the rows of {file} from {}",
            pull.folder.join(LOCK).display()
        ),
        (Retry::Never, PullError::Refused { url, .. })
            if matches!(target, PullTarget::Address(_)) && url.ends_with(CARD) =>
        {
            anyhow!("{error}\na Piper voice has a file NAME.onnx.json beside NAME.onnx")
        }
        (Retry::Never, _) => error.into(),
    }
}

/// Says how a model comes to a machine from which its server cannot be reached.
fn ways_around(target: &PullTarget, wanted: &[Wanted], pull: &Pull<'_>) -> String {
    let official = matches!(target, PullTarget::Model(_) | PullTarget::Voice(_));
    // Where the files are published, whatever mirror was asked.
    let published = official.then(|| target.wanted(&[], Some(&hugging_face())).ok()).flatten();
    let mirror = if official { "--mirror URL names a server with the same paths, " } else { "" };
    let mut lines = vec![format!("ways around: {mirror}HTTPS_PROXY names a proxy; or get")];
    for one in published.as_deref().unwrap_or(wanted) {
        lines.push(format!("  {}", one.url));
        lines.push(format!("elsewhere and put it here by hand\n  {}", pull.target(one).display()));
        lines.extend(one.bytes.map(|bytes| format!("  bytes   {bytes}")));
        lines.extend(match &one.sum {
            Sum::Sha256(sum) | Sum::Pinned(sum) => Some(format!("  sha256  {sum}")),
            Sum::Md5(sum) => Some(format!("  md5     {sum}")),
            Sum::Unknown => None,
        });
    }
    lines.push("the same command then checks it".to_owned());
    lines.join("\n")
}

fn advice(target: &PullTarget, looked_in: &[PathBuf], path: &Path) -> String {
    let found = looked_in.iter().any(|folder| Some(folder.as_path()) == path.parent());
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let place = path.display();
    match (target.purpose(), stem) {
        (Purpose::Nothing, _) => "hark does not use it yet".to_owned(),
        (Purpose::Hear, Some(stem)) if found => {
            let name = stem.strip_prefix("ggml-").unwrap_or(stem);
            format!("to hear with it: [stt] model = {name:?}, or --model {name}")
        }
        (Purpose::Hear, _) => {
            format!("to hear with it: [stt] model = \"{place}\", or --model {place}")
        }
        (Purpose::Speak { espeak }, Some(stem)) if found => {
            let needs = if espeak { "; it needs espeak-ng beside it" } else { "" };
            format!(
                "with [tts] engine = \"neural\" it speaks its language, unless another voice does: \
                 [tts] voice = {stem:?}, or --voice {stem}{needs}; `hark voices` tries it"
            )
        }
        (Purpose::Speak { .. }, _) => {
            format!("hark does not look there: [tts] voices_dir names the folder of {place}")
        }
    }
}
