//! The rollup contract, typed.

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_protocol::batch::BatchData;
use ethers::{
    abi::{AbiDecode, AbiEncode, RawLog},
    contract::{EthEvent, EthLogDecode},
    types::{Filter, Log},
};
use serde::{Deserialize, Serialize};

use super::{
    bindings::{groth_16_verifier as groth16, zk_evm as abi},
    client::{At, Client},
    convert,
    deploy::DeployedVerifier,
    error::RequestError,
    sender::Job,
};

/// Result and proof of one batch, as the contract takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchProofWords {
    /// Names the verifier.
    pub shape_id: u32,
    pub new_state_root: B256,
    pub new_acc_input_hash: B256,
    pub new_local_exit_root: B256,
    /// A (2), B (4), C (2), D (2), D' (2).
    pub proof: [U256; cairn_contracts::PROOF_WORDS],
}

/// What the contract keeps of the end of a sequence; zeros if none ends there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequencedBatch {
    pub acc_input_hash: B256,
    /// Unix time in seconds.
    pub sequenced_timestamp: u64,
    pub previous_last_batch: u64,
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub block_number: u64,
    pub block_hash: B256,
    pub transaction_hash: B256,
    pub log_index: u64,
}

/// What the rollup reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RollupEvent {
    /// Batches up to and with `last_batch` were sequenced.
    Sequenced { last_batch: u64 },
    /// Batches up to and with `last_batch` were proven.
    Verified { last_batch: u64, state_root: B256, aggregator: Address },
}

/// The arguments of `sequenceBatches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    pub batches: Vec<BatchData>,
    pub coinbase: Address,
}

/// Why calldata is no `sequenceBatches`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalldataError {
    #[error("the calldata has {got} bytes, too few for a function")]
    Short { got: usize },
    #[error("the calldata is of function {}, not of sequenceBatches", hex::encode(got))]
    OtherFunction { got: [u8; 4] },
    #[error("the arguments of sequenceBatches are not encoded as they should be")]
    Arguments,
}

/// Why the data of a sequence is not found.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("L1 has no transaction {hash}")]
    NoTransaction { hash: B256 },
    /// The sequencer called through another contract; the data is not in the calldata as such.
    #[error("transaction {hash} calls {to:?}, not the rollup")]
    Indirect { hash: B256, to: Option<Address> },
    #[error("transaction {hash}: {source}")]
    Calldata { hash: B256, source: CalldataError },
}

/// The rollup contract at an address.
#[derive(Clone, Debug)]
pub struct Rollup {
    client: Client,
    address: Address,
}

impl Rollup {
    /// The contract at `address`; nothing is asked.
    #[must_use]
    pub const fn new(client: Client, address: Address) -> Self {
        Self { client, address }
    }

    /// The contract's address.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The endpoint.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Posts `batches`, the first of which is number `first_batch`: the job `sequence:17-18`.
    ///
    /// The number is in the name only. The contract counts for itself, so that this job must follow the last batch that is
    /// sequenced for certain: with an earlier sequence still in flight, one that reverts or is reorganised away leaves its
    /// numbers to this one.
    #[must_use]
    pub fn sequence_batches(&self, first_batch: u64, batches: &[BatchData], coinbase: Address) -> Job {
        let last = first_batch.saturating_add(batches.len() as u64).saturating_sub(1);
        let data = encode_sequence_batches(batches, coinbase);
        Job::call(format!("sequence:{first_batch}-{last}"), self.address, data)
    }

    /// Proves the batches `init_num_batch + 1` to `final_new_batch`, one proof each.
    #[must_use]
    pub fn trusted_verify_batches(
        &self,
        init_num_batch: u64,
        final_new_batch: u64,
        proofs: &[BatchProofWords],
    ) -> Job {
        let call = abi::TrustedVerifyBatchesCall {
            pending_state_num: 0,
            init_num_batch,
            final_new_batch,
            proofs: proofs.iter().map(proof).collect(),
        };
        let name = format!("verify:{}-{final_new_batch}", init_num_batch.saturating_add(1));
        Job::call(name, self.address, call.encode().into())
    }

    /// Gives a shape its verifier: the job `add-verifier:60008:0x…`. For the admin alone, and once a shape.
    #[must_use]
    pub fn add_verifier(&self, shape_id: u32, verifier: Address) -> Job {
        let call = abi::AddVerifierCall { shape_id, verifier: convert::address(verifier) };
        Job::call(format!("add-verifier:{shape_id}:{verifier}"), self.address, call.encode().into())
    }

    /// The verifier of a shape and the digest of its key; none if the shape has none.
    ///
    /// # Errors
    /// If the endpoint does not answer or the address has no such contract.
    pub async fn verifier(&self, shape_id: u32, at: At) -> Result<Option<DeployedVerifier>, RequestError> {
        let address = self.client.read(self.address, abi::VerifiersCall { shape_id }, at).await?;
        let address = convert::from_address(address);
        if address.is_zero() {
            return Ok(None);
        }
        let digest: [u8; 32] = self.client.read(address, groth16::VkDigestCall, at).await?;
        Ok(Some(DeployedVerifier { shape_id, address, vk_digest: digest.into() }))
    }

    /// Number of the last sequenced batch.
    ///
    /// # Errors
    /// If the endpoint does not answer or the address has no such contract.
    pub async fn last_batch_sequenced(&self, at: At) -> Result<u64, RequestError> {
        self.client.read(self.address, abi::LastBatchSequencedCall, at).await
    }

    /// Number of the last verified batch.
    ///
    /// # Errors
    /// If the endpoint does not answer or the address has no such contract.
    pub async fn last_verified_batch(&self, at: At) -> Result<u64, RequestError> {
        self.client.read(self.address, abi::LastVerifiedBatchCall, at).await
    }

    /// Timestamp of the last sequenced batch: the next one may not be older. Unix time in seconds.
    ///
    /// # Errors
    /// If the endpoint does not answer or the address has no such contract.
    pub async fn last_timestamp(&self, at: At) -> Result<u64, RequestError> {
        self.client.read(self.address, abi::LastTimestampCall, at).await
    }

    /// Verified state root after a batch; none if no verification ended there.
    ///
    /// # Errors
    /// If the endpoint does not answer or the address has no such contract.
    pub async fn state_root(&self, batch: u64, at: At) -> Result<Option<B256>, RequestError> {
        let root: [u8; 32] =
            self.client.read(self.address, abi::BatchNumToStateRootCall { num_batch: batch }, at).await?;
        Ok(Some(B256::from(root)).filter(|root| !root.is_zero()))
    }

    /// What is stored of the sequence that ends at a batch.
    ///
    /// # Errors
    /// If the endpoint does not answer or the address has no such contract.
    pub async fn sequenced_batch(&self, batch: u64, at: At) -> Result<SequencedBatch, RequestError> {
        let (hash, sequenced_timestamp, previous_last_batch): ([u8; 32], u64, u64) =
            self.client.read(self.address, abi::SequencedBatchesCall { num_batch: batch }, at).await?;
        Ok(SequencedBatch { acc_input_hash: hash.into(), sequenced_timestamp, previous_last_batch })
    }

    /// The accounts that may sequence and that may verify.
    ///
    /// # Errors
    /// If the endpoint does not answer or the address has no such contract.
    pub async fn trusted(&self, at: At) -> Result<(Address, Address), RequestError> {
        let sequencer = self.client.read(self.address, abi::TrustedSequencerCall, at).await?;
        let aggregator = self.client.read(self.address, abi::TrustedAggregatorCall, at).await?;
        Ok((convert::from_address(sequencer), convert::from_address(aggregator)))
    }

    /// Events in the blocks `from` to `to`, or to the newest one, in the order of the chain. An endpoint may limit the number
    /// of blocks.
    ///
    /// # Errors
    /// If the endpoint does not answer, or answers with something that is not asked for.
    pub async fn events(
        &self,
        from: u64,
        to: Option<u64>,
    ) -> Result<Vec<(Place, RollupEvent)>, RequestError> {
        let topics =
            vec![abi::SequenceBatchesFilter::signature(), abi::TrustedVerifyBatchesFilter::signature()];
        let filter = Filter::new().address(convert::address(self.address)).topic0(topics).from_block(from);
        let filter = match to {
            Some(to) => filter.to_block(to),
            None => filter,
        };
        let logs = self.client.logs(&filter).await?;
        let mut events = logs
            .into_iter()
            .map(|log| event(log).ok_or(RequestError::Answer { method: "eth_getLogs" }))
            .collect::<Result<Vec<_>, _>>()?;
        events.sort_by_key(|(place, _)| (place.block_number, place.log_index));
        Ok(events)
    }

    /// The data that a transaction posted.
    ///
    /// # Errors
    /// If there is no such transaction, or it is no call of the rollup.
    pub async fn sequence(&self, transaction: B256) -> Result<Sequence, SequenceError> {
        let hash = transaction;
        let found = self.client.transaction(hash).await?.ok_or(SequenceError::NoTransaction { hash })?;
        if found.to != Some(self.address) {
            return Err(SequenceError::Indirect { hash, to: found.to });
        }
        decode_sequence_batches(&found.input).map_err(|source| SequenceError::Calldata { hash, source })
    }
}

/// Calldata of `sequenceBatches`.
#[must_use]
pub fn encode_sequence_batches(batches: &[BatchData], coinbase: Address) -> Bytes {
    let batches = batches.iter().map(|batch| abi::BatchData {
        transactions: convert::bytes(&batch.transactions),
        global_exit_root: batch.global_exit_root.0,
        timestamp: batch.timestamp,
        min_forced_timestamp: batch.min_forced_timestamp,
    });
    let call =
        abi::SequenceBatchesCall { batches: batches.collect(), l_2_coinbase: convert::address(coinbase) };
    call.encode().into()
}

/// Reads the calldata of `sequenceBatches`. Total, and no stricter than the contract: offsets in another order than
/// [`encode_sequence_batches`] writes them, and bytes behind the arguments, are as good.
///
/// # Errors
/// See [`CalldataError`].
pub fn decode_sequence_batches(calldata: &[u8]) -> Result<Sequence, CalldataError> {
    let selector = calldata.first_chunk::<4>().ok_or(CalldataError::Short { got: calldata.len() })?;
    if *selector != <abi::SequenceBatchesCall as ethers::contract::EthCall>::selector() {
        return Err(CalldataError::OtherFunction { got: *selector });
    }
    let call = abi::SequenceBatchesCall::decode(calldata).map_err(|_| CalldataError::Arguments)?;
    let batches = call.batches.into_iter().map(|batch| BatchData {
        transactions: convert::from_bytes(batch.transactions),
        global_exit_root: batch.global_exit_root.into(),
        timestamp: batch.timestamp,
        min_forced_timestamp: batch.min_forced_timestamp,
    });
    Ok(Sequence { batches: batches.collect(), coinbase: convert::from_address(call.l_2_coinbase) })
}

fn proof(p: &BatchProofWords) -> abi::BatchProof {
    abi::BatchProof {
        shape_id: p.shape_id,
        new_state_root: p.new_state_root.0,
        new_acc_input_hash: p.new_acc_input_hash.0,
        new_local_exit_root: p.new_local_exit_root.0,
        proof: p.proof.map(convert::word),
    }
}

fn event(log: Log) -> Option<(Place, RollupEvent)> {
    let place = Place {
        block_number: log.block_number?.as_u64(),
        block_hash: convert::from_hash(log.block_hash?),
        transaction_hash: convert::from_hash(log.transaction_hash?),
        log_index: u64::try_from(log.log_index?).ok()?,
    };
    let raw = RawLog { topics: log.topics, data: log.data.to_vec() };
    let event = match abi::ZkEVMEvents::decode_log(&raw).ok()? {
        abi::ZkEVMEvents::SequenceBatchesFilter(e) => RollupEvent::Sequenced { last_batch: e.num_batch },
        abi::ZkEVMEvents::TrustedVerifyBatchesFilter(e) => RollupEvent::Verified {
            last_batch: e.num_batch,
            state_root: e.state_root.into(),
            aggregator: convert::from_address(e.aggregator),
        },
        _ => return None,
    };
    Some((place, event))
}
