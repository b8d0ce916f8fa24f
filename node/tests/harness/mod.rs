//! A node in this process over a chain that is filled the same way each time, and the wires to it. L1 accepts all that
//! it is told; what the contracts check is tested in `pipeline.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod document;
pub mod fuzz;
pub mod http;
pub mod transactions;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, hex, keccak256};
use async_trait::async_trait;
use cairn_node::{
    chain::Chain,
    cli::Role,
    config::{Config, ProofMode},
    proof::{BatchProof, MockEngine, ProofEngine, ProofError, VerifierSpec},
    settlement::{Lane, RollupStatus, Settled, Settlement, SettlementError, VerifiedBatch},
    wiring::{Node, NodeError, open_chain, open_store},
};
use cairn_protocol::{
    batch::BatchData,
    constants::DEVNET_CHAIN_ID,
    genesis::{Genesis, GenesisAccount},
    witness::BatchWitness,
};
use cairn_sequencer::shapes::{ShapeId, Shapes};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use http::Http;

/// Returns its input.
pub const ECHO: Address = address!("0x00000000000000000000000000000000000ec400");
/// Emits its input as a log under [`TOPIC`].
pub const LOGGER: Address = address!("0x0000000000000000000000000000000000010600");
/// Reverts with `Error("no")`.
pub const REVERTER: Address = address!("0x00000000000000000000000000000000000bad00");
/// Returns its slot 0, which is 42.
pub const STORE: Address = address!("0x0000000000000000000000000000000000005700");
pub const TOPIC: B256 = b256!("0x7070707070707070707070707070707070707070707070707070707070707070");

/// The price that the pool asks for: L1's, below, makes the same.
pub const PRICE_WEI: u128 = 1_000_000;

/// The development chain and four contracts.
pub fn genesis() -> Genesis {
    let mut genesis = Genesis::devnet();
    let mut contract = |address, code: Vec<u8>, slot: u64| {
        let storage = (slot > 0).then(|| (U256::ZERO, U256::from(slot))).into_iter().collect();
        let account = GenesisAccount { nonce: 1, code: code.into(), storage, ..GenesisAccount::default() };
        genesis.accounts.push((address, account));
    };
    contract(ECHO, hex!("366000600037366000f3").to_vec(), 0);
    let logger = [&hex!("3660006000377f")[..], TOPIC.as_slice(), &hex!("366000a100")].concat();
    contract(LOGGER, logger, 0);
    let mut reverter = hex!("6064600c60003960646000fd08c379a0").to_vec();
    reverter.extend(U256::from(32).to_be_bytes::<32>());
    reverter.extend(U256::from(2).to_be_bytes::<32>());
    reverter.extend(b"no");
    reverter.resize(12 + 100, 0);
    contract(REVERTER, reverter, 0);
    contract(STORE, hex!("60005460005260206000f3").to_vec(), 42);
    genesis
}

/// Accepts everything.
#[derive(Default)]
struct AcceptingL1(Mutex<Accepted>);

#[derive(Default)]
struct Accepted {
    /// Accumulated input hash after each batch, and whether a sequence ends there.
    sequenced: Vec<(B256, bool)>,
    verified: u64,
}

/// What happened to the batches up to `last_batch`; the hash of the transaction follows from them.
fn settled(first_batch: u64, last_batch: u64, lane: u8) -> Settled {
    let l1_tx_hash = keccak256([&last_batch.to_be_bytes()[..], &[lane]].concat());
    Settled { first_batch, last_batch, l1_tx_hash, gas_used: 1 }
}

#[async_trait]
impl Settlement for AcceptingL1 {
    async fn status(&self) -> Result<RollupStatus, SettlementError> {
        let accepted = self.0.lock().unwrap();
        Ok(RollupStatus {
            last_sequenced: accepted.sequenced.len() as u64,
            last_verified: accepted.verified,
            chain_id: DEVNET_CHAIN_ID,
            trusted_aggregator: Address::repeat_byte(0xa9),
        })
    }

    async fn acc_input_hash(&self, batch: u64) -> Result<B256, SettlementError> {
        let (hash, ends) = self.0.lock().unwrap().sequenced[batch as usize - 1];
        Ok(if ends { hash } else { B256::ZERO })
    }

    async fn state_root(&self, _: u64) -> Result<B256, SettlementError> {
        Ok(B256::ZERO)
    }

    async fn global_exit_root(&self) -> Result<B256, SettlementError> {
        Ok(B256::ZERO)
    }

    async fn gas_price_wei(&self) -> Result<u128, SettlementError> {
        Ok(PRICE_WEI)
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
        let mut accepted = self.0.lock().unwrap();
        for batch in &batches {
            let previous = accepted.sequenced.last().map_or(B256::ZERO, |(hash, _)| *hash);
            accepted.sequenced.push((batch.acc_input_hash(previous, coinbase), false));
        }
        accepted.sequenced.last_mut().unwrap().1 = true;
        Ok(settled(first_batch, accepted.sequenced.len() as u64, 0))
    }

    async fn verify(&self, init: u64, batches: Vec<VerifiedBatch>) -> Result<Settled, SettlementError> {
        let last = init + batches.len() as u64;
        self.0.lock().unwrap().verified = last;
        Ok(settled(init + 1, last, 1))
    }

    async fn acknowledge(&self, _: Lane, _: &Settled) -> Result<(), SettlementError> {
        Ok(())
    }
}

/// Pretends to prove: for the rules of a chain whose batches are proven.
struct Provable(MockEngine);

#[async_trait]
impl ProofEngine for Provable {
    fn mode(&self) -> ProofMode {
        ProofMode::Groth16
    }

    fn shapes(&self) -> Shapes {
        self.0.shapes()
    }

    fn verifiers(&self) -> Vec<(ShapeId, VerifierSpec)> {
        self.0.verifiers()
    }

    async fn prove(
        &self,
        shape: ShapeId,
        witness: BatchWitness,
        aggregator: Address,
    ) -> Result<BatchProof, ProofError> {
        self.0.prove(shape, witness, aggregator).await
    }
}

/// A running node.
pub struct TestNode {
    pub chain: Arc<Chain>,
    pub address: SocketAddr,
    pub http: Http,
    node: tokio::task::JoinHandle<Result<(), NodeError>>,
    cancel: CancellationToken,
    // Removed when the node is.
    _dir: Option<tempfile::TempDir>,
}

/// The configuration of a test node in `dir`.
pub fn config(dir: &std::path::Path) -> Config {
    let mut config = Config::default();
    let file = dir.join("genesis.json");
    std::fs::write(&file, serde_json::to_string(&genesis()).unwrap()).unwrap();
    config.chain.genesis = Some(file);
    config.chain.data_dir = dir.join("data");
    config.rpc.listen.set_port(0);
    config.batch.tick_ms = 20;
    config.batch.max_age_s = 1;
    config.prover.mode = ProofMode::Mock;
    config
}

impl TestNode {
    /// Starts the roles over a new chain.
    pub async fn start(roles: &[Role], change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        change(&mut config);
        let mut node = Self::open(roles, &config).await;
        node._dir = Some(dir);
        node
    }

    /// Starts the roles over the chain that the configuration names.
    pub async fn open(roles: &[Role], config: &Config) -> Self {
        let mock = MockEngine { capacity: config.batch.mock_capacity };
        let engine: Arc<dyn ProofEngine> = match config.prover.mode {
            ProofMode::Mock => Arc::new(mock),
            ProofMode::Groth16 => Arc::new(Provable(mock)),
        };
        let chain = open_chain(config, open_store(config).unwrap(), engine.as_ref()).unwrap();
        let cancel = CancellationToken::new();
        let l1 = Arc::new(AcceptingL1::default());
        let node = Node::start(config, roles, Arc::clone(&chain), engine, l1, cancel.clone()).await.unwrap();
        let address = node.rpc_address().unwrap();
        let node = tokio::spawn(node.run());
        Self { chain, address, http: Http::new(address), node, cancel, _dir: None }
    }

    /// Result of a call, or code and message of its error.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, (i64, String)> {
        self.http.ask(method, params).await
    }

    /// Result of a call that must succeed.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        self.ask(method, params.clone()).await.unwrap_or_else(|e| panic!("{method} {params}: {e:?}"))
    }

    /// Waits until a call answers `wanted`.
    pub async fn wait_for(&self, method: &str, params: Value, wanted: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let got = self.call(method, params.clone()).await;
                if wanted(&got) {
                    return got;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect(method)
    }

    /// Sends a transaction, waits until it is in a block, and returns its receipt.
    pub async fn makes_a_block(&self, raw: &Bytes) -> Value {
        let hash = self.call("eth_sendRawTransaction", json!([raw])).await;
        self.wait_for("eth_getTransactionReceipt", json!([hash]), Value::is_object).await
    }

    /// Stops the node, which must not have failed.
    pub async fn stop(self) {
        drop(self.http);
        self.cancel.cancel();
        self.node.await.unwrap().unwrap();
    }
}

/// Panics of any thread of this process from the first call on, each with its place.
pub fn panics() -> &'static Mutex<Vec<String>> {
    static PANICS: OnceLock<Mutex<Vec<String>>> = OnceLock::new();
    PANICS.get_or_init(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            panics().lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
            default(info);
        }));
        Mutex::default()
    })
}

/// Fails if anything panicked since [`panics`] was first called.
pub fn assert_no_panic() {
    let seen = std::mem::take(&mut *panics().lock().unwrap_or_else(PoisonError::into_inner));
    assert!(seen.is_empty(), "panics: {seen:#?}");
}

/// Resident memory of this process, in bytes.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}
