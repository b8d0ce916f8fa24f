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
    rlp::length_prefix,
    row::SlotRow,
};
use crate::{
    F,
    cs::{Cs, Lc},
    gadgets::words::Word,
    lookup::bus::{Element, KeccakInput, KeccakOutput, PayloadRegion, Signature},
};

/// Sends the signing payload of one transaction to keccak on `stream`. Returns (length, digest).
///
/// ```text
/// tx.payload.region     announce the shared fields: (start, their position − start, stream + 1), (end, 0, 0)    3
/// tx.payload.type       type byte at 0, typed times                                                          1
/// tx.payload.prefix     list prefix of shared fields and tail                                                2
/// tx.payload.digit      its digits, bytes because keccak receives them                                       3 + 1
/// tx.payload.gate       EIP-155 · chain id                                                                   9
/// tx.payload.chain_id   the chain id after the fields                                                        11
/// tx.payload.zero       and two empty integers                                                               2
/// tx.payload.digest     receive (digest, length, stream)                                                     3
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
    let eip155 = &flags.eip155;

    let tail = chain_id.gate(cs, "tx.payload.gate", eip155);
    let shared = parsed.shared_end.clone();
    let length = shared.clone() + tail.size() + eip155.clone() * 2u64;
    let list = cs.scoped("tx.payload", |cs| length_prefix(cs, en, &length, row.signing_width));
    let header = flags.typed.clone() + en + &list.width;

    let start = parsed.origin.clone();
    let announce = PayloadRegion {
        position: (&start).into(),
        shift: (header.clone() - &start).into(),
        stream_plus_one: (stream + 1).into(),
    };
    cs.send("tx.payload.region", en.clone(), announce);
    let end =
        PayloadRegion { position: (start + &shared).into(), shift: 0.into(), stream_plus_one: 0.into() };
    cs.send("tx.payload.region", en.clone(), end);

    let byte = |byte: Element, position: Element| KeccakInput { byte, position, stream: stream.into() };
    cs.send("tx.payload.type", flags.typed.clone(), byte((&flags.type_byte).into(), 0.into()));
    let prefix = Element::with_constant(&list.form, F::from(0xc0u64));
    cs.send("tx.payload.prefix", en.clone(), byte(prefix, (&flags.typed).into()));
    let header_end = cs.share(&header);
    for (i, (&digit, &present)) in list.digits.iter().zip(&list.present).enumerate() {
        let position = header_end.plus(-F::from(1 + i as u64));
        cs.send("tx.payload.digit", present, byte(digit.into(), position));
    }

    let position = header.clone() + &shared;
    let zeros = chain_id.write(cs, stream, &position, &tail);
    for i in 0..2u64 {
        cs.send("tx.payload.zero", eip155.clone(), byte(0x80.into(), zeros.plus(i)));
    }

    let digest = Word::commit_unchecked(cs, "tx.payload.digest", digest_value(row.digest));
    let tuple = KeccakOutput {
        high: (&digest.hi).into(),
        low: (&digest.lo).into(),
        length: (header + length).into(),
        stream: stream.into(),
    };
    cs.receive("tx.payload.digest", en.clone(), tuple);
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
    let tuple = Signature {
        address: (&address).into(),
        z_high: digest.hi.into(),
        z_low: digest.lo.into(),
        r_high: r.hi.into(),
        r_low: r.lo.into(),
        s_high: s.hi.into(),
        s_low: s.lo.into(),
        parity: (&parsed.parity).into(),
    };
    cs.receive("tx.signature.valid", en.clone(), tuple);
    address
}
