//! The transaction pool: validated transactions by sender and nonce, offered to the executor best price first. In memory
//! alone: whoever owns it keeps what it holds on disk.
//!
//! ```text
//! raw ─► decode ─► stateless rules ─► sender ─► provability ─► account rules ─► queues ─► begin ─► included
//! ```
//!
//! A transaction is **pending** if every nonce between the account's and its own is pooled, else **queued**. Only the
//! first pending transaction of a sender that is not being executed is **ready**. Ready ones are offered by price, then by
//! arrival. What was accepted leaves the pool in five ways only: in a block, replaced by its sender at a price 10 %
//! higher, found invalid when its turn came, no longer payable or provable after a batch, or at the end of its lifetime.
//! It is never evicted: a full pool refuses newcomers instead, and so does a state tree that has no more positions in the
//! largest circuit than the accounts that what was accepted may create.

mod error;
mod promised;
mod queue;
mod valid;

use std::collections::{BTreeSet, HashMap};

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_protocol::{
    Fr,
    leaf::AccountValue,
    transfer::{AccountReader, InvalidTx, NotProvable, max_cost_wei},
};
use cairn_state::{StateView, TreeReader};
use serde::{Deserialize, Serialize};

pub use self::{error::PoolError, valid::ValidTx};
use self::{
    promised::Promised,
    queue::{AccountQueue, ReadyKey},
};
use crate::{admission::Admission, counters::may_create, shapes::Room};

/// Limits and prices.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    pub chain_id: u64,
    pub admission: Admission,
    /// Receives the fees; one of the leaves that a transaction touches.
    pub coinbase: Address,
    /// That of the largest circuit shape.
    pub room: Room,
    /// Transactions in the pool.
    pub max_transactions: usize,
    /// Transactions of one sender.
    pub max_per_account: usize,
    /// How far a nonce may be ahead of the account's.
    pub max_nonce_gap: u64,
    /// Largest transaction, in bytes.
    pub max_transaction_bytes: usize,
    /// Seconds after which a transaction leaves the pool; 0: never.
    pub lifetime_s: u64,
}

/// By how much a replacement must raise both prices, in percent.
pub const REPLACEMENT_BUMP_PERCENT: u128 = 10;

/// Leaves that a batch creates besides its transactions': the entry of a global exit root. A position is kept free for it
/// beside those that are promised, since a batch may have been opened with a root and not be written yet.
const BATCH_CREATES: u64 = 1;

/// A pooled transaction as it is kept on disk, under its arrival number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTx {
    /// As on the wire.
    pub raw: Bytes,
    /// Unix time in seconds.
    pub received_s: u64,
}

/// A transaction in the pool.
#[derive(Clone, Debug)]
pub struct PooledTx {
    pub valid: ValidTx,
    /// Order of arrival.
    pub arrival: u64,
    /// Unix time in seconds.
    pub received_s: u64,
    /// Accounts that were absent when it came and that it may create. Empty where nothing is proven.
    creates: Vec<Address>,
}

impl PooledTx {
    /// As it is kept on disk.
    #[must_use]
    pub fn stored(&self) -> StoredTx {
        StoredTx { raw: self.valid.tx.raw().clone(), received_s: self.received_s }
    }
}

/// A transaction that was accepted.
#[derive(Clone, Debug)]
pub struct Added {
    pub pooled: PooledTx,
    /// The one whose place it took.
    pub replaced: Option<PooledTx>,
}

/// Why an accepted transaction left the pool without a block.
#[derive(Debug, thiserror::Error)]
pub enum DropReason {
    #[error("replaced by {by}")]
    Replaced { by: B256 },
    #[error("in the pool for {seconds} s, the lifetime is {lifetime_s} s")]
    Lifetime { seconds: u64, lifetime_s: u64 },
    /// Found when its turn came.
    #[error("{reason}")]
    Execution { reason: String },
    /// A rule that it broke later on.
    #[error(transparent)]
    Rule(#[from] PoolError),
}

/// How many transactions the pool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    pub pending: usize,
    pub queued: usize,
}

/// The transactions of one sender, by nonce.
#[derive(Clone, Copy, Debug)]
pub struct PooledAccount<'a> {
    pub sender: Address,
    queue: &'a AccountQueue,
}

impl<'a> PooledAccount<'a> {
    /// Those that nothing stands before.
    pub fn pending(&self) -> impl Iterator<Item = &'a PooledTx> + use<'a> {
        self.queue.by_nonce.range(..self.queue.pending_nonce()).map(|(_, pooled)| pooled)
    }

    /// Those that wait for a nonce.
    pub fn queued(&self) -> impl Iterator<Item = &'a PooledTx> + use<'a> {
        self.queue.by_nonce.range(self.queue.pending_nonce()..).map(|(_, pooled)| pooled)
    }
}

/// The pool.
pub struct Pool {
    config: PoolConfig,
    min_price_wei: u128,
    next_arrival: u64,
    accounts: HashMap<Address, AccountQueue>,
    by_hash: HashMap<B256, (Address, u64)>,
    ready: BTreeSet<ReadyKey>,
    /// Senders with transactions that are executed and in no written block.
    executing: BTreeSet<Address>,
    promised: Promised,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("transactions", &self.by_hash.len()).finish_non_exhaustive()
    }
}

fn read_account(state: &StateView, address: Address) -> Result<AccountValue, PoolError> {
    let account = state.read_account(address)?;
    Ok(account.map(|(value, _)| value).unwrap_or_default())
}

fn has_code(account: &AccountValue) -> bool {
    account.code_hash != Fr::default()
}

/// `price` raised by [`REPLACEMENT_BUMP_PERCENT`], rounded up.
fn bumped(price: u128) -> u128 {
    price
        .saturating_add((price / 100).saturating_mul(REPLACEMENT_BUMP_PERCENT))
        .saturating_add(((price % 100) * REPLACEMENT_BUMP_PERCENT).div_ceil(100))
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new(config: PoolConfig) -> Self {
        Self {
            config,
            min_price_wei: 0,
            next_arrival: 0,
            accounts: HashMap::new(),
            by_hash: HashMap::new(),
            ready: BTreeSet::new(),
            executing: BTreeSet::new(),
            promised: Promised::default(),
        }
    }

    /// Takes back what was accepted before a restart, in the order of arrival, if it is still valid.
    ///
    /// # Errors
    /// The rule that it breaks by now, or a failing store.
    pub fn restore(&mut self, arrival: u64, stored: &StoredTx, state: &StateView) -> Result<(), PoolError> {
        self.next_arrival = self.next_arrival.max(arrival + 1);
        let valid = ValidTx::new(&stored.raw, &self.config)?;
        let nonce = self.check_account(&valid, state)?;
        // It was promised its positions when it came.
        let creates = self.promise(&valid, state, 0)?;
        self.insert(PooledTx { valid, arrival, received_s: stored.received_s, creates }, nonce);
        Ok(())
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// Price below which newcomers are refused, in wei.
    #[must_use]
    pub const fn min_price_wei(&self) -> u128 {
        self.min_price_wei
    }

    /// Sets the price below which newcomers are refused. What is pooled stays.
    pub const fn set_min_price_wei(&mut self, price: u128) {
        self.min_price_wei = price;
    }

    /// Takes a transaction in. It is for the caller to make it durable before the sender is told.
    ///
    /// # Errors
    /// The first rule that is broken; the pool is then unchanged.
    pub fn add(&mut self, valid: ValidTx, now_s: u64, state: &StateView) -> Result<Added, PoolError> {
        // First by the state: what is in a block is a used nonce, even in the moment before it leaves the pool.
        let account_nonce = self.check_account(&valid, state)?;
        if self.by_hash.contains_key(&valid.hash) {
            return Err(PoolError::AlreadyKnown);
        }
        let price = valid.tx.effective_gas_price();
        if price < self.min_price_wei {
            return Err(PoolError::Underpriced { got: price, minimum: self.min_price_wei });
        }
        let queue = self.accounts.get(&valid.sender);
        if let Some(queue) = queue
            && valid.tx.nonce < queue.next_nonce
        {
            // Executed; its block is being written.
            return Err(PoolError::NonceTooLow { next: queue.next_nonce, got: valid.tx.nonce });
        }
        match queue.and_then(|q| q.by_nonce.get(&valid.tx.nonce)) {
            Some(old) => {
                let old = &old.valid.tx;
                if valid.tx.max_fee_per_gas < bumped(old.max_fee_per_gas)
                    || price < bumped(old.max_priority_fee_per_gas)
                {
                    return Err(PoolError::ReplacementUnderpriced);
                }
            }
            None => {
                let limit = self.config.max_per_account;
                if queue.is_some_and(|q| q.by_nonce.len() >= limit) {
                    return Err(PoolError::AccountLimit { limit });
                }
                let limit = self.config.max_transactions;
                if self.by_hash.len() >= limit {
                    return Err(PoolError::Full { limit });
                }
            }
        }
        let creates = self.promise(&valid, state, BATCH_CREATES)?;
        let pooled = PooledTx { valid, arrival: self.next_arrival, received_s: now_s, creates };
        self.next_arrival += 1;
        let replaced = self.insert(pooled.clone(), account_nonce);
        Ok(Added { pooled, replaced })
    }

    /// The rules that depend on accounts. Returns the nonce of the sender's account.
    fn check_account(&self, valid: &ValidTx, state: &StateView) -> Result<u64, PoolError> {
        let ValidTx { tx, sender, .. } = valid;
        let account = read_account(state, *sender)?;
        if has_code(&account) {
            return Err(PoolError::SenderNotEoa { sender: *sender });
        }
        if tx.nonce < account.nonce {
            return Err(PoolError::NonceTooLow { next: account.nonce, got: tx.nonce });
        }
        let limit = self.config.max_nonce_gap;
        if tx.nonce - account.nonce > limit {
            return Err(PoolError::NonceTooHigh { next: account.nonce, got: tx.nonce, limit });
        }
        let balance = account.balance;
        let cost = max_cost_wei(tx).unwrap_or(U256::MAX);
        if cost > balance {
            return Err(InvalidTx::InsufficientFunds { balance_wei: balance, cost_wei: cost }.into());
        }
        // The sender must afford what else it has in the queue, too.
        let queued = self.accounts.get(sender).map_or(U256::ZERO, |queue| queue.cost_without(tx.nonce));
        if queued.saturating_add(cost) > balance {
            return Err(PoolError::InsufficientFundsWithQueue { balance, queued, cost });
        }
        if self.config.admission == Admission::Provable
            && let Some(address) = tx.to
            && has_code(&read_account(state, address)?)
        {
            return Err(NotProvable::RecipientHasCode { address }.into());
        }
        Ok(account.nonce)
    }

    /// The accounts that a transaction may create, if the tree has a position for each of them and for those that are promised
    /// already, `spare` positions aside.
    fn promise(&self, valid: &ValidTx, state: &StateView, spare: u64) -> Result<Vec<Address>, PoolError> {
        if self.config.admission == Admission::Everything {
            return Ok(Vec::new());
        }
        let ValidTx { tx, sender, .. } = valid;
        let mut creates = Vec::new();
        for address in may_create(tx, *sender, self.config.coinbase) {
            if state.read_account(address)?.is_none() {
                creates.push(address);
            }
        }
        let replaced = self.accounts.get(sender).and_then(|queue| queue.by_nonce.get(&tx.nonce));
        let promised = self.promised.len_with(&creates, replaced.map_or(&[], |old| &old.creates));
        let (leaves, positions) = (state.commitment().leaf_count, self.config.room.positions);
        if !creates.is_empty() && leaves.saturating_add(promised).saturating_add(spare) > positions {
            return Err(PoolError::TreeFull { leaves, promised, positions });
        }
        Ok(creates)
    }

    /// Whether the tree has a position for the leaf that a batch creates besides its transactions', the entry of a global exit
    /// root, and for all that are promised.
    #[must_use]
    pub fn has_position_for_root(&self, leaves: u64) -> bool {
        let promised = self.promised.len();
        leaves.saturating_add(promised).saturating_add(BATCH_CREATES) <= self.config.room.positions
    }

    fn insert(&mut self, pooled: PooledTx, account_nonce: u64) -> Option<PooledTx> {
        self.promised.add(&pooled.creates);
        let ValidTx { tx, sender, hash } = &pooled.valid;
        let (sender, nonce) = (*sender, tx.nonce);
        self.by_hash.insert(*hash, (sender, nonce));
        self.change(sender, |queue| {
            queue.account_nonce = queue.account_nonce.max(account_nonce);
            queue.next_nonce = queue.next_nonce.max(account_nonce);
            queue.by_nonce.insert(nonce, pooled)
        })
    }

    /// Changes one queue and keeps the indices in step. What `change` takes out of the queue leaves `by_hash`.
    fn change(
        &mut self,
        sender: Address,
        change: impl FnOnce(&mut AccountQueue) -> Option<PooledTx>,
    ) -> Option<PooledTx> {
        let queue = self.accounts.entry(sender).or_insert_with(|| AccountQueue::new(0));
        if let Some(key) = queue.ready_key() {
            self.ready.remove(&key);
        }
        let removed = change(queue);
        if let Some(key) = queue.ready_key() {
            self.ready.insert(key);
        }
        if queue.by_nonce.is_empty() {
            self.accounts.remove(&sender);
        }
        if let Some(old) = &removed {
            self.by_hash.remove(&old.valid.hash);
            self.promised.remove(&old.creates);
        }
        removed
    }

    /// The best transaction that can be executed now. It stays in the pool until [`Self::included`] or
    /// [`Self::discard`].
    #[must_use]
    pub fn best(&self) -> Option<&PooledTx> {
        let (_, _, sender) = self.ready.first()?;
        self.accounts.get(sender)?.head()
    }

    /// Ready transactions, best first.
    pub fn ready(&self) -> impl Iterator<Item = &PooledTx> {
        self.ready.iter().filter_map(|(_, _, sender)| self.accounts.get(sender)?.head())
    }

    /// Takes the best transaction for execution: it stays in the pool, can no longer be replaced, and its sender's next
    /// nonce becomes ready. Ends with [`Self::included`], [`Self::put_back`], [`Self::discard`] or [`Self::abandon`].
    pub fn begin(&mut self) -> Option<PooledTx> {
        let pooled = self.best()?.clone();
        let sender = pooled.valid.sender;
        self.executing.insert(sender);
        self.change(sender, |queue| {
            // Nonces are below u64::MAX (EIP-2681).
            queue.next_nonce += 1;
            None
        });
        Some(pooled)
    }

    /// What [`Self::begin`] gave last for this sender was not executed: it is ready again.
    pub fn put_back(&mut self, pooled: &PooledTx) {
        let (sender, nonce) = (pooled.valid.sender, pooled.valid.tx.nonce);
        if self.accounts.contains_key(&sender) {
            self.change(sender, |queue| {
                queue.next_nonce = queue.next_nonce.min(nonce);
                None
            });
        }
    }

    /// The executed blocks will not be written: their transactions are ready again.
    pub fn abandon(&mut self) {
        for sender in std::mem::take(&mut self.executing) {
            if self.accounts.contains_key(&sender) {
                self.change(sender, |queue| {
                    queue.next_nonce = queue.account_nonce;
                    None
                });
            }
        }
    }

    /// The transaction `nonce` of `sender` is in a written block.
    pub fn included(&mut self, sender: Address, nonce: u64) {
        self.executing.remove(&sender);
        if self.accounts.contains_key(&sender) {
            self.change(sender, |queue| {
                // An executed nonce is below u64::MAX (EIP-2681).
                queue.account_nonce = queue.account_nonce.max(nonce + 1);
                queue.next_nonce = queue.next_nonce.max(queue.account_nonce);
                queue.by_nonce.remove(&nonce)
            });
        }
    }

    /// Takes out a transaction that was found invalid, when its turn came or before. Later nonces of its sender stay, queued.
    pub fn discard(&mut self, hash: B256) -> Option<PooledTx> {
        let &(sender, nonce) = self.by_hash.get(&hash)?;
        self.change(sender, |queue| {
            queue.next_nonce = queue.next_nonce.min(nonce.max(queue.account_nonce));
            queue.by_nonce.remove(&nonce)
        })
    }

    /// Takes out what has been here for longer than its lifetime. What is being executed stays.
    pub fn expire(&mut self, now_s: u64) -> Vec<(PooledTx, DropReason)> {
        let lifetime_s = self.config.lifetime_s;
        if lifetime_s == 0 {
            return Vec::new();
        }
        let age = |pooled: &PooledTx| now_s.saturating_sub(pooled.received_s);
        let queues = self.accounts.values();
        let old = queues.flat_map(|queue| queue.by_nonce.range(queue.next_nonce..).map(|(_, pooled)| pooled));
        let old: Vec<B256> = old.filter(|p| age(p) > lifetime_s).map(|p| p.valid.hash).collect();
        let taken = old.into_iter().filter_map(|hash| self.discard(hash));
        taken
            .map(|p| (DropReason::Lifetime { seconds: age(&p), lifetime_s }, p))
            .map(|(r, p)| (p, r))
            .collect()
    }

    /// Judges every transaction by the newest state, as after a batch: takes out what its sender cannot pay any more,
    /// what a recipient's new code makes unprovable, and what another block has overtaken. What is being executed stays.
    ///
    /// # Errors
    /// If the state cannot be read; the pool is then unchanged.
    pub fn revalidate(&mut self, state: &StateView) -> Result<Vec<(PooledTx, DropReason)>, PoolError> {
        let mut broken = Vec::new();
        for (sender, queue) in &self.accounts {
            let account = read_account(state, *sender)?;
            for pooled in queue.by_nonce.values() {
                let (tx, hash) = (&pooled.valid.tx, pooled.valid.hash);
                if tx.nonce < account.nonce {
                    broken.push((hash, PoolError::NonceTooLow { next: account.nonce, got: tx.nonce }));
                } else if tx.nonce >= queue.next_nonce
                    && let Some(error) = self.unpayable(pooled, &account).or(self.unprovable(pooled, state)?)
                {
                    broken.push((hash, error));
                }
            }
        }
        let taken = broken.into_iter().filter_map(|(hash, error)| Some((self.discard(hash)?, error.into())));
        Ok(taken.collect())
    }

    fn unpayable(&self, pooled: &PooledTx, account: &AccountValue) -> Option<PoolError> {
        let (balance, cost) = (account.balance, max_cost_wei(&pooled.valid.tx).unwrap_or(U256::MAX));
        (cost > balance).then_some(PoolError::InsufficientFunds { balance, cost })
    }

    fn unprovable(&self, pooled: &PooledTx, state: &StateView) -> Result<Option<PoolError>, PoolError> {
        match pooled.valid.tx.to {
            Some(address)
                if self.config.admission == Admission::Provable
                    && has_code(&read_account(state, address)?) =>
            {
                Ok(Some(NotProvable::RecipientHasCode { address }.into()))
            }
            _ => Ok(None),
        }
    }

    /// A pooled transaction.
    #[must_use]
    pub fn get(&self, hash: &B256) -> Option<&PooledTx> {
        let (sender, nonce) = self.by_hash.get(hash)?;
        self.accounts.get(sender)?.by_nonce.get(nonce)
    }

    /// Every sender with its transactions, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = PooledAccount<'_>> {
        self.accounts.iter().map(|(sender, queue)| PooledAccount { sender: *sender, queue })
    }

    /// One sender's transactions, `None` if the pool holds none.
    #[must_use]
    pub fn account(&self, sender: Address) -> Option<PooledAccount<'_>> {
        self.accounts.get(&sender).map(|queue| PooledAccount { sender, queue })
    }

    /// The nonce that follows the sender's pending transactions, `None` if the pool holds none of its transactions.
    #[must_use]
    pub fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.accounts.get(&sender).map(AccountQueue::pending_nonce)
    }

    /// Counts by state.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        let pending = self.accounts.values().map(|q| (q.pending_nonce() - q.account_nonce) as usize).sum();
        PoolStatus { pending, queued: self.by_hash.len() - pending }
    }

    /// Number of transactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether it holds no transaction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }
}
