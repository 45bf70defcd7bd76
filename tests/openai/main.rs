//! `cargo run --example openai_server`: a local server to point hark at, with a steady pace.
//!
//! ```text
//! HARK__STT__ENGINE=openai HARK__STT__URL=http://127.0.0.1:8091/v1 HARK__STT__MODEL=any \
//! HARK__LLM__ENGINE=openai HARK__LLM__URL=http://127.0.0.1:8091/v1 HARK__LLM__MODEL=any \
//! HARK__TTS__ENGINE=openai HARK__TTS__URL=http://127.0.0.1:8091/v1 HARK__TTS__MODEL=any \
//!     hark ask --text "what does it cost" -o reply.ogg
//! ```

#![expect(clippy::print_stdout, reason = "a program tells where it listens")]
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a fake that is broken")]

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "mod.rs"]
mod openai;

use std::net::SocketAddr;

use clap::Parser;
use openai::chat::{Chat, Script};
use openai::ears::Ears;
use openai::speech::Speech;
use tokio::net::TcpListener;

/// A server that speaks `OpenAI`'s API and always says the same.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8091")]
    listen: SocketAddr,
    /// What to answer.
    #[arg(
        long,
        default_value = "Thank you for asking. It is two euros fifty, and it will be ready in \
                         about ten minutes. Shall I put your name on it?"
    )]
    text: String,
    /// What to hear in every sound.
    #[arg(long, default_value = "when do you open")]
    heard: String,
    /// From the request to the first word, in milliseconds.
    #[arg(long, default_value_t = 150)]
    first_token_ms: u64,
    /// Words a second after that; 0 is at once.
    #[arg(long, default_value_t = 60.0)]
    tokens_per_s: f64,
    /// Seconds of work a second of sound; a sound is a tone for each sentence.
    #[arg(long, default_value_t = 0.1)]
    rtf: f64,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let script = Script::says(&arguments.text);
    let script = script.paced(arguments.first_token_ms, arguments.tokens_per_s);
    let speech = Speech::paced(arguments.rtf);
    let ears = Ears::hearing(&arguments.heard);
    let router = openai::router(Chat::new([script])).merge(speech.router()).merge(ears.router());
    let listener = TcpListener::bind(arguments.listen).await?;
    println!("listening on http://{}/v1", listener.local_addr()?);
    axum::serve(listener, router).await
}
