//! Reads one answer as it comes.
//!
//! From the response's bytes to the words that may be said. Invariants: words that came before a
//! failure are given before it; an answer, a line and what surrounds them have named limits.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;

use super::chunk::{self, Chunk, FinishReason};
use super::cost::AnswerCount;
use super::refusal::Failure;
use super::server_call::ServerCall;
use super::sse::{Event, Events, TooLong};
use super::text::{AnswerText, Filtered};
use super::tool_calls::{CallPiece, CallsSoFar};
use crate::agent::tools::ToolCall;
use crate::agent::{AgentError, Delta, Usage};
use crate::remote::failure::{ServerError, is_page};
use crate::remote::patience::Late;
use crate::remote::words::error_chain;

/// Longest answer, in bytes: an hour of speech. What `max_tokens` allows is far less.
const ANSWER_LIMIT: usize = 64 << 10;
/// Most bytes of one response; a token costs about 300.
const RESPONSE_LIMIT: usize = 32 << 20;
/// Most bytes of an answer that is not streamed.
const WHOLE_LIMIT: usize = 1 << 20;
/// Limits the wait for the usage after the last word: the note waits too.
const TAIL: Duration = Duration::from_millis(500);

/// Names how the response is written, as its first byte shows.
enum BodyFormat {
    Unknown,
    /// `text/event-stream`.
    Stream(Events),
    /// JSON, from a server that does not stream, or a web page.
    Whole(Vec<u8>),
}

/// Says how far an answer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum AnswerProgress {
    Nothing,
    /// The server wrote something that is part of an answer.
    Began,
    /// The model wrote something, were it only a thought.
    Writes,
}

/// Holds an answer that is being read.
pub(super) struct Reading {
    response: Response,
    form: BodyFormat,
    text: AnswerText,
    /// Read and not given yet.
    ready: VecDeque<Delta>,
    /// What it costs.
    pub(super) count: AnswerCount,
    end: Option<FinishReason>,
    /// The calls of tools so far, where tools were offered.
    calls: Option<CallsSoFar>,
    /// The answer so far.
    said: String,
    /// Whether words of it were given away.
    given: bool,
    /// Bytes of the response so far.
    taken: usize,
    progress: AnswerProgress,
    /// Nothing more is read; what is left to tell.
    closed: bool,
    failure: Option<Failure>,
}

impl Reading {
    /// Begins to read an answer of a server whose answers begin within a thought, or do not, or have
    /// not shown it; with `calls` if it may call tools.
    pub(super) fn new(
        response: Response,
        opens_thoughts: Option<bool>,
        calls: Option<CallsSoFar>,
    ) -> Self {
        Self {
            calls,
            response,
            form: BodyFormat::Unknown,
            text: AnswerText::new(opens_thoughts),
            ready: VecDeque::new(),
            count: AnswerCount::default(),
            end: None,
            said: String::new(),
            given: false,
            taken: 0,
            progress: AnswerProgress::Nothing,
            closed: false,
            failure: None,
        }
    }

    /// Reads up to the first word.
    ///
    /// # Errors
    /// If the answer failed before it.
    pub(super) async fn begin(&mut self, call: &mut ServerCall<'_>) -> Result<(), Failure> {
        while self.said.is_empty() && !self.closed {
            self.read(call).await;
        }
        match self.failure.take() {
            Some(failure) if self.said.is_empty() => Err(failure),
            failure => {
                self.failure = failure;
                call.expect_word();
                Ok(())
            }
        }
    }

    /// Returns the next words, or at the end what the answer cost.
    pub(super) async fn next(
        &mut self,
        call: &mut ServerCall<'_>,
    ) -> Option<Result<Delta, AgentError>> {
        while self.ready.is_empty() && !self.closed {
            self.read(call).await;
        }
        self.given = true;
        let next = self.ready.pop_front().map(Ok);
        next.or_else(|| self.failure.take().map(|failure| Err(failure.error)))
    }

    /// Reads what the server has next.
    async fn read(&mut self, call: &mut ServerCall<'_>) {
        let read = match call.patience.wait(self.response.chunk()).await {
            // All words are there: what would still come is not worth a failure.
            Ok(Err(_)) | Err(_) if self.end.is_some() => return self.close(),
            Ok(Ok(Some(bytes))) => self.take(&bytes, call),
            Ok(Ok(None)) => self.end_of_body(call),
            Ok(Err(error)) => Err(self.broke_off(error_chain(error))),
            Err(late) => Err(self.late(late, call)),
        };
        if let Err(failure) = read {
            self.close();
            self.failure = Some(failure);
        }
    }

    fn take(&mut self, bytes: &Bytes, call: &mut ServerCall<'_>) -> Result<(), Failure> {
        self.taken += bytes.len();
        if self.taken > RESPONSE_LIMIT {
            return Err(self.unexpected("more than 32 MiB"));
        }
        let mut bytes = &bytes[..];
        if let BodyFormat::Unknown = self.form {
            // Blanks before an answer are none of it, however they arrive.
            bytes = bytes.trim_ascii_start();
            self.form = match bytes.first() {
                None => return Ok(()),
                Some(b'{' | b'[' | b'<') => BodyFormat::Whole(Vec::new()),
                Some(_) => BodyFormat::Stream(Events::default()),
            };
        }
        match &mut self.form {
            BodyFormat::Stream(events) => {
                let events = events
                    .push(bytes)
                    .map_err(|TooLong| self.unexpected("a line of over 1 MiB"))?;
                events.iter().try_for_each(|event| self.event(event, call))
            }
            BodyFormat::Whole(whole) if whole.len() + bytes.len() <= WHOLE_LIMIT => {
                whole.extend_from_slice(bytes);
                Ok(())
            }
            BodyFormat::Whole(_) | BodyFormat::Unknown => {
                Err(self.unexpected("more than 1 MiB at once"))
            }
        }
    }

    fn end_of_body(&mut self, call: &mut ServerCall<'_>) -> Result<(), Failure> {
        match &mut self.form {
            BodyFormat::Stream(events) => {
                if let Some(event) = events.finish() {
                    self.event(&event, call)?;
                }
            }
            BodyFormat::Whole(whole) => {
                let whole = std::mem::take(whole);
                if is_page(&whole) {
                    let title = ServerError::from_body(&whole).message;
                    let status = self.response.status().as_u16();
                    return Err(Failure::page(status, &title, call.redactor));
                }
                let chunk = chunk::read(&whole).unwrap_or_default();
                if !chunk.is_answer && chunk.error.is_none() {
                    return Err(self.unexpected("JSON that is not a chat completion"));
                }
                self.hear(chunk, call)?;
                self.end.get_or_insert(FinishReason::Whole);
            }
            BodyFormat::Unknown => {}
        }
        if self.closed || self.end.is_some() {
            self.close();
            return Ok(());
        }
        let kind = self.response.headers().get(CONTENT_TYPE);
        let stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let words = match &self.form {
            BodyFormat::Stream(Events { stray: Some(words), .. }) => {
                format!(": {}", call.redactor.clean(&String::from_utf8_lossy(words)))
            }
            _ => String::new(),
        };
        Err(if self.progress > AnswerProgress::Nothing || stream || self.taken == 0 {
            self.broke_off(format!("the connection was closed before the end{words}"))
        } else {
            let what = format!("something that is not an event stream{words}; is llm.url right?");
            self.unexpected(&what)
        })
    }

    fn event(&mut self, event: &Event, call: &mut ServerCall<'_>) -> Result<(), Failure> {
        if self.closed || event.data.trim_ascii().is_empty() {
            return Ok(());
        }
        if event.data.trim_ascii() == b"[DONE]" {
            self.end.get_or_insert(FinishReason::Whole);
            self.close();
            return Ok(());
        }
        if event.kind == b"error" {
            return Err(self.reported(&ServerError::from_body(&event.data), call));
        }
        match chunk::read(&event.data) {
            Ok(chunk) => self.hear(chunk, call),
            Err(_not_json) => {
                let words = call.redactor.clean(&ServerError::from_body(&event.data).message);
                Err(self.unexpected(&format!("an event that is not a chat completion: {words}")))
            }
        }
    }

    fn hear(&mut self, mut chunk: Chunk, call: &mut ServerCall<'_>) -> Result<(), Failure> {
        let writes = chunk.aside.is_some() || !chunk.text.is_empty();
        let progress = if writes { AnswerProgress::Writes } else { AnswerProgress::Began };
        if chunk.is_answer {
            self.progress = self.progress.max(progress);
        }
        // Thoughts are a sign of life, too.
        let alive = chunk.is_answer && self.progress == AnswerProgress::Writes;
        if alive && self.end.is_none() {
            call.expect_word();
        }
        let called: usize = chunk.calls.iter().map(CallPiece::written).sum();
        self.count.hear(chunk.usage, chunk.text.len() + called);
        let calls = std::mem::take(&mut chunk.calls);
        let answer = self.calls.as_mut().map_or(Ok(String::new()), |known| known.add(calls));
        let Ok(answer) = answer else {
            return Err(self.unexpected("calls of tools of over 64 KiB"));
        };
        let filtered = self.text.push(&chunk, &self.said);
        self.say(filtered);
        self.say(Filtered { retract: false, text: answer });
        let failed = chunk.end == Some(FinishReason::Failure);
        if let Some(error) = chunk.error.or_else(|| failed.then(ServerError::default)) {
            return Err(self.reported(&error, call));
        }
        if chunk.end.is_some() && self.end.is_none() {
            self.end = chunk.end;
            call.patience.expect_within(TAIL);
        }
        if self.said.len() > ANSWER_LIMIT {
            return Err(Failure::last(AgentError::CutShort("it is longer than 64 KiB")));
        }
        Ok(())
    }

    /// Passes words on, without white space before the first.
    fn say(&mut self, Filtered { retract, text }: Filtered) {
        if retract {
            self.said.clear();
            self.ready.retain(|delta| matches!(delta, Delta::Usage(_)));
            self.ready.extend(self.given.then_some(Delta::Retract));
        }
        let text = if self.said.is_empty() { text.trim_start() } else { &text };
        self.said.push_str(text);
        if !text.is_empty() {
            self.ready.push_back(Delta::Text(text.to_owned()));
        }
    }

    /// Says what was held back: no more comes.
    fn finish(&mut self) {
        let last = self.text.finish(self.end == Some(FinishReason::Whole));
        self.say(last);
    }

    /// Ends the answer: what was held back, what it cost, and what its end means.
    fn close(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.finish();
        let wrote = self.progress == AnswerProgress::Writes;
        self.ready.extend(self.count.end(wrote).map(Delta::Usage));
        let nothing = self.said.trim().is_empty();
        let calls = self.calls.as_ref().is_some_and(|calls| !calls.is_empty());
        self.failure = match self.end {
            Some(FinishReason::Length) if nothing => {
                Some(AgentError::OnlyThoughts { limit: "llm.max_tokens" })
            }
            Some(FinishReason::Length) => Some(AgentError::CutShort("it came to llm.max_tokens")),
            Some(FinishReason::Filter) => {
                Some(AgentError::Filtered("it ended the answer".to_owned()))
            }
            Some(FinishReason::Whole) if nothing && !calls => {
                self.text.instead().map(AgentError::NoWords)
            }
            Some(FinishReason::Whole | FinishReason::Failure) | None => None,
        }
        .map(Failure::last);
    }

    /// Returns what an answer cost that has failed before its first word.
    pub(super) fn wasted(self) -> impl Iterator<Item = Usage> {
        self.ready.into_iter().filter_map(|delta| match delta {
            Delta::Usage(usage) => Some(usage),
            _ => None,
        })
    }

    /// Returns whether the server's answers begin within a thought, once one has shown it.
    pub(super) fn opens_thoughts(&self) -> Option<bool> {
        self.text.opens_thoughts()
    }

    fn unexpected(&mut self, what: &str) -> Failure {
        self.finish();
        Failure::last(if self.said.is_empty() {
            AgentError::Unexpected(what.to_owned())
        } else {
            AgentError::BrokeOff(format!("the server sent {what}"))
        })
    }

    fn broke_off(&mut self, how: String) -> Failure {
        self.finish();
        if self.said.is_empty() {
            Failure::passing(AgentError::Unreachable(how))
        } else {
            Failure::last(AgentError::BrokeOff(how))
        }
    }

    fn reported(&mut self, error: &ServerError, call: &ServerCall<'_>) -> Failure {
        self.finish();
        if self.said.is_empty() {
            return Failure::reported(error, call.redactor);
        }
        let message = call.redactor.clean(&error.message);
        Failure::last(AgentError::BrokeOff(format!("the server reported: {message}")))
    }

    fn late(&mut self, late: Late, call: &ServerCall<'_>) -> Failure {
        self.finish();
        if self.said.is_empty() {
            return match late {
                Late::Total if self.progress == AnswerProgress::Writes => {
                    Failure::last(AgentError::OnlyThoughts { limit: "llm.timeout_ms" })
                }
                late => call.too_slow(late),
            };
        }
        let how = match late {
            Late::Quiet => format!("no word for {} ms", call.settings.stall_timeout_ms),
            Late::Total => format!("it took longer than {} ms", call.settings.timeout_ms),
        };
        Failure::last(AgentError::BrokeOff(how))
    }

    /// Gives the connection back for the next turn: it can be used again once the few bytes that
    /// follow the last event are read. Returns the tools that the model calls.
    pub(super) fn give_back(mut self) -> Vec<ToolCall> {
        let calls = self.calls.take().map(CallsSoFar::finish).unwrap_or_default();
        tokio::spawn(async move {
            let rest = async { while let Ok(Some(_)) = self.response.chunk().await {} };
            tokio::time::timeout(TAIL, rest).await.ok();
        });
        calls
    }
}
