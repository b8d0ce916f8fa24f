//! The batch's chain id as RLP, once; each transaction reads it from its bytes (typed) or writes it into its signing
//! payload (EIP-155).

use ark_ff::One;

use super::{
    constraints::Flags,
    rlp::{Cursor, Digits, digits},
    row::IntHint,
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::words::to_u256,
    lookup::bus::{Bus, Element, KeccakInput, Shared},
};

/// Most bytes of a chain id.
const MAX: usize = 8;

/// RLP of the chain id.
pub(super) struct ChainIdRlp {
    digits: Digits,
    /// 1 unless it is a single byte below 0x80.
    has_prefix: Lc,
}

/// The chain id's RLP under a flag of one transaction: every multiplicity is zero where the flag is.
pub(super) struct GatedChainId {
    has_prefix: Wire,
    present: Vec<Wire>,
}

impl ChainIdRlp {
    /// Splits `chain_id` into digits, once for the batch.
    ///
    /// ```text
    /// tx.batch_chain_id.top     digitᵢ − 1 ∈ [0, 2⁸) where it is the top digit of several      7
    /// tx.batch_chain_id.end     Σ digitᵢ·256ⁱ = chain id                                       1
    /// ```
    /// and those of [`digits`] (19). A digit that a transaction uses is a byte: of the batch, or one that keccak receives.
    pub fn new(cs: &mut Cs, chain_id: &Lc) -> Self {
        let one = cs.one();
        let hint = IntHint::canonical(to_u256(chain_id.value()));
        let digits = cs.scoped("tx.batch_chain_id", |cs| {
            let d = digits(cs, &one.into(), &hint, MAX);
            for i in 1..MAX {
                let next = d.present.get(i + 1).map_or(Lc::zero(), |w| (*w).into());
                let above_zero = Element::with_constant(d.bytes[i], -F::one());
                cs.lookup("top", Bus::Range8, d.present[i] - next, above_zero);
            }
            cs.enforce_equal("end", d.value(), chain_id.clone());
            d
        });
        let has_prefix = one - digits.single;
        Self { digits, has_prefix }
    }

    /// Multiplicities for one transaction: flag · has_prefix and flag · presentᵢ. Cost: 9, named `name`.
    pub fn gate(&self, cs: &mut Cs, name: &'static str, flag: &Lc) -> GatedChainId {
        let has_prefix = cs.committed_product(name, self.has_prefix.clone(), flag.clone());
        let present =
            self.digits.present.iter().map(|&p| cs.committed_product(name, p, flag.clone())).collect();
        GatedChainId { has_prefix, present }
    }

    /// The prefix byte, if there is one.
    fn prefix(&self) -> Element {
        Element::with_constant(self.digits.len(), F::from(0x80u64))
    }

    /// tx.chain_id.read: the chain id item of a typed transaction is the batch's. Cost: 9 + 11 + 1.
    /// Without it a transaction signed for another chain could be replayed here.
    pub fn read(&self, cs: &mut Cs, cursor: &mut Cursor, flags: &Flags) {
        let gated = self.gate(cs, "tx.chain_id.gate", &flags.typed);
        cursor.read(cs, "tx.chain_id.read", 0, self.prefix(), gated.has_prefix);
        cursor.advance(cs, "tx.chain_id.end", cursor.at() + gated.size());
        cursor.read_backwards(cs, "tx.chain_id.read", &self.digits.bytes, gated.present.iter().copied());
    }

    /// tx.payload.chain_id: the chain id at `position` of an EIP-155 signing payload. Returns where it ends, if there is
    /// one. Cost: 11.
    pub fn write(&self, cs: &mut Cs, stream: u64, position: &Lc, gated: &GatedChainId) -> Shared {
        let byte = |byte: Element, position: Element| KeccakInput { byte, position, stream: stream.into() };
        cs.send("tx.payload.chain_id", gated.has_prefix, byte(self.prefix(), position.into()));
        let end = cs.share(position.clone() + &self.has_prefix + self.digits.len());
        for ((i, &digit), &times) in (1u64..).zip(&self.digits.bytes).zip(&gated.present) {
            cs.send("tx.payload.chain_id", times, byte(digit.into(), end.plus(-F::from(i))));
        }
        end
    }
}

impl GatedChainId {
    /// Bytes: 0 where the flag is 0.
    pub fn size(&self) -> Lc {
        self.present.iter().map(|&w| Lc::from(w)).sum::<Lc>() + self.has_prefix
    }
}
