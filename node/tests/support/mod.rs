//! A node in this process, its L1 in memory, and signed transactions.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]
#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy_consensus::{Header, SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, Signature, TxKind, U256, address, keccak256};
use async_trait::async_trait;
use cairn_node::{
    chain::{Chain, ChainConfig},
    cli::Role,
    config::{Config, ProofMode},
    proof::{MockEngine, ProofEngine},
    settlement::{Lane, RollupStatus, Settled, Settlement, SettlementError, VerifiedBatch},
    storage::{BlockRecord, Kind, TxRecord, put},
    wiring::{Node, open_chain, open_store},
};
use cairn_protocol::{
    batch::{BatchData, PublicInput},
    constants::{DEVNET_CHAIN_ID, FORK_ID, TREE_CAPACITY},
    genesis::Genesis,
    leaf::field_to_b256,
    resources::Resource,
};
use cairn_sequencer::{admission::Admission, batch::BatchLimits, pool::PoolConfig, shapes::Room};
use cairn_state::{Batch, BlockChanges, MemoryStore, StateDb, Store};
use jsonrpsee::{
    core::{ClientError, client::ClientT},
    http_client::HttpClient,
};
use k256::ecdsa::SigningKey;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub const AGGREGATOR: Address = address!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
pub const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
pub const SENDER: Address = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

#[derive(Default)]
pub struct Rollup {
    /// Accumulated hash after each batch; whether a sequence ends there.
    batches: Vec<(B256, bool)>,
    roots: Vec<B256>,
    timestamp: u64,
    calls: u64,
}

/// Checks what the contracts check.
pub struct MemoryL1 {
    genesis_root: B256,
    rollup: Mutex<Rollup>,
}

fn refused(reason: &str) -> SettlementError {
    SettlementError::Refused { source: reason.into() }
}

#[async_trait]
impl Settlement for MemoryL1 {
    async fn status(&self) -> Result<RollupStatus, SettlementError> {
        let rollup = self.rollup.lock().unwrap();
        Ok(RollupStatus {
            last_sequenced: rollup.batches.len() as u64,
            last_verified: rollup.roots.len() as u64,
            chain_id: DEVNET_CHAIN_ID,
            trusted_aggregator: AGGREGATOR,
        })
    }

    async fn acc_input_hash(&self, batch: u64) -> Result<B256, SettlementError> {
        let (hash, is_end) = self.rollup.lock().unwrap().batches[batch as usize - 1];
        Ok(if is_end { hash } else { B256::ZERO })
    }

    async fn state_root(&self, batch: u64) -> Result<B256, SettlementError> {
        Ok(self.rollup.lock().unwrap().roots[batch as usize - 1])
    }

    async fn global_exit_root(&self) -> Result<B256, SettlementError> {
        Ok(B256::repeat_byte(7))
    }

    async fn gas_price_wei(&self) -> Result<u128, SettlementError> {
        Ok(1_000_000_000)
    }

    async fn resume(&self, _: Lane) -> Result<Option<Settled>, SettlementError> {
        Ok(None)
    }

    async fn sequence(
        &self,
        first_batch: u64,
        batches: Vec<BatchData>,
        coinbase: Address,
    ) -> Result<Settled, SettlementError> {
        let mut rollup = self.rollup.lock().unwrap();
        assert_eq!(first_batch, rollup.batches.len() as u64 + 1, "a batch was skipped or sent twice");
        let last = batches.len() - 1;
        for (i, batch) in batches.iter().enumerate() {
            if batch.timestamp < rollup.timestamp {
                return Err(refused("timestamp decreases"));
            }
            rollup.timestamp = batch.timestamp;
            let previous = rollup.batches.last().map_or(B256::ZERO, |(hash, _)| *hash);
            rollup.batches.push((batch.acc_input_hash(previous, coinbase), i == last));
        }
        rollup.calls += 1;
        let l1_tx_hash = keccak256(rollup.calls.to_be_bytes());
        Ok(Settled { first_batch, last_batch: rollup.batches.len() as u64, l1_tx_hash, gas_used: 1 })
    }

    async fn verify(&self, init: u64, batches: Vec<VerifiedBatch>) -> Result<Settled, SettlementError> {
        let mut rollup = self.rollup.lock().unwrap();
        assert_eq!(init, rollup.roots.len() as u64, "a batch was verified twice");
        for (number, batch) in (init + 1..).zip(&batches) {
            let at = number as usize - 1;
            if batch.acc_input_hash != rollup.batches[at].0 {
                return Err(refused("other data was sequenced"));
            }
            let input = PublicInput {
                aggregator: AGGREGATOR,
                old_state_root: rollup.roots.last().copied().unwrap_or(self.genesis_root),
                old_acc_input_hash: at.checked_sub(1).map_or(B256::ZERO, |i| rollup.batches[i].0),
                init_num_batch: number - 1,
                chain_id: DEVNET_CHAIN_ID,
                fork_id: FORK_ID,
                new_state_root: batch.state_root,
                new_acc_input_hash: batch.acc_input_hash,
                new_local_exit_root: batch.local_exit_root,
                final_new_batch: number,
            };
            if batch.proof.words[0] != U256::from_be_bytes(field_to_b256(input.to_field()).0) {
                return Err(refused("the proof is of something else"));
            }
            rollup.roots.push(batch.state_root);
        }
        assert!(rollup.batches[rollup.roots.len() - 1].1, "a verification ends inside a sequence");
        rollup.calls += 1;
        let l1_tx_hash = keccak256(rollup.calls.to_be_bytes());
        Ok(Settled { first_batch: init + 1, last_batch: rollup.roots.len() as u64, l1_tx_hash, gas_used: 1 })
    }

    async fn acknowledge(&self, _: Lane, _: &Settled) -> Result<(), SettlementError> {
        Ok(())
    }
}

/// A transfer of [`SENDER`], signed.
pub fn transfer(nonce: u64, value: u64) -> Bytes {
    transfer_at(nonce, value, 1_000_000_000, Bytes::new())
}

/// A signed transfer of [`SENDER`] with a price in wei and data.
pub fn transfer_at(nonce: u64, value: u64, price_wei: u128, input: Bytes) -> Bytes {
    transfer_with(nonce, Address::repeat_byte(0xee), value, price_wei, input)
}

/// A signed transfer of one wei from [`SENDER`].
pub fn transfer_to(nonce: u64, to: Address) -> Bytes {
    transfer_with(nonce, to, 1, 1_000_000_000, Bytes::new())
}

fn transfer_with(nonce: u64, to: Address, value: u64, price_wei: u128, input: Bytes) -> Bytes {
    let tx = TxEip1559 {
        chain_id: DEVNET_CHAIN_ID,
        nonce,
        gas_limit: 21_000 + 16 * input.len() as u64,
        max_fee_per_gas: price_wei,
        max_priority_fee_per_gas: price_wei,
        to: TxKind::Call(to),
        value: U256::from(value),
        input,
        ..TxEip1559::default()
    };
    let key = SigningKey::from_slice(&hex::decode(KEY).unwrap()).unwrap();
    let signature = key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap();
    TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718().into()
}

/// Three transactions fill a batch, one second closes it.
pub fn config(dir: &std::path::Path) -> Config {
    let mut config = Config::default();
    config.chain.data_dir = dir.to_owned();
    config.rpc.listen.set_port(0);
    config.batch.max_age_s = 1;
    config.batch.tick_ms = 20;
    config.batch.mock_capacity[Resource::Transactions] = 3;
    config
}

/// A node with a client of its JSON-RPC.
pub struct Running {
    node: tokio::task::JoinHandle<Result<(), cairn_node::wiring::NodeError>>,
    cancel: CancellationToken,
    pub address: SocketAddr,
    pub chain: Arc<Chain>,
    pub rpc: HttpClient,
}

/// Starts a node; the first one makes the L1 that the later ones share.
pub async fn start(config: &Config, l1: &mut Option<Arc<MemoryL1>>, roles: &[Role]) -> Running {
    let chain = open_chain(config, open_store(config).unwrap(), &engine(config)).unwrap();
    start_on(config, chain, l1, roles).await
}

fn engine(config: &Config) -> MockEngine {
    MockEngine { capacity: config.batch.mock_capacity }
}

/// Starts a node on a chain that is open already.
pub async fn start_on(
    config: &Config,
    chain: Arc<Chain>,
    l1: &mut Option<Arc<MemoryL1>>,
    roles: &[Role],
) -> Running {
    start_with(config, chain, Arc::new(engine(config)), l1, roles).await
}

/// The same with an engine of the test's own.
pub async fn start_with(
    config: &Config,
    chain: Arc<Chain>,
    engine: Arc<dyn ProofEngine>,
    l1: &mut Option<Arc<MemoryL1>>,
    roles: &[Role],
) -> Running {
    let genesis_root = chain.state().at(0).unwrap().state_root();
    let l1 = l1.get_or_insert_with(|| Arc::new(MemoryL1 { genesis_root, rollup: Mutex::default() }));
    let cancel = CancellationToken::new();
    let node =
        Node::start(config, roles, Arc::clone(&chain), engine, l1.clone(), cancel.clone()).await.unwrap();
    let address = node.rpc_address().unwrap();
    let rpc = HttpClient::builder().build(format!("http://{address}")).unwrap();
    Running { node: tokio::spawn(node.run()), cancel, address, chain, rpc }
}

impl Running {
    pub async fn call(&self, method: &str, params: Vec<Value>) -> Value {
        let mut list = jsonrpsee::core::params::ArrayParams::new();
        for p in params {
            list.insert(p).unwrap();
        }
        self.rpc.request(method, list).await.unwrap()
    }

    /// Code, message and data of the error that a call gives.
    pub async fn error(&self, method: &str, params: Vec<Value>) -> (i32, String, Value) {
        let mut list = jsonrpsee::core::params::ArrayParams::new();
        for p in params {
            list.insert(p).unwrap();
        }
        match self.rpc.request::<Value, _>(method, list).await {
            Err(ClientError::Call(e)) => {
                let data = e.data().map_or(Value::Null, |data| serde_json::from_str(data.get()).unwrap());
                (e.code(), e.message().to_owned(), data)
            }
            other => panic!("{method}: {other:?}"),
        }
    }

    /// Makes blocks with one transfer each up to block `to`; the nonces are the numbers less one.
    pub async fn make_blocks(&self, to: u64) {
        let mut heads = self.chain.subscribe();
        let mut nonce = heads.borrow_and_update().trusted_block;
        let make = async {
            while heads.borrow_and_update().trusted_block < to {
                // Some ahead of the sequencer, so that it does not wait for the client.
                while nonce < to && nonce < self.chain.heads().trusted_block + 100 {
                    let chain = Arc::clone(&self.chain);
                    let raw = transfer(nonce, 1);
                    tokio::task::spawn_blocking(move || chain.submit(&raw)).await.unwrap().unwrap();
                    nonce += 1;
                }
                if self.chain.heads().trusted_block < to {
                    heads.changed().await.unwrap();
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(120), make).await.unwrap();
    }

    /// Calls until the answer is `wanted`, for a minute.
    pub async fn wait_for(&self, method: &str, wanted: &Value) {
        let wait = async {
            while &self.call(method, vec![]).await != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap();
    }

    pub async fn stop(self) {
        drop(self.rpc);
        self.cancel.cancel();
        self.node.await.unwrap().unwrap();
    }
}

/// The header of a block with these logs; nothing else of it is right.
fn header_with(number: u64, logs: &[Log]) -> Header {
    let mut logs_bloom = Bloom::ZERO;
    for log in logs {
        logs_bloom.accrue_log(log);
    }
    Header { number, timestamp: 1_000 + number, logs_bloom, base_fee_per_gas: Some(0), ..Header::default() }
}

/// A chain in memory with blocks 1 to `blocks`, written without executing anything; block `n` has the logs that `logs`
/// gives. Records of blocks without logs are cut off behind the header: whoever decodes one fails.
pub fn chain_with_logs(config: &Config, blocks: u64, logs: impl Fn(u64) -> Vec<Log>) -> Arc<Chain> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let open = || open_chain(config, Arc::clone(&store), &engine(config)).unwrap();
    drop(open());
    let state = StateDb::open(Arc::clone(&store), &Genesis::devnet()).unwrap();
    for number in 1..=blocks {
        let logs = logs(number);
        let header = header_with(number, &logs);
        let (hash, header) = (header.hash_slow(), Bytes::from(alloy_rlp::encode(&header)));
        let mut writes = Batch::new();
        let id = number.to_be_bytes();
        put(&mut writes, Kind::BlockHash, hash.as_slice(), &number).unwrap();
        if logs.is_empty() {
            put(&mut writes, Kind::Block, &id, &(hash, header)).unwrap();
        } else {
            let raw = transfer(number, 1);
            let transaction = Some(TxRecord {
                hash: keccak256(&raw),
                raw,
                sender: SENDER,
                success: true,
                gas_used: 21_000,
                gas_price_wei: 1,
                logs,
            });
            put(&mut writes, Kind::Block, &id, &BlockRecord { hash, header, batch: 1, transaction }).unwrap();
        }
        state.commit_block_with(number, &BlockChanges::new(), writes).unwrap();
    }
    open()
}

/// A chain in mock mode whose batches close at nothing but their capacity.
pub fn chain_config() -> ChainConfig {
    let room = Room { capacity: Config::default().batch.mock_capacity, positions: TREE_CAPACITY };
    let coinbase = Address::repeat_byte(0xca);
    ChainConfig {
        genesis: Genesis::devnet(),
        coinbase,
        mode: ProofMode::Mock,
        limits: BatchLimits {
            room,
            admission: Admission::Everything,
            max_gas: u64::MAX,
            max_age: Duration::from_secs(3_600),
            min_age: Duration::from_secs(3_600),
        },
        pool: PoolConfig {
            chain_id: DEVNET_CHAIN_ID,
            admission: Admission::Everything,
            coinbase,
            room,
            max_transactions: 1_000,
            max_per_account: 100,
            max_nonce_gap: 100,
            max_transaction_bytes: 100_000,
            lifetime_s: 0,
        },
        max_unproven: 0,
        group_blocks: 64,
    }
}
