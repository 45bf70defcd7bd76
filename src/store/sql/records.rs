//! The record on the `turns` and `parts` tables.

use super::db::{Db, DbResult, DbRow, Hold, OptionalRow as _, params};
use async_trait::async_trait;

use super::events::{self, PartTold};
use super::history::{Conversation, conversation, deeds};
use super::json::{from_json, from_word, to_json};
use super::{SqlStore, bursts, credits, metering, plans, statuses, steps};
use crate::store::rules::{awaits_words, awaits_yes, language_shown};
use crate::store::{
    AgentUsed, Begun, Burst, Credit, CreditWarning, Draft, History, HistoryLimits, Lane, Lease,
    LeasedMessage, Record, SendPlan, StoreError,
};
use crate::turn::{
    DeliveryStatus, LanguageCode, MessageId, Outcome, Part, Personal, Quoted, Reason, ReplyMode,
    Spent, TurnId, TurnReport,
};

/// A message of one lane, and what was said in it: the words of a part, or of the reply that a note
/// speaks; the words that a message carries, or those that were heard in it.
const QUOTED: &str = "
    SELECT 1, CASE WHEN p.content ->> 'voice' IS NULL
                  THEN coalesce(p.content ->> 'text', p.content -> 'buttons' ->> 'text',
                           p.content -> 'list' ->> 'text', p.content -> 'link' ->> 'text',
                           p.content -> 'contact' ->> 'name', p.content -> 'location' ->> 'name')
                  ELSE t.report -> 'reply' ->> 'text' END
    FROM parts p JOIN turns t ON t.id = p.turn
    WHERE p.provider_id = ?3 AND t.number = ?1 AND t.contact_id = ?2
    UNION ALL
    SELECT 0, coalesce(m.body ->> 'text', t.heard)
    FROM messages m LEFT JOIN turns t ON t.number = m.number AND t.id = m.turn
    WHERE m.number = ?1 AND m.provider_id = ?3 AND m.contact_id = ?2
    LIMIT 1";

/// A turn that could not be delivered told nobody anything.
const TOLD: &str = "
    SELECT max(t.disclosed_ms) FROM turns own
    JOIN turns t ON t.contact_id = own.contact_id AND t.number = own.number
    WHERE own.id = ?1 AND t.disclosed_ms IS NOT NULL AND t.outcome IS DISTINCT FROM 'failed'";

#[async_trait]
impl Record for SqlStore {
    async fn begin(
        &self,
        lease: &Lease,
        agent: AgentUsed<'_>,
        queue_ms: f64,
        now_ms: i64,
    ) -> Result<Begun, StoreError> {
        let AgentUsed { name, version, credits: amount } = agent;
        let (lease, agent) = (lease.clone(), name.to_owned());
        let call = self.writer.call(move |db| {
            let (turn, number, first) = (&lease.turn.0, &lease.lane.number.0, lease.first());
            let (row, id, attempt) = (first.row, &first.id.0, lease.attempt);
            db.hold(Hold::Message(row))?;
            // Of the contact that the message has now: since it was leased, a younger message may
            // have shown that two contacts are one.
            let begun = db
                .prepare_cached(
                    "INSERT INTO turns (id, number, contact_id, message, agent, attempt, queue_ms,
                         created_ms, agent_version, conversation, operator)
                     SELECT ?1, ?2, contact_id, ?4, ?5, ?6, ?7, ?8, ?9, conversation,
                            body ->> 'operator'
                     FROM messages WHERE id = ?3
                     ON CONFLICT (id) DO UPDATE SET attempt = excluded.attempt,
                         agent = excluded.agent, agent_version = excluded.agent_version
                     WHERE turns.attempt <= excluded.attempt",
                )?
                .execute(params![
                    turn, number, row, id, agent, attempt, queue_ms, now_ms, version
                ])?;
            if begun == 0 {
                return Err(StoreError::LeaseLost);
            }
            let (finished, draft, spent) = db
                .prepare_cached(
                    "SELECT finished_ms IS NOT NULL, heard, language, report, spent, reason
                     FROM turns WHERE id = ?1",
                )?
                .query_row([turn], |row| {
                    Ok((row.get(0)?, kept_draft(row)?, kept_spent(row, 4)?))
                })?;
            let (payer, turn_id) = ((number.as_str(), agent.as_str()), &lease.turn);
            let credit = if finished {
                Credit::Granted
            } else {
                credits::reserve(db, turn_id, payer, amount, now_ms)?
            };
            let parts: Vec<Part> = db
                .prepare_cached(
                    "SELECT idx, role, content, state, provider_id, error, due_ms, unclear FROM parts
                     WHERE turn = ?1
                     ORDER BY idx",
                )?
                .query_map([turn], plans::part)?
                .collect::<Result<_, _>>()?;
            let told_ms = db.prepare_cached(TOLD)?.query_row([turn], |row| row.get(0))?;
            let planned_ms = db
                .prepare_cached("SELECT max(planned_ms) FROM parts WHERE turn = ?1")?
                .query_row([turn], |row| row.get(0))?;
            let desk = steps::begun(db, &lease, parts.is_empty(), now_ms)?;
            Ok(Begun { finished, parts, draft, told_ms, planned_ms, desk, spent, credit })
        });
        call.await
    }

    async fn history(
        &self,
        lane: &Lane,
        limits: HistoryLimits,
        now_ms: i64,
    ) -> Result<History, StoreError> {
        let lane = lane.clone();
        let call = self.reader.call(move |db| {
            let Conversation { exchanges, began_ms, notes } =
                conversation(db, &lane, limits, now_ms)?;
            let last: Option<(Option<String>, Option<String>, i64)> = db
                .prepare_cached(
                    "SELECT heard, reason, finished_ms FROM turns
                     WHERE contact_id = ?1 AND number = ?2 AND finished_ms IS NOT NULL
                     ORDER BY created_ms DESC, rowid DESC LIMIT 1",
                )?
                .query_row(params![lane.contact_id, lane.number.0], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()?;
            let asked_back = last.and_then(|(heard, reason, finished_ms)| {
                let reason = Reason::from(reason?);
                let waits = awaits_yes(&reason, finished_ms, now_ms);
                let words = heard.filter(|_| waits).map(Personal);
                Some((words, awaits_words(&reason, finished_ms, now_ms)))
            });
            let (to_confirm, doubted) = asked_back.unwrap_or_default();
            let deeds = deeds(db, &lane, now_ms)?;
            Ok(History { exchanges, deeds, began_ms, notes, doubted, to_confirm })
        });
        call.await
    }

    async fn quoted(&self, lane: &Lane, message: &MessageId) -> Result<Option<Quoted>, StoreError> {
        let (lane, message) = (lane.clone(), message.clone());
        let call = self.reader.call(move |db| {
            let quoted = db.prepare_cached(QUOTED)?.query_row(
                params![lane.number.0, lane.contact_id, message.0],
                |row| {
                    let words: Option<String> = row.get(1)?;
                    let words = words.filter(|words| !words.trim().is_empty()).map(Personal);
                    Ok(Quoted { ours: row.get(0)?, words })
                },
            );
            Ok(quoted.optional()?)
        });
        call.await
    }

    async fn set_asked_language(
        &self,
        turn: &TurnId,
        language: &LanguageCode,
    ) -> Result<(), StoreError> {
        let (turn, language) = (turn.clone(), language.clone());
        let call =
            self.writer.call(move |db| set_contact(db, &turn, "asked_language", language.as_str()));
        call.await
    }

    async fn set_reply_mode(&self, turn: &TurnId, mode: ReplyMode) -> Result<(), StoreError> {
        let turn = turn.clone();
        self.writer.call(move |db| set_contact(db, &turn, "reply_mode", mode.name())).await
    }

    async fn gather(
        &self,
        lease: &Lease,
        burst: Burst,
        now_ms: i64,
    ) -> Result<Vec<LeasedMessage>, StoreError> {
        let (own, key) = (lease.clone(), lease.key());
        let call = self.writer.call(move |db| bursts::gather(db, &own, burst, now_ms));
        let taken = call.await?;
        key.join(&taken);
        Ok(taken)
    }

    async fn more_waits(&self, lease: &Lease) -> Result<bool, StoreError> {
        let row = lease.first().row;
        self.reader.call(move |db| bursts::more_waits(db, row)).await
    }

    async fn plan(
        &self,
        lease: &Lease,
        plan: SendPlan,
        now_ms: i64,
    ) -> Result<Vec<Part>, StoreError> {
        let (lease, mut own) = (lease.clone(), None);
        if self.is_shared() {
            // By itself: the turns of a number would wait for each other's commits. A place that is not
            // taken then is lost, which does no harm.
            let (number, count, per_second) =
                (lease.lane.number.0.clone(), plan.parts.len(), plan.per_second);
            let pace = move |db: &Db<'_>| plans::pace(db, &number, (count, per_second), now_ms);
            own = Some(self.writer.hasty(pace).await?);
        }
        self.writer.call(move |db| plans::plan(db, &lease, &plan, own.as_deref(), now_ms)).await
    }

    async fn status_of(
        &self,
        turn: &TurnId,
        index: u32,
    ) -> Result<Option<DeliveryStatus>, StoreError> {
        let turn = turn.clone();
        let call = self.reader.call(move |db| {
            let status = "SELECT status FROM statuses WHERE turn = ?1 AND idx = ?2
                          ORDER BY id DESC LIMIT 1";
            let mut status = db.prepare_cached(status)?;
            let read = |row: &DbRow<'_>| from_word(&row.get::<String>(0)?);
            Ok(status.query_row(params![turn.0, index], read).optional()?)
        });
        call.await
    }

    async fn draft(&self, lease: &Lease, draft: &Draft) -> Result<(), StoreError> {
        let (turn, attempt, draft) = (lease.turn.clone(), lease.attempt, draft.clone());
        let call = self.writer.call(move |db| {
            db.hold(Hold::Turn(&turn.0))?;
            steps::drafted(db, &turn, &draft)?;
            keep(db, &turn, attempt, &draft)
        });
        call.await
    }

    async fn settle(
        &self,
        turn: &TurnId,
        index: u32,
        result: Result<MessageId, String>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (turn, (state, id, error)) = (
            turn.clone(),
            match result {
                Ok(id) => ("sent", Some(id.0), None),
                Err(error) => ("failed", None, Some(error)),
            },
        );
        let call = self.writer.call(move |db| {
            db.hold(Hold::Turn(&turn.0))?;
            let sent_ms = id.is_some().then_some(now_ms);
            db.prepare_cached(
                "UPDATE parts SET state = ?3, provider_id = coalesce(?4, provider_id),
                     sent_ms = coalesce(?5, sent_ms), error = ?6
                 WHERE turn = ?1 AND idx = ?2",
            )?
            .execute(params![turn.0, index, state, id, sent_ms, error])?;
            let told = match &id {
                Some(id) => PartTold::Sent(id),
                None => PartTold::Failed { code: None, title: error.as_deref() },
            };
            events::told_of_part(db, (&turn.0, index), told, now_ms)?;
            id.as_ref().map_or(Ok(()), |id| statuses::adopt(db, &turn, index, id))
        });
        call.await
    }

    async fn doubt(
        &self,
        turn: &TurnId,
        index: u32,
        error: String,
        assumed: bool,
    ) -> Result<(), StoreError> {
        let (turn, state) = (turn.clone(), if assumed { "sent" } else { "planned" });
        let call = self.writer.call(move |db| {
            db.prepare_cached(
                "UPDATE parts SET state = ?3, error = ?4, unclear = unclear + 1
                 WHERE turn = ?1 AND idx = ?2 AND state = 'planned'",
            )?
            .execute(params![turn.0, index, state, error])?;
            Ok(())
        });
        call.await
    }

    async fn recording(
        &self,
        lane: &Lane,
        message: &MessageId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let (number, message) = (lane.number.0.clone(), message.0.clone());
        let call = self.reader.call(move |db| {
            let note = "SELECT note FROM recordings WHERE number = ?1 AND message = ?2";
            let mut note = db.prepare_cached(note)?;
            Ok(note.query_row([&number, &message], |row| row.get(0)).optional()?)
        });
        call.await
    }

    async fn spent(&self, lease: &Lease, spent: &Spent) -> Result<(), StoreError> {
        let (turn, attempt, spent) = (lease.turn.clone(), lease.attempt, to_json(spent)?);
        let call = self.writer.call(move |db| {
            let kept = db
                .prepare_cached("UPDATE turns SET spent = ?3 WHERE id = ?1 AND attempt = ?2")?
                .execute(params![turn.0, attempt, spent])?;
            if kept == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
        });
        call.await
    }

    async fn finish(
        &self,
        lease: &Lease,
        ended: &Draft,
        now_ms: i64,
    ) -> Result<Vec<CreditWarning>, StoreError> {
        let (turn, attempt, ended) = (lease.turn.clone(), lease.attempt, ended.clone());
        let prices = self.prices.clone();
        let call = self.writer.call(move |db| {
            db.hold(Hold::Turn(&turn.0))?;
            keep(db, &turn, attempt, &ended)?;
            let reason = ended.report.reason.as_ref().map(Reason::to_string);
            db.prepare_cached(
                "UPDATE turns SET outcome = ?2, reason = ?3, finished_ms = ?4,
                     dead_ms = CASE WHEN ?2 IN ('failed', 'fallback') THEN CAST(?4 AS BIGINT) END,
                     disclosed_ms = CASE WHEN report ->> 'disclosure' IS NULL THEN NULL ELSE disclosed_ms END
                 WHERE id = ?1",
            )?
            .execute(params![turn.0, ended.report.outcome.name(), reason, now_ms])?;
            if let Some(language) = language_shown(&ended) {
                set_contact(db, &turn, "language", language.as_str())?;
            }
            let (charged, warnings) = credits::settle(db, &turn, &ended, now_ms)?;
            steps::ended(db, &turn, &ended, &warnings, now_ms)?;
            metering::turn(db, &prices, &turn, &ended, charged, now_ms)?;
            statuses::apply_early_failures(db, &turn, now_ms)?;
            Ok(warnings)
        });
        call.await
    }
}
/// Writes what a turn heard and did so far, as its latest attempt.
fn keep(
    db: &Db<'_>,
    turn: &TurnId,
    attempt: u32,
    Draft { heard, language, report }: &Draft,
) -> Result<(), StoreError> {
    let heard = heard.as_ref().map(Personal::reveal);
    let language = language.as_ref().map(LanguageCode::as_str);
    let (report_json, spent) = (to_json(report)?, to_json(&report.spent)?);
    let kept = db
        .prepare_cached(
            "UPDATE turns SET heard = ?3, language = ?4, report = ?5, spent = ?6
             WHERE id = ?1 AND attempt = ?2",
        )?
        .execute(params![turn.0, attempt, heard, language, report_json, spent])?;
    if kept == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
}

/// Sets a column of the contact of a turn.
fn set_contact(db: &Db<'_>, turn: &TurnId, column: &str, word: &str) -> Result<(), StoreError> {
    db.prepare_cached(&format!(
        "UPDATE contacts SET {column} = ?2 WHERE id = (SELECT contact_id FROM turns WHERE id = ?1)"
    ))?
    .execute([&turn.0, word])?;
    Ok(())
}

/// Reads what an earlier attempt was about to send.
fn kept_draft(row: &DbRow<'_>) -> DbResult<Option<Draft>> {
    let (heard, language): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let (heard, language) = (heard.map(Personal), language.map(LanguageCode::from));
    let Some(mut report) = kept_report(row, 3, 4)? else { return Ok(None) };
    // Of a turn that was opened again; a question back stays one with what it is about.
    if let Some(reason) = row.get::<Option<String>>(5)?
        && report.outcome != Outcome::Question
    {
        report.reason = Some(Reason::from(reason));
    }
    Ok(Some(Draft { heard, language, report }))
}

/// Reads a report and what was spent, which versions before the third migration did not keep.
pub(super) fn kept_report(
    row: &DbRow<'_>,
    report: usize,
    spent: usize,
) -> DbResult<Option<TurnReport>> {
    let Some(report) = row.get::<Option<String>>(report)? else { return Ok(None) };
    Ok(Some(TurnReport { spent: kept_spent(row, spent)?, ..from_json(&report)? }))
}

/// Reads what was spent.
fn kept_spent(row: &DbRow<'_>, place: usize) -> DbResult<Spent> {
    let spent = row.get::<Option<String>>(place)?;
    Ok(spent.map(|spent| from_json(&spent)).transpose()?.unwrap_or_default())
}
