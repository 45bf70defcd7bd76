//! Asks a server how much its model can read at once, for the doctor.
//!
//! There is no standard for it: vLLM and others say it in the list of models, llama.cpp among its
//! properties too, Ollama of the models it runs. Invariant: no other host is asked.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::ChatServer;
use crate::remote::failure::body;
use crate::remote::greeting::with_key;

/// Limits each question.
const LIMIT: Duration = Duration::from_secs(3);
/// Where a model's entry has it, the surest first; `n_ctx_train` is only what it could.
const KEYS: [&str; 6] = [
    "/max_model_len",
    "/meta/n_ctx",
    "/loaded_context_length",
    "/context_length",
    "/context_window",
    "/max_context_length",
];

impl ChatServer {
    /// Returns the size of the model's context in tokens, where the server tells it.
    pub(super) async fn context_tokens(&self) -> Option<u64> {
        let base = self.endpoint.path().trim_end_matches("/chat/completions").to_owned();
        let models = self.look_up(&format!("{base}/models")).await;
        if let Some(tokens) = models.and_then(|models| self.of_model(&models["data"], &KEYS)) {
            return Some(tokens);
        }
        let root = base.trim_end_matches("/v1").to_owned();
        let props = self.look_up(&format!("{root}/props")).await;
        let of_slot = |props: Value| props["default_generation_settings"]["n_ctx"].as_u64();
        if let Some(tokens) = props.and_then(of_slot) {
            return Some(tokens);
        }
        let running = self.look_up(&format!("{root}/api/ps")).await?;
        self.of_model(&running["models"], &["/context_length"])
    }

    /// Reads the size in the model's entry of a list, or in the only entry.
    fn of_model(&self, list: &Value, keys: &[&str]) -> Option<u64> {
        let entries = list.as_array()?;
        let is_it = |entry: &&Value| {
            ["id", "name", "model"].iter().any(|key| entry[*key] == self.model.as_str())
        };
        let only = entries.first().filter(|_| entries.len() == 1);
        let entry = entries.iter().find(is_it).or(only)?;
        keys.iter().find_map(|key| entry.pointer(key)?.as_u64())
    }

    async fn look_up(&self, path: &str) -> Option<Value> {
        let mut url = self.endpoint.clone();
        url.set_path(path);
        let request = with_key(self.client.get(url), self.settings.key());
        let read = async {
            let response = request.send().await.ok()?.error_for_status().ok()?;
            serde_json::from_slice(&body(response).await).ok()
        };
        timeout(LIMIT, read).await.ok().flatten()
    }
}
