//! `hark init`: from a few questions, or flags, to a configuration that works.
//!
//! Questions go to stderr, what to do next to stdout. Invariant: nothing that is there is replaced
//! without `--force`, and a secret that is typed or made up is in a file of its own that only its
//! owner can read.

mod ask;
mod page;
mod plan;
mod secret;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;
use url::Url;

use self::ask::Asker;
use self::plan::Plan;
use super::{Context, doctor, print, show_logs};
use crate::app::Places;
use crate::config::{self, Environment};
use crate::registry::ProviderKind;
use crate::telemetry::LogFormat;
use crate::turn::LanguageCode;

const HOW: &str = "On a terminal, what no flag says is asked. Elsewhere, and with --yes, it has its \
default; what has none must be a flag: --phone-number-id, --access-token-file and --app-secret-file \
for a number at Meta, nothing for --provider simulator. A file access_token, app_secret or \
verify_token that is beside hark.toml already is used; the first two of a rehearsal are named \
rehearsal_access_token and rehearsal_app_secret.

It ends with what `hark doctor` says. Exit code 0: the file is written and can be used, whatever the \
doctor finds; 64: it cannot be used as it is, or with the variables of the environment.";

#[derive(clap::Args)]
#[command(after_help = HOW)]
pub(super) struct Arguments {
    /// Folder for hark.toml and its secrets [default: this one].
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    dir: Option<PathBuf>,
    /// Where messages come from: Meta, or the rehearsal with `hark simulate`, without an account
    /// [default: meta].
    #[arg(long, value_parser = provider, value_name = "meta|simulator")]
    provider: Option<ProviderKind>,
    /// The number's id at Meta; not the phone number.
    #[arg(long, value_name = "ID", value_parser = ask::digits)]
    phone_number_id: Option<String>,
    /// The number's name, for you.
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// File with the system user's token.
    #[arg(long, value_name = "FILE")]
    access_token_file: Option<PathBuf>,
    /// File with the app secret.
    #[arg(long, value_name = "FILE")]
    app_secret_file: Option<PathBuf>,
    /// The app's id, with which `hark doctor` checks the app secret.
    #[arg(long, value_name = "ID", value_parser = ask::digits)]
    app_id: Option<String>,
    /// The word to type into Meta's webhook form [default: a random one].
    #[arg(long, value_name = "WORD", value_parser = ask::word)]
    verify_token: Option<String>,
    /// Where Meta reaches the webhook, e.g. `https://voice.example.com`.
    #[arg(long, value_name = "URL", value_parser = ask::url)]
    public_url: Option<Url>,
    /// Name of the agent that answers [default: assistant].
    #[arg(long, value_name = "NAME", value_parser = ask::word)]
    agent: Option<String>,
    /// The only language it speaks, e.g. `en` [default: the person's].
    #[arg(long, value_name = "L", value_parser = ask::language)]
    language: Option<LanguageCode>,
    /// CSV file with questions and plan.
    #[arg(long, value_name = "FILE")]
    knowledge: Option<PathBuf>,
    /// Language model's server, with `OpenAI`'s chat API.
    #[arg(long, value_name = "URL", value_parser = ask::url)]
    llm_url: Option<Url>,
    /// Name of the language model.
    #[arg(long, value_name = "M", requires = "llm_url")]
    llm_model: Option<String>,
    /// File with the key of its server.
    #[arg(long, value_name = "FILE", requires = "llm_url")]
    llm_key_file: Option<PathBuf>,
    /// Whisper model that hears [default: base; for the rehearsal the one that is built in].
    #[arg(long, value_name = "M")]
    stt_model: Option<String>,
    /// Replace what is there.
    #[arg(long)]
    force: bool,
    /// Ask nothing.
    #[arg(long)]
    yes: bool,
}

/// Writes the file that `--config` names, else hark.toml.
pub(super) fn run(
    file: Option<PathBuf>,
    environment: Environment,
    arguments: Arguments,
) -> anyhow::Result<ExitCode> {
    show_logs(LogFormat::Human, None, "warn").map_err(anyhow::Error::msg)?;
    let file = match (file, &arguments.dir) {
        (Some(file), _) => file,
        (None, Some(dir)) => dir.join(config::USUAL_FILE),
        (None, None) => PathBuf::from(config::USUAL_FILE),
    };
    let force = arguments.force;
    if file.exists() && !force {
        bail!("{} is there already; --force replaces it", file.display());
    }
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let mut asker = Asker::new(arguments.yes);
    let plan = plan::make(arguments, &folder, &mut asker)?;
    if !asker.missing.is_empty() {
        eprintln!("hark: nobody can be asked here; say {}", asker.missing.join(", "));
        return Ok(ExitCode::from(2));
    }
    let mut written = vec![file.display().to_string()];
    for secret in plan.secrets() {
        written.extend(secret.write(force)?.map(|path| path.display().to_string()));
    }
    let text = page::text(&plan, &folder)?;
    secret::create(&file, text.as_bytes(), secret::Readers::All, force)?;
    print::line(&format!("wrote {}", written.join(", ")))?;
    next(&plan, &file)?;
    print::line("\nhark doctor says:")?;
    look_over(file, environment)
}

/// Says what to do with what was written.
fn next(plan: &Plan, file: &Path) -> anyhow::Result<()> {
    let usual = file == Path::new(config::USUAL_FILE);
    let config = if usual { String::new() } else { format!(" --config {}", file.display()) };
    if plan.provider == ProviderKind::Simulator {
        let secret = plan.app_secret.path().display();
        return print::line(&format!(
            "WhatsApp      hark simulate --webhook http://127.0.0.1:8080/webhook --app-secret \
             \"$(cat {secret})\" --phone-number-id {}\nhark          hark{config} serve\na person      \
             curl http://127.0.0.1:8090/sim/messages -d '{{\"from\": \"15550001111\", \"text\": \
             \"when do you open\"}}'\nthe answer    hark{config} turns",
            plan.phone_number_id
        ));
    }
    let callback = match &plan.public_url {
        Some(url) => format!("{}/webhook", url.as_str().trim_end_matches('/')),
        None => {
            "https://YOUR.HOST/webhook, a proxy's that passes it on to 127.0.0.1:8080".to_owned()
        }
    };
    let token = plan.verify_token.reveal()?;
    print::line(&format!(
        "For Meta's webhook form (docs/WHATSAPP.md), while `hark{config} serve` runs:\n\
         callback URL  {callback}\nverify token  {}\nfield         messages",
        token.expose_secret()
    ))
}

/// Lets the doctor look at the file as the service will read it.
fn look_over(file: PathBuf, environment: Environment) -> anyhow::Result<ExitCode> {
    let (config, problems) = config::read(Some(&file), &environment);
    let Some(config) = config else { return Err(problems.into()) };
    let places = Places::from(&environment);
    let usable = problems.is_empty();
    let context = Context { config, problems, places, file: Some(file), environment };
    let doctor = super::runtime()?.block_on(doctor::run(&context, false, false))?;
    Ok(if usable { ExitCode::SUCCESS } else { doctor })
}

/// Reads the provider from an argument.
fn provider(text: &str) -> Result<ProviderKind, String> {
    match text {
        "meta" => Ok(ProviderKind::Meta),
        "simulator" => Ok(ProviderKind::Simulator),
        _ => Err("must be meta or simulator".to_owned()),
    }
}
