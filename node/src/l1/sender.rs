//! Sends each job once, whatever dies in between.
//!
//! ```text
//! send(job) ─► recorded already? ──yes──────────────────────────┐
//!                 │ no                                          ▼
//!                 └► gas, nonce, fees, signature ─► put ─► broadcast ─► receipt ─► confirmations ─► outcome put
//!                                                    ▲        │  ▲          │ gone: reorganised
//!                                 higher fees, stuck ┘◄───────┘  └──────────┘
//! ```
//!
//! A job is given one nonce, and every signed form of it carries that nonce: at most one form is ever executed. The nonce and
//! the form are in the [`SendStore`] before the form leaves the process, so that after a crash at any point the same
//! bytes are sent again, never others. If another transaction of the account takes the nonce, the job ends with
//! [`SendError::NonceTaken`] and is not given a new one: whether it still has to be done is for the caller to say, who knows
//! what the other transaction was.
//!
//! Not covered: a reorganisation deeper than the configured confirmations, and two processes with one account and different
//! stores (they take each other's nonces, which is noticed, but a job of both is then two jobs).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, Bytes, U256};
use ethers::types::{Eip1559TransactionRequest, NameOrAddress};
use tokio::sync::Mutex;

use super::{
    account::{Account, SignError},
    client::{At, Client},
    convert,
    error::{RequestError, Revert},
    fees::{FeeError, FeeRule, Fees},
    store::{Attempt, Outcome, SendRecord, SendStore, SendStoreError, Sent},
};
use crate::metrics;

/// A transaction to be sent once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Names the job for ever, for example `sequence:17-18`.
    pub name: String,
    /// None creates a contract.
    pub to: Option<Address>,
    pub data: Bytes,
    pub value_wei: U256,
    /// None is estimated, and a job that would revert is refused before it has a nonce.
    pub gas_limit: Option<u64>,
    /// The nonce that the job must get; None takes any.
    pub nonce: Option<u64>,
}

impl Job {
    /// A call of a contract.
    #[must_use]
    pub const fn call(name: String, to: Address, data: Bytes) -> Self {
        Self { name, to: Some(to), data, value_wei: U256::ZERO, gas_limit: None, nonce: None }
    }

    /// A new contract from its creation code.
    #[must_use]
    pub const fn create(name: String, code: Bytes) -> Self {
        Self { name, to: None, data: code, value_wei: U256::ZERO, gas_limit: None, nonce: None }
    }
}

/// How a sender goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderOptions {
    /// Blocks on top of a transaction's before it counts.
    pub confirmations: u64,
    /// A transaction that is next and not in a block for so long is replaced at higher fees.
    pub bump_after: Duration,
    /// Gas on top of the estimate, in percent.
    pub gas_margin_percent: u64,
    pub fees: FeeRule,
    /// How long the endpoint may be out of reach before waiting ends with an error. The job stays recorded.
    pub outage_limit: Duration,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self {
            confirmations: 0,
            bump_after: Duration::from_secs(60),
            gas_margin_percent: 20,
            fees: FeeRule::default(),
            outage_limit: Duration::from_secs(300),
        }
    }
}

/// Why a job is not done. Errors before the record leave nothing behind; all others leave the record, and the same
/// call goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Store(#[from] SendStoreError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Fees(#[from] FeeError),
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Another transaction is recorded under this name.
    #[error("job {job} is recorded with another content")]
    JobMismatch { job: String },
    #[error("job {job} is not recorded")]
    NotRecorded { job: String },
    /// Found by the gas estimate: nothing was recorded or sent.
    #[error("job {job} would revert: {revert}")]
    WouldRevert { job: String, revert: Revert },
    /// Final: the nonce is used up and there was no effect.
    #[error("job {job} reverted in block {}, transaction {}: {revert}", sent.block_number, sent.hash)]
    Reverted { job: String, sent: Box<Sent>, revert: Revert },
    /// Final: there was no effect and never will be.
    #[error("job {job} lost its nonce {nonce} to transaction {by}")]
    NonceTaken { job: String, nonce: u64, by: B256 },
    /// Nothing was recorded or sent.
    #[error("job {job} needs nonce {expected}, the next one is {got}")]
    NonceUnexpected { job: String, expected: u64, got: u64 },
    #[error("account {account} has {balance_wei} wei, too little for job {job}")]
    InsufficientFunds { job: String, account: Address, balance_wei: U256 },
}

/// Why a record stays.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    #[error(transparent)]
    Store(#[from] SendStoreError),
    /// Its transaction may still get into a block.
    #[error("job {job} has no outcome yet")]
    InFlight { job: String },
}

/// One account that sends jobs. Shared by reference; any number of jobs at a time, in the order of their records.
/// One sender an account: two of them in a process choose nonces behind each other's back, and jobs lose theirs.
///
/// Every future of it may be dropped at any time: that is a crash, and the next call goes on.
pub struct Sender {
    client: Client,
    account: Account,
    store: Arc<dyn SendStore>,
    options: SenderOptions,
    /// Held from the choice of a nonce or of fees until it is recorded.
    turn: Mutex<()>,
}

/// What a follower remembers between two looks.
#[derive(Default)]
struct Watch {
    /// When this process sent the newest form; None sends it at the next look.
    sent: Option<Instant>,
    /// The endpoint wants more for it.
    underpriced: bool,
}

impl Sender {
    /// A sender of `account` on the client's chain, with its records in `store`.
    #[must_use]
    pub fn new(client: Client, account: Account, store: Arc<dyn SendStore>, options: SenderOptions) -> Self {
        Self { client, account, store, options, turn: Mutex::new(()) }
    }

    /// The account that sends.
    #[must_use]
    pub fn address(&self) -> Address {
        self.account.address()
    }

    /// The endpoint.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Does a job and waits until it is confirmed. A job of this name that is recorded is followed, not sent anew; one that
    /// is done returns at once.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, job: &Job) -> Result<Sent, SendError> {
        self.record(job).await?;
        self.follow(&job.name).await
    }

    /// Signs a job and records it; nothing is sent. [`Sender::follow`] sends. A job that is recorded already is returned as
    /// it is.
    ///
    /// # Errors
    /// If the job would revert, cannot be paid, or was recorded with another content. Nothing is recorded then.
    pub async fn record(&self, job: &Job) -> Result<SendRecord, SendError> {
        let _turn = self.turn.lock().await;
        if let Some(record) = self.recorded(&job.name)? {
            let same = record.to == job.to && record.data == job.data && record.value_wei == job.value_wei;
            return if same { Ok(record) } else { Err(SendError::JobMismatch { job: job.name.clone() }) };
        }
        // Before the nonce: whatever takes the nonce is in a later block.
        let since_block = self.client.head().await?.number;
        let nonce = self.next_nonce().await?;
        if let Some(expected) = job.nonce.filter(|expected| *expected != nonce) {
            return Err(SendError::NonceUnexpected { job: job.name.clone(), expected, got: nonce });
        }
        let gas_limit = match job.gas_limit {
            Some(gas) => gas,
            None => self.estimate(job).await?,
        };
        let fees = self.options.fees.market(&self.client).await?;
        let mut record = SendRecord {
            job: job.name.clone(),
            chain_id: self.client.chain_id(),
            account: self.address(),
            nonce,
            to: job.to,
            data: job.data.clone(),
            value_wei: job.value_wei,
            gas_limit,
            since_block,
            attempts: Vec::new(),
            outcome: None,
        };
        record.attempts.push(self.sign(&record, fees)?);
        self.store.put(&record)?;
        Ok(record)
    }

    /// Sends a recorded job, again if need be, and waits until it is confirmed.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn follow(&self, job: &str) -> Result<Sent, SendError> {
        let mut watch = Watch::default();
        let mut failing_since: Option<Instant> = None;
        loop {
            match self.look(job, &mut watch).await {
                Ok(Some(outcome)) => return finish(job, outcome),
                Ok(None) => failing_since = None,
                Err(SendError::Request(e) | SendError::Fees(FeeError::Request(e))) if e.is_transient() => {
                    let since = *failing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.options.outage_limit {
                        return Err(e.into());
                    }
                    tracing::warn!(job, error = %e, "L1 is out of reach, trying again");
                }
                Err(e) => return Err(e),
            }
            tokio::time::sleep(self.client.poll()).await;
        }
    }

    /// Sends whatever is recorded without an outcome again, in the order of the nonces, and waits for all of it.
    ///
    /// # Errors
    /// If the store cannot be read. How each job ended is in the list.
    pub async fn resume(&self) -> Result<Vec<(String, Result<Sent, SendError>)>, SendStoreError> {
        let jobs = self.in_flight()?.into_iter().map(|record| record.job);
        // Polled in order: each broadcasts at its first look.
        let follow = |job: String| async move {
            let result = self.follow(&job).await;
            (job, result)
        };
        Ok(futures::future::join_all(jobs.map(follow)).await)
    }

    /// Jobs without an outcome, by nonce.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn in_flight(&self) -> Result<Vec<SendRecord>, SendStoreError> {
        let mut records = self.store.list(self.client.chain_id(), self.address())?;
        records.retain(|record| record.outcome.is_none());
        records.sort_by_key(|record| record.nonce);
        Ok(records)
    }

    /// The record of a job.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn recorded(&self, job: &str) -> Result<Option<SendRecord>, SendStoreError> {
        self.store.get(self.client.chain_id(), self.address(), job)
    }

    /// Removes the record of a job that has an outcome: its name is free again, and a job of that name is sent anew.
    ///
    /// # Errors
    /// If the job may still have an effect, or the store fails.
    pub fn forget(&self, job: &str) -> Result<(), ForgetError> {
        match self.recorded(job)? {
            Some(record) if record.outcome.is_none() => Err(ForgetError::InFlight { job: job.to_owned() }),
            _ => Ok(self.store.remove(self.client.chain_id(), self.address(), job)?),
        }
    }

    /// The nonce that the next job would be given.
    ///
    /// # Errors
    /// If the endpoint or the store fails.
    pub async fn next_nonce(&self) -> Result<u64, SendError> {
        let chain = self.client.nonce(self.address(), None).await?;
        let recorded = self.in_flight()?.last().map_or(0, |record| record.nonce + 1);
        Ok(chain.max(recorded))
    }

    async fn estimate(&self, job: &Job) -> Result<u64, SendError> {
        let request = request(self.address(), job.to, &job.data, job.value_wei);
        match self.client.estimate(&request.into()).await {
            Ok(gas) => {
                let margin = gas.saturating_mul(self.options.gas_margin_percent) / 100;
                Ok(gas.saturating_add(margin))
            }
            Err(RequestError::Reverted { revert, .. }) => {
                Err(SendError::WouldRevert { job: job.name.clone(), revert })
            }
            Err(e) => Err(self.explain(&job.name, e).await),
        }
    }

    fn sign(&self, record: &SendRecord, fees: Fees) -> Result<Attempt, SignError> {
        let transaction = request(record.account, record.to, &record.data, record.value_wei)
            .chain_id(record.chain_id)
            .nonce(record.nonce)
            .gas(record.gas_limit)
            .max_fee_per_gas(fees.max_fee_wei)
            .max_priority_fee_per_gas(fees.max_priority_fee_wei);
        let (hash, raw) = self.account.sign(&transaction.into())?;
        Ok(Attempt { hash, raw, fees })
    }

    /// One look at a job: its outcome if there is one, and whatever has to be done about it if there is none.
    async fn look(&self, job: &str, watch: &mut Watch) -> Result<Option<Outcome>, SendError> {
        let record = self.recorded(job)?.ok_or_else(|| SendError::NotRecorded { job: job.to_owned() })?;
        if record.outcome.is_some() {
            return Ok(record.outcome);
        }
        if let Some((sent, success)) = self.receipt(&record).await? {
            // If it disappears, it is sent again at once.
            *watch = Watch::default();
            return self.confirm(record, sent, success).await;
        }
        let settled = self.client.nonce(record.account, Some(At::Latest)).await?;
        if settled > record.nonce {
            return self.taken(record).await;
        }
        let is_next = settled == record.nonce;
        match watch.sent {
            None => self.broadcast(&record, watch).await?,
            Some(at) if is_next && (watch.underpriced || at.elapsed() >= self.options.bump_after) => {
                self.bump(&record, watch).await?;
            }
            Some(_) => {
                // The endpoint may have dropped it, or lost it in a restart.
                if let Some(newest) = record.attempts.last()
                    && self.client.transaction(newest.hash).await?.is_none()
                {
                    let sent = watch.sent;
                    self.broadcast(&record, watch).await?;
                    watch.sent = sent;
                }
            }
        }
        Ok(None)
    }

    /// Where the job is, if one of its forms is in a block; and whether it succeeded there.
    async fn receipt(&self, record: &SendRecord) -> Result<Option<(Sent, bool)>, RequestError> {
        for attempt in record.attempts.iter().rev() {
            let Some(receipt) = self.client.receipt(attempt.hash).await? else { continue };
            let (Some(number), Some(hash)) = (receipt.block_number, receipt.block_hash) else { continue };
            let malformed = |_| RequestError::Answer { method: "eth_getTransactionReceipt" };
            let sent = Sent {
                hash: attempt.hash,
                nonce: record.nonce,
                block_number: number.as_u64(),
                block_hash: convert::from_hash(hash),
                gas_used: receipt.gas_used.unwrap_or_default().try_into().map_err(malformed)?,
                gas_price_wei: receipt
                    .effective_gas_price
                    .unwrap_or_default()
                    .try_into()
                    .map_err(malformed)?,
                created: receipt.contract_address.map(convert::from_address),
            };
            return Ok(Some((sent, receipt.status.is_some_and(|status| status.as_u64() == 1))));
        }
        Ok(None)
    }

    async fn confirm(
        &self,
        record: SendRecord,
        sent: Sent,
        success: bool,
    ) -> Result<Option<Outcome>, SendError> {
        let head = self.client.head().await?;
        if head.number < sent.block_number.saturating_add(self.options.confirmations) {
            return Ok(None);
        }
        // The receipt may be of a block that left the chain while it was asked for.
        let canonical = self.client.block(At::Block(sent.block_number)).await?;
        if canonical.is_none_or(|block| block.hash != sent.block_hash) {
            return Ok(None);
        }
        let outcome = if success {
            Outcome::Done(sent)
        } else {
            Outcome::Reverted { revert: self.reason(&record, &sent).await?, sent }
        };
        self.settle(record, outcome).await
    }

    /// Why a transaction reverted, as far as a call in its place can tell: in the state after its block, then before it.
    async fn reason(&self, record: &SendRecord, sent: &Sent) -> Result<Revert, RequestError> {
        if sent.gas_used >= record.gas_limit {
            return Ok(Revert::OutOfGas { gas_limit: record.gas_limit });
        }
        let call =
            request(record.account, record.to, &record.data, record.value_wei).gas(record.gas_limit).into();
        for block in [sent.block_number, sent.block_number.saturating_sub(1)] {
            match self.client.call(&call, At::Block(block)).await {
                Err(RequestError::Reverted { revert, .. }) => return Ok(revert),
                Err(e) if e.is_transient() => return Err(e),
                // It passes there, or the endpoint keeps no such old state.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(Revert::Empty)
    }

    /// The nonce is used up and no form of the job has a receipt. Absence proves nothing (endpoints lag behind each other):
    /// the transaction that took the nonce must be found, in a confirmed block.
    async fn taken(&self, record: SendRecord) -> Result<Option<Outcome>, SendError> {
        let (account, nonce) = (record.account, record.nonce);
        let head = self.client.head().await?.number;
        let mut above = head.saturating_sub(self.options.confirmations);
        if self.client.nonce(account, Some(At::Block(above))).await? <= nonce {
            return Ok(None);
        }
        let mut below = record.since_block;
        while above.saturating_sub(below) > 1 {
            let middle = below + (above - below) / 2;
            if self.client.nonce(account, Some(At::Block(middle))).await? > nonce {
                above = middle;
            } else {
                below = middle;
            }
        }
        match self.client.transaction_of(above, account, nonce).await? {
            // Ours: its receipt is on the way.
            Some(hash) if record.attempts.iter().any(|attempt| attempt.hash == hash) => Ok(None),
            Some(by) => self.settle(record, Outcome::NonceTaken { nonce, by }).await,
            // The chain changed in between.
            None => Ok(None),
        }
    }

    async fn settle(&self, mut record: SendRecord, outcome: Outcome) -> Result<Option<Outcome>, SendError> {
        let _turn = self.turn.lock().await;
        record.outcome = Some(outcome);
        self.store.put(&record)?;
        Ok(record.outcome)
    }

    /// Signs the job at higher fees, records that, and sends it.
    async fn bump(&self, seen: &SendRecord, watch: &mut Watch) -> Result<(), SendError> {
        let record = {
            let _turn = self.turn.lock().await;
            let Some(mut record) = self.recorded(&seen.job)? else { return Ok(()) };
            let Some(newest) = record.attempts.last() else { return Ok(()) };
            if record.outcome.is_some() || record.attempts.len() != seen.attempts.len() {
                // Another follower was faster.
                return Ok(());
            }
            let market = match self.options.fees.market(&self.client).await {
                Ok(fees) => Some(fees),
                Err(FeeError::AboveCap { .. }) => None,
                Err(e) => return Err(e.into()),
            };
            let Some(fees) = self.options.fees.replacement(newest.fees, market) else {
                tracing::warn!(job = record.job, hash = %newest.hash, "waits at the highest fee allowed");
                *watch = Watch { sent: Some(Instant::now()), underpriced: false };
                return Ok(());
            };
            let attempt = self.sign(&record, fees)?;
            metrics::l1_fee_bumped();
            tracing::info!(
                job = record.job, nonce = record.nonce, max_fee_wei = fees.max_fee_wei, hash = %attempt.hash,
                "stuck, sent again at higher fees"
            );
            record.attempts.push(attempt);
            self.store.put(&record)?;
            record
        };
        self.broadcast(&record, watch).await
    }

    /// Sends the newest form. That the endpoint knows it, or that its nonce is used up, is no error.
    async fn broadcast(&self, record: &SendRecord, watch: &mut Watch) -> Result<(), SendError> {
        let Some(newest) = record.attempts.last() else { return Ok(()) };
        let underpriced = match self.client.broadcast(&newest.raw).await {
            Ok(()) => false,
            Err(e) => match Refusal::of(&e) {
                Refusal::Known => false,
                Refusal::Underpriced => true,
                Refusal::Other => return Err(self.explain(&record.job, e).await),
            },
        };
        *watch = Watch { sent: Some(Instant::now()), underpriced };
        Ok(())
    }

    /// Names the one refusal that a caller can do something about.
    async fn explain(&self, job: &str, error: RequestError) -> SendError {
        let poor = matches!(&error, RequestError::Refused { message, .. }
            if message.to_ascii_lowercase().contains("insufficient funds"));
        if !poor {
            return error.into();
        }
        match self.client.balance(self.address()).await {
            Ok(balance_wei) => {
                SendError::InsufficientFunds { job: job.to_owned(), account: self.address(), balance_wei }
            }
            Err(e) => e.into(),
        }
    }
}

/// What an endpoint means by not taking a transaction. There is no code for it: the messages are those of the common
/// implementations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// It has the transaction, or one with its nonce is in a block.
    Known,
    Underpriced,
    Other,
}

impl Refusal {
    fn of(error: &RequestError) -> Self {
        let RequestError::Refused { message, .. } = error else { return Self::Other };
        const KNOWN: [&str; 4] = ["already known", "already imported", "known transaction", "nonce too low"];
        const UNDERPRICED: [&str; 3] = ["underpriced", "fee too low", "less than block base fee"];
        let message = message.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| message.contains(w));
        if has(&KNOWN) {
            Self::Known
        } else if has(&UNDERPRICED) {
            Self::Underpriced
        } else {
            Self::Other
        }
    }
}

fn request(from: Address, to: Option<Address>, data: &Bytes, value_wei: U256) -> Eip1559TransactionRequest {
    let request = Eip1559TransactionRequest::new()
        .from(convert::address(from))
        .data(convert::bytes(data))
        .value(convert::word(value_wei));
    match to {
        Some(to) => request.to(NameOrAddress::Address(convert::address(to))),
        None => request,
    }
}

fn finish(job: &str, outcome: Outcome) -> Result<Sent, SendError> {
    let job = job.to_owned();
    match outcome {
        Outcome::Done(sent) => Ok(sent),
        Outcome::Reverted { sent, revert } => Err(SendError::Reverted { job, sent: Box::new(sent), revert }),
        Outcome::NonceTaken { nonce, by } => Err(SendError::NonceTaken { job, nonce, by }),
    }
}
