//! One question on its way to its answer, with the calls of tools in between.
//!
//! The model is asked, its calls are made side by side, and it is asked again with their results, at
//! most [`max_rounds`](super::Settings::max_rounds) times; then once more without tools. Invariant:
//! words that were given before a call stay given.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::ChatServer;
use super::reading::Reading;
use super::server_call::ServerCall;
use super::tool_calls::REPLY;
use crate::agent::tools::{ToolCall, ToolDone, ToolOffer};
use crate::agent::{AgentError, Delta, Question};
use crate::remote::patience::Patience;
use crate::remote::words::Redactor;

/// Parts the words before a call from those after it, so that they are sentences of their own.
const BETWEEN: &str = "\n\n";
/// Bytes of a result that are left when a model's context is too small for it.
const SHORT_RESULT: usize = 1_000;

/// Follows one question on its way to its answer.
pub(super) struct Answering {
    server: Arc<ChatServer>,
    question: Question,
    patience: Patience,
    /// Once the first word is there.
    reading: Option<Reading>,
    talk: ToolTalk,
    /// Told once all that came before it is.
    failed: Option<AgentError>,
}

impl Answering {
    pub(super) fn new(server: Arc<ChatServer>, question: Question) -> Self {
        let patience = Patience::new(Duration::from_millis(server.settings.timeout_ms));
        let reply = server.reply.as_ref().filter(|_| !question.internal);
        let definitions = reply.into_iter().cloned().collect();
        let talk = ToolTalk { definitions, ..ToolTalk::default() };
        Self { server, question, patience, reading: None, talk, failed: None }
    }

    /// Returns what comes next.
    pub(super) async fn next(&mut self) -> Option<Result<Delta, AgentError>> {
        loop {
            if let Some(delta) = self.talk.ready.pop_front() {
                return Some(Ok(delta));
            }
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            let offers = !self.question.internal && self.server.offers_tools();
            if self.talk.offer.is_none() && offers {
                self.talk.gather(self.server.tools.offer().await);
                continue;
            }
            if !self.talk.pending.is_empty() {
                self.talk.make_calls(self.server.reply.is_some()).await;
                continue;
            }
            match self.read().await {
                Some(Ok(delta)) => self.talk.note(delta),
                Some(Err(error)) => self.failed = Some(error),
                None => {
                    let reading = self.reading.take();
                    let calls = reading.map(Reading::give_back).unwrap_or_default();
                    // A reply is the answer; there is nothing to say to it.
                    if calls.iter().all(|call| self.is_reply(call)) {
                        return None;
                    }
                    self.talk.begin_round(calls);
                }
            }
        }
    }

    fn is_reply(&self, call: &ToolCall) -> bool {
        self.server.reply.is_some() && call.name == REPLY
    }

    /// Returns the next words of the server, which is asked if it was not.
    async fn read(&mut self) -> Option<Result<Delta, AgentError>> {
        let Self { server, question, patience, reading, talk, .. } = self;
        let settings = &server.settings;
        let redactor = Redactor { key: settings.key(), text: question.heard.reveal() };
        let mut call = ServerCall { settings, redactor, patience, wasted: Vec::new() };
        let reading = if let Some(reading) = reading {
            reading
        } else {
            let begun = server.ask(question, talk, &mut call).await;
            talk.ready.extend(call.wasted.drain(..).map(Delta::Usage));
            match begun {
                Ok(begun) => reading.insert(begun),
                Err(error) => return Some(Err(error)),
            }
        };
        let next = reading.next(&mut call).await;
        server.learn(reading);
        next
    }
}

/// Holds what was said with tools while one question is answered.
#[derive(Default)]
pub(super) struct ToolTalk {
    /// What may be called, once it was gathered.
    offer: Option<ToolOffer>,
    /// The same in the chat API's words, and the reply.
    definitions: Vec<Value>,
    /// The model's calls and their results, as the chat API has them.
    pub(super) messages: Vec<Value>,
    rounds: u32,
    /// Asked for and not made yet.
    pending: Vec<ToolCall>,
    /// To be handed on.
    ready: VecDeque<Delta>,
    /// The words of earlier rounds, and of this one.
    before: String,
    said: String,
}

impl ToolTalk {
    /// Returns the tools that the model may call now; none after the last round.
    pub(super) fn offered(&self, max_rounds: u32) -> &[Value] {
        if self.rounds < max_rounds { &self.definitions } else { &[] }
    }

    fn gather(&mut self, mut offer: ToolOffer) {
        let missing = std::mem::take(&mut offer.missing);
        self.ready.extend(missing.into_iter().map(|done| Delta::Tool(Box::new(done))));
        let own = |tool: &Value| {
            self.definitions.iter().any(|own| own["function"]["name"] == tool["function"]["name"])
        };
        offer.definitions.retain(|tool| !own(tool));
        self.definitions.append(&mut offer.definitions);
        self.offer = Some(offer);
    }

    /// Hands on what the server gave. What it takes back is of its last answer alone.
    fn note(&mut self, delta: Delta) {
        let again = match &delta {
            Delta::Text(text) => {
                self.said.push_str(text);
                None
            }
            Delta::Retract => {
                self.said.clear();
                (!self.before.is_empty()).then(|| Delta::Text(self.before.clone()))
            }
            Delta::Usage(_) | Delta::Tool(_) | Delta::Extra(_) | Delta::Ticket(_) => None,
        };
        self.ready.push_back(delta);
        self.ready.extend(again);
    }

    /// Takes the calls that ended an answer; what was said before them can be spoken.
    fn begin_round(&mut self, calls: Vec<ToolCall>) {
        let asked = calls.iter().map(|ToolCall { id, name, arguments }| {
            // Servers put what is no JSON object into no template.
            let whole = serde_json::from_str(arguments.reveal());
            let whole: Value = whole.ok().filter(Value::is_object).unwrap_or_else(|| json!({}));
            let function = json!({ "name": name, "arguments": whole.to_string() });
            json!({ "id": id, "type": "function", "function": function })
        });
        let asked: Vec<Value> = asked.collect();
        let said = std::mem::take(&mut self.said);
        self.messages.push(json!({ "role": "assistant", "content": said, "tool_calls": asked }));
        if !said.trim().is_empty() {
            self.ready.push_back(Delta::Text(BETWEEN.to_owned()));
            self.before = format!("{}{said}{BETWEEN}", self.before);
        }
        self.rounds += 1;
        self.pending = calls;
    }

    /// Makes the calls, side by side; a reply was given as it came.
    async fn make_calls(&mut self, reply: bool) {
        let Some(offer) = &self.offer else { return self.pending.clear() };
        let made = self.pending.iter().map(async |call| {
            let given = reply && call.name == REPLY;
            if given { None } else { Some(offer.call(call).await) }
        });
        let done: Vec<Option<ToolDone>> = join_all(made).await;
        for (call, done) in self.pending.drain(..).zip(done) {
            let content = done.as_ref().map_or("the person has it", |done| done.result.reveal());
            let result = json!({ "role": "tool", "tool_call_id": call.id, "content": content });
            self.messages.push(result);
            self.ready.extend(done.map(|done| Delta::Tool(Box::new(done))));
        }
    }

    /// Shortens the longest result, for a model whose context is too small; returns whether there was
    /// one that could be.
    pub(super) fn shorten(&mut self) -> bool {
        let results = self.messages.iter_mut().filter(|message| message["role"] == "tool");
        let longest = results.max_by_key(|message| message["content"].as_str().map_or(0, str::len));
        let Some(content) = longest.map(|message| &mut message["content"]) else { return false };
        let text = content.as_str().unwrap_or_default();
        if text.len() <= 2 * SHORT_RESULT {
            return false;
        }
        let end = text.floor_char_boundary(text.len() / 2);
        *content = format!("{} [... the rest had no room]", &text[..end]).into();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Personal;

    fn call(arguments: &str) -> ToolCall {
        ToolCall {
            id: "a".to_owned(),
            name: "x".to_owned(),
            arguments: Personal(arguments.to_owned()),
        }
    }

    #[test]
    fn words_before_a_call_stay_when_later_ones_are_taken_back() {
        let mut talk = ToolTalk::default();
        talk.note(Delta::Text("One moment.".to_owned()));
        talk.begin_round(vec![call("{")]);
        talk.note(Delta::Text("Hm".to_owned()));
        talk.note(Delta::Retract);
        let text = |text: &str| Delta::Text(text.to_owned());
        let expected = [
            text("One moment."),
            text(BETWEEN),
            text("Hm"),
            Delta::Retract,
            text("One moment.\n\n"),
        ];
        assert_eq!(talk.ready, expected);
        assert_eq!(talk.messages[0]["content"], "One moment.");
        assert_eq!(talk.messages[0]["tool_calls"][0]["function"]["arguments"], "{}");
    }

    #[test]
    fn a_long_result_gives_way_to_a_small_context() {
        let messages = vec![
            json!({ "role": "assistant", "content": "a".repeat(9_000) }),
            json!({ "role": "tool", "content": "ü".repeat(4_000) }),
            json!({ "role": "tool", "content": "short" }),
        ];
        let mut talk = ToolTalk { messages, ..ToolTalk::default() };
        assert!(talk.shorten() && talk.shorten() && talk.shorten());
        while talk.shorten() {}
        let content = talk.messages[1]["content"].as_str().unwrap();
        assert!(content.len() <= 2 * SHORT_RESULT && content.ends_with("no room]"), "{content}");
        assert_eq!((&talk.messages[2]["content"], talk.messages.len()), (&json!("short"), 3));
    }
}
