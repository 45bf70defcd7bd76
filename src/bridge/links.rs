//! Who and what is the same on both sides: contacts, conversations, and messages that became turns.

use rusqlite::{OptionalExtension as _, Row, params};

use super::error::BridgeError;
use super::state::BridgeState;
use crate::turn::Personal;

/// Messages of Chatwoot that are remembered as said.
const REMEMBERED: i64 = 100_000;

/// A conversation that both sides have.
#[derive(Clone, Debug)]
pub(super) struct BridgedConversation {
    /// hark's id.
    pub(super) hark: String,
    /// Chatwoot's.
    pub(super) chatwoot: i64,
    /// The ticket that is open.
    pub(super) ticket: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) summary: Option<Personal>,
    /// The last ticket whose history was posted.
    pub(super) documented: Option<String>,
}

impl BridgeState {
    /// Returns who a contact of hark is in Chatwoot.
    pub(super) async fn contact(&self, hark: &str) -> Result<Option<(i64, String)>, BridgeError> {
        let hark = hark.to_owned();
        let call = self.call(move |db| {
            let find = "SELECT chatwoot, source FROM contacts WHERE hark = ?1";
            db.query_row(find, [hark], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        });
        call.await
    }

    /// Notes it.
    pub(super) async fn keep_contact(
        &self,
        hark: &str,
        chatwoot: i64,
        source: &str,
    ) -> Result<(), BridgeError> {
        let (hark, source) = (hark.to_owned(), source.to_owned());
        let call = self.write(move |db| {
            let keep =
                "INSERT OR REPLACE INTO contacts (hark, chatwoot, source) VALUES (?1, ?2, ?3)";
            db.execute(keep, params![hark, chatwoot, source]).map(drop)
        });
        call.await
    }

    /// Notes which conversation of Chatwoot is one of hark's.
    pub(super) async fn link(
        &self,
        hark: &str,
        contact: &str,
        chatwoot: i64,
    ) -> Result<(), BridgeError> {
        let (hark, contact) = (hark.to_owned(), contact.to_owned());
        let call = self.write(move |db| {
            let keep = "INSERT INTO conversations (hark, contact, chatwoot) VALUES (?1, ?2, ?3)
                        ON CONFLICT (hark) DO UPDATE SET chatwoot = excluded.chatwoot";
            db.execute(keep, params![hark, contact, chatwoot]).map(drop)
        });
        call.await
    }

    /// Notes that a ticket is open in a conversation.
    pub(super) async fn opened(
        &self,
        hark: &str,
        ticket: &str,
        why: (Option<String>, Option<String>),
    ) -> Result<(), BridgeError> {
        let (hark, ticket, (reason, summary)) = (hark.to_owned(), ticket.to_owned(), why);
        let call = self.write(move |db| {
            let open = "UPDATE conversations SET ticket = ?2, reason = ?3, summary = ?4
                        WHERE hark = ?1 AND ticket IS NOT ?2";
            db.execute(open, params![hark, ticket, reason, summary]).map(drop)
        });
        call.await
    }

    /// Forgets what a conversation and its contact are in Chatwoot: somebody deleted one there.
    pub(super) async fn forget(&self, hark: &str) -> Result<(), BridgeError> {
        let hark = hark.to_owned();
        let call = self.write(move |db| {
            let contact = "DELETE FROM contacts WHERE hark IN
                               (SELECT contact FROM conversations WHERE hark = ?1)";
            db.execute(contact, [&hark])?;
            db.execute("DELETE FROM conversations WHERE hark = ?1", [&hark]).map(drop)
        });
        call.await
    }

    /// Forgets who a contact of hark is in Chatwoot.
    pub(super) async fn forget_contact(&self, hark: &str) -> Result<(), BridgeError> {
        let hark = hark.to_owned();
        let forget = "DELETE FROM contacts WHERE hark = ?1";
        self.write(move |db| db.execute(forget, [hark]).map(drop)).await
    }

    /// Finds a conversation of hark.
    pub(super) async fn conversation(
        &self,
        hark: &str,
    ) -> Result<Option<BridgedConversation>, BridgeError> {
        let hark = hark.to_owned();
        let call = self.call(move |db| {
            let find = format!("{CONVERSATION} WHERE hark = ?1");
            db.prepare_cached(&find)?.query_row([hark], conversation).optional()
        });
        call.await
    }

    /// Finds a conversation of Chatwoot: of several the one with a ticket, else the latest.
    pub(super) async fn by_chatwoot(
        &self,
        chatwoot: i64,
    ) -> Result<Option<BridgedConversation>, BridgeError> {
        let call = self.call(move |db| {
            let find = format!(
                "{CONVERSATION} WHERE chatwoot = ?1 ORDER BY ticket IS NULL, id DESC LIMIT 1"
            );
            db.prepare_cached(&find)?.query_row([chatwoot], conversation).optional()
        });
        call.await
    }

    /// Notes which turn says a part of a message of Chatwoot; none if it was refused.
    pub(super) async fn said(
        &self,
        message: i64,
        part: &str,
        turn: Option<String>,
    ) -> Result<(), BridgeError> {
        let part = part.to_owned();
        let call = self.write(move |db| {
            let keep = "INSERT INTO said (message, part, turn) VALUES (?1, ?2, ?3)
                        ON CONFLICT DO NOTHING";
            db.execute(keep, params![message, part, turn])?;
            let old = "DELETE FROM said WHERE id <= (SELECT max(id) FROM said) - ?1";
            db.execute(old, [REMEMBERED]).map(drop)
        });
        call.await
    }

    /// Returns which message a turn says, and whether it was told that it failed.
    pub(super) async fn said_by(&self, turn: &str) -> Result<Option<(i64, bool)>, BridgeError> {
        let turn = turn.to_owned();
        let call = self.call(move |db| {
            let find = "SELECT message, failed FROM said WHERE turn = ?1";
            db.query_row(find, [turn], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        });
        call.await
    }

    /// Returns whether a turn's voice note was posted without words.
    pub(super) async fn is_wordless(&self, turn: &str) -> Result<bool, BridgeError> {
        let turn = turn.to_owned();
        let find = "SELECT 1 FROM wordless WHERE turn = ?1";
        self.call(move |db| db.prepare_cached(find)?.exists([turn])).await
    }
}

const CONVERSATION: &str =
    "SELECT hark, chatwoot, ticket, reason, summary, documented FROM conversations";

fn conversation(row: &Row<'_>) -> rusqlite::Result<BridgedConversation> {
    Ok(BridgedConversation {
        hark: row.get(0)?,
        chatwoot: row.get(1)?,
        ticket: row.get(2)?,
        reason: row.get(3)?,
        summary: row.get::<_, Option<String>>(4)?.map(Personal),
        documented: row.get(5)?,
    })
}
