//! The rollup contract, typed.
