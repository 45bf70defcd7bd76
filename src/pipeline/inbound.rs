//! What the messages of a turn say: their words, and what they refer to.

use futures_util::TryStreamExt as _;

use super::ahead::{download, hear_note};
use super::error::{Cause, TurnError};
use super::hear::Heard;
use super::problem::Problem;
use super::turn::Turn;
use crate::agent::{Picture, Retrieval};
use crate::provider::ProviderError;
use crate::store::{History, LeasedMessage};
use crate::turn::{About, Attachment, Body, Deed, MediaRef, Stage};

/// Largest picture that is shown to an agent, in bytes: WhatsApp's own limit.
const PICTURE_BYTES: u64 = 5 << 20;

impl Turn<'_> {
    /// Tells what the person did to earlier messages before what `about` says. Words that were changed
    /// meanwhile take the place of `heard`: they are what the person wants to have said.
    pub(super) async fn tell_deeds(
        &self,
        history: &mut History,
        heard: &mut Heard,
        about: &mut Vec<About>,
    ) -> Result<(), TurnError> {
        let mut before = Vec::new();
        for mut deed in std::mem::take(&mut history.deeds) {
            let own = deed.reply_to.as_ref() == Some(&self.lease.first().id);
            match &deed.did {
                Some(Deed::Edited(words)) if own && heard.transcript.is_none() => {
                    heard.text = words.clone();
                }
                _ => {
                    self.look_up(&mut deed).await?;
                    before.push(deed);
                }
            }
        }
        about.splice(..0, before);
        Ok(())
    }

    /// Looks up what one message refers to.
    pub(super) async fn about(&self, message: &LeasedMessage) -> Result<About, TurnError> {
        let mut about = message.about.clone();
        self.look_up(&mut about).await?;
        Ok(about)
    }

    /// Looks up the words of the message that is quoted.
    async fn look_up(&self, about: &mut About) -> Result<(), TurnError> {
        if let Some(id) = &about.reply_to {
            about.quoted = self.pipeline.record.quoted(&self.lease.lane, id).await?;
        }
        Ok(())
    }

    /// Gets the words of one message: those it carries, and those under a sound file.
    pub(super) async fn hear(&self, message: &LeasedMessage) -> Result<Heard, TurnError> {
        let carried = self.hear_body(message).await;
        match &message.about.caption {
            None => carried,
            Some(caption) => {
                let last = self.lease.contact_language.as_ref();
                let caption = Heard::written(&self.route.agent, caption.clone(), last);
                Heard::join(vec![Ok(caption), carried])
            }
        }
    }

    /// Gets the words that one message carries, whatever it is.
    async fn hear_body(&self, message: &LeasedMessage) -> Result<Heard, TurnError> {
        let (agent, last) = (&self.route.agent, self.lease.contact_language.as_ref());
        match &message.body {
            Body::Text { text } => Ok(Heard::written(agent, text.clone(), last)),
            Body::Audio { media } => {
                if message.id == self.lease.first().id
                    && let Some(heard) = self.ahead.take().await
                {
                    return heard;
                }
                let Self { scene, route, lease, sounds, .. } = self;
                hear_note(*scene, route, lease, media, sounds).await
            }
            Body::Lost => Err(Cause::Unheard(Problem::MediaGone).at(Stage::Download)),
            Body::Unsupported if let Some(file) = self.told_of(message) => {
                Ok(Heard::written(agent, file.sign(), last))
            }
            Body::Unsupported | Body::Silent | Body::Reply { .. } | Body::FollowUp { .. } => {
                let problem = Problem::Type(message.raw_type.clone());
                Err(Cause::Unheard(problem).at(Stage::Download))
            }
        }
    }

    /// Fetches the pictures that came, if the agent sees. One that cannot be fetched is told as a file
    /// that cannot be opened.
    pub(super) async fn see(&self, about: &mut [About]) -> Vec<Picture> {
        let mut pictures = Vec::new();
        if !self.route.agent.responder.sees() {
            return pictures;
        }
        for file in about.iter_mut().filter_map(|about| about.under.as_mut()) {
            let Some(media) = file.media.as_ref().filter(|_| file.kind == "image") else {
                continue;
            };
            match self.picture(media).await {
                Ok(picture) => {
                    pictures.push(picture);
                    file.seen = true;
                }
                Err(error) => {
                    tracing::warn!(error = %error, "a picture is not shown to the agent");
                }
            }
        }
        pictures
    }

    async fn picture(&self, media: &MediaRef) -> Result<Picture, TurnError> {
        let limit = PICTURE_BYTES;
        let mut bytes = Vec::new();
        let mut pieces = download(self.route, self.scene.trace, media).await?;
        while let Some(piece) = pieces.try_next().await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > limit {
                return Err(Cause::Provider(ProviderError::TooLarge { limit }).at(Stage::Download));
            }
        }
        // What the file says of itself counts: servers refuse a type that is not the file's.
        let mime_type = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [0xff, 0xd8, ..] => "image/jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            _ => {
                let what = Problem::Format("a picture of an unknown format".to_owned());
                return Err(Cause::Unheard(what).at(Stage::Download));
            }
        };
        Ok(Picture { mime_type: mime_type.to_owned(), bytes: bytes.into() })
    }

    /// Returns the file that a message is, if the agent is a model, which can say something about it.
    fn told_of<'a>(&self, message: &'a LeasedMessage) -> Option<&'a Attachment> {
        let model = self.route.agent.responder.wants() == Retrieval::Background;
        message.about.under.as_ref().filter(|_| model)
    }
}
