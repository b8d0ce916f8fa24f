//! The transfer formulas: a model that moves money between map entries, the order of creation, and every refusal.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, convert::Infallible};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::{
    eip2718::Encodable2718,
    eip2930::{AccessList, AccessListItem},
};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use cairn_protocol::{
    Fr,
    constants::BLOCK_GAS_LIMIT,
    leaf::AccountValue,
    transfer::{
        AccountReader, InvalidTx, NotProvable, TransferContext, TransferError, TransferOutcome,
        apply_transfer,
    },
    tx::{DecodedTx, decode_tx},
};
use proptest::prelude::*;

#[derive(Clone, Default)]
struct Accounts(BTreeMap<Address, (AccountValue, u64)>);

impl AccountReader for Accounts {
    type Error = Infallible;
    fn read_account(&self, address: Address) -> Result<Option<(AccountValue, u64)>, Infallible> {
        Ok(self.0.get(&address).copied())
    }
}

impl Accounts {
    fn write(&mut self, outcome: &TransferOutcome) {
        for a in &outcome.accesses {
            if a.new_index != 0 {
                self.0.insert(a.address, (a.new, a.new_index));
            }
        }
    }
    fn value(&self, address: Address) -> AccountValue {
        self.0.get(&address).map_or_else(AccountValue::default, |a| a.0)
    }
    fn supply(&self) -> U256 {
        self.0.values().fold(U256::ZERO, |sum, (a, _)| sum + a.balance)
    }
}

fn address(n: u8) -> Address {
    Address::repeat_byte(n)
}

fn account(nonce: u64, balance: u64) -> AccountValue {
    AccountValue { nonce, balance: U256::from(balance), ..Default::default() }
}

fn decode<T>(tx: T) -> DecodedTx
where
    T: SignableTransaction<Signature>,
    alloy_consensus::Signed<T>: Into<TxEnvelope>,
{
    let env: TxEnvelope = tx.into_signed(Signature::test_signature()).into();
    decode_tx(&env.encoded_2718()).unwrap()
}

const CONTEXT: TransferContext = TransferContext { chain_id: 1001, coinbase: Address::repeat_byte(0xcb) };

fn base() -> TxEip1559 {
    TxEip1559 {
        chain_id: 1001,
        nonce: 3,
        gas_limit: 21_000,
        max_fee_per_gas: 10,
        max_priority_fee_per_gas: 2,
        to: TxKind::Call(address(2)),
        value: U256::from(100),
        ..Default::default()
    }
}

fn sender_with(value: AccountValue) -> Accounts {
    Accounts(BTreeMap::from([(address(1), (value, 1))]))
}

fn run(tx: &DecodedTx, accounts: &Accounts) -> Result<TransferOutcome, TransferError<Infallible>> {
    apply_transfer(tx, address(1), &CONTEXT, accounts, 5)
}

#[test]
fn accepts_a_transfer_and_creates_leaves_in_order() {
    let outcome = run(&decode(base()), &sender_with(account(3, 210_100))).unwrap();
    let [sender, recipient, coinbase] = outcome.accesses;
    assert_eq!((sender.new, sender.new_index, sender.created), (account(4, 168_000), 1, false));
    assert_eq!((recipient.new, recipient.old_index, recipient.new_index), (account(0, 100), 0, 5));
    assert_eq!((coinbase.new, coinbase.new_index, coinbase.created), (account(0, 42_000), 6, true));
    assert_eq!((outcome.gas_used, outcome.fee_wei, outcome.leaf_count), (21_000, U256::from(42_000), 7));
}

#[test]
fn accepts_absent_accounts_that_stay_empty() {
    let tx = TxEip1559 { value: U256::ZERO, max_fee_per_gas: 0, max_priority_fee_per_gas: 0, ..base() };
    let outcome = run(&decode(tx), &sender_with(account(3, 0))).unwrap();
    assert_eq!(outcome.leaf_count, 5);
    assert!(outcome.accesses[1..].iter().all(|a| !a.created && a.new_index == 0 && a.new.is_empty()));
    // The first transaction of an account that was never funded.
    let tx =
        TxEip1559 { nonce: 0, value: U256::ZERO, max_fee_per_gas: 0, max_priority_fee_per_gas: 0, ..base() };
    let outcome = run(&decode(tx), &Accounts::default()).unwrap();
    assert_eq!((outcome.accesses[0].new, outcome.accesses[0].new_index), (account(1, 0), 5));
}

#[test]
fn accepts_self_transfer_and_sender_as_coinbase() {
    let context = TransferContext { coinbase: address(1), ..CONTEXT };
    let tx = decode(TxEip1559 { to: TxKind::Call(address(1)), ..base() });
    let accounts = sender_with(account(3, 210_100));
    let outcome = apply_transfer(&tx, address(1), &context, &accounts, 5).unwrap();
    assert_eq!(outcome.accesses[0].new, account(4, 168_000));
    assert_eq!(outcome.accesses[1].new, account(4, 168_100));
    assert_eq!(outcome.accesses[2].new, account(4, 210_100));
    assert_eq!(outcome.leaf_count, 5);
    // Recipient and coinbase are one new account: one leaf.
    let context = TransferContext { coinbase: address(2), ..CONTEXT };
    let outcome = apply_transfer(&decode(base()), address(1), &context, &accounts, 5).unwrap();
    assert!(outcome.accesses[1].created && !outcome.accesses[2].created);
    assert_eq!((outcome.accesses[2].new, outcome.accesses[2].new_index), (account(0, 42_100), 5));
}

#[test]
fn accepts_legacy_with_and_without_chain_id() {
    for chain_id in [None, Some(1001)] {
        let tx = TxLegacy {
            chain_id,
            nonce: 3,
            gas_price: 3,
            gas_limit: 30_000,
            to: TxKind::Call(address(2)),
            value: U256::from(1),
            input: Bytes::from_static(&[0, 9]),
        };
        let outcome = run(&decode(tx), &sender_with(account(3, 90_001))).unwrap();
        assert_eq!(outcome.fee_wei, U256::from(21_020 * 3));
    }
}

#[test]
fn rejects_every_invalid_transaction_by_name() {
    let rich = sender_with(account(3, 1 << 40));
    let invalid = |tx: TxEip1559, accounts: &Accounts| match run(&decode(tx), accounts) {
        Err(TransferError::Invalid(e)) => e,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        invalid(TxEip1559 { chain_id: 1, ..base() }, &rich),
        InvalidTx::ChainIdMismatch { expected: 1001, got: 1 }
    );
    assert_eq!(
        invalid(TxEip1559 { max_priority_fee_per_gas: 11, ..base() }, &rich),
        InvalidTx::PriorityFeeAboveMaxFee { priority_wei: 11, max_wei: 10 }
    );
    let gas_limit = BLOCK_GAS_LIMIT + 1;
    assert_eq!(
        invalid(TxEip1559 { gas_limit, ..base() }, &rich),
        InvalidTx::GasLimitAboveBlock { gas_limit, block_gas_limit: BLOCK_GAS_LIMIT }
    );
    assert!(run(&decode(TxEip1559 { gas_limit: BLOCK_GAS_LIMIT, ..base() }), &rich).is_ok());
    assert_eq!(
        invalid(TxEip1559 { gas_limit: 20_999, ..base() }, &rich),
        InvalidTx::GasBelowIntrinsic { gas_limit: 20_999, intrinsic_gas: 21_000 }
    );
    assert_eq!(
        invalid(TxEip1559 { to: TxKind::Create, input: vec![0; 49_153].into(), ..base() }, &rich),
        InvalidTx::InitcodeTooLong { length: 49_153, max: 49_152 }
    );
    let last = sender_with(account(u64::MAX, 1 << 40));
    assert_eq!(invalid(TxEip1559 { nonce: u64::MAX, ..base() }, &last), InvalidTx::NonceOverflow);
    assert_eq!(
        invalid(TxEip1559 { nonce: 2, ..base() }, &rich),
        InvalidTx::NonceTooLow { account: 3, tx: 2 }
    );
    assert_eq!(
        invalid(TxEip1559 { nonce: 4, ..base() }, &rich),
        InvalidTx::NonceTooHigh { account: 3, tx: 4 }
    );
    // The upfront cost counts the max fee, one wei more than the balance is too much.
    assert_eq!(
        invalid(base(), &sender_with(account(3, 210_099))),
        InvalidTx::InsufficientFunds { balance_wei: U256::from(210_099), cost_wei: U256::from(210_100) }
    );
    assert_eq!(
        invalid(TxEip1559 { value: U256::MAX, ..base() }, &rich),
        InvalidTx::InsufficientFunds { balance_wei: U256::from(1u64 << 40), cost_wei: U256::MAX }
    );
    let contract = sender_with(AccountValue { code_hash: Fr::from(1), ..account(3, 1 << 40) });
    assert_eq!(invalid(base(), &contract), InvalidTx::SenderHasCode { sender: address(1) });
}

#[test]
fn rejects_what_is_not_provable_yet_by_name_after_validity() {
    let mut accounts = sender_with(account(3, 1 << 40));
    accounts.0.insert(address(7), (AccountValue { code_hash: Fr::from(1), ..account(1, 0) }, 2));
    let refused = |tx: TxEip1559| match run(&decode(tx), &accounts) {
        Err(TransferError::NotProvable(e)) => e,
        other => panic!("{other:?}"),
    };
    let create = TxEip1559 { to: TxKind::Create, gas_limit: 60_000, ..base() };
    assert_eq!(refused(create.clone()), NotProvable::Creation);
    assert_eq!(
        refused(TxEip1559 { to: TxKind::Call(address(7)), ..base() }),
        NotProvable::RecipientHasCode { address: address(7) }
    );
    for n in 1..=10u8 {
        let address = Address::with_last_byte(n);
        assert_eq!(
            refused(TxEip1559 { to: TxKind::Call(address), ..base() }),
            NotProvable::PrecompileRecipient { address }
        );
    }
    for n in [0, 11] {
        assert!(
            run(&decode(TxEip1559 { to: TxKind::Call(Address::with_last_byte(n)), ..base() }), &accounts)
                .is_ok()
        );
    }
    let access_list = AccessList(vec![AccessListItem { address: address(2), storage_keys: vec![] }]);
    let listed = TxEip2930 {
        chain_id: 1001,
        nonce: 3,
        gas_price: 1,
        gas_limit: 30_000,
        to: TxKind::Call(address(2)),
        access_list,
        ..Default::default()
    };
    assert_eq!(run(&decode(listed), &accounts), Err(TransferError::NotProvable(NotProvable::AccessList)));
    let invalid = TxEip1559 { nonce: 9, ..create };
    assert!(matches!(
        run(&decode(invalid), &accounts),
        Err(TransferError::Invalid(InvalidTx::NonceTooHigh { .. }))
    ));
    accounts.0.insert(address(2), (AccountValue { balance: U256::MAX, ..Default::default() }, 3));
    assert_eq!(
        run(&decode(base()), &accounts),
        Err(TransferError::NotProvable(NotProvable::BalanceOverflow { address: address(2) }))
    );
}

proptest! {
    #[test]
    fn prop_money_is_kept_and_indices_are_dense(
        steps in prop::collection::vec((0..6u8, 0..6u8, 0..3u64, 0..60_000u64, 0..3u128, 0..30_000u64), 1..40),
        coinbase in 0..6u8,
    ) {
        let context = TransferContext { chain_id: 1001, coinbase: address(coinbase) };
        let mut accounts = Accounts::default();
        let mut leaf_count = 1;
        for n in 0..3 {
            accounts.0.insert(address(n), (account(0, 1_000_000), leaf_count));
            leaf_count += 1;
        }
        let supply = accounts.supply();
        for (from, to, nonce_shift, value, price, gas) in steps {
            let (from, to) = (address(from), address(to));
            let nonce = accounts.value(from).nonce + nonce_shift.saturating_sub(1);
            let tx = decode(TxEip1559 {
                nonce,
                value: U256::from(value),
                gas_limit: 20_990 + gas,
                max_fee_per_gas: price + 1,
                max_priority_fee_per_gas: price,
                to: TxKind::Call(to),
                ..base()
            });
            let before = accounts.clone();
            match apply_transfer(&tx, from, &context, &accounts, leaf_count) {
                Ok(outcome) => {
                    accounts.write(&outcome);
                    // The same by signed sums, whoever is who.
                    let fee = 21_000 * price as i128;
                    for n in (0..6).map(address) {
                        let mut delta = 0i128;
                        if n == from { delta -= i128::from(value) + fee; }
                        if n == to { delta += i128::from(value); }
                        if n == context.coinbase { delta += fee; }
                        let old = before.value(n).balance.to::<u128>() as i128;
                        prop_assert_eq!(accounts.value(n).balance, U256::from((old + delta) as u128));
                        prop_assert_eq!(accounts.value(n).nonce, before.value(n).nonce + u64::from(n == from));
                    }
                    leaf_count = outcome.leaf_count;
                }
                Err(TransferError::Invalid(e)) => {
                    let cost = (20_990 + u128::from(gas)) * (price + 1) + u128::from(value);
                    let expected = gas < 10
                        || nonce_shift == 2
                        || U256::from(cost) > before.value(from).balance;
                    prop_assert!(expected, "{e}");
                }
                Err(e) => prop_assert!(false, "{e}"),
            }
            prop_assert_eq!(accounts.supply(), supply);
            let mut indices: Vec<u64> = accounts.0.values().map(|a| a.1).collect();
            indices.sort_unstable();
            prop_assert_eq!(indices, (1..leaf_count).collect::<Vec<_>>());
            prop_assert!(accounts.0.values().all(|(a, _)| !a.is_empty()));
        }
    }
}
