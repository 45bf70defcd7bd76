//! `hark knowledge`: what agents know, from a terminal.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::Context;
use super::office::{list, open, said};
use crate::http::api::{
    EntrySource, HitView, KnowledgeApi as _, PageQuery, PassageView, SourceView, UploadedFile,
};
use crate::knowledge::SourceFile;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: KnowledgeCommand,
    /// Whose knowledge: an agent's name; default: `default_agent`.
    #[arg(long, global = true, value_name = "NAME")]
    agent: Option<String>,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum KnowledgeCommand {
    /// Add files, or all that are read of folders, in the place of those of the same names.
    Add {
        /// .csv, .tsv, .txt, .md, .html and .pdf files, and folders of them.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List the files, those of the configuration too.
    List,
    /// Show the passages of a file.
    Show {
        /// Its name, as the list has it.
        name: String,
    },
    /// Remove files that were added.
    Remove {
        /// Their names, as the list has them.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Search as a turn would, and show how well each passage fits.
    Search {
        /// The question, as a person would ask it.
        question: String,
        /// At most so many passages.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=8))]
        limit: u8,
    },
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (office, json) = (open(&context)?, arguments.json);
    let agent = arguments.agent.unwrap_or_else(|| context.config.default_agent.clone());
    match arguments.command {
        KnowledgeCommand::Add { files } => {
            let (files, left_out) = SourceFile::open(&files)?;
            for path in left_out {
                eprintln!("left out, since it is of no type that is read: {}", path.display());
            }
            if files.is_empty() {
                bail!("there is no file that is read: .csv, .tsv, .txt, .md, .html or .pdf");
            }
            let uploaded = |SourceFile { name, contents, .. }| UploadedFile { name, contents };
            let files = files.into_iter().map(uploaded).collect();
            list(&office.add_sources(&agent, files).await.map_err(said)?, json, words)?;
        }
        KnowledgeCommand::List => {
            let files = office.sources(&agent).await.map_err(said)?;
            if files.is_empty() {
                eprintln!("agent {agent} was given nothing to know: hark knowledge add FILE");
            }
            list(&files, json, words)?;
        }
        KnowledgeCommand::Show { name } => {
            let mut page = PageQuery::default();
            loop {
                let part = office.source_passages(&agent, &name, page).await.map_err(said)?;
                list(&part.items, json, passage)?;
                let Some(next) = part.next else { break };
                page = PageQuery { cursor: Some(next), limit: None };
            }
        }
        KnowledgeCommand::Remove { names } => {
            for name in names {
                office.remove_source(&agent, &name).await.map_err(said).context(name.clone())?;
                eprintln!("removed: {name}");
            }
        }
        KnowledgeCommand::Search { question, limit } => {
            let hits = office.search(&agent, &question, limit.into()).await.map_err(said)?;
            if hits.is_empty() {
                eprintln!("nothing that agent {agent} knows answers this");
                return Ok(ExitCode::FAILURE);
            }
            list(&hits, json, hit)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn words(file: &SourceView) -> String {
    let passages = match file.passages {
        1 => "1 passage".to_owned(),
        many => format!("{many} passages"),
    };
    let from = match (file.source, &file.added_at) {
        (EntrySource::Store, Some(at)) => format!("added {at}"),
        _ => "of the configuration".to_owned(),
    };
    format!("{}  {passages}  {from}", file.name)
}

fn passage(passage: &PassageView) -> String {
    let heads = [Some(passage.place.as_str()), passage.question.as_deref()];
    let heads: Vec<&str> = heads.into_iter().flatten().filter(|head| !head.is_empty()).collect();
    let head = if heads.is_empty() { String::new() } else { format!("{}\n", heads.join("\n")) };
    format!("{head}  {}\n", passage.answer.replace('\n', "\n  "))
}

fn hit(hit: &HitView) -> String {
    let place = if hit.place.is_empty() { String::new() } else { format!(", {}", hit.place) };
    let words = format!("{:.0} % of its words", hit.coverage * 100.0);
    let meaning = hit.similarity.map(|near| format!(", similarity {near:.2}")).unwrap_or_default();
    let question = hit.question.as_ref().map(|question| format!("  {question}\n"));
    let answer = hit.answer.replace('\n', "\n  ");
    format!("{}{place}: {words}{meaning}\n{}  {answer}", hit.file, question.unwrap_or_default())
}
