//! Takes commands off a stream, one after the other, and says on another what came of each.
//!
//! A command leaves its stream in the transaction that tells its outcome. One that was begun when the
//! process died is begun again: whoever does it knows its id, and does it once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::streams::{StreamId, StreamReadReply};
use serde_json::Value;

use super::{Away, RedisStreams};
use crate::remote::redis::{RedisConnection, RedisTrouble};

/// The group that reads commands, and the one that does so in it.
const GROUP: &str = "hark";
/// How long the server is asked to wait for a command.
const BLOCK: Duration = Duration::from_secs(5);
/// Commands that are read at a time.
const AT_ONCE: usize = 10;
/// About how many outcomes are kept.
const OUTCOMES: u32 = 10_000;

/// Says what came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutcome {
    /// As the API would answer: 202, or what is wrong.
    pub status: u16,
    /// The answer's JSON.
    pub answer: String,
    /// It could not be tried now: it is to be tried again.
    pub later: bool,
}

/// Does what commands say.
#[async_trait]
pub trait CommandDesk: Send + Sync {
    /// Does what a `CloudEvent` says, once.
    async fn take(&self, event: &str) -> CommandOutcome;
}

/// Takes commands off the stream.
pub struct CommandIntake {
    /// The stream.
    pub streams: RedisStreams,
    /// Who does them.
    pub desk: Arc<dyn CommandDesk>,
}

impl CommandIntake {
    /// Takes commands for ever.
    pub async fn run(self) {
        let mut away = Away::new("commands");
        loop {
            let Err(trouble) = self.follow(&mut away).await else { continue };
            away.wait(trouble).await;
        }
    }

    /// Takes commands until something goes wrong.
    async fn follow(&self, away: &mut Away) -> Result<(), RedisTrouble> {
        let mut server = self.streams.server.connect_to_wait().await?;
        self.make_group(&mut server).await?;
        away.back();
        // First what was begun and not ended.
        let mut from = "0";
        loop {
            let commands = self.read(&mut server, from).await?;
            if commands.is_empty() && from == "0" {
                from = ">";
            }
            for command in commands {
                self.take(&mut server, away, &command).await?;
            }
        }
    }

    async fn make_group(&self, server: &mut RedisConnection) -> Result<(), RedisTrouble> {
        let mut make = redis::cmd("XGROUP");
        make.arg("CREATE").arg(&self.streams.commands).arg(GROUP).arg("0").arg("MKSTREAM");
        match make.query_async::<()>(server).await {
            Err(error) if error.code() != Some("BUSYGROUP") => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn read(
        &self,
        server: &mut RedisConnection,
        from: &str,
    ) -> Result<Vec<StreamId>, RedisTrouble> {
        let block = u64::try_from(BLOCK.as_millis()).unwrap_or(u64::MAX);
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(GROUP).arg("COUNT").arg(AT_ONCE);
        read.arg("BLOCK").arg(block).arg("STREAMS").arg(&self.streams.commands).arg(from);
        // A server that was switched off does not say so.
        let answer = tokio::time::timeout(BLOCK * 2, read.query_async(server)).await;
        let late = || RedisTrouble("the server of [redis] does not answer in time".to_owned());
        let reply: Option<StreamReadReply> = answer.map_err(|_late| late())??;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect())
    }

    async fn take(
        &self,
        server: &mut RedisConnection,
        away: &mut Away,
        command: &StreamId,
    ) -> Result<(), RedisTrouble> {
        let event: String = command.get("event").unwrap_or_default();
        let outcome = loop {
            let outcome = self.desk.take(&event).await;
            if !outcome.later {
                break outcome;
            }
            away.wait(RedisTrouble(outcome.answer)).await;
        };
        away.back();
        let parsed: Value = serde_json::from_str(&event).unwrap_or_default();
        let CommandOutcome { status, answer, .. } = outcome;
        if status >= 400 {
            let kind = parsed["type"].as_str().unwrap_or_default().chars().take(100);
            let kind: String = kind.collect();
            tracing::warn!(
                command.id = command.id,
                command.r#type = kind,
                status,
                "a command could not be done: its outcome says why"
            );
        }
        let (key, id) = (&self.streams.commands, &command.id);
        let mut pipe = redis::pipe();
        pipe.atomic().cmd("XADD").arg(server.beside(key, "done"));
        pipe.arg("MAXLEN").arg("~").arg(OUTCOMES).arg("*").arg("command").arg(id);
        pipe.arg("id").arg(parsed["id"].as_str().unwrap_or_default());
        pipe.arg("status").arg(status).arg("answer").arg(answer).ignore();
        pipe.cmd("XACK").arg(key).arg(GROUP).arg(id).ignore();
        pipe.cmd("XDEL").arg(key).arg(id).ignore();
        Ok(pipe.query_async(server).await?)
    }
}
