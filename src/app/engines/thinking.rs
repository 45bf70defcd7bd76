//! What an agent answers with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret as _;

use super::Engines;
use crate::agent::Responder;
use crate::agent::faq::{DEMO_FAQ, FaqResponder};
use crate::agent::openai::{OpenAiResponder, OpenAiSettings};
use crate::agent::prompt::Persona;
use crate::agent::scripted::ScriptedResponder;
use crate::config::{self, ConfigError};
use crate::knowledge::Knowledge;

impl Engines<'_> {
    pub(super) fn responder(
        &mut self,
        agent: usize,
        llm: &config::Llm,
    ) -> anyhow::Result<Arc<dyn Responder>> {
        if llm.engine == "scripted" {
            let text = llm.text.clone();
            let scripted = ScriptedResponder::new(text, llm.first_token_ms, llm.tokens_per_s);
            return Ok(Arc::new(scripted));
        }
        let knowledge = self.knowledge(agent)?;
        if llm.engine == "openai" {
            return Ok(Arc::new(self.language_model(agent, llm, knowledge)?));
        }
        let knowledge = match knowledge {
            Some(knowledge) => knowledge,
            None => Knowledge::load(&[(DEMO_FAQ.0.to_owned(), DEMO_FAQ.1.to_owned())])?,
        };
        let dont_know = self.config.messages.dont_know.0.clone();
        Ok(Arc::new(FaqResponder::new(Arc::new(knowledge), dont_know.into_iter().collect())))
    }

    /// What an agent's files say; `None` if it names none.
    fn knowledge(&self, agent: usize) -> Result<Option<Knowledge>, ConfigError> {
        let key = format!("agents[{agent}].knowledge");
        let refused = |problem: String| self.config.error(&key, problem);
        let Some(files) = &self.config.agents[agent].knowledge else { return Ok(None) };
        let read = |file: &PathBuf| {
            let text = std::fs::read_to_string(file)
                .map_err(|error| refused(format!("{}: {error}", file.display())))?;
            Ok((file.display().to_string(), text))
        };
        let files: Vec<_> = files.iter().map(read).collect::<Result<_, ConfigError>>()?;
        Knowledge::load(&files).map(Some).map_err(|error| refused(error.to_string()))
    }

    fn language_model(
        &mut self,
        agent: usize,
        llm: &config::Llm,
        knowledge: Option<Knowledge>,
    ) -> anyhow::Result<OpenAiResponder> {
        let client = self.client(llm.connect_timeout_ms);
        let agent = &self.config.agents[agent];
        let timezone = agent.timezone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get)?;
        let settings = OpenAiSettings {
            url: llm.url.clone().context("llm.url is checked")?,
            model: llm.model.clone().context("llm.model is checked")?,
            api_key: llm.api_key.clone().filter(|key| !key.expose_secret().is_empty()),
            temperature: llm.temperature,
            max_tokens: llm.max_tokens,
            first_token_timeout: Duration::from_millis(llm.first_token_timeout_ms),
            stall_timeout: Duration::from_millis(llm.stall_timeout_ms),
            timeout: Duration::from_millis(llm.timeout_ms),
            retries: llm.retries,
            persona: Persona {
                prompt: agent.prompt.clone(),
                timezone,
                history_tokens: llm.history_tokens,
            },
            knowledge: knowledge.map(Arc::new),
        };
        Ok(OpenAiResponder::new(settings, client))
    }
}
