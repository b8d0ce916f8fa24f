//! Whether a transaction may execute, and what it does to the three accounts. The formulas are those of
//! `cairn_protocol::transfer`.

use alloy_primitives::U256;
use ark_ff::Zero;
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
        words::{SumNames, Word, carry_value, enforce_range, enforce_sum, to_u256},
        zero::{enforce_nonzero, is_zero},
    },
    lookup::bus::Bus,
    machines::journal::{AccountLc, At, Entry, account_access, is_nonempty},
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
/// tx.to.zero         zero ∈ {0, 1},  zero·byte₀ = 0                                   2
/// tx.to.precompile   byte₀ − 11·(1 − zero) ∈ [0, 2⁸) where small                      1
/// ```
/// So a small address is 0, or 11 and above. Without it a call to a precompile would pass as a plain transfer.
fn enforce_recipient_is_no_precompile(cs: &mut Cs, en: &Lc, parsed: &Parsed) {
    let upper: Lc = parsed.to[1..].iter().map(|&w| Lc::from(w)).sum();
    let small = is_zero(cs, "tx.to.small", en, &upper);
    let low = parsed.to[0];
    let zero = cs.commit_boolean("tx.to.zero", low.value().is_zero() && en.value() == F::from(1u64));
    cs.enforce("tx.to.zero", low, zero, Lc::zero());
    let least = (en.clone() - zero) * (LAST_PRECOMPILE + 1);
    cs.lookup("tx.to.precompile", Bus::Range8, small, low - least);
}

/// 21000 + 4·data bytes + 12·non-zero data bytes, at most the gas limit, which is at most the block's.
///
/// ```text
/// tx.gas.intrinsic   gas limit − gas ∈ [0, 2³²)            2    without it: more gas is charged than was signed for
/// tx.gas.block       30 000 000 − gas limit ∈ [0, 2³²)     2    without it: the fee products below could wrap around
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
/// tx.sender.nonce          nonce ≠ 2⁶⁴ − 1 (EIP-2681)                                    1
/// tx.sender.balance        16 limbs of the new balance                                   16
/// tx.sender.balance_low,   new balance + value + fee = old balance                       2 + 2 (carry)
///           balance_high                                                                       without it: money from nowhere
/// tx.sender.reserve        16 limbs of what would remain at worst                        16
/// tx.sender.reserve_low,   rest + reserve = new balance                                  2 + 2 (carry)
///           reserve_high                                                                       without it: an unaffordable
/// ```                                                                                          gas limit is accepted
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
    let old = read_account(cs, &PARTY_SENDER, Some(parsed.nonce.clone()), true, &row.sender);
    enforce_nonzero(cs, "tx.sender.nonce", en, &(en.clone() * u64::MAX - &parsed.nonce));

    let value = parsed.value.word();
    let fee = to_u256(fees.fee.value());
    let new_value = row.sender.value.balance.wrapping_sub(value.value()).wrapping_sub(fee);
    let new_value = if en.value().is_zero() { U256::ZERO } else { new_value };
    let new_balance = Word::commit(cs, "tx.sender.balance", en, new_value);
    let outflow = Word { hi: value.hi, lo: value.lo + &fees.fee };
    let carry = carry32(cs, "tx.sender.carry", en, carry_value(&new_balance, &outflow));
    let names = SumNames { low: "tx.sender.balance_low", high: "tx.sender.balance_high" };
    enforce_sum(cs, names, &new_balance, &outflow, &old.balance, &carry);

    let reserve = Word { hi: Lc::zero(), lo: fees.reserve.clone() };
    let rest_value = new_value.wrapping_sub(to_u256(fees.reserve.value()));
    let rest = Word::commit(cs, "tx.sender.reserve", en, rest_value);
    let carry = carry32(cs, "tx.sender.reserve_carry", en, carry_value(&rest, &reserve));
    let names = SumNames { low: "tx.sender.reserve_low", high: "tx.sender.reserve_high" };
    enforce_sum(cs, names, &rest, &reserve, &new_balance, &carry);

    let new = AccountLc { nonce: old.nonce.clone() + en, balance: new_balance, code_hash: Lc::zero() };
    // The nonce is at least 1.
    let nonempty = en;
    account_access(cs, en, parties.sender, &old, &new, nonempty, at(parties.time, &row.sender), &leaf_count)
}

/// The recipient, who has no code, receives the value.
///
/// ```text
/// tx.recipient.balance        16 limbs of the new balance            16
/// tx.recipient.carry          ∈ {0, 1}                               1
/// tx.recipient.balance_low,   old balance + value = new balance      2    without it: value is lost or made
///              balance_high
/// ```
fn receive(
    cs: &mut Cs,
    row: &SlotRow,
    en: &Lc,
    parsed: &Parsed,
    parties: &Parties<'_>,
    leaf_count: Lc,
) -> Lc {
    let old = read_account(cs, &PARTY_RECIPIENT, None, true, &row.recipient);
    let value = parsed.value.word();
    let new_value = old.balance.value().wrapping_add(value.value());
    let new_balance = Word::commit(cs, "tx.recipient.balance", en, new_value);
    let carry = cs.witness_boolean("tx.recipient.carry", carry_value(&old.balance, &value) != 0);
    let names = SumNames { low: "tx.recipient.balance_low", high: "tx.recipient.balance_high" };
    enforce_sum(cs, names, &old.balance, &value, &new_balance, &carry.into());

    let new = AccountLc { nonce: old.nonce.clone(), balance: new_balance, code_hash: Lc::zero() };
    let nonempty = is_nonempty(cs, en, &new);
    let address = Lc::recompose(&parsed.to, 8);
    account_access(cs, en, &address, &old, &new, &nonempty, at(parties.time + 1, &row.recipient), &leaf_count)
}

/// The coinbase earns the fee. It may be any account.
///
/// ```text
/// tx.coinbase.balance        16 limbs of the new balance            16
/// tx.coinbase.carry          ∈ [0, 2³²)                             2
/// tx.coinbase.balance_low,   old balance + fee = new balance        2
///             balance_high
/// ```
fn earn(cs: &mut Cs, row: &SlotRow, en: &Lc, parties: &Parties<'_>, fees: &Fees, leaf_count: Lc) -> Lc {
    let old = read_account(cs, &PARTY_COINBASE, None, false, &row.coinbase);
    let fee = Word { hi: Lc::zero(), lo: fees.fee.clone() };
    let new_value = old.balance.value().wrapping_add(to_u256(fees.fee.value()));
    let new_balance = Word::commit(cs, "tx.coinbase.balance", en, new_value);
    let carry = carry32(cs, "tx.coinbase.carry", en, carry_value(&old.balance, &fee));
    let names = SumNames { low: "tx.coinbase.balance_low", high: "tx.coinbase.balance_high" };
    enforce_sum(cs, names, &old.balance, &fee, &new_balance, &carry);

    let new = AccountLc { nonce: old.nonce.clone(), balance: new_balance, code_hash: old.code_hash.clone() };
    let nonempty = is_nonempty(cs, en, &new);
    let at = at(parties.time + 2, &row.coinbase);
    account_access(cs, en, parties.coinbase, &old, &new, &nonempty, at, &leaf_count)
}

struct PartyNames {
    nonce: &'static str,
    balance: &'static str,
    code_hash: &'static str,
}

const PARTY_SENDER: PartyNames = PartyNames {
    nonce: "tx.sender.old_nonce",
    balance: "tx.sender.old_balance",
    code_hash: "tx.sender.old_code_hash",
};
const PARTY_RECIPIENT: PartyNames = PartyNames {
    nonce: "tx.recipient.old_nonce",
    balance: "tx.recipient.old_balance",
    code_hash: "tx.recipient.old_code_hash",
};
const PARTY_COINBASE: PartyNames = PartyNames {
    nonce: "tx.coinbase.old_nonce",
    balance: "tx.coinbase.old_balance",
    code_hash: "tx.coinbase.old_code_hash",
};

/// What an account held before: hints that the journal's tuple fixes. A known nonce, or the absence of code, is put
/// into that tuple instead of a hint.
fn read_account(
    cs: &mut Cs,
    names: &PartyNames,
    nonce: Option<Lc>,
    has_no_code: bool,
    entry: &Entry<AccountValue>,
) -> AccountLc {
    AccountLc {
        nonce: nonce.unwrap_or_else(|| cs.commit(names.nonce, entry.value.nonce).into()),
        balance: Word::commit_unchecked(cs, names.balance, entry.value.balance),
        code_hash: if has_no_code {
            Lc::zero()
        } else {
            cs.commit(names.code_hash, entry.value.code_hash).into()
        },
    }
}

fn at(now: u64, entry: &Entry<AccountValue>) -> At {
    At { now, before: entry.time, index: entry.index }
}

/// A carry of up to 32 bits as two limbs: 2 constraints.
fn carry32(cs: &mut Cs, name: &'static str, en: &Lc, value: u64) -> Lc {
    [0, 16].iter().fold(Lc::zero(), |sum, &shift| {
        let limb = cs.commit(name, value >> shift & 0xffff);
        cs.lookup(name, Bus::Range16, en.clone(), limb);
        sum + limb * (1u64 << shift)
    })
}
