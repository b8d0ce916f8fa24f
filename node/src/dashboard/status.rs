//! The overview in one object: how far the chain is, what waits, who proves. Numbers are JSON numbers; amounts of wei are
//! hex quantities.

use alloy_primitives::U256;
use cairn_protocol::resources::Rows;
use cairn_sequencer::shapes::{ListedShape, Room, ShapeId};
use serde::Serialize;

use crate::{
    chain::{Chain, ChainError},
    config::ProofMode,
    keys::KeyState,
    records::now_ms,
    settlement::Contracts,
    storage::{Kind, StorageError},
};

/// How far one of the three states is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    pub block: u64,
    /// The batch of the block; 0 for block 0.
    pub batch: u64,
    /// Of the block, Unix time in seconds.
    pub timestamp: u64,
}

/// The three states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct States {
    /// `latest`
    pub trusted: Head,
    /// `safe`
    pub r#virtual: Head,
    /// `finalized`
    pub consolidated: Head,
}

/// The batch that takes transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OpenBatchView {
    pub number: u64,
    pub transactions: u64,
    /// Unix time in seconds.
    pub timestamp: u64,
}

/// The pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolView {
    pub pending: usize,
    pub queued: usize,
    pub limit: usize,
    pub min_gas_price_wei: U256,
}

/// A proof that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proving {
    pub batch: u64,
    /// Unix time in milliseconds.
    pub started_ms: u64,
}

/// A circuit shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShapeView {
    pub id: ShapeId,
    pub name: String,
    pub capacity: Rows,
    /// Leaves of the state tree that its paths reach.
    pub positions: u64,
    pub key: KeyView,
}

/// How far a shape's key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    pub state: &'static str,
    /// What is being done, null unless it is being made; so `since_ms`.
    pub phase: Option<String>,
    /// Unix time in milliseconds.
    pub since_ms: Option<u64>,
}

impl From<KeyState> for KeyView {
    fn from(key: KeyState) -> Self {
        let (phase, since_ms) = match key {
            KeyState::Making { phase, since_ms } => (Some(phase.to_string()), Some(since_ms)),
            KeyState::Unused | KeyState::Waiting | KeyState::Registering | KeyState::Usable => (None, None),
        };
        Self { state: key.name(), phase, since_ms }
    }
}

/// The prover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ProverView {
    /// Sealed batches without a proof, the one at work included.
    pub queue: u64,
    pub proving: Option<Proving>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The node's clock, Unix time in milliseconds.
    pub time_ms: u64,
    pub version: String,
    pub chain_id: u64,
    /// `groth16`, or `mock`: nothing is proven.
    pub proof_mode: ProofMode,
    pub contracts: Option<Contracts>,
    pub states: States,
    pub open_batch: Option<OpenBatchView>,
    /// Last sealed batch.
    pub sealed_batch: u64,
    /// What the largest shape holds.
    pub capacity: Rows,
    /// Smallest first; none before the node runs.
    pub shapes: Vec<ShapeView>,
    pub pool: PoolView,
    pub prover: ProverView,
}

impl Status {
    /// Whether the two differ in nothing but their time.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        Self { time_ms: other.time_ms, ..self.clone() } == *other
    }
}

fn view(shape: &ListedShape, key: KeyState) -> ShapeView {
    let ListedShape { id, name, room } = shape;
    let Room { capacity, positions } = *room;
    ShapeView { id: *id, name: name.clone(), capacity, positions, key: key.into() }
}

fn head(chain: &Chain, block: u64) -> Result<Head, ChainError> {
    let record = chain.storage().block(block)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
    let timestamp = chain.header(block)?.map_or(0, |header| header.timestamp);
    Ok(Head { block, batch: record.batch, timestamp })
}

/// The prover works in order: the first batch in `verified + 1..=sealed` without a proof, by bisection.
fn first_unproven(chain: &Chain, verified: u64, sealed: u64) -> Result<u64, ChainError> {
    let (mut low, mut high) = (verified + 1, sealed + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let measure = chain.storage().proof_measure(middle)?;
        if measure.is_some_and(|m| m.seconds.is_some()) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The overview as of now.
///
/// # Errors
/// If the storage fails.
pub fn status(chain: &Chain) -> Result<Status, ChainError> {
    let heads = chain.heads();
    let states = States {
        trusted: head(chain, heads.trusted_block)?,
        r#virtual: head(chain, chain.last_block_of(heads.virtual_batch)?)?,
        consolidated: head(chain, chain.last_block_of(heads.verified_batch)?)?,
    };
    // A batch that was sealed since is no longer open.
    let open = chain.storage().open_batch()?.filter(|open| open.number > heads.sealed_batch);
    let open_batch = open.map(|open| OpenBatchView {
        number: open.number,
        transactions: (heads.trusted_block + 1).saturating_sub(open.first_block),
        timestamp: open.timestamp,
    });
    let unproven = first_unproven(chain, heads.verified_batch, heads.sealed_batch)?;
    let started = chain.storage().proof_measure(unproven)?.filter(|m| m.seconds.is_none());
    let prover = ProverView {
        queue: (heads.sealed_batch + 1).saturating_sub(unproven),
        proving: started.map(|m| Proving { batch: unproven, started_ms: m.started_ms }),
    };
    let (pool, limit) = chain.with_pool(|pool| (pool.status(), pool.config().max_transactions));
    Ok(Status {
        time_ms: now_ms(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        chain_id: chain.chain_id(),
        proof_mode: chain.proof_mode(),
        contracts: chain.feed.contracts(),
        states,
        open_batch,
        sealed_batch: heads.sealed_batch,
        capacity: *chain.capacity(),
        shapes: chain.feed.shapes().map(|(shape, key)| view(shape, key)).collect(),
        pool: PoolView {
            pending: pool.pending,
            queued: pool.queued,
            limit,
            min_gas_price_wei: U256::from(chain.gas_price_wei()),
        },
        prover,
    })
}
