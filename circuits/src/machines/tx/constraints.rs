//! The transaction slots: flags, parsing, and the order of the parts.

use ark_ff::One;

use super::{
    bytes,
    chain_id::ChainIdRlp,
    payload,
    rlp::{Cursor, Digits, length_prefix},
    row::{Kind, SlotRow, TxRows},
    transfer::{Parties, transfer},
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::zero::is_zero,
    lookup::bus::{BatchByte, BatchPrefix, Bus, Element},
};

/// What the batch gives to its transactions.
#[derive(Clone, Debug)]
pub struct TxContext {
    /// Committed, below 2⁶⁴.
    pub chain_id: Lc,
    /// Committed, below 2¹⁶⁰.
    pub coinbase: Lc,
    /// Keccak stream of the batch bytes.
    pub batch_stream: u64,
    /// Keccak stream of the first transaction's signing payload; transaction j has this + j.
    pub first_stream: u64,
    /// Last time that an access before the first transaction may have: transaction j accesses sender, recipient and
    /// coinbase at this + 3j + 1, + 2 and + 3.
    pub time_offset: u64,
    /// Leaf count before the first transaction, committed.
    pub leaf_count: Lc,
}

/// What the transactions give to the batch. All committed.
#[derive(Clone, Debug)]
pub struct TxOutputs {
    /// Bytes in the batch: the length of the batch stream.
    pub total_len: Lc,
    /// Leaf count after the last transaction.
    pub leaf_count: Lc,
    /// Number of transactions.
    pub transactions: Lc,
}

/// Largest number of accesses to the journal in a batch: a time difference is one 16-bit limb.
pub const MAX_TIME: u64 = 1 << 16;

/// Batch bytes and transactions.
///
/// ```text
/// tx.slot.covered   after the last slot nothing remains          1 a batch    without it: bytes without effect
/// ```
///
/// # Panics
/// If the shape's last time is not below [`MAX_TIME`].
pub fn synthesize(cs: &mut Cs, rows: &TxRows, context: &TxContext) -> TxOutputs {
    let last_time = context.time_offset + 3 * rows.slots.len() as u64;
    assert!(
        last_time < MAX_TIME,
        "last access time {last_time} of {} transactions must be below {MAX_TIME}",
        rows.slots.len()
    );

    let table = bytes::allocate(cs, &rows.bytes);
    let chain_id = ChainIdRlp::new(cs, &context.chain_id);
    let mut chain = Chain {
        total: table.total.into(),
        rest: table.total.into(),
        previous: None,
        leaf_count: context.leaf_count.clone(),
        transactions: Lc::zero(),
    };
    for (j, row) in rows.slots.iter().enumerate() {
        slot(cs, row, j as u64, context, &chain_id, &mut chain);
    }
    cs.enforce_zero("tx.slot.covered", chain.rest);
    bytes::provide(cs, &table, &rows.bytes, context.batch_stream);
    TxOutputs { total_len: chain.total, leaf_count: chain.leaf_count, transactions: chain.transactions }
}

/// What passes from slot to slot.
struct Chain {
    /// Bytes in the batch.
    total: Lc,
    /// Bytes that no slot has covered yet; 0 in disabled slots, so that they cost nothing.
    rest: Lc,
    previous: Option<Lc>,
    leaf_count: Lc,
    transactions: Lc,
}

fn slot(cs: &mut Cs, row: &SlotRow, j: u64, context: &TxContext, chain_id: &ChainIdRlp, chain: &mut Chain) {
    let flags = flags(cs, row, chain.previous.as_ref());
    let parsed = parse(cs, row, &flags, context, chain_id, chain);
    let sender = payload::sender(cs, row, &flags, &parsed, chain_id, context.first_stream + j);
    let parties =
        Parties { sender: &sender, coinbase: &context.coinbase, time: context.time_offset + 3 * j + 1 };
    chain.leaf_count = transfer(cs, row, &flags, &parsed, &parties, chain.leaf_count.clone());
    chain.transactions += &flags.en;
    chain.previous = Some(flags.en);
}

/// Booleans of a slot, as combinations.
pub(super) struct Flags {
    pub en: Lc,
    pub eip155: Lc,
    pub eip1559: Lc,
    /// EIP-2930 or EIP-1559.
    pub typed: Lc,
    /// 1 or 2; 0 for legacy.
    pub type_byte: Lc,
    pre_eip155: Lc,
}

/// ```text
/// tx.slot.enabled   en ∈ {0, 1}                                           1
/// tx.slot.prefix    en·(1 − previous en) = 0                              1    disabled slots come last; redundant
/// tx.slot.kind      pre-155, 2930, 1559 and en − their sum ∈ {0, 1}       4    without it: several kinds at once
/// ```
fn flags(cs: &mut Cs, row: &SlotRow, previous: Option<&Lc>) -> Flags {
    let en = cs.commit_boolean("tx.slot.enabled", row.enabled);
    if let Some(previous) = previous {
        let one = cs.one();
        cs.enforce("tx.slot.prefix", one - previous, en, Lc::zero());
    }
    let mut kind = |k| cs.commit_boolean("tx.slot.kind", row.enabled && row.kind == k);
    let (pre_eip155, eip2930, eip1559) = (kind(Kind::PreEip155), kind(Kind::Eip2930), kind(Kind::Eip1559));
    let typed = eip2930 + eip1559;
    let eip155 = en - pre_eip155 - &typed;
    cs.enforce_boolean("tx.slot.kind", eip155.clone());
    Flags {
        en: en.into(),
        eip155,
        eip1559: eip1559.into(),
        typed,
        type_byte: eip2930 + eip1559 * 2u64,
        pre_eip155: pre_eip155.into(),
    }
}

/// The fields of a transaction. All zero in a disabled slot.
pub(super) struct Parsed {
    /// Position in the batch of the list's payload, which is where the shared fields start.
    pub origin: Lc,
    /// Length of the fields that wire and signing payload share.
    pub shared_end: Lc,
    pub nonce: Lc,
    pub priority_fee: Lc,
    /// Max fee, or gas price.
    pub max_fee: Lc,
    pub gas_limit: Lc,
    /// Lowest byte first.
    pub to: Vec<Wire>,
    pub value: Digits,
    pub data_len: Lc,
    /// Non-zero bytes of data.
    pub data_nonzero: Lc,
    pub parity: Lc,
    pub r: Digits,
    pub s: Digits,
}

/// Reads the slot's bytes from the table, in wire order.
///
/// ```text
/// tx.to.prefix, tx.to.byte    0x94 and 20 bytes                                                   1 + 20
/// tx.access_list.empty        0xc0, typed times                                                   1
/// tx.v.chain_id               product = eip155 · chain id                                         1
/// tx.v.value                  v = parity + 27·pre-155 + 35·eip155 + 2·product                     1
/// tx.list.type                type byte at the slot's start, typed times                          1
/// tx.list.prefix              the prefix of all items' bytes                                      2
/// tx.list.digit               and its digits                                                      3
/// tx.list.size                size = typed + en + digits: where the payload starts                1
/// tx.slot.idle                a disabled slot has no items' bytes                                 1
/// tx.slot.rest                rest after = rest before − size − items                             1
/// ```
/// and the items, and 1 for the origin that the first item and the digits share. Without `tx.slot.idle` a disabled slot
/// could cover bytes: its data length is read from nowhere. Without `tx.list.*` two slots could read the same bytes, or
/// skip some; without `tx.v.*` a legacy signature for another chain would be accepted.
fn parse(
    cs: &mut Cs,
    row: &SlotRow,
    flags: &Flags,
    context: &TxContext,
    chain_id: &ChainIdRlp,
    chain: &mut Chain,
) -> Parsed {
    let en = &flags.en;
    let size_value = flags.typed.value() + en.value() + F::from(row.list_width as u64);
    let size = Lc::from(cs.commit("tx.list.size", size_value));
    let start = chain.total.clone() - &chain.rest;
    let origin = start.clone() + &size;
    let mut cursor = Cursor::new(cs, origin.clone());
    let before_list = cursor.clone();

    chain_id.read(cs, &mut cursor, flags);
    let nonce = cursor.int(cs, "tx.nonce", en, &row.nonce, 8).value();
    let priority_fee = cursor.int(cs, "tx.priority_fee", &flags.eip1559, &row.priority_fee, 16).value();
    let max_fee = cursor.int(cs, "tx.max_fee", en, &row.max_fee, 16).value();
    let gas_limit = cursor.int(cs, "tx.gas_limit", en, &row.gas_limit, 8).value();
    let to = recipient(cs, &mut cursor, en, row);
    let value = cursor.int(cs, "tx.value", en, &row.value, 32);
    let data = data(cs, &mut cursor, en, row);
    cursor.read(cs, "tx.access_list.empty", 0, 0xc0, flags.typed.clone());
    let shared_end = cursor.at() + &flags.typed;
    cursor.jump(cs, shared_end.clone());
    let v = cursor.int(cs, "tx.v", en, &row.v, 9).value();
    let sig_r = cursor.int(cs, "tx.r", en, &row.r, 32);
    let sig_s = cursor.int(cs, "tx.s", en, &row.s, 32);

    // A bit in an enabled slot: secp256k1 sends no other parity. 0 in a disabled one, by tx.v.value.
    let parity = cs.commit("tx.v.parity", F::from(row.parity));
    let product = cs.product("tx.v.chain_id", context.chain_id.clone(), flags.eip155.clone());
    let expected = parity + flags.pre_eip155.clone() * 27u64 + flags.eip155.clone() * 35u64 + product * 2u64;
    cs.enforce_equal("tx.v.value", v, expected);

    let length = cursor.at();
    cs.scoped("tx.list", |cs| {
        let list = length_prefix(cs, en, &length, row.list_width);
        // One behind the type byte, where there is one.
        let prefix_at = cs.share(start + &flags.typed);
        let read = |byte: Element, position: Element| BatchByte { byte, position };
        cs.send("type", flags.typed.clone(), read((&flags.type_byte).into(), prefix_at.plus(-F::one())));
        let prefix = Element::with_constant(&list.form, F::from(0xc0u64));
        cs.send("prefix", en.clone(), read(prefix, prefix_at.into()));
        before_list.read_backwards(cs, "digit", &list.digits, list.present);
        cs.enforce_equal("size", flags.typed.clone() + en + &list.width, size.clone());
    });

    let one = cs.one();
    cs.enforce("tx.slot.idle", length.clone(), one - en, Lc::zero());
    let rest = chain.rest.clone() - &size - length;
    let rest_wire = cs.commit("tx.slot.rest", rest.value());
    cs.enforce_equal("tx.slot.rest", rest, rest_wire);
    chain.rest = rest_wire.into();

    Parsed {
        origin,
        shared_end,
        nonce,
        priority_fee,
        max_fee,
        gas_limit,
        to,
        value,
        data_len: data.len,
        data_nonzero: data.nonzero,
        parity: parity.into(),
        r: sig_r,
        s: sig_s,
    }
}

/// 0x94 and 20 bytes, lowest first: a creation has no circuit.
fn recipient(cs: &mut Cs, cursor: &mut Cursor, en: &Lc, row: &SlotRow) -> Vec<Wire> {
    cursor.read(cs, "tx.to.prefix", 0, 0x94, en.clone());
    cursor.skip(en, 21);
    let bytes: Vec<_> = (0..20).map(|i| cs.commit("tx.to.byte", u64::from(row.to[19 - i]))).collect();
    cursor.read_backwards(cs, "tx.to.byte", &bytes, std::iter::repeat(en.clone()));
    bytes
}

struct Data {
    len: Lc,
    nonzero: Lc,
}

/// A string of any content.
///
/// ```text
/// tx.data.one         one = (length = 1)                                                     2
/// tx.data.single      single ∈ {0, one}                                                      1
/// tx.data.first       read the first byte, one times                                         1
/// tx.data.canonical   2·first − 256·(1 − single) ∈ [0, 2⁸) where one                         1
/// tx.data.nonnegative length ∈ [0, 2⁸) where the prefix is short                             1
/// tx.data.prefix      read the prefix, unless single                                         1
/// tx.data.digit       and its digits                                                         3 + 1
/// tx.data.start, end  start = prefix start + prefix size, end = start + length               2
/// tx.data.nonzero     suffix counts at start and end                                         2 + 1
/// ```
/// and the length prefix (12). `nonnegative`: a length of −1 with a prefix byte 0x7f would otherwise pass. `nonzero`:
/// without it zero bytes could be counted that are not there. A length beyond 55 equals its three digits. `canonical`:
/// first is a byte, so twice it is in range iff it is below 0x80 (single), and 2·(first − 0x80) is iff it is not.
fn data(cs: &mut Cs, cursor: &mut Cursor, en: &Lc, row: &SlotRow) -> Data {
    let len = Lc::from(cs.commit("tx.data.length", row.data_len));
    let one = is_zero(cs, "tx.data.one", en, &(len.clone() - en));
    cs.scoped("tx.data", |cs| {
        let single = cs.commit("single", F::from(row.data_single));
        cs.enforce("single", one - single, single, Lc::zero());
        let prefix = length_prefix(cs, en, &len, row.data_width);
        cs.lookup("nonnegative", Bus::Range8, en.clone() - prefix.present[0], len.clone());

        let has_prefix = en.clone() - single;
        let form = Element::with_constant(&prefix.form, F::from(0x80u64));
        cursor.read(cs, "prefix", 0, form, has_prefix.clone());
        cursor.advance(cs, "start", cursor.at() + has_prefix + &prefix.width);
        cursor.read_backwards(cs, "digit", &prefix.digits, prefix.present);

        let first = cs.commit("first", u64::from(row.data_first));
        cursor.read(cs, "first", 0, first, one);
        let spread = Element::with_constant(first * 2u64 + single * 256u64, -F::from(256u64));
        cs.lookup("canonical", Bus::Range8, one, spread);

        let nonzero_behind = |cs: &mut Cs, cursor: &Cursor, count: u64| {
            let nonzero = cs.commit("nonzero", count);
            let tuple = BatchPrefix { nonzero: nonzero.into(), position: cursor.position(0) };
            cs.send("nonzero", en.clone(), tuple);
            nonzero
        };
        let from_start = nonzero_behind(cs, cursor, row.nonzero_from_data);
        cursor.advance(cs, "end", cursor.at() + &len);
        let from_end = nonzero_behind(cs, cursor, row.nonzero_after_data);
        Data { len, nonzero: from_start - from_end }
    })
}
