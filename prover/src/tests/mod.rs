//! The prover on a small circuit with range lookups, tuples, products and a public input. Here: that circuit, its key, and
//! proofs made without the prover's checks.

use std::sync::OnceLock;

use ark_bn254::{Bn254, G1Affine, G1Projective};
use ark_ff::PrimeField;
use ark_groth16::{Groth16, Proof as ArkProof, prepare_verifying_key};
use cairn_circuits::{
    cs::{Cs, Lc, Mode, NUM_PUBLIC, Wire},
    lookup::{
        bus::{BatchByte, Bus},
        tables,
    },
};

use crate::{
    Circuit, F, ProveStats, ProvingKey,
    export::Proof,
    keys::VerifyingKey,
    prove,
    prove::combine,
    qap::{self, CommittedReduction, Evaluations},
    setup,
};

mod domain;
mod keys;
mod msm;
mod proofs;
mod prover;
mod words;

/// Bytes vᵢ, each in range, sent as (i, vᵢ) and received as (i, uᵢ); x = Σ vᵢ². `idle` committed wires are in no lookup.
#[derive(Clone, Copy)]
struct Example {
    rows: usize,
    idle: usize,
    /// Further products, to reach a size of the domain.
    padding: usize,
}

const EXAMPLE: Example = Example { rows: 20, idle: 0, padding: 0 };

/// The example with as many constraints as fill `rows` of a domain together with the four consistency rows.
fn example_of(rows: usize) -> Example {
    let padding = rows - EXAMPLE.record().shape().constraints - NUM_PUBLIC as usize;
    Example { padding, ..EXAMPLE }
}

#[derive(Clone)]
struct Values {
    sent: Vec<u64>,
    received: Vec<u64>,
}

impl Values {
    fn honest(rows: usize, salt: u64) -> Self {
        let sent: Vec<_> = (0..rows as u64).map(|i| (i * 37 + salt) % 256).collect();
        Self { received: sent.clone(), sent }
    }

    fn public_input(&self) -> F {
        self.sent.iter().map(|v| F::from(v * v)).sum()
    }
}

impl Circuit for Example {
    type Witness = Values;

    fn synthesize(&self, mode: Mode, witness: Option<&Values>) -> Cs {
        let padded = Values { sent: vec![0; self.rows], received: vec![0; self.rows] };
        let values = witness.unwrap_or(&padded);
        let mut cs = Cs::new(mode);
        let one = cs.one();
        let x = cs.public_input(values.public_input());
        let mut sum = Lc::zero();
        for (i, (sent, received)) in (0u64..).zip(values.sent.iter().zip(&values.received)) {
            let [v, u] = [cs.commit("example.sent", *sent), cs.commit("example.received", *received)];
            let tuple = |second: Wire| BatchByte { byte: i.into(), position: second.into() };
            cs.lookup("example.range", Bus::Range8, one, v);
            cs.send("example.send", one, tuple(v));
            cs.receive("example.receive", one, tuple(u));
            sum += cs.product("example.square", v, v);
        }
        for _ in 0..self.idle {
            cs.commit("example.idle", 7u64);
        }
        cs.enforce_equal("example.sum", sum, x);
        for _ in 0..self.padding {
            cs.product("example.padding", x, x);
        }
        tables::range8().close(&mut cs);
        cs
    }
}

fn key() -> &'static ProvingKey {
    static KEY: OnceLock<ProvingKey> = OnceLock::new();
    KEY.get_or_init(|| setup(EXAMPLE.record(), &()).unwrap())
}

fn honest(salt: u64) -> (F, Proof) {
    let proven = prove(key(), &EXAMPLE, &Values::honest(20, salt)).unwrap();
    (proven.public_input, proven.proof)
}

/// A proof made without any of the prover's checks, from an assignment and a commitment of the caller's choice.
fn forge(cs: &Cs, d: G1Affine, d_pok: G1Affine) -> Proof {
    let z = cs.assignment();
    let domain = qap::domain(key().circuit.shape().constraints).unwrap();
    let h = Evaluations::new(&key().circuit, &z, domain.size()).quotient(&domain);
    let scalars: Vec<_> = z.iter().map(|v| v.into_bigint()).collect();
    let (a, b, c) = combine(key(), &scalars, &h, &mut ProveStats::default());
    Proof { a, b, c, d, d_pok }
}

fn ark_accepts(vk: &VerifyingKey, inputs: G1Projective, proof: &Proof) -> bool {
    let ark = ArkProof::<Bn254> { a: proof.a, b: proof.b, c: proof.c };
    let prepared = prepare_verifying_key(&vk.to_ark());
    Groth16::<Bn254, CommittedReduction>::verify_proof_with_prepared_inputs(&prepared, &ark, &inputs).unwrap()
}
