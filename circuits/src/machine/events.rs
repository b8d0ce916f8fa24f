//! What the machines make their rows from: a batch's transactions, the journal of its leaves, and a queue for each type
//! of event.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
};

use alloy_primitives::Address;
use cairn_protocol::{tx::DecodedTx, witness::BatchWitness};

use crate::machines::journal::Journal;

/// The events of one batch. A machine pushes events of another machine's type, which that machine takes: neither has to
/// be named here.
#[derive(Debug)]
pub struct Events<'a> {
    pub witness: &'a BatchWitness,
    /// The batch's transactions with the senders that their signatures yield.
    pub transactions: &'a [(DecodedTx, Address)],
    /// The leaves that the batch touches, as the machines so far left them.
    pub journal: Journal,
    queues: HashMap<TypeId, Box<dyn Any>>,
}

impl<'a> Events<'a> {
    /// The events of a batch before any machine ran: none.
    #[must_use]
    pub fn new(
        witness: &'a BatchWitness,
        transactions: &'a [(DecodedTx, Address)],
        journal: Journal,
    ) -> Self {
        Self { witness, transactions, journal, queues: HashMap::new() }
    }

    /// Adds an event for the machine that takes events of this type.
    pub fn push<E: 'static>(&mut self, event: E) {
        let queue = self.queues.entry(TypeId::of::<E>()).or_insert_with(|| Box::new(Vec::<E>::new()));
        // The key is the type of the events.
        if let Some(events) = queue.downcast_mut::<Vec<E>>() {
            events.push(event);
        }
    }

    /// The events of a type, in the order in which they were pushed.
    #[must_use]
    pub fn take<E: 'static>(&mut self) -> Vec<E> {
        let queue = self.queues.remove(&TypeId::of::<E>());
        queue.and_then(|queue| queue.downcast::<Vec<E>>().ok()).map_or_else(Vec::new, |events| *events)
    }

    /// Whether every event was taken: otherwise a machine stands before one that pushes events for it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.queues.is_empty()
    }
}
