//! The outside is played by constants: keccak receives the true messages, secp256k1 sends the true signatures (any r
//! and s will do, nobody recovers here), the journal starts and ends with the true accounts.

mod accepts;
mod costs;
mod forger;
mod forgeries;
mod lengths;
mod rejects;
mod tangent;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use cairn_protocol::{
    leaf::{AccountValue, address_to_field, halves},
    tx::{DecodedTx, decode_batch},
};

use super::{witness::trace_with, *};
use crate::{
    F,
    cs::{Cs, Lc, Mode},
    lookup::bus::{self, Account, Element, KeccakInput, KeccakOutput},
    machines::journal::{Entry, Journal},
    testing::{Checker, Failures},
};

pub(super) const CHAIN_ID: u64 = 1001;
pub(super) const FIRST_STREAM: u64 = 5;
pub(super) const TIME_OFFSET: u64 = 4;
pub(super) const COINBASE: Address = Address::repeat_byte(0xcb);

/// A transaction before encoding.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub kind: Kind,
    pub chain_id: u64,
    pub nonce: u64,
    pub priority_fee: u128,
    pub max_fee: u128,
    pub gas_limit: u64,
    pub to: Address,
    pub value: U256,
    pub data: Bytes,
    pub parity: bool,
    pub r: U256,
    pub s: U256,
    pub sender: Address,
}

pub(super) const KINDS: [Kind; 4] = [Kind::PreEip155, Kind::Eip155, Kind::Eip2930, Kind::Eip1559];

impl Sample {
    /// Every field and every byte of it is other than zero.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            chain_id: CHAIN_ID,
            nonce: 0x0102_0304_0506_0708,
            priority_fee: 0x1_2345_6789,
            max_fee: 0x2_2345_6789,
            gas_limit: 0x10_1112,
            to: Address::repeat_byte(0x77),
            value: U256::from(0x0123_4567_89ab_cdefu64) << 96usize | U256::from(0x1111_2222u64),
            data: Bytes::new(),
            parity: true,
            r: U256::from_be_bytes([0x91; 32]),
            s: U256::from_be_bytes([0x71; 32]),
            sender: Address::repeat_byte(0x55),
        }
    }

    /// On the wire, by alloy.
    pub fn encode(&self) -> Vec<u8> {
        let Self { chain_id, nonce, gas_limit, value, .. } = *self;
        let (to, input) = (TxKind::Call(self.to), self.data.clone());
        let (gas_price, access_list) = (self.max_fee, Default::default());
        let signature = Signature::new(self.r, self.s, self.parity);
        let envelope: TxEnvelope = match self.kind {
            Kind::PreEip155 => TxLegacy { chain_id: None, nonce, gas_price, gas_limit, to, value, input }
                .into_signed(signature)
                .into(),
            Kind::Eip155 => {
                TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input }
                    .into_signed(signature)
                    .into()
            }
            Kind::Eip2930 => {
                TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, input, access_list }
                    .into_signed(signature)
                    .into()
            }
            Kind::Eip1559 => TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: self.max_fee,
                max_priority_fee_per_gas: self.priority_fee,
                to,
                value,
                input,
                access_list,
            }
            .into_signed(signature)
            .into(),
        };
        envelope.encoded_2718()
    }
}

/// One transaction of each kind, changed by `f`, from different senders.
pub(super) fn each_kind(f: impl Fn(&mut Sample)) -> Vec<Sample> {
    let sample = |(i, kind): (usize, Kind)| {
        let mut s = Sample::new(kind);
        s.sender = Address::repeat_byte(0x50 + i as u8);
        f(&mut s);
        s
    };
    KINDS.into_iter().enumerate().map(sample).collect()
}

/// A batch with what the outside knows about it.
#[derive(Clone)]
pub(super) struct Batch {
    pub bytes: Vec<u8>,
    pub chain_id: u64,
    pub txs: Vec<DecodedTx>,
    /// Messages that keccak hashes, by stream.
    pub messages: Vec<(u64, Vec<u8>)>,
    pub signatures: Vec<(B256, U256, U256, bool, Address)>,
    pub before: Journal,
    pub after: Journal,
    pub rows: TxRows,
}

/// Accounts that suit the samples: each sender has the nonce of its first transaction and plenty of money.
pub(super) fn journal_for(samples: &[Sample]) -> Journal {
    let mut journal = Journal { leaf_count: 100, ..Journal::default() };
    for a in samples.iter().flat_map(|s| [s.sender, s.to]).chain([COINBASE]) {
        journal.accounts.entry(a).or_default();
    }
    for (i, s) in samples.iter().enumerate().rev() {
        let value = AccountValue { nonce: s.nonce, balance: U256::MAX >> 1usize, code_hash: F::from(0u64) };
        journal.accounts.insert(s.sender, Entry { value, index: 10 + i as u64, time: 0 });
    }
    journal
}

impl Batch {
    pub fn new(samples: &[Sample]) -> Self {
        Self::with_journal(samples, journal_for(samples))
    }

    /// Rows exactly as many as needed.
    pub fn with_journal(samples: &[Sample], before: Journal) -> Self {
        let len = samples.iter().map(|s| s.encode().len()).sum();
        Self::with_shape(samples, before, TxShape { slots: samples.len(), bytes: len })
    }

    pub fn with_shape(samples: &[Sample], before: Journal, shape: TxShape) -> Self {
        Self::build(samples, before, shape, true)
    }

    /// Rows of transactions that may not execute.
    pub fn invalid(samples: &[Sample], before: Journal) -> Self {
        let len = samples.iter().map(|s| s.encode().len()).sum();
        Self::build(samples, before, TxShape { slots: samples.len(), bytes: len }, false)
    }

    fn build(samples: &[Sample], before: Journal, shape: TxShape, checked: bool) -> Self {
        let bytes: Vec<u8> = samples.iter().flat_map(Sample::encode).collect();
        let chain_id = samples.first().map_or(CHAIN_ID, |s| s.chain_id);
        let context = TraceContext {
            chain_id,
            coinbase: COINBASE,
            first_stream: FIRST_STREAM,
            time_offset: TIME_OFFSET,
        };
        let txs = decode_batch(&bytes).expect("the samples are valid");
        let signed: Vec<_> =
            txs.iter().zip(samples).map(|(tx, s)| SignedTx { tx, sender: s.sender }).collect();
        let mut after = before.clone();
        let rows = if checked {
            trace(shape, &context, &bytes, &signed, &mut after)
        } else {
            trace_with(shape, &context, &bytes, &signed, &mut after, |_, _, _| Ok(()))
        };
        let rows = rows.expect("the samples may execute");
        let streams = txs.iter().zip(FIRST_STREAM..).map(|(tx, stream)| (stream, tx.signing_payload()));
        let messages = [(0, bytes.clone())].into_iter().chain(streams).collect();
        let signature =
            |(tx, s): (&DecodedTx, &Sample)| (tx.signing_hash(), tx.r, tx.s, tx.y_parity, s.sender);
        let signatures = txs.iter().zip(samples).map(signature).collect();
        Self { bytes, chain_id, messages, signatures, before, after, rows, txs }
    }

    /// The machine on `rows`, and the outside of the honest batch.
    pub fn system(&self, rows: &TxRows, mode: Mode) -> Cs {
        self.synthesize(rows, mode, |cs, value| cs.constant(value))
    }

    /// As [`Self::system`], but what the machine computes is unknown outside: wires that the machine alone determines.
    pub fn system_with_free_outputs(&self) -> Cs {
        self.synthesize(&self.rows, Mode::Check, |cs, value| cs.commit("outside.output", value).into())
    }

    fn synthesize(&self, rows: &TxRows, mode: Mode, output: impl Fn(&mut Cs, F) -> Lc) -> Cs {
        let mut cs = Cs::new(mode);
        let chain_id = cs.constant(self.chain_id);
        let coinbase = cs.constant(address_to_field(COINBASE));
        let leaf_count = cs.constant(self.before.leaf_count);
        let context = TxContext {
            chain_id,
            coinbase,
            batch_stream: 0,
            first_stream: FIRST_STREAM,
            time_offset: TIME_OFFSET,
            leaf_count,
        };
        let outputs = synthesize(&mut cs, rows, &context);
        for (name, lc, value) in [
            ("outside.total", outputs.total_len, self.bytes.len() as u64),
            ("outside.leaf_count", outputs.leaf_count, self.after.leaf_count),
            ("outside.transactions", outputs.transactions, self.txs.len() as u64),
        ] {
            let value = output(&mut cs, value.into());
            cs.enforce_equal(name, lc, value);
        }
        self.play_outside(&mut cs, output);
        cs
    }

    fn play_outside(&self, cs: &mut Cs, output: impl Fn(&mut Cs, F) -> Lc) {
        let one = Lc::from(cs.one());
        for (stream, message) in &self.messages {
            // The batch is given, payloads are the machine's.
            let payload = |cs: &mut Cs, value: u64| match stream {
                0 => value.into(),
                _ => Element::from(&output(cs, value.into())),
            };
            for (position, &byte) in (0u64..).zip(message) {
                let byte = payload(cs, u64::from(byte));
                let tuple = KeccakInput { byte, position: position.into(), stream: (*stream).into() };
                cs.receive("outside.message", one.clone(), tuple);
            }
            if *stream != 0 {
                let (hi, lo) = halves(U256::from_be_bytes(keccak256(message).0));
                let length = payload(cs, message.len() as u64);
                let tuple =
                    KeccakOutput { high: hi.into(), low: lo.into(), length, stream: (*stream).into() };
                cs.send("outside.digest", one.clone(), tuple);
            }
        }
        for &(digest, r, s, parity, sender) in &self.signatures {
            let [[z_high, z_low], [r_high, r_low], [s_high, s_low], [_, parity]] =
                [U256::from_be_bytes(digest.0), r, s, U256::from(parity)].map(|word| {
                    let (hi, lo) = halves(word);
                    [hi, lo].map(|half| Element::from(&output(cs, half)))
                });
            let address = address_to_field(sender).into();
            let tuple = bus::Signature { address, z_high, z_low, r_high, r_low, s_high, s_low, parity };
            cs.send("outside.signature", one.clone(), tuple);
        }
        for (address, entry) in &self.before.accounts {
            let tuple = account(*address, entry, |v| cs.constant(v));
            cs.send("outside.old_account", one.clone(), tuple);
        }
        for (address, entry) in &self.after.accounts {
            let tuple = account(*address, entry, |v| output(cs, v));
            cs.receive("outside.new_account", one.clone(), tuple);
        }
    }

    pub fn checker(&self) -> Checker {
        Checker::new(&self.system(&self.rows, Mode::Check), vec![])
    }

    pub fn failures(&self) -> Failures {
        self.checker().failures()
    }

    /// What fails after a change of the rows, the honest rows being accepted.
    pub fn failures_after(&self, change: impl FnOnce(&mut TxRows)) -> Failures {
        let mut rows = self.rows.clone();
        change(&mut rows);
        assert_ne!(rows, self.rows, "the change has no effect");
        Checker::new(&self.system(&rows, Mode::Check), vec![]).failures()
    }

    pub fn assert_rejects(&self, name: &str, change: impl FnOnce(&mut TxRows)) {
        let failures = self.failures_after(change);
        assert!(failures.contains(name), "{name} is not among {failures:?}");
    }
}

/// An account on the journal, its values by `value`; its address and time are constants.
fn account(address: Address, entry: &Entry<AccountValue>, mut value: impl FnMut(F) -> Lc) -> Account {
    let (hi, lo) = halves(entry.value.balance);
    let [index, nonce, balance_high, balance_low, code_hash] =
        [entry.index.into(), entry.value.nonce.into(), hi, lo, entry.value.code_hash]
            .map(|v: F| Element::from(&value(v)));
    let address = address_to_field(address).into();
    Account { index, address, nonce, balance_high, balance_low, code_hash, time: entry.time.into() }
}
