//! An agent: what it says, in which languages and voices, and with which engines.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{GateOverride, HttpTool, Languages, McpServer, Voices};
use crate::engine::{EngineList, EngineSpec};
use crate::turn::{LanguageCode, WorkingHours};

/// Says when a reply is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyPolicy {
    /// Always.
    #[default]
    Voice,
    /// When the person spoke.
    Reciprocal,
    /// Never.
    Text,
}

/// Says what becomes of messages that come while an agent answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InterruptPolicy {
    /// They are answered next.
    #[default]
    Followup,
    /// They are answered next, together with all that waits.
    Collect,
    /// What was not sent yet is thrown away, and the answer begun anew with them.
    Interrupt,
}

/// Says what an agent remembers of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// After a silence of so many minutes a conversation begins anew; 0: never.
    pub session_minutes: u32,
    /// Whether an agent with a language model notes what no longer fits into its history.
    pub summary: bool,
}

impl Default for Memory {
    /// A day, after which WhatsApp itself lets nobody be written to who does not write first.
    fn default() -> Self {
        Self { session_minutes: 24 * 60, summary: true }
    }
}

impl Memory {
    /// Returns the silence that ends a conversation, milliseconds.
    pub fn session_ms(self) -> Option<i64> {
        (self.session_minutes > 0).then(|| i64::from(self.session_minutes) * 60_000)
    }
}

/// Describes an agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Agent {
    pub name: String,
    /// Which version of it, if it is kept in the store.
    #[serde(skip)]
    pub version: Option<u32>,
    pub prompt: Option<String>,
    pub language: Option<LanguageCode>,
    pub languages: Option<Vec<LanguageCode>>,
    pub timezone: Option<String>,
    pub hours: Option<WorkingHours>,
    #[serde(default)]
    pub reply: ReplyPolicy,
    pub gate: Option<GateOverride>,
    pub stt: Option<Override>,
    pub llm: Option<Override>,
    pub tts: Option<Override>,
    #[serde(default)]
    pub voice: Voices,
    pub knowledge: Option<Vec<PathBuf>>,
    #[serde(default)]
    pub rich: bool,
    #[serde(default)]
    pub files: Vec<PathBuf>,
    #[serde(default)]
    pub vocabulary: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<HttpTool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mcp: Vec<McpServer>,
    #[serde(default)]
    pub memory: Memory,
    #[serde(default)]
    pub interrupt: InterruptPolicy,
}

impl Agent {
    /// Returns what it says of the engines of one role, by the name of their section.
    pub fn own_engine(&self, section: &str) -> Option<&Override> {
        match section {
            "stt" => self.stt.as_ref(),
            "tts" => self.tts.as_ref(),
            _ => self.llm.as_ref(),
        }
    }

    /// Returns the names of the files that it may send.
    pub fn file_names(&self) -> Vec<String> {
        let name =
            |file: &PathBuf| file.file_name().map(|name| name.to_string_lossy().into_owned());
        self.files.iter().filter_map(name).collect()
    }

    /// Returns the languages it answers in; `heard` is the one that its transcriber is fixed to.
    pub fn languages(&self, heard: Option<&LanguageCode>) -> Languages {
        match (&self.languages, self.language.as_ref().or(heard)) {
            (Some(languages), _) => Languages::Among(languages.clone()),
            (None, Some(language)) => Languages::Fixed(language.clone()),
            (None, None) => Languages::Any,
        }
    }
}

/// Names an agent's own engine, lists several in the order they are asked, or holds the keys of the
/// section that it replaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the three ways to write it")]
pub enum Override {
    Engine(String),
    Several(EngineList),
    Keys(EngineSpec),
}
