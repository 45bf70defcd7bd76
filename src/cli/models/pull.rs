//! `hark models pull`: one download, with a bar for people and two lines for logs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::error::ErrorKind;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use url::Url;

use super::{Context, built_in, known, places, print, size};
use crate::models::in_cache;
use crate::models::manifest::{Kind, Model};
use crate::models::pull::{HUGGING_FACE, Pace, Progress, Pull, PullError, Pulled, Wanted};
use crate::remote::download_client;
use crate::turn::Retry;

const WHERE: &str = "The file goes where hark looks for models: into [stt] models_dir, else into \
the folder that HARK_MODELS names, else into hark/models in the user's cache folder. A file of its \
name that is in one of them already is replaced there. Its path is printed on stdout.";

#[derive(clap::Args)]
#[command(after_help = WHERE)]
pub(super) struct Arguments {
    /// Name of a model, e.g. `base` or `large-v3-turbo-q5_0`; `hark models list` has them all. Or
    /// the address of another model in whisper.cpp's format, with its --sha256.
    #[arg(value_parser = named, value_name = "NAME|URL")]
    model: PullTarget,
    /// SHA-256 of the model at an address, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    sha256: Option<String>,
    /// Folder for the file.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Server with the same paths, instead of Hugging Face. It need not be trusted: the checksum
    /// is part of hark.
    #[arg(long, value_name = "URL", value_parser = address)]
    mirror: Option<Url>,
}

/// Names what is to be pulled.
#[derive(Clone)]
enum PullTarget {
    Model(&'static Model),
    Address(Url),
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { model: named, sha256, dir, mirror } = arguments;
    let known = match &named {
        PullTarget::Model(model) => Some(*model),
        PullTarget::Address(_) => None,
    };
    if let Some(model) = known.filter(|model| built_in(model).is_some()) {
        eprintln!("{} is part of this program: there is nothing to pull", model.name);
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = match (named, sha256, mirror) {
        (PullTarget::Model(_), Some(_), _) => {
            wrong_usage("--sha256 is for an address: hark knows the checksums of its models")
        }
        (PullTarget::Address(_), _, Some(_)) => {
            wrong_usage("--mirror is for the models that hark knows: an address has its server")
        }
        (PullTarget::Address(_), None, None) => wrong_usage(
            "--sha256 HEX is missing: hark does not know this model, and takes no file that may \
             be another; who publishes it states the sum, or `sha256sum` does of a file you trust",
        ),
        (PullTarget::Model(model), None, mirror) => {
            Wanted::official(model, &mirror.unwrap_or_else(hugging_face))?
        }
        (PullTarget::Address(url), Some(sha256), None) => {
            Wanted::at(url, sha256).unwrap_or_else(|problem| wrong_usage(&problem))
        }
    };
    let looked_in = places(context);
    let folder = match dir {
        Some(dir) => dir,
        None => folder(context, &looked_in, &wanted.file)?,
    };
    let client = download_client();
    let pull = Pull { client: &client, folder: &folder, pace: Pace::default() };
    let shown = Shown { wanted: &wanted, known, bar: bar() };
    let pulled = pull.pull(&wanted, |progress| shown.show(&progress)).await;
    shown.bar.finish_and_clear();
    let target = pull.target(&wanted);
    let pulled = pulled.map_err(|error| match (error.retry(), &error) {
        (_, PullError::Unreachable { .. }) => {
            anyhow!("{error}\n{}", ways_around(&wanted, known, &target))
        }
        (Retry::After(_), _) => {
            anyhow!("{error}\nrun the same command again, and it goes on from there")
        }
        (Retry::Never, _) => error.into(),
    })?;
    let done = match pulled {
        Pulled::Already => "is there already, and its checksum is right",
        Pulled::Downloaded => "is complete, and its checksum is right",
    };
    eprintln!("{} {done}; {}", wanted.file, advice(known, &looked_in, &target));
    print::line(&target.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Ends the program as clap does where arguments do not fit one another.
fn wrong_usage(problem: &str) -> ! {
    clap::Error::raw(ErrorKind::ArgumentConflict, format!("{problem}\n")).exit()
}

/// Returns where the file goes, so that hark finds it, and no damaged one before it.
fn folder(context: &Context, looked_in: &[PathBuf], file: &str) -> anyhow::Result<PathBuf> {
    let has_it = |folder: &&PathBuf| folder.join(file).is_file();
    if let Some(folder) = looked_in.iter().find(has_it) {
        return Ok(folder.clone());
    }
    let (stt, places) = (&context.config.stt, &context.places);
    let chosen = stt.text("models_dir").map(PathBuf::from).or_else(|| places.hark_models.clone());
    let cache = || places.cache.as_deref().map(in_cache);
    chosen.or_else(cache).context(
        "this user has no cache folder ($XDG_CACHE_HOME, $HOME): name a folder with --dir, \
         HARK_MODELS or [stt] models_dir",
    )
}

/// Says how a model comes to a machine from which its server cannot be reached.
fn ways_around(wanted: &Wanted, known: Option<&Model>, target: &Path) -> String {
    let official = known.and_then(|model| Wanted::official(model, &hugging_face()).ok());
    let mirror = match official {
        Some(_) => "--mirror URL names a server with the same paths, ",
        None => "",
    };
    let url = &official.as_ref().unwrap_or(wanted).url;
    let mut lines =
        vec![format!("ways around: {mirror}HTTPS_PROXY names a proxy; or get\n  {url}")];
    lines.push(format!("elsewhere and put it here by hand\n  {}", target.display()));
    lines.extend(wanted.bytes.map(|bytes| format!("  bytes   {bytes}")));
    lines.push(format!("  sha256  {}\nthe same command then checks it", wanted.sha256));
    lines.join("\n")
}

fn advice(known: Option<&Model>, looked_in: &[PathBuf], target: &Path) -> String {
    if known.is_some_and(|model| model.kind == Kind::Vad) {
        return "hark does not use it yet".to_owned();
    }
    let found = looked_in.iter().any(|folder| Some(folder.as_path()) == target.parent());
    let name = match target.file_stem().and_then(|stem| stem.to_str()).filter(|_| found) {
        Some(stem) => stem.strip_prefix("ggml-").unwrap_or(stem).to_owned(),
        None => target.display().to_string(),
    };
    format!("to hear with it: [stt] model = {name:?}, or --model {name}")
}

/// Reads the name of a model or an address from an argument.
fn named(text: &str) -> Result<PullTarget, String> {
    if text.contains("://") {
        address(text).map(PullTarget::Address)
    } else {
        known(text).map(PullTarget::Model)
    }
}

/// Reads an address of a server or a file from an argument.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it must begin with https:// or http://".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not hold a password: others see the arguments of a command".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it must end with its path: no `?` and no `#`".into());
    }
    Ok(url)
}

/// Reads a SHA-256 from an argument.
fn sha256(text: &str) -> Result<String, String> {
    let sum = text.to_ascii_lowercase();
    let right = hex::decode(&sum).is_ok_and(|bytes| bytes.len() == 32);
    right.then_some(sum).ok_or_else(|| "it must have 64 hexadecimal digits".into())
}

fn hugging_face() -> Url {
    HUGGING_FACE.parse().expect("it is an address")
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let template = "{bar:32} {decimal_bytes}/{decimal_total_bytes}  \
                    {decimal_bytes_per_sec}  {eta} left";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
    bar
}

/// Shows progress on stderr.
struct Shown<'a> {
    wanted: &'a Wanted,
    known: Option<&'static Model>,
    bar: ProgressBar,
}

impl Shown<'_> {
    fn show(&self, progress: &Progress<'_>) {
        match progress {
            Progress::Begin { done, of } => {
                let Wanted { url, file, .. } = self.wanted;
                let licence = self.known.map(|model| format!(" under {}", model.licence));
                let after = (*done > 0).then(|| format!(", after the {done} bytes here"));
                self.line(&format!(
                    "{file}: {}{} from {}{}",
                    size(*of),
                    licence.unwrap_or_default(),
                    url.origin().ascii_serialization(),
                    after.unwrap_or_default()
                ));
                self.bar.set_length(*of);
                self.bar.set_position(*done);
                self.bar.reset_eta();
            }
            Progress::At(done) => self.bar.set_position(*done),
            Progress::Again { problem, wait } => {
                self.line(&format!("{problem}; trying again in {} s", wait.as_secs_f64()));
            }
        }
    }

    /// Prints a line above the bar, or alone if there is no bar.
    fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}
