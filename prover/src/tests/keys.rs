//! Keys: how they are made, what they are made for, and their files.

use std::{fs, sync::Mutex};

use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::One;
use cairn_circuits::cs::{Cs, Mode};

use super::{EXAMPLE, Example, Values, key};
use crate::{
    Circuit, KeyFileError, Phase,
    keys::{KeyDefect, VerifyingKey},
    load_or_setup, prove, qap, setup,
    setup::Observer,
    store,
    verify::verify,
};

#[test]
fn refuses_keys_that_would_void_their_proofs() {
    let vk = &key().vk;
    vk.check().unwrap();
    let with = |f: fn(&mut VerifyingKey)| {
        let mut vk = vk.clone();
        f(&mut vk);
        vk.check()
    };
    assert_eq!(with(|vk| vk.gamma2 = vk.delta2), Err(KeyDefect::GammaEqualsDelta));
    assert_eq!(with(|vk| vk.gamma2 = -vk.delta2), Err(KeyDefect::GammaEqualsDelta));
    assert_eq!(with(|vk| vk.sigma2 = G2Affine::generator()), Err(KeyDefect::SigmaIsTrivial));
    assert_eq!(with(|vk| vk.sigma2 = -G2Affine::generator()), Err(KeyDefect::SigmaIsTrivial));
    assert_eq!(with(|vk| vk.ic[2] = G1Affine::identity()), Err(KeyDefect::PointAtInfinity));
    assert_eq!(with(|vk| vk.beta2 = G2Affine::identity()), Err(KeyDefect::PointAtInfinity));
    assert_eq!(with(|vk| vk.alpha1.y += Fq::one()), Err(KeyDefect::NotInGroup));
}

#[test]
fn every_setup_draws_its_own_secrets() {
    let [one, two] = [(); 2].map(|()| setup(EXAMPLE.record(), &()).unwrap());
    assert_eq!(one.circuit.digest(), two.circuit.digest());
    let (a, b) = (one.vk.words(), two.vk.words());
    assert!(a.iter().zip(&b).all(|(a, b)| a != b));
    let proven = prove(&one, &EXAMPLE, &Values::honest(20, 1)).unwrap();
    assert!(verify(&two.vk, proven.public_input, &proven.proof).is_err());
}

#[test]
fn digests_differ_when_anything_in_the_structure_does() {
    struct Variant(u64, &'static str);
    impl Circuit for Variant {
        type Witness = Values;
        fn synthesize(&self, mode: Mode, witness: Option<&Values>) -> Cs {
            let mut cs = EXAMPLE.synthesize(mode, witness);
            let one = cs.one();
            cs.enforce_zero(self.1, one * self.0);
            cs
        }
    }
    let digest = Variant(2, "example.variant").record().digest();
    assert_eq!(digest, Variant(2, "example.renamed").record().digest(), "names do not matter");
    assert_ne!(digest, Variant(3, "example.variant").record().digest());
    assert_ne!(digest, EXAMPLE.record().digest());
    assert_ne!(EXAMPLE.record().digest(), Example { idle: 1, ..EXAMPLE }.record().digest(), "shape matters");
    assert_eq!(EXAMPLE.record().digest(), EXAMPLE.record().digest());
}

#[test]
fn committed_wires_do_not_enlarge_the_domain() {
    let few = EXAMPLE.record();
    let many = Example { idle: 2000, ..EXAMPLE };
    let recorded = many.record();
    assert_eq!(few.shape().constraints, recorded.shape().constraints);
    assert_eq!(recorded.shape().committed, few.shape().committed + 2000);
    let key = setup(recorded, &()).unwrap();
    let size = qap::domain_size(few.shape().constraints).unwrap();
    assert_eq!(key.h.len(), size - 1, "powers of t up to degree n − 2");
    let proven = prove(&key, &many, &Values::honest(20, 1)).unwrap();
    verify(&key.vk, proven.public_input, &proven.proof).unwrap();
    assert_eq!(key.committed.points.len(), few.shape().committed, "wires in no constraint have no base");
}

#[test]
fn keys_are_cached_by_circuit_and_work_after_reading() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<Phase>>);
    impl Observer for Seen {
        fn progress(&self, phase: Phase, fraction: f64) {
            assert!((0.0..=1.0).contains(&fraction));
            self.0.lock().unwrap().push(phase);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (Seen::default(), Seen::default());
    let made = load_or_setup(dir.path(), EXAMPLE.record(), &first).unwrap();
    let read = load_or_setup(dir.path(), EXAMPLE.record(), &second).unwrap();
    assert!(first.0.lock().unwrap().contains(&Phase::Generate));
    assert!(!second.0.lock().unwrap().contains(&Phase::Generate));
    assert_eq!(made.vk, read.vk);
    assert_eq!((&made.a, &made.b1, &made.b2, &made.l), (&read.a, &read.b1, &read.b2, &read.l));
    assert_eq!(
        (&made.h, &made.committed, &made.committed_sigma),
        (&read.h, &read.committed, &read.committed_sigma)
    );
    let proven = prove(&read, &EXAMPLE, &Values::honest(20, 1)).unwrap();
    verify(&made.vk, proven.public_input, &proven.proof).unwrap();

    // Whoever comes second gets the first one's key.
    let path = store::path(dir.path(), EXAMPLE.record().digest());
    assert!(matches!(store::save(&path, key(), &()), Err(KeyFileError::Exists { .. })));
    assert_eq!(load_or_setup(dir.path(), EXAMPLE.record(), &()).unwrap().vk, made.vk);

    // Another circuit has another file, and does not take this one under its name.
    let other = Example { rows: 21, ..EXAMPLE };
    let other_path = store::path(dir.path(), other.record().digest());
    assert_ne!(path, other_path);
    fs::copy(&path, &other_path).unwrap();
    let refused = load_or_setup(dir.path(), other.record(), &()).unwrap_err();
    assert!(matches!(refused, KeyFileError::WrongCircuit { .. }), "{refused}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn refuses_damaged_key_files_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = store::path(dir.path(), key().circuit.digest());
    let size = store::save(&path, key(), &()).unwrap();
    let good = fs::read(&path).unwrap();
    assert_eq!(size, good.len() as u64);
    let refuse = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let refused = load_or_setup(dir.path(), EXAMPLE.record(), &()).unwrap_err();
        assert!(refused.to_string().contains(path.to_str().unwrap()));
        assert_eq!(fs::read(&path).unwrap(), bytes, "a damaged file is not overwritten");
        refused
    };
    for at in [76, 200, good.len() / 2, good.len() - 33, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let refused = refuse(&bad);
        assert!(matches!(refused, KeyFileError::Corrupted { .. }), "byte {at}: {refused}");
    }
    for length in [0, 10, 43, 76, good.len() - 1] {
        let refused = refuse(&good[..length]);
        assert!(matches!(refused, KeyFileError::NotAKey { .. } | KeyFileError::Length { .. }), "{refused}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(matches!(refuse(&longer), KeyFileError::Length { .. }));
    for (at, check) in
        [(0, "not a proving key"), (8, "has version"), (20, "is the key of circuit"), (51, "expected")]
    {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(refuse(&bad).to_string().contains(check));
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(load_or_setup(dir.path(), EXAMPLE.record(), &()).unwrap().vk, key().vk);
}
