//! What each event says: the one list that the AsyncAPI document and docs/EVENTS.md are made of, and
//! that tests hold events to.

use serde_json::Value;

use crate::turn::EventType;

/// Says what a member of `data` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// A number of milliseconds.
    Milliseconds,
    /// True or false.
    Flag,
    /// An object of texts, whose names are yours.
    Texts,
    /// An object with these members.
    Object(&'static [EventField]),
    /// A list of objects with these members.
    List(&'static [EventField]),
}

/// Describes a member of `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventField {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it is always there.
    pub always: bool,
    /// What it is.
    pub about: &'static str,
}

/// Describes a type of event.
#[derive(Clone, Copy, Debug)]
pub struct EventEntry {
    /// The type.
    pub kind: EventType,
    /// What has happened.
    pub about: &'static str,
    /// What `data` has beside [`CONTACT`].
    pub data: &'static [EventField],
}

const fn always(name: &'static str, kind: FieldKind, about: &'static str) -> EventField {
    EventField { name, kind, always: true, about }
}

const fn maybe(name: &'static str, kind: FieldKind, about: &'static str) -> EventField {
    EventField { name, kind, always: false, about }
}

use FieldKind::{Flag, List, Milliseconds, Number, Object, Text, Texts};

/// Who it is about; in the `data` of every event.
pub const CONTACT: EventField = always(
    "contact",
    Object(&[
        always("id", Text, "the contact's id in the API"),
        maybe("user_id", Text, "WhatsApp's id for the person"),
        maybe("phone", Text, "phone number in digits"),
        maybe("name", Text, "the name of their profile"),
    ]),
    "the person",
);

const TURN: EventField = always("turn", Text, "the turn, as in `/turns/{id}`");
const TICKET: EventField = always("ticket", Text, "the ticket");
const OPEN_TICKET: EventField = maybe("ticket", Text, "the ticket that is open");
const WORDS: EventField = maybe("text", Text, "the words; the first 4,000 characters");
const PART: EventField = always("part", Number, "which message of the turn, from 0");
const KIND: EventField = always("kind", Text, "what it carries: `text`, `voice`, `buttons`, ...");
const MESSAGE: EventField = always(
    "message",
    Object(&[
        always("id", Text, "WhatsApp's id of the message"),
        always("kind", Text, "WhatsApp's word for its kind"),
    ]),
    "the message",
);
const SENT: EventField = always("message", Text, "WhatsApp's id of the message");

const RECEIVED: &[EventField] = &[TURN, MESSAGE, WORDS, OPEN_TICKET];
const USER_INFO: EventField = always(
    "user_info",
    Object(&[
        always("known", Flag, "whether the person is a customer, as docs/CUSTOMERS.md has it"),
        maybe("name", Text, "the customer's name"),
        maybe("language", Text, "the customer's language"),
        maybe("fields", Texts, "whatever else is known"),
    ]),
    "what is known of the person",
);
const KNOWN: &[EventField] = &[TURN, MESSAGE, WORDS, USER_INFO];
const SEND: &[EventField] = &[
    TURN,
    PART,
    KIND,
    always("role", Text, "`answer`, `beside`, `extra`, `notice` or `fallback`"),
    WORDS,
];
const TAKEN: &[EventField] = &[TURN, PART, KIND, SENT];
const WANTED: &[EventField] = &[
    TICKET,
    always("reason", Text, "why, as in docs/DESK.md"),
    maybe("turn", Text, "the turn that opened it"),
    maybe("summary", Text, "what it is about"),
];

/// Every type, in the order of a conversation.
pub const CATALOGUE: &[EventEntry] = &[
    EventEntry { kind: EventType::TextReceived, about: "A text came.", data: RECEIVED },
    EventEntry { kind: EventType::VoiceReceived, about: "A voice note came.", data: RECEIVED },
    EventEntry {
        kind: EventType::MediaReceived,
        about: "Something else that is answered came.",
        data: RECEIVED,
    },
    EventEntry {
        kind: EventType::TextKnown,
        about: "Who wrote was looked up, and the turn has begun.",
        data: KNOWN,
    },
    EventEntry {
        kind: EventType::VoiceKnown,
        about: "Who spoke was looked up, and the turn has begun.",
        data: KNOWN,
    },
    EventEntry {
        kind: EventType::MediaKnown,
        about: "Who sent it was looked up, and the turn has begun.",
        data: KNOWN,
    },
    EventEntry {
        kind: EventType::Transcribed,
        about: "A voice note was heard.",
        data: &[TURN, WORDS, always("language", Text, "the language that was heard")],
    },
    EventEntry {
        kind: EventType::AgentAsked,
        about: "The agent was asked.",
        data: &[TURN, always("agent", Text, "the agent's name"), WORDS, USER_INFO],
    },
    EventEntry {
        kind: EventType::AgentAnswered,
        about: "The agent, or a rule in its place, has answered.",
        data: &[
            TURN,
            WORDS,
            always("outcome", Text, "how the turn is about to end"),
            maybe("open_ticket", Text, "why the agent wants a person"),
        ],
    },
    EventEntry { kind: EventType::OpenTicket, about: "A person is wanted.", data: WANTED },
    EventEntry { kind: EventType::TicketOpened, about: "There is a ticket.", data: WANTED },
    EventEntry {
        kind: EventType::AgentAssigned,
        about: "An operator has the ticket.",
        data: &[
            TICKET,
            always(
                "operator",
                Object(&[always("id", Text, "their id"), always("name", Text, "their name")]),
                "who has it",
            ),
        ],
    },
    EventEntry {
        kind: EventType::GetConversation,
        about: "What was said is wanted.",
        data: &[OPEN_TICKET],
    },
    EventEntry {
        kind: EventType::ConversationDocument,
        about: "What was said, the last 50 of it.",
        data: &[
            OPEN_TICKET,
            always(
                "messages",
                List(&[
                    always("from", Text, "`contact`, `agent` or `operator`"),
                    maybe("by", Text, "the name of the agent or operator"),
                    always("kind", Text, "the kind of the message"),
                    maybe("turn", Text, "the turn, whose sound the API has"),
                    WORDS,
                    always("at", Text, "when, RFC 3339"),
                ]),
                "oldest first",
            ),
        ],
    },
    EventEntry {
        kind: EventType::OperatorAnswered,
        about: "An operator has answered.",
        data: &[
            OPEN_TICKET,
            maybe("turn", Text, "the turn that sends it"),
            always("operator", Text, "who: an id, or a name"),
            always("kind", Text, "`text` or `voice`"),
            WORDS,
            maybe("message", Text, "WhatsApp's id, if it was written on the phone"),
        ],
    },
    EventEntry {
        kind: EventType::TicketClosed,
        about: "The ticket is closed: the agent answers again.",
        data: &[
            TICKET,
            always("reason", Text, "`operator`, `idle`, `command` or `merged`"),
            maybe("operator", Text, "who had it"),
        ],
    },
    EventEntry { kind: EventType::SendText, about: "A text is about to be sent.", data: SEND },
    EventEntry {
        kind: EventType::SendVoice,
        about: "A voice note is about to be sent.",
        data: SEND,
    },
    EventEntry {
        kind: EventType::SendMedia,
        about: "Something else is about to be sent, such as buttons.",
        data: SEND,
    },
    EventEntry { kind: EventType::TextSent, about: "WhatsApp has taken a text.", data: TAKEN },
    EventEntry {
        kind: EventType::VoiceSent,
        about: "WhatsApp has taken a voice note.",
        data: TAKEN,
    },
    EventEntry {
        kind: EventType::MediaSent,
        about: "WhatsApp has taken something else.",
        data: TAKEN,
    },
    EventEntry {
        kind: EventType::VoicePlayed,
        about: "The person has played a voice note.",
        data: &[TURN, PART, KIND],
    },
    EventEntry {
        kind: EventType::MessageFailed,
        about: "A message of ours was refused or not delivered.",
        data: &[
            TURN,
            PART,
            KIND,
            maybe("code", Number, "WhatsApp's error code"),
            maybe("error", Text, "what was said"),
        ],
    },
    EventEntry {
        kind: EventType::TurnEnded,
        about: "A turn has ended.",
        data: &[
            TURN,
            always(
                "outcome",
                Text,
                "`voice_note`, `text`, `question`, `ticket`, `fallback`, `failed`",
            ),
            maybe("reason", Text, "why it ended otherwise than wanted"),
            always("total_ms", Milliseconds, "how long it took"),
        ],
    },
    EventEntry {
        kind: EventType::CreditsLow,
        about: "The credits of a number or an agent are running out; once, by the turn that did it.",
        data: &[
            always("scope", Text, "`number` or `agent`"),
            always("name", Text, "the number's id, or the agent's name"),
            always("balance", Number, "what is left"),
            always("warn_below", Number, "what was to be left"),
        ],
    },
];

/// Returns what is said of a type.
pub fn entry(name: &str) -> Option<&'static EventEntry> {
    CATALOGUE.iter().find(|entry| entry.kind.name() == name)
}

/// Says what is wrong with an event's `data`: a member that is missing, unknown or of another kind.
pub fn problem(name: &str, data: &Value) -> Option<String> {
    let Some(entry) = entry(name) else { return Some(format!("{name} is in no list")) };
    let fields: Vec<EventField> = entry.data.iter().copied().chain([CONTACT]).collect();
    members_problem(&fields, data).map(|problem| format!("{name}: {problem}"))
}

fn members_problem(fields: &[EventField], value: &Value) -> Option<String> {
    let Value::Object(members) = value else { return Some("no object".to_owned()) };
    let missing = fields.iter().find(|field| field.always && !members.contains_key(field.name));
    if let Some(missing) = missing {
        return Some(format!("no {}", missing.name));
    }
    members.iter().find_map(|(name, value)| {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Some(format!("{name} is not described"));
        };
        let fits = match field.kind {
            Text => value.is_string(),
            Number => value.is_i64(),
            Milliseconds => value.is_number(),
            Flag => value.is_boolean(),
            Texts => value.as_object().is_some_and(|texts| texts.values().all(Value::is_string)),
            Object(fields) => return members_problem(fields, value),
            List(fields) => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                return items.iter().find_map(|item| members_problem(fields, item));
            }
        };
        (!fits).then(|| format!("{name} is {value}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let contact = json!({ "id": "1" });
        let check = |data: Value, expected: Option<&str>| {
            assert_eq!(problem("ticket-closed", &data).as_deref(), expected, "{data}");
        };
        check(json!({ "ticket": "t", "reason": "idle", "contact": contact }), None);
        check(json!({ "ticket": "t", "contact": contact }), Some("ticket-closed: no reason"));
        let odd = json!({ "ticket": 7, "reason": "idle", "contact": contact });
        check(odd, Some("ticket-closed: ticket is 7"));
        let more = json!({ "ticket": "t", "reason": "idle", "contact": { "id": "1", "age": 7 } });
        check(more, Some("ticket-closed: age is not described"));
        assert_eq!(problem("tea-made", &json!({})).as_deref(), Some("tea-made is in no list"));
    }
}
