//! The proving keys of the configured shapes: which are there, which may be used, how far the making of the others is. A key is
//! loaded or made once and stays; a shape is usable once L1 is known to have the verifier of its key. Not here: the order in which they
//! are made and what L1 has (`stages/keys.rs`), and key files (`cairn_prover::store`).

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Instant,
};

use cairn_prover::{BatchCircuit, Circuit, KeyFileError, Observer, Phase, ProvingKey, load_or_setup, store};
use cairn_sequencer::shapes::ShapeId;
use tokio::sync::watch;

use crate::{records::now_ms, shapes::ShapeSpec};

/// How far the key of a shape is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyState {
    /// Nobody has asked for it: this node does not prove.
    #[default]
    Unused,
    /// Its turn has not come.
    Waiting,
    /// It is being loaded or made, since a Unix time in milliseconds.
    Making { phase: Phase, since_ms: u64 },
    /// It is there; its verifier is not yet on L1, or L1 has not been asked.
    Registering,
    /// Batches are proven with it.
    Usable,
}

impl KeyState {
    /// How many are in each state, by its name.
    #[must_use]
    pub fn count(states: impl Iterator<Item = Self>) -> BTreeMap<&'static str, usize> {
        let mut counts: BTreeMap<_, _> =
            ["unused", "waiting", "making", "registering", "usable"].map(|name| (name, 0)).into();
        states.for_each(|state| *counts.entry(state.name()).or_default() += 1);
        counts
    }

    /// One word for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Waiting => "waiting",
            Self::Making { .. } => "making",
            Self::Registering => "registering",
            Self::Usable => "usable",
        }
    }
}

/// For the log: `making (generating the proving key)`.
impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Making { phase, .. } => write!(f, " ({phase})"),
            _ => Ok(()),
        }
    }
}

struct Slot {
    spec: ShapeSpec,
    key: OnceLock<ProvingKey>,
}

/// See the module. Shapes in the order in which they are listed, smallest first.
pub struct KeyRing {
    dir: PathBuf,
    slots: Vec<Slot>,
    states: watch::Sender<Vec<KeyState>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.states().map(|(id, state)| (id.0, state))).finish()
    }
}

impl KeyRing {
    /// The keys of these shapes, of which none is there yet; their files are in `dir`.
    #[must_use]
    pub fn new(specs: &[ShapeSpec], dir: &Path) -> Self {
        let mut specs = specs.to_vec();
        specs.sort_unstable();
        let states = watch::Sender::new(vec![KeyState::default(); specs.len()]);
        let slots = specs.into_iter().map(|spec| Slot { spec, key: OnceLock::new() }).collect();
        Self { dir: dir.to_owned(), slots, states }
    }

    /// The shapes, smallest first.
    pub fn ids(&self) -> impl Iterator<Item = ShapeId> {
        self.slots.iter().map(|slot| slot.spec.id())
    }

    /// How far each is.
    pub fn states(&self) -> impl Iterator<Item = (ShapeId, KeyState)> {
        let states = self.states.borrow().clone();
        self.ids().zip(states)
    }

    /// How far the key of a shape is; unused if the shape is not listed.
    #[must_use]
    pub fn state(&self, id: ShapeId) -> KeyState {
        self.position(id).and_then(|at| self.states.borrow().get(at).copied()).unwrap_or_default()
    }

    /// The first of these shapes that is usable. Waits until one is, and says so once.
    pub async fn first_usable(&self, ids: &[ShapeId], wait: impl FnOnce() + Send) -> ShapeId {
        let (mut states, mut wait) = (self.states.subscribe(), Some(wait));
        loop {
            // Marks what is seen before it is looked at: a change after that wakes.
            states.borrow_and_update();
            if let Some(id) = ids.iter().find(|id| self.state(**id) == KeyState::Usable) {
                return *id;
            }
            if let Some(wait) = wait.take() {
                wait();
            }
            // The sender is `self`.
            let _ = states.changed().await;
        }
    }

    /// The key of a shape and its circuit, if it is there.
    #[must_use]
    pub fn get(&self, id: ShapeId) -> Option<(BatchCircuit, &ProvingKey)> {
        let slot = &self.slots[self.position(id)?];
        Some((slot.spec.circuit(), slot.key.get()?))
    }

    /// The keys that are there, smallest shape first.
    pub fn present(&self) -> impl Iterator<Item = (ShapeId, &ProvingKey)> {
        self.slots.iter().filter_map(|slot| Some((slot.spec.id(), slot.key.get()?)))
    }

    /// The file of a key. The circuit is synthesised for its digest: not for an async thread.
    #[must_use]
    pub fn file(&self, id: ShapeId) -> Option<PathBuf> {
        let slot = &self.slots[self.position(id)?];
        Some(store::path(&self.dir, slot.spec.circuit().record().digest()))
    }

    /// From now on every key will be there some time.
    pub fn await_all(&self) {
        self.states.send_modify(|states| {
            for state in states.iter_mut().filter(|state| **state == KeyState::Unused) {
                *state = KeyState::Waiting;
            }
        });
    }

    /// Loads the key of a shape, or makes it if it has no file; what a process that died was making leaves no file. Takes
    /// long, and all cores: not for an async thread.
    ///
    /// # Errors
    /// If the key cannot be made, read or written. None if the shape is not listed.
    pub fn make(&self, id: ShapeId, observer: &dyn Observer) -> Result<Option<&ProvingKey>, KeyFileError> {
        let Some(at) = self.position(id) else { return Ok(None) };
        let slot = &self.slots[at];
        if slot.key.get().is_none() {
            let start = Instant::now();
            let progress = Progress { ring: self, at, since_ms: now_ms(), inner: observer };
            progress.progress(Phase::Record, 0.0);
            let key = load_or_setup(&self.dir, slot.spec.circuit().record(), &progress)?;
            // If somebody else was faster, theirs is from the same file.
            let _ = slot.key.set(key);
            tracing::info!(shape = %slot.spec, seconds = start.elapsed().as_secs_f64(), "the key is there");
        }
        if self.state(id) != KeyState::Usable {
            self.set(at, KeyState::Registering);
        }
        Ok(slot.key.get())
    }

    /// L1 has the verifier of the key, which is there.
    pub fn set_usable(&self, id: ShapeId) {
        if let Some(at) = self.position(id).filter(|at| self.slots[*at].key.get().is_some()) {
            self.set(at, KeyState::Usable);
        }
    }

    fn position(&self, id: ShapeId) -> Option<usize> {
        self.slots.iter().position(|slot| slot.spec.id() == id)
    }

    fn set(&self, at: usize, new: KeyState) {
        self.states.send_if_modified(|states| std::mem::replace(&mut states[at], new) != new);
    }
}

/// Writes the state while a key is made, and tells of each phase in the log.
struct Progress<'a> {
    ring: &'a KeyRing,
    at: usize,
    since_ms: u64,
    inner: &'a dyn Observer,
}

impl Observer for Progress<'_> {
    fn progress(&self, phase: Phase, fraction: f64) {
        self.ring.set(self.at, KeyState::Making { phase, since_ms: self.since_ms });
        if fraction <= 0.0 {
            tracing::info!(shape = %self.ring.slots[self.at].spec, %phase, "key");
        }
        self.inner.progress(phase, fraction);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use super::*;

    fn ring(names: &[&str]) -> (Arc<KeyRing>, Vec<ShapeId>) {
        let specs: Vec<ShapeSpec> = names.iter().map(|name| name.parse().unwrap()).collect();
        let ring = Arc::new(KeyRing::new(&specs, Path::new("nowhere")));
        let ids = ring.ids().collect();
        (ring, ids)
    }

    #[test]
    fn accepts_states_from_unused_to_usable() {
        let (ring, ids) = ring(&["8", "1", "4"]);
        assert_eq!(ids, [60_001, 60_004, 60_008].map(ShapeId), "smallest first");
        assert!(ring.states().all(|(_, state)| state == KeyState::Unused));
        ring.await_all();
        let making = KeyState::Making { phase: Phase::Generate, since_ms: 7 };
        ring.set(0, making);
        ring.await_all();
        assert_eq!(
            ring.states().map(|(_, state)| state).collect::<Vec<_>>(),
            [making, KeyState::Waiting, KeyState::Waiting]
        );
        assert_eq!(making.to_string(), "making (generating the proving key)");
        let counts = KeyState::count(ring.states().map(|(_, state)| state));
        assert_eq!((counts["making"], counts["waiting"], counts["usable"]), (1, 2, 0));
    }

    #[test]
    fn rejects_to_use_a_shape_whose_key_is_not_there() {
        let (ring, ids) = ring(&["1"]);
        ring.set_usable(ids[0]);
        assert_eq!(ring.state(ids[0]), KeyState::Unused);
        assert!(ring.get(ids[0]).is_none());
        assert_eq!(ring.state(ShapeId(7)), KeyState::Unused, "a shape that is not listed");
    }

    /// A key in a file is not overwritten, whatever is in it: what was made before it could be read is no key.
    #[test]
    fn rejects_a_key_file_that_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let spec: ShapeSpec = "1@1".parse().unwrap();
        let ring = KeyRing::new(&[spec], dir.path());
        let file = ring.file(spec.id()).unwrap();
        std::fs::write(&file, b"CAIRNKEY").unwrap();
        let error = ring.make(spec.id(), &()).err().unwrap().to_string();
        assert!(error.contains("is not a proving key: remove it"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"CAIRNKEY");
        assert!(ring.make(ShapeId(7), &()).unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn accepts_the_first_usable_shape_and_waits_for_one() {
        let (ring, ids) = ring(&["1", "4", "8"]);
        ring.set(2, KeyState::Usable);
        assert_eq!(ring.first_usable(&ids, || panic!("nothing to wait for")).await, ids[2]);
        ring.set(0, KeyState::Usable);
        assert_eq!(ring.first_usable(&ids, || panic!("nothing to wait for")).await, ids[0]);

        let told = Arc::new(AtomicUsize::new(0));
        let (waiting, calls) = (Arc::clone(&ring), Arc::clone(&told));
        let middle = ids[1];
        let task = tokio::spawn(async move {
            waiting.first_usable(&[middle], || _ = calls.fetch_add(1, Ordering::Relaxed)).await
        });
        for state in [KeyState::Waiting, KeyState::Making { phase: Phase::Record, since_ms: 1 }] {
            ring.set(1, state);
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert!(!task.is_finished());
        }
        ring.set(1, KeyState::Usable);
        assert_eq!((task.await.unwrap(), told.load(Ordering::Relaxed)), (middle, 1));
    }
}
