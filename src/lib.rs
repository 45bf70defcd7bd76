//! hark answers WhatsApp messages by voice.
//!
//! One turn, from [`http`] to the sent note:
//! 1. `http` checks the webhook's signature over its raw bytes and parses every message in it.
//! 2. `queue::inbox` drops duplicates and stores the rest in one transaction; then the webhook is
//!    answered.
//! 3. `queue::lanes` leases them: one contact's in order, different contacts side by side.
//! 4. `pipeline` downloads a voice note, `audio` decodes it and finds the speech in it.
//! 5. `stt` transcribes the speech; a text message joins here.
//! 6. The doors of `pipeline` may answer themselves; else `knowledge` is searched and `agent` answers,
//!    piece by piece, and `speech_text` cuts the pieces into sentences.
//! 7. `tts` speaks each sentence while the next is written.
//! 8. `audio` encodes the sound into one growing Ogg/Opus note.
//! 9. `provider` uploads and sends it; every part is in `store` before its call.
//! 10. Delivery statuses come back through `http` into `store`.

pub mod agent;
pub mod app;
pub mod audio;
pub mod bench;
pub mod blobs;
pub mod bridge;
pub mod cli;
pub mod clock;
pub mod config;
pub mod customers;
pub mod desk;
pub mod engine;
pub mod events;
pub mod http;
pub mod knowledge;
pub mod lifecycle;
pub mod models;
pub mod pipeline;
pub mod provider;
pub mod queue;
pub mod registry;
pub mod remote;
pub mod simulator;
pub mod speech_text;
pub mod store;
pub mod stt;
pub mod telemetry;
pub mod threads;
pub mod tts;
pub mod turn;
pub mod usage;
pub mod written;
