//! Webhooks at a constant rate: how long until they are durable and answered, and what they cost.

use anyhow::ensure;
use clap::Args;

use super::load::Load;
use super::service::{Backing, NUMBER, Node, SECRET};
use super::{StoreKind, stores};

#[derive(Args)]
pub(crate) struct Settings {
    /// One store; both unless given.
    #[arg(long, value_enum)]
    store: Option<StoreKind>,
    /// Webhooks a second.
    #[arg(long, default_values_t = [10, 100, 1000])]
    rate: Vec<u32>,
    /// Seconds of each rate.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Kept connections.
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    for kind in stores(settings.store) {
        let backing = Backing::new(kind)?;
        let node = Node::start(&backing, "http://127.0.0.1:9", "one").await?;
        // People are made, statements prepared, connections opened.
        post(&node, settings, 200, 5).await?;
        for rate in &settings.rate {
            measure(kind, &backing, &node, settings, *rate).await?;
        }
    }
    Ok(())
}

async fn measure(
    kind: StoreKind,
    backing: &Backing,
    node: &Node,
    settings: &Settings,
    rate: u32,
) -> anyhow::Result<()> {
    let (cpu, server_cpu) = (node.cpu_ms(), backing.cpu_ms().await?);
    let ((size, log), redis) = (backing.bytes()?, backing.redis_bytes().await?);
    let hits = post(node, settings, rate, settings.seconds).await?;
    let of_each = |after: f64, before: f64| (after - before) / f64::from(rate * settings.seconds);
    let (size_now, log_now) = backing.bytes()?;
    println!("{kind:?}, {rate}/s: {hits}");
    let lost = (rate * settings.seconds) as usize - hits.acknowledged().len();
    ensure!(lost == 0, "{lost} were not taken");
    println!(
        "  of each: {:.2} ms of hark's processor time, {:.2} ms of its servers'; {:.0} bytes of the \
         store, {:.0} of its server's log, {:.0} of Redis",
        of_each(node.cpu_ms(), cpu),
        of_each(backing.cpu_ms().await?, server_cpu),
        of_each(size_now, size),
        of_each(log_now, log),
        of_each(backing.redis_bytes().await?, redis),
    );
    Ok(())
}

async fn post(
    node: &Node,
    settings: &Settings,
    rate: u32,
    seconds: u32,
) -> anyhow::Result<super::load::Hits> {
    let (url, secret, number) = (node.webhook(), SECRET.into(), NUMBER.to_owned());
    Load { url, secret, number, rate, seconds, connections: settings.connections }.run().await
}
