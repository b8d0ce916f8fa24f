//! Whatever is handed in as a raw transaction is accepted exactly if another decoder and the pool's rules, written down
//! here a second time, accept it; it is never a fault of the node; and what was accepted is executed.
//! Runs by time: see `harness/fuzz.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod harness;

use std::collections::{BTreeMap, HashMap};

use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, Signed, Transaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy,
    transaction::SignerRecoverable,
};
use alloy_eips::{
    eip2718::{Decodable2718, Encodable2718},
    eip2930::{AccessList, AccessListItem},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use cairn_node::{
    chain::Chain,
    cli::Role,
    config::{Config, ProofMode},
};
use cairn_protocol::{constants::DEVNET_CHAIN_ID, tx::decode_tx};
use cairn_sequencer::counters::BatchMeter;
use harness::{
    ECHO, PRICE_WEI, TestNode, assert_no_panic, config, fuzz, genesis, panics,
    transactions::{KEYS, RECIPIENT, transfer},
};
use k256::ecdsa::SigningKey;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

/// Small, so that it is full in the end.
const POOL_LIMIT: usize = 300;
const ACCOUNT_LIMIT: usize = 40;

fn edge_u128() -> impl Strategy<Value = u128> {
    prop_oneof![
        select(vec![
            0,
            1,
            PRICE_WEI - 1,
            PRICE_WEI,
            10 * PRICE_WEI,
            u128::from(u64::MAX),
            u128::MAX - 1,
            u128::MAX
        ]),
        any::<u128>(),
    ]
}

/// What the pool mostly accepts, or rises from: a replacement needs a tenth more.
fn price() -> impl Strategy<Value = u128> {
    prop_oneof![8 => (10u128..40).prop_map(|n| PRICE_WEI * n / 10), 1 => edge_u128()]
}

fn nonce() -> impl Strategy<Value = u64> {
    prop_oneof![
        12 => 0u64..8,
        3 => 0u64..60,
        1 => select(vec![1_023, 1_024, 1_025, u64::MAX - 1, u64::MAX]),
        1 => any::<u64>(),
    ]
}

fn gas_limit() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 21_000u64..60_000, 1 => select(vec![0, 20_999, 21_000, 30_000_000, 30_000_001, u64::MAX]), 1 => any::<u64>()]
}

fn value() -> impl Strategy<Value = U256> {
    let ether = U256::from(10).pow(U256::from(18));
    prop_oneof![
        8 => (0u64..1_000).prop_map(U256::from),
        2 => (0u64..11_000).prop_map(move |n| ether * U256::from(n)),
        1 => select(vec![U256::MAX, U256::MAX - U256::from(1), U256::from(1) << 255, U256::from(1) << 128]),
        1 => any::<[u8; 32]>().prop_map(U256::from_be_bytes),
    ]
}

fn to() -> impl Strategy<Value = TxKind> {
    prop_oneof![
        12 => Just(TxKind::Call(RECIPIENT)),
        2 => any::<[u8; 20]>().prop_map(|a| TxKind::Call(a.into())),
        1 => (0u8..14).prop_map(|n| TxKind::Call(Address::with_last_byte(n))),
        1 => Just(TxKind::Call(ECHO)),
        1 => Just(TxKind::Create),
    ]
}

fn data() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        10 => Just(Bytes::new()),
        3 => vec(any::<u8>(), 0..300).prop_map(Bytes::from),
        1 => (0usize..140_000).prop_map(|n| vec![0; n].into()),
    ]
}

fn access_list() -> impl Strategy<Value = AccessList> {
    let item = |keys| {
        (any::<[u8; 20]>(), vec(any::<[u8; 32]>(), keys)).prop_map(|(address, keys)| AccessListItem {
            address: address.into(),
            storage_keys: keys.into_iter().map(B256::from).collect(),
        })
    };
    prop_oneof![
        12 => Just(AccessList::default()),
        1 => vec(item(0..4), 1..4).prop_map(AccessList),
        1 => item(1_000..3_500).prop_map(|item| AccessList(vec![item])),
    ]
}

fn chain_id() -> impl Strategy<Value = u64> {
    prop_oneof![20 => Just(DEVNET_CHAIN_ID), 1 => select(vec![0, 1, u64::MAX]), 1 => any::<u64>()]
}

/// Who signs, or what stands where the signature should be.
#[derive(Clone, Debug)]
enum Signer {
    Account(usize),
    Key([u8; 32]),
    Words(U256, U256, bool),
    /// The other signature of the same message: (r, n - s).
    HighS(usize),
}

fn signer() -> impl Strategy<Value = Signer> {
    let order =
        U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).unwrap();
    let word = prop_oneof![
        select(vec![
            U256::ZERO,
            U256::from(1),
            order - U256::from(1),
            order,
            order / U256::from(2),
            U256::MAX
        ]),
        any::<[u8; 32]>().prop_map(U256::from_be_bytes),
    ];
    prop_oneof![
        16 => (0..KEYS.len()).prop_map(Signer::Account),
        1 => (0..KEYS.len()).prop_map(Signer::HighS),
        1 => any::<[u8; 32]>().prop_map(Signer::Key),
        1 => (word.clone(), word, any::<bool>()).prop_map(|(r, s, v)| Signer::Words(r, s, v)),
    ]
}

fn sign<T: SignableTransaction<Signature>>(tx: T, signer: &Signer) -> Vec<u8>
where
    TxEnvelope: From<Signed<T>>,
{
    let with = |key: &[u8]| {
        let key = SigningKey::from_slice(key).ok()?;
        Some(Signature::from(key.sign_prehash_recoverable(tx.signature_hash().as_slice()).ok()?))
    };
    let account = |i: &usize| with(&hex::decode(KEYS[*i]).unwrap()).unwrap();
    let signature = match signer {
        Signer::Account(i) => account(i),
        Signer::Key(key) => with(key).unwrap_or_else(|| account(&0)),
        Signer::Words(r, s, v) => Signature::new(*r, *s, *v),
        Signer::HighS(i) => {
            let low = account(i);
            let order = U256::from_be_slice(
                &hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap(),
            );
            Signature::new(low.r(), order - low.s(), !low.v())
        }
    };
    TxEnvelope::from(tx.into_signed(signature)).encoded_2718()
}

fn transaction() -> impl Strategy<Value = Vec<u8>> {
    let fields = (nonce(), gas_limit(), to(), value(), data(), chain_id());
    (0u8..4, fields, (price(), price(), any::<bool>()), access_list(), signer()).prop_map(
        |(ty, (nonce, gas_limit, to, value, input, chain_id), (a, b, same), access_list, signer)| match ty {
            0 => {
                // A legacy signature has room for the chain id doubled.
                let chain_id = (chain_id != 1 && chain_id < 1 << 62).then_some(chain_id);
                sign(TxLegacy { chain_id, nonce, gas_price: a, gas_limit, to, value, input }, &signer)
            }
            1 => sign(
                TxEip2930 { chain_id, nonce, gas_price: a, gas_limit, to, value, input, access_list },
                &signer,
            ),
            _ => {
                let (max_priority_fee_per_gas, max_fee_per_gas) = if same { (a, a) } else { (a, b) };
                let tx = TxEip1559 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas,
                    max_priority_fee_per_gas,
                    to,
                    value,
                    access_list,
                    input,
                };
                sign(tx, &signer)
            }
        },
    )
}

/// Bytes of a transaction, whole or spoilt, or any bytes.
fn raw() -> impl Strategy<Value = Vec<u8>> {
    let spoilt = (transaction(), vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..5), 1..4)).prop_map(
        |(mut bytes, changes)| {
            for (index, byte, kind) in changes {
                let i = index.index(bytes.len());
                match kind {
                    0 => bytes[i] = byte,
                    1 => bytes[i] ^= 1 << (byte % 8),
                    2 => bytes.truncate(i.max(1)),
                    3 => bytes.insert(i, byte),
                    _ => bytes.push(byte),
                }
            }
            bytes
        },
    );
    let typed = (any::<u8>(), transaction()).prop_map(|(ty, mut bytes)| {
        bytes[0] = ty;
        bytes
    });
    prop_oneof![8 => transaction(), 4 => spoilt, 1 => typed, 1 => vec(any::<u8>(), 0..200)]
}

/// A pooled transaction, as far as it matters to later ones.
#[derive(Clone, Copy)]
struct Pooled {
    hash: B256,
    max_fee: u128,
    priority: u128,
    cost: U256,
}

/// The pool's rules, a second time. No block is made meanwhile: every nonce is 0, every balance the genesis' one.
struct Oracle {
    config: Config,
    balances: HashMap<Address, U256>,
    queues: HashMap<Address, BTreeMap<u64, Pooled>>,
}

fn raised(price: u128) -> Option<u128> {
    // A tenth more, rounded up.
    price.checked_add(price.div_ceil(10))
}

impl Oracle {
    /// Takes the transaction in, if it is to be accepted.
    fn accepts(&mut self, raw: &[u8]) -> bool {
        self.judge(raw).is_some()
    }

    fn judge(&mut self, raw: &[u8]) -> Option<()> {
        let holds = |rule: bool| rule.then_some(());
        let pool = &self.config.pool;
        holds(raw.len() <= pool.max_transaction_bytes)?;
        let tx = TxEnvelope::decode_2718_exact(raw).ok()?;
        holds(!matches!(tx, EthereumTxEnvelope::Eip4844(_) | EthereumTxEnvelope::Eip7702(_)))?;
        let sender = tx.recover_signer().ok()?;
        holds(tx.chain_id().is_none_or(|id| id == DEVNET_CHAIN_ID))?;
        let priority = tx.max_priority_fee_per_gas().unwrap_or(tx.max_fee_per_gas());
        holds(priority <= tx.max_fee_per_gas() && priority >= PRICE_WEI)?;
        let zeros = tx.input().iter().filter(|b| **b == 0).count() as u64;
        let intrinsic = 21_000 + 4 * zeros + 16 * (tx.input().len() as u64 - zeros);
        holds((intrinsic..=30_000_000).contains(&tx.gas_limit()))?;
        // Not provable yet: creations, access lists, calls of code.
        let TxKind::Call(to) = tx.kind() else { return None };
        holds(tx.access_list().is_none_or(|list| list.is_empty()))?;
        holds(!(1..=10).any(|n| to == Address::with_last_byte(n)))?;
        holds(!genesis().accounts.iter().any(|(address, a)| *address == to && !a.code.is_empty()))?;
        // What the prover has room for is the sequencer's own measure.
        let decoded = decode_tx(raw).ok()?;
        let counters = BatchMeter::single(&decoded, sender, self.config.chain.coinbase);
        counters.fits(&self.config.batch.mock_capacity).ok()?;

        holds(tx.nonce() <= pool.max_nonce_gap)?;
        let cost = U256::from(tx.gas_limit()) * U256::from(tx.max_fee_per_gas());
        let cost = cost.checked_add(tx.value())?;
        let full = self.queues.values().map(BTreeMap::len).sum::<usize>() >= pool.max_transactions;
        let queue = self.queues.entry(sender).or_default();
        let others = queue.iter().filter(|(nonce, _)| **nonce != tx.nonce());
        let total = others.fold(cost, |sum, (_, p)| sum.saturating_add(p.cost));
        holds(total <= self.balances.get(&sender).copied().unwrap_or_default())?;
        match queue.get(&tx.nonce()) {
            Some(old) => {
                holds(old.hash != *tx.tx_hash())?;
                holds(tx.max_fee_per_gas() >= raised(old.max_fee)? && priority >= raised(old.priority)?)?;
            }
            None => holds(!full && queue.len() < pool.max_per_account)?,
        }
        let pooled = Pooled { hash: *tx.tx_hash(), max_fee: tx.max_fee_per_gas(), priority, cost };
        queue.insert(tx.nonce(), pooled);
        Some(())
    }

    /// Nonce of each account once everything that can be executed was.
    fn executed(&self) -> HashMap<Address, u64> {
        let contiguous =
            |queue: &BTreeMap<u64, Pooled>| (0..).take_while(|n| queue.contains_key(n)).count() as u64;
        self.queues.iter().map(|(sender, queue)| (*sender, contiguous(queue))).collect()
    }
}

fn nonce_of(chain: &Chain, address: Address) -> u64 {
    chain.state().latest().unwrap().account(address).unwrap().map_or(0, |a| a.nonce)
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_raw_transactions_are_accepted_as_by_the_oracle() {
    panics();
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.prover.mode = ProofMode::Groth16;
    config.pool.max_transactions = POOL_LIMIT;
    config.pool.max_per_account = ACCOUNT_LIMIT;
    let balances = genesis().accounts.iter().map(|(address, a)| (*address, a.balance)).collect();
    let mut oracle = Oracle { config: config.clone(), balances, queues: HashMap::new() };

    let node = TestNode::open(&[Role::Rpc], &config).await;
    let mut runner = fuzz::runner();
    let (mut accepted, mut seen) = (0u64, std::collections::HashSet::new());
    let strategy = raw();
    let count = fuzz::run(&mut runner, fuzz::time(), &strategy, async |raw: &Vec<u8>| {
        // A value is asked about once: a second time, when it is being made smaller, the pool has it.
        if !seen.insert(raw.clone()) {
            return Ok(());
        }
        let wanted = oracle.accepts(raw);
        let got = node.ask("eth_sendRawTransaction", json!([Bytes::from(raw.clone())])).await;
        accepted += u64::from(got.is_ok());
        let shown = hex::encode(&raw[..raw.len().min(2_000)]);
        match got {
            Err((-32603, message)) => Err(format!("a fault of the node: {message}: {shown}")),
            got if got.is_ok() != wanted => Err(format!("accepted: wanted {wanted}, got {got:?}: {shown}")),
            _ => Ok(()),
        }
    });
    let count = count.await;
    eprintln!("{count} transactions, {accepted} accepted");
    assert!(accepted >= 10, "hardly anything was accepted");
    let pooled = node.chain.with_pool(|pool| pool.status());
    assert_eq!(pooled.pending + pooled.queued, oracle.queues.values().map(BTreeMap::len).sum::<usize>());
    node.stop().await;

    // Everything that was accepted and has no gap before it is executed, and the node goes on.
    let node = TestNode::open(&[Role::Sequencer, Role::Rpc], &config).await;
    let expected = oracle.executed();
    for (sender, nonce) in &expected {
        node.wait_for("eth_getTransactionCount", json!([sender, "latest"]), |got| {
            got.as_str() == Some(&format!("{nonce:#x}"))
        })
        .await;
        assert_eq!(nonce_of(&node.chain, *sender), *nonce);
    }
    assert_eq!(node.chain.heads().trusted_block, expected.values().sum::<u64>());
    assert_no_panic();
    node.stop().await;
}

/// Extremes of each field, one by one.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_the_nasty_transactions() {
    panics();
    let node = TestNode::start(&[Role::Sequencer, Role::Rpc], |c| c.prover.mode = ProofMode::Groth16).await;
    let good = transfer(0, 0).to_vec();
    let mut cases: Vec<Vec<u8>> =
        vec![vec![], vec![0], vec![1], vec![2], vec![3], vec![4], vec![0xc0], vec![0xff; 9]];
    cases.extend((0..good.len()).map(|n| good[..n].to_vec()));
    cases.push([&good[..], &[0]].concat());
    cases.push([&good[..], &good[..]].concat());
    // A list that says it is longer than any machine's memory.
    cases.extend(
        (0xf8u8..=0xff)
            .flat_map(|byte| [vec![byte; 9], vec![2, byte, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]),
    );
    // Lists in lists in lists, where a field is expected.
    cases.push([vec![2], vec![0xc1; 60_000]].concat());
    for case in cases {
        let got = node.ask("eth_sendRawTransaction", json!([Bytes::from(case.clone())])).await;
        assert!(
            matches!(got, Err((-32000 | -32003, _))),
            "{got:?}: {}",
            hex::encode(&case[..case.len().min(100)])
        );
    }
    // The text of a transaction is not bytes.
    for text in ["", "0", "0x0", "0xzz", "02f8", "0X02"] {
        let got = node.ask("eth_sendRawTransaction", json!([text])).await;
        assert!(matches!(got, Err((-32602 | -32000, _))), "{text:?}: {got:?}");
    }
    node.makes_a_block(&good.into()).await;
    assert_no_panic();
    node.stop().await;
}
