//! What the sender signed: type byte ‖ list prefix ‖ shared fields ‖ tail, hashed by keccak, and the signature.
//!
//! ```text
//! typed     type  prefix  chain id … access list
//! EIP-155         prefix  nonce … data             chain id  0x80  0x80
//! pre-155         prefix  nonce … data
//!           └── from the slot ──┘ └ byte table ──┘ └── from the slot ──┘
//! ```

use alloy_primitives::{B256, U256};
use cairn_protocol::leaf::address_to_field;

use super::{
    chain_id::ChainIdRlp,
    constraints::{Flags, Parsed},
    rlp::{LengthNames, length_prefix},
    row::SlotRow,
};
use crate::{
    cs::{Cs, Lc},
    gadgets::words::Word,
    lookup::bus::Bus,
};

const SIGNING_LIST: LengthNames = LengthNames {
    present: "tx.payload.present",
    digit: "tx.payload.digit",
    value: "tx.payload.value",
    short: "tx.payload.short",
    minimal: "tx.payload.minimal",
};

/// Sends the signing payload of one transaction to keccak on `stream`. Returns (length, digest).
///
/// ```text
/// tx.payload.region     announce the shared fields: (start, stream + 1, start − their position), (end, 0, 0)    6
/// tx.payload.type       type byte at 0, typed times                                                          3
/// tx.payload.prefix     list prefix of shared fields and tail                                                3
/// tx.payload.digit      its digits, each a byte                                                              9 + 3
/// tx.payload.gate       EIP-155 · chain id                                                                   9
/// tx.payload.chain_id   the chain id after the fields                                                        27
/// tx.payload.zero       and two empty integers                                                               6
/// tx.payload.digest     receive (stream, length, digest)                                                     4
/// ```
/// plus the length prefix (12). Without any of them the signature would be over bytes of the prover's choice.
fn hash(
    cs: &mut Cs,
    row: &SlotRow,
    flags: &Flags,
    parsed: &Parsed,
    chain_id: &ChainIdRlp,
    stream: u64,
) -> Word {
    let en = &flags.en;
    let stream_lc = en.clone() * stream;
    let eip155 = &flags.eip155;

    let tail = chain_id.gate(cs, "tx.payload.gate", eip155);
    let shared = parsed.shared_end.clone();
    let length = shared.clone() + tail.size() + eip155.clone() * 2u64;
    let list = length_prefix(cs, &SIGNING_LIST, en, &length, row.signing_width);
    let header = flags.typed.clone() + en + &list.width;

    let start = parsed.origin.clone();
    let announce = [start.clone(), stream_lc.clone() + en, start.clone() - &header];
    cs.send("tx.payload.region", Bus::PayloadRegion, en.clone(), &announce);
    let end = [start + &shared, Lc::zero(), Lc::zero()];
    cs.send("tx.payload.region", Bus::PayloadRegion, en.clone(), &end);

    let type_byte = [stream_lc.clone(), Lc::zero(), flags.type_byte.clone()];
    cs.send("tx.payload.type", Bus::KeccakInput, flags.typed.clone(), &type_byte);
    let prefix = [stream_lc.clone(), flags.typed.clone(), en.clone() * 0xc0u64 + &list.form];
    cs.send("tx.payload.prefix", Bus::KeccakInput, en.clone(), &prefix);
    for (i, (&digit, &present)) in list.digits.iter().zip(&list.present).enumerate() {
        cs.lookup("tx.payload.digit", Bus::Range8, present, digit);
        let position = header.clone() - en.clone() * (1 + i as u64);
        cs.send("tx.payload.digit", Bus::KeccakInput, present, &[stream_lc.clone(), position, digit.into()]);
    }

    let position = header.clone() + &shared;
    chain_id.write(cs, &stream_lc, &position, &tail);
    for i in 0..2 {
        let position = position.clone() + tail.size() + eip155.clone() * i;
        let tuple = [stream_lc.clone(), position, eip155.clone() * 0x80u64];
        cs.send("tx.payload.zero", Bus::KeccakInput, eip155.clone(), &tuple);
    }

    let digest = Word::commit_unchecked(cs, "tx.payload.digest", digest_value(row.digest));
    let tuple = [stream_lc, header + length, digest.hi.clone(), digest.lo.clone()];
    cs.receive("tx.payload.digest", Bus::KeccakOutput, en.clone(), &tuple);
    digest
}

fn digest_value(digest: B256) -> U256 {
    U256::from_be_bytes(digest.0)
}

/// The sender's address: whoever signed the payload.
///
/// tx.signature.valid: receive (digest, r, s, parity, address). Cost: 8. Without it anybody could be the sender.
/// Requires: on this bus r and s are in range and s is at most n/2 (EIP-2); secp256k1 sends nothing else.
pub(super) fn sender(
    cs: &mut Cs,
    row: &SlotRow,
    flags: &Flags,
    parsed: &Parsed,
    chain_id: &ChainIdRlp,
    stream: u64,
) -> Lc {
    let en = &flags.en;
    let digest = hash(cs, row, flags, parsed, chain_id, stream);
    let (r, s) = (parsed.r.word(), parsed.s.word());
    let address = Lc::from(cs.commit("tx.signature.sender", address_to_field(row.sender_address)));
    let tuple = [digest.hi, digest.lo, r.hi, r.lo, s.hi, s.lo, parsed.parity.clone(), address.clone()];
    cs.receive("tx.signature.valid", Bus::Signature, en.clone(), &tuple);
    address
}
