//! The steps that are told to whoever wants to know: their names.
//!
//! Those of text and of tickets are the names of the message bus that hark's users come from; those
//! of the voice follow them.

use super::words::words;

words! {
    /// Names a step. The words are the `type` of the CloudEvents that tell of it.
    pub enum EventType {
        /// A text came.
        TextReceived = "whatsapp-business-text-message-received",
        /// A voice note or another file of sound came.
        VoiceReceived = "whatsapp-business-voice-message-received",
        /// Something else that is answered came, such as a picture.
        MediaReceived = "whatsapp-business-media-message-received",
        /// Who wrote a text was looked up.
        TextKnown = "whatsapp-business-text-message-with-user-info-received",
        /// Who spoke was looked up.
        VoiceKnown = "whatsapp-business-voice-message-with-user-info-received",
        /// Who sent something else was looked up.
        MediaKnown = "whatsapp-business-media-message-with-user-info-received",
        /// A voice note was heard.
        Transcribed = "voice-message-transcribed",
        /// The agent was asked.
        AgentAsked = "generate-ai-agent-answer-with-user-info",
        /// The agent has answered.
        AgentAnswered = "ai-agent-answer-generated",
        /// A person is wanted.
        OpenTicket = "open-ticket",
        /// There is a ticket.
        TicketOpened = "ticket-opened",
        /// An operator has the ticket.
        AgentAssigned = "agent-assigned",
        /// What was said is wanted.
        GetConversation = "get-conversation",
        /// What was said.
        ConversationDocument = "conversation-document",
        /// An operator has answered.
        OperatorAnswered = "agent-answer-generated",
        /// The ticket is closed: the agent answers again.
        TicketClosed = "ticket-closed",
        /// A text is sent.
        SendText = "send-whatsapp-business-text-message",
        /// A voice note is sent.
        SendVoice = "send-whatsapp-business-voice-message",
        /// Something else is sent, such as buttons.
        SendMedia = "send-whatsapp-business-media-message",
        /// WhatsApp has taken a text.
        TextSent = "whatsapp-business-text-message-sent",
        /// WhatsApp has taken a voice note.
        VoiceSent = "whatsapp-business-voice-message-sent",
        /// WhatsApp has taken something else.
        MediaSent = "whatsapp-business-media-message-sent",
        /// A voice note was played.
        VoicePlayed = "whatsapp-business-voice-message-played",
        /// A message of ours was not delivered.
        MessageFailed = "whatsapp-business-message-failed",
        /// A turn has ended.
        TurnEnded = "turn-ended",
        /// Credits are running out.
        CreditsLow = "credits-low",
    }
}

impl EventType {
    /// Returns whether it says what is known of the person.
    pub fn has_user_info(self) -> bool {
        matches!(self, Self::TextKnown | Self::VoiceKnown | Self::MediaKnown | Self::AgentAsked)
    }
}
