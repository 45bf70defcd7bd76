//! From what was heard to the reply: the doors, then the agent.
//!
//! Every message gets a reply: the agent's answer, a question back, or a word about how the person
//! wants to be answered.

use super::Scene;
use super::doors::{Say, Visit};
use super::error::{Cause, TurnError};
use super::hear::Heard;
use super::reply::{Reply, ask_agent, log_failure, say};
use super::stage::stage;
use crate::agent::{Picture, Question, Retrieval};
use crate::knowledge::Hit;
use crate::store::{Credit, DeskState, History};
use crate::telemetry;
use crate::turn::{About, Customer, LanguageCode, Personal, ReplyMode, Stage};

/// Passages that go with a question as its background.
const PASSAGES: usize = 3;

/// Holds what is known around a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// What was said before.
    pub(super) history: History,
    /// How the person asked to be answered before.
    pub(super) reply_mode: Option<ReplyMode>,
    /// The name of the person's profile.
    pub(super) contact_name: Option<Personal>,
    /// What the business knows of them, if they are a customer.
    pub(super) customer: Option<Customer>,
    /// What the messages refer to.
    pub(super) about: Vec<About>,
    /// Pictures that the agent sees.
    pub(super) pictures: Vec<Picture>,
    /// What the desk has to do with the person.
    pub(super) desk: DeskState,
    /// When the message was accepted, Unix milliseconds.
    pub(super) asked_ms: i64,
    /// How often an answer was tried, this time included.
    pub(super) attempt: u32,
    /// Whether an answer may be paid.
    pub(super) credit: Credit,
}

impl Around {
    /// Returns the person's name: the one that the business has goes before the profile's.
    pub(super) fn name(&self) -> Option<&Personal> {
        let on_file = self.customer.as_ref().and_then(|customer| customer.name.as_ref());
        on_file.or(self.contact_name.as_ref())
    }
}

/// Makes the reply to what was heard.
pub(super) async fn answer(
    scene: Scene<'_>,
    heard: &Heard,
    around: &Around,
) -> Result<Reply, TurnError> {
    let mut visit = Visit::new(scene.agent, heard, around);
    let said = visit.pass();
    let Visit { question, wish, asked_language, wants_person, ticket, .. } = visit;
    if wants_person && around.attempt <= 1 {
        telemetry::person_request(&scene.agent.name);
        tracing::info!(agent = scene.agent.name, "a person asks for a person");
    }
    let (started_ms, by) = (scene.trace.elapsed_ms(), scene.agent.responder.name());
    let (reply, by) = match said {
        None => {
            let passages = look_up(scene, &question).await?;
            let reply = ask_agent(scene, Question { passages, ..question }).await?;
            (Reply { ticket, ..reply }, by)
        }
        Some(Say { text, asks_back, ticket, instead }) => {
            let said = say_own(scene, text, &question.language, question.aloud).await;
            let reason = instead.or(said.reason);
            (Reply { reason, asks_back, ticket, ..said }, "a sentence of ours")
        }
    };
    tracing::info!(
        by,
        characters = reply.said.text.reveal().chars().count(),
        note_ms = reply.note.as_ref().map(|(_, note)| note.duration_ms),
        took_ms = scene.trace.elapsed_ms() - started_ms,
        "answered"
    );
    Ok(Reply { wish, asked_language, ..reply })
}

/// Finds what the agent's knowledge has on the question, as much as its responder wants.
async fn look_up(scene: Scene<'_>, question: &Question) -> Result<Vec<Hit>, TurnError> {
    let most = match scene.agent.responder.wants() {
        Retrieval::Nothing => return Ok(Vec::new()),
        Retrieval::Answer => 1,
        Retrieval::Background => PASSAGES,
    };
    let Some(knowledge) = scene.agent.knowledge.clone() else { return Ok(Vec::new()) };
    let (heard, language) = (question.heard.clone(), question.language.clone());
    // "How much is it?" is about what it refers to, else about what was asked before.
    let subject = question.about.iter().find_map(About::subject);
    let before = subject.or(question.history.last().map(|last| &last.heard));
    let before = before.filter(|_| most > 1).cloned();
    let embedder = scene.agent.embedder.clone().filter(|_| knowledge.meant() > 0);
    let found = async {
        let meaning = match embedder {
            Some(embedder) => embedder.meaning(heard.reveal()).await,
            None => None,
        };
        // A large knowledge takes milliseconds.
        let search = scene.path.encoders.run(move || {
            let hits = knowledge.top(heard.reveal(), &language, meaning.as_ref(), most)?;
            match before {
                Some(before) if hits.is_empty() => {
                    let both = format!("{} {}", heard.reveal(), before.reveal());
                    knowledge.top(&both, &language, None, most)
                }
                _ => Ok(hits),
            }
        });
        Ok::<_, Cause>(search.await??)
    };
    let hits: Vec<Hit> = stage(scene.trace, Stage::Knowledge, found).await?;
    scene.trace.cite(hits.iter().map(|hit| hit.source.clone()));
    Ok(hits)
}

/// Says one of our own sentences; as text if it cannot be spoken.
async fn say_own(scene: Scene<'_>, text: String, language: &LanguageCode, aloud: bool) -> Reply {
    let spoken = if aloud { say(scene, &text, language).await } else { Ok(None) };
    let (note, reason) = spoken.map_or_else(
        |error| (None, Some(log_failure("the reply goes out as text", &error))),
        |note| (note, None),
    );
    Reply { said: Personal(text).into(), note, reason, ..Reply::default() }
}
