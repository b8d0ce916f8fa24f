//! A tracer that stops the EVM once its budget is used up. Every hook passes on to the tracer below, until then.

use alloy_primitives::{
    Address, Log, U256,
    map::{AddressHashMap, HashSet},
};
use revm::{
    Inspector,
    bytecode::opcode,
    context_interface::{ContextError, ContextTr},
    handler::FrameResult,
    inspector::JournalExt,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, FrameInput, Interpreter,
        interpreter_types::{InputsTr, Jumps, LoopControl, MemoryTr},
    },
};
use revm_inspectors::tracing::DebugInspector;

use super::budget::{Budget, Exceeded, FRAME_BYTES, SLOT_BYTES, STEP_BYTES};

/// Steps between two looks at the clock.
const CLOCK_STEPS: u64 = 256;

/// What the struct logger keeps of a step.
#[derive(Clone, Copy, Debug)]
struct StepCost {
    stack: bool,
    memory: bool,
    storage: bool,
    /// Steps that are still kept.
    left: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Bounded<'b> {
    inner: DebugInspector,
    budget: &'b mut Budget,
    steps: u64,
    cost: Option<StepCost>,
    /// Slots of each contract so far: a step on storage shows them all.
    slots: AddressHashMap<HashSet<U256>>,
    exceeded: Option<Exceeded>,
}

impl<'b> Bounded<'b> {
    pub fn new(inner: DebugInspector, budget: &'b mut Budget) -> Self {
        let cost = match &inner {
            DebugInspector::Default(_, config) => Some(StepCost {
                stack: config.is_stack_enabled(),
                memory: config.is_memory_enabled(),
                storage: config.is_storage_enabled(),
                left: config.limit.filter(|limit| *limit != 0).unwrap_or(u64::MAX),
            }),
            _ => None,
        };
        Self { inner, budget, steps: 0, cost, slots: AddressHashMap::default(), exceeded: None }
    }

    /// The tracer with what it recorded.
    pub fn finish(self) -> Result<DebugInspector, Exceeded> {
        match self.exceeded {
            Some(exceeded) => Err(exceeded),
            None => Ok(self.inner),
        }
    }

    fn note(&mut self, result: Result<(), Exceeded>) {
        if let Err(exceeded) = result {
            self.exceeded.get_or_insert(exceeded);
        }
    }

    fn charge(&mut self, bytes: usize) {
        let result = self.budget.charge(bytes);
        self.note(result);
    }

    fn check_time(&mut self) {
        let result = self.budget.check_time();
        self.note(result);
    }

    /// Counts a step before it is recorded.
    fn charge_step(&mut self, interp: &Interpreter) {
        if self.steps.is_multiple_of(CLOCK_STEPS) {
            self.check_time();
        }
        self.steps += 1;
        let Some(cost) = self.cost.as_mut().filter(|cost| cost.left > 0) else { return };
        cost.left -= 1;
        let cost = *cost;
        let mut bytes = STEP_BYTES;
        if cost.stack {
            // As words, twice: recorded, and in the log.
            bytes += 2 * 32 * interp.stack.len();
        }
        if cost.memory {
            // As bytes, and as one string of hex a word.
            bytes += 5 * interp.memory.size();
        }
        if cost.storage && matches!(interp.bytecode.opcode(), opcode::SLOAD | opcode::SSTORE) {
            let slots = self.slots.entry(interp.input.target_address()).or_default();
            if let Ok(slot) = interp.stack.peek(0) {
                slots.insert(slot);
            }
            bytes += SLOT_BYTES * slots.len();
        }
        self.charge(bytes);
    }

    /// Ends the run: its result is never looked at.
    fn stop<CTX: ContextTr>(&self, interp: &mut Interpreter, context: &mut CTX) {
        if let Some(exceeded) = &self.exceeded {
            if context.error().is_ok() {
                *context.error() = Err(ContextError::Custom(exceeded.to_string()));
            }
            // Replaces an action that the step has set.
            interp.bytecode.action().take();
            interp.bytecode.reset_action();
            interp.halt_fatal();
        }
    }
}

impl<CTX: ContextTr<Journal: JournalExt>> Inspector<CTX> for Bounded<'_> {
    fn initialize_interp(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        if self.exceeded.is_none() {
            self.inner.initialize_interp(interp, context);
        }
    }

    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        if self.exceeded.is_none() {
            self.charge_step(interp);
        }
        match self.exceeded {
            None => self.inner.step(interp, context),
            Some(_) => self.stop(interp, context),
        }
    }

    fn step_end(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        match self.exceeded {
            None => self.inner.step_end(interp, context),
            Some(_) => self.stop(interp, context),
        }
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        self.charge(FRAME_BYTES + 3 * log.data.data.len());
        if self.exceeded.is_none() {
            self.inner.log(context, log);
        }
    }

    fn log_full(&mut self, interp: &mut Interpreter, context: &mut CTX, log: Log) {
        self.charge(FRAME_BYTES + 3 * log.data.data.len());
        if self.exceeded.is_none() {
            self.inner.log_full(interp, context, log);
        }
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.check_time();
        self.charge(FRAME_BYTES + inputs.input.len());
        match self.exceeded {
            None => self.inner.call(context, inputs),
            Some(_) => None,
        }
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.charge(outcome.result.output.len());
        if self.exceeded.is_none() {
            self.inner.call_end(context, inputs, outcome);
        }
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.check_time();
        self.charge(FRAME_BYTES + inputs.init_code().len());
        match self.exceeded {
            None => self.inner.create(context, inputs),
            Some(_) => None,
        }
    }

    fn create_end(&mut self, context: &mut CTX, inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        self.charge(outcome.result.output.len());
        if self.exceeded.is_none() {
            self.inner.create_end(context, inputs, outcome);
        }
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        if self.exceeded.is_none() {
            Inspector::<CTX>::selfdestruct(&mut self.inner, contract, target, value);
        }
    }

    fn frame_start(&mut self, context: &mut CTX, frame_input: &mut FrameInput) -> Option<FrameResult> {
        match self.exceeded {
            None => self.inner.frame_start(context, frame_input),
            Some(_) => None,
        }
    }

    fn frame_end(&mut self, context: &mut CTX, frame_input: &FrameInput, frame_result: &mut FrameResult) {
        if self.exceeded.is_none() {
            self.inner.frame_end(context, frame_input, frame_result);
        }
    }
}
