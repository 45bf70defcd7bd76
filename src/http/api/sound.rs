//! `/api/v1/turns/{id}/audio/{side}`: the sound of a turn, whole or a range of it.
//!
//! One range at a time, as RFC 9110 has it. Invariant: who may not see a turn does not hear it, and
//! nothing is read of a file before somebody takes it.

use std::ops::Range;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE,
    RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::BoxStream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::problem::ApiRefusal;
use super::request::Anyone;
use crate::turn::SoundSide;

/// Describes the sound of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioFile {
    /// Its name where it lies.
    pub key: String,
    /// Its media type, of a few that are known.
    pub kind: String,
    /// Its length.
    pub bytes: u64,
    /// What tells it from every other, without quotes.
    pub tag: String,
}

/// Brings the bytes of a file.
pub type AudioBytes = BoxStream<'static, std::io::Result<Bytes>>;

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(audio))
}

/// Hear a turn
///
/// What the person sent (`in`), or the voice note that was sent back (`out`), as long as it is kept. A
/// `Range` of one part is answered with 206.
#[utoipa::path(get, path = "/api/v1/turns/{id}/audio/{side}", tag = "turns",
    params(("id" = String, Path, description = "The turn's id"),
        ("side" = String, Path, description = "`in` or `out`"),
        ("Range" = Option<String>, Header, description = "Such as `bytes=0-1023`")),
    responses((status = 200, description = "The file", content_type = "audio/ogg", body = Vec<u8>),
        (status = 206, description = "The range", content_type = "audio/ogg", body = Vec<u8>),
        (status = 304, description = "It is as `If-None-Match` has it")))]
async fn audio(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    way: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiRefusal> {
    let Path((id, side)) = way?;
    let unknown = || ApiRefusal::NotFound("such path: audio is `in` or `out`".to_owned());
    let side = SoundSide::named(&side).ok_or_else(unknown)?;
    let file = state.record.audio(&id, side).await?;
    let tag = format!("\"{}\"", file.tag);
    let named = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let fixed = [(ETAG, tag.clone()), (ACCEPT_RANGES, "bytes".to_owned())];
    if named(IF_NONE_MATCH).is_some_and(|tags| names(tags, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    // Of another file than the one that it was begun with, the whole is sent.
    let same = named(IF_RANGE).is_none_or(|begun| begun == tag);
    let wanted = match named(RANGE).filter(|_| same) {
        Some(range) => WantedRange::read(range, file.bytes),
        None => WantedRange::All,
    };
    let (status, range) = match wanted {
        WantedRange::All => (StatusCode::OK, 0..file.bytes),
        WantedRange::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        WantedRange::Beyond => return Err(ApiRefusal::Range { bytes: file.bytes }),
    };
    let bytes = state.record.audio_bytes(&file, range.clone()).await?;
    let length = (range.end - range.start).to_string();
    let about = [
        (CONTENT_TYPE, file.kind.clone()),
        (CONTENT_LENGTH, length),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let part = (status == StatusCode::PARTIAL_CONTENT).then(|| {
        [(CONTENT_RANGE, format!("bytes {}-{}/{}", range.start, range.end - 1, file.bytes))]
    });
    let response = (status, fixed, about, Body::from_stream(bytes)).into_response();
    Ok(match part {
        Some(part) => (part, response).into_response(),
        None => response,
    })
}

/// Returns whether a list of tags has this one.
fn names(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// Says what of a file is wanted.
#[derive(Debug, PartialEq, Eq)]
enum WantedRange {
    /// All of it: no range, several, or one that is none.
    All,
    Part(Range<u64>),
    /// What the file does not have.
    Beyond,
}

impl WantedRange {
    /// Reads the value of `Range` for a file of so many bytes. Source: RFC 9110, section 14.
    fn read(value: &str, bytes: u64) -> Self {
        let Some((unit, set)) = value.split_once('=') else { return Self::All };
        let Some((first, last)) = set.trim().split_once('-') else { return Self::All };
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return Self::All;
        }
        // Digits alone: a sign, a comma or anything else is no range that is understood. A number that
        // is too large is more than there is.
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().unwrap_or(u64::MAX))
        };
        match (first.trim(), last.trim()) {
            ("", last) => match number(last) {
                None => Self::All,
                Some(0) => Self::Beyond,
                Some(_) if bytes == 0 => Self::Beyond,
                Some(last) => Self::Part(bytes.saturating_sub(last)..bytes),
            },
            (first, last) => match (number(first), number(last)) {
                (Some(first), Some(last)) if first > last => Self::All,
                (Some(first), _)
                    if first >= bytes && (last.is_empty() || number(last).is_some()) =>
                {
                    Self::Beyond
                }
                (Some(first), Some(last)) => Self::Part(first..last.saturating_add(1).min(bytes)),
                (Some(first), None) if last.is_empty() => Self::Part(first..bytes),
                _ => Self::All,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_has_them() {
        use WantedRange::{All, Beyond, Part};
        for (value, expected) in [
            ("bytes=0-0", Part(0..1)),
            ("bytes=2-4", Part(2..5)),
            ("Bytes = 2-", Part(2..10)),
            ("bytes=8-99999999999999999999999", Part(8..10)),
            ("bytes=-3", Part(7..10)),
            ("bytes=-99", Part(0..10)),
            ("bytes=-0", Beyond),
            ("bytes=10-", Beyond),
            ("bytes=10-12", Beyond),
            ("bytes=99999999999999999999999-", Beyond),
            ("bytes=4-2", All),
            ("bytes=0-1,4-5", All),
            ("bytes=-", All),
            ("bytes=+1-2", All),
            ("bytes=a-2", All),
            ("bytes=12-a", All),
            ("lines=1-2", All),
            ("bytes", All),
            ("", All),
        ] {
            assert_eq!(WantedRange::read(value, 10), expected, "{value}");
        }
        assert_eq!(WantedRange::read("bytes=-5", 0), Beyond);
    }
}
