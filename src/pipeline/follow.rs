//! What an agent gives beside its words, on its way to the person.
//!
//! Buttons, files, places and the like follow the answer, each as a message of its own; a short
//! written answer stands above its first buttons. Invariant: they are planned together, once the
//! answer is out, so that no retry or restart sends one twice or forgets one.

use std::path::PathBuf;
use std::time::Duration;

use super::deliver::Delivery;
use super::error::{Cause, TurnError};
use super::next::Step;
use super::stage::stage;
use super::turn::{Failed, Turn, during};
use crate::provider::{OutgoingFile, mime_type_of};
use crate::speech_text::sentences_of;
use crate::store::{Draft, StoreError};
use crate::turn::{
    Content, Extra, MediaKind, MediaSource, Part, PartState, Personal, Reason, Retry, Role, Stage,
};

/// Longest words in characters that stand above buttons: WhatsApp's limit of a message with buttons.
const WORDS_ABOVE: usize = 1024;
/// Between two tries to upload a file.
const UPLOAD_AGAIN: Duration = Duration::from_secs(1);
/// Largest file that is uploaded, in bytes: WhatsApp's limit of a document.
const FILE_BYTES: u64 = 100 << 20;

/// Returns what goes with a written answer instead of a plain text: its first buttons, or all it has
/// if it has no words.
fn lead<'a>(extras: &'a [Extra], words: &str) -> Option<&'a Extra> {
    if words.trim().is_empty() {
        return extras.first();
    }
    let fits = words.chars().count() <= WORDS_ABOVE;
    extras.iter().find(|extra| fits && extra.has_words())
}

/// Returns what is still to be sent once `parts` are planned.
fn rest<'a>(extras: &'a [Extra], parts: &[Part]) -> Vec<&'a Extra> {
    let led = parts.iter().find_map(|part| match &part.content {
        Content::Text(_) | Content::Voice(_) => None,
        content => (part.role == Role::Answer).then(|| content.kind()),
    });
    let led = led.and_then(|kind| extras.iter().position(|extra| extra.kind() == kind));
    let rest = extras.iter().enumerate().filter(|(place, _)| Some(*place) != led);
    rest.map(|(_, extra)| extra).collect()
}

/// Returns the question that buttons answer: the last sentence, if it is one.
fn question_of(words: &str) -> String {
    sentences_of(words).pop().filter(|last| last.trim_end().ends_with('?')).unwrap_or_default()
}

impl Turn<'_> {
    /// Sends what the agent gave beside its words, which are out. Returns why something of it was
    /// refused, if it was.
    pub(super) async fn follow(&self, draft: &Draft) -> Result<Option<Reason>, Failed> {
        if draft.report.reply.extras.is_empty() {
            return Ok(None);
        }
        let (record, now_ms) = (&self.pipeline.record, self.pipeline.clock.now_ms());
        let begun = record.begin(self.lease, self.route.used(), 0.0, now_ms).await;
        let begun = begun.map_err(TurnError::from).map_err(during(Step::Text))?;
        match self.delivery.follow(draft, begun.parts).await {
            // The answer is out, and a person goes on from there.
            Err(TurnError { cause: Cause::Store(StoreError::TakenOver), .. }) => {
                Ok(Some(Reason::TakenOver))
            }
            followed => followed.map_err(during(Step::Text)),
        }
    }
}

impl Delivery<'_> {
    /// Sends a written answer: its words, above its first buttons if it has some.
    pub(super) async fn written(&self, draft: &Draft) -> Result<(), TurnError> {
        let words = draft.report.words();
        let Some(extra) = lead(&draft.report.reply.extras, &words) else {
            return self.text(Role::Answer, &words).await;
        };
        let content = self.content(extra, &words).await.map_err(|problem| {
            // A file that was all there was to say: nothing is left of the answer.
            tracing::warn!(problem, "what an agent gave is left out");
            Cause::EmptyAnswer.at(Stage::Upload)
        })?;
        self.plan_and_send(vec![(Role::Answer, content)]).await.map(|_never_refused| ())
    }

    /// Sends what follows the answer and is not sent yet; `parts` are those of the turn. Returns why
    /// something was not taken, if it was not: the answer counts all the same.
    pub(super) async fn follow(
        &self,
        draft: &Draft,
        parts: Vec<Part>,
    ) -> Result<Option<Reason>, TurnError> {
        let reply = &draft.report.reply;
        let planned = parts.iter().any(|part| part.role == Role::Extra);
        let last = parts.iter().rfind(|part| part.role != Role::Extra).map(|part| part.index);
        if planned {
            let waits = |part: &Part| {
                part.role == Role::Extra
                    && matches!(part.state, PartState::Planned | PartState::InDoubt { .. })
            };
            return self.send_in_order(parts.into_iter().filter(waits).collect()).await;
        }
        let question = question_of(reply.text.reveal());
        let (mut contents, mut left_out) = (Vec::new(), None);
        for extra in rest(&reply.extras, &parts) {
            match self.content(extra, &question).await {
                Ok(content) => contents.push((Role::Extra, content)),
                Err(problem) => {
                    tracing::warn!(problem, "what an agent gave is left out");
                    left_out = Some(Reason::ExtrasFailed(problem));
                }
            }
        }
        if let Some(last) = last.filter(|_| !contents.is_empty()) {
            self.until_sent(last).await?;
        }
        let refused = self.plan_and_send(contents).await?;
        Ok(refused.or(left_out))
    }

    /// Makes the message that shows `extra` below `words`; one of the agent's files is uploaded.
    async fn content(&self, extra: &Extra, words: &str) -> Result<Content, String> {
        if let Extra::Media { url, caption, .. } = extra
            && let Some(path) = self.file(url)
        {
            let (kind, source) = self.upload(&path).await?;
            return Ok(match kind.shows(source, caption.clone()) {
                Content::Document { source, caption, .. } => {
                    Content::Document { source, caption, file_name: Some(url.clone()) }
                }
                content => content,
            });
        }
        Ok(extra.shown(words, &self.lease.first().id))
    }

    /// Returns where the agent's file of this name is; `None` if it has none, as of web addresses.
    fn file(&self, name: &Personal) -> Option<PathBuf> {
        let is_it = |path: &&PathBuf| path.file_name().is_some_and(|own| own == name.reveal());
        self.files.iter().find(is_it).cloned()
    }

    async fn upload(&self, path: &PathBuf) -> Result<(MediaKind, MediaSource), String> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| format!("{shown}: {error}");
        let about = tokio::fs::metadata(path).await.map_err(unreadable)?;
        if about.len() > FILE_BYTES {
            return Err(format!("{shown} is larger than 100 MB, which WhatsApp does not take"));
        }
        let mime_type = mime_type_of(path)
            .ok_or_else(|| format!("{shown}: WhatsApp takes no file of this type"))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = tokio::fs::read(path).await.map_err(unreadable)?.into();
        let file = OutgoingFile { name, mime_type, bytes };
        let upload = || stage(self.trace, Stage::Upload, self.messenger.upload_file(file.clone()));
        let mut uploaded = upload().await;
        if uploaded.as_ref().is_err_and(|error: &TurnError| error.retry() != Retry::Never) {
            tokio::time::sleep(UPLOAD_AGAIN).await;
            uploaded = upload().await;
        }
        let id = uploaded.map_err(|error| format!("{shown}: {error}"))?;
        Ok((MediaKind::of_type(mime_type), MediaSource::Id(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Choice;

    fn extras() -> Vec<Extra> {
        let tea = Choice { id: "t".into(), title: "Tea".into(), description: None };
        let place = Extra::Location { latitude: 1.0, longitude: 2.0, name: None, address: None };
        vec![place, Extra::Buttons(vec![tea]), Extra::Reaction("👍".into())]
    }

    fn part(role: Role, content: Content) -> Part {
        Part { index: 0, role, content, state: PartState::Sent("wamid".into()), due_ms: 0 }
    }

    #[test]
    fn a_short_written_answer_stands_above_its_buttons() {
        let extras = extras();
        assert_eq!(lead(&extras, "Which?"), Some(&extras[1]));
        assert_eq!(lead(&extras, &"a".repeat(1025)), None);
        assert_eq!(lead(&extras, " "), Some(&extras[0]));
        assert_eq!(lead(&extras[..1], "Here."), None);
    }

    #[test]
    fn what_went_with_the_answer_does_not_follow_it() {
        let extras = extras();
        let all: Vec<_> = extras.iter().collect();
        assert_eq!(rest(&extras, &[part(Role::Answer, Content::Text("a".into()))]), all);
        let led = extras[1].shown("Which?", &"m".into());
        assert_eq!(rest(&extras, &[part(Role::Answer, led)]), [&extras[0], &extras[2]]);
    }

    #[test]
    fn buttons_stand_below_the_question() {
        assert_eq!(question_of("We have both. Tea or coffee?"), "Tea or coffee?");
        assert_eq!(question_of("Here is the menu."), "");
    }
}
