//! What all webhooks together may hold in memory: their bodies, and the JSON that they become.
//!
//! Invariant: at most [`BODIES`] and [`PARSED`] of it, and [`FREE`] a connection, which makes 80 MiB
//! of 1,024 connections. A small body needs nothing that large ones could hold: it always has room.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;

/// Largest webhook body. Source: Meta, "payload up to 3 MB".
const MAX_WEBHOOK_BYTES: usize = 3 * 1024 * 1024;
/// Bytes of a body that every connection may hold. Meta's webhooks have 1 to 2 KiB.
const FREE: usize = 16 * 1024;
/// Bytes of all bodies beyond that.
const BODIES: usize = 24 * 1024 * 1024;
/// Steps in which the room for a body grows.
const STEP: usize = 64 * 1024;

/// Bytes of what is parsed and not yet stored.
const PARSED: usize = 40 * 1024 * 1024;
/// Bytes that a byte of JSON can become, e.g. in `[1,1,1]`.
const GROWTH: usize = 32;
/// What a body becomes at most: `provider/payload` leaves larger ones unread.
const MOST_PARSED: usize = 20 * 1024 * 1024;

/// Hands out room.
pub(super) struct BodyBudget {
    bodies: Arc<Semaphore>,
    parsed: Arc<Semaphore>,
}

/// Holds room until dropped.
pub(super) struct BodyRoom(Option<OwnedSemaphorePermit>);

impl BodyRoom {
    /// Adds `bytes` of `pool`.
    fn grow(&mut self, pool: &Arc<Semaphore>, bytes: usize) -> Result<(), Refusal> {
        let bytes = u32::try_from(bytes).expect("a body has 3 MiB");
        let more = Arc::clone(pool).try_acquire_many_owned(bytes).map_err(|_| Refusal::Full)?;
        match &mut self.0 {
            Some(room) => room.merge(more),
            None => self.0 = Some(more),
        }
        Ok(())
    }
}

impl BodyBudget {
    pub(super) fn new() -> Self {
        Self { bodies: Arc::new(Semaphore::new(BODIES)), parsed: Arc::new(Semaphore::new(PARSED)) }
    }

    /// Reads a body as far as there is room for it, which is taken as its bytes arrive; `told` is its
    /// length as its head has it.
    pub(super) async fn read(
        &self,
        told: Option<usize>,
        body: Body,
    ) -> Result<(Bytes, BodyRoom), Refusal> {
        let too_large = Refusal::Unread(StatusCode::PAYLOAD_TOO_LARGE);
        let told = told.unwrap_or(FREE);
        if told > MAX_WEBHOOK_BYTES {
            return Err(too_large);
        }
        let (mut room, mut bytes) = (BodyRoom(None), Vec::with_capacity(told.min(FREE)));
        let mut stream = body.into_data_stream();
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|_cut_off| Refusal::Unread(StatusCode::BAD_REQUEST))?;
            let length = bytes.len() + piece.len();
            if length > MAX_WEBHOOK_BYTES {
                return Err(too_large);
            }
            if length > bytes.capacity().max(FREE) {
                let capacity = length.next_multiple_of(STEP);
                let held = if room.0.is_some() { bytes.capacity() } else { 0 };
                room.grow(&self.bodies, capacity - held)?;
                bytes.reserve_exact(capacity - bytes.len());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok((Bytes::from(bytes), room))
    }

    /// Takes the room for what a body becomes, until all of it is stored.
    pub(super) fn parse(&self, body: &[u8]) -> Result<BodyRoom, Refusal> {
        let mut room = BodyRoom(None);
        room.grow(&self.parsed, (body.len() * GROWTH).min(MOST_PARSED))?;
        Ok(room)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{future, stream};

    use super::*;

    const MIB: usize = 1024 * 1024;

    /// A body that has sent `bytes` and goes on for ever.
    fn slow(bytes: usize) -> Body {
        let sent = stream::iter(vec![Bytes::from(vec![b' '; 16 * 1024]); bytes / (16 * 1024)]);
        let never = stream::once(future::pending());
        Body::from_stream(sent.chain(never).map(Ok::<_, std::io::Error>))
    }

    #[tokio::test]
    async fn slow_large_bodies_are_bounded_and_keep_no_small_one_out() {
        let budget = BodyBudget::new();
        let mut reading: Vec<_> =
            (0..20).map(|_| Box::pin(budget.read(None, slow(2 * MIB)))).collect();
        let mut refused = 0;
        for read in &mut reading {
            if let std::task::Poll::Ready(answer) = futures_util::poll!(read) {
                assert!(matches!(answer, Err(Refusal::Full)));
                refused += 1;
            }
        }
        assert_eq!(refused, 20 - BODIES / (2 * MIB));
        let (small, _room) = budget.read(None, Body::from(vec![b' '; FREE])).await.ok().unwrap();
        assert_eq!(small.len(), FREE);
        assert!(matches!(budget.read(None, Body::from(vec![b' '; MIB])).await, Err(Refusal::Full)));
        drop(reading);
        let (large, room) = budget.read(None, Body::from(vec![b' '; 3 * MIB])).await.ok().unwrap();
        assert_eq!(large.len(), 3 * MIB);
        assert_eq!(budget.bodies.available_permits(), BODIES - 3 * MIB);
        drop(room);
        assert_eq!(budget.bodies.available_permits(), BODIES);
    }

    #[tokio::test]
    async fn what_is_parsed_is_bounded_too() {
        let budget = BodyBudget::new();
        let rooms: Vec<_> = (0..3).map(|_| budget.parse(&vec![b' '; MIB])).collect();
        assert_eq!(rooms.iter().filter(|room| room.is_ok()).count(), 2);
        drop(rooms);
        assert!(budget.parse(&vec![b' '; MIB]).is_ok());
    }

    #[tokio::test]
    async fn a_body_that_says_it_is_too_large_is_not_read() {
        let refused = BodyBudget::new().read(Some(MAX_WEBHOOK_BYTES + 1), slow(0)).await.err();
        assert_eq!(refused, Some(Refusal::Unread(StatusCode::PAYLOAD_TOO_LARGE)));
    }
}
