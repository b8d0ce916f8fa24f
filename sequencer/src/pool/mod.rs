//! The transaction pool: validated transactions by sender and nonce, offered to the executor best price first.
//!
//! ```text
//! raw ─► decode ─► stateless rules ─► sender ─► account rules ─► provability ─► store (durable) ─► queues
//! ```
//!
//! A transaction is **pending** if every nonce between the account's and its own is pooled, else **queued**. Only the
//! first pending transaction of a sender is **ready**. Ready ones are offered by price, then by arrival. What was
//! accepted leaves the pool in three ways only: executed, replaced by its sender at a price 10 % higher, or found
//! invalid when its turn came. It is never evicted: a full pool refuses newcomers instead.

mod error;
mod store;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use alloy_primitives::{Address, B256, U256};
use cairn_protocol::{
    Fr,
    leaf::AccountValue,
    transfer::{AccountReader, InvalidTx, NotProvable, check_stateless, is_precompile, max_cost_wei},
    tx::{DecodedTx, decode_tx},
};
use cairn_state::StateView;

pub use self::{
    error::{PoolError, PoolStoreError},
    store::{MemoryPoolStore, PoolStore},
};
use crate::counters::{BatchMeter, ShapeCapacity};

/// Limits and prices.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    pub chain_id: u64,
    /// Receives the fees; one of the leaves that a transaction touches.
    pub coinbase: Address,
    /// What the largest circuit shape holds.
    pub capacity: ShapeCapacity,
    /// Transactions in the pool.
    pub max_transactions: usize,
    /// Transactions of one sender.
    pub max_per_account: usize,
    /// How far a nonce may be ahead of the account's.
    pub max_nonce_gap: u64,
    /// Largest transaction, in bytes.
    pub max_transaction_bytes: usize,
}

/// By how much a replacement must raise both prices, in percent.
pub const REPLACEMENT_BUMP_PERCENT: u128 = 10;

/// A transaction that passed every check that needs no account.
#[derive(Clone, Debug)]
pub struct ValidTx {
    pub tx: DecodedTx,
    pub sender: Address,
    pub hash: B256,
}

impl ValidTx {
    /// Decodes and checks one raw transaction. Expensive (a signature): done outside any lock.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn new(raw: &[u8], config: &PoolConfig) -> Result<Self, PoolError> {
        if raw.len() > config.max_transaction_bytes {
            return Err(PoolError::Oversized { got: raw.len(), limit: config.max_transaction_bytes });
        }
        let tx = decode_tx(raw)?;
        check_stateless(&tx, config.chain_id)?;
        let sender = tx.recover_sender()?;
        let recipient = tx.to.ok_or(NotProvable::Creation)?;
        if !tx.access_list.is_empty() {
            return Err(NotProvable::AccessList.into());
        }
        if is_precompile(recipient) {
            return Err(NotProvable::PrecompileRecipient { address: recipient }.into());
        }
        config.capacity.check(&BatchMeter::single(&tx, sender, config.coinbase))?;
        let hash = tx.tx_hash();
        Ok(Self { tx, sender, hash })
    }
}

/// A transaction in the pool.
#[derive(Clone, Debug)]
pub struct PooledTx {
    pub valid: ValidTx,
    /// Order of arrival.
    pub arrival: u64,
}

/// How many transactions the pool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    pub pending: usize,
    pub queued: usize,
}

/// Price first, then arrival.
type ReadyKey = (Reverse<u128>, u64, Address);

#[derive(Debug)]
struct AccountQueue {
    /// Nonce that the account's next transaction must have.
    next_nonce: u64,
    by_nonce: BTreeMap<u64, PooledTx>,
}

impl AccountQueue {
    fn ready_key(&self) -> Option<ReadyKey> {
        let head = self.by_nonce.get(&self.next_nonce)?;
        Some((Reverse(head.valid.tx.effective_gas_price()), head.arrival, head.valid.sender))
    }

    /// The first nonce from the account's on that is not pooled.
    fn pending_nonce(&self) -> u64 {
        let mut nonce = self.next_nonce;
        while self.by_nonce.contains_key(&nonce) {
            // Nonces are below u64::MAX (EIP-2681).
            nonce += 1;
        }
        nonce
    }
}

/// The pool.
pub struct Pool {
    config: PoolConfig,
    store: Arc<dyn PoolStore>,
    min_price_wei: u128,
    next_arrival: u64,
    accounts: HashMap<Address, AccountQueue>,
    by_hash: HashMap<B256, (Address, u64)>,
    ready: BTreeSet<ReadyKey>,
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
    /// Opens the pool and judges what the store kept: transactions that were executed or became invalid since are
    /// dropped and returned with the reason.
    ///
    /// # Errors
    /// If store or state fail.
    pub fn open(
        config: PoolConfig,
        store: Arc<dyn PoolStore>,
        state: &StateView,
    ) -> Result<(Self, Vec<(B256, PoolError)>), PoolError> {
        let stored = store.load()?;
        let mut pool = Self {
            config,
            store,
            min_price_wei: 0,
            next_arrival: stored.last().map_or(0, |(arrival, _)| arrival + 1),
            accounts: HashMap::new(),
            by_hash: HashMap::new(),
            ready: BTreeSet::new(),
        };
        let (mut dropped, mut gone) = (Vec::new(), Vec::new());
        for (arrival, raw) in stored {
            let result = ValidTx::new(&raw, &pool.config)
                .and_then(|valid| pool.check_account(&valid, state).map(|next| (valid, next)));
            match result {
                Ok((valid, next_nonce)) => pool.insert(PooledTx { valid, arrival }, next_nonce),
                Err(e @ (PoolError::Store(_) | PoolError::State(_))) => return Err(e),
                Err(reason) => {
                    gone.push(arrival);
                    dropped.push((alloy_primitives::keccak256(&raw), reason));
                }
            }
        }
        pool.store.remove(&gone)?;
        Ok((pool, dropped))
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

    /// Accepts a transaction: when this returns, it is durable.
    ///
    /// # Errors
    /// The first rule that is broken; the pool is then unchanged.
    pub fn add(&mut self, valid: ValidTx, state: &StateView) -> Result<B256, PoolError> {
        if self.by_hash.contains_key(&valid.hash) {
            return Err(PoolError::AlreadyKnown);
        }
        let price = valid.tx.effective_gas_price();
        if price < self.min_price_wei {
            return Err(PoolError::Underpriced { got: price, minimum: self.min_price_wei });
        }
        let next_nonce = self.check_account(&valid, state)?;
        let queue = self.accounts.get(&valid.sender);
        let replaced = queue.and_then(|q| q.by_nonce.get(&valid.tx.nonce));
        match replaced {
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
        let (arrival, hash) = (self.next_arrival, valid.hash);
        self.store.put(arrival, valid.tx.raw(), replaced.map(|old| old.arrival))?;
        self.next_arrival += 1;
        self.insert(PooledTx { valid, arrival }, next_nonce);
        Ok(hash)
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
        // The sender must afford what stands before it in the queue, too.
        let queued = self.accounts.get(sender).map_or(U256::ZERO, |queue| {
            queue
                .by_nonce
                .range(account.nonce..)
                .filter(|(nonce, _)| **nonce != tx.nonce)
                .fold(U256::ZERO, |sum, (_, old)| {
                    sum.saturating_add(max_cost_wei(&old.valid.tx).unwrap_or(U256::MAX))
                })
        });
        if queued.saturating_add(cost) > balance {
            return Err(PoolError::InsufficientFundsWithQueue { balance, queued, cost });
        }
        if let Some(address) = tx.to
            && has_code(&read_account(state, address)?)
        {
            return Err(NotProvable::RecipientHasCode { address }.into());
        }
        Ok(account.nonce)
    }

    fn insert(&mut self, pooled: PooledTx, next_nonce: u64) {
        let ValidTx { tx, sender, hash } = &pooled.valid;
        let (sender, nonce) = (*sender, tx.nonce);
        self.by_hash.insert(*hash, (sender, nonce));
        self.change(sender, next_nonce, |queue| queue.insert(nonce, pooled));
    }

    /// Changes one queue and keeps the indices in step. What `change` takes out of the queue leaves `by_hash`.
    fn change(
        &mut self,
        sender: Address,
        next_nonce: u64,
        change: impl FnOnce(&mut BTreeMap<u64, PooledTx>) -> Option<PooledTx>,
    ) -> Option<PooledTx> {
        let queue = self
            .accounts
            .entry(sender)
            .or_insert_with(|| AccountQueue { next_nonce, by_nonce: BTreeMap::new() });
        if let Some(key) = queue.ready_key() {
            self.ready.remove(&key);
        }
        queue.next_nonce = next_nonce;
        let removed = change(&mut queue.by_nonce);
        if let Some(key) = queue.ready_key() {
            self.ready.insert(key);
        }
        if queue.by_nonce.is_empty() {
            self.accounts.remove(&sender);
        }
        if let Some(old) = &removed {
            self.by_hash.remove(&old.valid.hash);
        }
        removed
    }

    /// The best transaction that can be executed now. It stays in the pool until [`Self::executed`] or
    /// [`Self::discard`].
    #[must_use]
    pub fn best(&self) -> Option<&PooledTx> {
        let (_, _, sender) = self.ready.first()?;
        let queue = self.accounts.get(sender)?;
        queue.by_nonce.get(&queue.next_nonce)
    }

    /// Ready transactions, best first.
    pub fn ready(&self) -> impl Iterator<Item = &PooledTx> {
        self.ready.iter().filter_map(|(_, _, sender)| {
            let queue = self.accounts.get(sender)?;
            queue.by_nonce.get(&queue.next_nonce)
        })
    }

    /// The transaction `nonce` of `sender` is in a block. Called after the block is durable.
    ///
    /// # Errors
    /// If the store fails; the pool in memory is right all the same, and the next start drops the transaction.
    pub fn executed(&mut self, sender: Address, nonce: u64) -> Result<(), PoolStoreError> {
        if !self.accounts.contains_key(&sender) {
            return Ok(());
        }
        // An executed nonce is below u64::MAX (EIP-2681).
        let removed = self.change(sender, nonce + 1, |queue| queue.remove(&nonce));
        match removed {
            Some(pooled) => self.store.remove(&[pooled.arrival]),
            None => Ok(()),
        }
    }

    /// Takes out a transaction that was found invalid when its turn came. Later nonces of its sender stay, queued.
    ///
    /// # Errors
    /// If the store fails; the transaction is out of the pool all the same and judged again at the next start.
    pub fn discard(&mut self, hash: B256) -> Result<Option<PooledTx>, PoolStoreError> {
        let Some(&(sender, nonce)) = self.by_hash.get(&hash) else { return Ok(None) };
        let Some(next_nonce) = self.accounts.get(&sender).map(|q| q.next_nonce) else { return Ok(None) };
        let removed = self.change(sender, next_nonce, |queue| queue.remove(&nonce));
        if let Some(pooled) = &removed {
            self.store.remove(&[pooled.arrival])?;
        }
        Ok(removed)
    }

    /// A pooled transaction.
    #[must_use]
    pub fn get(&self, hash: &B256) -> Option<&PooledTx> {
        let (sender, nonce) = self.by_hash.get(hash)?;
        self.accounts.get(sender)?.by_nonce.get(nonce)
    }

    /// The nonce that follows the sender's pending transactions, `None` if the pool holds none of its transactions.
    #[must_use]
    pub fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.accounts.get(&sender).map(AccountQueue::pending_nonce)
    }

    /// Counts by state.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        let pending = self.accounts.values().map(|q| (q.pending_nonce() - q.next_nonce) as usize).sum();
        PoolStatus { pending, queued: self.by_hash.len() - pending }
    }
}
