//! The circuit shapes that a chain proves its batches in, as plain data, and which of them a batch takes. Not here: what a
//! circuit is made of (`circuits`), keys, and which shapes are configured (both in the node).
//!
//! A shape has [`Room`]: rows of each machine, and positions in the state tree, since its paths have a fixed depth. Batches
//! are closed and transactions admitted by the room of the largest shape; a batch is proven in the smallest that it fits.

use std::fmt;

use cairn_protocol::resources::{CapacityExceeded, Rows};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Names the shape's verifier on L1. It belongs to a shape for ever, whatever else is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShapeId(pub u32);

impl fmt::Display for ShapeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a circuit has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Rows of each machine.
    pub capacity: Rows,
    /// Positions of the state tree that its paths reach, from 0 on. It proves batches that leave the tree with at most so
    /// many leaves, whichever of them they touch.
    pub positions: u64,
}

/// What a batch has too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RoomExceeded {
    #[error(transparent)]
    Capacity(#[from] CapacityExceeded),
    #[error("leads to a state tree of {leaves} leaves, the circuit reaches {positions}")]
    Positions { leaves: u64, positions: u64 },
}

impl Room {
    /// Checks that a batch with these counters that leaves the tree with `leaves` leaves can be proven. The leaves that a
    /// batch creates besides its transactions' are among them: the entry of a global exit root that is new to L2.
    ///
    /// # Errors
    /// The first resource that is exceeded, else the positions.
    pub fn fits(&self, counters: &Rows, leaves: u64) -> Result<(), RoomExceeded> {
        counters.fits(&self.capacity)?;
        if leaves > self.positions {
            return Err(RoomExceeded::Positions { leaves, positions: self.positions });
        }
        Ok(())
    }
}

/// A shape of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedShape {
    pub id: ShapeId,
    /// For people: in the log, in errors, in answers of JSON-RPC.
    pub name: String,
    pub room: Room,
}

/// Why shapes are no list.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShapesError {
    #[error("there is no circuit shape: a batch needs one to be proven in")]
    Empty,
    #[error("shapes {first} and {second} have the same id {id}")]
    SameId { id: ShapeId, first: String, second: String },
    /// Else a transaction could be admitted by the room of one shape into a batch that only another could prove.
    #[error(
        "the largest shape, {largest}, must have room for whatever fits another, but a batch that fits {smaller} \
         {exceeded}: list a shape that is the largest in both"
    )]
    NotLargest { largest: String, smaller: String, exceeded: RoomExceeded },
}

/// No shape has room for a batch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no circuit shape has room: the batch {exceeded} ({largest} is the largest shape)")]
pub struct NoShape {
    pub largest: String,
    /// What the largest shape has too little of.
    pub exceeded: RoomExceeded,
}

/// The shapes of a chain, smallest first; at least one. The largest has room for whatever fits another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shapes {
    smaller: Vec<ListedShape>,
    largest: ListedShape,
}

impl Shapes {
    /// Shapes in the order in which they are preferred: a proof in an earlier one costs less.
    ///
    /// # Errors
    /// See [`ShapesError`].
    pub fn new(mut shapes: Vec<ListedShape>) -> Result<Self, ShapesError> {
        let largest = shapes.pop().ok_or(ShapesError::Empty)?;
        let listed = Self { smaller: shapes, largest };
        for (i, shape) in listed.iter().enumerate() {
            if let Some(before) = listed.iter().take(i).find(|before| before.id == shape.id) {
                let (first, second) = (before.name.clone(), shape.name.clone());
                return Err(ShapesError::SameId { id: shape.id, first, second });
            }
        }
        let largest = &listed.largest;
        for ListedShape { name, room, .. } in &listed.smaller {
            largest.room.fits(&room.capacity, room.positions).map_err(|exceeded| {
                ShapesError::NotLargest { largest: largest.name.clone(), smaller: name.clone(), exceeded }
            })?;
        }
        Ok(listed)
    }

    /// One shape alone.
    #[must_use]
    pub const fn single(shape: ListedShape) -> Self {
        Self { smaller: Vec::new(), largest: shape }
    }

    /// Every shape, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = &ListedShape> {
        self.smaller.iter().chain(std::iter::once(&self.largest))
    }

    /// The shape of an id.
    #[must_use]
    pub fn get(&self, id: ShapeId) -> Option<&ListedShape> {
        self.iter().find(|shape| shape.id == id)
    }

    /// What batches and transactions may take: the room of the largest shape.
    #[must_use]
    pub const fn limits(&self) -> Room {
        self.largest.room
    }

    /// The first shape that has room for a batch with these counters that leaves the tree with `leaves` leaves.
    ///
    /// # Errors
    /// The first resource of the largest shape that is exceeded, else its positions.
    pub fn smallest_that_fits(&self, counters: &Rows, leaves: u64) -> Result<&ListedShape, NoShape> {
        let fits = |shape: &&ListedShape| shape.room.fits(counters, leaves).is_ok();
        if let Some(shape) = self.smaller.iter().find(fits) {
            return Ok(shape);
        }
        match self.largest.room.fits(counters, leaves) {
            Ok(()) => Ok(&self.largest),
            Err(exceeded) => Err(NoShape { largest: self.largest.name.clone(), exceeded }),
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_protocol::resources::Resource;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Small numbers, so that equal ones meet.
    fn rows() -> impl Strategy<Value = Rows> {
        vec(0..5u64, Resource::ALL.len())
            .prop_map(|numbers| Rows::new(&Resource::ALL.into_iter().zip(numbers).collect::<Vec<_>>()))
    }

    fn listed(id: u32, capacity: Rows, positions: u64) -> ListedShape {
        ListedShape { id: ShapeId(id), name: format!("s{id}"), room: Room { capacity, positions } }
    }

    /// Any shapes, and one at the end that has room for whatever fits them.
    fn shapes() -> impl Strategy<Value = Shapes> {
        vec((rows(), 0..5u64), 1..6).prop_map(|rooms| {
            let largest = rooms.iter().fold((Rows::ZERO, 0), |(capacity, positions), room| {
                (capacity.max(room.0), positions.max(room.1))
            });
            let rooms = rooms.into_iter().chain([largest]);
            Shapes::new((0..).zip(rooms).map(|(id, (c, p))| listed(id, c, p)).collect()).unwrap()
        })
    }

    /// A batch, and one that takes at least as much of everything.
    fn two_batches() -> impl Strategy<Value = [(Rows, u64); 2]> {
        ((rows(), 0..5u64), (rows(), 0..2u64))
            .prop_map(|(less, more)| [less, (less.0 + more.0, less.1 + more.1)])
    }

    proptest! {
        #[test]
        fn prop_the_chosen_shape_fits_and_no_smaller_one_does(
            shapes in shapes(),
            counters in rows(),
            leaves in 0..6u64,
        ) {
            let fits = |shape: &ListedShape| shape.room.fits(&counters, leaves).is_ok();
            match shapes.smallest_that_fits(&counters, leaves) {
                Ok(chosen) => {
                    prop_assert!(fits(chosen));
                    prop_assert!(shapes.iter().take_while(|shape| shape.id != chosen.id).all(|shape| !fits(shape)));
                    prop_assert!(shapes.limits().fits(&counters, leaves).is_ok());
                }
                Err(none) => {
                    prop_assert!(shapes.iter().all(|shape| !fits(shape)));
                    prop_assert_eq!(Err(none.exceeded), shapes.limits().fits(&counters, leaves));
                }
            }
        }

        #[test]
        fn prop_a_batch_that_takes_more_gets_no_smaller_shape(shapes in shapes(), batches in two_batches()) {
            let [less, more] = batches.map(|(counters, leaves)| {
                shapes.smallest_that_fits(&counters, leaves).map_or(usize::MAX, |chosen| {
                    shapes.iter().position(|shape| shape.id == chosen.id).unwrap()
                })
            });
            prop_assert!(less <= more);
        }

        #[test]
        fn prop_room_for_the_limits_is_room_for_whatever_fits_a_shape(
            shapes in shapes(),
            counters in rows(),
            leaves in 0..6u64,
        ) {
            let fits = shapes.iter().any(|shape| shape.room.fits(&counters, leaves).is_ok());
            prop_assert_eq!(shapes.limits().fits(&counters, leaves).is_ok(), fits);
        }
    }

    #[test]
    fn rejects_lists_that_are_none_by_name() {
        let of = |transactions| Rows::new(&[(Resource::Transactions, transactions)]);
        assert_eq!(Shapes::new(vec![]), Err(ShapesError::Empty));
        let twice = Shapes::new(vec![listed(1, of(1), 8), listed(2, of(2), 8), listed(1, of(3), 8)]);
        assert_eq!(twice.unwrap_err().to_string(), "shapes s1 and s1 have the same id 1");
        let crossed = Shapes::new(vec![listed(1, of(1), 64), listed(8, of(8), 8)]).unwrap_err().to_string();
        assert_eq!(
            crossed,
            "the largest shape, s8, must have room for whatever fits another, but a batch that fits s1 leads to a state \
             tree of 64 leaves, the circuit reaches 8: list a shape that is the largest in both"
        );
        let smaller_last = Shapes::new(vec![listed(8, of(8), 8), listed(1, of(1), 8)]).unwrap_err();
        assert!(matches!(smaller_last, ShapesError::NotLargest { .. }), "{smaller_last}");
    }

    #[test]
    fn rejects_a_batch_that_fits_none_with_what_the_largest_has_too_little_of() {
        let of = |transactions| Rows::new(&[(Resource::Transactions, transactions)]);
        let shapes = Shapes::new(vec![listed(1, of(1), 8), listed(2, of(2), 64)]).unwrap();
        let name = |counters, leaves| {
            shapes
                .smallest_that_fits(&counters, leaves)
                .map(|shape| shape.name.clone())
                .map_err(|e| e.to_string())
        };
        assert_eq!(name(of(1), 8), Ok("s1".to_owned()));
        assert_eq!(name(of(1), 9), Ok("s2".to_owned()), "the tree is deeper than the smallest shape's paths");
        assert_eq!(name(of(2), 8), Ok("s2".to_owned()));
        assert_eq!(
            name(of(3), 65),
            Err("no circuit shape has room: the batch needs 3 transactions, the circuit has 2 (s2 is the largest \
                 shape)".to_owned())
        );
        assert_eq!(
            name(of(2), 65),
            Err("no circuit shape has room: the batch leads to a state tree of 65 leaves, the circuit reaches 64 (s2 is \
                 the largest shape)".to_owned())
        );
    }
}
