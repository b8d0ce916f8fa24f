use k256::ecdsa::{RecoveryId, SigningKey};
use rand::{RngCore, SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    F,
    cs::{Cs, Mode},
    lookup::bus::Bus,
    testing::Checker,
};

fn signed(rng: &mut StdRng) -> (SignatureEvent, [u8; 64]) {
    let key = SigningKey::random(rng);
    let mut z = [0; 32];
    rng.fill_bytes(&mut z);
    let (sig, id): (k256::ecdsa::Signature, RecoveryId) = key.sign_prehash_recoverable(&z).unwrap();
    let point = key.verifying_key().to_encoded_point(false);
    let event = SignatureEvent {
        z,
        r: sig.r().to_bytes().into(),
        s: sig.s().to_bytes().into(),
        y_parity: id.is_y_odd(),
    };
    (event, point.as_bytes()[1..].try_into().unwrap())
}

fn f(bytes: &[u8]) -> F {
    ark_ff::PrimeField::from_be_bytes_mod_order(bytes)
}

/// The machine with its rows, and the outside of its buses.
fn system(mode: Mode, rows: &[Secp256k1Row], first_stream: u64) -> Cs {
    let mut cs = Cs::new(mode);
    synthesize(&mut cs, rows, first_stream);
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| row.enabled) {
        let (one, stream) = (cs.one(), first_stream + i as u64);
        for (k, byte) in row.public_key.iter().enumerate() {
            let tuple = [F::from(stream), F::from(k as u64), F::from(*byte)].map(|c| cs.constant(c));
            cs.receive("test.keccak_input", Bus::KeccakInput, one, &tuple);
        }
        let tuple = [F::from(stream), F::from(64u64), f(&row.digest[..16]), f(&row.digest[16..])]
            .map(|c| cs.constant(c));
        cs.send("test.keccak_output", Bus::KeccakOutput, one, &tuple);
        let be = |w: crate::gadgets::nonnative::Words| tables::halves(w).map(F::from);
        let ([zl, zh], [rl, rh], [sl, sh]) = (be(row.z), be(row.r), be(row.s));
        let tuple =
            [zh, zl, rh, rl, sh, sl, F::from(row.y_parity), f(&row.address())].map(|c| cs.constant(c));
        cs.receive("test.signature", Bus::Signature, one, &tuple);
    }
    cs
}

fn checker(rows: &[Secp256k1Row]) -> Checker {
    Checker::new(&system(Mode::Check, rows, 5), fixed_tables())
}

#[test]
fn accepts_random_signatures_of_both_parities() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut parities = [false; 2];
    for _ in 0..4 {
        let (event, key) = signed(&mut rng);
        let row = witness(&event).unwrap();
        assert_eq!(row.public_key, key);
        parities[usize::from(event.y_parity)] = true;
        let failures = checker(&[row]).failures();
        assert!(failures.is_empty(), "{failures:?}");
    }
    assert_eq!(parities, [true; 2]);
}

#[test]
fn constraint_count() {
    let mut one = Cs::new(Mode::Record);
    synthesize(&mut one, &[Secp256k1Row::default()], 0);
    for (name, n) in one.counts() {
        eprintln!("{name} {n}");
    }
    eprintln!("total {}", one.num_constraints());
}
