//! The resources that proving a batch uses: one list of them, and [`Rows`], a number for each. Capacities of circuits,
//! counters of batches, limits, configuration, metrics and JSON-RPC all iterate over the list. Not here: how much a
//! transaction uses (`sequencer/src/counters.rs`), and the capacity of a circuit (`circuits/src/machine/shape.rs`).

use std::{
    fmt,
    ops::{Add, Index, IndexMut},
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap,
};
use thiserror::Error;

/// The list: one line a resource, in the order in which resources are shown. A line has the variant, the name (in JSON, TOML
/// and metrics), the unit (in errors: "needs 3 …"), and a sentence of help (in the configuration file and OpenRPC).
macro_rules! resources {
    ($($variant:ident, $name:literal, $unit:literal, $help:literal;)+) => {
        /// Something that a batch uses and that a circuit has a limited number of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Resource {
            $(#[doc = $help] $variant,)+
        }

        impl Resource {
            /// Every resource, in the order in which they are shown.
            pub const ALL: [Self; NAMES.len()] = [$(Self::$variant,)+];

            /// In snake_case, as in JSON, TOML and the label `resource` of metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What is counted, in the plural, as in "needs 3 keccak permutations".
            #[must_use]
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)+ }
            }

            /// What is counted, as a sentence.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)+ }
            }
        }

        const NAMES: &[&str] = &[$($name,)+];

        const OBJECTS: &str = concat!($(",{\"name\":\"", $name, "\",\"unit\":\"", $unit, "\",\"help\":\"", $help, "\"}"),+);
    };
}

resources! {
    Transactions, "transactions", "transactions", "Transactions of the batch.";
    Signatures, "signatures", "signatures", "Signatures whose signers are recovered.";
    KeccakPermutations, "keccak_permutations", "keccak permutations", "Permutations of keccak-f: one for each 136 bytes that are hashed, padding included.";
    KeccakWords, "keccak_words", "hashes of two words", "Hashes of 64 bytes, two words: public keys and the slots of mappings.";
    TreeRows, "tree_rows", "tree rows", "Replacements in the state tree: one for a leaf that is read or updated, two for one that is created.";
    Bytes, "bytes", "bytes", "Bytes of all transactions.";
    Steps, "steps", "EVM steps", "Instructions that the EVM executes.";
}

impl Resource {
    /// The list as the elements of a JSON array: objects with `name`, `unit` and `help`, separated by commas.
    pub const LIST_JSON: &str = OBJECTS.split_at(1).1;

    /// The resource of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.name() == name)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number for each resource: what a batch uses (Polygon zkEVM calls these its counters), or what a circuit has room for.
///
/// Serialised as a map from names to numbers. A name that is not in the list is refused. A resource that is missing is 0:
/// a batch that was stored before there was such a resource used none of it, and a capacity that does not mention it has no
/// room, so that nothing is admitted by mistake.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rows([u64; Resource::ALL.len()]);

/// The first resource that exceeds its capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("needs {needed} {}, the circuit has {capacity}", resource.unit())]
pub struct CapacityExceeded {
    pub resource: Resource,
    pub needed: u64,
    pub capacity: u64,
}

impl Rows {
    /// 0 of every resource.
    pub const ZERO: Self = Self([0; Resource::ALL.len()]);

    /// These numbers, and 0 of everything else. Of a resource that is named twice, the last number counts.
    #[must_use]
    pub const fn new(numbers: &[(Resource, u64)]) -> Self {
        let mut rows = Self::ZERO;
        let mut i = 0;
        while i < numbers.len() {
            rows = rows.with(numbers[i].0, numbers[i].1);
            i += 1;
        }
        rows
    }

    /// The number of `resource`.
    #[must_use]
    pub const fn get(&self, resource: Resource) -> u64 {
        self.0[resource as usize]
    }

    /// A copy with another number of `resource`.
    #[must_use]
    pub const fn with(mut self, resource: Resource, number: u64) -> Self {
        self.0[resource as usize] = number;
        self
    }

    /// Every resource with its number, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Resource, u64)> {
        Resource::ALL.into_iter().zip(self.0)
    }

    /// The larger number of each resource.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].max(other.0[i])))
    }

    /// Checks that no resource exceeds `capacity`.
    ///
    /// # Errors
    /// The first resource that does.
    pub fn fits(&self, capacity: &Self) -> Result<(), CapacityExceeded> {
        match self.iter().find(|(resource, needed)| *needed > capacity[*resource]) {
            None => Ok(()),
            Some((resource, needed)) => {
                Err(CapacityExceeded { resource, needed, capacity: capacity[resource] })
            }
        }
    }
}

/// Saturates: a number that does not fit 64 bits fits no circuit either.
impl Add for Rows {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_add(other.0[i])))
    }
}

impl Index<Resource> for Rows {
    type Output = u64;

    fn index(&self, resource: Resource) -> &u64 {
        &self.0[resource as usize]
    }
}

impl IndexMut<Resource> for Rows {
    fn index_mut(&mut self, resource: Resource) -> &mut u64 {
        &mut self.0[resource as usize]
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(resource, number)| (resource.name(), number))).finish()
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Resource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a resource")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Resource, E> {
                Resource::from_name(name).ok_or_else(|| E::unknown_field(name, NAMES))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.iter().try_for_each(|(resource, number)| map.serialize_entry(&resource, &number))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;

        impl<'de> Visitor<'de> for Numbers {
            type Value = Rows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number for each resource")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                let mut seen = [None; Resource::ALL.len()];
                while let Some((resource, number)) = map.next_entry::<Resource, u64>()? {
                    if seen[resource as usize].replace(number).is_some() {
                        return Err(de::Error::duplicate_field(resource.name()));
                    }
                }
                Ok(Rows(seen.map(Option::unwrap_or_default)))
            }
        }

        deserializer.deserialize_map(Numbers)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Strategy<Value = Rows> {
        any::<[u64; Resource::ALL.len()]>().prop_map(Rows)
    }

    #[test]
    fn accepts_names_that_are_unique_and_in_snake_case() {
        for (i, resource) in Resource::ALL.into_iter().enumerate() {
            assert_eq!(resource as usize, i, "{resource} is out of order");
            assert_eq!(Resource::from_name(resource.name()), Some(resource));
            assert!(resource.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{resource}");
            assert!(resource.help().ends_with('.'), "{resource}: {}", resource.help());
        }
        assert_eq!(Resource::from_name("tree-rows"), None);
    }

    #[test]
    fn accepts_the_list_as_json() {
        let list: Vec<BTreeMap<String, String>> =
            serde_json::from_str(&format!("[{}]", Resource::LIST_JSON)).unwrap();
        let expected = Resource::ALL
            .map(|r| [("name", r.name()), ("unit", r.unit()), ("help", r.help())])
            .map(|fields| fields.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        assert_eq!(list, expected);
    }

    #[test]
    fn rejects_the_first_resource_of_which_there_is_too_little() {
        let needed = Rows::new(&[(Resource::Bytes, 5), (Resource::TreeRows, 7)]);
        assert_eq!(needed.fits(&needed), Ok(()));
        let error = needed.fits(&needed.with(Resource::Bytes, 4).with(Resource::TreeRows, 6)).unwrap_err();
        assert_eq!(error, CapacityExceeded { resource: Resource::TreeRows, needed: 7, capacity: 6 });
        assert_eq!(error.to_string(), "needs 7 tree rows, the circuit has 6");
    }

    #[test]
    fn accepts_missing_resources_as_zero_and_rejects_unknown_and_repeated_ones() {
        let parse = |json: &str| serde_json::from_str::<Rows>(json).map_err(|e| e.to_string());
        assert_eq!(parse(r#"{"steps": 9}"#), Ok(Rows::ZERO.with(Resource::Steps, 9)));
        let error = parse(r#"{"slots": 1}"#).unwrap_err();
        assert!(error.starts_with("unknown field `slots`, expected one of `transactions`,"), "{error}");
        let error = parse(r#"{"bytes": 1, "bytes": 1}"#).unwrap_err();
        assert!(error.starts_with("duplicate field `bytes`"), "{error}");
        assert!(parse(r#"{"bytes": -1}"#).is_err());
    }

    #[test]
    fn accepts_the_order_of_the_list_in_json() {
        let json = serde_json::to_string(&Rows::ZERO).unwrap();
        let places: Vec<_> = NAMES.iter().map(|name| json.find(&format!("\"{name}\":0"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{json}");
    }

    proptest! {
        #[test]
        fn prop_rows_survive_json(rows in rows()) {
            prop_assert_eq!(serde_json::from_str::<Rows>(&serde_json::to_string(&rows).unwrap()).unwrap(), rows);
        }

        #[test]
        fn prop_both_fit_into_the_maximum_and_none_into_less(a in rows(), b in rows(), i in 0..NAMES.len()) {
            let (most, resource) = (a.max(b), Resource::ALL[i]);
            prop_assert!(a.fits(&most).is_ok() && b.fits(&most).is_ok());
            prop_assume!(a[resource] > 0);
            let less = most.with(resource, a[resource] - 1);
            let expected = CapacityExceeded { resource, needed: a[resource], capacity: a[resource] - 1 };
            prop_assert_eq!(a.fits(&less), Err(expected));
        }

        #[test]
        fn prop_a_sum_has_room_for_its_parts(a in rows(), b in rows()) {
            prop_assert!(a.fits(&(a + b)).is_ok() && b.fits(&(a + b)).is_ok());
            prop_assert_eq!(a + Rows::ZERO, a);
        }
    }
}
