//! What every backend decides alike: whose message it is, what a status does, what waits.
//!
//! Pure: rows in, decisions out. A backend reads, asks here and writes.

use super::{Disposition, Draft, Loss};
use crate::turn::{DeliveryStatus, LanguageCode, Outcome, PartState, Reason, Role, StatusUpdate};

/// Holds a contact that was found by its phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByPhone {
    pub(super) row: i64,
    pub(super) has_user_id: bool,
}

/// Says which contact a message is from, and what happens to another that has its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// A contact that is known.
    Known(i64),
    /// One that is not.
    New,
    /// `alias` is only a phone number and the same person: it becomes `known`.
    Merge { known: i64, alias: i64 },
    /// The number has a new owner, or its owner a new id: `from` keeps its history without the
    /// number, which goes to `to` or to a new contact.
    MoveNumber { from: i64, to: Option<i64> },
}

/// Decides who wrote. A user id is the key, a phone number its alias: a contact first seen by
/// phone and later by user id is one person.
pub(super) fn identify(
    names_user_id: bool,
    by_user_id: Option<i64>,
    by_phone: Option<ByPhone>,
) -> Identity {
    match (by_user_id, by_phone) {
        (Some(known), Some(ByPhone { row, has_user_id })) if known != row => {
            if has_user_id {
                Identity::MoveNumber { from: row, to: Some(known) }
            } else {
                Identity::Merge { known, alias: row }
            }
        }
        (Some(known), _) => Identity::Known(known),
        (None, Some(ByPhone { row, has_user_id: true })) if names_user_id => {
            Identity::MoveNumber { from: row, to: None }
        }
        (None, Some(ByPhone { row, .. })) => Identity::Known(row),
        (None, None) => Identity::New,
    }
}

/// Returns the state that a new message is kept in. One that names no sender has nobody to answer.
pub(super) fn first_state(disposition: Disposition, has_sender: bool) -> &'static str {
    match disposition {
        Disposition::Queue | Disposition::QueueIn(_) if has_sender => "queued",
        Disposition::Queue | Disposition::QueueIn(_) | Disposition::Store => "stored",
        Disposition::Expire => "expired",
    }
}

/// Returns when the message of a lapsed lease is due again. A part that may have been sent is left
/// to its status for a while: the status is the proof that keeps it from being sent twice.
pub(super) fn due_after_reclaim(maybe_sent: bool, now_ms: i64, retry_ms: i64) -> i64 {
    if maybe_sent { retry_ms } else { now_ms }
}

/// Returns what a status makes of a part that nobody saw taken: the provider took it, and its own
/// answer was lost, in a crash or on the way.
pub(super) fn settled_by(update: &StatusUpdate) -> PartState {
    match update.status {
        DeliveryStatus::Failed => PartState::Failed,
        _ => PartState::Sent(update.message.clone()),
    }
}

/// WhatsApp's window for free answers after a person's message.
pub(super) const WINDOW_MS: i64 = 24 * 60 * 60 * 1000;

/// Meta's code for a window that is shut, whatever our clock says.
pub const WINDOW_SHUT: i64 = 131_047;

/// Holds what is known of a part that was taken and not delivered.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, read from a row")]
pub(super) struct LostPart {
    pub(super) role: Role,
    pub(super) is_note: bool,
    /// Another status says that the person has it: of two copies one may fail.
    pub(super) arrived: bool,
    /// A later part of the turn stands for it.
    pub(super) replaced: bool,
    /// Whether the turn knows the words of its reply.
    pub(super) has_text: bool,
    /// When the turn's message came.
    pub(super) asked_ms: i64,
}

/// Decides what follows from the loss of a part.
pub(super) fn loss_of(part: &LostPart, code: Option<i64>, now_ms: i64) -> Loss {
    let open = code != Some(WINDOW_SHUT) && now_ms - part.asked_ms <= WINDOW_MS;
    match part {
        LostPart { arrived: true, .. } => Loss::Arrived,
        // The note was heard without its links.
        LostPart { role: Role::Beside | Role::Extra, .. } => Loss::Beside,
        LostPart { is_note: true, replaced: true, .. } => Loss::Replaced,
        // A text that fails is not sent again: it would fail for ever.
        LostPart { is_note: true, has_text: true, .. } if open => Loss::Resend,
        LostPart { is_note: true, has_text: true, .. } => Loss::WindowShut,
        _ => Loss::Reply,
    }
}

/// How long a question back waits for its yes or no.
const TO_CONFIRM_MS: i64 = 60 * 60 * 1000;

/// Returns whether a turn that ended at `finished_ms` asked the person to say something again, and
/// still waits for that.
pub(super) fn awaits_words(reason: &Reason, finished_ms: i64, now_ms: i64) -> bool {
    let again = matches!(reason, Reason::Confirm(_) | Reason::Repeat(_) | Reason::NotConfirmed);
    again && now_ms - finished_ms < TO_CONFIRM_MS
}

/// Returns whether a turn that ended at `finished_ms` still waits for a yes to its words.
pub(super) fn awaits_yes(reason: &Reason, finished_ms: i64, now_ms: i64) -> bool {
    matches!(reason, Reason::Confirm(_)) && now_ms - finished_ms < TO_CONFIRM_MS
}

/// Returns whether a turn that has ended costs its credits: its agent answered, and the person has the
/// answer. A question back, a word about a message that cannot be heard, and the fallback are free.
pub(super) fn is_charged(Draft { report, .. }: &Draft) -> bool {
    let told = !matches!(report.outcome, Outcome::Fallback | Outcome::Failed);
    let instead = report.reason.as_ref().is_some_and(Reason::is_instead);
    told && report.spent.answers > 0 && !instead
}

/// Returns the language that a turn showed of its contact: of written words, or as it was heard.
pub(super) fn language_shown(Draft { language, report, .. }: &Draft) -> Option<&LanguageCode> {
    let heard_in = report.transcript.as_ref().map(|transcript| &transcript.language);
    language.as_ref().or(heard_in).filter(|language| !language.is_unknown())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Uncertainty;

    #[test]
    fn a_message_is_from_whom_its_user_id_names_and_its_number_goes_with_it() {
        let phone = |row, has_user_id| Some(ByPhone { row, has_user_id });
        for (names_user_id, by_user_id, by_phone, expected) in [
            (true, None, None, Identity::New),
            (true, Some(1), None, Identity::Known(1)),
            (true, Some(1), phone(1, true), Identity::Known(1)),
            (true, Some(1), phone(2, false), Identity::Merge { known: 1, alias: 2 }),
            (true, Some(1), phone(2, true), Identity::MoveNumber { from: 2, to: Some(1) }),
            (true, None, phone(2, false), Identity::Known(2)),
            (true, None, phone(2, true), Identity::MoveNumber { from: 2, to: None }),
            (false, None, None, Identity::New),
            (false, None, phone(2, false), Identity::Known(2)),
            (false, None, phone(2, true), Identity::Known(2)),
        ] {
            let found = identify(names_user_id, by_user_id, by_phone);
            assert_eq!(found, expected, "{names_user_id} {by_user_id:?} {by_phone:?}");
        }
    }

    #[test]
    fn only_messages_with_a_sender_are_answered() {
        assert_eq!(first_state(Disposition::Queue, true), "queued");
        assert_eq!(first_state(Disposition::Queue, false), "stored");
        assert_eq!(first_state(Disposition::Store, true), "stored");
        assert_eq!(first_state(Disposition::Expire, false), "expired");
    }

    #[test]
    fn a_part_that_may_be_out_is_left_to_its_status() {
        assert_eq!(due_after_reclaim(false, 1_000, 6_000), 1_000);
        assert_eq!(due_after_reclaim(true, 1_000, 6_000), 6_000);
    }

    #[test]
    fn a_status_proves_that_a_planned_part_was_taken() {
        let update = |status| StatusUpdate {
            number: "1".into(),
            message: "wamid".into(),
            status,
            at_ms: 0,
            error_code: None,
            error_title: None,
            callback_data: None,
        };
        let settled = |status| settled_by(&update(status));
        assert_eq!(settled(DeliveryStatus::Failed), PartState::Failed);
        assert_eq!(settled(DeliveryStatus::Delivered), PartState::Sent("wamid".into()));
    }

    const NOTE: LostPart = LostPart {
        role: Role::Answer,
        is_note: true,
        arrived: false,
        replaced: false,
        has_text: true,
        asked_ms: 1_000,
    };

    #[test]
    fn the_words_of_a_lost_note_are_sent_within_the_window() {
        let media_rejected = Some(131_053);
        for code in [media_rejected, Some(131_026), Some(131_000), Some(999_999), None] {
            assert_eq!(loss_of(&NOTE, code, 1_000), Loss::Resend, "{code:?}");
        }
        assert_eq!(loss_of(&NOTE, Some(131_047), 1_000), Loss::WindowShut);
        assert_eq!(loss_of(&NOTE, media_rejected, 1_000 + WINDOW_MS), Loss::Resend);
        assert_eq!(loss_of(&NOTE, media_rejected, 1_001 + WINDOW_MS), Loss::WindowShut);
    }

    #[test]
    fn what_is_no_note_or_has_arrived_or_is_replaced_is_not_sent_again() {
        let loss = |part| loss_of(&part, None, 1_000);
        for role in [Role::Answer, Role::Notice, Role::Fallback] {
            assert_eq!(loss(LostPart { role, is_note: false, ..NOTE }), Loss::Reply);
        }
        assert_eq!(loss(LostPart { has_text: false, ..NOTE }), Loss::Reply);
        assert_eq!(loss(LostPart { arrived: true, ..NOTE }), Loss::Arrived);
        assert_eq!(loss(LostPart { replaced: true, ..NOTE }), Loss::Replaced);
        // The first of several texts stands for itself.
        let first = LostPart { is_note: false, replaced: true, ..NOTE };
        assert_eq!(loss(first), Loss::Reply);
        let links = LostPart { role: Role::Beside, is_note: false, ..NOTE };
        assert_eq!(loss(links), Loss::Beside);
        assert_eq!(loss(LostPart { role: Role::Extra, ..links }), Loss::Beside);
        assert_eq!(loss(LostPart { arrived: true, ..links }), Loss::Arrived);
    }

    #[test]
    fn a_question_waits_for_its_yes_for_an_hour() {
        let waits = |reason: &Reason, after_ms: i64| awaits_yes(reason, 500, 500 + after_ms);
        let confirm = Reason::Confirm(Uncertainty::NoSpeech);
        assert!(waits(&confirm, 0) && waits(&confirm, 3_599_999) && !waits(&confirm, 3_600_000));
        assert!(!waits(&Reason::NotConfirmed, 0) && !waits(&Reason::NoSpeech, 0));
    }
}
