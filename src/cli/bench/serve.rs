//! `hark bench serve`: drives a service that runs already, from outside.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::super::playground;
use super::arguments::{LoadPlan, Output, Sent, Served};
use super::output;
use super::run::{Subject, crowd, steps};
use crate::bench::{Process, TurnRecords};
use crate::lifecycle::Shutdown;
use crate::simulator::Door;
use crate::store::{Access, SqlStore};

/// Measures the service behind a webhook.
pub(super) async fn served(
    sent: Sent,
    plan: LoadPlan,
    served: Served,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let old = output::old(&output)?;
    let shutdown = Shutdown::on_signals()?;
    let (recordings, problems) = sent.recordings()?;
    let listener = TcpListener::bind(&served.listen)
        .await
        .with_context(|| format!("listening on {} (--listen)", served.listen))?;
    let number = served.phone_number_id.as_str();
    let (secret, webhook) = (&served.app_secret, served.url.clone());
    let whatsapp = playground::simulator_of(Door::Meta, number, secret, None, webhook, None);
    let simulating = CancellationToken::new();
    tokio::spawn(whatsapp.clone().serve(listener, simulating.clone()));
    let record = match &served.store {
        Some(store) => {
            let archive = Arc::new(SqlStore::open(store, Access::Inspect)?);
            Some(TurnRecords { archive, number: number.into() })
        }
        None => None,
    };
    let mut subject = Subject {
        crowd: crowd(whatsapp, recordings, &plan, &shutdown),
        process: served.pid.map(Process::of),
        record,
        engines: vec![format!("whatever answers at {}", served.url)],
        build: "driven from outside".to_owned(),
        commit: format!("bench {}", crate::telemetry::COMMIT),
    };
    let report = steps(&mut subject, &plan, &shutdown, problems).await?;
    simulating.cancel();
    output::give(&report, &output, old)
}
