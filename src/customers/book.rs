//! Says who a contact is: from the store, else from the server that is asked.
//!
//! Between the pipeline and the store. Invariants: nobody waits longer than the server's time; what it
//! told is kept in the store, where every node finds it, without a turn waiting for the disk.

use std::sync::Arc;

use super::{CustomerSettings, Lookup};
use crate::clock::Clock;
use crate::engine::Notice;
use crate::store::{Customers, OnFile};
use crate::turn::{ContactRef, Customer};

/// Knows who writes.
pub struct CustomerBook {
    store: Arc<dyn Customers>,
    lookup: Option<Lookup>,
    clock: Clock,
}

impl CustomerBook {
    /// Makes one; `client` is for the server, if there is one.
    pub fn new(
        store: Arc<dyn Customers>,
        settings: &CustomerSettings,
        client: reqwest::Client,
        clock: Clock,
        notice: Notice,
    ) -> Self {
        let lookup = Lookup::new(settings, client, clock.clone(), notice);
        Self { store, lookup, clock }
    }

    /// Returns what is known of a contact; `None` if nothing is, or it cannot be told now.
    pub async fn find(&self, contact_id: i64, contact: &ContactRef) -> Option<Customer> {
        match self.store.on_file(contact_id, self.clock.now_ms()).await {
            Ok(OnFile::Known(customer)) => return Some(customer),
            Ok(OnFile::Unknown) => return None,
            Ok(OnFile::Nothing) => {}
            Err(error) => {
                error.log("it was not looked up who writes");
                return None;
            }
        }
        let lookup = self.lookup.as_ref()?;
        let told = lookup.ask(contact).await?;
        let (now_ms, holds_ms) = (self.clock.now_ms(), lookup.holds_ms());
        if holds_ms > 0 {
            let (store, told) = (Arc::clone(&self.store), told.clone());
            tokio::spawn(async move {
                let until_ms = now_ms.saturating_add(holds_ms);
                if let Err(error) = store.keep_lookup(contact_id, told, now_ms, until_ms).await {
                    error.log("it was not kept who writes: the server is asked again");
                }
            });
        }
        told
    }
}
