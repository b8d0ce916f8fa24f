//! Serde adapters for field elements: 32 big-endian bytes, canonical; anything else is an error.

use alloy_primitives::B256;
use ark_bn254::Fr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::leaf::{field_from_b256, field_to_b256};

fn parse<E: Error>(b: B256) -> Result<Fr, E> {
    field_from_b256(b).ok_or_else(|| E::custom(format!("field element {b} is not below the modulus")))
}

/// Three value elements.
pub mod value {
    use super::*;
    pub fn serialize<S: Serializer>(v: &[Fr; 3], s: S) -> Result<S::Ok, S::Error> {
        v.map(field_to_b256).serialize(s)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[Fr; 3], D::Error> {
        let [a, b, c] = <[B256; 3]>::deserialize(d)?;
        Ok([parse(a)?, parse(b)?, parse(c)?])
    }
}

/// A leaf.
pub mod leaf {
    use super::*;
    use crate::leaf::Leaf;
    pub fn serialize<S: Serializer>(l: &Leaf, s: S) -> Result<S::Ok, S::Error> {
        let [a, b, c] = l.value.map(field_to_b256);
        ([field_to_b256(l.key), a, b, c, field_to_b256(l.next_key)], l.next_index).serialize(s)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Leaf, D::Error> {
        let ([key, a, b, c, next], next_index) = <([B256; 5], u64)>::deserialize(d)?;
        Ok(Leaf {
            key: parse(key)?,
            value: [parse(a)?, parse(b)?, parse(c)?],
            next_key: parse(next)?,
            next_index,
        })
    }
}

/// A Merkle path.
pub mod siblings {
    use super::*;
    use crate::{constants::TREE_DEPTH, witness::Siblings};
    pub fn serialize<S: Serializer>(v: &Siblings, s: S) -> Result<S::Ok, S::Error> {
        v.iter().map(|level| level.map(field_to_b256)).collect::<Vec<_>>().serialize(s)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Box<Siblings>, D::Error> {
        let levels = Vec::<[B256; 7]>::deserialize(d)?;
        if levels.len() != TREE_DEPTH {
            return Err(D::Error::custom(format!("a path has {TREE_DEPTH} levels, got {}", levels.len())));
        }
        let mut out = Box::new(Siblings::default());
        for (slot, level) in out.iter_mut().zip(levels) {
            for (cell, b) in slot.iter_mut().zip(level) {
                *cell = parse(b)?;
            }
        }
        Ok(out)
    }
}

/// A state commitment.
pub mod commitment {
    use super::*;
    use crate::leaf::StateCommitment;
    pub fn serialize<S: Serializer>(c: &StateCommitment, s: S) -> Result<S::Ok, S::Error> {
        (field_to_b256(c.tree_root), c.leaf_count).serialize(s)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<StateCommitment, D::Error> {
        let (root, leaf_count) = <(B256, u64)>::deserialize(d)?;
        Ok(StateCommitment { tree_root: parse(root)?, leaf_count })
    }
}
