//! The "read" mark and "typing" while a turn runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::provider::Messenger;
use crate::store::LeasedMessage;
use crate::turn::MessageId;

/// Time between two calls that show "typing": WhatsApp hides it after 25 s.
const TYPING_EVERY: Duration = Duration::from_secs(20);

/// Limits how long the end of a turn waits for the call that shows it.
const TYPING_END: Duration = Duration::from_millis(500);

/// Shows the person that the message was read and is being answered, until the turn ends.
pub(super) struct Typing {
    /// Stops the task also when the turn panics.
    stop: DropGuard,
    task: JoinHandle<()>,
    pub(super) marks: ReadMarks,
}

/// Marks further messages of the turn as read. Clones are of the same turn.
#[derive(Clone)]
pub(super) struct ReadMarks {
    messenger: Arc<dyn Messenger>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl ReadMarks {
    /// Marks a message.
    pub(super) fn add(&self, message: &MessageId) {
        let (messenger, message) = (Arc::clone(&self.messenger), message.clone());
        let task = tokio::spawn(async move { mark(messenger.as_ref(), &message).await });
        self.tasks.lock().expect("no holder panics").push(task);
    }
}

impl Typing {
    /// Shows it for the messages of a turn, if it is to be `shown`, and again before WhatsApp hides it.
    pub(super) fn start(
        messenger: &Arc<dyn Messenger>,
        messages: &[LeasedMessage],
        shown: bool,
    ) -> Self {
        let stop = CancellationToken::new();
        if !shown {
            stop.cancel();
        }
        let first = messages.first().expect("a lease holds a message");
        let (caller, message) = (Arc::clone(messenger), first.id.clone());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                mark(caller.as_ref(), &message).await;
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = tokio::time::sleep(TYPING_EVERY) => {}
                }
            }
        });
        let marks = ReadMarks { messenger: Arc::clone(messenger), tasks: Arc::default() };
        if shown {
            messages.iter().skip(1).for_each(|message| marks.add(&message.id));
        }
        Self { stop: stop.drop_guard(), task, marks }
    }

    /// Lets a call that is under way end, so that its connection stays usable, but not for long.
    pub(super) async fn stop(self) {
        let Self { stop, task, marks } = self;
        drop(stop);
        let mut tasks = std::mem::take(&mut *marks.tasks.lock().expect("no holder panics"));
        tasks.push(task);
        if tokio::time::timeout(TYPING_END, join_all(&mut tasks)).await.is_err() {
            tasks.iter().for_each(JoinHandle::abort);
        }
    }
}

/// Marks a message as read. A turn does not depend on it, so a failure is only worth a line.
async fn mark(messenger: &dyn Messenger, message: &MessageId) {
    if let Err(error) = messenger.read_and_typing(message).await {
        tracing::warn!(error = %error, "the message could not be marked as read");
    }
}
