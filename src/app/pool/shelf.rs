//! Engines that were made, each with what it was made of.

use std::sync::Arc;

use crate::engine::EngineSpec;

/// Holds the engines of one role; two that were made of the same are one. The lock is held while
/// an engine is made and warmed, so that no second one is.
pub(super) struct Shelf<T: ?Sized>(tokio::sync::Mutex<Vec<(EngineSpec, Arc<T>)>>);

impl<T: ?Sized> Default for Shelf<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::default())
    }
}

impl<T: ?Sized> Shelf<T> {
    /// Returns the engine of `spec`, which holds its own keys alone; `make` makes it if it is not
    /// there. What fails is not kept.
    pub(super) async fn get(
        &self,
        spec: EngineSpec,
        make: impl AsyncFnOnce() -> anyhow::Result<Arc<T>>,
    ) -> anyhow::Result<Arc<T>> {
        let mut made = self.0.lock().await;
        if let Some((_, engine)) = made.iter().find(|(known, _)| *known == spec) {
            return Ok(Arc::clone(engine));
        }
        let engine = make().await?;
        made.push((spec, Arc::clone(&engine)));
        Ok(engine)
    }

    /// Drops the engines that nobody else holds; returns how many.
    pub(super) async fn evict(&self) -> usize {
        let mut made = self.0.lock().await;
        let before = made.len();
        made.retain(|(_, engine)| Arc::strong_count(engine) > 1);
        before - made.len()
    }
}
