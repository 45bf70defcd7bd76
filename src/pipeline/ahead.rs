//! Asks for a voice note and decodes it while the turn's record is opened: the store's disk, the provider's
//! network and the processor are waited for at the same time.
//!
//! Invariant: nobody hears a word of it before the record is open, so that a turn which cannot be recorded
//! leaves nothing and costs nothing.

use std::pin::Pin;
use std::sync::Mutex;

use futures_util::future::{BoxFuture, FutureExt as _, MaybeDone, maybe_done};
use futures_util::stream::StreamExt as _;
use tokio::sync::SetOnce;

use super::error::TurnError;
use super::hear::{Heard, hear};
use super::kept::TurnSounds;
use super::listen::Audio;
use super::stage::{Trace, stage, stage_stream};
use super::{Route, Scene};
use crate::store::Lease;
use crate::turn::{Body, MediaRef, Stage};

/// Begins to download a media file.
pub(super) async fn download<'a>(
    route: &'a Route,
    trace: &'a Trace,
    media: &'a MediaRef,
) -> Result<Audio<'a>, TurnError> {
    let bytes = stage(trace, Stage::Download, route.messenger.download(media)).await?;
    Ok(stage_stream(trace, Stage::Download, bytes).boxed())
}

type HearingNote<'a> = BoxFuture<'a, Result<Heard, TurnError>>;

/// Downloads a voice note, and hears it.
pub(super) fn hear_note<'a>(
    scene: Scene<'a>,
    route: &'a Route,
    lease: &'a Lease,
    media: &'a MediaRef,
    sounds: &'a TurnSounds,
) -> HearingNote<'a> {
    async move {
        let audio = sounds.collect(media, download(route, scene.trace, media).await?);
        hear(scene, audio, lease.contact_language.as_ref()).await
    }
    .boxed()
}

/// What is said in a turn's first message, which is listened to before it is needed.
#[derive(Default)]
pub(super) struct AheadOfTurn<'a>(Mutex<Option<Pin<Box<MaybeDone<HearingNote<'a>>>>>>);

impl<'a> AheadOfTurn<'a> {
    /// Does `other`, which opens the turn's record, and begins to listen meanwhile, if nobody has tried to
    /// answer these messages: else they may need no sound. Words are waited for until `scene.recorded` is
    /// set, which is left to the caller.
    pub(super) async fn while_doing<T>(
        scene: Scene<'a>,
        route: &'a Route,
        lease: &'a Lease,
        sounds: &'a TurnSounds,
        other: impl Future<Output = T>,
    ) -> (Self, T) {
        let media = match &lease.first().body {
            Body::Audio { media } if lease.attempt == 1 => media,
            _ => return (Self::default(), other.await),
        };
        let mut ahead = Box::pin(maybe_done(hear_note(scene, route, lease, media, sounds)));
        let mut other = std::pin::pin!(other);
        let done = tokio::select! {
            biased;
            done = &mut other => done,
            () = &mut ahead => other.await,
        };
        (Self(Mutex::new(Some(ahead))), done)
    }

    /// Returns what was heard, once; `None` if nobody has begun to listen.
    pub(super) async fn take(&self) -> Option<Result<Heard, TurnError>> {
        let mut ahead = self.0.lock().expect("no holder panics").take()?;
        ahead.as_mut().await;
        ahead.as_mut().take_output()
    }
}

/// Tells when the turn's record is open.
pub(super) type Recorded = SetOnce<()>;
