//! The "read" mark and "typing" while a turn runs.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::provider::Messenger;
use crate::turn::MessageId;

/// Time between two calls that show "typing": WhatsApp hides it after 25 s.
const TYPING_EVERY: Duration = Duration::from_secs(20);

/// Limits how long the end of a turn waits for the call that shows it.
const TYPING_END: Duration = Duration::from_millis(500);

/// Shows the person that the message was read and is being answered, until the turn ends.
pub(super) struct Typing {
    /// Stops the task also when the turn panics.
    stop: DropGuard,
    task: tokio::task::JoinHandle<()>,
}

impl Typing {
    /// Shows it, if it is to be `shown`, and again before WhatsApp hides it.
    pub(super) fn start(messenger: &Arc<dyn Messenger>, message: &MessageId, shown: bool) -> Self {
        let stop = CancellationToken::new();
        if !shown {
            stop.cancel();
        }
        let (messenger, message) = (Arc::clone(messenger), message.clone());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                // A turn does not depend on it, so a failure is only worth a line.
                if let Err(error) = messenger.read_and_typing(&message).await {
                    tracing::warn!(error = %error, "the message could not be marked as read");
                }
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = tokio::time::sleep(TYPING_EVERY) => {}
                }
            }
        });
        Self { stop: stop.drop_guard(), task }
    }

    /// Lets a call that is under way end, so that its connection stays usable, but not for long.
    pub(super) async fn stop(self) {
        let Self { stop, mut task } = self;
        drop(stop);
        if tokio::time::timeout(TYPING_END, &mut task).await.is_err() {
            task.abort();
        }
    }
}
