//! What the lanes run: opens a turn's record, runs the turn, closes the record.

use std::time::Duration;

use async_trait::async_trait;

use super::ahead::{AheadOfTurn, Recorded};
use super::deliver::Delivery;
use super::kept::TurnSounds;
use super::stage::Trace;
use super::takeover::is_for_a_person;
use super::turn::Turn;
use super::typing::Typing;
use super::{Pipeline, Route, Scene};
use crate::queue::{Cancel, Handled, JobHandler, News};
use crate::store::{Begun, CreditWarning, Draft, Lease, StoreError};
use crate::telemetry;
use crate::turn::{Spent, Talker};

/// Time between two looks at a message whose number is paused: short, so that it is answered soon
/// after the pause. Only what was accepted before the pause waits so, and a look is a lease and a
/// release.
const PAUSED: Duration = Duration::from_secs(10);

/// Time between two log lines about such a message.
const PAUSED_LOG: Duration = Duration::from_mins(15);

/// Wait of a message whose turn could not be recorded.
const STORE_RETRY: Duration = Duration::from_secs(1);

#[async_trait]
impl JobHandler for Pipeline {
    /// Opens the turn's record, runs the turn and closes the record.
    #[tracing::instrument(
        name = "turn",
        // Whatever is logged of a turn names it, at every level.
        level = "error",
        skip_all,
        fields(
            turn.id = %lease.turn,
            number.id = %lease.lane.number,
            agent = tracing::field::Empty,
            attempt = lease.attempt
        )
    )]
    async fn handle(&self, lease: Lease, cancel: Cancel, news: News) -> Handled {
        let waited = self.age(&lease);
        let Some(route) = self.routes.route(&lease.lane.number) else {
            if waited.as_millis() % PAUSED_LOG.as_millis() < PAUSED.as_millis() {
                tracing::warn!("a message waits: its number is paused or not configured");
            }
            return Handled::Postpone(PAUSED);
        };
        let (trace, record) = (Trace::start(), &self.record);
        let (queue_ms, now_ms) = (waited.as_secs_f64() * 1000.0, self.clock.now_ms());
        tracing::Span::current().record("agent", &route.agent.name);
        let opened = record.begin(&lease, route.used(), queue_ms, now_ms);
        let (recorded, sounds) = (Recorded::new(), TurnSounds::new(self.sounds.clone()));
        let scene = Scene {
            contact: lease.contact.profile_name.as_ref(),
            talker: Some(Talker::of_contact(lease.lane.contact_id)),
            recorded: Some(&recorded),
            ..Scene::alone(&self.path, &route.agent, &trace, cancel.token())
        };
        let ahead = AheadOfTurn::while_doing(scene, &route, &lease, &sounds, opened);
        let (ahead, begun) = ahead.await;
        let begun = match begun {
            Ok(Begun { finished: true, .. }) => return Handled::Done,
            Ok(begun) => begun,
            Err(error) => return unrecorded(&error),
        };
        recorded.set(()).expect("it is set here alone");
        log_begin(&lease, &route, queue_ms);
        // A person who takes over reads and types on their own.
        let shown = !is_for_a_person(begun.desk, &lease);
        let typing = Typing::start(&route.messenger, &lease.messages, shown);
        let delivery = Delivery {
            files: &route.agent.files,
            pipeline: self,
            messenger: route.messenger.as_ref(),
            lease: &lease,
            trace: &trace,
            cancel: cancel.token(),
            news: &news,
            per_second: route.per_second,
            unless_more: false,
        };
        let turn = Turn {
            pipeline: self,
            route: &route,
            lease: &lease,
            delivery,
            news: &news,
            marks: typing.marks.clone(),
            scene: Scene { desk: begun.desk, ..scene },
            ahead,
            cancel: &cancel,
            told_ms: begun.told_ms,
            planned_ms: begun.planned_ms,
            credit: begun.credit,
            sounds: &sounds,
        };
        let ended = Box::pin(turn.run(begun)).await;
        drop(turn);
        typing.stop().await;
        let language = ended.as_ref().ok().and_then(|ended| ended.language.clone());
        let handled = self.close(&lease, ended, &trace).await;
        // Now, when nobody waits for the disk or the network.
        sounds.hand_over(&lease);
        if let Handled::Done = handled {
            self.summaries.look(&route, &lease.lane, language.unwrap_or_default());
        }
        handled
    }
}

/// Says that a turn begins.
fn log_begin(lease: &Lease, route: &Route, queue_ms: f64) {
    tracing::info!(
        contact.id = lease.lane.contact_id,
        message.type = lease.first().raw_type,
        messages = (lease.messages.len() > 1).then_some(lease.messages.len()),
        agent = route.agent.name,
        queue_ms,
        "a turn begins"
    );
}

impl Pipeline {
    /// Closes the record of a turn that has ended, or keeps what an attempt spent.
    async fn close(&self, lease: &Lease, ended: Result<Draft, Handled>, trace: &Trace) -> Handled {
        trace.log_stages();
        let ended = match ended {
            Ok(ended) => ended,
            Err(handled) => {
                self.keep_spent(lease, &trace.spent()).await;
                return handled;
            }
        };
        telemetry::turn(&ended.report);
        match self.record.finish(lease, &ended, self.clock.now_ms()).await {
            Ok(warnings) => {
                warnings.iter().for_each(warn);
                self.failures.forget(&lease.turn);
                Handled::Done
            }
            Err(error) => unrecorded(&error),
        }
    }

    /// Keeps what an attempt spent whose turn has not ended: what is paid stays paid.
    async fn keep_spent(&self, lease: &Lease, spent: &Spent) {
        if *spent == Spent::default() {
            return;
        }
        match self.record.spent(lease, spent).await {
            // Another attempt counts for itself.
            Ok(()) | Err(StoreError::LeaseLost) => {}
            Err(error) => error.log("what an attempt spent was not counted"),
        }
    }

    /// Returns the time since the first message was accepted.
    pub(super) fn age(&self, lease: &Lease) -> Duration {
        self.since(lease.first().received_ms)
    }

    /// Returns the time since an instant.
    pub(super) fn since(&self, instant_ms: i64) -> Duration {
        self.clock.age(instant_ms)
    }
}

/// Says that credits are running out.
fn warn(CreditWarning { scope, name, balance, warn_below }: &CreditWarning) {
    telemetry::credits_low(scope.name());
    tracing::warn!(
        credits.scope = scope.name(),
        credits.of = name,
        credits.balance = balance,
        credits.warn_below = warn_below,
        "credits are running out: at 0 nothing is answered; `hark usage credits add` adds some"
    );
}

/// Gives messages back whose turn could not be recorded. That nothing can be committed is an error
/// which the store tells once.
fn unrecorded(error: &StoreError) -> Handled {
    let says = "a turn could not be recorded: its message waits";
    if matches!(error, StoreError::Commit(_)) {
        tracing::warn!(error = %error, "{says}");
    } else {
        tracing::error!(error = %error, "{says}");
    }
    Handled::RetryAfter(STORE_RETRY)
}
