//! Native Poseidon over BN254's scalar field with circom's parameters (light-poseidon), width = inputs + 1.

use std::cell::RefCell;

use ark_bn254::Fr;
use light_poseidon::{Poseidon, PoseidonHasher};

/// Largest number of inputs of one permutation.
pub const MAX_INPUTS: usize = 12;

thread_local! {
    static HASHERS: RefCell<[Option<Poseidon<Fr>>; MAX_INPUTS + 1]> = const { RefCell::new([const { None }; MAX_INPUTS + 1]) };
}

/// Poseidon of 1 to [`MAX_INPUTS`] field elements.
///
/// # Panics
/// If the number of inputs is zero or above [`MAX_INPUTS`]: a mistake of the caller, never of the input.
#[must_use]
#[expect(clippy::expect_used, reason = "the width is checked by the assertion above")]
pub fn poseidon(inputs: &[Fr]) -> Fr {
    assert!((1..=MAX_INPUTS).contains(&inputs.len()), "poseidon of {} inputs", inputs.len());
    HASHERS.with_borrow_mut(|hashers| {
        let hasher = hashers[inputs.len()].get_or_insert_with(|| {
            Poseidon::<Fr>::new_circom(inputs.len()).expect("circom parameters exist for this width")
        });
        hasher.hash(inputs).expect("the number of inputs equals the hasher's width")
    })
}
