//! The smallest machine: how one is added. It proves that numbers are squares of numbers below 2¹⁶, one a row. Not in the
//! list: nothing in a batch asks for squares.

use alloy_primitives::{Address, B256, Bytes};
use cairn_protocol::{
    leaf::StateCommitment,
    resources::{CapacityExceeded, Resource, Rows},
    witness::{BATCH_WITNESS_VERSION, BatchWitness},
};

use super::{BatchWires, Events, Layout, Machine, Shape};
use crate::{
    F,
    cs::{Cs, Lc, Mode},
    lookup::bus::Bus,
    machines::journal::Journal,
    testing::{Checker, Failures},
};

/// What another machine pushes: root and claimed square.
#[derive(Clone, Copy, Debug, Default)]
struct SquareEvent(u64, u64);

struct Squares;

impl Machine for Squares {
    const NAME: &'static str = "squares";
    /// A machine of the list has a resource of its own; this one borrows the steps, which no circuit has.
    const RESOURCES: &'static [Resource] = &[Resource::Steps];
    type Rows = Vec<SquareEvent>;
    type Error = CapacityExceeded;

    fn idle(layout: &Layout) -> Self::Rows {
        vec![SquareEvent::default(); layout.rows(Resource::Steps)]
    }

    fn rows(layout: &Layout, events: &mut Events<'_>) -> Result<Self::Rows, CapacityExceeded> {
        let mut rows = events.take::<SquareEvent>();
        let (needed, capacity) = (rows.len() as u64, layout.rows(Resource::Steps) as u64);
        if needed > capacity {
            return Err(CapacityExceeded { resource: Resource::Steps, needed, capacity });
        }
        rows.resize_with(capacity as usize, SquareEvent::default);
        Ok(rows)
    }

    /// squares.root ∈ [0, 2¹⁶) (lookup), squares.square: root · root = square.   Cost: 1 + lookup
    fn synthesize(cs: &mut Cs, _: &Layout, _: &mut BatchWires, rows: &Self::Rows) {
        let one = cs.one();
        for &SquareEvent(root, square) in rows {
            let root = cs.commit("squares.root", root);
            let square = cs.commit("squares.square", square);
            cs.lookup("squares.root", Bus::Range16, one, root);
            cs.enforce("squares.square", root, root, Lc::from(square));
        }
    }
}

fn layout(rows: u64) -> Layout {
    Layout::from(&Shape { capacity: Rows::new(&[(Resource::Steps, rows)]), ..Shape::transfers(0) })
}

fn rows_of(squares: &[SquareEvent]) -> Result<Vec<SquareEvent>, CapacityExceeded> {
    let state = StateCommitment { tree_root: F::from(0u64), leaf_count: 0 };
    let witness = BatchWitness {
        version: BATCH_WITNESS_VERSION,
        chain_id: 0,
        fork_id: 0,
        batch_number: 1,
        old_acc_input_hash: B256::ZERO,
        old_state: state,
        new_state: state,
        transactions: Bytes::new(),
        global_exit_root: B256::ZERO,
        timestamp: 0,
        coinbase: Address::ZERO,
        new_local_exit_root: B256::ZERO,
        accesses: vec![],
        leaf_ops: vec![],
    };
    let mut events = Events::new(&witness, &[], Journal::default());
    for &square in squares {
        events.push(square);
        assert!(!events.is_done(), "nobody took the event yet");
    }
    let rows = Squares::rows(&layout(3), &mut events);
    assert!(events.is_done());
    rows
}

fn failures(rows: &Vec<SquareEvent>) -> Failures {
    let mut cs = Cs::new(Mode::Check);
    let mut wires = BatchWires::all(&Lc::zero());
    Squares::synthesize(&mut cs, &layout(3), &mut wires, rows);
    Checker::new(&cs, Vec::new()).failures()
}

#[test]
fn accepts_squares_and_idle_rows() {
    assert_eq!(
        failures(&rows_of(&[SquareEvent(7, 49), SquareEvent(65_535, 4_294_836_225)]).unwrap()),
        Failures::new()
    );
    assert_eq!(failures(&Squares::idle(&layout(3))), Failures::new());
}

#[test]
fn rejects_what_is_no_square_and_a_root_out_of_range() {
    assert_eq!(failures(&rows_of(&[SquareEvent(7, 48)]).unwrap()), Failures::from(["squares.square"]));
    let failed = failures(&rows_of(&[SquareEvent(65_536, 4_294_967_296)]).unwrap());
    assert_eq!(failed, Failures::from(["squares.root"]));
}

#[test]
fn says_what_does_not_fit() {
    let error = rows_of(&[SquareEvent::default(); 4]).unwrap_err();
    assert_eq!((error.needed, error.capacity), (4, 3));
}
