//! Against a real anvil.

mod deploy;
mod rollup;
mod sender;

use std::{future::Future, sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, Bytes, U256};
use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField};
use cairn_protocol::batch::BatchData;
use serde_json::json;

use super::{
    account::Account,
    anvil::{Anvil, AnvilOptions},
    client::Client,
    deploy::{DeployPlan, Deployment, VerifierKind, deploy},
    rollup::Rollup,
    sender::{Job, Sender, SenderOptions},
    store::{MemoryStore, SendStore},
};

const L2_CHAIN_ID: u64 = 1_001;
const FORK_ID: u64 = 1;
const COINBASE: Address = Address::repeat_byte(0xcb);
/// Bound of every wait; a test that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A chain, its first account as the sender of everything, and its records.
struct Bench {
    client: Client,
    store: Arc<MemoryStore>,
    _anvil: Anvil,
}

impl Bench {
    async fn new() -> Self {
        Self::with(&AnvilOptions::default()).await
    }

    async fn with(options: &AnvilOptions) -> Self {
        let anvil = Anvil::start(options).unwrap();
        let client = Client::connect(&anvil.url(), Duration::from_millis(10)).await.unwrap();
        Self { client, store: Arc::default(), _anvil: anvil }
    }

    /// A sender as a restarted process would make it: only the records remain.
    fn sender(&self) -> Sender {
        self.sender_with(SenderOptions::default())
    }

    fn sender_with(&self, options: SenderOptions) -> Sender {
        let store: Arc<dyn SendStore> = self.store.clone();
        Sender::new(self.client.clone(), Anvil::account(0).unwrap(), store, options)
    }

    /// Something else that uses the account and knows nothing of the records.
    fn stranger(&self) -> Sender {
        let store = Arc::new(MemoryStore::default());
        Sender::new(self.client.clone(), Anvil::account(0).unwrap(), store, SenderOptions::default())
    }

    async fn rollup(&self) -> (Rollup, Deployment) {
        let deployment = deploy(&self.sender(), &plan(vec![(7, VerifierKind::Mock)])).await.unwrap();
        (Rollup::new(self.client.clone(), deployment.zkevm), deployment)
    }

    async fn request(&self, method: &'static str, params: serde_json::Value) -> serde_json::Value {
        self.client.raw_request(method, params).await.unwrap()
    }

    async fn automine(&self, on: bool) {
        self.request("evm_setAutomine", json!([on])).await;
    }

    async fn mine(&self, blocks: u64) {
        self.request("anvil_mine", json!([blocks])).await;
    }

    /// Transactions of the account in blocks.
    async fn settled_nonce(&self) -> u64 {
        self.client.nonce(account().address(), Some(super::client::At::Latest)).await.unwrap()
    }

    /// Transactions of the account in blocks and waiting.
    async fn pending_nonce(&self) -> u64 {
        self.client.nonce(account().address(), None).await.unwrap()
    }

    /// Two batches that may be posted now.
    async fn batches(&self) -> Vec<BatchData> {
        let timestamp = self.client.head().await.unwrap().timestamp;
        let batch = |fill: u8, length| BatchData {
            transactions: Bytes::from(vec![fill; length]),
            timestamp,
            ..BatchData::default()
        };
        vec![batch(1, 100), batch(2, 0)]
    }
}

fn account() -> Account {
    Anvil::account(0).unwrap()
}

fn plan(verifiers: Vec<(u32, VerifierKind)>) -> DeployPlan {
    DeployPlan {
        l2_chain_id: L2_CHAIN_ID,
        fork_id: FORK_ID,
        genesis_state_root: B256::with_last_byte(42),
        admin: Address::repeat_byte(0xad),
        trusted_sequencer: account().address(),
        trusted_aggregator: account().address(),
        trusted_sequencer_url: "http://127.0.0.1:8123".to_owned(),
        verifiers,
        bridge: None,
    }
}

/// A transfer to nobody: a job that always succeeds.
fn transfer(name: &str) -> Job {
    Job::call(name.to_owned(), Address::repeat_byte(0x77), Bytes::new())
}

/// Looks until something is so.
async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let wait = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("in time");
}

fn word(x: Fq) -> U256 {
    U256::from_be_slice(&x.into_bigint().to_bytes_be())
}

fn g1(scalar: u64) -> [U256; 2] {
    let p = (G1Affine::generator() * Fr::from(scalar)).into_affine();
    [word(p.x), word(p.y)]
}

fn g2(scalar: u64) -> [U256; 4] {
    let p = (G2Affine::generator() * Fr::from(scalar)).into_affine();
    [word(p.x.c1), word(p.x.c0), word(p.y.c1), word(p.y.c0)]
}

/// A key that verifies nothing known, with valid points: multiples of the generators.
fn key(seed: u64, gamma: u64, delta: u64) -> VerifierKind {
    let g2_words = [g2(seed + 1), g2(gamma), g2(delta), g2(seed + 2)];
    let ic = [g1(seed + 3), g1(seed + 4), g1(seed + 5), g1(seed + 6)];
    let words = [g1(seed).to_vec(), g2_words.concat(), ic.concat()].concat();
    VerifierKind::Groth16(Box::new(words.try_into().unwrap()))
}
