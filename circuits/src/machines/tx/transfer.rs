//! Whether a transaction may execute, and what it does to the three accounts. The formulas are those of
//! `cairn_protocol::transfer`.

use alloy_primitives::U256;
use ark_ff::{One, Zero};
use cairn_protocol::{
    constants::{BLOCK_GAS_LIMIT, LAST_PRECOMPILE, TX_DATA_NONZERO_GAS, TX_DATA_ZERO_GAS, TX_GAS},
    leaf::AccountValue,
};

use super::{
    constraints::{Flags, Parsed},
    row::SlotRow,
};
use crate::{
    F,
    cs::{Cs, Lc},
    gadgets::{
        pow2,
        words::{Word, enforce_range, to_u256},
        zero::{enforce_nonzero, is_zero},
    },
    lookup::bus::{Bus, Element},
    machines::journal::{AccountLc, At, Entry, Gap, account_access, is_nonempty},
};

/// Who takes part in a transfer, and when.
pub(super) struct Parties<'a> {
    pub sender: &'a Lc,
    pub coinbase: &'a Lc,
    /// Time of the sender's access; recipient and coinbase follow.
    pub time: u64,
}

/// The checks and the three accesses. Returns the leaf count after them.
pub(super) fn transfer(
    cs: &mut Cs,
    row: &SlotRow,
    flags: &Flags,
    parsed: &Parsed,
    parties: &Parties<'_>,
    leaf_count: Lc,
) -> Lc {
    let en = &flags.en;
    enforce_recipient_is_no_precompile(cs, en, parsed);
    let gas = intrinsic_gas(cs, en, parsed);
    let fees = fees(cs, flags, parsed, &gas);
    let leaf_count = pay(cs, row, en, parsed, parties, &fees, leaf_count);
    let leaf_count = receive(cs, row, en, parsed, parties, leaf_count);
    earn(cs, row, en, parties, &fees, leaf_count)
}

/// The recipient is not one of the precompiles 1 … 10.
///
/// ```text
/// tx.to.small        small = (the upper 19 bytes are all zero)                        2
/// tx.to.zero         zero·byte₀ = 0                                                   1
/// tx.to.precompile   byte₀ − 11·(1 − zero) ∈ [0, 2⁸) where small                      1
/// ```
/// So a small address is 0, or 11 and above: byte₀ ≠ 0 forces zero = 0, and for byte₀ = 0 zero may be anything that
/// passes. Without it a call to a precompile would pass as a plain transfer.
fn enforce_recipient_is_no_precompile(cs: &mut Cs, en: &Lc, parsed: &Parsed) {
    let upper: Lc = parsed.to[1..].iter().map(|&w| Lc::from(w)).sum();
    let small = is_zero(cs, "tx.to.small", en, &upper);
    let low = parsed.to[0];
    let zero = cs.commit("tx.to.zero", F::from(low.value().is_zero() && en.value().is_one()));
    cs.enforce("tx.to.zero", low, zero, Lc::zero());
    let least = F::from(LAST_PRECOMPILE + 1);
    cs.lookup("tx.to.precompile", Bus::Range8, small, Element::with_constant(low + zero * least, -least));
}

/// 21000 + 4·data bytes + 12·non-zero data bytes, at most the gas limit, which is at most the block's.
///
/// ```text
/// tx.gas.intrinsic   gas limit − gas ∈ [0, 2³²)            2    without it: more gas is charged than was signed for
/// tx.gas.block       30 000 000 − gas limit ∈ [0, 2³²)     2    without it: gas above the block's executes
/// ```
/// The gas limit has 8 digits and the gas is below 2²⁹, so no difference wraps around the modulus.
fn intrinsic_gas(cs: &mut Cs, en: &Lc, parsed: &Parsed) -> Lc {
    let gas = en.clone() * TX_GAS
        + parsed.data_len.clone() * TX_DATA_ZERO_GAS
        + parsed.data_nonzero.clone() * (TX_DATA_NONZERO_GAS - TX_DATA_ZERO_GAS);
    enforce_range(cs, "tx.gas.intrinsic", en, &(parsed.gas_limit.clone() - &gas), 2);
    enforce_range(cs, "tx.gas.block", en, &(en.clone() * BLOCK_GAS_LIMIT - &parsed.gas_limit), 2);
    gas
}

/// Wei amounts below 2¹⁵³: a gas of at most 30 000 000 < 2²⁵ times a price of 128 bits.
struct Fees {
    /// gas · effective price.
    fee: Lc,
    /// gas limit · max fee − fee: what the sender must own beyond value and fee. Not negative, because gas ≤ gas
    /// limit and effective price ≤ max fee.
    reserve: Lc,
}

/// ```text
/// tx.fee.priority    max fee − priority fee ∈ [0, 2¹²⁸)                       8    without it: an invalid transaction passes
/// tx.fee.price       price = max fee + eip1559·(priority fee − max fee)       1
/// tx.fee.fee         fee = gas · price                                        1    without it: the coinbase mints
/// tx.fee.limit       limit = gas limit · max fee                              1
/// ```
fn fees(cs: &mut Cs, flags: &Flags, parsed: &Parsed, gas: &Lc) -> Fees {
    let above = parsed.max_fee.clone() - &parsed.priority_fee;
    enforce_range(cs, "tx.fee.priority", &flags.en, &above, 8);
    let discount = cs.product("tx.fee.price", above, flags.eip1559.clone());
    let price = parsed.max_fee.clone() - discount;
    let fee = Lc::from(cs.committed_product("tx.fee.fee", price, gas.clone()));
    let limit = cs.committed_product("tx.fee.limit", parsed.max_fee.clone(), parsed.gas_limit.clone());
    let reserve = limit - &fee;
    Fees { fee, reserve }
}

/// The sender pays value and fee, and could have paid the whole gas limit at the highest price.
///
/// ```text
/// tx.sender.nonce          nonce ≠ 2⁶⁴ − 1 (EIP-2681)                                      1
/// tx.sender.balance        old balance − value − fee ∈ [0, 2²⁵⁶)                           16    without it: money from
/// tx.sender.carry          with a borrow ∈ [0, 2³²) between its halves                     2     nowhere
/// tx.sender.reserve        new balance − reserve ∈ [0, 2²⁵⁶)                               16    without it: an unaffordable
/// tx.sender.reserve_carry  with a borrow ∈ [0, 2³²) between its halves                     2     gas limit is accepted
/// ```
/// Nonce (equal to the transaction's) and code hash (0, EIP-3607) are in the tuple received from the journal.
fn pay(
    cs: &mut Cs,
    row: &SlotRow,
    en: &Lc,
    parsed: &Parsed,
    parties: &Parties<'_>,
    fees: &Fees,
    leaf_count: Lc,
) -> Lc {
    let nonce = cs.share(&parsed.nonce);
    enforce_nonzero(cs, "tx.sender.nonce", en, &(en.clone() * u64::MAX - &parsed.nonce));

    let old_balance = Word::commit_unchecked(cs, "tx.sender.old_balance", row.sender.value.balance);
    let value = parsed.value.word();
    let outflow = Word { hi: value.hi, lo: value.lo + &fees.fee };
    let borrow = carry32(cs, "tx.sender.carry", en, borrow_value(&old_balance.lo, &outflow.lo));
    let new_balance = subtract(cs, "tx.sender.balance", en, &old_balance, &outflow, &borrow);

    let reserve = Word { hi: Lc::zero(), lo: fees.reserve.clone() };
    let borrow = carry32(cs, "tx.sender.reserve_carry", en, borrow_value(&new_balance.lo, &reserve.lo));
    subtract(cs, "tx.sender.reserve", en, &new_balance, &reserve, &borrow);

    let old = AccountLc { nonce: (&nonce).into(), balance: old_balance, code_hash: 0.into() };
    let new = AccountLc { nonce: nonce.plus(1u64), balance: new_balance, code_hash: 0.into() };
    // The nonce is at least 1.
    let nonempty = en;
    account_access(cs, en, parties.sender, &old, &new, nonempty, at(parties.time, &row.sender), &leaf_count)
}

/// The recipient, who has no code, receives the value.
///
/// ```text
/// tx.recipient.balance     old balance + value ∈ [0, 2²⁵⁶)              16    without it: value is lost
/// tx.recipient.carry       with a carry ∈ {0, 1} between its halves     1
/// ```
fn receive(
    cs: &mut Cs,
    row: &SlotRow,
    en: &Lc,
    parsed: &Parsed,
    parties: &Parties<'_>,
    leaf_count: Lc,
) -> Lc {
    let nonce = Lc::from(cs.commit("tx.recipient.old_nonce", row.recipient.value.nonce));
    let old_balance = Word::commit_unchecked(cs, "tx.recipient.old_balance", row.recipient.value.balance);
    let value = parsed.value.word();
    let carry = cs.commit_boolean("tx.recipient.carry", carry_value(&old_balance.lo, &value.lo) != 0);
    let new_balance = add(cs, "tx.recipient.balance", en, &old_balance, &value, &carry.into());

    let nonempty = is_nonempty(cs, en, &nonce, &new_balance);
    let nonce = cs.share(nonce);
    let old = AccountLc { nonce: (&nonce).into(), balance: old_balance, code_hash: 0.into() };
    let new = AccountLc { balance: new_balance, ..old.clone() };
    let address = Lc::recompose(&parsed.to, 8);
    account_access(cs, en, &address, &old, &new, &nonempty, at(parties.time + 1, &row.recipient), &leaf_count)
}

/// The coinbase earns the fee. It may be any account.
///
/// ```text
/// tx.coinbase.balance      old balance + fee ∈ [0, 2²⁵⁶)                     16    without it: the fee is lost
/// tx.coinbase.carry        with a carry ∈ [0, 2³²) between its halves        2
/// ```
fn earn(cs: &mut Cs, row: &SlotRow, en: &Lc, parties: &Parties<'_>, fees: &Fees, leaf_count: Lc) -> Lc {
    let nonce = Lc::from(cs.commit("tx.coinbase.old_nonce", row.coinbase.value.nonce));
    let old_balance = Word::commit_unchecked(cs, "tx.coinbase.old_balance", row.coinbase.value.balance);
    let code_hash = cs.commit("tx.coinbase.old_code_hash", row.coinbase.value.code_hash);
    let fee = Word { hi: Lc::zero(), lo: fees.fee.clone() };
    let carry = carry32(cs, "tx.coinbase.carry", en, carry_value(&old_balance.lo, &fee.lo));
    let new_balance = add(cs, "tx.coinbase.balance", en, &old_balance, &fee, &carry);

    let nonempty = is_nonempty(cs, en, &nonce, &new_balance);
    let (nonce, code_hash) = (cs.share(nonce), cs.share(code_hash));
    let old = AccountLc { nonce: (&nonce).into(), balance: old_balance, code_hash: (&code_hash).into() };
    let new = AccountLc { balance: new_balance, ..old.clone() };
    let at = at(parties.time + 2, &row.coinbase);
    account_access(cs, en, parties.coinbase, &old, &new, &nonempty, at, &leaf_count)
}

/// a + b as integers of 256 bits, both halves in range in an enabled row: 16 constraints `name`.
///
/// ```text
/// low    a.lo + b.lo − 2¹²⁸·carry
/// high   a.hi + b.hi + carry
/// ```
/// Requires: a has halves below 2¹²⁸, b's are below 2²⁰⁰, carry is an integer below 2³². So the halves of the result are
/// integers far below the modulus, or far above it if negative, and their ranges say what they say of integers.
fn add(cs: &mut Cs, name: &'static str, en: &Lc, a: &Word, b: &Word, carry: &Lc) -> Word {
    let lo = a.lo.clone() + &b.lo - carry.clone() * pow2(128);
    let hi = a.hi.clone() + &b.hi + carry;
    enforce_range(cs, name, en, &lo, 8);
    enforce_range(cs, name, en, &hi, 8);
    Word { hi, lo }
}

/// a − b as [`add`] has it: low a.lo − b.lo + 2¹²⁸·borrow, high a.hi − b.hi − borrow. 16 constraints `name`.
fn subtract(cs: &mut Cs, name: &'static str, en: &Lc, a: &Word, b: &Word, borrow: &Lc) -> Word {
    let negative = Word { hi: -b.hi.clone(), lo: -b.lo.clone() };
    add(cs, name, en, a, &negative, &-borrow.clone())
}

/// The carry of [`add`].
fn carry_value(a: &Lc, b: &Lc) -> u64 {
    ((to_u256(a.value()) + to_u256(b.value())) >> 128usize).as_limbs()[0]
}

/// The borrow of [`subtract`].
fn borrow_value(a: &Lc, b: &Lc) -> u64 {
    let missing = to_u256(b.value()).saturating_sub(to_u256(a.value()));
    missing.div_ceil(U256::from(1u64) << 128usize).as_limbs()[0]
}

fn at(now: u64, entry: &Entry<AccountValue>) -> At {
    // All times are below 2¹⁶, see MAX_TIME.
    At { now: now.into(), gap: Gap::Narrow, before: entry.time, index: entry.index }
}

/// A carry of up to 32 bits as two limbs: 2 constraints.
fn carry32(cs: &mut Cs, name: &'static str, en: &Lc, value: u64) -> Lc {
    [0, 16].iter().fold(Lc::zero(), |sum, &shift| {
        let limb = cs.commit(name, value >> shift & 0xffff);
        cs.lookup(name, Bus::Range16, en.clone(), limb);
        sum + limb * (1u64 << shift)
    })
}
