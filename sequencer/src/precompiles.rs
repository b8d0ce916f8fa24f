//! Ethereum's precompiled contracts, movable for one call: what `movePrecompileToAddress` of a state override asks for.
//! Blocks are executed with nothing moved.

use alloy_primitives::{Address, map::AddressHashMap};
use revm::{
    context_interface::{Cfg, ContextTr},
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, InterpreterResult},
    primitives::{AddressSet, hardfork::SpecId},
};

/// The precompiled contracts of a hardfork.
#[derive(Clone, Debug)]
pub struct Precompiles {
    inner: EthPrecompiles,
    /// Whose contract answers at an address; `None`: an ordinary account is there.
    moved: AddressHashMap<Option<Address>>,
}

impl Precompiles {
    /// Each at its own address.
    #[must_use]
    pub fn new(spec: SpecId) -> Self {
        Self { inner: EthPrecompiles::new(spec), moved: AddressHashMap::default() }
    }

    /// Whether a precompiled contract has its home at this address.
    #[must_use]
    pub fn is_home(&self, address: Address) -> bool {
        self.inner.contains(&address)
    }

    /// Takes the contract away from its home.
    pub(crate) fn remove(&mut self, home: Address) {
        self.moved.entry(home).or_insert(None);
    }

    /// The contract whose home is `home` answers at `to` too.
    pub(crate) fn copy(&mut self, home: Address, to: Address) {
        self.moved.insert(to, Some(home));
    }
}

impl<CTX: ContextTr> PrecompileProvider<CTX> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: <CTX::Cfg as Cfg>::Spec) -> bool {
        PrecompileProvider::<CTX>::set_spec(&mut self.inner, spec)
    }

    fn run(&mut self, context: &mut CTX, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        match self.moved.get(&inputs.bytecode_address) {
            None => self.inner.run(context, inputs),
            Some(None) => Ok(None),
            Some(&Some(home)) => {
                let moved = CallInputs { bytecode_address: home, ..inputs.clone() };
                self.inner.run(context, &moved)
            }
        }
    }

    /// As in geth, the homes are warm whatever was moved.
    fn warm_addresses(&self) -> &AddressSet {
        self.inner.warm_addresses()
    }
}
