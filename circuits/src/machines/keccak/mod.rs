mod constraints;
mod digits;
mod permutation;
mod row;
mod spec;
mod witness;

#[cfg(test)]
mod tests;

pub use self::{
    constraints::{permutation_constraints, row_constraints, synthesize},
    row::{BLOCK_BYTES, KeccakRow},
    witness::{KeccakError, KeccakEvent, permutations, rows},
};
