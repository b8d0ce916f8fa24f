//! What a transaction is said to cost at most, against what it costs when it is executed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::{collections::BTreeSet, sync::Arc};

use alloy_primitives::{Address, U256};
use cairn_protocol::{
    genesis::{Genesis, GenesisAccount},
    resources::Rows,
    tx::{DecodedTx, decode_tx},
};
use cairn_sequencer::{
    admission::Admission,
    counters::BatchMeter,
    evm::{BlockContext, EvmDb, NoBlockHashes},
    executor::{ExecuteError, execute},
};
use cairn_state::{MemoryStore, StateDb};
use support::{CHAIN_ID, Transfer, address, key};

/// What a batch of the transaction alone costs if exactly `present` have an account; None if it is not valid then.
fn cost(tx: &DecodedTx, sender: Address, coinbase: Address, present: &BTreeSet<Address>) -> Option<Rows> {
    let account =
        GenesisAccount { balance: U256::from(10u64).pow(U256::from(20u64)), ..GenesisAccount::default() };
    let accounts = present.iter().map(|address| (*address, account.clone())).collect();
    let state =
        StateDb::open(Arc::new(MemoryStore::default()), &Genesis { chain_id: CHAIN_ID, accounts }).unwrap();
    let view = state.latest().unwrap();
    let context = BlockContext { chain_id: CHAIN_ID, number: 1, timestamp: 1, coinbase };
    let db = EvmDb { state: &view, hashes: &NoBlockHashes };
    match execute(tx, sender, &context, db, Admission::Provable) {
        Ok(executed) => Some(BatchMeter::with_new_root().counters_with(&executed.work(tx))),
        Err(ExecuteError::Invalid(_)) => None,
        Err(other) => panic!("{other}"),
    }
}

/// For every way in which sender, recipient and coinbase may be the same and have an account, with and without value and fee:
/// the stated cost is the highest that occurs, neither less nor more.
#[test]
fn accepts_the_highest_cost_of_a_transfer_as_the_cost_of_it_alone() {
    let signer = key(1);
    let sender = address(&signer);
    let (other, miner) = (Address::repeat_byte(0xee), Address::repeat_byte(0xcb));
    for (to, coinbase) in [(other, miner), (other, other), (other, sender), (sender, miner), (sender, sender)]
    {
        for (value, fee) in [(0, 0), (0, 7), (1, 0), (1, 7)] {
            let transfer =
                Transfer { to, value: U256::from(value), max_fee: fee, priority: fee, ..Transfer::default() };
            let tx = decode_tx(&transfer.sign(&signer)).unwrap();
            let involved: Vec<_> = BTreeSet::from([sender, to, coinbase]).into_iter().collect();
            let subsets = (0..1u32 << involved.len()).map(|bits| {
                let present = (0..involved.len()).filter(|i| bits >> i & 1 == 1).map(|i| involved[i]);
                present.collect::<BTreeSet<_>>()
            });
            let costs: Vec<_> = subsets.filter_map(|present| cost(&tx, sender, coinbase, &present)).collect();
            assert!(!costs.is_empty());
            let highest = costs.into_iter().fold(Rows::ZERO, Rows::max);
            let stated = BatchMeter::single(&tx, sender, coinbase);
            assert_eq!(stated, highest, "value {value}, fee {fee}, to {to}, coinbase {coinbase}");
        }
    }
}
