//! From what was heard to the reply: the doors, then the agent.
//!
//! Whatever a message says, a reply comes out of it: the agent's answer, a question back, or a
//! word about how the person wants to be answered.

use super::Scene;
use super::doors::{Say, Visit};
use super::error::TurnError;
use super::hear::Heard;
use super::reply::{Reply, ask_agent, log_failure, say};
use crate::store::History;
use crate::turn::{LanguageCode, Personal, ReplyMode};

/// Holds what is known around a message.
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

/// Makes the reply to what was heard.
pub(super) async fn answer(
    scene: Scene<'_>,
    heard: &Heard,
    around: &Around,
) -> Result<Reply, TurnError> {
    let mut visit = Visit::new(scene.agent, &scene.agent.phrases, heard, around);
    let said = visit.pass();
    let Visit { question, wish, .. } = visit;
    let reply = match said {
        None => ask_agent(scene, question).await?,
        Some(Say { text, asks_back }) => {
            let aloud = question.aloud;
            Reply { asks_back, ..say_own(scene, text, &heard.language, aloud).await }
        }
    };
    Ok(Reply { wish, ..reply })
}

/// Says one of our own sentences; as text if it cannot be spoken.
async fn say_own(scene: Scene<'_>, text: String, language: &LanguageCode, aloud: bool) -> Reply {
    let spoken = if aloud { say(scene, &text, language).await } else { Ok(None) };
    match spoken {
        Ok(note) => Reply { text: Personal(text), note, ..Reply::default() },
        Err(error) => {
            let reason = Some(log_failure("the reply goes out as text", &error));
            Reply { text: Personal(text), reason, ..Reply::default() }
        }
    }
}
