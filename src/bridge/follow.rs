//! Follows hark's events, and takes those that concern the bridge into the state file.
//!
//! Invariant: the position moves with what was taken, in one transaction, so that nothing is missed
//! over a crash and nothing is taken twice.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::error::{BridgeError, Shore};
use super::state::NewItem;
use super::stream::StreamCutter;
use super::{Bridge, LANE_OF_HARK};
use crate::remote::waits::jittered;
use crate::turn::EventType;

/// Longest silence of the stream: hark says every 15 s that it is alive.
const QUIET: Duration = Duration::from_secs(45);
/// First wait before the stream is opened again; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Follows for ever.
pub(super) async fn follow(bridge: &Bridge) {
    let mut wait = FIRST_WAIT;
    loop {
        let (error, came) = read(bridge).await;
        if came {
            wait = FIRST_WAIT;
        }
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, retry.after_s = wait.as_secs_f64(), "hark's events broke off");
        tokio::time::sleep(jittered(wait)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Reads one stream to its end; returns why it ended, and whether anything came.
async fn read(bridge: &Bridge) -> (BridgeError, bool) {
    let mut came = false;
    let ended =
        |why: &str| BridgeError::Away { shore: Shore::Hark, why: why.to_owned(), after: None };
    let opened = async { bridge.hark.events(bridge.state.position().await?).await };
    let mut response = match opened.await {
        Ok(response) => response,
        Err(error) => return (error, came),
    };
    let mut cutter = StreamCutter::default();
    loop {
        let piece = match timeout(QUIET, response.chunk()).await {
            Ok(Ok(Some(piece))) => piece,
            Ok(Ok(None)) => return (ended("it ended the stream"), came),
            Ok(Err(error)) => return (BridgeError::unanswered(Shore::Hark, error), came),
            Err(_quiet) => return (ended("the stream is silent"), came),
        };
        let Some(blocks) = cutter.push(&piece) else {
            return (BridgeError::odd(Shore::Hark, "an event that is too long"), came);
        };
        let Some(upto) = blocks.iter().filter_map(|block| block.position).max() else { continue };
        let events = blocks.iter().filter_map(|block| item(block.data.as_deref()?)).collect();
        match bridge.state.take_events(events, upto).await {
            Ok(new) => {
                came = true;
                if new {
                    bridge.came.notify_one();
                }
            }
            Err(error) => return (error, came),
        }
    }
}

/// Reads an event; `None` if it is of no conversation.
fn item(event: &str) -> Option<NewItem> {
    let event: Value = serde_json::from_str(event).ok()?;
    let (id, kind) = (event["id"].as_str()?, event["type"].as_str()?);
    let conversation = event["subject"].as_str()?;
    let data = &event["data"];
    let received = [EventType::TextReceived, EventType::VoiceReceived, EventType::MediaReceived];
    let with_ticket = received.iter().any(|received| received.name() == kind)
        && data["ticket"].as_str().is_some();
    let body = serde_json::json!({ "event": id, "conversation": conversation, "data": data });
    Some(NewItem {
        origin: format!("hark {id}"),
        lane: format!("{LANE_OF_HARK}{conversation}"),
        kind: kind.to_owned(),
        about: data["turn"].as_str().map(str::to_owned),
        body: body.to_string(),
        always: with_ticket || kind == EventType::TicketOpened.name(),
    })
}
