//! A circuit shape as it is configured: `8` has room for eight transfers, `8@7` the same with tree paths of seven levels. What
//! follows from that here: its id on L1, its name, its circuit. Not here: which of several shapes a batch takes
//! (`cairn_sequencer::shapes`), and their keys (`keys`).

use std::{fmt, str::FromStr};

use cairn_circuits::{batch::Shape, machine::Levels};
use cairn_prover::BatchCircuit;
use cairn_sequencer::shapes::{ListedShape, Room, ShapeId, Shapes, ShapesError};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// Most transfers of a shape.
pub const MAX_TRANSFERS: u32 = 4_096;

/// An id is this times the levels, and the transfers: it does not depend on what else is listed, so that a list can change
/// without L1 taking one shape for another. No shape of transfers has id 0.
const ID_LEVELS: u32 = 10_000;

/// The id of what proves nothing.
pub const MOCK: ShapeId = ShapeId(0);

/// Room for a number of transfers, in the worst case, and a depth of the tree's paths. Ordered by size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeSpec {
    transfers: u32,
    levels: Levels,
}

/// A text or number that is no shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{got} is no circuit shape: a shape is a number of transfers from 1 to {MAX_TRANSFERS}, such as 8, or with it the levels \
     of the state tree's paths from 1 to 10, such as \"8@7\""
)]
pub struct NotAShape {
    pub got: String,
}

impl ShapeSpec {
    /// Room for `transfers` transfers, and paths of six levels.
    ///
    /// # Errors
    /// If it is not between 1 and [`MAX_TRANSFERS`].
    pub fn transfers(transfers: u64) -> Result<Self, NotAShape> {
        Self::new(transfers, Levels::DEFAULT).ok_or_else(|| NotAShape { got: transfers.to_string() })
    }

    fn new(transfers: u64, levels: Levels) -> Option<Self> {
        let transfers = u32::try_from(transfers).ok()?;
        (1..=MAX_TRANSFERS).contains(&transfers).then_some(Self { transfers, levels })
    }

    /// Names its verifier on L1.
    #[must_use]
    pub fn id(self) -> ShapeId {
        ShapeId(u32::from(u8::from(self.levels)) * ID_LEVELS + self.transfers)
    }

    fn of_id(id: ShapeId) -> Option<Self> {
        let levels = Levels::try_from(u8::try_from(id.0 / ID_LEVELS).ok()?).ok()?;
        Self::new(u64::from(id.0 % ID_LEVELS), levels)
    }

    /// Its circuit.
    #[must_use]
    pub const fn circuit(self) -> BatchCircuit {
        let shape = Shape::transfers(self.transfers as usize);
        BatchCircuit { shape: Shape { levels: self.levels, ..shape } }
    }

    /// As the sequencer chooses by it.
    #[must_use]
    pub fn listed(self) -> ListedShape {
        let Shape { capacity, levels } = self.circuit().shape;
        let room = Room { capacity, positions: levels.positions() };
        ListedShape { id: self.id(), name: self.to_string(), room }
    }
}

/// Shapes as the sequencer chooses among them: first those of fewer transfers, then those of fewer levels.
///
/// # Errors
/// See [`ShapesError`].
pub fn list(specs: &[ShapeSpec]) -> Result<Shapes, ShapesError> {
    let mut specs = specs.to_vec();
    specs.sort_unstable();
    Shapes::new(specs.into_iter().map(ShapeSpec::listed).collect())
}

/// The name that belongs to an id.
#[must_use]
pub fn name(id: ShapeId) -> String {
    match (id, ShapeSpec::of_id(id)) {
        (MOCK, _) => "mock".to_owned(),
        (_, Some(spec)) => spec.to_string(),
        // Of another version of this software.
        (_, None) => format!("shape {id}"),
    }
}

/// The whole form: `8@6`.
impl fmt::Display for ShapeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.transfers, self.levels)
    }
}

impl FromStr for ShapeSpec {
    type Err = NotAShape;

    fn from_str(text: &str) -> Result<Self, NotAShape> {
        let parse = || {
            let (transfers, levels) = match text.split_once('@') {
                Some((transfers, levels)) => {
                    (transfers, Levels::try_from(levels.trim().parse::<u8>().ok()?).ok()?)
                }
                None => (text, Levels::DEFAULT),
            };
            Self::new(transfers.trim().parse().ok()?, levels)
        };
        parse().ok_or_else(|| NotAShape { got: format!("{text:?}") })
    }
}

/// A number where the levels are the default.
impl Serialize for ShapeSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.levels == Levels::DEFAULT {
            serializer.serialize_u32(self.transfers)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de> Deserialize<'de> for ShapeSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl Visitor<'_> for Form {
            type Value = ShapeSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a circuit shape, such as 8 or \"8@7\"")
            }

            fn visit_u64<E: Error>(self, transfers: u64) -> Result<ShapeSpec, E> {
                ShapeSpec::transfers(transfers).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, transfers: i64) -> Result<ShapeSpec, E> {
                let spec = u64::try_from(transfers).ok().and_then(|n| ShapeSpec::transfers(n).ok());
                spec.ok_or_else(|| E::custom(NotAShape { got: transfers.to_string() }))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ShapeSpec, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Form)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn specs(texts: &[&str]) -> Vec<ShapeSpec> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn accepts_both_forms_of_a_shape() {
        let [eight, same, deeper] = specs(&["8", " 8 @ 6", "8@7"])[..] else { unreachable!() };
        assert_eq!(eight, same);
        assert_eq!((eight.to_string(), deeper.to_string()), ("8@6".to_owned(), "8@7".to_owned()));
        let json = serde_json::to_string(&[eight, deeper]).unwrap();
        assert_eq!(json, "[8,\"8@7\"]");
        assert_eq!(serde_json::from_str::<Vec<ShapeSpec>>(&json).unwrap(), [eight, deeper]);
        assert_eq!(deeper.circuit().shape.capacity, Shape::transfers(8).capacity);
        assert_eq!(deeper.listed().room.positions, 8 * eight.listed().room.positions);
    }

    #[test]
    fn rejects_what_is_no_shape_with_what_is_one() {
        for text in ["", "0", "4097", "8@0", "8@11", "8@", "@7", "8@7@7", "-1", "eight"] {
            let error = text.parse::<ShapeSpec>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is no circuit shape: ")), "{error}");
            assert!(error.ends_with("such as \"8@7\""), "{error}");
        }
        for json in ["0", "-3", "4097", "\"8@11\"", "1.5", "{}"] {
            let error = serde_json::from_str::<ShapeSpec>(json).unwrap_err().to_string();
            assert!(error.contains("circuit shape"), "{error}");
        }
    }

    /// An id belongs to one shape, and gives its name.
    #[test]
    fn accepts_an_id_for_each_shape() {
        let mut ids = BTreeSet::from([MOCK]);
        for levels in 1..=10u8 {
            // The last is MAX_TRANSFERS itself.
            for transfers in (1..=MAX_TRANSFERS).step_by(13) {
                let spec: ShapeSpec = format!("{transfers}@{levels}").parse().unwrap();
                assert!(ids.insert(spec.id()), "{spec}");
                assert_eq!(name(spec.id()), spec.to_string());
            }
        }
        assert_eq!(
            (name(MOCK), name(ShapeId(7)), name(ShapeId(60_000))),
            ("mock".to_owned(), "shape 7".to_owned(), "shape 60000".to_owned())
        );
    }

    #[test]
    fn accepts_lists_in_any_order_and_rejects_those_without_a_largest() {
        let names = |texts: &[&str]| -> Result<Vec<String>, ShapesError> {
            Ok(list(&specs(texts))?.iter().map(|shape| shape.name.clone()).collect())
        };
        assert_eq!(names(&["8@7", "1", "8", "1@7"]).unwrap(), ["1@6", "1@7", "8@6", "8@7"]);
        assert_eq!(names(&[]), Err(ShapesError::Empty));
        assert!(matches!(names(&["8", "8@6"]), Err(ShapesError::SameId { .. })));
        assert!(matches!(names(&["1@7", "8"]), Err(ShapesError::NotLargest { .. })));
    }
}
