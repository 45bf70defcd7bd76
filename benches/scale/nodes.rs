//! One node, then three, on the same cores and a PostgreSQL each time anew: what three answer beside
//! what one does. Engines take no time, so that all of them compute as much as they can.

use clap::Args;

use super::StoreKind;
use super::drain::{Waiting, drain};

#[derive(Args)]
pub(crate) struct Settings {
    /// Messages that wait.
    #[arg(long, default_value_t = 30_000)]
    messages: usize,
    /// People whom they are of.
    #[arg(long, default_value_t = 3_000)]
    lanes: usize,
    /// How often it is measured, one beside three.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let waiting = Waiting { messages: settings.messages, lanes: settings.lanes };
    let mut ratios = Vec::new();
    for _ in 0..settings.rounds {
        let mut rates = [0.0; 2];
        for (rate, nodes) in rates.iter_mut().zip([1, 3]) {
            let drained = drain(StoreKind::Postgres, waiting, nodes).await?;
            println!("{nodes} nodes: {drained}");
            drained.check(waiting)?;
            *rate = drained.rate();
        }
        ratios.push(rates[1] / rates[0]);
        println!("three answer {:.2} of what one does", rates[1] / rates[0]);
    }
    ratios.sort_by(f64::total_cmp);
    println!("the median of {} rounds: {:.2}", ratios.len(), ratios[ratios.len() / 2]);
    Ok(())
}
