//! Says who a contact is, from the store.
//!
//! Between the pipeline and the store.

use std::sync::Arc;

use crate::clock::Clock;
use crate::store::{Customers, OnFile};
use crate::turn::Customer;

/// Knows who writes.
pub struct CustomerBook {
    store: Arc<dyn Customers>,
    clock: Clock,
}

impl CustomerBook {
    /// Makes one.
    pub fn new(store: Arc<dyn Customers>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Returns what is known of a contact; `None` if nothing is, or it cannot be told now.
    pub async fn find(&self, contact_id: i64) -> Option<Customer> {
        match self.store.on_file(contact_id, self.clock.now_ms()).await {
            Ok(OnFile::Known(customer)) => Some(customer),
            Ok(OnFile::Unknown | OnFile::Nothing) => None,
            Err(error) => {
                error.log("it was not looked up who writes");
                None
            }
        }
    }
}
