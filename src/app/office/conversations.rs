//! Conversations, and what people say in them: a recording becomes a voice note before it is kept.

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::desk::{is_open, over, state};
use super::record::{odd_cursor, page, uncursor};
use super::{Office, new_id, time};
use crate::audio::{AudioLimits, NoteEncoder, Pcm, SampleRate, Segmenter, Speech, decode};
use crate::http::api::{
    ApiRefusal, Caller, ConversationQuery, ConversationView, ConversationsApi, ListPart, PageQuery,
    PersonSaid, SaidTaken, SaidView, limit,
};
use crate::store::{
    ConversationRow, ConversationSearch, Desk as _, DeskChange, OperatorMessage, SaidRow,
    TicketSearch,
};
use crate::turn::{MessageId, Personal, TicketReason};

/// Longest recording, in seconds: WhatsApp plays a note of five minutes in place.
const RECORDING_SECONDS: u32 = 300;
/// Largest recording, in bytes.
const RECORDING_BYTES: u64 = 64 << 20;
/// Longest text of a person: five messages.
const TEXT_CHARS: usize = 20_000;

#[async_trait]
impl ConversationsApi for Office {
    async fn conversations(
        &self,
        query: ConversationQuery,
    ) -> Result<ListPart<ConversationView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let before = query.cursor.as_deref().map(uncursor).transpose()?;
        let search = ConversationSearch {
            id: None,
            number: query.number,
            contact: query.contact,
            open: query.state.as_deref().map(is_open).transpose()?,
            words: query.q.filter(|words| !words.is_empty()),
            before: before.map(|row| row.parse().map_err(|_| odd_cursor())).transpose()?,
            limit: limit + 1,
        };
        let rows = self.store.conversations(search).await?;
        Ok(page(rows, limit, |row| row.id.to_string(), conversation_view))
    }

    async fn conversation(&self, id: &str) -> Result<ConversationView, ApiRefusal> {
        self.find_conversation(id).await.map(conversation_view)
    }

    async fn said(&self, id: &str, query: PageQuery) -> Result<ListPart<SaidView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let conversation = self.find_conversation(id).await?;
        let behind = query.cursor.as_deref().map(uncursor).transpose()?;
        let behind = behind.map(|count| count.parse().map_err(|_| odd_cursor())).transpose()?;
        let behind: usize = behind.unwrap_or(0);
        let mut rows = self.store.said(conversation.id, behind, limit + 1).await?;
        let goes_on = rows.len() > limit;
        if goes_on {
            // The oldest only tells that there are more.
            rows.remove(0);
        }
        let mut list = page(rows, usize::MAX, |_| String::new(), said_view);
        list.next = goes_on.then(|| super::record::cursor(&(behind + limit).to_string()));
        Ok(list)
    }

    async fn say(
        &self,
        caller: &Caller,
        id: &str,
        said: PersonSaid,
        operator: Option<String>,
        key: Option<&str>,
    ) -> Result<SaidTaken, ApiRefusal> {
        let conversation = self.find_conversation(id).await?;
        let (text, note) = match said {
            PersonSaid::Text(text) => (Some(checked(text)?), None),
            PersonSaid::Recording(bytes) => (None, Some(voice_note(bytes).await?)),
        };
        let operator = match operator {
            Some(operator) => operator,
            None => self.speaker(&conversation).await?.unwrap_or_else(|| caller.name.clone()),
        };
        let (row, taker) = (conversation.id, Some(operator.clone()));
        let ticket = self.take_over(row, TicketReason::Operator, None, None, taker).await?;
        let now_ms = self.clock.now_ms();
        // The same of a key that comes again, though the process died in between.
        let id = match key {
            Some(key) => hex::encode(Sha256::digest(format!("{}\n{key}", caller.id))),
            None => new_id(now_ms),
        };
        let id = MessageId(format!("operator:{id}"));
        let message = OperatorMessage { id, operator, text, note };
        let turn = match self.store.say(row, message, now_ms).await? {
            DeskChange::Done(turn) => turn,
            DeskChange::Closed => return Err(over()),
            _ => return Err(unknown_conversation()),
        };
        if let Some(wake) = &self.wake {
            wake.wake();
        }
        Ok(SaidTaken { turn, conversation: row.to_string(), ticket: ticket.id })
    }
}

impl Office {
    async fn find_conversation(&self, id: &str) -> Result<ConversationRow, ApiRefusal> {
        let id = Some(conversation_id(id)?);
        let search = ConversationSearch { id, limit: 1, ..ConversationSearch::default() };
        self.store.conversations(search).await?.pop().ok_or_else(unknown_conversation)
    }

    /// Returns who has the conversation's ticket.
    async fn speaker(&self, of: &ConversationRow) -> Result<Option<String>, ApiRefusal> {
        let Some(ticket) = of.ticket.clone() else { return Ok(None) };
        let search = TicketSearch { id: Some(ticket), limit: 1, ..TicketSearch::default() };
        Ok(self.store.tickets(search).await?.pop().and_then(|ticket| ticket.operator))
    }
}

/// Reads the id of a conversation.
pub(super) fn conversation_id(id: &str) -> Result<i64, ApiRefusal> {
    id.parse().map_err(|_| unknown_conversation())
}

pub(super) fn unknown_conversation() -> ApiRefusal {
    ApiRefusal::NotFound("conversation of this id".to_owned())
}

fn checked(text: String) -> Result<Personal, ApiRefusal> {
    let fits = (1..=TEXT_CHARS).contains(&text.chars().count());
    if fits && !text.trim().is_empty() {
        return Ok(Personal(text));
    }
    Err(ApiRefusal::invalid("text", format!("must have 1 to {TEXT_CHARS} characters")))
}

/// Makes a voice note of a recording.
async fn voice_note(recording: Vec<u8>) -> Result<Vec<u8>, ApiRefusal> {
    let made = tokio::task::spawn_blocking(move || encoded(&recording)).await;
    let made = made.unwrap_or_else(|_panicked| Err("it cannot be read".to_owned()));
    made.map_err(|problem| ApiRefusal::invalid("audio", problem))
}

fn encoded(recording: &[u8]) -> Result<Vec<u8>, String> {
    if is_film(recording) {
        return Err("it is a video: send its sound alone".to_owned());
    }
    let limits = AudioLimits { bytes: RECORDING_BYTES, seconds: RECORDING_SECONDS };
    let speech = decode(recording, limits).map_err(|error| error.to_string())?;
    if !speaks(&speech) {
        return Err("nobody speaks in it: look at the microphone and record it again".to_owned());
    }
    let rate = SampleRate::SPEECH;
    let note = || {
        let mut encoder = NoteEncoder::new(rate)?;
        let mut note = encoder.push(&Pcm { samples: speech.samples().to_vec(), rate })?;
        note.extend(encoder.finish()?);
        Ok(note)
    };
    note().map_err(|error: crate::audio::EncodeError| error.to_string())
}

fn speaks(speech: &Speech) -> bool {
    let mut segmenter = Segmenter::new();
    !segmenter.push(speech).is_empty() || !segmenter.finish().is_empty()
}

/// Returns whether a file of MP4 or Matroska has pictures that move.
fn is_film(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| bytes.windows(word.len()).any(|at| at == word);
    let mp4 = bytes.get(4..8).is_some_and(|kind| kind == b"ftyp");
    let matroska = bytes.starts_with(b"\x1a\x45\xdf\xa3");
    mp4 && has(b"vide")
        || matroska && [&b"V_VP8"[..], b"V_VP9", b"V_AV1", b"V_MPEG"].into_iter().any(has)
}

pub(super) fn conversation_view(row: ConversationRow) -> ConversationView {
    ConversationView {
        id: row.id.to_string(),
        state: state(row.closed_ms),
        number: row.number.0,
        contact_id: row.contact_key,
        contact: row.contact.0,
        name: row.name.map(|name| name.0),
        opened_at: time(row.opened_ms),
        last_at: time(row.last_ms),
        closed_at: row.closed_ms.map(time),
        ticket: row.ticket,
        messages: row.messages,
    }
}

pub(super) fn said_view(row: SaidRow) -> SaidView {
    SaidView {
        from: row.author.name().to_owned(),
        by: row.by,
        kind: row.kind,
        text: row.text.map(|text| text.0),
        turn: row.turn,
        message: row.message,
        status: row.state,
        at: time(row.at_ms),
    }
}
