//! What a turn does before it sends: it hears, asks the agent, and begins anew if its person sends more.

use futures_util::future::try_join_all;

use super::answer::{Around, answer};
use super::deliver::Delivery;
use super::error::{Cause, TurnError};
use super::gather::Gathered;
use super::hear::Heard;
use super::next::Step;
use super::opening::Opening;
use super::reply::Reply;
use super::turn::{Failed, Turn, during};
use super::{AgentSetup, Scene};
use crate::store::{Draft, History, HistoryLimits};
use crate::turn::{Customer, Stage};

/// Exchanges of the past that are looked up for an agent that counts no tokens.
const HISTORY: usize = 20;
/// Most exchanges for one that does.
const MOST_HISTORY: usize = 500;
/// Most bytes of a token, by the estimate of `agent::prompt`: what is beyond them is not read there.
const TOKEN_BYTES: usize = 3;

impl Turn<'_> {
    /// Hears the messages, asks the agent and speaks within the turn's time, then sends; anew if the
    /// person sends more before that and the agent gives way.
    pub(super) async fn answer(&self) -> Result<Draft, Failed> {
        let mut gathered = Gathered::default();
        loop {
            let answered = self.answer_all(&mut gathered).await;
            match &answered {
                Err(failed) if gathered.begins_anew(&failed.error) => {
                    tracing::info!("the person has sent more: the answer is begun anew");
                }
                _ => return answered,
            }
        }
    }

    /// Answers what is gathered, and what still comes.
    async fn answer_all(&self, gathered: &mut Gathered) -> Result<Draft, Failed> {
        let make_reply = async {
            let now_ms = self.pipeline.clock.now_ms();
            let history = self.pipeline.record.history(&self.lease.lane, self.remembers(), now_ms);
            let writer =
                self.pipeline.customers.find(self.lease.lane.contact_id, &self.lease.contact);
            let (came, history, customer) = tokio::join!(self.gather(gathered), history, writer);
            came?;
            let heard = gathered.join()?;
            let (gathered, known): (&Gathered, _) = (gathered, (history?, customer));
            tokio::select! {
                reply = self.reply_to(heard, gathered, known) => reply,
                more = self.interrupted(gathered) => Err(more),
            }
        };
        // Sending is not part of that time: a send that was cut off may have arrived.
        let made = tokio::time::timeout(self.route.turn_limit, Box::pin(make_reply)).await;
        let made = made.unwrap_or_else(|_late| {
            Err(Cause::Deadline.at(self.scene.trace.waits_for().unwrap_or(Stage::Llm)))
        });
        let (heard, reply, opening) = made.map_err(during(Step::Answering))?;
        if let Some(mode) = reply.wish {
            // Kept before the reply goes out: it promises to remember.
            let kept = self.pipeline.record.set_reply_mode(&self.lease.turn, mode).await;
            kept.map_err(TurnError::from).map_err(during(Step::Answering))?;
        }
        if let Some(language) = &reply.asked_language {
            let kept = self.pipeline.record.set_asked_language(&self.lease.turn, language).await;
            kept.map_err(TurnError::from).map_err(during(Step::Answering))?;
        }
        let delivery = Delivery { unless_more: self.gives_way(gathered), ..self.delivery };
        self.send(delivery, heard, reply, opening).await
    }

    /// Asks the agent, and makes its reply.
    async fn reply_to(
        &self,
        mut heard: Heard,
        gathered: &Gathered,
        (mut history, customer): (History, Option<Customer>),
    ) -> Result<(Heard, Reply, Option<Opening>), TurnError> {
        let about = gathered.messages.iter().map(|message| self.about(message));
        let mut about = try_join_all(about).await?;
        self.tell_deeds(&mut history, &mut heard, &mut about).await?;
        let pictures = self.see(&mut about).await;
        let around = Around {
            history,
            about,
            pictures,
            reply_mode: self.lease.reply_mode,
            contact_name: self.lease.contact.profile_name.clone(),
            customer,
            asked_ms: self.lease.first().received_ms,
            desk: self.scene.desk,
            attempt: self.lease.attempt,
            credit: self.credit,
        };
        // What they speak and what they want to hear may differ: the record keeps the former.
        let spoken = heard.language.clone();
        let heard = Heard { language: self.asked_language().unwrap_or(heard.language), ..heard };
        let opening = self.opening(&heard.language);
        let scene = Scene { opening: opening.as_ref(), ..self.scene };
        let reply = answer(scene, &heard, &around).await?;
        let heard = Heard { language: spoken, ..heard };
        match self.cancel.reason() {
            // What a cancelled engine left is not an answer.
            Some(reason) => Err(Cause::Cancelled(reason).at(Stage::Llm)),
            None => Ok((heard, reply, opening)),
        }
    }

    /// Returns how much of the conversation the agent can be shown.
    fn remembers(&self) -> HistoryLimits {
        let AgentSetup { responder, memory, .. } = &*self.route.agent;
        let limits = match responder.history_tokens() {
            Some(tokens) => HistoryLimits {
                bytes: (tokens as usize).saturating_mul(TOKEN_BYTES),
                ..MOST_HISTORY.into()
            },
            None => HISTORY.into(),
        };
        HistoryLimits { session_ms: memory.session_ms(), ..limits }
    }
}
