//! The commands. stdout is for results, stderr for logs and progress.
//!
//! Exit codes: 0 fine, 1 failed, 2 wrong usage, 64 bad configuration.

mod agents;
mod ask;
mod bench;
mod bridge;
mod completions;
mod contacts;
mod demo;
mod doctor;
mod eval;
mod events;
pub mod fixtures;
mod init;
mod knowledge;
mod man;
mod models;
mod nodes;
mod numbers;
mod office;
mod player;
mod playground;
mod print;
mod queue;
mod say;
mod secrets;
mod serve;
mod simulate;
mod store;
mod tokens;
mod transcribe;
mod turns;
mod usage;
mod version;
mod voices;

use std::path::PathBuf;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use jiff::tz::TimeZone;

use crate::app::{EnginePool, Hearing, Places, settle_agents, with_agent, with_known};
use crate::config::{self, Config, ConfigError, ConfigErrors, Environment};
use crate::knowledge::{PDF_COMMAND, read_pdf_by, read_pdf_here};
use crate::pipeline::AgentSetup;
use crate::telemetry::{LogFormat, LogStyle, init_logs};

const EXIT_CODES: &str = "Exit codes: 0 fine, 1 failed, 2 wrong usage, 64 bad configuration. Results \
go to stdout, logs and progress to stderr.";

/// Answers WhatsApp messages by voice.
#[derive(Parser)]
#[command(version, long_version = version::long(), about, after_long_help = EXIT_CODES)]
struct Arguments {
    /// Configuration file [default: ./hark.toml if present, else the embedded defaults].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a configuration from a few questions or flags, and look it over.
    Init(Box<init::Arguments>),
    /// Run the service.
    Serve(serve::Arguments),
    /// Run the service with a simulated WhatsApp and play the fixtures: no account, no key.
    Demo(demo::Arguments),
    /// Answer one audio file or text on the real pipeline, without a messenger.
    Ask(ask::Arguments),
    /// Try an agent with a table of conversations and say what is wrong with its answers.
    Eval(eval::Arguments),
    /// Measure how long turns take, stage by stage.
    Bench(Box<bench::Arguments>),
    /// Serve one number of a bench.
    #[command(hide = true)]
    BenchService(bench::service::Arguments),
    /// Read a PDF file from stdin, in a process whose memory is limited.
    #[command(hide = true, name = PDF_COMMAND)]
    ReadPdf,
    /// Transcribe audio files.
    Transcribe(transcribe::Arguments),
    /// Speak a text into a voice note.
    Say(say::Arguments),
    /// Check everything a service needs and say how to fix what is wrong.
    Doctor(doctor::Arguments),
    /// List, download and check speech models and voices.
    Models(models::Arguments),
    /// Show who can speak here and how fast, or write what each sounds like.
    Voices(voices::Arguments),
    /// Show what was heard and answered, how it ended and why.
    Turns(turns::Arguments),
    /// Follow every step of every turn, as CloudEvents.
    Events(events::Arguments),
    /// List and change the numbers of the store, whether a service runs or not.
    Numbers(numbers::Arguments),
    /// List and change the agents of the store, whether a service runs or not.
    Agents(agents::Arguments),
    /// Give agents files to know, list, remove and search them, whether a service runs or not.
    Knowledge(knowledge::Arguments),
    /// Import, list and show whom you know, whether a service runs or not.
    Contacts(contacts::Arguments),
    /// Sum up what was used and what it cost; set prices and credits, whether a service runs or not.
    Usage(usage::Arguments),
    /// List, show, replay and drop messages that wait or gave up, whether a service runs or not.
    Queue(queue::Arguments),
    /// List the processes that serve from the store.
    Nodes(nodes::Arguments),
    /// Move the store to another database, or save it while a service runs.
    Store(store::Arguments),
    /// Make, list and revoke tokens of the API.
    Token(tokens::Arguments),
    /// Encrypt the secrets of the store with a new key.
    Secrets(secrets::Arguments),
    /// Run the simulated WhatsApp alone.
    Simulate(simulate::Arguments),
    /// Hand tickets to somebody else's help desk, and send what is answered there.
    Bridge(Box<bridge::Arguments>),
    /// Print what a shell needs to complete hark's commands.
    Completions(completions::Arguments),
    /// Print the manual, or write every page of it.
    Man(man::Arguments),
}

impl Command {
    /// Returns whether it looks at the store, and needs no secret and no other key that is right.
    fn needs_the_store_alone(&self) -> bool {
        matches!(
            self,
            Self::Turns(_)
                | Self::Events(_)
                | Self::Usage(_)
                | Self::Queue(_)
                | Self::Nodes(_)
                | Self::Store(_)
        )
    }
}

/// Holds what every command gets.
struct Context {
    config: Config,
    /// The keys that cannot be used; only the doctor goes on with any.
    problems: ConfigErrors,
    places: Places,
    /// The file that was asked for.
    file: Option<PathBuf>,
    environment: Environment,
}

impl Context {
    /// Sets one agent up and warms its engines.
    async fn agent(&self, name: Option<&str>, hearing: &Hearing) -> anyhow::Result<AgentSetup> {
        self.agent_with(name, hearing, |_| {}).await
    }

    /// Returns the configuration with this agent, else the default one, where the store has it.
    async fn config_with(&self, agent: Option<&str>) -> anyhow::Result<Config> {
        with_agent(&self.config, agent.unwrap_or(&self.config.default_agent)).await
    }

    /// Sets one agent up with other engines than the configured ones.
    async fn agent_with(
        &self,
        name: Option<&str>,
        hearing: &Hearing,
        change: impl FnOnce(&mut config::EngineSpecs),
    ) -> anyhow::Result<AgentSetup> {
        let started = std::time::Instant::now();
        let config = self.config_with(name).await?;
        let pool = EnginePool::new(self.places.clone(), hearing.clone());
        let pool = with_known(&config, pool)?;
        let setup = pool.agent_with(&config, name, change).await?;
        tracing::debug!(load_ms = started.elapsed().as_secs_f64() * 1000.0, "engines are warm");
        Ok(setup)
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    // A panic's message may quote what it choked on, and that may be somebody's words.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.place = %place, "a part of hark panicked; please report it");
    }));
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            match error.downcast_ref::<ConfigErrors>() {
                Some(problems) => problems.iter().for_each(|problem| eprintln!("hark: {problem}")),
                None => eprintln!("hark: {error:#}"),
            }
            let mend = error.is::<ConfigError>() || error.is::<ConfigErrors>();
            ExitCode::from(if mend { 64 } else { 1 })
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // A variable that is not UTF-8 is not ours.
    let environment: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    // Asked for at the start: a program that is replaced later has the command, too.
    if let Ok(program) = std::env::current_exe() {
        read_pdf_by(program);
    }
    let Arguments { config: file, command } = arguments;
    match command {
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
        Command::ReadPdf => {
            read_pdf_here().map_err(anyhow::Error::msg)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Init(arguments) => init::run(file, environment, *arguments),
        Command::Simulate(arguments) => {
            show_logs(LogFormat::Human, None, "info").map_err(anyhow::Error::msg)?;
            runtime()?.block_on(simulate::run(arguments))
        }
        Command::Bridge(arguments) => {
            show_logs(LogFormat::Human, None, "info").map_err(anyhow::Error::msg)?;
            runtime()?.block_on(bridge::run(*arguments, &environment))
        }
        command => run_configured(command, file, environment),
    }
}

/// Runs a command that needs the configuration.
fn run_configured(
    command: Command,
    file: Option<PathBuf>,
    environment: Environment,
) -> anyhow::Result<ExitCode> {
    let (config, mut problems) = config::read(file.as_deref(), &environment);
    if let Some(config) = &config
        && let Err(error) = start_logs(config, &command, &environment)
    {
        problems.add(error);
    }
    let runtime = runtime()?;
    if let Some(config) = &config {
        runtime.block_on(look_agents_up(&command, config, &mut problems))?;
    }
    // A configuration that cannot be used is what the doctor is asked about.
    let config = match (&command, config) {
        (Command::Doctor(_), Some(config)) => config,
        (command, Some(config))
            if command.needs_the_store_alone() && problems.spare_the_store() =>
        {
            config
        }
        (_, Some(config)) if problems.is_empty() => config,
        (Command::Doctor(arguments), None) => return doctor::unreadable(&problems, arguments.json),
        _ => return Err(problems.into()),
    };
    let places = Places::from(&environment);
    let context = Context { config, problems, places, file, environment };
    runtime.block_on(async move {
        match command {
            Command::Serve(arguments) => Box::pin(serve::run(context, arguments)).await,
            Command::Demo(arguments) => demo::run(context, arguments).await,
            Command::Ask(arguments) => ask::run(context, arguments).await,
            Command::Eval(arguments) => eval::run(context, arguments).await,
            Command::Bench(arguments) => bench::run(context, *arguments).await,
            Command::BenchService(arguments) => {
                Box::pin(bench::service::run(context, arguments)).await
            }
            Command::Transcribe(arguments) => transcribe::run(context, arguments).await,
            Command::Say(arguments) => say::run(context, arguments).await,
            Command::Doctor(arguments) => {
                Box::pin(doctor::run(&context, arguments.json, arguments.fix)).await
            }
            Command::Models(arguments) => models::run(context, arguments).await,
            Command::Voices(arguments) => voices::run(context, arguments).await,
            Command::Numbers(arguments) => numbers::run(context, arguments).await,
            Command::Agents(arguments) => agents::run(context, arguments).await,
            Command::Knowledge(arguments) => knowledge::run(context, arguments).await,
            Command::Contacts(arguments) => contacts::run(context, arguments).await,
            Command::Token(arguments) => tokens::run(context, arguments).await,
            Command::Secrets(arguments) => secrets::run(context, arguments).await,
            Command::Turns(arguments) => turns::run(&context, arguments).await,
            Command::Events(arguments) => events::run(&context, arguments).await,
            Command::Queue(arguments) => queue::run(context, arguments).await,
            Command::Nodes(arguments) => nodes::run(context, arguments).await,
            Command::Store(arguments) => store::run(&context, arguments),
            Command::Usage(arguments) => usage::run(context, arguments).await,
            Command::Init(_)
            | Command::Simulate(_)
            | Command::Bridge(_)
            | Command::Completions(_)
            | Command::ReadPdf
            | Command::Man(_) => {
                unreachable!("handled above: it needs no configuration")
            }
        }
    })
}

/// Looks for agents that the configuration names and does not have in the store.
///
/// # Errors
/// A store that cannot be read.
async fn look_agents_up(
    command: &Command,
    config: &Config,
    problems: &mut ConfigErrors,
) -> anyhow::Result<()> {
    match command {
        // An agent that is named and not there yet may be what they are to add.
        Command::Agents(_)
        | Command::Knowledge(_)
        | Command::Contacts(_)
        | Command::Numbers(_)
        | Command::Token(_)
        | Command::Usage(_)
        | Command::Secrets(_) => problems.forgive_agents(),
        // It looks at the store by itself, and says why it cannot.
        Command::Doctor(_) => {
            let _said_by_it = settle_agents(config, problems).await;
        }
        Command::Turns(_)
        | Command::Events(_)
        | Command::Queue(_)
        | Command::Nodes(_)
        | Command::Store(_) => {}
        _ => settle_agents(config, problems).await?,
    }
    Ok(())
}

/// Sets the logs up as the configuration says.
fn start_logs(
    config: &Config,
    command: &Command,
    environment: &Environment,
) -> Result<(), ConfigError> {
    let project = environment.get("GOOGLE_CLOUD_PROJECT").filter(|id| !id.is_empty()).cloned();
    // These print every turn themselves.
    let level = match (command, config.log.level.as_str()) {
        (Command::Demo(_) | Command::Bench(_) | Command::BenchService(_), "info") => "warn",
        (Command::Ask(_) | Command::Eval(_), "info") => "info,hark::pipeline=warn",
        (_, level) => level,
    };
    show_logs(config.log.format, project, level).map_err(|error| config.error("log.level", error))
}

/// Sets the logs up for this terminal: its time zone, and colours unless `NO_COLOR` is set or it
/// has none.
fn show_logs(format: LogFormat, project: Option<String>, level: &str) -> Result<(), String> {
    let colours = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    init_logs(LogStyle { format, colours, zone: TimeZone::system(), project }, level)
}

/// Ends the program as clap does where arguments do not fit one another or what is here.
fn wrong_usage(problem: &str) -> ! {
    clap::Error::raw(ErrorKind::ArgumentConflict, format!("{problem}\n")).exit()
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn arguments_are_consistent() {
        super::Arguments::command().debug_assert();
    }
}
