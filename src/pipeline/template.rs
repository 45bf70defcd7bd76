//! What a turn does where its answer is not delivered as it is: the 24 hours are over, or WhatsApp could
//! not use the note.

use super::error::TurnError;
use super::next::Step;
use super::reply::say;
use super::turn::{Failed, Turn, during};
use crate::speech_text::long_links;
use crate::store::Draft;
use crate::turn::{Content, DeliveryStatus, Outcome, Part, Personal, Reason, Role};

/// Meta's code for media that it could not use, which it says after it took the message.
const MEDIA_REFUSED: i64 = 131_053;

/// Returns whether WhatsApp took the note of a draft and could not use it.
pub(super) fn is_unusable(draft: &Draft) -> bool {
    let code = Some(MEDIA_REFUSED);
    matches!(&draft.report.reason, Some(Reason::Undelivered { code: said, .. }) if *said == code)
}

impl Turn<'_> {
    /// Sends the number's template: all that is delivered to who has not written for 24 hours.
    pub(super) async fn send_template(&self, draft: Option<Draft>) -> Result<Draft, Failed> {
        let Some(template) = &self.route.template else {
            return Ok(self.ended("", Outcome::Failed, Reason::WindowShut));
        };
        let mut draft = draft.unwrap_or_else(|| self.ended("", Outcome::Text, Reason::WindowShut));
        draft.report.audio = None;
        (draft.report.outcome, draft.report.reason) = (Outcome::Text, Some(Reason::WindowShut));
        let words = draft.report.words();
        let content = Content::Template {
            name: template.name.clone(),
            language: template.language.clone(),
            words: (template.words && !words.is_empty()).then_some(Personal(words)),
        };
        self.delivery.draft(&draft).await.map_err(during(Step::Fallback))?;
        let sent = self.delivery.plan_and_send(vec![(Role::Answer, content)]).await;
        sent.map_err(during(Step::Fallback))?;
        Ok(self.sent(draft, None))
    }

    /// Closes the record of a turn after which nothing more is sent.
    pub(super) fn given_up(&self, error: &TurnError) -> Draft {
        let shut = error.is_window_shut().then_some(Reason::WindowShut);
        self.ended("", Outcome::Failed, shut.unwrap_or_else(|| error.reason()))
    }

    /// Speaks and encodes a reply once more, whose note WhatsApp could not use; as text if that fails.
    pub(super) async fn say_again(&self, draft: Draft) -> Result<Draft, Failed> {
        let language = draft.language.clone().unwrap_or_else(|| self.language());
        let said = say(self.scene, &draft.report.words(), &language).await;
        let (note, info) = match said {
            Ok(Some(spoken)) => spoken,
            Ok(None) => return self.send_lost(draft).await,
            Err(error) => {
                tracing::warn!(error = %error, "a note that WhatsApp refused cannot be spoken again");
                return self.send_lost(draft).await;
            }
        };
        let mut draft = draft;
        (draft.report.audio, draft.report.outcome) = (Some(info), Outcome::VoiceNote);
        let links = long_links(draft.report.reply.text.reveal()).join("\n");
        match self.delivery.voice(note, &links, &draft).await {
            // A second note is believed only if WhatsApp says that it took it: one was refused already.
            Ok(refused) if self.arrives().await? => {
                Ok(self.resumed(Some(draft), Outcome::VoiceNote, refused))
            }
            Ok(_) => self.send_lost(draft).await,
            Err(error) => Err(Failed { error, step: Step::Note, draft: Some(draft) }),
        }
    }

    /// Returns whether a status says in time that the turn's last note is on its way.
    async fn arrives(&self) -> Result<bool, Failed> {
        let (record, now_ms) = (&self.pipeline.record, self.pipeline.clock.now_ms());
        let begun = record.begin(self.lease, self.route.used(), 0.0, now_ms).await;
        let begun = begun.map_err(TurnError::from).map_err(during(Step::Text))?;
        let is_note = |part: &&Part| matches!(part.content, Content::Voice(_));
        let Some(note) = begun.parts.iter().rfind(is_note) else { return Ok(false) };
        let status = self.delivery.until_sent(note.index).await.map_err(during(Step::Text))?;
        Ok(status.is_some_and(|status| status != DeliveryStatus::Failed))
    }
}
