//! `hark eval`: conversations through the real path, and whether the answers are what they should be.

mod judge;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use self::judge::judge;
use self::table::{EvalConversation, EvalTable, EvalTurn};
use super::{Context, print};
use crate::app::{Hearing, voice_path};
use crate::clock::Clock;
use crate::pipeline::{AgentSetup, Ask, Trace, TurnError, VoicePath};
use crate::remote::words::plain;
use crate::stt::wer::{WordErrors, word_errors};
use crate::turn::{Exchange, Extra, Personal, TurnReport};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Table of conversations: TOML or CSV, see docs/EVAL.md.
    file: PathBuf,
    /// Agent that answers [default: the table's, else the configured `default_agent`].
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Share of turns that have to pass, 0 to 1 [default: the table's, else all].
    #[arg(long, value_name = "SHARE", value_parser = share)]
    threshold: Option<f64>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_odd| "it is no number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("it is from 0 to 1".to_owned()) }
}

/// Holds what came of a table.
#[derive(Serialize)]
struct EvalReport {
    schema: u32,
    agent: String,
    turns: Vec<TriedTurn>,
    passed: usize,
    /// Share of turns that had to pass.
    threshold: f64,
    /// Of what was spoken; absent if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    word_error_rate: Option<f64>,
}

/// Holds what came of one turn.
#[derive(Serialize)]
struct TriedTurn {
    conversation: String,
    /// Its place in the conversation, from 1.
    turn: usize,
    /// What went in.
    asked: String,
    /// What was heard of it, where it was spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<String>,
    /// What was answered; absent if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<String>,
    /// What was given beside words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gave: Vec<&'static str>,
    total_ms: f64,
    /// What is wrong with it; nothing if it passes.
    wrong: Vec<String>,
    #[serde(skip)]
    words: WordErrors,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let EvalTable { agent, threshold, conversations } = table::read(&arguments.file)?;
    let name = arguments.agent.or(agent);
    let turns = || conversations.iter().flat_map(|conversation| &conversation.turns);
    let deaf = turns().all(|turn| turn.said.is_none());
    let hearing = Hearing { deaf, ..Hearing::default() };
    let agent = context.agent(name.as_deref(), &hearing).await?;
    let path = voice_path(&context.config)?;
    let mut tried = Vec::new();
    for conversation in &conversations {
        if !arguments.json {
            print::line(&plain(&conversation.name))?;
        }
        for turn in run_conversation(&path, &agent, conversation).await {
            if !arguments.json {
                print::line(&turn.lines())?;
            }
            tried.push(turn);
        }
    }
    let mut words = WordErrors::default();
    for turn in &tried {
        words += turn.words;
    }
    let report = EvalReport {
        schema: 1,
        agent: agent.name.clone(),
        passed: tried.iter().filter(|turn| turn.wrong.is_empty()).count(),
        turns: tried,
        threshold: arguments.threshold.unwrap_or(threshold),
        word_error_rate: (words.words > 0).then(|| words.rate()),
    };
    if arguments.json {
        print::json(&report)?;
    } else {
        print::line(&report.last_line())?;
    }
    Ok(if report.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Leads one conversation from its beginning.
async fn run_conversation(
    path: &VoicePath,
    agent: &AgentSetup,
    conversation: &EvalConversation,
) -> Vec<TriedTurn> {
    let (mut earlier, mut tried) = (Vec::new(), Vec::new());
    for (place, turn) in conversation.turns.iter().enumerate() {
        let report = ask(path, agent, turn, earlier.clone()).await;
        let mut one = TriedTurn {
            conversation: conversation.name.clone(),
            turn: place + 1,
            asked: turn.words().to_owned(),
            heard: None,
            answered: None,
            gave: Vec::new(),
            total_ms: 0.0,
            wrong: Vec::new(),
            words: WordErrors::default(),
        };
        match report {
            Ok(report) => {
                let heard = report.transcript.as_ref().map(|heard| heard.text.clone());
                if turn.said.is_some() {
                    let heard = heard.as_ref().map_or("", Personal::reveal);
                    one.words = word_errors(turn.words(), heard);
                    one.heard = Some(heard.to_owned());
                }
                one.wrong = judge(turn, &report);
                one.gave = report.reply.extras.iter().map(Extra::kind).collect();
                one.total_ms = report.total_ms;
                one.answered = Some(report.reply.text.0.clone());
                let heard = heard.unwrap_or_else(|| turn.words().into());
                earlier.push(Exchange { heard, answered: report.reply.as_given() });
            }
            Err(error) => one.wrong.push(format!("there is no answer: {error}")),
        }
        tried.push(one);
    }
    tried
}

/// Runs one turn; what is said is spoken by the agent's own voice first.
async fn ask(
    path: &VoicePath,
    agent: &AgentSetup,
    turn: &EvalTurn,
    earlier: Vec<Exchange>,
) -> Result<TurnReport, TurnError> {
    let ask = match &turn.said {
        Some(words) => match path.speak(agent, words, &Trace::start()).await? {
            Some((note, _)) => Ask::Audio(note.0),
            // Signs alone have no sound.
            None => Ask::Text(words.clone()),
        },
        None => Ask::Text(turn.words().to_owned()),
    };
    let trace = Trace::start();
    let asked = path.ask_after(agent, ask, earlier, Clock::System.now_ms(), &trace).await?;
    Ok(asked.report)
}

impl TriedTurn {
    /// Says it in a few lines.
    fn lines(&self) -> String {
        let sign = if self.wrong.is_empty() { "ok  " } else { "FAIL" };
        let mut lines = vec![format!("  {sign}  {}", plain(&self.asked))];
        if let Some(heard) = self.heard.as_ref().filter(|_| self.words.errors > 0) {
            lines.push(format!("        heard     {}", plain(heard)));
        }
        if let Some(answered) = &self.answered {
            let gave = if self.gave.is_empty() {
                String::new()
            } else {
                format!(" [{}]", self.gave.join(", "))
            };
            lines.push(format!("        answered  {}{gave}", plain(answered)));
        }
        lines.extend(self.wrong.iter().map(|wrong| format!("        wrong     {}", plain(wrong))));
        lines.join("\n")
    }
}

impl EvalReport {
    #[expect(clippy::cast_precision_loss, reason = "no table has 2^52 turns")]
    fn share(&self) -> f64 {
        self.passed as f64 / self.turns.len().max(1) as f64
    }

    fn passes(&self) -> bool {
        self.share() >= self.threshold
    }

    fn last_line(&self) -> String {
        let heard = self
            .word_error_rate
            .map(|rate| format!(", words heard wrongly: {:.1} %", rate * 100.0));
        format!(
            "{} of {} turns passed ({:.0} %), {:.0} % have to{}",
            self.passed,
            self.turns.len(),
            self.share() * 100.0,
            self.threshold * 100.0,
            heard.unwrap_or_default()
        )
    }
}
