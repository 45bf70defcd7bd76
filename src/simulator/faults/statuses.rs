//! Faults of statuses: lost, late, twice, last first.

use std::sync::Arc;

use serde_json::Value;

use super::FaultKind as Kind;
use crate::simulator::Inner;

impl Inner {
    /// Posts the statuses of a message, which are in the order in which they became true. Whether
    /// hark took one is kept with the message.
    pub(in crate::simulator) async fn post_statuses(
        self: &Arc<Self>,
        statuses: Vec<Value>,
        about: &str,
    ) {
        let Some(dice) = &self.faults else {
            for status in statuses {
                self.statuses.post(&status).await;
            }
            return;
        };
        let mut posted: Vec<(usize, Value)> = Vec::new();
        let mut late = Vec::new();
        let mut numbered: Vec<_> = statuses.into_iter().enumerate().collect();
        if dice.hits(Kind::StatusReversed, about) {
            numbered.reverse();
        }
        for (place, status) in numbered {
            let about = format!("{about}/{place}");
            if dice.hits(Kind::StatusLost, &about) {
                continue;
            }
            if dice.hits(Kind::StatusDuplicate, &about) {
                posted.push((place, status.clone()));
            }
            let to = if dice.hits(Kind::StatusLate, &about) { &mut late } else { &mut posted };
            to.push((place, status));
        }
        for (place, status) in posted {
            self.post_status(place, &status).await;
        }
        if late.is_empty() {
            return;
        }
        let wait = dice.plan.wait("statuses", "late_ms");
        let shared = Arc::clone(self);
        self.hold_back(wait, async move {
            for (place, status) in late {
                shared.post_status(place, &status).await;
            }
        })
        .await;
    }

    /// Queues a status, the one at this place among its message's, and notes when it was taken.
    async fn post_status(self: &Arc<Self>, place: usize, body: &Value) {
        let status = &body["entry"][0]["changes"][0]["value"]["statuses"][0];
        let id = status["id"].as_str().unwrap_or_default().to_owned();
        let taken = self.statuses.post_noted(body).await;
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            if let Ok(Ok(())) = taken.await {
                let now_ms = shared.now_ms();
                let mut state = shared.state();
                let message = state.message_mut(&id);
                if let Some(status) = message.and_then(|kept| kept.statuses.get_mut(place)) {
                    status.told_at_ms.get_or_insert(now_ms);
                }
            }
        });
    }
}
