//! The text of hark.toml: what was answered, and beside it what else people set, as comments.
//!
//! Invariant: with every `# key = value` made a key the file is a configuration, too.

use std::path::Path;

use anyhow::Context as _;
use toml::Value;

use super::plan::Plan;
use crate::registry::ProviderKind;
use crate::turn::LanguageCode;

/// Where comments begin, as in default.toml.
const COMMENTS: usize = 34;

/// Writes the file that lies in `folder`.
pub(super) fn text(plan: &Plan, folder: &Path) -> anyhow::Result<String> {
    let at = |path: &Path| relative(path, folder);
    let mut page = TomlPage(HEAD.to_owned());
    page.set("default_agent", &plan.agent, "answers numbers that name no agent");
    page.section("[server]");
    page.unset(
        "listen",
        "\"127.0.0.1:8080\"",
        "plain HTTP; a proxy with a certificate is before it",
    );
    let public_url = plan.public_url.as_ref().map(ToString::to_string);
    let about = "where Meta reaches the proxy; hark doctor then asks it";
    page.may("public_url", public_url.as_deref(), "https://voice.example.com", about);
    page.section("[webhook]");
    page.set("verify_token_file", &at(plan.verify_token.path())?, "holds the word for Meta's form");
    number(&mut page, plan, folder)?;
    agent(&mut page, plan, folder)?;
    page.section("[disclosure]");
    page.value(
        "enabled",
        &true.into(),
        "people are told that a machine speaks: the EU's AI Act, art. 50",
    );
    page.unset("every_days", "30", "again after so long; 0: once");
    page.section("[stt]");
    page.set("model", &plan.stt_model, "`hark models list`; `hark models pull NAME` gets one");
    page.unset("models_dir", "\"models\"", "besides ./models and the user's cache folder");
    page.unset("states", "2", "utterances heard side by side; the machine decides unless set");
    page.unset("device", "0", "which graphics card, where the build has a backend: docs/GPU.md");
    page.section("[llm]");
    llm(&mut page, plan, folder)?;
    page.section("[tts]");
    page.unset("voice", "\"heart\"", "`hark voices` lists them; default: the language's own");
    page.unset("speed", "1.0", "0.5 to 2");
    page.section("[store]");
    page.unset("url", "\"hark.db\"", "contacts, messages, answers: docs/PRIVACY.md");
    page.section("[log]");
    page.unset("level", "\"info\"", "or \"debug\"");
    page.unset("format", "\"human\"", "or \"json\"");
    Ok(page.0)
}

const HEAD: &str = "\
# hark's configuration, begun by `hark init`. Lines such as `# key = value` show what else can be
# set; docs/CONFIG.md has every key. `hark doctor` looks it over, and `kill -HUP` lets a hark that
# runs read it again, with its secrets and knowledge. Paths are relative to this file.

";

fn number(page: &mut TomlPage, plan: &Plan, folder: &Path) -> anyhow::Result<()> {
    let at = |path: &Path| relative(path, folder);
    page.section("[[numbers]]");
    page.set("phone_number_id", &plan.phone_number_id, "Meta's id, not the phone number");
    let name = plan.display_name.as_deref();
    page.may("display_name", name, "Example", "for you");
    if plan.provider == ProviderKind::Simulator {
        page.set("provider", "simulator", "the rehearsal; leave it out for Meta");
        page.unset("api_url", "\"http://127.0.0.1:8090\"", "where `hark simulate` listens");
    }
    page.set("access_token_file", &at(plan.access_token.path())?, "a system user's token");
    page.set("app_secret_file", &at(plan.app_secret.path())?, "proves that a webhook is Meta's");
    let app_id = plan.app_id.as_deref();
    page.may("app_id", app_id, "1234567890", "hark doctor checks the app secret with it");
    page.unset("status", "\"paused\"", "stores messages and answers none");
    Ok(())
}

fn agent(page: &mut TomlPage, plan: &Plan, folder: &Path) -> anyhow::Result<()> {
    page.section("[[agents]]");
    page.set("name", &plan.agent, "more agents: more such tables, each with a name");
    page.unset("prompt", "\"You answer for ...\"", "what a language model is to know and to be");
    let language = plan.language.as_ref().map(LanguageCode::as_str);
    page.may("language", language, "en", "fixed; else it follows the person");
    page.unset("timezone", "\"Europe/Madrid\"", "what \"now\" means to a language model");
    page.unset("reply", "\"voice\"", "\"reciprocal\": as the person wrote; \"text\"");
    let about = "a header line question,answer and lines of your own";
    match &plan.knowledge {
        Some(file) => page.value("knowledge", &vec![relative(file, folder)?].into(), about),
        None => page.unset("knowledge", "[\"faq.csv\"]", about),
    }
    Ok(())
}

fn llm(page: &mut TomlPage, plan: &Plan, folder: &Path) -> anyhow::Result<()> {
    const KEY: &str = "or api_key_file; a server of your own may need none";
    let Some(llm) = &plan.llm else {
        page.unset("engine", "\"openai\"", "any server with OpenAI's chat API; else files answer");
        page.unset("url", "\"http://127.0.0.1:11434/v1\"", "OpenAI, vLLM, Ollama, llama.cpp, ...");
        page.unset("model", "\"gpt-4.1-mini\"", "as the server names it");
        page.unset("api_key", "\"...\"", KEY);
        return Ok(());
    };
    page.set("engine", "openai", "any server with OpenAI's chat API");
    page.set("url", llm.url.as_str(), "OpenAI, vLLM, Ollama, llama.cpp, ...");
    page.set("model", &llm.model, "as the server names it");
    match &llm.key {
        Some(key) => page.set("api_key_file", &relative(key.path(), folder)?, "the server's key"),
        None => page.unset("api_key", "\"...\"", KEY),
    }
    page.unset("max_tokens", "400", "the longest answer: about two minutes of speech");
    Ok(())
}

/// Returns a path as the file in `folder` names it: bare beside it, else from the root.
fn relative(path: &Path, folder: &Path) -> anyhow::Result<String> {
    let beside = path.parent() == Some(folder);
    let name = path.file_name().filter(|_| beside).map(Path::new);
    let path = match name {
        Some(name) => name.to_owned(),
        None => std::path::absolute(path).with_context(|| path.display().to_string())?,
    };
    Ok(path.to_str().context("a path that is not UTF-8 cannot be written down")?.to_owned())
}

/// Holds what is written so far.
struct TomlPage(String);

impl TomlPage {
    fn section(&mut self, header: &str) {
        self.0.push_str(&format!("\n{header}\n"));
    }

    /// Adds a key with a text.
    fn set(&mut self, key: &str, text: &str, about: &str) {
        self.value(key, &text.into(), about);
    }

    fn value(&mut self, key: &str, value: &Value, about: &str) {
        self.line(&format!("{key} = {value}"), about);
    }

    /// Adds a key that has its default, as a comment with an example.
    fn unset(&mut self, key: &str, example: &str, about: &str) {
        self.line(&format!("# {key} = {example}"), about);
    }

    /// Adds a text, or an example of one.
    fn may(&mut self, key: &str, text: Option<&str>, example: &str, about: &str) {
        match text {
            Some(text) => self.set(key, text, about),
            None => self.unset(key, &format!("\"{example}\""), about),
        }
    }

    fn line(&mut self, line: &str, about: &str) {
        self.0.push_str(&format!("{line:<width$}  # {about}\n", width = COMMENTS - 2));
    }
}
