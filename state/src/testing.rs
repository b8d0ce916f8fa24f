//! A store that fails on demand, for the tests of this crate and of those that use it. Not for production.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::store::{Batch, Store, StoreError, Table, Visitor};

/// Whether a failing step takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not: the step fails before it is executed.
    Before,
    /// It does: the step is executed and an error is returned.
    After,
}

#[derive(Debug)]
struct Plan {
    steps_left: usize,
    fault: Fault,
    error: StoreError,
}

/// A store that lets some steps through, fails at the next one, and from then on refuses every step until it is healed.
/// A step is a write, with or without sync, or a sync. Reads always succeed.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Mutex<Option<Plan>>,
    steps: AtomicUsize,
}

impl FaultyStore {
    /// Passes everything on to `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, plan: Mutex::new(None), steps: AtomicUsize::new(0) }
    }

    /// Fails with `error` after `steps` more steps.
    pub fn fail_after(&self, steps: usize, fault: Fault, error: StoreError) {
        *self.plan() = Some(Plan { steps_left: steps, fault, error });
    }

    /// Lets all steps succeed again.
    pub fn heal(&self) {
        *self.plan() = None;
    }

    /// Number of steps that took effect.
    pub fn steps(&self) -> usize {
        self.steps.load(Ordering::SeqCst)
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, run: impl FnOnce(&dyn Store) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut plan = self.plan();
        let fails = match &mut *plan {
            None => None,
            Some(plan) if plan.steps_left > 0 => {
                plan.steps_left -= 1;
                None
            }
            Some(plan) => Some((std::mem::replace(&mut plan.fault, Fault::Before), plan.error.clone())),
        };
        match fails {
            Some((Fault::Before, error)) => Err(error),
            Some((Fault::After, error)) => {
                run(&*self.inner)?;
                self.steps.fetch_add(1, Ordering::SeqCst);
                Err(error)
            }
            None => {
                run(&*self.inner)?;
                self.steps.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        }
    }
}

impl Store for FaultyStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(table, key)
    }

    fn scan(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.inner.scan(table, from, visit)
    }

    fn scan_back(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.inner.scan_back(table, from, visit)
    }

    fn last_version(&self, table: Table, key: &[u8]) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.inner.last_version(table, key)
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.step(|store| store.write(batch))
    }

    fn write_unsynced(&self, batch: Batch) -> Result<(), StoreError> {
        self.step(|store| store.write_unsynced(batch))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.step(|store| store.sync())
    }
}
