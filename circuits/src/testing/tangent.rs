//! The tangent test: what can move at an honest assignment, and which equations hold nothing.
//!
//! The system is linearised at an assignment z: a constraint ⟨a,z⟩·⟨b,z⟩ = ⟨c,z⟩ becomes ⟨b,z⟩·⟨a,dz⟩ + ⟨a,z⟩·⟨b,dz⟩ − ⟨c,dz⟩ = 0.
//! Interactions whose tuples are equal stay equal and their multiplicities keep their sum. An element that a fixed table
//! holds cannot move at all: rows of a table are points apart.
//!
//! * A wire that is not zero in some dz of the kernel can *move*: nothing determines it near z. It must be listed as free.
//! * An equation that is a combination of the others, tables apart, is *redundant* at z: without it nothing more could move. A
//!   family all of whose equations are redundant in every scene must be listed with its reason.
//!
//! What this cannot see: discrete forgeries, which lie far from z, and so whether a range is needed at all. Forged rows
//! test those.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use ark_ff::{Field, UniformRand, Zero};
use ark_std::rand::{SeedableRng, rngs::StdRng};

use super::Checker;
use crate::{
    F,
    cs::{Term, WireId},
};

/// Coefficients by variable.
type Row = BTreeMap<usize, F>;

/// One linear equation and the names of what states it: both ends of a message.
struct Equation {
    names: Vec<&'static str>,
    row: Row,
    /// A table's rigidity: not to be taken away, only to be reckoned with.
    rigid: bool,
}

/// What a scene shows.
#[derive(Debug, Default)]
pub struct Tangent {
    /// Names of the wires that can move, and how many of them.
    pub moving: BTreeMap<&'static str, usize>,
    /// Names of equations of which at least one is needed here.
    pub needed: BTreeSet<&'static str>,
    /// All names of equations.
    pub all: BTreeSet<&'static str>,
}

impl Tangent {
    /// Linearises at the present assignment. Wires with a name in `hashes` are held fixed: a hash has many preimages near the
    /// honest one, but nobody can compute one that counts.
    #[must_use]
    pub fn at(checker: &Checker, hashes: &[&str]) -> Self {
        let wires: Vec<(WireId, &'static str)> =
            checker.wires().into_iter().filter(|(_, name)| !hashes.contains(name)).collect();
        let position: HashMap<WireId, usize> =
            wires.iter().enumerate().map(|(i, (id, _))| (*id, i)).collect();
        let equations = equations(checker, &position);
        let mut rng = StdRng::seed_from_u64(0x7a26);

        let rows: Vec<&Row> = equations.iter().map(|e| &e.row).collect();
        let mut moving: BTreeMap<&'static str, usize> = BTreeMap::new();
        for i in kernel_support(&rows, wires.len(), &mut rng) {
            *moving.entry(wires[i].1).or_default() += 1;
        }

        // The left kernel: the same question for the transposed matrix. Tables do not take part: where they hold every wire of
        // an equation, it would look redundant, and what it says about far values would go unseen.
        let mut transposed = vec![Row::new(); wires.len()];
        for (e, equation) in equations.iter().enumerate().filter(|(_, e)| !e.rigid) {
            for (&wire, &coeff) in &equation.row {
                transposed[wire].insert(e, coeff);
            }
        }
        let columns: Vec<&Row> = transposed.iter().collect();
        let redundant = kernel_support(&columns, equations.len(), &mut rng);
        let stated = |e: &&Equation| !e.rigid && !e.row.is_empty();
        let needed = equations.iter().enumerate().filter(|(i, e)| !e.rigid && !redundant.contains(i));
        Self {
            moving,
            needed: needed.flat_map(|(_, e)| e.names.clone()).collect(),
            all: equations.iter().filter(stated).flat_map(|e| e.names.clone()).collect(),
        }
    }

    /// The union of what scenes of one machine show: a wire moves if it moves in any, an equation is needed if any needs it.
    #[must_use]
    pub fn join(scenes: impl IntoIterator<Item = Self>) -> Self {
        scenes.into_iter().fold(Self::default(), |mut all, scene| {
            for (name, n) in scene.moving {
                *all.moving.entry(name).or_default() += n;
            }
            all.needed.extend(scene.needed);
            all.all.extend(scene.all);
            all
        })
    }

    /// # Panics
    /// Of the names with one of the prefixes: if a wire moves that is not listed in `free`, or is listed and does not move;
    /// or a family is needed nowhere and is not listed in `redundant`, or is listed and needed.
    pub fn assert(&self, prefixes: &[&str], free: &[(&str, &str)], redundant: &[(&str, &str)]) {
        let listed = |list: &[(&str, &str)], name: &str| list.iter().any(|(n, _)| *n == name);
        let ours = |name: &&'static str| prefixes.iter().any(|p| name.starts_with(p));
        let moving = self.moving.iter().filter(|(name, _)| ours(name) && !listed(free, name));
        let moving: Vec<_> = moving.collect();
        assert!(moving.is_empty(), "these wires can move and are not listed as free: {moving:?}");
        let still: Vec<_> = free.iter().filter(|(name, _)| !self.moving.contains_key(name)).collect();
        assert!(still.is_empty(), "listed as free, but nothing moves: {still:?}");
        let idle: Vec<_> = self.all.difference(&self.needed).filter(|name| ours(name)).collect();
        let unlisted: Vec<_> = idle.iter().filter(|name| !listed(redundant, name)).collect();
        assert!(unlisted.is_empty(), "no scene needs these families, and they are not listed: {unlisted:?}");
        let wrong: Vec<_> = redundant.iter().filter(|(name, _)| self.needed.contains(name)).collect();
        assert!(wrong.is_empty(), "listed as redundant, but needed: {wrong:?}");
    }
}

fn add(row: &mut Row, position: &HashMap<WireId, usize>, terms: &[Term], by: F) {
    for t in terms {
        // The constant and the public inputs do not move.
        if let Some(&i) = position.get(&t.wire) {
            *row.entry(i).or_default() += t.coeff * by;
        }
    }
}

fn equations(c: &Checker, position: &HashMap<WireId, usize>) -> Vec<Equation> {
    let one = F::from(1u64);
    let mut out = Vec::new();
    for k in &c.constraints {
        let mut row = Row::new();
        add(&mut row, position, &k.a, c.dot(&k.b));
        add(&mut row, position, &k.b, c.dot(&k.a));
        add(&mut row, position, &k.c, -one);
        out.push(Equation { names: vec![k.name], row, rigid: false });
    }
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for i in 0..c.interactions.len() {
        groups.entry(c.evaluate(i).0).or_default().push(i);
    }
    for (key, members) in groups {
        let in_table = c.in_fixed_table(&key);
        let active: Vec<usize> =
            members.iter().copied().filter(|&i| !c.dot(&c.interactions[i].terms[0]).is_zero()).collect();
        if !in_table {
            let mut row = Row::new();
            for &i in &members {
                add(&mut row, position, &c.interactions[i].terms[0], one);
            }
            out.push(Equation {
                names: members.iter().map(|&i| c.interactions[i].name).collect(),
                row,
                rigid: false,
            });
        }
        for (n, &i) in active.iter().enumerate() {
            let s = &c.interactions[i];
            for (k, terms) in s.terms.iter().enumerate().skip(1) {
                let mut row = Row::new();
                add(&mut row, position, terms, one);
                if in_table {
                    out.push(Equation { names: vec![s.name], row, rigid: true });
                } else if n > 0 {
                    let first = &c.interactions[active[0]];
                    add(&mut row, position, &first.terms[k], -one);
                    out.push(Equation { names: vec![s.name, first.name], row, rigid: false });
                }
            }
        }
    }
    for e in &mut out {
        e.row.retain(|_, v| !v.is_zero());
    }
    out.retain(|e| !e.rigid || !e.row.is_empty());
    out
}

/// Variables that are not zero in some vector of the kernel of `rows`, found by a random vector of the kernel.
fn kernel_support(rows: &[&Row], variables: usize, rng: &mut StdRng) -> BTreeSet<usize> {
    let (rest, dead) = propagate(rows, variables);
    // Elimination; the pivot of a row is its last variable.
    let mut pivots: BTreeMap<usize, Row> = BTreeMap::new();
    for mut row in rest {
        while let Some((&pivot, &lead)) = row.iter().next_back() {
            let Some(known) = pivots.get(&pivot) else {
                let inverse = lead.inverse().expect("zero coefficients are removed");
                row.values_mut().for_each(|v| *v *= inverse);
                pivots.insert(pivot, row);
                break;
            };
            for (&x, &v) in known {
                let e = row.entry(x).or_default();
                *e -= v * lead;
                if e.is_zero() {
                    row.remove(&x);
                }
            }
        }
    }
    // A random vector of the kernel: free variables are random, pivots follow in ascending order.
    let mut value: Vec<F> = (0..variables).map(|i| if dead[i] { F::zero() } else { F::rand(rng) }).collect();
    for (&pivot, row) in &pivots {
        value[pivot] = -row.iter().filter(|(x, _)| **x != pivot).map(|(&x, &c)| c * value[x]).sum::<F>();
    }
    (0..variables).filter(|&i| !value[i].is_zero()).collect()
}

/// Removes variables that single-variable rows force to zero, again and again; what is left, shortest rows first.
fn propagate(rows: &[&Row], variables: usize) -> (Vec<Row>, Vec<bool>) {
    let mut of: Vec<Vec<u32>> = vec![Vec::new(); variables];
    for (i, row) in rows.iter().enumerate() {
        for &x in row.keys() {
            of[x].push(i as u32);
        }
    }
    let mut left: Vec<usize> = rows.iter().map(|r| r.len()).collect();
    let mut dead = vec![false; variables];
    let mut queue: VecDeque<usize> = (0..rows.len()).filter(|&i| left[i] == 1).collect();
    while let Some(i) = queue.pop_front() {
        let Some(&x) = rows[i].keys().find(|&&x| !dead[x]) else { continue };
        dead[x] = true;
        for &j in &of[x] {
            left[j as usize] -= 1;
            if left[j as usize] == 1 {
                queue.push_back(j as usize);
            }
        }
    }
    let alive = |row: &&Row| row.iter().filter(|(x, _)| !dead[**x]).map(|(&x, &c)| (x, c)).collect::<Row>();
    let mut rest: Vec<Row> = rows.iter().map(alive).filter(|row| !row.is_empty()).collect();
    rest.sort_by_key(Row::len);
    (rest, dead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cs::{Cs, Mode},
        lookup::bus::{BatchByte, Bus},
    };

    fn tangent(build: impl Fn(&mut Cs)) -> Tangent {
        let mut cs = Cs::new(Mode::Check);
        build(&mut cs);
        Tangent::at(&Checker::new(&cs, vec![]), &[])
    }

    #[test]
    fn finds_what_moves_and_what_is_redundant() {
        let t = tangent(|cs| {
            let [x, y, z] = [3u64, 4, 5].map(|v| cs.commit("test.wire", v));
            let free = cs.commit("test.free", 9u64);
            let one = cs.one();
            cs.lookup("test.range", Bus::Range8, one, x);
            cs.enforce_equal("test.sum", x + one, y);
            cs.enforce("test.product", x, y, z * 2 + one * 2);
            cs.enforce("test.twice", x * 2, y, z * 4 + one * 4);
            cs.enforce_equal("test.again", x + one, y);
            let tuple = |w| BatchByte { byte: 1.into(), position: w };
            cs.send("test.send", one, tuple(free.into()));
            cs.receive("test.receive", one, tuple(9.into()));
        });
        assert_eq!(t.moving, BTreeMap::new());
        let names = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(t.all.difference(&t.needed).copied().collect::<BTreeSet<_>>(), {
            names(&["test.sum", "test.again", "test.product", "test.twice"])
        });
    }

    #[test]
    fn finds_a_wire_that_nothing_determines() {
        let t = tangent(|cs| {
            let [x, y] = [3u64, 4].map(|v| cs.commit("test.wire", v));
            let one = cs.one();
            cs.enforce_equal("test.sum", x + one, y);
            cs.witness("test.unused", 1u64);
        });
        assert_eq!(t.moving, BTreeMap::from([("test.unused", 1), ("test.wire", 2)]));
        assert!(t.needed.contains("test.sum"));
    }

    #[test]
    #[should_panic(expected = "can move and are not listed")]
    fn rejects_a_moving_wire_that_is_not_listed() {
        tangent(|cs| {
            cs.witness("test.unused", 1u64);
        })
        .assert(&["test."], &[], &[]);
    }
}
