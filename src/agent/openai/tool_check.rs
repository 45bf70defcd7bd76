//! Asks a server whether it takes an agent's tools, for the doctor. Whatever it answers, no tool is
//! called.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::ChatServer;
use super::request::ChatRequest;
use crate::agent::Question;
use crate::engine::TRIAL_LIMIT;
use crate::remote::failure::ErrorResponse;
use crate::remote::words::Redactor;

/// Tokens of an answer that nobody reads.
const FEW: u32 = 16;

impl ChatServer {
    /// Returns why the server refuses `tools`, in its words; `None` if it takes them, or does not
    /// answer, which is said elsewhere.
    pub(super) async fn refuses(&self, tools: &[Value]) -> Option<String> {
        let any = json!({ "name": "look_up", "description": "Looks something up.", "parameters": {
            "type": "object", "properties": {},
        } });
        let any = [json!({ "type": "function", "function": any })];
        let ask = ChatRequest {
            model: &self.model,
            messages: self.persona.messages(&Question::written("ok", "en")),
            calls: &[],
            tools: if tools.is_empty() { &any } else { tools },
            temperature: self.settings.temperature,
            max_tokens: FEW,
            extra: &self.extra,
        };
        let dialect = self.habits().dialect;
        let asked = async {
            let response = self.request(&ask.body(dialect)).send().await.ok()?;
            let refused = !response.status().is_success();
            if refused { Some(ErrorResponse::read(response).await) } else { None }
        };
        let refusal = timeout(TRIAL_LIMIT, asked).await.ok()??;
        let other = dialect.after(refusal.status, &refusal.error)?;
        let redactor = Redactor { key: self.settings.key(), text: "" };
        (!other.tools).then(|| redactor.clean(&refusal.error.message))
    }
}
