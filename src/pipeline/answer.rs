//! From what was heard to the reply: the gate, the person's wishes, then the agent.
//!
//! Between the way in and the way out. Whatever a message says, a reply comes out of it: the
//! agent's answer, a question back, or a word about how the person wants to be answered.

use tokio_util::sync::CancellationToken;

use super::error::TurnError;
use super::gate::{Verdict, judge};
use super::hear::Heard;
use super::reply::{Reply, log_failure};
use super::stage::Trace;
use super::wishes::Wish;
use super::{AgentSetup, VoicePath};
use crate::agent::Question;
use crate::registry::{Phrase, ReplyPolicy};
use crate::store::History;
use crate::turn::{Personal, ReplyMode, TO_CONFIRM, Uncertainty};

/// Characters of a transcript that are repeated in "Did you say ...?".
const MOST_REPEATED: usize = 300;

/// What is known around a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// What was said before.
    pub(super) history: History,
    /// How the person asked to be answered before.
    pub(super) reply_mode: Option<ReplyMode>,
    /// The person's name.
    pub(super) contact_name: Option<Personal>,
    /// When the message was accepted, Unix milliseconds.
    pub(super) asked_ms: i64,
}

impl VoicePath {
    /// Makes the reply to what was heard.
    pub(super) async fn answer(
        &self,
        agent: &AgentSetup,
        heard: &Heard,
        around: Around,
        trace: &Trace,
        cancel: &CancellationToken,
    ) -> Result<Reply, TurnError> {
        let phrases = &agent.phrases;
        let verdict = judge(agent.gate, heard, around.history.to_confirm.as_ref());
        let ask_back = async |question: String, reason: String| {
            let aloud = speaks(agent, heard, around.reply_mode);
            let reply = self.put(agent, question, &heard.language, aloud, trace).await;
            Reply { asks_back: Some(reason), ..reply }
        };
        let mut question = Question {
            heard: heard.text.clone(),
            spoken: heard.spoken(),
            language: heard.language.clone(),
            history: around.history.exchanges.clone(),
            contact_name: around.contact_name.clone(),
            asked_ms: around.asked_ms,
            aloud: true,
        };
        match verdict {
            Verdict::Answer => {}
            Verdict::Confirmed(words) => {
                // The words that were asked about are the question now, not the past.
                question.history.pop();
                question.heard = words;
                question.spoken = None;
            }
            Verdict::Denied => {
                let again = phrases.repeat.in_language(&heard.language).to_owned();
                return Ok(ask_back(again, "not_confirmed".to_owned()).await);
            }
            Verdict::Confirm(why) => {
                let confirm = confirm(&phrases.confirm, heard);
                return Ok(ask_back(confirm, format!("{TO_CONFIRM}{}", why.name())).await);
            }
            Verdict::Repeat(why) => {
                let again = match why {
                    Uncertainty::NoSpeech => &phrases.no_speech,
                    _ => &phrases.repeat,
                };
                let again = again.in_language(&heard.language).to_owned();
                return Ok(ask_back(again, format!("repeat: {}", why.name())).await);
            }
        }
        let wish = Wish::of(question.heard.reveal());
        let mode = wish.map(|wish| wish.mode);
        question.aloud = speaks(agent, heard, mode.or(around.reply_mode));
        let reply = match wish {
            // "I'll speak again" would be no truth from an agent that does not.
            Some(Wish { mode, alone: true }) if question.aloud || mode == ReplyMode::Text => {
                let agreed = match mode {
                    ReplyMode::Text => &phrases.text_mode,
                    ReplyMode::Voice => &phrases.voice_mode,
                };
                let agreed = agreed.in_language(&heard.language).to_owned();
                self.put(agent, agreed, &heard.language, question.aloud, trace).await
            }
            _ => self.reply(agent, question, trace, cancel).await?,
        };
        Ok(Reply { wish: mode, ..reply })
    }

    /// Says one of our own sentences; as text if it cannot be spoken.
    async fn put(
        &self,
        agent: &AgentSetup,
        text: String,
        language: &str,
        aloud: bool,
        trace: &Trace,
    ) -> Reply {
        let spoken = if aloud { self.say(agent, &text, language, trace).await } else { Ok(None) };
        match spoken {
            Ok(note) => Reply { text, note, ..Reply::default() },
            Err(error) => {
                let reason = Some(log_failure("the reply goes out as text", &error));
                Reply { text, reason, ..Reply::default() }
            }
        }
    }
}

/// Whether the reply is spoken: the agent's policy, unless the person wants to read.
fn speaks(agent: &AgentSetup, heard: &Heard, mode: Option<ReplyMode>) -> bool {
    let policy = match agent.reply {
        ReplyPolicy::Voice => true,
        ReplyPolicy::Reciprocal => heard.transcript.is_some(),
        ReplyPolicy::Text => false,
    };
    policy && mode != Some(ReplyMode::Text)
}

/// "Did you say ...?" with the words that were heard.
fn confirm(phrase: &Phrase, heard: &Heard) -> String {
    let words = heard.text.reveal().trim().trim_end_matches(['.', '?', '!', ',']);
    let mut repeated: String = words.chars().take(MOST_REPEATED).collect();
    if repeated.len() < words.len() {
        repeated.push_str(" ...");
    }
    phrase.in_language(&heard.language).replace("{text}", &repeated)
}
