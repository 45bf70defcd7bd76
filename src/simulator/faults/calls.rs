//! Faults of hark's calls: errors and hang-ups, and files that come slowly, cut or damaged.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;

use super::FaultKind as Kind;
use crate::simulator::Inner;
use crate::simulator::rules::GraphError;
use crate::simulator::state::StoredMedia;

/// Pieces of a file that comes slowly.
const PIECES: u32 = 10;

/// Answers nothing: the connection is closed before a byte of the answer is written.
pub(in crate::simulator) fn hang_up() -> Response {
    let gone = stream::iter([Err::<Bytes, _>(std::io::Error::other("the simulator hangs up"))]);
    Body::from_stream(gone).into_response()
}

/// Answers as a gateway does that does not know what became of the call.
fn bad_gateway() -> Response {
    (StatusCode::BAD_GATEWAY, "<html><body><h1>502 Bad Gateway</h1></body></html>").into_response()
}

impl Inner {
    /// Lets a look-up, an upload or a read mark fail.
    ///
    /// # Errors
    /// The answer instead.
    pub(in crate::simulator) fn disturb_call(&self, about: &str) -> Result<(), GraphError> {
        let Some(dice) = &self.faults else { return Ok(()) };
        if dice.hits(Kind::CallHangUp, about) {
            return Err(GraphError::hang_up());
        }
        if dice.hits(Kind::CallError, about) {
            return Err(GraphError::injected(503, 131_016));
        }
        Ok(())
    }

    /// Names what a message of hark is: which part of the answer to which message.
    pub(in crate::simulator) fn name_of_send(&self, body: &Value) -> String {
        let Some(dice) = &self.faults else { return String::new() };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let answered = dice.name_of(&text(&body["context"]["message_id"]));
        // Without a message that it answers: what goes to a person, by its kind.
        let who = if body["to"].is_string() { &body["to"] } else { &body["recipient"] };
        let about = answered.unwrap_or_else(|| format!("{}/{}", text(who), text(&body["type"])));
        let data = text(&body["biz_opaque_callback_data"]);
        let part = data.rsplit(':').next().unwrap_or_default();
        format!("{about}/{part}")
    }

    /// Lets a message fail before it is taken.
    ///
    /// # Errors
    /// The answer instead.
    pub(in crate::simulator) fn disturb_send(&self, about: &str) -> Result<(), GraphError> {
        let Some(dice) = &self.faults else { return Ok(()) };
        if dice.hits(Kind::HangUpBefore, about) {
            return Err(GraphError::hang_up());
        }
        let refusals = [
            (Kind::ErrorBefore, 503, 131_016),
            (Kind::RateLimit, 429, 130_429),
            (Kind::PairLimit, 400, 131_056),
            (Kind::TokenRefused, 401, 190),
        ];
        let hit = refusals.into_iter().find(|(kind, ..)| dice.hits(*kind, about));
        hit.map_or(Ok(()), |(_, status, code)| Err(GraphError::injected(status, code)))
    }

    /// Says whether a voice note that is taken fails afterwards.
    pub(in crate::simulator) fn refuses_note(&self, about: &str) -> bool {
        self.faults.as_ref().is_some_and(|dice| dice.hits(Kind::MediaRefused, about))
    }

    /// Chooses what the caller hears of a message that was taken: nothing, a 502, or the truth
    /// (`None`).
    pub(in crate::simulator) fn silence_of(&self, about: &str) -> Option<Response> {
        let dice = self.faults.as_ref()?;
        if dice.hits(Kind::HangUpAfter, about) {
            return Some(hang_up());
        }
        dice.hits(Kind::ErrorAfter, about).then(bad_gateway)
    }

    /// Waits before a message that was taken is answered, if it is to.
    pub(in crate::simulator) async fn delay_answer(&self, about: &str) {
        if let Some(dice) = &self.faults
            && dice.hits(Kind::SlowSend, about)
        {
            tokio::time::sleep(dice.plan.wait("sends", "slow_ms")).await;
        }
    }

    /// Answers with a file, as well as it is to come.
    ///
    /// # Errors
    /// An address that is to have expired.
    pub(in crate::simulator) fn hand_out(
        &self,
        media: StoredMedia,
    ) -> Result<Response, GraphError> {
        let StoredMedia { bytes, mime_type, about, .. } = media;
        let whole = |bytes: Bytes| ([(header::CONTENT_TYPE, mime_type.clone())], bytes);
        let Some(dice) = &self.faults else { return Ok(whole(bytes).into_response()) };
        if dice.hits(Kind::ExpiredMedia, &about) {
            return Err(GraphError::no_link());
        }
        let bytes = if dice.hits_always(Kind::BrokenMedia, &about) {
            damaged(&bytes, |place| dice.number(Kind::BrokenMedia, &about, place))
        } else {
            bytes
        };
        let mut pieces: Vec<std::io::Result<Bytes>> = Vec::new();
        let mut pause = std::time::Duration::ZERO;
        if dice.hits(Kind::CutMedia, &about) {
            pieces.push(Ok(bytes.slice(..bytes.len() / 2)));
            pieces.push(Err(std::io::Error::other("the simulator breaks off")));
        } else if dice.hits(Kind::SlowMedia, &about) {
            let size = bytes.len().div_ceil(PIECES as usize).max(1);
            pieces.extend(bytes.chunks(size).map(|piece| Ok(bytes.slice_ref(piece))));
            pause = dice.plan.wait("media", "slow_ms") / PIECES;
        } else {
            return Ok(whole(bytes).into_response());
        }
        let paced = stream::unfold(pieces.into_iter(), move |mut pieces| async move {
            let piece = pieces.next()?;
            tokio::time::sleep(pause).await;
            Some((piece, pieces))
        });
        let head =
            [(header::CONTENT_TYPE, mime_type), (header::CONTENT_LENGTH, bytes.len().to_string())];
        Ok((head, Body::from_stream(paced)).into_response())
    }
}

/// Writes over a third of a file, in its middle.
fn damaged(bytes: &Bytes, noise: impl Fn(u64) -> u64) -> Bytes {
    let mut damaged = bytes.to_vec();
    let third = bytes.len() / 3;
    for (place, byte) in (0..).zip(&mut damaged[third..2 * third]) {
        let [first, ..] = noise(1 + place).to_le_bytes();
        *byte = first;
    }
    damaged.into()
}
