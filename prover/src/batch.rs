//! The batch circuit as the prover sees it.

use cairn_circuits::{
    batch::{Assignment, Shape, synthesize},
    cs::{Cs, Mode},
};

use crate::Circuit;

/// The batch circuit of one shape. Its witness is an assignment, made by [`Assignment::new`] from a `BatchWitness`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchCircuit {
    pub shape: Shape,
}

impl Circuit for BatchCircuit {
    type Witness = Assignment;

    fn synthesize(&self, mode: Mode, witness: Option<&Assignment>) -> Cs {
        let mut cs = Cs::new(mode);
        match witness {
            Some(assignment) => synthesize(&mut cs, &self.shape, assignment),
            None => synthesize(&mut cs, &self.shape, &Assignment::structure(&self.shape)),
        }
        cs
    }
}
