//! The batch's chain id as RLP, once; each transaction reads it from its bytes (typed) or writes it into its signing
//! payload (EIP-155).

use super::{
    constraints::Flags,
    rlp::{Digits, ItemReader, digits, int_names},
    row::IntHint,
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::words::to_u256,
    lookup::bus::{Bus, Element, KeccakInput},
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
    /// tx.batch_chain_id.range   digitᵢ ∈ [0, 2⁸) where present                                 8
    /// tx.batch_chain_id.top     digitᵢ − 1 ∈ [0, 2⁸) where it is the top digit                 8
    /// tx.batch_chain_id.end     Σ digitᵢ·256ⁱ = chain id                                       1
    /// ```
    pub fn new(cs: &mut Cs, chain_id: &Lc) -> Self {
        let names = int_names!("batch_chain_id");
        let one = cs.one();
        let hint = IntHint::canonical(to_u256(chain_id.value()));
        let digits = digits(cs, &names, &one.into(), &hint, MAX);
        for i in 0..MAX {
            let next = digits.present.get(i + 1).map_or(Lc::zero(), |w| (*w).into());
            cs.lookup("tx.batch_chain_id.range", Bus::Range8, digits.present[i], digits.bytes[i]);
            cs.lookup(names.top, Bus::Range8, digits.present[i] - next, digits.bytes[i] - one);
        }
        cs.enforce_equal(names.end, digits.value(), chain_id.clone());
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
    fn prefix(&self, cs: &Cs) -> Lc {
        cs.constant(0x80u64) + self.digits.len()
    }

    /// tx.chain_id.read: the chain id item of a typed transaction is the batch's. Cost: 9 + 18 + 1.
    /// Without it a transaction signed for another chain could be replayed here.
    pub fn read(&self, r: &mut ItemReader<'_>, flags: &Flags) {
        let gated = self.gate(r.cs, "tx.chain_id.gate", &flags.typed);
        let start = r.at.clone();
        r.advance("tx.chain_id.end", start.clone() + gated.size());
        r.read("tx.chain_id.read", start, self.prefix(r.cs), gated.has_prefix);
        let end = r.at.clone();
        r.read_backwards("tx.chain_id.read", &end, &self.digits.bytes, gated.present.iter().copied());
    }

    /// tx.payload.chain_id: the chain id at `position` of an EIP-155 signing payload. Cost: 20.
    pub fn write(&self, cs: &mut Cs, stream: u64, position: &Lc, gated: &GatedChainId) {
        let byte = |byte: Element, position: Element| KeccakInput { byte, position, stream: stream.into() };
        let prefix = self.prefix(cs);
        cs.send("tx.payload.chain_id", gated.has_prefix, byte(prefix.into(), position.into()));
        let end = cs.share(position.clone() + &self.has_prefix + self.digits.len());
        for (i, (&digit, &times)) in self.digits.bytes.iter().zip(&gated.present).enumerate() {
            let position = end.plus(-F::from(1 + i as u64));
            cs.send("tx.payload.chain_id", times, byte(digit.into(), position));
        }
    }
}

impl GatedChainId {
    /// Bytes: 0 where the flag is 0.
    pub fn size(&self) -> Lc {
        self.present.iter().map(|&w| Lc::from(w)).sum::<Lc>() + self.has_prefix
    }
}
