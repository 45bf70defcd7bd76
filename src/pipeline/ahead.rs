//! Asks for a voice note while the turn's record is opened: the store's disk and the provider's network
//! are waited for at the same time.

use std::pin::Pin;
use std::sync::Mutex;

use futures_util::future::{BoxFuture, FutureExt as _, MaybeDone, maybe_done};
use futures_util::stream::StreamExt as _;

use super::Route;
use super::error::TurnError;
use super::listen::Audio;
use super::stage::{Trace, stage, stage_stream};
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

type AskedAudio<'a> = BoxFuture<'a, Result<Audio<'a>, TurnError>>;

/// The sound of a turn's first message, which is asked for before it is needed.
#[derive(Default)]
pub(super) struct AheadOfTurn<'a>(Mutex<Option<Pin<Box<MaybeDone<AskedAudio<'a>>>>>>);

impl<'a> AheadOfTurn<'a> {
    /// Does `other` and begins to download meanwhile, if nobody has tried to answer these messages: else
    /// they may need no sound.
    pub(super) async fn while_doing<T>(
        route: &'a Route,
        trace: &'a Trace,
        lease: &'a Lease,
        other: impl Future<Output = T>,
    ) -> (Self, T) {
        let media = match &lease.first().body {
            Body::Audio { media } if lease.attempt == 1 => media,
            _ => return (Self::default(), other.await),
        };
        let mut ahead = Box::pin(maybe_done(download(route, trace, media).boxed()));
        let mut other = std::pin::pin!(other);
        let done = tokio::select! {
            biased;
            done = &mut other => done,
            () = &mut ahead => other.await,
        };
        (Self(Mutex::new(Some(ahead))), done)
    }

    /// Returns what was asked for, once.
    pub(super) async fn take(&self) -> Option<Result<Audio<'a>, TurnError>> {
        let mut ahead = self.0.lock().expect("no holder panics").take()?;
        ahead.as_mut().await;
        ahead.as_mut().take_output()
    }
}
