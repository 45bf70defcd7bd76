//! `hark models pull`: one download, with a bar for people and two lines for logs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use url::Url;

use super::{Context, built_in, known, places, print, size};
use crate::models::in_cache;
use crate::models::manifest::{Kind, Model};
use crate::models::pull::{HUGGING_FACE, Pace, Progress, Pull, PullError, Pulled};
use crate::remote::download_client;
use crate::turn::Retry;

const WHERE: &str = "The file goes where hark looks for models: into [stt] models_dir, else into \
the folder that HARK_MODELS names, else into hark/models in the user's cache folder. A file of its \
name that is in one of them already is replaced there. Its path is printed on stdout.";

#[derive(clap::Args)]
#[command(after_help = WHERE)]
pub(super) struct Arguments {
    /// Name of a model, e.g. `base` or `large-v3-turbo-q5_0`; `hark models list` has them all.
    #[arg(value_parser = known)]
    name: &'static Model,
    /// Folder for the file.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Server with the same paths, instead of Hugging Face. It need not be trusted: the checksum
    /// is part of hark.
    #[arg(long, value_name = "URL", value_parser = mirror, default_value = HUGGING_FACE)]
    mirror: Url,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { name: model, dir, mirror } = arguments;
    if built_in(model).is_some() {
        eprintln!("{} is part of this program: there is nothing to pull", model.name);
        return Ok(ExitCode::SUCCESS);
    }
    let looked_in = places(context);
    let folder = match dir {
        Some(dir) => dir,
        None => folder(context, &looked_in, model)?,
    };
    let client = download_client();
    let pull = Pull { client: &client, mirror: &mirror, folder: &folder, pace: Pace::default() };
    let shown = Shown::new(model);
    let pulled = pull.pull(model, |progress| shown.show(&progress, &mirror)).await;
    shown.bar.finish_and_clear();
    let pulled = pulled.map_err(|error| match (error.retry(), &error) {
        (_, PullError::Unreachable { .. }) => {
            anyhow!("{error}\n{}", ways_around(model, &pull.target(model)))
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
    let target = pull.target(model);
    eprintln!("{} {done}; {}", model.file, advice(model, &looked_in, &target));
    print::line(&target.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Returns where the file goes, so that hark finds it, and no damaged one before it.
fn folder(context: &Context, looked_in: &[PathBuf], model: &Model) -> anyhow::Result<PathBuf> {
    let has_it = |folder: &&PathBuf| folder.join(&model.file).is_file();
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
fn ways_around(model: &Model, target: &Path) -> String {
    let from = model.from.as_deref().unwrap_or_default();
    format!(
        "ways around: --mirror URL names a server with the same paths, HTTPS_PROXY a proxy; or get\n  \
         {HUGGING_FACE}/{from}/{}\nelsewhere and put it here by hand\n  {}\n  bytes   {}\n  sha256  \
         {}\n`hark models verify {}` then checks it",
        model.file,
        target.display(),
        model.bytes,
        model.sha256,
        model.name
    )
}

fn advice(model: &Model, looked_in: &[PathBuf], target: &Path) -> String {
    if model.kind == Kind::Vad {
        return "hark does not use it yet".to_owned();
    }
    let found = looked_in.iter().any(|folder| folder.join(&model.file) == target);
    let name = if found { model.name.clone() } else { target.display().to_string() };
    format!("to hear with it: [stt] model = {name:?}, or --model {name}")
}

/// Reads a server's address from an argument.
fn mirror(text: &str) -> Result<Url, String> {
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

/// Shows progress on stderr.
struct Shown {
    model: &'static Model,
    bar: ProgressBar,
}

impl Shown {
    fn new(model: &'static Model) -> Self {
        let target = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(Some(model.bytes), target);
        let template = "{bar:32} {decimal_bytes}/{decimal_total_bytes}  \
                        {decimal_bytes_per_sec}  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
        Self { model, bar }
    }

    fn show(&self, progress: &Progress<'_>, mirror: &Url) {
        match progress {
            Progress::Begin(done) => {
                let model = self.model;
                let after = (*done > 0).then(|| format!(", after the {done} bytes here"));
                self.line(&format!(
                    "{}: {} under {} from {mirror}{}",
                    model.file,
                    size(model.bytes),
                    model.licence,
                    after.unwrap_or_default()
                ));
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
